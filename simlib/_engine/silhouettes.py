"""Silhouettes of any items: from the sums of closeness by cluster, or from the two nearest medoids."""

from __future__ import annotations

import numpy as np

from simlib._engine.items import HostItems
from simlib._engine.kernels.silhouettes import own_and_next

ROUNDING = 4  # units in the last place of 1 by which the similarity of two copies may be off


def silhouette(items: HostItems, labels: np.ndarray, k: int) -> np.ndarray:
    """The silhouette of every item, float64 (n,), for labels 0..k-1 that are all in use.

    An item of weight w counts like w copies of it.
    """
    counts = np.bincount(labels, items.weight, minlength=k)
    score = np.empty(items.n)
    for strip, self_closeness, sums in items.sums_by_cluster(labels, k):
        a, b = items.base - own_and_next(sums, counts, labels[strip], self_closeness, items.weights(strip))
        if items.base:
            a, b = a.round(12), b.round(12)  # 1 - (a similarity of 1) is 0, whatever rounding left
        own = 1 if items.weight is None else np.minimum(items.weight[strip], 1)
        score[strip] = of_means(a, b, counts[labels[strip]] > own)
    return score


def of_means(a: np.ndarray, b: np.ndarray, has_others: np.ndarray) -> np.ndarray:
    """The silhouettes (m,) of items from their mean distances to the own cluster and to the next; 0 without others."""
    top = np.maximum(a, b)
    value = np.divide(b - a, top, out=np.zeros(len(top)), where=top > 0)
    return np.where(has_others, value, 0.0)


def medoid_silhouette(items: HostItems, medoids: np.ndarray) -> float:
    """Mean, by the weights, of 1 - d1 / d2, the distances to the nearest and second-nearest medoid (0 / 0 counts as 1).

    Distances that are no more than the rounding of a similarity of 1 count as 0.
    """
    _, closeness = items.nearest(medoids, 2)
    return float(np.average(of_two_nearest(closeness, items.base), weights=items.weight))


def of_two_nearest(closeness: np.ndarray, base: float) -> np.ndarray:
    """1 - d1 / d2 of each item, float64 (m,), from its closeness (2, m) to its two nearest medoids."""
    rounding = ROUNDING * base * np.finfo(closeness.dtype).eps
    d1, d2 = (base - c.astype(np.float64) for c in closeness)
    d1, d2 = (np.where(d <= rounding, 0.0, d) for d in (d1, d2))
    return 1 - np.divide(d1, d2, out=np.zeros(len(d1)), where=d2 > 0)
