"""The matrix itself: how its entries are spread, and its order by clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import squareform

from simlib import _check
from simlib._labels import SHORT, figures, plain
from simlib.medoids import Clustering
from simlib.plots.given import as_names, evenly, matrix_of, names_or_none, square
from simlib.plots.look import COLOURS, INK, figure_of, new_axes
from simlib.similarity import between

SCALE = Normalize(-1, 1)  # of every similarity in every picture: blue below 0, white at 0, orange to black above
_STOPS = ("#08306B", "#2171B5", "#6BAED6", "#C6DBEF", "#FFFFFF", "#FDAE61", "#D95F0E", "#7F2704", "#1A0600")
SIMILARITY = LinearSegmentedColormap.from_list("similarity", _STOPS)


def similarity_histogram(S: Any, ax: Axes | None = None) -> Axes:
    """Density of the similarities off the diagonal, with their mean marked.

    At most 500 evenly spaced rows of S are counted.
    """
    ax = new_axes(ax)
    S = square(S)
    rows = evenly(len(S), 500)
    sample = S[rows].astype(np.float32)  # (r, n)
    _check.finite_rows(np.isfinite(sample).all(axis=1), "S")
    own = sample[range(len(rows)), rows]  # (r,), the similarities of the items to themselves
    edges = np.linspace(-1, 1, 201)
    counts = np.histogram(np.clip(sample, -1, 1), edges)[0] - np.histogram(own, edges)[0]
    pairs = max(counts.sum(), 1)
    ax.stairs(counts / pairs / (edges[1] - edges[0]), edges, fill=True, color=COLOURS[0])
    mean = (sample.sum(dtype=np.float64) - own.sum(dtype=np.float64)) / pairs
    ax.axvline(mean, color=INK, lw=1)
    text = f"mean {figures(mean, 2)}"
    above = ("data", "axes fraction")
    ax.annotate(text, (mean, 0.97), (5, 0), xycoords=above, textcoords="offset points", va="top")
    seen = edges[:-1][counts > 0] if counts.any() else edges[:-1]
    ax.set(xlabel="similarity of two items (−1 to 1)", ylabel="density (area = 1)", ylim=(0, None))
    ax.set_xlim(max(seen[0] - 0.05, -1), min(seen[-1] + 0.06, 1))
    return ax


def block_matrix(
    S: Any, fit: Clustering, names: Sequence[str] | None = None, ax: Axes | None = None, side: int = 400
) -> Axes:
    """The matrix put in the order of its clusters, as means of blocks; similar clusters lie side by side.

    At most 4,000 items are averaged, drawn evenly along the order. Pairs of an item with itself are left out.
    The clusters' order is the optimal leaf ordering of the medoids' average-linkage tree.

    Parameters
    ----------
    names : (n,), optional
        Up to 30 clusters are parted by lines, and named after their medoids.
    side : int
        The most blocks along a side.
    """
    ax = new_axes(ax)
    S = matrix_of(S, fit)
    n = len(fit.labels)
    names = names_or_none(names, n)
    place = np.empty(len(fit.medoids), dtype=int)  # of each cluster along the picture
    place[leaf_order(similarities(S, fit))] = np.arange(len(place))
    items = np.lexsort((-fit.closeness, place[fit.labels]))
    drawn = items[evenly(n, 4000)]
    side = min(_check.whole_number(side, "side", 1), len(drawn))
    means = _block_means(S, drawn, side) / fit.unit
    image = ax.imshow(means, cmap=SIMILARITY, norm=SCALE, extent=(0, n, n, 0), interpolation="nearest")
    figure_of(ax).colorbar(image, ax=ax, label="similarity (mean of a block)" if side < n else "similarity")
    ax.set(xlabel="items, cluster by cluster", ylabel="items, cluster by cluster", xlim=(0, n), ylim=(n, 0))
    ax.locator_params(nbins=5)
    if len(place) <= 30:
        _part_clusters(ax, fit, place, names)
    ax.grid(False)
    return ax


def similarities(S: np.ndarray, fit: Clustering) -> np.ndarray:
    """Similarities of the medoids to each other, float64 (k, k), on the scale of the fit."""
    return between(S, "similarity", fit.medoids, fit.medoids).astype(np.float64) / fit.unit


def leaf_order(similarities: np.ndarray) -> np.ndarray:
    """Positions of medoids in an order that puts similar ones side by side, from their similarities (k, k)."""
    if len(similarities) < 3:
        return np.arange(len(similarities))
    far = squareform(np.clip(1 - similarities, 0, None), checks=False)
    tree = linkage(far, "average")
    return leaves_list(optimal_leaf_ordering(tree, far) if len(similarities) <= 1000 else tree)


def _block_means(S: np.ndarray, drawn: np.ndarray, side: int) -> np.ndarray:
    """Means of S over `side` x `side` blocks of the rows and columns `drawn`, items with themselves left out."""
    start = np.linspace(0, len(drawn), side, endpoint=False).astype(int)
    count = np.diff(np.append(start, len(drawn)))
    pairs = np.outer(count, count).astype(float)
    total = np.empty((side, side))
    for row, (first, c) in enumerate(zip(start, count, strict=True)):
        own = drawn[first : first + c]
        total[row] = np.add.reduceat(S[own[:, None], drawn].sum(axis=0, dtype=np.float64), start)
        if c > 1:
            total[row, row] -= S[own, own].sum(dtype=np.float64)
            pairs[row, row] -= c
    return total / pairs


def _part_clusters(ax: Axes, fit: Clustering, place: np.ndarray, names: Sequence[str] | None) -> None:
    """Lines between the clusters of a matrix that lie at `place` (k,), and their medoids' names along its side."""
    n = len(fit.labels)
    ends = np.cumsum(np.bincount(place[fit.labels]))
    ax.hlines(ends[:-1], 0, n, color=INK, lw=0.5)
    ax.vlines(ends[:-1], 0, n, color=INK, lw=0.5)
    if names is not None:
        words = [plain(name, SHORT) for name in of_medoids(names, fit, np.argsort(place))]
        ax.set_yticks(ends - np.diff(ends, prepend=0) / 2, words, parse_math=False)
        ax.set_ylabel("clusters, by their medoids")


def of_medoids(names: Any, fit: Clustering, clusters: np.ndarray) -> list[str]:
    """The names of the medoids of some clusters; `names` are those of all n items."""
    return as_names(names, len(fit.labels))[fit.medoids[clusters]].tolist()
