"""From what a reader found to a square matrix: half a matrix is completed, a list of distances is spread out.

Whatever was done stands on the card. Names above the columns must be those of the rows, in the same order.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from simlib import _check
from simlib.files import pieces
from simlib.files.card import Card
from simlib.files.interface import Read, Source

Half = Literal["lower", "upper"]

ROWS_A_BLOCK = 512
ROUNDING = 1e-6  # what correlations may go beyond 1


def squared(source: Source, found: Read) -> tuple[np.ndarray, Sequence[Any] | None]:
    """The matrix (n, n) that a reader's numbers mean, and its labels (n,) if there are some."""
    matrix, labels, names = found[:3]
    if matrix.ndim == 1 or 1 in matrix.shape:
        matrix = _spread_out(source, matrix)
        names = names if names is not None and len(names) == len(matrix) else None
    if 1 < len(matrix) == matrix.shape[-1] - 1 and _all_are(matrix[:, -1], np.nan):  # each line ends in a separator
        matrix, names = matrix[:, :-1], None if names is None else names[:-1]
    if 1 < len(matrix) == matrix.shape[-1] - 1:
        matrix, labels, names = _without_first_column(source, matrix, labels, names)
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"{source.name}: a matrix of similarities must be square, got {matrix.shape}; vectors?")
    labels = _names_of_both(source, labels, names)
    if not matrix.dtype.isnative:  # the file was written on another kind of machine
        matrix = np.array(matrix, matrix.dtype.newbyteorder("="))
    matrix = _completed(source, matrix, labels)
    if not isinstance(matrix, np.memmap):  # of a mapped file only what is used is read
        refuse_gaps(source, matrix, labels)
    _note_both_signs(source.card, matrix, labels)
    return matrix, labels


def _spread_out(source: Source, numbers: np.ndarray) -> np.ndarray:
    """The matrix (n, n) of n(n-1)/2 numbers, as scipy's `pdist` lists them: those above the diagonal, row after row."""
    m = numbers.size
    n = (1 + math.isqrt(1 + 8 * m)) // 2
    if numbers.shape == (1, 1):
        return numbers
    if n * (n - 1) // 2 != m:
        if numbers.ndim == 2:
            return numbers
        raise ValueError(
            f"{source.name} holds a list of {m} numbers: a condensed matrix of n items has n(n-1)/2 of them, and a "
            "whole matrix is 2-D"
        )
    _check.memory(n * n * 8, f"{source.name}, as a matrix of {n} items,", "take fewer items")
    matrix = np.zeros((n, n), numbers.dtype if numbers.dtype.kind == "f" else np.float64)
    flat = numbers.reshape(-1)
    start = 0
    for i in range(n - 1):
        stop = start + n - 1 - i
        matrix[i, i + 1 :] = matrix[i + 1 :, i] = flat[start:stop]
        start = stop
    source.card.notes.append(f"Read as a condensed matrix: {m} numbers are the pairs of {n} items, row after row.")
    refuse_gaps(source, matrix, None)
    np.fill_diagonal(matrix, np.nan)
    fill_missing_diagonal(source, matrix)
    return matrix


def _without_first_column(
    source: Source, matrix: np.ndarray, labels: Any, names: list[str] | None
) -> tuple[np.ndarray, Any, list[str] | None]:
    """A matrix (n, n + 1) without its first column, if that one names or numbers the rows."""
    front = np.asarray(matrix[:, 0], np.float64)
    if not np.all(front == np.floor(front)) or len(np.unique(front)) < len(front):
        return matrix, labels, names
    names = None if names is None else names[1:]
    numbers = [str(int(number)) for number in front]
    counts = numbers in ([str(i) for i in range(len(front))], [str(i + 1) for i in range(len(front))])
    if labels is None and not (counts and names):
        labels = numbers
    source.card.notes.append("The first column names or numbers the rows and is no part of the matrix.")
    return matrix[:, 1:], labels, names


def _names_of_both(source: Source, labels: Any, names: list[str] | None) -> Any:
    """The names of the items; raises if those above the columns are not those of the rows."""
    if labels is None or names is None:
        return names if labels is None else labels
    rows = [str(label).strip() for label in labels]
    above = [name.strip() for name in names]
    if rows == above or _only_count(above) or [_as_r_writes(name) for name in rows] == above:
        return labels
    i = next(i for i in range(len(rows)) if rows[i] != above[i] and _as_r_writes(rows[i]) != above[i])
    way_out = (
        "put the columns into the order of the rows" if sorted(rows) == sorted(above) else "are these other items?"
    )
    raise ValueError(
        f"{source.name}: place {i} (counted from 0) is {above[i][:40]!r} in the first line and {rows[i][:40]!r} in the "
        f"first column: {way_out}"
    )


def _only_count(names: list[str]) -> bool:
    """Whether names are only numbers of columns: 0, 1, 2 or 1, 2, 3, or R's V1, V2 or X1, X2."""
    plain = [re.sub(r"^[VX](?=\d)", "", name) for name in names]
    return any(plain == [str(i + first) for i in range(len(names))] for first in (0, 1))


def _as_r_writes(name: str) -> str:
    """The name as R makes it good for a column: points for what is no letter, and an X before a number."""
    plain = re.sub(r"[^\w.]", ".", name)
    return plain if re.match(r"[^\W\d_]|\.(?!\d)", plain) else "X" + plain


