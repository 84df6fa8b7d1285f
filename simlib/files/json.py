"""Vectors and labels of JSON: one record a line (.jsonl, .ndjson), or one value in the whole file (.json).

A record's fields are columns. A field within a field has a name with a point: `payload.title`. Lines are read a piece
at a time; a whole value is held in memory. Rows are counted from 0, lines from 1.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from simlib import _check
from simlib.files import columns, counters, digits, lists, pieces, records
from simlib.files.columns import Column, Kind
from simlib.files.interface import Read, Source
from simlib.files.lines import BYTES_OF_A_LONG_SAMPLE, advance, bar_over_bytes, encoding_of, opened
from simlib.files.messages import plain_errors
from simlib.files.records import Path

ROWS_JUDGED = 1000
LINES_A_STEP_OF_THE_BAR = 500
SIGNS_READ_AT_ONCE = 1 << 24
BYTES_A_SIGN = 8  # what one sign of a file takes as objects of Python
OBJECTS_A_NUMBER = 4  # a number takes four times as much memory in a list of Python as in an array

Items = Callable[[bool], Iterator[Any]]  # begins anew to give the items of a file; True: with a bar


class Field(NamedTuple):
    """A field of the records, as a column: where it stands in them."""

    path: Path
    column: Column


class Wanted(NamedTuple):
    """What is read from each record: the label, or None, the fields of the vectors, and how many numbers they hold."""

    label: Path | None
    vectors: list[Field]
    width: int

    @property
    def names(self) -> list[str]:
        """The names of the fields of the vectors."""
        return [field.column.name for field in self.vectors]


def read(source: Source) -> Read:
    """Vectors and labels of a file of JSON."""
    with plain_errors(source.name):
        encoding = encoding_of(source)
        if _is_lines(source, encoding):
            source.card.format = "JSON lines"
            return _read_items(source, partial(_items_of_lines, source, encoding))
        whole = records.items_of(source, _whole(source, encoding))
        return _read_items(source, lambda _: iter(whole))


def _is_lines(source: Source, encoding: str) -> bool:
    """Whether the first line is a value of JSON by itself, and others follow or the name says so."""
    with opened(source, encoding) as file:
        first = next((line for line in iter(partial(file.readline, BYTES_OF_A_LONG_SAMPLE), "") if line.strip()), "")
        try:
            json.loads(first)
        except (ValueError, RecursionError):
            return False
        more = any(line.strip() for line in iter(partial(file.readline, BYTES_OF_A_LONG_SAMPLE), ""))
    return more or ".json" not in {suffix.lower() for suffix in source.path.suffixes}


def _items_of_lines(source: Source, encoding: str, with_bar: bool) -> Iterator[Any]:
    """The values of the lines, one after the other."""
    with opened(source, encoding) as file, bar_over_bytes(source, shown=with_bar) as bar:
        number = 0
        while line := file.readline(BYTES_OF_A_LONG_SAMPLE):
            number += 1
            if len(line) == BYTES_OF_A_LONG_SAMPLE:
                longest = BYTES_OF_A_LONG_SAMPLE >> 20
                raise ValueError(f"{source.name}: line {number} is longer than {longest} MB: expected one item a line")
            if line.strip():
                yield _parsed(source, line, number)
            if number % LINES_A_STEP_OF_THE_BAR == 0:
                advance(bar, file)
        advance(bar, file)


def _parsed(source: Source, line: str, number: int) -> Any:
    """The value of a line."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{source.name}: line {number} is no JSON ({error}): is the file cut off, or is a record more than a line?"
        ) from None


def _whole(source: Source, encoding: str) -> Any:
    """The value of a whole file; raises before its objects take more memory than there is."""
    parts = []
    signs = 0
    with opened(source, encoding) as file:
        while part := file.read(SIGNS_READ_AT_ONCE):
            parts.append(part)
            signs += len(part)
            need = signs * BYTES_A_SIGN
            _check.memory(need, f"{source.name}, read as a whole,", "save it as .jsonl, one record a line")
    try:
        return json.loads("".join(parts))
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{source.name} is no JSON ({error or 'nested too deeply'}): is it cut off, or not what its name says?"
        ) from None


def _read_items(source: Source, items: Items) -> Read:
    """Judge the fields by the first items, then read all of them."""
    first = _first_records(source, items)
    fields = _fields(source, first)
    label, vectors = columns.roles(source, [field.column for field in fields])
    chosen = [fields[i] for i in vectors]
    columns.refuse_mixed(source, [field.column for field in chosen])
    wanted = Wanted(None if label is None else fields[label].path, chosen, _width(source, chosen, first))
    values, labels = digits.collected(source, partial(_pieces, source, items, wanted), wanted.names)
    are_lists = wanted.vectors[0].column.kind == "list"
    return Read(values, None if label is None else labels, None if are_lists else wanted.names)


