"""The atlas: every item on one map that one can walk through, in one file that opens anywhere."""

from simlib._extras import extra

with extra("workbook", "simlib.atlas"):
    from simlib.atlas.notebook import show
    from simlib.atlas.page import page
    from simlib.atlas.places import Places, places

__all__ = ["Places", "page", "places", "show"]
