"""What a person types after `make` reaches the program as it was typed, and is never run."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def make(tmp_path):
    """Run `make report` with a program in place of Python that prints its arguments."""
    for name in ("constraints.txt", "pyproject.toml", "ready", "python"):
        (tmp_path / name).write_text("")
    (tmp_path / "python").write_text('#!/bin/sh\nfor each in "$@"; do printf "<%s>" "$each"; done\n')
    (tmp_path / "python").chmod(0o755)

    def run(*typed, **environment):
        command = ["make", "-s", "-f", ROOT / "Makefile", "report", "BIN=.", "READY=ready", *typed]
        done = subprocess.run(
            command, cwd=tmp_path, env={**os.environ, **environment}, capture_output=True, text=True, check=True
        )
        return done.stdout

    return run


def test_without_values(make):
    assert make() == "<-m><simlib.report><--out=results/report.html>"


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "Cost in $US",
        "$(shell touch ran)",
        "`touch ran`",
        "$$(touch ran)",
        'it\'s "quoted"',
        "two\nlines",
        "-v",
        "; touch ran",
        "ü 漢字",
    ],
    ids=repr,
)
@pytest.mark.parametrize("way", ["typed", "environment"])
def test_every_value_comes_through(make, tmp_path, text, way):
    names = {"OUT": "--out=", "K": "--k=", "TITLE": "--title=", "METRIC": "--metric=", "DATA": "--><"}
    values = dict.fromkeys(names, text)
    said = make(**values) if way == "environment" else make(*(f"{name}={value}" for name, value in values.items()))
    assert said == "<-m><simlib.report>" + "".join(f"<{before}{text}>" for before in names.values())
    assert not (tmp_path / "ran").exists()


def test_the_quick_tests_of_make_check_exist():
    listed = re.search(r"^SMALL := (.*?)\n\n", (ROOT / "Makefile").read_text(), flags=re.M | re.S)[1]
    names = "\n".join(
        re.findall(r"def (test_\w+)", "\n".join(p.read_text() for p in (ROOT / "tests").glob("test_*.py")))
    )
    words = re.sub(r"\\\n", " ", listed).split(" or ")
    assert len(words) > 9
    assert [word.strip() for word in words if word.strip() not in names] == []


def test_another_python_makes_the_environment_anew(tmp_path):
    for version in ("3.11", "3.13"):
        (tmp_path / f"python{version}").write_text(f"#!/bin/sh\necho {version}\n")
        (tmp_path / f"python{version}").chmod(0o755)
    for name in ("constraints.txt", "pyproject.toml"):
        (tmp_path / name).write_text("")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / ".ready-3.11").write_text("")

    def recipe(version):
        command = ["make", "-n", "-f", ROOT / "Makefile", "run", f"PYTHON=./python{version}"]
        alone = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        return subprocess.run(command, cwd=tmp_path, env=alone, capture_output=True, text=True, check=True).stdout

    assert recipe("3.11") == ".venv/bin/python notebooks/run.py\n"
    assert recipe("3.13").startswith("./python3.13 -m venv --clear .venv\n")
    os.utime(tmp_path / "constraints.txt", (2**32, 2**32))
    assert recipe("3.11").startswith("./python3.11 -m venv --upgrade .venv\n")
