"""The swap search: a medoid is exchanged for another item wherever that lowers the loss, until no exchange does.

How a swap is judged, and what the search keeps true at every step, stands on the architecture page, `simlib._engine`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from tqdm.auto import tqdm

from simlib import _limits
from simlib._engine import starts
from simlib._engine.extension import Extension
from simlib._engine.items import HostItems, Items
from simlib._engine.kernels import search as kernels
from simlib._engine.kernels.lists import TOGETHER, Chains, Lists
from simlib._engine.kernels.search import Cache, Scratch, Terms
from simlib._engine.progress import Progress
from simlib._engine.refine import KICKS, Refinement
from simlib._engine.starts import FREE, Constraints
from simlib._engine.tiles import one_blas_thread
from simlib._labels import figures

ROWS_AFTER_SWAP = 16  # candidates judged at once after a swap, where there are no lists
IN_PARALLEL = 100_000  # entries of rows or lists from which on all cores judge
GROWTH = 1.25  # how many times more are judged at once as long as there is no swap
MOST_PERTURBED = 12  # at most so many medoids are exchanged at random before the next repair
TOLERANCE = 1e-12  # a swap must lower the loss by more than this share of it


class Found(NamedTuple):
    """What a search ends with: k distinct medoids, and how it got there."""

    medoids: np.ndarray  # int64 (k,)
    history: tuple[float, ...] = ()  # the loss after each pass, and after the perturbations if they lowered it
    n_swaps: int = 0
    converged: bool = True  # False if `max_iter` stopped the search
    spread: tuple[float, ...] = ()  # the loss before and after each perturbation


class More(NamedTuple):
    """What to do beyond a swap optimum."""

    seeds: Sequence[np.random.Generator] = ()  # one for each further end
    candidates: np.ndarray | None = None  # bool (n,), the rows worth to try; None: all are


NO_MORE = More()


class SwapSearch(Protocol):
    """What `Search` and the block search of a device have in common."""

    items: Any
    n_swaps: int
    since_swap: int  # candidates tried since the last swap
    tolerance: float  # a swap must lower the loss by more than this

    @property
    def medoids(self) -> np.ndarray:
        """The medoids as they are now, int64 (k,)."""

    def loss(self) -> float:
        """The loss with these medoids."""

    def look_at(self, block: slice) -> None:
        """Judge a block of candidates in order, and swap at once where the loss falls."""

    def exchange(self, j: int, r: int) -> None:
        """Put item j in place of the medoid at position r, whatever that does to the loss."""

    def restart(self, medoids: np.ndarray) -> None:
        """Go on from other medoids."""

    def shorten(self) -> None:
        """Forget what the passes after the first do not need; other starts would."""

    def state(self) -> Any:
        """A copy of what is known."""

    def restore(self, state: Any) -> None:
        """Go back to a copy."""


class Search:
    """Medoids on their way to a swap optimum, over lists of neighbours or, where these do not pay, whole rows."""

    def __init__(
        self, items: HostItems, medoids: np.ndarray, progress: bool = False, constraints: Constraints = FREE
    ) -> None:
        """The medoids begin with those of `constraints` that must stay."""
        self.items, self.progress = items, progress
        self.never = constraints.never
        self.n_swaps = self.since_swap = 0
        self.rows_at_once = ROWS_AFTER_SWAP
        n, dtype = items.n, items.dtype
        depth, entry = min(items.DEPTH, len(medoids)), np.dtype(dtype).itemsize
        items.check_memory(n * (depth + 5) * (4 + entry))
        barred = np.zeros(n, bool)
        barred[medoids] = barred[self.never] = True
        nearest = np.empty((depth, n), np.int32), np.empty((depth, n), dtype), np.empty(n, dtype)
        removal = np.empty(len(medoids)), np.empty(len(medoids), bool)
        self.cache = Cache(*nearest, medoids.copy(), barred, *removal)
        room = 2 * n + TOGETHER
        self.scratch = Scratch(np.empty(room, np.int32), np.empty(room, dtype), np.empty(room, np.int32))
        self.rebuild()
        self.tolerance = TOLERANCE * abs(self.loss())
        self.terms = Terms(items.weight, len(constraints.must), self.tolerance)

    @property
    def medoids(self) -> np.ndarray:
        """The medoids as they are now, int64 (k,)."""
        return self.cache.medoids

    def loss(self) -> float:
        """The loss with these medoids."""
        return self.items.loss(self.cache.closeness[0])

    def rebuild(self) -> None:
        """Derive every item's nearest medoids, and list what is closer to an item than the last of them."""
        cache, n, dtype = self.cache, self.items.n, self.items.dtype
        depth, k = len(cache.position), len(self.medoids)
        cache.position[:], cache.closeness[:] = self.items.nearest(self.medoids, depth)
        cache.known_radius[:] = cache.closeness[-1] if depth < k else -np.inf
        cache.stale[:] = True
        self.lists: Lists | None = None  # the old ones make room
        self.extension: Extension | None = None
        self.deep = depth
        if depth < k:  # else the last is the farthest of all medoids, and nearly every pair would be listed
            self.deep = self.items.listed_depth(cache.closeness)
            self.lists = self.items.lists(cache.closeness[self.deep - 1].copy(), True, self.progress)
        if self.lists is None:
            self.items = self.items.at_hand(self.progress)
        self.n_listed = 0 if self.lists is None else len(self.lists.start)
        self.reach = np.full(n, -np.inf, dtype) if self.lists is None else self.lists.reach
        if self.lists is not None:
            kernels.trim(self.reach, cache)
            self.extension = Extension(self.lists, self.items)

    def restart(self, medoids: np.ndarray) -> None:
        """Go on from other medoids, with the lists there are."""
        self.cache.barred[:] = False
        self.cache.barred[medoids] = self.cache.barred[self.never] = True
        self.medoids[:] = medoids
        self.n_swaps = self.since_swap = 0
        if self.lists is None:
            self.rebuild()
            return
        self.cache.stale[:] = True
        for block in self.items.blocks():
            self.scratch.incomplete[: block.stop - block.start] = np.arange(block.start, block.stop)
            self._refill(block.stop - block.start)

    def exchange(self, j: int, r: int) -> None:
        """Put item j in place of the medoid at position r, whatever that does to the loss."""
        known = self._known(j)
        if known is not None:
            n_incomplete = kernels.exchange_by_list(j, r, *known, self.cache, self.scratch)
        else:
            row = self.items.entries([j])[0]
            n_incomplete = kernels.exchange_by_row(j, r, row, self.items.factor, self.cache, self.scratch)
        self._refill(n_incomplete)

    def _known(self, j: int) -> tuple[Lists, Chains] | None:
        """The lists, and what is added to them, up to date for the block of row j; None where it has no list."""
        while j < self.n_listed:
            assert self.lists is not None
            assert self.extension is not None
            if self.extension.complete(j):
                return self.lists, self.extension.chains
            self.rebuild()
        return None

    def look_at(self, block: slice) -> None:
        """Judge a block of candidates in order, and swap at once where the loss falls."""
        j = self._first_swap(block)
        while j < block.stop and self.since_swap < self.items.n:
            known = self._known(block.stop - 1)
            if known is None:
                self._by_rows(slice(j, block.stop))
                return
            j, swaps, self.since_swap, n_incomplete = kernels.swap_by_lists(
                j, block.stop, *known, self.cache, self.since_swap, self.terms, self.scratch
            )
            self.n_swaps += swaps
            self._refill(n_incomplete)

    def _first_swap(self, block: slice) -> int:
        """The first candidate of a block to be looked at in order: where no swap is near, all cores look for it."""
        known, stop = self._known(block.stop - 1), min(block.stop, block.start + self.items.n - self.since_swap)
        if known is None or self.since_swap < stop - block.start:
            return block.start
        lists = known[0]
        if np.sum(lists.stop[block.start : stop] - lists.start[block.start : stop]) < IN_PARALLEL:
            return block.start
        found = np.empty(_limits.cores(), np.int64)
        j = int(kernels.first_swap_by_lists(block.start, stop, *known, self.cache, self.terms, found))
        self.since_swap += j - block.start
        return j

    def _by_rows(self, block: slice) -> None:
        """Judge candidates by whole rows, several at once; after a swap those behind it are judged again."""
        n, factor, rows = self.items.n, self.items.factor, self.items.entries(block)
        position, change = np.empty(len(rows), np.int64), np.empty(len(rows))
        i = 0
        while i < len(rows) and self.since_swap < n:
            some = rows[i : i + self.rows_at_once]
            kernels.update_removal(self.cache, self.terms)
            judge = kernels.best_swaps_by_rows if some.size >= IN_PARALLEL else kernels.best_swaps_by_rows.on_one_thread
            judge(some, block.start + i, factor, self.cache, self.terms, position, change)
            better = np.flatnonzero(change[: len(some)] < -self.tolerance)
            step = int(better[0]) if better.size else len(some)
            self.since_swap = min(self.since_swap + step, n)
            if self.since_swap == n:
                return
            i += step
            self.rows_at_once = ROWS_AFTER_SWAP if better.size else min(int(GROWTH * self.rows_at_once), n)
            if better.size:
                r, j = position[step], block.start + i
                self._refill(kernels.exchange_by_row(j, r, rows[i], factor, self.cache, self.scratch))
                self.n_swaps += 1
                self.since_swap = 0
                i += 1

    def _refill(self, n_incomplete: int) -> None:
        """Find the nearest medoids of the incomplete items anew."""
        if not n_incomplete:
            return
        incomplete = self.scratch.incomplete[:n_incomplete].copy()
        columns = self.items.pairs(self.medoids, incomplete)
        n_beyond = kernels.refill(incomplete, columns, self.reach, self.deep, self.cache, self.scratch.items)
        if n_beyond:
            assert self.extension is not None
            beyond = self.scratch.items[:n_beyond].copy()
            self.extension.lower(beyond, self.cache.known_radius[beyond])

    def shorten(self) -> None:
        """Take off the lists what no pass needs any more: the first one brought the medoids closer to the items."""
        if self.extension is not None:
            self.extension.shorten(np.maximum(self.reach, self.cache.known_radius))

    def state(self) -> tuple[Cache, Lists | None]:
        """A copy of the cache, and the lists it belongs to."""
        return Cache(*(part.copy() for part in self.cache)), self.lists

    def restore(self, state: tuple[Cache, Lists | None]) -> None:
        """Go back to a copy; derive all anew if the lists are others now."""
        cache, lists = state
        for part, old in zip(self.cache, cache, strict=True):
            part[:] = old
        if lists is not self.lists:
            self.rebuild()


