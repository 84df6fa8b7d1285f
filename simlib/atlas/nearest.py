"""The nearest neighbours of every item, exactly, by blocks of rows."""

from __future__ import annotations

import numpy as np
from tqdm.auto import tqdm

from simlib._engine.items import HostItems


def nearest_items(items: HostItems, m: int, progress: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers int32 and closeness (n, m) of each item's m nearest others, nearest first, ties to the lowest row."""
    index, closeness = np.empty((items.n, m), np.int32), np.empty((items.n, m), items.dtype)
    with tqdm(total=items.n, desc="neighbours", unit=" items", disable=not progress) as bar:
        for block in items.blocks():
            rows = np.arange(block.start, block.stop)
            far = -items.closeness(block)  # (b, n), a new array
            far[rows - block.start, rows] = np.inf
            index[block] = _smallest(far, m)
            closeness[block] = -np.take_along_axis(far, index[block], axis=1)
            bar.update(len(rows))
    return index, closeness


def _smallest(far: np.ndarray, m: int) -> np.ndarray:
    """Columns (b, m) of the m smallest entries of each row, the smallest first, ties to the lowest column."""
    found = np.argpartition(far, m - 1, axis=1)[:, :m]
    last = np.take_along_axis(far, found, axis=1).max(axis=1, initial=-np.inf)
    for row in np.flatnonzero((far <= last[:, None]).sum(axis=1) > m):  # a tie at the end: partition took any of them
        near = np.flatnonzero(far[row] <= last[row])
        found[row] = near[np.argsort(far[row, near], kind="stable")[:m]]
    found.sort(axis=1)
    order = np.argsort(np.take_along_axis(far, found, axis=1), axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1)
