"""The atlas in an output cell of JupyterLab, in a real browser; nothing leaves the machine."""

import shutil

import nbformat
import pytest

from simlib.data import results_folder

pytestmark = pytest.mark.skipif(
    shutil.which("chromium") is None,
    reason="chromium is not on the PATH, so the atlas is not tried in JupyterLab (Debian: apt install chromium)",
)
CODE = """import numpy as np, simlib
from simlib import atlas
points = np.random.default_rng(0).normal(size=(40, 3))
fits = [simlib.kmedoids(points, k, metric="cosine") for k in (2, 4, 8)]
atlas.show(atlas.places(points, metric="cosine"), fits, [f"item {i}" for i in range(40)])"""


def test_the_atlas_moves_in_a_notebook(tmp_path):
    from lab import notebook_page, run_all

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)])
    notebook.metadata.kernelspec = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    nbformat.write(notebook, tmp_path / "atlas.ipynb")
    with notebook_page(tmp_path / "atlas.ipynb") as (page, outside):
        assert run_all(page) == []
        frame = page.frame_locator("iframe[title=atlas]")
        frame.locator("#more").click()
        assert frame.locator("#shown").inner_text() == "k = 8"
        frame.locator("#search").fill("item 7")
        frame.locator("#search").press("Enter")
        assert frame.locator("#card h2").inner_text() == "item 7"
        with page.expect_download() as download:
            frame.locator("#card .save").click()
        assert download.value.path().read_text("utf-8-sig").startswith("row,item,exemplar,similarity")
        page.screenshot(path=results_folder() / "atlas_in_a_notebook.png")
        assert outside == []
