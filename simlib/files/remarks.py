"""What a person should know about vectors that were read: they may be a matrix, or one column may decide all."""

from __future__ import annotations

from typing import Any

import numpy as np

from simlib.files import pairs, pieces
from simlib.files.arrays import LONGEST_LABEL
from simlib.files.card import Card
from simlib.files.counters import DECIDES_ALL, percent
from simlib.files.interface import Read, Source
from simlib.files.levels import note_levels


def refuse_half_a_matrix(source: Source, found: Read) -> None:
    """Raise if the table has the same names above and in front, and one half of it is empty."""
    values, labels, names = found[:3]
    n = len(values)
    if n < 3 or not _same_names(labels, names) or values.shape != (n, n) or values.dtype.kind != "f":
        return
    empty = np.isnan(values)
    for half, other in ((np.tri(n, k=-1, dtype=bool), "upper"), (~np.tri(n, dtype=bool), "lower")):
        if empty[half].all() and not empty[half.T].any():
            raise ValueError(
                f"{source.name} looks like the {other} half of a matrix, with the same names above and in front: read "
                "it with load_matrix"
            )


def _same_names(labels: Any, names: list[str] | None) -> bool:
    """Whether the rows and the columns are called the same."""
    if labels is None or names is None or len(labels) != len(names):
        return False
    most = LONGEST_LABEL  # longer labels were cut while they were read
    return all(str(label)[:most].strip() == name[:most].strip() for label, name in zip(labels, names, strict=True))


def note_all(source: Source, vectors: np.ndarray, labels: Any, names: list[str] | None) -> None:
    """Say on the card what is conspicuous about the vectors (n, d); labels (n,) and names (d,) may be None."""
    if not len(vectors):
        return
    note_matrix(vectors, labels, names, source.card)
    note_a_column_that_decides_all(vectors, names, source.card)
    note_levels(vectors, names, source.card)
    if labels is None and not source.transpose:
        note_first_column(vectors, source.card)
        pairs.note_in_vectors(vectors, source.card)


def note_matrix(vectors: np.ndarray, labels: Any, names: list[str] | None, card: Card) -> None:
    """Say on the card if the vectors (n, d) are square and symmetric, or have the same names above and in front."""
    n, d = vectors.shape
    if n != d or n < 3:
        return
    symmetric = _is_symmetric(vectors)
    same = _same_names(labels, names)
    if symmetric or same:
        what = " and ".join(
            text for text, holds in (("symmetric", symmetric), ("has the same names above and in front", same)) if holds
        )
        metric = "precomputed" if not vectors.diagonal().any() else "similarity"
        card.notes.append(
            f"The table is square, {what}: it looks like a matrix, but is read as vectors. Read a matrix with "
            f"load_matrix, and cluster it with metric={metric!r} (in the report: --metric {metric})."
        )


def _is_symmetric(square: np.ndarray) -> bool:
    """Whether a square array is symmetric, but for rounding in its last digits."""
    size = 1e-6 * float(np.abs(square[0]).max())
    if not np.allclose(square[0], square[:, 0], rtol=0, atol=size):
        return False
    size = 1e-6 * float(np.abs(square).max())
    blocks = range(0, len(square), 512)
    return all(np.allclose(square[i : i + 512], square[:, i : i + 512].T, rtol=0, atol=size) for i in blocks)


def note_a_column_that_decides_all(vectors: np.ndarray, names: list[str] | None, card: Card) -> None:
    """Say on the card if one column holds nearly all of the squares of the rows (n, d), each scaled to length 1."""
    n, d = vectors.shape
    if d < 2:
        return
    shares = np.zeros(d)
    rows = 0
    for start in range(0, n, pieces.ROWS_A_PIECE):
        piece = vectors[start : start + pieces.ROWS_A_PIECE]
        largest = np.abs(piece).max(axis=1, keepdims=True)
        piece = piece[largest[:, 0] > 0] / largest[largest[:, 0] > 0]  # the squares stay in range
        squares = np.square(piece, out=piece)
        shares += (1 / squares.sum(axis=1, dtype=np.float64)) @ squares
        rows += len(squares)
    if not rows or shares.max() / rows <= DECIDES_ALL:
        return
    i = int(np.argmax(shares))
    called = f"Column {i} (counted from 0)" if names is None else f"Column {names[i][:40]!r}"
    card.notes.append(
        f"{called} holds {percent(shares[i] / rows)} of the sum of squares of rows of length 1: it decides nearly "
        "every cosine alone. Bring the columns to one scale, or leave it out."
    )


def note_first_column(vectors: np.ndarray, card: Card) -> None:
    """Say on the card if the first of several columns may number the rows; vectors (n, d) have no labels."""
    n, d = vectors.shape
    if d < 2 or n < 3:
        return
    front = vectors[:, 0]
    if np.all(np.diff(front) == 1):
        card.notes.append("The first column runs up in steps of 1: if it numbers the rows, it should be left out.")
    elif any(note.startswith("Column '0'") for note in card.notes):
        return  # it is known as a column without a name
    elif n > 9 and _holds_ids(front) and not np.all(vectors[:, 1] == np.floor(vectors[:, 1])):
        card.notes.append("The first column holds distinct whole numbers: if they are ids, it should be left out.")


def _holds_ids(front: np.ndarray) -> bool:
    """Whether a column (n,) holds distinct whole numbers."""
    return bool(np.all(front == np.floor(front))) and len(np.unique(front)) == len(front)
