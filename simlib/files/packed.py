"""Vectors that were packed as bytes or base64, or written sparsely: they are refused, with the way to unpack them.

Without this the other columns of numbers would stand in for the vectors.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from simlib.files.interface import Source

CELLS_JUDGED = 200
FEWEST_BYTES_OF_A_VECTOR = 16
_SPARSE = re.compile(r"\{(\d+:[^,{}]+,?)+\}/\d+|\(\d+,\s*\[[\d,\s]*\],\s*\[[^\]]*\]\)")  # by pgvector; by Spark
LIKELY_SIZES = (1e-12, 1e6)  # bytes that are no numbers give numbers outside of this range


def refuse(source: Source, name: str, cells: Sequence[Any]) -> None:
    """Raise if the cells of a column are vectors that were packed as bytes or base64, or written sparsely."""
    present = [cell for cell in cells if cell is not None][:CELLS_JUDGED]
    if present and all(isinstance(cell, str) and _SPARSE.fullmatch(cell) for cell in present):
        raise ValueError(
            f"{source.name}: column {name!r} holds sparse vectors such as {present[0][:40]!r}: write them as lists of "
            "all their numbers, or name the columns of the vectors with columns="
        )
    packed = [_unpacked(cell) for cell in present]
    if len({len(content) for content in packed}) != 1 or not all(map(_are_numbers, packed)):
        return
    text = isinstance(present[0], str)
    how = "base64.b64decode(cell)" if text else "cell"
    raise ValueError(
        f"{source.name}: column {name!r} holds vectors packed as {'base64 text' if text else 'bytes'}: unpack each "
        f"with np.frombuffer({how}, np.float32) and save them as lists, or name the columns of the vectors with "
        "columns="
    )


def _unpacked(cell: Any) -> bytes:
    """The bytes in a cell; none if it is a text that is not in base64."""
    if isinstance(cell, bytes):
        return cell
    if not isinstance(cell, str) or re.fullmatch(r"[0-9a-fA-F]*", cell):  # a checksum is no vector
        return b""
    try:
        return base64.b64decode(cell, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _are_numbers(content: bytes) -> bool:
    """Whether bytes make sense as numbers of 4 or 8 bytes each."""
    if len(content) < FEWEST_BYTES_OF_A_VECTOR:
        return False
    for kind in (np.dtype("<f4"), np.dtype("<f8")):
        if len(content) % kind.itemsize == 0:
            with np.errstate(invalid="ignore"):
                sizes = np.abs(np.frombuffer(content, kind).astype(np.float64))
            likely = (sizes == 0) | ((sizes > LIKELY_SIZES[0]) & (sizes < LIKELY_SIZES[1]))
            if likely.all() and sizes.any():
                return True
    return False
