"""Loops that make the lists of neighbours: for each row, the items that it is closer to than their reach."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from simlib._engine.kernels.compile import compiled
from simlib._engine.kernels.llvm import BITS, CAN_PACK, LINE_BYTES, bits_of, lowest_bit, pack_closer, prefetch

TOGETHER = BITS  # entries looked at together: a few vector comparisons tell which of them matter
ONE = np.uint64(1)
NONE = -1  # marks the end of a chain of entries
AHEAD = 2048  # entries of a row that are asked for before they are wanted, so that memory and arithmetic overlap


class Lists(NamedTuple):
    """For every row j, the items o that are closer to j than reach[o], and how close; in ascending order.

    Row j's list is start[j]:stop[j] of `items` and `closeness`.
    """

    start: np.ndarray  # int64 (n listed rows,)
    stop: np.ndarray  # int64 (n listed rows,)
    items: np.ndarray  # int32
    closeness: np.ndarray  # float32 or float64
    reach: np.ndarray  # (n,), of the same type


class Chains(NamedTuple):
    """Entries added to the lists since they were made: a chain for each row.

    newest[j] is the place of the entry that row j got last. before[e] is the place of the one that came before entry e
    in the same row. Both are NONE where there is no such entry.
    """

    newest: np.ndarray  # int32 (n listed rows,)
    before: np.ndarray  # int32 (room,)
    items: np.ndarray  # int32 (room,)
    closeness: np.ndarray  # (room,), of the type of the lists


@compiled
def closer(row, factor, bound, items, closeness):
    """Collect the items that a row is closer to than their bound.

    Reads row (n,), bound (n,). Writes items int32 and closeness, (n + TOGETHER,) each, the items in ascending order.
    Returns how many they are; what lies behind them is overwritten too.
    """
    at, whole, lanes = 0, len(row) - len(row) % TOGETHER, LINE_BYTES // row.itemsize
    wanted = np.empty(TOGETHER, np.bool_)
    for left in range(0, whole, TOGETHER):
        x, y = row[left : left + TOGETHER], bound[left : left + TOGETHER]
        for o in range(left + AHEAD, left + AHEAD + TOGETHER, lanes):
            prefetch(row, o)
        for o in range(TOGETHER):
            wanted[o] = factor * x[o] > y[o]
        bits = bits_of(wanted)
        if CAN_PACK and bits:
            for o in range(left, left + TOGETHER, lanes):
                at = pack_closer(row, factor, bound, o, items, closeness, at)
        else:
            while bits:
                o = lowest_bit(bits)
                items[at] = left + o
                closeness[at] = factor * x[o]
                at += 1
                bits &= bits - ONE
    for o in range(whole, len(row)):
        items[at] = o
        closeness[at] = factor * row[o]
        at += closeness[at] > bound[o]
    return at


@compiled(parallel=True)
def count_closer(rows, factor, bound):
    """For each row the number of items that it is closer to than their bound.

    Reads rows (p, n), bound (n,). Returns int64 (p,).
    """
    counts = np.zeros(len(rows), np.int64)
    for i in prange(len(rows)):
        row = rows[i]
        total = 0
        for o in range(len(row)):
            total += factor * row[o] > bound[o]
        counts[i] = total
    return counts


@compiled(parallel=True)
def list_closer(rows, first, factor, lists, cursor, end):
    """Write the lists of rows first, first + 1, ... of a matrix.

    Reads rows (p, n), lists.reach, end int64 (threads,). Writes the other parts of `lists`. Reads and writes cursor
    int64 (threads,): thread t writes from cursor[t] on and must stop before end[t]. Returns False if room ran out.
    """
    p, n = rows.shape
    threads = len(cursor)
    start, stop, all_items, all_closeness, reach = lists
    enough = np.ones(threads, np.bool_)
    for thread in prange(threads):
        at = cursor[thread]
        for i in range(thread * p // threads, (thread + 1) * p // threads):
            if at + n + TOGETHER > end[thread]:
                enough[thread] = False
                break
            m = closer(rows[i], factor, reach, all_items[at:], all_closeness[at:])
            start[first + i] = at
            stop[first + i] = at + m
            at += m
        cursor[thread] = at
    return enough.all()


class Additions(NamedTuple):
    """Pairs of an item and a row whose list is to gain it."""

    items: np.ndarray  # int32 (q,)
    rows: np.ndarray  # int32 (q,)
    closeness: np.ndarray  # (q,)
    doubtful: np.ndarray  # bool (q,), whether rounding leaves it open that the list has the item already


@compiled
def additions_between(closeness, items, first, low, doubtful, high):
    """The pairs of items and rows first, first + 1, ... that are closer than the item's `low`, and not than its `high`.

    Reads closeness (m, p) of each item to each row; items int32 (m,); low (m,), high (m,); doubtful (m,), from which
    on a pair is doubtful. Returns Additions, ordered by item, then by row.
    """
    counts = np.zeros(len(items), np.int64)
    for i in range(len(items)):
        row, least, most, count = closeness[i], low[i], high[i], 0
        for e in range(len(row)):
            count += (row[e] > least) & (row[e] <= most)
        counts[i] = count
    q = counts.sum()
    pairs = Additions(np.empty(q, np.int32), np.empty(q, np.int32), np.empty(q, closeness.dtype), np.empty(q, np.bool_))
    at = 0
    for i in range(len(items)):
        if not counts[i]:
            continue
        for e in range(closeness.shape[1]):
            c = closeness[i, e]
            if low[i] < c <= high[i]:
                pairs.items[at] = items[i]
                pairs.rows[at] = first + e
                pairs.closeness[at] = c
                pairs.doubtful[at] = c >= doubtful[i]
                at += 1
    return pairs


@compiled
def add(pairs, lists, chains, used):
    """Add pairs to the chains of their rows, but for those that the lists have already.

    Reads pairs, lists. Reads and writes chains, which have `used` entries, and room. Returns how many they have now.
    """
    for e in range(len(pairs.items)):
        o, j = pairs.items[e], pairs.rows[e]
        if not pairs.doubtful[e] or not _is_listed(o, j, lists, chains):
            chains.before[used] = chains.newest[j]
            chains.items[used] = o
            chains.closeness[used] = pairs.closeness[e]
            chains.newest[j] = used
            used += 1
    return used


@compiled
def _is_listed(o, j, lists, chains):
    """Whether row j's list or chain holds item o. Reads lists, chains."""
    for e in range(lists.start[j], lists.stop[j]):
        if lists.items[e] == o:
            return True
    e = chains.newest[j]
    while e != NONE:
        if chains.items[e] == o:
            return True
        e = chains.before[e]
    return False


