"""k-medoids on Dask, and the certificate that no single exchange helps."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import dask
import numpy as np
from tqdm.auto import tqdm

from simlib import _check, _kinds
from simlib._engine.progress import Callback, Progress
from simlib._labels import figures
from simlib.distributed.alternate import one_round
from simlib.distributed.assigned import assigned
from simlib.distributed.chunks import checked, held, vectors_of
from simlib.distributed.swaps import Search, batch_size
from simlib.medoids import MAX_ITER, Certificate, Clustering
from simlib.medoids import kmedoids as kmedoids_in_memory

SAMPLE_ROWS = 20_000  # rows clustered by swaps, at least, before all rows are looked at
SAMPLE_ROWS_A_MEDOID = 20
SWAPS_BY_DEFAULT = 200_000  # rows up to which a pass over all candidates takes minutes
METHODS = ("fasterpam", "sample", "alternate")
LAST_BATCHES = 0.7  # weight of the last batch in the time left: swaps become fewer, and batches quicker
RANKED_PASSES = 2  # passes that put the candidates in order first; later ones keep it, to count a full turn
STARTS = ("random", "first")  # of the loop; a sample brings its own


@dataclass(frozen=True, repr=False, eq=False)
class DaskClustering(Clustering):
    """A `simlib.Clustering` of all rows, and how many of them were tried as medoids.

    Attributes
    ----------
    tried : float, the share of the rows that were candidates of a swap at least once; 0 for the other methods
    """

    tried: float = 0.0

    def __repr__(self) -> str:
        end = "converged" if self.converged else "stopped before it converged"
        return (
            f"DaskClustering(k={len(self.medoids)}, n={len(self.labels)}, inertia={figures(self.inertia, 4)}, "
            f"{self.n_iter} iterations, {self.n_swaps} swaps, {100 * self.tried:.3g} % of the rows tried, {end})"
        )


class Course(NamedTuple):
    """Medoids, and how a method came to them."""

    medoids: np.ndarray
    history: tuple[float, ...] = ()
    converged: bool = False
    n_swaps: int = 0
    tried: float = 0.0


def kmedoids(
    X: Any,
    n_clusters: int,
    *,
    method: str | None = None,
    init: Any = "random",
    random_state: Any = 0,
    max_iter: int = MAX_ITER,
    max_seconds: float | None = None,
    progress: bool = False,
    callback: Callback | None = None,
) -> DaskClustering:
    """Choose k rows so that everything points the same way as one of them, for metric="cosine".

    Parameters
    ----------
    X : dask array (n, d)
    n_clusters : int
        k, between 1 and n.
    method : {"fasterpam", "sample", "alternate"}, optional
        "fasterpam" swaps medoids for other rows until no single exchange helps, as `simlib.kmedoids` does.
        "alternate" is the simple loop of `simlib.kmedoids`, exactly: assign every row, then take in each cluster the
        member with the largest summed similarity to it. "sample" goes on with that loop from the medoids of a sample,
        which is faster and some 2 % worse than swaps. Default: "fasterpam" up to 200,000 rows and where `max_seconds`
        is given, else "sample".
    init : {"random", "first"} or k distinct row numbers
        The start. For "fasterpam" and "sample", "random" means the medoids that swaps find among 20,000 rows drawn at
        random, or 20 k if that is more; "sample" takes nothing else.
    random_state : int, None, or a generator of NumPy
        Seed of the sample and of the random start.
    max_iter : int
        Most rounds of the loop, or most passes over all candidates.
    max_seconds : float, optional
        "fasterpam" stops after the first round of swaps that ends later than this. The result then depends on the
        speed of the workers.
    progress : bool
        Draw a bar over the rounds, or over the candidates of each pass with the time that is left of it. Most swaps are
        made early in a pass: in its first half the bar may say three times too much.
    callback : function (iteration, n_changed, loss, seconds)
        Called after each round or pass.

    Returns
    -------
    DaskClustering
        NumPy arrays, over all rows: labels and similarities (n,), k distinct row numbers, the inertia of all. After
        "fasterpam" with ``converged`` no single exchange of a medoid for any row lowers the inertia. Otherwise
        ``tried`` says what share of the rows were candidates.

    Raises
    ------
    TypeError, ValueError
        Not a Dask array, columns in several chunks, chunks of unknown size, NaN or infinity; k out of range, an
        unusable `init`.

    Notes
    -----
    A round costs O(n k d), shared by the workers, and a pass O(n^2 d). Up to 4,096 candidates, or k, are judged at
    once: each chunk adds up what they save by medoid. Many swaps that hardly touch each other are made together; if the
    exact loss does not fall they are taken back. Candidates come in the order of their summed similarity to their
    cluster. Sums are added in the order of the chunks, so the number of workers changes no bit.

    What travels for a chunk is about the candidates times the clusters that each of them touches, and vectors of
    candidates and medoids. Labels stay where they are until the end. A lost worker's chunks are computed again.

    References
    ----------
    Schubert & Rousseeuw, Fast and eager k-medoids clustering, Information Systems 101 (2021): FasterPAM.
    Resende & Werneck, A fast swap-based local search procedure for location problems (2007): the sums.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> angle = np.array([0.0, 0.1, 0.2, 1.5, 1.6])
    >>> X = da.from_array(np.column_stack([np.cos(angle), np.sin(angle)]), chunks=(2, 2))
    >>> fit = kmedoids(X, 2)
    >>> print(fit.labels, fit.converged, fit.tried)
    [1 1 1 0 0] True 1.0
    """
    began = time.monotonic()
    X = checked(X)
    n = X.shape[0]
    method = method_for(method, 1 if max_seconds is not None else n, METHODS)
    k = _check.whole_number(n_clusters, "n_clusters", 1, n, " (the number of rows)")
    max_iter = _check.whole_number(max_iter, "max_iter", 0)
    seconds = np.inf if max_seconds is None else _kinds.number(max_seconds, "max_seconds", 0)
    _kinds.flag(progress, "progress")
    _kinds.function(callback, "callback")
    rng = np.random.default_rng(_check.seed(random_state))
    if max_seconds is not None and method != "fasterpam":
        raise ValueError(f'max_seconds is for method="fasterpam": leave it out, or give method="{method}" a max_iter')
    _check.init(init, k, n, STARTS)
    drawn = isinstance(init, str) and init == "random"
    if method == "sample" and not drawn:
        raise ValueError('init is for method="fasterpam" or "alternate"; "sample" starts from a sample\'s own medoids')
    rows = _of_sample(X, k, rng) if drawn and method != "alternate" else _start(init, k, n, rng)
    told = progress, callback
    return clustering(X, fit_from(X, rows, method, max_iter, began + seconds, *told))


def method_for(method: str | None, n: int, allowed: tuple[str, ...]) -> str:
    """The method for n rows, checked: the default where none is asked for."""
    if method is None:
        return "fasterpam" if n <= SWAPS_BY_DEFAULT else "sample"
    _check.one_of(method, "method", allowed)
    return method


def fit_from(
    X: Any,
    rows: np.ndarray,
    method: str,
    max_iter: int = MAX_ITER,
    deadline: float = np.inf,
    progress: bool = False,
    callback: Callback | None = None,
) -> Course:
    """Go on from these medoids, by swaps or by the loop."""
    if method == "fasterpam":
        return _swapped(X, rows, max_iter, deadline, progress, callback)
    return _alternated(X, rows, max_iter, progress, callback)


def _alternated(X: Any, rows: np.ndarray, max_iter: int, progress: bool, callback: Callback | None) -> Course:
    """The loop: assign every row, take each cluster's most central member, until no medoid changes."""
    history: list[float] = []
    better, loss = one_round(X, rows) if max_iter else (rows, 0.0)
    reached = False
    with Progress("rounds", len(rows), progress, callback, "rounds") as told:
        while len(history) < max_iter and not reached:
            changed = int(np.sum(better != rows))
            reached, rows = not changed, better
            if not reached:
                better, loss = one_round(X, rows)
            history.append(loss)
            told.tell(len(history), changed, loss)
    return Course(rows, tuple(history), reached)


