"""Tables of very many columns of numbers, read row by row: pandas takes a while for each column.

What is not as plain as that is left to pandas: text between the numbers, marks beside them, rows of unequal length.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice

import numpy as np

from simlib.files import columns, counters, digits, pieces
from simlib.files.columns import Column
from simlib.files.interface import Read, Source
from simlib.files.lines import BYTES_OF_A_LONG_SAMPLE, advance, bar_over_bytes, opened
from simlib.files.messages import plain_errors
from simlib.files.numerals import MISSING
from simlib.files.table import TextTable

FEWEST_COLUMNS = 5_000

Rows = list[list[str]]


class NotPlainError(Exception):
    """The table holds something that pandas has to read."""


def read(source: Source, table: TextTable) -> tuple[Read, int | None] | None:
    """The vectors, labels and names of a wide table, and its column of labels; None if it is not wide or not plain."""
    width = len(table.heading.names)
    numeric = set(table.heading.numeric) | {0}
    plain = table.lists == "quoted" and table.dialect.separator != " " and not table.geo and len(numeric) == width
    if width < FEWEST_COLUMNS or source.matrix or source.label is not None or source.columns is not None or not plain:
        return None
    before = source.card.notes[:], source.card.dropped[:]
    try:
        return _read(source, table)
    except (NotPlainError, csv.Error):
        source.card.notes[:], source.card.dropped[:] = before
        return None


def _read(source: Source, table: TextTable) -> tuple[Read, int | None]:
    """The vectors, labels and names of a wide table, and its column of labels; raises if the table is not plain."""
    first = next(_rows(table))
    has_texts = 0 not in table.heading.numeric
    numbers = _numbers(table, first, range(has_texts, len(first[0])))
    names = table.heading.names
    found = [Column(names[0], "text")] if has_texts else []
    for name, given in zip(names[has_texts:], ~np.isnan(numbers).all(axis=0), strict=True):
        found.append(Column(name, "number" if given else "other"))
    values = np.asfortranarray(numbers)

    def first_of(i: int) -> np.ndarray:
        return np.array([row[0] for row in first], object) if has_texts and i == 0 else values[:, i - has_texts]

    label, vectors = columns.roles(source, counters.judged(source, found, first_of))
    chosen = [names[i] for i in vectors]
    numbers, labels = digits.collected(source, lambda: _pieces(table, label, vectors), chosen)
    read = Read(numbers, None if label is None else labels, chosen if table.heading.given else None)
    return read, label


def _rows(table: TextTable) -> Iterator[Rows]:
    """The fields of the rows, a piece at a time; raises if a row has more or fewer of them than there are columns."""
    width = len(table.heading.names)
    limit = csv.field_size_limit(BYTES_OF_A_LONG_SAMPLE)
    try:
        with (
            plain_errors(table.source.name),
            opened(table.source, table.encoding) as file,
            bar_over_bytes(table.source) as bar,
        ):
            for _ in range(table.heading.skipped):
                next(file)
            form = table.dialect
            lines = csv.reader(file, delimiter=form.separator, quoting=form.quoting, skipinitialspace=True)
            given = (row for row in lines if row)
            while rows := list(islice(given, pieces.rows_a_piece(table.width))):
                if any(len(row) != width for row in rows):
                    raise NotPlainError
                yield rows
                advance(bar, file)
    finally:
        csv.field_size_limit(limit)


def _numbers(table: TextTable, rows: Rows, wanted: list[int] | range) -> np.ndarray:
    """The columns `wanted` of some rows, float64 (rows, wanted); raises if a field is no number."""
    found = np.empty((len(rows), len(wanted)))
    missing = set(MISSING)
    for i, row in enumerate(rows):
        fields = ["nan" if row[j] in missing else row[j] for j in wanted]
        text = "".join(fields)
        if not text.isascii() or "_" in text:  # Python would read 1_000 and digits of other scripts as numbers
            raise NotPlainError
        if table.dialect.decimal == ",":
            fields = [field.replace(",", ".") for field in fields]
        try:
            found[i] = np.array(fields, np.float64)
        except ValueError:
            raise NotPlainError from None
    return found


def _pieces(table: TextTable, label: int | None, vectors: list[int]) -> Iterator[digits.Piece]:
    """The numbers, float64 (rows, vectors), and the labels of the rows, a piece at a time."""
    missing = "\\N" if table.dialect.separator == "\t" else None  # so PostgreSQL writes a missing text
    for rows in _rows(table):
        texts = [] if label is None else ["" if row[label] == missing else row[label] for row in rows]
        yield _numbers(table, rows, vectors), texts
