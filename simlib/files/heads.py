"""Lines that stand before a table of text and are no part of it.

GEO writes lines that begin with `!` or `^`, GCT a version and a line of counts, others a title or where the data is
from. They are skipped, and the card says so. Comments, which begin with `#`, are left to `dialect`.
"""

from __future__ import annotations

import csv
import re
from itertools import islice
from typing import NamedTuple

from simlib.files.dialect import SEPARATORS, Dialect, holds_names, is_datum, is_number
from simlib.files.interface import Source
from simlib.files.lines import BYTES_OF_A_LONG_SAMPLE, Beginning, opened
from simlib.files.messages import plain_errors

FEWEST_ROWS = 3  # a table has at least a heading and two rows below the lines that are skipped
ROWS_JUDGED = 50
_OF_GEO = re.compile('"?[!^][A-Za-z]')
# A row may begin with an exclamation mark too: then it ends in a number.
_ENDS_IN_NUMBER = re.compile(r"[\t,; ][+-]?[\d.]+(e[+-]?\d+)?\s*$", re.IGNORECASE)


class Head(NamedTuple):
    """What stands before a table.

    Attributes
    ----------
    skipped : how many lines of the file stand before `lines`
    lines : the first lines of the file from there on
    rows : how many rows the head announces, or None
    geo : whether further lines that begin with `!` are no rows
    """

    skipped: int
    lines: list[str]
    rows: int | None = None
    geo: bool = False

    def check(self, source: Source, rows: int) -> None:
        """Raise if the table has another number of rows than its head announces."""
        if self.rows is not None and rows != self.rows:
            raise ValueError(f"{source.name} announces {self.rows} rows and holds {rows}: it is cut off")


def head_of(source: Source, beginning: Beginning) -> Head:
    """The lines before the table, which the card names; raises where a head announces what cannot be read."""
    lines = beginning.lines
    first = next(line for line in lines if line.strip())
    if _OF_GEO.match(first) and not _ENDS_IN_NUMBER.search(first):
        return _geo(source, beginning)
    if re.match(r"#1\.\d\b", first):
        return _gct(source, lines)
    skipped = _titles(lines)
    if skipped:
        _note(source, skipped, first)
    return Head(skipped, lines[skipped:])


def _note(source: Source, skipped: int, first: str) -> None:
    """Say on the card which lines are not read."""
    shown = " ".join(first.replace('"', " ").split())[:60].rstrip(",; ")
    source.card.notes.append(f"The first {skipped} lines come before the table and are not read: {shown!r} and so on.")


def _geo(source: Source, beginning: Beginning) -> Head:
    """The head of a file of GEO, which may be longer than the sample of lines that came."""
    skipped = 0
    size = 0
    with plain_errors(source.name), opened(source, beginning.encoding) as file:
        for line in file:
            if line.strip() and not line.startswith(("!", '"!', "^", "#")):
                break
            skipped += 1
            size += len(line)
            if size > BYTES_OF_A_LONG_SAMPLE:
                raise ValueError(f"{source.name} begins with {size >> 20} MB of lines that are no table: delete them")
        else:
            raise ValueError(f"{source.name} has no lines but such that begin with {beginning.lines[0][:1]!r}")
        lines = [each.rstrip("\r\n") for each in (line, *islice(file, ROWS_JUDGED)) if not each.startswith("!")]
    _note(source, skipped, beginning.lines[0])
    return Head(skipped, lines, geo=True)


def _gct(source: Source, lines: list[str]) -> Head:
    """The head of a GCT file: the version, then the numbers of rows and of columns."""
    place = next(i for i, line in enumerate(lines) if line.strip())
    counts = lines[place + 1].split() if len(lines) > place + 1 else []
    if not all(re.fullmatch(r"\d{1,18}", count) for count in counts):
        counts = []
    if len(counts) == 4 and counts[2:] != ["0", "0"]:
        raise ValueError(
            f"{source.name} is GCT {lines[place][1:4]} with {counts[2]} columns and {counts[3]} rows of metadata: "
            "save it as GCT 1.2, or delete them"
        )
    if len(counts) not in (2, 4):
        return Head(0, lines)
    _note(source, place + 2, lines[place])
    return Head(place + 2, lines[place + 2 :], int(counts[0]))


def _titles(lines: list[str]) -> int:
    """How many lines stand before the names of the columns, if those lines are a title and the like, else 0."""
    body = [(number, line) for number, line in enumerate(lines) if line.strip()][: 2 * ROWS_JUDGED]
    for separator in SEPARATORS:
        rows = [_fields(line, separator) for _, line in body]
        width = len(rows[-1])
        start = next((i for i in range(len(rows), 0, -1) if len(rows[i - 1]) != width), 0)
        # A spreadsheet fills up the lines above the table with separators.
        start = start or next((i for i, row in enumerate(rows) if sum(map(bool, row)) > 1), 0)
        before, table = rows[:start], rows[start:]
        if not before or width < 2 or len(table) < FEWEST_ROWS or body[0][1].startswith("#"):
            continue
        filled = [sum(map(bool, row)) if len(row) == width else len(row) for row in before]
        # A heading may lack the field above the names of the rows; an empty line comes after a title only.
        apart = body[start][0] - body[start - 1][0] > 1
        if max(filled) < width - (not apart) and not any(map(_has_numbers, before)) and _has_names(table):
            return body[start][0]
    return 0


def _fields(line: str, separator: str) -> list[str]:
    """The fields of a line, without blanks around them."""
    if separator == " ":
        return line.split()
    try:
        return [field.strip() for field in next(csv.reader([line], delimiter=separator))]
    except (csv.Error, StopIteration):
        return [line]


def _has_numbers(row: list[str]) -> bool:
    """Whether a number stands in a line, so that it may be a row of a table."""
    return any(field and is_number(field, Dialect(",", ".", 0)) for field in row)


def _has_names(table: list[list[str]]) -> bool:
    """Whether the first line of a table holds names of columns, and there are numbers below."""
    top, *rows = table
    decimal = "," if any("," in field for row in rows for field in row) else "."
    form = Dialect(";", decimal, 0)
    numeric = [all(is_datum(row[i], form) for row in rows) for i in range(len(top))]
    return any(numeric) and holds_names(top, rows, numeric, form)
