"""NaN, infinity or one wrong entry, planted anywhere, for every metric, method and function: always found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import simlib
from tests.attack.verdicts import Verdict, of_call

BAD = (np.nan, np.inf, -np.inf)


def _calls(A: Any, metric: str, k: int) -> list[Callable[[], Any]]:
    """Every function that takes A."""
    labels, vectors = np.arange(len(A)) % 2, metric in ("cosine", "correlation")
    calls: list[Callable[[], Any]] = [
        *(lambda m=m, i=i: simlib.kmedoids(A, k, metric=metric, method=m, init=i) for m in ("fasterpam", "alternate")
          for i in ("random", "build", "first")),
        lambda: simlib.assign(A, [0, 1], metric=metric),
        lambda: simlib.certify(A, [0, 1], metric=metric),
        lambda: simlib.scan_k(A, [2], metric=metric),
        lambda: simlib.silhouette(A, labels, metric=metric),
        lambda: simlib.stability(A, 2, metric=metric, rounds=1),
    ]  # fmt: skip
    if vectors:
        function = {"cosine": simlib.cosine_similarity, "correlation": simlib.correlation}[metric]
        calls += [lambda: function(A), lambda: function(A, A[:1] * 0 + 1), lambda: function(A[:1] * 0 + 1, A)]
        calls.append(lambda: _predicted(A, metric))
    return calls


def _predicted(A: np.ndarray, metric: str) -> Any:
    """The labels of new rows A, by a fit of others."""
    return simlib.kmedoids(np.eye(*A.shape) + 1, 1, metric=metric).predict(A)


def case(rng: np.random.Generator, folder: Path) -> Verdict:
    """One wrong entry in one call."""
    n, d = int(rng.integers(5, 70)), int(rng.integers(2, 20))
    metric = ("similarity", "precomputed", "cosine", "correlation")[rng.integers(4)]
    X = rng.normal(size=(n, d)).astype(("f4", "f8")[rng.integers(2)])
    A, what = X, BAD[rng.integers(3)]
    if metric == "similarity":
        A = simlib.cosine_similarity(X)
    elif metric == "precomputed":
        A = np.abs(X[:, :1] - X[:, 0])
    i, j = int(rng.integers(len(A))), int(rng.integers(A.shape[1]))
    if metric in ("similarity", "precomputed"):
        if rng.random() < 0.3 and i != j:
            what = A[i, j] + (0.3 if A[i, j] <= 0.5 else -0.3)  # not what its mirror image says
        elif rng.random() < 0.3:
            A[j, i] = what
    A[i, j] = what
    if rng.random() < 0.2:
        A = np.asfortranarray(A)
    calls = _calls(A, metric, int(rng.integers(1, 4)))
    said = of_call(calls[rng.integers(len(calls))], ("A", "X", "Y"), None)
    return said[0], f"{what} at [{i}, {j}] of {A.shape} {A.dtype}, {metric}: {said[1]}"
