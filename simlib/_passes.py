"""Compiled passes over the rows of a matrix of similarities or distances; input assumed valid.

All of them speak of closeness c: the similarity itself, or minus the distance (`sign` = -1), so that larger is
closer and no second n x n matrix is made. Rows may be float32 or float64; sums are float64, added up in an order
that does not depend on the number of threads. Where an `index` comes along, the i-th row meant is rows[index[i]]:
a stored matrix is read in place. Loops run over slices that start at 0, so that the compiler makes vector code of them.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from simlib._compile import compiled

PARTS = 8  # shares of a block of rows that threads may take up; fixed, so that sums are added in one order
STRIP = 1024  # columns that stay in the first-level cache while rows go by
LANES = 64  # partial sums of one row


@compiled(reorder=True)
def _dots(row, twin, weight):
    """Weighted sums of two rows; they are compared within a tolerance only, so their order may be the machine's."""
    a, b = 0.0, 0.0
    for o in range(len(row)):
        a += np.float64(row[o]) * weight[o]
        b += np.float64(twin[o]) * weight[o]
    return a, b


@compiled
def _add(row, twin, a, b, weighted, plain):
    """Add two rows, each times its weight, to `weighted`, and as they are to `plain`."""
    for o in range(len(row)):
        weighted[o] += np.float64(row[o]) * a + np.float64(twin[o]) * b
    for o in range(len(row)):
        plain[o] += np.float64(row[o]) + np.float64(twin[o])


@compiled
def _exceeds(row, sign, limit):
    """Whether any entry is closer than `limit`."""
    found = False
    for o in range(len(row)):
        found |= sign * row[o] > limit
    return found


@compiled(parallel=True)
def survey(rows, first, sign, limit, weight, across, down, sums, above):
    """One look at rows first, first + 1, ... of a square matrix, for the check of symmetry and for BUILD.

    across[i] becomes the sum over o of rows[i, o] weight[o]; down (PARTS, n) gains the rows times their weights and
    sums (PARTS, n) the rows, to be added up by the caller; above[i] tells whether an entry is closer than limit[i].
    """
    p, n = rows.shape
    blank = np.zeros(STRIP, rows.dtype)
    for part in prange(PARTS):
        low, high = part * p // PARTS, (part + 1) * p // PARTS
        for left in range(0, n, STRIP):
            right = min(left + STRIP, n)
            w, weighted, plain = weight[left:right], down[part, left:right], sums[part, left:right]
            for i in range(low, high, 2):  # two rows at a time halve the traffic of the sums
                a, row, twin, b = first + i, rows[i, left:right], blank[: right - left], 0.0
                above[a] |= _exceeds(row, sign, limit[a])
                if i + 1 < high:
                    twin, b = rows[i + 1, left:right], weight[a + 1]
                    above[a + 1] |= _exceeds(twin, sign, limit[a + 1])
                here, there = _dots(row, twin, w)
                across[a] += here
                if i + 1 < high:
                    across[a + 1] += there
                _add(row, twin, weight[a], b, weighted, plain)


@compiled(parallel=True)
def gains(rows, index, sign, best):
    """How much the total closeness would rise if row index[i] became one more medoid.

    `best` (n,) is each item's closeness to its nearest medoid so far. Returns float64 (len(index),).
    """
    gain = np.empty(len(index))
    for i in prange(len(index)):
        row, lanes = rows[index[i]], np.zeros(LANES)
        for left in range(0, len(row), LANES):
            x, y = row[left : left + LANES], best[left : left + LANES]
            for o in range(len(x)):
                lanes[o] += max(np.float64(sign * x[o]) - np.float64(y[o]), 0.0)
        gain[i] = lanes.sum()
    return gain


@compiled
def greedy(medoids, chosen, bound, best, start, stop, items, close):
    """Fill medoids[chosen:] with the items of largest gain, one after the other, ties to the lowest index.

    Item j can only help items[start[j]:stop[j]]; the lists are used up. `bound` (n,) holds upper bounds of the
    gains, -inf for medoids; the largest of every `width` bounds is kept, so that the largest of all is soon found.
    """
    n = len(bound)
    width = int(np.sqrt(n)) + 1
    top = np.array([bound[low : low + width].max() for low in range(0, n, width)])
    looked = np.full(n, -1)  # number of medoids when the bound was last made exact
    while chosen < len(medoids):
        group = np.argmax(top)
        low = group * width
        j = low + np.argmax(bound[low : low + width])
        if looked[j] == chosen:
            medoids[chosen] = j
            chosen += 1
            bound[j] = -np.inf
            for e in range(start[j], stop[j]):
                best[items[e]] = max(best[items[e]], close[e])
        else:
            gain, at = 0.0, start[j]
            for e in range(start[j], stop[j]):  # what j cannot help now it never will: the list closes up
                o, c = items[e], close[e]
                gain += max(np.float64(c) - np.float64(best[o]), 0.0)
                items[at], close[at] = o, c
                at += c > best[o]
            stop[j] = at
            bound[j], looked[j] = gain, chosen
        top[group] = bound[low : low + width].max()


@compiled(parallel=True)
def member_sums(rows, first, sign, labels, start, members):
    """For items first, first + 1, ... their summed closeness to the members of their own cluster.

    Cluster r is members[start[r]:start[r + 1]]. Returns float64 (len(rows),).
    """
    sums = np.empty(len(rows))
    for i in prange(len(rows)):
        r = labels[first + i]
        total = 0.0
        for m in range(start[r], start[r + 1]):
            total += rows[i, members[m]]
        sums[i] = sign * total
    return sums


@compiled
def best_members(sums, labels, k):
    """The item with the largest sum in each cluster, ties to the lowest index. Returns int64 (k,)."""
    best = np.full(k, -1, np.int64)
    for i in range(len(sums)):
        r = labels[i]
        if best[r] < 0 or sums[i] > sums[best[r]]:
            best[r] = i
    return best


@compiled(parallel=True)
def cluster_sums(rows, first, sign, labels, k):
    """Summed closeness of items first, first + 1, ... to each cluster, the item itself left out.

    Returns float64 (len(rows), k).
    """
    p, n = rows.shape
    sums = np.zeros((p, k))
    for i in prange(p):
        for o in range(n):
            sums[i, labels[o]] += rows[i, o]
        sums[i, labels[first + i]] -= rows[i, first + i]
        for r in range(k):
            sums[i, r] *= sign
    return sums
