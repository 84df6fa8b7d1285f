"""What a search adds to the lists of neighbours: an item whose medoids went away needs to be found by more candidates.

Its reach is lowered then, and the lists must gain the pairs between the new reach and the old one. They gain them a
block of rows at a time, when the search comes to these rows. So the products that find the pairs are few and large.
"""

from __future__ import annotations

import numpy as np

from simlib import _check
from simlib._engine.items import HostItems
from simlib._engine.kernels.lists import NONE, Additions, Chains, Lists, add, additions_between, shorten
from simlib._engine.tiles import in_threads

EXTENSION_BYTES = 2e9  # what is added takes no more than this, nor than a quarter of the memory that is free
MOST_LOWERED = 0.25  # of the items: beyond that, new lists serve better
ITEMS_AT_ONCE = 512  # items whose pairs with a block of rows are found at once: the product stays in the cache
DOUBT = 2e-3  # share of a closeness within which rounding may put a pair on either side of an item's reach


class Extension:
    """The entries added to the lists of a search, and those still to be added."""

    def __init__(self, lists: Lists, items: HostItems) -> None:
        self.lists, self.items = lists, items
        n_listed, none = len(lists.start), np.empty(0, lists.reach.dtype)
        self.rows_extended = items.rows_extended
        self.chains = Chains(np.full(n_listed, NONE, np.int32), np.empty(0, np.int32), np.empty(0, np.int32), none)
        self.used = 0
        # Each time that an item's reach is lowered: the item, its reach from then on, and before.
        self.lowered, self.low, self.high = np.empty(0, np.int32), none, none
        self.added = np.zeros(-(-n_listed // self.rows_extended), np.int64)  # so many of them each block of rows has

    def lower(self, items: np.ndarray, reach: np.ndarray) -> None:
        """Lower the reach of some items, int32 (m,), to `reach` (m,)."""
        self.lowered = np.concatenate([self.lowered, items])
        self.low = np.concatenate([self.low, reach])
        self.high = np.concatenate([self.high, self.lists.reach[items]])
        self.lists.reach[items] = reach

    def complete(self, j: int) -> bool:
        """Bring the lists of the block of row j up to date; False if new lists are better, or the room too small."""
        if len(self.lowered) > MOST_LOWERED * self.items.n:
            return False
        block = j // self.rows_extended
        done, end = self.added[block], len(self.lowered)
        rows = slice(block * self.rows_extended, min((block + 1) * self.rows_extended, len(self.lists.start)))
        step = max(1, min(ITEMS_AT_ONCE, self.items.longest_block // (rows.stop - rows.start)))
        tasks = [(slice(i, min(i + step, end)), rows) for i in range(done, end, step)]
        found: list[Additions] = []
        if len(tasks) == 1:
            found.append(self._pairs(*tasks[0]))
        elif tasks:
            in_threads(self._pairs, tasks, lambda _, pairs: found.append(pairs))
        if not self._make_room(sum(len(pairs.items) for pairs in found)):
            return False
        for pairs in found:
            self.used = add(pairs, self.lists, self.chains, self.used)
        self.added[block] = end
        return True

    def _pairs(self, some: slice, rows: slice) -> Additions:
        """The pairs of some lowered items and a block of rows that the lists must gain."""
        items, low, high = self.lowered[some], self.low[some], self.high[some]
        margin = (DOUBT * np.abs(high) + 2 * self.items.rounding).astype(low.dtype)
        return additions_between(self.items.pairs(items, rows), items, rows.start, low, high - margin, high + margin)

    def shorten(self, reach: np.ndarray) -> None:
        """Take off the lists what is not closer than `reach` (n,), which is nowhere below the reach they have."""
        shorten(self.lists, self.chains, reach)
        self.low = np.maximum(self.low, reach[self.lowered])

    def _make_room(self, more: int) -> bool:
        """Let the chains have room for more entries; False if they would take more memory than they may."""
        newest, *entries = self.chains
        need = self.used + more
        if need > len(self.chains.before):
            most = int(min(EXTENSION_BYTES, _check.room_for_arrays() / 4) / (8 + self.low.itemsize))
            if need > most:
                return False
            room = min(max(need, 2 * self.used), most)
            self.chains = Chains(newest, *(_longer(part, room) for part in entries))
        return True


def _longer(part: np.ndarray, room: int) -> np.ndarray:
    """The same entries, with more room behind them."""
    longer = np.empty(room, part.dtype)
    longer[: len(part)] = part
    return longer
