"""k-medoids: clusters around k of the items themselves, from any similarity or distance.

A is n x n (an item a row and a column; ``metric="similarity"``: larger is closer; ``metric="precomputed"``:
distances, smaller is closer) or n x d vectors (``metric="cosine"`` or ``"correlation"``). A medoid is the row number
of an item; a label is a position 0..k-1 in the list of medoids. The loss, called inertia, is the sum over items of
1 - similarity, or of the distance, to their own medoid. Ties go to the lowest index; sums over items are float64.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from simlib import _check, _passes, _vectors, similarity
from simlib._matrix import Data, prepare
from simlib._search import Search, nearest
from simlib._start import at_hand, check_init, check_medoids, start

METHODS = ("fasterpam", "alternate")
PREDICTED = 10_000  # rows whose similarities to the medoids are held at once


@dataclass(frozen=True, repr=False)
class Clustering:
    """k medoids and who belongs to them.

    Attributes
    ----------
    medoids : int64 (k,), the row numbers of the centres, distinct
    labels : int32 (n,), position in `medoids`; labels[medoids[j]] == j
    inertia : float, the sum over items of 1 - similarity, or of the distance, to their own medoid
    n_iter, n_swaps : int, iterations (for swaps: passes over the items) and swaps made
    converged : bool, False if `max_iter` stopped the search
    history : tuple of float, the inertia after each iteration
    metric : str
    centres : (k, d) vectors of the medoids for the metrics on vectors, else None
    spread : tuple of float, the inertia at each of the `n_init` ends
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

    @property
    def similarity(self) -> np.ndarray:
        """Similarity of each item to its own medoid, (n,)."""
        if self.metric == "precomputed":
            raise AttributeError("this clustering was made from distances: use .distance")
        return self.closeness

    @property
    def distance(self) -> np.ndarray:
        """Distance of each item to its own medoid, or 1 - similarity, (n,)."""
        return -self.closeness if self.metric == "precomputed" else 1 - self.closeness

    @property
    def sizes(self) -> np.ndarray:
        """Number of items in each cluster, int64 (k,)."""
        return np.bincount(self.labels, minlength=len(self.medoids))

    def members(self, j: int) -> np.ndarray:
        """Row numbers of cluster j, the closest to its medoid first (the medoid itself leads)."""
        rows = np.flatnonzero(self.labels == _check.whole_number(j, "j", 0, len(self.medoids) - 1))
        order = np.lexsort((rows, -self.closeness[rows], rows != self.medoids[j]))
        return rows[order]

    def predict(self, A: Any) -> np.ndarray:
        """Labels int32 (m,) of new items: their vectors (m, d), or their closeness to the medoids (m, k).

        For ``metric="similarity"`` the rows are similarities to the medoids, for ``"precomputed"`` distances.
        """
        rows = _check.as_array(A, "A")
        _check.finite_rows(np.isfinite(rows).all(axis=1), "A")
        if self.centres is not None:
            compare = similarity.SIMILARITIES[self.metric]
            parts = (rows[i : i + PREDICTED] for i in range(0, len(rows), PREDICTED))
            return np.concatenate([compare(part, self.centres).argmax(axis=1).astype(np.int32) for part in parts])
        if rows.shape[1] != len(self.medoids):
            raise ValueError(f"A must have one column a medoid, {len(self.medoids)}, got {rows.shape[1]}")
        best = rows.argmin(axis=1) if self.metric == "precomputed" else rows.argmax(axis=1)
        return best.astype(np.int32)

    def __repr__(self) -> str:
        end = "converged" if self.converged else "stopped by max_iter"
        return (
            f"Clustering(k={len(self.medoids)}, n={len(self.labels)}, inertia={self.inertia:.4f}, "
            f"{self.n_iter} iterations, {self.n_swaps} swaps, {end})"
        )


