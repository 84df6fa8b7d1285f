"""Where the items are in a value of JSON, and the fields of an item.

The items may be a list of records or of lists; records or lists by name; or columns that are lists. A record is a
dictionary; its fields are reached by paths, because a record may hold others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simlib.files import lists
from simlib.files.interface import Source
from simlib.files.messages import listed

Path = tuple[str | int, ...]  # the keys from a record down to a field; 0 for the only item of a list
Record = dict[str, Any]

LIKELY_LABELS = ("text", "title", "name", "word", "label", "document", "documents", "id", "ids")
DEEPEST = 8
VALUES_LOOKED_AT = 100


def items_of(source: Source, value: Any) -> list[Any]:
    """The items in a value of JSON. The card says where they were found, unless the value is the list of them."""
    for _ in range(DEEPEST):
        if isinstance(value, list):
            return value
        if not isinstance(value, dict) or not value:
            break
        for find in (_of_pandas_split, _by_name, _of_pandas_columns, _of_columns):
            items = find(source, value)
            if items is not None:
                return items
        inner = {key: part for key, part in value.items() if isinstance(part, list | dict) and part}
        if len(inner) != 1 or lists.is_list(next(iter(inner.values()))):
            return [value]
        key, value = next(iter(inner.items()))
        source.card.notes.append(f"The items are what {key!r} holds.")
    raise ValueError(f"{source.name} holds {_in_words(value)}: expected records, or lists of numbers")


def _in_words(value: Any) -> str:
    """A value, short enough for a message."""
    return repr(value)[:40] if value or value == 0 else "nothing"


def _of_pandas_split(source: Source, value: Record) -> list[Any] | None:
    """The rows of a table that pandas wrote as its columns' names and its data."""
    names = value.get("columns")
    data = value.get("data")
    if not isinstance(names, list) or not isinstance(data, list) or not all(isinstance(row, list) for row in data):
        return None
    index = value.get("index")
    rows = [dict(zip(map(str, names), row, strict=False)) for row in data]
    if isinstance(index, list) and len(index) == len(rows):
        rows = [{"index": key, **row} for key, row in zip(index, rows, strict=True)]
    return rows


def _by_name(source: Source, value: Record) -> list[Any] | None:
    """The items whose names are the keys: their values are lists of numbers, or records of the same fields."""
    parts = list(value.values())
    if all(map(_is_vector, parts)):
        source.card.notes.append("The names of the lists are the labels, the lists are the vectors.")
        return [{"name": key, "vector": part} for key, part in value.items()]
    if all(isinstance(part, dict) for part in parts) and not _are_columns(parts):
        source.card.notes.append("The names of the records are the labels.")
        return [{"": key, **part} for key, part in value.items()]
    return None


def _is_vector(part: Any) -> bool:
    """Whether a value is a list of numbers, or a text that is one."""
    if isinstance(part, list):
        return bool(part) and not isinstance(part[0], list) and lists.is_list(part)
    return isinstance(part, str) and lists.is_list(part)


def _are_columns(parts: list[Record]) -> bool:
    """Whether dictionaries are columns of one table, from the rows' names to values: pandas writes it so."""
    keys = list(parts[0])
    if any(list(part) != keys for part in parts):
        return False
    numbered = keys == [str(i) for i in range(len(keys))]
    alike = all(len({type(part[key]) for key in keys[:VALUES_LOOKED_AT]}) == 1 for part in parts)
    return numbered or (alike and len(keys) > len(parts))


def _of_pandas_columns(source: Source, value: Record) -> list[Any] | None:
    """The rows of a table that pandas wrote as dictionaries, one for each column."""
    parts = list(value.values())
    if not all(isinstance(part, dict) for part in parts):
        return None
    keys = list(parts[0])
    named = keys != [str(i) for i in range(len(keys))]
    rows = [{name: part[key] for name, part in value.items()} for key in keys]
    return [{"": key, **row} for key, row in zip(keys, rows, strict=True)] if named else rows


def _of_columns(source: Source, value: Record) -> list[Any] | None:
    """The rows of a table whose columns are lists: as many as the vectors are; the others are left out."""
    parts = {key: part for key, part in value.items() if isinstance(part, list) and part}
    vectors = [part for part in parts.values() if lists.hold_vectors(part) and not _is_vector(part)]
    if not vectors and (len(parts) < len(value) or len(set(map(len, parts.values()))) != 1):
        return None
    rows = len(vectors[0]) if vectors else len(next(iter(parts.values())))
    parts = {key: part for key, part in parts.items() if len(part) == rows}
    others = [key for key in value if key not in parts]
    if others:
        source.card.dropped.append(f"What is not as long as the vectors: {listed(others)}.")
    return [dict(zip(parts, row, strict=True)) for row in zip(*parts.values(), strict=True)]


def as_record(source: Source, item: Any, row: int) -> Record:
    """An item as a record: a list of numbers is its vector; other lists have fields that are numbered."""
    if isinstance(item, dict):
        return item
    if isinstance(item, list) and item:
        return {"vector": item} if _is_vector(item) else {str(i): part for i, part in enumerate(item)}
    raise ValueError(
        f"{source.name} holds {_in_words(item)} as item {row} (counted from 0): expected records, or lists of numbers"
    )


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The fields of a record and of the records in it: the path and the value of each."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) and path:
        value = {0: value[0]}
    if not isinstance(value, dict) or len(path) >= DEEPEST:
        yield path, value
        return
    for key, part in value.items():
        yield from leaves(part, (*path, key))


def at(record: Any, path: Path) -> Any:
    """The value of a field, None if the record lacks it."""
    for key in path:
        if isinstance(record, list):
            record = record[0] if len(record) == 1 and key == 0 else None
        else:
            record = record.get(key) if isinstance(record, dict) else None
    return record


def name_of(path: Path) -> str:
    """The name of a field as a column."""
    return ".".join(map(str, path))


def rank_as_label(path: Path) -> int:
    """The place of a field among those that are likely labels; the others come behind."""
    last = str(path[-1]).lower() if path else ""
    return LIKELY_LABELS.index(last) if last in LIKELY_LABELS else len(LIKELY_LABELS)


def as_text(value: Any) -> str:
    """A label as a text that can be written anywhere: JSON may hold halves of signs."""
    return "" if value is None else str(value).encode("utf-8", "replace").decode()
