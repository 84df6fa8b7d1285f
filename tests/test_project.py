"""The project as a whole: set-up files that agree, a page that needs no network."""

import importlib
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from importlib.metadata import version
from itertools import combinations
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
import torch
from nbclient.exceptions import CellExecutionError
from packaging.requirements import Requirement

from simlib import report

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}


def split(requirement):
    return re.match(r"([\w.-]+)(.*)", requirement).groups()


def test_environment_yml_says_what_pyproject_says():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    whole = wanted["dependencies"] + wanted["optional-dependencies"]["workbook"]
    ours = {CONDA_NAMES.get(name, name): bounds for name, bounds in map(split, whole)}
    ours["python"] = wanted["requires-python"]
    lines = re.findall(r"^  - ([\w.-]+\S*)", (ROOT / "environment.yml").read_text(), flags=re.M)
    theirs = dict(map(split, (line for line in lines if line not in ("pip", "pip:", "conda-forge"))))
    assert theirs == ours


def test_exactly_the_versions_of_constraints_are_installed():
    pins = [Requirement(line) for line in (ROOT / "constraints.txt").read_text().splitlines()]
    here = {pin.name: pin.specifier for pin in pins if pin.marker is None or pin.marker.evaluate()}
    assert len(here) > 150
    different = {name: version(name) for name, wanted in here.items() if not wanted.contains(version(name))}
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


@pytest.fixture
def benchmark_module(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """A function that imports a file of the folder benchmarks, which is no package, by its name."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module


def test_the_stored_table_has_a_row_for_every_contestant_of_the_matrix(benchmark_module):
    measured = (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
    contestants = benchmark_module("part_similarity").CONTESTANTS
    rows = [f"| {what} | {who} | " for what, functions in contestants.items() for who in functions]
    assert len(rows) == 8
    assert [row for row in rows if row not in measured] == []


def test_a_contestant_has_its_turn_in_a_process_of_its_own(benchmark_module):
    part = benchmark_module("part_similarity")
    assert 0 < part.in_own_process(part.RECTANGLE, "simlib", 300) < 60


def test_a_comparison_prints_the_rows_that_it_keeps(benchmark_module, capsys):
    table = benchmark_module("table").Comparison()
    table.result("a fit", "simlib", 0.5, 0.5)
    table.result("a fit", "a peer", 2, 0.5, "9.25")
    table.note("most of it in one loop")
    assert table.lines[2:] == [
        "| a fit | simlib | 0.50 | 1.00 |  |",
        "| a fit | a peer | 2.00 | 4.00 | 9.25 |",
        "| | | | | most of it in one loop |",
    ]
    assert capsys.readouterr().out == f"{table}\n"


def test_the_steps_of_the_card_on_cpu_tensors(benchmark_module, capsys):
    gpu = benchmark_module("gpu")
    assert gpu.main(["--check"]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert len(rows) == 8
    assert all(row.endswith("| yes |") for row in rows)


def test_a_result_that_differs_from_that_of_numpy_is_counted(benchmark_module, capsys):
    gpu = benchmark_module("gpu")
    told = gpu.Comparison(torch.device("cpu"))
    told.numbers((600, 20), "a fit", (1.0, 100.0), (2.0, 100.05))
    assert told.differed == 0
    told.numbers((600, 20), "a fit", (1.0, 100.0), (2.0, 101.0))
    assert told.differed == 1
    assert told.table.lines[-1] == "| 600 | 20 | a fit | 1.00 | 2.00 | 100.00, NumPy 101.00 | NO |"


def test_without_a_card_nothing_is_measured(benchmark_module, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert benchmark_module("gpu").main([]) == 1
    assert capsys.readouterr().out == "no CUDA device: nothing measured\n"


def test_a_benchmark_leaves_the_stored_page_alone_unless_asked(benchmark_module, monkeypatch, tmp_path):
    page = benchmark_module("page")
    monkeypatch.setattr(page, "results_folder", lambda: tmp_path / "results")
    monkeypatch.setattr(page, "STORED", tmp_path / "benchmarks")
    for folder in ("results", "benchmarks"):
        (tmp_path / folder).mkdir()
    stored = tmp_path / "benchmarks" / "RESULTS.md"
    stored.write_text("old")
    assert page.write("new", "BENCH.md") == tmp_path / "results" / "BENCH.md"
    assert (tmp_path / "results" / "BENCH.md").read_text() == "new"
    assert stored.read_text() == "old"
    assert page.write("new", "BENCH.md", stored="RESULTS.md") == stored
    assert stored.read_text() == "new"


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_make_bench_stores_only_with_store_1():
    def recipe(*words: str) -> str:
        return subprocess.run(["make", "-n", "bench", *words], cwd=ROOT, capture_output=True, text=True).stdout

    assert "bench.py" in recipe()
    assert "--store" not in recipe()
    assert "bench.py --store" in recipe("STORE=1")
    assert "sentinel" not in recipe("STORE=; echo sentinel")


def test_the_head_of_the_table_names_the_kernels_of_the_matrix_product(benchmark_module, monkeypatch):
    machine = benchmark_module("machine")
    openblas = {"user_api": "blas", "internal_api": "openblas", "architecture": "Zen"}
    several = [
        {"user_api": "openmp", "internal_api": "openmp", "version": None, "filepath": "libgomp.so"},
        openblas | {"version": "1", "filepath": "scipy.libs/libopenblas.so"},
        openblas | {"version": "2", "filepath": "numpy.libs/libopenblas.so"},
    ]
    monkeypatch.setattr(machine, "threadpool_info", lambda: several)
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    assert machine.numpy_blas() == "NumPy's OpenBLAS 2 with Zen kernels"
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Zen")
    assert machine.numpy_blas() == "NumPy's OpenBLAS 2 with Zen kernels (pinned by OPENBLAS_CORETYPE=Zen)"
    assert machine.numpy_blas() in machine.machine()


def test_optima_of_small_instances(benchmark_module):
    optima = benchmark_module("optima")
    for seed in range(3):
        D = optima.instance(12, seed)
        best = min(D[list(rows)].min(axis=0).sum() for rows in combinations(range(12), 3))
        assert optima.optimum(D, 3) == best
