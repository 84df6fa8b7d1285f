"""The files of vectors of the nearest-neighbour benchmarks: before each vector stands its length, as an int32."""

from __future__ import annotations

import numpy as np

from simlib.files.interface import Read, Source

KINDS = {".fvecs": "<f4", ".ivecs": "<i4", ".bvecs": "u1"}


def read(source: Source) -> Read:
    """The vectors, memory-mapped."""
    kind = np.dtype(KINDS[source.path.suffix.lower()])
    size = source.path.stat().st_size
    with open(source.path, "rb") as file:
        width = int.from_bytes(file.read(4), "little", signed=True)
    bytes_a_row = 4 + width * kind.itemsize
    if width < 1 or size % bytes_a_row:
        raise ValueError(
            f"{source.name} is cut off, or not what its name says: its first vector has {width} numbers, and {size} "
            "bytes do not hold a whole number of such vectors"
        )
    rows = np.memmap(source.path, [("width", "<i4"), ("values", kind, (width,))], "r")
    odd = np.flatnonzero(rows["width"] != width)
    if len(odd):
        raise ValueError(
            f"{source.name}: the vector in row {odd[0]} (counted from 0) has {rows['width'][odd[0]]} numbers, expected "
            f"{width} as in row 0: cut off, or not what its name says?"
        )
    return Read(rows["values"])
