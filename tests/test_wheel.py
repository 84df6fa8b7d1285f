"""A built wheel is whole: installed outside the checkout, it makes a report from a folder of its own."""

import csv
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOK = "06_write_a_report.ipynb"


def run(*command, **options):
    """Run a command to its end, without what points to the checkout, and return it."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run([*map(str, command)], env=clean, capture_output=True, text=True, check=False, **options)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    built = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def programs(wheel, tmp_path_factory):
    """The folder of programs of an environment that has the wheel, and for all else the libraries of this one."""
    place = tmp_path_factory.mktemp("elsewhere")
    venv.create(place, with_pip=False, symlinks=os.name != "nt")
    paths = sysconfig.get_paths("venv", vars={"base": place, "platbase": place, "installed_base": place})
    there = Path(paths["scripts"])
    command = ("-m", "pip", "--python", there / "python", "install", "--no-deps", "--no-index", "--quiet", wheel)
    installed = run(sys.executable, *command)
    assert installed.returncode == 0, installed.stderr
    Path(paths["purelib"], "libraries.pth").write_text(sysconfig.get_path("purelib"))
    take_compiled(Path(paths["purelib"]))
    return there


def take_compiled(packages):
    """Give the installed kernels what Numba has compiled of the same files here, which saves a minute or more.

    Numba takes it for files of the same size and time only.
    """
    for kernel in (ROOT / "simlib").rglob("kernels/*.py"):
        installed = packages / kernel.relative_to(ROOT)
        assert installed.read_bytes() == kernel.read_bytes()
        shutil.copystat(kernel, installed)
        for compiled in kernel.parent.glob(f"__pycache__/{kernel.stem}.*.nb[ci]"):
            shutil.copy2(compiled, installed.parent / "__pycache__")


def test_the_wheel_holds_the_package_the_words_and_the_notebook(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "simlib").rglob("*.py")}
    data = {"vectors.npy", "words.csv", "SHA256SUMS", "LICENSE-WordNet.txt", "LICENSE-SCOWL.txt", "README.md", NOTEBOOK}
    assert len(modules) > 90
    assert (modules | {f"simlib/_data/{name}" for name in data}) - names == set()
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "notebooks/"))]


def test_the_command_alone_says_what_it_can_do(programs, tmp_path):
    helped = run(programs / "simlib", cwd=tmp_path)
    assert helped.returncode == 0, helped.stderr
    assert helped.stdout.startswith("usage: simlib report [FILE]")
    assert "usage: simlib report [-h]" in run(programs / "simlib", "report", "--help", cwd=tmp_path).stdout


def test_an_installed_wheel_makes_a_report(programs, tmp_path):
    values = np.random.default_rng(0).standard_normal((60, 4)) + 4 * np.eye(4)[np.arange(60) % 4]
    lines = [f"item {i}," + ",".join(map(str, row)) for i, row in enumerate(values.round(3))]
    (tmp_path / "mine.csv").write_text("\n".join(["name,a,b,c,d", *lines]))
    where = run(programs / "python", "-c", "import simlib; print(simlib.__file__)", cwd=tmp_path).stdout
    assert Path(where.strip()).is_relative_to(programs.parent)
    made = run(programs / "simlib", "report", "mine.csv", "--k", "4", "--ks", "3,4,5", "--no-stamp", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<title>Report on mine.csv</title>" in page
    assert page.count("<img ") > 3
    with open(tmp_path / "report_items.csv", encoding="utf-8-sig", newline="") as file:
        assert sorted(row["item"] for row in csv.DictReader(file)) == sorted(f"item {i}" for i in range(60))
    assert str(ROOT) not in page
