"""Cosine similarity and correlation of rows.

A row is an item, a column a feature: X is (n, d). Larger means closer; values lie in [-1, 1] and have no unit.
The products come first and the scaling afterwards, tile by tile while the tile is in the cache:
whole-number data then give the same bits whatever the library, tile size or thread count.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import cache
from threading import Lock, local
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController
from tqdm.auto import tqdm

from simlib import _check, _tile
from simlib._engine.metrics import METRICS

BLOCK = 800  # rows a tile: large enough for the product's speed, 2.5 MB of float32 to keep in the cache
MANY = 10_000  # rows that leave all cores enough to do with tiles twice as high, for the product's full speed
SAFE_EXPONENT = {np.float32: 20, np.float64: 300}  # rows whose largest entry is within 2**+-this need no scaling


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
        integers in float64.
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

    Notes
    -----
    n m d multiplications (half of them with Y=None) at the speed of the machine's matrix product; memory is
    the result and a few tiles a core.

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
    has correlation 0 to everything rather than NaN.

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


def _similarity(X, Y, centre, dtype, out, block_size, progress):
    """Check, choose where to compute, and hand the result back as the caller's kind of array."""
    block = BLOCK if block_size is None else _check.whole_number(block_size, "block_size", 1)
    if off_cpu(X):
        from simlib import _device  # imports torch, which arrays have no need of

        with _device.memory_explained(X):
            return _on_device(X, Y, centre, dtype, out, block, progress)
    x = _check.as_array(X, "X")
    y = None if Y is None else _check.as_array(Y, "Y")
    if y is not None:
        _check.same_columns(x.shape[1], y.shape[1])
    stored = _check.storage_dtype(dtype)
    work = np.result_type(*(_check.working_dtype(z.dtype) for z in (x, y) if z is not None))
    work = np.result_type(work, stored or work).type
    shape = (len(x), len(x if y is None else y))
    target = _target(out, shape, stored or work)
    x, a = unit_scale(x, work, centre, "X")
    y, b = (x, a) if y is None else unit_scale(y, work, centre, "Y")
    if block_size is None and len(x) >= MANY:
        block = 2 * BLOCK
    _fill(target, x, a, y, b, block, Y is None, progress)
    if out is not None:
        return out
    return _as_tensor(target) if _is_tensor(X) else target