@compiled
def shorten(lists, chains, reach):
    """Keep in each list only what is closer than the new reach, which is nowhere below the old one.

    Reads reach (n,). Reads and writes lists, chains.
    """
    for j in range(len(lists.start)):
        at = lists.start[j]
        for e in range(at, lists.stop[j]):
            o, c = lists.items[e], lists.closeness[e]
            lists.items[at] = o
            lists.closeness[at] = c
            at += c > reach[o]
        lists.stop[j] = at
        _shorten_chain(j, chains, reach)
    lists.reach[:] = reach


@compiled
def _shorten_chain(j, chains, reach):
    """Take out of row j's chain what is not closer than the reach. Reads reach (n,). Reads and writes chains."""
    newest, before, items, closeness = chains
    kept, e = NONE, newest[j]
    newest[j] = NONE
    while e != NONE:
        if closeness[e] > reach[items[e]]:
            if kept == NONE:
                newest[j] = e
            else:
                before[kept] = e
            kept = e
        e = before[e]
    if kept != NONE:
        before[kept] = NONE


class Side(NamedTuple):
    """The items along one side of a tile of products: its p rows, or its columns.

    `quick_scale` and `quick_reach` are of the type of the products. They serve a quick comparison that lets no wanted
    entry escape, so `quick_reach` is a little lower than `reach`.
    """

    first: int  # number of the first item
    scale: np.ndarray  # float64 (p,), inverse lengths
    reach: np.ndarray  # (p,)
    quick_scale: np.ndarray  # (p,)
    quick_reach: np.ndarray  # (p,)


class Kept(NamedTuple):
    """What a tile gives to the lists of its rows, row after row: counts[i] entries for row i."""

    items: np.ndarray  # int32, numbers of the columns' items
    closeness: np.ndarray
    counts: np.ndarray  # int64 (p,)


