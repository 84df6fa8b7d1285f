"""The rows about the cosine matrix: simlib, its peers and the limit of the machine, on random vectors (20000, 384).

A contestant that makes a matrix has each turn in a process of its own. On some virtual machines memory that another
library gave back is slow to touch again, and a turn would pay for the turn before it.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics.pairwise import cosine_similarity as sklearn_cosine
from table import Comparison
from threadpoolctl import threadpool_limits
from timing import ROUNDS, extra_memory, in_turn, seconds

import simlib

N = 20_000  # rows of the vectors
D = 384
M = 5000  # rows of the other side of the rectangle
WARM_ROWS = 2000  # rows of the call before a turn, enough for several tiles
SGEMM_ROWS = 4000  # rows of the product that shows the machine's best rate
BENCH = Path(__file__).with_name("bench.py")


def vectors(n: int) -> np.ndarray:
    """Random vectors, float32 (n, D), the same in every process."""
    return np.random.default_rng(0).standard_normal((n, D)).astype(np.float32)


def by_torch(a: np.ndarray, b: np.ndarray) -> torch.Tensor:
    """Cosine matrix (len(a), len(b)) in torch's two lines."""
    u, v = (torch.nn.functional.normalize(torch.from_numpy(x)) for x in (a, b))
    return u @ v.T


def by_torch_with_itself(X: np.ndarray) -> torch.Tensor:
    """Cosine matrix (n, n) in torch's two lines."""
    return by_torch(X, X)


def by_numpy(X: np.ndarray) -> np.ndarray:
    """Cosine matrix (n, n) in NumPy's two lines."""
    u = X / np.linalg.norm(X, axis=1, keepdims=True)
    return u @ u.T


def to_a_file(X: np.ndarray) -> None:
    """Cosine matrix (n, n), written to a mapped file by simlib."""
    with tempfile.TemporaryDirectory() as folder:
        target = np.lib.format.open_memmap(Path(folder) / "S.npy", "w+", np.float32, (len(X), len(X)))
        simlib.cosine_similarity(X, out=target)


Contestants = dict[str, Callable[[np.ndarray], object]]  # who -> a function of the vectors
FRESH = "cosine matrix, fresh array"
RECTANGLE = f"rectangle {N:,} x {M:,}"
HALF = "cosine matrix, stored as float16"
FILE = "cosine matrix, `out=` a file"
CONTESTANTS: dict[str, Contestants] = {
    FRESH: {
        "simlib": simlib.cosine_similarity,
        "scikit-learn `cosine_similarity`": sklearn_cosine,
        "torch `normalize`, `u @ u.T`": by_torch_with_itself,
        "NumPy `u @ u.T`": by_numpy,
    },
    RECTANGLE: {
        "simlib": lambda X: simlib.cosine_similarity(X, X[:M]),
        "torch `normalize`, `u @ v.T`": lambda X: by_torch(X, X[:M]),
    },
    HALF: {"simlib": lambda X: simlib.cosine_similarity(X, dtype=np.float16)},
    FILE: {"simlib": to_a_file},
}


def measure(table: Comparison) -> None:
    """Add all rows of this part."""
    times = in_own_processes(FRESH)
    add(table, FRESH, times)
    limit = half_the_products() + first_touch(N)
    table.result(FRESH, "limit: half the products, one touch", limit, times["simlib"])
    in_memory_already_used(table)
    add(table, RECTANGLE, in_own_processes(RECTANGLE))
    add(table, HALF, in_own_processes(HALF))
    add(table, FILE, in_own_processes(FILE, rounds=1), "once")


def add(table: Comparison, what: str, times: dict[str, float], details: str = "") -> None:
    """Add a row for each contestant; `times` are the seconds by contestant."""
    for who, took in times.items():
        table.result(what, who, took, times["simlib"], details)


def in_own_processes(what: str, rounds: int = ROUNDS) -> dict[str, float]:
    """The median seconds of each contestant. In each round every contestant has one turn."""
    times: dict[str, list[float]] = {who: [] for who in CONTESTANTS[what]}
    for _ in range(rounds):
        for who, several in times.items():
            several.append(in_own_process(what, who, N))
    return {who: statistics.median(several) for who, several in times.items()}


def in_own_process(what: str, who: str, n: int) -> float:
    """The seconds of one turn on n vectors, in a new process: bench.py starts itself."""
    command = [sys.executable, str(BENCH), "--contestant", what, who, str(n)]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(run.stdout)


def turn(what: str, who: str, n: int) -> float:
    """The seconds of one call on n vectors, after a call on a few of them that compiles and starts threads."""
    function = CONTESTANTS[what][who]
    X = vectors(n)
    function(X[:WARM_ROWS])
    settle(n)
    return seconds(lambda: function(X))[0]


def settle(n: int) -> None:
    """Touch the memory of two matrices (n, n) and give it back, so that every turn finds memory that is ready."""
    space = np.empty((2 * n, n), np.float32)
    space.reshape(-1)[::1024] = 0


def half_the_products() -> float:
    """Seconds for N (N + 1) / 2 products of length D, at the rate of the machine's matrix product on all cores."""
    X = vectors(2 * SGEMM_ROWS)
    a, b = X[:SGEMM_ROWS], X[SGEMM_ROWS:]
    out = np.empty((SGEMM_ROWS, SGEMM_ROWS), np.float32)
    with threadpool_limits(None):
        best = min(seconds(lambda: np.matmul(a, b.T, out=out))[0] for _ in range(5))
    rate = 2 * SGEMM_ROWS * SGEMM_ROWS * D / best
    print(f"sgemm: {rate / 1e9:.0f} GFLOP/s", flush=True)
    return N * (N + 1) * D / rate


def first_touch(n: int) -> float:
    """Seconds to write once to a fresh matrix (n, n)."""
    settle(n)
    space = np.empty((n, n), np.float32)
    return seconds(lambda: space.fill(0))[0]


def in_memory_already_used(table: Comparison) -> None:
    """Add the row of a matrix that is written to memory in use, with the peak memory of a fresh one."""
    X = vectors(N)
    out = np.zeros((N, N), np.float32)
    took = in_turn({"simlib": lambda: simlib.cosine_similarity(X, out=out)})[0]["simlib"]
    extra, _ = extra_memory(lambda: simlib.cosine_similarity(X))
    details = f"peak memory {extra:.0f} MB for a fresh result of {out.nbytes / 1e6:.0f} MB"
    table.result("the same, `out=` memory in use", "simlib", took, took, details)