def kmedoids(
    A: Any,
    n_clusters: int,
    *,
    metric: str = "similarity",
    method: str = "fasterpam",
    init: Any = "random",
    n_init: int = 1,
    random_state: int = 0,
    max_iter: int = 300,
    progress: bool = False,
    callback: Callable[[int, int, float, float], None] | None = None,
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
        What A is: similarities, distances, or vectors to be compared by cosine or correlation (see Notes for what
        then takes the place of the n x n matrix).
    method : {"fasterpam", "alternate"}
        "fasterpam" exchanges a medoid for another item as long as any exchange lowers the inertia.
        "alternate" is the simple loop: assign every item to its most similar medoid, then take the member with
        the largest summed similarity to its cluster; stop when no medoid changes.
    init : {"random", "build", "k-medoids++", "first"} or k distinct row numbers
        "build" adds the item that helps most, one at a time; "k-medoids++" draws items far from those drawn;
        "first" takes rows 0..k-1.
    n_init : int
        How many ends to reach; the best is returned, `spread` lists the inertia of all. For "random" and
        "k-medoids++" each has a start of its own. For the other starts a few medoids of the best end so far are
        exchanged at random and swaps repair the damage: a swap optimum is not always the optimum.
    random_state : int
        Seed of the random starts and exchanges.
    max_iter : int
        Most iterations (for swaps: passes over all items).
    progress : bool
        Draw a bar that counts iterations and shows unchanged medoids and inertia.
    callback : function (iteration, n_changed, loss, seconds)
        Called after each iteration; `seconds` is how long that iteration took.

    Returns
    -------
    Clustering
        k distinct medoids, each its own cluster's, even from identical rows. After "fasterpam" with
        ``converged`` no single exchange of a medoid lowers the inertia.

    Raises
    ------
    ValueError, TypeError
        Not square, asymmetric, NaN, distances passed as similarities or the reverse, k out of range, an
        unusable `init`; the message names the rows or the values.
    MemoryError
        The search would not fit in memory, or a GPU ran out of it; the message names the ways out.

    Notes
    -----
    "alternate": O(n k) an iteration plus the sum of squared cluster sizes. "fasterpam": O(n^2) a pass, a few
    passes, after the first mostly over lists of each item's neighbourhood. "build": at most O(n^2 k), in practice a
    few passes, because the help an item gives can only fall as medoids are added. Extra memory O(n k) for
    "alternate"; for "fasterpam" lists of about a tenth of the matrix's entries at most, 8 or 12 bytes each.

    A float16 or memory-mapped matrix is read by blocks of rows, each widened to float32 while it is looked at.

    From vectors "alternate" takes O(n k d) an iteration and little memory: a cluster's most central member is the one
    closest to the sum of its unit vectors. "fasterpam" computes the upper half of the matrix once, by tiles, and keeps
    for each item the others that are closer to it than to their tenth medoid: about 10 n^2 / k entries of 8 bytes (12
    for float64). What is kept takes less than 4 GB (and a third more while it is made) and less than half of the free
    memory. If the lists would take
    more, the first items have theirs and the rows of the others are computed anew in each pass. With few medoids the
    matrix is shorter than the lists, and "build" looks at most rows: for these it is made if it fits (up to about
    30,000 items in float32), else their rows are computed as they are asked for.

    On a GPU blocks of candidates are judged at once, and after a swap those behind it again: the same swaps but for
    rounding, counted only if they lower the inertia by more than 1e-8 of it. The rows of the medoids, k n numbers, are
    kept beside A. This way was not run on a GPU so far, only on tensors of the CPU.

    References
    ----------
    Kaufman & Rousseeuw, Finding Groups in Data (1990): PAM and BUILD.
    Schubert & Rousseeuw, Fast and eager k-medoids clustering, Information Systems 101 (2021): FasterPAM.
    Minoux, Accelerated greedy algorithms for maximizing submodular set functions (1978): lazy BUILD.
    Arthur & Vassilvitskii, k-means++ (2007), here with distances in place of squared distances.

    Examples
    --------
    >>> import numpy as np
    >>> points = np.array([1.0, 2.0, 3.0, 10.0, 11.0])
    >>> fit = kmedoids(abs(points[:, None] - points), 2, metric="precomputed", init="build")
    >>> print(fit.medoids, fit.labels, fit.inertia)
    [1 3] [0 0 0 1 1] 3.0
    """
    _check.one_of(method, "method", METHODS)
    n_init = _check.whole_number(n_init, "n_init", 1)
    max_iter = _check.whole_number(max_iter, "max_iter", 0)
    random_state = _check.whole_number(random_state, "random_state", 0)
    on_device = similarity.off_cpu(A)
    A = A if on_device else _check.as_array(A, "A")
    k = _check.whole_number(n_clusters, "n_clusters", 1, len(A), " (the number of rows)")
    check_init(init, k, len(A))
    drawn = isinstance(init, str) and init in ("k-medoids++", "random")
    if n_init > 1 and method == "alternate" and not drawn:
        raise ValueError(f'n_init={n_init} with method="alternate" needs a random start, "random" or "k-medoids++"')
    if on_device:
        from simlib import _device  # imports torch, which arrays have no need of

        return _device.kmedoids(A, k, metric, method, init, n_init, random_state, max_iter, progress, callback)
    data = prepare(A, metric)
    if isinstance(init, str) and init == "build":
        data = at_hand(data, progress)  # once for the start and the swaps
    seeds = [np.random.default_rng([random_state, attempt]) for attempt in range(n_init)]
    if method == "alternate":
        fits = [_alternate(data, start(data, k, init, rng), max_iter, progress, callback) for rng in seeds]
    elif drawn:
        fits = fasterpam(data, [start(data, k, init, rng) for rng in seeds], max_iter, progress, callback)
    else:
        fits = fasterpam(data, [start(data, k, init, None)], max_iter, progress, callback, kicks=seeds[1:])
    best = min(fits, key=lambda fit: fit.inertia)
    return replace(best, spread=best.spread or tuple(fit.inertia for fit in fits))


def assign(A: Any, medoids: Any, *, metric: str = "similarity") -> Clustering:
    """Give every item to its nearest of the given medoids.

    Parameters
    ----------
    A, metric : as in `kmedoids`
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
    if similarity.off_cpu(A):
        from simlib import _device

        return _device.assign(A, medoids, metric)
    A = _check.as_array(A, "A")
    medoids = check_medoids(medoids, len(A), "medoids")
    return clustering(prepare(A, metric), medoids)


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


def certify(A: Any, medoids: Any, *, metric: str = "similarity", tol: float = 1e-7) -> Certificate:
    """Try every exchange of a medoid for another item, in float64 and on a code path of its own.

    Parameters
    ----------
    A, metric : as in `kmedoids`
    medoids : k distinct row numbers, k < n
    tol : float
        An exchange counts if it lowers the inertia by more than `tol` times the inertia.

    Returns
    -------
    Certificate
        Of all k (n - k) exchanges the best one, and whether it helps.

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
    A = _check.as_array(A, "A")
    medoids = check_medoids(medoids, len(A), "medoids")
    data = prepare(A, metric)
    _check.whole_number(len(medoids), "the number of medoids", 1, data.n - 1, " (n - 1)")
    n, k, sign = data.n, len(medoids), float(data.sign)
    items, owner = np.arange(n), np.empty(n, np.int64)
    d1, d2 = np.empty((2, n))
    for block in data.blocks():
        loss = data.base - sign * data.pairs(medoids, items[block]).astype(np.float64)  # (k, b)
        at = items[: loss.shape[1]]
        own = loss.argmin(axis=0)
        inside = (block.start <= medoids) & (medoids < block.stop)
        own[medoids[inside] - block.start] = np.flatnonzero(inside)
        owner[block], d1[block] = own, loss[own, at]
        loss[own, at] = np.inf
        d2[block] = loss.min(axis=0) if k > 1 else d1[block]  # nothing else to go to: every item counts
    alone = np.bincount(owner, d2 - d1, k)  # what it costs to take a medoid away and put none in its place
    best = (np.inf, 0, 0)
    for block in data.blocks():
        for j, row in zip(range(block.start, block.stop), data.rows(block), strict=True):
            d = data.base - sign * row.astype(np.float64)
            near = np.flatnonzero(d < d2) if k > 1 else np.arange(n)
            d, own = d[near], owner[near]
            gain = np.minimum(d - d1[near], 0).sum()
            change = alone + np.bincount(own, np.maximum(d, d1[near]) - d2[near], k) + gain
            if change.min() < best[0] and medoids[owner[j]] != j:
                best = (float(change.min()), int(medoids[change.argmin()]), j)
    inertia = float(d1.sum())
    return Certificate(best[0] >= -tol * abs(inertia), *best, inertia)


def clustering(data: Data, medoids: np.ndarray, **result: Any) -> Clustering:
    """Assign every item to its nearest medoid, ties to the first, each medoid to itself, and sum up the loss."""
    position, close = nearest(data, medoids, 1)
    labels, close = position[0], close[0]
    labels[medoids] = np.arange(len(medoids))
    close[medoids] = data.sign * data.own[medoids]
    inertia = float(np.sum(data.base - close.astype(np.float64)))
    centres = None if data.given is None else np.array(data.given[medoids])
    return Clustering(medoids, labels, close, inertia, data.metric, centres=centres, **result)


def _report(bar, callback, iteration, changed, k, loss, seconds) -> None:
    """Tell the bar and the caller's callback about one iteration."""
    bar.update()
    bar.set_postfix_str(f"{k - changed} of {k} medoids unchanged, inertia {loss:.4f}, {seconds:.2f} s")
    if callback is not None:
        callback(iteration, changed, loss, seconds)


def _alternate(data, medoids, max_iter, progress, callback) -> Clustering:
    """Assign, take each cluster's most central member, repeat until no medoid changes."""
    fit, history, changed = clustering(data, medoids), [], 1
    with tqdm(desc="alternate", unit=" iterations", disable=not progress) as bar:
        while changed and len(history) < max_iter:
            began = time.perf_counter()
            sums = _own_sums(data, fit.labels, len(medoids))
            medoids = _passes.best_members(sums, fit.labels, len(medoids))
            changed = int(np.sum(medoids != fit.medoids))
            fit = clustering(data, medoids)
            history.append(fit.inertia)
            seconds = time.perf_counter() - began
            _report(bar, callback, len(history), changed, len(medoids), fit.inertia, seconds)
    return replace(fit, n_iter=len(history), converged=not changed, history=tuple(history))


def _own_sums(data: Data, labels: np.ndarray, k: int) -> np.ndarray:
    """Each item's summed closeness to the members of its own cluster, float64 (n,)."""
    if data.vectors is not None:
        return _vectors.own_sums(data.vectors, data.scale, labels, k).round(9)  # a pair's sums tie, but for rounding
    members, first = by_cluster(labels, k)
    sums = np.zeros((_passes.PARTS, data.n))
    for block in [slice(0, data.n)] if data.in_place else data.blocks():
        _passes.member_sums(data.rows(block), block.start, data.sign, labels, first, members, sums)
    return sums.sum(axis=0)


def by_cluster(labels: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The items sorted by cluster, and where each cluster starts among them (k + 1,)."""
    return np.argsort(labels, kind="stable"), np.concatenate([[0], np.cumsum(np.bincount(labels, minlength=k))])


def cluster_totals(data: Data, members: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The unit vectors (n, d) and their sum in each cluster (k, d), float64."""
    unit = data.vectors * data.scale[:, None]
    return unit, np.add.reduceat(unit[members], first[:-1])


def fasterpam(data, starts, max_iter=300, progress=False, callback=None, kicks=()) -> list[Clustering]:
    """Swap a medoid for another item wherever that lowers the loss, until a whole round brings nothing; once a start.

    After that a few medoids are exchanged at random, once for each generator in `kicks`, and swaps repair the damage;
    the better end stays.
    """
    if not max_iter:
        return [clustering(data, medoids, converged=False) for medoids in starts]
    if len(starts[0]) == 1:
        return [_single(data, medoids, progress, callback) for medoids in starts]
    search, began, fits = None, time.perf_counter(), []
    with tqdm(desc="fasterpam", unit=" passes", disable=not progress) as bar:

        def report(iteration: int, changed: int, loss: float) -> None:
            nonlocal began
            _report(bar, callback, iteration, changed, len(starts[0]), loss, time.perf_counter() - began)
            began = time.perf_counter()

        for medoids in starts:
            if search is None:
                search = Search(data, medoids, progress)
            else:
                search.restart(medoids)
            history = search.run(max_iter, report)
            converged = search.idle >= data.n
            spread = search.kick(kicks, max_iter, bar.set_postfix_str) if kicks and converged else ()
            done = {"n_iter": len(history), "n_swaps": search.swaps, "converged": converged}
            found = search.near.medoids.copy()
            fits.append(clustering(data, found, history=tuple(history), spread=tuple(spread), **done))
    return fits


def _single(data, medoids, progress, callback) -> Clustering:
    """The best single medoid, exactly: the row with the largest sum."""
    began = time.perf_counter()
    fit = clustering(data, start(data, 1, "build", None), n_iter=1)
    changed = int(fit.medoids[0] != medoids[0])
    with tqdm(desc="fasterpam", unit=" passes", disable=not progress) as bar:
        _report(bar, callback, 1, changed, 1, fit.inertia, time.perf_counter() - began)
    return replace(fit, n_swaps=changed, history=(fit.inertia,))
