"""k-medoids: clusters around k of the items themselves, from any similarity or distance.

A is n x n (an item a row and a column; ``metric="similarity"``: larger is closer; ``metric="precomputed"``:
distances, smaller is closer) or n x d vectors (``metric="cosine"`` or ``"correlation"``). A medoid is the row number
of an item; a label is a position 0..k-1 in the list of medoids. The loss, called inertia, is the sum over items of
1 - similarity, or of the distance, to their own medoid. Ties go to the lowest index; sums over items are float64.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from simlib import _check, _swap, similarity

METRICS = ("similarity", "precomputed", "cosine", "correlation")
STARTS = ("build", "k-medoids++", "random", "first")
BLOCK = 500  # candidates judged between two looks at the clock, the bar and the keyboard
LISTS = 250_000_000  # bytes that the lists of the greedy start may take, about
TOLERANCE = 1e-12  # a swap must lower the loss by more than this share of it


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
    spread : tuple of float, the inertia each of the `n_init` starts ended with
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
            compare = getattr(similarity, METHOD_OF[self.metric])
            return compare(rows, self.centres).argmax(axis=1).astype(np.int32)
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


METHOD_OF = {"cosine": "cosine_similarity", "correlation": "correlation"}


def kmedoids(
    A: Any,
    n_clusters: int,
    *,
    metric: str = "similarity",
    method: str = "fasterpam",
    init: Any = "build",
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
        (n, n) similarities or distances, symmetric, each item closest to itself; or (n, d) vectors.
    n_clusters : int
        k, between 1 and n.
    metric : {"similarity", "precomputed", "cosine", "correlation"}
        What A is: similarities, distances, or vectors to be compared by cosine or correlation (the n x n
        matrix is then never stored).
    method : {"fasterpam", "alternate"}
        "fasterpam" exchanges a medoid for another item as long as any exchange lowers the inertia.
        "alternate" is the simple loop: assign every item to its most similar medoid, then take the member with
        the largest summed similarity to its cluster; stop when no medoid changes.
    init : {"build", "k-medoids++", "random", "first"} or k distinct row numbers
        "build" adds the item that helps most, one at a time; "first" takes rows 0..k-1.
    n_init : int
        Number of starts for "k-medoids++" and "random"; the best end is returned, `spread` lists all.
    random_state : int
        Seed of the random starts.
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

    Notes
    -----
    "alternate": O(n k) an iteration plus the sum of squared cluster sizes. "fasterpam": O(n^2) a pass, a few
    passes. "build": at most O(n^2 k), in practice a few passes, because the help an item gives can only fall as
    medoids are added. Extra memory O(n k).

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
    >>> fit = kmedoids(abs(points[:, None] - points), 2, metric="precomputed")
    >>> print(fit.medoids, fit.labels, fit.inertia)
    [1 3] [0 0 0 1 1] 3.0
    """
    _check.one_of(metric, "metric", METRICS)
    _check.one_of(method, "method", ("fasterpam", "alternate"))
    n_init = _check.whole_number(n_init, "n_init", 1)
    max_iter = _check.whole_number(max_iter, "max_iter", 0)
    random_state = _check.whole_number(random_state, "random_state", 0)
    data = _prepare(A, metric)
    k = _check.whole_number(n_clusters, "n_clusters", 1, data.n, " (the number of rows)")
    _check_init(init, k, data.n, n_init)
    run = _alternate if method == "alternate" else _fasterpam
    fits = []
    for start in range(n_init):
        rng = np.random.default_rng([random_state, start])
        fits.append(run(data, _start(data, k, init, rng), max_iter, progress, callback))
    best = min(fits, key=lambda fit: fit.inertia)
    return replace(best, spread=tuple(fit.inertia for fit in fits))


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
    _check.one_of(metric, "metric", METRICS)
    data = _prepare(A, metric)
    return _clustering(data, _check_medoids(medoids, data.n, "medoids"))


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
    O(n^2) sums over all pairs (medoid, item), a few seconds at 20,000 x 512; memory O(n k + 64 n).

    Examples
    --------
    >>> import numpy as np
    >>> points = np.array([1.0, 2.0, 3.0, 10.0, 11.0])
    >>> proof = certify(abs(points[:, None] - points), [0, 3], metric="precomputed")
    >>> print(proof.is_optimal, proof.best_delta, proof.swap_out, proof.swap_in)
    False -1.0 0 1
    """
    _check.one_of(metric, "metric", METRICS)
    data = _prepare(A, metric)
    medoids = _check_medoids(medoids, data.n, "medoids")
    _check.whole_number(len(medoids), "the number of medoids", 1, data.n - 1, " (n - 1)")
    loss = data.base - float(data.sign) * data.rows(medoids).astype(np.float64)  # (k, n)
    owner = loss.argmin(axis=0)
    owner[medoids] = np.arange(len(medoids))
    order = np.argsort(owner, kind="stable")
    start = np.searchsorted(owner[order], np.arange(len(medoids)))
    d1 = loss[owner, np.arange(data.n)]
    loss[owner, np.arange(data.n)] = np.inf
    d2 = loss.min(axis=0)
    best = (np.inf, 0, 0)
    for block in _blocks(data.n, 64):
        d = data.base - float(data.sign) * data.rows(block).astype(np.float64)
        kept = np.minimum(d, d1)  # every item's loss with the candidate added
        moved = np.minimum(d, d2) - kept  # the extra loss once its own medoid is gone
        change = (kept - d1).sum(axis=1)[:, None] + np.add.reduceat(moved[:, order], start, axis=1)
        change[np.isin(np.arange(data.n)[block], medoids)] = np.inf
        i, r = np.unravel_index(change.argmin(), change.shape)
        best = min(best, (float(change[i, r]), int(medoids[r]), int(block.start + i)))
    inertia = float(d1.sum())
    return Certificate(best[0] >= -tol * abs(inertia), *best, inertia)


@dataclass(frozen=True)
class _Data:
    """What the loops need of A: rows on demand, `sign` that turns them into closeness, and loss = base - closeness."""

    n: int
    rows: Callable[[Any], np.ndarray]  # index -> float32 or float64 (len(index), n)
    sign: float
    base: float
    metric: str
    matrix: np.ndarray | None = None  # (n, n), if A is one that the loops can read as it is
    vectors: np.ndarray | None = None  # (n, d), in range, for the metrics on vectors
    scale: np.ndarray | None = None  # (n,), their inverse lengths
    given: np.ndarray | None = None  # (n, d), as the caller gave them


def _prepare(A: Any, metric: str) -> _Data:
    """Check A and say how its rows are to be had."""
    A = _check.as_array(A, "A")
    if metric in METHOD_OF:
        work = _check.working_dtype(A.dtype)
        x, scale = similarity.unit_scale(A, work, metric == "correlation", "A")

        def computed_rows(index):
            return similarity.rows_of(x, scale, np.arange(len(x))[index])

        return _Data(len(x), computed_rows, work(1), 1.0, metric, vectors=x, scale=scale, given=A)
    _check.closeness_matrix(A, metric)
    work = _check.working_dtype(A.dtype)
    sign = work(1 if metric == "similarity" else -1)

    def stored_rows(index):
        return np.asarray(A[index], dtype=work)

    base = 1.0 if metric == "similarity" else 0.0
    matrix = np.asarray(A) if A.dtype == work else None
    return _Data(len(A), stored_rows, sign, base, metric, matrix=matrix)


def _blocks(n: int, size: int) -> Iterator[slice]:
    """Slices that cover range(n)."""
    return (slice(i, min(i + size, n)) for i in range(0, n, size))


def _check_medoids(medoids: Any, n: int, name: str) -> np.ndarray:
    """Return distinct row numbers within range(n) as int64."""
    medoids = np.asarray(medoids)
    if medoids.ndim != 1 or not medoids.size or medoids.dtype.kind not in "iu":
        raise ValueError(f"{name} must be a list of row numbers, got {medoids.dtype} {medoids.shape}")
    if medoids.min() < 0 or medoids.max() >= n:
        raise ValueError(f"{name} must lie between 0 and {n - 1}, got {medoids.min()}..{medoids.max()}")
    if len(np.unique(medoids)) < len(medoids):
        values, counts = np.unique(medoids, return_counts=True)
        raise ValueError(f"{name} must be distinct, row {values[counts > 1][0]} came more than once")
    return medoids.astype(np.int64)


def _check_init(init: Any, k: int, n: int, n_init: int) -> None:
    """Raise unless `init` is a known word or k distinct row numbers, and `n_init` fits it."""
    if isinstance(init, str):
        _check.one_of(init, "init", STARTS)
    elif len(_check_medoids(init, n, "init")) != k:
        raise ValueError(f"init must list n_clusters={k} row numbers, got {len(init)}")
    if n_init > 1 and not (isinstance(init, str) and init in ("k-medoids++", "random")):
        raise ValueError(
            f'n_init={n_init} needs a random start, init="random" or "k-medoids++": '
            "the start given is the same every time"
        )


def _start(data: _Data, k: int, init: Any, rng: np.random.Generator) -> np.ndarray:
    """k distinct row numbers to start from."""
    if not isinstance(init, str):
        return np.array(init, dtype=np.int64)
    if init == "first":
        return np.arange(k)
    if init == "random":
        return rng.choice(data.n, k, replace=False)
    return _build(data, k) if init == "build" else _plus_plus(data, k, rng)


def _plus_plus(data: _Data, k: int, rng: np.random.Generator) -> np.ndarray:
    """Draw medoids one by one with probability proportional to the distance from the nearest so far."""
    medoids = [rng.integers(data.n)]
    loss = data.base - data.sign * data.rows(medoids)[0].astype(np.float64)
    for _ in range(k - 1):
        weight = np.maximum(loss, 0)
        weight[medoids] = 0
        if not weight.any():  # only copies of the medoids are left
            weight[:] = 1
            weight[medoids] = 0
        medoids.append(rng.choice(data.n, p=weight / weight.sum()))
        loss = np.minimum(loss, data.base - data.sign * data.rows(medoids[-1:])[0])
    return np.array(medoids)


def _build(data: _Data, k: int) -> np.ndarray:
    """PAM's greedy BUILD: add the item that raises total closeness most, k times.

    An item's gain only falls as medoids are added, so an old gain is an upper bound: items are looked at in
    the order of their bounds until the best gain found is above every bound left. The first medoids are found
    on whole rows; then each item keeps only those it is still closer to than their medoid is.
    """
    sums = [_swap.row_sums(data.rows(block), data.sign) for block in _blocks(data.n, BLOCK)]
    medoids = np.empty(k, np.int64)
    medoids[0] = np.argmax(np.concatenate(sums))
    best = data.sign * data.rows(medoids[:1])[0]
    bound = np.full(data.n, np.inf)
    bound[medoids[0]] = -np.inf
    dense = min(k, max(16, data.n**2 * 8 // LISTS))
    for chosen in range(1, dense):
        winner = _largest_gain(data, best, bound)
        medoids[chosen], bound[winner] = winner, -np.inf
        best = np.maximum(best, data.sign * data.rows(medoids[chosen : chosen + 1])[0])
    if dense < k:
        _swap.greedy(medoids, dense, bound, best, *_closer_lists(data, best))
    return medoids


def _closer_lists(data: _Data, best: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For every item those it is closer to than `best`: where its list starts (n + 1,), the items, their closeness."""
    counts, items, close = [], [], []
    for block in _blocks(data.n, 64):  # few enough rows to be in the cache when they are read again
        rows = data.rows(block)
        counts.append(_swap.count_closer(rows, data.sign, best))
        start = np.concatenate([[0], np.cumsum(counts[-1])])
        items.append(np.empty(start[-1], np.int32))
        close.append(np.empty(start[-1], best.dtype))
        _swap.list_closer(rows, data.sign, best, start, items[-1], close[-1])
    start = np.concatenate([[0], np.cumsum(np.concatenate(counts))])
    return start, np.concatenate(items), np.concatenate(close)


