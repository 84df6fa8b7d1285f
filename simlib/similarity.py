"""Cosine similarity and correlation of rows.

A row is an item, a column a feature: X is (n, d). Larger means closer; values lie in [-1, 1] and have no unit.
The products come first and the scaling afterwards, tile by tile while the tile is in the cache.
Whole-number data then give the same bits whatever the library, tile size or thread count.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simlib import _check, _kinds
from simlib._engine import sparse, tiles
from simlib._engine.metrics import METRICS
from simlib._engine.prepare import memory_explained
from simlib._engine.tiles import MANY_ROWS, TILE_ROWS, Scaled

EXACT_IN_FLOAT32 = 2**24 - 1  # whole numbers below keep all their digits


def cosine_similarity(
    X: Any,
    Y: Any = None,
    *,
    dtype: Any = None,
    out: Any = None,
    block_size: int | None = None,
    progress: bool = False,
) -> Any:
    """Cosine of the angle between every row of X and every row of Y.

    S[i, j] = x_i . y_j / (|x_i| |y_j|): 1 for the same direction, 0 for a right angle, -1 for opposite.

    Parameters
    ----------
    X : ndarray or torch tensor, shape (n, d)
        One row an item. float32 is computed in float32, float64 in float64, half types in float32,
        integers in float64. A scipy.sparse matrix or array stays sparse; the result is dense.
    Y : ndarray or torch tensor, shape (m, d), optional
        Default: X itself, and then only half the products are computed.
    dtype : dtype, optional
        What the result is stored in: float16, float32 or float64. float16 narrows the storage only.
        Default: the type it is computed in.
    out : array-like of shape (n, m), optional
        Filled tile by tile and returned: an ndarray, `np.memmap`, CPU tensor, or anything with shape,
        dtype and ``__setitem__``.
    block_size : int, optional
        Rows a tile. Default 800, and 1600 from 10,000 rows on.
    progress : bool
        Draw a bar over the tiles.

    Returns
    -------
    ndarray or tensor (as X came, on its device), shape (n, m)
        In [-1, 1]. With Y=None exactly symmetric, its diagonal exactly 1. A zero row has similarity 0 to
        everything, itself included. A row's length never matters, 1e-20 or 1e18.

    Raises
    ------
    ValueError
        NaN or infinity (the first rows are named), a wrong shape, an `out` that does not fit.
    TypeError
        X does not hold real numbers, or `dtype` is not a float type.
    MemoryError
        The result would not fit in memory; raised before any work, with the ways out.
    OSError
        `out` is memory-mapped, and its disk has no room for the result; raised before any work.

    Notes
    -----
    n m d multiplications (half of them with Y=None) at the speed of the machine's matrix product; memory is
    the result and a few tiles a core.

    int8 and uint8 (quantised vectors) give the bits of float64 and take no more time, often less. Products are taken in
    float32, which is exact where no two rows' lengths multiply to 2**24 or more. Integer products would be faster:
    for int8, 4,000 x 384, ``torch._int_mm`` alone takes 0.03 s, and all of this 0.05 to 0.07 s. It is private and
    refuses uint8, so it is not used.

    Examples
    --------
    >>> import numpy as np
    >>> print(cosine_similarity(np.array([[1.0, 0.0], [3.0, 4.0], [0.0, 2.0]])))
    [[1.  0.6 0. ]
     [0.6 1.  0.8]
     [0.  0.8 1. ]]
    """
    return _similarity(X, Y, False, dtype, out, block_size, progress)


def correlation(
    X: Any,
    Y: Any = None,
    *,
    dtype: Any = None,
    out: Any = None,
    block_size: int | None = None,
    progress: bool = False,
) -> Any:
    """Pearson correlation between every row of X and every row of Y.

    The cosine of the rows after each row's own mean is taken off. Unlike ``np.corrcoef`` a constant row
    has correlation 0 to everything rather than NaN. Whole numbers of 64 bits beyond 2**53 keep their last digits.

    Parameters, returns, errors and cost are those of `cosine_similarity`, plus one centred copy of X.

    Examples
    --------
    >>> import numpy as np
    >>> print(correlation(np.array([[1.0, 2.0, 3.0], [9.0, 8.0, 7.0], [5.0, 5.0, 5.0]])))
    [[ 1. -1.  0.]
     [-1.  1.  0.]
     [ 0.  0.  0.]]
    """
    return _similarity(X, Y, True, dtype, out, block_size, progress)


SIMILARITIES = {"cosine": cosine_similarity, "correlation": correlation}  # by the word of the metric


def between(A: Any, metric: str, rows: Any, columns: Any) -> np.ndarray:
    """Similarities, or distances, of some items to some others, (len(rows), len(columns)).

    Parameters
    ----------
    A, metric : as in `kmedoids`, arrays
    rows, columns : row numbers, or slices
    """
    if METRICS[metric].on_vectors:
        return SIMILARITIES[metric](A[rows], A[columns])
    return np.asarray(A[rows])[:, columns]


def _similarity(X: Any, Y: Any, centred: bool, dtype: Any, out: Any, block_size: int | None, progress: bool) -> Any:
    """Check, choose where to compute, and hand the result back as the caller's kind of array."""
    _kinds.flag(progress, "progress")
    if block_size is not None:
        block_size = _check.whole_number(block_size, "block_size", 1)
    if _check.off_cpu(X):
        from simlib._engine import tensors  # imports torch, which arrays have no need of

        X = _check.as_given(X, "X")
        if _check.is_tensor(Y):
            _check.refuse_tensor(Y, "Y")  # it stays where it is: two devices are refused
        elif Y is not None:
            Y = _check.as_given(Y, "Y")
        if out is not None:
            raise ValueError(f"out= is for results on the CPU; X is on {X.device}")
        with memory_explained(X):
            return tensors.similarity(X, Y, centred, _check.storage_dtype(dtype), block_size or TILE_ROWS, progress)
    if _check.is_sparse(X) or _check.is_sparse(Y):
        return _sparse_similarity(X, Y, centred, dtype, out, progress)
    x = _check.as_array(X, "X")
    y = None if Y is None else _check.as_array(Y, "Y")
    if y is not None:
        _check.same_columns(x.shape[1], y.shape[1])
    stored = _check.storage_dtype(dtype)
    working = [_check.working_dtype(z.dtype) for z in (x, y) if z is not None]
    work = np.result_type(*working, stored or working[0]).type
    target = _target(out, (len(x), len(x if y is None else y)), stored or work)
    x, y = _apart(x, target), None if y is None else _apart(y, target)
    rows, columns = _scaled(x, y, work, centred, target)
    height = block_size or (2 * TILE_ROWS if len(x) >= MANY_ROWS else TILE_ROWS)
    tiles.fill(target, rows, columns, height, Y is None, progress)
    if out is not None:
        return out
    return _as_tensor(target) if _check.is_tensor(X) else target