def _completed(source: Source, matrix: np.ndarray, labels: Any) -> np.ndarray:
    """The matrix (n, n); where only one half of it is given, or no diagonal, a copy in which all of it is."""
    half = _half_that_is_given(matrix)
    if half:
        _check.memory(matrix.nbytes, f"{source.name}, whole,", "take fewer items")
        matrix = np.array(matrix, matrix.dtype if matrix.dtype.kind == "f" else np.float64)
        mirror(source, matrix, half)
    if not isinstance(matrix, np.memmap) and len(matrix) > 1 and np.isnan(matrix.diagonal()).all():
        refuse_gaps(source, matrix, labels, diagonal=False)
        matrix = np.array(matrix)
        fill_missing_diagonal(source, matrix)
    return matrix


def _half_that_is_given(matrix: np.ndarray) -> Half | None:
    """Which half of a matrix is given if the other one holds one filler only: NaN, 0 or infinity; else None.

    A row is read at a time, and no more rows than it takes to see that both halves are given.
    """
    n = len(matrix)
    if n < 3:
        return None
    for filler in (np.nan, 0.0, np.inf):
        empty = {"lower": True, "upper": True}
        for i in range(n):
            row = np.asarray(matrix[i])
            empty["lower"] = empty["lower"] and _all_are(row[:i], filler)
            empty["upper"] = empty["upper"] and _all_are(row[i + 1 :], filler)
            if not any(empty.values()):
                break
        if empty["lower"] != empty["upper"]:
            return "upper" if empty["lower"] else "lower"
    return None


def _all_are(numbers: np.ndarray, filler: float) -> bool:
    """Whether all numbers are this filler."""
    return bool(np.all(np.isnan(numbers) if np.isnan(filler) else numbers == filler))


def mirror(source: Source, matrix: np.ndarray, half: Half) -> None:
    """Fill in place the other half of a matrix (n, n) with the mirror image of this one; the card says so."""
    n = len(matrix)
    lower = half == "lower"
    for start in range(0, n, ROWS_A_BLOCK):
        stop = min(start + ROWS_A_BLOCK, n)
        square = matrix[start:stop, start:stop]
        i, j = np.tril_indices(stop - start, -1)
        if lower:
            square[j, i] = square[i, j]
            matrix[start:stop, stop:] = matrix[stop:, start:stop].T
        else:
            square[i, j] = square[j, i]
            matrix[stop:, start:stop] = matrix[start:stop, stop:].T
    other = "upper" if lower else "lower"
    source.card.notes.append(f"Only the {half} half is in the file; the {other} half is its mirror image.")


def fill_missing_diagonal(source: Source, matrix: np.ndarray) -> None:
    """Fill in place a diagonal that is all NaN: with 0, as distances have it, or with 1, as correlations have it."""
    if not np.isnan(matrix.diagonal()).all():
        return
    np.fill_diagonal(matrix, 0)
    smallest, largest = matrix.min(initial=0), matrix.max(initial=0)
    if smallest >= 0:
        source.card.notes.append(
            "The diagonal is not in the file and is taken as 0, as distances have it. Are these similarities? Then "
            "fill it in a copy: M = matrix.copy(); numpy.fill_diagonal(M, 1)."
        )
    elif max(-smallest, largest) <= 1 + ROUNDING:
        np.fill_diagonal(matrix, 1)
        source.card.notes.append("The diagonal is not in the file and is taken as 1, as correlations have it.")
    else:
        raise ValueError(
            f"{source.name}: the diagonal is not in the file, and numbers from {smallest:g} to {largest:g} are neither "
            "distances nor correlations: add to the file how similar each item is to itself"
        )


def refuse_gaps(source: Source, matrix: np.ndarray, labels: Any, diagonal: bool = True) -> None:
    """Raise if a number of the matrix (n, n) is missing or infinite; the diagonal may be left out of the search."""
    finite = np.array([np.isfinite(row).all() for row in matrix])
    if not diagonal:
        finite = np.array([np.isfinite(np.delete(row, i)).all() for i, row in enumerate(matrix)])
    bad = np.flatnonzero(~finite)
    if not len(bad):
        return
    i = int(bad[0])
    holes = np.flatnonzero(~np.isfinite(matrix[i]))
    j = int(next(j for j in holes if diagonal or j != i))
    rows = ", ".join(map(str, bad[:5])) + (", ..." if len(bad) > 5 else "")
    between = ""
    if labels is not None:
        between = f"; the first is between {str(labels[i])[:40]!r} and {str(labels[j])[:40]!r}"
    raise ValueError(f"{source.name} has NaN or infinity in {len(bad)} of {len(matrix)} rows: {rows}{between}")


def _note_both_signs(card: Card, matrix: np.ndarray, labels: Any) -> None:
    """Say what negative entries mean if a matrix looks like one of correlations, judged by some of its rows."""
    n = len(matrix)
    rows = np.unique(np.linspace(0, n - 1, min(n, pieces.rows_a_piece(n))).astype(int))
    some = np.asarray(matrix[rows], np.float64)
    own = some[np.arange(len(rows)), rows]
    if n < 2 or not np.all(np.abs(own - 1) < ROUNDING) or not 0 > some.min() >= -1 - ROUNDING:
        return
    if some.max() > 1 + ROUNDING:
        return
    i, j = np.unravel_index(np.argmin(some), some.shape)
    one, other = (repr(str(k if labels is None else labels[k])[:40]) for k in (rows[i], j))
    card.notes.append(
        f"Some entries are negative, such as {some[i, j]:.3g} between {one} and {other}: -1 means "
        "farthest apart here, not strongly related. If both signs mean related, cluster numpy.abs(matrix)."
    )
