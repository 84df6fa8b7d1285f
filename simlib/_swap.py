"""Compiled loops of the swap search; input assumed valid.

Each item keeps the few nearest of the k medoids, nearest first. What is known about item o is complete above
floor[o]: every medoid closer than that is among them. A swap removes and inserts; an item that is left with fewer
than two is short, and the caller derives it anew. Candidate j is judged by the items closer to it than to their
second-nearest medoid: only they gain by the swap, or lose less by it. These items come either from lists made once
for a whole search (`search`) or from the candidate's row (`judge_rows`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from llvmlite import binding, ir
from numba import prange, types
from numba.core import cgutils
from numba.extending import intrinsic

from simlib._compile import compiled

STRIP = 1024  # items whose nearest medoids stay in the first-level cache while the medoids' rows go by
CHUNK = 64  # items looked at together: a few vector comparisons tell whether any of them matters
WIDE = 128  # the same where hits are few
AHEAD = 2048  # entries of a row asked for before they are wanted: memory and arithmetic then go on side by side
PACKS = binding.get_host_cpu_features().get("avx512f", False)  # the processor moves what is wanted of a vector in front


class Near(NamedTuple):
    """The nearest medoids of every item: depth of them, less where fewer are known."""

    position: np.ndarray  # int32 (depth, n), -1 where unknown
    close: np.ndarray  # float32 or float64 (depth, n), -inf where unknown
    floor: np.ndarray  # (n,), every medoid closer than this is known
    medoids: np.ndarray  # int64 (k,)
    is_medoid: np.ndarray  # bool (n,)


class Lists(NamedTuple):
    """For every row j the items it is closer to than their threshold: start[j]:stop[j] of `items` and `close`."""

    start: np.ndarray  # int64 (n,)
    stop: np.ndarray  # int64 (n,)
    items: np.ndarray  # int32
    close: np.ndarray  # float32 or float64, their closeness to j
    threshold: np.ndarray  # (n,)


class Loose(NamedTuple):
    """Items whose second-nearest medoid is farther than their list's threshold: their whole rows are kept."""

    items: np.ndarray  # int32 (n,), the first n_loose of them
    rows: np.ndarray  # (room, n) closeness, a row for each of them


@compiled
def insert(position, close, o, t, r, c):
    """Put medoid r at closeness c among item o's nearest, in place of entry t or further up; ties go behind."""
    while t > 0 and c > close[t - 1, o]:
        position[t, o], close[t, o] = position[t - 1, o], close[t - 1, o]
        t -= 1
    position[t, o], close[t, o] = r, c


@compiled
def _keep_closer(row, sign, r, position, close):
    """Put medoid r wherever its row is closer than what is there: `nearest` of depth 1, without a branch."""
    for o in range(len(row)):
        c = sign * row[o]
        better = c > close[o]
        position[o] = r if better else position[o]
        close[o] = c if better else close[o]