def _largest_gain(data: _Data, best: np.ndarray, bound: np.ndarray) -> int:
    """The item with the largest gain, lowest index first; brings the bounds it looks at up to date."""
    fresh = np.zeros(data.n, bool)
    width = 32
    while True:
        stale = np.where(fresh, -np.inf, bound)
        top = np.max(bound[fresh], initial=-np.inf)
        if top > stale.max():
            return int(np.flatnonzero(fresh & (bound == top))[0])
        look = np.argpartition(-stale, min(width, data.n - 1))[:width]
        look = look[(stale[look] >= top) & (stale[look] > -np.inf)]
        if not look.size:
            return int(np.flatnonzero(fresh & (bound == top))[0])
        rows, index = (data.rows(look), np.arange(len(look))) if data.matrix is None else (data.matrix, look)
        bound[look] = _swap.gains(rows, index, data.sign, best)
        fresh[look] = True
        width = min(2 * width, BLOCK)


def _clustering(data: _Data, medoids: np.ndarray, **result: Any) -> Clustering:
    """Assign every item and sum up the loss."""
    labels, closeness = _swap.nearest(data.rows(medoids), data.sign, medoids)
    centres = None if data.given is None else np.array(data.given[medoids])
    return Clustering(medoids, labels, closeness, _loss(data, closeness), data.metric, centres=centres, **result)


