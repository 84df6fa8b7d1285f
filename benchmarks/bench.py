"""simlib and its peers side by side, in turn, on this machine: one run, medians and ratios, one table.

Everything is at n = 20,000: random vectors (20000, 384) for the similarities, the shipped words for the medoids. Before
each measurement that asks for a matrix of memory, as much is touched and given back, so that all start alike.
"""

import argparse
import cProfile
import os
import platform
import pstats
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from importlib.metadata import version
from pathlib import Path

import kmedoids as peer
import numpy as np
import optima
import psutil
import sklearn
import torch
from sklearn.metrics import silhouette_samples
from sklearn.metrics.pairwise import cosine_similarity as sklearn_cosine
from threadpoolctl import threadpool_limits

import simlib

N, D = 20_000, 384
ROUNDS = 3
RESULTS = Path(__file__).with_name("RESULTS.md")


def settle():
    """Touch and give back two matrices' worth of memory: huge pages, ready for the next who asks."""
    space = np.empty((2 * N, N), np.float32)
    space.reshape(-1)[::1024] = 0


def seconds(function):
    began = time.perf_counter()
    result = function()
    return time.perf_counter() - began, result


def in_turn(contestants, fresh=False):
    """Median seconds and last result of each; results that are matrices are dropped.

    All have their turn once a round, of a second at least: what is quick is run several times in a row.
    """
    times, results = {name: [] for name in contestants}, {}
    for _ in range(ROUNDS):
        for name, function in contestants.items():
            if fresh:
                settle()
            turn = []
            while not turn or (sum(turn) < 1 and not fresh):
                took, result = seconds(function)
                turn.append(took)
                results[name] = None if fresh else result
                del result
            times[name] += turn
    return {name: statistics.median(t) for name, t in times.items()}, results


def extra_memory(function):
    """MB of its own that the process holds more while the function runs, pages of files not counted."""
    process, peak, done = psutil.Process(), 0, threading.Event()

    def own():
        memory = process.memory_info()
        return memory.rss - memory.shared

    def watch():
        nonlocal peak
        while not done.wait(0.005):
            peak = max(peak, own())

    before, watcher = own(), threading.Thread(target=watch)
    watcher.start()
    result = function()
    done.set()
    watcher.join()
    return max(0, peak - before) / 1e6, result


def share_of_time(function, most=4):
    """Where the time goes: the functions that take most of it, compiled loops counted with their callers."""
    profile = cProfile.Profile()
    profile.runcall(function)
    rows = pstats.Stats(profile).stats
    total = sum(row[2] for row in rows.values())
    top = sorted(rows.items(), key=lambda item: -item[1][2])[:most]
    names = [f"{where[2].strip('<>').removeprefix('method ')} {row[2] / total:.0%}" for where, row in top]
    return ", ".join(names)


def row(table, what, name, took, versus, details=""):
    """Add a line: what was done, by whom, in how many seconds, how many times ours."""
    table.append(f"| {what} | {name} | {took:.2f} | {took / versus:.2f} | {details} |")
    print(table[-1], flush=True)


def similarities(table):
    X = np.random.default_rng(0).standard_normal((N, D)).astype(np.float32)
    T, Y = torch.from_numpy(X), torch.from_numpy(X[:5000].copy())

    def by_torch(a, b):
        normal = torch.nn.functional.normalize
        return normal(a) @ normal(b).T

    def by_numpy():
        u = X / np.linalg.norm(X, axis=1, keepdims=True)
        return u @ u.T

    whole = {
        "simlib": lambda: simlib.cosine_similarity(X),
        "scikit-learn `cosine_similarity`": lambda: sklearn_cosine(X),
        "torch `normalize`, `u @ u.T`": lambda: by_torch(T, T),
        "NumPy `u @ u.T`": by_numpy,
    }
    times, _ = in_turn(whole, fresh=True)
    for name, took in times.items():
        row(table, "cosine matrix, fresh array", name, took, times["simlib"])
    limit = half_the_products(X) + first_touch()
    row(table, "cosine matrix, fresh array", "limit: half the products, one touch", limit, times["simlib"])
    in_memory_already_used(table, X)
    rectangle = {
        "simlib": lambda: simlib.cosine_similarity(X, X[:5000]),
        "torch `normalize`, `u @ v.T`": lambda: by_torch(T, Y),
    }
    times, _ = in_turn(rectangle, fresh=True)
    for name, took in times.items():
        row(table, "rectangle 20,000 x 5,000", name, took, times["simlib"])
    took = in_turn({"half": lambda: simlib.cosine_similarity(X, dtype=np.float16)}, fresh=True)[0]["half"]
    row(table, "cosine matrix, stored as float16", "simlib", took, took)
    took, _ = seconds(lambda: to_a_file(X))
    row(table, "cosine matrix, `out=` a file", "simlib", took, took, "once")