def fasterpam(
    items: Items,
    begin: Sequence[np.ndarray],
    max_iter: int,
    progress: Progress,
    more: More = NO_MORE,
    constraints: Constraints = FREE,
) -> list[Found]:
    """Swap until n candidates in a row bring nothing; once from each of the starts in `begin`.

    Each seed in `more` then exchanges medoids at random and swaps repair the damage; the better end stays. The starts
    keep to `constraints`, and so do the ends. A device knows no constraints.
    """
    if not max_iter:
        return [Found(medoids, converged=False) for medoids in begin]
    if len(begin[0]) == 1:
        return [_single(items, medoids, progress, constraints) for medoids in begin]
    with one_blas_thread():  # once for all the small products of the search
        return _searched(items, begin, max_iter, progress, more, constraints)


def _searched(
    items: Items,
    begin: Sequence[np.ndarray],
    max_iter: int,
    progress: Progress,
    more: More,
    constraints: Constraints,
) -> list[Found]:
    """`fasterpam` for more than one medoid and more than no pass."""
    search, found = None, []
    for i, medoids in enumerate(begin, 1):
        if search is None:
            search = _search(items, medoids, progress.shown, constraints)
        else:
            search.restart(medoids)
        last = i == len(begin) and not more.seeds
        history = run(search, max_iter, progress.tell, progress.shown, last)
        converged = search.since_swap >= items.n
        possible = more.seeds and converged and len(constraints.must) < len(medoids) < items.n - len(constraints.never)
        further = perturb if more.candidates is None else refine
        spread = further(search, more, max_iter, progress, constraints) if possible else []
        if spread and search.loss() < history[-1]:
            history.append(search.loss())
        found.append(Found(search.medoids.copy(), tuple(history), search.n_swaps, converged, tuple(spread)))
    return found


