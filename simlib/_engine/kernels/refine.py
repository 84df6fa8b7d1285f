"""Loops that exchange a few medoids at random and repair the damage, hundreds of times a second.

They work on a part of the problem, the core. Only some candidates may become medoids, and an item knows only those that
are closer to it than its limit. An item that knows no medoid counts as served at its limit. So a loss in the core may
be too small, never too large, and the caller judges the end by the whole problem.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simlib._engine.kernels.compile import compiled
from simlib._engine.kernels.weights import weighed

MOST_FORCED = 4  # medoids exchanged at random before a repair
DRAWN = 3 + 3 * MOST_FORCED  # random numbers that one kick needs


class Core(NamedTuple):
    """m candidates, n items, and the pairs of them that are closer than the item's limit."""

    start: np.ndarray  # int64 (n + 1,), where the pairs of each item begin, its closest candidate first
    candidate: np.ndarray  # int32, in 0..m - 1
    closeness: np.ndarray  # float64
    first: np.ndarray  # int64 (m + 1,), where the pairs of each candidate begin
    item: np.ndarray  # int32, in 0..n - 1
    close: np.ndarray  # float64, the closeness of that item
    limit: np.ndarray  # float64 (n,)
    weight: np.ndarray | None  # float64 (n,), how much each item counts; None: all count once
    fixed: int  # so many medoids, the first ones, stay


class Served(NamedTuple):
    """Which candidates are medoids, and what follows for the items."""

    medoids: np.ndarray  # int32 (k,), in 0..m - 1
    place: np.ndarray  # int32 (m,), a medoid's position in `medoids`, -1 for the other candidates
    owner: np.ndarray  # int32 (n,), position of the nearest medoid, -1 if none is known
    second: np.ndarray  # int32 (n,), position of the second-nearest
    c1: np.ndarray  # float64 (n,), closeness to the nearest, or the limit
    c2: np.ndarray  # float64 (n,), closeness to the second-nearest, or the limit
    removal: np.ndarray  # float64 (k,), what the removal of each medoid would cost
    change: np.ndarray  # float64 (k,), zeros between two candidates


class Desk(NamedTuple):
    """Space that the loops write to."""

    waiting: np.ndarray  # int32 (m,), candidates that are to be judged
    waits: np.ndarray  # bool (m,), which those are
    left: np.ndarray  # int32, candidates that were medoids before each exchange of a kick
    position: np.ndarray  # int32, where they stood


@compiled
def serve_all(core, served):
    """Find the two nearest medoids of all items. Reads core, served.medoids. Writes the rest of served."""
    served.place[:] = -1
    for r in range(len(served.medoids)):
        served.place[served.medoids[r]] = r
    served.owner[:] = -1
    served.removal[:] = 0.0
    served.change[:] = 0.0
    served.c1[:] = core.limit
    served.c2[:] = core.limit
    for o in range(len(core.limit)):
        _serve(core, served, o)


@compiled
def _serve(core, served, o):
    """Find item o's two nearest medoids; returns by how much the total closeness rises.

    Reads core, served.place. Reads and writes the rest of served.
    """
    owner, second = -1, -1
    c1 = c2 = core.limit[o]
    for e in range(core.start[o], core.start[o + 1]):
        r = served.place[core.candidate[e]]
        if r >= 0 and owner < 0:
            owner, c1 = r, core.closeness[e]
        elif r >= 0:
            second, c2 = r, core.closeness[e]
            break
    if served.owner[o] >= 0:
        served.removal[served.owner[o]] -= weighed(served.c1[o] - served.c2[o], core.weight, o)
    if owner >= 0:
        served.removal[owner] += weighed(c1 - c2, core.weight, o)
    rise = weighed(c1 - served.c1[o], core.weight, o)
    served.owner[o], served.second[o] = owner, second
    served.c1[o], served.c2[o] = c1, c2
    return rise


@compiled
def _exchange(core, served, j, r, desk, n_waiting):
    """Put candidate j in place of the medoid at position r. Candidates that may now help are to be judged.

    Reads core. Reads and writes served, desk. Returns by how much the total closeness rises, and how many wait.
    """
    left = np.int64(served.medoids[r])
    served.place[left] = -1
    served.place[j] = r
    served.medoids[r] = j
    rise = 0.0
    for c in (left, np.int64(j)):
        for e in range(core.first[c], core.first[c + 1]):
            o = core.item[e]
            if served.owner[o] == r or served.second[o] == r or core.close[e] > served.c2[o]:
                c1, c2 = served.c1[o], served.c2[o]
                rise += _serve(core, served, o)
                if served.c1[o] < c1 or served.c2[o] < c2:
                    n_waiting = _await(core, served, o, desk, n_waiting)
    return rise, n_waiting


