"""Loops of the swap search: they judge a candidate, exchange it for a medoid, and keep the nearest medoids known.

The formula, the invariants and the words are those of the architecture page, `simlib._engine`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from simlib._engine.kernels.compile import compiled
from simlib._engine.kernels.lists import TOGETHER, closer
from simlib._engine.kernels.nearest import insert
from simlib._engine.kernels.weights import weighed

WIDE = 16  # items off the lists that lie side by side: their closeness to a candidate fills a line of the cache
STRIP = 128  # items whose nearest medoids are searched together for one that goes: few hold it


class Cache(NamedTuple):
    """The nearest-medoid cache: the nearest medoids of every item, `depth` of them or as many as are known."""

    position: np.ndarray  # int32 (depth, n), -1 where unknown
    closeness: np.ndarray  # float32 or float64 (depth, n), -inf where unknown
    known_radius: np.ndarray  # (n,), of the same type: every medoid closer than this is stored
    medoids: np.ndarray  # int64 (k,)
    barred: np.ndarray  # bool (n,), no candidates: the medoids, and what may not become one


class Terms(NamedTuple):
    """What a swap is judged by, beside the closeness."""

    weight: np.ndarray | None  # float64 (n,), how much each item counts; None: all count once
    fixed: int  # so many medoids, the first ones, are never taken away
    tolerance: float  # a swap must lower the loss by more than this


class OffList(NamedTuple):
    """Items whose second-nearest medoid lies beyond the reach of the lists; their whole rows are kept instead."""

    items: np.ndarray  # int32 (n,), in use as far as the search counts them
    rows: np.ndarray  # (groups, n, WIDE) closeness: rows[e // WIDE, :, e % WIDE] is the row of item number e


class Scratch(NamedTuple):
    """Space that the loops write to and forget."""

    items: np.ndarray  # int32 (2 n + TOGETHER,)
    closeness: np.ndarray  # (2 n + TOGETHER,)
    incomplete: np.ndarray  # int32 (2 n + TOGETHER,), items left with fewer than two known medoids


@compiled
def removal_losses(cache, terms):
    """What each medoid's removal would cost if its items went to their second-nearest medoid; inf where it must stay.

    Reads cache, terms. Returns float64 (k,).
    """
    loss = np.zeros(len(cache.medoids))
    owner, first, second = cache.position[0], cache.closeness[0], cache.closeness[1]
    for o in range(len(owner)):
        loss[owner[o]] += weighed(np.float64(first[o]) - np.float64(second[o]), terms.weight, o)
    loss[: terms.fixed] = np.inf
    return loss


@compiled
def best_swap(items, closeness, cache, removal, cheapest, change, weight):
    """The medoid whose exchange for a candidate lowers the loss most, and the change: removal - saved - gain.

    Reads items int32 (m,) and closeness (m,): all items that are closer to the candidate than to their second-nearest
    medoid; others may be among them. Reads cache; removal float64 (k,), and `cheapest`, the position of its smallest
    entry; weight float64 (n,) or None. Reads and writes change float64 (k,), which equals `removal` before and after.
    Returns (position, change).
    """
    owner, first, second = cache.position[0], cache.closeness[0], cache.closeness[1]
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
    shortened = _forget(r, position, known, incomplete)
    last = len(position) - 1
    for e in range(len(items)):
        o, c = items[e], closeness[e]
        if c > known_radius[o]:
            # j or the last medoid, whichever is farther, is no longer in the cache: the radius rises to its closeness.
            known_radius[o] = max(known_radius[o], min(c, known[last, o]))
            if c > known[last, o]:
                insert(position, known, o, last, r, c)
    m = 0
    for e in range(shortened):
        if position[1, incomplete[e]] < 0:
            incomplete[m] = incomplete[e]
            m += 1
    return m


@compiled
def _forget(r, position, closeness, shortened):
    """Take medoid r out of the cache; the medoids behind it move up and the last place becomes unknown.

    Reads and writes position int32 (depth, n), closeness (depth, n). Writes shortened int32: the items that had it.
    Returns how many these are.
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
                        shortened[m] = o
                        m += 1
    return m


