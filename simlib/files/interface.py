"""What every reader takes, and what it gives back: `read(source: Source) -> Read`.

A reader raises a ValueError of one line where it cannot read the file. It writes on the card what it left out and
what it decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from simlib.files.card import Card


@dataclass(frozen=True)
class Source:
    """A file that is to be read, and what the caller wishes.

    Attributes
    ----------
    path : the file; it exists and is not empty
    card : what is known about the file; the reader adds to it
    label : the name of the column of labels, or None: the reader decides
    columns : the names of the columns that are the vectors, or None: the reader decides
    matrix : whether a matrix of similarities or distances is wanted, not vectors
    progress : whether a bar is drawn
    transpose : whether the columns are the items, not the rows
    drop : the names of columns that are not vectors, as the caller says, or None
    """

    path: Path
    card: Card
    label: str | None = None
    columns: list[str] | None = None
    matrix: bool = False
    progress: bool = False
    transpose: bool = False
    drop: list[str] | None = None

    @property
    def name(self) -> str:
        """The name of the file, with which every message begins."""
        return self.path.name


class Read(NamedTuple):
    """What a reader found in a file.

    Attributes
    ----------
    values : real numbers (n, d), one row an item; NaN stands for a missing number
    labels : n labels of any type, or None if the file has none
    names : the d names of the columns of `values`, or None if the reader knows none
    without_gaps : a line of Python that writes the file anew without gaps, {axis} for 0 (rows) or 1 (columns), or None
    """

    values: np.ndarray
    labels: Sequence[Any] | np.ndarray | None = None
    names: list[str] | None = None
    without_gaps: str | None = None
