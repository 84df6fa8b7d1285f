"""Loops of the lower bound: what a candidate earns at given prices, and the climb from prices to better prices.

The bound and its words stand in `simlib._engine.dual`. A price is kept as the limit base - price: an item pays only a
candidate that is closer to it than its limit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from simlib._engine.kernels.compile import compiled
from simlib._engine.kernels.weights import weighed

MUST, FREE, NEVER = 1, 0, -1  # what is known of a candidate: a medoid for sure, open, no medoid
SURPLUS = 5e-4  # the climb aims a little above the least known loss, by this share of it
KEPT = 0.7  # share of the old direction in the new one
PATIENCE = 10  # steps without a notable rise after which the steps become shorter
NOTABLE = 1e-5  # a rise by less than this share of the least known loss is not notable
SHORTER = 0.7  # how much shorter
FADING = 0.95  # weight of the past in how often a candidate was chosen


class Climb(NamedTuple):
    """Where the climb stands. All arrays are (n,)."""

    limit: np.ndarray  # float64, base - price of each item
    low: np.ndarray  # float64, the lists hold every candidate that is closer than this
    high: np.ndarray  # float64, a limit above this is of no use: no candidate is closer
    direction: np.ndarray  # float64, where the last steps went
    earned: np.ndarray  # float64, what each candidate earns at `limit`
    chosen: np.ndarray  # bool, the k candidates that earn most
    served: np.ndarray  # int32, how many chosen candidates are closer to an item than its limit
    often: np.ndarray  # float64, how often a candidate was chosen lately, in [0, 1]
    best: np.ndarray  # float64, the limits of the highest bound so far


class Problem(NamedTuple):
    """What is asked for."""

    k: int
    base: float
    status: np.ndarray  # int8 (n,): MUST, FREE or NEVER
    weight: np.ndarray | None  # float64 (n,), how much each item counts; None: all count once
    upper: float  # the least known loss
    goal: float  # a bound as high as this is high enough


class Pace(NamedTuple):
    """How the climb goes."""

    bound: float  # the highest so far
    length: float  # of the next step, as a share of the distance to `upper`; 0 at the top
    since_rise: int  # steps since the last notable rise


@compiled
def earn(lists, problem, limit, earned):
    """What each candidate earns: the sum of closeness - limit over the items that are closer to it than their limit.

    A candidate that is NEVER a medoid earns 0. Reads lists, problem, limit float64 (n,). Writes earned float64 (n,).
    """
    for j in range(len(earned)):
        earned[j] = _earnings(lists, problem, limit, j)


@compiled(parallel=True)
def earn_in_parallel(lists, problem, limit, earned):
    """`earn` on all cores, with the same bits.

    Reads lists, problem, limit float64 (n,). Writes earned float64 (n,).
    """
    for j in prange(len(earned)):
        earned[j] = _earnings(lists, problem, limit, j)


@compiled
def _earnings(lists, problem, limit, j):
    """What candidate j earns.

    Reads lists, problem, limit float64 (n,).
    """
    items, closeness, weight = lists.items, lists.closeness, problem.weight
    total = 0.0
    if problem.status[j] == NEVER:
        return total
    for e in range(lists.start[j], lists.stop[j]):
        total += weighed(max(np.float64(closeness[e]) - limit[items[e]], 0.0), weight, items[e])
    return total


@compiled
def choose(problem, earned, chosen):
    """Choose k candidates: those that must be, then the free ones that earn most, ties to the lowest index.

    Reads problem, earned float64 (n,). Writes chosen bool (n,). Returns what the chosen ones earn together.
    """
    status = problem.status
    wanted = problem.k - np.sum(status == MUST)
    free = earned[status == FREE]
    least = np.inf
    if wanted > 0:
        least = np.partition(free, len(free) - wanted)[len(free) - wanted]
    ties = wanted - np.sum(free > least)
    total = 0.0
    for j in range(len(earned)):
        chosen[j] = status[j] == MUST
        if status[j] == FREE and earned[j] > least:
            chosen[j] = True
        elif status[j] == FREE and earned[j] == least and ties > 0:
            chosen[j] = True
            ties -= 1
        if chosen[j]:
            total += earned[j]
    return total


@compiled
def serve(lists, chosen, limit, served):
    """How many chosen candidates are closer to each item than its limit.

    Reads lists, chosen bool (n,), limit float64 (n,). Writes served int32 (n,).
    """
    items, closeness = lists.items, lists.closeness
    served[:] = 0
    for j in range(len(chosen)):
        if chosen[j]:
            for e in range(lists.start[j], lists.stop[j]):
                served[items[e]] += np.float64(closeness[e]) > limit[items[e]]


@compiled
def bound_of(problem, climb):
    """The bound at these limits: all prices less what the k chosen candidates earn.

    Reads problem, climb. Writes climb.chosen.
    """
    prices = 0.0
    for o in range(len(climb.limit)):
        prices += weighed(problem.base - climb.limit[o], problem.weight, o)
    return prices - choose(problem, climb.earned, climb.chosen)


@compiled
def step(problem, climb, bound, pace):
    """Go from limits whose bound is known to the next ones.

    An item that no chosen candidate serves offers a higher price, one that several serve a lower price. Reads problem.
    Reads and writes climb. Returns the pace of what follows.
    """
    best, length, since_rise = pace.bound, pace.length, pace.since_rise
    limit, direction = climb.limit, climb.direction
    for j in range(len(limit)):
        climb.often[j] = FADING * climb.often[j] + (1.0 - FADING) * climb.chosen[j]
    since_rise = 0 if bound > best + NOTABLE * abs(problem.upper) else since_rise + 1
    if bound > best:
        best = bound
        climb.best[:] = limit
    if since_rise > PATIENCE:
        limit[:] = climb.best
        direction[:] = 0.0
        return Pace(best, SHORTER * length, 0)
    square = 0.0
    for o in range(len(limit)):
        unserved = weighed(np.float64(1 - climb.served[o]), problem.weight, o)
        direction[o] = KEPT * direction[o] + (1.0 - KEPT) * unserved
        square += direction[o] ** 2
    if square == 0.0:  # every item is served once: the bound is the loss of the chosen candidates
        return Pace(best, 0.0, 0)
    ahead = length * (problem.upper + SURPLUS * abs(problem.upper) - bound) / square
    for o in range(len(limit)):
        limit[o] = min(max(limit[o] - ahead * direction[o], climb.low[o]), climb.high[o])
    return Pace(best, length, since_rise)


@compiled
def advance(lists, problem, climb, pace):
    """One step, by lists, where it is known what each candidate earns.

    Reads lists, problem. Reads and writes climb. Returns the pace of what follows.
    """
    bound = bound_of(problem, climb)
    serve(lists, climb.chosen, climb.limit, climb.served)
    return step(problem, climb, bound, pace)


@compiled
def ascend(lists, problem, climb, pace, rounds):
    """So many steps by lists, or fewer where the bound reaches its goal or its top.

    Reads lists, problem. Reads and writes climb. Returns the pace of what follows.
    """
    for _ in range(rounds):
        earn(lists, problem, climb.limit, climb.earned)
        pace = advance(lists, problem, climb, pace)
        if pace.bound >= problem.goal or pace.length == 0.0:
            break
    return pace
