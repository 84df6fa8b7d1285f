"""What a chunk knows of its rows: their two nearest medoids, the candidates that concern them, and the sums of these.

The words and the sums are those of the architecture page, `simlib._engine`: how a swap is judged.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from dask import delayed
from scipy.sparse import coo_array, csr_array

from simlib._engine import tiles
from simlib._engine.items import STRIP_ITEMS, STRIP_MEDOIDS
from simlib._engine.kernels import nearest as nearest_kernels
from simlib._engine.kernels import swaps as kernels
from simlib._engine.tiles import Scaled

TILE_CANDIDATES, TILE_ITEMS = 512, 2048  # of a tile of products: 4 MB of float32


class Near(NamedTuple):
    """The two nearest medoids of a chunk's rows, nearest first, ties to the lowest position."""

    position: np.ndarray  # int32 (2, rows)
    closeness: np.ndarray  # (2, rows)


class Listed(NamedTuple):
    """The pairs of a candidate and a row that is closer to it than to its second-nearest medoid."""

    candidates: np.ndarray  # int32, places among the candidates
    items: np.ndarray  # int32, places in the chunk
    closeness: np.ndarray


class Sums(NamedTuple):
    """What candidates and medoids mean for all rows looked at. `saved` and `apart` hold what is not 0."""

    loss: float
    gain: np.ndarray  # float64 (m,), by candidate
    saved: csr_array  # float64 (m, k), by candidate and nearest medoid
    apart: csr_array  # float64 (k, k), the removal loss by nearest and second-nearest medoid

    def plus(self, other: Sums) -> Sums:
        """The sums over the rows of both."""
        parts = zip(self, other, strict=True)
        return Sums(*[a + b for a, b in parts])


def _own(rows: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Where each of the rows stands in the ascending row numbers `at`, -1 if it does not."""
    place = np.minimum(np.searchsorted(at, rows), len(at) - 1)
    return np.where(at[place] == rows, place, -1)


def _take_in(near: Near, block: Scaled, at: np.ndarray, centres: Scaled, rows: np.ndarray, name: int) -> None:
    """Take medoids `rows` with vectors `centres` into account, as positions name, name + 1, ...

    `at` are the row numbers of the block, ascending. Writes near.
    """
    if not len(at):
        return
    own = _own(rows, at)
    for left in range(0, len(at), STRIP_ITEMS):
        part = block.take(slice(left, left + STRIP_ITEMS))
        for first in range(0, len(rows), STRIP_MEDOIDS):
            some = slice(first, first + STRIP_MEDOIDS)
            product, scales = centres.vectors[some] @ part.vectors.T, (centres.scale[some], part.scale)
            nearest_kernels.nearest_by_products(product, *scales, own[some] - left, name + first, left, *near)


def _compared(block: Scaled, at: np.ndarray, centres: Scaled, rows: np.ndarray) -> Near:
    """The two nearest of the medoids `rows`. Where there is one only, the second is it again, at closeness -1.

    Nothing is farther than that, and the sums of an exchange come out right.
    """
    shape = 2, len(at)
    near = Near(np.full(shape, -1, np.int32), np.full(shape, -np.inf, block.vectors.dtype))
    _take_in(near, block, at, centres, rows, 0)
    return Near(np.maximum(near.position, 0), np.maximum(near.closeness, -1))


@delayed(pure=True)
def two_nearest(block: Scaled, first: int, centres: Scaled, rows: np.ndarray) -> Near:
    """The two nearest of the medoids `rows` for the rows of a chunk that begins at row `first`."""
    with tiles.one_blas_thread():
        return _compared(block, np.arange(first, first + len(block.vectors)), centres, rows)


@delayed(pure=True)
def replaced(centres: Scaled, swapped: np.ndarray, candidates: Scaled, new: np.ndarray) -> Scaled:
    """The vectors of the medoids once those at positions `swapped` are the candidates `new`."""
    after = Scaled(centres.vectors.copy(), centres.scale.copy())
    after.vectors[swapped], after.scale[swapped] = candidates.take(new)
    return after


@delayed(pure=True)
def exchanged(near: Near, block: Scaled, first: int, centres: Scaled, rows: np.ndarray, swapped: np.ndarray) -> Near:
    """The two nearest medoids after those at positions `swapped` became others.

    `centres` and `rows` are all medoids as they are now. Rows that lose one of their two are compared with all of them,
    the others with the new ones.
    """
    at = np.arange(first, first + len(block.vectors))
    lost = np.isin(near.position, swapped).any(axis=0)
    some, others = np.flatnonzero(lost), np.flatnonzero(~lost)
    after = Near(near.position.copy(), near.closeness.copy())
    with tiles.one_blas_thread():
        after.position[:, some], after.closeness[:, some] = _compared(block.take(some), at[some], centres, rows)
        kept = Near(near.position[:, others], near.closeness[:, others])
        k = len(rows)  # the new medoids have the names k, k + 1, ... until they are in
        _take_in(kept, block.take(others), at[others], centres.take(swapped), rows[swapped], k)
    new = kept.position >= k
    kept.position[new] = swapped[kept.position[new] - k]
    after.position[:, others], after.closeness[:, others] = kept
    return after


@delayed(pure=True)
def listed(near: Near, block: Scaled, first: int, candidates: Scaled, rows: np.ndarray) -> Listed:
    """The rows of a chunk that swaps for the candidates `rows` concern."""
    n, m = len(block.vectors), len(rows)
    own, bound, found = _own(rows, np.arange(first, first + n)), near.closeness[1], []
    room = min(n, TILE_ITEMS) * min(m, TILE_CANDIDATES) + 1
    space = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, bound.dtype)
    with tiles.one_blas_thread():
        for left in range(0, n, TILE_ITEMS):
            part, strip = block.take(slice(left, left + TILE_ITEMS)), bound[left : left + TILE_ITEMS]
            for low in range(0, m, TILE_CANDIDATES):
                some = slice(low, low + TILE_CANDIDATES)
                product, scales = candidates.vectors[some] @ part.vectors.T, (candidates.scale[some], part.scale)
                count = kernels.collect(product, *scales, own[some] - left, strip, *space)
                names, items, closeness = (array[:count] for array in space)
                found.append((names + np.int32(low), items + np.int32(left), closeness.copy()))
    return Listed(*[np.concatenate(arrays) for arrays in zip(*found, strict=True)])


@delayed(pure=True)
def summed(near: Near, pairs: Listed, m: int, k: int) -> Sums:
    """The sums of a chunk for m candidates and k medoids."""
    first, second = near.closeness.astype(np.float64)
    owner, next_one = near.position
    wanted = pairs.closeness > near.closeness[1][pairs.items]
    j, o, c = pairs.candidates[wanted], pairs.items[wanted], pairs.closeness[wanted].astype(np.float64)
    gain = np.bincount(j, np.maximum(c - first[o], 0.0), m)
    saved = coo_array((np.minimum(c, first[o]) - second[o], (j, owner[o])), (m, k)).tocsr()
    apart = coo_array((first - second, (owner, next_one)), (k, k)).tocsr()
    return Sums(float(np.sum(1.0 - first)), gain, saved, apart)


@delayed(pure=True)
def loss(near: Near) -> float:
    """The loss of a chunk."""
    return float(np.sum(1.0 - near.closeness[0].astype(np.float64)))


@delayed(pure=True)
def sums_added(a: Sums, b: Sums) -> Sums:
    """The sums over two parts of the rows."""
    return a.plus(b)
