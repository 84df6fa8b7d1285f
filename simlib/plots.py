"""Pictures of similarities and clusters: one function a picture.

S (n, n) holds similarities in [-1, 1], `fit` is a Clustering of the same n items, and `names` (n,) are their names.
Each function draws on `ax` and returns it; without `ax` it opens a new figure. It sets no title, because only the
caller knows the finding. Only `style` changes settings.

The colours are safe for colour-blind readers, and the shape of a marker repeats its colour. A medoid is always a star
in a ring. One similarity has the same colour in every picture. A large matrix is drawn as means of blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.cluster.hierarchy import dendrogram, leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import squareform

from simlib import _cards, _check, _kinds
from simlib._arrays import as_line
from simlib._engine.metrics import METRICS
from simlib._extras import extra
from simlib._labels import SHORT, figures, names_of, plain
from simlib._regions import LIGHT as REGIONS
from simlib._regions import regions
from simlib.choose import KScan, Stability
from simlib.medoids import Clustering
from simlib.similarity import between

with extra("workbook", "simlib.plots"):
    from matplotlib import patheffects
    from matplotlib import pyplot as plt
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection
    from matplotlib.colors import LinearSegmentedColormap, Normalize
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator
    from matplotlib.transforms import BboxBase

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#555555")  # Okabe and Ito, no yellow
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
INK = "#333333"
SCALE = Normalize(-1, 1)  # of every similarity in every picture: blue below 0, white at 0, orange to black above
_STOPS = ("#08306B", "#2171B5", "#6BAED6", "#C6DBEF", "#FFFFFF", "#FDAE61", "#D95F0E", "#7F2704", "#1A0600")
SIMILARITY = LinearSegmentedColormap.from_list("similarity", _STOPS)
CRITERIA = {
    "inertia": "inertia (sum of {loss})",
    "medoid_silhouette": "mean medoid silhouette (−1 to 1)",
    "silhouette": "mean silhouette (−1 to 1)",
}
SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))  # of a point, where its name may stand
_NAME_LOOK: dict[str, Any] = {"fontsize": 9, "parse_math": False}
_LINK: dict[str, Any] = {"arrowstyle": "-", "color": INK, "lw": 0.7}  # from a text to what it names


def style() -> None:
    """Set size, resolution, fonts and grid for all figures that follow. Call it once, at the top of a notebook."""
    plt.rc("figure", figsize=(8, 4.5), dpi=100)
    plt.rc("figure.constrained_layout", use=True)
    plt.rc("font", size=10)
    plt.rc("axes", titlesize=12, titlelocation="left", grid=True, axisbelow=True)
    plt.rc("axes.spines", top=False, right=False)
    plt.rc("grid", color="#E6E6E6", linewidth=0.8)
    plt.rc("xtick", labelsize=9)
    plt.rc("ytick", labelsize=9)
    plt.rc("legend", fontsize=9)


def similarity_histogram(S: Any, ax: Axes | None = None) -> Axes:
    """Density of the similarities off the diagonal, with their mean marked.

    At most 500 evenly spaced rows of S are counted.
    """
    ax = _axes(ax)
    S = _square(S)
    rows = _evenly(len(S), 500)
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


def clusters_2d(points: Any, fit: Clustering, names: Sequence[str] | None = None, ax: Axes | None = None) -> Axes:
    """Points in the plane by cluster, with a thin line from each to its medoid.

    Parameters
    ----------
    points : (n, 2)
    names : (n,), optional
        Written beside the points; if there are more than 40 points, beside the medoids only.
    """
    ax = _axes(ax)
    _kinds.instance(fit, "fit", Clustering, "kmedoids")
    n = len(fit.labels)
    points, called = _plane(points, "points", n), _names(names, n)
    colour, marker = _looks(len(fit.medoids))
    lines = np.stack([points, points[fit.medoids][fit.labels]], axis=1)  # (n, 2, 2)
    hues = np.array(COLOURS)[colour[fit.labels]]
    ax.add_collection(LineCollection(list(lines), colors=list(hues), lw=0.6, alpha=0.5, zorder=1))
    size = 40 if len(points) <= 200 else 12
    for c, m in sorted(set(zip(colour, marker, strict=True))):
        here = np.flatnonzero((colour[fit.labels] == c) & (marker[fit.labels] == m))
        ax.scatter(points[here, 0], points[here, 1], s=size, c=COLOURS[c], marker=MARKERS[m], lw=0, zorder=2)
    _stars(ax, points[fit.medoids], 170 if len(fit.medoids) <= 20 else 60)
    ax.set(xlabel="first coordinate", ylabel="second coordinate")
    ax.set_aspect("equal", adjustable="datalim")
    if called is not None:
        shown = np.arange(len(points)) if len(points) <= 40 else fit.medoids
        _label(ax, points[shown], called[shown], len(shown), np.full(len(shown), 9.0))
    return ax


def history(fits: Mapping[str, Clustering], ax: Axes | None = None) -> Axes:
    """Inertia after each iteration, one line for each fit.

    Parameters
    ----------
    fits : dict of name -> Clustering
        The names stand at the ends of the lines; if there are more than ten, they stand in a legend.
    """
    ax = _axes(ax)
    _kinds.mapping(fits, "fits", Clustering, "kmedoids")
    losses = [fit.history or (fit.inertia,) for fit in fits.values()]
    names = [plain(name, SHORT) for name in fits]
    hues = [COLOURS[c] for c in _looks(len(fits))[0]]
    for loss, name, hue, m in zip(losses, names, hues, _looks(len(fits))[1], strict=True):
        ax.plot(range(1, len(loss) + 1), loss, color=hue, marker=MARKERS[m], ms=5, lw=1.5, label=name)
    ax.set(xlabel="iteration", ylabel=f"inertia (sum of {_loss(next(iter(fits.values())))})")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if len(fits) <= 10:
        _name_ends(ax, [(len(loss), loss[-1]) for loss in losses], names, hues)
        return ax
    for entry in ax.legend(loc="upper right").get_texts():
        entry.set_parse_math(False)
    return ax


def k_curve(
    scan: KScan, criterion: str, k: int | None = None, null: KScan | None = None, ax: Axes | None = None
) -> Axes:
    """A criterion against the number of clusters, and beside it the same for data without structure.

    Parameters
    ----------
    scan : KScan
    criterion : {"inertia", "medoid_silhouette", "silhouette"}
    k : int, optional
        One of scan.ks, which gets a ring.
    null : KScan, optional
        The scan of the shuffled data. It gets a dashed line of its own, and then there is a legend.
    """
    for each, name in ((scan, "scan"), (scan if null is None else null, "null")):
        _kinds.instance(each, name, KScan, "scan_k")
    _check.one_of(criterion, "criterion", tuple(CRITERIA))
    if k is not None and _check.whole_number(k, "k", 2) not in scan.ks:
        raise ValueError(f"k must be one of the scanned {scan.ks.tolist()}, got {k}")
    ax = _axes(ax)
    values = getattr(scan, criterion)
    ax.plot(scan.ks, values, color=COLOURS[0], marker="o", ms=5, lw=1.5, label="the data")
    if null is not None:
        dashed: dict[str, Any] = {"color": COLOURS[5], "marker": "s", "ms": 4, "lw": 1.2, "ls": "--"}
        ax.plot(null.ks, getattr(null, criterion), label="columns shuffled", **dashed)
        ax.legend(loc="best")
    ax.set_xscale("log", base=2)
    if k is not None:
        ax.axvline(k, color=INK, lw=0.8)
        ax.plot(k, values[scan.ks == k], "o", ms=13, mfc="none", mec=INK, mew=1.8)
    ax.set_xticks(scan.ks, _thinned(ax, scan.ks, k))
    ax.set_xticks([], minor=True)
    ax.set(xlabel="number of clusters k (log scale)", ylabel=CRITERIA[criterion].format(loss=_loss(scan.fits[0])))
    return ax


def stability_curve(
    scores: Mapping[int, Stability], null: Mapping[int, Stability] | None = None, ax: Axes | None = None
) -> Axes:
    """How much of a clustering survives resampling, against k: the mean, and a small mark for each subsample.

    Parameters
    ----------
    scores : dict of k -> Stability
    null : dict of k -> Stability, optional
        Of the shuffled data, which gets a dashed line.
    """
    ax = _axes(ax)
    for each, name in ((scores, "scores"), (scores if null is None else null, "null")):
        _kinds.mapping(each, name, Stability, "stability")
        for k in each:
            _check.whole_number(k, f"each key of {name}", 1)
    # The two lines stand a little apart, so that the marks of one do not hide those of the other.
    _stability_line(ax, scores, 0.97, {"label": "the data", "color": COLOURS[0], "marker": "o", "ls": "-"})
    if null is not None:
        look = {"label": "columns shuffled", "color": COLOURS[5], "marker": "s", "ls": "--"}
        _stability_line(ax, null, 1.03, look)
    ax.set_xscale("log", base=2)
    ax.set_xticks(sorted(scores), [str(k) for k in sorted(scores)])
    ax.set_xticks([], minor=True)
    ax.set(xlabel="number of clusters k (log scale)", ylabel="adjusted Rand index (1 = the same clusters)")
    ax.legend(loc="best")
    return ax


def cluster_sizes(fit: Clustering, ax: Axes | None = None) -> Axes:
    """Cluster sizes as steps, from largest to smallest; the largest, median and smallest are written beside them."""
    ax = _axes(ax)
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
        ax.annotate(f"{word} {size:,g}", top, shift, textcoords="offset points", ha=side, arrowprops=_LINK)
    ax.set(xlabel="clusters, largest first", ylabel="size (items)", xlim=(0.5, k + 0.5), ylim=(0, sizes[0] * 1.2))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
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
    ax = _axes(ax)
    S = _matrix(S, fit)
    n = len(fit.labels)
    names = _names(names, n)
    place = np.empty(len(fit.medoids), dtype=int)  # of each cluster along the picture
    place[_leaf_order(_similarities(S, fit))] = np.arange(len(place))
    items = np.lexsort((-fit.closeness, place[fit.labels]))
    drawn = items[_evenly(n, 4000)]
    side = min(_check.whole_number(side, "side", 1), len(drawn))
    means = _block_means(S, drawn, side) / fit.unit
    image = ax.imshow(means, cmap=SIMILARITY, norm=SCALE, extent=(0, n, n, 0), interpolation="nearest")
    _figure(ax).colorbar(image, ax=ax, label="similarity (mean of a block)" if side < n else "similarity")
    ax.set(xlabel="items, cluster by cluster", ylabel="items, cluster by cluster", xlim=(0, n), ylim=(n, 0))
    ax.locator_params(nbins=5)
    if len(place) <= 30:
        _part_clusters(ax, fit, place, names)
    ax.grid(False)
    return ax


def medoid_positions(S: Any, fit: Clustering, random_state: int = 0) -> np.ndarray:
    """Places for the medoids so that similar ones lie close together, float64 (k, 2).

    They are laid out by t-SNE of 1 - similarity, which starts from classical scaling; fewer than 16 medoids by
    classical scaling alone. Neighbourhoods mean something; the axes and the distances across the map do not.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    random_state = _check.whole_number(random_state, "random_state", 0, 2**32 - 1)
    far = np.clip(1 - _similarities(_matrix(S, fit), fit), 0, None)
    flat = _classical_scaling(far)
    if len(far) < 16:
        return flat
    start = (flat / max(flat[:, 0].std(), 1e-12) * 1e-4).astype(np.float32)
    model = TSNE(metric="precomputed", init=start, perplexity=min(30, len(far) // 4), random_state=random_state)
    with threadpool_limits(1):  # the same places on every machine, and faster: the rounds are too short to share
        return model.fit_transform(far).astype(np.float64)


def medoid_map(
    positions: Any, fit: Clustering, names: Sequence[str], ax: Axes | None = None, labelled: int = 60
) -> Axes:
    """Medoids as stars on a map: a larger cluster has a larger star, and the stars that have a name stand out.

    Set the size of the figure before, because the names are measured in it.

    Parameters
    ----------
    positions : (k, 2), from `medoid_positions`
    names : (n,)
    labelled : int
        The most names to write, largest clusters first; a name that finds no room is left out.
    """
    ax = _axes(ax)
    _kinds.instance(fit, "fit", Clustering, "kmedoids")
    labelled = _check.whole_number(labelled, "labelled", 0)
    order = _cards.largest_first(fit)
    at = _plane(positions, "positions", len(order))[order]
    sizes = fit.sizes[order]
    top = 200 if len(order) <= 100 else 70
    area = top * (0.15 + 0.85 * sizes / sizes[0])
    _stars(ax, at, area, alpha=0.35)
    unit = "no unit: only neighbourhoods mean something"
    ax.set(xticks=[], yticks=[], xlabel=f"first map axis ({unit})", ylabel="second map axis (no unit)")
    ax.margins(0.06)
    named = _label(ax, at, _named(names, len(fit.labels))[fit.medoids[order]], labelled, np.sqrt(area) / 2 + 2, over=2)
    _stars(ax, at[named], area[named])
    return ax


def atlas(
    places: Any, fit: Clustering, names: Sequence[str] | None = None, ax: Axes | None = None, labelled: int = 60
) -> Axes:
    """Every item as a small point in the colour of its region, and the exemplars of the largest clusters by name.

    A region is a group of clusters whose exemplars are alike; there are up to twelve. The points are drawn as one
    picture in an SVG or PDF file. Set the size of the figure before, because the names are measured in it.
    ``places.caption()`` says how faithful the map is.

    Parameters
    ----------
    places : Places, from `simlib.atlas.places`
    names : (n,), optional
    labelled : int
        The most exemplars to mark, largest clusters first; one whose name finds no room is left out.
    """
    _check_places(places)
    ax = _axes(ax)
    at = np.asarray(places, dtype=float)
    colour = regions(places.items, [fit], places.neighbours)[0].colour
    hues = np.array(REGIONS)[colour[fit.labels]]
    x, y = at.T
    ax.scatter(x, y, s=np.clip(40_000 / len(at), 2, 30), c=hues, lw=0, rasterized=True, zorder=1)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.set_aspect("equal", adjustable="datalim")
    ax.margins(0.03)
    top = fit.medoids[_cards.largest_first(fit)]
    if names is not None:
        words = names_of(names, len(at), called="names")
        top = top[_label(ax, at[top], [words[row] for row in top], labelled, np.full(len(top), 7.0), over=len(top))]
    _stars(ax, at[top[:labelled]], 60)
    return ax


def exemplar_tree(
    places: Any, fit: Clustering, names: Sequence[str] | None = None, ax: Axes | None = None, shown: int = 60
) -> Axes:
    """How the exemplars relate: their average-linkage tree, with similar ones side by side.

    Two branches meet at the mean distance between their exemplars.

    Parameters
    ----------
    places : Places, from `simlib.atlas.places`, of the items that were clustered
    names : (n,), optional
        Default: the row numbers.
    shown : int
        The most exemplars in the tree, those of the largest clusters.
    """
    _check_places(places)
    top = np.sort(_cards.largest_first(fit)[:shown])
    if len(top) < 2:
        raise ValueError(f"a tree needs two exemplars or more, got {len(top)}")
    ax = plt.subplots(figsize=(8, 1 + 0.19 * len(top)))[1] if ax is None else ax
    exemplars = fit.medoids[top]
    far = np.clip(places.items.base - places.items.pairs(exemplars, exemplars).astype(np.float64), 0, None)
    flat = squareform(far, checks=False)
    drawn = dendrogram(optimal_leaf_ordering(linkage(flat, "average"), flat), no_plot=True)
    lines = [list(zip(x, y, strict=True)) for x, y in zip(drawn["dcoord"], drawn["icoord"], strict=True)]
    ax.add_collection(LineCollection(lines, colors=INK, lw=1))
    rows = exemplars[drawn["leaves"]]
    words = names_of(names, len(fit.labels), called="names")
    shown_names = [plain(words[row], SHORT) for row in rows]
    ax.set_yticks(10 * np.arange(len(rows)) + 5, shown_names, parse_math=False)
    highest = max(max(x) for x in drawn["dcoord"])
    ax.set(xlim=(1.03 * highest or 1, 0), ylim=(0, 10 * len(rows)), xlabel=f"mean {_loss(fit)} of two branches")
    ax.yaxis.tick_right()
    ax.tick_params(axis="y", length=0)
    ax.spines[:].set_visible(False)
    ax.grid(False, axis="y")
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
    ax = _axes(ax)
    values = _line(values, "values", None, "fiu").astype(np.float64)
    known, labels = np.unique(_line(labels, "labels", len(values), "iu"), return_inverse=True)
    groups = [np.sort(values[labels == j]) for j in range(len(known))]
    if len(known) <= 20:
        _item_bars(ax, groups, known, values.mean())
    else:
        _cluster_means(ax, groups, values.mean())
    return ax


def category_table(labels: Any, categories: Any, ax: Axes | None = None, top: int = 10) -> Axes:
    """Where the items of each category went, when every cluster is named after its commonest category.

    A row is a category and sums to 100 %. A column holds the clusters of one name, and the last column holds those of
    any other name.

    Parameters
    ----------
    labels, categories : (n,)
    top : int
        How many categories to show, the most frequent first.
    """
    ax = _axes(ax)
    top = _check.whole_number(top, "top", 1)
    labels = _line(labels, "labels", None, "iu")
    kinds, spread = _by_cluster_name(labels, _named(categories, len(labels), "categories"))
    total = spread.sum(axis=0)
    rows = np.argsort(-total, kind="stable")[:top]
    share = 100 * spread[rows][:, rows].T / total[rows, None]
    columns = [plain(kinds[r], SHORT) for r in rows]
    if len(kinds) > len(rows):
        share = np.column_stack([share, 100 - share.sum(axis=1)]).clip(0, 100)
        columns.append("any other")
    image = ax.imshow(share, cmap="Blues", norm=Normalize(0, 100), aspect="auto")
    _figure(ax).colorbar(image, ax=ax, label="share of the category (%)")
    for (i, j), value in np.ndenumerate(share):
        ax.text(j, i, f"{value:.0f}", ha="center", va="center", fontsize=9, color="white" if value > 55 else INK)
    ax.set_xticks(range(len(columns)), columns, rotation=35, ha="right", rotation_mode="anchor", parse_math=False)
    names = [f"{plain(kinds[r], SHORT)} ({int(total[r]):,})" for r in rows]
    ax.set_yticks(range(len(rows)), names, parse_math=False)
    ax.set(xlabel="commonest category of the item's cluster", ylabel="category (items)")
    ax.grid(False)
    return ax


def similarity_to_medoid(fit: Clustering, names: Sequence[str] | None = None, ax: Axes | None = None) -> Axes:
    """Mean similarity of a cluster's members to their medoid (itself left out) against the cluster's size.

    Parameters
    ----------
    names : (n,), optional
        Written beside the tightest, the loosest and the largest clusters.
    """
    ax = _axes(ax)
    _kinds.instance(fit, "fit", Clustering, "kmedoids")
    called = _names(names, len(fit.labels))
    if METRICS[fit.metric].of_distances:
        raise ValueError("fit was made from distances, and this draws similarities: plots.cluster_sizes takes both")
    sums = np.bincount(fit.labels, fit.similarity, len(fit.sizes)) - fit.similarity[fit.medoids]
    several = fit.sizes > 1
    sizes = fit.sizes[several]
    mean = sums[several] / (sizes - 1)
    at = np.column_stack([sizes, mean])
    ax.scatter(sizes, mean, s=22, color=COLOURS[0], alpha=0.6, lw=0)
    ax.set(xlabel="size of the cluster (items)", ylabel="mean similarity to the medoid (−1 to 1)", xlim=(0, None))
    if called is not None:
        order = np.argsort(mean, kind="stable")
        ends = np.concatenate([order[::-1][:4], order[:4], np.argsort(-sizes, kind="stable")[:4]]).tolist()
        first = list(dict.fromkeys([*ends, *order.tolist()]))  # the rest is there to keep names off its points
        marks = called[fit.medoids[several][first]]
        _label(ax, at[first], marks, len(set(ends)), np.full(len(first), 5.0), over=1)
    return ax


def _axes(ax: Axes | None) -> Axes:
    """The Axes given, or those of a new figure."""
    if ax is None:
        return plt.subplots()[1]
    _kinds.instance(ax, "ax", Axes, "pyplot.subplots")
    return ax


def _square(S: Any) -> np.ndarray:
    """S as a square array."""
    S = _check.as_array(S, "S")
    if S.shape[0] != S.shape[1]:
        raise ValueError(f"S must be a square matrix of similarities, got shape {S.shape}")
    return S


def _matrix(S: Any, fit: Clustering) -> np.ndarray:
    """S as a square array of the items of `fit`."""
    _kinds.instance(fit, "fit", Clustering, "kmedoids")
    S = _square(S)
    if len(S) != len(fit.labels):
        raise ValueError(f"S must be the matrix of the {len(fit.labels)} items of fit, got shape {S.shape}")
    return S


def _plane(points: Any, name: str, n: int) -> np.ndarray:
    """Points as a finite array float64 (n, 2)."""
    points = _check.as_array(points, name)
    if points.shape != (n, 2):
        raise ValueError(f"{name} must have shape ({n}, 2), got {points.shape}")
    _check.finite_rows(np.isfinite(points).all(axis=1), name)
    return points.astype(np.float64)


def _line(values: Any, name: str, n: int | None, kinds: str) -> np.ndarray:
    """Numbers as an array (n,), of a type whose kind is one of the letters `kinds`."""
    values = as_line(values, name)
    if values.ndim != 1 or values.dtype.kind not in kinds or not values.size:
        word = "numbers" if "f" in kinds else "whole numbers"
        raise TypeError(f"{name} must be {word} (n,), at least one, got {values.dtype} {values.shape}")
    if n is not None and len(values) != n:
        raise ValueError(f"{name} must have one entry an item, {n}, got {len(values)}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} has NaN or infinity at {np.flatnonzero(~np.isfinite(values))[0]}")
    return values


def _named(names: Any, n: int, name: str = "names") -> np.ndarray:
    """The names of n items as an array of objects (n,)."""
    array = np.empty(n, dtype=object)
    array[:] = names_of(names, n, called=name)
    return array


def _names(names: Any, n: int) -> Any:
    """The names of n items as an array of objects (n,), or None."""
    return None if names is None else _named(names, n)


def _figure(ax: Axes) -> Figure:
    """The figure that an Axes is part of, however deep."""
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure


def _check_places(places: Any) -> None:
    """Raise unless this is what `simlib.atlas.places` returns; the atlas is above this file, so it is not imported."""
    if not (hasattr(places, "items") and hasattr(places, "neighbours")):
        raise TypeError(f"places must be what simlib.atlas.places returns, got {type(places).__name__}")


def _evenly(n: int, most: int) -> np.ndarray:
    """At most `most` of the numbers 0..n-1, evenly spaced."""
    return np.arange(n) if n <= most else np.arange(most) * n // most


def _of_medoids(names: Any, fit: Clustering, clusters: np.ndarray) -> list[str]:
    """The names of the medoids of some clusters; `names` are those of all n items."""
    return _named(names, len(fit.labels))[fit.medoids[clusters]].tolist()


def _looks(k: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions in COLOURS and in MARKERS for k groups: the first 49 pairs differ, then they come again."""
    j = np.arange(k)
    c = len(COLOURS)
    return j % c, (j + j // c) % c


def _loss(fit: Clustering) -> str:
    """What the inertia of a fit is the sum of."""
    return "distance" if METRICS[fit.metric].of_distances else "1 − similarity"


def _similarities(S: np.ndarray, fit: Clustering) -> np.ndarray:
    """Similarities of the medoids to each other, float64 (k, k), on the scale of the fit."""
    return between(S, "similarity", fit.medoids, fit.medoids).astype(np.float64) / fit.unit


def _leaf_order(similarities: np.ndarray) -> np.ndarray:
    """Positions of medoids in an order that puts similar ones side by side, from their similarities (k, k)."""
    if len(similarities) < 3:
        return np.arange(len(similarities))
    far = squareform(np.clip(1 - similarities, 0, None), checks=False)
    tree = linkage(far, "average")
    return leaves_list(optimal_leaf_ordering(tree, far) if len(similarities) <= 1000 else tree)


def _classical_scaling(far: np.ndarray) -> np.ndarray:
    """Points in the plane whose distances are about `far` (k, k), float64 (k, 2); the largest coordinates are positive.

    The signs are fixed, because an eigenvector and its negative are equally good.
    """
    k = len(far)
    centring = np.eye(k) - 1 / k
    values, vectors = np.linalg.eigh(-0.5 * centring @ far**2 @ centring)
    flat = np.zeros((k, 2))
    flat[:, : min(k, 2)] = (vectors * np.sqrt(np.clip(values, 0, None)))[:, ::-1][:, :2]
    largest = flat[np.abs(flat).argmax(axis=0), [0, 1]]
    return flat * np.where(largest < 0, -1, 1)


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
        words = [plain(name, SHORT) for name in _of_medoids(names, fit, np.argsort(place))]
        ax.set_yticks(ends - np.diff(ends, prepend=0) / 2, words, parse_math=False)
        ax.set_ylabel("clusters, by their medoids")


def _thinned(ax: Axes, ks: np.ndarray, k: int | None) -> list[str]:
    """The labels of the ks on a logarithmic axis; a label that would touch another is empty.

    The ringed k and the last one are always written. The others follow from the left, as far as they find room.
    """
    width = ax.get_position().width * _figure(ax).get_figwidth()  # inches
    place = np.log2(ks) * 0.85 * width / max(np.ptp(np.log2(ks)), 1)
    half = 0.045 * (np.array([len(str(each)) for each in ks]) + 1)  # inches: half a label's width, with a gap
    ringed = [] if k is None else np.flatnonzero(ks == k).tolist()
    shown: list[int] = []
    for i in [*ringed, len(ks) - 1, *range(len(ks))]:
        if all(abs(place[i] - place[other]) >= half[i] + half[other] for other in shown):
            shown.append(i)
    return [str(each) if i in shown else "" for i, each in enumerate(ks)]


def _stability_line(ax: Axes, scores: Mapping[int, Stability], shift: float, look: dict[str, Any]) -> None:
    """Draw the means as a line, each with its subsamples and their span; every k is multiplied by `shift`."""
    ks = np.array(sorted(scores))
    found = [scores[k] for k in ks]
    at = ks * shift
    ax.plot(at, [s.mean for s in found], ms=7, lw=1.5, **look)
    ax.vlines(at, [min(s.scores) for s in found], [max(s.scores) for s in found], color=look["color"], lw=1)
    for x, s in zip(at, found, strict=True):
        ax.plot(np.full(len(s.scores), x), s.scores, look["marker"], color=look["color"], ms=4, alpha=0.4)


def _item_bars(ax: Axes, groups: list[np.ndarray], known: np.ndarray, mean: float) -> None:
    """A bar for each silhouette of the sorted `groups`; `known` are the labels of the clusters."""
    ends = np.cumsum([0] + [len(group) for group in groups])
    for j, (group, colour) in enumerate(zip(groups, _looks(len(groups))[0], strict=True)):
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


def _by_cluster_name(labels: Any, categories: Any) -> tuple[np.ndarray, np.ndarray]:
    """The c categories, and how many items of each lie in clusters of each name, int64 (c, c).

    A cluster's name is its commonest category. Rows are the names of clusters, columns the categories of items.
    """
    kinds, kind = np.unique(np.asarray(categories).astype(str), return_inverse=True)
    known, labels = np.unique(labels, return_inverse=True)
    together = np.zeros((len(known), len(kinds)), dtype=np.int64)  # cluster x category
    np.add.at(together, (labels, kind), 1)
    spread = np.zeros((len(kinds), len(kinds)), dtype=np.int64)
    np.add.at(spread, together.argmax(axis=1), together)
    return kinds, spread


def _stars(ax: Axes, at: np.ndarray, area: Any, alpha: float = 1) -> None:
    """Draw medoids at (k, 2): stars in rings of `area` square points."""
    x, y = at.T
    ax.scatter(x, y, s=area, marker="o", c="white", edgecolors=INK, lw=0.8, zorder=3, alpha=alpha)
    ax.scatter(x, y, s=np.multiply(area, 0.6), marker="*", c=COLOURS[5], lw=0, zorder=3.1, alpha=alpha)


def _name_ends(ax: Axes, ends: list[tuple[int, float]], names: list[str], hues: list[str]) -> None:
    """Write names at the right edge, each linked to the end (x, y) of its line, and one below the other."""
    low, high = ax.get_ylim()
    order = sorted(range(len(ends)), key=lambda i: ends[i][1])
    heights = _apart(np.array([(ends[i][1] - low) / (high - low) for i in order]), 0.07)
    for i, height in zip(order, heights, strict=True):
        look: dict[str, Any] = {"color": hues[i], "va": "center", "parse_math": False}
        link = _LINK | {"ls": ":", "shrinkB": 5}
        ax.annotate(names[i], ends[i], (1.03, height), textcoords="axes fraction", arrowprops=link, **look)
    ax.set_ylim(low, high)


def _apart(heights: np.ndarray, gap: float) -> np.ndarray:
    """Ascending heights moved as little as needed to lie at least `gap` apart."""
    moved = heights.copy()
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + gap)
    return moved - (moved - heights).max() / 2 if len(moved) else moved


@dataclass
class _Room:
    """What the names of a picture have to keep clear of, in pixels. A box is x0, y0, x1, y1."""

    frame: BboxBase  # no name may cross the edge of the Axes
    places: np.ndarray  # (p, 2), the points
    points: np.ndarray  # (p, 4), the boxes around the points
    taken: np.ndarray  # (t, 4), the boxes of the names written so far and of their points

    def best_side(self, i: int, size: np.ndarray, away: float, over: int) -> tuple[tuple[int, int], np.ndarray] | None:
        """The side of point i on which a name of this `size` (2,) covers fewest points, and the name's box.

        `away` is the name's distance from the point in pixels. None: no side is free, or each covers more than `over`.
        """
        best = None
        fewest = over + 1
        others = np.delete(self.points, i, axis=0)
        for side in () if _meets(self.points[i], self.taken).any() else SIDES:
            corner = self.places[i] + _shift(side, away) + (np.array(side) - 1) / 2 * size
            box = np.concatenate([corner, corner + size])
            inside = (self.frame.min < box[:2]).all() and (box[2:] < self.frame.max).all()
            covered = _meets(box, others).sum()
            if inside and covered < fewest and not _meets(box, self.taken).any():
                fewest = covered
                best = side, box
        return best


def _label(ax: Axes, at: np.ndarray, names: Iterable[Any], most: int, away: np.ndarray, over: int = 0) -> list[int]:
    """Write up to `most` names beside points (p, 2), in order; returns which were written.

    No name covers another name, a named point or the edge; it may cover up to `over` nameless points. `away` (p,) is
    the distance from the point in typographic points. Room for a title of two lines is kept while measuring, so that
    a title set later moves no two names together.
    """
    title = ax.get_title(loc="left")
    ax.set_title(title or "\n", loc="left")
    figure = _figure(ax)
    figure.draw_without_rendering()
    dot = figure.dpi / 72  # pixels in a typographic point
    places = ax.transData.transform(at)
    reach = (0.7 * away * dot)[:, None]
    room = _Room(ax.get_window_extent(), places, np.hstack([places - reach, places + reach]), np.empty((0, 4)))
    halo = [patheffects.withStroke(linewidth=2.5, foreground="white")]
    ruler = ax.text(0, 0, "", **_NAME_LOOK)
    written: list[int] = []
    for i, name in enumerate(names):
        if len(written) == most:
            break
        text = plain(name, SHORT)
        ruler.set_text(text)
        found = room.best_side(i, np.array(ruler.get_window_extent().size) + 4, away[i] * dot, over)
        if found:
            (x, y), box = found
            look = _NAME_LOOK | {"ha": ("center", "left", "right")[x], "va": ("center", "bottom", "top")[y]}
            shift = tuple(_shift((x, y), away[i]))
            ax.annotate(text, at[i], shift, textcoords="offset points", zorder=4, path_effects=halo, **look)
            room.taken = np.vstack([room.taken, box, room.points[i]])
            written.append(i)
    ruler.remove()
    ax.set_title(title, loc="left")
    return written


def _shift(side: tuple[int, int], away: float) -> np.ndarray:
    """From a point to its name on this side, (2,), at the distance `away`."""
    return np.array(side) * away / np.hypot(*side)


def _meets(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Which of the boxes (b, 4) overlap `box` (4,); x0, y0, x1, y1 each."""
    return np.all((box[2:] >= boxes[:, :2]) & (box[:2] <= boxes[:, 2:]), axis=1)
