"""k-medoids: clusters around k of the items themselves, from any similarity or distance.

A is n x n, an item a row and a column: with ``metric="similarity"`` larger is closer, with ``metric="precomputed"``
these are distances. Or A is n x d vectors (``metric="cosine"`` or ``"correlation"``). A medoid is the row number
of an item; a label is a position 0..k-1 in the list of medoids. The loss, called inertia, is the sum over items of
1 - similarity, or of the distance, to their own medoid. Ties go to the lowest index; sums over items are float64.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from simlib import _check, _kinds
from simlib._arrays import same_fields
from simlib._engine import search, starts
from simlib._engine.items import HostItems, Items
from simlib._engine.kernels.sums import best_members
from simlib._engine.metrics import METRICS
from simlib._engine.prepare import memory_explained, prepare, prepare_host
from simlib._engine.progress import Callback, Progress
from simlib._engine.search import Found
from simlib._engine.starts import Constraints
from simlib._labels import figures, index_of
from simlib.similarity import SIMILARITIES

METHODS = ("fasterpam", "alternate")
UNITS = {"fasterpam": "passes", "alternate": "iterations"}  # what a bar counts
MAX_ITER = 300
MOST_STARTS = 10**6  # of `n_init`: what is meant as a seed or as a number of rows is no number of starts
PREDICTED = 10_000  # rows whose similarities to the medoids are held at once


@dataclass(frozen=True, repr=False, eq=False)
class Clustering:
    """k medoids and who belongs to them.

    Attributes
    ----------
    medoids : int64 (k,), the row numbers of the centres, distinct
    labels : int32 (n,), position in `medoids`; labels[medoids[j]] == j; -1 for an item that `noise_price` left out
    closeness : (n,), similarity of each item to its own medoid, or minus the distance
    inertia : float, the sum over items of 1 - similarity, or of the distance, to their own medoid; an item that was
        left out counts with `noise_price`
    n_iter, n_swaps : int, iterations (for swaps: passes over the items) and swaps made
    converged : bool, False if `max_iter` stopped the search
    history : tuple of float, the inertia after each iteration; perturbations that lowered it count as one more
    metric : str
    centres : (k, d) vectors of the medoids for the metrics on vectors, else None
    spread : tuple of float, the inertia at each of the `n_init` ends
    unit : float, the self-similarity that the similarities were divided by; 1 where each item has 1 to itself
    sample_weight : float64 (n,), how much each item counts in the inertia, or None: all count once
    index : the index of the pandas frame that A was, else None
    noise_price : float, what it cost to leave an item out, or None: all items are in a cluster
    """

    medoids: np.ndarray
    labels: np.ndarray
    closeness: np.ndarray = field(repr=False)
    inertia: float
    metric: str
    n_iter: int = 0
    n_swaps: int = 0
    converged: bool = True
    history: tuple[float, ...] = ()
    centres: np.ndarray | None = None
    spread: tuple[float, ...] = ()
    unit: float = 1.0
    sample_weight: np.ndarray | None = field(default=None, repr=False)
    index: Any = None
    noise_price: float | None = None

    @property
    def similarity(self) -> np.ndarray:
        """Similarity of each item to its own medoid, (n,)."""
        if METRICS[self.metric].of_distances:
            raise AttributeError("this clustering was made from distances: use .distance")
        return self.closeness

    @property
    def distance(self) -> np.ndarray:
        """Distance of each item to its own medoid, or 1 - similarity, (n,)."""
        return METRICS[self.metric].base - self.closeness

    @property
    def sizes(self) -> np.ndarray:
        """Number of items in each cluster, int64 (k,)."""
        return np.bincount(self.labels[self.labels >= 0], minlength=len(self.medoids))

    @property
    def noise(self) -> np.ndarray:
        """Row numbers of the items that were left out, ascending: their label is -1."""
        return np.flatnonzero(self.labels < 0)

    def members(self, j: int) -> np.ndarray:
        """Row numbers of cluster j, the closest to its medoid first (the medoid itself leads)."""
        rows = np.flatnonzero(self.labels == _check.whole_number(j, "j", 0, len(self.medoids) - 1))
        order = np.lexsort((rows, -self.closeness[rows], rows != self.medoids[j]))
        return rows[order]

    def table(self, labels: Any = None) -> Any:
        """One row an item, as a pandas DataFrame: the columns of a report's list of items.

        Parameters
        ----------
        labels : n names, optional
            Default: the index of the frame that A was, else the row numbers.

        Returns
        -------
        DataFrame
            Its index, ``row``, is the row number. ``item`` is the label, ``cluster`` the position in `medoids`,
            ``exemplar`` the label of the own medoid. ``similarity`` to it, or ``distance`` from it, comes next.
            ``rank`` is the item's place in ``members(cluster)``: 0 for the medoid, then the closest. An item that was
            left out has cluster and rank -1 and no exemplar; its similarity is that to the closest medoid.

        Raises
        ------
        ValueError
            `labels` has not one entry an item.

        Examples
        --------
        >>> import numpy as np
        >>> points = np.array([1.0, 2.0, 4.0, 10.0, 11.0])
        >>> fit = kmedoids(abs(points[:, None] - points), 2, metric="precomputed", init="build")
        >>> print(fit.table(list("abcde")))  # doctest: +NORMALIZE_WHITESPACE
            item  cluster exemplar  distance  rank
        row
        0      a        0        b       1.0     1
        1      b        0        b       0.0     0
        2      c        0        b       2.0     2
        3      d        1        d       0.0     0
        4      e        1        d       1.0     1
        """
        import pandas as pd

        item = self._named(labels)
        rank = np.full(len(self.labels), -1)
        for j, size in enumerate(self.sizes):
            rank[self.members(j)] = np.arange(size)
        of_distances = METRICS[self.metric].of_distances
        columns = {
            "item": item,
            "cluster": self.labels,
            "exemplar": self._exemplars(item),
            METRICS[self.metric].entry: self.distance if of_distances else self.similarity,
            "rank": rank,
        }
        return pd.DataFrame(columns, index=pd.RangeIndex(len(item), name="row"))

    def _exemplars(self, item: Any) -> Any:
        """The own medoid's entry of the index `item` (n,), or None for an item that was left out."""
        own = item[self.medoids[self.labels]]
        return own if not self.noise.size else own.astype(object).where(self.labels >= 0, None)

    def clusters(self, labels: Any = None, *, silhouettes: Any = None, certainty: Any = None) -> Any:
        """One row a cluster, as a pandas DataFrame: the columns of a report's list of clusters.

        Parameters
        ----------
        labels : n names, optional
            Default: the index of the frame that A was, else the row numbers.
        silhouettes : numbers (n,), optional
            What `silhouette` gives for this clustering, in [-1, 1].
        certainty : numbers (n,), optional
            What `ensemble` gives as ``certainty``, in [0, 1].

        Returns
        -------
        DataFrame
            Its index, ``cluster``, is the position in `medoids`. ``exemplar`` is the label of the medoid, ``size`` the
            number of items. ``similarity``, or ``distance``, is the mean over the members without the medoid, and NaN
            in a cluster of one item. ``silhouette`` and ``certainty`` are means over all members, where they are
            given. ``members`` is a list of labels, the medoid first, then the closest.

        Raises
        ------
        TypeError, ValueError
            `labels`, `silhouettes` or `certainty` has not one entry an item, or one of the numbers is not finite.

        Notes
        -----
        O(n k) time and O(n) memory.

        Examples
        --------
        >>> import numpy as np
        >>> points = np.array([1.0, 2.0, 4.0, 10.0, 11.0])
        >>> fit = kmedoids(abs(points[:, None] - points), 2, metric="precomputed", init="build")
        >>> print(fit.clusters(list("abcde")))  # doctest: +NORMALIZE_WHITESPACE
                exemplar  size  distance    members
        cluster
        0              b     3       1.5  [b, a, c]
        1              d     2       1.0     [d, e]
        """
        import pandas as pd

        item, metric = self._named(labels), METRICS[self.metric]
        entries = self.distance if metric.of_distances else self.similarity
        members = [self.members(j) for j in range(len(self.medoids))]
        columns: dict[str, Any] = {
            "exemplar": item[self.medoids],
            "size": self.sizes,
            metric.entry: [entries[rows[1:]].mean() if len(rows) > 1 else np.nan for rows in members],
        }
        for name, given in (("silhouettes", silhouettes), ("certainty", certainty)):
            if given is not None:
                values = _check.numbers_a_row(given, name, len(item))
                columns[name.removesuffix("s")] = [values[rows].mean() for rows in members]
        columns["members"] = [item[rows].tolist() for rows in members]
        return pd.DataFrame(columns, index=pd.RangeIndex(len(members), name="cluster"))

    def _named(self, labels: Any) -> Any:
        """The names of the items as an index of pandas: those given, else those of the frame, else the row numbers."""
        import pandas as pd

        if labels is None:
            labels = np.arange(len(self.labels)) if self.index is None else self.index
        if len(labels) != len(self.labels):
            raise ValueError(f"labels must have one entry an item, {len(self.labels)}, got {len(labels)}")
        kind = getattr(labels, "dtype", np.dtype(object))
        # Text of pandas' own type refuses half characters, which a label from a file may hold.
        return pd.Index(labels, dtype=object if kind.kind == "U" else kind)

    def predict(self, A: Any) -> np.ndarray:
        """Labels int32 (m,) of new items: their vectors (m, d), or their closeness to the medoids (m, k).

        After ``metric="cosine"`` or ``"correlation"`` the rows are vectors. After ``"similarity"`` they are
        similarities to the medoids, after ``"precomputed"`` distances from them.
        """
        if self.centres is not None:
            return self._by_centres(A.tocsr() if _check.is_sparse(A) else _check.as_array(A, "A"))
        rows = _check.as_array(A, "A")
        _check.finite_rows(np.isfinite(rows).all(axis=1), "A")
        if rows.shape[1] != len(self.medoids):
            raise ValueError(_not_to_medoids(self, rows.shape[1]))
        best = rows.argmin(axis=1) if METRICS[self.metric].of_distances else rows.argmax(axis=1)
        return best.astype(np.int32)

    def _by_centres(self, rows: Any) -> np.ndarray:
        """Labels int32 (m,) of vectors (m, d), a part at a time."""
        centres: Any = self.centres
        if rows.shape[1] != centres.shape[1]:
            d = centres.shape[1]
            raise ValueError(f"A must hold vectors of {d} numbers, as in the fit, got {rows.shape[1]} columns")
        if not _check.is_sparse(rows):
            _check.finite_rows(np.isfinite(rows).all(axis=1), "A")
        compare, parts = SIMILARITIES[self.metric], range(0, rows.shape[0], PREDICTED)
        best = (compare(rows[i : i + PREDICTED], centres).argmax(axis=1) for i in parts)
        return np.concatenate([part.astype(np.int32) for part in best])

    def __eq__(self, other: object) -> bool:
        return same_fields(self, other)

    def __repr__(self) -> str:
        end = "converged" if self.converged else "stopped by max_iter"
        end += "" if self.unit == 1 else f", similarities divided by {self.unit:g}"
        end += "" if self.noise_price is None else f", {len(self.noise)} items left out at {self.noise_price:g} each"
        return (
            f"Clustering(k={len(self.medoids)}, n={len(self.labels)}, inertia={figures(self.inertia, 4)}, "
            f"{self.n_iter} iterations, {self.n_swaps} swaps, {end})"
        )


