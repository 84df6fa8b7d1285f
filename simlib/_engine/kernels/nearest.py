"""Loops that find each item's nearest medoids, from rows of a matrix or from products of vectors.

The nearest medoids of n items are two arrays (depth, n), nearest first, ties to the lowest position: `position` int32,
where a medoid stands in the list of medoids, and `closeness`, how close it is. Unknown entries are -1 and -inf.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from simlib._engine.kernels.compile import compiled

STRIP = 1024  # items whose nearest medoids stay in the first-level cache while the medoids' rows go by
TOGETHER = 64  # items looked at together: a few vector comparisons tell whether any of them matters


@compiled
def insert(position, closeness, o, t, r, c):
    """Put medoid r at closeness c among item o's nearest, in place of entry t or further up; ties go behind.

    Reads and writes position int32 (depth, n), closeness (depth, n).
    """
    while t > 0 and c > closeness[t - 1, o]:
        position[t, o] = position[t - 1, o]
        closeness[t, o] = closeness[t - 1, o]
        t -= 1
    position[t, o] = r
    closeness[t, o] = c


@compiled
def _keep_closer(row, factor, r, position, closeness):
    """Put medoid r wherever its row is closer than what is there: a depth of 1 needs no branch.

    Reads row (w,). Reads and writes position int32 (w,), closeness (w,).
    """
    for o in range(len(row)):
        c = factor * row[o]
        better = c > closeness[o]
        position[o] = r if better else position[o]
        closeness[o] = c if better else closeness[o]


@compiled(parallel=True)
def nearest(rows, index, first, factor, position, closeness):
    """Take medoids first, first + 1, ... into account among each item's nearest.

    Reads rows (m, n) and index int64: the rows of these medoids are rows[index]. Reads and writes position int32
    (depth, n), closeness (depth, n).
    """
    depth, n = position.shape
    for strip in prange((n + STRIP - 1) // STRIP):
        left = strip * STRIP
        right = min(left + STRIP, n)
        last = closeness[depth - 1, left:right]
        for r in range(len(index)):
            row = rows[index[r], left:right]
            if depth == 1:
                _keep_closer(row, factor, np.int32(first + r), position[0, left:right], last)
                continue
            for o in range(len(row)):
                c = factor * row[o]
                if c > last[o]:
                    insert(position, closeness, left + o, depth - 1, first + r, c)


@compiled
def nearest_by_products(product, medoid_scale, item_scale, own, first, left, position, closeness):
    """Take medoids first, first + 1, ... into account among the nearest of items left, left + 1, ...

    Reads product (p, q): medoids times items, not yet scaled; medoid_scale float64 (p,), item_scale float64 (q,). Reads
    own int64 (p,): where a medoid itself is among these items, if it is. Reads and writes position int32 (depth, n) and
    closeness (depth, n).
    """
    p, q = product.shape
    depth = len(closeness)
    last, c = closeness[depth - 1, left : left + q], np.empty(q, closeness.dtype)
    for r in range(p):
        row = product[r]
        for o in range(q):
            c[o] = min(max(row[o] * (medoid_scale[r] * item_scale[o]), -1.0), 1.0)
        if 0 <= own[r] < q:
            c[own[r]] = 1.0 if medoid_scale[r] > 0.0 else 0.0
        for low in range(0, q, TOGETHER):
            x, y, some = c[low : low + TOGETHER], last[low : low + TOGETHER], False
            for o in range(len(x)):
                some |= x[o] > y[o]
            if some:
                for o in range(len(x)):
                    if x[o] > y[o]:
                        insert(position, closeness, left + low + o, depth - 1, first + r, x[o])
