"""Items by sparse vectors, such as word counts: their similarities are computed from the numbers that are stored."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from tqdm.auto import tqdm

from simlib import _check
from simlib._engine.items import BLOCK_ENTRIES, BLOCK_ROWS, HostItems, room_for_kept
from simlib._engine.kernels.lists import Lists
from simlib._engine.kernels.sparse import Compressed, similarities
from simlib._engine.metrics import Metric
from simlib._engine.tiles import SAFE_EXPONENT


class ScaledSparse(NamedTuple):
    """Sparse rows whose products are in range, the same by column, and the inverse length of each: 0 for a zero row."""

    rows: Compressed
    columns: Compressed
    scale: np.ndarray  # float64 (n,)
    dtype: Any

    def similarities(self, wanted: np.ndarray, other: ScaledSparse) -> np.ndarray:
        """Similarities of some of the rows to all rows of another matrix, (len(wanted), n)."""
        found = np.empty((len(wanted), len(other.scale)), self.dtype)
        similarities(wanted, self.rows, self.scale, other.columns, other.scale, found)
        return found


def fill(target: Any, X: ScaledSparse, Y: ScaledSparse, progress: bool = False) -> None:
    """Compute the similarity matrix of X and Y by blocks of rows; of X and X its diagonal is exactly 1, or 0.

    `target` (n, m) is an array of a float type, or anything with shape, dtype and ``__setitem__``.
    """
    n, m = len(X.scale), len(Y.scale)
    direct = isinstance(target, np.ndarray) and target.dtype == X.dtype and target.flags.c_contiguous
    step = max(1, min(BLOCK_ROWS, BLOCK_ENTRIES // m))
    for first in tqdm(range(0, n, step), "similarity", unit="block", disable=not progress):
        wanted = np.arange(first, min(first + step, n))
        rows = slice(first, first + len(wanted))
        found = np.asarray(target[rows]) if direct else np.empty((len(wanted), m), X.dtype)
        similarities(wanted, X.rows, X.scale, Y.columns, Y.scale, found)
        if X is Y:
            found[wanted - first, wanted] = X.scale[wanted] > 0
        if not direct:
            target[rows] = found.astype(target.dtype)


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
    """The arrays of a matrix in scipy's compressed form."""
    return Compressed(matrix.indptr.astype(np.int64), matrix.indices, matrix.data)


class SparseItems(HostItems):
    """Items by sparse vectors (n, d), for metric="cosine"."""

    def __init__(self, scaled: ScaledSparse, metric: Metric, given: Any) -> None:
        """`given` is the scipy.sparse matrix as the caller gave it."""
        super().__init__(len(scaled.scale), metric, (scaled.scale > 0).astype(scaled.dtype))
        self.scaled, self.given = scaled, given
        self.longest_block = BLOCK_ENTRIES
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

    def pairs(self, index: np.ndarray, columns: np.ndarray) -> np.ndarray:
        if len(index) <= len(columns):
            return np.ascontiguousarray(self.entries(index)[:, columns])
        return np.ascontiguousarray(self.entries(columns)[:, index].T)

    def lists(self, reach: np.ndarray, some: bool = False, progress: bool = False) -> Lists | None:
        need = self._listed_share(reach) * self.n**2 * (4 + reach.itemsize)
        return super().lists(reach, some, progress) if need < room_for_kept() else None

    def subset(self, index: np.ndarray) -> SparseItems:
        given = self.given.tocsr()[index]
        return SparseItems(unit_scale(given, "A"), self.metric, given)

    def subset_bytes(self, size: int) -> int:
        return 4 * size * (self.given.data.nbytes // self.n if hasattr(self.given, "data") else self.dtype().nbytes)

    def centres(self, medoids: np.ndarray) -> Any:
        return self.given.tocsr()[medoids]
