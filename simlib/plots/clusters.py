"""Clusters: their points, their sizes, how tight they are, their silhouettes, and known categories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator

from simlib import _check, _kinds
from simlib._engine.metrics import METRICS
from simlib._labels import SHORT, plain
from simlib.medoids import Clustering, check_fit
from simlib.plots.given import as_names, line, names_or_none, plane
from simlib.plots.look import COLOURS, INK, LINK, MARKERS, figure_of, looks, new_axes, stars
from simlib.plots.names import write_names


def clusters_2d(points: Any, fit: Clustering, names: Sequence[str] | None = None, ax: Axes | None = None) -> Axes:
    """Points in the plane by cluster, with a thin line from each to its medoid.

    Parameters
    ----------
    points : (n, 2)
    names : (n,), optional
        Written beside the points; if there are more than 40 points, beside the medoids only.
    """
    ax = new_axes(ax)
    check_fit(fit)
    n = len(fit.labels)
    points, called = plane(points, "points", n), names_or_none(names, n)
    colour, marker = looks(len(fit.medoids))
    lines = np.stack([points, points[fit.medoids][fit.labels]], axis=1)  # (n, 2, 2)
    hues = np.array(COLOURS)[colour[fit.labels]]
    ax.add_collection(LineCollection(list(lines), colors=list(hues), lw=0.6, alpha=0.5, zorder=1))
    size = 40 if len(points) <= 200 else 12
    for c, m in sorted(set(zip(colour, marker, strict=True))):
        here = np.flatnonzero((colour[fit.labels] == c) & (marker[fit.labels] == m))
        ax.scatter(points[here, 0], points[here, 1], s=size, c=COLOURS[c], marker=MARKERS[m], lw=0, zorder=2)
    stars(ax, points[fit.medoids], 170 if len(fit.medoids) <= 20 else 60)
    ax.set(xlabel="first coordinate", ylabel="second coordinate")
    ax.set_aspect("equal", adjustable="datalim")
    if called is not None:
        shown = np.arange(len(points)) if len(points) <= 40 else fit.medoids
        write_names(ax, points[shown], called[shown], len(shown), np.full(len(shown), 9.0))
    return ax


def cluster_sizes(fit: Clustering, ax: Axes | None = None) -> Axes:
    """Cluster sizes as steps, from largest to smallest; the largest, median and smallest are written beside them."""
    ax = new_axes(ax)
    _kinds.instance(fit, "fit", Clustering, "kmedoids")
    sizes = np.sort(fit.sizes)[::-1]
    k = len(sizes)
    ax.stairs(sizes, np.arange(k + 1) + 0.5, fill=True, color=COLOURS[4])
    marks = {k: ("smallest", sizes[-1], "right"), 1: ("largest", sizes[0], "left")}
    if k > 2:
        marks[(k + 1) // 2] = ("median", np.median(sizes), "center")
    for x, (word, size, side) in marks.items():
        top = (x, sizes[x - 1])
        ax.plot(*top, "o", color=INK, ms=5)
        shift = (6 if side == "left" else 0, 30)
        ax.annotate(f"{word} {size:,g}", top, shift, textcoords="offset points", ha=side, arrowprops=LINK)
    ax.set(xlabel="clusters, largest first", ylabel="size (items)", xlim=(0.5, k + 0.5), ylim=(0, sizes[0] * 1.2))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    return ax


def similarity_to_medoid(fit: Clustering, names: Sequence[str] | None = None, ax: Axes | None = None) -> Axes:
    """Mean similarity, or distance, of a cluster's members to their medoid (itself left out) against its size.

    Parameters
    ----------
    names : (n,), optional
        Written beside the tightest, the loosest and the largest clusters.
    """
    ax = new_axes(ax)
    check_fit(fit)
    called = names_or_none(names, len(fit.labels))
    metric = METRICS[fit.metric]
    entries = fit.distance if metric.of_distances else fit.similarity
    sums = np.bincount(fit.labels, entries, len(fit.sizes)) - entries[fit.medoids]
    several = fit.sizes > 1
    sizes = fit.sizes[several]
    mean = sums[several] / (sizes - 1)
    at = np.column_stack([sizes, mean])
    ax.scatter(sizes, mean, s=22, color=COLOURS[0], alpha=0.6, lw=0)
    what = f"mean {metric.entry} to the medoid" + ("" if metric.of_distances else " (−1 to 1)")
    ax.set(xlabel="size of the cluster (items)", ylabel=what, xlim=(0, None))
    if called is not None:
        order = np.argsort(metric.sign * mean, kind="stable")  # the loosest first
        ends = np.concatenate([order[::-1][:4], order[:4], np.argsort(-sizes, kind="stable")[:4]]).tolist()
        first = list(dict.fromkeys([*ends, *order.tolist()]))  # the rest is there to keep names off its points
        marks = called[fit.medoids[several][first]]
        write_names(ax, at[first], marks, len(set(ends)), np.full(len(first), 5.0), over=1)
    return ax


def silhouette_bars(values: Any, labels: Any, ax: Axes | None = None) -> Axes:
    """Silhouettes by cluster, with a dashed line at the mean of all.

    Up to 20 clusters show each item as a bar, sorted within its cluster. More than 20 clusters show the mean of each
    cluster and its middle half.

    Parameters
    ----------
    values : (n,), from `silhouette`
    labels : (n,)
    """
    ax = new_axes(ax)
    values = line(values, "values", None, "fiu").astype(np.float64)
    known, labels = np.unique(line(labels, "labels", len(values), "iu"), return_inverse=True)
    groups = [np.sort(values[labels == j]) for j in range(len(known))]
    if len(known) <= 20:
        _item_bars(ax, groups, known, values.mean())
    else:
        _cluster_means(ax, groups, values.mean())
    return ax


def category_table(labels: Any, categories: Any, ax: Axes | None = None, top: int = 10) -> Axes:
    """Where the items of each category went, when every cluster is named after its commonest category.

    A row is a category and sums to 100 %. A column holds the clusters of one name, and the last column holds those of
    any other name, if there are any. Categories after which no cluster is named have no column; their rows come last.

    Parameters
    ----------
    labels, categories : (n,)
    top : int
        How many categories to show, the most frequent first.
    """
    ax = new_axes(ax)
    top = _check.whole_number(top, "top", 1)
    labels = line(labels, "labels", None, "iu")
    kinds, spread = _by_cluster_name(labels, as_names(categories, len(labels), "categories"))
    total = spread.sum(axis=0)
    rows = np.argsort(-total, kind="stable")[:top]
    names_clusters = spread.sum(axis=1) > 0
    rows = rows[np.argsort(~names_clusters[rows], kind="stable")]
    own = rows[names_clusters[rows]]
    share = 100 * spread[own][:, rows].T / total[rows, None]
    columns = [plain(kinds[r], SHORT) for r in own]
    if names_clusters.sum() > len(own):
        share = np.column_stack([share, 100 - share.sum(axis=1)]).clip(0, 100)
        columns.append("any other")
    image = ax.imshow(share, cmap="Blues", norm=Normalize(0, 100), aspect="auto")
    figure_of(ax).colorbar(image, ax=ax, label="share of the category (%)")
    for (i, j), value in np.ndenumerate(share):
        ax.text(j, i, f"{value:.0f}", ha="center", va="center", fontsize=9, color="white" if value > 55 else INK)
    ax.set_xticks(range(len(columns)), columns, rotation=35, ha="right", rotation_mode="anchor", parse_math=False)
    names = [f"{plain(kinds[r], SHORT)} ({int(total[r]):,})" for r in rows]
    ax.set_yticks(range(len(rows)), names, parse_math=False)
    ax.set(xlabel="commonest category of the item's cluster", ylabel="category (items)")
    ax.grid(False)
    return ax


def _item_bars(ax: Axes, groups: list[np.ndarray], known: np.ndarray, mean: float) -> None:
    """A bar for each silhouette of the sorted `groups`; `known` are the labels of the clusters."""
    ends = np.cumsum([0] + [len(group) for group in groups])
    for j, (group, colour) in enumerate(zip(groups, looks(len(groups))[0], strict=True)):
        steps = np.arange(ends[j], ends[j + 1] + 1)
        ax.stairs(group, steps, orientation="horizontal", fill=True, color=COLOURS[colour])
    ax.axvline(mean, color=INK, lw=1, ls="--")
    middle = (ends[:-1] + ends[1:]) / 2
    words: list[str] = []
    last = -np.inf  # where the last label stands: no label is written over another
    for y, label, group in zip(middle, known, groups, strict=True):
        words.append(f"{label} ({len(group):,})" if y - last > ends[-1] / 24 else "")
        last = y if words[-1] else last
    ax.set_yticks(middle, words)
    ax.set(xlabel="silhouette (−1 to 1)", ylabel="cluster (items)", ylim=(ends[-1], 0))
    ax.grid(False, axis="y")


def _cluster_means(ax: Axes, groups: list[np.ndarray], mean: float) -> None:
    """The mean silhouette of each group, with the middle half of its items as a line."""
    groups = sorted(groups, key=lambda group: group.mean())
    k = len(groups)
    low, high = np.array([np.quantile(group, [0.25, 0.75]) for group in groups]).T
    ax.vlines(np.arange(1, k + 1), low, high, color=COLOURS[4], lw=max(0.8, 300 / k), label="middle half of the items")
    ax.plot(range(1, k + 1), [group.mean() for group in groups], ".", color=COLOURS[5], ms=4, label="mean of a cluster")
    ax.axhline(mean, label="mean of all items", color=INK, lw=1, ls="--")
    ax.set(xlabel="clusters, by mean silhouette", ylabel="silhouette (−1 to 1)", xlim=(0, k + 1))
    ax.legend(loc="upper left")


def by_category(labels: Any, categories: Any) -> tuple[np.ndarray, np.ndarray]:
    """The c categories in order, and how many items of each lie in each of the k clusters, int64 (k, c)."""
    kinds, kind = np.unique(np.asarray(categories).astype(str), return_inverse=True)
    known, labels = np.unique(labels, return_inverse=True)
    together = np.zeros((len(known), len(kinds)), dtype=np.int64)
    np.add.at(together, (labels, kind), 1)
    return kinds, together


def _by_cluster_name(labels: Any, categories: Any) -> tuple[np.ndarray, np.ndarray]:
    """The c categories, and how many items of each lie in clusters of each name, int64 (c, c).

    A cluster's name is its commonest category. Rows are the names of clusters, columns the categories of items.
    """
    kinds, together = by_category(labels, categories)
    spread = np.zeros((len(kinds), len(kinds)), dtype=np.int64)
    np.add.at(spread, together.argmax(axis=1), together)
    return kinds, spread