def _search(items: Items, medoids: np.ndarray, progress: bool, constraints: Constraints) -> SwapSearch:
    """The search that suits the items: a device brings its own."""
    own = items.block_search(medoids)
    if own is not None:
        return own
    assert isinstance(items, HostItems)
    return Search(items, medoids, progress, constraints)


def _single(items: Items, medoids: np.ndarray, progress: Progress, constraints: Constraints) -> Found:
    """The best single medoid, exactly: the item with the largest summed closeness."""
    best = starts.build(items, 1, constraints)
    _, closeness = items.nearest(best, 1)
    loss = items.loss(closeness[0])
    changed = int(best[0] != medoids[0])
    progress.tell(1, changed, loss)
    return Found(best, (loss,), changed)


def run(
    search: SwapSearch,
    max_iter: int,
    tell: Callable[[int, int, float], None] | None = None,
    shown: bool = False,
    last: bool = False,
) -> list[float]:
    """Look at all candidates again and again until n in a row bring nothing; returns the loss after each pass.

    After each pass `tell` hears its number, how many medoids changed, and the loss; `shown` draws a bar over each pass.
    `last` says that the search goes on from no other medoids.
    """
    n = search.items.n
    history: list[float] = []
    while search.since_swap < n and len(history) < max_iter:
        before = search.medoids.copy()
        for block in _watched(search, f"pass {len(history) + 1}", shown):
            search.look_at(block)
            if search.since_swap >= n:
                break
        history.append(search.loss())
        if last and len(history) == 1:
            search.shorten()
        if tell is not None:
            tell(len(history), int(np.sum(search.medoids != before)), history[-1])
    return history


