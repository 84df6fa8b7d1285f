"""The rows closest to some rows, chunk by chunk."""

from __future__ import annotations

from typing import Any

import dask
import numpy as np
from dask import delayed

from simlib import _check
from simlib._engine import tiles
from simlib._engine.kernels import neighbours as kernels
from simlib._engine.tiles import Scaled
from simlib.distributed.chunks import checked, first_rows, held, prepared, tree, vectors_of
from simlib.neighbours import Neighbours

QUERIES = 4096  # rows compared with all chunks at once
COLUMNS = 2048  # rows of a chunk whose similarities to them are held at once


def neighbours(X: Any, rows: Any, k: int) -> Neighbours:
    """The k rows closest to each of some rows, the row itself left out, for metric="cosine".

    Parameters
    ----------
    X : dask array (n, d)
    rows : row numbers (m,), or None for all rows
    k : int
        Between 1 and n - 1.

    Returns
    -------
    simlib.Neighbours
        NumPy arrays (m, k): exact; the closest first, ties to the lowest row number.

    Raises
    ------
    TypeError, ValueError
        X as in `cosine_similarity`; `rows` are no row numbers, or k is out of range.
    MemoryError
        The answer would not fit into memory.

    Notes
    -----
    O(m n d), shared by the workers. For each 4,096 rows their vectors travel to all chunks, and k pairs a row back.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> X = da.from_array(np.array([[1.0, 0.0], [3.0, 4.0], [0.0, 2.0]]), chunks=(2, 2))
    >>> print(neighbours(X, None, 1).indices.tolist())
    [[1], [2], [1]]
    """
    X = checked(X)
    n = X.shape[0]
    rows = np.arange(n) if rows is None else _check.row_numbers(rows, n, "rows")
    k = _check.whole_number(k, "k", 1, n - 1, " (the number of rows less one)")
    kind = np.dtype(_check.working_dtype(X.dtype))
    need = len(rows) * k * (8 + kind.itemsize)
    _check.memory(need, f"the {k} closest items of {len(rows)}", "ask for some rows at a time, or for a smaller k")
    index, values = np.empty((len(rows), k), np.int64), np.empty((len(rows), k), kind)
    places = list(zip(prepared(X), first_rows(X), strict=True))
    for left in range(0, len(rows), QUERIES):
        some = slice(left, left + QUERIES)
        (asked,) = held([vectors_of(X, rows[some])])
        found = tree([_closest(*place, asked, rows[some], k) for place in places], lambda a, b: _closer(a, b, k))
        index[some], values[some] = dask.compute(found)[0]
    return Neighbours(index, values)


@delayed(pure=True)
def _closest(block: Scaled, first: int, asked: Scaled, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows of a chunk that are closest to those asked for, (m, k at most) row numbers and similarities, sorted."""
    n, dtype = len(block.vectors), block.vectors.dtype
    shape = len(rows), min(k, n)
    index, closeness = np.full(shape, n, np.int64), np.full(shape, -np.inf, dtype)
    for left in range(0, n, COLUMNS):
        with tiles.one_blas_thread():
            tile = tiles.product(asked, block.take(slice(left, left + COLUMNS)), same=False)
        part = np.full(shape, n, np.int64), np.full(shape, -np.inf, dtype)
        kernels.closest_of_rows(tile, np.arange(len(rows)), rows - first - left, dtype.type(1), *part)
        index, closeness = _sorted((index, part[0] + left), (closeness, part[1]), shape[1])
    known = closeness > -np.inf  # a row of the chunk is no neighbour of itself
    return np.where(known, first + index, np.iinfo(np.int64).max), closeness


@delayed(pure=True)
def _closer(a: tuple, b: tuple, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The closest of the rows of two parts, k at most."""
    return _sorted((a[0], b[0]), (a[1], b[1]), k)


def _sorted(index: tuple, closeness: tuple, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Two parts beside each other, the closest first, ties to the lowest row; the first k of them."""
    rows, values = np.hstack(index), np.hstack(closeness)
    order = np.lexsort((rows, -values), axis=1)[:, :k]
    return np.take_along_axis(rows, order, 1), np.take_along_axis(values, order, 1)
