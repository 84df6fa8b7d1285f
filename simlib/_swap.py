"""Compiled inner loops of k-medoids; input assumed valid.

All of them speak of closeness c: the similarity itself, or minus the distance (`sign` = -1), so that larger is
closer and no second n x n matrix is made. Rows may be float32 or float64; every sum is taken in float64.
The k x n closeness of the medoids is kept as `table` (n, k), an item a row, so that an item's medoids lie side by side.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from simlib._compile import compiled

CHUNK = 16  # items looked at together: one vector comparison tells whether any of them matters
LANES = 8  # partial sums in a fixed order: fast, and the same on every machine


@compiled(parallel=True)
def row_sums(rows, sign):
    """Sum of closeness along each row."""
    p, n = rows.shape
    sums = np.empty(p)
    whole = n - n % LANES
    for i in prange(p):
        lane = np.zeros(LANES)
        for o in range(0, whole, LANES):
            for w in range(LANES):
                lane[w] += rows[i, o + w]
        for o in range(whole, n):
            lane[0] += rows[i, o]
        sums[i] = sign * lane.sum()
    return sums


@compiled(parallel=True)
def gains(rows, index, sign, best):
    """How much the total closeness would rise if row index[i] became one more medoid.

    `best` (n,) is each item's closeness to its nearest medoid so far. Returns float64 (len(index),).
    """
    n = rows.shape[1]
    whole = n - n % LANES
    gain = np.empty(len(index))
    for i in prange(len(index)):
        j = index[i]
        lane = np.zeros(LANES)
        for o in range(0, whole, LANES):
            for w in range(LANES):
                lane[w] += max(np.float64(sign * rows[j, o + w]) - np.float64(best[o + w]), 0.0)
        for o in range(whole, n):
            lane[0] += max(np.float64(sign * rows[j, o]) - np.float64(best[o]), 0.0)
        gain[i] = lane.sum()
    return gain


@compiled(parallel=True)
def count_closer(rows, sign, best):
    """For each row the number of items it is closer to than their nearest medoid so far."""
    counts = np.zeros(len(rows), np.int64)
    for i in prange(len(rows)):
        for o in range(rows.shape[1]):
            counts[i] += sign * rows[i, o] > best[o]
    return counts


@compiled(parallel=True)
def list_closer(rows, sign, best, start, items, close):
    """Write those items of row i, and their closeness to it, from position start[i] on."""
    p, n = rows.shape
    for i in prange(p):
        at = start[i]
        for first in range(0, n, CHUNK):
            stop = min(first + CHUNK, n)
            hit = False
            for o in range(first, stop):
                hit |= sign * rows[i, o] > best[o]
            if hit:
                for o in range(first, stop):
                    c = sign * rows[i, o]
                    if c > best[o]:
                        items[at], close[at] = o, c
                        at += 1


@compiled
def greedy(medoids, chosen, bound, best, start, items, close):
    """Fill medoids[chosen:] with the items of largest gain, one after the other, ties to the lowest index.

    Item j can only help items[start[j]:start[j + 1]]. `bound` (n,) holds upper bounds of the gains, -inf for
    medoids; the largest of every `width` bounds is kept, so that the largest of all is soon found.
    """
    n = len(bound)
    width = int(np.sqrt(n)) + 1
    top = np.array([bound[low : low + width].max() for low in range(0, n, width)])
    looked = np.full(n, -1)  # number of medoids when the bound was last made exact
    while chosen < len(medoids):
        group = np.argmax(top)
        low = group * width
        j = low + np.argmax(bound[low : low + width])
        if looked[j] == chosen:
            medoids[chosen] = j
            chosen += 1
            bound[j] = -np.inf
            for e in range(start[j], start[j + 1]):
                best[items[e]] = max(best[items[e]], close[e])
        else:
            gain = 0.0
            for e in range(start[j], start[j + 1]):
                gain += max(np.float64(close[e]) - np.float64(best[items[e]]), 0.0)
            bound[j], looked[j] = gain, chosen
        top[group] = bound[low : low + width].max()


@compiled
def nearest(medoid_rows, sign, medoids):
    """Label and closeness of each item's nearest medoid, ties to the lowest position; a medoid owns itself.

    medoid_rows (k, n). Returns labels int32 (n,), closeness (n,).
    """
    k, n = medoid_rows.shape
    labels = np.zeros(n, np.int32)
    close = np.empty(n, medoid_rows.dtype)
    for o in range(n):
        close[o] = sign * medoid_rows[0, o]
    for r in range(1, k):
        for o in range(n):
            c = sign * medoid_rows[r, o]
            if c > close[o]:
                close[o] = c
                labels[o] = r
    for r in range(k):
        labels[medoids[r]] = r
        close[medoids[r]] = sign * medoid_rows[r, medoids[r]]
    return labels, close


@compiled(parallel=True)
def member_sums(rows, first, sign, labels, start, members):
    """For items first, first + 1, ... their summed closeness to the members of their own cluster.

    Cluster r is members[start[r]:start[r + 1]]. Returns float64 (len(rows),).
    """
    sums = np.empty(len(rows))
    for i in prange(len(rows)):
        r = labels[first + i]
        total = 0.0
        for m in range(start[r], start[r + 1]):
            total += rows[i, members[m]]
        sums[i] = sign * total
    return sums


@compiled
def best_members(sums, labels, k):
    """The item with the largest sum in each cluster, ties to the lowest index. Returns int64 (k,)."""
    best = np.full(k, -1, np.int64)
    for i in range(len(sums)):
        r = labels[i]
        if best[r] < 0 or sums[i] > sums[best[r]]:
            best[r] = i
    return best


@compiled
def two_nearest(table, o, n1, n2, s1, s2):
    """Set item o's nearest and second-nearest medoid from its row of the table."""
    first, second = -1, -1
    for r in range(table.shape[1]):
        c = table[o, r]
        if first < 0 or c > table[o, first]:
            first, second = r, first
        elif second < 0 or c > table[o, second]:
            second = r
    n1[o], n2[o] = first, second
    s1[o], s2[o] = table[o, first], table[o, second]


