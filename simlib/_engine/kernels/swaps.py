"""The loop that finds, in a tile of products, the items that a swap for a candidate concerns."""

from __future__ import annotations

import numpy as np

from simlib._engine.kernels.compile import compiled
from simlib._engine.kernels.lists import ONE, TOGETHER
from simlib._engine.kernels.llvm import bits_of, lowest_bit


@compiled
def collect(product, candidate_scale, item_scale, own, bound, candidates, items, closeness):
    """Collect the entries of a tile that are closer than their item's bound.

    Reads product (p, q): candidates times items, not yet scaled; candidate_scale float64 (p,), item_scale float64 (q,).
    Reads own int64 (p,): where a candidate itself is among these items, if it is; bound (q,). Writes candidates int32,
    items int32 and closeness, (p q + 1,) each: places in the tile, candidate after candidate. Returns how many.
    """
    p, q = product.shape
    at, c, wanted = 0, np.empty(q, bound.dtype), np.zeros(TOGETHER, np.bool_)
    for j in range(p):
        row = product[j]
        for o in range(q):
            c[o] = min(max(row[o] * (candidate_scale[j] * item_scale[o]), -1.0), 1.0)
        if 0 <= own[j] < q:
            c[own[j]] = 1.0 if candidate_scale[j] > 0.0 else 0.0
        for low in range(0, q, TOGETHER):
            x, y = c[low : low + TOGETHER], bound[low : low + TOGETHER]
            if len(x) < TOGETHER:
                wanted[len(x) :] = False
            for o in range(len(x)):
                wanted[o] = x[o] > y[o]
            bits = bits_of(wanted)
            while bits:
                o = lowest_bit(bits)
                candidates[at] = j
                items[at] = low + o
                closeness[at] = x[o]
                at += 1
                bits &= bits - ONE
    return at
