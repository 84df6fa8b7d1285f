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

PARTS = 8  # shares of a block of rows that threads take up
STRIP = 2048  # columns that stay in the first-level cache while rows go by
LANES = 64  # partial sums of one row


@compiled(reorder=True)
def _four(p, q, r, s, weight, a, b, c, d, down):
    """Weighted sums of four rows p, q, r, s; down gains the rows times a, b, c, d."""
    w, x, y, z = 0.0, 0.0, 0.0, 0.0
    for o in range(len(p)):
        e, f, g, h = np.float64(p[o]), np.float64(q[o]), np.float64(r[o]), np.float64(s[o])
        w += e * weight[o]
        x += f * weight[o]
        y += g * weight[o]
        z += h * weight[o]
        down[o] += (e * a + f * b) + (g * c + h * d)
    return w, x, y, z


@compiled
def _exceeds(row, sign, limit):
    """Whether any entry is closer than `limit`."""
    found = False
    for o in range(len(row)):
        found |= sign * row[o] > limit
    return found


@compiled(parallel=True)
def survey(rows, first, sign, limit, weight, across, down, above):
    """One look at rows first, first + 1, ... of a square matrix, for the check of symmetry.

    across[i] becomes the sum over o of rows[i, o] weight[o]; down (PARTS, n) gains the rows times their weights, to be
    added up by the caller; above[i] tells whether an entry is closer than limit[i]. Four rows at a time and strips
    that stay in the cache make this as fast as the matrix can be read.
    """
    p, n = rows.shape
    for part in prange(PARTS):
        low, high = part * p // PARTS, (part + 1) * p // PARTS
        for left in range(0, n, STRIP):
            right = min(left + STRIP, n)
            for i in range(low, high, 4):
                e, f, g = min(i + 1, high - 1), min(i + 2, high - 1), min(i + 3, high - 1)  # the last row fills up ...
                b, c, d = i + 1 < high, i + 2 < high, i + 3 < high  # ... and counts only once
                w, x, y, z = _four(
                    rows[i, left:right],
                    rows[e, left:right],
                    rows[f, left:right],
                    rows[g, left:right],
                    weight[left:right],
                    weight[first + i],
                    weight[first + e] * b,
                    weight[first + f] * c,
                    weight[first + g] * d,
                    down[part, left:right],
                )
                across[first + i] += w
                across[first + e] += x * b
                across[first + f] += y * c
                across[first + g] += z * d
                for u in range(i, min(i + 4, high)):
                    above[first + u] |= _exceeds(rows[u, left:right], sign, limit[first + u])


@compiled(parallel=True)
def row_sums(rows, sign):
    """Sum of closeness along each row."""
    sums = np.empty(len(rows))
    for i in prange(len(rows)):
        row, lanes = rows[i], np.zeros(LANES)
        for left in range(0, len(row), LANES):
            x = row[left : left + LANES]
            for o in range(len(x)):
                lanes[o] += np.float64(x[o])
        sums[i] = sign * lanes.sum()
    return sums


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
def member_sums(rows, first, sign, labels, start, members, sums):
    """Add to sums (PARTS, n) the closeness of items first, first + 1, ... to the members of their own cluster.

    Cluster r is members[start[r]:start[r + 1]], ascending. Each pair is looked up once, in the row that comes first.
    """
    for part in prange(PARTS):
        share = sums[part]
        for i in range(part, len(rows), PARTS):
            item, total = first + i, np.float64(sign * rows[i, first + i])
            m = start[labels[item] + 1] - 1
            while members[m] > item:
                c = np.float64(sign * rows[i, members[m]])
                total += c
                share[members[m]] += c
                m -= 1
            share[item] += total


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
def add_by_cluster(rows, index, first, sign, labels, sums):
    """Add closeness rows[index[i], first : first + w] to sums[labels[i]]; sums (k, w).

    Rows of one cluster that follow one another find their sum in the first-level cache.
    """
    w = sums.shape[1]
    for strip in prange((w + STRIP - 1) // STRIP):
        left, right = strip * STRIP, min(strip * STRIP + STRIP, w)
        for i in range(len(index)):
            row, total = rows[index[i], first + left : first + right], sums[labels[i], left:right]
            for o in range(len(row)):
                total[o] += np.float64(sign * row[o])


@compiled(parallel=True)
def own_and_next(sums, counts, labels, own):
    """Mean closeness of w items to the others of their cluster, and to the closest other cluster: float64 (2, w).

    sums (k, w) are over the counts (k,) members of each cluster; the item itself, at closeness own (w,), is among them.
    """
    k, w = sums.shape
    means = np.full((2, w), -np.inf)
    for strip in prange((w + STRIP - 1) // STRIP):
        left, right = strip * STRIP, min(strip * STRIP + STRIP, w)
        for r in range(k):
            total = sums[r, left:right]
            for o in range(len(total)):
                i = left + o
                if labels[i] == r:
                    means[0, i] = (total[o] - own[i]) / max(counts[r] - 1, 1)
                else:
                    means[1, i] = max(means[1, i], total[o] / counts[r])
    return means


@compiled
def drop_cheapest(close, k):
    """Take medoids away one by one, each time the one whose loss costs least, until k of them are left.

    close (n, m) is every item's closeness to the m medoids. Returns the positions that stay, ascending.
    """
    n, m = close.shape
    stays, loss = np.ones(m, np.bool_), np.zeros(m)
    first, second = np.full(n, -1), np.full(n, -1)
    for o in range(n):
        _two_closest(close[o], stays, o, first, second, loss)
    for _ in range(m - k):
        cheapest, r = np.inf, -1
        for q in range(m):
            if stays[q] and loss[q] < cheapest:
                cheapest, r = loss[q], q
        stays[r] = False
        for o in range(n):
            if first[o] == r or second[o] == r:
                loss[first[o]] -= np.float64(close[o, first[o]]) - np.float64(close[o, second[o]])
                _two_closest(close[o], stays, o, first, second, loss)
    return np.flatnonzero(stays)


@compiled
def _two_closest(close, stays, o, first, second, loss):
    """Find item o's two closest medoids among those that stay; without the first it would lose the difference."""
    a, b, x, y = -1, -1, -np.inf, -np.inf
    for q in range(len(close)):
        if stays[q] and close[q] > y:
            if close[q] > x:
                a, b, x, y = q, a, np.float64(close[q]), x
            else:
                b, y = q, np.float64(close[q])
    first[o], second[o] = a, b
    loss[a] += x - y
