"""Vectors and labels of a .parquet file, read a batch of rows at a time.

The vectors are several columns of numbers, or one column that holds a list of numbers in each row: as a list, or as a
text. pyarrow is imported when the first such file is read, because that takes a while.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple, NoReturn

import numpy as np
from tqdm.auto import tqdm

from simlib import _check
from simlib.files import columns, digits, lists, packed, pieces
from simlib.files.arrays import float_type
from simlib.files.columns import Column, Kind
from simlib.files.interface import Read, Source
from simlib.files.messages import unreadable


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


def read(source: Source) -> Read:
    """Vectors and labels of a .parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(source.path)
        whole = Batches(file.schema_arrow, file.metadata.num_rows, lambda n, names: file.iter_batches(n, columns=names))
        return read_batches(source, whole)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise ValueError(unreadable(source.name, error)) from None


def read_batches(source: Source, file: Batches) -> Read:
    """Vectors and labels of a table of Arrow."""
    if file.rows == 0:
        raise ValueError(f"{source.name} has columns but no rows")
    table = _described(source, file)
    label, vectors = columns.roles(source, table)
    _refuse_other_kinds(source, file, [table[i] for i in vectors])
    return _read_batches(source, file, [table[i] for i in vectors], None if label is None else table[label].name)


def _described(source: Source, file: Batches) -> list[Column]:
    """The columns of the file."""
    columns.refuse_repeated(source, file.schema.names)
    table = [Column(field.name, _kind(field.type)) for field in file.schema]
    texts = [column.name for column in table if column.kind == "text" or _is_binary(file, column.name)]
    first = _first_rows(file, lists.CELLS_JUDGED, texts)
    of_vectors = [name for name in texts if lists.hold_vectors(first[name])]
    table = [column._replace(kind="list") if column.name in of_vectors else column for column in table]
    if source.columns is not None:
        return table  # it is known which columns are the vectors: no row is read to find those that number the rows
    if all(column.kind != "list" for column in table):
        _refuse_hidden_vectors(source, file, first)
    counters = _counters(file)
    return [column._replace(numbers_rows=column.name in counters) for column in table]


def _refuse_hidden_vectors(source: Source, file: Batches, first: dict[str, list[Any]]) -> None:
    """Raise if vectors are hidden in a column of bytes, texts or records: other numbers must not stand in for them."""
    for name, cells in first.items():
        if name != source.label:
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


def _first_rows(file: Batches, rows: int, names: list[str]) -> dict[str, list[Any]]:
    """The values of some columns in the first rows."""
    batch = next(iter(file.read(rows, names)), None) if names else None
    return {name: [] if batch is None else batch.column(name).to_pylist() for name in names}


def _is_binary(file: Batches, name: str) -> bool:
    """Whether a column holds bytes."""
    import pyarrow as pa

    kinds = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    return any(is_kind(file.schema.field(name).type) for is_kind in kinds)


def _counters(file: Batches) -> list[str]:
    """The names of the columns that number the rows, judged by the first rows."""
    import pyarrow as pa

    whole = [field.name for field in file.schema if pa.types.is_integer(field.type)]
    maybe = [name for name in whole if columns.counter_by_name(name)]
    first = _first_rows(file, pieces.ROWS_A_PIECE, maybe)
    return [name for name in maybe if columns.numbers_rows(name, np.array(first[name], np.float64))]


def _kind(arrow_type: Any) -> Kind:
    """What a column of this type holds."""
    import pyarrow as pa

    if is_number_type(arrow_type):
        return "number"
    arrow_type = _stored(arrow_type)
    if hasattr(arrow_type, "value_field") and is_number_type(_type_in_lists(arrow_type)):
        return "list"
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_dictionary)
    return "text" if any(is_type(arrow_type) for is_type in texts) else "other"


def _stored(arrow_type: Any) -> Any:
    """The type as which a tensor of Arrow is stored, or the type itself."""
    return getattr(arrow_type, "storage_type", arrow_type)


def _type_in_lists(arrow_type: Any) -> Any:
    """The type of what stands in the lists, or in the lists in lists, of a column of this type."""
    while hasattr(arrow_type, "value_field"):
        arrow_type = arrow_type.value_type
    return arrow_type


def is_number_type(arrow_type: Any) -> bool:
    """Whether a type of Arrow holds real numbers."""
    import pyarrow as pa

    return pa.types.is_floating(arrow_type) or pa.types.is_integer(arrow_type) or pa.types.is_decimal(arrow_type)


def _refuse_other_kinds(source: Source, file: Batches, vectors: list[Column]) -> None:
    """Raise unless the columns of the vectors are all of numbers, or a single one of lists of numbers."""
    kinds = [column.kind for column in vectors]
    if set(kinds) == {"number"} or kinds == ["list"]:
        return
    types = ((column.name, file.schema.field(column.name).type) for column in vectors if column.kind != "number")
    odd = ", ".join(f"{name!r} is {arrow_type}" for name, arrow_type in types)
    raise ValueError(f"{source.name}: the vectors are columns of numbers or one column of lists of them; {odd[:200]}")


