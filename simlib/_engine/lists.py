"""The lists of neighbours: for every item j, the items that are closer to j than their reach.

The swap search judges a candidate by its list instead of its whole row. From a matrix the lists are made in one pass
over its rows. From vectors the tiles of the similarity matrix are computed one after the other and forgotten; of each
tile only the entries that some list wants stay. Only tiles on and above the diagonal are computed: each gives entries
to the lists of its rows and, mirrored, to those of its columns.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import local
from typing import NamedTuple

import numpy as np

from simlib import _limits
from simlib._engine.kernels import lists as kernels
from simlib._engine.kernels.lists import Kept, Lists, Mirrored, Side
from simlib._engine.tiles import TILE_ROWS, Scaled, in_threads

DENSITY = 0.1  # lists are made from a matrix if they hold less than this share of its entries
SLACK = 1e-6  # more than the rounding by which the quick comparison of a scaled product may be off


class Part(NamedTuple):
    """What one tile gives to the lists of one strip of items, counts[i] entries for item i of the strip."""

    counts: np.ndarray  # int64
    items: np.ndarray  # int32
    closeness: np.ndarray


def of_matrix(
    blocks: Iterable[tuple[int, np.ndarray]], factor: float, reach: np.ndarray, most: float = DENSITY
) -> Lists | None:
    """The lists of a matrix, given as blocks (first row, rows (p, n)); None if they take more room than expected.

    `most` is the share of all pairs that they may hold, or a little more.
    """
    n, threads = len(reach), _limits.cores()
    room = int(1.5 * most * n * n) // threads + 2 * n + kernels.TOGETHER
    start, stop = np.zeros((2, n), np.int64)
    lists = Lists(start, stop, np.empty(threads * room, np.int32), np.empty(threads * room, reach.dtype), reach)
    cursor = np.arange(threads) * room
    end = cursor + room
    for first, rows in blocks:
        if not kernels.list_closer(rows, first, factor, lists, cursor, end):
            return None
    return lists


def of_vectors(X: Scaled, reach: np.ndarray, listed: int, expected: int, progress: bool = False) -> Lists:
    """The lists of items 0..listed - 1, from the tiles of their similarities to all.

    `expected` is about the number of entries; the space grows if there are more.
    """
    dtype = X.vectors.dtype.type
    quick = Side(0, X.scale, reach, X.scale.astype(dtype), (reach - dtype(SLACK)).astype(dtype))
    strips = _strips(0, listed) + _strips(listed, len(X.vectors))
    n_listed = len(_strips(0, listed))
    collected = _Collected(strips, listed, expected, dtype)
    desk = local()

    def tile(i: int, j: int) -> tuple[Part, Part | None]:
        if not hasattr(desk, "space"):
            desk.space = _space(dtype)
        product, kept, mirrored = desk.space
        rows, columns = _side(quick, strips[i]), _side(quick, strips[j])
        u, v = X.vectors[strips[i]], X.vectors[strips[j]]
        product = np.matmul(u, v.T, out=product[: len(u) * len(v)].reshape(len(u), len(v)))
        kept = kept._replace(counts=np.empty(len(u), np.int64))
        mirrored = mirrored._replace(counts=np.zeros(len(v), np.int64))
        both = i < j < n_listed
        m, n_mirrored = kernels.keep_closer(product, rows, columns, i == j, both, kept, mirrored)
        own = Part(kept.counts, kept.items[:m].copy(), kept.closeness[:m].copy())
        return own, Part(mirrored.counts, *kernels.by_column(mirrored, n_mirrored)) if both else None

    tasks = [(i, j) for i in range(n_listed) for j in range(i, len(strips))]
    in_threads(tile, tasks, collected.take, {"desc": "lists", "leave": False, "disable": not progress})
    return collected.lists(reach)


class _Collected:
    """The lists under way: parts wait until all that a strip of items will get is there, then they are joined."""

    def __init__(self, strips: list[slice], listed: int, expected: int, dtype: type) -> None:
        self.strips, self.end = strips, 0
        self.start, self.stop = np.zeros((2, listed), np.int64)
        self.items = np.empty(expected, np.int32)
        self.closeness: np.ndarray = np.empty(expected, dtype)
        self.waiting: list[list[Part]] = [[] for _ in strips]

    def take(self, task: tuple[int, int], parts: tuple[Part, Part | None]) -> None:
        """Take up what tile (i, j) gives to strips i and j. Tiles come row after row: the last one closes strip i."""
        i, j = task
        own, mirrored = parts
        self.waiting[i].append(own)
        if mirrored is not None:
            self.waiting[j].append(mirrored)
        if j + 1 == len(self.strips):
            self._join(i)

    def _join(self, i: int) -> None:
        """Write the lists of strip i behind those that are there."""
        here, parts = self.strips[i], self.waiting[i]
        counts = np.sum([part.counts for part in parts], axis=0)
        self.stop[here] = self.end + np.cumsum(counts)
        self.start[here] = self.stop[here] - counts
        self.end = int(self.stop[here][-1])
        if self.end > len(self.items):
            room = self.end + self.end // 4
            self.items, self.closeness = np.resize(self.items, room), np.resize(self.closeness, room)
        at = self.start[here].copy()
        for part in parts:
            kernels.append(*part, at, self.items, self.closeness)
        self.waiting[i] = []

    def lists(self, reach: np.ndarray) -> Lists:
        """What was collected."""
        return Lists(self.start, self.stop, self.items, self.closeness, reach)


def _strips(first: int, end: int) -> list[slice]:
    """Slices that cover items first..end - 1, a tile high."""
    return [slice(i, min(i + TILE_ROWS, end)) for i in range(first, end, TILE_ROWS)]


def _side(whole: Side, strip: slice) -> Side:
    """One side of a tile."""
    return Side(strip.start, *(part[strip] for part in whole[1:]))


def _space(dtype: type) -> tuple[np.ndarray, Kept, Mirrored]:
    """A thread's own space for the product of a tile and for what lists want of it."""
    size, none = TILE_ROWS * TILE_ROWS, np.empty(0, np.int64)
    kept = Kept(np.empty(size, np.int32), np.empty(size, dtype), none)
    columns = np.empty(size, np.int32)
    mirrored = Mirrored(np.empty(size, np.int32), columns, np.empty(size, dtype), none)
    return np.empty(size, dtype), kept, mirrored
