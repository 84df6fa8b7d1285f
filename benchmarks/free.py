"""k-medoids from vectors without the matrix, and from a half-precision or mapped one: seconds and peak memory, printed.

Run by hand: `python benchmarks/free.py [kinds|vectors|large]`, each under two minutes. The items are the 20,000 words;
for `large` they and 80,000 mixtures of two words each (weights 0.7 and 0.3, noise of a tenth of the spread, rounded).
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil

import simlib


def mixtures(n, seed=0):
    """The words, then n - 20,000 noisy mixtures of two of them, float32 whole numbers (n, 384)."""
    words = simlib.load("words").vectors[:n]
    rng = np.random.default_rng(seed)
    more = np.empty((n - len(words), words.shape[1]), np.float32)
    for part in np.array_split(np.arange(len(more)), 20):
        first, second = rng.integers(len(words), size=(2, len(part)))
        noise = rng.standard_normal((len(part), words.shape[1]), np.float32) * words.std() * 0.1
        more[part] = np.rint(0.7 * words[first] + 0.3 * words[second] + noise)
    return np.concatenate([words, more])


def measured(call):
    """(seconds, most memory in GB beside what there was before and beside pages of mapped files, result)."""
    process, seen, done = psutil.Process(), [], threading.Event()

    def held():
        info = process.memory_info()
        return info.rss - info.shared

    def watch():
        while not done.wait(0.01):
            seen.append(held())

    before, watcher = held(), threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    try:
        result = call()
    finally:
        seconds = time.perf_counter() - began
        done.set()
        watcher.join()
    return seconds, (max(seen, default=before) - before) / 1e9, result


def line(name, call):
    """Run once and print a row of the table."""
    seconds, memory, fit = measured(call)
    inertia = f"{fit.inertia:.2f}" if hasattr(fit, "inertia") else ""
    swaps = f"{fit.n_iter} iterations, {fit.n_swaps} swaps" if inertia else ""
    print(f"| {name} | {seconds:.2f} | {memory:.2f} | {inertia} | {swaps} |", flush=True)
    return fit


def kinds():
    """A matrix of 20,000 x 20,000 in several kinds of storage."""
    X = simlib.load("words").vectors
    S = line("cosine matrix, float32", lambda: simlib.cosine_similarity(X))
    line("fit, float32", lambda: simlib.kmedoids(S, 512))
    with tempfile.TemporaryDirectory() as folder:
        for kind in (np.float32, np.float16):
            name = np.dtype(kind).name
            path = Path(folder) / f"{name}.npy"
            out = np.lib.format.open_memmap(path, "w+", kind, S.shape)
            line(f"cosine matrix, to a mapped {name} file", lambda out=out: simlib.cosine_similarity(X, out=out))
            out.flush()
            A = np.load(path, mmap_mode="r")
            line(f"fit, mapped {name}", lambda A=A: simlib.kmedoids(A, 512))
        half = np.array(A)
    line("fit, float16 in memory", lambda: simlib.kmedoids(half, 512))


def vectors():
    """20,000 vectors, with and without the matrix."""
    X = simlib.load("words").vectors
    for k in (16, 64, 512, 2000):
        for method in ("fasterpam", "alternate"):
            options = {"method": method}
            line(f"{method}, k = {k}, vectors", lambda k=k, o=options: simlib.kmedoids(X, k, metric="cosine", **o))
            line(f"{method}, k = {k}, matrix and fit", lambda k=k, o=options: with_matrix(X, k, **o))


def with_matrix(X, k, **options):
    """The way over the stored matrix."""
    return simlib.kmedoids(simlib.cosine_similarity(X), k, **options)


def large():
    """100,000 vectors, whose matrix would be 40 GB."""
    X = mixtures(100_000)
    fit = line("fasterpam, k = 1000", lambda: simlib.kmedoids(X, 1000, metric="cosine", progress=True))
    line("alternate, k = 1000", lambda: simlib.kmedoids(X, 1000, metric="cosine", method="alternate"))
    line("assign, k = 1000", lambda: simlib.assign(X, fit.medoids, metric="cosine"))
    line("silhouette, k = 1000", lambda: simlib.silhouette(X, fit.labels, metric="cosine"))
    line("predict, k = 1000", lambda: fit.predict(X))


if __name__ == "__main__":
    simlib.kmedoids(simlib.load("words").vectors[:2000], 50, metric="cosine")
    simlib.kmedoids(simlib.cosine_similarity(simlib.load("words").vectors[:2000]), 50)
    print("| what | seconds | GB more at the peak | inertia | |\n|---|---|---|---|---|")
    for part in sys.argv[1:] or ("kinds", "vectors", "large"):
        {"kinds": kinds, "vectors": vectors, "large": large}[part]()
