"""The items closest to an item, and the pairs of items that are nearly the same: exact, and without the matrix.

A is n x n or n x d, and `metric` says what it holds, as in `kmedoids`. Numbers of items are rows of A. Values are what
A holds, or would hold: similarities, of which larger is closer, or distances, of which smaller is closer.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simlib import _check, _kinds
from simlib._engine import neighbours as engine
from simlib._engine.prepare import prepare_host


class Neighbours(NamedTuple):
    """The closest items of m items, the closest first.

    Attributes
    ----------
    indices : int64 (m, k), row numbers
    values : (m, k), their similarities or distances, of the type that A is computed in
    """

    indices: np.ndarray
    values: np.ndarray


class Pairs(NamedTuple):
    """Pairs of items, each once, sorted by i, then by j.

    Attributes
    ----------
    i, j : int64 (m,), row numbers, i < j
    values : (m,), their similarities or distances, of the type that A is computed in
    """

    i: np.ndarray
    j: np.ndarray
    values: np.ndarray


def neighbours(A: Any, rows: Any, k: int, *, metric: str = "similarity") -> Neighbours:
    """The k items closest to each of some items, the item itself left out.

    Parameters
    ----------
    A, metric : as in `kmedoids`; a scipy.sparse matrix of vectors stays sparse
    rows : row numbers (m,), or None for all items
    k : int
        Between 1 and n - 1.

    Returns
    -------
    Neighbours
        Exact; the closest first, ties to the lowest row number. The values of a matrix are its own entries. A copy of
        an item is a neighbour like any other, and a zero row has similarity 0 to all.

    Raises
    ------
    ValueError, TypeError
        As `kmedoids`; `rows` are no row numbers, or k is out of range.
    MemoryError
        The answer would not fit into memory.

    Notes
    -----
    From vectors O(m n d) at the speed of the matrix product; for n / 3 rows and more each pair is computed once. Memory
    is the answer and a few tiles a core; n x n numbers are never stored. A matrix is checked as in `kmedoids`.

    Examples
    --------
    >>> import numpy as np
    >>> points = np.array([1.0, 2.0, 4.0, 10.0])
    >>> found = neighbours(abs(points[:, None] - points), [0, 3], 2, metric="precomputed")
    >>> print(found.indices.tolist(), found.values.tolist())
    [[1, 2], [2, 1]] [[1.0, 3.0], [6.0, 8.0]]
    """
    A = _check.as_host(A, "A")
    n = A.shape[0]
    rows = np.arange(n) if rows is None else _check.row_numbers(rows, n, "rows")
    k = _check.whole_number(k, "k", 1, n - 1, " (the number of rows less one)")
    return Neighbours(*engine.closest(prepare_host(A, metric), rows, k))


def pairs_above(A: Any, threshold: float, *, metric: str = "similarity") -> Pairs:
    """All pairs of items that are close enough: near-duplicates.

    Parameters
    ----------
    A, metric : as in `kmedoids`; a scipy.sparse matrix of vectors stays sparse
    threshold : float
        Pairs whose similarity is at least this are returned. For ``metric="precomputed"`` those whose distance is at
        most this.

    Returns
    -------
    Pairs
        Each pair once, i < j, sorted by i, then by j. Two copies of a vector have a cosine of 1 up to rounding, so a
        threshold of 1 may miss them: take 0.9999.

    Raises
    ------
    ValueError, TypeError
        As `kmedoids`; `threshold` is not a finite number.
    MemoryError
        The pairs do not fit into memory; the message says how many they are.

    Notes
    -----
    From vectors O(n^2 d / 2) at the speed of the matrix product. Memory is the answer and a few tiles a core; n x n
    numbers are never stored. `threshold` is rounded to the type of the values.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 0.1]])
    >>> i, j, values = pairs_above(X, 0.9, metric="cosine")
    >>> print(i, j, values.round(4))
    [0] [2] [0.9988]
    """
    threshold = _kinds.number(threshold, "threshold")
    A = _check.as_host(A, "A")
    return Pairs(*engine.pairs(prepare_host(A, metric), threshold))
