"""k-medoids from vectors without the matrix, and from a half-precision or mapped one: seconds and peak memory.

python benchmarks/free.py                          about a quarter of an hour; writes results/FREE.md
python benchmarks/free.py --store                  stores benchmarks/FREE.md instead, which the documentation quotes
python benchmarks/free.py large vectors kinds      only the parts that are named; `million` is one more; writes nothing
python benchmarks/free.py onebatch                 OneBatchPAM beside ours, up to half an hour; not on the page

OneBatchPAM has no wheel for every Python that we support, so nothing installs it by itself: pip install onebatch. The
items are the 20,000 words. In `large` they are the words and noisy mixtures of two words each, 60,000 and 100,000
items in all. A mixture has weights 0.7 and 0.3 and noise of a tenth of the spread, and is rounded to whole numbers.
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import page
from machine import machine
from table import Table
from timing import extra_memory, seconds

import simlib
from simlib._engine import tiles
from simlib._engine.prepare import prepare_host

PEER = (20_000, 512), (60_000, 600)  # items and medoids of the comparison with OneBatchPAM
BATCHES = ("auto", 10_000)  # items that OneBatchPAM judges swaps by: its own choice, about 1,700, and a larger one
MANY, MANY_MEDOIDS = 1_000_000, 1000  # and of its large end, of the vectors of benchmarks/scale.py
MILLION_MEDOIDS = 5000  # of the same vectors, on one machine


def mixtures(n: int, seed: int = 0) -> np.ndarray:
    """The words, then noisy mixtures of two of them up to n rows, float32 whole numbers (n, 384)."""
    words = simlib.load("words").vectors[:n]
    rng = np.random.default_rng(seed)
    more = np.empty((n - len(words), words.shape[1]), np.float32)
    for part in np.array_split(np.arange(len(more)), 20):
        first, second = rng.integers(len(words), size=(2, len(part)))
        noise = rng.standard_normal((len(part), words.shape[1]), np.float32) * words.std() * 0.1
        more[part] = np.rint(0.7 * words[first] + 0.3 * words[second] + noise)
    return np.concatenate([words, more])


def add(table: Table, n: int, k: int | None, what: str, call: Callable[[], Any]) -> Any:
    """Make one call, add its row, and return its result. GB is memory beside the data and pages of mapped files."""
    extra, (took, result) = extra_memory(lambda: seconds(call))
    inertia = f"{result.inertia:.2f}" if hasattr(result, "inertia") else ""
    table.row(f"{n:,}", f"{k:,}" if k else "", what, f"{took:.1f}", f"{extra / 1e3:.2f}", inertia)
    return result


def large(table: Table) -> None:
    """Vectors whose matrix would be 40 GB, and 14 GB."""
    n, k = 100_000, 1000
    X = mixtures(n)
    whole = 'kmedoids(X, k, metric="cosine")'
    add(table, n, None, "half of the products, nothing kept: the limit", partial(products, X))
    fit = add(table, n, k, f"`{whole}`", lambda: simlib.kmedoids(X, k, metric="cosine", progress=True))
    certificate = add(
        table,
        n,
        k,
        '`certify(X, medoids, metric="cosine")`',
        lambda: simlib.certify(X, fit.medoids, metric="cosine"),
    )
    table.note(f"optimal: {certificate.is_optimal}")
    loop = '`method="alternate"`'
    add(table, n, k, loop, lambda: simlib.kmedoids(X, k, metric="cosine", method="alternate"))
    add(table, n, k, "`assign`", lambda: simlib.assign(X, fit.medoids, metric="cosine"))
    add(table, n, k, "`silhouette`", lambda: simlib.silhouette(X, fit.labels, metric="cosine"))
    add(table, n, k, "`predict`", lambda: fit.predict(X))
    few = mixtures(60_000)
    for k in (64, 5):
        add(table, len(few), k, f"`{whole}`", partial(simlib.kmedoids, few, k, metric="cosine"))


def products(X: np.ndarray) -> None:
    """The product of every two vectors, once: what no exact way over all pairs can do without."""
    items = prepare_host(X, "cosine")
    tiles.in_threads(items.tile, list(items.upper_tiles()))


def vectors(table: Table) -> None:
    """The words, with and without the matrix."""
    X = simlib.load("words").vectors
    for k in (16, 64, 512, 2000):
        for method in ("fasterpam", "alternate"):
            word = "" if method == "fasterpam" else ', method="alternate"'
            free = f'`kmedoids(X, k, metric="cosine"{word})`'
            add(table, len(X), k, free, partial(simlib.kmedoids, X, k, metric="cosine", method=method))
            stored = f"matrix, then `kmedoids(S, k{word})`"
            add(table, len(X), k, stored, partial(with_matrix, X, k, method))


def with_matrix(X: np.ndarray, k: int, method: str) -> simlib.Clustering:
    """The way over the stored matrix."""
    return simlib.kmedoids(simlib.cosine_similarity(X), k, method=method)


def kinds(table: Table) -> None:
    """The matrix of the words in several kinds of storage."""
    X = simlib.load("words").vectors
    n, k = len(X), 512
    S = add(table, n, None, "`cosine_similarity(X)`", lambda: simlib.cosine_similarity(X))
    add(table, n, k, "a float32 matrix", lambda: simlib.kmedoids(S, k))
    with tempfile.TemporaryDirectory() as folder:
        for kind in (np.float32, np.float16):
            name = np.dtype(kind).name
            path = Path(folder) / f"{name}.npy"
            out = np.lib.format.open_memmap(path, "w+", kind, S.shape)
            what = f"`cosine_similarity(X, out=...)`, a mapped {name} file"
            add(table, n, None, what, partial(simlib.cosine_similarity, X, out=out))
            out.flush()
            mapped = np.load(path, mmap_mode="r")
            add(table, n, k, f"a mapped {name} matrix", partial(simlib.kmedoids, mapped, k))
        half = np.array(mapped)
    add(table, n, k, "a float16 matrix", lambda: simlib.kmedoids(half, k))


def onebatch(table: Table) -> None:
    """OneBatchPAM, which judges every swap by one random batch of items, beside our swaps over all items."""
    if importlib.util.find_spec("onebatch") is None:
        raise SystemExit(
            "OneBatchPAM is not installed: pip install onebatch (there are wheels for Python 3.11 and 3.12)"
        )
    for n, k in PEER:
        X = mixtures(n)
        add(table, n, k, '`kmedoids(X, k, metric="cosine")`', partial(simlib.kmedoids, X, k, metric="cosine"))
        add(table, n, k, '`method="alternate"`', partial(simlib.kmedoids, X, k, metric="cosine", method="alternate"))
        peers(table, X, k, BATCHES)
    import scale  # a Dask cluster is started for this part only

    with scale.workers() as cluster, scale.Client(cluster):
        D = scale.data(MANY).persist()
        X = D.compute()
        ours = "`distributed.kmedoids(D, k, max_seconds=600)`, two workers"
        add(table, MANY, MANY_MEDOIDS, ours, lambda: scale.distributed.kmedoids(D, MANY_MEDOIDS, max_seconds=600))
    peers(table, X, MANY_MEDOIDS, BATCHES[:1])


def peers(table: Table, X: np.ndarray, k: int, batches: tuple) -> None:
    """Rows of OneBatchPAM, whose medoids `assign` judges: its own loss is that of its batch."""
    from onebatch import OneBatchPAM

    for size in batches:
        peer = OneBatchPAM(k, distance=cosine_distances, batch_size=size, random_state=0)
        extra, (took, fit) = extra_memory(lambda peer=peer: seconds(lambda: peer.fit(X)))
        inertia = simlib.assign(X, fit.medoid_indices_, metric="cosine").inertia
        what = f"OneBatchPAM, `batch_size={size!r}`, {fit.n_iter_} passes, without labels"
        table.row(f"{len(X):,}", f"{k:,}", what, f"{took:.1f}", f"{extra / 1e3:.2f}", f"{inertia:.2f}")


def cosine_distances(X: np.ndarray, batch: np.ndarray, n_jobs: int | None) -> np.ndarray:
    """Cosine distances (n, m), by one product: a little faster for OneBatchPAM than those of scikit-learn."""
    found = simlib.cosine_similarity(X, batch)
    return np.subtract(1, found, out=found)


def million(table: Table) -> None:
    """A million vectors with d = 64, whose matrix would be 4,000 GB, on this machine alone."""
    import scale  # needs Dask

    X = scale.data(MANY).compute()
    call = partial(simlib.kmedoids, X, MILLION_MEDOIDS, metric="cosine", progress=True)
    fit = add(table, MANY, MILLION_MEDOIDS, '`kmedoids(X, k, metric="cosine")`, d = 64', call)
    table.note(f"{fit.n_swaps:,} swaps in {fit.n_iter} passes; a swap optimum: {fit.converged}")


PARTS = {"large": large, "vectors": vectors, "kinds": kinds, "million": million}
BESIDE = {"onebatch": onebatch}


def main() -> None:
    """Measure the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"only these: {', '.join(PARTS | BESIDE)}")
    parser.add_argument("--store", action="store_true", help="store benchmarks/FREE.md, which the documentation quotes")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS | BESIDE):
        parser.error(f"the parts are {', '.join(PARTS | BESIDE)}, not {', '.join(sorted(unknown))}")
    if options.parts and options.store:
        parser.error("--store stores all parts: leave out their names")
    simlib.kmedoids(simlib.load("words").vectors[:2000], 50, metric="cosine")  # compiles
    simlib.kmedoids(simlib.cosine_similarity(simlib.load("words").vectors[:2000]), 50)
    table = Table("items", "k", "what", "seconds", "GB", "inertia")
    for name in options.parts or PARTS:
        (PARTS | BESIDE)[name](table)
    if not options.parts:
        head = f"{machine()}; one run each, memory beside the data itself. The words; for 60,000 and 100,000 items they"
        text = f"{head} and seeded, noisy mixtures of two of them, d = 384."
        whole = f"# `python benchmarks/free.py`\n\n{text}\n\n{table}\n"
        page.write(whole, "FREE.md", stored="FREE.md" if options.store else None)


if __name__ == "__main__":
    main()
