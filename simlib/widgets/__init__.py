"""The explorer of k in a notebook, and the cards of a clustering.

Everything is computed and drawn beforehand; a move of the slider only exchanges what is shown. Labels of items come
from a person's file: they are shown as text, never as markup, on one line and cut short.

explorer   the controls, and what they show
cards      clusters as HTML
pictures   the curves and the map, one picture for each k
search     the item with a name, and where it lies
inputs     what the caller gave, checked
"""

from simlib._extras import extra

with extra("workbook", "simlib.widgets"):
    from simlib.widgets.cards import cards_html
    from simlib.widgets.explorer import Explorer, explore

__all__ = ["Explorer", "cards_html", "explore"]