def _first_records(source: Source, items: Items) -> list[records.Record]:
    """The first records, fewer where they hold many numbers."""
    first: list[records.Record] = []
    numbers = 0
    for item in items(False):
        first.append(records.as_record(source, item, len(first)))
        numbers += sum(len(value) for _, value in records.leaves(first[-1]) if isinstance(value, list))
        if len(first) == ROWS_JUDGED or numbers * OBJECTS_A_NUMBER > pieces.NUMBERS_A_PIECE:
            break
    if not first:
        raise ValueError(f"{source.name} holds no items: expected records or lists of numbers")
    return first


def _width(source: Source, chosen: list[Field], first: list[records.Record]) -> int:
    """How many numbers an item has."""
    if chosen[0].column.kind != "list":
        return len(chosen)
    name = chosen[0].column.name
    cells = ((row, records.at(record, chosen[0].path)) for row, record in enumerate(first))
    return next(lists.rows_of(source, name, [cell], row).shape[1] for row, cell in cells if not lists.is_missing(cell))


def _fields(source: Source, first: list[records.Record]) -> list[Field]:
    """The fields of the first records. Those that are likely labels come first: JSON knows no order of fields."""
    paths = list(dict.fromkeys(path for record in first for path, _ in records.leaves(record)))
    fields = []
    for path in sorted(paths, key=records.rank_as_label):
        name = records.name_of(path)
        values = [records.at(record, path) for record in first]
        fields.append(Field(path, Column(name, _kind(values))))
    columns.refuse_repeated(source, [field.column.name for field in fields])
    judged = counters.judged(source, [field.column for field in fields], lambda i: _first_values(fields[i], first))
    fields = [field._replace(column=column) for field, column in zip(fields, judged, strict=True)]
    if any(field.column.kind in ("list", "number") for field in fields):
        return fields
    return [_as_number(field, first) for field in fields]


def _first_values(field: Field, first: list[records.Record]) -> np.ndarray:
    """The first values (n,) of a field, float64 if it holds numbers."""
    values = [records.at(record, field.path) for record in first]
    return np.array(values, np.float64 if field.column.kind == "number" else object)


def _kind(values: list[Any]) -> Kind:
    """What a field holds, judged by its first values. A text that is everywhere the same is no label."""
    present = [value for value in values if value is not None]
    if lists.hold_vectors(present):
        return "list"
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in present) and present:
        return "number"
    is_text = all(isinstance(value, str) for value in present)
    return "text" if is_text and (len(set(present)) > 1 or len(values) == 1) else "other"


def _as_number(field: Field, first: list[records.Record]) -> Field:
    """The field as one of numbers if its texts are numbers: some tools write all numbers as texts."""
    try:
        [float(value) for record in first if (value := records.at(record, field.path)) is not None]
    except (TypeError, ValueError):
        return field
    return field._replace(column=field.column._replace(kind="number"))


def _pieces(source: Source, items: Items, wanted: Wanted) -> Iterator[digits.Piece]:
    """The numbers, float64 (rows, d), and the labels of the items, a piece at a time; no labels if there are none."""
    row = 0
    rows = pieces.rows_a_piece(OBJECTS_A_NUMBER * wanted.width)
    cells: list[list[Any]] = []
    labels: list[str] = []
    for item in items(source.progress):
        record = records.as_record(source, item, row + len(cells))
        cells.append([records.at(record, field.path) for field in wanted.vectors])
        if wanted.label is not None:
            labels.append(records.as_text(records.at(record, wanted.label)))
        if len(cells) == rows:
            yield _numbers(source, wanted, cells, row), labels
            row += len(cells)
            cells = []
            labels = []
    if cells:
        yield _numbers(source, wanted, cells, row), labels


def _numbers(source: Source, wanted: Wanted, cells: list[list[Any]], row: int) -> np.ndarray:
    """The numbers in the cells of some rows, float64 (rows, d); the first stands in row `row`."""
    if wanted.vectors[0].column.kind == "list":
        return lists.rows_of(source, wanted.names[0], [cell for (cell,) in cells], row, wanted.width)
    try:
        return np.array(cells, np.float64)
    except (ValueError, TypeError, OverflowError):
        for i, values in enumerate(cells, row):
            for name, value in zip(wanted.names, values, strict=True):
                _refuse_unless_number(source, name, value, i)
        raise


def _refuse_unless_number(source: Source, name: str, value: Any, row: int) -> None:
    """Raise if a value is no number."""
    try:
        np.array(value, np.float64).reshape(())
    except (ValueError, TypeError, OverflowError):
        raise ValueError(
            f"{source.name}: column {name!r} holds {str(value)[:40]!r} in row {row} (counted from 0), not a number: "
            "name the columns of the vectors with columns=, or mend the file"
        ) from None
