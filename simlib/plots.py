"""Pictures of similarities and clusters: one function a picture, each takes `ax=None` and returns the Axes.

S (n, n) holds similarities in [-1, 1], `fit` is a Clustering of the same n items, `names` (n,) are theirs. `ax` is
where to draw; without it a new figure is opened. The title is left to the caller, who knows the finding.
Colours are safe for colour-blind readers and the marker's shape repeats the colour. A medoid is always a ringed star,
a similarity has the same colour in every picture, and n x n pixels are never drawn. Only `style` changes settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import patheffects
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.ticker import MaxNLocator
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import squareform

from simlib import _check
from simlib.choose import KScan, Stability
from simlib.medoids import Clustering

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
SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))  # where a name is tried
LONGEST = 28  # characters of a name that are drawn


def style() -> None:
    """Set size, resolution, fonts and grid for all figures that follow. Call it once, at the top of a notebook."""
    plt.rc("figure", figsize=(8, 4.5), dpi=100)
    plt.rc("figure.constrained_layout", use=True)
    plt.rc("font", size=10)
    plt.rc("axes", titlesize=12, titlelocation="left", grid=True, axisbelow=True)
    plt.rc("axes.spines", top=False, right=False)
    plt.rc("grid", color="#E6E6E6", linewidth=0.8)
    plt.rc(("xtick", "ytick"), labelsize=9)
    plt.rc("legend", fontsize=9)


def similarity_histogram(S: Any, ax: Axes | None = None) -> Axes:
    """Density of the similarities off the diagonal, from at most 500 evenly spaced rows; their mean is marked."""
    ax, S = _axes(ax), np.asarray(S)
    rows = _evenly(len(S), 500)
    sample = S[rows].astype(np.float32)
    edges = np.linspace(-1, 1, 201)
    counts = np.histogram(np.clip(sample, -1, 1), edges)[0] - np.histogram(sample[range(len(rows)), rows], edges)[0]
    pairs = max(counts.sum(), 1)
    ax.stairs(counts / pairs / (edges[1] - edges[0]), edges, fill=True, color=COLOURS[0])
    mean = (sample.sum(dtype=np.float64) - sample[range(len(rows)), rows].sum(dtype=np.float64)) / pairs
    ax.axvline(mean, color=INK, lw=1)
    ax.annotate(
        f"mean {round(float(mean), 2) + 0.0:.2f}",
        (mean, 0.97),
        (5, 0),
        ("data", "axes fraction"),
        "offset points",
        va="top",
    )
    seen = edges[:-1][counts > 0] if counts.any() else edges[:-1]
    ax.set(xlabel="similarity of two items (−1 to 1)", ylabel="density (area = 1)", ylim=(0, None))
    ax.set_xlim(max(seen[0] - 0.05, -1), min(seen[-1] + 0.06, 1))
    return ax


def clusters_2d(points: Any, fit: Clustering, names: Sequence[str] | None = None, ax: Axes | None = None) -> Axes:
    """Points in the plane by cluster, a thin line from each to its medoid.

    Parameters
    ----------
    points : (n, 2)
    names : (n,), optional, written beside the points; beside the medoids only if there are more than 40 points
    """
    ax, points = _axes(ax), np.asarray(points, dtype=float)
    colour, marker = _looks(len(fit.medoids))
    lines = np.stack([points, points[fit.medoids][fit.labels]], axis=1)  # (n, 2, 2)
    ax.add_collection(LineCollection(lines, colors=np.array(COLOURS)[colour[fit.labels]], lw=0.6, alpha=0.5, zorder=1))
    for c, m in sorted(set(zip(colour, marker, strict=True))):
        here = np.flatnonzero((colour[fit.labels] == c) & (marker[fit.labels] == m))
        size = 40 if len(points) <= 200 else 12
        ax.scatter(*points[here].T, s=size, c=COLOURS[c], marker=MARKERS[m], lw=0, zorder=2)
    _stars(ax, points[fit.medoids], 170 if len(fit.medoids) <= 20 else 60)
    ax.set(xlabel="first coordinate", ylabel="second coordinate")
    ax.set_aspect("equal", adjustable="datalim")
    if names is not None:
        shown = np.arange(len(points)) if len(points) <= 40 else fit.medoids
        _label(ax, points[shown], np.asarray(names)[shown], len(shown), np.full(len(shown), 9.0))
    return ax


def history(fits: Mapping[str, Clustering], ax: Axes | None = None) -> Axes:
    """Inertia after each iteration, a line a fit.

    Parameters
    ----------
    fits : dict of name -> Clustering; the names stand at the lines' ends, or in a legend if there are more than ten
    """
    ax, ends = _axes(ax), []
    colour, marker = _looks(len(fits))
    for (name, fit), c, m in zip(fits.items(), colour, marker, strict=True):
        loss = fit.history or (fit.inertia,)
        ax.plot(range(1, len(loss) + 1), loss, color=COLOURS[c], marker=MARKERS[m], ms=5, lw=1.5, label=_plain(name))
        ends.append((loss[-1], len(loss), _plain(name), COLOURS[c]))
    ax.set(xlabel="iteration", ylabel=f"inertia (sum of {_loss(next(iter(fits.values())))})")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if len(ends) > 10:
        for entry in ax.legend(loc="upper right").get_texts():
            entry.set_parse_math(False)
        return ax
    low, high = ax.get_ylim()
    ends.sort(key=lambda end: end[0])
    heights = _apart(np.array([(end[0] - low) / (high - low) for end in ends]), 0.07)
    for (loss, step, name, hue), height in zip(ends, heights, strict=True):
        text = {"color": hue, "va": "center", "parse_math": False}
        link = {"arrowstyle": "-", "color": INK, "lw": 0.7, "ls": ":", "shrinkB": 5}
        ax.annotate(name, (step, loss), (1.03, height), "data", "axes fraction", arrowprops=link, **text)
    ax.set_ylim(low, high)
    return ax


def k_curve(
    scan: KScan, criterion: str, k: int | None = None, null: KScan | None = None, ax: Axes | None = None
) -> Axes:
    """A criterion against the number of clusters, and the same of data without structure beside it.

    Parameters
    ----------
    scan : KScan
    criterion : {"inertia", "medoid_silhouette", "silhouette"}
    k : one of scan.ks, optional, to be ringed
    null : KScan of the shuffled data, optional, a dashed line of its own with a legend
    """
    _check.one_of(criterion, "criterion", tuple(CRITERIA))
    if k is not None and k not in scan.ks:
        raise ValueError(f"k must be one of the scanned {scan.ks.tolist()}, got {k}")
    ax, values = _axes(ax), getattr(scan, criterion)
    ax.plot(scan.ks, values, color=COLOURS[0], marker="o", ms=5, lw=1.5, label="the data")
    if null is not None:
        ax.plot(
            null.ks,
            getattr(null, criterion),
            color=COLOURS[5],
            marker="s",
            ms=4,
            lw=1.2,
            ls="--",
            label="columns shuffled",
        )
        ax.legend(loc="best")
    ax.set_xscale("log", base=2)
    if k is not None:
        ax.axvline(k, color=INK, lw=0.8)
        ax.plot(k, values[scan.ks == k], "o", ms=13, mfc="none", mec=INK, mew=1.8)
    wide = ax.get_position().width * ax.get_figure().get_figwidth()  # inches
    place = np.log2(scan.ks) * 0.85 * wide / max(np.ptp(np.log2(scan.ks)), 1)
    half = 0.045 * (np.array([len(str(each)) for each in scan.ks]) + 1)  # of the labels' widths, with a gap
    ringed = [] if k is None else np.flatnonzero(scan.ks == k).tolist()
    shown = []  # the ringed k, the last k, then from the left whatever does not touch those
    for i in [*ringed, len(place) - 1, *range(len(place))]:
        if all(abs(place[i] - place[other]) >= half[i] + half[other] for other in shown):
            shown.append(i)
    labels = [str(each) if i in shown else "" for i, each in enumerate(scan.ks)]
    ax.set_xticks(scan.ks, labels)
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
    null : dict of k -> Stability of the shuffled data, optional, dashed
    """
    ax = _axes(ax)
    lines = [(scores, "the data", COLOURS[0], "o", "-", 0.97)]
    lines += [] if null is None else [(null, "columns shuffled", COLOURS[5], "s", "--", 1.03)]
    for each, label, colour, marker, dashes, shift in lines:
        ks = np.array(sorted(each))
        at, found = ks * shift, [each[k] for k in ks]  # beside each other, not on top
        ax.plot(at, [s.mean for s in found], color=colour, marker=marker, ms=7, lw=1.5, ls=dashes, label=label)
        ax.vlines(at, [min(s.scores) for s in found], [max(s.scores) for s in found], color=colour, lw=1)
        for x, s in zip(at, found, strict=True):
            ax.plot(np.full(len(s.scores), x), s.scores, marker, color=colour, ms=4, alpha=0.4)
    ax.set_xscale("log", base=2)
    ax.set_xticks(sorted(scores), sorted(scores))
    ax.set_xticks([], minor=True)
    ax.set(xlabel="number of clusters k (log scale)", ylabel="adjusted Rand index (1 = the same clusters)")
    ax.legend(loc="best")
    return ax


