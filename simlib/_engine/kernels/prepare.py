"""Loops that look for what is wrong with a matrix: a quick one at all of it, and a slow one that finds the place."""

from __future__ import annotations

import numpy as np
from numba import prange

from simlib._engine.kernels.compile import compiled

SHARES = 8  # shares of a block of rows that threads take up; the sums of a share are added in a fixed order
TOGETHER = 4  # rows that `survey` reads side by side: fewer do not keep the memory busy
PATCH = 64  # rows and columns of a patch that stays in the first-level cache while it is turned


@compiled(reorder=True)
def _look_at_four(rows, factor, limit, weight, row_weight, across, down):
    """Add four rows up in two ways, and compare their entries with a limit.

    Reads rows (4, n), limit (4,), weight float64 (n,), row_weight float64 (4,). Writes across float64 (4,): the sums of
    each row times `weight`; down float64 (n,): gains the sum of the rows times `row_weight`. Returns whether an entry
    is closer than its row's limit.
    """
    row0, row1, row2, row3 = rows[0], rows[1], rows[2], rows[3]
    weight0, weight1, weight2, weight3 = row_weight[0], row_weight[1], row_weight[2], row_weight[3]
    limit0, limit1, limit2, limit3 = limit[0], limit[1], limit[2], limit[3]
    sum0, sum1, sum2, sum3 = 0.0, 0.0, 0.0, 0.0
    found = False
    for o in range(len(weight)):
        x0, x1, x2, x3 = np.float64(row0[o]), np.float64(row1[o]), np.float64(row2[o]), np.float64(row3[o])
        sum0 += x0 * weight[o]
        sum1 += x1 * weight[o]
        sum2 += x2 * weight[o]
        sum3 += x3 * weight[o]
        down[o] += (x0 * weight0 + x1 * weight1) + (x2 * weight2 + x3 * weight3)
        found |= (factor * row0[o] > limit0) | (factor * row1[o] > limit1)
        found |= (factor * row2[o] > limit2) | (factor * row3[o] > limit3)
    across[0], across[1], across[2], across[3] = sum0, sum1, sum2, sum3
    return found


@compiled(parallel=True)
def survey(rows, first, counted, factor, limit, weight, across, down, above):
    """Look once at rows first, first + 1, ... of a square matrix, for the check of symmetry; four rows at least.

    Reads rows (p, n), limit (n,), weight float64 (n,). Writes, for the rows looked at, across float64 (n,): the sum
    over o of rows[i, o] weight[o]; down float64 (SHARES, n): gains the rows times their weights, to be added up by the
    caller; above bool (SHARES,): whether an entry is closer than its row's limit.

    The last four rows may overlap those before them, and the first `counted` rows belong to an earlier call. These
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
            four = rows[i : i + TOGETHER]
            above[share] |= _look_at_four(four, factor, limit[some], weight, row_weight, across[some], down[share])


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
