"""Equally good clusterings of the same items, and how far they agree: how sure each item and each cluster is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simlib import _check, _kinds
from simlib._engine import overlaps, search, starts
from simlib._engine.prepare import memory_explained, prepare
from simlib._engine.progress import Progress
from simlib.medoids import MAX_ITER, Clustering, check_fit, clustering


@dataclass(frozen=True, repr=False)
class Ensemble:
    """Ends of the swap search, each from a start of its own, laid side by side; m is their number.

    Attributes
    ----------
    fits : tuple of m Clustering, the lowest inertia first, equal ones in the order of their starts
    certainty : float64 (n,), in [0, 1]
        The mean, over all pairs of ends, of the Jaccard overlap of the item's two clusters. It is 1 if the item has
        the same companions in every end.
    jaccard : float64 (k,), in [0, 1]
        For each cluster of `best` the mean, over the other ends, of its largest Jaccard overlap with one of theirs.
    ari : float64 (m, m)
        The adjusted Rand index of each pair of ends: 1 for the same clusters, about 0 for what chance gives.
    times : int64 (n,), in how many ends each item is a medoid
    """

    fits: tuple[Clustering, ...]
    certainty: np.ndarray
    jaccard: np.ndarray
    ari: np.ndarray
    times: np.ndarray

    @property
    def best(self) -> Clustering:
        """The end with the lowest inertia."""
        return self.fits[0]

    @property
    def in_every(self) -> np.ndarray:
        """Row numbers of the items that are medoids in every end, int64, ascending."""
        return np.flatnonzero(self.times == len(self.fits))

    def exemplars(self, item: int) -> dict[int, int]:
        """The medoids that an item got, and in how many ends each: the most frequent first, ties to the lowest row."""
        item = _check.whole_number(item, "item", 0, len(self.times) - 1)
        own = [fit.medoids[fit.labels[item]] for fit in self.fits]
        rows, counts = np.unique(own, return_counts=True)
        return {int(rows[i]): int(counts[i]) for i in np.argsort(-counts, kind="stable")}

    def recovered(self, fit: Clustering) -> np.ndarray:
        """How far the clusters of any clustering of these items come back in the ends, float64 (k,).

        It is the mean, over all ends, of each cluster's largest Jaccard overlap with one of theirs.
        """
        check_fit(fit)
        if len(fit.labels) != len(self.times):
            raise ValueError(
                f"fit must be of as many items as the ensemble, {len(self.times)}, got {len(fit.labels)}: was the "
                "ensemble made from other data?"
            )
        own, overlap = _clusters(fit), np.zeros(len(fit.labels))
        best = [overlaps.compare(own, _clusters(each), overlap)[0] for each in self.fits]
        return np.mean(best, axis=0)

    def __repr__(self) -> str:
        m, k = len(self.fits), len(self.best.medoids)
        return (
            f"Ensemble(k={k}, n={len(self.times)}, {m} ends, inertia {self.best.inertia:.4f} to "
            f"{self.fits[-1].inertia:.4f}, mean certainty {self.certainty.mean():.3f}, mean ARI "
            f"{self.ari[np.triu_indices(m, 1)].mean():.3f}, {len(self.in_every)} of {k} medoids in every end)"
        )


def ensemble(
    A: Any,
    k: int,
    *,
    metric: str = "similarity",
    n_init: int = 20,
    random_state: Any = 0,
    progress: bool = False,
) -> Ensemble:
    """Cluster from many random starts, and see which items and clusters the ends agree about.

    Swap optima whose inertia hardly differs may group the items differently. What all of them share can be relied on.

    Parameters
    ----------
    A, metric : as in `kmedoids`
    k : int
        Clusters, between 1 and n.
    n_init : int
        Ends to reach, at least 2.
    random_state : int
        Seed of the starts. They are those of `kmedoids` with this seed and `n_init`, whose result is `best`.
    progress : bool
        Draw a bar that counts passes over the items.

    Returns
    -------
    Ensemble
        n_init ends; no single exchange of a medoid lowers the inertia of one that converged.

    Raises
    ------
    ValueError, TypeError, MemoryError
        As `kmedoids`; n_init below 2.

    Notes
    -----
    n_init fits over one preparation of A, then O(n) for each of the n_init (n_init - 1) / 2 pairs; O(n n_init) memory
    besides that of a fit. Certainty tells how far the ends agree, not whether the clusters are natural.

    References
    ----------
    Monti, Tamayo, Mesirov & Golub, Consensus clustering, Machine Learning 52 (2003).
    Hennig, Cluster-wise assessment of cluster stability, Computational Statistics & Data Analysis 52 (2007).
    Hubert & Arabie, Comparing partitions, Journal of Classification 2 (1985): the adjusted Rand index.

    Examples
    --------
    >>> import numpy as np
    >>> points = np.array([1.0, 2.0, 3.0, 7.0, 11.0, 12.0, 13.0])
    >>> ends = ensemble(abs(points[:, None] - points), 2, metric="precomputed")
    >>> print(ends.best.inertia, ends.certainty.round(2))
    9.0 [0.89 0.89 0.89 0.62 0.89 0.89 0.89]
    >>> print(ends.exemplars(3))
    {4: 13, 2: 4, 1: 2, 5: 1}
    """
    n_init = _check.whole_number(n_init, "n_init", 2)
    random_state = _check.seed(random_state)
    _kinds.flag(progress, "progress")
    A = _check.as_given(A, "A")
    k = _check.whole_number(k, "k", 1, A.shape[0], " (the number of rows)")
    seeds = [np.random.default_rng([random_state, attempt]) for attempt in range(n_init)]
    with memory_explained(A):
        items = prepare(A, metric)
        begin = [starts.start(items, k, "random", rng) for rng in seeds]
        with Progress("fasterpam", k, progress) as told:
            found = search.fasterpam(items, begin, MAX_ITER, told)
        fits = sorted((clustering(items, each) for each in found), key=lambda fit: fit.inertia)
    return _side_by_side(tuple(fits))


def _side_by_side(fits: tuple[Clustering, ...]) -> Ensemble:
    """Compare each pair of ends."""
    m, n = len(fits), len(fits[0].labels)
    ends = [_clusters(fit) for fit in fits]
    overlap, ari = np.zeros(n), np.eye(m)
    best = np.empty((m, m, len(fits[0].medoids)))
    for i in range(m):
        for j in range(i + 1, m):
            best[i, j], ari[i, j] = overlaps.compare(ends[i], ends[j], overlap)
            ari[j, i] = ari[i, j]
    times = np.bincount(np.concatenate([fit.medoids for fit in fits]), minlength=n)
    return Ensemble(fits, overlap / (m * (m - 1) // 2), best[0, 1:].mean(axis=0), ari, times)


def _clusters(fit: Clustering) -> overlaps.Clusters:
    return overlaps.by_labels(fit.labels, len(fit.medoids))
