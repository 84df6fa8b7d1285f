"""Vectors and labels of a .parquet file, or a matrix, read a batch of rows at a time.

The vectors are several columns of numbers, or one column that holds a list of numbers in each row. pyarrow is
imported when the first such file is read, because that takes a while.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from simlib.files import columns, counters, pairs, pieces
from simlib.files.arrays import float_type
from simlib.files.columns import Column, Kind
from simlib.files.interface import Read, Source
from simlib.files.messages import unreadable


def read(source: Source) -> Read:
    """Vectors and labels of a .parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(source.path)
        if not file.metadata.num_rows:
            raise ValueError(f"{source.name} has columns but no rows")
        table = _described(source, file)
        if source.matrix and (lines := _pairs(source, file, table)):
            return pairs.joined(source, lines)
        label, vectors = columns.roles(source, table)
        _refuse_other_kinds(source, file, [table[i] for i in vectors])
        return _read_batches(source, file, [table[i] for i in vectors], None if label is None else table[label].name)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(unreadable(source.name, error)) from None


def _described(source: Source, file: Any) -> list[Column]:
    """The columns of the file."""
    schema = file.schema_arrow
    columns.refuse_repeated(source, schema.names)
    table = [Column(field.name, _kind(field.type)) for field in schema]
    if source.matrix:
        index = (schema.pandas_metadata or {}).get("index_columns", [])
        return [_beside_index(column, index) for column in table]
    first: dict[int, np.ndarray] = {}

    def values(i: int) -> np.ndarray:
        if i not in first:
            first[i] = _first_values(file, table[i].name, len(table))
        return first[i]

    return counters.judged(source, table, values)


def _beside_index(column: Column, index: list[Any]) -> Column:
    """A column of a matrix that pandas wrote with these columns of the index, which hold the names of the rows."""
    if column.name in index:
        return column._replace(numbers_rows=column.kind == "number")
    names_stored = any(isinstance(name, str) for name in index)
    return column._replace(kind="other") if names_stored and column.kind == "text" else column


def _first_values(file: Any, name: str, width: int) -> np.ndarray:
    """The first values (n,) of a column of a table so wide, or none if two columns share its name."""
    batch = next(file.iter_batches(pieces.rows_a_piece(width), columns=[name]), None)
    return np.empty(0) if batch is None else batch.column(0).to_numpy(zero_copy_only=False)


def _pairs(source: Source, file: Any, table: list[Column]) -> Iterator[pairs.Piece] | None:
    """The lines of a list of pairs, or None if the file holds none: names, names and numbers."""
    if any(column.kind not in ("text", "number") for column in table):
        return None
    names = [column.name for column in table]
    first = next(file.iter_batches(pieces.rows_a_piece(len(table))))
    start = pairs.start(source, names, [column.to_numpy(zero_copy_only=False) for column in first.columns])
    return None if start is None else _pieces_of_pairs(file, start)


def _pieces_of_pairs(file: Any, start: int) -> Iterator[pairs.Piece]:
    """The lines of a list of pairs, whose three columns begin with `start`."""
    for batch in file.iter_batches(pieces.ROWS_A_PIECE):
        if batch.num_rows:
            yield pairs.Piece(*(column.to_numpy(zero_copy_only=False) for column in batch.columns[start : start + 3]))


def _kind(arrow_type: Any) -> Kind:
    """What a column of this type holds."""
    import pyarrow as pa

    if is_number_type(arrow_type):
        return "number"
    if hasattr(arrow_type, "value_field") and is_number_type(arrow_type.value_type):
        return "list"
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_dictionary)
    if any(is_type(arrow_type) for is_type in texts):
        return "text"
    return "date" if pa.types.is_temporal(arrow_type) and not pa.types.is_duration(arrow_type) else "other"


def is_number_type(arrow_type: Any) -> bool:
    """Whether a type of Arrow holds real numbers."""
    import pyarrow as pa

    return pa.types.is_floating(arrow_type) or pa.types.is_integer(arrow_type) or pa.types.is_decimal(arrow_type)


def _refuse_other_kinds(source: Source, file: Any, vectors: list[Column]) -> None:
    """Raise unless the columns of the vectors are all of numbers, or a single one of lists of numbers."""
    kinds = [column.kind for column in vectors]
    if set(kinds) == {"number"} or kinds == ["list"]:
        return
    types = ((column.name, file.schema_arrow.field(column.name).type) for column in vectors if column.kind != "number")
    odd = ", ".join(f"{name!r} is {arrow_type}" for name, arrow_type in types)
    raise ValueError(f"{source.name}: the vectors are columns of numbers or one column of lists of them; {odd[:200]}")


def _read_batches(source: Source, file: Any, vectors: list[Column], label: str | None) -> Read:
    """Read the columns of the vectors, and that of the labels if it has a name."""
    lists = vectors[0].kind == "list"
    names = [column.name for column in vectors]
    size = pieces.ROWS_A_PIECE // 10 if lists else pieces.rows_a_piece(len(names))
    wanted = names if label is None else [*names, label]
    values = []
    labels = []
    with tqdm(desc="read", total=file.metadata.num_rows, unit="row", disable=not source.progress) as bar:
        for batch in file.iter_batches(size, columns=wanted):
            if batch.num_rows:
                values.append(_from_lists(source, batch, names[0]) if lists else _from_numbers(batch, names))
            if label is not None:
                labels += batch.column(label).to_pylist()
            bar.update(batch.num_rows)
    if len({piece.shape[1] for piece in values}) > 1:
        raise ValueError(f"{source.name}: the lists in column {names[0]!r} differ in length")
    line = f"pandas.read_parquet({source.path.name!r}).dropna(axis={{axis}}).to_parquet('whole.parquet')"
    return Read(pieces.joined(values), None if label is None else labels, None if lists else names, line)


def _from_lists(source: Source, batch: Any, name: str) -> np.ndarray:
    """The vectors (rows, length) of a batch whose column `name` holds a list in each row."""
    import pyarrow.compute as pc

    lists = batch.column(name)
    lengths = pc.unique(pc.list_value_length(lists)).to_pylist()
    if len(lengths) > 1 or lengths[0] in (None, 0):
        raise ValueError(f"{source.name}: the lists in column {name!r} differ in length, or are missing")
    return _stacked([lists.flatten()], lengths[0])


def _from_numbers(batch: Any, names: list[str]) -> np.ndarray:
    """The vectors (rows, names) of a batch whose columns `names` hold a number in each row."""
    return _stacked([batch.column(name) for name in names], len(names))


def _stacked(arrow_arrays: list[Any], width: int) -> np.ndarray:
    """Arrow's arrays beside one another, then in rows of `width` numbers, as float32 or float64."""
    import pyarrow as pa

    plain = [array.cast(pa.float64()) if pa.types.is_decimal(array.type) else array for array in arrow_arrays]
    values = np.column_stack([array.to_numpy(zero_copy_only=False) for array in plain]).reshape(-1, width)
    return values.astype(float_type(values), copy=False)
