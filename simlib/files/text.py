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
from simlib.files import brackets, columns, digits, lists, packed, pieces, word2vec
from simlib.files.columns import Column
from simlib.files.dialect import MISSING, SEPARATORS, Dialect, Heading, dialect_of, heading_of, is_number
from simlib.files.interface import Read, Source
from simlib.files.lines import Beginning, advance, bar_over_bytes, beginning_of, opened
from simlib.files.messages import plain_errors, unreadable

# Numbers with marks between thousands, and Fortran's numbers with D for powers of ten.
_UNUSUAL_NUMBER = re.compile(r"[+-]?\d{1,3}([.,' ]\d{3})+([.,]\d+)?|[+-]?\d+[.,]?\d*[dD][+-]?\d+")

_OF_SVMLIGHT = re.compile(r"[-+.,\deE]+( (qid|\d+):[-+.\deE]+)+\s*(#|$)")


class TextTable(NamedTuple):
    """A table of text that is to be read, and what its first lines told about it.

    Attributes
    ----------
    source : the file
    encoding : its encoding
    dialect : how its fields are written
    heading : what its top tells
    lists : how lists of numbers stand in its lines
    width : about how many numbers a row holds
    """

    source: Source
    encoding: str
    dialect: Dialect
    heading: Heading
    lists: brackets.Style
    width: int


def read(source: Source) -> Read:
    """Numbers, labels and names of the columns; a matrix must be finite and is float64."""
    beginning = beginning_of(source)
    beginning = beginning._replace(lines=brackets.whole_records(beginning.lines))
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
    _refuse_other_formats(source, beginning.lines)
    style = brackets.style_of(beginning.lines)
    lines = [brackets.with_quotes(line, style) for line in beginning.lines]
    form = dialect_of(source, lines)
    if style == "fields" and form.separator == "\t":  # no list has a tab in it: the lines can stay as they are
        style, lines = "quoted", beginning.lines
    heading = heading_of(source, form, lines)
    wanted = {source.label, *(source.columns or ())}
    columns.refuse_repeated(source, [name for name in heading.names if name in wanted])
    width = len(heading.names) + brackets.numbers_a_line(lines)
    table = TextTable(source, beginning.encoding, form, heading, style, width)
    roles = _roles(table)
    names = [heading.names[i] for i in roles.vectors]
    values, labels = digits.collected(source, lambda: _pieces(table, roles), names)
    separators = SEPARATORS[form.separator]
    source.card.notes.append(f"Fields are separated by {separators}, the decimal sign is '{form.decimal}'.")
    return Read(values, None if roles.label is None else labels, names if heading.given and not roles.lists else None)


def _refuse_other_formats(source: Source, lines: list[str]) -> None:
    """Raise if the lines are of a format that is told by the end of a file's name, not of a table."""
    if brackets.are_json(lines):
        raise ValueError(f"{source.name} holds JSON: let its name end in .json, or in .jsonl if a line is a record")
    items = [line for line in lines if line.strip() and not line.startswith("#")]
    if items and brackets.are_printed(items):
        raise ValueError(
            f"{source.name} holds an array as it is printed, a row over several lines: save it with numpy.save"
        )
    if items and all(_OF_SVMLIGHT.match(line) for line in items):
        raise ValueError(f"{source.name} holds pairs such as 3:0.5, as svmlight's text: let its name end in .svmlight")


class TextRoles(NamedTuple):
    """The column of labels, or None, the columns that are the vectors, and whether the one column is of lists."""

    label: int | None
    vectors: list[int]
    lists: bool


def _roles(table: TextTable) -> TextRoles:
    """Which column holds the labels and which are the vectors, judged by the first piece of the rows."""
    source = table.source
    with opened(source, table.encoding) as file:
        first = next(_parsed(table, file, []))
    described = [_described(name, first[i]) for i, name in enumerate(table.heading.names)]
    if source.columns is None:
        _refuse_stray_texts(table, first, described)
    label, vectors = columns.roles(source, described)
    chosen = [described[i] for i in vectors]
    columns.refuse_mixed(source, chosen)
    return TextRoles(label, vectors, chosen[0].kind == "list")


