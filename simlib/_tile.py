"""Compiled finishing of one tile of a similarity matrix; input assumed valid."""

from __future__ import annotations

import numpy as np
from numba import prange

from simlib._compile import compiled

EDGE = 64  # a 64 x 64 patch of float32 is 16 KB: it stays in the first-level cache while it is turned


@compiled
def finish(tile, a, b, upper, lower):
    """Write clip(tile[i, j] * a[i] * b[j], -1, 1) to `upper` (p, q) and its transpose to `lower` (q, p).

    The product of the two scales and the tile is taken in float64 and rounded once. Pass `lower`
    with zero rows when no transpose is wanted; `upper` may be `tile` itself.
    """
    p, q = tile.shape
    patch = np.empty((EDGE, EDGE), upper.dtype)
    for top in range(0, p, EDGE):
        for left in range(0, q, EDGE):
            scale = b[left : min(left + EDGE, q)]
            for i in range(top, min(top + EDGE, p)):
                source, target, kept = tile[i, left:q], upper[i, left:q], patch[i - top]
                for j in range(len(scale)):
                    target[j] = min(max(source[j] * (a[i] * scale[j]), -1.0), 1.0)
                    kept[j] = target[j]
            if len(lower):
                for j in range(len(scale)):
                    turned, column = lower[left + j, top : min(top + EDGE, p)], patch[:, j]
                    for i in range(len(turned)):
                        turned[i] = column[i]


@compiled
def mirror(square, a):
    """Copy the part above the diagonal below it and set the diagonal to 1, or 0 where `a` is 0."""
    for i in range(square.shape[0]):
        for j in range(i):
            square[i, j] = square[j, i]
        square[i, i] = 1.0 if a[i] > 0.0 else 0.0


@compiled(parallel=True)
def faults(rows, columns, top, sign, slack):
    """Look at one strip of a square matrix and its mirror image, entries right of the diagonal only.

    rows (p, q) and columns (q, p) start at the same diagonal entry; `top` (q,) is the closeness each item has to
    itself. Returns two bool (p,): where some entry and its mirror differ by more than `slack` (NaN and infinity
    included), and where some entry is closer than `top` allows, plus `slack`.
    """
    p, q = rows.shape
    uneven, above = np.zeros(p, np.bool_), np.zeros(p, np.bool_)
    for patch in prange((p + EDGE - 1) // EDGE):
        i0, i1 = patch * EDGE, min(patch * EDGE + EDGE, p)
        turned = np.empty((EDGE, EDGE), rows.dtype)
        for j0 in range(i0, q, EDGE):
            j1 = min(j0 + EDGE, q)
            for j in range(j0, j1):
                for i in range(i0, i1):
                    turned[i - i0, j - j0] = columns[j, i]
            for i in range(i0, i1):
                crooked, high = False, False
                for j in range(max(j0, i + 1), j1):
                    crooked |= not abs(rows[i, j] - turned[i - i0, j - j0]) <= slack
                    high |= sign * rows[i, j] > min(top[i], top[j]) + slack
                uneven[i] |= crooked
                above[i] |= high
    return uneven, above