def _not_to_medoids(fit: Clustering, columns: int) -> str:
    """What to say when new items did not come as their closeness to the medoids of a matrix."""
    k, of_distances = len(fit.medoids), METRICS[fit.metric].of_distances
    entries = "distances from" if of_distances else "similarities to"
    call = "cosine_similarity(new, X[fit.medoids])"
    if of_distances:
        call = "sklearn.metrics.pairwise_distances(new, X[fit.medoids])"
    return (
        f"this clustering was made from a matrix, so A must hold the {entries} its {k} medoids, one column a medoid, "
        f"got {columns} columns. From vectors new and X: fit.predict({call}). Or cluster the vectors themselves, "
        f'fit = kmedoids(X, {k}, metric="cosine"): then fit.predict(new) takes vectors'
    )


def kmedoids(
    A: Any,
    n_clusters: int,
    *,
    metric: str = "similarity",
    method: str = "fasterpam",
    init: Any = "random",
    n_init: int = 1,
    random_state: Any = 0,
    max_iter: int = MAX_ITER,
    progress: bool = False,
    callback: Callback | None = None,
    sample_weight: Any = None,
    must: Any = None,
    never: Any = None,
    noise_price: float | None = None,
) -> Clustering:
    """Choose k items so that everything is close to one of them.

    Parameters
    ----------
    A : array
        (n, n) similarities or distances, symmetric, each item closest to itself; or (n, d) vectors. A torch tensor on
        a GPU stays there and is clustered there; the Clustering holds NumPy arrays on the CPU as always.
    n_clusters : int
        k, between 1 and n.
    metric : {"similarity", "precomputed", "cosine", "correlation"}
        What A is: similarities, distances, or vectors to be compared by cosine or correlation. The Notes say what
        then takes the place of the n x n matrix.
    method : {"fasterpam", "alternate"}
        "fasterpam" exchanges a medoid for another item as long as any exchange lowers the inertia.
        "alternate" is the simple loop: assign every item to its most similar medoid, then take the member with
        the largest summed similarity to its cluster. It stops when no medoid changes.
    init : {"random", "dual", "build", "k-medoids++", "first"} or k distinct row numbers
        "build" adds the item that helps most, one at a time. "dual" climbs from there towards the lower bound of
        `optimality_gap` and takes the items that the bound prefers, the best start for swaps. "k-medoids++" draws
        items far from those drawn. "first" takes rows 0..k-1.
    n_init : int
        How many ends to reach; the best is returned, `spread` lists the inertia of all. For "random" and
        "k-medoids++" each has a start of its own. For the other starts a few medoids of the best end so far are
        exchanged at random and swaps repair the damage. A swap optimum is not always the optimum. After "dual" each
        end takes 500 such kicks, among the rows that the climb ever chose: the best way to spend more time.
    random_state : int, None, or a generator of NumPy
        Seed of the random starts and exchanges. None takes another each time, a generator moves on.
    max_iter : int
        Most iterations (for swaps: passes over all items).
    progress : bool
        Draw a bar that counts iterations and shows unchanged medoids and inertia.
    callback : function (iteration, n_changed, loss, seconds)
        Called after each iteration; `seconds` is how long that iteration took.
    sample_weight : numbers (n,), optional
        How much each item counts: the inertia is a weighted sum. An item of weight 3 counts like three equal rows; one
        of weight 0 gets a label and counts nothing. Default: all count once.
    must : row numbers, optional
        Items that are medoids whatever it costs, at most k. They come first among `medoids`, in the order given.
    never : row numbers, optional
        Items that may not become medoids; at least k others are needed.
    noise_price : float, optional
        An item farther than this from every medoid is left out. Its label is -1, and it adds this price to the inertia
        in place of its loss. Distances count as they are, similarities as 1 - similarity. It needs a second matrix.

    Returns
    -------
    Clustering
        k distinct medoids, each its own cluster's, even from identical rows. After "fasterpam" with
        ``converged`` no single exchange of a medoid that `must` and `never` allow lowers the inertia.

    Raises
    ------
    ValueError, TypeError
        Not square, asymmetric, NaN, distances passed as similarities or the reverse, k out of range, an
        unusable `init`; the message names the rows or the values. Weights that are negative, NaN or all 0. Rows in
        `must` and in `never`, too many of either, or a list in `init` that does not keep to them. Any of the three
        with a tensor on a GPU.
    MemoryError
        The search would not fit in memory, or a GPU ran out of it; the message names the ways out.

    Notes
    -----
    "alternate": O(n k) an iteration plus the sum of squared cluster sizes. "fasterpam": O(n^2) a pass, a few
    passes, after the first mostly over lists of each item's neighbourhood. "build": at most O(n^2 k), in practice a
    few passes, because the help an item gives can only fall as medoids are added. Extra memory O(n k) for
    "alternate"; for "fasterpam" lists of about a tenth of the matrix's entries at most, 8 or 12 bytes each.

    A float32 or float64 matrix is read in place, memory-mapped or not. One of another type is widened a block of rows
    at a time, while it is looked at.

    From vectors "alternate" takes O(n k d) an iteration and little memory: a cluster's most central member is the one
    closest to the sum of its unit vectors. "fasterpam" computes the upper half of the matrix once, by tiles. It keeps,
    for each item j, every item that is closer to j than to its own tenth-nearest medoid. These are about 10 n^2 / k
    entries of 8 bytes (12 for float64). What is kept takes less than 8 GB (and a third more while it is made) and less
    than half of the free memory; the search adds up to 2 GB. If the lists would take more, they reach to fewer medoids,
    down to the fourth-nearest. If these take more, too, the first items have lists and the rows of the others are
    computed anew in each pass. With few medoids the matrix is shorter than the lists, and "build" looks at most rows.
    For these the matrix is made if it fits (up to about 44,000 items in float32), else rows are computed as they are
    asked for. A scipy.sparse A is taken for ``metric="cosine"`` and never made dense.

    On a GPU blocks of candidates are judged at once, and after a swap those behind it again. The swaps are the same but
    for rounding, and counted only if they lower the inertia by more than 1e-8 of it. The rows of the medoids, k n
    numbers, are kept beside A. This way was not run on a GPU so far, only on tensors of the CPU.

    References
    ----------
    Kaufman & Rousseeuw, Finding Groups in Data (1990): PAM and BUILD.
    Schubert & Rousseeuw, Fast and eager k-medoids clustering, Information Systems 101 (2021): FasterPAM.
    Minoux, Accelerated greedy algorithms for maximizing submodular set functions (1978): lazy BUILD.
    Arthur & Vassilvitskii, k-means++ (2007), here with distances in place of squared distances.
    Dueck & Scheuer, Threshold accepting, J. Comput. Phys. 90 (1990): the kicks after "dual".

    Examples
    --------
    >>> import numpy as np
    >>> points = np.array([1.0, 2.0, 3.0, 10.0, 11.0])
    >>> fit = kmedoids(abs(points[:, None] - points), 2, metric="precomputed", init="build")
    >>> print(fit.medoids, fit.labels, fit.inertia)
    [1 3] [0 0 0 1 1] 3.0
    """
    _check.one_of(method, "method", METHODS)
    n_init = _check.whole_number(n_init, "n_init", 1, MOST_STARTS)
    max_iter = _check.whole_number(max_iter, "max_iter", 0)
    random_state, index = _check.seed(random_state), index_of(A)
    _kinds.flag(progress, "progress")
    _kinds.function(callback, "callback")
    A = _check.as_given(A, "A")
    k = _check.whole_number(n_clusters, "n_clusters", 1, A.shape[0], " (the number of rows)")
    _check.init(init, k, A.shape[0], starts.STARTS)
    weight = _check.weights(sample_weight, A.shape[0])
    constraints = Constraints(*_check.constraints(must, never, k, A.shape[0]))
    price = _check.noise_price(noise_price)
    if not isinstance(init, str):
        _check.kept_to(init, *constraints, "init")
    _check.plain_on_device(A, weight, *constraints, price)
    drawn = starts.is_drawn(init)
    if n_init > 1 and method == "alternate" and not drawn:
        raise ValueError(f'n_init={n_init} with method="alternate" needs a random start, "random" or "k-medoids++"')
    seeds = [np.random.default_rng([random_state, attempt]) for attempt in range(n_init)]
    with memory_explained(A):
        given = prepare(A, metric).weighted(weight)
        items = given.capped(price)
        if isinstance(init, str) and init in ("build", "dual"):
            items = items.at_hand(progress)  # once for the start and the swaps
        begin, candidates = _begin(items, k, init, seeds if drawn else seeds[:1], constraints)
        with Progress(method, k, progress, callback, UNITS[method]) as told:
            if method == "alternate":
                fits = [_alternate(items, medoids, max_iter, told, constraints) for medoids in begin]
            else:
                more = search.More([] if drawn else seeds[1:], candidates)
                found = search.fasterpam(items, begin, max_iter, told, more, constraints)
                fits = [clustering(items, each) for each in found]
    best = min(fits, key=lambda fit: fit.inertia)
    if price is not None:
        best = _without_noise(given, best, price)
    return replace(best, spread=best.spread or tuple(fit.inertia for fit in fits), index=index)


