"""What a caller gave a picture, checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from simlib import _check, _kinds
from simlib._arrays import as_line
from simlib._labels import names_of
from simlib.medoids import Clustering


def square(S: Any) -> np.ndarray:
    """S as a square array."""
    S = _check.as_array(S, "S")
    if S.shape[0] != S.shape[1]:
        raise ValueError(f"S must be a square matrix of similarities, got shape {S.shape}")
    return S


def matrix_of(S: Any, fit: Clustering) -> np.ndarray:
    """S as a square array of the items of `fit`."""
    _kinds.instance(fit, "fit", Clustering, "kmedoids")
    S = square(S)
    if len(S) != len(fit.labels):
        raise ValueError(f"S must be the matrix of the {len(fit.labels)} items of fit, got shape {S.shape}")
    return S


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


def check_places(places: Any) -> None:
    """Raise unless this is what `simlib.atlas.places` returns; the atlas is above this file, so it is not imported."""
    if not (hasattr(places, "items") and hasattr(places, "neighbours")):
        raise TypeError(f"places must be what simlib.atlas.places returns, got {type(places).__name__}")


def evenly(n: int, most: int) -> np.ndarray:
    """At most `most` of the numbers 0..n-1, evenly spaced."""
    return np.arange(n) if n <= most else np.arange(most) * n // most
