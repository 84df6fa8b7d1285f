"""Distances as PHYLIP, Mash and many programs for trees write them: the number of items, then a line an item.

A line is a name and its distances: to all items, to those before it, or to those before it and itself. A name may hold
blanks. In files of the old form it takes ten signs, and long lines go on in the next line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from simlib.files.halves import Lines, numbers_of
from simlib.files.interface import Source
from simlib.files.lines import Beginning, advance, bar_over_bytes, opened
from simlib.files.messages import plain_errors
from simlib.files.numerals import NUMBER

WIDTH_OF_A_NAME = 10  # of the old form


class Shape(NamedTuple):
    """How many items the first line announces, and how many numbers line i holds: `own + i`, or `whole` if given."""

    n: int
    own: int
    whole: int | None

    def width(self, i: int) -> int:
        """How many numbers the line of item i holds."""
        return self.own + i if self.whole is None else self.whole


def shape_of(lines: list[str]) -> Shape | None:
    """The shape that the first lines of a text tell, or None if they are not of such a file."""
    body = [line for line in lines if line.strip()][:3]
    if len(body) < 3 or not re.fullmatch(r"\s*\d{1,18}\s*", body[0]) or int(body[0]) < 2:
        return None
    first, second = (_split(line) for line in body[1:])
    ends = [_numbers_at_the_end(fields) for fields in (first, second)]
    n = int(body[0])
    if len(first) == 1 and len(second) == 2 and ends[1] >= 1:
        return Shape(n, 0, None)
    if len(first) == 2 and ends[0] >= 1 and len(second) == 3 and ends[1] >= 2 and n > 2:
        return Shape(n, 1, None)
    strict = body[1][WIDTH_OF_A_NAME:].split()
    if ends[0] in (n, n + 1) or len(first) == n + 1 or (len(strict) == n and all(map(NUMBER.fullmatch, strict))):
        return Shape(n, 0, n)
    if 1 < ends[0] < n and body[2][:1].isspace() and _all_numbers(body[2]):
        return Shape(n, 0, n)
    same = ends[0] == ends[1] > 1 and len(first) > ends[0]
    return Shape(n, 0, ends[0]) if same else None


def _split(line: str) -> list[str]:
    """The fields of a line: between tabs if there are some, else between blanks."""
    return line.strip().split("\t") if "\t" in line.strip() else line.split()


def _numbers_at_the_end(fields: list[str]) -> int:
    """How many fields at the end are numbers."""
    count = 0
    while count < len(fields) and NUMBER.fullmatch(fields[-1 - count].strip()):
        count += 1
    return count


def _all_numbers(line: str) -> bool:
    """Whether a line holds numbers only, so that it goes on with the numbers of the line before."""
    return bool(line) and all(NUMBER.fullmatch(field) for field in line.split())


def read(source: Source, beginning: Beginning, shape: Shape) -> Lines:
    """The lines of the matrix; raises where they are not as many, or not as long, as the first line announces."""
    source.card.format = "PHYLIP"
    if shape.whole not in (None, shape.n):
        raise ValueError(f"{source.name} announces {shape.n} items, but its lines hold {shape.whole} numbers")
    names: list[str] = []
    numbers: list[np.ndarray] = []
    numbered = 0  # names that end in a number
    with plain_errors(source.name), opened(source, beginning.encoding) as file, bar_over_bytes(source) as bar:
        lines = (line for line in file if line.strip())
        next(lines)
        for name, fields in _records(source, lines, shape):
            if len(names) == shape.n:
                raise ValueError(f"{source.name} announces {shape.n} items and holds more")
            numbered += _numbers_at_the_end(name.split()[1:]) > 0
            names.append(name)
            numbers.append(numbers_of(source, name, fields))
            advance(bar, file)
    if len(names) != shape.n:
        raise ValueError(f"{source.name} announces {shape.n} items and holds {len(names)}: it is cut off")
    if shape.whole and numbered == shape.n:
        raise ValueError(f"{source.name} announces {shape.n} items, but its lines hold more numbers than that")
    source.card.notes.append(f"The first line announces {shape.n} items, as in files of PHYLIP.")
    return Lines("lower" if shape.whole is None else "whole", numbers, names)


def _records(source: Source, lines: Iterator[str], shape: Shape) -> Iterator[tuple[str, list[str]]]:
    """The name of each item and its numbers, as text; raises where a line is too short."""
    for i, line in enumerate(lines):
        width = shape.width(i)
        name, fields = _record(line, width)
        while shape.whole and len(fields) < width:
            more = next(lines, "")
            if not _all_numbers(more):
                raise ValueError(
                    f"{source.name}: the line of {name[:40]!r} has {len(fields)} numbers, expected {width}: cut off?"
                )
            fields += more.split()
        if len(fields) != width:
            raise ValueError(f"{source.name}: the line of {name[:40]!r} has {len(fields)} numbers, expected {width}")
        yield name, fields


def _record(line: str, width: int) -> tuple[str, list[str]]:
    """The name in a line, and its numbers as text: `width` of them, or as many as there are."""
    fields = _split(line)
    if not width:
        return (line.strip(), []) if _numbers_at_the_end(fields[1:]) == 0 else (fields[0], fields[1:])
    if len(fields) > width:
        return " ".join(fields[:-width]).strip(), fields[-width:]
    name, rest = line[:WIDTH_OF_A_NAME].strip(), line[WIDTH_OF_A_NAME:].split()
    if name and len(rest) <= width and all(NUMBER.fullmatch(field) for field in rest):
        return name, rest
    return fields[0], fields[1:]
