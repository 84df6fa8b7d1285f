"""All items in the plane, from their exact nearest neighbours.

The neighbours are exact and the places are not: no plane has room for the neighbourhoods of many dimensions. So a
measure of what was kept always comes with the places.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.spatial import cKDTree
from threadpoolctl import threadpool_limits

from simlib import _check
from simlib._engine.items import HostItems
from simlib._engine.metrics import METRICS
from simlib._engine.prepare import prepare_host
from simlib._extras import extra
from simlib._stretches import drawn_in, twice_the_middle
from simlib.atlas.nearest import nearest_items

NEIGHBOURS = 15  # of each item, umap-learn's own default
FEW = 50  # fewer items than this are laid out by classical scaling alone
LANDMARKS = 500  # items whose distances to all others say where the layout begins
LONGEST_GAP = 0.05  # of the width or the height of the map, that may be without any item
MIN_DIST, SPREAD = 0.1, 1.0  # umap-learn's own defaults


@dataclass(frozen=True, repr=False)
class Places:
    """Where every item lies on the map; ``np.asarray(places)`` gives the array (n, 2).

    Attributes
    ----------
    xy : float32 (n, 2), without a unit; the longer side of the map is horizontal
    neighbours : int32 (n, m), row numbers of each item's m nearest others, nearest first; m = min(15, n - 1)
    closeness : (n, m), similarity to them, or minus the distance
    kept : float64 (n,), the share of an item's m nearest others that are among its m nearest on the map
    items : the items as they were checked; they hold a reference to A and no copy
    """

    xy: np.ndarray
    neighbours: np.ndarray = field(repr=False)
    closeness: np.ndarray = field(repr=False)
    kept: np.ndarray = field(repr=False)
    items: HostItems = field(repr=False)

    @property
    def faithfulness(self) -> float:
        """Mean of `kept`: 1 if the map kept every neighbourhood."""
        return float(self.kept.mean())

    @property
    def chance(self) -> float:
        """The mean of `kept` that places drawn at random would have."""
        n, m = self.neighbours.shape
        return m / max(n - 1, 1)

    def caption(self) -> str:
        """How faithful the map is, as a sentence.

        Examples
        --------
        >>> import numpy as np
        >>> points = np.array([1.0, 2.0, 4.0, 8.0])
        >>> places(abs(points[:, None] - points), metric="precomputed").caption()
        "Of an item's 3 nearest neighbours, 100 % are among its 3 nearest on the map (at random: 100 %)."
        """
        m = self.neighbours.shape[1]
        if not m:
            return "One item alone has no neighbours."
        kept = f"{100 * self.faithfulness:.0f} % are among its {m} nearest on the map"
        chance = 100 * self.chance
        return f"Of an item's {m} nearest neighbours, {kept} (at random: {chance:.{0 if chance >= 1 else 2}f} %)."

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.xy, dtype=dtype, copy=copy)

    def __len__(self) -> int:
        return len(self.xy)

    def __repr__(self) -> str:
        return f"Places(n={len(self)}, {100 * self.faithfulness:.0f} % of {self.neighbours.shape[1]} neighbours kept)"


def places(A: Any, *, metric: str = "similarity", random_state: Any = 0, progress: bool = False) -> Places:
    """Give every item a place in the plane, so that near neighbours lie near each other.

    Parameters
    ----------
    A, metric : as in `kmedoids`, in the memory of the CPU
    random_state : int
        Seed of the layout.
    progress : bool
        Draw a bar over the items and one over the rounds of the layout.

    Returns
    -------
    Places
        The places (n, 2), the exact neighbours they were made from, and the share of neighbours that the map kept.
        The same A and seed give the same places, whatever the number of threads.

    Raises
    ------
    ValueError, TypeError
        As in `kmedoids`: A is not what `metric` says, or has NaN.
    ImportError
        umap-learn is not installed.

    Notes
    -----
    The 15 nearest neighbours of each item are found exactly, O(n^2) from a matrix and O(n^2 d) from vectors; no matrix
    is made. UMAP lays out their graph on one thread. It starts from classical scaling by 500 landmarks, so that pieces
    of the graph without a link between them still lie where their distances say. Empty stretches across the whole map
    are shortened. Duplicates lie side by side. Fewer than 50 items are laid out by classical scaling alone. Duplicates
    share a place, and only a stretch longer than twice the width of the middle half is shortened. Memory: a block of
    rows, and about 500 bytes an item.

    Neighbourhoods on the map mean something; its axes, distances across it and empty space do not.

    References
    ----------
    McInnes, Healy & Melville, UMAP: Uniform manifold approximation and projection (2018).
    de Silva & Tenenbaum, Sparse multidimensional scaling using landmark points (2004).
    Kobak & Linderman, Initialization is critical for preserving global data structure in t-SNE and UMAP (2021).

    Examples
    --------
    >>> import numpy as np
    >>> points = np.array([1.0, 2.0, 4.0, 8.0])
    >>> places(abs(points[:, None] - points), metric="precomputed").xy[:, 0].round(2)
    array([-2.75, -1.75,  0.25,  4.25], dtype=float32)
    """
    random_state = _check.seed(random_state)
    items = prepare_host(_check.as_host(A, "A"), metric)
    neighbours, closeness = nearest_items(items, min(NEIGHBOURS, items.n - 1))
    rng = np.random.RandomState(random_state)  # the kind of generator that umap-learn takes
    with threadpool_limits(1):  # the same bits on any number of threads
        begin = _scaled_by_landmarks(items, rng)
        if items.n < FEW:
            flat = _turned(begin)
            flat = drawn_in(flat, twice_the_middle(flat))
        else:
            flat = _turned(_laid_out(neighbours, items.base - closeness, begin, rng, progress))
            flat = drawn_in(flat, LONGEST_GAP * np.ptp(flat, axis=0))
    return Places(flat, neighbours, closeness, _kept(flat, neighbours), items)


def _scaled_by_landmarks(items: HostItems, rng: np.random.RandomState) -> np.ndarray:
    """Classical scaling of some items, and all others where their distances to these put them, float64 (n, 2)."""
    chosen = np.sort(rng.choice(items.n, min(items.n, LANDMARKS), replace=False))
    loss = np.clip(items.base - items.closeness(chosen).astype(np.float64), 0, None)  # (l, n)
    squared = loss**2 if METRICS[items.metric.word].of_distances else 2 * loss  # of unit vectors: 2 - 2 cosine
    among = squared[:, chosen]
    mean = among.mean(axis=0)
    values, vectors = np.linalg.eigh(-0.5 * (among - mean - mean[:, None] + mean.mean()))
    flat = np.zeros((items.n, 2))
    for axis in range(min(2, len(chosen))):
        value, vector = values[-1 - axis], vectors[:, -1 - axis]
        if value > 1e-9 * max(values[-1], 1e-300):
            flat[:, axis] = -0.5 * vector @ (squared - mean[:, None]) / np.sqrt(value)
    return flat


def _laid_out(
    neighbours: np.ndarray, distances: np.ndarray, begin: np.ndarray, rng: np.random.RandomState, progress: bool
) -> np.ndarray:
    """UMAP of the graph of nearest neighbours (n, m), which begins at the places `begin` (n, 2)."""
    with extra("workbook", "a map of all items"):
        from umap import umap_
    n, m = neighbours.shape
    itself = np.arange(n, dtype=np.int32)[:, None]  # leads its own list, as umap-learn has it
    index = np.hstack([itself, neighbours])
    far = np.hstack([np.zeros((n, 1)), np.clip(distances, 0, None)]).astype(np.float32)
    graph = umap_.fuzzy_simplicial_set(begin, m + 1, rng, "precomputed", knn_indices=index, knn_dists=far)[0]
    begin = begin + rng.normal(scale=1e-4 * max(np.ptp(begin), 1e-9), size=begin.shape)  # parts duplicates
    a, b = umap_.find_ab_params(SPREAD, MIN_DIST)
    settings = {"n_components": 2, "initial_alpha": 1.0, "a": a, "b": b, "gamma": 1.0, "negative_sample_rate": 5}
    settings |= {"n_epochs": None, "metric": "precomputed", "metric_kwds": {}, "densmap": False, "densmap_kwds": {}}
    bar = {"desc": "layout", "unit": " rounds", "disable": not progress}
    return umap_.simplicial_set_embedding(
        begin, graph, init=begin.astype(np.float32), random_state=rng, output_dens=False, tqdm_kwds=bar, **settings
    )[0]


def _turned(flat: np.ndarray) -> np.ndarray:
    """The same places around the origin, turned so that they spread most from left to right, float32 (n, 2)."""
    flat = flat.astype(np.float64) - flat.mean(axis=0, dtype=np.float64)
    axes = np.linalg.eigh(flat.T @ flat)[1][:, ::-1]
    flat = flat @ axes
    farthest = flat[np.abs(flat).argmax(axis=0), [0, 1]]
    return (flat * np.where(farthest < 0, -1, 1)).astype(np.float32)


def _kept(flat: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """For each item the share of its neighbours (n, m) that are among its m nearest on the map, float64 (n,)."""
    n, m = neighbours.shape
    if not m:
        return np.ones(n)
    found = cKDTree(flat).query(flat, m + 1)[1]
    found[(found != np.arange(n)[:, None]).all(axis=1), -1] = -1  # the item itself, or one too many of the same place
    near = np.where(found == np.arange(n)[:, None], -1, found)
    return sum((neighbours == each[:, None]).sum(axis=1) for each in near.T) / m
