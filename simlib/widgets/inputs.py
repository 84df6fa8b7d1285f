"""What the caller gave, checked: a name for each item, and the array that was scanned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simlib import _check, _kinds
from simlib._engine.metrics import METRICS
from simlib.medoids import Clustering
from simlib.similarity import between


def item_names(labels: Sequence[str] | None, n: int) -> list[str]:
    """The names of n items as strings; without labels, their row numbers."""
    return [str(name) for name in (range(n) if labels is None else _kinds.names(labels, "labels", n))]


def scanned(S: Any, fit: Clustering) -> np.ndarray:
    """S as an array, if it is what `fit` was made from; about 50 items are compared."""
    S = _check.as_array(S, "S")
    n = len(fit.labels)
    d = None if fit.centres is None else fit.centres.shape[1]
    if S.shape not in ((n, n), (n, d)):
        also = "" if d is None else f" or the vectors ({n}, {d})"
        raise ValueError(f"S must be what was scanned, the matrix ({n}, {n}){also}, got {S.shape}")
    items = np.arange(0, n, max(n // 50, 1))
    medoids, place = np.unique(fit.medoids[fit.labels[items]], return_inverse=True)
    seen = closeness(S, items, medoids, fit)[np.arange(len(items)), place]
    off = np.abs(seen - fit.closeness[items])
    if not (off <= 0.01 * (1 + np.abs(seen))).all():  # half precision passes
        i = int(off.argmax())
        sign = METRICS[fit.metric].sign
        raise ValueError(
            f"S is not what was scanned: from item {items[i]} to its medoid it says {sign * seen[i]:.4g}, the scan "
            f"{sign * fit.closeness[items[i]]:.4g}; are its rows in another order, or is it distances for similarities?"
        )
    return S


def closeness(S: np.ndarray, rows: np.ndarray, columns: np.ndarray, fit: Clustering) -> np.ndarray:
    """Closeness of some items to others, float64 (len(rows), len(columns)): larger is closer.

    A fit that was made from vectors may come with these vectors, or with the matrix of their similarities.
    """
    vectors = fit.centres is not None and S.shape[1] == fit.centres.shape[1]
    metric = "similarity" if METRICS[fit.metric].on_vectors and not vectors else fit.metric
    return METRICS[metric].sign / fit.unit * between(S, metric, rows, columns).astype(np.float64)
