"""The closest items of some items, and the pairs that are close enough: exact, a tile at a time, without the matrix."""

from __future__ import annotations

from contextlib import ExitStack
from threading import Lock
from typing import Any

import numpy as np

from simlib import _check
from simlib._engine.items import HostItems
from simlib._engine.kernels import neighbours as kernels
from simlib._engine.tiles import TILE_ROWS, in_threads

PAIR_BYTES = 48  # a pair's two items and its entry, once in parts and once where all are joined


def closest(items: HostItems, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k items closest to each of some items, itself left out: their numbers int64 and entries, (len(rows), k).

    The closest come first, ties to the lowest number. For a third of the items and more, the upper half of all pairs is
    looked at.
    """
    if 3 * len(rows) < items.n:
        index, closeness = _of_rows(items, rows, k)
    else:
        every = _of_all(items, k)
        index, closeness = every if np.array_equal(rows, np.arange(items.n)) else (part[rows] for part in every)
    return index, _entries(items, closeness)


def _entries(items: HostItems, closeness: np.ndarray) -> np.ndarray:
    """Entries from what the kernels keep: the sign is turned back where entries are distances."""
    return np.multiply(closeness, items.metric.sign, out=closeness) if items.metric.of_distances else closeness


def _unknown(items: HostItems, m: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Heaps of k closest items for m items, of which none is known yet."""
    need = m * k * (8 + np.dtype(items.dtype).itemsize)
    _check.memory(need, f"the {k} closest items of {m}", "ask for some rows at a time, or for a smaller k")
    return np.full((m, k), items.n, np.int64), np.full((m, k), -np.inf, items.dtype)


def _of_rows(items: HostItems, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The heaps of some items, from their whole rows, sorted."""
    index, closeness = _unknown(items, len(rows), k)
    sign, step = items.dtype(items.metric.sign), next(items.blocks()).stop
    for start in range(0, len(rows), step):
        block = slice(start, start + step)
        kernels.closest_of_rows(*items.picked(rows[block]), rows[block], sign, index[block], closeness[block])
    kernels.best_first(index, closeness)
    return index, closeness


def _strips(part: slice) -> range:
    """The numbers of the strips of items that a slice lies in."""
    return range(part.start // TILE_ROWS, (part.stop - 1) // TILE_ROWS + 1)


def _of_all(items: HostItems, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The heaps of all items, from the upper half of the matrix, sorted.

    Tiles that are near the diagonal come first. Two tiles may offer items to the same heaps, so each strip of items has
    a lock. The order in which items are offered does not matter, because no two of them tie.
    """
    index, closeness = _unknown(items, items.n, k)
    sign, locks = items.dtype(items.metric.sign), [Lock() for _ in range(0, items.n, TILE_ROWS)]

    def work(rows: slice, columns: slice) -> None:
        tile = items.tile(rows, columns)
        with ExitStack() as held:
            for strip in sorted({*_strips(rows), *_strips(columns)}):
                held.enter_context(locks[strip])
            kernels.closest_of_tile(tile, rows.start, columns.start, sign, index, closeness)

    in_threads(work, sorted(items.upper_tiles(), key=lambda tile: tile[1].start - tile[0].start))
    kernels.best_first(index, closeness)
    return index, closeness


class _Pairs:
    """The pairs under way, tile after tile; when they are more than fit into memory, only their number is kept."""

    def __init__(self, n: int, dtype: Any) -> None:
        self.n, self.room, self.total = n, _check.available_memory() // PAIR_BYTES, 0
        self.strip: list[tuple[np.ndarray, ...]] = []  # of the strip of rows whose tiles come now
        self.done: list[tuple[np.ndarray, ...]] = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, dtype))]

    def take(self, tile: tuple[slice, slice], part: tuple[np.ndarray, ...]) -> None:
        """Take up the pairs of a tile. Tiles come row after row, and the last one closes its strip of rows."""
        self.strip.append(part)
        if tile[1].stop == self.n:
            self.done.append(_joined(self.strip))
            order = np.argsort(self.done[-1][0], kind="stable")
            self.done[-1] = tuple(each[order] for each in self.done[-1])
            self.strip = []
        if self.total > self.room:
            self.strip, self.done = [], self.done[:1]


def _joined(parts: list[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
    """Arrays i, j and entries, one behind the other."""
    return tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))


def pairs(items: HostItems, threshold: float) -> tuple[np.ndarray, ...]:
    """Every pair i < j whose entry reaches the threshold: i and j int64 (m,), and the entries, sorted by i, then j.

    Raises MemoryError, with the number of pairs, if they do not fit into memory: they are counted to the end.
    """
    sign, least = items.dtype(items.metric.sign), items.dtype(items.metric.sign * threshold)
    found, counting = _Pairs(items.n, items.dtype), Lock()

    def work(rows: slice, columns: slice) -> tuple[np.ndarray, ...]:
        tile = items.tile(rows, columns)
        counts = kernels.count_pairs(tile, rows.start, columns.start, sign, least)
        with counting:
            found.total += int(counts.sum())
            counts *= found.total <= found.room
        first = np.repeat(np.arange(rows.start, rows.stop), counts)
        return first, *kernels.list_pairs(tile, rows.start, columns.start, sign, least, counts)

    in_threads(work, list(items.upper_tiles()), found.take)
    if found.total > found.room:
        word = "at most" if items.metric.of_distances else "at least"
        raise MemoryError(
            f"{found.total} pairs have a {items.metric.entry} of {word} {threshold:g}, and {found.room} fit into "
            f"memory: take a {'lower' if items.metric.of_distances else 'higher'} threshold"
        )
    return _joined(found.done)
