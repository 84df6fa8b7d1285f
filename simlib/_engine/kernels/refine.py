"""Loops that exchange a few medoids at random and repair the damage, thousands of times a second.

They work on a small part of the problem: only the candidates of the core may be medoids, and an item knows only those
of them that are closer to it than its limit. Beyond that it counts as served at its limit. So a loss here may be too
small, never too large, and the caller judges the end by the whole problem.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simlib._engine.kernels.compile import compiled

MOST_FORCED = 4  # exchanges made at random before the next repair
NOTABLE = 1e-9  # a change of the loss by less than this share is none


class Core(NamedTuple):
    """The part of the problem: m candidates, n items, and the pairs that are closer than the item's limit."""

    start: np.ndarray  # int64 (n + 1,), where the candidates of each item begin, the closest first
    candidate: np.ndarray  # int32, a number in 0..m - 1
    closeness: np.ndarray  # float64
    first: np.ndarray  # int64 (m + 1,), where the items of each candidate begin
    item: np.ndarray  # int32
    close: np.ndarray  # float64, closeness of that item to the candidate
    limit: np.ndarray  # float64 (n,)


class Medoids(NamedTuple):
    """Which candidates are medoids now, and what follows for the items."""

    chosen: np.ndarray  # int32 (k,), the candidates that are medoids
    place: np.ndarray  # int32 (m,), a medoid's position in `chosen`, -1 for the others
    owner: np.ndarray  # int32 (n,), position of the nearest medoid, -1 where none is known
    second: np.ndarray  # int32 (n,), position of the second-nearest
    c1: np.ndarray  # float64 (n,), closeness to the nearest, or the limit
    c2: np.ndarray  # float64 (n,), closeness to the second-nearest, or the limit
    removal: np.ndarray  # float64 (k,), what each medoid's removal would cost
    change: np.ndarray  # float64 (k,), zeros between two looks


class Desk(NamedTuple):
    """Space that the loops write to."""

    waiting: np.ndarray  # int32 (m,), candidates that are to be judged
    waits: np.ndarray  # bool (m,)
    was: np.ndarray  # int32 (log,), medoids that went, in order
    position: np.ndarray  # int32 (log,), their positions


@compiled
def serve(core, medoids, o):
    """Find item o's two nearest medoids. Reads core. Reads and writes medoids."""
    owner, second = -1, -1
    c1 = c2 = core.limit[o]
    for e in range(core.start[o], core.start[o + 1]):
        r = medoids.place[core.candidate[e]]
        if r >= 0:
            if owner < 0:
                owner, c1 = r, core.closeness[e]
            else:
                second, c2 = r, core.closeness[e]
                break
    if medoids.owner[o] >= 0:
        medoids.removal[medoids.owner[o]] -= medoids.c1[o] - medoids.c2[o]
    if owner >= 0:
        medoids.removal[owner] += c1 - c2
    gain = c1 - medoids.c1[o]
    medoids.owner[o], medoids.second[o] = owner, second
    medoids.c1[o], medoids.c2[o] = c1, c2
    return gain


@compiled
def serve_all(core, medoids):
    """Find all items' nearest medoids. Reads core, medoids.chosen. Writes the rest of medoids."""
    medoids.place[:] = -1
    for r in range(len(medoids.chosen)):
        medoids.place[medoids.chosen[r]] = r
    medoids.owner[:] = -1
    medoids.removal[:] = 0.0
    medoids.c1[:] = core.limit
    for o in range(len(core.limit)):
        serve(core, medoids, o)


@compiled
def exchange(core, medoids, j, r, desk, n_waiting):
    """Put candidate j in place of the medoid at position r; the candidates that may now help are to be judged.

    Reads core. Reads and writes medoids, desk. Returns by how much the total closeness rises, and how many wait.
    """
    out = medoids.chosen[r]
    medoids.place[out] = -1
    medoids.place[j] = r
    medoids.chosen[r] = j
    rise = 0.0
    for c in (np.int64(out), np.int64(j)):
        for e in range(core.first[c], core.first[c + 1]):
            o = core.item[e]
            concerned = medoids.owner[o] == r or medoids.second[o] == r
            if concerned or core.close[e] > medoids.c2[o]:
                least = medoids.c2[o]
                rise += serve(core, medoids, o)
                n_waiting = _awake(core, medoids, o, min(least, medoids.c2[o]), desk, n_waiting)
    return rise, n_waiting


