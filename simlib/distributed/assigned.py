"""Every row's nearest medoid, chunk by chunk."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
from dask import delayed

from simlib import _check
from simlib._engine import tiles
from simlib._engine.tiles import Scaled
from simlib.distributed.chunks import checked, first_rows, prepared, vectors_of

ASSIGNED_ROWS = 2048  # rows whose similarities to the medoids are held at once


def assign(X: Any, medoids: Any) -> tuple[Any, Any]:
    """Each row's nearest medoid and the similarity to it, not computed before they are asked for.

    Parameters
    ----------
    X : dask array (n, d)
    medoids : k distinct row numbers

    Returns
    -------
    labels : dask array int32 (n,)
        Positions in `medoids`; a medoid has its own, other ties go to the first.
    similarities : dask array (n,)

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> X = da.from_array(np.array([[1.0, 0.0], [2.0, 1.0], [0.0, 2.0]]), chunks=(2, 2))
    >>> print(assign(X, [0, 2])[0].compute())
    [0 0 1]
    """
    X = checked(X)
    rows = _check.medoids(medoids, X.shape[0], "medoids")
    return assigned(X, rows, vectors_of(X, rows))


def assigned(X: Any, rows: np.ndarray, centres: Any) -> tuple[Any, Any]:
    """Labels and similarities to the medoids `rows`, whose vectors are `centres`, lazy."""
    found = [nearest(block, centres, rows, first) for block, first in zip(prepared(X), first_rows(X), strict=True)]
    kinds, sizes = (np.int32, _check.working_dtype(X.dtype)), X.chunks[0]
    sides = [
        da.concatenate([da.from_delayed(pair[side], (size,), kind) for pair, size in zip(found, sizes, strict=True)])
        for side, kind in enumerate(kinds)
    ]
    return sides[0], sides[1]


@delayed(pure=True, nout=2)
def nearest(block: Scaled, centres: Scaled, rows: np.ndarray, first: int) -> tuple[np.ndarray, np.ndarray]:
    """For each row of a chunk the position of its nearest medoid, and the similarity to it."""
    n = len(block.vectors)
    labels, closeness = np.empty(n, np.int32), np.empty(n, block.vectors.dtype)
    for part in (slice(i, i + ASSIGNED_ROWS) for i in range(0, n, ASSIGNED_ROWS)):
        tile = tiles.product(block.take(part), centres, same=False)
        labels[part] = tile.argmax(axis=1)
        closeness[part] = tile[np.arange(len(tile)), labels[part]]
    own = np.flatnonzero((rows >= first) & (rows < first + n))
    labels[rows[own] - first] = own
    closeness[rows[own] - first] = centres.scale[own] > 0
    return labels, closeness


@delayed(pure=True)
def lost(closeness: np.ndarray) -> float:
    """The inertia of a chunk."""
    return float(np.sum(1.0 - closeness.astype(np.float64)))
