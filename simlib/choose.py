"""Criteria for the number of clusters, and reasons to doubt them. The module shows; it never picks one.

The lowest possible inertia falls as k grows. The silhouette lies in [-1, 1] and the medoid silhouette in [0, 1]; larger
means better separated. The stability of a clustering is an adjusted Rand index: 1 for the same clusters again, and 0
for what chance gives.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from tqdm.auto import tqdm

from simlib import _check, _kinds
from simlib._arrays import as_line, same_fields
from simlib._engine import dual, overlaps, silhouettes, starts
from simlib._engine.items import HostItems
from simlib._engine.metrics import METRICS
from simlib._engine.prepare import prepare_host
from simlib._labels import figures, index_of
from simlib.medoids import Clustering, check_fit, swapped_from

FAINT = 0.25  # Kaufman and Rousseeuw's bound: a mean silhouette below it shows no substantial structure
MOST_ROUNDS = 10**6  # subsamples: what is meant as a seed or as a number of rows is no number of rounds
STRAIGHT = 0.1  # a curve that leaves its chord by less than this share of its height has no elbow


class Pick(NamedTuple):
    """The k that a criterion would take, and what speaks against believing it."""

    criterion: str
    k: int
    value: float
    doubt: str


@dataclass(frozen=True, repr=False, eq=False)
class KScan:
    """One swap-optimal clustering a k, with its criteria; all arrays are (len(ks),).

    ``scan[14]`` is the Clustering of k = 14; the ks are what a loop over a scan goes through.

    Attributes
    ----------
    ks : int64, ascending
    fits : tuple of Clustering
    inertia : float64, sum of 1 - similarity (or of distance) to the own medoid
    medoid_silhouette : float64, mean of 1 - (distance to own medoid) / (distance to the next one)
    silhouette : float64, mean silhouette
    smallest, largest, singletons : int64, cluster sizes and the number of clusters of one
    seconds : float64, time each k took, its bound included
    lower : float64, no clustering into as many clusters has a smaller inertia; None if `bounds` was not asked for
    complete : bool, False if the scan was interrupted and only some of the ks asked for are here
    """

    ks: np.ndarray
    fits: tuple[Clustering, ...]
    inertia: np.ndarray
    medoid_silhouette: np.ndarray
    silhouette: np.ndarray
    smallest: np.ndarray
    largest: np.ndarray
    singletons: np.ndarray
    seconds: np.ndarray
    complete: bool = True
    lower: np.ndarray | None = None

    @property
    def mean_similarity(self) -> np.ndarray:
        """Mean similarity of an item to its own medoid, (len(ks),)."""
        if METRICS[self.fits[0].metric].of_distances:
            raise AttributeError("this scan was made from distances: use .mean_distance")
        return 1 - self.mean_distance

    @property
    def mean_distance(self) -> np.ndarray:
        """Mean distance of an item from its own medoid, or 1 - similarity, (len(ks),)."""
        weight = self.fits[0].sample_weight
        return self.inertia / (len(self.fits[0].labels) if weight is None else weight.sum())

    def __getitem__(self, k: int) -> Clustering:
        """The clustering of k clusters."""
        if k not in self.ks:
            raise KeyError(f"k={k!r} is not among the ks of this scan, {self.ks.tolist()}")
        return self.fits[int(np.flatnonzero(self.ks == k)[0])]

    def __iter__(self) -> Iterator[int]:
        return iter(self.ks.tolist())

    def __eq__(self, other: object) -> bool:
        return same_fields(self, other)

    def to_frame(self) -> Any:
        """The criteria as a pandas DataFrame: a row a k, which is its index, and a column for each array of the scan.

        Examples
        --------
        >>> import numpy as np
        >>> points = np.array([1.0, 2.0, 3.0, 10.0, 11.0, 12.0])
        >>> scan = scan_k(abs(points[:, None] - points), [2, 3], metric="precomputed")
        >>> frame = scan.to_frame()
        >>> print(frame[["inertia", "mean_distance", "singletons"]].round(2))  # doctest: +NORMALIZE_WHITESPACE
           inertia  mean_distance  singletons
        k
        2      4.0           0.67           0
        3      3.0           0.50           1
        """
        import pandas as pd

        mean = "mean_distance" if METRICS[self.fits[0].metric].of_distances else "mean_similarity"
        names = ["inertia", mean, "medoid_silhouette", "silhouette", "smallest", "largest", "singletons", "seconds"]
        names += [] if self.lower is None else ["lower"]
        return pd.DataFrame({name: getattr(self, name) for name in names}, index=pd.Index(self.ks, name="k"))

    def table(self) -> str:
        """The criteria as text, a line a k (without the seconds, so that it is the same every time)."""
        far = METRICS[self.fits[0].metric].of_distances
        means = self.mean_distance if far else self.mean_similarity
        head = "     k   inertia  {:>15}  medoid silhouette  silhouette  smallest  largest  singletons"
        lines = [head.format("mean distance" if far else "mean similarity")]
        columns = (self.ks, self.inertia, means, self.medoid_silhouette, self.silhouette)
        for k, inertia, *scores, low, high, single in zip(
            *columns, self.smallest, self.largest, self.singletons, strict=True
        ):
            mean, by_medoids, by_items = (figures(score, 4) for score in scores)
            loss = figures(inertia, 2)
            lines.append(f"{k:6d} {loss:>9} {mean:>16} {by_medoids:>18} {by_items:>11} {low:9d} {high:8d} {single:11d}")
        return "\n".join(lines)

    def picks(self, null: KScan | None = None) -> tuple[Pick, ...]:
        """What each criterion would take for k, and how far it can be believed; nobody has to follow.

        Parameters
        ----------
        null : KScan, optional
            A scan of the same data with its structure destroyed (`shuffle_columns`). A criterion that is no better
            than on such data has found nothing.

        Returns
        -------
        tuple of Pick
            For the inertia the elbow: the k at which the curve over log k lies farthest below the line between its
            ends. For the silhouettes the largest value.

        Examples
        --------
        >>> import numpy as np
        >>> points = np.array([1.0, 2.0, 3.0, 10.0, 11.0, 12.0, 30.0, 31.0, 32.0])
        >>> scan = scan_k(abs(points[:, None] - points), [2, 3, 4], metric="precomputed")
        >>> for pick in scan.picks():
        ...     print(pick.criterion, pick.k, pick.doubt)
        inertia 3 the elbow is 37 % of the curve's height deep
        medoid_silhouette 3 the next best, k = 4, is 0.031 lower
        silhouette 3 the next best, k = 2, is 0.064 lower
        """
        if null is not None:
            _kinds.instance(null, "null", KScan, "scan_k")
        return (_elbow(self), *(_peak(name, self, null) for name in ("medoid_silhouette", "silhouette")))

    def __repr__(self) -> str:
        rest = "" if self.complete else ", interrupted"
        return f"KScan(ks={self.ks.tolist()}, n={len(self.fits[0].labels)}{rest})"


def _elbow(scan: KScan) -> Pick:
    """Where the inertia bends most."""
    x, y = np.log(scan.ks), scan.inertia
    depth = np.zeros(len(x))
    if len(x) > 2 and y[0] > y[-1]:
        depth = 1 - (x - x[0]) / (x[-1] - x[0]) - (y - y[-1]) / (y[0] - y[-1])
    i = int(depth.argmax())
    doubt = f"the elbow is {100 * depth[i]:.0f} % of the curve's height deep"
    if depth[i] < STRAIGHT:
        doubt = f"no elbow: the curve over log k leaves a straight line by {100 * depth[i]:.0f} % of its height"
    return Pick("inertia", int(scan.ks[i]), float(y[i]), doubt)


def _peak(name: str, scan: KScan, null: KScan | None) -> Pick:
    """Where a silhouette is largest."""
    values = getattr(scan, name)
    i = int(values.argmax())
    doubts = []
    if null is not None:
        reached = getattr(null, name).max()
        better = "no better than shuffled data, which reach" if values[i] <= reached else "shuffled data reach"
        doubts.append(f"{better} {reached:.3f}")
    if len(values) == 1:
        doubts.append("nothing to compare with")
    elif i in (0, len(values) - 1):
        doubts.append(f"no peak: it is at the {'low' if i == 0 else 'high'} end of the scan")
    if name == "silhouette" and values[i] < FAINT:
        doubts.append(f"below {FAINT} it shows no substantial structure")
    if len(values) > 1:
        other = np.delete(np.arange(len(values)), i)
        j = other[values[other].argmax()]
        doubts.append(f"the next best, k = {scan.ks[j]}, is {values[i] - values[j]:.3f} lower")
    return Pick(name, int(scan.ks[i]), float(values[i]), "; ".join(doubts))


def scan_k(
    A: Any,
    ks: Sequence[int],
    *,
    metric: str = "similarity",
    random_state: Any = 0,
    progress: bool = False,
    sample_weight: Any = None,
    bounds: bool = False,
) -> KScan:
    """Cluster once for each k and collect what speaks for and against it.

    Parameters
    ----------
    A, metric : as in `kmedoids`
    ks : distinct whole numbers between 2 and n - 1, in any order
    random_state : int, None, or a generator of NumPy
        Checked but not used: the greedy start and the way down from it are deterministic.
    progress : bool
        Draw a bar over the ks.
    sample_weight : numbers (n,), optional
        How much each item counts in the inertia and in the mean silhouettes, as in `kmedoids` and `silhouette`. The
        sizes of clusters count items.
    bounds : bool
        Also find, for each k, an inertia that no clustering can fall below (see `optimality_gap`).

    Returns
    -------
    KScan
        ks ascending; every fit swap-optimal. Interrupted (KeyboardInterrupt) after the first k is done, the ks done
        so far, with ``complete`` False; before that the interrupt goes on to the caller.

    Raises
    ------
    ValueError, TypeError
        As `kmedoids`; ks empty, repeated, out of range or not whole numbers.

    Notes
    -----
    It goes down from the largest k, whose start is greedy (`init="build"`). Every smaller k starts from its larger
    neighbour, less the medoids whose loss costs least, and is then improved by swaps. Clusterings of neighbouring ks
    have most medoids in common. Their prices are similar too, and each bound starts from those of its neighbour.
    Each k costs its swaps (`kmedoids`), one pass over the matrix for the silhouette, and O(n k) memory. The matrix of
    vectors is made once for all ks if it takes less than 4 GB and half of the free memory. A bound costs about three
    quarters of what `optimality_gap` costs: a second at 20,000 items and many clusters, more where there are few.

    Examples
    --------
    >>> import numpy as np
    >>> points = np.array([1.0, 2.0, 3.0, 10.0, 11.0, 12.0])
    >>> scan = scan_k(abs(points[:, None] - points), [2, 3], metric="precomputed")
    >>> print(scan.inertia, scan.silhouette.round(2))
    [4. 3.] [0.85 0.5 ]
    """
    _check.seed(random_state)
    _kinds.flag(progress, "progress")
    _kinds.flag(bounds, "bounds")
    A, index = _check.as_host(A, "A"), index_of(A)
    ks = _check.some_ks(ks, A.shape[0])
    weight = _check.weights(sample_weight, A.shape[0])
    items = prepare_host(A, metric).weighted(weight).at_hand(progress)  # once for all ks

    limit: np.ndarray | None = None  # what the bound of the k before left behind

    def one_k(k: int, larger: Clustering | None) -> tuple:
        nonlocal limit
        began = time.perf_counter()
        fit, *means = _one_k(items, k, None if larger is None else larger.medoids)
        lower = np.nan
        if bounds:
            lower, limit = dual.lower(items, fit.medoids, limit)
        return fit, *means, lower, time.perf_counter() - began

    scan = scanned(from_the_largest(ks, one_k, progress), len(ks))
    return replace(scan, fits=tuple(replace(fit, index=index) for fit in scan.fits))


def from_the_largest(
    ks: Sequence[int], one_k: Callable[[int, Clustering | None], tuple], progress: bool
) -> list[tuple]:
    """What `one_k` makes of each k, ks ascending; of the largest first, and of each smaller k from the fit before it.

    An interrupt ends it early, if anything is done by then.
    """
    done: list[tuple] = []
    with tqdm(desc="scan", total=len(ks), unit="k", disable=not progress) as bar:
        try:
            for k in reversed(ks):
                bar.set_postfix_str(f"k = {k}")
                done.append(one_k(k, done[-1][0] if done else None))
                bar.update()
        except KeyboardInterrupt:
            if not done:
                raise
    return done[::-1]


def scanned(done: list[tuple], asked: int) -> KScan:
    """The scan of what was done, ks ascending: fit, its two silhouettes, its bound (NaN if there is none), seconds."""
    fits, medoid_silhouettes, silhouettes, lowers, seconds = zip(*done, strict=True)
    sizes = [fit.sizes for fit in fits]
    return KScan(
        np.array([len(fit.medoids) for fit in fits]),
        fits,
        np.array([fit.inertia for fit in fits]),
        np.array(medoid_silhouettes),
        np.array(silhouettes),
        np.array([s.min() for s in sizes]),
        np.array([s.max() for s in sizes]),
        np.array([np.sum(s == 1) for s in sizes]),
        np.array(seconds),
        len(done) == asked,
        # What no k clusters can fall below, fewer cannot either.
        None if np.isnan(lowers[0]) else np.maximum.accumulate(lowers[::-1])[::-1],
    )


def _one_k(items: HostItems, k: int, larger: np.ndarray | None) -> tuple[Clustering, float, float]:
    """The fit for k, from the medoids of a larger one if there is one, and its two mean silhouettes."""
    begin = starts.build(items, k) if larger is None else starts.fewer(items, larger, k)
    fit = swapped_from(items, begin)
    by_medoids = silhouettes.medoid_silhouette(items, fit.medoids)
    return fit, by_medoids, float(np.average(silhouettes.silhouette(items, fit.labels, k), weights=items.weight))


def silhouette(A: Any, labels: Any, *, metric: str = "similarity", sample_weight: Any = None) -> np.ndarray:
    """Silhouette of every item: does it sit closer to its own cluster than to the next one?

    Let a be the mean distance to the other members of the own cluster, and b the smallest mean distance to
    another cluster. The silhouette is (b - a) / max(a, b), and 0 in a cluster of one.

    Parameters
    ----------
    A, metric : as in `kmedoids`; for similarities the distance is 1 - similarity
    labels : integers (n,), or a Clustering of the n items
        At least two different ones.
    sample_weight : numbers (n,), optional
        How much each item counts in the means: one of weight 3 like three equal rows, of which one is the item itself.
        An item's own weight above 1 counts among the others of its cluster.

    Returns
    -------
    float64 (n,)
        In [-1, 1]; their mean is ``np.average(scores, weights=sample_weight)``.

    Raises
    ------
    ValueError, TypeError
        Labels of the wrong length or kind, only one cluster, weights that are not as in `kmedoids`, or only one cluster
        with a weight.

    Notes
    -----
    O(n^2) for a matrix, at about the speed of memory, O(n k d) for vectors; memory O(n k), at most 256 MB.
    Source: Rousseeuw, J. Comput. Appl. Math. 20 (1987).

    Examples
    --------
    >>> import numpy as np
    >>> points = np.array([0.0, 1.0, 10.0])
    >>> print(silhouette(abs(points[:, None] - points), [0, 0, 1], metric="precomputed").round(2))
    [0.9  0.89 0.  ]
    """
    if isinstance(labels, Clustering):
        check_fit(labels)
        labels = labels.labels
    labels = as_line(labels, "labels")
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise TypeError(f"labels must be whole numbers (n,), got {labels.dtype} {labels.shape}")
    A = _check.as_host(A, "A")
    if len(labels) != A.shape[0]:
        raise ValueError(f"labels must have one entry a row, {A.shape[0]}, got {len(labels)}")
    values, labels = np.unique(labels, return_inverse=True)
    if len(values) < 2:
        raise ValueError("a silhouette compares clusters: labels must hold at least 2, got 1")
    weight = _check.weights(sample_weight, A.shape[0])
    if weight is not None and np.count_nonzero(np.bincount(labels, weight)) < 2:
        raise ValueError("a silhouette compares clusters: at least 2 must hold an item of weight above 0, got 1")
    return silhouettes.silhouette(prepare_host(A, metric).weighted(weight), labels, len(values))


class Stability(NamedTuple):
    """How much of a clustering comes back: mean and standard deviation of the scores, adjusted Rand indices.

    `jaccard` says it for the cluster of each of the `medoids`: the mean, over the subsamples, of its largest Jaccard
    overlap with one of theirs, in [0, 1]. A subsample without items of the cluster does not count; nan if all are so.
    """

    mean: float
    spread: float
    scores: tuple[float, ...]
    medoids: tuple[int, ...] = ()
    jaccard: tuple[float, ...] = ()


def stability(
    A: Any,
    k: int,
    *,
    metric: str = "similarity",
    rounds: int = 10,
    share: float = 0.5,
    random_state: Any = 0,
    progress: bool = False,
) -> Stability:
    """How much of a clustering into k survives when only some of the items are seen.

    All items are clustered, then random subsamples of them; each subsample's clusters are compared with the clusters
    of all, on the items that were drawn.

    Parameters
    ----------
    A, metric : as in `kmedoids`
    k : int
        Clusters, from 2 to the size of a subsample.
    rounds : int
        Subsamples.
    share : float
        Of the items in a subsample, between 0 and 1.
    random_state : int, None, or a generator of NumPy
        Seed of the subsamples and of the starts, as in `kmedoids`.
    progress : bool
        Draw a bar over the rounds.

    Returns
    -------
    Stability
        Adjusted Rand indices: 1 when a subsample gives the same clusters, about 0 when it gives what chance would.
        And how much of each cluster comes back: a mean overlap of 0.75 and more is called stable.

    Raises
    ------
    ValueError, TypeError
        As `kmedoids`; k larger than a subsample, `share` not between 0 and 1.
    MemoryError
        A subsample's matrix does not fit in memory.

    Notes
    -----
    rounds + 1 fits and, for a matrix, share^2 of it in memory. A high score says that the data keep giving these
    clusters, not that they are natural: an even cloud cut by its outline is stable too. Sources: Ben-Hur, Elisseeff &
    Guyon (2002); von Luxburg, Clustering stability: an overview (2010); Hubert & Arabie (1985) for the index. Hennig
    (2007), Cluster-wise assessment of cluster stability, for the overlaps and the bound of 0.75.

    Examples
    --------
    >>> import numpy as np
    >>> points = np.concatenate([10.0 * i + np.linspace(0, 1, 20) for i in range(3)])
    >>> print(stability(abs(points[:, None] - points), 3, metric="precomputed").mean)
    1.0
    """
    from sklearn.metrics import adjusted_rand_score

    _kinds.flag(progress, "progress")
    rounds = _check.whole_number(rounds, "rounds", 1, MOST_ROUNDS)
    random_state = _check.seed(random_state)
    A = _check.as_host(A, "A")
    if isinstance(share, bool) or not isinstance(share, int | float | np.number) or not 0 < share < 1:
        raise ValueError(f"share must be a number between 0 and 1, got {_kinds.shown(share)}")
    size = int(share * A.shape[0])
    k = _check.whole_number(k, "k", 2, size, f" (the {size} items in a subsample)")
    items = prepare_host(A, metric)
    need = items.subset_bytes(size)
    _check.memory(need, f"a subsample of {size} items", "a smaller share, or metric='cosine' on vectors")
    draws = [np.random.default_rng([random_state, i]) for i in range(rounds + 1)]
    whole = swapped_from(items, draws[0].choice(items.n, k, replace=False))
    scores, best = [], []
    for draw in tqdm(draws[1:], "stability", unit="subsample", disable=not progress):
        rows = np.sort(draw.choice(items.n, size, replace=False))
        fit = swapped_from(items.subset(rows), draw.choice(size, k, replace=False))
        scores.append(float(adjusted_rand_score(whole.labels[rows], fit.labels)))
        seen, again = (overlaps.by_labels(labels, k) for labels in (whole.labels[rows], fit.labels))
        best.append(overlaps.compare(seen, again, np.zeros(size))[0])
    counted = np.isfinite(best).sum(axis=0)
    jaccard = np.divide(np.nansum(best, axis=0), counted, out=np.full(k, np.nan), where=counted > 0)
    medoids = tuple(whole.medoids.tolist())
    return Stability(float(np.mean(scores)), float(np.std(scores)), tuple(scores), medoids, tuple(jaccard.tolist()))


def shuffle_columns(X: Any, random_state: Any = 0) -> np.ndarray:
    """Vectors without structure: each column of X in an order of its own.

    Every column keeps its values, so lengths and spread stay what they were; what the columns had to do with one
    another is gone. A criterion that likes k on such data likes it for no reason.

    Parameters
    ----------
    X : array (n, d)
    random_state : int, None, or a generator of NumPy
        Seed, as in `kmedoids`.

    Returns
    -------
    ndarray (n, d)
        A copy, of the dtype of X.

    Examples
    --------
    >>> import numpy as np
    >>> print(shuffle_columns(np.array([[1, 10], [2, 20], [3, 30]])))
    [[ 3 30]
     [ 1 20]
     [ 2 10]]
    """
    rng = np.random.default_rng(_check.seed(random_state))
    return rng.permuted(_check.as_array(X, "X"), axis=0)
