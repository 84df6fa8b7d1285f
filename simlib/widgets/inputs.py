"""What the caller gave, checked: the array that was scanned, and how close its items are."""

from __future__ import annotations

from typing import Any

import numpy as np

from simlib import _check
from simlib._engine.metrics import METRICS
from simlib.ensemble import Ensemble
from simlib.medoids import Clustering
from simlib.similarity import between


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


def check_ensemble(ensemble: Ensemble | None, n: int) -> None:
    """Raise unless an ensemble, if there is one, is of n items."""
    if ensemble is None:
        return
    if not isinstance(ensemble, Ensemble):
        raise TypeError(f"ensemble must be what simlib.ensemble returns, got {type(ensemble).__name__}")
    if len(ensemble.times) != n:
        raise ValueError(f"ensemble must be of as many items as the fit, {n}, got {len(ensemble.times)}")


def closeness(S: np.ndarray, rows: np.ndarray, columns: np.ndarray, fit: Clustering) -> np.ndarray:
    """Closeness of some items to others, float64 (len(rows), len(columns)): larger is closer.

    A fit that was made from vectors may come with these vectors, or with the matrix of their similarities.
    """
    vectors = fit.centres is not None and S.shape[1] == fit.centres.shape[1]
    metric = "similarity" if METRICS[fit.metric].on_vectors and not vectors else fit.metric
    return METRICS[metric].sign / fit.unit * between(S, metric, rows, columns).astype(np.float64)
