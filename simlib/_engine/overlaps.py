"""How much two clusterings of the same items agree: by item, by cluster, and as a whole."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simlib._engine.items import by_cluster
from simlib._engine.kernels import overlaps as kernels


class Clusters(NamedTuple):
    """The items of a clustering, sorted by cluster."""

    labels: np.ndarray  # int32 (n,)
    members: np.ndarray  # int64 (n,), cluster after cluster
    first: np.ndarray  # int64 (k + 1,): where each cluster starts among the members

    @property
    def sizes(self) -> np.ndarray:
        """Number of items in each cluster, int64 (k,)."""
        return np.diff(self.first)


def by_labels(labels: np.ndarray, k: int) -> Clusters:
    """The clusters that labels 0..k-1 say; some may have no items."""
    return Clusters(labels, *by_cluster(labels, k))


def compare(one: Clusters, other: Clusters, overlap: np.ndarray) -> tuple[np.ndarray, float]:
    """Each cluster's largest Jaccard overlap with one of the other clustering, (k,), and the adjusted Rand index.

    `overlap` float64 (n,) gains the Jaccard overlap of each item's two clusters. A cluster without items has nan.
    """
    best = np.empty(len(one.sizes))
    both = kernels.overlaps(one.members, one.first, other.labels, other.sizes, overlap, best)
    n = len(one.labels)
    return best, _adjusted_rand(int(both), _pairs(one.sizes), _pairs(other.sizes), n * (n - 1) // 2)


def _pairs(sizes: np.ndarray) -> int:
    """How many pairs of items are together in clusters of these sizes."""
    return int(np.sum(sizes * (sizes - 1) // 2))


def _adjusted_rand(both: int, one: int, other: int, every: int) -> float:
    """Hubert and Arabie's index of pairs together in both, in one, in the other, and of all pairs: in whole numbers."""
    if both == one == other:
        return 1.0
    return 2 * (every * both - one * other) / (every * (one + other) - 2 * one * other)