def _scaled(x: np.ndarray, y: np.ndarray | None, work: Any, centred: bool, target: Any) -> tuple[Scaled, Scaled]:
    """Rows and columns of the tiles, of type `work`, or of float32 where that gives the same bits in less time."""
    given = {"X": x} if y is None else {"X": x, "Y": y}
    bytewise = all(z.dtype in (np.int8, np.uint8) for z in given.values())
    if bytewise and not centred and tiles.storing(target) is None:
        scaled = [tiles.unit_scale(z, np.float32, False, name) for name, z in given.items()]
        least = [z.scale.min(where=z.scale > 0, initial=1.0) for z in scaled]
        if 1 / (least[0] * least[-1]) < EXACT_IN_FLOAT32:  # no sum in a product is larger than the lengths multiplied
            return scaled[0], scaled[-1]
    scaled = [tiles.unit_scale(z, work, centred, name) for name, z in given.items()]
    return scaled[0], scaled[-1]


def _sparse_similarity(X: Any, Y: Any, centred: bool, dtype: Any, out: Any, progress: bool) -> Any:
    """`_similarity` where X or Y is sparse: by blocks of rows, from what is stored."""
    if centred:
        raise TypeError("correlation takes each row's mean off, and then nothing is sparse: pass X.toarray()")
    x = sparse.unit_scale(_as_sparse(X, "X"), "X")
    y = x if Y is None else sparse.unit_scale(_as_sparse(Y, "Y"), "Y")
    if Y is not None:
        _check.same_columns(X.shape[1], Y.shape[1])
    target = _target(out, (len(x.scale), len(y.scale)), _check.storage_dtype(dtype) or x.dtype)
    sparse.fill(target, x, y, progress)
    return target if out is None else out


def _as_sparse(A: Any, name: str) -> Any:
    """A itself, or a dense array as a sparse one."""
    if _check.is_sparse(A):
        return A
    from scipy.sparse import csr_array

    return csr_array(_check.as_array(A, name))


def _target(out: Any, shape: tuple[int, int], dtype: Any) -> Any:
    """The array to fill: `out` checked, or a fresh one if it fits in memory."""
    need = 0 if out is not None else shape[0] * shape[1] * np.dtype(dtype).itemsize
    if out is None:
        _check.memory(
            need,
            f"a {shape[0]} x {shape[1]} similarity matrix",
            "dtype=np.float16 halves it, out=np.lib.format.open_memmap(...) writes it to disk, "
            'and kmedoids(X, k, metric="cosine") needs no matrix',
        )
    _check.room_to_work(need)
    if out is None:
        return np.empty(shape, dtype)
    if _check.is_tensor(out):
        out = _check.target_of_tensor(out)
    if not all(hasattr(out, name) for name in ("shape", "dtype", "__setitem__")):
        raise TypeError(f"out must be an array with shape, dtype and __setitem__, got {type(out).__name__}")
    if tuple(out.shape) != shape:
        raise ValueError(f"out must have shape {shape}, got {tuple(out.shape)}")
    try:
        kind = np.dtype(out.dtype).kind
    except TypeError:  # no type of NumPy's
        kind = ""
    if kind != "f":
        raise TypeError(f"out must be of a float type of NumPy's, got {out.dtype}")
    if isinstance(out, np.ndarray):
        if not out.flags.writeable:
            raise ValueError("out is read-only; open a memory-mapped file with mode 'r+' or 'w+'")
        _check.own_place_an_entry(out)
    _check.room_on_disk(out)
    return out


def _apart(x: np.ndarray, target: Any) -> np.ndarray:
    """x itself, or a copy if the result is written where x lies: tiles would overwrite rows that are still needed."""
    if not isinstance(target, np.ndarray):
        return x
    same_file = _check.file_of(x) is not None and _check.file_of(x) == _check.file_of(target)
    return np.array(x) if same_file or np.may_share_memory(x, target) else x


def _as_tensor(A: np.ndarray) -> Any:
    """The same memory as a torch tensor."""
    import torch

    return torch.from_numpy(A)
