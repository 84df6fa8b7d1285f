"""Matrices of text whose lines differ in length: one half of a matrix, or a whole one, a line an item.

The readers of such files gather `Lines`; `matrix_of` makes the matrix of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from simlib import _check
from simlib.files import squares
from simlib.files.interface import Read, Source
from simlib.files.numerals import NUMBER

Form = Literal["lower", "upper", "whole"]


class Lines(NamedTuple):
    """The lines of a matrix.

    Attributes
    ----------
    form : which half the lines hold, or that they hold the whole matrix
    numbers : the numbers of each line; they begin at the left in the lower half, and end at the right in the upper one
    names : a name for each item, or None
    above : the names above the columns, or None
    """

    form: Form
    numbers: list[np.ndarray]
    names: list[str] | None
    above: list[str] | None = None


def numbers_of(source: Source, name: str, fields: Sequence[str]) -> np.ndarray:
    """The fields of the line called `name` as float64; raises where one is no finite number."""
    try:
        numbers = np.array(fields, np.float64) if fields else np.empty(0)
    except ValueError:
        numbers = np.array([np.nan])
    if not np.isfinite(numbers).all():
        odd = next((field for field in fields if not NUMBER.fullmatch(field.strip())), None)
        odd = odd or next(field for field in fields if not np.isfinite(float(field)))
        raise ValueError(f"{source.name}: the line of {name[:40]!r} holds {odd[:40]!r}, not a number")
    return numbers


def matrix_of(source: Source, found: Lines) -> Read:
    """The matrix (n, n) of these lines; the first item of a lower half may have no line of its own, or the last one."""
    lengths = [len(numbers) for numbers in found.numbers]
    n = len(lengths) if found.form == "whole" else max(len(lengths), *lengths)
    if found.names is not None:
        n = max(n, len(found.names))
    _check.memory(n * n * 8, f"{source.name}, as a matrix of {n} items,", "take fewer items")
    matrix = np.full((n, n), np.nan)
    first = n - len(lengths) if found.form == "lower" else 0  # the first item of a lower half has nothing to say
    for i, numbers in enumerate(found.numbers, first):
        start = n - len(numbers) if found.form == "upper" else 0
        matrix[i, start : start + len(numbers)] = numbers
    if found.form != "whole":
        squares.mirror(source, matrix, found.form)
        squares.fill_missing_diagonal(source, matrix)
    return Read(matrix, found.names, found.above)