@compiled
def start_search(table):
    """Nearest (n1, s1) and second-nearest (n2, s2) medoid of every item, k >= 2."""
    n = len(table)
    n1, n2 = np.empty(n, np.int32), np.empty(n, np.int32)
    s1, s2 = np.empty(n, table.dtype), np.empty(n, table.dtype)
    for o in range(n):
        two_nearest(table, o, n1, n2, s1, s2)
    return n1, n2, s1, s2


@compiled
def removal_losses(n1, s1, s2, k):
    """What each medoid's removal would cost: its items go to their second nearest."""
    loss = np.zeros(k)
    for o in range(len(n1)):
        loss[n1[o]] += np.float64(s1[o]) - np.float64(s2[o])
    return loss


@compiled
def best_swap(row, sign, n1, s1, s2, removal, change):
    """The medoid whose exchange for the row's item changes the total loss most for the better.

    Only items closer to the candidate than to their second-nearest medoid take part.
    Returns (position, change of loss); `change` (k,) is scratch.
    """
    n = len(row)
    change[:] = removal
    gain = 0.0
    for start in range(0, n, CHUNK):
        stop = min(start + CHUNK, n)
        hit = False
        for o in range(start, stop):
            hit |= sign * row[o] > s2[o]
        if hit:
            for o in range(start, stop):
                c = sign * row[o]
                if c > s2[o]:
                    change[n1[o]] -= np.float64(min(c, s1[o])) - np.float64(s2[o])
                    if c > s1[o]:
                        gain += np.float64(c) - np.float64(s1[o])
    r = np.argmin(change)
    return r, change[r] - gain


@compiled
def exchange(r, row, sign, table, n1, n2, s1, s2):
    """Put the row's item in place of medoid r and bring every item's two nearest up to date."""
    for o in range(len(row)):
        c = sign * row[o]
        table[o, r] = c
        if (n1[o] == r and c < s2[o]) or (n2[o] == r and c < s2[o]):
            two_nearest(table, o, n1, n2, s1, s2)
        elif n1[o] == r:
            s1[o] = c
        elif c > s1[o]:
            n2[o], s2[o] = n1[o], s1[o]
            n1[o], s1[o] = r, c
        elif c > s2[o] or n2[o] == r:
            n2[o], s2[o] = r, c


@compiled
def search(rows, first, sign, medoids, is_medoid, table, n1, n2, s1, s2, idle, tolerance):
    """Judge candidates first, first + 1, ... in order, swapping at once where the loss falls.

    Stops when `idle` candidates in a row, n of them, brought nothing. Updates the state in place.
    Returns (swaps made, idle).
    """
    n, k = table.shape
    removal = removal_losses(n1, s1, s2, k)
    change = np.empty(k)
    swaps = 0
    for i in range(len(rows)):
        if idle >= n:
            break
        idle += 1
        j = first + i
        if is_medoid[j]:
            continue
        r, delta = best_swap(rows[i], sign, n1, s1, s2, removal, change)
        if delta < -tolerance:
            is_medoid[medoids[r]], is_medoid[j] = False, True
            medoids[r] = j
            exchange(r, rows[i], sign, table, n1, n2, s1, s2)
            removal = removal_losses(n1, s1, s2, k)
            swaps += 1
            idle = 0
    return swaps, idle


@compiled(parallel=True)
def cluster_sums(rows, first, sign, labels, k):
    """Summed closeness of items first, first + 1, ... to each cluster, the item itself left out.

    Returns float64 (len(rows), k).
    """
    p, n = rows.shape
    sums = np.zeros((p, k))
    for i in prange(p):
        for o in range(n):
            sums[i, labels[o]] += rows[i, o]
        sums[i, labels[first + i]] -= rows[i, first + i]
        for r in range(k):
            sums[i, r] *= sign
    return sums
