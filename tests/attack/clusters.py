"""k-medoids, silhouettes, certificates and scans with ties and copies, against brute force and scikit-learn."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
from sklearn.metrics import silhouette_samples

import simlib
from tests.attack.products import drawn, oracle
from tests.attack.verdicts import CRASHED, FAMILY, RIGHT, WRONG, Verdict

METRICS = ("similarity", "precomputed", "cosine", "correlation")
INITS = ("random", "build", "k-medoids++", "first")


def loss(D: np.ndarray, medoids: np.ndarray) -> float:
    """The inertia of these medoids, each item its own if it is one."""
    best = D[:, medoids].min(axis=1)
    best[medoids] = D[medoids, medoids]
    return float(best.sum())


def fault(D: np.ndarray, fit: simlib.Clustering, method: str) -> str | None:
    """What is wrong with a fit, given all distances (n, n), or None."""
    n, k = len(D), len(fit.medoids)
    slack = 1e-5 * max(1.0, float(np.abs(D).max())) * n
    if len(set(fit.medoids.tolist())) < k or not np.array_equal(fit.labels[fit.medoids], np.arange(k)):
        return "medoids are not distinct, or not their own"
    if abs(loss(D, fit.medoids) - fit.inertia) > slack or abs(fit.history[-1] - fit.inertia) > slack:
        return f"inertia {fit.inertia}, history {fit.history[-1]}, brute force {loss(D, fit.medoids)}"
    if (D[np.arange(n), fit.medoids[fit.labels]] > D[:, fit.medoids].min(axis=1) + slack / n).any():
        return "an item is closer to another medoid"
    if method == "fasterpam" and fit.converged and k < n:
        rest = np.setdiff1d(np.arange(n), fit.medoids)
        best = min(loss(D, np.append(np.delete(fit.medoids, r), j)) for r in range(k) for j in rest)
        if best < fit.inertia - slack:
            return f"an exchange lowers the inertia {fit.inertia} to {best}"
    if n <= 10 and k <= 3:
        least = min(loss(D, np.array(each)) for each in combinations(range(n), k))
        if fit.inertia < least - slack:
            return "less than the least"
    return None


def case(rng: np.random.Generator, folder: Path) -> Verdict:
    """One fit with what depends on it."""
    n, d = int(rng.integers(1, 26)), int(rng.integers(1, 6))
    k, metric = int(rng.integers(1, n + 1)), METRICS[rng.integers(4)]
    X = drawn(rng, n, d) + (0.0 if metric in ("precomputed", "correlation") else 1e-3)
    X = X.astype(("f4", "f8")[rng.integers(2)])
    D = 1 - oracle(X, X, metric == "correlation")
    np.fill_diagonal(D, 0)
    A = X
    if metric == "precomputed":
        D = np.abs(X[:, None, :].astype(np.float64) - X[None]).sum(axis=2)
        A = D.astype(X.dtype)
    elif metric == "similarity":
        A = simlib.cosine_similarity(X)
    elif metric == "correlation":
        np.fill_diagonal(D, 1.0 - (X.max(axis=1) != X.min(axis=1)))
    method, init = ("fasterpam", "alternate")[int(rng.random() < 0.25)], INITS[rng.integers(4)]
    n_init = int(rng.integers(1, 4)) if method == "fasterpam" or init in ("random", "k-medoids++") else 1
    about = f"n={n} k={k} {metric} {method} {init} n_init={n_init} {X.dtype}"
    try:
        fit = simlib.kmedoids(
            A, k, metric=metric, method=method, init=init, n_init=n_init, random_state=int(rng.integers(99))
        )
        wrong = fault(D, fit, method)
        if wrong is None and 1 < k < n and D.diagonal().max() == 0:
            ours, theirs = (
                simlib.silhouette(A, fit.labels, metric=metric),
                silhouette_samples(np.maximum(D, 0), fit.labels, metric="precomputed"),
            )
            total = np.array([[D[i, fit.labels == j].sum() for j in range(k)] for i in range(n)])
            sure = np.partition(total, 1, axis=1)[:, 1] > 1e-3  # else both are a quotient of roundings
            wrong = "silhouettes" if np.abs(ours - theirs)[sure].max(initial=0) > 2e-3 else None
        if wrong is None and k < n and method == "fasterpam" and fit.converged:
            proof = simlib.certify(A, fit.medoids, metric=metric, tol=1e-5)
            wrong = None if proof.is_optimal else f"certificate says {proof.best_delta}"
    except FAMILY as error:
        return WRONG, f"{about}: refused: {error}"
    except Exception as error:
        return CRASHED, f"{about}: {type(error).__name__} {error}"
    return (RIGHT, "") if wrong is None else (WRONG, f"{about}: {wrong}")
