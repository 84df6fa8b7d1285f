"""Loops that look for what is wrong with a matrix: a quick one at all of it, and a slow one that finds the place."""

from __future__ import annotations

import numpy as np
from numba import prange

from simlib._engine.kernels.compile import compiled

SHARES = 8  # shares of a block of rows that threads take up; the sums of a share are added in a fixed order
TOGETHER = 8  # rows that `survey` reads side by side: fewer do not keep the memory busy
PATCH = 64  # rows and columns of a patch that stays in the first-level cache while it is turned


@compiled(reorder=True)
def _look_at_eight(rows, factor, limit, weight, row_weight, across, down):
    """Add eight rows up in two ways, and compare their entries with a limit.

    Reads rows (8, n), limit (8,), weight float64 (n,), row_weight float64 (8,). Writes across float64 (8,): the sums of
    each row times `weight`; down float64 (n,): gains the sum of the rows times `row_weight`. Returns whether an entry
    is closer than its row's limit. There are eight rows because fewer do not keep the memory busy. Each has a name of
    its own, because the compiler keeps sums in registers only if they are no array.
    """
    row0, row1, row2, row3 = rows[0], rows[1], rows[2], rows[3]
    row4, row5, row6, row7 = rows[4], rows[5], rows[6], rows[7]
    weight0, weight1, weight2, weight3 = row_weight[0], row_weight[1], row_weight[2], row_weight[3]
    weight4, weight5, weight6, weight7 = row_weight[4], row_weight[5], row_weight[6], row_weight[7]
    limit0, limit1, limit2, limit3 = limit[0], limit[1], limit[2], limit[3]
    limit4, limit5, limit6, limit7 = limit[4], limit[5], limit[6], limit[7]
    sum0, sum1, sum2, sum3, sum4, sum5, sum6, sum7 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    found = False
    for o in range(len(weight)):
        w = weight[o]
        x0, x1, x2, x3 = np.float64(row0[o]), np.float64(row1[o]), np.float64(row2[o]), np.float64(row3[o])
        x4, x5, x6, x7 = np.float64(row4[o]), np.float64(row5[o]), np.float64(row6[o]), np.float64(row7[o])
        sum0, sum1, sum2, sum3 = sum0 + x0 * w, sum1 + x1 * w, sum2 + x2 * w, sum3 + x3 * w
        sum4, sum5, sum6, sum7 = sum4 + x4 * w, sum5 + x5 * w, sum6 + x6 * w, sum7 + x7 * w
        upper = (x0 * weight0 + x1 * weight1) + (x2 * weight2 + x3 * weight3)
        lower = (x4 * weight4 + x5 * weight5) + (x6 * weight6 + x7 * weight7)
        down[o] += upper + lower
        found |= (factor * row0[o] > limit0) | (factor * row1[o] > limit1)
        found |= (factor * row2[o] > limit2) | (factor * row3[o] > limit3)
        found |= (factor * row4[o] > limit4) | (factor * row5[o] > limit5)
        found |= (factor * row6[o] > limit6) | (factor * row7[o] > limit7)
    across[0], across[1], across[2], across[3] = sum0, sum1, sum2, sum3
    across[4], across[5], across[6], across[7] = sum4, sum5, sum6, sum7
    return found


@compiled(parallel=True)
def survey(rows, first, counted, factor, limit, weight, across, down, above):
    """Look once at rows first, first + 1, ... of a square matrix, for the check of symmetry; eight rows at least.

    Reads rows (p, n), limit (n,), weight float64 (n,). Writes, for the rows looked at, across float64 (n,): the sum
    over o of rows[i, o] weight[o]. Writes down float64 (SHARES, n), which gains the rows times their weights, to be
    added up by the caller. Writes above bool (SHARES,): whether an entry is closer than its row's limit.

    The last eight rows may overlap those before them, and the first `counted` rows belong to an earlier call. These
    rows do not count twice in `down`.
    """
    p = len(rows)
    groups = (p + TOGETHER - 1) // TOGETHER
    for share in prange(SHARES):
        for group in range(share * groups // SHARES, (share + 1) * groups // SHARES):
            i = min(TOGETHER * group, p - TOGETHER)
            some = slice(first + i, first + i + TOGETHER)
            row_weight = weight[some].copy()
            row_weight[: max(TOGETHER * group, counted) - i] = 0
            eight = rows[i : i + TOGETHER]
            above[share] |= _look_at_eight(eight, factor, limit[some], weight, row_weight, across[some], down[share])


@compiled(parallel=True)
def faults(rows, columns, top, factor, slack, share):
    """Compare one strip of a square matrix with its mirror image, in the entries right of the diagonal.

    Reads rows (p, q) and columns (q, p), which start at the same entry of the diagonal, and top (q,), each item's
    closeness to itself. An entry and its mirror image may differ by `slack`, or by `share` of the larger one. Returns
    two bool (p,): where they differ by more (NaN and infinity included), and where an entry is closer than `top` allows
    by more.
    """
    p, q = rows.shape
    uneven, above = np.zeros(p, np.bool_), np.zeros(p, np.bool_)
    for patch in prange((p + PATCH - 1) // PATCH):
        i0, i1 = patch * PATCH, min(patch * PATCH + PATCH, p)
        turned = np.empty((PATCH, PATCH), rows.dtype)
        for j0 in range(i0, q, PATCH):
            j1 = min(j0 + PATCH, q)
            for j in range(j0, j1):
                for i in range(i0, i1):
                    turned[i - i0, j - j0] = columns[j, i]
            for i in range(i0, i1):
                differs, high = False, False
                for j in range(max(j0, i + 1), j1):
                    entry, mirrored = rows[i, j], turned[i - i0, j - j0]
                    size = max(abs(entry), abs(mirrored))
                    allowed = max(slack, share * size)
                    differs |= not (abs(entry - mirrored) <= allowed and size < np.inf)
                    high |= factor * entry > min(top[i], top[j]) + slack
                uneven[i] |= differs
                above[i] |= high
    return uneven, above
