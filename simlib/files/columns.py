"""Which column of a table holds the labels, which columns are the vectors, and which are neither.

A reader describes its columns as a list of `Column`, `counters.judged` adds what their values tell, and `roles`
decides. Columns are counted from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from simlib.files.interface import Source
from simlib.files.messages import listed

Kind = Literal["number", "text", "date", "list", "other"]


class Column(NamedTuple):
    """What a reader knows about a column.

    Attributes
    ----------
    name : its heading
    kind : what it holds; "date" stands for dates or times, "list" for a list of numbers in each row
    numbers_rows : whether it is a column of numbers that only numbers the rows: it can label them
    left_out : whether it is a column of numbers that is neither vectors nor labels
    note : a sentence for the card about this column, or ""
    """

    name: str
    kind: Kind
    numbers_rows: bool = False
    left_out: bool = False
    note: str = ""


class Roles(NamedTuple):
    """The column of labels, or None if there is none, and the columns that are the vectors."""

    label: int | None
    vectors: list[int]


def roles(source: Source, table: list[Column]) -> Roles:
    """Decide what each column is for. The card says which columns number the rows and which are not used."""
    numbers = _of_kind(table, "number")
    texts = _of_kind(table, "text", "date")
    lists = _of_kind(table, "list")
    if source.columns is None:
        texts = texts or [i for i in numbers if table[i].numbers_rows][:1]
    if source.columns is None and not lists:
        numbers = _that_measure(source, table, numbers)
    if source.columns is None and len(lists) > 1:
        found = listed([table[i].name for i in lists])
        raise ValueError(f"{source.name} has several columns of lists: name one of {found} with columns=")
    names = [column.name for column in table]
    label = _label(source, names, texts)
    vectors = _vectors(source, names, [i for i in lists or numbers if i != label])
    if label is not None:
        _ask_about_dates(source, table[label], len(vectors))
    used = {label, *vectors}
    asked = set(_dropped(source, names)) - used
    if asked:
        source.card.dropped.append(f"Columns left out as asked: {listed([names[i] for i in sorted(asked)])}.")
    known = used | asked
    unused = [name for i, name in enumerate(names) if i not in known]
    if unused:
        source.card.dropped.append(f"Columns that are neither vectors nor labels: {listed(unused)}.")
    if unused and source.columns is None:
        source.card.shares["columns"] = len(unused), len(unused) + len(vectors)
    source.card.notes += [
        column.note for i, column in enumerate(table) if column.note and not _goes_without(source, column, i == label)
    ]
    return Roles(label, vectors)


def without_dropped(source: Source, table: list[Column]) -> list[Column]:
    """The columns with the kind "other" for those that the caller drops; one that he also names as labels stays."""
    gone = {i for i in _dropped(source, [column.name for column in table]) if table[i].name != source.label}
    return [column._replace(kind="other") if i in gone else column for i, column in enumerate(table)]


def _dropped(source: Source, names: list[str]) -> list[int]:
    """The columns that the caller drops."""
    return [] if source.drop is None else meant(source, "drop", source.drop, names, range(len(names)))


def meant(source: Source, called: str, wanted: Sequence[str], names: list[str], among: Sequence[int]) -> list[int]:
    """The columns that names, ranges such as `a:b` and patterns such as `S*` mean, in the order given, each once.

    The name of a column always means that column. Ranges and patterns mean columns `among` those given only, in the
    order of the file. `called` is the parameter that they come from.
    """
    place = {name: i for i, name in reversed(list(enumerate(names)))}
    found: list[int] = []
    possible = set(among)
    for name in wanted:
        all_of_them = _named_by(name, names, place)
        these = all_of_them if name in place else [i for i in all_of_them if i in possible]
        if not these and all_of_them:
            raise ValueError(
                f"{source.name}: none of the columns that {name!r} means, {listed([names[i] for i in all_of_them])}, "
                "holds numbers alone: is there a row of text among the rows, such as units or classes? Take it out"
            )
        if not these:
            raise ValueError(f"{source.name}: {called} must list names among {listed(names)}, got {wanted!r}")
        found += these
    return list(dict.fromkeys(found))


def _named_by(name: str, names: list[str], place: dict[str, int]) -> list[int]:
    """All columns that a name, a range or a pattern means; `place` says where a name is."""
    first, colon, last = name.partition(":")
    if name in place:
        return [place[name]]
    if colon and first in place and last in place:
        return list(range(place[first], place[last] + 1))
    return [i for i, other in enumerate(names) if fnmatchcase(other, name)] if set(name) & set("*?[") else []


def _goes_without(source: Source, column: Column, is_label: bool) -> bool:
    """Whether the note about a column says nothing new: it holds the labels, and that is what it looks like."""
    return is_label and (source.label is not None or source.transpose or column.kind == "text")


def _that_measure(source: Source, table: list[Column], numbers: list[int]) -> list[int]:
    """The columns of numbers that can be vectors; raises if all of them only number the rows or name classes."""
    found = [i for i in numbers if not table[i].numbers_rows and not table[i].left_out]
    if numbers and not found:
        others = listed([table[i].name for i in numbers])
        what = "names classes" if any(table[i].left_out for i in numbers) else "numbers the rows"
        raise ValueError(
            f"{source.name} has no column of numbers but {others}, which {what}: name the columns of the vectors with "
            "columns="
        )
    return found


def _ask_about_dates(source: Source, label: Column, width: int) -> None:
    """Raise if dates label the rows and the caller did not say that he wants so: the columns may be the items."""
    if source.transpose:
        source.card.notes.append(f"Column {label.name!r} labels the numbers of each item and is not part of them.")
    elif label.kind == "date" and source.label is None and width > 1:
        raise ValueError(
            f"{source.name}: column {label.name!r} holds dates or times, so that each row is a moment: if the columns "
            f"are the items, pass transpose=True; if the rows are, pass label={label.name!r}"
        )


def _of_kind(table: list[Column], *kinds: Kind) -> list[int]:
    """The columns that hold values of these kinds."""
    return [i for i, column in enumerate(table) if column.kind in kinds]


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
    if isinstance(wanted, str) or not len(wanted):
        raise ValueError(f"{source.name}: columns must list names among {listed(names)}, got {wanted!r}")
    return meant(source, "columns", wanted, names, found)


def refuse_repeated(source: Source, names: list[str]) -> None:
    """Raise if two columns have the same name."""
    seen = set[str]()
    for name in names:
        if name in seen:
            raise ValueError(f"{source.name} has two columns named {name!r}: rename one")
        seen.add(name)
