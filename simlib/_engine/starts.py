"""Where a search for medoids starts from."""

from __future__ import annotations

from typing import Any

import numpy as np

from simlib._engine import dual
from simlib._engine.items import BLOCK_ENTRIES, HostItems, Items
from simlib._engine.kernels import starts as kernels

STARTS = ("build", "dual", "k-medoids++", "random", "first")
DRAWN = ("k-medoids++", "random")  # those that a seed decides
ASK_FOR_LISTS = 8  # medoids after which BUILD asks again whether the lists are short enough
GREEDY_AT_ONCE = 100  # medoids chosen from lists between two moments at which an interrupt is heard
FEWEST_LOOKS, MOST_LOOKS = 64, 2000  # candidates whose gains are computed at once


def is_drawn(init: Any) -> bool:
    """Whether a start is drawn at random, so that another seed gives another one."""
    return isinstance(init, str) and init in DRAWN


def start(items: Items, k: int, init: Any, rng: np.random.Generator) -> np.ndarray:
    """k distinct row numbers to start from, int64 (k,): by a word of `STARTS`, or the row numbers given."""
    if not isinstance(init, str):
        return np.array(init, dtype=np.int64)
    if init == "first":
        return np.arange(k)
    if init in ("build", "dual"):
        medoids = build(items, k)
        return dual.start(items, medoids) if init == "dual" else medoids
    return rng.choice(items.n, k, replace=False) if init == "random" else plus_plus(items, k, rng)


def plus_plus(items: Items, k: int, rng: np.random.Generator) -> np.ndarray:
    """k-medoids++: draw medoids one by one, with probability proportional to the distance from the nearest so far."""
    medoids = [int(rng.integers(items.n))]
    loss = items.base - items.row(medoids[0]).astype(np.float64)
    for _ in range(k - 1):
        weight = np.maximum(loss, 0)
        weight[medoids] = 0
        if not weight.any():  # only copies of the medoids are left
            weight[:] = 1
            weight[medoids] = 0
        medoids.append(int(rng.choice(items.n, p=weight / weight.sum())))
        loss = np.minimum(loss, items.base - items.row(medoids[-1]))
    return np.array(medoids)


def build(items: Items, k: int) -> np.ndarray:
    """PAM's greedy BUILD: add the item that raises the total closeness most, k times.

    An item's gain only falls as medoids are added, so an old gain is an upper bound. Items are looked at in the order
    of their bounds, until the best gain found is above every bound left. The first medoids are found on whole rows.
    Once few items are closer to each other than to their medoid, these pairs are listed and the lists serve.
    """
    items = items.at_hand()
    medoids = np.empty(k, np.int64)
    medoids[0] = np.argmax(items.sums())
    best = items.row(medoids[0])
    bound = np.full(items.n, np.inf)
    bound[medoids[0]] = -np.inf
    for chosen in range(1, k):
        if chosen % ASK_FOR_LISTS == 0 and (lists := items.lists(best)) is not None:
            for low in range(chosen, k, GREEDY_AT_ONCE):
                kernels.add_best(medoids[: low + GREEDY_AT_ONCE], low, bound, best, lists)
            break
        medoids[chosen] = _largest_gain(items, best, bound)
        bound[medoids[chosen]] = -np.inf
        best = np.maximum(best, items.row(medoids[chosen]))
    return medoids


def _largest_gain(items: Items, best: np.ndarray, bound: np.ndarray) -> int:
    """The item with the largest gain, lowest index first; brings the bounds it looks at up to date.

    `best` (n,) is each item's closeness to its nearest medoid, `bound` float64 (n,) an upper bound of each gain.
    """
    exact = np.zeros(items.n, bool)
    width = FEWEST_LOOKS
    while True:
        stale = np.where(exact, -np.inf, bound)
        top = np.max(bound[exact], initial=-np.inf)
        if top > stale.max():
            break
        look = np.argpartition(-stale, min(width, items.n - 1))[:width]
        look = look[(stale[look] >= top) & (stale[look] > -np.inf)]
        if not look.size:
            break
        bound[look] = items.gains(look, best)
        exact[look] = True
        width = max(FEWEST_LOOKS, min(2 * width, MOST_LOOKS, 4 * BLOCK_ENTRIES // items.n))
    return int(np.flatnonzero(exact & (bound == top))[0])


def fewer(items: HostItems, medoids: np.ndarray, k: int) -> np.ndarray:
    """k of the medoids: the others are taken away one by one, each time the one whose loss costs least."""
    closeness = np.ascontiguousarray(items.closeness(medoids).T)  # (n, more than k)
    return medoids[kernels.drop_cheapest(closeness, k)]
