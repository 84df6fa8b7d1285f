"""Criteria for the number of clusters on Dask: silhouettes, and a clustering for each k."""

from __future__ import annotations

import time
from typing import Any

import dask
import dask.array as da
import numpy as np
from dask import delayed

from simlib import _check, _kinds
from simlib._arrays import as_line
from simlib._engine import starts
from simlib._engine.kernels.silhouettes import own_and_next
from simlib._engine.prepare import prepare_host
from simlib._engine.silhouettes import of_means, of_two_nearest
from simlib._engine.tiles import Scaled
from simlib.choose import KScan, from_the_largest, scanned
from simlib.distributed.alternate import cluster_sums
from simlib.distributed.chunks import added, checked, first_rows, prepared, tree
from simlib.distributed.medoids import DaskClustering, clustering, fit_from, method_for, sampled
from simlib.distributed.near import Near
from simlib.distributed.swaps import Search
from simlib.medoids import Clustering, check_fit
from simlib.medoids import kmedoids as kmedoids_in_memory

SCORED_ROWS = 2048  # rows whose sums by cluster are held at once


def silhouette(X: Any, labels: Any) -> Any:
    """Silhouette of every row for metric="cosine", not computed before it is asked for.

    Parameters
    ----------
    X : dask array (n, d)
    labels : integers (n,), or a Clustering of the n rows
        At least two different ones.

    Returns
    -------
    dask array float64 (n,)
        In [-1, 1], as `simlib.silhouette` defines it. Its mean is ``silhouette(X, fit).mean().compute()``.

    Raises
    ------
    TypeError, ValueError
        X as in `cosine_similarity`; labels of the wrong length or kind, or only one cluster.

    Notes
    -----
    O(n k d), shared by the workers: a row's similarities to a cluster add up to one product with the summed unit
    vectors of that cluster. Source: Rousseeuw, J. Comput. Appl. Math. 20 (1987).

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> X = da.from_array(np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 2.0]]), chunks=(2, 2))
    >>> print(silhouette(X, [0, 0, 1]).compute())
    [1. 1. 0.]
    """
    X = checked(X)
    if isinstance(labels, Clustering):
        check_fit(labels)
        labels = labels.labels
    labels = labels.compute() if isinstance(labels, da.Array) else as_line(labels, "labels")
    if labels.dtype.kind not in "iu" or labels.shape != (X.shape[0],):
        raise TypeError(f"labels must be whole numbers ({X.shape[0]},), got {labels.dtype} {labels.shape}")
    values, labels = np.unique(labels, return_inverse=True)
    if len(values) < 2:
        raise ValueError("a silhouette compares clusters: labels must hold at least 2, got 1")
    counts, sizes = np.bincount(labels).astype(np.float64), X.chunks[0]
    parts = [labels[first : first + size] for first, size in zip(first_rows(X), sizes, strict=True)]
    places = list(zip(prepared(X), parts, strict=True))
    totals = tree([cluster_sums(*place, len(values)) for place in places], added)
    scores = [_scores(*place, totals, counts) for place in places]
    return da.concatenate([da.from_delayed(s, (size,), np.float64) for s, size in zip(scores, sizes, strict=True)])


@delayed(pure=True)
def _scores(block: Scaled, labels: np.ndarray, totals: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The silhouettes of a chunk; `totals` float64 (k, d) are the summed unit vectors of each cluster."""
    score = np.empty(len(labels))
    for part in (slice(i, i + SCORED_ROWS) for i in range(0, len(labels), SCORED_ROWS)):
        unit, own = block.vectors[part] * block.scale[part, None], labels[part]
        means = own_and_next(totals @ unit.T, counts, own, np.einsum("ij,ij->i", unit, unit), None)
        a, b = (1 - means).round(12)  # 1 - (a similarity of 1) is 0, whatever rounding left
        score[part] = of_means(a, b, counts[own] > 1)
    return score


@delayed(pure=True)
def _medoid_scores(near: Near) -> float:
    """The sum over a chunk of 1 - d1 / d2, the distances to the two nearest medoids; 0 / 0 counts as 1."""
    return float(np.sum(of_two_nearest(near.closeness, 1.0)))


def scan_k(X: Any, ks: Any, *, method: str | None = None, random_state: Any = 0, progress: bool = False) -> KScan:
    """Cluster once for each k and collect what speaks for and against it.

    Parameters
    ----------
    X : dask array (n, d)
    ks : distinct whole numbers between 2 and n - 1, in any order
    method : {"fasterpam", "sample"}, optional
        How all rows are looked at, as in `kmedoids`; the default is the same.
    random_state : int, None, or a generator of NumPy
        Seed of the sample.
    progress : bool
        Draw a bar over the ks.

    Returns
    -------
    simlib.KScan
        ks ascending. Interrupted (KeyboardInterrupt) after the first k is done, the ks done so far, with ``complete``
        False; before that the interrupt goes on to the caller.

    Raises
    ------
    TypeError, ValueError
        X as in `kmedoids`; ks empty, repeated, out of range or not whole numbers.

    Notes
    -----
    From the largest k down: its start are the medoids of a sample. Every smaller k starts from its larger neighbour,
    less the medoids whose loss costs the sample least. Each k costs a fit as in `kmedoids`, and O(n k d) for the
    silhouettes.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> angle = np.array([0.0, 0.1, 0.2, 1.5, 1.6, 3.0, 3.1])
    >>> X = da.from_array(np.column_stack([np.cos(angle), np.sin(angle)]), chunks=(3, 2))
    >>> print(scan_k(X, [2, 3]).silhouette.round(2))
    [0.51 0.99]
    """
    X = checked(X)
    method = method_for(method, X.shape[0], ("fasterpam", "sample"))
    _kinds.flag(progress, "progress")
    ks = _check.some_ks(ks, X.shape[0])
    rng = np.random.default_rng(_check.seed(random_state))
    drawn, sample = sampled(X, ks[-1], rng)
    first = kmedoids_in_memory(sample, ks[-1], metric="cosine", random_state=int(rng.integers(2**31)))
    begin = drawn[first.medoids]

    def one_k(k: int, larger: Any) -> tuple:
        return _one_k(X, begin if larger is None else _fewer(sample, larger, k), method)

    return scanned(from_the_largest(ks, one_k, progress), len(ks))


def _fewer(sample: np.ndarray, larger: DaskClustering, k: int) -> np.ndarray:
    """k medoids of a larger clustering: the others go one by one, each time the one whose loss costs least."""
    items = prepare_host(np.concatenate([sample, larger.centres]), "cosine")
    places = len(sample) + np.arange(len(larger.medoids))
    return larger.medoids[starts.fewer(items, places, k) - len(sample)]


def _one_k(X: Any, begin: np.ndarray, method: str) -> tuple[DaskClustering, float, float, float, float]:
    """The fit from these medoids, its two silhouettes, no bound, and its seconds."""
    began = time.perf_counter()
    fit = clustering(X, fit_from(X, begin, method))
    known = Search(X, fit.medoids).known()
    by_medoids = tree([_medoid_scores(each) for each in known], added)
    by_medoids, by_items = dask.compute(by_medoids, silhouette(X, fit).mean())
    return fit, float(by_medoids) / X.shape[0], float(by_items), np.nan, time.perf_counter() - began
