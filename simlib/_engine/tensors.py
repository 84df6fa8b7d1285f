"""Items on the device that a torch tensor lies on, their similarities, and a swap search made for a device.

Only answers come back to the CPU. The matrix is never copied, and never made from vectors: closeness is taken by tiles
of rows and columns. Sums by cluster are products with the one-hot labels, which come out the same every time, unlike
atomic additions. Not run on a GPU so far: the tests run this code on CPU tensors.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from tqdm.auto import tqdm

from simlib import _check
from simlib._engine import lists
from simlib._engine.items import SAMPLED, Items, product_rounding, room_for_kept
from simlib._engine.kernels.lists import Lists
from simlib._engine.metrics import Metric
from simlib._engine.tiles import tiles

CANDIDATES, COLUMNS = 128, 65_536  # candidates judged at once, and items whose labels are laid out one-hot at once
LOOKED_AT = 1024  # candidates whose gains are computed at once
TILE_ENTRIES = 2**27  # most entries of the rows of a block of candidates: 540 MB of float32
SHARES = {torch.bfloat16: 1e-2, torch.float16: 2e-3}  # of an entry that rounding explains; else 1e-5
TOLERANCE = 1e-8  # a swap must lower the loss by more than this share of it: what float32 can tell


class TensorItems(Items):
    """n items on a device, by their matrix or by vectors, and tiles of their closeness."""

    def __init__(self, A: torch.Tensor, metric: Metric) -> None:
        self.given, self.device = A.detach(), A.device
        self._matrix: Any = None
        self._unit: Any = None
        unit = 1.0
        if metric.on_vectors:
            x, scale = unit_scale(A, metric.centred, "A")
            self._unit = x.mul_(scale.to(x.dtype)[:, None])
            own = (scale > 0).to(x.dtype)
        else:
            self._matrix = self.given
            own, unit = _checked_matrix(self.given, metric)
            own = own * (metric.sign / unit)
        self.own, self.kind = own, own.dtype  # on the device
        super().__init__(len(A), metric, own.cpu().numpy(), unit)
        d = 0 if self._unit is None else self._unit.shape[1]
        self.rounding = product_rounding(d, self.dtype)

    def tile(self, rows: torch.Tensor, columns: slice) -> torch.Tensor:
        """Closeness of items `rows` (numbers) to items `columns`, (b, m), on the device."""
        if self._unit is None:
            return float(self.factor) * self._matrix[rows, columns].to(self.kind)
        tile = (self._unit[rows] @ self._unit[columns].T).clamp_(-1, 1)
        at = rows - columns.start
        own = torch.nonzero((at >= 0) & (at < tile.shape[1]))[:, 0]
        tile[own, at[own]] = self.own[rows[own]]
        return tile

    def tile_rows(self, rows: torch.Tensor) -> torch.Tensor:
        """Closeness of items `rows` (numbers) to all, (b, n), on the device."""
        return torch.cat([self.tile(rows, columns) for columns in self.columns()], dim=1)

    def numbers(self, index: Any) -> torch.Tensor:
        """Item numbers as a tensor on the device."""
        return torch.as_tensor(index, dtype=torch.int64, device=self.device)

    def columns(self) -> Iterator[slice]:
        """Slices that cover the items, a tile wide."""
        return (slice(i, min(i + COLUMNS, self.n)) for i in range(0, self.n, COLUMNS))

    def blocks(self) -> Iterator[slice]:
        step = max(1, min(CANDIDATES, TILE_ENTRIES // self.n))
        return (slice(i, min(i + step, self.n)) for i in range(0, self.n, step))

    def row(self, j: int) -> np.ndarray:
        return self.tile_rows(self.numbers([j]))[0].cpu().numpy()

    def closeness(self, index: Any) -> np.ndarray:
        numbers = np.arange(self.n)[index]
        return self.tile_rows(self.numbers(numbers)).cpu().numpy()

    def count_closer(self, candidates: np.ndarray, limit: np.ndarray) -> np.ndarray:
        rows, limits = self.numbers(candidates), torch.as_tensor(limit, device=self.device)
        counts = [(self.tile(rows, columns) > limits[columns]).sum(dim=0) for columns in self.columns()]
        return torch.cat(counts).cpu().numpy()

    def nearest(self, medoids: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray]:
        position = np.empty((depth, self.n), np.int32)
        closeness = np.empty((depth, self.n), self.dtype)
        rows = self.numbers(medoids)
        for columns in self.columns():
            tile = self.tile(rows, columns)
            best = tile.max(dim=0, keepdim=True) if depth == 1 else tile.topk(depth, dim=0)
            position[:, columns] = best.indices.cpu().numpy()
            closeness[:, columns] = best.values.cpu().numpy()
        return position, closeness

    def sums(self) -> np.ndarray:
        return self.member_sums(np.zeros(self.n, np.int64), 1)

    def member_sums(self, labels: np.ndarray, k: int) -> np.ndarray:
        sums = self._matrix_sums if self._unit is None else self._vector_sums
        return sums(self.numbers(labels), k).cpu().numpy()

    def _matrix_sums(self, labels: torch.Tensor, k: int) -> torch.Tensor:
        sums = []
        for block in self.blocks():
            rows = torch.arange(block.start, block.stop, device=self.device)
            total = torch.zeros(len(rows), dtype=torch.float64, device=self.device)
            for columns in self.columns():
                together = labels[rows, None] == labels[columns]
                total += self.tile(rows, columns).mul_(together).sum(dim=1, dtype=torch.float64)
            sums.append(total)
        return torch.cat(sums)

    def _vector_sums(self, labels: torch.Tensor, k: int) -> torch.Tensor:
        total = torch.zeros(k, self._unit.shape[1], dtype=torch.float64, device=self.device)
        for columns in self.columns():
            total += _one_hot(labels[columns], k, torch.float64).T @ self._unit[columns].double()
        parts = [(self._unit[c].double() * total[labels[c]]).sum(dim=1) for c in self.columns()]
        return torch.cat(parts).mul_(1e9).round_().div_(1e9)  # two items of a cluster of two tie, but for rounding

    def gains(self, candidates: np.ndarray, best: np.ndarray) -> np.ndarray:
        nearest = torch.as_tensor(best, device=self.device)
        gain = torch.zeros(len(candidates), dtype=torch.float64, device=self.device)
        for first in range(0, len(candidates), LOOKED_AT):
            rows = self.numbers(candidates[first : first + LOOKED_AT])
            for columns in self.columns():
                more = (self.tile(rows, columns) - nearest[columns]).clamp_(min=0)
                gain[first : first + LOOKED_AT] += more.sum(dim=1, dtype=torch.float64)
        return gain.cpu().numpy()

    def lists(
        self, reach: np.ndarray, some: bool = False, progress: bool = False, most: float = lists.DENSITY
    ) -> Lists | None:
        """Made on the device, a block of rows at a time, and kept in the memory of the CPU; `some` has no meaning."""
        limit = torch.as_tensor(reach, device=self.device)
        share = self._listed_share(limit)
        if share > most or 1.1 * share * self.n**2 * (4 + reach.itemsize) > room_for_kept():
            return None
        counts, near, closeness = [], [], []
        for block in tqdm(list(self.blocks()), "lists", unit="block", leave=False, disable=not progress):
            tile = self.tile_rows(torch.arange(block.start, block.stop, device=self.device))
            wanted = tile > limit
            counts.append(wanted.sum(dim=1).cpu().numpy())
            near.append(torch.nonzero(wanted)[:, 1].to(torch.int32).cpu().numpy())
            closeness.append(tile[wanted].cpu().numpy())
        count = np.concatenate(counts)
        stop = np.cumsum(count)
        return Lists(stop - count, stop, np.concatenate(near), np.concatenate(closeness), reach)

    def _listed_share(self, limit: torch.Tensor) -> float:
        """About which share of all pairs is closer than the limit (n,) of the second item."""
        sample = np.arange(0, self.n, max(1, self.n // SAMPLED))
        return float(np.mean([int((self.tile_rows(self.numbers([j])) > limit).sum()) for j in sample])) / self.n

    def centres(self, medoids: np.ndarray) -> np.ndarray | None:
        if self._unit is None:
            return None
        return _check.as_array(self.given[self.numbers(medoids)].cpu(), "A").copy()

    def block_search(self, medoids: np.ndarray) -> BlockSearch:
        return BlockSearch(self, medoids)


class BlockSearch:
    """The swap search of a device: it judges a block of candidates at once, by products with the one-hot labels.

    The first candidate that helps is checked again in float64 and swapped in, and those behind it are judged again. The
    swaps are those of `simlib._engine.search`, but for rounding. k is at least 2.
    """

    def __init__(self, items: TensorItems, medoids: np.ndarray) -> None:
        self.items = items
        k, n, device = len(medoids), items.n, items.device
        self.rows = torch.empty(k, n, dtype=items.kind, device=device)  # closeness of the medoids to all
        self.closeness = torch.empty(2, n, dtype=items.kind, device=device)  # to the nearest and the second-nearest
        self.position = torch.empty(2, n, dtype=torch.int64, device=device)
        self.restart(medoids)
        self.tolerance = TOLERANCE * abs(self.loss())

    def restart(self, medoids: np.ndarray) -> None:
        """Go on from other medoids."""
        self.medoids = medoids.copy()
        self.n_swaps = self.since_swap = 0
        self._derive()

    def shorten(self) -> None:
        """Whole rows are kept here, no lists."""

    def _derive(self) -> None:
        """Find the medoids' rows, and each item's nearest and second-nearest medoid."""
        for columns in self.items.columns():
            self.rows[:, columns] = self.items.tile(self.items.numbers(self.medoids), columns)
            self.closeness[:, columns], self.position[:, columns] = self.rows[:, columns].topk(2, dim=0)

    def loss(self) -> float:
        """The loss with these medoids."""
        return self.items.base * self.items.n - float(self.closeness[0].sum(dtype=torch.float64))

    def exchange(self, j: int, r: int) -> None:
        """Put item j in place of the medoid at position r, whatever that does to the loss."""
        self._exchange(j, r, self.items.tile_rows(self.items.numbers([j]))[0])

    def _exchange(self, j: int, r: int, row: torch.Tensor) -> None:
        stale = torch.nonzero((self.position == r).any(dim=0) | (row > self.closeness[1]))[:, 0]
        self.rows[r] = row
        self.medoids[r] = j
        self.closeness[:, stale], self.position[:, stale] = self.rows[:, stale].topk(2, dim=0)

    def state(self) -> np.ndarray:
        """A copy of the medoids: all else follows from them, and a second copy of their rows may not fit."""
        return self.medoids.copy()

    def restore(self, state: np.ndarray) -> None:
        """Go back to these medoids."""
        self.medoids = state.copy()
        self._derive()

    def look_at(self, block: slice) -> None:
        """Judge a block of candidates, and swap where the loss falls; those behind a swap are judged again."""
        rows = torch.arange(block.start, block.stop, device=self.items.device)
        tile = self.items.tile_rows(rows)
        begin, found = 0, True
        while found and begin < len(rows):
            found = False
            change, position = self.best_swaps(rows[begin:], tile[begin:])
            for i in np.flatnonzero(change < -self.tolerance):
                at, r = begin + int(i), int(position[i])
                if self.change(tile[at], r) < -self.tolerance:
                    self._exchange(int(rows[at]), r, tile[at])
                    self.n_swaps += 1
                    self.since_swap = 0
                    begin, found = at + 1, True
                    break
        self.since_swap += len(rows) - begin

    def best_swaps(self, rows: torch.Tensor, tile: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
        """For each candidate, by its row of `tile`, the change of the loss by its best swap, and which medoid goes."""
        k, (first, second), owner = len(self.medoids), self.closeness, self.position[0]
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
        rest = torch.where(self.position[0] == r, self.closeness[1], self.closeness[0])
        return float((self.closeness[0].double() - torch.maximum(row, rest).double()).sum())


def similarity(
    X: torch.Tensor, Y: Any, centred: bool, stored: type | None, height: int, progress: bool
) -> torch.Tensor:
    """Similarities of the rows of X to those of Y (None: of X itself), tile by tile on the device of X.

    `stored` is the type of the result, None for the one it is computed in; `height` the rows of a tile.
    """
    if _check.is_tensor(Y) and Y.device != X.device:
        raise ValueError(f"X is on {X.device} and Y on {Y.device}: bring them to one device, with X.cpu() for instance")
    symmetric = Y is None
    x, a = unit_scale(X, centred, "X")
    y, b = (x, a) if symmetric else unit_scale(torch.as_tensor(Y, device=X.device), centred, "Y")
    _check.same_columns(x.shape[1], y.shape[1])
    work = torch.promote_types(x.dtype, y.dtype)
    x, y = x.to(work), y.to(work)
    kind = x.dtype if stored is None else getattr(torch, np.dtype(stored).name)
    result = torch.empty(len(x), len(y), dtype=kind, device=x.device)
    places = list(tiles(len(x), len(y), height, symmetric))
    for rows, columns in tqdm(places, "similarity", unit="tile", disable=not progress):
        tile = (x[rows] @ y[columns].T).double().mul_(a[rows, None] * b[None, columns]).clamp_(-1, 1)
        if symmetric and rows == columns:
            tile = tile.triu(1) + tile.triu(1).T + torch.diag((a[rows] > 0).double())
        result[rows, columns] = tile.to(kind)
        if symmetric:
            result[columns, rows] = tile.T.to(kind)
    return result


def unit_scale(X: torch.Tensor, centred: bool, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows brought into range and the inverse length of each, like `tiles.unit_scale`, on the tensor's own device."""
    x = X.detach()
    if x.ndim != 2 or 0 in x.shape or x.is_complex() or str(x.dtype) == "torch.bool":
        raise ValueError(f"{name} must be a non-empty real 2-D tensor, got shape {tuple(x.shape)}, {x.dtype}")
    half = x.dtype in (torch.float16, torch.bfloat16, torch.float32)
    x = x.to(torch.float32 if half else torch.float64)
    top = x.abs().amax(dim=1)
    _check.finite_rows(torch.isfinite(top).cpu().numpy(), name)
    x = torch.ldexp(x, -torch.frexp(top)[1][:, None])
    if centred:
        constant = x.amax(dim=1) == x.amin(dim=1)
        x = (x.double() - x.double().mean(dim=1, keepdim=True)).to(x.dtype)
        x[constant] = 0
    length = x.double().square().sum(dim=1).sqrt()
    return x, torch.where(length > 0, 1 / length, 0.0)


