"""The swap search over chunks: candidates by the thousand, many swaps at once, the exact loss after each round."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import dask
import numpy as np

from simlib._engine.search import TOLERANCE
from simlib.distributed import choice, near, order
from simlib.distributed.alternate import cluster_sums
from simlib.distributed.chunks import added, first_rows, held, prepared_once, tree, vectors_of

MOST_CANDIDATES = 4096  # judged at once, or as many as there are medoids if that is more
FEWEST_CANDIDATES, CANDIDATES_A_MEDOID = 256, 8  # with few medoids a candidate concerns many rows


class State(NamedTuple):
    """What the workers hold of some medoids; delayed but for the row numbers."""

    medoids: np.ndarray  # int64 (k,)
    centres: Any  # their vectors
    known: list[Any]  # each chunk's two nearest of them


class Search:
    """Medoids on their way to a swap optimum over all rows of X, at least two and fewer than rows."""

    def __init__(self, X: Any, medoids: np.ndarray) -> None:
        """The rows are checked and measured; nothing else is computed yet."""
        self.X, self.medoids, self.n = X, medoids.copy(), X.shape[0]
        self.blocks, self.firsts = prepared_once(X), first_rows(X)
        self.n_swaps = self.since_swap = 0
        self.ranks: list[Any] = []
        self.state: State | None = None  # None: to be derived anew, so that a lost worker costs one batch at most

    def rank(self) -> None:
        """Put the rows in order: in each cluster the members with the largest summed similarity first."""
        k, labels = len(self.medoids), [order.owners(each) for each in self.known()]
        places = list(zip(self.blocks, labels, strict=True))
        (totals,) = held([tree([cluster_sums(*pair, k) for pair in places], added)])
        self.since_swap = 0
        self.ranks = held([order.ranked(*p, totals, first) for p, first in zip(places, self.firsts, strict=True)])

    def candidates(self) -> Iterator[np.ndarray]:
        """Every row once, in batches, in the order of the last `rank`."""
        k = len(self.medoids)
        value, row = np.full(k, np.inf), np.full(k, -1)
        left, most = self.n, max(1, batch_size(k) // k)
        while left:
            heads = [order.next_rows(each, value, row, most) for each in self.ranks]
            found = dask.compute(tree(heads, lambda a, b: order.merged(a, b, most)))[0]  # noqa: B023
            left -= len(found.row)
            value[found.cluster], row[found.cluster] = found.value, found.row  # the last of a cluster stays
            most = max(most, batch_size(k) // len(np.unique(found.cluster)))
            yield found.row

    def try_all(self, batch: np.ndarray, deadline: float = np.inf) -> None:
        """Make swaps for these candidates until none of them helps."""
        rows = batch[~np.isin(batch, self.medoids)]
        made = 0
        if len(rows):
            now, (vectors,) = self._state(), held([vectors_of(self.X, rows)])
            pairs, sums = self._listed(now, vectors, rows)
            while new := self._exchange(now, sums, pairs, vectors, rows):
                now, sums, count = new
                made += count
                if time.monotonic() > deadline:
                    break
        if made:
            self.state = None
        self.n_swaps += made
        self.since_swap = 0 if made else self.since_swap + len(batch)

    def loss(self) -> float:
        """The loss with these medoids."""
        return float(dask.compute(tree([near.loss(each) for each in self._state().known], added))[0])

    def best_change(self, batch: np.ndarray) -> tuple[float, int, int]:
        """The best single exchange for one of these candidates: the change, the position, and the row number."""
        rows = batch[~np.isin(batch, self.medoids)]
        if not len(rows):
            return np.inf, -1, -1
        now, (vectors,) = self._state(), held([vectors_of(self.X, rows)])
        places = list(zip(now.known, self.blocks, self.firsts, strict=True))
        pairs = [near.listed(*place, vectors, rows) for place in places]  # not kept: each is used once
        found = choice.judged(dask.compute(self._summed(now, pairs, len(rows)))[0])
        j = int(found.change.argmin())
        return float(found.change[j]), int(found.position[j]), int(rows[j])

    def known(self) -> list[Any]:
        """Each chunk's two nearest medoids, held by the workers."""
        return self._state().known

    def _state(self) -> State:
        """What the workers hold of the medoids as they are now."""
        if self.state is None:
            (centres,) = held([vectors_of(self.X, self.medoids)])
            places = zip(self.blocks, self.firsts, strict=True)
            known = held([near.two_nearest(*place, centres, self.medoids) for place in places])
            self.state = State(self.medoids, centres, known)
        return self.state

    def _listed(self, now: State, vectors: Any, rows: np.ndarray) -> tuple[list[Any], near.Sums]:
        """For each chunk the rows that candidates concern, held by the workers, and the sums over all rows."""
        places = zip(now.known, self.blocks, self.firsts, strict=True)
        pairs = [near.listed(*place, vectors, rows) for place in places]
        *pairs, sums = dask.persist(*pairs, self._summed(now, pairs, len(rows)))
        return pairs, dask.compute(sums)[0]

    def _summed(self, now: State, pairs: list[Any], m: int) -> Any:
        """The sums over all rows, delayed, added chunk by chunk in an order that depends on the chunks only."""
        parts = [near.summed(*both, m, len(now.medoids)) for both in zip(now.known, pairs, strict=True)]
        return tree(parts, near.sums_added)

    def _exchange(
        self, now: State, sums: near.Sums, pairs: list[Any], vectors: Any, rows: np.ndarray
    ) -> tuple[State, near.Sums, int] | None:
        """Make swaps that help; as long as the exact loss does not fall, take them back and make half of them.

        Returns what the workers hold then, the sums, and the number of swaps made; None if no candidate helps.
        """
        found = choice.judged(sums)
        found.change[np.isin(rows, self.medoids)] = np.inf
        new = choice.together(sums, found, TOLERANCE * abs(sums.loss))
        while len(new):
            after = self._after(now, found.position[new], vectors, rows, new)
            *known, total = dask.persist(*after.known, self._summed(after, pairs, len(rows)))
            then = dask.compute(total)[0]
            if then.loss < sums.loss:
                self.medoids = after.medoids
                return after._replace(known=known), then, len(new)
            new = new[: len(new) // 2]  # of one, which was judged exactly, nothing is left
        return None

    def _after(self, now: State, swapped: np.ndarray, vectors: Any, rows: np.ndarray, new: np.ndarray) -> State:
        """What will be known once the medoids at positions `swapped` are the candidates `new`."""
        medoids = now.medoids.copy()
        medoids[swapped] = rows[new]
        (centres,) = dask.persist(near.replaced(now.centres, swapped, vectors, new))
        places = zip(now.known, self.blocks, self.firsts, strict=True)
        return State(medoids, centres, [near.exchanged(*place, centres, medoids, swapped) for place in places])


def batch_size(k: int) -> int:
    """How many candidates are judged at once."""
    return min(max(FEWEST_CANDIDATES, CANDIDATES_A_MEDOID * k), max(MOST_CANDIDATES, k))
