"""The rows about k-medoids on the stored matrix of the words: simlib, the package kmedoids and the tutorial's loop."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import kmedoids as peer
import numpy as np
from llvmlite.binding import get_host_cpu_features
from table import Comparison
from timing import extra_memory, in_turn, seconds, share_of_time

import simlib

K = 512
MOST_PASSES = 300  # of the peer, as many as simlib's default
# What most processors of the last ten years have, and what Numba is told to make code for.
WITH_AVX2 = ("sse4.1", "sse4.2", "ssse3", "popcnt", "avx", "avx2", "fma", "f16c", "bmi", "bmi2", "lzcnt", "movbe")


def measure(table: Comparison) -> None:
    """Add all rows of this part."""
    S = simlib.cosine_similarity(simlib.load("words").vectors)
    distance = 1 - S
    turned = distance.T  # the peer reads by column: this order is its best setting, with one thread
    from_the_same_start(table, S, turned)
    found = whole_fits(table, S, turned)
    steps(table, S, found)
    more_than_one_fit(table, S, found)
    kinds_of_similarities(table, S)
    kinds_of_distances(table, S)
    alternates(table, S, turned)


def theirs(turned: np.ndarray, k: int, start: Any, **options: Any) -> Any:
    """The peer's fit. `turned` are the distances (n, n), transposed; `start` its medoids, or k."""
    return peer.fasterpam(turned, start, MOST_PASSES, n_cpu=1, **options)


def from_the_same_start(table: Comparison, S: np.ndarray, turned: np.ndarray) -> None:
    """Swaps from one random start, for few and many medoids."""
    for k in (16, 64, 512, 2000):
        start = np.random.default_rng(0).choice(len(S), k, replace=False)
        contestants = {
            "simlib": partial(simlib.kmedoids, S, k, init=start),
            "kmedoids `fasterpam(D.T, n_cpu=1)`": partial(theirs, turned, k, start.astype(np.uint64)),
        }
        times, ends = in_turn(contestants)
        for who, took in times.items():
            end = ends[who]
            loss, swaps = (end.inertia, end.n_swaps) if who == "simlib" else (end.loss, end.n_swap)
            details = f"{loss:.2f}, {swaps} swaps"
            table.result(f"swaps, k = {k}, same random start", who, took, times["simlib"], details)
        if get_host_cpu_features().get("avx2"):
            took, inertia = by_avx2(k)
            who = "simlib by AVX2 alone, without AVX-512"
            table.result(f"swaps, k = {k}, same random start", who, took, times["simlib"], f"{inertia:.2f}")
        table.note(share_of_time(contestants["simlib"]))


def by_avx2(k: int) -> tuple[float, float]:
    """Seconds and inertia of the same fit in a process whose loops are compiled for AVX2 alone."""
    features = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": ",".join(f"+{each}" for each in WITH_AVX2)}
    run = subprocess.run(
        [sys.executable, __file__, str(k)], env={**os.environ, **features}, capture_output=True, check=True
    )
    took, inertia = run.stdout.split()
    return float(took), float(inertia)


def whole_fits(table: Comparison, S: np.ndarray, turned: np.ndarray) -> np.ndarray:
    """Each one's default fit from its own start. Returns the medoids that simlib found, (K,)."""
    times, ends = in_turn(
        {
            "simlib": lambda: simlib.kmedoids(S, K),
            'simlib `init="build"`': lambda: simlib.kmedoids(S, K, init="build"),
            "kmedoids, its own random start": lambda: theirs(turned, K, K, init="random", random_state=0),
        }
    )
    for who, took in times.items():
        loss = ends[who].inertia if who.startswith("simlib") else ends[who].loss
        table.result(f"whole default fit, k = {K}", who, took, times["simlib"], f"{loss:.2f}")
    found = ends["simlib"].medoids
    left = theirs(turned, K, found.astype(np.uint64)).n_swap
    table.note(f"swaps kmedoids still finds from our medoids: {left}")
    return found


