"""k-medoids on the device that a torch tensor lies on; only the answer comes back to the CPU.

The matrix is never copied, and never made from vectors: closeness (the similarity, or minus the distance) is taken by
blocks of rows. The swaps are those of `_search`, but for rounding: a block of candidates is judged at once, the first
that helps is re-checked in float64 and swapped in, and those behind it are judged again. Sums by cluster are products
with the one-hot labels, which come out the same every time, unlike atomic additions. Not run on a GPU so far: the tests
run this code on CPU tensors.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from tqdm.auto import tqdm

from simlib import _check, _matrix, _passes, medoids, similarity
from simlib._search import KICK
from simlib._start import check_medoids

ROWS, COLUMNS = 128, 65_536  # candidates judged at once, and items whose labels are laid out one-hot at once
ENTRIES = 2**27  # most entries of the rows of a block of candidates: 540 MB of float32
TOLERANCE = 1e-8  # a swap must lower the loss by more than this share of it: what float32 can tell


class Items:
    """n items on a device, and tiles of their closeness."""

    def __init__(self, A: torch.Tensor, metric: str) -> None:
        _check.one_of(metric, "metric", _matrix.METRICS)
        self.given, self.metric, self.n, self.device = A.detach(), metric, len(A), A.device
        self.sign, self.base = (-1.0, 0.0) if metric == "precomputed" else (1.0, 1.0)
        if metric in _matrix.VECTORS:
            x, scale = similarity._torch_unit_scale(A, metric == "correlation", "A")
            self.unit, self.matrix = x.mul_(scale.to(x.dtype)[:, None]), None
            self.own = (scale > 0).to(x.dtype)
        else:
            self.unit, self.matrix = None, self.given
            self.own = _checked(self)
        self.work = self.own.dtype

    def tile(self, rows: torch.Tensor, columns: slice) -> torch.Tensor:
        """Closeness of items `rows` (numbers) to items `columns`, (b, m)."""
        if self.matrix is not None:
            return self.sign * self.matrix[rows, columns].to(self.work)
        tile = (self.unit[rows] @ self.unit[columns].T).clamp_(-1, 1)
        at = rows - columns.start
        own = torch.nonzero((at >= 0) & (at < tile.shape[1]))[:, 0]
        tile[own, at[own]] = self.own[rows[own]]
        return tile

    def row(self, j: int) -> torch.Tensor:
        """Closeness of item j to all, (n,)."""
        return torch.cat([self.tile(self.numbers([j]), columns)[0] for columns in self.columns()])

    def numbers(self, index: Any) -> torch.Tensor:
        """Item numbers as a tensor on the device."""
        return torch.as_tensor(index, dtype=torch.int64, device=self.device)

    def columns(self) -> Iterator[slice]:
        """Slices that cover the items, a tile wide."""
        return (slice(i, min(i + COLUMNS, self.n)) for i in range(0, self.n, COLUMNS))

    def blocks(self) -> Iterator[torch.Tensor]:
        """The item numbers, a tile high."""
        return iter(torch.arange(self.n, device=self.device).split(max(1, min(ROWS, ENTRIES // self.n))))


class State:
    """k medoids, their rows, and each item's nearest and second-nearest of them; k is at least 2."""

    def __init__(self, items: Items, chosen: np.ndarray) -> None:
        self.items, self.medoids = items, chosen.copy()
        self.rows = torch.empty(len(chosen), items.n, dtype=items.work, device=items.device)
        self.close = torch.empty(2, items.n, dtype=items.work, device=items.device)
        self.position = torch.empty(2, items.n, dtype=torch.int64, device=items.device)
        for columns in items.columns():
            self.rows[:, columns] = items.tile(items.numbers(chosen), columns)
            self.close[:, columns], self.position[:, columns] = self.rows[:, columns].topk(2, dim=0)

    def loss(self) -> float:
        """The loss with these medoids."""
        return self.items.base * self.items.n - float(self.close[0].sum(dtype=torch.float64))

    def judge(self, rows: torch.Tensor, tile: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
        """For each candidate, by its row of `tile`, the change of the loss by its best swap, and which medoid goes."""
        k, (first, second), owner = len(self.medoids), self.close, self.position[0]
        gain = torch.zeros(len(rows), dtype=torch.float64, device=rows.device)
        cost = torch.zeros(1 + len(rows), k, dtype=torch.float64, device=rows.device)  # of a removal, and what is saved
        for columns in self.items.columns():
            c, near, next_near = tile[:, columns], first[columns], second[columns]
            gain += (c - near).clamp_(min=0).sum(dim=1, dtype=torch.float64)
            saved = torch.minimum(c, near).sub_(next_near).clamp_(min=0)
            cost += torch.cat([(near - next_near)[None], saved]) @ _one_hot(owner[columns], k, c.dtype)
        change = cost[0] - cost[1:] - gain[:, None]
        change[torch.isin(rows, self.items.numbers(self.medoids))] = torch.inf
        best, position = change.min(dim=1)
        return best.cpu().numpy(), position.cpu().numpy()

    def change(self, row: torch.Tensor, r: int) -> float:
        """Change of the loss if the item with this row takes the place of the medoid at position r, in float64."""
        rest = torch.where(self.position[0] == r, self.close[1], self.close[0])
        return float((self.close[0].double() - torch.maximum(row, rest).double()).sum())

    def exchange(self, j: int, r: int, row: torch.Tensor) -> None:
        """Put item j, whose row this is, in place of the medoid at position r."""
        stale = torch.nonzero((self.position == r).any(dim=0) | (row > self.close[1]))[:, 0]
        self.rows[r], self.medoids[r] = row, j
        self.close[:, stale], self.position[:, stale] = self.rows[:, stale].topk(2, dim=0)

    def improve(self, rows: torch.Tensor, tolerance: float) -> tuple[int, int]:
        """Judge a block of candidates, swapping where the loss falls; after a swap those behind it are judged again.

        Returns the number of swaps, and of candidates since the last one.
        """
        tile = torch.cat([self.items.tile(rows, columns) for columns in self.items.columns()], dim=1)
        swaps, start, found = 0, 0, True
        while found and start < len(rows):
            found = False
            best, position = self.judge(rows[start:], tile[start:])
            for i in np.flatnonzero(best < -tolerance):
                at, r = start + int(i), int(position[i])
                if self.change(tile[at], r) < -tolerance:
                    self.exchange(int(rows[at]), r, tile[at])
                    swaps, start, found = swaps + 1, at + 1, True
                    break
        return swaps, len(rows) - start

    def run(self, max_iter: int, report: Callable[[int, int, float], None], progress: bool) -> dict:
        """Swap until no candidate brings anything; returns the history, the number of swaps and whether it ended."""
        tolerance, idle, swaps, history = TOLERANCE * abs(self.loss()), 0, 0, []
        while idle < self.items.n and len(history) < max_iter:
            before = self.medoids.copy()
            bar = {"desc": f"pass {len(history) + 1}", "unit": " items", "leave": False, "disable": not progress}
            with tqdm(total=self.items.n, **bar) as looked_at:
                for rows in self.items.blocks():
                    made, since = self.improve(rows, tolerance)
                    swaps, idle = swaps + made, since + (0 if made else idle)
                    if idle >= self.items.n:
                        break
                    looked_at.update(len(rows))
            history.append(self.loss())
            report(len(history), int(np.sum(self.medoids != before)), history[-1])
        return {"history": tuple(history), "n_iter": len(history), "n_swaps": swaps, "converged": idle >= self.items.n}


def kmedoids(A, k, metric, method, init, n_init, random_state, max_iter, progress, callback) -> medoids.Clustering:
    """`medoids.kmedoids` for a tensor, on its device; the numbers are checked already."""
    with memory_explained(A):
        items = Items(A, metric)
        seeds = [np.random.default_rng([random_state, attempt]) for attempt in range(n_init)]
        drawn = isinstance(init, str) and init in ("random", "k-medoids++")
        with _told(method, k, progress, callback) as tell:
            if method == "alternate":
                fits = [_alternate(items, _start(items, k, init, rng), max_iter, tell) for rng in seeds]
            else:
                starts = [_start(items, k, init, rng) for rng in (seeds if drawn else seeds[:1])]
                fits = [_swapped(items, chosen, max_iter, tell, progress) for chosen in starts]
                if not drawn and fits[0].converged and 1 < k < items.n:
                    fits = _kicked(items, fits[0], seeds[1:], max_iter)
        best = min(fits, key=lambda fit: fit.inertia)
        return replace(best, spread=tuple(fit.inertia for fit in fits))


def assign(A: torch.Tensor, chosen: Any, metric: str) -> medoids.Clustering:
    """`medoids.assign` for a tensor, on its device."""
    with memory_explained(A):
        return _clustering(Items(A, metric), check_medoids(chosen, len(A), "medoids"))


@contextmanager
def _told(method, k, progress, callback) -> Iterator[Callable[[int, int, float], None]]:
    """What to call after each iteration: tells the bar and the caller's callback, with the seconds it took."""
    began = time.perf_counter()
    with tqdm(desc=method, unit=" passes", disable=not progress) as bar:

        def tell(iteration: int, changed: int, loss: float) -> None:
            nonlocal began
            medoids._report(bar, callback, iteration, changed, k, loss, time.perf_counter() - began)
            began = time.perf_counter()

        yield tell


@contextmanager
def memory_explained(A: torch.Tensor) -> Iterator[None]:
    """Turn a device's lack of memory into a MemoryError that names the ways out."""
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise MemoryError(
            f"{A.device} ran out of memory with {A.shape[0]} items: pass float16 or float32, free other tensors there, "
            'pass vectors with metric="cosine" (no matrix), take method="alternate", or work on the CPU with .cpu()'
        ) from error


def _checked(items: Items) -> torch.Tensor:
    """The diagonal of the matrix; raises unless it is what `_matrix.prepare` accepts."""
    A, n = items.given, items.n
    _check.square(tuple(A.shape), items.metric)
    if A.is_complex() or A.dtype == torch.bool:
        raise TypeError(f"A must hold real numbers, got {A.dtype}")
    half = A.dtype in (torch.float16, torch.bfloat16)
    work = torch.float32 if half or A.dtype == torch.float32 else torch.float64
    own = A.diagonal().to(work)
    _check.finite_rows(torch.isfinite(own).cpu().numpy(), "A")
    _matrix._diagonal(A[:2].to(work).cpu().numpy(), own.cpu().numpy(), items.metric)
    top = items.sign * own
    slack = 0.0
    if A.is_floating_point():
        sample = float(A[:: max(1, n // 100)].abs().max())
        slack = (1e-2 if A.dtype == torch.bfloat16 else 2e-3 if half else 1e-5) * (sample if np.isfinite(sample) else 1)
    for rows in items.blocks():
        here = slice(int(rows[0]), int(rows[-1]) + 1)
        tile, mirror = A[here].to(work), A[:, here].T.to(work)
        even = ((tile - mirror).abs() <= slack).all(dim=1)  # False for NaN and infinity too
        below = (items.sign * tile <= torch.minimum(top[here, None], top) + slack).all(dim=1)
        wrong = torch.nonzero(~(even & below))
        if len(wrong):
            whole = _check.as_array(A.to(work).cpu(), "A")
            _matrix._name_fault(whole, items.metric, here.start + int(wrong[0]), items.sign, slack)
    return own


def _one_hot(labels: torch.Tensor, k: int, kind: torch.dtype) -> torch.Tensor:
    """1 where an item is in a cluster, else 0, (m, k)."""
    return torch.zeros(len(labels), k, dtype=kind, device=labels.device).scatter_(1, labels[:, None], 1)


def _clustering(items: Items, chosen: np.ndarray, **result: Any) -> medoids.Clustering:
    """Give every item to its nearest medoid, each medoid to itself, and bring the answer to the CPU."""
    close, labels = [], []
    for columns in items.columns():
        best = items.tile(items.numbers(chosen), columns).max(dim=0)
        close.append(best.values.cpu().numpy())
        labels.append(best.indices.cpu().numpy())
    close, labels = np.concatenate(close), np.concatenate(labels).astype(np.int32)
    labels[chosen] = np.arange(len(chosen))
    close[chosen] = items.sign * items.own.cpu().numpy()[chosen]
    inertia = float(np.sum(items.base - close.astype(np.float64)))
    centres = None
    if items.unit is not None:
        centres = _check.as_array(items.given[items.numbers(chosen)].cpu(), "A").copy()
    return medoids.Clustering(chosen, labels, close, inertia, items.metric, centres=centres, **result)


def _swapped(items, chosen, max_iter, tell, progress) -> medoids.Clustering:
    """Swap from these medoids to an optimum."""
    if not max_iter:
        return _clustering(items, chosen, converged=False)
    if len(chosen) == 1:  # exactly: the row with the largest sum
        best = np.array([int(_sums(items).argmax())])
        changed = int(best[0] != chosen[0])
        fit = _clustering(items, best, n_iter=1, n_swaps=changed)
        tell(1, changed, fit.inertia)
        return replace(fit, history=(fit.inertia,))
    state = State(items, chosen)
    done = state.run(max_iter, tell, progress)
    return _clustering(items, state.medoids, **done)


def _kicked(items, fit, seeds, max_iter) -> list[medoids.Clustering]:
    """The fit, and for each generator the end from the best so far with a few medoids exchanged at random."""
    fits, best, k = [fit], fit, len(fit.medoids)
    for rng in seeds:
        size = rng.integers(1, min(KICK, k, items.n - k) + 1)
        chosen = best.medoids.copy()
        new = rng.choice(np.setdiff1d(np.arange(items.n), chosen), size, replace=False)
        chosen[rng.choice(k, size, replace=False)] = new
        fits.append(_swapped(items, chosen, max_iter, lambda *news: None, False))
        best = min(best, fits[-1], key=lambda fit: fit.inertia)
    return fits


def _alternate(items, chosen, max_iter, tell) -> medoids.Clustering:
    """Assign, take each cluster's most central member, repeat until no medoid changes."""
    fit, history, changed = _clustering(items, chosen), [], 1
    while changed and len(history) < max_iter:
        sums = _own_sums(items, items.numbers(fit.labels), len(chosen)).cpu().numpy()
        chosen = _passes.best_members(sums, fit.labels, len(chosen))
        changed = int(np.sum(chosen != fit.medoids))
        fit = _clustering(items, chosen)
        history.append(fit.inertia)
        tell(len(history), changed, fit.inertia)
    return replace(fit, n_iter=len(history), converged=not changed, history=tuple(history))


def _own_sums(items: Items, labels: torch.Tensor, k: int) -> torch.Tensor:
    """Each item's summed closeness to the members of its own cluster, float64 (n,)."""
    if items.unit is None:
        sums = []
        for rows in items.blocks():
            own = torch.zeros(len(rows), dtype=torch.float64, device=items.device)
            for columns in items.columns():
                together = labels[rows, None] == labels[columns]
                own += items.tile(rows, columns).mul_(together).sum(dim=1, dtype=torch.float64)
            sums.append(own)
        return torch.cat(sums)
    total = torch.zeros(k, items.unit.shape[1], dtype=torch.float64, device=items.device)
    for columns in items.columns():
        total += _one_hot(labels[columns], k, torch.float64).T @ items.unit[columns].double()
    parts = [(items.unit[c].double() * total[labels[c]]).sum(dim=1) for c in items.columns()]
    return torch.cat(parts).mul_(1e9).round_().div_(1e9)  # a pair's sums tie, but for rounding


def _sums(items: Items) -> torch.Tensor:
    """Each item's summed closeness to all, float64 (n,)."""
    return _own_sums(items, torch.zeros(items.n, dtype=torch.int64, device=items.device), 1)


def _start(items: Items, k: int, init: Any, rng: np.random.Generator) -> np.ndarray:
    """k distinct row numbers to start from, int64."""
    if not isinstance(init, str):
        return np.array(init, dtype=np.int64)
    if init == "first":
        return np.arange(k)
    if init == "random":
        return rng.choice(items.n, k, replace=False)
    return _build(items, k) if init == "build" else _plus_plus(items, k, rng)


def _plus_plus(items: Items, k: int, rng: np.random.Generator) -> np.ndarray:
    """Draw medoids one by one with probability proportional to the distance from the nearest so far."""
    chosen = [int(rng.integers(items.n))]
    best = items.row(chosen[0])
    for _ in range(k - 1):
        weight = np.maximum(items.base - best.cpu().numpy().astype(np.float64), 0)
        weight[chosen] = 0
        if not weight.any():  # only copies of the medoids are left
            weight[:] = 1
            weight[chosen] = 0
        chosen.append(int(rng.choice(items.n, p=weight / weight.sum())))
        best = torch.maximum(best, items.row(chosen[-1]))
    return np.array(chosen)


def _build(items: Items, k: int) -> np.ndarray:
    """PAM's greedy BUILD: add the item that raises total closeness most; old gains are upper bounds of the new."""
    chosen = [int(_sums(items).argmax())]
    best = items.row(chosen[0])
    bound = np.full(items.n, np.inf)
    for _ in range(k - 1):
        bound[chosen[-1]] = -np.inf
        fresh, width = np.zeros(items.n, bool), 64
        while True:
            top = np.max(bound[fresh], initial=-np.inf)
            stale = np.where(fresh, -np.inf, bound)
            look = np.argsort(-stale, kind="stable")[:width]
            look = look[(stale[look] >= top) & (stale[look] > -np.inf)]
            if not look.size:
                break
            bound[look], fresh[look] = _gains(items, items.numbers(look), best), True
            width = min(2 * width, 8 * ROWS)
        chosen.append(int(np.flatnonzero(fresh & (bound == top))[0]))
        best = torch.maximum(best, items.row(chosen[-1]))
    return np.array(chosen)


def _gains(items: Items, rows: torch.Tensor, best: torch.Tensor) -> np.ndarray:
    """How much the total closeness would rise if each of the items became one more medoid, float64 (b,)."""
    gain = torch.zeros(len(rows), dtype=torch.float64, device=items.device)
    for columns in items.columns():
        gain += (items.tile(rows, columns) - best[columns]).clamp_(min=0).sum(dim=1, dtype=torch.float64)
    return gain.cpu().numpy()
