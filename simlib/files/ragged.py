"""One half of a matrix as a table whose lines grow or shrink by one number, with or without names.

a                a b c
b 1            b 1            0
c 2 4          c 2 4          1 0
d 3 5 6        d 3 5 6        2 4 0
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from simlib.files.dialect import SEPARATORS
from simlib.files.halves import Form, Lines, numbers_of
from simlib.files.interface import Source
from simlib.files.lines import Beginning, advance, bar_over_bytes, opened
from simlib.files.messages import plain_errors
from simlib.files.numerals import MISSING, NUMBER

FEWEST_LINES = 3
LINES_JUDGED = 50


class Shape(NamedTuple):
    """What the first lines tell.

    Attributes
    ----------
    separator : the sign between the fields; a blank stands for one or more of them
    top : the names in the first line, or None if it holds none
    named : whether each line begins with a name
    form : which half the lines hold
    """

    separator: str
    top: list[str] | None
    named: bool
    form: Form


def shape_of(lines: list[str]) -> Shape | None:
    """The shape that the first lines of a text tell, or None if they do not grow or shrink by one number."""
    body = [line for line in lines if line.strip() and not line.startswith("#")][:LINES_JUDGED]
    for separator in SEPARATORS:
        rows = [_fields(line, separator) for line in body]
        above = len(rows) > 1 and len(rows[0]) > 1 and not any(map(_is_number, rows[0]))
        top, rows = (rows[0], rows[1:]) if above else (None, rows)
        steps = {len(right) - len(left) for left, right in pairwise(rows)}
        if len(rows) < FEWEST_LINES or steps not in ({1}, {-1}):
            continue
        named = not all(_is_number(row[0]) for row in rows)
        if all(_is_number(field) for row in rows for field in row[named:]):
            return Shape(separator, top, named, "lower" if steps == {1} else "upper")
    return None


def _fields(line: str, separator: str) -> list[str]:
    """The fields of a line, without blanks around them, and without empty ones at the end."""
    try:
        fields = line.split() if separator == " " else next(csv.reader([line.strip("\r\n")], delimiter=separator))
    except (csv.Error, StopIteration):
        fields = [line]
    fields = [field.strip() for field in fields]
    while len(fields) > 1 and not fields[-1]:
        fields.pop()
    return fields


def _is_number(field: str) -> bool:
    """Whether a field is a number that is there."""
    return field not in MISSING and bool(NUMBER.fullmatch(field))


def read(source: Source, beginning: Beginning, shape: Shape) -> Lines:
    """The lines of the matrix; raises where one does not grow or shrink as those before."""
    names: list[str] | None = [] if shape.named else None
    numbers: list[np.ndarray] = []
    for i, row in enumerate(_rows(source, beginning, shape)):
        numbers.append(numbers_of(source, row[0], row[shape.named :]))
        expected = len(numbers[0]) + (i if shape.form == "lower" else -i)
        if len(numbers[i]) != expected:
            called = f"the line of {row[0][:40]!r}" if shape.named else f"line {i} (counted from 0)"
            raise ValueError(f"{source.name}: {called} has {len(numbers[i])} numbers, expected {expected}")
        if names is not None:
            names.append(row[0])
    if shape.form == "lower" and len(numbers[0]) == 1 and not _own_numbers(shape, names, numbers):
        names = None if names is None else [_first_name(shape), *names]
        numbers = [np.empty(0), *numbers]
    if shape.form == "upper" and len(numbers[-1]) == 1 and not _own_numbers(shape, names, numbers):
        names = None if names is None else [*names, _last_name(shape)]
        numbers = [*numbers, np.empty(0)]
    above = [name for name in shape.top or [] if name]
    return Lines(shape.form, numbers, names, above if len(above) == len(numbers) else None)


def _rows(source: Source, beginning: Beginning, shape: Shape) -> Iterator[list[str]]:
    """The fields of all lines but the one of names."""
    with plain_errors(source.name), opened(source, beginning.encoding) as file, bar_over_bytes(source) as bar:
        body = (line for line in file if line.strip() and not line.startswith("#"))
        if shape.top is not None:
            next(body)
        for line in body:
            yield _fields(line, shape.separator)
            advance(bar, file)


def _own_numbers(shape: Shape, names: list[str] | None, numbers: list[np.ndarray]) -> bool:
    """Whether the lines hold the numbers of the items with themselves, which are then all the same or named so."""
    if shape.top is not None and names is not None:
        above = [name for name in shape.top if name]
        return len(above) >= len(names) and above[-len(names) :] == names
    own = np.array([row[-1 if shape.form == "lower" else 0] for row in numbers])
    return bool(np.ptp(own) == 0)


def _first_name(shape: Shape) -> str:
    """The name of the item that has no line of its own in a lower half: it stands first above the columns."""
    above = [name for name in shape.top or [] if name]
    return above[0] if above else ""


def _last_name(shape: Shape) -> str:
    """The name of the item that has no line of its own in an upper half: it stands last above the columns."""
    return shape.top[-1] if shape.top else ""
