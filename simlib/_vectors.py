"""Nearest medoids, sums and lists of neighbours from vectors, without the matrix; input assumed valid.

The tiles of the similarity matrix are computed one after the other and forgotten; of each only the entries closer than
a threshold stay. Only upper tiles are computed: each gives entries to the lists of its rows and, mirrored, of its
columns. Products are scaled as `similarity` scales them, so whole-number data give the bits of the stored matrix.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import local

import numpy as np
from numba import prange
from tqdm.auto import tqdm

from simlib import _check, _swap, _tile, similarity
from simlib._compile import compiled

TILE = similarity.BLOCK  # rows and columns of a tile
STRIP, MEDOIDS = 1024, 512  # items and medoids whose products are taken at once
AHEAD = 64  # tasks done before the results of the first are taken up
CHUNK = 64  # entries looked at together: a few vector comparisons tell whether any of them matters
LANES = 16  # partial sums of one product
SLACK = 1e-6  # more than the rounding by which the quick comparison of a scaled product may be off


def make_lists(vectors, scale, threshold, rows, expected, progress=False) -> _swap.Lists:
    """The lists of rows 0..rows - 1: the items each is closer to than `threshold` (n,), in ascending order.

    `expected` is about the number of entries; the space grows if there are more.
    """
    n, work = len(vectors), vectors.dtype.type
    sides = scale, scale.astype(work), threshold, (threshold - work(SLACK)).astype(work)
    strips = [slice(i, min(i + TILE, rows)) for i in range(0, rows, TILE)]
    listed = len(strips)
    strips += [slice(i, min(i + TILE, n)) for i in range(rows, n, TILE)]
    start, stop = np.zeros((2, rows), np.int64)
    items, close = _pairs(expected, work)
    waiting = [[] for _ in strips]  # for each strip of rows the entries of its lists, tile by tile
    desk, end = local(), 0

    def tile(i: int, j: int):
        if not hasattr(desk, "space"):
            size = TILE * TILE
            desk.space = np.empty(size, work), *_pairs(size, work), *_pairs(size, work), np.empty(size, np.int32)
        space, *kept = desk.space
        u, v = vectors[strips[i]], vectors[strips[j]]
        product = np.matmul(u, v.T, out=space[: len(u) * len(v)].reshape(len(u), len(v)))
        counts, mirrored = np.empty(len(u), np.int64), np.zeros(len(v), np.int64)
        above, below = [side[strips[i]] for side in sides], [side[strips[j]] for side in sides]
        corner, twin = (strips[i].start, strips[j].start), i < j < listed
        m, low = _keep(product, *corner, *above, *below, i == j, twin, *kept, counts, mirrored)
        own = counts, kept[0][:m].copy(), kept[1][:m].copy()
        return own, (mirrored, *_turned(mirrored, *kept[2:], low)) if twin else None

    def take(task: tuple[int, int], kept: tuple) -> None:
        nonlocal end, items, close
        i, j = task
        waiting[i].append(kept[0])
        if kept[1] is not None:
            waiting[j].append(kept[1])
        if j + 1 < len(strips):
            return
        counts = sum(part[0] for part in waiting[i])  # all that these rows will get is there
        stop[strips[i]] = end + np.cumsum(counts)
        start[strips[i]] = stop[strips[i]] - counts
        end = int(stop[strips[i]][-1])
        if end > len(items):
            items, close = np.resize(items, end + end // 4), np.resize(close, end + end // 4)
        at = start[strips[i]].copy()
        for part in waiting[i]:
            _append(*part, at, items, close)
        waiting[i] = None

    in_order(tile, [(i, j) for i in range(listed) for j in range(i, len(strips))], take, "lists", progress)
    return _swap.Lists(start, stop, items, close, threshold)


def nearest(vectors, scale, medoids, depth) -> tuple[np.ndarray, np.ndarray]:
    """Positions int32 and closeness (depth, n) of each item's nearest medoids, nearest first, ties to the first."""
    n, work = len(vectors), vectors.dtype.type
    position, close = np.full((depth, n), -1, np.int32), np.full((depth, n), -np.inf, work)
    centres = vectors[medoids]

    def strip(left: int):
        part = vectors[left : left + STRIP]
        for first in range(0, len(medoids), MEDOIDS):
            some = medoids[first : first + MEDOIDS]
            product = centres[first : first + MEDOIDS] @ part.T
            _take(product, scale[some], scale[left : left + STRIP], some - left, first, left, position, close)

    in_order(strip, [(left,) for left in range(0, n, STRIP)])
    return position, close


def pairs(vectors, scale, rows, columns) -> np.ndarray:
    """Similarities of some items to some others, (len(rows), len(columns)), of the type of the vectors."""
    with similarity._blas().limit(limits=1, user_api="blas"):
        product = vectors[rows] @ vectors[columns].T
    _tile.finish(product, scale[rows], scale[columns], product, product[:0])
    same = rows[:, None] == columns
    if same.any():
        product[same] = 1.0
        product[scale[rows] == 0] = 0.0
    return product


def own_sums(vectors, scale, labels, k) -> np.ndarray:
    """Each item's summed similarity to the members of its own cluster, float64 (n,): the sum is one more vector."""
    sums = np.empty(len(vectors))
    first = np.concatenate([[0], np.cumsum(np.bincount(labels, minlength=k))])
    _cluster_sums(vectors, scale, np.argsort(labels, kind="stable"), first, sums)
    return sums


def _pairs(size: int, work: type) -> tuple[np.ndarray, np.ndarray]:
    """Room for `size` item numbers and their closeness."""
    return np.empty(size, np.int32), np.empty(size, work)


