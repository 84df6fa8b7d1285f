"""A matrix that is written as a list of pairs: a line is the name of an item, the name of another, and a number.

Each pair is given once, or once in each direction. A pair of an item with itself may be given too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, NoReturn

import numpy as np
import pandas as pd

from simlib import _check
from simlib.files import squares
from simlib.files.card import Card
from simlib.files.interface import Read, Source

FEWEST_EDGES = 10  # fewer rows of whole numbers are no sign of a graph
ITEMS_AN_EDGE = 1.5  # a graph has at most so many items for each of its edges; a tree has one
LONG = 10_000  # of a list with so many lines in its first piece more follow


class Piece(NamedTuple):
    """Some lines of a list of pairs: two names and a number each, all (lines,)."""

    one: np.ndarray
    other: np.ndarray
    values: np.ndarray


class Numbered(NamedTuple):
    """A whole list of pairs: the names (n,), and for each line the numbers of its two items and its value (lines,)."""

    names: list[str]
    one: np.ndarray
    other: np.ndarray
    values: np.ndarray

    def called(self, i: int, j: int) -> str:
        """The names of items i and j."""
        return f"{self.names[i][:40]!r} and {self.names[j][:40]!r}"


def start(source: Source, names: list[str], first: list[np.ndarray]) -> int | None:
    """Where the three columns of a list of pairs begin, or None if a table is none, judged by its first values (n,).

    They begin with the second column if the first one has no name and only numbers the lines. It raises if the list has
    more columns than three. Two columns of text are names. Whole numbers are names only where most of the pairs that
    they can make are there: three columns of them may also be a small matrix, or points.
    """
    if len(first) > 3 and not names[0] and _counts(first[0]):
        found = start(source, names[1:], first[1:])
        return None if found is None else found + 1
    if len(first) < 3:
        return None
    one, other = (pd.Series(column).astype(str).str.strip() for column in first[:2])
    shared = bool(set(one) & set(other))
    texts = all(_are_texts(column) for column in first[:2])
    if len(first) > 3 and texts and shared and any(not _are_texts(column) for column in first[2:]):
        raise ValueError(
            f"{source.name} looks like a list of pairs with {len(first) - 2} values each: a list of pairs has three "
            "columns, two names and one number; keep these, with cut -f1-3 (between tabs) or cut -d, -f1-3 (commas)"
        )
    if len(first) > 3 or _are_texts(first[2]):
        return None
    if texts:
        return 0 if shared or pd.to_numeric(other, errors="coerce").isna().all() else None
    numbered = shared and _most_pairs_are_there(one, other) and not _is_matrix_of_three(first)
    return 0 if numbered else None


def refuse_for_vectors(source: Source, first: list[np.ndarray]) -> None:
    """Raise if vectors are wanted, but the table is a list of pairs of names, judged by its first values (n,)."""
    if source.matrix or source.label is not None or source.columns is not None or len(first) != 3:
        return
    if _are_texts(first[0]) and _are_texts(first[1]) and not _are_texts(first[2]):
        one, other = (pd.Series(column).astype(str).str.strip() for column in first[:2])
        if set(one) & set(other) and _most_pairs_are_there(one, other):
            raise ValueError(f"{source.name} looks like a list of pairs, not like vectors: read it with load_matrix")


def note_in_vectors(vectors: np.ndarray, card: Card) -> None:
    """Say on the card if vectors (n, 2) look like a list of pairs without a number, as edges of a graph are listed.

    Both columns then hold whole numbers, most of which stand in several lines and in both columns, and no line holds
    one number twice or is there twice.
    """
    n, d = vectors.shape
    if d != 2 or n < FEWEST_EDGES or np.any(vectors != np.floor(vectors)) or np.any(vectors[:, 0] == vectors[:, 1]):
        return
    one, other = (np.unique(column) for column in vectors.T)
    shared = len(np.intersect1d(one, other, assume_unique=True))
    items = len(one) + len(other) - shared
    if 2 * shared < min(len(one), len(other)) or items > ITEMS_AN_EDGE * n or len(np.unique(vectors, axis=0)) < n:
        return
    card.notes.append(
        f"The two columns hold {items} different whole numbers, most of them in several rows: these look like pairs of "
        "items, such as the edges of a graph, but are read as points. A list of pairs with a number each is read by "
        "load_matrix. Of edges, scipy.sparse.csgraph.shortest_path makes distances, for metric='precomputed'."
    )


def _counts(column: np.ndarray) -> bool:
    """Whether a column (n,) runs up in steps of 1."""
    return not _are_texts(column) and bool(np.all(np.diff(pd.to_numeric(pd.Series(column)).to_numpy()) == 1))


def _are_texts(column: np.ndarray) -> bool:
    """Whether a column holds something that is no number."""
    given = pd.Series(column).dropna()
    return bool(pd.to_numeric(given, errors="coerce").isna().any())


def _most_pairs_are_there(one: pd.Series, other: pd.Series) -> bool:
    """Whether the names make more than half of the pairs that they can make; of a long list its beginning is judged."""
    codes, names = pd.factorize(pd.concat([one, other]))
    low, high = np.sort(codes.reshape(2, -1), axis=0)
    found = len(np.unique((low * len(names) + high)[low != high]))
    can_be = len(names) * (len(names) - 1) / 2
    return found > can_be / 2 or len(one) >= LONG


def _is_matrix_of_three(first: list[np.ndarray]) -> bool:
    """Whether three columns of three rows are a symmetric matrix themselves."""
    square = np.array([pd.to_numeric(pd.Series(column)) for column in first], float)
    return square.shape == (3, 3) and np.array_equal(square, square.T)


def joined(source: Source, pieces: Iterable[Piece]) -> Read:
    """The matrix (n, n) of a list of pairs; its items stand in the order in which the list names them first."""
    found = _with_numbers(source, _numbered(pieces))
    n = len(found.names)
    _refuse_missing_pairs(source, found)
    _check.memory(2 * n * n * 8, f"{source.name}, as a matrix of {n} items,", "take fewer items")
    matrix = np.full((n, n), np.nan)
    matrix[found.one, found.other] = found.values
    wrong = np.flatnonzero(matrix[found.one, found.other] != found.values)
    if len(wrong):
        i, j = found.one[wrong[0]], found.other[wrong[0]]
        _refuse_two_values(source, found, i, j, found.values[wrong[0]], matrix[i, j])
    source.card.notes.append(f"Read as a list of {len(found.values)} pairs of {n} items.")
    _mirror(source, found, matrix)
    squares.fill_missing_diagonal(source, matrix)
    return Read(matrix, found.names)


def _numbered(pieces: Iterable[Piece]) -> Numbered:
    """The whole list, its names numbered in the order in which they come first."""
    numbers: dict[str, int] = {}
    ones = []
    others = []
    values = []
    for piece in pieces:
        names = np.column_stack([piece.one, piece.other]).ravel()
        codes, found = pd.factorize(pd.Series(names).astype(str).str.strip())
        places = np.array([numbers.setdefault(str(name), len(numbers)) for name in found], np.int64)
        ones.append(places[codes[0::2]])
        others.append(places[codes[1::2]])
        values.append(np.asarray(piece.values, np.float64))
    return Numbered(list(numbers), np.concatenate(ones), np.concatenate(others), np.concatenate(values))


def _with_numbers(source: Source, found: Numbered) -> Numbered:
    """The lines of the list that have a number; the card says how many have none."""
    given = ~np.isnan(found.values)
    if given.all():
        return found
    source.card.dropped.append(f"{int((~given).sum())} lines of the list of pairs, which have no number.")
    return Numbered(found.names, found.one[given], found.other[given], found.values[given])


def _refuse_missing_pairs(source: Source, found: Numbered) -> None:
    """Raise unless each pair of two items is there, in one direction at least. It takes no memory for a matrix."""
    n = len(found.names)
    low = np.minimum(found.one, found.other)
    high = np.maximum(found.one, found.other)
    keys = np.unique((low * n + high)[low != high])
    expected = n * (n - 1) // 2
    if len(keys) == expected:
        return
    in_row = np.bincount(keys // n, minlength=n)
    i = int(np.flatnonzero(in_row < np.arange(n - 1, -1, -1))[0])
    j = int(np.setdiff1d(np.arange(i + 1, n), keys[keys // n == i] % n)[0])
    raise ValueError(
        f"{source.name}: {expected - len(keys)} of {expected} pairs are missing, the first is {found.called(i, j)}: "
        "add a line for each, with the number that stands for it"
    )


def _refuse_two_values(source: Source, found: Numbered, i: int, j: int, value: Any, other: Any) -> NoReturn:
    """Raise: the pair of items i and j is given twice, with different values."""
    raise ValueError(
        f"{source.name}: the pair {found.called(i, j)} is given twice, as {value:g} and as {other:g}: keep one of them"
    )


def _mirror(source: Source, found: Numbered, matrix: np.ndarray) -> None:
    """Fill in place what is given in one direction only; raises if two directions differ in a list that mixes them."""
    n = len(matrix)
    given = ~np.isnan(matrix)
    np.fill_diagonal(given, False)
    twice = given & given.T
    differ = np.argwhere(twice & (matrix != matrix.T))
    whole = n > 1 and int(twice.sum()) == n * (n - 1)
    if len(differ) and not whole:
        i, j = differ[0]
        _refuse_two_values(source, found, i, j, matrix[i, j], matrix[j, i])
    if len(differ):
        i, j = differ[0]
        source.card.notes.append(
            f"The two directions of {len(differ) // 2} pairs differ, first {found.called(i, j)}: {matrix[i, j]:g} and "
            f"{matrix[j, i]:g}."
        )
    pairs_given = int(given.sum()) - (0 if whole else int(twice.sum()) // 2)
    if again := int((found.one != found.other).sum()) - pairs_given:
        source.card.notes.append(f"{again} pairs are given more than once, with the same number.")
    half = given.T & ~given
    matrix[half] = matrix.T[half]