@compiled
def listed_closer(j, lists, off_list, n_off, bound, items, closeness):
    """Collect the items that are closer to candidate j than their bound: from j's list, then from the kept rows.

    Reads lists, off_list as far as n_off, bound (n,). Writes items int32, closeness. Returns how many they are.
    """
    m = 0
    listed, close = lists.items, lists.closeness
    for e in range(lists.start[j], lists.stop[j]):
        items[m] = listed[e]
        closeness[m] = close[e]
        m += closeness[m] > bound[items[m]]
    reach = lists.reach
    for first in range(0, n_off, WIDE):
        side_by_side = off_list.rows[first // WIDE, j]
        for e in range(min(WIDE, n_off - first)):
            o, c = off_list.items[first + e], side_by_side[e]
            items[m] = o
            closeness[m] = c
            m += bound[o] < c <= reach[o]  # what is closer than its reach was in the list already
    return m


@compiled
def exchange_by_list(j, r, lists, off_list, n_off, cache, scratch):
    """`exchange`, with the items found by candidate j's list.

    Reads lists, off_list. Reads and writes cache. Writes scratch.
    """
    m = listed_closer(j, lists, off_list, n_off, cache.known_radius, scratch.items, scratch.closeness)
    return exchange(j, r, scratch.items[:m], scratch.closeness[:m], cache, scratch.incomplete)


@compiled
def exchange_by_row(j, r, row, factor, cache, scratch):
    """`exchange`, with the items found in candidate j's row.

    Reads row (n,). Reads and writes cache. Writes scratch.
    """
    m = closer(row, factor, cache.known_radius, scratch.items, scratch.closeness)
    return exchange(j, r, scratch.items[:m], scratch.closeness[:m], cache, scratch.incomplete)


@compiled
def swap_by_lists(first, last, lists, off_list, n_off, cache, since_swap, terms, scratch):
    """Judge candidates first, ..., last - 1 in order, and swap at once where the loss falls.

    Reads lists, off_list, terms. Reads and writes cache. Writes scratch. Stops early when an item is left incomplete,
    or when n candidates in a row brought nothing (`since_swap` counts them). Returns (next candidate, swaps made,
    since_swap, number of incomplete items).
    """
    n = len(cache.barred)
    removal = removal_losses(cache, terms)
    change, cheapest = removal.copy(), np.argmin(removal)
    swaps, n_incomplete = 0, 0
    items, closeness = scratch.items, scratch.closeness
    j = first
    while j < last and since_swap < n and not n_incomplete:
        since_swap += 1
        if not cache.barred[j]:
            m = listed_closer(j, lists, off_list, n_off, cache.closeness[1], items, closeness)
            r, delta = best_swap(items[:m], closeness[:m], cache, removal, cheapest, change, terms.weight)
            if delta < -terms.tolerance:
                n_incomplete = exchange_by_list(j, r, lists, off_list, n_off, cache, scratch)
                removal = removal_losses(cache, terms)
                change[:] = removal
                cheapest = np.argmin(removal)
                swaps += 1
                since_swap = 0
        j += 1
    return j, swaps, since_swap, n_incomplete


@compiled(parallel=True)
def first_swap_by_lists(first, last, lists, off_list, n_off, cache, terms, found):
    """The first of candidates first, ..., last - 1 that a swap brings in; `last` if no swap lowers the loss.

    Reads all but found. Writes found int64 (parts,): the first in each part of the candidates, or `last`.
    """
    removal = removal_losses(cache, terms)
    cheapest, parts = np.argmin(removal), len(found)
    found[:] = last
    for part in prange(parts):
        room = 2 * len(cache.barred) + TOGETHER
        items, closeness = np.empty(room, np.int32), np.empty(room, lists.closeness.dtype)
        change = removal.copy()
        for j in range(first + part * (last - first) // parts, first + (part + 1) * (last - first) // parts):
            if cache.barred[j]:
                continue
            m = listed_closer(j, lists, off_list, n_off, cache.closeness[1], items, closeness)
            if (
                best_swap(items[:m], closeness[:m], cache, removal, cheapest, change, terms.weight)[1]
                < -terms.tolerance
            ):
                found[part] = j
                break
    return found.min()


@compiled(parallel=True)
def best_swaps_by_rows(rows, first, factor, cache, terms, position, change_by):
    """Judge candidates first, first + 1, ... by their rows, each on its own, all against the same medoids.

    Reads rows (p, n), cache, terms. Writes, for each candidate, position int64 (p,) of the medoid to exchange and
    change_by float64 (p,), the change of the loss; inf for what is no candidate.
    """
    removal = removal_losses(cache, terms)
    cheapest = np.argmin(removal)
    for i in prange(len(rows)):
        if cache.barred[first + i]:
            position[i], change_by[i] = 0, np.inf
            continue
        room = rows.shape[1] + TOGETHER
        items, closeness = np.empty(room, np.int32), np.empty(room, rows.dtype)
        m = closer(rows[i], factor, cache.closeness[1], items, closeness)
        position[i], change_by[i] = best_swap(
            items[:m], closeness[:m], cache, removal, cheapest, removal.copy(), terms.weight
        )


@compiled
def refill(incomplete, columns, reach, cache, off_list, n_off):
    """Find the nearest medoids of incomplete items anew, from their closeness to all medoids.

    Reads incomplete int32 (m,), columns (k, m), reach (n,): the lists hold nothing beyond it. Reads and writes cache.
    Writes off_list.items: gains each item whose second-nearest medoid lies beyond its reach; the caller adds its row.
    Returns the number of items off the lists.
    """
    position, closeness = cache.position, cache.closeness
    last = len(position) - 1
    for i in range(len(incomplete)):
        o = incomplete[i]
        position[:, o] = -1
        closeness[:, o] = -np.inf
        for r in range(len(columns)):
            if columns[r, i] > closeness[last, o]:
                insert(position, closeness, o, last, r, columns[r, i])
        cache.known_radius[o] = closeness[last, o] if last + 1 < len(columns) else -np.inf
        if (off_list.items[:n_off] == o).any():
            continue
        if closeness[1, o] < reach[o]:
            off_list.items[n_off] = o
            n_off += 1
        elif cache.known_radius[o] < reach[o]:
            _trim(o, reach[o], cache)
    return n_off


@compiled
def _trim(o, reach, cache):
    """Forget what item o knows beyond its reach: the lists could not keep it up to date.

    Reads and writes cache, at item o.
    """
    cache.known_radius[o] = reach
    for t in range(2, len(cache.position)):
        if cache.closeness[t, o] < reach:
            cache.position[t, o] = -1
            cache.closeness[t, o] = -np.inf