@compiled
def _awake(core, medoids, o, least, desk, n_waiting):
    """Have the candidates judged that are closer to item o than `least`.

    Reads core, medoids. Reads and writes desk. Returns how many wait.
    """
    for e in range(core.start[o], core.start[o + 1]):
        if core.closeness[e] <= least:
            break
        c = core.candidate[e]
        if not desk.waits[c] and medoids.place[c] < 0:
            desk.waits[c] = True
            desk.waiting[n_waiting] = c
            n_waiting += 1
    return n_waiting


@compiled
def judge(core, medoids, j, cheapest):
    """The best medoid to exchange for candidate j, and by how much the total closeness would rise.

    Reads core, medoids; `cheapest` is the medoid whose removal costs least. Reads and writes medoids.change.
    """
    gain, change = 0.0, medoids.change
    for e in range(core.first[j], core.first[j + 1]):
        o, c = core.item[e], core.close[e]
        if c > medoids.c2[o]:
            gain += max(c - medoids.c1[o], 0.0)
            if medoids.owner[o] >= 0:
                change[medoids.owner[o]] += min(c, medoids.c1[o]) - medoids.c2[o]
    r, best = cheapest, change[cheapest] - medoids.removal[cheapest]
    for e in range(core.first[j], core.first[j + 1]):
        q = medoids.owner[core.item[e]]
        if q >= 0:
            if change[q] - medoids.removal[q] > best:
                r, best = q, change[q] - medoids.removal[q]
            change[q] = 0.0
    change[cheapest] = 0.0
    return r, best + gain


@compiled
def repair(core, medoids, desk, n_waiting, n_made, tolerance):
    """Judge the candidates that wait, and exchange where that helps, until none waits.

    Reads core. Reads and writes medoids, desk. Returns by how much the total closeness rises, and how many exchanges
    are on record.
    """
    rise, cheapest = 0.0, np.argmin(medoids.removal)
    while n_waiting > 0:
        n_waiting -= 1
        j = desk.waiting[n_waiting]
        desk.waits[j] = False
        if medoids.place[j] >= 0 or n_made == len(desk.was):
            continue
        r, better = judge(core, medoids, j, cheapest)
        if better > tolerance:
            desk.was[n_made] = medoids.chosen[r]
            desk.position[n_made] = r
            n_made += 1
            more, n_waiting = exchange(core, medoids, j, r, desk, n_waiting)
            rise += more
            cheapest = np.argmin(medoids.removal)
    return rise, n_made


@compiled
def force(core, medoids, desk, draw):
    """Exchange a few medoids of one neighbourhood at random.

    Reads core, draw float64 (2 + 3 * MOST_FORCED,), in [0, 1). Reads and writes medoids, desk. Returns by how much the
    total closeness rises, how many candidates wait, and how many exchanges are on record.
    """
    j = int(draw[1] * len(medoids.place))
    rise, n_waiting, n_made = 0.0, 0, 0
    for step in range(1 + int(draw[0] * MOST_FORCED)):
        a, b = core.first[j], core.first[j + 1]
        if medoids.place[j] >= 0 or a == b:
            break
        r = medoids.owner[core.item[a + int(draw[2 + 3 * step] * (b - a))]]
        if r < 0:
            break
        desk.was[n_made] = medoids.chosen[r]
        desk.position[n_made] = r
        n_made += 1
        more, n_waiting = exchange(core, medoids, j, r, desk, n_waiting)
        rise += more
        o = core.item[a + int(draw[3 + 3 * step] * (b - a))]
        j = np.int64(core.candidate[core.start[o] + int(draw[4 + 3 * step] * (core.start[o + 1] - core.start[o]))])
    return rise, n_waiting, n_made


@compiled
def kick(core, medoids, desk, draws, tolerance):
    """Exchange a few medoids at random, repair by exchanges that help, keep the end unless it is worse: many times.

    Reads core, draws float64 (times, 2 + 3 * MOST_FORCED), in [0, 1). Reads and writes medoids, desk. Returns by how
    much the total closeness rose.
    """
    total = 0.0
    for t in range(len(draws)):
        rise, n_waiting, n_made = force(core, medoids, desk, draws[t])
        more, n_made = repair(core, medoids, desk, n_waiting, n_made, tolerance)
        if rise + more > -tolerance:
            total += rise + more
            continue
        for e in range(n_made - 1, -1, -1):
            n_waiting = exchange(core, medoids, desk.was[e], desk.position[e], desk, 0)[1]
            for w in range(n_waiting):
                desk.waits[desk.waiting[w]] = False
    return total
