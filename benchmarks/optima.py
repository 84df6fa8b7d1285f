"""How often the search reaches the optimum of p-median problems that an exact solver can solve.

The instances are small: n points, k of them to be medoids, Euclidean distances rounded to whole numbers. HiGHS solves
each as a mixed-integer program, y[j] = 1 if j is a medoid, x[i, j] = 1 if j is i's medoid.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import block_array, csr_array, eye_array, kron

from simlib import kmedoids

SIZES = ((60, 4), (100, 5), (100, 10), (100, 20), (150, 10))
WAYS: dict[str, dict[str, Any]] = {
    'init="random"': {"init": "random"},
    'init="build"': {"init": "build"},
    'init="random", n_init=10': {"init": "random", "n_init": 10},
    'init="build", n_init=10': {"init": "build", "n_init": 10},
    'init="build", n_init=100': {"init": "build", "n_init": 100},
}


def instance(n: int, seed: int) -> np.ndarray:
    """Whole-number distances (n, n): points spread evenly, in clumps, or in eight dimensions, by turns."""
    rng = np.random.default_rng(seed)
    points = rng.random((n, 8 if seed % 3 == 2 else 2))
    if seed % 3 == 1:
        points = points[rng.integers(0, 12, n)] + rng.normal(0, 0.05, (n, 2))
    return np.rint(1000 * np.linalg.norm(points[:, None] - points, axis=2)).astype(np.int64)


def optimum(D: np.ndarray, k: int) -> int:
    """The least possible sum of distances D (n, n) to k medoids, proved by HiGHS."""
    n = len(D)
    ones = csr_array(np.ones((1, n)))
    served = kron(eye_array(n), ones)  # sum over j of x[i, j] = 1
    opened = kron(csr_array(np.ones((n, 1))), eye_array(n))
    constraints = [
        LinearConstraint(block_array([[served, csr_array((n, n))]], format="csr"), 1, 1),
        LinearConstraint(block_array([[eye_array(n * n), -opened]], format="csr"), -np.inf, 0),  # x[i, j] <= y[j]
        LinearConstraint(block_array([[csr_array((1, n * n)), ones]], format="csr"), k, k),
    ]
    integral = np.concatenate([np.zeros(n * n), np.ones(n)])
    cost = np.concatenate([D.ravel(), np.zeros(n)])
    result = milp(cost, constraints=constraints, integrality=integral, bounds=(0, 1), options={"mip_rel_gap": 0})
    if not result.success:
        raise RuntimeError(f"HiGHS did not finish: {result.message}")
    return round(result.fun)


def table(instances: int = 30) -> list[str]:
    """Lines of a table: how often each way reaches the optimum."""
    began = time.perf_counter()
    cases = []
    for n, k in SIZES:
        for seed in range(instances):
            D = instance(n, seed)
            cases.append((D, k, optimum(D, k)))
        print(f"n={n} k={k}: {instances} optima known, {time.perf_counter() - began:.0f} s", file=sys.stderr)
    lines = [
        f"| {len(cases)} p-median instances, n = 60 to 150, k = 4 to 20 | optimum reached | mean above it | worst |",
        "|---|---|---|---|",
    ]
    for name, options in WAYS.items():
        above = np.array([kmedoids(D, k, metric="precomputed", **options).inertia / best - 1 for D, k, best in cases])
        lines.append(f"| `{name}` | {np.mean(above < 1e-12):.0%} | {above.mean():.2%} | {above.max():.2%} |")
    return lines


if __name__ == "__main__":
    print("\n".join(table()))
