"""Similarities on other scales: understood, with the clusters of the scale of 1, or refused clearly."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import simlib
from tests.attack.verdicts import Verdict, of_call

WRONG_ONES = (
    "mask",
    "zeros",
    "dot products",
    "sentinel",
    "huge",
    "negative distances",
    "half",
    "distances as similarities",
)


def case(rng: np.random.Generator, folder: Path) -> Verdict:
    """One matrix on a scale of its own."""
    n = int(rng.integers(8, 60))
    X = rng.normal(size=(n, 4)) + 2 * np.eye(4)[rng.integers(4, size=n)]
    S = simlib.cosine_similarity(X)
    k, seed = int(rng.integers(2, 6)), int(rng.integers(99))
    if rng.random() < 0.5:
        scale = float((10.0, 100.0, 0.01, 255.0, 1e6, 1e-6)[rng.integers(6)])
        if rng.random() < 0.3:
            S = np.exp(-0.5 * ((X[:, None] - X) ** 2).sum(axis=2))  # a kernel
        plain = simlib.kmedoids(S, k, random_state=seed)
        wanted = float(simlib.silhouette(S, plain.labels).mean())

        def agrees(found: tuple[simlib.Clustering, float]) -> bool:
            fit, mean = found
            same = abs(fit.inertia - plain.inertia) < 1e-6 * n and abs(mean - wanted) < 1e-6
            return same and fit.closeness.max() <= 1 + 1e-9

        def call() -> tuple[simlib.Clustering, float]:
            fit = simlib.kmedoids(scale * S, k, random_state=seed)
            return fit, float(simlib.silhouette(scale * S, fit.labels).mean())

        return of_call(call, ("A",), agrees)
    word, metric = WRONG_ONES[rng.integers(len(WRONG_ONES))], "similarity"
    A = S
    if word == "mask":
        A = S > 0.5
    elif word == "zeros":
        A = np.zeros((n, n))
    elif word == "dot products":
        A = (X * rng.uniform(1, 5, (n, 1))) @ X.T
    elif word == "sentinel":
        A, metric = 1 - S, "precomputed"
        np.fill_diagonal(A, 0)
        i, j = rng.choice(n, 2, replace=False)
        A[i, j] = 999999.0
    elif word == "huge":
        A, metric = 1e307 * (1 - np.eye(n)), "precomputed"
    elif word == "negative distances":
        A, metric = S - 1, "precomputed"
        np.fill_diagonal(A, 0)
    elif word == "half":
        A = np.triu(S)
    elif word == "distances as similarities":
        A = np.abs(X[:, :1] - X[:, 0])
    said = of_call(lambda: simlib.kmedoids(A, k, metric=metric, random_state=seed), ("A", "distance"), None)
    return said[0], f"{word}: {said[1]}"
