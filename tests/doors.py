"""What a door made of a file: read right, refused clearly, refused unclearly, or taken for something else.

The tests of doors are tables of `Case`. `verdict` judges one, so that a whole table can be tested and counted.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

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


def _equal(found: Any, wanted: np.ndarray) -> bool:
    found = found.toarray() if hasattr(found, "toarray") else found
    return found.shape == wanted.shape and np.allclose(found, wanted, rtol=1e-6, atol=1e-6)


def read_or_refused(door: Callable[..., Any], path: Path) -> tuple[Any, str]:
    """What was read and the name of the file, or None and the message."""
    try:
        return door(path), path.name
    except ValueError as error:
        return None, str(error)