class Mirrored(NamedTuple):
    """What a tile gives to the lists of its columns, still in the order of its rows: counts[j] for column j."""

    items: np.ndarray  # int32, numbers of the rows' items
    columns: np.ndarray  # int32, whose list each entry belongs to
    closeness: np.ndarray
    counts: np.ndarray  # int64 (q,)


@compiled
def keep_closer(product, rows, columns, on_diagonal, both, kept, mirrored):
    """Collect the entries of a tile that the lists of its rows want, and, if `both`, those of its columns.

    Reads rows: Side (p,), columns: Side (q,). Reads and writes product (p, q), not yet scaled: a tile `on_diagonal` is
    mirrored first. Writes kept, mirrored. Returns the number of entries of each.
    """
    p, q = product.shape
    if on_diagonal:
        for i in range(p):
            for j in range(i):
                product[i, j] = product[j, i]
    n_kept, n_mirrored = 0, 0
    hits = np.empty(q + TOGETHER, np.int32)
    for i in range(p):
        row_reach = rows.quick_reach[i] if both else columns.quick_reach.dtype.type(np.inf)
        m = _columns_closer(product[i], rows.quick_scale[i], row_reach, columns, hits)
        before = n_kept
        for e in range(m):
            j = hits[e]
            c = min(max(product[i, j] * (rows.scale[i] * columns.scale[j]), -1.0), 1.0)
            if on_diagonal and i == j:
                c = 1.0 if rows.scale[i] > 0.0 else 0.0
            # Every entry is written; the place moves on only behind one that is wanted.
            kept.closeness[n_kept] = c
            rounded = kept.closeness[n_kept]
            kept.items[n_kept] = columns.first + j
            n_kept += rounded > columns.reach[j]
            mirrored.items[n_mirrored] = rows.first + i
            mirrored.columns[n_mirrored] = j
            mirrored.closeness[n_mirrored] = rounded
            wanted = both and rounded > rows.reach[i]
            n_mirrored += wanted
            mirrored.counts[j] += wanted
        kept.counts[i] = n_kept - before
    return n_kept, n_mirrored


@compiled
def _columns_closer(row, scale, row_reach, columns, hits):
    """The columns whose products with a row may be closer than the column's reach, or than the row's.

    Reads row (q,), columns: Side (q,). Writes hits int32 (q + TOGETHER,). Returns how many they are.
    """
    m, wanted = 0, np.zeros(TOGETHER, np.bool_)
    for left in range(0, len(row), TOGETHER):
        x = row[left : left + TOGETHER]
        y = columns.quick_scale[left : left + TOGETHER]
        z = columns.quick_reach[left : left + TOGETHER]
        if len(x) < TOGETHER:
            wanted[len(x) :] = False
        for o in range(len(x)):
            wanted[o] = x[o] * scale * y[o] > min(z[o], row_reach)
        bits = bits_of(wanted)
        while bits:
            hits[m] = left + lowest_bit(bits)
            m += 1
            bits &= bits - ONE
    return m


@compiled
def by_column(mirrored, m):
    """The first m entries sorted by column; within a column they stay in the order in which they came.

    Reads mirrored. Returns their items int32 (m,) and closeness (m,).
    """
    at = np.cumsum(mirrored.counts) - mirrored.counts
    items, closeness = np.empty(m, np.int32), np.empty(m, mirrored.closeness.dtype)
    for e in range(m):
        j = mirrored.columns[e]
        items[at[j]] = mirrored.items[e]
        closeness[at[j]] = mirrored.closeness[e]
        at[j] += 1
    return items, closeness


@compiled
def append(counts, new_items, new_closeness, at, items, closeness):
    """Add the next counts[i] entries to the list of each row i.

    Reads counts int64 (p,), new_items int32, new_closeness. Writes items int32 and closeness from at[i] on. Reads and
    writes at int64 (p,), which moves on.
    """
    e = 0
    for i in range(len(counts)):
        a = at[i]
        for _ in range(counts[i]):
            items[a] = new_items[e]
            closeness[a] = new_closeness[e]
            a += 1
            e += 1
        at[i] = a