def in_order(work: Callable, tasks: list, take: Callable | None = None, name: str = "", progress: bool = False) -> None:
    """Call take(task, work(*task)) in the order of the tasks; the work is done one task a core, BLAS on one thread.

    An interrupt is felt at once: the tasks in hand are finished, the rest is dropped.
    """
    with similarity._blas().limit(limits=1, user_api="blas"), ThreadPoolExecutor(_check.cores()) as pool:
        jobs = deque(pool.submit(work, *task) for task in tasks[:AHEAD])
        try:
            for i, task in enumerate(tqdm(tasks, name, unit="tile", leave=False, disable=not progress)):
                result = jobs.popleft().result()
                if i + AHEAD < len(tasks):
                    jobs.append(pool.submit(work, *tasks[i + AHEAD]))
                if take is not None:
                    take(task, result)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


@compiled
def _keep(
    product, first, last, a, a_, s, s_, b, b_, t, t_, square, twin, items, close, columns, kept, lines, counts, mirrored
):
    """Collect the entries of a tile that its rows' lists, or its columns', want.

    product (p, q) holds rows first + 0.. times columns last + 0.., not yet scaled by a (p,) and b (q,). The list of a
    row gets the columns closer than t (q,), that of a column, if `twin`, the rows closer than s (p,). a_, b_, s_ and t_
    are the same in the type of the products, the thresholds a little lower: for the quick look that no entry escapes.
    A `square` tile lies on the diagonal and is mirrored first. Writes items and close, row after row, counts[i] of them
    for row i; and columns, lines, kept in the same order, mirrored[j] of them for column j. Returns how many.
    """
    p, q = product.shape
    if square:
        for i in range(p):
            for j in range(i):
                product[i, j] = product[j, i]
    at, low = 0, 0
    hits = np.empty(q + CHUNK, np.int32)
    for i in range(p):
        row, m, before = product[i], 0, at
        scale, bar = a_[i], s_[i] if twin else t_.dtype.type(np.inf)
        for left in range(0, q, CHUNK):
            x, y, z = row[left : left + CHUNK], b_[left : left + CHUNK], t_[left : left + CHUNK]
            some = False
            for o in range(len(x)):
                some |= x[o] * scale * y[o] > min(z[o], bar)
            if some:
                for o in range(len(x)):
                    hits[m] = left + o
                    m += x[o] * scale * y[o] > min(z[o], bar)
        for e in range(m):
            j = hits[e]
            close[at] = min(max(row[j] * (a[i] * b[j]), -1.0), 1.0)
            if square and i == j:
                close[at] = 1.0 if a[i] > 0.0 else 0.0
            c = close[at]
            items[at] = last + j
            at += c > t[j]
            lines[low], columns[low], kept[low] = first + i, j, c
            wanted = twin and c > s[i]
            low += wanted
            mirrored[j] += wanted
        counts[i] = at - before
    return at, low


@compiled
def _turned(counts, columns, kept, lines, m):
    """The m entries sorted by column, in the order they came within a column: their lines and closeness."""
    at = np.cumsum(counts) - counts
    items, close = np.empty(m, np.int32), np.empty(m, kept.dtype)
    for e in range(m):
        j = columns[e]
        items[at[j]], close[at[j]] = lines[e], kept[e]
        at[j] += 1
    return items, close


@compiled
def _append(counts, new_items, new_close, at, items, close):
    """Write the next counts[i] entries to `items` and `close` from at[i] on, which moves on."""
    e = 0
    for i in range(len(counts)):
        a = at[i]
        for _ in range(counts[i]):
            items[a], close[a] = new_items[e], new_close[e]
            a += 1
            e += 1
        at[i] = a


@compiled
def _take(product, a, b, own, first, left, position, close):
    """Take medoids first, first + 1, ... into account among the nearest of items left, left + 1, ...

    product (p, q): medoids times items, not yet scaled by a (p,) and b (q,); own[r] is where medoid r itself is among
    the items, if it is.
    """
    p, q = product.shape
    depth = len(close)
    last, c = close[depth - 1, left : left + q], np.empty(q, close.dtype)
    for r in range(p):
        row = product[r]
        for o in range(q):
            c[o] = min(max(row[o] * (a[r] * b[o]), -1.0), 1.0)
        if 0 <= own[r] < q:
            c[own[r]] = 1.0 if a[r] > 0.0 else 0.0
        for low in range(0, q, CHUNK):
            x, y, some = c[low : low + CHUNK], last[low : low + CHUNK], False
            for o in range(len(x)):
                some |= x[o] > y[o]
            if some:
                for o in range(len(x)):
                    if x[o] > y[o]:
                        _swap.insert(position, close, left + low + o, depth - 1, first + r, x[o])


@compiled(parallel=True)
def _cluster_sums(vectors, scale, members, first, sums):
    """sums[o] = u_o . s, u_o the unit vector of item o and s the sum of those of its cluster, all in float64.

    Cluster c is members[first[c]:first[c + 1]].
    """
    d = vectors.shape[1]
    for c in prange(len(first) - 1):
        total = np.zeros(d + LANES)
        for e in range(first[c], first[c + 1]):
            x, a = vectors[members[e]], scale[members[e]]
            for f in range(d):
                total[f] += a * x[f]
        for e in range(first[c], first[c + 1]):
            x, lanes = vectors[members[e]], np.zeros(LANES)
            for left in range(0, d, LANES):
                y, z = x[left : left + LANES], total[left : left + LANES]
                for f in range(len(y)):
                    lanes[f] += y[f] * z[f]
            sums[members[e]] = scale[members[e]] * lanes.sum()
