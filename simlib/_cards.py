"""The facts of one cluster, which the explorer and the report show each in its own look."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simlib._engine.metrics import METRICS
from simlib.medoids import Clustering


class Card(NamedTuple):
    """One cluster: row numbers of its items, and how close they are to its exemplar."""

    exemplar: int  # row number
    members: np.ndarray  # int64 (size,), row numbers, closest first; the exemplar leads
    entries: np.ndarray  # (size,), similarity to the exemplar, or distance from it
    entry: str  # what such an entry is called: "similarity" or "distance"
    neighbour: int | None  # row number of the closest other exemplar

    @property
    def size(self) -> int:
        """How many items the cluster has, the exemplar among them."""
        return len(self.members)

    @property
    def others(self) -> np.ndarray:
        """The members without the exemplar."""
        return self.members[1:]


def card(fit: Clustering, j: int, neighbour: int | None) -> Card:
    """The facts of cluster j; `neighbour` is a row number or None, as in `Card`."""
    members = fit.members(j)
    metric = METRICS[fit.metric]
    entries = (fit.distance if metric.of_distances else fit.similarity)[members]
    return Card(int(members[0]), members, entries, metric.entry, neighbour)


def largest_first(fit: Clustering) -> np.ndarray:
    """The clusters, the largest first; equal sizes in the order of the medoids. int64 (k,)."""
    return np.argsort(-fit.sizes, kind="stable")


def neighbours(closeness: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """For each of the clusters `shown` the other cluster whose exemplar is closest to its own; -1 if there is none.

    `closeness` (len(shown), k) is that of their exemplars to all k exemplars: larger is closer.
    """
    if closeness.shape[1] < 2:
        return np.full(len(shown), -1)
    others = np.array(closeness, dtype=np.float64)
    others[np.arange(len(shown)), shown] = -np.inf
    return others.argmax(axis=1)