def cluster_sizes(fit: Clustering, ax: Axes | None = None) -> Axes:
    """Cluster sizes from largest to smallest as steps; largest, median and smallest written beside them."""
    ax, sizes = _axes(ax), np.sort(fit.sizes)[::-1]
    k = len(sizes)
    ax.stairs(sizes, np.arange(k + 1) + 0.5, fill=True, color=COLOURS[4])
    marks = {k: ("smallest", sizes[-1], "right"), 1: ("largest", sizes[0], "left")}
    if k > 2:
        marks[(k + 1) // 2] = ("median", np.median(sizes), "center")
    for x, (word, size, side) in marks.items():
        ax.plot(x, sizes[x - 1], "o", color=INK, ms=5)
        link = {"arrowstyle": "-", "color": INK, "lw": 0.7}
        shift = ({"left": 6}.get(side, 0), 30)
        ax.annotate(f"{word} {size:,g}", (x, sizes[x - 1]), shift, "data", "offset points", ha=side, arrowprops=link)
    ax.set(xlabel="clusters, largest first", ylabel="size (items)", xlim=(0.5, k + 0.5), ylim=(0, sizes[0] * 1.2))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    return ax


def block_matrix(
    S: Any, fit: Clustering, names: Sequence[str] | None = None, ax: Axes | None = None, side: int = 400
) -> Axes:
    """The matrix put in the order of its clusters, similar clusters side by side, as block means.

    At most 4,000 items, evenly drawn along the order, are averaged; pairs of an item with itself are left out.
    The clusters' order is the optimal leaf ordering of the medoids' average-linkage tree.

    Parameters
    ----------
    names : (n,), optional; up to 30 clusters are parted by lines, and named after their medoids
    side : most blocks along a side
    """
    ax, S, n = _axes(ax), np.asarray(S), len(fit.labels)
    place = np.empty(len(fit.medoids), dtype=int)
    place[_leaf_order(_between(S, fit.medoids))] = np.arange(len(place))
    items = np.lexsort((-fit.closeness, place[fit.labels]))
    drawn = items[_evenly(n, 4000)]
    side = min(side, len(drawn))
    start = np.linspace(0, len(drawn), side, endpoint=False).astype(int)
    count = np.diff(np.append(start, len(drawn)))
    total, pairs = np.empty((side, side)), np.outer(count, count).astype(float)
    for row, (first, c) in enumerate(zip(start, count, strict=True)):
        own = drawn[first : first + c]
        total[row] = np.add.reduceat(S[own[:, None], drawn].sum(axis=0, dtype=np.float64), start)
        if c > 1:
            total[row, row] -= S[own, own].sum(dtype=np.float64)
            pairs[row, row] -= c
    image = ax.imshow(total / pairs, cmap=SIMILARITY, norm=SCALE, extent=(0, n, n, 0), interpolation="nearest")
    mean = " (mean of a block)" if side < n else ""
    ax.get_figure().colorbar(image, ax=ax, label="similarity" + mean)
    ax.set(xlabel="items, cluster by cluster", ylabel="items, cluster by cluster", xlim=(0, n), ylim=(n, 0))
    ax.locator_params(nbins=5)
    if len(place) <= 30:
        ends = np.cumsum(np.bincount(place[fit.labels]))
        ax.hlines(ends[:-1], 0, n, color=INK, lw=0.5)
        ax.vlines(ends[:-1], 0, n, color=INK, lw=0.5)
        if names is not None:
            words = [_plain(names[m]) for m in fit.medoids[np.argsort(place)]]
            ax.set_yticks(ends - np.diff(ends, prepend=0) / 2, words, parse_math=False)
            ax.set_ylabel("clusters, by their medoids")
    ax.grid(False)
    return ax


def medoid_positions(S: Any, fit: Clustering, random_state: int = 0) -> np.ndarray:
    """Places for the medoids so that similar ones lie close together, float64 (k, 2).

    t-SNE of 1 - similarity that starts from classical scaling; below 16 medoids classical scaling alone.
    Neighbourhoods mean something; the axes and the distances across the map do not.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    far = np.clip(1 - _between(S, fit.medoids), 0, None)
    k = len(far)
    centring = np.eye(k) - 1 / k
    values, vectors = np.linalg.eigh(-0.5 * centring @ far**2 @ centring)
    flat = np.zeros((k, 2))
    flat[:, : min(k, 2)] = (vectors * np.sqrt(np.clip(values, 0, None)))[:, ::-1][:, :2]
    flat *= np.where(flat[np.abs(flat).argmax(axis=0), [0, 1]] < 0, -1, 1)
    if k < 16:
        return flat
    start = (flat / max(flat[:, 0].std(), 1e-12) * 1e-4).astype(np.float32)
    model = TSNE(metric="precomputed", init=start, perplexity=min(30, k // 4), random_state=random_state)
    with threadpool_limits(1):  # same places on every machine, and faster: the rounds are too short to share
        return model.fit_transform(far).astype(np.float64)


def medoid_map(
    positions: Any, fit: Clustering, names: Sequence[str], ax: Axes | None = None, labelled: int = 60
) -> Axes:
    """Medoids on a map, the star the larger the larger its cluster; those with their name beside them stand out.

    Set the figure's size before: the names are measured in it.

    Parameters
    ----------
    positions : (k, 2), from `medoid_positions`
    labelled : most names to write, largest clusters first; one without room is left out
    """
    ax, positions = _axes(ax), np.asarray(positions, dtype=float)
    order = np.argsort(-fit.sizes, kind="stable")
    at, sizes, top = positions[order], fit.sizes[order], 200 if len(order) <= 100 else 70
    area = top * (0.15 + 0.85 * sizes / sizes[0])
    _stars(ax, at, area, alpha=0.35)
    unit = "no unit: only neighbourhoods mean something"
    ax.set(xticks=[], yticks=[], xlabel=f"first map axis ({unit})", ylabel="second map axis (no unit)")
    ax.margins(0.06)
    named = _label(ax, at, np.asarray(names)[fit.medoids[order]], labelled, np.sqrt(area) / 2 + 2, over=2)
    _stars(ax, at[named], area[named])
    return ax


def silhouette_bars(values: Any, labels: Any, ax: Axes | None = None) -> Axes:
    """Silhouettes by cluster; dashed: the mean of all.

    Up to 20 clusters: every item a bar, sorted within its cluster. More: each cluster's mean with its middle half.

    Parameters
    ----------
    values : (n,), from `silhouette`
    labels : (n,)
    """
    ax, values = _axes(ax), np.asarray(values, dtype=float)
    known, labels = np.unique(labels, return_inverse=True)
    k, dashed = len(known), {"color": INK, "lw": 1, "ls": "--"}
    groups = [np.sort(values[labels == j]) for j in range(k)]
    if k <= 20:
        at = np.cumsum([0] + [len(group) for group in groups])
        for j, (group, colour) in enumerate(zip(groups, _looks(k)[0], strict=True)):
            ax.stairs(
                group, np.arange(at[j], at[j + 1] + 1), orientation="horizontal", fill=True, color=COLOURS[colour]
            )
        ax.axvline(values.mean(), **dashed)
        middle, words, last = (at[:-1] + at[1:]) / 2, [], -np.inf
        for y, label, group in zip(middle, known, groups, strict=True):
            words.append(f"{label} ({len(group):,})" if y - last > at[-1] / 24 else "")  # no label over another
            last = y if words[-1] else last
        ax.set_yticks(middle, words)
        ax.set(xlabel="silhouette (−1 to 1)", ylabel="cluster (items)", ylim=(at[-1], 0))
        ax.grid(False, axis="y")
        return ax
    groups.sort(key=lambda group: group.mean())
    low, high = np.array([np.quantile(group, [0.25, 0.75]) for group in groups]).T
    ax.vlines(np.arange(1, k + 1), low, high, color=COLOURS[4], lw=max(0.8, 300 / k), label="middle half of the items")
    ax.plot(range(1, k + 1), [group.mean() for group in groups], ".", color=COLOURS[5], ms=4, label="mean of a cluster")
    ax.axhline(values.mean(), label="mean of all items", **dashed)
    ax.set(xlabel="clusters, by mean silhouette", ylabel="silhouette (−1 to 1)", xlim=(0, k + 1))
    ax.legend(loc="upper left")
    return ax


def category_table(labels: Any, categories: Any, ax: Axes | None = None, top: int = 10) -> Axes:
    """Where the items of each category went, when every cluster is named after its commonest category.

    A row is a category and sums to 100 %. A column holds the clusters of one name, the last those of any other name.

    Parameters
    ----------
    labels, categories : (n,)
    top : number of categories shown, the most frequent first
    """
    ax = _axes(ax)
    kinds, kind = np.unique(np.asarray(categories).astype(str), return_inverse=True)
    known, labels = np.unique(labels, return_inverse=True)
    together = np.zeros((len(known), len(kinds)), dtype=np.int64)
    np.add.at(together, (labels, kind), 1)
    spread = np.zeros((len(kinds), len(kinds)))
    np.add.at(spread, together.argmax(axis=1), together)  # cluster's name x item's category
    total = together.sum(axis=0)
    rows = np.argsort(-total, kind="stable")[:top]
    share = 100 * spread[rows][:, rows].T / total[rows, None]
    columns = [_plain(kinds[r]) for r in rows]
    if len(kinds) > len(rows):
        share = np.column_stack([share, 100 - share.sum(axis=1)]).clip(0, 100)
        columns.append("any other")
    image = ax.imshow(share, cmap="Blues", norm=Normalize(0, 100), aspect="auto")
    ax.get_figure().colorbar(image, ax=ax, label="share of the category (%)")
    for (i, j), value in np.ndenumerate(share):
        ax.text(j, i, f"{value:.0f}", ha="center", va="center", fontsize=9, color="white" if value > 55 else INK)
    ax.set_xticks(range(len(columns)), columns, rotation=35, ha="right", rotation_mode="anchor", parse_math=False)
    ax.set_yticks(range(len(rows)), [f"{_plain(kinds[r])} ({total[r]:,})" for r in rows], parse_math=False)
    ax.set(xlabel="commonest category of the item's cluster", ylabel="category (items)")
    ax.grid(False)
    return ax


def similarity_to_medoid(fit: Clustering, names: Sequence[str] | None = None, ax: Axes | None = None) -> Axes:
    """Mean similarity of a cluster's members to their medoid (itself left out) against the cluster's size.

    Parameters
    ----------
    names : (n,), optional; written beside the tightest, the loosest and the largest clusters
    """
    ax, sizes = _axes(ax), fit.sizes
    sums = np.bincount(fit.labels, fit.similarity, len(sizes)) - fit.similarity[fit.medoids]
    several = sizes > 1
    mean = sums[several] / (sizes[several] - 1)
    at = np.column_stack([sizes[several], mean])
    ax.scatter(*at.T, s=22, color=COLOURS[0], alpha=0.6, lw=0)
    ax.set(xlabel="size of the cluster (items)", ylabel="mean similarity to the medoid (−1 to 1)", xlim=(0, None))
    if names is not None:
        order = np.argsort(mean, kind="stable")
        ends = np.concatenate([order[::-1][:4], order[:4], np.argsort(-at[:, 0], kind="stable")[:4]])
        first = list(dict.fromkeys([*ends.tolist(), *order.tolist()]))  # the rest only keeps names off itself
        marks = np.asarray(names)[fit.medoids[several][first]]
        _label(ax, at[first], marks, len(set(ends.tolist())), np.full(len(first), 5.0), over=1)
    return ax


def _axes(ax: Axes | None) -> Axes:
    """The Axes given, or those of a new figure."""
    return plt.subplots()[1] if ax is None else ax


def _evenly(n: int, most: int) -> np.ndarray:
    """At most `most` of the numbers 0..n-1, evenly spaced."""
    return np.arange(n) if n <= most else np.arange(most) * n // most


def _looks(k: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions in COLOURS and in MARKERS for k groups; the pairs differ up to 49, then they come again."""
    j, c = np.arange(k), len(COLOURS)
    return j % c, (j + j // c) % c


def _stars(ax: Axes, at: np.ndarray, area: Any, alpha: float = 1) -> None:
    """Draw medoids at (k, 2): stars in rings of `area` square points."""
    ax.scatter(*at.T, s=area, marker="o", c="white", edgecolors=INK, lw=0.8, zorder=3, alpha=alpha)
    ax.scatter(*at.T, s=np.multiply(area, 0.6), marker="*", c=COLOURS[5], lw=0, zorder=3.1, alpha=alpha)


def _between(S: Any, medoids: np.ndarray) -> np.ndarray:
    """Similarities of the medoids, float64 (k, k)."""
    return np.asarray(S)[medoids[:, None], medoids].astype(np.float64)


def _leaf_order(between: np.ndarray) -> np.ndarray:
    """Positions of medoids in an order that puts similar ones side by side."""
    if len(between) < 3:
        return np.arange(len(between))
    far = squareform(np.clip(1 - between, 0, None), checks=False)
    tree = linkage(far, "average")
    return leaves_list(optimal_leaf_ordering(tree, far) if len(between) <= 1000 else tree)


def _plain(name: Any) -> str:
    """A name that can be drawn as it is: on one line, no control characters, not too long."""
    text = "".join(c if c.isprintable() else "�" for c in str(name))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _apart(heights: np.ndarray, gap: float) -> np.ndarray:
    """Ascending heights moved as little as needed to lie at least `gap` apart."""
    moved = heights.copy()
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + gap)
    return moved - (moved - heights).max() / 2 if len(moved) else moved


def _label(ax: Axes, at: np.ndarray, names: Sequence[str], most: int, away: np.ndarray, over: int = 0) -> list[int]:
    """Write up to `most` names beside points (p, 2), in order; none over another name, a named point or the edge.

    `away` (p,) is the distance from the point in typographic points; a name may cover up to `over` nameless points.
    Room for a title of two lines is kept while measuring, so that a title set later moves no two names together.
    Returns which were written.
    """
    figure, title = ax.get_figure(root=True), ax.get_title(loc="left")
    ax.set_title(title or "\n", loc="left")
    figure.draw_without_rendering()
    dot, places, frame = figure.dpi / 72, ax.transData.transform(at), ax.get_window_extent()
    reach = (0.7 * away * dot)[:, None]
    points = np.hstack([places - reach, places + reach])  # boxes of the points: x0, y0, x1, y1
    look = {"fontsize": 9, "parse_math": False}
    halo = [patheffects.withStroke(linewidth=2.5, foreground="white")]
    ruler, written, taken = ax.text(0, 0, "", **look), [], np.empty((0, 4))
    for i, name in enumerate(map(_plain, names)):
        if len(written) == most:
            break
        ruler.set_text(name)
        size, best = np.array(ruler.get_window_extent().size) + 4, None
        for x, y in () if _meets(points[i], taken).any() else SIDES:
            shift = np.array([x, y]) * away[i] / np.hypot(x, y)
            corner = places[i] + shift * dot + (np.array([x, y]) - 1) / 2 * size
            box = np.concatenate([corner, corner + size])
            inside = (frame.min < box[:2]).all() and (box[2:] < frame.max).all()
            covered = _meets(box, np.delete(points, i, axis=0)).sum()
            if inside and not _meets(box, taken).any() and covered <= over and (best is None or covered < best[0]):
                best = covered, x, y, shift, box
        if best:
            _, x, y, shift, box = best
            side = {"ha": ("center", "left", "right")[x], "va": ("center", "bottom", "top")[y]}
            ax.annotate(name, at[i], shift, textcoords="offset points", zorder=4, path_effects=halo, **side, **look)
            taken = np.vstack([taken, box, points[i]])
            written.append(i)
    ruler.remove()
    ax.set_title(title, loc="left")
    return written


def _meets(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Which of the boxes (b, 4) overlap `box` (4,); x0, y0, x1, y1 each."""
    return ((box[2:] >= boxes[:, :2]) & (box[:2] <= boxes[:, 2:])).all(axis=1)


def _loss(fit: Clustering) -> str:
    """What the inertia of a fit sums up."""
    return "distance" if fit.metric == "precomputed" else "1 − similarity"
