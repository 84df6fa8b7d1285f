"""Empty stretches across a whole map, shortened: a few items far from all others do not squeeze the rest."""

from __future__ import annotations

import numpy as np


def drawn_in(flat: np.ndarray, longest: np.ndarray) -> np.ndarray:
    """The places (n, 2) moved so that no stretch across the map without a place is longer than `longest` (2,)."""
    moved = np.empty_like(flat)
    for axis in range(2):
        order = np.argsort(flat[:, axis], kind="stable")
        gaps = np.diff(flat[order, axis].astype(np.float64), prepend=flat[order[0], axis])
        moved[order, axis] = np.minimum(gaps, longest[axis]).cumsum()
    return moved - moved.mean(axis=0, dtype=np.float64).astype(flat.dtype)


def twice_the_middle(flat: np.ndarray) -> np.ndarray:
    """Along each axis twice the width that the middle half of the places takes, inf where it has none, (2,)."""
    width = 2 * np.subtract(*np.quantile(flat, [0.75, 0.25], axis=0))
    return np.where(width > 0, width, np.inf)