def _begin(
    items: Items, k: int, init: Any, seeds: list[np.random.Generator], constraints: Constraints
) -> tuple[list[np.ndarray], np.ndarray | None]:
    """A start for each seed, and the rows that are worth to try beyond a swap optimum, if the start knows them."""
    if isinstance(init, str) and init == "dual":
        medoids, candidates = starts.climb(items, k, constraints)
        return [medoids], candidates
    return [starts.start(items, k, init, rng, constraints) for rng in seeds], None


def assign(
    A: Any, medoids: Any, *, metric: str = "similarity", sample_weight: Any = None, noise_price: float | None = None
) -> Clustering:
    """Give every item to its nearest of the given medoids.

    Parameters
    ----------
    A, metric, sample_weight, noise_price : as in `kmedoids`
    medoids : k distinct row numbers

    Returns
    -------
    Clustering
        With these medoids, in this order; each owns itself, other ties go to the first.

    Examples
    --------
    >>> import numpy as np
    >>> print(assign(np.array([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]]), [0, 2]).labels)
    [0 0 1]
    """
    A, index = _check.as_given(A, "A"), index_of(A)
    medoids = _check.medoids(medoids, A.shape[0], "medoids")
    weight = _check.weights(sample_weight, A.shape[0])
    price = _check.noise_price(noise_price)
    with memory_explained(A):
        items = prepare(A, metric).weighted(weight)
        fit = clustering(items, Found(medoids))
        return replace(fit if price is None else _without_noise(items, fit, price), index=index)