def steps(table: Comparison, S: np.ndarray, found: np.ndarray) -> None:
    """The single steps of a fit from BUILD: no peer does them, or in hours only. `found` are medoids, (K,)."""
    start = in_turn({"start": lambda: simlib.kmedoids(S, K, init="build", max_iter=0)})[0]["start"]
    whole = in_turn({"whole": lambda: simlib.kmedoids(S, K, init="build")})[0]["whole"]
    check = in_turn({"check": lambda: simlib.assign(S, found[:1])})[0]["check"]
    table.result(f"BUILD, k = {K}, without the check", "simlib", start - check, start - check)
    table.note(share_of_time(lambda: simlib.kmedoids(S, K, init="build", max_iter=0)))
    table.result("check of a stored matrix", "simlib", check, check, f"{check / whole:.0%} of a fit from BUILD")


def more_than_one_fit(table: Comparison, S: np.ndarray, found: np.ndarray) -> None:
    """The certificate of the medoids `found`, (K,), and a search that goes on after the first swap optimum."""
    took, proof = seconds(lambda: simlib.certify(S, found))
    table.result(f"certificate, k = {K}", "simlib", took, took, f"optimal: {proof.is_optimal}")
    took, fit = seconds(lambda: simlib.kmedoids(S, K, init="build", n_init=51))
    table.result(f"BUILD and 50 kicks, k = {K}", "simlib", took, took, f"{fit.inertia:.2f}")


def kinds_of_similarities(table: Comparison, S: np.ndarray) -> None:
    """The default fit of similarities in memory, in a file and in half precision."""
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "S.npy", S)
        mapped = np.load(Path(folder) / "S.npy", mmap_mode="r")
        kinds = {"float32": S, "float32, memory-mapped": mapped, "float16": S.astype(np.float16)}
        for name, A in kinds.items():
            one_kind(table, name, A, "similarity", digits=2)


def kinds_of_distances(table: Comparison, S: np.ndarray) -> None:
    """The default fit of distances in whole numbers, stored as such and in double precision."""
    for kind in (np.int32, np.float64):
        A = np.rint((1 - S) * 10_000).astype(kind)
        one_kind(table, f"{A.dtype} distances", A, "precomputed", digits=0)


def one_kind(table: Comparison, name: str, A: np.ndarray, metric: str, digits: int) -> None:
    """Seconds, inertia with so many digits, and memory of the default fit of one matrix."""
    took, fit = seconds(lambda: simlib.kmedoids(A, K, metric=metric))
    extra, _ = extra_memory(lambda: simlib.kmedoids(A, K, metric=metric))
    details = f"{fit.inertia:.{digits}f}, {extra:.0f} MB more"
    table.result(f"default fit by kind of matrix, k = {K}", name, took, took, details)


def tutorial_loop(S: np.ndarray, k: int) -> np.ndarray:
    """The simple loop as the second notebook writes it out. Returns medoids, (k,)."""
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


def alternates(table: Comparison, S: np.ndarray, turned: np.ndarray) -> None:
    """The alternating method from the first rows."""
    simlibs, loops = 'simlib `method="alternate"`', "the tutorial's loop"
    times, ends = in_turn(
        {
            simlibs: lambda: simlib.kmedoids(S, K, method="alternate", init="first"),
            loops: lambda: tutorial_loop(S, K),
            "kmedoids `alternating(D.T)`": lambda: peer.alternating(turned, np.arange(K, dtype=np.uint64), MOST_PASSES),
        }
    )
    for who, took in times.items():
        table.result(f"alternate, k = {K}, first rows", who, took, times[simlibs])
    ours = ends[simlibs]
    same = "the same" if set(ours.medoids.tolist()) == set(ends[loops].tolist()) else "others"
    where = share_of_time(lambda: simlib.kmedoids(S, K, method="alternate", init="first"))
    table.note(f"{ours.n_iter} iterations, the loop's medoids: {same}; {where}")


def one_fit(k: int) -> None:
    """Print the seconds, best of three, and the inertia of a fit of the words from the random start of `measure`."""
    S = simlib.cosine_similarity(simlib.load("words").vectors)
    start = np.random.default_rng(0).choice(len(S), k, replace=False)
    times, ends = in_turn({"simlib": lambda: simlib.kmedoids(S, k, init=start)})
    print(times["simlib"], ends["simlib"].inertia)


if __name__ == "__main__":
    one_fit(int(sys.argv[1]))
