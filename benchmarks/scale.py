"""Past one machine's memory, on this machine: k-medoids on Dask with two worker processes; writes SCALE.md.

python benchmarks/scale.py        about 6 minutes; seconds a round and peak memory a worker for growing n
"""

import os
import resource
import statistics
import time
from pathlib import Path

import dask.array as da
import numpy as np
from bench import machine
from distributed import Client, LocalCluster

import simlib
from simlib import distributed

D, K, ROWS = 64, 1000, 20_000
SIZES = (125_000, 250_000, 500_000, 1_000_000)
ROUNDS = 3
RESULTS = Path(__file__).with_name("SCALE.md")


def mixture(block_info=None):
    """A chunk of noisy copies of 2,000 directions, whole numbers, the same on every run."""
    (first, last), _ = block_info[None]["array-location"]
    centres = np.random.default_rng(0).standard_normal((2000, D))
    rng = np.random.default_rng(first)
    noisy = centres[rng.integers(0, 2000, last - first)] + 0.7 * rng.standard_normal((last - first, D))
    return np.rint(30 * noisy).astype(np.float32)


def data(n):
    chunks = (tuple(min(ROWS, n - i) for i in range(0, n, ROWS)), (D,))
    return da.map_blocks(mixture, chunks=chunks, dtype=np.float32, meta=np.empty((0, 0), np.float32))


def workers():
    return LocalCluster(n_workers=2, threads_per_worker=1, memory_limit="4GiB", dashboard_address=None)


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # GB


def measure(n):
    """Seconds a round, the inertia, and the peak memory of a worker in new processes."""
    with workers() as cluster, Client(cluster) as client:
        X = data(n).persist()
        times = []
        start = np.random.default_rng(1).choice(n, K, replace=False)
        fit = distributed.kmedoids(
            X, K, method="alternate", init=start, max_iter=ROUNDS, callback=lambda *call: times.append(call[3])
        )
        memory = max(client.run(peak).values())
    return statistics.median(times), fit.inertia, memory


def main():
    lines = [
        "| rows | seconds a round | millionths of a second a row | peak memory a worker, GB |",
        "|---|---|---|---|",
    ]
    for n in SIZES:
        took, _, memory = measure(n)
        lines.append(f"| {n:,} | {took:.1f} | {1e6 * took / n:.1f} | {memory:.2f} |")
        print(lines[-1], flush=True)
    with workers() as cluster, Client(cluster):
        X, began = data(SIZES[-1]).persist(), time.perf_counter()
        fit = distributed.kmedoids(X, K, max_iter=5)
        took = time.perf_counter() - began
    sample = f'`method="sample"`, {SIZES[-1]:,} rows, at most 5 rounds: {took:.0f} s, inertia {fit.inertia:,.0f}'
    text = (
        f"# `python benchmarks/scale.py`\n\n{machine()}; two worker processes of one thread, 4 GiB each. d = {D}, "
        f"k = {K:,}, chunks of {ROWS:,} rows, the alternating method; medians of {ROUNDS} rounds.\n\n"
    )
    with simlib.data.written_whole(RESULTS) as draft:
        Path(draft).write_text(text + "\n".join(lines) + f"\n\n{sample}.\n", encoding="utf-8")
    print(sample, f"\nwritten to {RESULTS}")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
