"""Better medoids for more time: a few are exchanged at random and the damage repaired, hundreds of times a second.

Each kick stays in one neighbourhood, where up to four medoids give their place to candidates close by. Exchanges that
help repair the damage. A worse end is kept now and then, more rarely as time goes on (threshold accepting). It is the
choice of candidates that makes this fast. Only those that the climb to the lower bound ever chose may become medoids,
a few thousand of 20,000 items. The lists of such a core are short, and no look at A is needed.

Sources: Dueck & Scheuer, Threshold accepting (1990); Avella, Boccia, Salerno & Vasilyev, An aggregation heuristic for
large scale p-median problem (2012), for a core of candidates.
"""

from __future__ import annotations

import numpy as np

from simlib._engine.items import Items
from simlib._engine.kernels import refine as kernels
from simlib._engine.kernels.refine import Core, Desk, Served

KNOWN_MEDOIDS = 4  # an item knows the candidates that are closer to it than its fourth-nearest medoid
KICKS = 500  # for each end
TOGETHER = 50  # kicks between two moments at which an interrupt is heard
HEAT = 0.016  # how much worse an end may be at the beginning, as a share of a cluster's mean loss
TOLERANCE = 1e-9  # a change of the loss by less than this share is none
MOST_MADE = 1000  # exchanges in one kick


class Refinement:
    """Medoids on their way from a swap optimum to better ones, in a core of candidates."""

    def __init__(self, items: Items, medoids: np.ndarray, candidates: np.ndarray, fixed: int) -> None:
        """`candidates` are row numbers, ascending, all medoids among them; the first `fixed` medoids stay."""
        n, m, k = items.n, len(candidates), len(medoids)
        self.candidates = candidates
        self.core = _core(items, medoids, candidates, fixed)
        places = np.searchsorted(candidates, medoids).astype(np.int32)
        owner, second = np.zeros((2, n), np.int32)
        c1, c2 = np.zeros((2, n))
        removal, change = np.zeros((2, k))
        self.served = Served(places, np.empty(m, np.int32), owner, second, c1, c2, removal, change)
        left, position = np.zeros((2, MOST_MADE), np.int32)
        self.desk = Desk(np.empty(m, np.int32), np.zeros(m, bool), left, position)
        self.level, self.best = np.zeros(2), places.copy()
        kernels.serve_all(self.core, self.served)
        loss = abs(items.loss(self.served.c1))
        self.heat, self.tolerance = HEAT * loss / k, TOLERANCE * loss

    def kicks(self, rng: np.random.Generator, warm: float, cool: float) -> bool:
        """So many kicks, while the share of heat falls from `warm` to `cool`; returns whether a better end came."""
        before = self.level[1]
        for share in np.linspace(warm, cool, KICKS // TOGETHER, endpoint=False):
            draws = rng.random((TOGETHER, kernels.DRAWN))
            heat = share * self.heat
            kernels.kick(self.core, self.served, self.desk, draws, heat, self.tolerance, self.level, self.best)
        return bool(self.level[1] > before)

    @property
    def medoids(self) -> np.ndarray:
        """The best medoids so far, row numbers int64 (k,)."""
        return self.candidates[self.best]


def _core(items: Items, medoids: np.ndarray, candidates: np.ndarray, fixed: int) -> Core:
    """The pairs of candidates and items that are closer than the item's limit, by item and by candidate."""
    limit = items.nearest(medoids, min(KNOWN_MEDOIDS, len(medoids)))[1][-1]
    numbers, item, close = [], [], []
    for block in items.blocks():
        rows = items.closeness(candidates[block])
        i, o = np.nonzero(rows > limit)
        numbers.append((block.start + i).astype(np.int32))
        item.append(o.astype(np.int32))
        close.append(rows[i, o].astype(np.float64))
        if block.stop >= len(candidates):
            break
    candidate, of, closeness = np.concatenate(numbers), np.concatenate(item), np.concatenate(close)
    order = np.lexsort((candidate, -closeness, of))
    by_item, by_candidate = _begins(of, items.n), _begins(candidate, len(candidates))
    by_closeness = candidate[order], closeness[order]
    limits = limit.astype(np.float64)
    return Core(by_item, *by_closeness, by_candidate, of, closeness, limits, items.weight, fixed)


def _begins(owner: np.ndarray, size: int) -> np.ndarray:
    """Where the entries of each of so many owners begin, int64 (size + 1,), if they are sorted by owner."""
    return np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=size))])
