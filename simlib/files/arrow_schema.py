"""What the columns of a table of Arrow hold, judged by their types and by the first rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from simlib.files import columns, counters, lists, packed, pieces
from simlib.files.columns import Column, Kind
from simlib.files.interface import Source


class Batches(NamedTuple):
    """A table of Arrow in a file, which can be read a batch of rows at a time.

    Attributes
    ----------
    schema : the names and the types of the columns
    rows : how many rows there are, None if the file does not say so
    read : from how many rows a batch has at most, and which columns, to the batches
    """

    schema: Any
    rows: int | None
    read: Callable[[int, list[str]], Iterator[Any]]


def described(source: Source, file: Batches) -> list[Column]:
    """The columns of the file."""
    columns.refuse_repeated(source, file.schema.names)
    table = [Column(field.name, _kind(field.type)) for field in file.schema]
    texts = [column.name for column in table if column.kind == "text" or _is_binary(file, column.name)]
    first = _first_rows(file, lists.CELLS_JUDGED, texts)
    of_vectors = [name for name in texts if lists.hold_vectors(first[name])]
    table = [column._replace(kind="list") if column.name in of_vectors else column for column in table]
    if source.matrix:
        index = (file.schema.pandas_metadata or {}).get("index_columns", [])
        return [_beside_index(column, index) for column in table]
    if source.columns is None and all(column.kind != "list" for column in table):
        _refuse_hidden_vectors(source, file, first)
    return counters.judged(source, table, _FirstValues(file, table))


def _refuse_hidden_vectors(source: Source, file: Batches, first: dict[str, list[Any]]) -> None:
    """Raise if vectors are hidden in a column of bytes, texts or records: other numbers must not stand in for them."""
    for name, cells in first.items():
        if name not in {source.label, *(source.drop or ())}:
            packed.refuse(source, name, cells)
    for field in file.schema:
        inner = [part.name for part in field.type if _kind(part.type) == "list"] if _is_record(field.type) else []
        if inner:
            raise ValueError(
                f"{source.name}: column {field.name!r} holds records with a list {inner[0]!r}: make it a column, with "
                "pyarrow's table.flatten(), or name the columns of the vectors with columns="
            )


def _is_record(arrow_type: Any) -> bool:
    """Whether a column of this type holds records."""
    import pyarrow as pa

    return pa.types.is_struct(arrow_type)


def _beside_index(column: Column, index: list[Any]) -> Column:
    """A column of a matrix that pandas wrote with these columns of the index, which hold the names of the rows."""
    if column.name in index:
        return column._replace(numbers_rows=column.kind == "number")
    names_stored = any(isinstance(name, str) for name in index)
    return column._replace(kind="other") if names_stored and column.kind == "text" else column


class _FirstValues:
    """The first values of each column that is asked for; a batch of rows is read once, when the first one is."""

    def __init__(self, file: Batches, table: list[Column]) -> None:
        """Beside lists only the columns that may number the rows are read."""
        beside_lists = any(column.kind == "list" for column in table)
        self._file = file
        self._names = [column.name for column in table]
        self._wanted = [
            column.name
            for column in table
            if column.kind in ("text", "date")
            or (column.kind == "number" and (not beside_lists or counters.counter_by_name(column.name)))
        ]
        self._batch: Any = None

    def __call__(self, i: int) -> np.ndarray:
        """The first values (n,) of column i."""
        if self._batch is None:
            rows = pieces.rows_a_piece(len(self._wanted))
            self._batch = next(iter(self._file.read(rows, self._wanted)), None)
        if self._batch is None:
            return np.empty(0)
        return self._batch.column(self._names[i]).to_numpy(zero_copy_only=False)


def _first_rows(file: Batches, rows: int, names: list[str]) -> dict[str, list[Any]]:
    """The values of some columns in the first rows."""
    batch = next(iter(file.read(rows, names)), None) if names else None
    return {name: [] if batch is None else batch.column(name).to_pylist() for name in names}


def _is_binary(file: Batches, name: str) -> bool:
    """Whether a column holds bytes."""
    import pyarrow as pa

    kinds = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    return any(is_kind(file.schema.field(name).type) for is_kind in kinds)


def stored(arrow_type: Any) -> Any:
    """The type as which a tensor of Arrow is stored, or the type itself."""
    return getattr(arrow_type, "storage_type", arrow_type)


def _kind(arrow_type: Any) -> Kind:
    """What a column of this type holds."""
    import pyarrow as pa

    if is_number_type(arrow_type):
        return "number"
    arrow_type = stored(arrow_type)
    if hasattr(arrow_type, "value_field") and is_number_type(_type_in_lists(arrow_type)):
        return "list"
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_dictionary)
    if any(is_type(arrow_type) for is_type in texts):
        return "text"
    return "date" if pa.types.is_temporal(arrow_type) and not pa.types.is_duration(arrow_type) else "other"


def _type_in_lists(arrow_type: Any) -> Any:
    """The type of what stands in the lists, or in the lists in lists, of a column of this type."""
    while hasattr(arrow_type, "value_field"):
        arrow_type = arrow_type.value_type
    return arrow_type


def is_number_type(arrow_type: Any) -> bool:
    """Whether a type of Arrow holds real numbers."""
    import pyarrow as pa

    return pa.types.is_floating(arrow_type) or pa.types.is_integer(arrow_type) or pa.types.is_decimal(arrow_type)