def _read_batches(source: Source, file: Batches, vectors: list[Column], label: str | None) -> Read:
    """Read the columns of the vectors, and that of the labels if it has a name."""
    names = [column.name for column in vectors]
    are_lists = vectors[0].kind == "list"
    if are_lists and not hasattr(_stored(file.schema.field(names[0]).type), "value_field"):
        values, labels = digits.collected(source, partial(_pieces_of_texts, source, file, names[0], label), names)
        return Read(values, None if label is None else labels)
    found: list[np.ndarray] = []
    labels = []
    row = 0
    for batch in _batches(source, file, names, label, are_lists):
        width = found[0].shape[1] if found else None
        piece = _from_lists(source, batch, names[0], row, width) if are_lists else _from_numbers(batch, names)
        pieces.add(found, piece, source.name)
        if not row and file.rows is not None:
            _check.memory(piece.nbytes // len(piece) * file.rows, source.name, "take fewer rows or columns")
        labels += [] if label is None else batch.column(label).to_pylist()
        row += len(piece)
    if not row:
        raise ValueError(f"{source.name} has columns but no rows")
    return Read(pieces.joined(found), None if label is None else labels)


def _batches(source: Source, file: Batches, names: list[str], label: str | None, are_lists: bool) -> Iterator[Any]:
    """The batches of rows that are not empty, with a bar over them."""
    size = pieces.ROWS_A_PIECE // 10 if are_lists else pieces.rows_a_piece(len(names))
    wanted = names if label is None else [*names, label]
    with tqdm(desc="read", total=file.rows, unit="row", disable=not source.progress) as bar:
        for batch in file.read(size, wanted):
            if batch.num_rows:
                yield batch
            bar.update(batch.num_rows)


def _pieces_of_texts(source: Source, file: Batches, name: str, label: str | None) -> Iterator[digits.Piece]:
    """The vectors, float64 (rows, d), that are texts in column `name`, and the labels, a piece at a time."""
    width = None
    row = 0
    for batch in _batches(source, file, [name], label, True):
        values = lists.rows_of(source, name, batch.column(name).to_pylist(), row, width)
        width = values.shape[1]
        yield values, [] if label is None else batch.column(label).to_pylist()
        row += len(values)
    if not row:
        raise ValueError(f"{source.name} has columns but no rows")


def _from_lists(source: Source, batch: Any, name: str, row: int, width: int | None) -> np.ndarray:
    """The vectors (rows, length) of a batch whose column `name` holds a list in each row; it begins at row `row`."""
    values = batch.column(name)
    if len(getattr(values.type, "shape", ())) > 1:
        lists.note_tables(source, name)
    values = getattr(values, "storage", values)
    rows_in_a_list = 1
    length = 1
    while hasattr(values.type, "value_field"):
        lengths = _lengths(values)
        odd = np.flatnonzero((lengths != lengths[:1]) | (lengths < 1))
        if len(odd):
            _refuse_lengths(source, name, row + int(odd[0]) // length)
        rows_in_a_list = length
        length *= int(lengths[0])
        values = values.flatten()
    if width not in (None, length):
        _refuse_lengths(source, name, row)
    if rows_in_a_list > 1:
        lists.note_tables(source, name)
    return _stacked([values], length)


def _lengths(values: Any) -> np.ndarray:
    """How long the lists in an array of Arrow are; 0 where one is missing."""
    import pyarrow.compute as pc

    return pc.fill_null(pc.list_value_length(values), 0).to_numpy(zero_copy_only=False)


def _refuse_lengths(source: Source, name: str, row: int) -> NoReturn:
    """Raise because a list is longer or shorter than those before it, or is none."""
    raise ValueError(
        f"{source.name}: the lists in column {name!r} differ in length, or are missing, first in row {row} (counted "
        "from 0): mend the file, or name the columns of the vectors with columns="
    )


def _from_numbers(batch: Any, names: list[str]) -> np.ndarray:
    """The vectors (rows, names) of a batch whose columns `names` hold a number in each row."""
    return _stacked([batch.column(name) for name in names], len(names))


def _stacked(arrow_arrays: list[Any], width: int) -> np.ndarray:
    """Arrow's arrays beside one another, then in rows of `width` numbers, as float32 or float64."""
    import pyarrow as pa

    plain = [array.cast(pa.float64()) if pa.types.is_decimal(array.type) else array for array in arrow_arrays]
    values = np.column_stack([array.to_numpy(zero_copy_only=False) for array in plain]).reshape(-1, width)
    return values.astype(float_type(values), copy=False)
