"""Vectors of which only the numbers that are not 0 are stored, as SciPy's rows (`csr_array`).

What a file says about places is checked before it is used: SciPy's compiled loops trust it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simlib import _check
from simlib.files import arrays, gaps
from simlib.files.interface import Source
from simlib.files.messages import unreadable


def is_sparse(values: Any) -> bool:
    """Whether vectors are stored sparsely."""
    return hasattr(values, "tocsr")


def rows_of(source: Source, stored: Any) -> Any:
    """A sparse matrix or array of SciPy, as rows (n, d); raises if its places lie outside of it."""
    import scipy.sparse

    if stored.ndim != 2 or 0 in stored.shape:
        raise ValueError(f"{source.name} must hold a 2-D array, one row an item, got shape {stored.shape}")
    if stored.dtype.kind not in "fiub":
        raise ValueError(f"{source.name} must hold real numbers, got dtype {stored.dtype}")
    need = 16 * stored.nnz + 8 * (stored.shape[0] + 1)
    _check.memory(need, f"{source.name}, as sparse rows,", "take fewer rows")
    try:
        if hasattr(stored, "check_format"):
            stored.check_format(full_check=True)
        rows = scipy.sparse.csr_array(stored.tocsr())
        rows.sum_duplicates()
    except (ValueError, TypeError, IndexError) as error:
        raise ValueError(unreadable(source.name, error)) from None
    return rows


def of_parts(source: Source, layout: str, parts: dict[str, np.ndarray], shape: Any) -> Any:
    """The rows that are stored as `data`, `indices` and `indptr`, by rows (csr) or by columns (csc)."""
    import scipy.sparse

    kind = scipy.sparse.csr_array if layout == "csr" else scipy.sparse.csc_array
    try:
        stored = kind((parts["data"], parts["indices"], parts["indptr"]), shape=tuple(map(int, shape)))
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise ValueError(unreadable(source.name, error)) from None
    return rows_of(source, stored)


def finished(source: Source, rows: Any, labels: Any) -> tuple[Any, Any]:
    """The rows as float32 or float64, without those that hold NaN or infinity, and their labels."""
    whole = rows.dtype.kind in "iu"
    kind = arrays.float_type(rows.data if rows.nnz else np.zeros(1)) if whole or rows.dtype.kind == "f" else np.float32
    rows = rows.astype(kind)
    places = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))[~np.isfinite(rows.data)]
    bad_in_row = np.bincount(places, minlength=rows.shape[0])
    finite = bad_in_row == 0
    labels = gaps.noted(source, bad_in_row, labels)
    share = rows.nnz / (rows.shape[0] * rows.shape[1])
    source.card.notes.append(f"Sparse: {rows.nnz:,} numbers are stored ({share:.2g} of all), the others are 0.")
    return (rows if finite.all() else rows[finite]), labels
