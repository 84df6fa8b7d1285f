"""The same on Dask arrays: more rows than one machine's memory holds, or more than one machine. Needs the extra `dask`.

X is a Dask array (n, d), chunked along its rows only; a row is an item. Whatever scheduler is in force does the work:
threads, a LocalCluster, a cluster far away; nothing here asks for a Client or changes a setting. X is read three times
in every round and never kept, so `X = X.persist()` first pays where it fits into the workers' memory.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from simlib import _check
from simlib._engine import tiles
from simlib._engine.items import by_cluster
from simlib._engine.tiles import Scaled, unit_scale
from simlib._extras import extra
from simlib.medoids import Clustering
from simlib.medoids import kmedoids as kmedoids_in_memory

with extra("dask", "simlib.distributed"):
    import dask
    import dask.array as da
    from dask import delayed

BLOCK_ROWS = 5000  # rows of a block of the matrix, at most
SAMPLE_ROWS = 20_000  # rows clustered by swaps, at least, before all rows are looked at
ASSIGNED_ROWS = 2048  # rows whose similarities to the medoids are held at once
STARTS = ("random", "first")  # of the loop; a sample brings its own


def cosine_similarity(X: Any) -> Any:
    """Cosine of the angle between every two rows of X, not computed before it is asked for.

    Parameters
    ----------
    X : dask array (n, d)

    Returns
    -------
    dask array (n, n)
        float32 or float64, what `simlib.cosine_similarity` would give, in chunks as X has along its rows; those over
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
    X = _checked(X)
    X = X.rechunk((tuple(part for size in X.chunks[0] for part in _cut(size)), -1))
    blocks, sizes = _prepared(X), X.chunks[0]
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
        Its chunks of rows become the chunks of the Zarr array, so all but the last must be of one size.
    path : path of the array, which must not exist; seen by all workers
    progress : bool
        Draw a bar over the rows of blocks.

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
    """
    with extra("dask", "write_zarr"):
        import zarr

    X, path = _checked(X), Path(path)
    sizes = X.chunks[0]
    if len(set(sizes[:-1])) > 1 or sizes[-1] > sizes[0]:
        raise ValueError(f"the chunks of rows must be of one size, got {_few(sizes)}: X.rechunk(({sizes[0]}, -1))")
    if path.exists():
        raise FileExistsError(f"{path} exists already: name another, or remove it first")
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    chunks = (min(sizes[0], X.shape[0]),) * 2
    need, free = X.shape[0] ** 2 * np.dtype(_check.working_dtype(X.dtype)).itemsize, shutil.disk_usage(path.parent).free
    if need > 2 * free:  # compression does not halve numbers like these
        raise OSError(
            errno.ENOSPC, f"the matrix takes {need / 1e9:.1f} GB and {free / 1e9:.1f} GB are free", str(path.parent)
        )
    try:
        zarr.create_array(str(draft), shape=(X.shape[0],) * 2, chunks=chunks, dtype=_check.working_dtype(X.dtype))
        blocks, first = _prepared(X), np.concatenate([[0], np.cumsum(sizes)]).tolist()
        for i in tqdm(range(len(blocks)), "similarity", unit="row of blocks", disable=not progress):
            writes = [
                _write(str(draft), _product(blocks[i], blocks[j], i == j), first[i], first[j])
                for j in range(i, len(blocks))
            ]
            for failed in filter(None, dask.compute(*writes)):  # raised when no write is under way any more
                raise failed
        os.rename(draft, path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


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
    X = _checked(X)
    rows = _check.medoids(medoids, X.shape[0], "medoids")
    return _assigned(X, rows, _centres(X, rows))


def _assigned(X: Any, rows: np.ndarray, centres: Any) -> tuple[Any, Any]:
    """Labels and similarities to the medoids `rows`, whose vectors are `centres`, lazy."""
    found = [_nearest(block, centres, rows, first) for block, first in zip(_prepared(X), _firsts(X), strict=True)]
    kinds, sizes = (np.int32, _check.working_dtype(X.dtype)), X.chunks[0]
    sides = [
        da.concatenate([da.from_delayed(pair[side], (size,), kind) for pair, size in zip(found, sizes, strict=True)])
        for side, kind in enumerate(kinds)
    ]
    return sides[0], sides[1]


def kmedoids(
    X: Any,
    n_clusters: int,
    *,
    method: str = "sample",
    init: Any = "random",
    random_state: int = 0,
    max_iter: int = 300,
    progress: bool = False,
    callback: Callable[[int, int, float, float], None] | None = None,
) -> Clustering:
    """Choose k rows so that everything points the same way as one of them, for metric="cosine".

    Parameters
    ----------
    X : dask array (n, d)
    n_clusters : int
        k, between 1 and n.
    method : {"sample", "alternate"}
        "alternate" is the simple loop of `simlib.kmedoids`, exactly: assign every row, then take in each cluster the
        member with the largest summed similarity to it. "sample" first finds medoids by swaps among 20,000 rows drawn
        at random, or 20 k if that is more. From there it goes on with the loop over all rows.
    init : {"random", "first"} or k distinct row numbers
        The start of "alternate".
    random_state : int
        Seed of the sample and of the random start.
    max_iter : int
        Most rounds of the loop.
    progress : bool
        Draw a bar over the rounds.
    callback : function (iteration, n_changed, loss, seconds)
        Called after each round.

    Returns
    -------
    simlib.Clustering
        NumPy arrays, over all rows: labels and similarities (n,), k distinct row numbers, the inertia of all.

    Notes
    -----
    A round costs O(n k d), shared by the workers. Between them travel, for every chunk, sums of k x d numbers and k
    pairs (value, row); labels stay where they are until the end. A lost worker's chunks are computed again.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> angle = np.array([0.0, 0.1, 0.2, 1.5, 1.6])
    >>> X = da.from_array(np.column_stack([np.cos(angle), np.sin(angle)]), chunks=(2, 2))
    >>> print(kmedoids(X, 2, method="alternate", init=[0, 4]).labels)
    [0 0 0 1 1]
    """
    _check.one_of(method, "method", ("sample", "alternate"))
    X = _checked(X)
    n = X.shape[0]
    k = _check.whole_number(n_clusters, "n_clusters", 1, n, " (the number of rows)")
    max_iter = _check.whole_number(max_iter, "max_iter", 0)
    rng = np.random.default_rng(_check.whole_number(random_state, "random_state", 0))
    if method == "alternate":
        _check.init(init, k, n, STARTS)
    elif not (isinstance(init, str) and init == "random"):
        raise ValueError('init is for method="alternate"; method="sample" starts from a sample\'s own medoids')
    rows = _sampled(X, k, rng) if method == "sample" else _start(init, k, n, rng)
    history: list[float] = []
    better, loss = _round(X, rows) if max_iter else (rows, 0.0)
    reached = False
    with tqdm(desc="rounds", unit=" rounds", disable=not progress) as bar:
        while len(history) < max_iter and not reached:
            began, changed = time.perf_counter(), int(np.sum(better != rows))
            reached, rows = not changed, better
            if not reached:
                better, loss = _round(X, rows)
            history.append(loss)
            seconds = time.perf_counter() - began
            bar.update()
            bar.set_postfix_str(f"{k - changed} of {k} medoids unchanged, inertia {loss:.4f}, {seconds:.1f} s")
            if callback is not None:
                callback(len(history), changed, loss, seconds)
    labels, closeness = dask.compute(*_assigned(X, rows, *_held([_centres(X, rows)])))
    return Clustering(
        rows,
        labels,
        closeness,
        inertia=float(np.sum(1.0 - closeness.astype(np.float64))),
        metric="cosine",
        n_iter=len(history),
        converged=reached,
        history=tuple(history),
        centres=np.asarray(X[rows].compute()),
    )


# checks


def _checked(X: Any) -> Any:
    """X if it is a Dask array of real numbers (n, d), its columns in one chunk, the size of its chunks known."""
    if not isinstance(X, da.Array):
        raise TypeError(f"X must be a Dask array, got {type(X).__name__}: da.from_array(X, chunks=(10_000, -1))")
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(f"X must be 2-D and not empty, one row an item, got shape {X.shape}")
    if X.dtype.kind not in "fiu":
        raise TypeError(f"X must hold real numbers, got dtype {X.dtype}")
    if any(np.isnan(size) for size in X.shape):
        raise ValueError(f"the sizes of X's chunks are not known, shape {X.shape}: call X.compute_chunk_sizes() first")
    if len(X.chunks[1]) > 1:
        raise ValueError(f"X has its columns in {len(X.chunks[1])} chunks, a row must be whole: X.rechunk({{1: -1}})")
    return X


def _start(init: Any, k: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """k row numbers to start from, int64."""
    if isinstance(init, str):
        return np.arange(k) if init == "first" else rng.choice(n, k, replace=False)
    return np.array(init, dtype=np.int64)


def _cut(size: int) -> list[int]:
    """The sizes of the pieces that a chunk of `size` rows is cut into."""
    return [min(BLOCK_ROWS, size - i) for i in range(0, size, BLOCK_ROWS)]


def _few(sizes: Sequence[int]) -> str:
    """The first sizes, or row numbers."""
    return ", ".join(map(str, sizes[:4])) + (", ..." if len(sizes) > 4 else "")


# pieces of the graph


def _firsts(X: Any) -> list[int]:
    """The row number with which each chunk begins."""
    return np.concatenate([[0], np.cumsum(X.chunks[0])[:-1]]).astype(int).tolist()


def _prepared(X: Any) -> list[Any]:
    """For each chunk, delayed: its rows brought into range, and their inverse lengths."""
    work = _check.working_dtype(X.dtype)
    places = zip(X.to_delayed().ravel(), _firsts(X), X.chunks[0], strict=True)
    return [_prepare(block, work, first, (size, X.shape[1])) for block, first, size in places]


@delayed(pure=True)
def _prepare(block: np.ndarray, work: type, first: int, shape: tuple) -> Scaled:
    """The rows of a chunk, which begins at row `first`, brought into range."""
    if block.shape != shape:
        raise ValueError(
            f"the chunk of X that begins at row {first} should have shape {shape}, but has {block.shape}: "
            "a map_blocks that changes the number of rows must say so (chunks=)"
        )
    bad = first + np.flatnonzero(~np.isfinite(block).all(axis=1))
    if bad.size:
        where = f"in {bad.size} of the {len(block)} rows of the chunk that begins at row {first}"
        raise ValueError(f"X has NaN or infinity {where}: {_few(bad.tolist())}")
    return unit_scale(block, work, False, "X")


@delayed(pure=True)
def _product(a: Scaled, b: Scaled, same: bool) -> np.ndarray:
    """Similarities of one chunk's rows to another's."""
    return tiles.product(a, b, same)


@delayed
def _write(path: str, tile: np.ndarray, i: int, j: int) -> OSError | None:
    """Store a block and its mirror image; returns what went wrong."""
    import zarr

    try:
        store, (p, q) = zarr.open_array(path, mode="r+"), tile.shape
        store[i : i + p, j : j + q] = tile
        if i != j:
            store[j : j + q, i : i + p] = tile.T
    except OSError as error:
        return error
    return None


def _centres(X: Any, rows: np.ndarray) -> Any:
    """The vectors of some rows, delayed."""
    order = np.argsort(rows)
    wanted = X[rows[order]].rechunk(-1).to_delayed().ravel()[0]
    return _reordered(wanted, np.argsort(order), _check.working_dtype(X.dtype))


@delayed(pure=True)
def _reordered(vectors: np.ndarray, order: np.ndarray, work: type) -> Scaled:
    """Some vectors in another order, brought into range."""
    return unit_scale(vectors[order], work, False, "X")


@delayed(pure=True, nout=2)
def _nearest(block: Scaled, centres: Scaled, rows: np.ndarray, first: int) -> tuple[np.ndarray, np.ndarray]:
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
def _cluster_sums(block: Scaled, labels: np.ndarray, k: int) -> np.ndarray:
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


def _tree(parts: list[Any], join: Callable) -> Any:
    """The parts joined two by two, in an order that does not depend on who is ready first."""
    while len(parts) > 1:
        parts = [join(*parts[i : i + 2]) if i + 1 < len(parts) else parts[i] for i in range(0, len(parts), 2)]
    return parts[0]


@delayed(pure=True)
def _added(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Two parts of a sum."""
    return a + b


