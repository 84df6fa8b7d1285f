"""The same on Dask arrays: more rows than one machine's memory holds, or more than one machine. Needs the extra `dask`.

X is a Dask array (n, d), chunked along its rows only; a row is an item. Whatever scheduler is in force does the work:
threads, a LocalCluster, a cluster far away; nothing here asks for a Client or changes a setting. X is read again in
every round and never kept, so `X = X.persist()` first pays where it fits into the workers' memory.

::

    matrix.py     similarities and correlations, lazy or written to a file
    medoids.py    k-medoids and its certificate
    swaps.py      the swap search:  near.py    what a chunk knows of its rows, and its sums
                                    order.py   which rows become candidates first
                                    choice.py  which swaps are made together
    alternate.py  the alternating loop          assigned.py  each row's nearest medoid
    scan.py       silhouettes, criteria for k   closest.py   the closest rows
    folder.py     files in and out              drafts.py    what workers write, whole or not at all
    chunks.py     the checks of X, and what all of them share
"""

from __future__ import annotations

from simlib._extras import extra

with extra("dask", "simlib.distributed"):
    from simlib.distributed.assigned import assign
    from simlib.distributed.closest import neighbours
    from simlib.distributed.folder import load_vectors, write_parquet
    from simlib.distributed.matrix import correlation, cosine_similarity, write_zarr
    from simlib.distributed.medoids import DaskClustering, certify, kmedoids
    from simlib.distributed.scan import scan_k, silhouette

__all__ = [
    "DaskClustering",
    "assign",
    "certify",
    "correlation",
    "cosine_similarity",
    "kmedoids",
    "load_vectors",
    "neighbours",
    "scan_k",
    "silhouette",
    "write_parquet",
    "write_zarr",
]
