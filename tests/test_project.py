"""The project as a whole: set-up files that agree, a page that needs no network."""

import importlib
import re
import sys
import tomllib
from importlib.metadata import version
from itertools import combinations
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from simlib import report

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}


def split(requirement):
    return re.match(r"([\w.-]+)(.*)", requirement).groups()


def test_environment_yml_says_what_pyproject_says():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ours = {CONDA_NAMES.get(name, name): bounds for name, bounds in map(split, wanted["dependencies"])}
    ours["python"] = wanted["requires-python"]
    lines = re.findall(r"^  - ([\w.-]+\S*)", (ROOT / "environment.yml").read_text(), flags=re.M)
    theirs = dict(map(split, (line for line in lines if line not in ("pip", "pip:", "conda-forge"))))
    assert theirs == ours


def test_exactly_the_versions_of_constraints_are_installed():
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split())
    different = {name: version(name) for name, pin in pins.items() if version(name).split("+")[0] != pin}
    assert not different


def small_notebook(*cells):
    return nbformat.v4.new_notebook(cells=list(cells))


def test_the_same_run_gives_the_same_bytes(tmp_path):
    source = small_notebook(
        nbformat.v4.new_code_cell("import ipywidgets, sys\nprint('to stdout')\nipywidgets.IntSlider()")
    )
    nbformat.write(source, tmp_path / "one.ipynb")
    first, second = (nbformat.writes(report.execute(tmp_path / "one.ipynb")) for _ in range(2))
    assert first == second
    assert "to stdout" in first


def test_a_failing_cell_is_reported(tmp_path):
    nbformat.write(small_notebook(nbformat.v4.new_code_cell("1 / 0")), tmp_path / "bad.ipynb")
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        report.execute(tmp_path / "bad.ipynb")


def test_the_page_is_self_contained():
    page = report.page({path.stem: nbformat.read(path, 4) for path in NOTEBOOKS}, "All of it")
    assert not re.findall(r"<(?:script|iframe|object)\b", page)
    assert not re.findall(r"(?:src|href)=[\"'](?!data:|#)[^\"']+", page)
    assert not re.findall(r"(?:url\(|@import)\s*[\"']?https?:", page)
    assert not re.findall(r"MATH-\d+-HERE", page)
    notebooks = [nbformat.read(path, 4) for path in NOTEBOOKS]
    pictures = sum(len(list(report.figures(notebook))) for notebook in notebooks)
    outputs = [output for notebook in notebooks for cell in notebook.cells for output in cell.get("outputs", [])]
    inside = sum(output.get("data", {}).get("text/html", "").count("<img ") for output in outputs)  # the explorer's
    assert len(re.findall(r"<img\b", page)) == pictures + inside > 5
    assert all(re.search(r'alt="[^"]{10,}"', image) for image in re.findall(r"<img\b[^>]*>", page))
    assert len(re.findall(r'alt="Figure \d\.[^"]{20,}"', page)) == pictures
    for path in NOTEBOOKS:
        assert f'href="#{path.stem}"' in page
        assert f'id="{path.stem}"' in page


def test_maths_becomes_mathml_and_code_is_left_alone():
    cells = (nbformat.v4.new_markdown_cell("# Title\n\n$x^2$ costs `$5` or $$\\frac{1}{2}$$"),)
    page = report.page({"00_one": small_notebook(*cells)}, "Maths")
    assert page.count("<math") == 2
    assert "<code>$5</code>" in page


def test_the_readme_quotes_the_benchmark():
    measured = (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8").splitlines()
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## How fast")[2].partition("\n## ")[0]
    quoted = [line for line in section.splitlines() if line.startswith("|")]
    assert len(quoted) > 20
    assert set(quoted) <= set(measured)


def test_optima_of_small_instances():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        optima = importlib.import_module("optima")
    finally:
        sys.path.pop(0)
    for seed in range(3):
        D = optima.instance(12, seed)
        best = min(D[list(rows)].min(axis=0).sum() for rows in combinations(range(12), 3))
        assert optima.optimum(D, 3) == best