@compiled(parallel=True)
def nearest(rows, index, first, sign, position, close):
    """Take medoids first, first + 1, ... at rows[index] into account among each item's nearest.

    position int32 and close (depth, n) hold the nearest medoids so far, nearest first, ties to the lowest position,
    filled up with -1 and -inf.
    """
    depth, n = position.shape
    for part in prange((n + STRIP - 1) // STRIP):
        left = part * STRIP
        right = min(left + STRIP, n)
        last = close[depth - 1, left:right]
        for r in range(len(index)):
            row = rows[index[r], left:right]
            if depth == 1:
                _keep_closer(row, sign, np.int32(first + r), position[0, left:right], last)
                continue
            for o in range(len(row)):
                c = sign * row[o]
                if c > last[o]:
                    insert(position, close, left + o, depth - 1, first + r, c)


@intrinsic
def _pack(typing, row, sign, threshold, o, items, close, at):
    """Of the 64 bytes from row[o] on: write the items closer than their threshold from items[at], close[at] on.

    Whole vectors are written, what is wanted of them in front; returns `at` moved on by what was wanted.
    """
    number = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}[row.dtype]
    lanes = 64 // (row.dtype.bitwidth // 8)

    def generate(context, builder, signature, values):
        def place(which, index, kind):
            data = context.make_array(signature.args[which])(context, builder, values[which]).data
            return builder.bitcast(builder.gep(data, [index]), ir.VectorType(kind, lanes).as_pointer())

        def spread(value):
            one = builder.insert_element(ir.Constant(ir.VectorType(value.type, lanes), ir.Undefined), value, zero)
            return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes))

        def front(vector, index, which):
            """Store the wanted lanes of a vector in front."""
            name = f"llvm.experimental.vector.compress.v{lanes}{'i' if which == 4 else 'f'}{names[which]}"
            kind = ir.FunctionType(vector.type, [vector.type, wanted.type, vector.type])
            compress = cgutils.get_or_insert_function(builder.module, kind, name)
            packed = builder.call(compress, [vector, wanted, ir.Constant(vector.type, ir.Undefined)])
            builder.store(packed, place(which, index, vector.type.element), align=4)

        zero, names = ir.Constant(ir.IntType(32), 0), {4: "32", 5: str(row.dtype.bitwidth)}
        x = builder.load(place(0, values[3], number), align=4)
        limit = builder.load(place(2, values[3], number), align=4)
        c = builder.fmul(x, spread(values[1]))
        wanted = builder.fcmp_ordered(">", c, limit)
        first = spread(builder.trunc(values[3], ir.IntType(32)))
        index = builder.add(first, ir.Constant(ir.VectorType(ir.IntType(32), lanes), list(range(lanes))))
        front(index, values[6], 4)
        front(c, values[6], 5)
        bits = builder.bitcast(wanted, ir.IntType(lanes))
        return builder.add(values[6], builder.zext(builder.ctpop(bits), ir.IntType(64)))

    return types.intp(row, sign, threshold, types.intp, items, close, types.intp), generate


@intrinsic
def _fetch(typing, row, o):
    """Ask for the line of memory at row[o], which may lie behind the row's end, into the second-level cache."""

    def generate(context, builder, signature, values):
        data = context.make_array(signature.args[0])(context, builder, values[0]).data
        place = builder.bitcast(builder.gep(data, [values[1]]), ir.IntType(8).as_pointer())
        flag = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [place.type, flag, flag, flag])
        fetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(fetch, [place, *(ir.Constant(flag, choice) for choice in (0, 2, 1))])  # to read, level 2, data
        return context.get_dummy_value()

    return types.void(row, types.intp), generate


@compiled
def closer(row, sign, threshold, items, close):
    """Write the items that the row is closer to than `threshold` (n,) to `items`, their closeness to `close`.

    Returns how many they are; CHUNK more places are written to. No branch depends on a single entry.
    """
    at, whole, lanes = 0, len(row) - len(row) % CHUNK, 64 // row.itemsize
    for left in range(0, whole, CHUNK):
        x, y = row[left : left + CHUNK], threshold[left : left + CHUNK]
        found = False
        for o in range(left + AHEAD, left + AHEAD + CHUNK, lanes):
            _fetch(row, o)
        for o in range(CHUNK):
            found |= sign * x[o] > y[o]
        if found and PACKS:
            for o in range(left, left + CHUNK, lanes):
                at = _pack(row, sign, threshold, o, items, close, at)
        elif found:
            for o in range(left, left + CHUNK):
                items[at], close[at] = o, sign * row[o]
                at += close[at] > threshold[o]
    for o in range(whole, len(row)):
        items[at], close[at] = o, sign * row[o]
        at += close[at] > threshold[o]
    return at


@compiled(parallel=True)
def count_closer(rows, sign, threshold):
    """For each row the number of items it is closer to than `threshold` (n,)."""
    counts = np.zeros(len(rows), np.int64)
    for i in prange(len(rows)):
        row = rows[i]
        total = 0
        for o in range(len(row)):
            total += sign * row[o] > threshold[o]
        counts[i] = total
    return counts