def unit_scale(X: np.ndarray, work: type, centre: bool, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return rows whose products are in range, and the inverse length of each (0 for a zero row).

    The rows come back contiguous in dtype `work`; they are multiplied by a power of two, which is exact,
    only where their size calls for it. The lengths are float64.
    """
    x = np.ascontiguousarray(X, dtype=work)
    top = np.maximum(x.max(axis=1), -x.min(axis=1))
    _check.finite_rows(np.isfinite(top), name)
    exponent = np.frexp(top)[1]
    if centre or np.abs(exponent[top > 0]).max(initial=0) > SAFE_EXPONENT[work]:
        x = np.ldexp(x, -exponent[:, None])
    if centre:
        constant = x.max(axis=1) == x.min(axis=1)
        x = (x - x.mean(axis=1, dtype=np.float64, keepdims=True)).astype(work)
        x[constant] = 0
    square = np.einsum("ij,ij->i", x, x, dtype=np.float64)
    return x, np.divide(1.0, np.sqrt(square), out=np.zeros(len(x)), where=square > 0)


def _fill(target, x, a, y, b, block, symmetric, progress=False):
    """Compute the tiles (the upper ones only, if symmetric) and write each, and its mirror image, while hot.

    One tile a thread, each product in its own thread: no thread waits for another inside a tile, and the
    bits of a tile do not depend on the number of threads.
    """
    space = np.asarray(target).view(np.ndarray) if isinstance(target, np.ndarray) else np.empty(0, object)
    direct, half = space.dtype in (np.float32, np.float64), space.dtype == np.float16
    bits = space.view(np.uint16) if half else None
    storing = Lock()  # two tiles may lie in one chunk of a chunked store
    desk = local()  # each thread's own space for a product, and for its mirror image where it is not stored as it is

    def one_tile(rows, cols):
        u, v = x[rows], y[cols]
        twin = symmetric and rows != cols
        if not hasattr(desk, "space"):
            desk.space = np.empty((1 if direct else 2, min(block, len(x)) * min(block, len(y))), x.dtype)
        product = desk.space[0, : len(u) * len(v)].reshape(len(u), len(v))
        upper = space[rows, cols] if direct else product
        lower = space[cols, rows] if direct else desk.space[1, : product.size].reshape(len(v), len(u))
        _tile.finish(np.matmul(u, v.T, out=product), a[rows], b[cols], upper, lower if twin else lower[:0])
        if symmetric and not twin:
            _tile.mirror(upper, a[rows])
        for tile, place in [(upper, (rows, cols)), (lower, (cols, rows))][: 0 if direct else 1 + twin]:
            if half:
                _tile.narrow(tile, bits[place])
            else:
                with storing:
                    target[place] = tile.astype(target.dtype)

    _in_threads(one_tile, list(_tiles(len(x), len(y), block, symmetric)), progress)


def _in_threads(work, tasks, progress):
    """Run work(*task) for every task, one a core, the matrix products inside each on one thread."""
    with _blas().limit(limits=1, user_api="blas"), ThreadPoolExecutor(_check.cores()) as pool:
        jobs = [pool.submit(work, *task) for task in tasks]
        try:
            for job in tqdm(as_completed(jobs), "similarity", len(jobs), unit="tile", disable=not progress):
                job.result()
        except BaseException:  # an interrupt too: finish the tiles in hand, drop the rest
            pool.shutdown(cancel_futures=True)
            raise


@cache
def _blas() -> ThreadpoolController:
    """The hand on the matrix product's threads; finding the library takes 2 ms, so it is done once."""
    return ThreadpoolController()


def _tiles(n: int, m: int, block: int, symmetric: bool) -> Iterator[tuple[slice, slice]]:
    """Slices of rows and columns that cover an n x m matrix, or its upper half."""
    for i in range(0, n, block):
        for j in range(i if symmetric else 0, m, block):
            yield slice(i, min(i + block, n)), slice(j, min(j + block, m))


def _target(out, shape, dtype):
    """The array to fill: `out` checked, or a fresh one if it fits in memory."""
    if out is None:
        need = shape[0] * shape[1] * np.dtype(dtype).itemsize
        _check.memory(
            need,
            f"a {shape[0]} x {shape[1]} similarity matrix",
            "dtype=np.float16 halves it, out=np.lib.format.open_memmap(...) writes it to disk, "
            'and kmedoids(X, k, metric="cosine") needs no matrix',
        )
        return np.empty(shape, dtype)
    if not all(hasattr(out, name) for name in ("shape", "dtype", "__setitem__")):
        raise TypeError(f"out must be an array with shape, dtype and __setitem__, got {type(out).__name__}")
    if tuple(out.shape) != shape:
        raise ValueError(f"out must have shape {shape}, got {tuple(out.shape)}")
    target = out.detach().numpy() if _is_tensor(out) else out
    if np.dtype(target.dtype).kind != "f":
        raise TypeError(f"out must be of a float type, got {target.dtype}")
    if isinstance(target, np.ndarray) and not target.flags.writeable:
        raise ValueError("out is read-only; open a memory-mapped file with mode 'r+' or 'w+'")
    return target


def _on_device(X, Y, centre, dtype, out, block, progress):
    """The same tiles with torch on the tensor's own device."""
    import torch

    if out is not None:
        raise ValueError(f"out= is for results on the CPU; X is on {X.device}")
    if _is_tensor(Y) and Y.device != X.device:
        raise ValueError(f"X is on {X.device} and Y on {Y.device}: bring them to one device, with X.cpu() for instance")
    x, a = _torch_unit_scale(X, centre, "X")
    y, b = (x, a) if Y is None else _torch_unit_scale(torch.as_tensor(Y, device=X.device), centre, "Y")
    _check.same_columns(x.shape[1], y.shape[1])
    work = torch.promote_types(x.dtype, y.dtype)
    x, y = x.to(work), y.to(work)
    stored = _check.storage_dtype(dtype)
    kind = x.dtype if stored is None else getattr(torch, np.dtype(stored).name)
    result = torch.empty(len(x), len(y), dtype=kind, device=x.device)
    tiles = list(_tiles(len(x), len(y), block, Y is None))
    for rows, cols in tqdm(tiles, "similarity", unit="tile", disable=not progress):
        tile = (x[rows] @ y[cols].T).double().mul_(a[rows, None] * b[None, cols]).clamp_(-1, 1)
        if Y is None and rows == cols:
            tile = tile.triu(1) + tile.triu(1).T + torch.diag((a[rows] > 0).double())
        result[rows, cols] = tile.to(kind)
        if Y is None:
            result[cols, rows] = tile.T.to(kind)
    return result


def _torch_unit_scale(X, centre, name):
    """`unit_scale` on a tensor's own device."""
    import torch

    x = X.detach()
    if x.ndim != 2 or 0 in x.shape or x.is_complex() or str(x.dtype) == "torch.bool":
        raise ValueError(f"{name} must be a non-empty real 2-D tensor, got shape {tuple(x.shape)}, {x.dtype}")
    half = x.dtype in (torch.float16, torch.bfloat16, torch.float32)
    x = x.to(torch.float32 if half else torch.float64)
    top = x.abs().amax(dim=1)
    _check.finite_rows(torch.isfinite(top).cpu().numpy(), name)
    x = torch.ldexp(x, -torch.frexp(top)[1][:, None])
    if centre:
        constant = x.amax(dim=1) == x.amin(dim=1)
        x = (x.double() - x.double().mean(dim=1, keepdim=True)).to(x.dtype)
        x[constant] = 0
    length = x.double().square().sum(dim=1).sqrt()
    return x, torch.where(length > 0, 1 / length, 0.0)


def _is_tensor(A: Any) -> bool:
    """Whether A is a torch tensor, asked without importing torch."""
    return hasattr(A, "detach") and hasattr(A, "device")


def off_cpu(A: Any) -> bool:
    """Whether A is a torch tensor on a device other than the CPU."""
    return _is_tensor(A) and A.device.type != "cpu"


def _as_tensor(A: np.ndarray) -> Any:
    """The same memory as a torch tensor."""
    import torch

    return torch.from_numpy(A)


def rows_of(x: np.ndarray, scale: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Rows `index` of the similarity matrix of the prepared vectors, (len(index), n)."""
    rows = np.empty((len(index), len(x)), x.dtype)
    u, a, none = x[index], scale[index], np.empty((0, 0), x.dtype)

    def strip(cols):
        part = rows[:, cols]
        _tile.finish(np.matmul(u, x[cols].T, out=part), a, scale[cols], part, none)

    width = min(8192, max(BLOCK, BLOCK**2 // len(index)))  # also a single row keeps every core busy
    _in_threads(strip, [(slice(j, j + width),) for j in range(0, len(x), width)], False)
    rows[np.arange(len(index)), index] = a > 0
    return rows


def matrix_of(x: np.ndarray, scale: np.ndarray, progress: bool = False) -> np.ndarray:
    """The similarity matrix of the prepared vectors."""
    matrix = np.empty((len(x), len(x)), x.dtype)
    _fill(matrix, x, scale, x, scale, BLOCK, True, progress)
    return matrix
