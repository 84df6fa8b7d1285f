"""What a report says, as numbers: the data read, the scan laid out, k decided, what fits badly, the table of items.

A (n, d) holds vectors or A (n, n) a matrix, and `metric` says which, as in `kmedoids`. Closeness is a similarity, or a
distance for ``metric="precomputed"``.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simlib import _check, choose, similarity
from simlib._matrix import METRICS, VECTORS
from simlib.choose import KScan, Stability, scan_k, shuffle_columns
from simlib.data import DATA, load, written_whole
from simlib.files import load_matrix, load_vectors
from simlib.medoids import Clustering, assign

STORED = 20_000  # items up to which the matrix is stored, 1.6 GB; beyond, rows are computed as they are needed
DRAWN = 4_000  # items in the pictures of more than that
LADDER = (2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # what a spreadsheet would take a cell for, to be computed


def read(path: str | None, metric: str, label: Any = None, columns: Any = None) -> tuple[np.ndarray, np.ndarray, dict]:
    """The items of a file, or the shipped words.

    Parameters
    ----------
    path : path of a file of vectors, or of a matrix for ``metric="similarity"`` and ``"precomputed"``; None: the words
    metric : as in `kmedoids`
    label, columns : which columns hold the labels and the vectors, as in `load_vectors`

    Returns
    -------
    A : array (n, d) or (n, n), labels : str (n,), card : dict, as `load_vectors` makes it
    """
    _check.one_of(metric, "metric", METRICS)
    if path is None:
        if metric not in VECTORS:
            raise ValueError(f'the shipped words are vectors: metric must be "cosine" or "correlation", got "{metric}"')
        words = load("words")
        found = dict(line.split()[::-1] for line in (DATA / "SHA256SUMS").read_text().splitlines())
        n, d = words.vectors.shape
        card = {"file": "vectors.npy", "format": "the shipped words", "sha256": found["vectors.npy"], "rows": n}
        return words.vectors, words.names, {**card, "columns": d, "dtype": "int8", "dropped": [], "notes": []}
    if metric in VECTORS:
        A, labels, card = load_vectors(path, label=label, columns=columns)
    else:
        A, labels, card = load_matrix(path)
    if len(A) < 4:
        raise ValueError(f"a report needs at least 4 items, {Path(path).name} has {len(A)}")
    return A, labels, card


def compare(A: Any, metric: str) -> tuple[np.ndarray, str]:
    """The matrix of similarities and its metric, for up to 20,000 vectors; more vectors, and matrices, as they are."""
    if metric in VECTORS and len(A) <= STORED:
        return similarity.SIMILARITIES[metric](A, dtype=np.float32), "similarity"
    return A, metric


def ladder(n: int, k: int | None = None, ks: Sequence[int] | None = None) -> list[int]:
    """The numbers of clusters to scan.

    Parameters
    ----------
    n : int, items
    k : int, the one asked for, if any; always in the result
    ks : the ones asked for, if any

    Returns
    -------
    list of int
        `ks`; else a few around k, from a quarter of it to its double; else from 2 to a quarter of n or 1,024, close to
        each other up to 8. For more than 5,000 items each is twice the one before.

    Examples
    --------
    >>> ladder(1000, 40)
    [10, 20, 30, 40, 60, 80]
    >>> ladder(100)
    [2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24]
    """
    chosen = [] if k is None else [_check.whole_number(k, "k", 2, n - 1, " (the number of items less one)")]
    if ks is None and k is not None:
        around = (k // 4, k // 2, 3 * k // 4, 3 * k // 2, 2 * k) if n <= 5000 else (k // 4, k // 2, 2 * k)
        ks = [number for number in around if 2 <= number < n]
    elif ks is None:
        steps = LADDER if n <= 5000 else [number for number in LADDER if number & (number - 1) == 0]
        ks = [number for number in steps if number <= max(n // 4, 3)]
    return sorted({*chosen, *ks})


def shuffled_scan(A: Any, metric: str, ks: Sequence[int], random_state: int = 0) -> KScan | None:
    """The scan of vectors whose columns are shuffled, the yardstick of `KScan.picks`; None if A is a matrix."""
    if metric not in VECTORS:
        return None
    S, kind = compare(shuffle_columns(A, random_state), metric)
    return scan_k(S, ks, metric=kind, random_state=random_state)


def decide(scan: KScan, k: int | None, null: KScan | None = None) -> tuple[int, str]:
    """The k to show, and why in a sentence: the one asked for, else the silhouette's, with what speaks against it."""
    if k is not None:
        return k, f"k = {k:,} was asked for."
    pick = scan.picks(null)[-1]
    rule = f"of the {len(scan.ks)} that were tried this one has the largest mean silhouette ({pick.doubt})"
    return pick.k, f"No k was asked for; {rule}."