@delayed(pure=True)
def _better(a: tuple, b: tuple) -> tuple:
    """The better row of each cluster; among equals the first chunk's."""
    later = b[0] > a[0]
    return np.where(later, b[0], a[0]), np.where(later, b[1], a[1])


@delayed(pure=True)
def _lost(closeness: np.ndarray) -> float:
    """The inertia of a chunk."""
    return float(np.sum(1.0 - closeness.astype(np.float64)))


@delayed
def _nothing(part: Any) -> None:
    """What is left of a part that stays where it is."""


def _held(parts: list[Any]) -> list[Any]:
    """The parts, all computed, in the workers' memory: a cluster would begin with what comes next meanwhile."""
    parts = list(dask.persist(*parts))
    dask.compute(*[_nothing(part) for part in parts])
    return parts


def _round(X: Any, rows: np.ndarray) -> tuple[np.ndarray, float]:
    """Assign all rows to these medoids, then find the most central member of each cluster, and the inertia."""
    blocks, firsts, (centres,) = _prepared(X), _firsts(X), _held([_centres(X, rows)])
    found = [_nearest(block, centres, rows, first) for block, first in zip(blocks, firsts, strict=True)]
    labels = [pair[0] for pair in found]
    totals = _tree([_cluster_sums(*pair, len(rows)) for pair in zip(blocks, labels, strict=True)], _added)
    loss = _tree([_lost(pair[1]) for pair in found], _added)
    # three computations, since in one every row would be kept until the totals, which need all rows, are there
    totals, loss, *labels = _held([totals, loss, *labels])
    best = [_best_rows(block, mine, totals, first) for block, mine, first in zip(blocks, labels, firsts, strict=True)]
    (_, better), loss = dask.compute(_tree(best, _better), loss)
    return better, loss


def _sampled(X: Any, k: int, rng: np.random.Generator) -> np.ndarray:
    """Medoids by swaps among some rows, as rows of X."""
    size = min(X.shape[0], max(SAMPLE_ROWS, 20 * k))
    drawn = np.sort(rng.choice(X.shape[0], size, replace=False))
    sample = X[drawn].compute()
    bad = drawn[~np.isfinite(sample).all(axis=1)]
    if bad.size:
        raise ValueError(f"X has NaN or infinity in {bad.size} of {size} rows that were drawn, the first is {bad[0]}")
    fit = kmedoids_in_memory(sample, k, metric="cosine", random_state=int(rng.integers(2**31)))
    return drawn[fit.medoids]
