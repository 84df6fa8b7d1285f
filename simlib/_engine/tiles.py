"""Similarities of vectors, tile by tile: scaled rows, the loop over tiles, the one pool of threads, the one BLAS limit.

The products come first and the scaling afterwards, while a tile is in the cache. Whole-number data then give the same
bits whatever the tile size or the number of threads.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from threading import Lock, Thread, local
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import ThreadpoolController
from tqdm.auto import tqdm

from simlib import _check, _limits
from simlib._engine.kernels import tiles as kernels

TILE_ROWS = 800  # rows a tile: large enough for the product's speed, 2.5 MB of float32 to keep in the cache
MANY_ROWS = 10_000  # rows that leave all cores enough to do with tiles twice as high, for the product's full speed
SAFE_EXPONENT = {np.float32: 20, np.float64: 300}  # rows whose largest entry is within 2**+-this need no scaling
EXACT_IN_FLOAT64 = 2**53  # whole numbers up to here keep all their digits
TASKS_AHEAD = 64  # tasks done before the result of the first is taken up
WIDEST_STRIP = 8192  # columns of a strip of rows: also a single row keeps every core busy


class Scaled(NamedTuple):
    """Rows whose products are in range, and the inverse length of each: 0 for a zero row."""

    vectors: np.ndarray  # float32 or float64 (n, d), contiguous
    scale: np.ndarray  # float64 (n,)

    def take(self, index: Any) -> Scaled:
        """Some of the rows: a slice or row numbers."""
        return Scaled(self.vectors[index], self.scale[index])


def unit_scale(X: np.ndarray, dtype: Any, centred: bool, name: str) -> Scaled:
    """Bring rows into range. They are multiplied by a power of two, which is exact, only where their size needs it.

    `centred` takes each row's mean off first. Raises ValueError if a row of X, called `name`, has NaN or infinity.
    """
    if centred and X.dtype.kind in "iu" and X.dtype.itemsize == 8:
        X = _from_smallest(X)
    x = np.ascontiguousarray(X, dtype=dtype)
    top = np.maximum(x.max(axis=1), -x.min(axis=1))
    _check.finite_rows(np.isfinite(top), name)
    exponent = np.frexp(top)[1]
    if centred or np.abs(exponent[top > 0]).max(initial=0) > SAFE_EXPONENT[dtype]:
        x = np.ldexp(x, -exponent[:, None])
    if centred:
        constant = x.max(axis=1) == x.min(axis=1)
        x = (x - x.mean(axis=1, dtype=np.float64, keepdims=True)).astype(dtype)
        x[constant] = 0
    square = np.einsum("ij,ij->i", x, x, dtype=np.float64)
    return Scaled(x, np.divide(1.0, np.sqrt(square), out=np.zeros(len(x)), where=square > 0))


def _from_smallest(X: np.ndarray) -> np.ndarray:
    """Whole numbers of 64 bits; if float64 would lose their last digits, each less the smallest of its row: uint64.

    Differences modulo 2**64 are exact, whatever the sign of the numbers.
    """
    low = X.min(axis=1, keepdims=True)
    if max(int(X.max()), -int(low.min())) <= EXACT_IN_FLOAT64:
        return X
    return X.astype(np.uint64) - low.astype(np.uint64)


def tiles(n: int, m: int, height: int, symmetric: bool) -> Iterator[tuple[slice, slice]]:
    """Slices of rows and columns that cover an n x m matrix, or its upper half."""
    for i in range(0, n, height):
        for j in range(i if symmetric else 0, m, height):
            yield slice(i, min(i + height, n)), slice(j, min(j + height, m))


def fill(target: Any, X: Scaled, Y: Scaled, height: int, symmetric: bool, progress: bool = False) -> None:
    """Compute the tiles of a similarity matrix and write each while it is hot; if symmetric, its mirror image too.

    `target` (n, m) is an array of a float type, or anything with shape, dtype and ``__setitem__``. A thread works on
    one tile, with a product of its own. No thread waits for another inside a tile, and the bits of a tile do not depend
    on the number of threads.
    """
    store = storing(target)
    direct = np.asarray(target).view(np.ndarray) if store is None else None
    desk = local()  # each thread's own space: a product and, where a tile is stored in another type, its mirror image
    size = min(height, len(X.vectors)) * min(height, len(Y.vectors))

    def one_tile(rows: slice, columns: slice) -> None:
        x, y = X.take(rows), Y.take(columns)
        shape = len(x.vectors), len(y.vectors)
        if not hasattr(desk, "space"):
            desk.space = np.empty((1 if store is None else 2, size), x.vectors.dtype)
        product = desk.space[0, : shape[0] * shape[1]].reshape(shape)
        np.matmul(x.vectors, y.vectors.T, out=product)
        upper, lower = product, desk.space[-1, : product.size].reshape(shape[::-1])
        if direct is not None:
            upper, lower = direct[rows, columns], direct[columns, rows]
        has_mirror = symmetric and rows != columns
        kernels.finish(product, x.scale, y.scale, upper, lower if has_mirror else lower[:0])
        if symmetric and not has_mirror:
            kernels.mirror(upper, x.scale)
        if store is not None:
            store(upper, (rows, columns))
            if has_mirror:
                store(lower, (columns, rows))

    n, m = len(X.vectors), len(Y.vectors)
    bar = {"desc": "similarity", "disable": not progress}
    in_threads(one_tile, list(tiles(n, m, height, symmetric)), bar=bar)


def storing(target: Any) -> Callable[[np.ndarray, tuple], None] | None:
    """The function that stores a finished tile in `target`; None if tiles can be written to its memory directly."""
    if isinstance(target, np.ndarray) and target.dtype in (np.float32, np.float64):
        return None
    if isinstance(target, np.ndarray) and target.dtype == np.float16:
        bits = np.asarray(target).view(np.ndarray).view(np.uint16)
        return lambda tile, place: kernels.narrow(tile, bits[place])
    one_at_a_time = Lock()  # two tiles may lie in one chunk of a chunked store

    def store(tile: np.ndarray, place: tuple) -> None:
        with one_at_a_time:
            target[place] = tile.astype(target.dtype)

    return store


def product(X: Scaled, Y: Scaled, same: bool) -> np.ndarray:
    """Similarities of some rows to others, (len(X), len(Y)), in one piece; `same` if X and Y are the same rows."""
    tile = X.vectors @ Y.vectors.T
    kernels.finish(tile, X.scale, Y.scale, tile, tile[:0])
    if same:
        kernels.mirror(tile, X.scale)
    return tile


def rows(X: Scaled, index: np.ndarray) -> np.ndarray:
    """Rows `index` of the similarity matrix of X, (len(index), n)."""
    found = np.empty((len(index), len(X.vectors)), X.vectors.dtype)
    chosen = X.take(index)

    def strip(columns: slice) -> None:
        part, y = found[:, columns], X.take(columns)
        np.matmul(chosen.vectors, y.vectors.T, out=part)
        kernels.finish(part, chosen.scale, y.scale, part, part[:0])

    width = min(WIDEST_STRIP, max(TILE_ROWS, TILE_ROWS**2 // len(index)))
    in_threads(strip, [(slice(j, j + width),) for j in range(0, len(X.vectors), width)])
    found[np.arange(len(index)), index] = chosen.scale > 0
    return found


def pairs(X: Scaled, index: np.ndarray, columns: np.ndarray | slice) -> np.ndarray:
    """Similarities of items `index` to items `columns`, (how many, how many of these); an item's own is 1, or 0."""
    a, b = X.take(index), X.take(columns)
    with one_blas_thread():
        found = product(a, b, same=False)
    if isinstance(columns, slice):
        row = np.flatnonzero((index >= columns.start) & (index < columns.stop))
        column = index[row] - columns.start
    else:
        row, column = np.nonzero(index[:, None] == columns)
    found[row, column] = a.scale[row] > 0
    return found


