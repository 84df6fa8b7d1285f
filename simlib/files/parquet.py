"""Vectors and labels of a .parquet file, or a matrix, read a batch of rows at a time.

The vectors are several columns of numbers, or one column that holds a list of numbers in each row: as a list, or as a
text. The library pyarrow is imported when the first such file is read, because that takes a while.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NoReturn

import numpy as np
from tqdm.auto import tqdm

from simlib import _check
from simlib._extras import extra
from simlib.files import columns, digits, lists, pairs, pieces
from simlib.files.arrays import cut, float_type
from simlib.files.arrow_schema import Batches, described, stored
from simlib.files.columns import Column
from simlib.files.interface import Read, Source
from simlib.files.messages import unreadable


def read(source: Source) -> Read:
    """Vectors and labels of a .parquet file, or a matrix."""
    with extra("formats", source.name):
        import pyarrow as pa
        import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(source.path)
        whole = Batches(file.schema_arrow, file.metadata.num_rows, lambda n, names: file.iter_batches(n, columns=names))
        return read_batches(source, whole)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise ValueError(unreadable(source.name, error)) from None


def read_batches(source: Source, file: Batches) -> Read:
    """Vectors and labels of a table of Arrow, or a matrix."""
    if file.rows == 0:
        raise ValueError(f"{source.name} has columns but no rows")
    table = described(source, file)
    if source.matrix and (lines := _pairs(source, file, table)):
        return pairs.joined(source, lines)
    label, vectors = columns.roles(source, table)
    _refuse_other_kinds(source, file, [table[i] for i in vectors])
    return _read_batches(source, file, [table[i] for i in vectors], None if label is None else table[label].name)


def _pairs(source: Source, file: Batches, table: list[Column]) -> Iterator[pairs.Piece] | None:
    """The lines of a list of pairs, or None if the file holds none: names, names and numbers."""
    if len(table) < 3 or any(column.kind not in ("text", "number") for column in table):
        return None
    names = [column.name for column in table]
    first = next(iter(file.read(pieces.rows_a_piece(len(table)), names)), None)
    if first is None:
        return None
    start = pairs.start(source, names, [column.to_numpy(zero_copy_only=False) for column in first.columns])
    return None if start is None else _pieces_of_pairs(source, file, names[start : start + 3])


def _pieces_of_pairs(source: Source, file: Batches, names: list[str]) -> Iterator[pairs.Piece]:
    """The lines of a list of pairs, whose three columns have these names."""
    for batch in _batches(source, file, names, None, False):
        yield pairs.Piece(*(batch.column(name).to_numpy(zero_copy_only=False) for name in names))


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
    if are_lists and not hasattr(stored(file.schema.field(names[0]).type), "value_field"):
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
        labels += [] if label is None else _labels(source, batch, label)
        row += len(piece)
    if not row:
        raise ValueError(f"{source.name} has columns but no rows")
    return Read(
        pieces.joined(found), None if label is None else labels, None if are_lists else names, _without_gaps(source)
    )


def _without_gaps(source: Source) -> str | None:
    """The line of pandas that writes the file anew without the rows or columns that have gaps."""
    kind = {".parquet": "parquet", ".feather": "feather"}.get(source.path.suffix.lower())
    if kind is None:
        return None
    return f"pandas.read_{kind}({source.name!r}).dropna(axis={{axis}}).to_{kind}('whole.{kind}')"


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
        yield values, [] if label is None else _labels(source, batch, label)
        row += len(values)
    if not row:
        raise ValueError(f"{source.name} has columns but no rows")


def _labels(source: Source, batch: Any, name: str) -> list[Any]:
    """The labels of a batch; a matrix compares its names whole."""
    labels = batch.column(name).to_pylist()
    return labels if source.matrix else cut(labels)


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
