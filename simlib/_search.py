"""The swap search: a medoid is exchanged for another item wherever that lowers the loss, until nothing does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from tqdm.auto import tqdm

from simlib import _check, _swap, _vectors
from simlib._matrix import BLOCK_ENTRIES, Data
from simlib._start import at_hand, make_lists

DEPTH = 8  # nearest medoids kept for each item
DEPTH_VECTORS = 10  # the same where the whole row of an item is dear: fewer fall out of reach of their lists
ROOM = 500  # items that may fall out of reach of their lists before these are made anew
LOOSE_BYTES = 500_000_000  # and their rows take no more than this
ROWS = 16  # candidates judged at once after a swap, where there are no lists
GROW = 1.25  # how many times more are judged at once as long as there is no swap
KICK = 12  # at most so many medoids are exchanged at random before the next repair
WAYS_OUT = (
    'method="alternate" needs little more than the vectors; or cluster a sample and give the rest to its medoids '
    "with predict"
)
TOLERANCE = 1e-12  # a swap must lower the loss by more than this share of it


class Search:
    """Medoids on their way to a swap optimum: what is known of each item's nearest medoids, and the lists."""

    def __init__(self, data: Data, medoids: np.ndarray, progress: bool = False) -> None:
        self.data, self.progress, self.swaps, self.idle, self.width = data, progress, 0, 0, ROWS
        n, depth = data.n, min(DEPTH if data.vectors is None else DEPTH_VECTORS, len(medoids))
        self.work = type(data.sign)
        if data.vectors is not None:
            entry = np.dtype(self.work).itemsize
            need = n * (depth + 5) * (4 + entry) + 2 * BLOCK_ENTRIES * entry + self._room() * n * entry
            _check.memory(need, f"a search for swaps among {n} vectors, beside the vectors,", WAYS_OUT)
        is_medoid = np.zeros(n, bool)
        is_medoid[medoids] = True
        known = np.empty((depth, n), np.int32), np.empty((depth, n), self.work), np.empty(n, self.work)
        self.near = _swap.Near(*known, medoids.copy(), is_medoid)
        room = 2 * n + _swap.CHUNK
        self.scratch = np.empty(room, np.int32), np.empty(room, self.work), np.empty(room, np.int32)
        self.renew()
        self.tolerance = TOLERANCE * abs(self.loss())

    def loss(self) -> float:
        """The loss with these medoids."""
        return float(np.sum(self.data.base - self.near.close[0].astype(np.float64)))

    def renew(self) -> None:
        """Derive every item's nearest medoids, and list what is closer than the last of them."""
        depth, k = len(self.near.position), len(self.near.medoids)
        self.near.position[:], self.near.close[:] = nearest(self.data, self.near.medoids, depth)
        last = self.near.close[-1].copy()
        self.lists = None  # the old ones make room
        if self.data.vectors is None or depth < k:
            self.lists = make_lists(self.data, last, True, self.progress)
        if self.lists is None:
            self.data = at_hand(self.data, self.progress)
        self.listed = 0 if self.lists is None else len(self.lists.start)
        self.near.floor[:] = last if self.lists is not None or depth < k else -np.inf
        self.threshold = np.full(self.data.n, -np.inf, self.work) if self.lists is None else last
        room = 0 if self.lists is None else self._room()
        self.loose = _swap.Loose(np.empty(self.data.n, np.int32), np.empty((room, self.data.n), self.work))
        self.n_loose = 0

    def _room(self) -> int:
        """How many items may be loose: the more items, the more of them, but no more rows than fit."""
        n = self.data.n
        return min(n, max(ROOM, n // 100), max(1, LOOSE_BYTES // (n * np.dtype(self.work).itemsize)))

    def restart(self, medoids: np.ndarray) -> None:
        """Go on from other medoids, with the lists there are."""
        self.near.is_medoid[:] = False
        self.near.is_medoid[medoids] = True
        self.near.medoids[:] = medoids
        self.swaps = self.idle = 0
        lists = self.lists
        for block in self.data.blocks():
            if lists is None or self.lists is not lists:  # there are none, or they had to be made anew
                break
            self.scratch[2][: block.stop - block.start] = np.arange(block.start, block.stop)
            self._derive(block.stop - block.start)
        if lists is None:
            self.renew()

    def exchange(self, j: int, r: int) -> None:
        """Put item j in place of the medoid at position r, whatever that does to the loss."""
        if j >= self.listed:
            row = self.data.rows([j])[0]
            n_short = _swap.exchange_row(j, r, row, self.data.sign, self.near, *self.scratch)
        else:
            n_short = _swap.exchange_listed(j, r, self.lists, self.loose, self.n_loose, self.near, *self.scratch)
        self._derive(n_short)

    def look_at(self, block: slice) -> None:
        """Judge a block of candidates in order, swapping at once."""
        if block.stop > self.listed:
            self._by_rows(block)
            return
        j = block.start
        while j < block.stop and self.idle < self.data.n:
            j, swaps, self.idle, n_short = _swap.search(
                j, block.stop, self.lists, self.loose, self.n_loose, self.near, self.idle, self.tolerance, *self.scratch
            )
            self.swaps += swaps
            self._derive(n_short)

    def _by_rows(self, block: slice) -> None:
        """Judge candidates by whole rows, several at once; after a swap those behind it are judged again."""
        n, sign = self.data.n, self.data.sign
        rows, i = self.data.rows(block), 0
        where, change = np.empty(len(rows), np.int64), np.empty(len(rows))
        while i < len(rows) and self.idle < n:
            some = rows[i : i + self.width]
            _swap.judge_rows(some, block.start + i, sign, self.near, where, change)
            better = np.flatnonzero(change[: len(some)] < -self.tolerance)
            step = int(better[0]) if better.size else len(some)
            if self.idle + step >= n:
                self.idle = n
                return
            self.idle += step
            i += step
            self.width = ROWS if better.size else min(int(GROW * self.width), n)
            if better.size:
                r, row = where[step], rows[i]
                self._derive(_swap.exchange_row(block.start + i, r, row, sign, self.near, *self.scratch))
                self.swaps, self.idle, i = self.swaps + 1, 0, i + 1

    def _derive(self, n_short: int) -> None:
        """Derive the nearest medoids of the short items anew."""
        if not n_short:
            return
        short = self.scratch[2][:n_short].copy()
        columns = self.data.sign * self.data.pairs(self.near.medoids, short)
        before = self.n_loose
        self.n_loose = _swap.derive(short, columns, self.threshold, self.near, self.loose, before)
        if self.n_loose > len(self.loose.rows):
            self.renew()
        elif self.n_loose > before:
            new = slice(before, self.n_loose)
            self.loose.rows[new] = self.data.sign * self.data.rows(self.loose.items[new])

    def run(self, max_iter: int, report: Callable[[int, int, float], None]) -> list[float]:
        """Look at all candidates again and again until a whole round brings nothing; returns the loss after each."""
        history = []
        while self.idle < self.data.n and len(history) < max_iter:
            before = self.near.medoids.copy()
            bar = {"desc": f"pass {len(history) + 1}", "unit": " items", "leave": False, "disable": not self.progress}
            with tqdm(total=self.data.n, **bar) as looked_at:
                for block in self.data.blocks():
                    self.look_at(block)
                    if self.idle >= self.data.n:
                        break
                    looked_at.update(block.stop - block.start)
            history.append(self.loss())
            report(len(history), int(np.sum(self.near.medoids != before)), history[-1])
        return history

    def kick(self, seeds: list[np.random.Generator], max_iter: int, say: Callable[[str], None]) -> list[float]:
        """Exchange a few medoids at random, repair by swaps, keep if better: once for each generator.

        Returns the loss at the start and at each end; the medoids are the best found.
        """
        ends, kept = [self.loss()], self._state()
        best, n, k = ends[0], self.data.n, len(self.near.medoids)
        for rng in seeds:
            size = rng.integers(1, min(KICK, k, n - k) + 1)
            new = rng.choice(np.flatnonzero(~self.near.is_medoid), size, replace=False)
            for j, r in zip(new, rng.choice(k, size, replace=False), strict=True):
                self.exchange(j, r)
            self.idle = 0
            self.run(max_iter, lambda *news: None)
            ends.append(self.loss())
            if self.idle >= n and ends[-1] < best - self.tolerance:
                best, kept = ends[-1], self._state()
            else:
                self._restore(kept)
            say(f"kick {len(ends) - 1} of {len(seeds)}, inertia {best:.4f}")
        self.idle = n
        return ends

    def _state(self) -> tuple[_swap.Near, _swap.Lists | None]:
        """A copy of what is known, and the lists it belongs to."""
        return _swap.Near(*(part.copy() for part in self.near)), self.lists

    def _restore(self, kept: tuple[_swap.Near, _swap.Lists | None]) -> None:
        """Go back to a copy; derive all anew if the lists are others now."""
        near, lists = kept
        for part, old in zip(self.near, near, strict=True):
            part[:] = old
        if lists is not self.lists:
            self.renew()


def nearest(data: Data, medoids: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions int32 and closeness (depth, n) of each item's nearest medoids, nearest first, ties to the first."""
    if data.vectors is not None:
        return _vectors.nearest(data.vectors, data.scale, medoids, depth)
    position = np.full((depth, data.n), -1, np.int32)
    close = np.full((depth, data.n), -np.inf, type(data.sign))
    for first in range(0, len(medoids), 500):
        _swap.nearest(*data.picked(medoids[first : first + 500]), first, data.sign, position, close)
    return position, close
