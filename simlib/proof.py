"""The best choice of k medoids, proved: branch and bound for small and middling numbers of items."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from simlib import _check, _kinds
from simlib._engine.branch import Tree
from simlib._engine.prepare import prepare_host
from simlib._engine.starts import Constraints

MAX_SECONDS = 60.0


@dataclass(frozen=True, repr=False, eq=False)
class Proof:
    """The best medoids found, and whether they are proved to be the best there are.

    Attributes
    ----------
    optimal : bool, True if no choice of k medoids has a smaller inertia, but for rounding
    medoids : int64 (k,), the best found, ascending if they are better than those given
    inertia : float, with these medoids
    lower : float, no choice of k medoids has a smaller inertia
    in_every : int64, rows that are known to be among the medoids of every best choice
    n_nodes : int, parts of all choices that were looked at
    """

    optimal: bool
    medoids: np.ndarray
    inertia: float
    lower: float
    in_every: np.ndarray
    n_nodes: int

    @property
    def gap(self) -> float:
        """inertia / lower - 1; 0 where the medoids are optimal."""
        if self.optimal or self.inertia <= self.lower:
            return 0.0
        return self.inertia / self.lower - 1 if self.lower > 0 else np.inf

    def __repr__(self) -> str:
        end = "optimal" if self.optimal else f"at most {100 * self.gap:.2g} % above the best possible"
        return f"Proof(k={len(self.medoids)}, inertia={self.inertia:.4f}: {end}, {self.n_nodes} nodes)"


def prove(
    A: Any,
    medoids: Any,
    *,
    metric: str = "similarity",
    max_seconds: float = MAX_SECONDS,
    sample_weight: Any = None,
    must: Any = None,
    never: Any = None,
    noise_price: float | None = None,
    progress: bool = False,
) -> Proof:
    """Find the best choice of as many medoids, and prove that no other is better.

    This is for up to a few thousand items: the time may grow without limit, and it depends on the data more than on
    their number. `optimality_gap` is the quick answer for many items, and tells in advance how much there is to prove.

    Parameters
    ----------
    A, metric, sample_weight, must, never, noise_price : as in `kmedoids`
    medoids : k distinct row numbers to begin with, such as ``fit.medoids``, which keep to `must` and `never`
    max_seconds : float
        Stop after about so many seconds, with the gap that is left.
    progress : bool
        Draw a bar that counts the nodes of the tree and shows the gap.

    Returns
    -------
    Proof
        With better medoids than those given, where there are any. An interrupt gives what is known so far.

    Raises
    ------
    ValueError, TypeError
        As in `optimality_gap`.

    Notes
    -----
    Branch and bound, depth first, over the lower bound of `optimality_gap`; candidates are decided by their reduced
    costs. Memory: lists of about 4 n^2 / k entries, and for each level of the tree two arrays of n numbers. Two losses
    that differ by less than 1e-9 of their size count as the same.

    References
    ----------
    Garcia, Labbe & Marin, Solving large p-median problems with a radius formulation, INFORMS J. on Computing 23 (2011).
    Beasley, A note on solving large p-median problems, European Journal of Operational Research 21 (1985).

    Examples
    --------
    >>> import numpy as np
    >>> points = np.array([1.0, 2.0, 3.0, 10.0, 11.0])
    >>> proof = prove(abs(points[:, None] - points), [0, 1], metric="precomputed")
    >>> print(proof.optimal, proof.inertia, proof.in_every)
    True 3.0 [1]
    """
    max_seconds = _kinds.number(max_seconds, "max_seconds", 0)
    _kinds.flag(progress, "progress")
    A = _check.as_host(A, "A")
    medoids, weight, *asked = _check.choice(medoids, sample_weight, must, never, A.shape[0])
    constraints = Constraints(*asked)
    items = prepare_host(A, metric).weighted(weight).capped(_check.noise_price(noise_price))
    tree = Tree(items, medoids, constraints)
    _work(tree, time.perf_counter() + max_seconds, progress)
    optimal = not tree.open
    return Proof(
        optimal,
        tree.medoids,
        tree.loss,
        tree.loss if optimal else tree.lower,
        np.flatnonzero(tree.always),
        tree.n_nodes,
    )


def _work(tree: Tree, end: float, progress: bool) -> None:
    """Work through the tree until it is empty, the time is over, or an interrupt comes."""
    with tqdm(desc="proof", unit=" nodes", leave=False, disable=not progress) as bar:
        try:
            for _ in tree.nodes():
                bar.update()
                bar.set_postfix_str(f"best {tree.loss:.6g}, none below {tree.lower:.6g}")
                if time.perf_counter() > end:
                    return
        except KeyboardInterrupt:
            return
