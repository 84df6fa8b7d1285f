"""The loop behind similarities of sparse vectors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simlib._engine.kernels.compile import compiled
from simlib._engine.kernels.tiles import write


class Compressed(NamedTuple):
    """A sparse matrix row by row, or column by column: line i is start[i]:start[i + 1] of `index` and `value`."""

    start: np.ndarray  # int64 (lines + 1,)
    index: np.ndarray  # uint32 or int64, ascending within a line
    value: np.ndarray  # float32 or float64


@compiled
def similarities(wanted, rows, row_scale, columns, column_scale, past, found):
    """Similarities of some sparse rows to all rows of another matrix.

    Reads wanted int64 (m,); rows: Compressed by row, with row_scale float64, their inverse lengths; columns:
    Compressed by column, the other matrix, with column_scale float64 (n,). Writes found (m, n), past the caches if
    `past`. Products are added up in the order of the features, so that the similarity of i to j has the bits of that of
    j to i. They are added in a row of their own, which stays in the second-level cache.
    """
    start, index, value = columns
    n = len(column_scale)
    total, scaled = np.zeros(n, value.dtype), np.empty((1, n), found.dtype)
    line = scaled[0]
    for i in range(len(wanted)):
        row = wanted[i]
        for e in range(rows.start[row], rows.start[row + 1]):
            feature, factor = rows.index[e], rows.value[e]
            for f in range(start[feature], start[feature + 1]):
                total[index[f]] += factor * value[f]
        scale = row_scale[row]
        for j in range(n):
            line[j] = min(max(total[j] * (scale * column_scale[j]), -1.0), 1.0)
            total[j] = 0.0
        write(scaled, found[i : i + 1], past)
