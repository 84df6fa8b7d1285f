"""The nearest neighbours of every item, exactly."""

from __future__ import annotations

import numpy as np

from simlib._engine.items import HostItems
from simlib._engine.neighbours import closest


def nearest_items(items: HostItems, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers int32 and closeness (n, m) of each item's m nearest others, nearest first, ties to the lowest row."""
    if not m:
        return np.empty((items.n, 0), np.int32), np.empty((items.n, 0), items.dtype)
    index, entries = closest(items, np.arange(items.n), m)
    return index.astype(np.int32), items.factor * entries
