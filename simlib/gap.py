"""How far a clustering is from the best possible one.

A swap optimum is not always the optimum. `optimality_gap` gives a number that no choice of k medoids can fall below, so
the distance to the best possible clustering is known without knowing that clustering.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from simlib import _check, _kinds
from simlib._engine import dual
from simlib._engine.items import Items
from simlib._engine.kernels.dual import MUST, NEVER
from simlib._engine.metrics import METRICS
from simlib._engine.prepare import memory_explained, prepare, prepare_host
from simlib._engine.starts import Constraints

TOL = 1e-7


@dataclass(frozen=True, repr=False, eq=False)
class Gap:
    """A lower bound of the inertia of all choices of k medoids, and the prices that prove it.

    Attributes
    ----------
    lower : float, no choice of k medoids has a smaller inertia; valid whatever the rounding
    inertia : float, of the medoids given
    n_clusters : int, k
    proven : bool, True if the medoids given are known to be a best choice, within `tol`
    in_every : int64, rows that every better choice of k medoids has among its medoids
    in_none : int64, rows that no better choice has among its medoids
    prices : float64 (n,), what each item offers to be served; they prove the bound, see `check`
    earned : float64 (n,), what each row would earn as a medoid at these prices
    margin : float, taken off the bound because of rounding
    history : tuple of float, the bound after each 25 steps, before the margin is taken off
    n_iter : int, steps made
    finished : bool, False if `max_iter` or an interrupt stopped the climb before its steps became short
    metric : str
    unit : float, the self-similarity that similarities are divided by
    whole : bool, True if every inertia is a whole number, so that the bound is rounded up
    sample_weight, must, never : arrays, as they were asked for; sample_weight is None if all weights are 1
    noise_price : float or None, as it was asked for
    """

    lower: float
    inertia: float
    n_clusters: int
    proven: bool
    in_every: np.ndarray
    in_none: np.ndarray
    prices: np.ndarray
    earned: np.ndarray
    margin: float
    history: tuple[float, ...] = field(default=())
    n_iter: int = 0
    finished: bool = True
    metric: str = "similarity"
    unit: float = 1.0
    whole: bool = False
    sample_weight: np.ndarray | None = None
    must: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    never: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    noise_price: float | None = None

    @property
    def gap(self) -> float:
        """inertia / lower - 1: no clustering is better by more than this share of the bound."""
        if self.inertia <= self.lower:
            return 0.0
        return self.inertia / self.lower - 1 if self.lower > 0 else np.inf

    def lower_for(self, n_clusters: int) -> float:
        """A lower bound for another number of clusters, from the same prices: good for numbers close to k."""
        k = _check.whole_number(n_clusters, "n_clusters", 1, len(self.prices), " (the number of rows)")
        _check.constraints(self.must, self.never, k, len(self.prices))
        return self._lower(self.earned, k, self.margin)

    def check(self, A: Any) -> float:
        """The lower bound, derived again from A and the prices alone: in float64, without any list.

        Parameters
        ----------
        A : as it was given to `optimality_gap`

        Returns
        -------
        float
            A valid bound, equal to `lower` but for rounding. From vectors it is a little higher, because their cosines
            are computed in float64.

        Notes
        -----
        One pass over the matrix: about 2 s at n = 20,000. From vectors O(n^2 d) in float64 and no matrix.
        """
        A = _check.as_host(A, "A")
        if A.shape[0] != len(self.prices):
            raise ValueError(f"A must have {len(self.prices)} rows as it had for the bound, got {A.shape[0]}")
        items = prepare_host(_in_float64(A, self.metric), self.metric).weighted(self.sample_weight)
        items = items.capped(self.noise_price)
        weight = np.ones(items.n) if self.sample_weight is None else self.sample_weight
        earned = np.zeros(items.n)
        for block in items.blocks():
            loss = items.base - items.closeness(block).astype(np.float64)
            earned += weight[block] @ np.maximum(self.prices[block, None] - loss, 0)
        margin = dual.margin_of(items, items.rounding, self.prices, earned.sum())
        return self._lower(earned, self.n_clusters, margin)

    def _lower(self, earned: np.ndarray, k: int, margin: float) -> float:
        """All prices less the k largest earnings, and less the margin; rounded up where every inertia is whole."""
        prices = self.prices if self.sample_weight is None else self.sample_weight * self.prices
        free = np.delete(earned, np.concatenate([self.must, self.never]))
        wanted = k - len(self.must)
        best = np.sort(free)[len(free) - wanted :].sum() + earned[self.must].sum()
        lower = float(prices.sum() - best - margin)
        return float(np.ceil(lower)) if self.whole else lower

    def __repr__(self) -> str:
        end = "proven optimal" if self.proven else f"at most {100 * self.gap:.2g} % above the best possible"
        return f"Gap(k={self.n_clusters}, inertia={self.inertia:.4f}, lower={self.lower:.4f}: {end})"


def optimality_gap(
    A: Any,
    medoids: Any,
    *,
    metric: str = "similarity",
    max_iter: int = dual.MOST_STEPS,
    tol: float = TOL,
    sample_weight: Any = None,
    must: Any = None,
    never: Any = None,
    noise_price: float | None = None,
    progress: bool = False,
) -> Gap:
    """How far these medoids are from the best possible choice of as many.

    Parameters
    ----------
    A, metric, sample_weight, must, never, noise_price : as in `kmedoids`
    medoids : k distinct row numbers, such as ``fit.medoids``, all of `must` and none of `never` among them
    max_iter : int
        Most steps of the climb; 0 gives the bound of the first prices, which is valid and weak.
    tol : float
        The climb ends when the bound is within this share of the inertia; the medoids then count as proven optimal.
    progress : bool
        Draw a bar that counts the steps and shows the gap.

    Returns
    -------
    Gap
        ``gap.lower`` is never above the inertia of any k medoids. An interrupt gives the best bound so far.

    Raises
    ------
    ValueError, TypeError
        As in `kmedoids`; medoids that are no distinct row numbers, a `max_iter` or `tol` out of range.

    Notes
    -----
    A step is one look at lists of about 4 n^2 / k entries, 8 or 12 bytes each; a few hundred steps are made. With few
    clusters each step looks at all pairs. For a tensor on a device the lists are made there and kept on the CPU, where
    the steps are made. Where no lists are made, the device looks at all pairs. From vectors the lists are made from
    tiles of the matrix, which is not stored. The bound is that of the linear relaxation of the p-median problem, or a
    little below it. What remains between the two and what a better clustering could gain are not told apart.

    References
    ----------
    Cornuejols, Fisher & Nemhauser, Location of bank accounts to optimize float, Management Science 23 (1977).
    Beasley, Lagrangean heuristics for location problems, European Journal of Operational Research 65 (1993).
    Barahona & Anbil, The volume algorithm: producing primal solutions with a subgradient method (2000).

    Examples
    --------
    >>> import numpy as np
    >>> points = np.array([1.0, 2.0, 3.0, 10.0, 11.0])
    >>> optimality_gap(abs(points[:, None] - points), [1, 3], metric="precomputed")
    Gap(k=2, inertia=3.0000, lower=3.0000: proven optimal)
    """
    max_iter = _check.whole_number(max_iter, "max_iter", 0)
    tol = _kinds.number(tol, "tol", 0)
    _kinds.flag(progress, "progress")
    A = _check.as_given(A, "A")
    medoids, weight, *asked = _check.choice(medoids, sample_weight, must, never, A.shape[0])
    constraints = Constraints(*asked)
    price = _check.noise_price(noise_price)
    _check.plain_on_device(A, weight, *constraints, price)
    with memory_explained(A):
        items = prepare(A, metric).weighted(weight).capped(price)
        return replace(_climb(items, medoids, constraints, (max_iter, tol), progress), noise_price=price)


def _climb(
    items: Items, medoids: np.ndarray, constraints: Constraints, limits: tuple[int, float], progress: bool
) -> Gap:
    """`optimality_gap` of checked items; `limits` are `max_iter` and `tol`."""
    (max_iter, tol), whole, inertia = limits, items.whole_losses(), dual.loss_of(items, medoids)
    status = dual.status_of(items.n, *constraints)
    better = inertia - (1 - dual.WHOLE if whole else 0)  # what a better choice has, or less
    ascent, history, finished = dual.Ascent(items, medoids, status, progress), [], True
    with tqdm(desc="bound", total=max_iter, unit=" steps", leave=False, disable=not progress) as bar:
        try:
            for bound in ascent.steps(max_iter, better - 0.5 * tol * abs(inertia)):
                history.append(bound)
                bar.set_postfix_str(f"at most {100 * (inertia / bound - 1):.3g} % above the best" if bound > 0 else "")
                bar.update(ascent.n_steps - bar.n)
        except KeyboardInterrupt:
            finished = False
    found = ascent.bound()
    settled = dual.decided(found, len(medoids), status, better)
    gap = Gap(
        lower=np.nan,
        inertia=inertia,
        n_clusters=len(medoids),
        proven=False,
        in_every=np.flatnonzero(settled == MUST),
        in_none=np.flatnonzero(settled == NEVER),
        prices=items.base - found.limit,
        earned=found.earned,
        margin=found.margin,
        history=tuple(history),
        n_iter=ascent.n_steps,
        finished=finished and ascent.at_rest,
        metric=items.metric.word,
        unit=items.unit,
        whole=whole,
        sample_weight=items.weight,
        must=constraints.must,
        never=constraints.never,
    )
    lower = gap._lower(found.earned, len(medoids), found.margin)
    return replace(gap, lower=lower, proven=inertia - lower <= tol * abs(inertia))


def _in_float64(A: Any, metric: str) -> Any:
    """Vectors as float64, so that their cosines are; a matrix stays as it is."""
    return A.astype(np.float64) if metric in METRICS and METRICS[metric].on_vectors else A
