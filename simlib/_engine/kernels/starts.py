"""Loops that add medoids greedily, and that take them away greedily."""

from __future__ import annotations

import numpy as np

from simlib._engine.kernels.compile import compiled
from simlib._engine.kernels.weights import weighed


@compiled
def add_best(medoids, chosen, bound, best, lists, weight):
    """Fill medoids[chosen:] with the items of largest gain, one after the other, ties to the lowest index.

    Reads and writes medoids int64 (k,); bound float64 (n,): upper bounds of the gains, -inf for medoids; best (n,):
    each item's closeness to its nearest medoid; lists: Lists, which are used up. Reads weight float64 (n,) or None.
    Item j can only help the items of its list.

    The items are cut into groups and the largest bound of each group is kept, so that the largest of all is soon found.
    """
    n = len(bound)
    width = int(np.sqrt(n)) + 1
    top = np.array([bound[low : low + width].max() for low in range(0, n, width)])
    exact_at = np.full(n, -1)  # the number of medoids when the bound was last made exact
    while chosen < len(medoids):
        group = np.argmax(top)
        low = group * width
        j = low + np.argmax(bound[low : low + width])
        if exact_at[j] == chosen:
            medoids[chosen] = j
            chosen += 1
            bound[j] = -np.inf
            for e in range(lists.start[j], lists.stop[j]):
                best[lists.items[e]] = max(best[lists.items[e]], lists.closeness[e])
        else:
            bound[j] = _exact_gain(j, best, lists, weight)
            exact_at[j] = chosen
        top[group] = bound[low : low + width].max()


@compiled
def _exact_gain(j, best, lists, weight):
    """How much item j as one more medoid would raise the total closeness.

    Reads best (n,), weight float64 (n,) or None. Reads and writes lists: an item that j cannot help now it never will,
    so the list closes up.
    """
    gain, at = 0.0, lists.start[j]
    for e in range(lists.start[j], lists.stop[j]):
        o, c = lists.items[e], lists.closeness[e]
        gain += weighed(max(np.float64(c) - np.float64(best[o]), 0.0), weight, o)
        lists.items[at] = o
        lists.closeness[at] = c
        at += c > best[o]
    lists.stop[j] = at
    return gain


@compiled
def drop_cheapest(closeness, k, weight):
    """Take medoids away one by one, each time the one whose loss costs least, until k of them are left.

    Reads closeness (n, m) of every item to the m medoids, weight float64 (n,) or None. Returns the positions that stay
    int64 (k,), ascending.
    """
    n, m = closeness.shape
    stays, loss = np.ones(m, np.bool_), np.zeros(m)
    first, second = np.full(n, -1), np.full(n, -1)
    for o in range(n):
        _two_closest(closeness[o], stays, o, first, second, loss, weight)
    for _ in range(m - k):
        cheapest, r = np.inf, -1
        for q in range(m):
            if stays[q] and loss[q] < cheapest:
                cheapest, r = loss[q], q
        stays[r] = False
        for o in range(n):
            if first[o] == r or second[o] == r:
                lost = np.float64(closeness[o, first[o]]) - np.float64(closeness[o, second[o]])
                loss[first[o]] -= weighed(lost, weight, o)
                _two_closest(closeness[o], stays, o, first, second, loss, weight)
    return np.flatnonzero(stays)


@compiled
def _two_closest(closeness, stays, o, first, second, loss, weight):
    """Find item o's two closest medoids among those that stay; without the first the item would lose the difference.

    Reads closeness (m,), stays bool (m,), weight float64 (n,) or None. Writes first int64 (n,), second int64 (n,), loss
    float64 (m,): gains the difference.
    """
    a, b, x, y = -1, -1, -np.inf, -np.inf
    for q in range(len(closeness)):
        if stays[q] and closeness[q] > y:
            if closeness[q] > x:
                a, b, x, y = q, a, np.float64(closeness[q]), x
            else:
                b, y = q, np.float64(closeness[q])
    first[o], second[o] = a, b
    loss[a] += weighed(x - y, weight, o)
