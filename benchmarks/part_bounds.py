"""The rows about how far a clustering is from the best possible: bounds, more time for a better end, proofs.

The proofs and the shares above the optimum are about road maps like those of the OR-Library: n places, random roads of
whole-number lengths, distances along the shortest way.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import kmedoids as peer
import numpy as np
from pbp_pmedian import solve
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path
from sklearn.datasets import load_digits
from table import Comparison
from timing import seconds

import simlib

K = 512
ENDS = (1, 2, 5, 11, 21)
LONGEST_PROOF = 10  # seconds: one of the road maps takes minutes
SIZES = {  # n: the ks of the OR-Library's 40 p-median problems
    100: (5, 10, 10, 20, 33),
    200: (5, 10, 20, 40, 67),
    300: (5, 10, 30, 60, 100),
    400: (5, 10, 40, 80, 133),
    500: (5, 10, 50, 100, 167),
    600: (5, 10, 60, 120, 200),
    700: (5, 10, 70, 140),
    800: (5, 10, 80),
    900: (5, 10, 90),
}


def measure(table: Comparison) -> None:
    """Add all rows of this part."""
    S = simlib.cosine_similarity(simlib.load("words").vectors)
    bounds(table, S)
    budget(table, S)
    cases = [(road_map(n, seed), k) for n, ks in SIZES.items() for seed, k in enumerate(ks)]
    optima = proofs_of_road_maps(table, cases)
    above_the_optimum(table, cases, optima)
    proofs_side_by_side(table, S)


def bounds(table: Comparison, S: np.ndarray) -> None:
    """The lower bound beyond a fit, for few and many medoids."""
    for k in (16, 64, K, 2000):
        fit = simlib.kmedoids(S, k, init="dual", n_init=2)
        took, found = seconds(lambda fit=fit: simlib.optimality_gap(S, fit.medoids))
        details = f"{fit.inertia:.2f}, gap {100 * found.gap:.3f} %"
        table.result(f"lower bound beyond the fit, k = {k}", "simlib", took, took, details)


def budget(table: Comparison, S: np.ndarray) -> None:
    """What more time brings, beside the best of ten fits of the peer."""
    what, first = f"more time for a better end, k = {K}", 0.0
    for n in ENDS:
        took, fit = seconds(lambda n=n: simlib.kmedoids(S, K, init="dual", n_init=n))
        first = first or took
        table.result(what, f'simlib `init="dual", n_init={n}`', took, first, f"{fit.inertia:.2f}")
    turned = (1 - S).T
    took, losses = seconds(lambda: [one_of_theirs(turned, K, seed) for seed in range(10)])
    table.result(what, "kmedoids, the best of ten starts", took, first, f"{min(losses):.2f}")


def one_of_theirs(turned: np.ndarray, k: int, seed: int) -> float:
    """The loss of the peer's fit of distances (n, n), transposed, from a random start."""
    return float(peer.fasterpam(turned, k, 300, init="random", random_state=seed, n_cpu=1).loss)


def road_map(n: int, seed: int) -> np.ndarray:
    """Whole-number distances (n, n) along random roads, n * n / 50 of them, on which every place can be reached."""
    rng = np.random.default_rng([n, seed])
    a, b = rng.integers(0, n, (2, n * n // 50))
    around = rng.permutation(n)
    a, b = np.concatenate([a, around]), np.concatenate([b, np.roll(around, 1)])
    roads = np.full((n, n), np.inf)
    np.minimum.at(roads, (a, b), rng.integers(1, 101, len(a)))
    roads = np.minimum(roads, roads.T)
    i, j = np.nonzero(np.isfinite(roads))
    return shortest_path(csr_array((roads[i, j], (i, j)), (n, n)), directed=False).astype(np.int64)


def proofs_of_road_maps(table: Comparison, cases: list[tuple[np.ndarray, int]]) -> np.ndarray:
    """Fit and prove all road maps. Returns the optima."""

    def all_of_them() -> list[simlib.Proof]:
        return [prove_from_dual(D, k, "precomputed") for D, k in cases]

    took, proofs = seconds(all_of_them)
    proved = sum(proof.optimal for proof in proofs)
    table.result(f"{len(cases)} road maps, fit and proof", "simlib `prove`", took, took, f"{proved} proved optimal")
    return np.array([proof.inertia for proof in proofs])


def prove_from_dual(A: np.ndarray, k: int, metric: str) -> simlib.Proof:
    """The proof of a fit from the dual start."""
    fit = simlib.kmedoids(A, k, metric=metric, init="dual")
    return simlib.prove(A, fit.medoids, metric=metric, max_seconds=LONGEST_PROOF)


def above_the_optimum(table: Comparison, cases: list[tuple[np.ndarray, int]], optima: np.ndarray) -> None:
    """How far each way ends above the optima, and in how many seconds."""
    ways: dict[str, Callable[[np.ndarray, int], float]] = {
        'simlib `init="dual"`': partial(ours, n_init=1),
        'simlib `init="dual", n_init=2`': partial(ours, n_init=2),
        'simlib `init="dual", n_init=4`': partial(ours, n_init=4),
        "simlib, one random start": partial(ours, init="random"),
        "kmedoids, one random start": lambda D, k: one_of_theirs(D, k, 0),
        "kmedoids, the best of ten": lambda D, k: min(one_of_theirs(D, k, seed) for seed in range(10)),
    }
    first = 0.0
    for who, way in ways.items():
        took, losses = seconds(lambda way=way: np.array([way(D, k) for D, k in cases]))
        first, above = first or took, losses / optima - 1
        details = f"mean {100 * above.mean():.4f} % above the optimum, reached {np.sum(above < 1e-12)}"
        table.result(f"{len(cases)} road maps", who, took, first, details)


def ours(D: np.ndarray, k: int, **options: Any) -> float:
    """The inertia of simlib's fit of distances, from the dual start unless another is asked for."""
    return simlib.kmedoids(D, k, metric="precomputed", **{"init": "dual", **options}).inertia


def proofs_side_by_side(table: Comparison, S: np.ndarray) -> None:
    """The same optimum proved by simlib and by an exact solver."""
    digits = simlib.cosine_similarity(load_digits().data)
    problems = {"300 words, k = 15": (S[:300, :300], 15), "road map n = 900, k = 90": (road_map(900, 90), 90)}
    problems |= {f"digits, k = {k}": (digits, k) for k in (5, 10, 20)}
    for what, (A, k) in problems.items():
        metric = "precomputed" if A.dtype.kind == "i" else "similarity"
        took, proof = seconds(lambda A=A, k=k, metric=metric: prove_from_dual(A, k, metric))
        end = f"{proof.inertia:.4f}, {'proved' if proof.optimal else 'not proved'}"
        table.result(f"fit and proof, {what}", "simlib", took, took, end)
        loss = A if metric == "precomputed" else 1 - A.astype(np.float64)
        theirs, found = seconds(lambda loss=loss, k=k: solve(loss.astype(np.float64), k))
        table.result(f"fit and proof, {what}", "pbp-pmedian", theirs, took, f"{found[0]:.4f}, {found[3]}")
