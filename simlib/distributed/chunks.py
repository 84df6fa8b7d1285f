"""Chunks of rows: what a Dask array of vectors must be, its chunks brought into range, and sums over chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dask
import dask.array as da
import numpy as np
from dask import delayed

from simlib import _check
from simlib._engine.tiles import Scaled, unit_scale


def checked(X: Any) -> Any:
    """X if it is a Dask array of real numbers (n, d), its columns in one chunk, the size of its chunks known."""
    if not isinstance(X, da.Array):
        raise TypeError(f"X must be a Dask array, got {type(X).__name__}: da.from_array(X, chunks=(10_000, -1))")
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(f"X must be 2-D and not empty, one row an item, got shape {X.shape}")
    if X.dtype.kind not in "fiu":
        raise TypeError(f"X must hold real numbers, got dtype {X.dtype}")
    if any(np.isnan(size) for size in X.shape):
        raise ValueError(f"the sizes of X's chunks are not known, shape {X.shape}: call X.compute_chunk_sizes() first")
    if len(X.chunks[1]) > 1:
        raise ValueError(f"X has its columns in {len(X.chunks[1])} chunks, a row must be whole: X.rechunk({{1: -1}})")
    return X


def few(sizes: Sequence[int]) -> str:
    """The first sizes, or row numbers."""
    return ", ".join(map(str, sizes[:4])) + (", ..." if len(sizes) > 4 else "")


def first_rows(X: Any) -> list[int]:
    """The row number with which each chunk begins."""
    return np.concatenate([[0], np.cumsum(X.chunks[0])[:-1]]).astype(int).tolist()


def prepared(X: Any, centred: bool = False) -> list[Any]:
    """For each chunk, delayed: its rows brought into range, and their inverse lengths; `centred` as in `unit_scale`."""
    work = _check.working_dtype(X.dtype)
    places = zip(X.to_delayed().ravel(), first_rows(X), X.chunks[0], strict=True)
    return [prepare(block, work, first, (size, X.shape[1]), centred) for block, first, size in places]


@delayed(pure=True)
def prepare(block: np.ndarray, work: type, first: int, shape: tuple, centred: bool) -> Scaled:
    """The rows of a chunk, which begins at row `first`, brought into range."""
    if block.shape != shape:
        raise ValueError(
            f"the chunk of X that begins at row {first} should have shape {shape}, but has {block.shape}: "
            "a map_blocks that changes the number of rows must say so (chunks=)"
        )
    bad = first + np.flatnonzero(~np.isfinite(block).all(axis=1))
    if bad.size:
        where = f"in {bad.size} of the {len(block)} rows of the chunk that begins at row {first}"
        raise ValueError(f"X has NaN or infinity {where}: {few(bad.tolist())}")
    return unit_scale(block, work, centred, "X")


def prepared_once(X: Any) -> list[Any]:
    """The same, for many rounds: rows are checked and measured once, and the workers keep their inverse lengths."""
    work, whole = _check.working_dtype(X.dtype), X.to_delayed().ravel()
    kept = held([_lengths(block, scaled) for block, scaled in zip(whole, prepared(X), strict=True)])
    return [_prepared_again(block, scale, work) for block, scale in zip(whole, kept, strict=True)]


@delayed(pure=True)
def _lengths(block: np.ndarray, scaled: Scaled) -> np.ndarray | None:
    """The inverse lengths of a chunk's rows; None if the rows were brought into range, which takes another look."""
    return scaled.scale if np.array_equal(scaled.vectors, block) else None


@delayed(pure=True)
def _prepared_again(block: np.ndarray, scale: np.ndarray | None, work: type) -> Scaled:
    """The rows of a chunk brought into range."""
    return unit_scale(block, work, False, "X") if scale is None else Scaled(np.ascontiguousarray(block, work), scale)


def vectors_of(X: Any, rows: np.ndarray) -> Any:
    """The vectors of some rows, delayed."""
    order = np.argsort(rows)
    wanted = X[rows[order]].rechunk(-1).to_delayed().ravel()[0]
    return reordered(wanted, np.argsort(order), _check.working_dtype(X.dtype))


@delayed(pure=True)
def reordered(vectors: np.ndarray, order: np.ndarray, work: type) -> Scaled:
    """Some vectors in another order, brought into range."""
    return unit_scale(vectors[order], work, False, "X")


def tree(parts: list[Any], join: Callable) -> Any:
    """The parts joined two by two, in an order that does not depend on who is ready first."""
    while len(parts) > 1:
        parts = [join(*parts[i : i + 2]) if i + 1 < len(parts) else parts[i] for i in range(0, len(parts), 2)]
    return parts[0]


@delayed(pure=True)
def added(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Two parts of a sum."""
    return a + b


@delayed
def _nothing(part: Any) -> None:
    """What is left of a part that stays where it is."""


def held(parts: list[Any]) -> list[Any]:
    """The parts, all computed, in the workers' memory: a cluster would begin with what comes next meanwhile."""
    parts = list(dask.persist(*parts))
    dask.compute(*[_nothing(part) for part in parts])
    return parts
