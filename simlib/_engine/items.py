"""n items, given by a matrix or by vectors: the one interface that every algorithm of the engine is written against.

An entry is what A holds for a pair of items, or would hold: a similarity or a distance. Closeness is
``factor * entry``, so that larger is closer, and the loss of an item is ``base`` - closeness to its medoid. A stored
matrix is read in place, a block of rows at a time: a fit never copies it as a whole. Vectors are compared a block of
rows at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from simlib import _check
from simlib._engine import lists, tiles
from simlib._engine.kernels import lists as list_kernels
from simlib._engine.kernels import nearest as nearest_kernels
from simlib._engine.kernels import sums as sum_kernels
from simlib._engine.kernels.lists import Lists
from simlib._engine.kernels.tiles import widen
from simlib._engine.metrics import Metric
from simlib._engine.tiles import Scaled

BLOCK_ROWS = 512  # rows looked at between two looks at the clock, the bar and the keyboard
BLOCK_ENTRIES = 50_000_000  # and no more entries than that: 200 MB of float32
COPY_BYTES = 30_000_000  # rows copied from a matrix take less: C libraries hand out fresh pages from 32 MB on
KEPT_BYTES = 8e9  # what is kept in place of vectors takes less than this, and less than half of the memory that is free
STRIP_ITEMS, STRIP_MEDOIDS = 1024, 512  # items and medoids whose products are taken at once
CLUSTER_SUM_BYTES = 2**28  # bytes for the sums of a strip of items to every cluster
SCALINGS = 8  # roundings of a cosine besides those of the product: lengths, scales, the type of the result
SAMPLED = 64  # rows that tell how long the lists would be
LEAST_DEPTH = 4  # medoids that lists must reach to: with fewer, too many items would need longer lists soon
CAP_WAYS_OUT = "leave out noise_price, and far items afterwards by fit.distance; or take a sample"
WAYS_OUT = (
    'method="alternate" needs little more than the vectors; or cluster a sample and give the rest to its medoids '
    "with predict"
)


class Items:
    """n items and how close any two of them are.

    Attributes
    ----------
    n : int
    metric : Metric
    dtype : the float type that closeness is computed in
    unit : float, the similarity of an item to itself where that is not 1; similarities are divided by it
    factor : of that type, 1 / unit or -1; closeness = factor * entry
    base : float; loss = base - closeness
    rounding : float; no closeness is farther from its exact value than this
    self_closeness : (n,), each item's closeness to itself
    weight : float64 (n,), how much each item counts in a sum over items; None: all count once
    """

    weight: np.ndarray | None = None

    def __init__(self, n: int, metric: Metric, self_closeness: np.ndarray, unit: float = 1.0) -> None:
        self.n, self.metric, self.unit = n, metric, unit
        self.self_closeness = self_closeness
        self.dtype: Any = self_closeness.dtype.type
        self.factor = self.dtype(metric.sign / unit)
        self.base = metric.base
        self.rounding = 0.0 if unit == 1 else float(np.finfo(self.dtype).eps)

    def weighted(self, weight: np.ndarray | None) -> Self:
        """These items, from now on with weights."""
        self.weight = weight
        return self

    def weights(self, index: Any) -> np.ndarray | None:
        """The weights of some items (a slice or row numbers), if there are weights."""
        return None if self.weight is None else self.weight[index]

    def loss(self, closeness: np.ndarray) -> float:
        """The loss, where `closeness` (n,) is that of each item to its medoid: the weighted sum of base - closeness."""
        loss = self.base - closeness.astype(np.float64)
        return float(np.sum(loss if self.weight is None else self.weight * loss))

    def row(self, j: int) -> np.ndarray:
        """Closeness of item j to all, (n,)."""
        raise NotImplementedError

    def closeness(self, index: Any) -> np.ndarray:
        """Closeness of some items (a slice or row numbers) to all, (len(index), n)."""
        raise NotImplementedError

    def nearest(self, medoids: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray]:
        """Positions int32 and closeness (depth, n) of each item's nearest medoids, nearest first, ties to the first."""
        raise NotImplementedError

    def sums(self) -> np.ndarray:
        """Each item's summed closeness to all, by their weights, float64 (n,)."""
        raise NotImplementedError

    def member_sums(self, labels: np.ndarray, k: int) -> np.ndarray:
        """Each item's summed closeness to the members of its own cluster, by their weights, float64 (n,)."""
        raise NotImplementedError

    def gains(self, candidates: np.ndarray, best: np.ndarray) -> np.ndarray:
        """How much the total closeness would rise if each of the candidates became one more medoid, float64 (m,).

        `best` (n,) is each item's closeness to its nearest medoid so far.
        """
        raise NotImplementedError

    def count_closer(self, candidates: np.ndarray, limit: np.ndarray) -> np.ndarray:
        """How many of the candidates are closer to each item than its limit (n,), int64 (n,)."""
        raise NotImplementedError

    def whole_losses(self) -> bool:
        """Whether every loss is known to be a whole number."""
        return False

    def blocks(self) -> Iterator[slice]:
        """Slices that cover the items, so many that their rows fit into memory."""
        raise NotImplementedError

    def lists(
        self, reach: np.ndarray, some: bool = False, progress: bool = False, most: float = lists.DENSITY
    ) -> Lists | None:
        """For every item those that are closer to it than their reach (n,); None if they are too many to be worth it.

        Of a matrix they may hold no more than the share `most` of all pairs. If `some`, and they do not fit into
        memory, the first items get theirs.
        """
        return None

    def listed_depth(self, nearest: np.ndarray) -> int:
        """How many medoids the lists of a search should reach to, given the closeness (depth, n) of the nearest."""
        return len(nearest)

    def at_hand(self, progress: bool = False) -> Items:
        """The same items by their matrix, if they are vectors and the matrix fits; else as they are."""
        return self

    def capped(self, price: float | None) -> Items:
        """These items, where no loss is above `price`; as they are if it is None. A device knows no such price."""
        if price is None:
            return self
        raise NotImplementedError

    def centres(self, medoids: np.ndarray) -> Any:
        """The medoids' own vectors (k, d), as the caller gave them; None if the items came as a matrix."""
        return None

    def block_search(self, medoids: np.ndarray) -> Any:
        """The swap search of a device, which judges candidates by blocks; None where the search of the CPU serves."""
        return None


