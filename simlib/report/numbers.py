"""What a report says, as numbers: the scan laid out, k decided, what fits badly, the table of items.

A (n, d) holds vectors or A (n, n) a matrix, and `metric` says which, as in `kmedoids`. An entry is a similarity, or a
distance for ``metric="precomputed"``. `fit` is a Clustering of the n items around k of them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from simlib import _check, atlas, choose
from simlib._cards import largest_first
from simlib._engine.metrics import METRICS, ON_VECTORS
from simlib.choose import KScan, Stability, scan_k, shuffle_columns
from simlib.data import load, results_folder, written_whole
from simlib.ensemble import ensemble
from simlib.gap import Gap
from simlib.medoids import Clustering, assign
from simlib.plots.clusters import by_category
from simlib.report.commands import listed
from simlib.similarity import SIMILARITIES, between

STORED = 20_000  # items up to which the matrix is stored, 1.6 GB; beyond, rows are computed as they are needed
DRAWN = 4_000  # items in the pictures of more than that
DENSE = 200  # items up to which every number up to 20 is scanned
LADDER = (2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
DOTS = 200  # an inch, of what is not drawn as lines
FEW = 5_000  # items up to which several ends of the search are compared
ENDS = 5  # of them
ALIKE = 5  # neighbours of an exemplar that the map should keep
ROUNDS = 5  # halves of the shuffled data; of the data themselves there are ten
BY_RULE = {
    "cosine": "all zeros, put here by rule",
    "correlation": "never varies, put here by rule",
    "similarity": "like none of the others, put here by rule",
}  # the remark on an item that is like nothing, by the metric
CELL = 32_000  # characters of a cell; spreadsheets cut it at 32,767
FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # what a spreadsheet would take a cell for, to be computed


def some_words(n: int) -> str | None:
    """Where a file of the n most common shipped words is, which this function writes; None if n is all of them."""
    import pandas as pd

    if n == len(load("words")):
        return None
    words, path = load("words", n=n), results_folder() / f"words_{n}.csv"
    columns = [f"x{j}" for j in range(words.vectors.shape[1])]
    with written_whole(path) as draft:
        pd.DataFrame(words.vectors, words.names, columns).to_csv(draft, index_label="word")
    return str(path)


def compare(A: Any, metric: str) -> tuple[np.ndarray, str]:
    """The matrix of similarities and its metric, for up to 20,000 vectors; more vectors, and matrices, as they are."""
    if metric in ON_VECTORS and len(A) <= STORED:
        return SIMILARITIES[metric](A, dtype=np.float32), "similarity"
    return A, metric


def ladder(n: int, k: int | None = None, ks: Sequence[int] | None = None, left_out: str = "") -> list[int]:
    """The numbers of clusters to scan.

    Parameters
    ----------
    n : int, items
    k : int, the one asked for, if any; always in the result
    ks : the ones asked for, if any
    left_out : str
        What was left out of the data: an error about k says it, too.

    Returns
    -------
    list of int
        `ks`; else a few around k, from a quarter of it to its double; else from 2 to a quarter of n or 1,024. Up to 8,
        or up to 20 where there are no more than 200 items, none is left out. For more than 5,000 items each is twice
        the one before.

    Examples
    --------
    >>> ladder(1000, 40)
    [10, 20, 30, 40, 60, 80]
    >>> ladder(48)
    [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    """
    less = f" (the number of items less one{'. ' * bool(left_out)}{left_out})"
    chosen = [] if k is None else [_check.whole_number(k, "k", 2, n - 1, less)]
    if ks is None and k is not None:
        around = (k // 4, k // 2, 3 * k // 4, 3 * k // 2, 2 * k) if n <= 5000 else (k // 4, k // 2, 2 * k)
        ks = [number for number in around if 2 <= number < n]
    elif ks is None:
        steps = LADDER if n <= 5000 else [number for number in LADDER if number & (number - 1) == 0]
        steps = [*range(2, 20), *LADDER[LADDER.index(20) :]] if n <= DENSE else steps
        ks = [number for number in steps if number <= max(n // 4, 3)]
    return sorted({*chosen, *ks})


def shuffled_scan(A: Any, metric: str, ks: Sequence[int], random_state: int = 0) -> KScan | None:
    """The scan of vectors whose columns are shuffled, the yardstick of `KScan.picks`; None if A is a matrix."""
    if metric not in ON_VECTORS:
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


def shuffled_stability(A: Any, k: int, metric: str, random_state: int = 0) -> Stability | None:
    """`stability`, in five rounds, of vectors with shuffled columns; None if A is a matrix or a half is too small."""
    if metric not in ON_VECTORS or k > len(A) // 2:
        return None
    shuffled = shuffle_columns(A, random_state)
    return choose.stability(shuffled, k, metric=metric, rounds=ROUNDS, random_state=random_state)


def certainty(A: Any, k: int, metric: str, random_state: int = 0) -> np.ndarray | None:
    """How sure each item is of its companions: the certainty of five ends (n,), or None for more than 5,000 items."""
    return ensemble(A, k, metric=metric, n_init=ENDS, random_state=random_state).certainty if len(A) <= FEW else None


def no_better(gap: Gap) -> float:
    """The share of the inertia that no other choice of as many exemplars can save more than, in [0, 1]."""
    return max(0.0, 1 - gap.lower / gap.inertia) if gap.inertia > 0 else 0.0


class Mostly(NamedTuple):
    """The commonest known class of each cluster; of equally common ones the first in the order of the alphabet."""

    classes: np.ndarray  # str (k,)
    counts: np.ndarray  # int64 (k,), members of that class

    def share(self, fit: Clustering) -> float:
        """The share of all items whose cluster's commonest class is their own, in (0, 1]."""
        return float(self.counts.sum() / len(fit.labels))


def mostly(fit: Clustering, classes: np.ndarray) -> Mostly:
    """The class that most members of each cluster have; `classes` (n,) are those of the items.

    Examples
    --------
    >>> import numpy as np
    >>> from simlib import assign
    >>> points = np.array([0.0, 1.0, 2.0, 7.0])
    >>> fit = assign(abs(points[:, None] - points), [0, 3], metric="precomputed")
    >>> found = mostly(fit, np.array(["b", "b", "a", "a"]))
    >>> found.classes.tolist(), found.counts.tolist(), found.share(fit)
    (['b', 'a'], [2, 1], 0.75)
    """
    kinds, together = by_category(fit.labels, classes)
    return Mostly(kinds[together.argmax(axis=1)], together.max(axis=1))


def agreement(fit: Clustering, classes: np.ndarray) -> tuple[float, float]:
    """How far the clusters agree with known classes: adjusted Rand index, and mutual information between 0 and 1."""
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    return adjusted_rand_score(classes, fit.labels), normalized_mutual_info_score(classes, fit.labels)


def write_atlas(
    path: str | Path,
    A: Any,
    metric: str,
    fits: Sequence[Clustering],
    labels: Sequence[str],
    random_state: int,
    **shown: Any,
) -> np.ndarray:
    """Write the atlas of these clusterings; returns the places of the items, float (n, 2). `shown` as `atlas.page`."""
    places = atlas.places(A, metric=metric, random_state=random_state)
    atlas.page(places, list(fits), labels, path, **shown)
    return np.asarray(places)


def draw_lines() -> None:
    """Have the figures of this kernel drawn as lines (SVG), the same bytes each time, their letters as lines too."""
    import matplotlib as mpl
    from matplotlib_inline.backend_inline import set_matplotlib_formats

    mpl.rcParams.update({"svg.hashsalt": "simlib", "svg.fonttype": "path"})
    set_matplotlib_formats("svg", dpi=DOTS, metadata={"Date": None})


def call_items(figure: Any, called: str) -> None:
    """Put the word `called` in place of "items" on the axes and in the legends of a figure."""
    for ax in figure.axes:
        legend = ax.get_legend()
        for text in [ax.xaxis.label, ax.yaxis.label, *(legend.get_texts() if legend else [])]:
            text.set_text(re.sub(r"\bitems\b", called, text.get_text()))


def remarks(empty: np.ndarray, metric: str) -> np.ndarray | None:
    """What marks the items that are like nothing, `empty` bool (n,): str (n,), "" for the others; None without such.

    Examples
    --------
    >>> import numpy as np
    >>> remarks(np.array([False, True]), "correlation").tolist()
    ['', 'never varies, put here by rule']
    """
    return np.where(empty, BY_RULE[metric], "") if empty.any() else None


def any_two(A: Any, metric: str) -> float:
    """Mean entry of two different items, over all pairs with one of at most 500 evenly spaced items."""
    n = len(A)
    total = 0.0
    rows = np.arange(min(n, 500)) * n // min(n, 500)
    for some in np.array_split(rows, -(-len(rows) // 50)):
        found = between(A, metric, some, slice(None))  # (50, n)
        total += found.sum(dtype=np.float64) - found[np.arange(len(some)), some].sum(dtype=np.float64)
    return float(total / (len(rows) * (n - 1)))


def outside(fit: Clustering) -> np.ndarray:
    """Row numbers of the items that are not medoids."""
    return np.setdiff1d(np.arange(len(fit.labels)), fit.medoids)


def entries(fit: Clustering) -> np.ndarray:
    """Each item's similarity to, or distance from, its own medoid (n,)."""
    return fit.distance if METRICS[fit.metric].of_distances else fit.similarity


def ranks(fit: Clustering) -> np.ndarray:
    """The clusters' numbers in a report, (k,): 1 for the largest; equal sizes in the order of the medoids."""
    number = np.empty(len(fit.medoids), dtype=np.int64)
    number[largest_first(fit)] = np.arange(1, len(number) + 1)
    return number


def rivals(A: Any, metric: str, fit: Clustering, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For some items the nearest medoid that is not their own.

    Returns
    -------
    other : int64 (len(rows),), its cluster
    entry : float64 (len(rows),), the similarity to it, or the distance from it
    """
    to_medoids = between(A, metric, rows, fit.medoids).astype(np.float64)  # (len(rows), k)
    closeness = METRICS[metric].sign * to_medoids
    closeness[np.arange(len(rows)), fit.labels[rows]] = -np.inf
    other = closeness.argmax(axis=1)
    return other, to_medoids[np.arange(len(rows)), other]


def picture(A: Any, metric: str, fit: Clustering) -> tuple[np.ndarray, Clustering, np.ndarray, str]:
    """What the pictures of the map and of the matrix are drawn from.

    Of more than 20,000 items the medoids are drawn and at most 4,000 others, evenly spaced.

    Returns
    -------
    S : (m, m) similarities or distances of the m drawn items, or A itself if these are all items
    fit : Clustering of the drawn items
    rows : int64 (m,), their row numbers in A
    unit : what S holds, in words
    """
    of_distances = METRICS[metric].of_distances
    rows = np.arange(len(A))
    if len(A) > STORED:
        rows = _drawn(fit)
        A = between(A, metric, rows, rows)
        fit = assign(A, np.searchsorted(rows, fit.medoids), metric=metric if of_distances else "similarity")
    return A, fit, rows, METRICS[metric].entry


def _drawn(fit: Clustering) -> np.ndarray:
    """Row numbers of the medoids and of at most `DRAWN` evenly spaced others, ascending."""
    others = outside(fit)
    most = min(len(others), DRAWN)
    return np.sort(np.concatenate([fit.medoids, others[np.arange(most) * len(others) // most]]))


def outside_mean(fit: Clustering) -> float:
    """The mean entry to the exemplars, over the items that are not exemplars: the one mean that a report tells."""
    return float(entries(fit)[outside(fit)].mean())


def by_thirds(fit: Clustering, values: Any) -> list[float]:
    """Mean entries in thirds of the items, from the lowest of `values` (n,) to the highest; no exemplar is counted.

    Examples
    --------
    >>> import numpy as np
    >>> from simlib import assign
    >>> points = np.array([0.0, 1.0, 3.0, 7.0])
    >>> by_thirds(assign(abs(points[:, None] - points), [0], metric="precomputed"), [0, 30, 20, 10])
    [7.0, 3.0, 1.0]
    """
    rows = outside(fit)
    order = rows[np.argsort(np.asarray(values)[rows], kind="stable")]
    return [float(entries(fit)[third].mean()) for third in np.array_split(order, 3) if len(third)]


def kept_on_map(A: Any, fit: Clustering, positions: np.ndarray) -> float | None:
    """Of the five exemplars most like an exemplar the share that are its five nearest on the map, on average.

    A is what `fit` was made from, and `positions` (k, 2) are the places of the exemplars. None for ten exemplars or
    fewer: chance would keep half of them.
    """
    k = len(fit.medoids)
    if k <= 2 * ALIKE:
        return None
    close = METRICS[fit.metric].sign * between(A, fit.metric, fit.medoids, fit.medoids).astype(np.float64)  # (k, k)
    far = ((positions[:, None] - positions) ** 2).sum(axis=2)  # (k, k)
    np.fill_diagonal(close, -np.inf)
    np.fill_diagonal(far, np.inf)
    alike, near = (np.argsort(each, axis=1, kind="stable")[:, :ALIKE] for each in (-close, far))
    return float(np.mean([np.isin(one, other).mean() for one, other in zip(alike, near, strict=True)]))


def write_items(
    path: str | Path,
    labels: Sequence[str],
    fit: Clustering,
    scores: np.ndarray,
    rows: Any | None = None,
    **beside: np.ndarray | None,
) -> None:
    """Write `Clustering.table` and the silhouettes, as CSV that no spreadsheet computes.

    A label that begins like a formula gets an apostrophe in front. Clusters have the numbers of the page. `rows` (n,)
    says where the items are in the file, by `reading.file_rows`; None: rows 0, 1, 2, ... `beside` are more columns by
    name, (n,).
    """
    items = fit.table([cell(label) for label in labels])
    items["cluster"] = ranks(fit)[fit.labels]
    entry = METRICS[fit.metric].entry
    items[entry] = [_digits(value) for value in items[entry]]
    items["silhouette"] = [_digits(score) for score in scores]
    for name, values in beside.items():
        if values is not None:
            items[name] = [_digits(each) if values.dtype.kind == "f" else cell(each) for each in values]
    if rows is not None:
        items = items.set_axis(rows.map(cell) if rows.dtype.kind == "O" else rows, axis=0)
    _write(path, items)


def write_clusters(
    path: str | Path, labels: Sequence[str], fit: Clustering, scores: np.ndarray, sure: np.ndarray | None = None
) -> None:
    """Write `Clustering.clusters` with the mean silhouettes, and certainty if given, as CSV, the largest cluster first.

    Clusters have the numbers of the page. The members stand in one cell, the closest first, with commas between them;
    a label that holds a comma is in quotation marks. A cell that a spreadsheet would cut ends with how many are left.
    """
    clusters = fit.clusters(list(labels), silhouettes=scores, certainty=sure)
    clusters.index = ranks(fit)
    clusters.index.name = "cluster"
    clusters = clusters.sort_index()
    entry = METRICS[fit.metric].entry
    clusters["exemplar"] = [cell(label) for label in clusters["exemplar"]]
    for name in {entry, "silhouette", "certainty"} & set(clusters):
        clusters[name] = ["" if np.isnan(value) else _digits(value) for value in clusters[name]]
    clusters["members"] = [cell(_in_one_cell(members)) for members in clusters["members"]]
    _write(path, clusters)


def _in_one_cell(names: Sequence[Any]) -> str:
    """Names with commas between them, as many as a cell of a spreadsheet holds, and how many more there are."""
    length = np.cumsum([len(listed([name])) + 1 for name in names])
    shown = int(np.searchsorted(length, CELL))
    more = f" ... and {len(names) - shown} more in the table of items" if shown < len(names) else ""
    return listed(names[:shown]) + more


def _write(path: str | Path, frame: Any) -> None:
    """Write a frame and its index as CSV; half characters become question marks."""
    with written_whole(path) as draft, open(draft, "w", encoding="utf-8", errors="replace", newline="") as file:
        table = csv.writer(file)
        table.writerow([frame.index.name, *frame.columns])
        table.writerows(frame.itertuples(name=None))


def _digits(value: float) -> str:
    """Four decimals, or four digits of a number so small that the decimals would cut it short."""
    return f"{value:.4g}" if 0 < abs(value) < 0.1 else f"{value + 0.0:.4f}"


def cell(label: Any) -> str:
    """A label that a spreadsheet shows and does not compute.

    Examples
    --------
    >>> cell("=1+1"), cell("trout")
    ("'=1+1", 'trout')
    """
    text = str(label)
    return "'" + text if text.startswith(FORMULA) else text