def _swapped(
    X: Any,
    rows: np.ndarray,
    max_iter: int,
    deadline: float,
    progress: bool,
    callback: Callback | None,
) -> Course:
    """Pass over all candidates until one pass brings no swap; the order is that of the second pass from then on."""
    n, k = X.shape[0], len(rows)
    if not max_iter:
        return Course(rows)
    if k == 1:
        best, _ = one_round(X, rows)  # of one cluster the most central member is the best medoid
        return Course(best, (one_round(X, best)[1],), True, int(best[0] != rows[0]), 1.0)
    search, tried, history = Search(X, rows), 0.0, list[float]()
    with Progress("fasterpam", k, progress, callback, "passes") as told:
        while search.since_swap < n and len(history) < max_iter and time.monotonic() < deadline:
            before = search.medoids
            if len(history) < RANKED_PASSES:
                search.rank()
            tried = max(tried, _one_pass(search, f"pass {len(history) + 1}", deadline, progress))
            history.append(search.loss())
            told.tell(len(history), int(np.sum(search.medoids != before)), history[-1])
    return Course(search.medoids, tuple(history), search.since_swap >= n, search.n_swaps, tried)


def _one_pass(search: Search, name: str, deadline: float, shown: bool) -> float:
    """Try the candidates in turn until all are tried, n in a row brought nothing, or time is up; the share tried."""
    done = 0
    bar = tqdm(desc=name, total=search.n, unit=" rows", leave=False, disable=not shown, smoothing=LAST_BATCHES)
    with bar:
        for batch in search.candidates():
            search.try_all(batch, deadline)
            done += len(batch)
            bar.update(len(batch))
            bar.set_postfix_str(f"{search.n_swaps} swaps")
            if search.since_swap >= search.n or time.monotonic() >= deadline:
                break
    return done / search.n


