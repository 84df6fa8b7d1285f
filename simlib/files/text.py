"""The vectors or the matrix of a text file: a table, or the text of word2vec or GloVe.

pandas parses a table a piece at a time. Its columns are counted from 0, and so are its rows in messages.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from simlib import _check
from simlib.files import columns, pieces, word2vec
from simlib.files.columns import Column
from simlib.files.dialect import MISSING, SEPARATORS, Dialect, Heading, dialect_of, heading_of, is_number
from simlib.files.interface import Read, Source
from simlib.files.lines import Beginning, advance, bar_over_bytes, beginning_of, opened
from simlib.files.messages import plain_errors, unreadable

# Numbers with marks between thousands, and Fortran's numbers with D for powers of ten.
_UNUSUAL_NUMBER = re.compile(r"[+-]?\d{1,3}([.,' ]\d{3})+([.,]\d+)?|[+-]?\d+[.,]?\d*[dD][+-]?\d+")


class TextTable(NamedTuple):
    """A table of text that is to be read, and what its first lines told about it."""

    source: Source
    encoding: str
    dialect: Dialect
    heading: Heading


def read(source: Source) -> Read:
    """Numbers, labels and names of the columns: float64 for a matrix, which must be finite, else float32."""
    beginning = beginning_of(source)
    shape = word2vec.shape_of(beginning.lines)
    if shape and source.label is None and source.columns is None:
        found = word2vec.read(source, beginning, shape)
    else:
        found = _read_table(source, beginning)
    if source.matrix:
        _check.finite_rows(np.isfinite(found.values).all(axis=1), source.name)
    return found


def _read_table(source: Source, beginning: Beginning) -> Read:
    """Read a table: judge its form by its first lines, its columns by its first rows, then take all its rows."""
    form = dialect_of(source, beginning.lines)
    heading = heading_of(source, form, beginning.lines)
    wanted = {source.label, *(source.columns or ())}
    columns.refuse_repeated(source, [name for name in heading.names if name in wanted])
    table = TextTable(source, beginning.encoding, form, heading)
    roles = _roles(table)
    values, labels = _read_rows(table, roles)
    separators = SEPARATORS[form.separator]
    source.card.notes.append(f"Fields are separated by {separators}, the decimal sign is '{form.decimal}'.")
    return Read(values, labels, [heading.names[i] for i in roles.vectors] if heading.given else None)


def _roles(table: TextTable) -> columns.Roles:
    """Which column holds the labels and which are the vectors, judged by the first piece of the rows."""
    with opened(table.source, table.encoding) as file:
        first = next(_parsed(table, file, None))
    if table.source.columns is None:
        _refuse_stray_texts(table, first)
    return columns.roles(table.source, [_described(name, first[i]) for i, name in enumerate(table.heading.names)])


def _described(name: str, values: pd.Series) -> Column:
    """What the first rows tell about a column."""
    if not pd.api.types.is_numeric_dtype(values):
        return Column(name, "text")
    if pd.api.types.is_bool_dtype(values) or not values.notna().any():
        return Column(name, "other")
    return Column(name, "number", columns.numbers_rows(name, values.to_numpy()))


def _read_rows(table: TextTable, roles: columns.Roles) -> tuple[np.ndarray, list[str] | None]:
    """The numbers (n, vectors) and the n labels of all rows, None if no column holds labels."""
    values: list[np.ndarray] = []
    labels: list[str] = []
    row = 0
    with opened(table.source, table.encoding) as file, bar_over_bytes(table.source) as bar:
        for piece in _parsed(table, file, roles.label):
            _refuse_swallowed_rows(table, piece, row)
            numbers = np.column_stack([_numbers(table, i, piece[i], row) for i in roles.vectors])
            values.append(numbers if table.source.matrix else _narrowed(table.source, numbers, row))
            labels += piece[roles.label].tolist() if roles.label is not None else []
            row += len(piece)
            advance(bar, file)
    return pieces.joined(values), labels if roles.label is not None else None


def _parsed(table: TextTable, file: io.TextIOWrapper, label: int | None) -> Iterator[pd.DataFrame]:
    """The rows of the table, a piece at a time, the column of labels as text."""
    heading = table.heading
    with plain_errors(table.source.name):
        try:
            for _ in range(heading.skipped):
                next(file)
            yield from pd.read_csv(file, **_options(table, label))
        except pd.errors.EmptyDataError:
            raise ValueError(f"{table.source.name} has a heading but no rows") from None
        except pd.errors.ParserError as error:
            raise ValueError(_why_not_parsed(table, error)) from None


def _options(table: TextTable, label: int | None) -> dict[str, Any]:
    """How pandas is to parse the table."""
    width = len(table.heading.names)
    form = table.dialect
    options: dict[str, Any] = {
        "sep": r"\s+" if form.separator == " " else form.separator,
        "decimal": form.decimal,
        "quoting": form.quoting,
        "skipinitialspace": True,
        "header": None,
        "names": range(width),
        "keep_default_na": False,
        "na_values": {i: MISSING for i in table.heading.numeric if i != label},
        "chunksize": pieces.rows_a_piece(width),
        "low_memory": False,
    }
    if label is not None:
        options["dtype"] = {label: str}  # 007 stays 007, and a label may be NA
    return options


def _why_not_parsed(table: TextTable, error: Exception) -> str:
    """What pandas found wrong, with the line of the file where it is known."""
    found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
    if not found:
        return unreadable(table.source.name, error)
    expected, line, saw = found.groups()
    return f"{table.source.name}: line {int(line) + table.heading.skipped} has {saw} fields, expected {expected}"


def _numbers(table: TextTable, i: int, column: pd.Series, row: int) -> np.ndarray:
    """Column i of a piece that begins at `row`, as float64; raises where a text stands among the numbers."""
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    texts = column.astype(object).where(column.notna(), None)
    with_points = column.astype(str).str.replace(table.dialect.decimal, ".")
    numbers = pd.to_numeric(with_points, errors="coerce").to_numpy(np.float64)
    odd = np.flatnonzero(np.isnan(numbers) & np.array([text is not None for text in texts]))
    bad = [at for at in odd if str(texts.iloc[at]).strip().lower() not in ("", "nan")]
    if bad:
        raise ValueError(
            f"{table.source.name}: column {table.heading.names[i]!r} holds {str(texts.iloc[bad[0]])[:40]!r} in row "
            f"{row + bad[0]} (counted from 0), not a number: name the columns of the vectors with columns=, or mend "
            "the file"
        )
    return numbers


def _narrowed(source: Source, numbers: np.ndarray, row: int) -> np.ndarray:
    """The numbers of a piece that begins at `row`, as float32; raises if one is beyond its range."""
    try:
        with np.errstate(over="raise"):
            return numbers.astype(np.float32)
    except FloatingPointError:
        beyond = (np.abs(numbers) > np.finfo(np.float32).max) & np.isfinite(numbers)
        at = row + int(np.flatnonzero(beyond.any(axis=1))[0])
        raise ValueError(f"{source.name}: row {at} (counted from 0) holds a number beyond 3.4e38: rescale it") from None


def _refuse_stray_texts(table: TextTable, first: pd.DataFrame) -> None:
    """Raise if a column of text, other than the one that the caller names as labels, was meant to be of numbers."""
    for i, name in enumerate(table.heading.names):
        if name != table.source.label and not pd.api.types.is_numeric_dtype(first[i]):
            _refuse_stray_text(table, i, first[i])


def _refuse_stray_text(table: TextTable, i: int, column: pd.Series) -> None:
    """Raise if most fields of column i, which is text, are numbers, as they should be or with marks in them."""
    name = table.heading.names[i]
    present = column.dropna().astype(str)[:1000]
    if sum(is_number(field, table.dialect) for field in present) > 0.5 * len(present):
        _numbers(table, i, column, 0)
    unusual = [field for field in present if _UNUSUAL_NUMBER.fullmatch(field.strip())]
    if len(unusual) > 0.5 * len(present):
        raise ValueError(
            f"{table.source.name}: column {name!r} holds {unusual[0]!r}: numbers are read without marks between "
            "thousands and with E for powers of ten; export it so, or name the columns of the vectors with columns="
        )


def _refuse_swallowed_rows(table: TextTable, piece: pd.DataFrame, row: int) -> None:
    """Raise if a field runs over lines that look like rows: a quotation mark that is part of the text opened it."""
    for i in piece.columns:
        if pd.api.types.is_numeric_dtype(piece[i]):
            continue
        fields = piece[i].astype(object)
        for at in np.flatnonzero(fields.str.contains("\n", regex=False).fillna(False).to_numpy(bool)):
            inner = str(fields.iloc[at]).split("\n")[1:-1]
            if inner and all(line.count(table.dialect.separator) == piece.shape[1] - 1 for line in inner):
                raise ValueError(
                    f"{table.source.name}: a field of row {row + at} (counted from 0) runs over {len(inner) + 2} lines "
                    'that look like rows: is a quotation mark (") part of the text? Double it, or quote all fields'
                )
