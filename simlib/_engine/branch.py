"""Branch and bound: the best choice of k medoids, and the proof that no other is better.

A node of the tree says of some candidates that they are medoids, and of others that they are not. Its bound is that of
`simlib._engine.dual`, climbed on from the prices of its parent. A node whose bound reaches the least known loss is
closed. Else candidates are decided by what it would cost to decide otherwise (`dual.decided`), and one of those left
open is tried both ways, first as a medoid.

Sources: Beasley, A note on solving large p-median problems (1985); Garcia, Labbe & Marin, Solving large p-median
problems with a radius formulation (2011), for fixing by reduced costs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from simlib._engine import dual, search
from simlib._engine.items import HostItems
from simlib._engine.kernels.dual import FREE, MUST, NEVER
from simlib._engine.progress import Progress
from simlib._engine.starts import Constraints

ROOT_STEPS, NODE_STEPS = 600, 150  # steps of a climb at most
NODE_LENGTH, SHORTEST = 0.3, 2e-3  # the first step of a climb below the root, and the last of any
LIKELY = 0.6  # branch where a candidate is chosen about so often
SWAP_PASSES = 300


class Node(NamedTuple):
    """A part of all choices: what is decided, the bound of its parent, and the prices to climb on from."""

    status: np.ndarray  # int8 (n,)
    bound: float
    limit: np.ndarray  # float64 (n,)


class Tree:
    """The search for the best choice of k medoids. HostItems only, with lists."""

    def __init__(self, items: HostItems, medoids: np.ndarray, constraints: Constraints) -> None:
        """`medoids` are a choice that keeps to the constraints."""
        self.items, self.medoids, self.constraints = items, medoids, constraints
        self.loss, self.whole = dual.loss_of(items, medoids), items.whole_losses()
        self.k, self.n_nodes = len(medoids), 0
        status = dual.status_of(items.n, *constraints)
        self.ascent = dual.Ascent(items, medoids, status, small=True)
        self.always = status == MUST  # candidates that every best choice has
        self.open = [Node(status, -np.inf, self.ascent.climb.limit.copy())]

    @property
    def lower(self) -> float:
        """No choice has a smaller loss."""
        return min([self.loss] + [node.bound for node in self.open])

    def nodes(self) -> Iterator[int]:
        """Work through the tree; yields the number of nodes looked at, after each. `open` holds what is left."""
        while self.open:
            node = self.open[-1]
            children = self._look(node)
            self.open.pop()
            self.open.extend(children)
            self.n_nodes += 1
            yield self.n_nodes

    def _look(self, node: Node) -> list[Node]:
        """Bound a node; return the nodes that are left of it, the one to look at first last."""
        if node.bound >= self._reached():
            return []
        bound = self._climb(node)
        self._try(np.flatnonzero(self.ascent.climb.chosen))
        self._try(self.ascent.favourites())
        if self.n_nodes == 0:
            self._swap()
            least = np.nextafter(self.loss, np.inf) + bound.margin
            self.always |= dual.decided(bound, self.k, node.status, least) == MUST
        if bound.lower >= self._reached():
            return []
        return self._branch(bound, dual.decided(bound, self.k, node.status, self._reached()))

    def _reached(self) -> float:
        """A choice that is better than the best known has a smaller loss than this."""
        return self.loss - (1 - dual.WHOLE if self.whole else dual.ALIKE * abs(self.loss))

    def _climb(self, node: Node) -> dual.Bound:
        """The bound of a node."""
        ascent, root = self.ascent, self.n_nodes == 0
        length, most = (dual.FIRST_LENGTH, ROOT_STEPS) if root else (NODE_LENGTH, NODE_STEPS)
        ascent.begin(node.status, node.limit, self.loss, length)
        for _ in ascent.steps(most, self._reached(), SHORTEST):
            pass
        return ascent.bound()

    def _try(self, medoids: np.ndarray) -> None:
        """Keep these medoids if they are better."""
        loss = dual.loss_of(self.items, medoids)
        if loss < self.loss:
            self.medoids, self.loss = medoids, loss

    def _swap(self) -> None:
        """Improve the medoids by swaps."""
        must = self.constraints.must
        with Progress("fasterpam", self.k) as told:
            begin = [np.concatenate([must, np.setdiff1d(m, must)]) for m in (self.medoids, self.ascent.favourites())]
            for found in search.fasterpam(self.items, begin, SWAP_PASSES, told, constraints=self.constraints):
                self._try(np.sort(found.medoids))

    def _branch(self, bound: dual.Bound, status: np.ndarray) -> list[Node]:
        """The two halves of what is left, or nothing where all is decided."""
        free = np.flatnonzero(status == FREE)
        wanted = self.k - int(np.sum(status == MUST))
        if wanted <= 0 or len(free) <= wanted:
            chosen = status == MUST if wanted <= 0 else status >= FREE
            if chosen.sum() == self.k:
                self._try(np.flatnonzero(chosen))
            return []
        unsure = np.abs(self.ascent.climb.often[free] - LIKELY)
        j = free[np.lexsort((free, -bound.earned[free], unsure))[0]]
        halves = []
        for what in (NEVER, MUST):
            half = status.copy()
            half[j] = what
            halves.append(Node(half, bound.lower, bound.limit))
        return halves
