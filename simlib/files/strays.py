"""What does not belong into a table of numbers: a text among the numbers, other marks, rows that a quote swallowed.

It is refused by the names of its column and its row. Rows are counted from 0.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from simlib.files import lists, numerals, packed
from simlib.files.columns import Column
from simlib.files.dialect import is_number
from simlib.files.messages import listed
from simlib.files.table import TextTable, cells, columns_of_text

# Numbers with marks between thousands, and Fortran's numbers with D for powers of ten.
_UNUSUAL_NUMBER = re.compile(r"[+-]?\d{1,3}([.,' ]\d{3})+([.,]\d+)?|[+-]?\d+[.,]?\d*[dD][+-]?\d+")


class Place(NamedTuple):
    """Where a column of a piece stands in its table: the column, the first row of the piece, and its labels."""

    table: TextTable
    column: int
    row: int
    labels: pd.Series | None

    def holds(self, at: int, text: Any) -> str:
        """The beginning of a message: what stands in this column in row `at` of the piece."""
        heading = self.table.heading
        label = "" if self.labels is None else f"; its label is {str(self.labels.iloc[at])[:40]!r}"
        return (
            f"{self.table.source.name}: column {heading.names[self.column]!r} holds {str(text)[:40]!r} in row "
            f"{self.row + at} (counted from 0{label})"
        )


def numbers_of(
    table: TextTable, i: int, column: pd.Series, row: int = 0, labels: pd.Series | None = None
) -> np.ndarray:
    """Column i of a piece that begins at `row`, as float64; raises where a text stands among the numbers."""
    place = Place(table, i, row, labels)
    if i in table.marks:
        column = _without_mark(place, column)
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    texts = column.astype(object).where(column.notna(), None)
    with_points = column.astype(str).str.replace(table.dialect.decimal, ".")
    numbers = pd.to_numeric(with_points, errors="coerce").to_numpy(np.float64)
    odd = np.flatnonzero(np.isnan(numbers) & np.array([text is not None for text in texts]))
    bad = [at for at in odd if str(texts.iloc[at]).strip().lower() not in ("", "nan")]
    if bad:
        way_out = "name the columns of the vectors with columns=, or mend the file"
        if table.source.matrix:
            way_out = "mend the file; a field without a number stays empty"
        raise ValueError(f"{place.holds(int(bad[0]), texts.iloc[bad[0]])}, not a number: {way_out}")
    return numbers


def all_numbers_of(
    table: TextTable, wanted: list[int], piece: pd.DataFrame, row: int, labels: pd.Series | None
) -> np.ndarray:
    """The columns `wanted` of a piece that begins at `row`, as float64 (rows, wanted); raises as `numbers_of`."""
    odd = {*columns_of_text(piece), *table.marks}
    if odd.isdisjoint(wanted):
        return np.ascontiguousarray(piece[wanted].to_numpy(np.float64))
    return np.column_stack([numbers_of(table, i, piece[i], row, labels) for i in wanted])


def _without_mark(place: Place, column: pd.Series) -> pd.Series:
    """The numbers of a column without the mark that they carry; raises where one does not carry it."""
    mark = place.table.marks[place.column]
    numbers, odd = numerals.without_mark(mark, column)
    if odd.any():
        at = int(np.flatnonzero(odd)[0])
        raise ValueError(f"{place.holds(at, column.iloc[at])}, without the {mark} of its other numbers: mend the file")
    return numbers


def refuse_texts(table: TextTable, first: pd.DataFrame, described: list[Column]) -> None:
    """Raise if a column of text, other than the one that the caller names as labels, was meant to be of numbers."""
    no_lists = all(column.kind != "list" for column in described)
    for i, column in enumerate(described):
        if column.name != table.source.label and column.kind == "text":
            _refuse_text(table, i, first[i])
            if no_lists:
                packed.refuse(table.source, column.name, cells(first[i]))


def _refuse_text(table: TextTable, i: int, column: pd.Series) -> None:
    """Raise if most fields of column i, which is text, are numbers, as they should be or with marks in them."""
    name = table.heading.names[i]
    present = column.dropna().astype(str)[: numerals.VALUES_JUDGED]
    if sum(is_number(field, table.dialect) for field in present) > 0.5 * len(present):
        numbers_of(table, i, column)
    plain = [numerals.without_any_mark(field) for field in present]
    marked = [
        field for field, number in zip(present, plain, strict=True) if number and is_number(number, table.dialect)
    ]
    if len(marked) > 0.5 * len(present) and any(map(numerals.has_mark, marked)):
        kinds = {re.sub(r"[\d.,\s]+", "", field): field for field in marked}
        raise ValueError(
            f"{table.source.name}: column {name!r} holds {listed(list(kinds.values()))}: its numbers must all carry "
            "the same mark, or none"
        )
    unusual = [field for field, number in zip(present, plain, strict=True) if _UNUSUAL_NUMBER.fullmatch(number)]
    if len(unusual) > 0.5 * len(present):
        raise ValueError(
            f"{table.source.name}: column {name!r} holds {unusual[0]!r}: numbers are read without marks between "
            "thousands and with E for powers of ten; export it so, or name the columns of the vectors with columns="
        )


def refuse_in_matrix(table: TextTable, first: pd.DataFrame) -> None:
    """Raise if a text stands among the numbers of a matrix; the first column may hold names."""
    for i in columns_of_text(first):
        texts = [] if i == 0 else first[i].dropna().astype(str)
        if any(is_number(text, table.dialect) for text in texts):
            numbers_of(table, i, first[i], labels=first[0])


def refuse_swallowed_rows(table: TextTable, piece: pd.DataFrame, row: int) -> None:
    """Raise if a field runs over lines that look like rows: a quotation mark that is part of the text opened it.

    A list of numbers may run over lines.
    """
    for i in columns_of_text(piece):
        fields = piece[i].astype(str)
        for at in np.flatnonzero(fields.str.contains("\n", regex=False).fillna(False).to_numpy(bool)):
            inner = str(fields.iloc[at]).split("\n")[1:-1]
            if lists.is_list(fields.iloc[at]):
                continue
            if inner and all(line.count(table.dialect.separator) == piece.shape[1] - 1 for line in inner):
                raise ValueError(
                    f"{table.source.name}: a field of row {row + at} (counted from 0) runs over {len(inner) + 2} lines "
                    'that look like rows: is a quotation mark (") part of the text? Double it, or quote all fields'
                )
