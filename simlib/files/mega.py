"""Distances as MEGA writes them: `#mega`, commands that end in a semicolon, the names of the items, then one half."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from simlib.files.halves import Form, Lines, numbers_of
from simlib.files.interface import Source
from simlib.files.lines import Beginning, advance, bar_over_bytes, opened
from simlib.files.messages import plain_errors

_NAME = re.compile(r"(\[\s*\d+\s*\])?\s*#\s*(\S.*)")
_LINE = re.compile(r"\[\s*\d+\s*\](.*)")
_ERROR = re.compile(r"\[[^\]]*\]")  # a standard error, in the other half


def is_mega(lines: list[str]) -> bool:
    """Whether the first lines of a text are of a file of MEGA."""
    first = next(line for line in lines if line.strip())
    return first.strip().lower().startswith("#mega")


def read(source: Source, beginning: Beginning) -> Lines:
    """The lines of the matrix; raises where they are not as many as the file announces."""
    source.card.format = "MEGA"
    names: list[str] = []
    fields: list[list[str]] = []
    commands = ""
    errors = False
    with plain_errors(source.name), opened(source, beginning.encoding) as file, bar_over_bytes(source) as bar:
        body = (line.strip() for line in file if line.strip())
        next(body)
        for line in body:
            if line.startswith("!") or _is_open(commands):
                commands += " " + line
            elif name := _NAME.fullmatch(line):
                names.append(name[2].strip())
            elif found := _LINE.fullmatch(line):
                errors |= bool(_ERROR.search(found[1]))
                fields.append(_ERROR.sub(" ", found[1]).split())
            advance(bar, file)
    announced = re.search(r"ntaxa\s*=\s*(\d+)", commands, re.IGNORECASE)
    if announced and announced[1].lstrip("0") != str(len(names)):
        raise ValueError(f"{source.name} announces {announced[1][:40]} items and names {len(names)}: it is cut off")
    form = _form(source, commands, fields, len(names))
    if errors:
        source.card.dropped.append("What stands in square brackets: MEGA writes standard errors so.")
    source.card.notes.append(f"Read as a matrix of MEGA with {len(names)} items.")
    return Lines(form, list(_numbers(source, form, fields, names)), names)


def _is_open(commands: str) -> bool:
    """Whether the last command has not come to its semicolon."""
    return bool(commands) and not commands.rstrip().endswith(";")


def _form(source: Source, commands: str, fields: list[list[str]], n: int) -> Form:
    """Which half the lines hold, as the file says or as they show."""
    if n < 2 or not n - 1 <= len(fields) <= n:
        raise ValueError(f"{source.name} names {n} items and holds {len(fields)} lines of numbers: it is cut off")
    said = re.search(r"dataformat\s*=\s*(lower|upper)", commands, re.IGNORECASE)
    if said:
        return "lower" if said[1].lower() == "lower" else "upper"
    return "lower" if len(fields[-1]) > len(fields[0]) else "upper"


def _numbers(source: Source, form: Form, fields: list[list[str]], names: list[str]) -> Iterator[np.ndarray]:
    """The numbers of each line; raises where a line has too many or too few."""
    n = len(names)
    first = n - len(fields) if form == "lower" else 0
    own = int(len(fields[-1 if form == "lower" else 0]) == n)  # whether the diagonal is given
    for i, line in enumerate(fields, first):
        expected = (i if form == "lower" else n - 1 - i) + own
        if len(line) != expected:
            raise ValueError(
                f"{source.name}: the line of {names[i][:40]!r} has {len(line)} numbers, expected {expected}"
            )
        yield numbers_of(source, names[i], line)
