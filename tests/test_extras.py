"""What works with the core alone, and what is said where a library of an extra is missing."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from simlib import _cli

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
HIDE = """\
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)
sys.meta_path.insert(0, Hidden())
"""
FUNCTIONS = """\
import numpy as np, simlib
X, labels, _ = simlib.load_vectors("items.csv")
S = simlib.cosine_similarity(X)
fit = simlib.kmedoids(S, 3)
simlib.certify(S, fit.medoids), simlib.assign(S, fit.medoids), simlib.silhouette(S, fit.labels)
simlib.kmedoids(X, 3, metric="cosine").predict(X[:5]), simlib.kmedoids(1 - S, 3, metric="precomputed")
simlib.correlation(X), simlib.scan_k(S, [2, 3, 4]).picks(), simlib.stability(S, 3), simlib.shuffle_columns(X)
simlib.load_matrix("matrix.npy"), simlib.load_vectors("lines.jsonl")
simlib.load("digits"), simlib.load("words")
print(sorted({name.partition(".")[0] for name in sys.modules}))
print(sorted(labels[fit.medoids]), S.round(6).tolist())
"""


def core():
    """The names of the distributions that the core needs, those that they need in turn included."""
    found, waiting = set(), [Requirement(line) for line in PROJECT["dependencies"]]
    while waiting:
        each = waiting.pop()
        name = canonicalize_name(each.name)
        if name not in found and (each.marker is None or each.marker.evaluate({"extra": ""})):
            found.add(name)
            waiting += map(Requirement, requires(name) or [])
    return found


CORE = core()
BEYOND = {
    module
    for module, distributions in packages_distributions().items()
    if not {canonicalize_name(name) for name in distributions} & (CORE | {"simlib", "pip", "setuptools"})
}


def without(hidden, code, folder):
    """Run Python code in which some modules cannot be imported, and return what it prints."""
    begin = HIDE.format(names=set(hidden))
    run = subprocess.run([sys.executable, "-c", begin + code], cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture
def folder(tmp_path):
    """A folder with the same small vectors in several files."""
    values = np.random.default_rng(0).standard_normal((40, 5)).round(4)
    table = pd.DataFrame(values, columns=list("abcde"))
    table.insert(0, "name", [f"item {i}" for i in range(40)])
    table.to_csv(tmp_path / "items.csv", index=False)
    table.to_parquet(tmp_path / "items.parquet")
    table.to_feather(tmp_path / "items.feather")
    table.to_json(tmp_path / "lines.jsonl", orient="records", lines=True)
    pd.DataFrame({"name": table["name"], "v": [str(row) for row in values.tolist()]}).to_csv(tmp_path / "lists.csv")
    np.save(tmp_path / "matrix.npy", np.corrcoef(values))
    (tmp_path / "items.h5").write_bytes(b"x")
    return tmp_path


def test_the_functions_work_with_the_core_alone_and_give_the_same(folder):
    assert {"numpy", "scikit-learn", "llvmlite"} <= CORE
    assert {"torch", "matplotlib", "ipywidgets", "pyarrow", "IPython", "dask", "umap", "h5py"} <= BEYOND
    imported, result = without(BEYOND, FUNCTIONS, folder).splitlines()
    assert not re.findall("'(?:torch|matplotlib|pyarrow|IPython)'", imported)
    assert result == without([], FUNCTIONS, folder).splitlines()[1]


WORKBOOK = 'which is not installed: pip install "simlib[workbook]"'
MISSING = {
    "import simlib.plots": f"simlib.plots needs matplotlib, {WORKBOOK}",
    "import simlib.widgets.cards": f"simlib.widgets needs ipywidgets, {WORKBOOK}",
    "import simlib.atlas": f"simlib.atlas needs ipywidgets, {WORKBOOK}",
    "import simlib.report.page": f"simlib.report needs nbformat, {WORKBOOK}",
    "import simlib.distributed": 'simlib.distributed needs dask, which is not installed: pip install "simlib[dask]"',
    "simlib.load_vectors('items.parquet')": "items.parquet needs pyarrow, ",
    "simlib.load_vectors('items.feather')": "items.feather needs pyarrow, ",
    "simlib.load_vectors('items.h5')": "items.h5 needs h5py, ",
    "simlib.load_vectors('lists.csv')": "column 'v' of lists.csv, which holds lists as text, needs pyarrow, ",
}


def test_what_is_missing_is_named_with_its_extra(folder):
    code = f"""
import simlib
for each in {list(MISSING)}:
    try:
        exec(each)
    except ImportError as error:
        print(type(error).__name__, error)
"""
    said = without(BEYOND, code, folder).splitlines()
    formats = 'which is not installed: pip install "simlib[formats]"'
    wanted = [line + formats if line.endswith(", ") else line for line in MISSING.values()]
    assert said == [f"NotInstalledError {line}" for line in wanted]


def test_every_extra_that_a_message_names_exists():
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "simlib").rglob("*.py")]
    named = set(re.findall(r'extra\("(\w+)"', "\n".join(texts)))
    assert named == {"workbook", "dask", "formats"} <= set(PROJECT["optional-dependencies"])


def test_the_command_says_in_one_line_what_is_missing(monkeypatch, capsys):
    for name in [name for name in sys.modules if name.startswith("simlib.report")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "nbformat", None)
    assert _cli.main(["report", "my.csv"]) == 2
    line = 'error: simlib.report needs nbformat, which is not installed: pip install "simlib[workbook]"\n'
    assert capsys.readouterr().err == line