def stability(A: Any, k: int, metric: str, random_state: int = 0) -> Stability | None:
    """`choose.stability` with halves of the items; None if a half has fewer items than k."""
    return choose.stability(A, k, metric=metric, random_state=random_state) if k <= len(A) // 2 else None


def any_two(A: Any, metric: str) -> float:
    """Mean closeness of two different items, over all pairs with one of at most 500 evenly spaced items."""
    n, total = len(A), 0.0
    rows = np.arange(min(n, 500)) * n // min(n, 500)
    for some in np.array_split(rows, -(-len(rows) // 50)):
        close = between(A, metric, some, slice(None))
        total += close.sum(dtype=np.float64) - close[np.arange(len(some)), some].sum(dtype=np.float64)
    return float(total / (len(rows) * (n - 1)))


def between(A: Any, metric: str, rows: Any, columns: Any) -> np.ndarray:
    """Closeness of some items to others, (len(rows), len(columns))."""
    if metric in VECTORS:
        return similarity.SIMILARITIES[metric](A[rows], A[columns])
    return np.asarray(A[rows])[:, columns]


def outside(fit: Clustering) -> np.ndarray:
    """Row numbers of the items that are not medoids."""
    return np.setdiff1d(np.arange(len(fit.labels)), fit.medoids)


def closeness(fit: Clustering) -> np.ndarray:
    """Each item's similarity to, or distance from, its own medoid (n,)."""
    return fit.distance if fit.metric == "precomputed" else fit.similarity


def ranks(fit: Clustering) -> np.ndarray:
    """The clusters' numbers in a report, (k,): 1 for the largest; equal sizes in the order of the medoids."""
    number = np.empty(len(fit.medoids), dtype=np.int64)
    number[np.argsort(-fit.sizes, kind="stable")] = np.arange(1, len(number) + 1)
    return number


def rivals(A: Any, metric: str, fit: Clustering, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For some items the nearest medoid that is not their own: its cluster and the closeness to it."""
    close = between(A, metric, rows, fit.medoids).astype(np.float64)
    sign = -1 if metric == "precomputed" else 1
    order = sign * close
    order[np.arange(len(rows)), fit.labels[rows]] = -np.inf
    other = order.argmax(axis=1)
    return other, close[np.arange(len(rows)), other]


def picture(A: Any, metric: str, fit: Clustering) -> tuple[np.ndarray, Clustering, np.ndarray, str]:
    """Similarities in [-1, 1] to draw, the clustering of the drawn items, their row numbers, and what is drawn.

    Distances are turned into 1 - distance / largest, and similarities beyond 1 divided by the largest. Of more than
    20,000 items, or 4,000 if there is something to turn, the medoids and at most 4,000 others are drawn, evenly.
    """
    top = 1.0 if metric in VECTORS else max(float(A.max()), -float(A.min())) or 1.0
    turned = metric == "precomputed" or top > 1 + 1e-5
    rows, unit = np.arange(len(A)), "similarity"
    if len(A) > (DRAWN if turned else STORED):
        others = outside(fit)
        most = min(len(others), DRAWN)
        rows = np.sort(np.concatenate([fit.medoids, others[np.arange(most) * len(others) // most]]))
        A, metric = between(A, metric, rows, rows), metric if metric == "precomputed" else "similarity"
        fit = assign(A, np.searchsorted(rows, fit.medoids), metric=metric)
    if metric == "precomputed":
        A, unit = 1 - A / top, "1 − distance / largest distance"
    elif turned:
        A, unit = A / top, "similarity / largest"
    return A, fit, rows, unit


def write_items(path: str | Path, labels: Sequence[str], fit: Clustering, scores: np.ndarray) -> None:
    """A line an item, as CSV that no spreadsheet computes.

    A label that begins like a formula gets an apostrophe in front. Rows are counted from 0.
    """
    number, close, kind = ranks(fit), closeness(fit), "distance" if fit.metric == "precomputed" else "similarity"
    labels = [cell(label) for label in labels]
    with written_whole(path) as draft, open(draft, "w", encoding="utf-8", errors="replace", newline="") as file:
        table = csv.writer(file)
        table.writerow(["row", "item", "cluster", "exemplar", kind, "silhouette"])
        for i, j in enumerate(fit.labels):
            numbers = number[j], labels[fit.medoids[j]], f"{close[i]:.4f}", f"{scores[i]:.4f}"
            table.writerow([i, labels[i], *numbers])


def cell(label: Any) -> str:
    """A label that a spreadsheet shows and does not compute.

    Examples
    --------
    >>> cell("=1+1"), cell("trout")
    ("'=1+1", 'trout')
    """
    text = str(label)
    return "'" + text if text.startswith(FORMULA) else text
