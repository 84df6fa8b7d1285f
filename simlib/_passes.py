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
def _eight(rows, sign, limit, weight, mine, across, down):
    """Look at eight rows at once: across (8,) becomes their sums times `weight`, down gains them times `mine` (8,).

    Returns whether an entry is closer than its row's `limit` (8,).
    """
    a, b, c, d, e, f, g, h = rows
    a1, b1, c1, d1, e1, f1, g1, h1 = mine[0], mine[1], mine[2], mine[3], mine[4], mine[5], mine[6], mine[7]
    a2, b2, c2, d2, e2, f2, g2, h2 = limit[0], limit[1], limit[2], limit[3], limit[4], limit[5], limit[6], limit[7]
    p, q, r, s, t, u, v, w = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    found = False
    for o in range(len(weight)):
        a3, b3, c3, d3 = np.float64(a[o]), np.float64(b[o]), np.float64(c[o]), np.float64(d[o])
        e3, f3, g3, h3 = np.float64(e[o]), np.float64(f[o]), np.float64(g[o]), np.float64(h[o])
        p, q, r, s = p + a3 * weight[o], q + b3 * weight[o], r + c3 * weight[o], s + d3 * weight[o]
        t, u, v, w = t + e3 * weight[o], u + f3 * weight[o], v + g3 * weight[o], w + h3 * weight[o]
        down[o] += (a3 * a1 + b3 * b1) + (c3 * c1 + d3 * d1) + (e3 * e1 + f3 * f1) + (g3 * g1 + h3 * h1)
        found |= (sign * a[o] > a2) | (sign * b[o] > b2) | (sign * c[o] > c2) | (sign * d[o] > d2)
        found |= (sign * e[o] > e2) | (sign * f[o] > f2) | (sign * g[o] > g2) | (sign * h[o] > h2)
    across[:] = p, q, r, s, t, u, v, w
    return found


@compiled(parallel=True)
def survey(rows, first, counted, sign, limit, weight, across, down, above):
    """One look at rows first, first + 1, ... of a square matrix, eight or more, for the check of symmetry.

    across[i] becomes the sum over o of rows[i, o] weight[o]; down (PARTS, n) gains the rows times their weights, to be
    added up by the caller; above (PARTS,) tells whether an entry is closer than its row's limit. Eight rows side by
    side are read as fast as memory gives them. The last eight may overlap those before, and the first `counted` rows
    those of another call: these do not count twice.
    """
    p = len(rows)
    groups = (p + 7) // 8
    for part in prange(PARTS):
        for group in range(part * groups // PARTS, (part + 1) * groups // PARTS):
            i = min(8 * group, p - 8)
            some = slice(first + i, first + i + 8)
            mine = weight[some].copy()
            mine[: max(8 * group, counted) - i] = 0
            a, b, c, d = rows[i], rows[i + 1], rows[i + 2], rows[i + 3]
            e, f, g, h = rows[i + 4], rows[i + 5], rows[i + 6], rows[i + 7]
            eight = (a, b, c, d, e, f, g, h)
            above[part] |= _eight(eight, sign, limit[some], weight, mine, across[some], down[part])


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
