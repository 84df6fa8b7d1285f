"""Maps: the medoids alone, all items, and the tree of the exemplars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from scipy.cluster.hierarchy import dendrogram, linkage, optimal_leaf_ordering
from scipy.spatial.distance import squareform

from simlib import _cards, _check
from simlib._beside import data_of
from simlib._labels import SHORT, names_of, plain
from simlib._regions import LIGHT as REGIONS
from simlib._regions import regions
from simlib._stretches import drawn_in, twice_the_middle
from simlib.medoids import Clustering, check_fit
from simlib.plots.given import as_names, check_places, plane
from simlib.plots.look import INK, loss_of, new_axes, stars
from simlib.plots.names import write_names


def medoid_positions(S: Any, fit: Clustering, random_state: int = 0) -> np.ndarray:
    """Places for the medoids so that similar ones lie close together, float64 (k, 2).

    They are laid out by t-SNE of 1 - similarity, or of the distances, which starts from classical scaling; fewer than
    16 medoids by classical scaling alone, where a few far from all others are drawn closer. Neighbourhoods mean
    something; the axes and the distances across the map do not.

    Parameters
    ----------
    S : array
        What `fit` was made from: similarities or distances (n, n), or vectors (n, d).
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    random_state = _check.whole_number(random_state, "random_state", 0, 2**32 - 1)
    data = data_of(S, fit)
    far = data.losses(fit.medoids, fit.medoids)
    flat = _classical_scaling(far)
    if len(far) < 16:
        return drawn_in(flat, twice_the_middle(flat))
    start = (flat / max(flat[:, 0].std(), 1e-12) * 1e-4).astype(np.float32)
    model = TSNE(metric="precomputed", init=start, perplexity=min(30, len(far) // 4), random_state=random_state)
    if data.metric.of_distances:
        far /= far.max() or 1.0  # in any unit
    with threadpool_limits(1):  # the same places on every machine, and faster: the rounds are too short to share
        return model.fit_transform(far).astype(np.float64)


def medoid_map(
    positions: Any, fit: Clustering, names: Sequence[str], ax: Axes | None = None, labelled: int = 60
) -> Axes:
    """Medoids as stars on a map: a larger cluster has a larger star, and the stars that have a name stand out.

    Only neighbourhoods mean something, so the map has no axes.
    Set the size of the figure before, because the names are measured in it.

    Parameters
    ----------
    positions : (k, 2), from `medoid_positions`
    names : (n,)
    labelled : int
        The most names to write, largest clusters first; a name that finds no room is left out.
    """
    ax = new_axes(ax)
    check_fit(fit)
    labelled = _check.whole_number(labelled, "labelled", 0)
    order = _cards.largest_first(fit)
    at = plane(positions, "positions", len(order))[order]
    sizes = fit.sizes[order]
    top = 200 if len(order) <= 100 else 70
    area = top * (0.15 + 0.85 * sizes / sizes[0])
    stars(ax, at, area, alpha=0.35)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.margins(0.06)
    named = write_names(
        ax, at, as_names(names, len(fit.labels))[fit.medoids[order]], labelled, np.sqrt(area) / 2 + 2, over=2
    )
    stars(ax, at[named], area[named])
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
    check_places(places, fit)
    labelled = _check.whole_number(labelled, "labelled", 0)
    ax = new_axes(ax)
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
        top = top[
            write_names(ax, at[top], [words[row] for row in top], labelled, np.full(len(top), 7.0), over=len(top))
        ]
    stars(ax, at[top[:labelled]], 60)
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
    check_places(places, fit)
    top = np.sort(_cards.largest_first(fit)[: _check.whole_number(shown, "shown", 2)])
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
    ax.set(xlim=(1.03 * highest or 1, 0), ylim=(0, 10 * len(rows)), xlabel=f"mean {loss_of(fit)} of two branches")
    ax.yaxis.tick_right()
    ax.tick_params(axis="y", length=0)
    ax.spines[:].set_visible(False)
    ax.grid(False, axis="y")
    return ax


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
