"""Items by sparse vectors, such as word counts: their similarities are computed from the numbers that are stored."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from simlib import _check
from simlib._engine.items import BLOCK_ENTRIES, HostItems, product_rounding, room_for_kept
from simlib._engine.kernels.lists import Lists
from simlib._engine.kernels.sparse import Compressed, similarities
from simlib._engine.lists import DENSITY
from simlib._engine.metrics import Metric
from simlib._engine.tiles import SAFE_EXPONENT, in_threads, storing

ROWS_A_STRIP = 64  # rows that a thread computes before it asks for more


class ScaledSparse(NamedTuple):
    """Sparse rows whose products are in range, the same by column, and the inverse length of each: 0 for a zero row."""

    rows: Compressed
    columns: Compressed
    scale: np.ndarray  # float64 (n,)
    dtype: Any

    def similarities(self, wanted: np.ndarray, other: ScaledSparse) -> np.ndarray:
        """Similarities of some of the rows to all rows of another matrix, (len(wanted), n)."""
        found = np.empty((len(wanted), len(other.scale)), self.dtype)

        def strip(some: slice) -> None:
            similarities(wanted[some], self.rows, self.scale, other.columns, other.scale, False, found[some])

        in_threads(strip, _strips(len(wanted)))
        return found


def _strips(n: int) -> list[tuple[slice]]:
    """n rows, a few at a time: no thread waits long for another."""
    return [(slice(i, min(i + ROWS_A_STRIP, n)),) for i in range(0, n, ROWS_A_STRIP)]


def fill(target: Any, X: ScaledSparse, Y: ScaledSparse, progress: bool = False) -> None:
    """Compute the similarity matrix of X and Y by strips of rows; of X and X its diagonal is exactly 1, or 0.

    `target` (n, m) is an array of a float type, or anything with shape, dtype and ``__setitem__``.
    """
    n, m = len(X.scale), len(Y.scale)
    store = storing(target)
    direct = np.asarray(target).view(np.ndarray) if store is None else None

    def strip(rows: slice) -> None:
        wanted = np.arange(rows.start, rows.stop)
        found = np.empty((len(wanted), m), X.dtype) if direct is None else direct[rows]
        similarities(wanted, X.rows, X.scale, Y.columns, Y.scale, direct is not None, found)
        if X is Y:
            found[wanted - rows.start, wanted] = X.scale[wanted] > 0
        if store is not None:
            store(found, (rows, slice(0, m)))

    in_threads(strip, _strips(n), bar={"desc": "similarity", "disable": not progress})


def unit_scale(X: Any, name: str) -> ScaledSparse:
    """Bring the rows of a scipy.sparse matrix into range, like `tiles.unit_scale`; raise if one has NaN or infinity."""
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(f"{name} must be 2-D and not empty, one row an item, got shape {X.shape}")
    if X.dtype.kind not in "fiu":
        raise TypeError(f"{name} must hold real numbers, got dtype {X.dtype}")
    dtype: Any = _check.working_dtype(X.dtype)
    csr = X.tocsr().astype(dtype)  # a copy, of the same type too
    csr.sum_duplicates()
    row = np.repeat(np.arange(csr.shape[0]), np.diff(csr.indptr))
    top = np.zeros(csr.shape[0], dtype)
    with np.errstate(invalid="ignore"):  # NaN is found below
        np.maximum.at(top, row, np.abs(csr.data))
    finite = np.ones(len(top), bool)
    finite[row[~np.isfinite(csr.data)]] = False
    _check.finite_rows(finite, name)
    exponent = np.frexp(top)[1]
    if np.abs(exponent[top > 0]).max(initial=0) > SAFE_EXPONENT[dtype]:
        csr.data = np.ldexp(csr.data, -exponent[row])
    square = np.bincount(row, csr.data.astype(np.float64) ** 2, csr.shape[0])
    scale = np.divide(1.0, np.sqrt(square), out=np.zeros(len(square)), where=square > 0)
    csc = csr.tocsc()
    return ScaledSparse(_compressed(csr), _compressed(csc), scale, dtype)


def _compressed(matrix: Any) -> Compressed:
    """The arrays of a matrix in scipy's compressed form; where indices cannot be negative, a loop need not ask."""
    index = matrix.indices.view(np.uint32) if matrix.indices.dtype == np.int32 else matrix.indices
    return Compressed(matrix.indptr.astype(np.int64), index, matrix.data)


class SparseItems(HostItems):
    """Items by sparse vectors (n, d), for metric="cosine"."""

    def __init__(self, scaled: ScaledSparse, metric: Metric, given: Any) -> None:
        """`given` is the scipy.sparse matrix as the caller gave it."""
        super().__init__(len(scaled.scale), metric, (scaled.scale > 0).astype(scaled.dtype))
        self.scaled, self.given = scaled, given
        self.longest_block = BLOCK_ENTRIES
        longest = int(np.diff(scaled.rows.start).max(initial=0))
        self.rounding = product_rounding(longest, self.dtype)
        self.one_at_a_time = Lock()

    def entries(self, index: Any) -> np.ndarray:
        wanted = np.arange(self.n)[index]
        found = self.scaled.similarities(wanted, self.scaled)
        found[np.arange(len(wanted)), wanted] = self.self_closeness[wanted]
        return found

    def tile(self, rows: slice, columns: slice) -> np.ndarray:
        with self.one_at_a_time:  # the loop below it keeps all cores busy
            return np.ascontiguousarray(self.entries(rows)[:, columns])

    def upper_tiles(self) -> Iterator[tuple[slice, slice]]:
        """Whole rows from the diagonal on: part of a row takes as long as all of it."""
        return ((block, slice(block.start, self.n)) for block in self.blocks())

    @property
    def rows_extended(self) -> int:
        """All: part of a row takes as long as all of it."""
        return self.n

    def pairs(self, index: np.ndarray, columns: np.ndarray | slice) -> np.ndarray:
        with self.one_at_a_time:  # the loop below it keeps all cores busy
            if isinstance(columns, slice) or len(index) <= len(columns):
                return np.ascontiguousarray(self.entries(index)[:, columns])
            return np.ascontiguousarray(self.entries(columns)[:, index].T)

    def lists(
        self, reach: np.ndarray, some: bool = False, progress: bool = False, most: float = DENSITY
    ) -> Lists | None:
        need = self._listed_share(reach) * self.n**2 * (4 + reach.itemsize)
        return super().lists(reach, some, progress, most) if need < room_for_kept() else None

    def subset(self, index: np.ndarray) -> SparseItems:
        given = self.given.tocsr()[index]
        return SparseItems(unit_scale(given, "A"), self.metric, given).weighted(self.weights(index))

    def subset_bytes(self, size: int) -> int:
        return 4 * size * (self.given.data.nbytes // self.n if hasattr(self.given, "data") else self.dtype().nbytes)

    def centres(self, medoids: np.ndarray) -> Any:
        return self.given.tocsr()[medoids]
