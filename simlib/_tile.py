"""Compiled finishing of one tile of a similarity matrix; input assumed valid."""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import prange, types
from numba.extending import intrinsic

from simlib._compile import compiled

EDGE = 64  # a 64 x 64 patch of float32 is 16 KB: it stays in the first-level cache while it is turned
BAND = 160  # rows of a tile that stay in the second-level cache while they are scaled and turned
LINE = 64  # bytes of a line of the cache


@intrinsic
def _put_line(typing, target, at, source, start):
    """Copy the 64 bytes from source[start] on to target[at], an aligned line, past the caches.

    An ordinary store first reads the line it is about to overwrite; a matrix is written twice as fast without.
    """

    def generate(context, builder, signature, values):
        def line(kind, array, index):
            data = context.make_array(kind)(context, builder, array).data
            return builder.bitcast(builder.gep(data, [index]), ir.VectorType(ir.IntType(32), LINE // 4).as_pointer())

        kinds = signature.args
        content = builder.load(line(kinds[2], *values[2:]), align=1)
        store = builder.store(content, line(kinds[0], *values[:2]), align=LINE)
        store.set_metadata("nontemporal", builder.module.add_metadata([ir.Constant(ir.IntType(32), 1)]))
        return context.get_dummy_value()

    return types.void(target, types.intp, source, types.intp), generate


@compiled
def _write(block, target, past):
    """Copy block (p, q) to target; if `past`, whole lines past the caches."""
    p, q = block.shape
    size = target.itemsize
    lines = past and target.strides[1] == size and q * size >= 2 * LINE
    for i in range(p):
        source, row = block[i], target[i]
        head = (-(target.ctypes.data + i * target.strides[0]) & (LINE - 1)) // size if lines else q
        body = head + (q - head) * size // LINE * (LINE // size)
        for j in range(head):
            row[j] = source[j]
        for j in range(head, body, LINE // size):
            _put_line(row, j, source, j)
        for j in range(body, q):
            row[j] = source[j]


@compiled
def finish(tile, a, b, upper, lower):
    """Write clip(tile[i, j] * a[i] * b[j], -1, 1) to `upper` (p, q) and its transpose to `lower` (q, p).

    The product of the two scales and the tile is taken in float64 and rounded once. Pass `lower`
    with zero rows when no transpose is wanted. `upper` may be `tile` itself: then both stay in the caches.
    """
    p, q = tile.shape
    past = upper.ctypes.data != tile.ctypes.data
    band, turned = np.empty((BAND, q), upper.dtype), np.empty((EDGE, BAND), upper.dtype)
    for top in range(0, p, BAND):
        height = min(BAND, p - top)
        for i in range(height):
            source, kept = tile[top + i], band[i]
            for j in range(len(b)):
                kept[j] = min(max(source[j] * (a[top + i] * b[j]), -1.0), 1.0)
        _write(band[:height], upper[top : top + height], past)
        if len(lower):
            for left in range(0, q, EDGE):
                width = min(EDGE, q - left)
                for j in range(width):
                    row, column = turned[j, :height], band[:, left + j]
                    for i in range(height):
                        row[i] = column[i]
                _write(turned[:width, :height], lower[left : left + width, top : top + height], past)


@compiled
def narrow(tile, half):
    """Write numbers in [-1, 1] to `half`, the bits of float16 as uint16, rounded to nearest, ties to even.

    A number rounds to 11 digits as it is added to a power of two and that is taken off again.
    """
    q = tile.shape[1]
    power, value = np.empty(q), np.empty(q, np.float32)
    exponent, bits = power.view(np.uint64), value.view(np.uint32)
    mask, least, up = np.uint64(0x7FF << 52), np.uint64((1023 - 14) << 52), np.uint64(42 << 52)
    for i in range(tile.shape[0]):
        source, row = tile[i], half[i]
        for j in range(q):
            power[j] = source[j]
        for j in range(q):
            row[j] = exponent[j] >> np.uint64(63) << np.uint64(15)  # the sign
            exponent[j] = max(exponent[j] & mask, least) + up
        for j in range(q):
            value[j] = ((abs(np.float64(source[j])) + power[j]) - power[j]) * 2.0**-112
        for j in range(q):
            row[j] |= bits[j] >> np.uint32(13)


def widen(half):
    """float16 (p, q) as float32, exactly; NumPy takes ten times as long."""
    wide = np.empty(half.shape, np.float32)
    _widen(np.ascontiguousarray(half).view(np.uint16), wide)
    return wide


@compiled(parallel=True)
def _widen(half, wide):
    """The bits of float16, moved to where float32 has them; its exponents count from 112 further down."""
    sign, rest, exponent = np.uint32(0x8000), np.uint32(0x7FFF), np.uint32(0x7C00)
    infinite = np.uint32(0x7F800000)
    for i in prange(len(half)):
        source, value = half[i], wide[i]
        bits = value.view(np.uint32)
        for j in range(len(source)):
            bits[j] = (np.uint32(source[j]) & rest) << np.uint32(13)
        for j in range(len(source)):
            value[j] *= np.float32(2.0**112)
        for j in range(len(source)):
            x = np.uint32(source[j])
            special = infinite if x & exponent == exponent else np.uint32(0)  # infinity or NaN
            bits[j] |= (x & sign) << np.uint32(16) | special


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
