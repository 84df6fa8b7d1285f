"""What k-medoids is given, checked, and its rows on demand.

A stored matrix is read in place, a block of rows at a time: never copied as a whole, never turned. Vectors are
compared a block of rows at a time. Closeness is the similarity, or minus the distance (`sign`), so that larger is
always closer; the loss of an item is `base` - closeness to its medoid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from simlib import _check, _passes, _tile, _vectors, similarity

BLOCK = 512  # rows looked at between two looks at the clock, the bar and the keyboard
BLOCK_ENTRIES = 50_000_000  # and no more entries than that: 200 MB of float32
COPY_BYTES = 30_000_000  # rows copied from a matrix take less: C libraries hand out fresh pages from 32 MB on
VECTORS = ("cosine", "correlation")
METRICS = ("similarity", "precomputed", *VECTORS)


@dataclass(frozen=True)
class Data:
    """n items, and what they were given as."""

    n: int
    metric: str
    sign: float  # of the type that closeness is computed in
    base: float
    own: np.ndarray  # (n,), each item's similarity to itself, or distance from itself
    matrix: np.ndarray | None = None  # (n, n) for the metrics on a matrix
    vectors: np.ndarray | None = None  # (n, d) for the metrics on vectors, in range
    scale: np.ndarray | None = None  # (n,), their inverse lengths
    given: np.ndarray | None = None  # (n, d), as the caller gave them

    def rows(self, index: Any) -> np.ndarray:
        """Rows `index` (a slice or row numbers), C-ordered float32 or float64 (len(index), n)."""
        if self.matrix is None:
            return similarity.rows_of(self.vectors, self.scale, np.arange(self.n)[index])
        rows = self.matrix[index]
        return _tile.widen(rows) if rows.dtype == np.float16 else np.ascontiguousarray(rows, dtype=type(self.sign))

    def sums(self) -> np.ndarray:
        """Each item's summed closeness to all, float64 (n,)."""
        if self.matrix is None:
            return _vectors.own_sums(self.vectors, self.scale, np.zeros(self.n, np.int32), 1)
        return np.concatenate([_passes.row_sums(self.rows(block), self.sign) for block in self.blocks()])

    @property
    def in_place(self) -> bool:
        """Whether compiled loops can read the matrix as it is."""
        return self.matrix is not None and self.matrix.flags.c_contiguous and self.matrix.dtype == type(self.sign)

    def picked(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """An array and the numbers of the rows of it that are rows `index`: a stored matrix is not copied."""
        if self.in_place:
            return self.matrix, index
        return self.rows(index), np.arange(len(index))

    @property
    def matrix_bytes(self) -> int:
        """What the n x n matrix takes, or would take."""
        return self.n**2 * np.dtype(type(self.sign)).itemsize

    def stored(self, progress: bool = False) -> Data:
        """The same items by their matrix."""
        matrix = similarity.matrix_of(self.vectors, self.scale, progress)
        return replace(self, matrix=matrix, vectors=None, scale=None)

    def pairs(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Entries of some rows and columns, (len(rows), len(columns))."""
        if self.matrix is None:
            return _vectors.pairs(self.vectors, self.scale, rows, columns)
        return np.ascontiguousarray(self.matrix[rows[:, None], columns], dtype=type(self.sign))

    def blocks(self) -> Iterator[slice]:
        """Slices that cover the n rows."""
        entries = BLOCK_ENTRIES if self.matrix is None else COPY_BYTES // np.dtype(type(self.sign)).itemsize
        step = max(1, min(BLOCK, entries // self.n))
        return (slice(i, min(i + step, self.n)) for i in range(0, self.n, step))


def prepare(A: Any, metric: str) -> Data:
    """Check A and the metric, and say how rows are to be had."""
    _check.one_of(metric, "metric", METRICS)
    A = _check.as_array(A, "A")
    work = _check.working_dtype(A.dtype)
    if metric in VECTORS:
        copied = metric == "correlation" or A.dtype != work or not A.flags.c_contiguous
        need = A.size * np.dtype(work).itemsize * copied
        _check.memory(need, f"a {work.__name__} copy of the vectors", "pass C-ordered float32, or cluster a sample")
        x, scale = similarity.unit_scale(A, work, metric == "correlation", "A")
        return Data(len(x), metric, work(1), 1.0, (scale > 0).astype(work), vectors=x, scale=scale, given=A)
    _check.square(A.shape, metric)
    own = np.asarray(A.diagonal(), dtype=work)
    _check.finite_rows(np.isfinite(own), "A")
    _diagonal(A, own, metric)
    columns = A.flags.f_contiguous and not A.flags.c_contiguous  # A is symmetric, or refused: they do for rows
    sign, base = (work(1), 1.0) if metric == "similarity" else (work(-1), 0.0)
    data = Data(len(A), metric, sign, base, own, matrix=_plain(A.T if columns else A))
    slack = _slack(data.matrix, work)
    if not _plausible(data, slack):
        _explain(A, data, slack)
    return data


def _plain(A: np.ndarray) -> np.ndarray:
    """The same memory as an array that compiled code takes for writable: it compiles once less, and never writes."""
    if A.flags.writeable:
        return np.asarray(A).view(np.ndarray)
    interface = {**A.__array_interface__, "data": (A.__array_interface__["data"][0], False)}
    return np.asarray(SimpleNamespace(__array_interface__=interface, keep=A))


def _plausible(data: Data, slack: float) -> bool:
    """Whether one look at the matrix A finds nothing that speaks against it; else it is to be compared entry by entry.

    With random weights w, A w and w A are the same only if A is finite and symmetric, or nearly so.
    """
    n, own = data.n, data.own
    if n < 8:  # the look takes eight rows at a time
        return False
    weight = np.random.default_rng(0).uniform(1, 2, n)
    limit = data.sign * own + slack
    across, down, above = np.empty(n), np.zeros((_passes.PARTS, n)), np.zeros(_passes.PARTS, bool)
    for block in data.blocks():
        first = max(0, min(block.start, block.stop - 8))
        rows = data.rows(slice(first, block.stop))
        _passes.survey(rows, first, block.start - first, data.sign, limit, weight, across, down, above)
    with np.errstate(invalid="ignore"):  # NaN and infinities are found by the comparison
        size = np.abs(across).max() + 2.0 * n * np.abs(own).max()
        symmetric = np.abs(across - down.sum(axis=0)).max() <= 1e-13 * size
    return symmetric and not above.any()


def _slack(A: np.ndarray, work: type) -> float:
    """How far an entry and its mirror image may be apart by rounding."""
    if A.dtype.kind != "f":
        return work(0)
    sample = np.abs(np.asarray(A[:: max(1, len(A) // 100)], dtype=work)).max()
    share = 2e-3 if A.dtype.itemsize == 2 else 1e-5
    return work(share * (sample if np.isfinite(sample) else 1))


def _diagonal(A: np.ndarray, own: np.ndarray, metric: str) -> None:
    """Raise if the diagonal shows that distances came as similarities, or the reverse."""
    if metric == "similarity" and len(A) > 1 and not own.any() and np.max(A[0]) > 0:
        raise ValueError(
            "diagonal is 0 and off-diagonal positive: this looks like a distance matrix; "
            "did you mean metric='precomputed'?"
        )
    if metric == "precomputed" and own.any():
        row = int(np.flatnonzero(own)[0])
        raise ValueError(
            f"distance of row {row} to itself must be 0, got {own[row]:g}: this looks like a similarity "
            "matrix; did you mean metric='similarity'?"
        )


def _explain(A: np.ndarray, data: Data, slack: float) -> None:
    """Compare a suspect matrix with its mirror image and raise, about A as given, if they differ beyond rounding."""
    sign, matrix = data.sign, data.matrix
    for i in range(0, data.n, BLOCK):
        rows = np.asarray(matrix[i : i + BLOCK, i:], dtype=type(sign))
        columns = np.asarray(matrix[i:, i : i + BLOCK], dtype=type(sign))
        uneven, above = _tile.faults(rows, columns, sign * data.own[i:], sign, slack)
        if uneven.any() or above.any():
            _name_fault(A, data.metric, i + int(np.flatnonzero(uneven | above)[0]), sign, slack)


def _name_fault(A: np.ndarray, metric: str, i: int, sign: float, slack: float) -> None:
    """Say what is wrong with row i."""
    _check.finite_rows(np.array([np.isfinite(row).all() for row in A]), "A")
    row, column = A[i].astype(np.float64), A[:, i].astype(np.float64)
    j = int(np.argmax(np.abs(row - column)))
    if abs(row[j] - column[j]) > slack:
        raise ValueError(
            f"A must be symmetric, but A[{i}, {j}] = {row[j]:g} and A[{j}, {i}] = {column[j]:g}; "
            "if both directions are meant, pass (A + A.T) / 2"
        )
    row[i] = -sign * np.inf
    j = int(np.argmax(sign * row))
    if metric == "precomputed":
        raise ValueError(f"distances must not be negative, but A[{i}, {j}] = {row[j]:g}")
    own = min(float(A[i, i]), float(A[j, j]))
    raise ValueError(
        f"an item must be most similar to itself, but A[{i}, {j}] = {row[j]:g} is more than {own:g} on the "
        "diagonal: raw dot products? compare directions with cosine_similarity"
    )
