"""Loops that add closeness up: along rows, over the members of a cluster, by cluster."""

from __future__ import annotations

import numpy as np
from numba import prange

from simlib._engine.kernels.compile import compiled
from simlib._engine.kernels.weights import weighed

SHARES = 8  # shares of a block of rows that threads take up; the sums of a share are added in a fixed order
STRIP = 2048  # columns that stay in the first-level cache while rows go by
LANES = 64  # partial sums of one row of a matrix
VECTOR_LANES = 16  # partial sums of one product of two vectors


@compiled(parallel=True)
def row_sums(rows, factor, weight):
    """Sum of closeness along each row. Reads rows (p, n), weight float64 (n,) or None. Returns float64 (p,)."""
    sums = np.empty(len(rows))
    for i in prange(len(rows)):
        row, lanes = rows[i], np.zeros(LANES)
        for left in range(0, len(row), LANES):
            x = row[left : left + LANES]
            for o in range(len(x)):
                lanes[o] += weighed(np.float64(x[o]), weight, left + o)
        sums[i] = factor * lanes.sum()
    return sums


@compiled(parallel=True)
def gains(rows, index, factor, best, weight):
    """How much the total closeness would rise if row index[i] became one more medoid.

    Reads rows (p, n), index int64 (m,), best (n,): each item's closeness to its nearest medoid so far; weight float64
    (n,) or None. Returns float64 (m,).
    """
    gain = np.empty(len(index))
    for i in prange(len(index)):
        row, lanes = rows[index[i]], np.zeros(LANES)
        for left in range(0, len(row), LANES):
            x, y = row[left : left + LANES], best[left : left + LANES]
            for o in range(len(x)):
                lanes[o] += weighed(max(np.float64(factor * x[o]) - np.float64(y[o]), 0.0), weight, left + o)
        gain[i] = lanes.sum()
    return gain


@compiled(parallel=True)
def member_sums(rows, first, factor, labels, start, members, sums, weight):
    """Add up the closeness of items first, first + 1, ... to the members of their own cluster.

    Reads rows (p, n), labels (n,), members int64 (n,) and start int64 (k + 1,): cluster r is
    members[start[r]:start[r + 1]], ascending; weight float64 (n,) of the members, or None. Writes sums float64
    (SHARES, n): gains the sums, to be added up by the caller. Each pair is looked up once, in the row that comes first.
    """
    for part in prange(SHARES):
        share = sums[part]
        for i in range(part, len(rows), SHARES):
            item = first + i
            total = weighed(np.float64(factor * rows[i, item]), weight, item)
            m = start[labels[item] + 1] - 1
            while members[m] > item:
                c = np.float64(factor * rows[i, members[m]])
                total += weighed(c, weight, members[m])
                share[members[m]] += weighed(c, weight, item)
                m -= 1
            share[item] += total


@compiled(parallel=True)
def vector_member_sums(vectors, scale, members, first, sums, weight):
    """Each item's summed similarity to the members of its own cluster: its unit vector times the sum of theirs.

    Reads vectors (n, d), scale float64 (n,), members int64 (n,) and first int64 (k + 1,): cluster c is
    members[first[c]:first[c + 1]]; weight float64 (n,) of the members, or None. Writes sums float64 (n,).
    """
    d = vectors.shape[1]
    for c in prange(len(first) - 1):
        total = np.zeros(d + VECTOR_LANES)
        for e in range(first[c], first[c + 1]):
            x, a = vectors[members[e]], weighed(scale[members[e]], weight, members[e])
            for f in range(d):
                total[f] += a * x[f]
        for e in range(first[c], first[c + 1]):
            x, lanes = vectors[members[e]], np.zeros(VECTOR_LANES)
            for left in range(0, d, VECTOR_LANES):
                y, z = x[left : left + VECTOR_LANES], total[left : left + VECTOR_LANES]
                for f in range(len(y)):
                    lanes[f] += y[f] * z[f]
            sums[members[e]] = scale[members[e]] * lanes.sum()


@compiled
def best_members(sums, labels, k):
    """The item with the largest sum in each cluster, ties to the lowest index.

    Reads sums float64 (n,), labels (n,). Returns int64 (k,).
    """
    best = np.full(k, -1, np.int64)
    for i in range(len(sums)):
        r = labels[i]
        if best[r] < 0 or sums[i] > sums[best[r]]:
            best[r] = i
    return best


@compiled(parallel=True)
def add_by_cluster(rows, index, first, factor, labels, sums, weight):
    """Add the closeness rows[index[i], first : first + w] to sums[labels[i]].

    Reads rows (p, n), index int64 (m,), labels (m,), weight float64 (m,) or None. Writes sums float64 (k, w): gains the
    rows. Rows of one cluster that follow one another find their sum in the first-level cache.
    """
    w = sums.shape[1]
    for strip in prange((w + STRIP - 1) // STRIP):
        left, right = strip * STRIP, min(strip * STRIP + STRIP, w)
        for i in range(len(index)):
            row, total = rows[index[i], first + left : first + right], sums[labels[i], left:right]
            for o in range(len(row)):
                total[o] += weighed(np.float64(factor * row[o]), weight, i)