@compiled(parallel=True)
def list_closer(rows, first, sign, lists, cursor, end):
    """Write the lists of rows first, first + 1, ...

    Thread t writes from cursor[t] on and must stop before end[t]. Returns False if room ran out.
    """
    p, n = rows.shape
    parts = len(cursor)
    start, stop, all_items, all_close, threshold = lists
    enough = np.ones(parts, np.bool_)
    for part in prange(parts):
        at = cursor[part]
        for i in range(part * p // parts, (part + 1) * p // parts):
            if at + n + CHUNK > end[part]:
                enough[part] = False
                break
            m = closer(rows[i], sign, threshold, all_items[at:], all_close[at:])
            start[first + i], stop[first + i] = at, at + m
            at += m
        cursor[part] = at
    return enough.all()


@compiled
def removal_losses(near):
    """What each medoid's removal would cost: its items go to their second nearest."""
    loss = np.zeros(len(near.medoids))
    owner, first, second = near.position[0], near.close[0], near.close[1]
    for o in range(len(owner)):
        loss[owner[o]] += np.float64(first[o]) - np.float64(second[o])
    return loss


@compiled
def judge(items, close, near, removal, cheapest, change):
    """The medoid whose exchange for a candidate changes the total loss most for the better, and that change.

    items, close: those closer to the candidate than to their second-nearest medoid, others may be among them.
    `cheapest` is the position of the smallest removal loss; `change` (k,) is scratch that equals `removal`.
    """
    owner, first, second = near.position[0], near.close[0], near.close[1]
    gain = 0.0
    for e in range(len(items)):
        o, c = items[e], close[e]
        gain += max(np.float64(c) - np.float64(first[o]), 0.0)
        change[owner[o]] -= np.float64(max(min(c, first[o]), second[o])) - np.float64(second[o])
    if len(items) >= len(change):
        r = np.argmin(change)
        best = change[r]
        change[:] = removal
        return r, best - gain
    best, r = change[cheapest], cheapest
    change[cheapest] = removal[cheapest]
    for e in range(len(items)):  # only medoids that own one of the items can be better than the cheapest
        s = owner[items[e]]
        if change[s] < best or (change[s] == best and s < r):
            best, r = change[s], s
        change[s] = removal[s]
    return r, best - gain


@compiled
def exchange(j, r, items, close, near, short):
    """Put item j in place of medoid r; items, close: all that are closer to j than their floor, others among them.

    Writes the items left with fewer than two known medoids to `short` and returns how many they are.
    """
    position, known = near.position, near.close
    depth, n = position.shape
    near.is_medoid[near.medoids[r]], near.is_medoid[j] = False, True
    near.medoids[r] = j
    dropped, gone = 0, np.int32(r)
    for t in range(depth):
        for left in range(0, n, WIDE):
            some, found = position[t, left : left + WIDE], False
            for o in range(len(some)):
                found |= some[o] == gone
            if found:
                for o in range(left, left + len(some)):
                    if position[t, o] == gone:
                        for u in range(t, depth - 1):
                            position[u, o], known[u, o] = position[u + 1, o], known[u + 1, o]
                        position[depth - 1, o], known[depth - 1, o] = -1, -np.inf
                        short[dropped] = o
                        dropped += 1
    last = depth - 1
    for e in range(len(items)):
        o, c = items[e], close[e]
        if c > near.floor[o]:
            near.floor[o] = max(near.floor[o], min(c, known[last, o]))
            if c > known[last, o]:
                insert(position, known, o, last, r, c)
    m = 0
    for e in range(dropped):
        if position[1, short[e]] < 0:
            short[m] = short[e]
            m += 1
    return m


@compiled
def listed(j, lists, loose, n_loose, bound, items, close):
    """Copy the items closer to candidate j than their `bound` (n,), listed or loose, to `items`, `close`.

    Returns how many they are.
    """
    m = 0
    for e in range(lists.start[j], lists.stop[j]):
        items[m], close[m] = lists.items[e], lists.close[e]
        m += close[m] > bound[items[m]]
    for e in range(n_loose):
        o, c = loose.items[e], loose.rows[e, j]
        items[m], close[m] = o, c
        m += bound[o] < c <= lists.threshold[o]
    return m


@compiled
def exchange_listed(j, r, lists, loose, n_loose, near, items, close, short):
    """`exchange` with the items found in candidate j's list."""
    m = listed(j, lists, loose, n_loose, near.floor, items, close)
    return exchange(j, r, items[:m], close[:m], near, short)


@compiled
def search(first, last, lists, loose, n_loose, near, idle, tolerance, items, close, short):
    """Judge candidates first..last - 1 in order, swapping at once where the loss falls, until some item is short.

    Stops early when `idle` candidates in a row, n of them, brought nothing. items, close and short (2 n,) are scratch.
    Returns (next candidate, swaps made, idle, number of short items).
    """
    n = len(near.is_medoid)
    removal = removal_losses(near)
    change, cheapest = removal.copy(), np.argmin(removal)
    swaps, m_short = 0, 0
    j = first
    while j < last and idle < n and not m_short:
        idle += 1
        if not near.is_medoid[j]:
            m = listed(j, lists, loose, n_loose, near.close[1], items, close)
            r, delta = judge(items[:m], close[:m], near, removal, cheapest, change)
            if delta < -tolerance:
                m_short = exchange_listed(j, r, lists, loose, n_loose, near, items, close, short)
                removal = removal_losses(near)
                change[:], cheapest = removal, np.argmin(removal)
                swaps += 1
                idle = 0
        j += 1
    return j, swaps, idle, m_short


@compiled(parallel=True)
def judge_rows(rows, first, sign, near, where, change_by):
    """Judge candidates first, first + 1, ... by their rows, each on its own, all against the same medoids."""
    removal = removal_losses(near)
    cheapest = np.argmin(removal)
    for i in prange(len(rows)):
        if near.is_medoid[first + i]:
            where[i], change_by[i] = 0, np.inf
            continue
        room = rows.shape[1] + CHUNK
        items, close = np.empty(room, np.int32), np.empty(room, rows.dtype)
        m = closer(rows[i], sign, near.close[1], items, close)
        where[i], change_by[i] = judge(items[:m], close[:m], near, removal, cheapest, removal.copy())


@compiled
def exchange_row(j, r, row, sign, near, items, close, short):
    """`exchange` with the items found in candidate j's row."""
    m = closer(row, sign, near.floor, items, close)
    return exchange(j, r, items[:m], close[:m], near, short)


@compiled
def derive(items, columns, threshold, near, loose, n_loose):
    """Set the nearest medoids of short items from their closeness to all, columns (k, len(items)).

    Nothing is known below `threshold` (n,), what a list leaves out. An item whose second nearest lies below it
    becomes loose: loose.items gets it; the caller adds its row. Returns the number of loose items.
    """
    position, known = near.position, near.close
    last = len(position) - 1
    for i in range(len(items)):
        o = items[i]
        position[:, o], known[:, o] = -1, -np.inf
        for r in range(len(columns)):
            if columns[r, i] > known[last, o]:
                insert(position, known, o, last, r, columns[r, i])
        near.floor[o] = known[last, o] if last + 1 < len(columns) else -np.inf
        is_loose = (loose.items[:n_loose] == o).any()
        if not is_loose and known[1, o] < threshold[o]:
            loose.items[n_loose] = o
            n_loose += 1
        elif not is_loose and near.floor[o] < threshold[o]:
            near.floor[o] = threshold[o]
            for t in range(2, last + 1):
                if known[t, o] < threshold[o]:
                    position[t, o], known[t, o] = -1, -np.inf
    return n_loose
