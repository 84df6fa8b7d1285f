"""Numbers in text become float32, or float64 where float32 would lose what tells the rows apart.

float32 keeps about 7 digits. That is too few where numbers are large and differ little: dates as numbers, coordinates,
spectra on a baseline. The data decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from simlib.files import pieces
from simlib.files.arrays import cut
from simlib.files.interface import Source

LOSS_IN_A_COLUMN = 1e-4  # float32 may change a column by at most this share of its standard deviation ...
LOSS_IN_A_ROW = 1e-5  # ... and a row by this share of its own: cosine and correlation compare the rows
SHARE_OF_ROWS = 0.1  # so many rows may lose more
NO_SPREAD = 1e-12  # a row or a column that varies less than this, as a share of its size, is constant
LARGEST_EXACT = 2.0**53  # float64 holds whole numbers up to here exactly

Piece = tuple[np.ndarray, list[str]]  # the numbers of some rows, float64 (rows, d), and their labels


class Columns(NamedTuple):
    """What is known about the columns of some rows; all but `rows` are arrays (d,).

    Attributes
    ----------
    rows : how many rows there are
    mean : the mean of each column
    squares : the sum of squared distances from the mean
    lost : the sum of squared changes that float32 makes
    largest : the largest absolute value
    whole : whether all numbers are whole
    """

    rows: int
    mean: np.ndarray
    squares: np.ndarray
    lost: np.ndarray
    largest: np.ndarray
    whole: np.ndarray

    def __add__(self, other: Columns) -> Columns:  # type: ignore[override]
        """What is known about the rows of both."""
        rows = self.rows + other.rows
        step = other.mean - self.mean
        return Columns(
            rows,
            self.mean + step * (other.rows / rows),
            self.squares + other.squares + step**2 * (self.rows * other.rows / rows),
            self.lost + other.lost,
            np.maximum(self.largest, other.largest),
            self.whole & other.whole,
        )


class Digits:
    """What float32 would lose of the rows that were added."""

    def __init__(self) -> None:
        self._columns: Columns | None = None
        self._rows_judged = 0
        self._rows_lost = 0

    def add(self, values: np.ndarray) -> None:
        """Take some more rows, float64 (rows, d), into account; rows with a missing number do not count."""
        values = values[np.isfinite(values).all(axis=1)]
        if not len(values):
            return
        changes = values - values.astype(np.float32)
        self._add_rows(values, changes)
        columns = _columns_of(values, changes)
        self._columns = columns if self._columns is None else self._columns + columns

    def _add_rows(self, values: np.ndarray, changes: np.ndarray) -> None:
        """Count the rows that lose too much; a row of one or two numbers has no shape to lose."""
        if values.shape[1] < 3:
            return
        spread = values.std(axis=1)
        varies = spread > NO_SPREAD * np.abs(values).max(axis=1)
        lost = np.sqrt(np.mean(changes**2, axis=1)) > LOSS_IN_A_ROW * spread
        self._rows_judged += len(values)
        self._rows_lost += int(np.sum(varies & lost))

    def too_few(self) -> bool:
        """Whether float32 has too few digits for the rows so far."""
        return self._rows_lost > SHARE_OF_ROWS * self._rows_judged or self.column() is not None

    def column(self) -> int | None:
        """The first column of large whole numbers, or the one that float32 changes most, if it changes it too much."""
        if self._columns is None:
            return None
        rows, _, squares, lost, largest, whole = self._columns
        large = whole & (lost > 0) & (largest <= LARGEST_EXACT)
        spread = np.sqrt(squares / rows)
        varies = spread > NO_SPREAD * largest
        share = np.sqrt(lost / rows) / np.where(varies, spread, np.inf)
        share[large] = np.inf
        most = int(np.argmax(share))
        return most if share[most] > LOSS_IN_A_COLUMN else None


def _columns_of(values: np.ndarray, changes: np.ndarray) -> Columns:
    """What is known about the columns of these rows."""
    mean = values.mean(axis=0)
    return Columns(
        len(values),
        mean,
        ((values - mean) ** 2).sum(axis=0),
        (changes**2).sum(axis=0),
        np.abs(values).max(axis=0),
        (values == np.floor(values)).all(axis=0),
    )


def collected(source: Source, read: Callable[[], Iterator[Piece]], names: list[str]) -> tuple[np.ndarray, list[str]]:
    """The numbers (n, d) and the labels of all pieces, float32 where that keeps the digits, else float64.

    `read` starts to read the file. It is called again where the digits of a long file turn out to be too many. A
    matrix stays float64.
    """
    if not source.matrix:
        found = _as_float32(source, read())
        digits = found.digits
        if not digits.too_few():
            return found.values, found.labels
        _note_digits(source, digits, names)
        if found.only_piece is not None:
            return found.only_piece, found.labels
        del found
    values: list[np.ndarray] = []
    labels: list[str] = []
    for numbers, texts in read():
        pieces.add(values, numbers, source.name)
        labels += texts if source.matrix else cut(texts)
    return pieces.joined(values), labels


class _Narrow(NamedTuple):
    """What was read as float32, what that loses, and the piece as float64 if there was only one."""

    values: np.ndarray
    labels: list[str]
    digits: Digits
    only_piece: np.ndarray | None


def _as_float32(source: Source, parts: Iterator[Piece]) -> _Narrow:
    """The numbers as float32 and the labels, and what float32 loses."""
    digits = Digits()
    values: list[np.ndarray] = []
    labels: list[str] = []
    rows = 0
    only_piece = None
    for numbers, texts in parts:
        pieces.add(values, _narrowed(source, numbers, rows), source.name)
        digits.add(numbers)
        labels += cut(texts)
        only_piece = numbers if not rows else None
        rows += len(numbers)
    return _Narrow(pieces.joined(values), labels, digits, only_piece)


def _narrowed(source: Source, numbers: np.ndarray, row: int) -> np.ndarray:
    """The numbers of a piece that begins at `row`, as float32; raises if one is beyond its range."""
    try:
        with np.errstate(over="raise"):
            return numbers.astype(np.float32)
    except FloatingPointError:
        beyond = (np.abs(numbers) > np.finfo(np.float32).max) & np.isfinite(numbers)
        at = row + int(np.flatnonzero(beyond.any(axis=1))[0])
        raise ValueError(f"{source.name}: row {at} (counted from 0) holds a number beyond 3.4e38: rescale it") from None


def _note_digits(source: Source, digits: Digits, names: list[str]) -> None:
    """Say on the card that the numbers stay float64, and which column asks for it."""
    column = digits.column()
    where = f" (column {names[column]!r})" if column is not None and column < len(names) else ""
    source.card.notes.append(f"Numbers stay float64: float32 would lose digits that tell the rows apart{where}.")
