"""The swap search over chunks: candidates by the thousand, many swaps at once, the exact loss after each round."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import dask
import numpy as np

from simlib._engine.search import TOLERANCE
from simlib.distributed import choice, near, order
from simlib.distributed.alternate import cluster_sums
from simlib.distributed.chunks import added, first_rows, held, prepared, tree, vectors_of

MOST_CANDIDATES = 4096  # judged at once, or as many as there are medoids if that is more
FEWEST_CANDIDATES, CANDIDATES_A_MEDOID = 256, 8  # with few medoids a candidate concerns many rows


class Search:
    """Medoids on their way to a swap optimum over all rows of X, at least two and fewer than rows."""

    def __init__(self, X: Any, medoids: np.ndarray) -> None:
        """Nothing is computed yet."""
        self.X, self.medoids, self.n = X, medoids.copy(), X.shape[0]
        self.blocks, self.firsts = prepared(X), first_rows(X)
        self.n_swaps = self.since_swap = 0
        self.ranks: list[Any] = []
        self.near: list[Any] | None = None  # None: to be derived anew, so that a lost worker costs one batch at most

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
            known = self.known()
            pairs = self._listed(known, rows)
            sums = self._summed(known, pairs, len(rows))
            while time.monotonic() < deadline:
                known, sums, new = self._exchange(known, sums, pairs, rows)
                made += new
                if not new:
                    break
            self.near = None if made else known
        self.n_swaps += made
        self.since_swap = 0 if made else self.since_swap + len(batch)

    def loss(self) -> float:
        """The loss with these medoids."""
        return float(dask.compute(tree([near.loss(each) for each in self.known()], added))[0])

    def best_change(self, batch: np.ndarray) -> tuple[float, int, int]:
        """The best single exchange for one of these candidates: the change, the position, and the row number."""
        rows = batch[~np.isin(batch, self.medoids)]
        if not len(rows):
            return np.inf, -1, -1
        known, (vectors,) = self.known(), held([vectors_of(self.X, rows)])
        places = list(zip(known, self.blocks, self.firsts, strict=True))
        pairs = [near.listed(*place, vectors, rows) for place in places]  # not held: each is used once
        found = choice.judged(self._summed(known, pairs, len(rows)))
        j = int(found.change.argmin())
        return float(found.change[j]), int(found.position[j]), int(rows[j])

    def known(self) -> list[Any]:
        """Each chunk's two nearest medoids, held by the workers."""
        if self.near is None:
            (centres,) = held([vectors_of(self.X, self.medoids)])
            places = zip(self.blocks, self.firsts, strict=True)
            self.near = held([near.two_nearest(*place, centres, self.medoids) for place in places])
        return self.near

    def _listed(self, known: list[Any], rows: np.ndarray) -> list[Any]:
        """For each chunk the rows that candidates concern, held by the workers."""
        (vectors,) = held([vectors_of(self.X, rows)])
        places = zip(known, self.blocks, self.firsts, strict=True)
        return held([near.listed(*place, vectors, rows) for place in places])

    def _summed(self, known: list[Any], pairs: list[Any], m: int) -> near.Sums:
        """The sums over all rows, added chunk by chunk in an order that depends on the chunks only."""
        parts = [near.summed(*both, m, len(self.medoids)) for both in zip(known, pairs, strict=True)]
        return dask.compute(tree(parts, near.sums_added))[0]

    def _chosen(self, sums: near.Sums, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The candidates to be swapped in, and the positions of the medoids that go for them."""
        found = choice.judged(sums)
        found.change[np.isin(rows, self.medoids)] = np.inf
        chosen = choice.together(sums, found, TOLERANCE * abs(sums.loss))
        return chosen, found.position[chosen]

    def _exchange(
        self, known: list[Any], sums: near.Sums, pairs: list[Any], rows: np.ndarray
    ) -> tuple[list[Any], near.Sums, int]:
        """Make swaps that help; as long as the exact loss does not fall, take them back and make half of them.

        Returns what the chunks know then, the sums, and the number of swaps made: 0 if no candidate helps.
        """
        new, positions = self._chosen(sums, rows)
        while len(new):
            medoids = self.medoids.copy()
            medoids[positions] = rows[new]
            after = self._after(known, medoids, positions)
            found = self._summed(after, pairs, len(rows))
            if found.loss < sums.loss:
                self.medoids = medoids
                return after, found, len(new)
            new, positions = new[: len(new) // 2], positions[: len(new) // 2]  # of one, judged exactly, nothing is left
        return known, sums, 0

    def _after(self, known: list[Any], medoids: np.ndarray, swapped: np.ndarray) -> list[Any]:
        """What the chunks know once the medoids at positions `swapped` became others."""
        (centres,) = held([vectors_of(self.X, medoids)])
        places = zip(known, self.blocks, self.firsts, strict=True)
        return held([near.exchanged(*place, centres, medoids, swapped) for place in places])


def batch_size(k: int) -> int:
    """How many candidates are judged at once."""
    return min(max(FEWEST_CANDIDATES, CANDIDATES_A_MEDOID * k), max(MOST_CANDIDATES, k))