def _report(bar, callback, iteration, changed, k, loss, seconds) -> None:
    """Tell the bar and the caller's callback about one iteration."""
    bar.update()
    bar.set_postfix_str(f"{k - changed} of {k} medoids unchanged, inertia {loss:.4f}, {seconds:.2f} s")
    if callback is not None:
        callback(iteration, changed, loss, seconds)


def _alternate(data, medoids, max_iter, progress, callback) -> Clustering:
    """Assign, take each cluster's most central member, repeat until no medoid changes."""
    fit, history, changed = _clustering(data, medoids), [], 1
    with tqdm(desc="alternate", unit=" iterations", disable=not progress) as bar:
        while changed and len(history) < max_iter:
            began = time.perf_counter()
            sums = _own_sums(data, fit.labels, len(medoids))
            medoids = _swap.best_members(sums, fit.labels, len(medoids))
            changed = int(np.sum(medoids != fit.medoids))
            fit = _clustering(data, medoids)
            history.append(fit.inertia)
            seconds = time.perf_counter() - began
            _report(bar, callback, len(history), changed, len(medoids), fit.inertia, seconds)
    return replace(fit, n_iter=len(history), converged=not changed, history=tuple(history))


def _own_sums(data: _Data, labels: np.ndarray, k: int) -> np.ndarray:
    """Each item's summed closeness to the members of its own cluster, float64 (n,)."""
    members, start = _by_cluster(labels, k)
    if data.vectors is not None:
        unit, total = _cluster_totals(data, members, start)
        return np.einsum("ij,ij->i", unit, total[labels]).round(9)  # a pair's sums tie, but for rounding
    parts = [
        _swap.member_sums(data.rows(block), block.start, data.sign, labels, start, members)
        for block in _blocks(data.n, BLOCK)
    ]
    return np.concatenate(parts)


