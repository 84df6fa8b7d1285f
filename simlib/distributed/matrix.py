"""The similarity matrix of a Dask array: lazy, a block a pair of chunks, or written to a Zarr array."""

from __future__ import annotations

import errno
import math
import os
import shutil
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
from dask import delayed
from tqdm.auto import tqdm

from simlib import _check, _kinds
from simlib._engine import tiles
from simlib._engine.tiles import Scaled
from simlib._extras import extra
from simlib.data import named
from simlib.distributed import drafts
from simlib.distributed.chunks import checked, first_rows, prepared
from simlib.distributed.drafts import draft_of

BLOCK_ROWS = 5000  # rows of a block of the matrix, at most


def cosine_similarity(X: Any) -> Any:
    """Cosine of the angle between every two rows of X, not computed before it is asked for.

    Parameters
    ----------
    X : dask array (n, d)

    Returns
    -------
    dask array (n, n)
        float32 or float64, what `simlib.cosine_similarity` would give, in chunks as X has along its rows. Those over
        5,000 rows are cut, so that a block of float32 takes 100 MB at most. Only the blocks on and above the diagonal
        are products; the others are these, turned.

    Raises
    ------
    TypeError, ValueError
        Not a Dask array, columns in several chunks, chunks of unknown size; when computed: NaN or infinity, with the
        chunk and its rows.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> X = da.from_array(np.array([[1.0, 0.0], [3.0, 4.0], [0.0, 2.0]]), chunks=(2, 2))
    >>> print(cosine_similarity(X).compute())
    [[1.  0.6 0. ]
     [0.6 1.  0.8]
     [0.  0.8 1. ]]
    """
    return _similarity(X, False)


def correlation(X: Any) -> Any:
    """Pearson correlation between every two rows of X, not computed before it is asked for.

    The cosine of the rows after each row's own mean is taken off; a constant row has correlation 0 to everything.
    Parameters, returns and errors are those of `cosine_similarity`.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> X = da.from_array(np.array([[1.0, 2.0, 3.0], [9.0, 8.0, 7.0], [5.0, 5.0, 5.0]]), chunks=(2, 3))
    >>> print(correlation(X).compute())
    [[ 1. -1.  0.]
     [-1.  1.  0.]
     [ 0.  0.  0.]]
    """
    return _similarity(X, True)


def _similarity(X: Any, centred: bool) -> Any:
    """The lazy matrix; `centred` takes each row's mean off first."""
    X = checked(X)
    X = X.rechunk((tuple(part for size in X.chunks[0] for part in _cut(size)), -1))
    blocks, sizes = prepared(X, centred), X.chunks[0]
    kind = _check.working_dtype(X.dtype)
    rows: list[list[Any]] = []
    for i, a in enumerate(blocks):
        rows.append([])
        for j, b in enumerate(blocks):
            block = rows[j][i].T if j < i else da.from_delayed(_product(a, b, i == j), (sizes[i], sizes[j]), kind)
            rows[-1].append(block)
    return da.block(rows)


def write_zarr(X: Any, path: str | os.PathLike, *, progress: bool = False) -> None:
    """Write the similarity matrix of X to a new Zarr array, block by block, each product used for both its places.

    Parameters
    ----------
    X : dask array (n, d)
        Chunks over 5,000 rows are cut, and unequal chunks of rows become equal ones, as large as the largest of them.
    path : path of the array, which must not exist; seen by all workers
    progress : bool
        Draw a bar over the blocks, with the time that is left.

    Raises
    ------
    FileExistsError
        There is something at `path`.
    OSError
        The disk is too small, or full, or the folder cannot be written; what was written so far is removed.
    ValueError, TypeError
        As `cosine_similarity`.

    Notes
    -----
    Written under another name beside `path` and renamed when it is whole. A worker holds two chunks of X and a block.
    The chunks of the Zarr array are blocks of so many rows and columns.
    """
    with extra("dask", "write_zarr"):
        import zarr

    X, path = checked(X), _kinds.path(path, "path")
    _kinds.flag(progress, "progress")
    X = X.rechunk((min(BLOCK_ROWS, max(X.chunks[0])), -1))  # two writers never share a chunk of the Zarr array
    sizes = X.chunks[0]
    kind = np.dtype(_check.working_dtype(X.dtype))
    with draft_of(path) as draft:
        need, free = X.shape[0] ** 2 * kind.itemsize, shutil.disk_usage(path.parent).free
        if need > 2 * free:  # compression does not halve numbers like these
            words = f"the matrix takes {need / 1e9:.1f} GB and {free / 1e9:.1f} GB are free"
            raise OSError(errno.ENOSPC, words, str(path.parent))
        with named(Path(draft), path):
            zarr.create_array(draft, shape=(X.shape[0],) * 2, chunks=(sizes[0],) * 2, dtype=kind)
        blocks, first = prepared(X), first_rows(X)
        with tqdm(desc="similarity", total=math.comb(len(blocks) + 1, 2), unit="block", disable=not progress) as bar:
            for i in range(len(blocks)):
                row = range(i, len(blocks))
                writes = [_write(draft, _product(blocks[i], blocks[j], i == j), first[i], first[j]) for j in row]
                for failed in filter(None, dask.compute(*writes)):  # raised when no write is under way any more
                    raise failed
                bar.update(len(writes))


def _cut(size: int) -> list[int]:
    """The sizes of the pieces that a chunk of `size` rows is cut into."""
    return [min(BLOCK_ROWS, size - i) for i in range(0, size, BLOCK_ROWS)]


@delayed(pure=True)
def _product(a: Scaled, b: Scaled, same: bool) -> np.ndarray:
    """Similarities of one chunk's rows to another's."""
    return tiles.product(a, b, same)


@delayed
def _write(path: str, tile: np.ndarray, i: int, j: int) -> OSError | None:
    """Store a block and its mirror image; returns what went wrong."""
    import zarr

    with drafts.writers.one_more(path) as wanted:
        if not wanted:
            return None
        try:
            store, (p, q) = zarr.open_array(path, mode="r+"), tile.shape
            store[i : i + p, j : j + q] = tile
            if i != j:
                store[j : j + q, i : i + p] = tile.T
        except OSError as error:
            return error
    return None
