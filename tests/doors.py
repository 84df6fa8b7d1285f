"""What a door made of a file: read right, refused clearly, refused unclearly, or taken for something else.

The tests of doors are tables of `Case`. `verdict` judges one, so that a whole table can be tested and counted.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from simlib import load_matrix, load_vectors

DOORS: dict[str, Callable[..., Any]] = {"vectors": load_vectors, "matrix": load_matrix}


class Case(NamedTuple):
    """A file and what is to become of it.

    Attributes
    ----------
    name : the file's name
    content : its text, its bytes, or a function that writes it to a path
    values : the numbers that are to come back, or None: they may come back noted, or be refused
    labels : the labels that are to come back, or None: any
    words : what the notes, or the message of a refusal, must hold
    refused : whether the only right answer is a refusal
    quiet : whether the notes must say no more than how the fields are separated
    wishes : further arguments of the door
    """

    name: str
    content: Any
    values: Any = None
    labels: list[str] | None = None
    words: tuple[str, ...] = ()
    refused: bool = False
    quiet: bool = False
    wishes: dict[str, Any] = {}  # noqa: RUF012


def written(case: Case, folder: Path) -> Path:
    """The file of the case, in this folder."""
    path = folder / case.name
    if callable(case.content):
        case.content(path)
    else:
        path.write_bytes(case.content if isinstance(case.content, bytes) else case.content.encode())
    return path


def verdict(case: Case, door: str, folder: Path) -> tuple[str, str]:
    """`right`, `refused clearly`, `unclear` or `wrong`, and what came."""
    path = written(case, folder)
    try:
        loaded = DOORS[door](path, **case.wishes)
    except (ValueError, MemoryError, TypeError) as error:
        message = str(error)
        clear = case.words and all(word in message for word in case.words) and len(message.splitlines()) == 1
        return ("refused clearly" if clear else "unclear"), f"{type(error).__name__}: {message}"
    said = " ".join(loaded.card["notes"] + loaded.card["dropped"])
    came = f"{loaded[0].shape}, labels {loaded.labels[:3].tolist()}; {said}"
    if case.refused:
        return "wrong", came
    same = case.values is None or _equal(loaded[0], np.asarray(case.values, float))
    same &= case.labels is None or loaded.labels.tolist() == case.labels
    same &= all(word in said for word in case.words)
    same &= not case.quiet or all(note.startswith(("Fields", "The first line is")) for note in loaded.card["notes"])
    return ("right" if same else "wrong"), came


def ways_out(message: str, path: Path) -> list[Callable[[], Any]]:
    """What a message says that can be done, word for word, each as a call that is to succeed.

    A line of pandas is executed and what it writes is read; so is a file that gets another name, and what a command of
    the shell makes of it.
    """
    ways: list[Callable[[], Any]] = []
    if "read it with load_matrix" in message:
        ways.append(lambda: load_matrix(path))
    if "pass transpose=True" in message:
        ways.append(lambda: load_vectors(path, transpose=True))
    for wish in re.findall(r"(?:pass|with) ((?:label|columns)=(?:'[^']*'|\[[^]]*\]))", message):
        name, _, value = wish.partition("=")
        ways.append(lambda name=name, value=value: load_vectors(path, **{name: ast.literal_eval(value)}))
    for name in re.findall(r"name one of ('[^']*').* with columns=", message):
        ways.append(lambda name=name: load_vectors(path, columns=[ast.literal_eval(name)]))
    for line in re.findall(r"pandas\.read_csv\(.*?\.to_csv\('whole\.csv'[^)]*\)", message):
        ways.append(lambda line=line: _written_by(line, path.parent, "transpose" not in message))
    for suffix in re.findall(r"let its name end in (\.\w+)", message):
        ways.append(lambda suffix=suffix: load_vectors(shutil.copy(path, path.with_suffix(suffix))))
    if "or be deleted" in message:
        ways.append(lambda: load_vectors(_without_first_line(path)))
    for command in re.findall(r"cut -d?,? ?-?f1-3(?= \(between tabs\))|iconv -f LATIN1 -t UTF-8", message):
        ways.append(lambda command=command: _through(command, path))
    return ways


def _written_by(line: str, folder: Path, transpose: bool) -> Any:
    """What is read from the file that a line of pandas writes in a folder."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        exec(line, {"pandas": pd})
    finally:
        os.chdir(before)
    return load_vectors(folder / "whole.csv", transpose=transpose)


def _without_first_line(path: Path) -> Path:
    """The file without the first line that is no comment."""
    lines = path.read_text().splitlines(keepends=True)
    del lines[next(i for i, line in enumerate(lines) if not line.startswith("#"))]
    path.write_text("".join(lines))
    return path


def _through(command: str, path: Path) -> Any:
    """What is read after a command of the shell went over a file: a matrix from `cut`, vectors else."""
    text = subprocess.run(command.split(), input=path.read_bytes(), capture_output=True, check=True).stdout
    path.write_bytes(text)
    return (load_matrix if command.startswith("cut") else load_vectors)(path)


def _equal(found: Any, wanted: np.ndarray) -> bool:
    found = found.toarray() if hasattr(found, "toarray") else found
    return found.shape == wanted.shape and np.allclose(found, wanted, rtol=1e-6, atol=1e-6)


def read_or_refused(door: Callable[..., Any], path: Path) -> tuple[Any, str]:
    """What was read and the name of the file, or None and the message."""
    try:
        return door(path), path.name
    except ValueError as error:
        return None, str(error)
