"""The rows about a new process: how long simlib takes to import, and its first fit, once its loops are compiled."""

from __future__ import annotations

import statistics
import subprocess
import sys

from table import Comparison
from timing import ROUNDS

CODE = """
import time; began = time.perf_counter()
import numpy as np, simlib
imported = time.perf_counter() - began
S = simlib.cosine_similarity(np.random.default_rng(0).standard_normal((1000, 20)).astype(np.float32))
began = time.perf_counter(); simlib.kmedoids(S, 30); print(imported, time.perf_counter() - began)
"""


def measure(table: Comparison) -> None:
    """Add all rows of this part."""
    imported, first = fresh_process()
    table.result("fresh process: import", "simlib", imported, imported)
    table.result("fresh process: first fit, compiled code from the cache", "simlib", first, first)


def fresh_process() -> list[float]:
    """Median seconds until simlib is imported, and for the first fit, in new processes."""
    command = [sys.executable, "-c", CODE]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(ROUNDS)]
    both = [[float(word) for word in run.split()] for run in runs]
    return [statistics.median(column) for column in zip(*both, strict=True)]