@dataclass(frozen=True)
class Certificate:
    """Whether any single exchange of a medoid for another item would lower the inertia.

    Attributes
    ----------
    is_optimal : bool, no exchange lowers the inertia by more than the tolerance
    best_delta : float, change of inertia by the best exchange (negative: it would fall)
    swap_out, swap_in : int, row numbers of the medoid and the item of that exchange
    inertia : float, re-derived in float64
    """

    is_optimal: bool
    best_delta: float
    swap_out: int
    swap_in: int
    inertia: float


def certify(
    A: Any,
    medoids: Any,
    *,
    metric: str = "similarity",
    tol: float = 1e-7,
    sample_weight: Any = None,
    must: Any = None,
    never: Any = None,
    noise_price: float | None = None,
) -> Certificate:
    """Try every exchange of a medoid for another item, in float64 and on a code path of its own.

    Parameters
    ----------
    A, metric, sample_weight, must, never, noise_price : as in `kmedoids`
    medoids : k distinct row numbers, k < n, all of `must` and none of `never` among them
    tol : float
        An exchange counts if it lowers the inertia by more than `tol` times the inertia.

    Returns
    -------
    Certificate
        Of all k (n - k) exchanges, or of those that `must` and `never` allow, the best one, and whether it helps. If
        none is allowed, `best_delta` is inf and the rows are -1.

    Notes
    -----
    O(n^2) sums over all pairs (medoid, item), a few seconds at 20,000 x 512; memory O(512 (n + k)). From vectors
    O(n^2 d) besides, and no matrix.

    Examples
    --------
    >>> import numpy as np
    >>> points = np.array([1.0, 2.0, 3.0, 10.0, 11.0])
    >>> proof = certify(abs(points[:, None] - points), [0, 3], metric="precomputed")
    >>> print(proof.is_optimal, proof.best_delta, proof.swap_out, proof.swap_in)
    False -1.0 0 1
    """
    tol = _kinds.number(tol, "tol", 0)
    A = _check.as_host(A, "A")
    medoids, weight, must, never = _check.choice(medoids, sample_weight, must, never, A.shape[0])
    n, k = A.shape[0], len(medoids)
    price = _check.noise_price(noise_price)
    items = prepare_host(A, metric).weighted(weight).capped(price)
    if k == n:
        raise ValueError(f"medoids holds all {n} items: there is no other item to exchange one for, nothing to certify")
    owner, d1, d2 = _two_nearest(items, medoids)
    removal = np.bincount(owner, _weighed(d2 - d1, items), k)  # what it costs to take a medoid away
    removal[np.isin(medoids, must)] = np.inf
    barred = np.zeros(n, bool)
    barred[medoids] = barred[never] = True
    best = (np.inf, -1, -1)
    for block in items.blocks():
        for j, row in zip(range(block.start, block.stop), items.closeness(block), strict=True):
            d = items.base - row.astype(np.float64)
            near = np.flatnonzero(d < d2) if k > 1 else np.arange(n)
            d, own = d[near], owner[near]
            gain = _weighed(np.maximum(d1[near] - d, 0), items, near).sum()
            saved = np.bincount(own, _weighed(d2[near] - np.maximum(d, d1[near]), items, near), k)
            change = removal - saved - gain
            if change.min() < best[0] and not barred[j]:
                best = (float(change.min()), int(medoids[change.argmin()]), j)
    inertia = float(_weighed(d1, items).sum())
    counted = n if items.weight is None else items.weight.sum()
    rounding = counted * np.finfo(np.float64).eps * max(np.abs(d2[np.isfinite(d2)]).max(initial=0), items.base)
    return Certificate(best[0] >= -max(tol * abs(inertia), rounding), *best, inertia)