def _one_hot(labels: torch.Tensor, k: int, kind: torch.dtype) -> torch.Tensor:
    """1 where an item is in a cluster, else 0, (m, k)."""
    return torch.zeros(len(labels), k, dtype=kind, device=labels.device).scatter_(1, labels[:, None], 1)


def _checked_matrix(A: torch.Tensor, metric: Metric) -> tuple[torch.Tensor, float]:
    """The entries of the items with themselves (n,), and the unit; raises unless `prepare` accepts such a matrix."""
    _check.square(tuple(A.shape), metric.word)
    if A.is_complex() or A.dtype == torch.bool:
        raise TypeError(f"A must hold real numbers, got {A.dtype}")
    share = SHARES.get(A.dtype, 1e-5 if A.is_floating_point() else 0.0)
    work = torch.float32 if A.dtype in SHARES or A.dtype == torch.float32 else torch.float64
    diagonal = A.diagonal().to(work)
    own = diagonal.cpu().numpy()
    _check.finite_rows(np.isfinite(own), "A")
    slack = share * _check.magnitude(_check.sampled(A).double().cpu().numpy())
    _check.diagonal(A[0].to(work).cpu().numpy(), own, metric.of_distances, slack)
    diagonal = torch.zeros_like(diagonal) if metric.of_distances else diagonal
    _compare(A, metric, work, diagonal, (slack, share))
    return diagonal, 1.0 if metric.of_distances else _check.self_similarity(own, share)


def _compare(A: torch.Tensor, metric: Metric, work: torch.dtype, top: torch.Tensor, tolerance: tuple) -> None:
    """Compare the matrix with its mirror image, and its entries with the diagonal `top`; raise if they do not fit."""
    slack, share = tolerance
    n = len(A)
    height = max(1, min(CANDIDATES, TILE_ENTRIES // n))
    for first in range(0, n, height):
        here = slice(first, first + height)
        tile, mirror = A[here].to(work), A[:, here].T.to(work)
        size = torch.maximum(tile.abs(), mirror.abs())
        even = ((tile - mirror).abs() <= (share * size).clamp_(min=slack)) & torch.isfinite(size)
        below = metric.sign * tile <= torch.minimum(top[here, None], top) + slack
        wrong = torch.nonzero(~(even & below).all(dim=1))
        if len(wrong):
            whole = _check.as_array(A.to(work).cpu(), "A")
            _check.name_fault(whole, metric.of_distances, first + int(wrong[0]), slack, share)
