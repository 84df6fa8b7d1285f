"""The order in which rows become candidates: in every cluster its most central members first."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from dask import delayed

from simlib._engine.tiles import Scaled
from simlib.distributed.near import Near


class Ranked(NamedTuple):
    """The rows of a chunk by cluster, the most central first, ties to the lowest row."""

    cluster: np.ndarray  # int32 (rows,), ascending
    value: np.ndarray  # float64 (rows,), the summed similarity to the own cluster
    row: np.ndarray  # int64 (rows,), row numbers


@delayed(pure=True)
def owners(near: Near) -> np.ndarray:
    """The position of each row's nearest medoid."""
    return near.position[0]


@delayed(pure=True)
def ranked(block: Scaled, labels: np.ndarray, totals: np.ndarray, first: int) -> Ranked:
    """The rows of a chunk that begins at row `first`, in order; `totals` (k, d) are the summed unit vectors."""
    value = np.einsum("ij,ij->i", block.vectors * block.scale[:, None], totals[labels]).round(9)
    order = np.lexsort((-value, labels))
    return Ranked(labels[order], value[order], first + order)


@delayed(pure=True)
def next_rows(ranks: Ranked, value: np.ndarray, row: np.ndarray, most: int) -> Ranked:
    """In each cluster the first rows, `most` at most, that come after the one with this value and number, (k,) each."""
    cluster = ranks.cluster
    behind = (ranks.value < value[cluster]) | ((ranks.value == value[cluster]) & (ranks.row > row[cluster]))
    return _first_of_each(Ranked(*[array[behind] for array in ranks]), most)


@delayed(pure=True)
def merged(a: Ranked, b: Ranked, most: int) -> Ranked:
    """The first rows of each cluster, `most` at most, of those of two parts."""
    both = [np.concatenate(pair) for pair in zip(a, b, strict=True)]
    order = np.lexsort((both[2], -both[1], both[0]))
    return _first_of_each(Ranked(*[array[order] for array in both]), most)


def _first_of_each(ranks: Ranked, most: int) -> Ranked:
    """The first rows of each cluster, `most` at most."""
    rank = np.arange(len(ranks.cluster)) - np.searchsorted(ranks.cluster, ranks.cluster)
    return Ranked(*[array[rank < most] for array in ranks])