def clustering(X: Any, course: Course) -> DaskClustering:
    """The rows assigned to these medoids."""
    rows = course.medoids
    labels, closeness = dask.compute(*assigned(X, rows, *held([vectors_of(X, rows)])))
    return DaskClustering(
        rows,
        labels,
        closeness,
        inertia=float(np.sum(1.0 - closeness.astype(np.float64))),
        metric="cosine",
        n_iter=len(course.history),
        n_swaps=course.n_swaps,
        converged=course.converged,
        history=course.history,
        centres=np.asarray(X[rows].compute()),
        tried=course.tried,
    )


def certify(X: Any, medoids: Any, *, tol: float = 1e-7, progress: bool = False) -> Certificate:
    """Try every exchange of a medoid for another row: the last pass of the swap search, alone.

    Parameters
    ----------
    X : dask array (n, d)
    medoids : k distinct row numbers, k < n
    tol : float
        An exchange counts if it lowers the inertia by more than `tol` times the inertia.
    progress : bool
        Draw a bar over the rows, with the time that is left.

    Returns
    -------
    simlib.Certificate
        Of all k (n - k) exchanges the best one, and whether it helps.

    Raises
    ------
    TypeError, ValueError
        As `kmedoids`; `medoids` are no distinct row numbers, or all rows.

    Notes
    -----
    O(n^2 d), shared by the workers: products in the type that X is computed in, sums in float64.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> angle = np.array([0.0, 0.1, 0.2, 1.5, 1.6])
    >>> X = da.from_array(np.column_stack([np.cos(angle), np.sin(angle)]), chunks=(2, 2))
    >>> proof = certify(X, [0, 3])
    >>> print(proof.is_optimal, proof.swap_out, proof.swap_in)
    False 0 1
    """
    tol = _kinds.number(tol, "tol", 0)
    _kinds.flag(progress, "progress")
    X = checked(X)
    n = X.shape[0]
    rows = _check.medoids(medoids, n, "medoids")
    if len(rows) == n:
        raise ValueError(f"medoids holds all {n} rows: there is no other row to exchange one for, nothing to certify")
    search = Search(X, rows)
    inertia, best, size = search.loss(), (np.inf, -1, -1), batch_size(len(rows))
    with tqdm(desc="certify", total=n, unit=" rows", disable=not progress) as bar:
        for left in range(0, n, size):
            found = search.best_change(np.arange(left, min(left + size, n)))
            best = found if found[0] < best[0] else best  # the lowest row among equals
            bar.update(min(size, n - left))
    change, position, row = best
    return Certificate(change >= -tol * abs(inertia), change, int(rows[position]), row, inertia)


def _start(init: Any, k: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """k row numbers to start from, int64."""
    if isinstance(init, str):
        return np.arange(k) if init == "first" else rng.choice(n, k, replace=False)
    return np.array(init, dtype=np.int64)


def sampled(X: Any, k: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers drawn for k medoids, ascending, and their vectors."""
    size = min(X.shape[0], max(SAMPLE_ROWS, SAMPLE_ROWS_A_MEDOID * k))
    drawn = np.sort(rng.choice(X.shape[0], size, replace=False))
    sample = X[drawn].compute()
    bad = drawn[~np.isfinite(sample).all(axis=1)]
    if bad.size:
        raise ValueError(f"X has NaN or infinity in {bad.size} of {size} rows that were drawn, the first is {bad[0]}")
    return drawn, sample


def _of_sample(X: Any, k: int, rng: np.random.Generator) -> np.ndarray:
    """Medoids by swaps among some rows, as rows of X."""
    drawn, sample = sampled(X, k, rng)
    fit = kmedoids_in_memory(sample, k, metric="cosine", random_state=int(rng.integers(2**31)))
    return drawn[fit.medoids]