def matrix(X: Scaled, progress: bool = False) -> np.ndarray:
    """The similarity matrix of X, (n, n)."""
    found = np.empty((len(X.vectors), len(X.vectors)), X.vectors.dtype)
    fill(found, X, X, TILE_ROWS, True, progress)
    return found


def in_threads(work: Callable, tasks: list, take: Callable | None = None, bar: dict[str, Any] | None = None) -> None:
    """Call take(task, work(*task)) in the order of the tasks. The work is done one task a core, BLAS on one thread.

    `bar` are the options of a progress bar over the tasks, if one is wanted. An interrupt is felt at once: the tasks in
    hand are finished and the rest is dropped.
    """
    bar = bar or {"disable": True}
    with _threads_explained(), one_blas_thread(), ThreadPoolExecutor(_limits.cores()) as pool:
        jobs = deque(pool.submit(work, *task) for task in tasks[:TASKS_AHEAD])
        try:
            for i, task in enumerate(tqdm(tasks, unit="tile", **bar)):
                result = jobs.popleft().result()
                if i + TASKS_AHEAD < len(tasks):
                    jobs.append(pool.submit(work, *tasks[i + TASKS_AHEAD]))
                if take is not None:
                    take(task, result)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


@contextmanager
def _threads_explained() -> Iterator[None]:
    """Turn Python's words for a thread that cannot be started into a MemoryError that names the limits."""
    try:
        yield
    except RuntimeError as error:
        if "start new thread" not in str(error):
            raise
        raise MemoryError(
            "no further thread can be started: raise the limits of this process on memory (ulimit -v) and on processes "
            "(ulimit -u), or use fewer cores, as with taskset -c 0 python"
        ) from None


class _OneBlasThread:
    """Limits matrix products to the thread that asks for them: the pool has a thread a core already.

    The limit holds for the whole process, and the bits of a product depend on it. So calls that overlap in time are
    counted: the first sets the limit, and the last puts back what was there before. Both do so from a thread that ends
    at once, because a thread that lives on would keep the right to change the limit to itself.
    """

    def __init__(self) -> None:
        self.users, self.lock = 0, Lock()
        self.before: list[int] = []

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self.lock:
            if not self.users:
                self.before = [library.num_threads for library in _blas().lib_controllers]
                _set_threads([1] * len(self.before))
            self.users += 1
        try:
            if all(library.num_threads == 1 for library in _blas().lib_controllers):
                yield
            else:  # the caller limits the threads itself, and only its own thread may change that
                with _blas().limit(limits=1):
                    yield
        finally:
            with self.lock:
                self.users = max(0, self.users - 1)  # a process that is forked off in here begins to count anew
                if not self.users:
                    _set_threads(self.before)

    def forked(self) -> None:
        """Begin to count anew in a process that was just forked off: the other users stayed behind."""
        self.lock = Lock()
        if self.users:
            self.users = 0
            _set_threads(self.before)


def _set_threads(numbers: list[int]) -> None:
    """Set the number of threads of each library of matrix products, from a thread that ends at once."""

    def set_all() -> None:
        for library, number in zip(_blas().lib_controllers, numbers, strict=True):
            library.set_num_threads(number)

    thread = Thread(target=set_all)
    thread.start()
    thread.join()


one_blas_thread = _OneBlasThread()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=one_blas_thread.forked)


@cache
def _blas() -> ThreadpoolController:
    """The handle on the threads of the matrix product. Finding the library takes 2 ms, so it is done once."""
    return ThreadpoolController().select(user_api="blas")
