"""The loop behind similarities of sparse vectors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from simlib._engine.kernels.compile import compiled


class Compressed(NamedTuple):
    """A sparse matrix row by row, or column by column: line i is start[i]:start[i + 1] of `index` and `value`."""

    start: np.ndarray  # int64 (lines + 1,)
    index: np.ndarray  # int32 or int64, ascending within a line
    value: np.ndarray  # float32 or float64


@compiled(parallel=True)
def similarities(wanted, rows, row_scale, columns, column_scale, found):
    """Similarities of some sparse rows to all rows of another matrix.

    Reads wanted int64 (m,); rows: Compressed by row, with row_scale float64, their inverse lengths; columns:
    Compressed by column, the other matrix, with column_scale float64 (n,). Writes found (m, n). Products are added up
    in float64, in the order of the features, scaled once and rounded once: the similarity of i to j has the bits of that
    of j to i.
    """
    for i in prange(len(wanted)):
        row = wanted[i]
        total = np.zeros(found.shape[1])
        for e in range(rows.start[row], rows.start[row + 1]):
            feature, value = rows.index[e], np.float64(rows.value[e])
            for f in range(columns.start[feature], columns.start[feature + 1]):
                total[columns.index[f]] += value * np.float64(columns.value[f])
        for j in range(len(total)):
            found[i, j] = min(max(total[j] * (row_scale[row] * column_scale[j]), -1.0), 1.0)
