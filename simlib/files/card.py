"""The card of a file: what the file is, how it was read, and a sentence for whatever was decided or left out."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np


@dataclass
class Card:
    """What is known about a file. A reader adds to it while it reads.

    Attributes
    ----------
    file : the file's name, without its folder
    format : the format that the file was read as
    sha256 : the checksum of the file's bytes
    dropped : a sentence for whatever was left out
    notes : a sentence for whatever was decided
    kept : the numbers of the items that were kept, int64 (n,), counted from 0 in the file, or None: all were kept
    shares : how many "items" and "columns" were left out unasked, and of how many: only what lost some
    """

    file: str
    format: str
    sha256: str
    dropped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    kept: np.ndarray | None = None
    shares: dict[str, tuple[int, int]] = field(default_factory=dict)

    def with_shape(self, array: np.ndarray) -> dict[str, Any]:
        """The card as a dictionary that also describes the array (rows, columns) that is handed out."""
        rows, columns = array.shape
        return {**asdict(self), "rows": rows, "columns": columns, "dtype": str(array.dtype)}


def card_of(path: Path, format_name: str) -> Card:
    """A new card for the file at `path`, which is to be read as this format."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return Card(path.name, format_name, digest.hexdigest())