def in_memory_already_used(table, X):
    out = np.zeros((N, N), np.float32)
    took = in_turn({"simlib": lambda: simlib.cosine_similarity(X, out=out)})[0]["simlib"]
    extra, _ = extra_memory(lambda: simlib.cosine_similarity(X))
    details = f"peak memory {extra:.0f} MB for a fresh result of {out.nbytes / 1e6:.0f} MB"
    row(table, "the same, `out=` memory in use", "simlib", took, took, details)


def to_a_file(X):
    with tempfile.TemporaryDirectory() as folder:
        target = np.lib.format.open_memmap(Path(folder) / "S.npy", "w+", np.float32, (N, N))
        simlib.cosine_similarity(X, out=target)


def half_the_products(X):
    """Seconds for n(n + 1)/2 products of length d at the rate of the machine's matrix product, both threads."""
    a, b = X[:4000], X[4000:8000]
    out = np.empty((4000, 4000), np.float32)
    with threadpool_limits(None):
        rate = 2 * 4000 * 4000 * D / min(seconds(lambda: np.matmul(a, b.T, out=out))[0] for _ in range(5))
    print(f"sgemm: {rate / 1e9:.0f} GFLOP/s", flush=True)
    return N * (N + 1) * D / rate


def first_touch():
    """Seconds to write to a fresh matrix once."""
    settle()
    space = np.empty((N, N), np.float32)
    return seconds(lambda: space.fill(0))[0]


def tutorial_loop(S, k):
    """The simple loop as the second notebook writes it out."""
    n = len(S)
    centres = np.arange(k)
    while True:
        labels = S[:, centres].argmax(axis=1)
        new = centres.copy()
        for j in range(k):
            members = np.arange(n)[labels == j]
            new[j] = members[S[np.ix_(members, members)].sum(axis=1).argmax()]
        if (new == centres).all():
            return centres
        centres = new


