"""Loops that keep the closest items of each item, or every pair that is close enough.

The k closest items of an item a are a heap: row a of `index` and of `closeness`. Its root, entry 0, is the worst that
is kept. A lower closeness is worse, and of two equal ones the higher item is. Places that are not taken yet hold -inf.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from simlib._engine.kernels.compile import compiled

TOGETHER = 64  # entries looked at together: a few vector comparisons tell whether any of them matters


@compiled
def _better(c, b, d, e):
    """Whether item b at closeness c goes before item e at closeness d."""
    return c > d or (c == d and b < e)


@compiled
def _settle(index, closeness, size, b, c):
    """Put item b at closeness c in place of the root of a heap of `size` entries.

    Reads and writes index int64 (k,) and closeness (k,).
    """
    at = 0
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size and _better(closeness[child], index[child], closeness[child + 1], index[child + 1]):
            child += 1
        if not _better(c, b, closeness[child], index[child]):
            break
        index[at] = index[child]
        closeness[at] = closeness[child]
        at = child
    index[at] = b
    closeness[at] = c


@compiled
def _offer(index, closeness, b, c):
    """Keep item b at closeness c if it is better than the worst that is kept. Reads and writes as `_settle`."""
    if _better(c, b, closeness[0], index[0]):
        _settle(index, closeness, len(index), b, c)


@compiled(parallel=True)
def closest_of_rows(rows, picked, own, factor, index, closeness):
    """Keep the closest items of some items, given their whole rows.

    Reads rows (p, n) and picked int64 (m,): the rows meant are rows[picked]; own int64 (m,), the items they belong to.
    Reads and writes index int64 (m, k) and closeness (m, k).
    """
    for i in prange(len(picked)):
        row, kept = rows[picked[i]], closeness[i]
        for left in range(0, len(row), TOGETHER):
            x, worst, some = row[left : left + TOGETHER], kept[0], False
            for o in range(len(x)):
                some |= factor * x[o] > worst
            if some:
                for o in range(len(x)):
                    if left + o != own[i]:
                        _offer(index[i], kept, left + o, factor * x[o])


@compiled
def closest_of_tile(tile, first_row, first_column, factor, index, closeness):
    """Keep the closest items of the rows of a tile and of its columns; only pairs with column > row count.

    Reads tile (p, q), the entries of items first_row, first_row + 1, ... and first_column, ... Reads and writes index
    int64 (n, k) and closeness (n, k).
    """
    p, q = tile.shape
    worst = closeness[first_column : first_column + q, 0].copy()
    for i in range(p):
        a, row = first_row + i, tile[i]
        for left in range(0, q, TOGETHER):
            x, y, own, some = row[left : left + TOGETHER], worst[left : left + TOGETHER], closeness[a, 0], False
            for o in range(len(x)):
                some |= factor * x[o] >= min(y[o], own)
            if some:
                for o in range(max(0, a + 1 - first_column - left), len(x)):
                    b, c = first_column + left + o, factor * x[o]
                    if c >= min(y[o], closeness[a, 0]):
                        _offer(index[a], closeness[a], b, c)
                        _offer(index[b], closeness[b], a, c)
                        y[o] = closeness[b, 0]


@compiled(parallel=True)
def best_first(index, closeness):
    """Sort each heap, the closest item first. Reads and writes index int64 (m, k) and closeness (m, k)."""
    for i in prange(len(index)):
        items, kept = index[i], closeness[i]
        for end in range(len(items) - 1, 0, -1):
            b, c = items[end], kept[end]
            items[end], kept[end] = items[0], kept[0]
            _settle(items, kept, end, b, c)


@compiled
def count_pairs(tile, first_row, first_column, factor, least):
    """For each row of a tile the number of pairs that are at least so close, with column > row.

    Reads tile (p, q), as in `closest_of_tile`. Returns int64 (p,).
    """
    counts = np.zeros(len(tile), np.int64)
    for i in range(len(tile)):
        row = tile[i, max(0, first_row + i + 1 - first_column) :]
        total = 0
        for o in range(len(row)):
            total += factor * row[o] >= least
        counts[i] = total
    return counts


@compiled
def list_pairs(tile, first_row, first_column, factor, least, counts):
    """The pairs that `count_pairs` counted, row after row.

    Reads tile (p, q), counts int64 (p,). Returns the columns' items int64 (m,) and the entries (m,).
    """
    columns, entries = np.empty(counts.sum(), np.int64), np.empty(counts.sum(), tile.dtype)
    at = 0
    for i in range(len(tile)):
        left = max(0, first_row + i + 1 - first_column)
        end = at + counts[i]
        while at < end:
            columns[at] = first_column + left
            entries[at] = tile[i, left]
            at += factor * tile[i, left] >= least
            left += 1
    return columns, entries