def _watched(search: SwapSearch, name: str, shown: bool) -> Iterator[slice]:
    """The blocks of candidates, under a bar that counts the items looked at, if it is shown."""
    if not shown:
        yield from search.items.blocks()
        return
    with tqdm(desc=name, total=search.items.n, unit=" items", leave=False, disable=not shown) as bar:
        for block in search.items.blocks():
            yield block
            bar.update(block.stop - block.start)


def perturb(
    search: SwapSearch, more: More, max_iter: int, progress: Progress, constraints: Constraints = FREE
) -> list[float]:
    """Exchange a few medoids at random, repair by swaps, keep the end if it is better: once for each seed.

    Returns the loss at the start and at each end; the medoids are the best found.
    """
    ends, kept = [search.loss()], search.state()
    best, n, k, fixed = ends[0], search.items.n, len(search.medoids), len(constraints.must)
    most = min(MOST_PERTURBED, k - fixed, n - k - len(constraints.never))
    for rng in more.seeds:
        size = rng.integers(1, most + 1)
        others = np.ones(n, bool)
        others[search.medoids] = others[constraints.never] = False
        new = rng.choice(np.flatnonzero(others), size, replace=False)
        for j, r in zip(new, fixed + rng.choice(k - fixed, size, replace=False), strict=True):
            search.exchange(j, r)
        search.since_swap = 0
        run(search, max_iter, shown=progress.shown)
        ends.append(search.loss())
        if search.since_swap >= n and ends[-1] < best - search.tolerance:
            best, kept = ends[-1], search.state()
        else:
            search.restore(kept)
        progress.note(f"perturbation {len(ends) - 1} of {len(more.seeds)}, inertia {figures(best, 4)}")
    search.since_swap = n
    return ends


def refine(
    search: SwapSearch, more: More, max_iter: int, progress: Progress, constraints: Constraints = FREE
) -> list[float]:
    """Kick the medoids about in the core of candidates, and repair by swaps among all items: once for each seed.

    Returns the loss at the start and at each end; the medoids are the best found.
    """
    assert more.candidates is not None
    ends, kept, n_swaps = [search.loss()], search.medoids.copy(), search.n_swaps
    core = more.candidates.copy()
    core[constraints.never] = False
    core[kept] = True
    fixed, total, tolerance = len(constraints.must), len(more.seeds), search.tolerance
    refinement = Refinement(search.items, kept, np.flatnonzero(core), fixed)
    for i, rng in enumerate(more.seeds):
        loss = ends[-1]
        if refinement.kicks(rng, 1 - i / total, 1 - (i + 1) / total):
            search.restart(refinement.medoids)
            run(search, max_iter, shown=progress.shown)
            loss, n_swaps = search.loss(), n_swaps + search.n_swaps
            if search.since_swap >= search.items.n and loss < min(ends) - tolerance:
                kept = search.medoids.copy()
        ends.append(loss)
        progress.note(f"{KICKS * (i + 1)} of {KICKS * total} kicks, inertia {figures(min(ends), 4)}")
    search.restart(kept)
    search.n_swaps, search.since_swap = n_swaps, search.items.n
    return ends
