"""Where a search for medoids starts from."""

from __future__ import annotations

from typing import Any

import numpy as np

from simlib import _check, _passes, _swap, _vectors
from simlib._matrix import BLOCK_ENTRIES, Data

STARTS = ("build", "k-medoids++", "random", "first")
DENSITY = 0.1  # lists are made if they hold less than this share of the matrix
KEPT_BYTES = 4e9  # what is kept in place of vectors takes less than this, and less than half of the memory that is free


def check_medoids(medoids: Any, n: int, name: str) -> np.ndarray:
    """Return distinct row numbers within range(n) as int64."""
    try:
        medoids = np.asarray(medoids)
    except ValueError:  # ragged
        medoids = np.empty(0, object)
    if medoids.ndim != 1 or not medoids.size or medoids.dtype.kind not in "iu":
        raise ValueError(f"{name} must be a list of row numbers, got {medoids.dtype} {medoids.shape}")
    if medoids.min() < 0 or medoids.max() >= n:
        raise ValueError(f"{name} must lie between 0 and {n - 1}, got {medoids.min()}..{medoids.max()}")
    if len(np.unique(medoids)) < len(medoids):
        values, counts = np.unique(medoids, return_counts=True)
        raise ValueError(f"{name} must be distinct, row {values[counts > 1][0]} came more than once")
    return medoids.astype(np.int64)


def check_init(init: Any, k: int, n: int) -> None:
    """Raise unless `init` is a known word or k distinct row numbers."""
    if isinstance(init, str):
        _check.one_of(init, "init", STARTS)
    elif len(check_medoids(init, n, "init")) != k:
        raise ValueError(f"init must list n_clusters={k} row numbers, got {len(init)}")


def start(data: Data, k: int, init: Any, rng: np.random.Generator) -> np.ndarray:
    """k distinct row numbers to start from, int64."""
    if not isinstance(init, str):
        return np.array(init, dtype=np.int64)
    if init == "first":
        return np.arange(k)
    if init == "random":
        return rng.choice(data.n, k, replace=False)
    return build(data, k) if init == "build" else _plus_plus(data, k, rng)


def _plus_plus(data: Data, k: int, rng: np.random.Generator) -> np.ndarray:
    """Draw medoids one by one with probability proportional to the distance from the nearest so far."""
    medoids = [rng.integers(data.n)]
    loss = data.base - data.sign * data.rows(medoids)[0].astype(np.float64)
    for _ in range(k - 1):
        weight = np.maximum(loss, 0)
        weight[medoids] = 0
        if not weight.any():  # only copies of the medoids are left
            weight[:] = 1
            weight[medoids] = 0
        medoids.append(rng.choice(data.n, p=weight / weight.sum()))
        loss = np.minimum(loss, data.base - data.sign * data.rows(medoids[-1:])[0])
    return np.array(medoids)


def build(data: Data, k: int) -> np.ndarray:
    """PAM's greedy BUILD: add the item that raises total closeness most, k times.

    An item's gain only falls as medoids are added, so an old gain is an upper bound: items are looked at in
    the order of their bounds until the best gain found is above every bound left. The first medoids are found
    on whole rows; once the items that are closer to each other than to their medoid are few, they are listed.
    """
    data = at_hand(data)
    medoids = np.empty(k, np.int64)
    medoids[0] = np.argmax(data.sums())
    best = data.sign * data.rows(medoids[:1])[0]
    bound = np.full(data.n, np.inf)
    bound[medoids[0]] = -np.inf
    for chosen in range(1, k):
        if chosen % 8 == 0 and (lists := make_lists(data, best)) is not None:
            for low in range(chosen, k, 100):  # not all at once: an interrupt must get a word in
                _passes.greedy(medoids[: low + 100], low, bound, best, *lists[:4])
            break
        winner = _largest_gain(data, best, bound)
        medoids[chosen], bound[winner] = winner, -np.inf
        best = np.maximum(best, data.sign * data.rows(medoids[chosen : chosen + 1])[0])
    return medoids


def _largest_gain(data: Data, best: np.ndarray, bound: np.ndarray) -> int:
    """The item with the largest gain, lowest index first; brings the bounds it looks at up to date."""
    fresh = np.zeros(data.n, bool)
    width = 64
    while True:
        stale = np.where(fresh, -np.inf, bound)
        top = np.max(bound[fresh], initial=-np.inf)
        if top > stale.max():
            return int(np.flatnonzero(fresh & (bound == top))[0])
        look = np.argpartition(-stale, min(width, data.n - 1))[:width]
        look = look[(stale[look] >= top) & (stale[look] > -np.inf)]
        if not look.size:
            return int(np.flatnonzero(fresh & (bound == top))[0])
        bound[look] = _passes.gains(*data.picked(look), data.sign, best)
        fresh[look] = True
        width = max(64, min(2 * width, 2000, 4 * BLOCK_ENTRIES // data.n))


def make_lists(data: Data, threshold: np.ndarray, some: bool = False, progress: bool = False) -> _swap.Lists | None:
    """For every item those it is closer to than `threshold` (n,); None if they are too many to be worth it.

    From vectors the lists take the place of the matrix: worth it if they are shorter and fit in memory. If `some`, and
    they do not fit, the first rows get theirs.
    """
    n = data.n
    sample = np.arange(0, n, max(1, n // 64))
    share = _swap.count_closer(data.rows(sample), data.sign, threshold).mean() / n
    if data.vectors is not None:
        entries = 1.1 * share * n * n + n
        entry = 4 + threshold.itemsize
        if share * entry > threshold.itemsize:  # longer than the matrix
            return None
        room = room_for_kept() / entry
        rows = n if entries <= room else int(n * room / entries) if some else 0
        made = data.vectors, data.scale, threshold, rows, int(entries * rows / n), progress
        return _vectors.make_lists(*made) if rows else None
    if share > DENSITY:
        return None
    parts = _check.cores()
    room = int(1.5 * DENSITY * n * n) // parts + 2 * n + _swap.CHUNK
    start, stop = np.zeros((2, n), np.int64)
    lists = _swap.Lists(
        start, stop, np.empty(parts * room, np.int32), np.empty(parts * room, threshold.dtype), threshold
    )
    cursor = np.arange(parts) * room
    end = cursor + room
    for block in data.blocks():
        if not _swap.list_closer(data.rows(block), block.start, data.sign, lists, cursor, end):
            return None
    return lists


def room_for_kept() -> float:
    """Bytes that lists or a matrix made from vectors may take."""
    return min(KEPT_BYTES, _check.available_memory() / 2)


def at_hand(data: Data, progress: bool = False) -> Data:
    """The items by their matrix if they are vectors and it fits among what is kept, else as they are."""
    fits = data.vectors is not None and data.matrix_bytes < room_for_kept()
    return data.stored(progress) if fits else data