class HostItems(Items):
    """Items in the memory of the CPU. What is not written otherwise here is computed from rows of entries."""

    DEPTH = 8  # nearest medoids that the search keeps for each item
    given: Any = None  # the vectors (n, d), as the caller gave them, if there are any
    longest_block: int  # entries of a block of rows

    def entries(self, index: Any) -> np.ndarray:
        """Rows `index` (a slice or row numbers) as A has them, C-ordered (len(index), n) of `dtype`."""
        raise NotImplementedError

    def pairs(self, index: np.ndarray, columns: np.ndarray | slice) -> np.ndarray:
        """Closeness of some items to some others, (how many, how many of the others); several threads may ask."""
        raise NotImplementedError

    def subset(self, index: np.ndarray) -> HostItems:
        """Some of the items."""
        raise NotImplementedError

    def subset_bytes(self, size: int) -> int:
        """What `subset` takes for so many items."""
        raise NotImplementedError

    def at_hand(self, progress: bool = False) -> HostItems:
        return self

    def capped(self, price: float | None) -> HostItems:
        if price is None:
            return self
        items = self.at_hand()
        if items is self:
            need = self.n**2 * np.dtype(self.dtype).itemsize
            raise MemoryError(f"noise_price needs the matrix, and {need / 1e9:.1f} GB do not fit: {CAP_WAYS_OUT}")
        capped = items.capped(price)
        capped.rounding = max(self.rounding, capped.rounding)
        return capped

    def check_memory(self, need: int) -> None:
        """Raise MemoryError if a search, whose own arrays take `need` bytes, does not fit."""

    def picked(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """An array and the numbers of the rows of it that are rows `index`: a stored matrix is not copied."""
        return self.entries(index), np.arange(len(index))

    def tile(self, rows: slice, columns: slice) -> np.ndarray:
        """Entries of some items to some others as A has them, C-ordered; several threads may ask at a time."""
        raise NotImplementedError

    def upper_tiles(self) -> Iterator[tuple[slice, slice]]:
        """Rows and columns of tiles that cover the diagonal and what is above it, row after row."""
        return tiles.tiles(self.n, self.n, tiles.TILE_ROWS, True)

    def closeness(self, index: Any) -> np.ndarray:
        """Closeness of some items (a slice or row numbers) to all, (len(index), n)."""
        return self._times_factor(self.entries(index))

    def _times_factor(self, entries: np.ndarray) -> np.ndarray:
        """Closeness from entries of any shape, without a copy where the two are the same."""
        return entries if self.factor == 1 else self.factor * entries

    def row(self, j: int) -> np.ndarray:
        return self.closeness([j])[0]

    def nearest(self, medoids: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray]:
        position, closeness = _unknown(depth, self.n, self.dtype)
        for first in range(0, len(medoids), STRIP_MEDOIDS):
            some = self.picked(medoids[first : first + STRIP_MEDOIDS])
            nearest_kernels.nearest(*some, first, self.factor, position, closeness)
        return position, closeness

    def sums(self) -> np.ndarray:
        rows = (self.entries(block) for block in self.blocks())
        return np.concatenate([sum_kernels.row_sums(each, self.factor, self.weight) for each in rows])

    def member_sums(self, labels: np.ndarray, k: int) -> np.ndarray:
        members, first = by_cluster(labels, k)
        sums = np.zeros((sum_kernels.SHARES, self.n))
        for block in self.widest_blocks():
            rows = self.entries(block)
            sum_kernels.member_sums(rows, block.start, self.factor, labels, first, members, sums, self.weight)
        return sums.sum(axis=0)

    def sums_by_cluster(self, labels: np.ndarray, k: int) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
        """For strips of w items their closeness to themselves (w,) and summed to each cluster (k, w), float64.

        The members of a cluster count by their weights. Rows are read cluster by cluster, and columns stand for items:
        the matrix is symmetric.
        """
        order = np.argsort(labels, kind="stable")
        width = max(CLUSTER_SUM_BYTES // (8 * k), 1)
        for left in range(0, self.n, width):
            strip = slice(left, min(left + width, self.n))
            sums = np.zeros((k, strip.stop - left))
            for block in self.blocks():
                rows = order[block]
                sum_kernels.add_by_cluster(
                    *self.picked(rows), left, self.factor, labels[rows], sums, self.weights(rows)
                )
            yield strip, self.self_closeness[strip].astype(np.float64), sums

    def gains(self, candidates: np.ndarray, best: np.ndarray) -> np.ndarray:
        return sum_kernels.gains(*self.picked(candidates), self.factor, best, self.weight)

    def count_closer(self, candidates: np.ndarray, limit: np.ndarray) -> np.ndarray:
        return sum_kernels.count_closer(*self.picked(candidates), self.factor, limit)

    def lists(
        self, reach: np.ndarray, some: bool = False, progress: bool = False, most: float = lists.DENSITY
    ) -> Lists | None:
        """`some` has no meaning here: the lists fit, or there are none."""
        if self._listed_share(reach) > most or most * self.n**2 * (4 + reach.itemsize) > room_for_kept():
            return None
        blocks = ((block.start, self.entries(block)) for block in self.blocks())
        return lists.of_matrix(blocks, self.factor, reach, most)

    def _listed_share(self, reach: np.ndarray) -> float:
        """About which share of all pairs the lists would hold."""
        return list_kernels.count_closer(self._sampled_entries(), self.factor, reach).mean() / self.n

    def _sampled_entries(self) -> np.ndarray:
        """Some rows of entries, evenly spread."""
        return self.entries(np.arange(0, self.n, max(1, self.n // SAMPLED)))

    @property
    def rows_at_once(self) -> int:
        """So many rows fit into a block."""
        return max(1, min(BLOCK_ROWS, self.longest_block // self.n))

    @property
    def rows_extended(self) -> int:
        """So many rows of lists are brought up to date together: one or more blocks of candidates."""
        return self.rows_at_once * -(-BLOCK_ROWS // self.rows_at_once)

    def blocks(self) -> Iterator[slice]:
        step = self.rows_at_once
        return (slice(i, min(i + step, self.n)) for i in range(0, self.n, step))

    def widest_blocks(self) -> Iterator[slice]:
        """Blocks for loops that an interrupt need not break: where nothing is copied, all items at once."""
        return self.blocks()

    def centres(self, medoids: np.ndarray) -> Any:
        return None if self.given is None else np.array(self.given[medoids])


class MatrixItems(HostItems):
    """Items by an (n, n) matrix of similarities or distances, of any type, in memory or memory-mapped."""

    def __init__(
        self,
        matrix: np.ndarray,
        metric: Metric,
        self_closeness: np.ndarray,
        given: np.ndarray | None = None,
        unit: float = 1.0,
    ) -> None:
        """`given` are the vectors (n, d) that the matrix was computed from, if it was."""
        super().__init__(len(matrix), metric, self_closeness, unit)
        self.matrix, self.given = matrix, given
        self.longest_block = COPY_BYTES // np.dtype(self.dtype).itemsize
        self.in_place = matrix.flags.c_contiguous and matrix.dtype == self.dtype  # compiled loops read it as it is

    def entries(self, index: Any) -> np.ndarray:
        rows = self.matrix[index]
        return widen(rows) if rows.dtype == np.float16 else np.ascontiguousarray(rows, dtype=self.dtype)

    def pairs(self, index: np.ndarray, columns: np.ndarray | slice) -> np.ndarray:
        picked = self.matrix[index if isinstance(columns, slice) else index[:, None], columns]
        return self._times_factor(np.ascontiguousarray(picked, dtype=self.dtype))

    def whole_losses(self) -> bool:
        if not self.metric.of_distances or (self.weight is not None and np.any(self.weight % 1)):
            return False
        if self.matrix.dtype.kind != "f":
            return True
        return all(np.array_equal(rows, np.rint(rows)) for rows in map(self.entries, self.blocks()))

    def tile(self, rows: slice, columns: slice) -> np.ndarray:
        return np.ascontiguousarray(self.matrix[rows, columns], dtype=self.dtype)

    def picked(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (self.matrix, index) if self.in_place else super().picked(index)

    def widest_blocks(self) -> Iterator[slice]:
        return iter([slice(0, self.n)]) if self.in_place else self.blocks()

    def capped(self, price: float | None) -> HostItems:
        if price is None:
            return self
        size = np.dtype(self.dtype).itemsize
        _check.memory(self.n**2 * size, "noise_price needs a second matrix, which", CAP_WAYS_OUT)
        matrix, least = np.empty((self.n, self.n), self.dtype), self.dtype((self.base - price) / float(self.factor))
        cap = np.minimum if self.metric.of_distances else np.maximum
        for block in self.blocks():
            cap(self.entries(block), least, out=matrix[block])
        own = np.maximum(self.self_closeness, self.dtype(self.base - price))
        return MatrixItems(matrix, self.metric, own, self.given, self.unit).weighted(self.weight)

    def subset(self, index: np.ndarray) -> MatrixItems:
        matrix = np.ascontiguousarray(self.matrix[index[:, None], index], dtype=self.dtype)
        given = None if self.given is None else self.given[index]
        items = MatrixItems(matrix, self.metric, self.self_closeness[index], given, self.unit)
        return items.weighted(self.weights(index))

    def subset_bytes(self, size: int) -> int:
        return size * size * np.dtype(self.dtype).itemsize


class VectorItems(HostItems):
    """Items by vectors (n, d); their similarities are computed when they are asked for."""

    DEPTH = 10  # products are dear here: with more medoids known, fewer lists have to be extended

    def __init__(self, scaled: Scaled, metric: Metric, given: np.ndarray) -> None:
        """`given` are the vectors as the caller gave them."""
        super().__init__(len(given), metric, (scaled.scale > 0).astype(scaled.vectors.dtype))
        self.scaled = scaled
        self.given: np.ndarray = given
        self.longest_block = BLOCK_ENTRIES
        self.rounding = product_rounding(scaled.vectors.shape[1], self.dtype)

    def entries(self, index: Any) -> np.ndarray:
        return tiles.rows(self.scaled, np.arange(self.n)[index])

    def pairs(self, index: np.ndarray, columns: np.ndarray | slice) -> np.ndarray:
        return tiles.pairs(self.scaled, index, columns)

    def tile(self, rows: slice, columns: slice) -> np.ndarray:
        with tiles.one_blas_thread():
            return tiles.product(self.scaled.take(rows), self.scaled.take(columns), rows == columns)

    def nearest(self, medoids: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray]:
        position, closeness = _unknown(depth, self.n, self.dtype)
        centres = self.scaled.take(medoids)

        def strip(left: int) -> None:
            part = self.scaled.take(slice(left, left + STRIP_ITEMS))
            for first in range(0, len(medoids), STRIP_MEDOIDS):
                some = slice(first, first + STRIP_MEDOIDS)
                product, own = centres.vectors[some] @ part.vectors.T, medoids[some] - left
                scales = centres.scale[some], part.scale
                nearest_kernels.nearest_by_products(product, *scales, own, first, left, position, closeness)

        tiles.in_threads(strip, [(left,) for left in range(0, self.n, STRIP_ITEMS)])
        return position, closeness

    def sums(self) -> np.ndarray:
        return self._vector_sums(np.zeros(self.n, np.int32), 1)

    def member_sums(self, labels: np.ndarray, k: int) -> np.ndarray:
        return self._vector_sums(labels, k).round(9)  # the two items of a cluster of two tie, but for rounding

    def _vector_sums(self, labels: np.ndarray, k: int) -> np.ndarray:
        sums = np.empty(self.n)
        sum_kernels.vector_member_sums(*self.scaled, *by_cluster(labels, k), sums, self.weight)
        return sums

    def sums_by_cluster(self, labels: np.ndarray, k: int) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
        """Products with the summed unit vectors of each cluster."""
        members, first = by_cluster(labels, k)
        unit = self.scaled.vectors * self.scaled.scale[:, None]
        counted = unit[members] if self.weight is None else unit[members] * self.weight[members, None]
        totals = np.add.reduceat(counted, first[:-1])
        for strip in self.blocks():
            own = unit[strip]
            yield strip, np.einsum("ij,ij->i", own, own), totals @ own.T

    def lists(
        self, reach: np.ndarray, some: bool = False, progress: bool = False, most: float = lists.DENSITY
    ) -> Lists | None:
        """The lists take the place of the matrix: they are worth it if they are shorter and fit into memory."""
        expected, part = self._listable(list_kernels.count_closer(self._sampled_entries(), self.factor, reach))
        listed = self.n if part == 1 else int(self.n * part) if some else 0
        if not listed:
            return None
        return lists.of_vectors(self.scaled, reach, listed, int(expected * listed / self.n), progress)

    def listed_depth(self, nearest: np.ndarray) -> int:
        """As many as there are; fewer if else neither the lists nor the matrix fit into memory."""
        depth = len(nearest)
        if self._matrix_fits():
            return depth
        rows = self._sampled_entries()
        for deep in range(depth, LEAST_DEPTH - 1, -1):
            if self._listable(list_kernels.count_closer(rows, self.factor, nearest[deep - 1]))[1] == 1:
                return deep
        return depth

    def _listable(self, counts: np.ndarray) -> tuple[float, float]:
        """About how many entries all lists hold, rather more than less, and which part of the rows can have a list.

        `counts` are the lengths of some lists. The part is 0 where the lists are longer than the matrix.
        """
        share, size = counts.mean() / self.n, np.dtype(self.dtype).itemsize
        expected = 1.1 * share * self.n**2 + self.n
        part = 0.0 if share * (4 + size) > size else min(1.0, room_for_kept() / (4 + size) / expected)
        return expected, part

    def _matrix_fits(self) -> bool:
        return self.n**2 * np.dtype(self.dtype).itemsize < room_for_kept()

    def at_hand(self, progress: bool = False) -> HostItems:
        if not self._matrix_fits():
            return self
        matrix = tiles.matrix(self.scaled, progress)
        items = MatrixItems(matrix, self.metric, self.self_closeness, self.given).weighted(self.weight)
        items.rounding = self.rounding
        return items

    def subset(self, index: np.ndarray) -> VectorItems:
        return VectorItems(self.scaled.take(index), self.metric, self.given[index]).weighted(self.weights(index))

    def subset_bytes(self, size: int) -> int:
        return size * (self.scaled.vectors[0].nbytes + self.given[0].nbytes)

    def check_memory(self, need: int) -> None:
        need += 2 * BLOCK_ENTRIES * np.dtype(self.dtype).itemsize
        _check.memory(need, f"a search for swaps among {self.n} vectors, beside the vectors,", WAYS_OUT)
        _check.room_to_work(need)


def by_cluster(labels: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The items sorted by cluster, and where each cluster starts among them, int64 (k + 1,)."""
    return np.argsort(labels, kind="stable"), np.concatenate([[0], np.cumsum(np.bincount(labels, minlength=k))])


def product_rounding(d: int, dtype: Any) -> float:
    """How far the computed cosine of two vectors of d numbers may be from the exact one."""
    return (d + SCALINGS) * float(np.finfo(dtype).eps) / 2


def _unknown(depth: int, n: int, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """Positions and closeness of nearest medoids of which none is known yet."""
    return np.full((depth, n), -1, np.int32), np.full((depth, n), -np.inf, dtype)


def room_for_kept() -> float:
    """Bytes that lists, or a matrix made from vectors, may take."""
    return min(KEPT_BYTES, _check.room_for_arrays() / 2)
