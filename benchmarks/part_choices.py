"""The rows about the choice of k on the words: the scan over k, and silhouettes."""

from __future__ import annotations

from functools import partial

import kmedoids as peer
import numpy as np
from sklearn.metrics import silhouette_samples
from table import Comparison
from timing import in_turn, seconds

import simlib

K = 520  # a step of the scan near the 512 clusters of the other parts
KS = sorted(set(np.geomspace(2, 1000, 20).round().astype(int).tolist()))


def measure(table: Comparison) -> None:
    """Add all rows of this part."""
    X = simlib.load("words").vectors
    S = simlib.cosine_similarity(X)
    D = 1 - S
    labels = scan(table, S, D)
    silhouettes(table, X, S, D, labels)


def scan(table: Comparison, S: np.ndarray, D: np.ndarray) -> np.ndarray:
    """The scan over k beside single fits by the peer. Returns the labels for K clusters, (n,)."""
    took, found = seconds(lambda: simlib.scan_k(S, KS))
    what = "scan of 20 values of k, 2 to 1000"
    table.result(what, "simlib `scan_k`, silhouettes included", took, took, "once")
    gaps, theirs = [], 0.0
    for k, inertia in zip(KS, found.inertia, strict=True):
        ends = [simlib.kmedoids(S, k, random_state=seed).inertia for seed in range(3)]
        gaps.append(100 * (inertia / min(ends) - 1))
        theirs += seconds(partial(peer.fasterpam, D.T, k, random_state=0, n_cpu=1))[0]
    table.result(what, "kmedoids `fasterpam(D.T, n_cpu=1)` for each, fits only", theirs, took, "once")
    table.note(f"inertia against the best of three fits of its own, at worst {max(gaps):+.2f}%")
    return found.fits[KS.index(K)].labels


def silhouettes(table: Comparison, X: np.ndarray, S: np.ndarray, D: np.ndarray, labels: np.ndarray) -> None:
    """Silhouettes of K clusters from the stored matrix and from vectors. Sets the diagonal of D to 0."""
    np.fill_diagonal(D, 0)
    ours, theirs = "simlib, stored matrix", "scikit-learn `silhouette_samples`"
    times, scores = in_turn(
        {
            ours: lambda: simlib.silhouette(S, labels),
            theirs: lambda: silhouette_samples(D, labels, metric="precomputed"),
            "simlib, from vectors": lambda: simlib.silhouette(X, labels, metric="cosine"),
        }
    )
    for who, took in times.items():
        table.result(f"silhouette, k = {K}", who, took, times[ours])
    table.note(f"largest difference from scikit-learn's: {np.abs(scores[ours] - scores[theirs]).max():.0e}")
