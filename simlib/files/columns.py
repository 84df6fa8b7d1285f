"""Which column of a table holds the labels, which columns are the vectors, and which only number the rows.

A reader describes its columns as a list of `Column`, and `roles` decides. Columns are counted from 0.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from simlib.files.interface import Source
from simlib.files.messages import listed

Kind = Literal["number", "text", "list", "other"]

# A column that numbers the rows has one of these names, or one that ends in _id.
NAMES_OF_COUNTERS = {"", "id", "index", "row", "nr", "no", "unnamed: 0", "__index_level_0__"}


class Column(NamedTuple):
    """What a reader knows about a column.

    Attributes
    ----------
    name : its heading
    kind : what it holds; "list" stands for a list of numbers in each row
    numbers_rows : whether it is a column of numbers that only numbers the rows
    """

    name: str
    kind: Kind
    numbers_rows: bool = False


class Roles(NamedTuple):
    """The column of labels, or None if there is none, and the columns that are the vectors."""

    label: int | None
    vectors: list[int]


def roles(source: Source, table: list[Column]) -> Roles:
    """Decide what each column is for. The card says which columns number the rows and which are not used."""
    numbers = _of_kind(table, "number")
    texts = _of_kind(table, "text")
    lists = _of_kind(table, "list")
    if source.columns is None:
        counters = [i for i in numbers if table[i].numbers_rows]
        if lists:
            texts = texts or counters[:1]
        elif len(numbers) > len(counters):
            texts = texts or counters[:1]
            numbers = [i for i in numbers if i not in counters]
            _note_counters([table[i].name for i in counters], source)
        elif counters:
            _refuse_counters_only([table[i].name for i in counters], source)
    if source.columns is None and len(lists) > 1:
        found = listed([table[i].name for i in lists])
        raise ValueError(f"{source.name} has several columns of lists: name one of {found} with columns=")
    names = [column.name for column in table]
    label = _label(source, names, texts)
    vectors = _vectors(source, names, [i for i in lists or numbers if i != label])
    unused = [name for i, name in enumerate(names) if i != label and i not in vectors]
    if unused:
        source.card.dropped.append(f"Columns that are neither vectors nor labels: {listed(unused)}.")
    return Roles(label, vectors)


def _of_kind(table: list[Column], kind: Kind) -> list[int]:
    """The columns that hold this kind of values."""
    return [i for i, column in enumerate(table) if column.kind == kind]


def _note_counters(names: list[str], source: Source) -> None:
    """Say on the card which columns are left out of the vectors, because they number the rows."""
    for name in names:
        source.card.notes.append(f"Column {name!r} numbers the rows and is not part of the vectors.")


def _refuse_counters_only(names: list[str], source: Source) -> None:
    """Raise because the only columns of numbers number the rows: they do not stand in for vectors."""
    raise ValueError(
        f"{source.name} has no column of numbers but {listed(names)}, which numbers the rows: name the columns of the "
        "vectors with columns="
    )


def refuse_mixed(source: Source, chosen: list[Column]) -> None:
    """Raise if a column of lists was chosen for the vectors, and others beside it."""
    lists = [column.name for column in chosen if column.kind == "list"]
    if lists and len(chosen) > 1:
        raise ValueError(f"{source.name}: {lists[0]!r} is a column of lists: name it alone with columns=")


def _label(source: Source, names: list[str], texts: list[int]) -> int | None:
    """The column of labels: the one that the caller names, else the first of `texts`, else None."""
    if source.label is None:
        return texts[0] if texts else None
    if source.label not in names:
        raise ValueError(f"{source.name} has no column {source.label!r}; its columns are {listed(names)}")
    return names.index(source.label)


def _vectors(source: Source, names: list[str], found: list[int]) -> list[int]:
    """The columns of the vectors: those that the caller names, else those that were found."""
    wanted = source.columns
    if wanted is None:
        if not found:
            raise ValueError(f"{source.name} has no column of numbers; its columns are {listed(names)}")
        return found
    unknown = [name for name in wanted if name not in names]
    if isinstance(wanted, str) or unknown or not len(wanted):
        raise ValueError(f"{source.name}: columns must list names among {listed(names)}, got {wanted!r}")
    return [names.index(name) for name in wanted]


def counter_by_name(name: str) -> bool:
    """Whether the name of a column suggests that it numbers the rows."""
    return name.lower() in NAMES_OF_COUNTERS or name.lower().endswith("_id")


def numbers_rows(name: str, values: np.ndarray) -> bool:
    """Whether a column numbers the rows: its name suggests it, and its values (n,) are distinct whole numbers."""
    if not counter_by_name(name):
        return False
    return bool(np.all(values == np.floor(values))) and len(np.unique(values)) == len(values)


def refuse_repeated(source: Source, names: list[str]) -> None:
    """Raise if two columns have the same name."""
    repeated = [name for i, name in enumerate(names) if name in names[:i]]
    if repeated:
        raise ValueError(f"{source.name} has two columns named {repeated[0]!r}: rename one")
