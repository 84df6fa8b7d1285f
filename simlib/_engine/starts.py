"""Where a search for medoids starts from."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simlib._engine import dual
from simlib._engine.items import BLOCK_ENTRIES, HostItems, Items
from simlib._engine.kernels import starts as kernels

STARTS = ("build", "dual", "k-medoids++", "random", "first")
DRAWN = ("k-medoids++", "random")  # those that a seed decides
ASK_FOR_LISTS = 8  # medoids after which BUILD asks again whether the lists are short enough
GREEDY_AT_ONCE = 100  # medoids chosen from lists between two moments at which an interrupt is heard
FEWEST_LOOKS, MOST_LOOKS = 64, 2000  # candidates whose gains are computed at once


class Constraints(NamedTuple):
    """Which items are medoids whatever it costs, and which never are. The medoids of a search begin with `must`."""

    must: np.ndarray = np.empty(0, np.int64)  # row numbers
    never: np.ndarray = np.empty(0, np.int64)  # row numbers, none of them in `must`

    def free(self, n: int) -> np.ndarray:
        """The row numbers of the items that may be medoids or not, ascending."""
        return np.delete(np.arange(n), np.concatenate(self))


FREE = Constraints()


def is_drawn(init: Any) -> bool:
    """Whether a start is drawn at random, so that another seed gives another one."""
    return isinstance(init, str) and init in DRAWN


def start(items: Items, k: int, init: Any, rng: np.random.Generator, constraints: Constraints = FREE) -> np.ndarray:
    """k distinct row numbers to start from, int64 (k,): by a word of `STARTS`, or the row numbers given."""
    must = constraints.must
    if not isinstance(init, str):
        given = np.array(init, dtype=np.int64)
        return np.concatenate([must, given[~np.isin(given, must)]])
    if init == "build":
        return build(items, k, constraints)
    if init == "dual":
        return climb(items, k, constraints).medoids
    if init == "k-medoids++":
        return plus_plus(items, k, rng, constraints)
    free, more = constraints.free(items.n), k - len(must)
    return np.concatenate([must, free[:more] if init == "first" else rng.choice(free, more, replace=False)])


def climb(items: Items, k: int, constraints: Constraints = FREE) -> dual.Start:
    """The start that a climb to the lower bound prefers, and the rows it ever chose."""
    return dual.start(items, build(items, k, constraints), *constraints)


def plus_plus(items: Items, k: int, rng: np.random.Generator, constraints: Constraints = FREE) -> np.ndarray:
    """k-medoids++: draw medoids one by one, with probability proportional to the distance from the nearest so far.

    The probability is proportional to an item's weight as well.
    """
    free = constraints.free(items.n)
    medoids = constraints.must.tolist()
    if not medoids:
        weight = items.weights(free)
        chance = None if weight is None or not weight.any() else weight / weight.sum()
        medoids.append(int(free[rng.integers(len(free))] if chance is None else rng.choice(free, p=chance)))
    loss = items.base - items.row(medoids[0]).astype(np.float64)
    for j in medoids[1:]:
        loss = np.minimum(loss, items.base - items.row(j))
    while len(medoids) < k:
        chance = np.zeros(items.n)
        chance[free] = (np.maximum(loss, 0) if items.weight is None else items.weight * np.maximum(loss, 0))[free]
        chance[medoids] = 0
        if not chance.any():  # only copies of the medoids are left, or what has no weight
            chance[free] = 1
            chance[medoids] = 0
        medoids.append(int(rng.choice(items.n, p=chance / chance.sum())))
        loss = np.minimum(loss, items.base - items.row(medoids[-1]))
    return np.array(medoids)


def build(items: Items, k: int, constraints: Constraints = FREE) -> np.ndarray:
    """PAM's greedy BUILD: add the item that raises the total closeness most, k times.

    An item's gain only falls as medoids are added, so an old gain is an upper bound. Items are looked at in the order
    of their bounds, until the best gain found is above every bound left. The first medoids are found on whole rows.
    Once few items are closer to each other than to their medoid, these pairs are listed and the lists serve.
    """
    items = items.at_hand()
    medoids, begin = np.empty(k, np.int64), max(len(constraints.must), 1)
    if len(constraints.must):
        medoids[:begin] = constraints.must
    else:
        sums = items.sums()
        sums[constraints.never] = -np.inf
        medoids[0] = np.argmax(sums)
    best = items.row(medoids[0])
    for j in medoids[1:begin]:
        best = np.maximum(best, items.row(j))
    bound = np.full(items.n, np.inf)
    bound[constraints.never] = bound[medoids[:begin]] = -np.inf
    for chosen in range(begin, k):
        if chosen % ASK_FOR_LISTS == 0 and (lists := items.lists(best)) is not None:
            for low in range(chosen, k, GREEDY_AT_ONCE):
                kernels.add_best(medoids[: low + GREEDY_AT_ONCE], low, bound, best, lists, items.weight)
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
    return medoids[kernels.drop_cheapest(closeness, k, items.weight)]
