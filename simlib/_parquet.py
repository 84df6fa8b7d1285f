"""Vectors and labels of a .parquet file, a batch of rows at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from simlib import _reading


def read(path, label, columns, card, progress) -> tuple[np.ndarray, list | None]:
    """Vectors and labels of a .parquet file, a batch of rows at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        if not file.metadata.num_rows:
            raise ValueError(f"{path.name} has columns but no rows")
        label, used = _fields(path, file, label, columns, card)
        lists = not _plain(file.schema_arrow.field(used[0]).type)
        pieces, labels = [], []
        with tqdm(desc="read", total=file.metadata.num_rows, unit="row", disable=not progress) as bar:
            size = _reading.CHUNK // 10 if lists else max(1, min(_reading.CHUNK, _reading.CELLS // len(used)))
            for batch in file.iter_batches(size, columns=[*used, *([label] if label else [])]):
                pieces += [_batch(path, batch, used, lists)] if batch.num_rows else []
                labels += batch.column(label).to_pylist() if label else []
                bar.update(batch.num_rows)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(_reading.unreadable(path, error)) from None
    if len({piece.shape[1] for piece in pieces}) > 1:
        raise ValueError(f"{path.name}: the lists in column {used[0]!r} differ in length")
    return _reading.joined(pieces), labels if label else None


def _fields(path, file, label, columns, card) -> tuple[str | None, list[str]]:
    """The names of the column of labels, None if there is none, and of the vectors: one column of lists or numbers."""
    import pyarrow as pa

    fields = {field.name: field.type for field in file.schema_arrow}
    _reading.refuse_repeated(path, file.schema_arrow.names)
    numbers = [name for name, kind in fields.items() if _plain(kind)]
    lists = [name for name, kind in fields.items() if hasattr(kind, "value_field") and _plain(kind.value_type)]
    texts = [name for name, kind in fields.items() if _is_text(kind) or (pa.types.is_dictionary(kind))]
    if columns is None and not lists:
        whole = [name for name in numbers if pa.types.is_integer(fields[name])]
        first = next(file.iter_batches(_reading.CHUNK, columns=whole)) if whole else {}
        counting = [name for name in whole if _reading.numbers_rows(name, first[name].to_numpy(zero_copy_only=False))]
        if counting and len(numbers) > len(counting):
            texts = texts or counting[:1]
            numbers = _reading.without_counters(counting, numbers, {name: name for name in counting}, card)
    if columns is None and len(lists) > 1:
        found = _reading.listed(lists)
        raise ValueError(f"{path.name} has several columns of lists: name one of {found} with columns=")
    label = _reading.label_column(path, label, list(fields), texts)
    used = _reading.vector_columns(path, columns, list(fields), lists or numbers, label)
    if not (set(used) <= set(numbers) or (len(used) == 1 and used[0] in lists)):
        odd = ", ".join(f"{name!r} is {fields[name]}" for name in used if name not in numbers)
        raise ValueError(f"{path.name}: the vectors are columns of numbers or one column of lists of them; {odd[:200]}")
    _reading.tell_unused([name for name in fields if name not in used and name != label], card)
    return label, used


def _plain(kind: Any) -> bool:
    """Whether a Parquet type is a number."""
    import pyarrow as pa

    return pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)


def _is_text(kind: Any) -> bool:
    """Whether a Parquet type is text."""
    import pyarrow as pa

    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _batch(path: Path, batch: Any, used: list[str], lists: bool) -> np.ndarray:
    """The vectors of some rows."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if lists:
        rows = batch.column(used[0])
        lengths = pc.unique(pc.list_value_length(rows)).to_pylist()
        if len(lengths) > 1 or lengths[0] in (None, 0):
            raise ValueError(f"{path.name}: the lists in column {used[0]!r} differ in length, or are missing")
        columns, width = [rows.flatten()], lengths[0]
    else:
        columns, width = [batch.column(name) for name in used], len(used)
    columns = [column.cast(pa.float64()) if pa.types.is_decimal(column.type) else column for column in columns]
    values = np.column_stack([column.to_numpy(zero_copy_only=False) for column in columns]).reshape(-1, width)
    return values.astype(_reading.float_type(values), copy=False)