@compiled
def _await(core, served, o, desk, n_waiting):
    """Have the candidates judged that are closer to item o than its second-nearest medoid; returns how many wait.

    Reads core, served. Reads and writes desk.
    """
    for e in range(core.start[o], core.start[o + 1]):
        if core.closeness[e] <= served.c2[o]:
            break
        c = core.candidate[e]
        if not desk.waits[c] and served.place[c] < 0:
            desk.waits[c] = True
            desk.waiting[n_waiting] = c
            n_waiting += 1
    return n_waiting


@compiled
def _judge(core, served, j, cheapest):
    """The best medoid to exchange for candidate j, and by how much the total closeness would rise.

    Reads core, and served; `cheapest` is the medoid whose removal costs least. Reads and writes served.change.
    """
    gain, change = 0.0, served.change
    for e in range(core.first[j], core.first[j + 1]):
        o, c = core.item[e], core.close[e]
        if c > served.c2[o]:
            gain += weighed(max(c - served.c1[o], 0.0), core.weight, o)
            if served.owner[o] >= 0:
                change[served.owner[o]] += weighed(min(c, served.c1[o]) - served.c2[o], core.weight, o)
    r, best = cheapest, change[cheapest] - served.removal[cheapest]
    for e in range(core.first[j], core.first[j + 1]):
        q = served.owner[core.item[e]]
        if q >= core.fixed and change[q] - served.removal[q] > best:
            r, best = q, change[q] - served.removal[q]
    for e in range(core.first[j], core.first[j + 1]):
        q = served.owner[core.item[e]]
        if q >= 0:
            change[q] = 0.0
    return r, best + gain


@compiled
def _repair(core, served, desk, n_waiting, n_made, tolerance):
    """Judge the candidates that wait, and exchange where that helps, until none waits.

    Reads core. Reads and writes served, desk. Returns by how much the total closeness rises, and how many exchanges
    this kick has made so far.
    """
    rise, cheapest = 0.0, core.fixed + np.argmin(served.removal[core.fixed :])
    while n_waiting > 0:
        n_waiting -= 1
        j = desk.waiting[n_waiting]
        desk.waits[j] = False
        if served.place[j] >= 0 or n_made == len(desk.left):
            continue
        r, better = _judge(core, served, j, cheapest)
        if better > tolerance:
            desk.left[n_made], desk.position[n_made] = served.medoids[r], r
            n_made += 1
            more, n_waiting = _exchange(core, served, j, r, desk, n_waiting)
            rise += more
            cheapest = core.fixed + np.argmin(served.removal[core.fixed :])
    return rise, n_made


@compiled
def _force(core, served, desk, draw):
    """Exchange a few medoids of one neighbourhood at random.

    Reads core, draw. Reads and writes served, desk. Returns by how much the total closeness rises, how many candidates
    wait, and how many exchanges were made.
    """
    j = int(draw[1] * len(served.place))
    rise, n_waiting, n_made = 0.0, 0, 0
    for step in range(1 + int(draw[0] * MOST_FORCED)):
        one, other, third = draw[3 + 3 * step : 6 + 3 * step]
        first, size = core.first[j], core.first[j + 1] - core.first[j]
        if served.place[j] >= 0 or size == 0:
            break
        r = served.owner[core.item[first + int(one * size)]]
        if r < core.fixed:  # no medoid is known, or it stays
            break
        desk.left[n_made], desk.position[n_made] = served.medoids[r], r
        n_made += 1
        more, n_waiting = _exchange(core, served, j, r, desk, n_waiting)
        rise += more
        o = core.item[first + int(other * size)]
        j = np.int64(core.candidate[core.start[o] + int(third * (core.start[o + 1] - core.start[o]))])
    return rise, n_waiting, n_made


@compiled
def kick(core, served, desk, draws, heat, tolerance, level, best):
    """Exchange a few medoids at random, repair, and keep the end or go back: many times.

    An end is kept if the total closeness falls by less than a random share of `heat`. Reads core, draws float64
    (times, DRAWN), in [0, 1). Reads and writes served, desk. `level` float64 (2,) holds by how much the total closeness
    has risen since the beginning, now and at its highest. `best` int32 (k,) holds the medoids then. Both are kept up.
    """
    for t in range(len(draws)):
        rise, n_waiting, n_made = _force(core, served, desk, draws[t])
        more, n_made = _repair(core, served, desk, n_waiting, n_made, tolerance)
        if rise + more > -tolerance - heat * draws[t, 2]:
            level[0] += rise + more
            if level[0] > level[1] + tolerance:
                level[1] = level[0]
                best[:] = served.medoids
            continue
        for e in range(n_made - 1, -1, -1):
            _, n_waiting = _exchange(core, served, desk.left[e], desk.position[e], desk, 0)
            desk.waits[desk.waiting[:n_waiting]] = False
