"""The matrix itself: how its entries are spread, and its order by clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import squareform

from simlib import _check, _kinds
from simlib._beside import Data, data_of
from simlib._engine.metrics import METRICS
from simlib._labels import SHORT, figures, plain
from simlib.medoids import Clustering
from simlib.plots.given import as_names, evenly, names_or_none, sampled_entries
from simlib.plots.look import COLOURS, INK, figure_of, new_axes

SCALE = Normalize(-1, 1)  # of single similarities: blue below 0, white at 0, orange to black above
_STOPS = ("#08306B", "#2171B5", "#6BAED6", "#C6DBEF", "#FFFFFF", "#FDAE61", "#D95F0E", "#7F2704", "#1A0600")
SIMILARITY = LinearSegmentedColormap.from_list("similarity", _STOPS)


DISTANCE = LinearSegmentedColormap.from_list("distance", _STOPS[:3:-1])  # what is close is dark, as in SIMILARITY
ROWS = 500  # of the matrix, at most, that a histogram counts
ITEMS = 4000  # at most, that a block matrix draws
PARTED = 30  # clusters at most, that a block matrix parts by lines
NAME_HEIGHT = 11  # typographic points that a name at the side of a block matrix takes
TAIL = 0.999  # share of the distances that a histogram shows in any case; a few far larger ones do not squeeze it


def similarity_histogram(S: Any, ax: Axes | None = None, *, metric: str = "similarity") -> Axes:
    """Density of the similarities, or distances, of two items, with their mean marked.

    At most 500 evenly spaced rows are counted, and then the axis says so.

    Parameters
    ----------
    S, metric : as in `kmedoids`
        Similarities or distances (n, n), or vectors (n, d).

    Raises
    ------
    ValueError
        S cannot be what `metric` says: distances among similarities, or the other way round.
    """
    sample, own = sampled_entries(S, metric, ROWS)
    ax = new_axes(ax)
    of_distances = METRICS[metric].of_distances
    edges = np.linspace(0, _end(sample), 201) if of_distances else np.linspace(-1, 1, 201)
    kept = np.minimum(sample, np.inf if of_distances else 1)
    counts = np.histogram(np.maximum(kept, edges[0]), edges)[0] - np.histogram(np.clip(own, edges[0], 1), edges)[0]
    pairs = max(sample.size - len(own), 1)
    ax.stairs(counts / pairs / (edges[1] - edges[0]), edges, fill=True, color=COLOURS[0])
    mean = (sample.sum(dtype=np.float64) - own.sum(dtype=np.float64)) / pairs
    ax.axvline(mean, color=INK, lw=1)
    above = ("data", "axes fraction")
    ax.annotate(f"mean {figures(mean, 2)}", (mean, 0.97), (5, 0), xycoords=above, textcoords="offset points", va="top")
    seen = edges[:-1][counts > 0] if counts.any() else edges[:-1]
    step = edges[1] - edges[0]
    ax.set_xlim(max(seen[0] - 5 * step, edges[0]), min(seen[-1] + 6 * step, edges[-1]))
    what = "distance of two items" if of_distances else "similarity of two items (−1 to 1)"
    n = sample.shape[1]
    what += f", {len(own):,} of {n:,} rows" if len(own) < n else ""
    beyond = 1 - counts.sum() / pairs
    what += f", {100 * beyond:.1g} % lie beyond" if beyond > 0 else ""
    ax.set(xlabel=what, ylabel="density (area of all = 1)", ylim=(0, None))
    return ax


def _end(distances: np.ndarray) -> float:
    """Where a histogram of distances ends: at the largest, or before a few that are far beyond all others."""
    most = float(distances.max()) or 1.0
    usual = float(np.quantile(distances, TAIL))
    return most if most <= 2 * usual or not usual else 1.05 * usual


def block_matrix(
    S: Any,
    fit: Clustering,
    names: Sequence[str] | None = None,
    ax: Axes | None = None,
    side: int = 400,
    *,
    limit: float | None = None,
) -> Axes:
    """The matrix put in the order of its clusters, as means of blocks; similar clusters lie side by side.

    What is close is orange to black, what is far is white; similarities below 0 are blue. At most 4,000 items are
    drawn, evenly along the order, and then the axis says so. Pairs of an item with itself are left out. The clusters'
    order is the optimal leaf ordering of the medoids' average-linkage tree.

    Parameters
    ----------
    S : array
        What `fit` was made from: similarities or distances (n, n), or vectors (n, d).
    names : (n,), optional
        Clusters are named after their medoids, the largest first, as many as find room. Set the size of the figure
        before. Up to 30 clusters are parted by lines.
    side : int
        The most blocks along a side.
    limit : float, optional
        Where the colours end: at this similarity and at its negative, or at this distance. Default: 1 for single
        similarities, else what the blocks need. Pictures to be compared need the same.

    Notes
    -----
    Memory: 250 MB at most, whatever n.
    """
    data = data_of(S, fit)
    n = len(fit.labels)
    names, limit = names_or_none(names, n), _above_zero(limit)
    ax = new_axes(ax)
    place = np.empty(len(fit.medoids), dtype=int)  # of each cluster along the picture
    place[leaf_order(data.losses(fit.medoids, fit.medoids))] = np.arange(len(place))
    drawn = np.lexsort((-fit.closeness, place[fit.labels]))[evenly(n, ITEMS)]
    side = min(_check.whole_number(side, "side", 1), len(drawn))
    means = _block_means(data.entries(drawn, drawn), side)
    _draw_blocks(ax, means, data, n, limit)
    rows = "items, cluster by cluster" + (f" ({len(drawn):,} of {n:,} drawn)" if len(drawn) < n else "")
    ax.set(xlabel=rows, ylabel="items, cluster by cluster", xlim=(0, n), ylim=(n, 0))
    ax.locator_params(nbins=5)
    ends = np.cumsum(np.bincount(place[fit.labels]))
    if len(place) <= PARTED:
        ax.hlines(ends[:-1], 0, n, color=INK, lw=0.5)
        ax.vlines(ends[:-1], 0, n, color=INK, lw=0.5)
    if names is not None:
        _name_clusters(ax, ends, of_medoids(names, fit, np.argsort(place)))
    ax.grid(False)
    return ax


def _draw_blocks(ax: Axes, means: np.ndarray, data: Data, n: int, limit: float | None) -> None:
    """Draw the means of blocks of n items, and the bar that says what their colours are."""
    single = len(means) == n
    of_distances = data.metric.of_distances
    if limit is None and single and not of_distances:
        norm = SCALE
    else:
        end = limit or _needed(means, of_distances)
        norm = Normalize(0 if of_distances else -end, end)
    colours = DISTANCE if of_distances else SIMILARITY
    image = ax.imshow(means, cmap=colours, norm=norm, extent=(0, n, n, 0), interpolation="nearest")
    beyond = ("min" if means.min() < norm.vmin else "") + ("max" if means.max() > norm.vmax else "")
    extend = {"": "neither", "minmax": "both"}.get(beyond, beyond)
    label = data.metric.entry + ("" if single else " (mean of a block)")
    bar = figure_of(ax).colorbar(image, ax=ax, label=label, extend=extend)
    if not single and means.min() > norm.vmin:
        bar.ax.set_ylim(min(means.min(), 0), norm.vmax)  # colours that nothing has are left out


def _above_zero(limit: float | None) -> float | None:
    """`limit` as a number above 0, or None."""
    if limit is None:
        return None
    number = _kinds.number(limit, "limit")
    if number <= 0:
        raise ValueError(f"limit must be above 0, got {number:g}")
    return number


def _needed(means: np.ndarray, of_distances: bool) -> float:
    """Where the colours end, so that the clusters and what is between them show, whatever a few far items do."""
    if of_distances:
        usual, most = np.quantile(means, [0.95, 1])
        end = most if most <= 2 * usual else usual
    else:
        end = np.quantile(np.abs(np.diagonal(means)), 0.9)
    return float(end) or float(np.abs(means).max()) or 1.0


def leaf_order(far: np.ndarray) -> np.ndarray:
    """Positions of medoids in an order that puts similar ones side by side, from how far they are apart (k, k)."""
    if len(far) < 3:
        return np.arange(len(far))
    flat = squareform(far, checks=False)
    tree = linkage(flat, "average")
    return leaves_list(optimal_leaf_ordering(tree, flat) if len(far) <= 1000 else tree)


def _block_means(entries: np.ndarray, side: int) -> np.ndarray:
    """Means of a square matrix over `side` x `side` blocks, the diagonal left out."""
    start = np.linspace(0, len(entries), side, endpoint=False).astype(int)
    count = np.diff(np.append(start, len(entries)))
    pairs = np.outer(count, count) - np.diag(np.where(count > 1, count, 0)).astype(float)
    own = np.where(count > 1, np.add.reduceat(np.diagonal(entries), start), 0)
    total = np.add.reduceat(np.add.reduceat(entries, start, axis=0), start, axis=1)
    return (total - np.diag(own)) / pairs


def _name_clusters(ax: Axes, ends: np.ndarray, names: Sequence[str]) -> None:
    """Names of clusters (k,) that end at `ends` along the side of a matrix: the largest first, none over another."""
    sizes = np.diff(ends, prepend=0)
    middle = ends - sizes / 2
    height = 72 * ax.get_position().height * figure_of(ax).get_figheight()  # typographic points
    apart = NAME_HEIGHT * ends[-1] / height
    shown: list[int] = []
    for j in np.argsort(-sizes, kind="stable").tolist():
        if all(abs(middle[j] - middle[other]) >= apart for other in shown):
            shown.append(j)
    shown.sort()
    ax.set_yticks(middle[shown], [plain(names[j], SHORT) for j in shown], parse_math=False)
    ax.set_ylabel("clusters, by their medoids")


def of_medoids(names: Any, fit: Clustering, clusters: np.ndarray) -> list[str]:
    """The names of the medoids of some clusters; `names` are those of all n items."""
    return as_names(names, len(fit.labels))[fit.medoids[clusters]].tolist()
