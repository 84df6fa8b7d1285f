"""From what a caller gave to checked items: vectors brought into range, or a matrix that is symmetric and finite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from simlib import _check
from simlib._engine import sparse
from simlib._engine.items import BLOCK_ROWS, HostItems, Items, MatrixItems, VectorItems
from simlib._engine.kernels import prepare as kernels
from simlib._engine.metrics import Metric, named
from simlib._engine.sparse import SparseItems
from simlib._engine.tiles import unit_scale

SAFE = 1e300  # sums below this are far from the end of float64
SYMMETRY = 1e-13  # share of the size of the sums by which A w and w A may differ by rounding
HALF = 0.5  # whole numbers that differ do so by 1 at least


def prepare(A: Any, metric: str) -> Items:
    """The items of a matrix or of vectors, checked; a tensor on a device stays there.

    Raises
    ------
    ValueError, TypeError
        Not square, asymmetric, NaN or infinity, distances passed as similarities or the reverse, an unknown metric; the
        message names the rows or the values.
    """
    if not _check.off_cpu(A):
        return prepare_host(_check.as_given(A, "A"), metric)
    from simlib._engine.tensors import TensorItems  # imports torch, which arrays have no need of

    return TensorItems(A, named(metric))


def prepare_host(A: Any, metric: str) -> HostItems:
    """The items of an array (n, n) or (n, d), or of a scipy.sparse matrix (n, d), checked."""
    found, dtype = named(metric), _check.working_dtype(A.dtype)
    _check.room_to_work()
    if _check.is_sparse(A):
        if metric != "cosine":
            raise TypeError(f'a sparse A is taken for metric="cosine" only, got "{metric}": pass A.toarray()')
        return SparseItems(sparse.unit_scale(A, "A"), found, A)
    if found.on_vectors:
        copied = found.centred or A.dtype != dtype or not A.flags.c_contiguous
        need = A.size * np.dtype(dtype).itemsize * copied
        _check.memory(need, f"a {dtype.__name__} copy of the vectors", "pass C-ordered float32, or cluster a sample")
        return VectorItems(unit_scale(A, dtype, found.centred, "A"), found, A)
    return _checked_matrix(A, found, dtype)


@contextmanager
def memory_explained(A: Any) -> Iterator[None]:
    """Turn a device's lack of memory into a MemoryError that names the ways out."""
    if not _check.is_tensor(A):
        yield
        return
    import torch

    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise MemoryError(
            f"{A.device} ran out of memory with {A.shape[0]} items: pass float16 or float32, free other tensors there, "
            'pass vectors with metric="cosine" (no matrix), take method="alternate", or work on the CPU with .cpu()'
        ) from error


def _checked_matrix(A: np.ndarray, metric: Metric, dtype: type) -> MatrixItems:
    """The items of a matrix that is square, finite, symmetric, and in which each item is closest to itself."""
    _check.square(A.shape, metric.word)
    diagonal: np.ndarray = np.asarray(A.diagonal(), dtype=dtype)
    if not np.isfinite(diagonal).all():
        _check.both_halves(A)
    _check.finite_rows(np.isfinite(diagonal), "A")
    tolerance = _tolerance(A, dtype)
    _check.diagonal(A[0], diagonal, metric.of_distances, tolerance.slack)
    own = np.zeros_like(diagonal) if metric.of_distances else diagonal
    columns = A.flags.f_contiguous and not A.flags.c_contiguous  # A is symmetric, or refused: they do for rows
    items = MatrixItems(_writable_view(A.T if columns else A), metric, own)
    if not _plausible(items, tolerance):
        _compare(A, items, tolerance)
        _check.sums_fit(items.matrix)
    unit = 1.0 if metric.of_distances else _check.self_similarity(diagonal, tolerance.share)
    return items if unit == 1 else MatrixItems(items.matrix, metric, dtype(1 / unit) * own, unit=unit)


def _writable_view(A: np.ndarray) -> np.ndarray:
    """The same memory as an array that compiled code takes for writable: it compiles once less, and never writes."""
    if A.flags.writeable:
        return np.asarray(A).view(np.ndarray)
    interface = {**A.__array_interface__, "data": (A.__array_interface__["data"][0], False)}
    return np.asarray(SimpleNamespace(__array_interface__=interface, keep=A))


class Tolerance(NamedTuple):
    """How far an entry and its mirror image may be apart by rounding: `slack`, or `share` of the larger of the two."""

    slack: Any  # of the type of closeness
    share: Any


def _tolerance(A: np.ndarray, dtype: type) -> Tolerance:
    """What rounding explains in a matrix of this type and of this size of numbers."""
    if A.dtype.kind != "f":
        return Tolerance(dtype(0), dtype(0))
    share = 2e-3 if A.dtype.itemsize == 2 else 1e-5
    sample = np.asarray(_check.sampled(A), dtype=np.float64)
    return Tolerance(dtype(share * _check.magnitude(sample)), dtype(share))


def _plausible(items: MatrixItems, tolerance: Tolerance) -> bool:
    """Whether one look at the matrix A finds nothing that speaks against it; else it is compared entry by entry.

    With random weights w, the sums A w and w A agree only if A is finite and symmetric, or nearly so. Where the sums
    are so large that their own rounding could hide a fault, the look proves nothing.
    """
    n = items.n
    if n < kernels.TOGETHER:
        return False
    weight = np.random.default_rng(0).uniform(1, 2, n)
    limit = items.self_closeness + tolerance.slack
    across, down, above = np.empty(n), np.zeros((kernels.SHARES, n)), np.zeros(kernels.SHARES, bool)
    step = max(kernels.TOGETHER, next(items.blocks()).stop)  # no block is shorter than what is read side by side
    for start in range(0, n, step):
        stop = min(start + step, n)
        first = min(start, stop - kernels.TOGETHER)
        rows = items.entries(slice(first, stop))
        kernels.survey(rows, first, start - first, items.factor, limit, weight, across, down, above)
    with np.errstate(invalid="ignore", over="ignore"):  # NaN and infinities are found by the comparison
        rounding = SYMMETRY * (np.abs(across).max() + 2.0 * n * np.abs(items.self_closeness).max())
        symmetric = np.abs(across - down.sum(axis=0)).max() <= rounding
    sharp = rounding <= (tolerance.slack or HALF) and np.abs(across).max() < SAFE
    return bool(sharp and symmetric and not above.any())


def _compare(A: np.ndarray, items: MatrixItems, tolerance: Tolerance) -> None:
    """Compare a suspect matrix with its mirror image; raise, about A as given, if they differ beyond rounding."""
    for i in range(0, items.n, BLOCK_ROWS):
        rows = np.asarray(items.matrix[i : i + BLOCK_ROWS, i:], dtype=items.dtype)
        columns = np.asarray(items.matrix[i:, i : i + BLOCK_ROWS], dtype=items.dtype)
        uneven, above = kernels.faults(rows, columns, items.self_closeness[i:], items.factor, *tolerance)
        wrong = np.flatnonzero(uneven | above)
        if wrong.size:
            _check.name_fault(A, items.metric.of_distances, i + int(wrong[0]), *tolerance)
