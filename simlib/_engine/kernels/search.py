"""Loops of the swap search: they judge a candidate, exchange it for a medoid, and keep the nearest medoids known.

The formula, the invariants and the words are those of the architecture page, `simlib._engine`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from simlib._engine.kernels.compile import compiled
from simlib._engine.kernels.lists import NONE, TOGETHER, closer
from simlib._engine.kernels.nearest import insert
from simlib._engine.kernels.weights import weighed

STRIP = 128  # items whose nearest medoids are searched together for one that goes: few hold it


class Cache(NamedTuple):
    """The nearest-medoid cache: the nearest medoids of every item, `depth` of them or as many as are known."""

    position: np.ndarray  # int32 (depth, n), -1 where unknown
    closeness: np.ndarray  # float32 or float64 (depth, n), -inf where unknown
    known_radius: np.ndarray  # (n,), of the same type: every medoid closer than this is stored
    medoids: np.ndarray  # int64 (k,)
    barred: np.ndarray  # bool (n,), no candidates: the medoids, and what may not become one
    removal: np.ndarray  # float64 (k,), the removal losses
    stale: np.ndarray  # bool (k,), which of them an exchange has changed since they were computed


class Terms(NamedTuple):
    """What a swap is judged by, beside the closeness."""

    weight: np.ndarray | None  # float64 (n,), how much each item counts; None: all count once
    fixed: int  # so many medoids, the first ones, are never taken away
    tolerance: float  # a swap must lower the loss by more than this


class Scratch(NamedTuple):
    """Space that the loops write to and forget."""

    items: np.ndarray  # int32 (2 n + TOGETHER,)
    closeness: np.ndarray  # (2 n + TOGETHER,)
    incomplete: np.ndarray  # int32 (2 n + TOGETHER,), items left with fewer than two known medoids


@compiled
def update_removal(cache, terms):
    """Bring the removal losses up to date: what it would cost if a medoid's items went to their second-nearest.

    A medoid that must stay has the removal loss inf. Reads terms, and the nearest medoids of cache, two of every item.
    Reads and writes cache.removal and cache.stale.
    """
    owner, first, second = cache.position[0], cache.closeness[0], cache.closeness[1]
    removal, stale = cache.removal, cache.stale
    if not stale.any():
        return
    for r in range(len(stale)):
        if stale[r]:
            removal[r] = 0.0
    for o in range(len(owner)):
        if stale[owner[o]]:
            removal[owner[o]] += weighed(np.float64(first[o]) - np.float64(second[o]), terms.weight, o)
    removal[: terms.fixed] = np.inf
    stale[:] = False


@compiled
def best_swap(items, closeness, cache, cheapest, change, weight):
    """The medoid whose exchange for a candidate lowers the loss most, and the change: removal - saved - gain.

    Reads items int32 (m,) and closeness (m,): all items that are closer to the candidate than to their second-nearest
    medoid; others may be among them. Reads cache, whose removal losses are up to date, and `cheapest`, the position of
    the smallest; weight float64 (n,) or None. Reads and writes change float64 (k,), which equals the removal losses
    before and after. Returns (position, change).
    """
    owner, first, second, removal = cache.position[0], cache.closeness[0], cache.closeness[1], cache.removal
    gain = 0.0
    for e in range(len(items)):
        o, c = items[e], closeness[e]
        gain += weighed(max(np.float64(c) - np.float64(first[o]), 0.0), weight, o)
        saved = np.float64(max(min(c, first[o]), second[o])) - np.float64(second[o])
        change[owner[o]] -= weighed(saved, weight, o)
    if len(items) >= len(change):
        r = np.argmin(change)
        best = change[r]
        change[:] = removal
        return r, best - gain
    # With few items, only the medoids that own one of them can be better than the cheapest.
    best, r = change[cheapest], cheapest
    change[cheapest] = removal[cheapest]
    for e in range(len(items)):
        s = owner[items[e]]
        if change[s] < best or (change[s] == best and s < r):
            best, r = change[s], s
        change[s] = removal[s]
    return r, best - gain


@compiled
def exchange(j, r, items, closeness, cache, incomplete):
    """Put item j in place of the medoid at position r, and bring the cache up to date.

    Reads items int32 (m,) and closeness (m,): all items that are closer to j than their known radius, others may be
    among them. Reads and writes cache. Writes incomplete int32: the items left with fewer than two known medoids.
    Returns how many these are.
    """
    cache.barred[cache.medoids[r]] = False
    cache.barred[j] = True
    cache.medoids[r] = j
    position, known, known_radius = cache.position, cache.closeness, cache.known_radius
    cache.stale[r] = True
    shortened = _forget(r, position, known, cache.stale, incomplete)
    last = len(position) - 1
    for e in range(len(items)):
        o, c = items[e], closeness[e]
        if c > known_radius[o]:
            # j or the last medoid, whichever is farther, is no longer in the cache: the radius rises to its closeness.
            known_radius[o] = max(known_radius[o], min(c, known[last, o]))
            if c > known[last, o]:
                is_one_of_two = c > known[1, o]
                if is_one_of_two:
                    cache.stale[position[0, o]] = True
                insert(position, known, o, last, r, c)
                if is_one_of_two:
                    cache.stale[position[0, o]] = True
    m = 0
    for e in range(shortened):
        if position[1, incomplete[e]] < 0:
            incomplete[m] = incomplete[e]
            m += 1
    return m


@compiled
def _forget(r, position, closeness, stale, shortened):
    """Take medoid r out of the cache; the medoids behind it move up and the last place becomes unknown.

    Reads and writes position int32 (depth, n), closeness (depth, n). Writes shortened int32: the items that had it;
    stale bool (k,): True for those that own one of these items which lost one of its two nearest. Returns how many
    items had it.
    """
    depth, n = position.shape
    m, gone = 0, np.int32(r)
    for t in range(depth):
        for left in range(0, n, STRIP):
            some, found = position[t, left : left + STRIP], False
            for o in range(len(some)):
                found |= some[o] == gone
            if found:
                for o in range(left, left + len(some)):
                    if position[t, o] == gone:
                        for u in range(t, depth - 1):
                            position[u, o] = position[u + 1, o]
                            closeness[u, o] = closeness[u + 1, o]
                        position[depth - 1, o] = -1
                        closeness[depth - 1, o] = -np.inf
                        if t < 2:
                            stale[position[0, o]] = True
                        shortened[m] = o
                        m += 1
    return m


@compiled
def listed_closer(j, lists, chains, bound, items, closeness):
    """Collect the items that are closer to candidate j than their bound: from j's list, then from what was added to it.

    Reads lists, chains, bound (n,). Writes items int32, closeness. Returns how many they are.
    """
    m = 0
    listed, close = lists.items, lists.closeness
    for e in range(lists.start[j], lists.stop[j]):
        items[m] = listed[e]
        closeness[m] = close[e]
        m += closeness[m] > bound[items[m]]
    e = chains.newest[j]
    while e != NONE:
        items[m] = chains.items[e]
        closeness[m] = chains.closeness[e]
        m += closeness[m] > bound[items[m]]
        e = chains.before[e]
    return m


@compiled
def exchange_by_list(j, r, lists, chains, cache, scratch):
    """`exchange`, with the items found by candidate j's list.

    Reads lists, chains. Reads and writes cache. Writes scratch.
    """
    m = listed_closer(j, lists, chains, cache.known_radius, scratch.items, scratch.closeness)
    return exchange(j, r, scratch.items[:m], scratch.closeness[:m], cache, scratch.incomplete)


@compiled
def exchange_by_row(j, r, row, factor, cache, scratch):
    """`exchange`, with the items found in candidate j's row.

    Reads row (n,). Reads and writes cache. Writes scratch.
    """
    m = closer(row, factor, cache.known_radius, scratch.items, scratch.closeness)
    return exchange(j, r, scratch.items[:m], scratch.closeness[:m], cache, scratch.incomplete)


@compiled
def swap_by_lists(first, last, lists, chains, cache, since_swap, terms, scratch):
    """Judge candidates first, ..., last - 1 in order, and swap at once where the loss falls.

    Reads lists, chains, terms. Reads and writes cache. Writes scratch. Stops early when an item is left incomplete,
    or when n candidates in a row brought nothing (`since_swap` counts them). Returns (next candidate, swaps made,
    since_swap, number of incomplete items).
    """
    n = len(cache.barred)
    update_removal(cache, terms)
    change, cheapest = cache.removal.copy(), np.argmin(cache.removal)
    swaps, n_incomplete = 0, 0
    items, closeness = scratch.items, scratch.closeness
    j = first
    while j < last and since_swap < n and not n_incomplete:
        since_swap += 1
        if not cache.barred[j]:
            m = listed_closer(j, lists, chains, cache.closeness[1], items, closeness)
            r, delta = best_swap(items[:m], closeness[:m], cache, cheapest, change, terms.weight)
            if delta < -terms.tolerance:
                n_incomplete = exchange_by_list(j, r, lists, chains, cache, scratch)
                if not n_incomplete:
                    update_removal(cache, terms)
                    change[:] = cache.removal
                    cheapest = np.argmin(cache.removal)
                swaps += 1
                since_swap = 0
        j += 1
    return j, swaps, since_swap, n_incomplete


@compiled(parallel=True)
def first_swap_by_lists(first, last, lists, chains, cache, terms, found):
    """The first of candidates first, ..., last - 1 that a swap brings in; `last` if no swap lowers the loss.

    Reads lists, chains, terms. Reads cache, and brings its removal losses up to date. Writes found int64 (parts,):
    the first in each part of the candidates, or `last`.
    """
    update_removal(cache, terms)
    cheapest, parts = np.argmin(cache.removal), len(found)
    found[:] = last
    for part in prange(parts):
        room = 2 * len(cache.barred) + TOGETHER
        items, closeness = np.empty(room, np.int32), np.empty(room, lists.closeness.dtype)
        change = cache.removal.copy()
        for j in range(first + part * (last - first) // parts, first + (part + 1) * (last - first) // parts):
            if cache.barred[j]:
                continue
            m = listed_closer(j, lists, chains, cache.closeness[1], items, closeness)
            if best_swap(items[:m], closeness[:m], cache, cheapest, change, terms.weight)[1] < -terms.tolerance:
                found[part] = j
                break
    return found.min()


@compiled(parallel=True)
def best_swaps_by_rows(rows, first, factor, cache, terms, position, change_by):
    """Judge candidates first, first + 1, ... by their rows, each on its own, all against the same medoids.

    Reads rows (p, n), terms, and cache, whose removal losses are up to date. Writes, for each candidate, position int64
    (p,) of the medoid to exchange and change_by float64 (p,), the change of the loss; inf for what is no candidate.
    """
    cheapest = np.argmin(cache.removal)
    for i in prange(len(rows)):
        if cache.barred[first + i]:
            position[i], change_by[i] = 0, np.inf
            continue
        room = rows.shape[1] + TOGETHER
        items, closeness = np.empty(room, np.int32), np.empty(room, rows.dtype)
        m = closer(rows[i], factor, cache.closeness[1], items, closeness)
        position[i], change_by[i] = best_swap(
            items[:m], closeness[:m], cache, cheapest, cache.removal.copy(), terms.weight
        )


@compiled
def refill(incomplete, columns, reach, deep, cache, beyond):
    """Find the nearest medoids of incomplete items anew, from their closeness to all medoids.

    Reads incomplete int32 (m,), columns (k, m), reach (n,): the lists hold nothing beyond it. Reads and writes cache.
    Writes beyond int32 (m,): the items whose second-nearest medoid lies beyond their reach; they know `deep` medoids
    then, and their reach is to be lowered to their known radius. Returns how many these are.
    """
    position, closeness, known_radius = cache.position, cache.closeness, cache.known_radius
    last, m = len(position) - 1, 0
    for i in range(len(incomplete)):
        o = incomplete[i]
        position[:, o] = -1
        closeness[:, o] = -np.inf
        for r in range(len(columns)):
            if columns[r, i] > closeness[last, o]:
                insert(position, closeness, o, last, r, columns[r, i])
        cache.stale[position[0, o]] = True
        known_radius[o] = closeness[last, o] if last + 1 < len(columns) else -np.inf
        least = reach[o]
        if closeness[1, o] < least:
            least = closeness[deep - 1, o]
            beyond[m] = o
            m += 1
        if known_radius[o] < least:
            _trim(o, least, cache)
    return m


@compiled
def trim(reach, cache):
    """Forget what the items know beyond their reach: the lists could not keep it up to date.

    Reads reach (n,). Reads and writes cache.
    """
    for o in range(len(reach)):
        _trim(o, reach[o], cache)


@compiled
def _trim(o, reach, cache):
    """`trim` for one item, o."""
    cache.known_radius[o] = reach
    for t in range(2, len(cache.position)):
        if cache.closeness[t, o] < reach:
            cache.position[t, o] = -1
            cache.closeness[t, o] = -np.inf