def clusterings(table, S):
    distance = 1 - S
    turned = distance.T  # the peer reads by column: this order is its best setting, with one thread

    def theirs(k, start, **options):
        return peer.fasterpam(turned, start, 300, n_cpu=1, **options)

    for k in (16, 64, 512, 2000):
        start = np.random.default_rng(0).choice(N, k, replace=False)
        times, ends = in_turn(
            {
                "simlib": lambda k=k, start=start: simlib.kmedoids(S, k, init=start),
                "kmedoids `fasterpam(D.T, n_cpu=1)`": lambda k=k, start=start: theirs(k, start.astype(np.uint64)),
            }
        )
        for (name, took), end in zip(times.items(), ends.values(), strict=True):
            loss, swaps = (end.inertia, end.n_swaps) if name == "simlib" else (end.loss, end.n_swap)
            row(table, f"swaps, k = {k}, same random start", name, took, times["simlib"], f"{loss:.2f}, {swaps} swaps")
        where = share_of_time(lambda k=k, start=start: simlib.kmedoids(S, k, init=start))
        table.append(f"| | | | | {where} |")
    times, ends = in_turn(
        {
            "simlib": lambda: simlib.kmedoids(S, 512),
            'simlib `init="build"`': lambda: simlib.kmedoids(S, 512, init="build"),
            "kmedoids, its own random start": lambda: theirs(512, 512, init="random", random_state=0),
        }
    )
    for (name, took), end in zip(times.items(), ends.values(), strict=True):
        loss = end.inertia if name.startswith("simlib") else end.loss
        row(table, "whole default fit, k = 512", name, took, times["simlib"], f"{loss:.2f}")
    found = ends["simlib"].medoids
    left = theirs(512, found.astype(np.uint64)).n_swap
    table.append(f"| | | | | swaps kmedoids still finds from our medoids: {left} |")
    others(table, S, found)
    times, ends = in_turn(
        {
            'simlib `method="alternate"`': lambda: simlib.kmedoids(S, 512, method="alternate", init="first"),
            "the tutorial's loop": lambda: tutorial_loop(S, 512),
            "kmedoids `alternating(D.T)`": lambda: peer.alternating(turned, np.arange(512, dtype=np.uint64), 300),
        }
    )
    ours = ends['simlib `method="alternate"`']
    same = set(ours.medoids.tolist()) == set(ends["the tutorial's loop"].tolist())
    for name, took in times.items():
        row(table, "alternate, k = 512, first rows", name, took, times['simlib `method="alternate"`'])
    where = share_of_time(lambda: simlib.kmedoids(S, 512, method="alternate", init="first"))
    table.append(
        f"| | | | | {ours.n_iter} iterations, the loop's medoids: {'the same' if same else 'others'}; {where} |"
    )


def others(table, S, found):
    """What no peer does, or takes hours to do: ours only."""
    start, whole = (in_turn({"b": lambda m=m: simlib.kmedoids(S, 512, init="build", max_iter=m)}) for m in (0, 300))
    check = in_turn({"c": lambda: simlib.assign(S, found[:1])})[0]["c"]
    row(table, "BUILD, k = 512, without the check", "simlib", start[0]["b"] - check, start[0]["b"] - check)
    where = share_of_time(lambda: simlib.kmedoids(S, 512, init="build", max_iter=0))
    table.append(f"| | | | | {where} |")
    row(table, "check of a stored matrix", "simlib", check, check, f"{check / whole[0]['b']:.0%} of a fit from BUILD")
    took, proof = seconds(lambda: simlib.certify(S, found))
    row(table, "certificate, k = 512", "simlib", took, took, f"optimal: {proof.is_optimal}")
    took, fit = seconds(lambda: simlib.kmedoids(S, 512, init="build", n_init=51))
    row(table, "BUILD and 50 kicks, k = 512", "simlib", took, took, f"{fit.inertia:.2f}")
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "S.npy", S)
        mapped = np.load(Path(folder) / "S.npy", mmap_mode="r")
        kinds = {"float32": S, "float32, memory-mapped": mapped, "float16": S.astype(np.float16)}
        for name, A in kinds.items():
            took, fit = seconds(lambda A=A: simlib.kmedoids(A, 512))
            extra, _ = extra_memory(lambda A=A: simlib.kmedoids(A, 512))
            row(
                table,
                "default fit by kind of matrix, k = 512",
                name,
                took,
                took,
                f"{fit.inertia:.2f}, {extra:.0f} MB more",
            )
    del kinds, mapped
    for kind in (np.int32, np.float64):
        A = np.rint((1 - S) * 10_000).astype(kind)
        took, fit = seconds(lambda A=A: simlib.kmedoids(A, 512, metric="precomputed"))
        extra, _ = extra_memory(lambda A=A: simlib.kmedoids(A, 512, metric="precomputed"))
        details = f"{fit.inertia:.0f}, {extra:.0f} MB more"
        row(table, "default fit by kind of matrix, k = 512", f"{A.dtype} distances", took, took, details)


