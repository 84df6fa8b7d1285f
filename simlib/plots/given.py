"""What a caller gave a picture, checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from simlib import _check
from simlib._arrays import as_line
from simlib._beside import same_items
from simlib._engine.metrics import Metric
from simlib._engine.metrics import named as metric_named
from simlib._labels import names_of
from simlib.medoids import Clustering
from simlib.similarity import between


def sampled_entries(S: Any, metric: str, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Entries of at most `most` evenly spaced rows, float32 (r, n), and each such row's entry with itself (r,).

    Raises if they cannot be what `metric` says; similarities are divided by the similarity of an item to itself.
    """
    how = metric_named(metric)
    S = _check.as_array(S, "S")
    if not how.on_vectors and S.shape[0] != S.shape[1]:
        raise ValueError(
            f'S must be a square matrix of {_plural(how)}, got shape {S.shape}; of vectors: metric="cosine"'
        )
    rows = evenly(len(S), most)
    sample = between(S, metric, rows, slice(None)).astype(np.float32)
    _check.finite_rows(np.asarray(np.isfinite(sample).all(axis=1)), "S")
    own = sample[range(len(rows)), rows]
    unit = 1.0 if how.of_distances else float(own.max()) or 1.0
    beyond = sample.min() < 0 or own.max() > 0 if how.of_distances else np.abs(sample).max() > 1.01 * unit
    if beyond:
        other = "no metric is needed for similarities" if how.of_distances else 'metric="precomputed" is for distances'
        rule = "0 to itself and nowhere below" if how.of_distances else "none larger than that of an item to itself"
        found = f"{sample.min():.4g} to {sample.max():.4g}, and {own[0]:.4g} of an item to itself"
        raise ValueError(f"S must hold {_plural(how)}, {rule}, got {found}; {other}")
    return sample / unit, own / unit


def _plural(how: Metric) -> str:
    """What entries are called."""
    return "distances" if how.of_distances else "similarities"


def plane(points: Any, name: str, n: int) -> np.ndarray:
    """Points as a finite array float64 (n, 2)."""
    points = _check.as_array(points, name)
    if points.shape != (n, 2):
        raise ValueError(f"{name} must have shape ({n}, 2), got {points.shape}")
    _check.finite_rows(np.isfinite(points).all(axis=1), name)
    return points.astype(np.float64)


def line(values: Any, name: str, n: int | None, kinds: str) -> np.ndarray:
    """Numbers as an array (n,), of a type whose kind is one of the letters `kinds`."""
    values = as_line(values, name)
    if values.ndim != 1 or values.dtype.kind not in kinds or not values.size:
        word = "numbers" if "f" in kinds else "whole numbers"
        raise TypeError(f"{name} must be {word} (n,), at least one, got {values.dtype} {values.shape}")
    if n is not None and len(values) != n:
        raise ValueError(f"{name} must have one entry an item, {n}, got {len(values)}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} has NaN or infinity at {np.flatnonzero(~np.isfinite(values))[0]}")
    return values


def as_names(names: Any, n: int, name: str = "names") -> np.ndarray:
    """The names of n items as an array of objects (n,)."""
    array = np.empty(n, dtype=object)
    array[:] = names_of(names, n, called=name)
    return array


def names_or_none(names: Any, n: int) -> Any:
    """The names of n items as an array of objects (n,), or None."""
    return None if names is None else as_names(names, n)


def check_places(places: Any, fit: Clustering) -> None:
    """Raise unless places are what `simlib.atlas.places` returns, of the items of `fit`.

    The atlas is above this file, so it is not imported.
    """
    if not (hasattr(places, "items") and hasattr(places, "neighbours")):
        raise TypeError(f"places must be what simlib.atlas.places returns, got {type(places).__name__}")
    same_items(places.items, fit)


def evenly(n: int, most: int) -> np.ndarray:
    """At most `most` of the numbers 0..n-1, evenly spaced."""
    return np.arange(n) if n <= most else np.arange(most) * n // most