def _weighed(amounts: np.ndarray, items: HostItems, index: Any = slice(None)) -> np.ndarray:
    """The amounts of some items by their weights, if there are weights."""
    return amounts if items.weight is None else amounts * items.weight[index]


def _two_nearest(items: HostItems, medoids: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each item's medoid (a position), and its losses with that one and with the second-nearest, (n,) each, float64.

    The search's own way to find them is not used: a certificate goes a way of its own.
    """
    k = len(medoids)
    owner, (d1, d2) = np.empty(items.n, np.int64), np.empty((2, items.n))
    for block in items.blocks():
        rows = np.arange(block.start, block.stop)
        loss = items.base - items.pairs(medoids, rows).astype(np.float64)  # (k, b)
        at = np.arange(len(rows))
        own = loss.argmin(axis=0)
        inside = (block.start <= medoids) & (medoids < block.stop)
        own[medoids[inside] - block.start] = np.flatnonzero(inside)
        owner[block], d1[block] = own, loss[own, at]
        loss[own, at] = np.inf
        d2[block] = loss.min(axis=0) if k > 1 else d1[block]  # nothing else to go to: every item counts
    return owner, d1, d2


def clustering(items: Items, found: Found) -> Clustering:
    """Assign every item to its nearest medoid, ties to the first, each medoid to itself, and sum up the loss."""
    medoids = found.medoids
    position, nearest = items.nearest(medoids, 1)
    labels, closeness = position[0], nearest[0]
    labels[medoids] = np.arange(len(medoids))
    closeness[medoids] = items.self_closeness[medoids]
    return Clustering(
        medoids,
        labels,
        closeness,
        inertia=items.loss(closeness),
        metric=items.metric.word,
        n_iter=len(found.history),
        n_swaps=found.n_swaps,
        converged=found.converged,
        history=found.history,
        centres=items.centres(medoids),
        spread=found.spread,
        unit=items.unit,
        sample_weight=items.weight,
    )


def _without_noise(items: Items, fit: Clustering, price: float) -> Clustering:
    """Assign every item to its nearest medoid, and leave out those that are farther from it than `price`."""
    whole = clustering(items, Found(fit.medoids))
    loss = items.base - whole.closeness.astype(np.float64)
    labels = np.where(loss > price, np.int32(-1), whole.labels)
    labels[fit.medoids] = np.arange(len(fit.medoids))
    inertia = items.loss(np.maximum(whole.closeness.astype(np.float64), items.base - price))
    closeness, centres = whole.closeness, whole.centres
    return replace(fit, labels=labels, closeness=closeness, inertia=inertia, centres=centres, noise_price=price)


def check_fit(fit: Any) -> None:
    """Raise unless `fit` is a Clustering that has every item in a cluster."""
    _kinds.instance(fit, "fit", Clustering, "kmedoids")
    if fit.noise.size:
        raise ValueError(
            f"fit leaves {len(fit.noise)} of {len(fit.labels)} items out (label -1), and this is about items in "
            "clusters: assign(A, fit.medoids) gives each item to its nearest medoid, or take the other items alone, "
            "rows = np.flatnonzero(fit.labels >= 0)"
        )


def _alternate(
    items: Items, medoids: np.ndarray, max_iter: int, told: Progress, constraints: Constraints
) -> Clustering:
    """Assign, take each cluster's most central member, repeat until no medoid changes."""
    fit, changed = clustering(items, Found(medoids)), 1
    history: list[float] = []
    while changed and len(history) < max_iter:
        sums = items.member_sums(fit.labels, len(medoids))
        sums[constraints.never] = -np.inf
        medoids = best_members(sums, fit.labels, len(medoids))
        medoids[: len(constraints.must)] = constraints.must
        changed = int(np.sum(medoids != fit.medoids))
        fit = clustering(items, Found(medoids))
        history.append(fit.inertia)
        told.tell(len(history), changed, fit.inertia)
    return replace(fit, n_iter=len(history), converged=not changed, history=tuple(history))


def swapped_from(items: Items, medoids: np.ndarray) -> Clustering:
    """The swap optimum that is reached from these medoids, without a bar."""
    with Progress("fasterpam", len(medoids)) as told:
        return clustering(items, search.fasterpam(items, [medoids], MAX_ITER, told)[0])
