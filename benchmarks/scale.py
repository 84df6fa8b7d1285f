"""Past one machine's memory, on this machine: k-medoids on Dask with two worker processes.

python benchmarks/scale.py              about 17 minutes; writes results/SCALE.md
python benchmarks/scale.py --store      stores benchmarks/SCALE.md instead, which the documentation quotes

python benchmarks/scale.py --large      only the fits of a million rows; nothing is written

For growing n it measures the seconds of a round and the peak memory of a worker; for a million rows what the loop
reaches from a sample, and what swaps reach in ten minutes.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
from typing import Any

import dask.array as da
import numpy as np
import page
from distributed import Client, LocalCluster
from machine import machine
from table import Table
from timing import ROUNDS, seconds

from simlib import distributed

D, K, ROWS = 64, 1000, 20_000  # columns, medoids, rows of a chunk
SECONDS = 600  # of the swaps
SIZES = (125_000, 250_000, 500_000, 1_000_000)


def mixture(block_info: Any = None) -> np.ndarray:
    """A chunk of noisy copies of 2,000 directions, whole numbers, the same on every run."""
    (first, last), _ = block_info[None]["array-location"]
    centres = np.random.default_rng(0).standard_normal((2000, D))
    rng = np.random.default_rng(first)
    noisy = centres[rng.integers(0, 2000, last - first)] + 0.7 * rng.standard_normal((last - first, D))
    return np.rint(30 * noisy).astype(np.float32)


def data(n: int) -> da.Array:
    """The vectors, float32 (n, D), in chunks of rows."""
    chunks = (tuple(min(ROWS, n - i) for i in range(0, n, ROWS)), (D,))
    return da.map_blocks(mixture, chunks=chunks, dtype=np.float32, meta=np.empty((0, 0), np.float32))


def workers() -> LocalCluster:
    """Two new worker processes."""
    return LocalCluster(n_workers=2, threads_per_worker=1, memory_limit="4GiB", dashboard_address=None)


def peak() -> float:
    """The most memory, in GB, that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def measure(n: int) -> tuple[float, float]:
    """Seconds a round and the peak memory of a worker, in new processes."""
    times: list[float] = []
    with workers() as cluster, Client(cluster) as client:
        X = data(n).persist()
        start = np.random.default_rng(1).choice(n, K, replace=False)
        distributed.kmedoids(
            X, K, method="alternate", init=start, max_iter=ROUNDS, callback=lambda *call: times.append(call[3])
        )
        memory = max(client.run(peak).values())
    return statistics.median(times), memory


def growing(table: Table) -> None:
    """Add a row for each size."""
    for n in SIZES:
        took, memory = measure(n)
        table.row(f"{n:,}", f"{took:.1f}", f"{1e6 * took / n:.1f}", f"{memory:.2f}")


def fitted(n: int, method: str, **limits: Any) -> str:
    """A sentence about a method that begins with a sample, and about its memory."""
    with workers() as cluster, Client(cluster) as client:
        X = data(n).persist()
        took, fit = seconds(lambda: distributed.kmedoids(X, K, method=method, **limits))
        memory = max(client.run(peak).values())
    wish = ", ".join(f"{name}={value}" for name, value in limits.items())
    return (
        f'`method="{method}"`, {wish}, {n:,} rows: {took:.0f} s, inertia {fit.inertia:,.0f}, {fit.n_swaps:,} swaps, '
        f"{100 * fit.tried:.0f} % of the rows tried, at most {memory:.2f} GB a worker."
    )


def main() -> None:
    """Measure all of it and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--store", action="store_true", help="store benchmarks/SCALE.md, which the documentation quotes"
    )
    parser.add_argument("--large", action="store_true", help="only the two fits of a million rows; nothing is written")
    options = parser.parse_args()
    table = Table("rows", "seconds a round", "millionths of a second a row", "peak memory a worker, GB")
    if not options.large:
        growing(table)
    sentences = [fitted(SIZES[-1], "sample", max_iter=5), fitted(SIZES[-1], "fasterpam", max_seconds=SECONDS)]
    print("", *sentences, sep="\n\n")
    if options.large:
        return
    head = (
        f"{machine()}; two worker processes of one thread, 4 GiB each. d = {D}, k = {K:,}, chunks of {ROWS:,} rows, "
        f"the alternating method; medians of {ROUNDS} rounds."
    )
    text = f"# `python benchmarks/scale.py`\n\n{head}\n\n{table}\n\n" + "\n\n".join(sentences) + "\n"
    page.write(text, "SCALE.md", stored="SCALE.md" if options.store else None)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
