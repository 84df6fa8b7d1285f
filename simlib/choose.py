"""Criteria for the number of clusters. The module shows what each k costs and buys; it never picks one.

The lowest possible inertia falls as k grows; the silhouettes lie in [-1, 1] and larger means better separated.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from simlib import _check, _passes, medoids
from simlib._matrix import Data, prepare
from simlib._search import nearest
from simlib._start import build
from simlib.medoids import Clustering


@dataclass(frozen=True, repr=False)
class KScan:
    """One swap-optimal clustering a k, with its criteria; all arrays are (len(ks),).

    Attributes
    ----------
    ks : int64, ascending
    fits : tuple of Clustering
    inertia : float64, sum of 1 - similarity (or of distance) to the own medoid
    medoid_silhouette : float64, mean of 1 - (distance to own medoid) / (distance to the next one)
    silhouette : float64, mean silhouette
    smallest, largest, singletons : int64, cluster sizes and the number of clusters of one
    seconds : float64, time each k took
    """

    ks: np.ndarray
    fits: tuple[Clustering, ...]
    inertia: np.ndarray
    medoid_silhouette: np.ndarray
    silhouette: np.ndarray
    smallest: np.ndarray
    largest: np.ndarray
    singletons: np.ndarray
    seconds: np.ndarray

    def table(self) -> str:
        """The criteria as text, a line a k (without the seconds, so that it is the same every time)."""
        lines = ["     k   inertia  medoid silhouette  silhouette  smallest  largest  singletons"]
        columns = (self.ks, self.inertia, self.medoid_silhouette, self.silhouette)
        for row in zip(*columns, self.smallest, self.largest, self.singletons, strict=True):
            lines.append("{:6d} {:9.2f} {:18.4f} {:11.4f} {:9d} {:8d} {:11d}".format(*row))
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"KScan(ks={self.ks.tolist()}, n={len(self.fits[0].labels)})"


def scan_k(
    A: Any, ks: Sequence[int], *, metric: str = "similarity", random_state: int = 0, progress: bool = False
) -> KScan:
    """Cluster once for each k and collect what speaks for and against it.

    Parameters
    ----------
    A, metric : as in `kmedoids`
    ks : distinct whole numbers between 2 and n - 1
    random_state : int
        Seed; the greedy start is deterministic, so at present nothing depends on it.
    progress : bool
        Draw a bar over the ks.

    Returns
    -------
    KScan
        ks ascending; every fit swap-optimal.

    Notes
    -----
    The greedy start for the largest k contains the start for every smaller one, so it is made once. Each k
    then costs its swaps (`kmedoids`) and one pass over the matrix for the silhouette.

    Examples
    --------
    >>> import numpy as np
    >>> points = np.array([1.0, 2.0, 3.0, 10.0, 11.0, 12.0])
    >>> scan = scan_k(abs(points[:, None] - points), [2, 3], metric="precomputed")
    >>> print(scan.inertia, scan.silhouette.round(2))
    [4. 3.] [0.85 0.5 ]
    """
    _check.whole_number(random_state, "random_state", 0)
    A = _check.as_array(A, "A")
    ks = _check_ks(ks, len(A))
    data = prepare(A, metric)
    order = build(data, ks[-1])
    fits, criteria = [], []
    for k in tqdm(ks, "scan", unit="k", disable=not progress):
        began = time.perf_counter()
        fit = medoids.fasterpam(data, [order[:k]])[0]
        fits.append(fit)
        scores = (_medoid_silhouette(data, fit), float(_silhouette(data, fit.labels, k).mean()))
        criteria.append((*scores, time.perf_counter() - began))
    sizes = [fit.sizes for fit in fits]
    return KScan(
        np.array(ks),
        tuple(fits),
        np.array([fit.inertia for fit in fits]),
        *(np.array(column) for column in list(zip(*criteria, strict=True))[:2]),
        np.array([s.min() for s in sizes]),
        np.array([s.max() for s in sizes]),
        np.array([np.sum(s == 1) for s in sizes]),
        np.array([row[2] for row in criteria]),
    )


def silhouette(A: Any, labels: Any, *, metric: str = "similarity") -> np.ndarray:
    """Silhouette of every item: does it sit closer to its own cluster than to the next one?

    With a the mean distance to the other members of the own cluster and b the smallest mean distance to
    another cluster, the silhouette is (b - a) / max(a, b); 0 in a cluster of one.

    Parameters
    ----------
    A, metric : as in `kmedoids`; for similarities the distance is 1 - similarity
    labels : integers (n,)
        At least two different ones.

    Returns
    -------
    float64 (n,)
        In [-1, 1].

    Raises
    ------
    ValueError, TypeError
        Labels of the wrong length or kind, or only one cluster.

    Notes
    -----
    O(n^2) for a matrix, O(n k d) for vectors. Source: Rousseeuw, J. Comput. Appl. Math. 20 (1987).

    Examples
    --------
    >>> import numpy as np
    >>> points = np.array([0.0, 1.0, 10.0])
    >>> print(silhouette(abs(points[:, None] - points), [0, 0, 1], metric="precomputed").round(2))
    [0.9  0.89 0.  ]
    """
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise TypeError(f"labels must be whole numbers (n,), got {labels.dtype} {labels.shape}")
    A = _check.as_array(A, "A")
    if len(labels) != len(A):
        raise ValueError(f"labels must have one entry a row, {len(A)}, got {len(labels)}")
    values, labels = np.unique(labels, return_inverse=True)
    if len(values) < 2:
        raise ValueError("a silhouette compares clusters: labels must hold at least 2, got 1")
    return _silhouette(prepare(A, metric), labels, len(values))


def _check_ks(ks: Sequence[int], n: int) -> list[int]:
    """Return ks as ascending ints, distinct and between 2 and n - 1."""
    if np.ndim(ks) != 1:
        raise TypeError(f"ks must be a list of numbers of clusters, got {ks!r}")
    ks = [_check.whole_number(k, "each of ks", 2, n - 1, " (the number of rows less one)") for k in ks]
    if not ks or len(set(ks)) < len(ks):
        raise ValueError(f"ks must list at least one number of clusters, each once, got {ks}")
    return sorted(ks)


def _medoid_silhouette(data: Data, fit: Clustering) -> float:
    """Mean of 1 - d1 / d2, the distances to the nearest and second-nearest medoid (0 / 0 counts as 1)."""
    s1, s2 = nearest(data, fit.medoids, 2)[1]
    d1, d2 = (np.maximum(data.base - s.astype(np.float64), 0) for s in (s1, s2))
    return float(np.mean(1 - np.divide(d1, d2, out=np.zeros(data.n), where=d2 > 0)))


def _silhouette(data: Data, labels: np.ndarray, k: int) -> np.ndarray:
    """`silhouette` for labels 0..k-1, all of them used."""
    counts = np.bincount(labels, minlength=k)
    score = np.empty(data.n)
    unit = totals = None
    if data.vectors is not None:
        unit, totals = medoids.cluster_totals(data, *medoids.by_cluster(labels, k))
    for block in data.blocks():
        own = labels[block]
        sums = _closeness_sums(data, block, labels, k, unit, totals)  # (b, k), without the item itself
        others = np.broadcast_to(counts, sums.shape).copy()
        lines = np.arange(len(own))
        others[lines, own] -= 1
        mean = data.base - sums / np.maximum(others, 1)
        if data.base:
            mean = mean.round(12)  # 1 - (a similarity of 1) is 0, whatever rounding left
        a = mean[lines, own].copy()
        mean[lines, own] = np.inf
        b = mean.min(axis=1)
        top = np.maximum(a, b)
        value = np.divide(b - a, top, out=np.zeros(len(own)), where=top > 0)
        score[block] = np.where(counts[own] > 1, value, 0.0)
    return score


def _closeness_sums(data, block, labels, k, unit, totals) -> np.ndarray:
    """Summed closeness of a block of items to each cluster, leaving out the item itself, float64 (b, k)."""
    if unit is None:
        return _passes.cluster_sums(data.rows(block), block.start, data.sign, labels, k)
    own = unit[block]
    sums = own @ totals.T
    sums[np.arange(len(own)), labels[block]] -= np.einsum("ij,ij->i", own, own)
    return sums
