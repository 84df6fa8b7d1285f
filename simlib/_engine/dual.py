r"""The lower bound: no choice of k medoids has a smaller loss than this.

k-medoids is the p-median problem. Its Lagrangian dual gives every item o a price, the loss that it would pay to be
served. At given prices a candidate j would earn

    earned[j] = sum over all o of  max(price[o] - d(o, j), 0)

from the items that it serves for less than their price. Then

    bound = sum of all prices - the sum of the k largest earned

is never above the loss of any k medoids. To see this, take any k medoids. An item's loss is at least its price less
what it leaves to its own medoid, and no k candidates earn more than the k that earn most.

Some prices give a high bound. They are found step by step. An item that none of the k best earners serves for less than
its price offers more, and an item that several of them serve offers less. Only pairs with d(o, j) < price[o] count, and
a good price lies between the losses with the nearest and the second-nearest medoid. So short lists of neighbours serve,
as they do for the swaps. A price never rises above what the lists hold, and the bound is valid all the same.

As everywhere in the engine, closeness stands for base - loss and the limit of an item for base - price.

Sources: Cornuejols, Fisher & Nemhauser, Location of bank accounts to optimize float (1977); Beasley, Lagrangean
heuristics for location problems (1993); Barahona & Anbil, The volume algorithm (2000).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from simlib._engine.items import Items
from simlib._engine.kernels import dual as kernels
from simlib._engine.kernels.dual import FREE, MUST, NEVER, Climb, Pace, Problem
from simlib._engine.kernels.lists import Lists

LISTED_MEDOIDS = 4  # the lists reach as far as an item's fourth-nearest medoid
LISTED_SHARE = 0.25  # lists are made if they hold less than this share of all pairs; else whole rows serve
SMALL = 2000  # up to so many items the lists may hold all pairs
FIRST_LENGTH = 1.5  # of a step, as a share of the distance to the least known loss
NEAR_LENGTH = 0.2  # of the first step from the prices of another number of medoids
LAST_LENGTH = 1e-3  # the climb ends where steps are shorter
START_LENGTH, START_STEPS = 0.05, 400  # the climb for a start ends earlier
SELDOM = 0.02  # how often the climb must have chosen a row of late to make it a candidate
MOST_STEPS = 1000  # of a climb, where the caller asks for no other number
ROUNDS = 25  # steps between two looks at the clock, the bar and the keyboard
IN_PARALLEL = 200_000  # entries of lists from which on all cores help
WHOLE = 1e-7  # a bound this close to a whole number counts as that number
ALIKE = 1e-9  # losses that differ by less than this share count as the same
OPERATIONS = 4  # roundings of an entry on its way into a sum


class Bound(NamedTuple):
    """A lower bound of the loss, and what follows from its prices."""

    lower: float  # valid whatever the rounding: `margin` is taken off
    margin: float
    limit: np.ndarray  # float64 (n,), base - price
    earned: np.ndarray  # float64 (n,), what each candidate earns


class Start(NamedTuple):
    """What a climb says about where to look for medoids."""

    medoids: np.ndarray  # int64 (k,), to start swaps from
    candidates: np.ndarray  # bool (n,), which rows the climb chose now and then


class Ascent:
    """Prices on their way to a high bound, from k medoids that are known."""

    def __init__(
        self, items: Items, medoids: np.ndarray, status: np.ndarray, progress: bool = False, small: bool = False
    ) -> None:
        """`status` says what is known of the candidates. Where the problem is `small`, all pairs may be listed."""
        n, k = items.n, len(medoids)
        self.rounding = items.rounding
        depth = min(LISTED_MEDOIDS, k)
        near = items.nearest(medoids, depth)[1]
        reach = near[-1].copy() if depth < k else np.full(n, -np.inf, items.dtype)
        self.items, self.lists = _listed(items, reach, small, progress)
        upper = loss_of(items, medoids)
        self.problem = Problem(k, items.base, status, items.weight, upper, np.inf)
        near = near.astype(np.float64)
        start = (near[0] + near[1]) / 2 if k > 1 else np.full(n, _lowest(self.items))
        high = np.maximum(items.self_closeness.astype(np.float64), near[0])
        direction, earned, often = np.zeros((3, n))
        chosen, served = np.zeros(n, bool), np.zeros(n, np.int32)
        low = reach.astype(np.float64)
        self.climb = Climb(start, low, high, direction, earned, chosen, served, often, start.copy())
        self.begin(status, start, upper, FIRST_LENGTH)

    def begin(self, status: np.ndarray, limit: np.ndarray, upper: float, length: float) -> None:
        """Begin a climb: with what is known of the candidates, from these limits, by steps of this length."""
        self.problem = self.problem._replace(status=status, upper=upper)
        if self.lists is not None:
            entries = np.sum((self.lists.stop - self.lists.start)[status != NEVER])
            self.in_parallel = bool(entries >= IN_PARALLEL)
        self.climb.limit[:] = self.climb.best[:] = limit
        self.climb.direction[:] = self.climb.often[:] = 0
        self._round()
        self.pace = Pace(-np.inf, length, 0)
        self.n_steps = 0

    def steps(self, most: int, goal: float, shortest: float = LAST_LENGTH) -> Iterator[float]:
        """Climb by at most so many steps; yields the highest bound so far, rounding left aside, now and then.

        The climb ends where the bound reaches `goal`, or where its steps are shorter than `shortest`.
        """
        self.problem = self.problem._replace(goal=goal)
        while self.n_steps < most and self.pace.length >= shortest and self.pace.bound < goal:
            rounds = min(ROUNDS, most - self.n_steps)
            self._ascend(rounds)
            self.n_steps += rounds
            yield self.pace.bound

    def favourites(self) -> np.ndarray:
        """The k candidates that were chosen most often in the last steps, int64 (k,), ascending; ties to the lowest."""
        status = self.problem.status
        often = np.select([status == MUST, status == NEVER], [np.inf, -np.inf], self.climb.often)
        return np.sort(np.argsort(-often, kind="stable")[: self.problem.k])

    def bound(self) -> Bound:
        """The highest bound so far."""
        limit, earned = self.climb.best, self.climb.earned
        self._earn(limit)
        total = kernels.choose(self.problem, earned, self.climb.chosen)
        prices = self.items.base - limit
        margin = margin_of(self.items, self.rounding, prices, total)
        return Bound(all_of(self.items, prices) - total - margin, margin, limit.copy(), earned.copy())

    @property
    def at_rest(self) -> bool:
        """Whether more steps would bring nothing: they are short, or the goal is reached."""
        return self.pace.length < LAST_LENGTH or self.pace.bound >= self.problem.goal

    def _ascend(self, rounds: int) -> None:
        """So many steps, fewer at the top."""
        if self.lists is not None and not self.in_parallel:
            self.pace = kernels.ascend(self.lists, self.problem, self.climb, self.pace, rounds)
            return
        for _ in range(rounds):
            self._earn(self.climb.limit)
            if self.lists is not None:
                self.pace = kernels.advance(self.lists, self.problem, self.climb, self.pace)
            else:
                self._advance_by_rows()
            if self.pace.bound >= self.problem.goal or not self.pace.length:
                return

    def _advance_by_rows(self) -> None:
        """One step, where whole rows serve."""
        bound = kernels.bound_of(self.problem, self.climb)
        self.climb.served[:] = self.items.count_closer(np.flatnonzero(self.climb.chosen), self.climb.limit)
        self.pace = kernels.step(self.problem, self.climb, bound, self.pace)
        self._round()

    def _earn(self, limit: np.ndarray) -> None:
        """What each candidate earns at these limits, into the climb."""
        if self.lists is not None:
            earn = kernels.earn_in_parallel if self.in_parallel else kernels.earn
            earn(self.lists, self.problem, limit, self.climb.earned)
        else:
            self.climb.earned[:] = self.items.gains(np.arange(self.items.n), limit.astype(self.items.dtype))

    def _round(self) -> None:
        """Where whole rows serve, limits are numbers of the type of closeness."""
        if self.lists is None:
            self.climb.limit[:] = self.climb.limit.astype(self.items.dtype)


def start(items: Items, medoids: np.ndarray, must: np.ndarray, never: np.ndarray) -> Start:
    """Where to look for medoids: in the rows that the climb from these k medoids chooses most often.

    Rows of `must` come first, rows of `never` are left out. The climb ends while it still swings between the candidates
    that share the best places. That is what an average over its steps is good for: Barahona & Anbil (2000) show that it
    nears a solution of the linear relaxation.
    """
    ascent = Ascent(items, medoids, status_of(items.n, must, never))
    for _ in ascent.steps(START_STEPS, np.inf, START_LENGTH):
        pass
    favourites = ascent.favourites()
    medoids = np.concatenate([must, favourites[~np.isin(favourites, must)]])
    return Start(medoids, ascent.climb.often > SELDOM)


def lower(items: Items, medoids: np.ndarray, limit: np.ndarray | None = None) -> tuple[float, np.ndarray]:
    """No choice of as many medoids as these has a smaller loss, whatever the rounding; and the limits (n,) behind it.

    The climb begins at the limits that were found for another number of medoids, if they are given.
    """
    ascent = Ascent(items, medoids, np.full(items.n, FREE, np.int8))
    if limit is not None:
        near = np.clip(limit, ascent.climb.low, ascent.climb.high)
        ascent.begin(ascent.problem.status, near, ascent.problem.upper, NEAR_LENGTH)
    for _ in ascent.steps(MOST_STEPS, np.inf):
        pass
    found = ascent.bound()
    return float(np.ceil(found.lower)) if items.whole_losses() else found.lower, found.limit


def status_of(n: int, must: np.ndarray, never: np.ndarray) -> np.ndarray:
    """What is known of the n candidates, int8 (n,)."""
    status = np.full(n, FREE, np.int8)
    status[must] = MUST
    status[never] = NEVER
    return status


def loss_of(items: Items, medoids: np.ndarray) -> float:
    """The loss with these medoids, each of which serves itself."""
    nearest = items.nearest(medoids, 1)[1][0]
    nearest[medoids] = items.self_closeness[medoids]
    return items.loss(nearest)


def all_of(items: Items, amounts: np.ndarray) -> float:
    """The sum of an amount (n,) over all items, by their weights."""
    return float(np.sum(amounts if items.weight is None else items.weight * amounts))


def decided(bound: Bound, k: int, status: np.ndarray, reached: float) -> np.ndarray:
    """The status (n,) with what is decided for all choices that have a smaller loss than `reached`.

    To force candidate j in costs what the last of the chosen earns more than j. To keep j out costs what it earns more
    than the best of those that are not chosen. Where the bound rises to `reached`, no such choice has a smaller loss.
    """
    status, free = status.copy(), np.flatnonzero(status == FREE)
    wanted = k - int(np.sum(status == MUST))
    if wanted > 0:
        earned = bound.earned[free]
        falling = np.sort(earned)[::-1]
        out = bound.lower + falling[wanted - 1] - earned >= reached
        into = bound.lower + earned - falling[wanted] >= reached if wanted < len(free) else np.ones(len(free), bool)
        status[free[out]] = NEVER
        status[free[into]] = MUST
    return status


def _listed(items: Items, reach: np.ndarray, small: bool, progress: bool) -> tuple[Items, Lists | None]:
    """Lists of what is closer to an item than its reach, if they are worth it, and the items that go with them."""
    most = 1.0 if small or items.n <= SMALL else LISTED_SHARE
    lists = items.lists(reach, progress=progress, most=most)
    if lists is None:
        items = items.at_hand(progress)
        lists = items.lists(reach, progress=progress, most=most)
    return items, lists


def _lowest(items: Items) -> float:
    """The smallest closeness of any two items."""
    return min(float(np.min(items.closeness(block))) for block in items.blocks())


def margin_of(items: Items, rounding: float, prices: np.ndarray, earned: float) -> float:
    """By how much rounding may have lifted the bound: that of the entries, and that of sums of n float64 numbers."""
    eps = np.finfo(np.float64).eps
    sums = eps * (items.n + OPERATIONS) * (all_of(items, np.abs(prices)) + abs(earned))
    return all_of(items, np.full(items.n, rounding)) + float(sums)