def _described(name: str, values: pd.Series) -> Column:
    """What the first rows tell about a column."""
    if not pd.api.types.is_numeric_dtype(values):
        return Column(name, "list" if lists.hold_vectors(_cells(values)) else "text")
    if pd.api.types.is_bool_dtype(values) or not values.notna().any():
        return Column(name, "other")
    return Column(name, "number", columns.numbers_rows(name, values.to_numpy()))


def _cells(values: pd.Series) -> list[str | None]:
    """The texts of a column, None where one is missing."""
    return values.astype(object).where(values.notna(), None).tolist()


def _pieces(table: TextTable, roles: TextRoles) -> Iterator[digits.Piece]:
    """The numbers, float64 (rows, d), and the labels of the rows, a piece at a time; no labels if there are none."""
    label, vectors, are_lists = roles
    texts = ([] if label is None else [label]) + (vectors if are_lists else [])
    width = None
    row = 0
    with opened(table.source, table.encoding) as file, bar_over_bytes(table.source) as bar:
        for piece in _parsed(table, file, texts):
            _refuse_swallowed_rows(table, piece, row)
            if are_lists:
                at = vectors[0]
                numbers = lists.rows_of(table.source, table.heading.names[at], _cells(piece[at]), row, width)
                width = numbers.shape[1]
            else:
                numbers = np.column_stack([_numbers(table, i, piece[i], row) for i in vectors])
            yield numbers, [] if label is None else _labels(table, piece[label])
            row += len(piece)
            advance(bar, file)


def _labels(table: TextTable, column: pd.Series) -> list[str]:
    r"""The labels of a piece as they stand there, but none where PostgreSQL wrote \N, its sign for a missing text."""
    labels = column.tolist()
    return ["" if label == "\\N" else label for label in labels] if table.dialect.separator == "\t" else labels


def _parsed(table: TextTable, file: io.TextIOWrapper, texts: list[int]) -> Iterator[pd.DataFrame]:
    """The rows of the table, a piece at a time; the columns `texts` as texts."""
    heading = table.heading
    with plain_errors(table.source.name):
        try:
            for _ in range(heading.skipped):
                next(file)
            lines = file if table.lists == "quoted" else brackets.Quoted(file, table.lists)
            yield from pd.read_csv(lines, **_options(table, texts))
        except pd.errors.EmptyDataError:
            raise ValueError(f"{table.source.name} has a heading but no rows") from None
        except pd.errors.ParserError as error:
            raise ValueError(_why_not_parsed(table, error)) from None


def _options(table: TextTable, texts: list[int]) -> dict[str, Any]:
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
        "na_values": {i: MISSING for i in table.heading.numeric if i not in texts},
        "chunksize": pieces.rows_a_piece(table.width),
        "low_memory": False,
    }
    if texts:
        options["dtype"] = dict.fromkeys(texts, str)  # 007 stays 007, and a label may be NA
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


def _refuse_stray_texts(table: TextTable, first: pd.DataFrame, described: list[Column]) -> None:
    """Raise if a column of text, other than the one that the caller names as labels, was meant to be of numbers."""
    no_lists = all(column.kind != "list" for column in described)
    for i, column in enumerate(described):
        if column.name != table.source.label and column.kind == "text":
            _refuse_stray_text(table, i, first[i])
            if no_lists:
                packed.refuse(table.source, column.name, _cells(first[i]))


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
    """Raise if a field runs over lines that look like rows: a quotation mark that is part of the text opened it.

    A list of numbers may run over lines.
    """
    for i in piece.columns:
        if pd.api.types.is_numeric_dtype(piece[i]):
            continue
        fields = piece[i].astype(object)
        for at in np.flatnonzero(fields.str.contains("\n", regex=False).fillna(False).to_numpy(bool)):
            inner = str(fields.iloc[at]).split("\n")[1:-1]
            if lists.is_list(fields.iloc[at]):
                continue
            if inner and all(line.count(table.dialect.separator) == piece.shape[1] - 1 for line in inner):
                raise ValueError(
                    f"{table.source.name}: a field of row {row + at} (counted from 0) runs over {len(inner) + 2} lines "
                    'that look like rows: is a quotation mark (") part of the text? Double it, or quote all fields'
                )
