"""A round of the alternating loop: assign every row, then find the most central member of each cluster."""

from __future__ import annotations

from typing import Any

import dask
import numpy as np
from dask import delayed

from simlib._engine.items import by_cluster
from simlib._engine.tiles import Scaled
from simlib.distributed.assigned import lost, nearest
from simlib.distributed.chunks import added, first_rows, held, prepared, tree, vectors_of


def one_round(X: Any, rows: np.ndarray) -> tuple[np.ndarray, float]:
    """Assign all rows to these medoids, then find the most central member of each cluster, and the inertia."""
    blocks, firsts, (centres,) = prepared(X), first_rows(X), held([vectors_of(X, rows)])
    found = [nearest(block, centres, rows, first) for block, first in zip(blocks, firsts, strict=True)]
    labels = [pair[0] for pair in found]
    totals = tree([cluster_sums(*pair, len(rows)) for pair in zip(blocks, labels, strict=True)], added)
    loss = tree([lost(pair[1]) for pair in found], added)
    # three computations, since in one every row would be kept until the totals, which need all rows, are there
    totals, loss, *labels = held([totals, loss, *labels])
    best = [_best_rows(block, mine, totals, first) for block, mine, first in zip(blocks, labels, firsts, strict=True)]
    (_, better), loss = dask.compute(tree(best, _better), loss)
    return better, loss


@delayed(pure=True)
def cluster_sums(block: Scaled, labels: np.ndarray, k: int) -> np.ndarray:
    """The unit vectors of a chunk summed by cluster, float64 (k, d)."""
    unit = block.vectors * block.scale[:, None]
    members, first = by_cluster(labels, k)
    sums, filled = np.zeros((k, unit.shape[1])), np.flatnonzero(np.diff(first))
    sums[filled] = np.add.reduceat(unit[members], first[filled])
    return sums


@delayed(pure=True)
def _best_rows(block: Scaled, labels: np.ndarray, totals: np.ndarray, first: int) -> tuple[np.ndarray, np.ndarray]:
    """In each cluster the row of a chunk with the largest summed similarity to it, (k,) values and row numbers."""
    unit = block.vectors * block.scale[:, None]
    value = np.einsum("ij,ij->i", unit, totals[labels]).round(9)
    best, row = np.full(len(totals), -np.inf), np.full(len(totals), -1)
    order = np.lexsort((-np.arange(len(unit)), value))  # the last of a cluster is its best, the lowest row among equals
    best[labels[order]], row[labels[order]] = value[order], first + order
    return best, row


@delayed(pure=True)
def _better(a: tuple, b: tuple) -> tuple:
    """The better row of each cluster; among equals the first chunk's."""
    later = b[0] > a[0]
    return np.where(later, b[0], a[0]), np.where(later, b[1], a[1])
