"""Data beside a clustering: whether it is what the clustering was made from, and how its entries are read."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simlib import _check
from simlib._engine.items import HostItems
from simlib._engine.metrics import METRICS, Metric
from simlib.ensemble import Ensemble
from simlib.medoids import Clustering, check_fit
from simlib.similarity import between

COMPARED = 50  # items, about, whose closeness to their medoid is compared


class Data(NamedTuple):
    """What was clustered: similarities or distances (n, n), or vectors (n, d), and how they are read."""

    A: np.ndarray
    metric: Metric
    unit: float  # similarities are divided by it

    def entries(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Similarities, or distances, of some items to others, float64 (len(rows), len(columns))."""
        if self.metric.on_vectors:
            return between(self.A, self.metric.word, rows, columns).astype(np.float64)
        return np.asarray(self.A[np.ix_(rows, columns)], dtype=np.float64) / self.unit

    def closeness(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The same where larger is closer, float64."""
        return self.metric.sign * self.entries(rows, columns)

    def losses(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """How far some items are from others: 1 - similarity or the distance, at least 0, float64."""
        return np.clip(self.metric.base - self.closeness(rows, columns), 0, None)


def data_of(S: Any, fit: Clustering) -> Data:
    """S, if it is what `fit` was made from, read as `fit` read it; about 50 items are compared.

    A fit that was made from vectors may come with these vectors, or with the matrix of their similarities.
    """
    check_fit(fit)
    S = _check.as_array(S, "S")
    n = len(fit.labels)
    d = None if fit.centres is None else fit.centres.shape[1]
    if S.shape not in ((n, n), (n, d)):
        also = "" if d is None else f" or the vectors ({n}, {d})"
        raise ValueError(f"S must be what was clustered, the matrix ({n}, {n}){also}, got {S.shape}")
    vectors = d is not None and S.shape[1] == d
    matrix = METRICS["similarity"] if METRICS[fit.metric].on_vectors and not vectors else METRICS[fit.metric]
    data = Data(S, matrix, fit.unit)
    some = np.arange(0, n, max(n // COMPARED, 1))
    _compare(some, data.closeness(some, fit.medoids), fit, "S")
    return data


def same_items(items: HostItems, fit: Clustering) -> None:
    """Raise unless a clustering is of the items of some places; about 50 items are compared."""
    check_fit(fit)
    n = len(fit.labels)
    if n != items.n:
        raise ValueError(f"places and fit must be of the same items, got {items.n} places and {n} clustered items")
    wanted = METRICS[items.metric.word].entry
    if METRICS[fit.metric].entry != wanted:
        raise ValueError(f'places were made from {wanted} and fit was not: pass places(A, metric="{fit.metric}")')
    some = np.arange(0, n, max(n // COMPARED, 1))
    _compare(some, items.pairs(some, fit.medoids), fit, "what places were made from")


def same_ensemble(ensemble: Ensemble | None, n: int) -> None:
    """Raise unless an ensemble, if there is one, is of n items."""
    if ensemble is None:
        return
    if not isinstance(ensemble, Ensemble):
        raise TypeError(f"ensemble must be what simlib.ensemble returns, got {type(ensemble).__name__}")
    if len(ensemble.times) != n:
        raise ValueError(f"ensemble must be of as many items as the fit, {n}, got {len(ensemble.times)}")


def _compare(some: np.ndarray, closeness: np.ndarray, fit: Clustering, called: str) -> None:
    """Raise unless some items are as close to the nearest medoid as the clustering says; half precision passes.

    `closeness` (len(some), k) is that to all medoids.
    """
    seen = closeness.max(axis=1)
    off = np.abs(seen - fit.closeness[some])
    if (off <= 0.01 * (1 + np.abs(seen))).all():
        return
    i = int(off.argmax())
    sign = METRICS[fit.metric].sign
    raise ValueError(
        f"{called} is not what was clustered: from item {some[i]} to the nearest medoid it says {sign * seen[i]:.4g}, "
        f"the clustering {sign * fit.closeness[some[i]]:.4g}; are its rows in another order, or is it distances for "
        "similarities?"
    )
