"""The vectors or the matrix of a text file: a table, or the text of word2vec or GloVe.

`table.py` parses a table a piece at a time. Its columns are counted from 0, and so are its rows in messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from simlib.files import (
    brackets,
    columns,
    counters,
    dates,
    digits,
    gaps,
    heads,
    lists,
    matrix_text,
    numerals,
    pairs,
    pieces,
    strays,
    wide,
    word2vec,
)
from simlib.files.columns import Column
from simlib.files.dialect import SEPARATORS, dialect_of, heading_of, is_number
from simlib.files.interface import Read, Source
from simlib.files.lines import Beginning, advance, bar_over_bytes, beginning_of, opened
from simlib.files.messages import listed
from simlib.files.table import TextTable, cells, columns_of_text, parsed

_OF_SVMLIGHT = re.compile(r"[-+.,\deE]+( (qid|\d+):[-+.\deE]+)+\s*(#|$)")


def read(source: Source) -> Read:
    """Numbers, labels and names of the columns; a matrix is float64."""
    beginning = beginning_of(source)
    beginning = beginning._replace(lines=brackets.whole_records(beginning.lines))
    if found := matrix_text.read(source, beginning):
        return found
    shape = word2vec.shape_of(beginning.lines)
    if shape and source.label is None and source.columns is None:
        return word2vec.read(source, beginning, shape)
    return _read_table(source, beginning)


def _read_table(source: Source, beginning: Beginning) -> Read:
    """Read a table: judge its form by its first lines, its columns by its first rows, then take all its rows."""
    _refuse_other_formats(source, beginning.lines)
    head = heads.head_of(source, beginning)
    table = _table_of(source, beginning.encoding, head)
    if found := wide.read(source, table):
        return _finished(source, head, table, *found)
    first = _first_rows(table)
    values_of_columns = [first[i].to_numpy() for i in first]
    if source.matrix and (start := pairs.start(source, table.heading.names, values_of_columns)) is not None:
        return pairs.joined(source, _pieces_of_pairs(table, start))
    pairs.refuse_for_vectors(source, values_of_columns)
    roles = _roles(table, first)
    names = [table.heading.names[i] for i in roles.vectors]
    values, labels = digits.collected(source, lambda: _pieces(table, roles), names)
    called = names if table.heading.given and not roles.lists else None
    return _finished(source, head, table, Read(values, None if roles.label is None else labels, called), roles.label)


def _finished(source: Source, head: heads.Head, table: TextTable, found: Read, label: int | None) -> Read:
    """What was found in a table, whose column `label` holds the labels; the card says how the table is written."""
    head.check(source, len(found.values))
    separators = SEPARATORS[table.dialect.separator]
    source.card.notes.append(f"Fields are separated by {separators}, the decimal sign is '{table.dialect.decimal}'.")
    line = gaps.line_of_pandas(source, table.encoding, table.dialect, table.heading, label)
    return found._replace(without_gaps=line)


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


def _table_of(source: Source, encoding: str, head: heads.Head) -> TextTable:
    """The table below what stands before it, as its first lines tell."""
    style = brackets.style_of(head.lines)
    lines = [brackets.with_quotes(line, style) for line in head.lines]
    form = dialect_of(source, lines)
    if style == "fields" and form.separator == "\t":  # no list has a tab in it: the lines can stay as they are
        style, lines = "quoted", head.lines
    heading = heading_of(source, form, lines)
    heading = heading._replace(skipped=heading.skipped + head.skipped)
    wanted = {source.label, *(source.columns or ()), *(source.drop or ())}
    columns.refuse_repeated(source, [name for name in heading.names if name in wanted])
    signs = max(map(len, lines))
    width = max(len(heading.names) + brackets.numbers_a_line(lines), signs // pieces.SIGNS_A_NUMBER)
    return TextTable(source, encoding, form, heading, style, width, head.geo, {})


def _first_rows(table: TextTable) -> pd.DataFrame:
    """The first piece of the rows; marks of numbers are kept in `table.marks`, and the numbers stand without them."""
    source = table.source
    with opened(source, table.encoding) as file:
        first = next(parsed(table, file, [0] if source.matrix else []))
    for i in columns_of_text(first):
        if table.heading.names[i] == source.label:
            continue
        if pd.api.types.infer_dtype(first[i]) == "integer":  # beyond 64 bits
            first[i] = strays.numbers_of(table, i, first[i])
        elif mark := numerals.mark_of(_some_texts(first[i])):
            table.marks[i] = mark
            first[i] = strays.numbers_of(table, i, first[i])
    return first


def _some_texts(column: pd.Series) -> pd.Series:
    """The first texts of a column that are there."""
    return column.dropna().head(numerals.VALUES_JUDGED).astype(str)


class TextRoles(NamedTuple):
    """The column of labels, or None, the columns that are the vectors, and whether the one column is of lists."""

    label: int | None
    vectors: list[int]
    lists: bool


def _roles(table: TextTable, first: pd.DataFrame) -> TextRoles:
    """Which column holds the labels and which are the vectors, judged by the first piece of the rows."""
    source = table.source
    if source.matrix:
        first = _with_numbers_in_front(table, first)
        strays.refuse_in_matrix(table, first)
    found = columns.without_dropped(source, _described(source, table.heading.names, first))
    if source.columns is None and not source.matrix:
        strays.refuse_texts(table, first, found)
    described = counters.judged(source, found, lambda i: first[i].to_numpy())
    label, vectors = columns.roles(source, described)
    chosen = [described[i] for i in vectors]
    columns.refuse_mixed(source, chosen)
    _note_marks(table, vectors)
    unused = [i for i in columns_of_text(first) if i != label and described[i].kind == "text"]
    _note_texts(source, {described[i].name: first[i] for i in unused})
    return TextRoles(label, vectors, chosen[0].kind == "list")


def _with_numbers_in_front(table: TextTable, first: pd.DataFrame) -> pd.DataFrame:
    """The first rows of a matrix, whose first column came as text: as numbers, unless it holds the names."""
    above = table.heading.names[1 : len(first) + 1]
    named = table.heading.given and above == [str(text).strip() for text in first[0][: len(above)]]
    texts = first[0].dropna().astype(str)
    if not named and all(is_number(text, table.dialect) for text in texts):
        first[0] = strays.numbers_of(table, 0, first[0])
    return first


def _described(source: Source, names: list[str], first: pd.DataFrame) -> list[Column]:
    """What the first rows tell about the columns."""
    texts = set(columns_of_text(first))
    given = first.notna().any().tolist()
    flags = [kind.kind == "b" for kind in first.dtypes]
    found = []
    for i, name in enumerate(names):
        if i in texts:
            found.append(Column(name, "list" if lists.hold_vectors(cells(first[i])) else "text"))
        else:
            found.append(Column(name, "other" if flags[i] or not (given[i] or source.matrix) else "number"))
    return found


def _note_marks(table: TextTable, vectors: list[int]) -> None:
    """Say on the card which columns of the vectors are read without a mark."""
    for mark in dict.fromkeys(table.marks.values()):
        carry = [table.heading.names[i] for i, own in table.marks.items() if own == mark and i in vectors]
        if carry:
            table.source.card.notes.append(f"The numbers of {listed(carry)} are read without {mark}.")


def _note_texts(source: Source, unused: dict[str, pd.Series]) -> None:
    """Say on the card which of the columns that are not used hold numbers with something behind them."""
    odd = {}
    for name, column in unused.items():
        texts = _some_texts(column)
        if numerals.begin_as_numbers(text for text in texts if not dates.is_date(text)):
            odd[name] = texts.iloc[0][:40]
    if odd:
        source.card.notes.append(f"Text, not numbers, stands in {listed(list(odd))}: {next(iter(odd.values()))!r}.")


def _pieces(table: TextTable, roles: TextRoles) -> Iterator[digits.Piece]:
    """The numbers, float64 (rows, d), and the labels of the rows, a piece at a time; no labels if there are none."""
    label, vectors, are_lists = roles
    texts = ([] if label is None else [label]) + (vectors if are_lists else [])
    width = None
    row = 0
    with opened(table.source, table.encoding) as file, bar_over_bytes(table.source) as bar:
        for piece in parsed(table, file, texts):
            strays.refuse_swallowed_rows(table, piece, row)
            called = None if label is None else piece[label]
            if are_lists:
                at = vectors[0]
                numbers = lists.rows_of(table.source, table.heading.names[at], cells(piece[at]), row, width)
                width = numbers.shape[1]
            else:
                numbers = strays.all_numbers_of(table, vectors, piece, row, called)
            yield numbers, [] if called is None else _labels(table, called)
            row += len(piece)
            advance(bar, file)


def _labels(table: TextTable, column: pd.Series) -> list[str]:
    r"""The labels of a piece as they stand there, but none where PostgreSQL wrote \N, its sign for a missing text."""
    labels = column.tolist()
    return ["" if label == "\\N" else label for label in labels] if table.dialect.separator == "\t" else labels


def _pieces_of_pairs(table: TextTable, start: int) -> Iterator[pairs.Piece]:
    """The lines of a list of pairs: two columns of names and one of numbers, the first of which is `start`."""
    one, other, value = range(start, start + 3)
    row = 0
    with opened(table.source, table.encoding) as file, bar_over_bytes(table.source) as bar:
        for piece in parsed(table, file, [one, other]):
            values = strays.numbers_of(table, value, piece[value], row, piece[one])
            yield pairs.Piece(piece[one].to_numpy(), piece[other].to_numpy(), values)
            row += len(piece)
            advance(bar, file)