def choices(table, S):
    """The scan over k, and the silhouettes, on the words."""
    ks = sorted(set(np.geomspace(2, 1000, 20).round().astype(int).tolist()))
    took, scan = seconds(lambda: simlib.scan_k(S, ks))
    what = "scan of 20 values of k, 2 to 1000"
    row(table, what, "simlib `scan_k`, silhouettes included", took, took, "once")
    D = 1 - S
    gaps, theirs = [], 0.0
    for k, inertia in zip(ks, scan.inertia, strict=True):
        ends = [simlib.kmedoids(S, k, random_state=seed).inertia for seed in range(3)]
        gaps.append(100 * (inertia / min(ends) - 1))
        theirs += seconds(lambda k=k: peer.fasterpam(D.T, k, random_state=0, n_cpu=1))[0]
    row(table, what, "kmedoids `fasterpam(D.T, n_cpu=1)` for each, fits only", theirs, took, "once")
    table.append(f"| | | | | inertia against the best of three fits of its own, at worst {max(gaps):+.2f}% |")
    labels = scan.fits[ks.index(520)].labels
    del scan
    np.fill_diagonal(D, 0)
    contestants = {
        "simlib, stored matrix": lambda: simlib.silhouette(S, labels),
        "scikit-learn `silhouette_samples`": lambda: silhouette_samples(D, labels, metric="precomputed"),
        "simlib, from vectors": lambda: simlib.silhouette(simlib.load("words").vectors, labels, metric="cosine"),
    }
    times, results = in_turn(contestants)
    ours, scores, _ = results.values()
    for name, took in times.items():
        row(table, "silhouette, k = 520", name, took, times["simlib, stored matrix"])
    table.append(f"| | | | | largest difference from scikit-learn's: {np.abs(ours - scores).max():.0e} |")


def fresh_process():
    """Seconds until simlib is imported, and for the first fit, in a new process with a warm cache."""
    code = """
import time; began = time.perf_counter()
import numpy as np, simlib
imported = time.perf_counter() - began
S = simlib.cosine_similarity(np.random.default_rng(0).standard_normal((1000, 20)).astype(np.float32))
began = time.perf_counter(); simlib.kmedoids(S, 30); print(imported, time.perf_counter() - began)
"""
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(3)]
    return [statistics.median(column) for column in zip(*(map(float, run.stdout.split()) for run in runs), strict=True)]


def machine():
    """One line about where this ran."""
    name = next((s for s in Path("/proc/cpuinfo").read_text().splitlines() if s.startswith("model name")), "")
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}, torch {torch.__version__}"
    peers = f"scikit-learn {sklearn.__version__}, kmedoids {version('kmedoids')}"
    cores = len(os.sched_getaffinity(0))
    return (
        f"{cores} cores ({name.partition(': ')[2]}), {psutil.virtual_memory().total / 1e9:.0f} GB; {versions}; {peers}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--part", choices=("similarity", "medoids", "choices"), help="only this part, and nothing is written"
    )
    part = parser.parse_args().part
    table = [
        "| what (n = 20,000, d = 384) | who | seconds | times ours | inertia, memory, where the time goes |",
        "|---|---|---|---|---|",
    ]
    simlib.kmedoids(simlib.cosine_similarity(np.eye(300, dtype=np.float32)), 9)
    if part in (None, "similarity"):
        similarities(table)
    if part in (None, "medoids"):
        clusterings(table, simlib.cosine_similarity(simlib.load("words").vectors))
    if part in (None, "choices"):
        choices(table, simlib.cosine_similarity(simlib.load("words").vectors))
    imported, first = fresh_process()
    row(table, "fresh process: import", "simlib", imported, imported)
    row(table, "fresh process: first fit, compiled code from the cache", "simlib", first, first)
    if part is None:
        known = "\n".join(optima.table())
        head = f"# `make bench`\n\n{machine()}. Medians of {ROUNDS} rounds.\n\n"
        text = head + "\n".join(table) + f"\n\nAgainst optima proved by HiGHS:\n\n{known}\n"
        with simlib.data.written_whole(RESULTS) as draft:
            Path(draft).write_text(text, encoding="utf-8")
        print(f"\n{machine()}\nwritten to {RESULTS}")


if __name__ == "__main__":
    main()