def _by_cluster(labels: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The items sorted by cluster, and where each cluster starts among them (k + 1,)."""
    return np.argsort(labels, kind="stable"), np.concatenate([[0], np.cumsum(np.bincount(labels, minlength=k))])


def _cluster_totals(data: _Data, members: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The unit vectors (n, d) and their sum in each cluster (k, d), float64."""
    unit = data.vectors * data.scale[:, None]
    return unit, np.add.reduceat(unit[members], start[:-1])


def _fasterpam(data, medoids, max_iter, progress, callback) -> Clustering:
    """Swap a medoid for another item wherever that lowers the loss, until a whole round brings nothing."""
    if not max_iter:
        return _clustering(data, medoids, converged=False)
    if len(medoids) == 1:
        return _single(data, medoids, progress, callback)
    medoids = medoids.copy()
    is_medoid = np.zeros(data.n, bool)
    is_medoid[medoids] = True
    table = np.ascontiguousarray((data.sign * data.rows(medoids)).T)  # (n, k)
    nearest = _swap.start_search(table)
    tolerance = TOLERANCE * abs(_loss(data, nearest[2]))
    history, n_swaps, idle = [], 0, 0
    with tqdm(desc="fasterpam", unit=" passes", disable=not progress) as bar:
        while idle < data.n and len(history) < max_iter:
            began, before = time.perf_counter(), medoids.copy()
            for block in _blocks(data.n, BLOCK):
                swaps, idle = _swap.search(
                    data.rows(block), block.start, data.sign, medoids, is_medoid, table, *nearest, idle, tolerance
                )
                n_swaps += swaps
                if idle >= data.n:
                    break
            history.append(_loss(data, nearest[2]))
            changed = int(np.sum(medoids != before))
            seconds = time.perf_counter() - began
            _report(bar, callback, len(history), changed, len(medoids), history[-1], seconds)
    done = {"n_iter": len(history), "n_swaps": n_swaps, "converged": idle >= data.n}
    return _clustering(data, medoids, history=tuple(history), **done)


def _single(data, medoids, progress, callback) -> Clustering:
    """The best single medoid, exactly: the row with the largest sum, with which BUILD begins."""
    began = time.perf_counter()
    fit = _clustering(data, _build(data, 1), n_iter=1)
    changed = int(fit.medoids[0] != medoids[0])
    with tqdm(desc="fasterpam", unit=" passes", disable=not progress) as bar:
        _report(bar, callback, 1, changed, 1, fit.inertia, time.perf_counter() - began)
    return replace(fit, n_swaps=changed, history=(fit.inertia,))


def _loss(data: _Data, closeness: np.ndarray) -> float:
    """Sum of base - closeness in float64."""
    return float(np.sum(data.base - closeness.astype(np.float64)))
