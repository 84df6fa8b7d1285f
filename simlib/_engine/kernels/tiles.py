"""Loops that finish one tile of a similarity matrix: they scale, clip, turn, narrow and write it."""

from __future__ import annotations

import numpy as np
from numba import prange

from simlib._engine.kernels.compile import compiled
from simlib._engine.kernels.llvm import LINE_BYTES, store_line

TURN_WIDTH = 64  # columns turned at once: 64 x 160 entries of float32 are 40 KB
BAND_ROWS = 160  # rows of a tile that stay in the second-level cache while they are scaled and turned


@compiled
def write(block, target, past):
    """Copy a block; if `past`, whole lines of memory go past the caches.

    Reads block (p, q). Writes target (p, q).
    """
    p, q = block.shape
    size = target.itemsize
    step = LINE_BYTES // size
    in_lines = past and target.strides[1] == size and q * size >= 2 * LINE_BYTES
    for i in range(p):
        source, row = block[i], target[i]
        # The entries before the first whole line and those behind the last one are copied one by one.
        head = (-(target.ctypes.data + i * target.strides[0]) & (LINE_BYTES - 1)) // size if in_lines else q
        body = head + (q - head) * size // LINE_BYTES * step
        for j in range(head):
            row[j] = source[j]
        for j in range(head, body, step):
            store_line(row, j, source, j)
        for j in range(body, q):
            row[j] = source[j]


@compiled
def finish(tile, row_scale, column_scale, upper, lower):
    """Scale and clip a tile of products, and write it and its mirror image.

    Reads tile (p, q), row_scale float64 (p,), column_scale float64 (q,). Writes upper (p, q):
    clip(tile[i, j] * row_scale[i] * column_scale[j], -1, 1); lower (q, p): the transpose of that. The product of the
    two scales and the tile is taken in float64 and rounded once. Pass `lower` with zero rows when no transpose is
    wanted. `upper` may be `tile` itself: then both stay in the caches.
    """
    p, q = tile.shape
    past = upper.ctypes.data != tile.ctypes.data
    band = np.empty((BAND_ROWS, q), upper.dtype)
    turned = np.empty((TURN_WIDTH, BAND_ROWS), upper.dtype)
    for top in range(0, p, BAND_ROWS):
        height = min(BAND_ROWS, p - top)
        for i in range(height):
            source, kept = tile[top + i], band[i]
            for j in range(len(column_scale)):
                kept[j] = min(max(source[j] * (row_scale[top + i] * column_scale[j]), -1.0), 1.0)
        write(band[:height], upper[top : top + height], past)
        if len(lower):
            for left in range(0, q, TURN_WIDTH):
                width = min(TURN_WIDTH, q - left)
                for j in range(width):
                    row, column = turned[j, :height], band[:, left + j]
                    for i in range(height):
                        row[i] = column[i]
                write(turned[:width, :height], lower[left : left + width, top : top + height], past)


@compiled
def narrow(tile, half):
    """Round numbers in [-1, 1] to float16, to nearest, ties to even.

    Reads tile (p, q). Writes half uint16 (p, q): the bits of float16. A number is rounded to 11 binary digits when it
    is added to a power of two that large and the power is taken off again.
    """
    q = tile.shape[1]
    power, value = np.empty(q), np.empty(q, np.float32)
    exponent, bits = power.view(np.uint64), value.view(np.uint32)
    mask = np.uint64(0x7FF << 52)  # the exponent among the bits of a float64
    least = np.uint64((1023 - 14) << 52)  # the smallest exponent of float16
    up = np.uint64(42 << 52)  # from 53 binary digits to 11
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
    """Move the bits of float16 to where float32 has them; an exponent of float32 counts from 112 further down.

    Reads half uint16 (p, q). Writes wide float32 (p, q).
    """
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
def mirror(square, scale):
    """Copy the part above the diagonal below it; set the diagonal to 1, or to 0 where the row is a zero row.

    Reads scale (p,), 0 for a zero row. Reads and writes square (p, p).
    """
    for i in range(square.shape[0]):
        for j in range(i):
            square[i, j] = square[j, i]
        square[i, i] = 1.0 if scale[i] > 0.0 else 0.0
