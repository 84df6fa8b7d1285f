"""Which columns of numbers measure nothing: row numbers, ids, years, classes.

The values decide, and the place: a table numbers its rows in front, and names its classes in front or at the end. A
name decides only where it says so itself, as `id` and `CustomerID` do. What is sure is left out. What is not sure is
kept, with a note for the card.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from simlib.files import columns, dates
from simlib.files.columns import Column
from simlib.files.interface import Source

FEWEST_ROWS = 10  # with fewer rows the values alone say nothing
FEWEST_ROWS_A_CLASS = 5
MOST_CLASSES = 20  # of a column without a name that says so
MOST_NAMED_CLASSES = 100
COLUMNS_COMPARED = 50
DECIDES_ALL = 0.99  # a column with a larger share of the sum of squares decides every cosine alone

_COUNTERS = {"id", "ids", "index", "idx", "row", "rowname", "rownames", "rownumber", "nr", "no", "sno"}
_COUNTERS_THAT_REPEAT = {"id", "ids"}  # they measure nothing, even if a number comes twice
_UNNAMED = re.compile(r"Unnamed: ?\d+(\.\d+)*", re.IGNORECASE)  # so pandas calls a column without a name
_ID = re.compile(r".*[ _.-](id|ids|uid)|(id|ID|Id)[ _.-].*|.*[a-z0-9](ID|Id|IDs|Ids|Idx)|.*[ _.-](ID|Id|IDs|UID)")
_CLASS = re.compile(r"(.*[ _.-])?(label|class|target|cluster|category)(s|es)?", re.IGNORECASE)


class Beside(NamedTuple):
    """The first numbers of all columns of numbers, by place, and how the table is meant.

    Attributes
    ----------
    values : for each column of numbers its first values (n,), NaN where one is missing
    last : the place of the last column of the table
    transpose : whether the columns are the items
    """

    values: dict[int, np.ndarray]
    last: int
    transpose: bool


def judged(source: Source, table: list[Column], first: Callable[[int], np.ndarray]) -> list[Column]:
    """What the columns are, now that their first values, `first(i)` (n,), are known.

    The columns of a matrix are left as they are, and so are numbers where it is known which columns are the vectors.
    """
    if source.matrix:
        return table
    table = _with_dates(source, columns.without_dropped(source, table), first)
    if source.columns is not None:
        return table
    if any(column.kind == "list" for column in table):
        return [_judged_beside_lists(column, first, i) for i, column in enumerate(table)]
    values = {i: np.asarray(first(i)) for i, column in enumerate(table) if column.kind == "number"}
    values = {i: array.astype(np.float64) if array.dtype.kind not in "fiu" else array for i, array in values.items()}
    beside = Beside(values, len(table) - 1, source.transpose)
    return [_judged(column, i, beside) if column.kind == "number" else column for i, column in enumerate(table)]


def _with_dates(source: Source, table: list[Column], first: Callable[[int], np.ndarray]) -> list[Column]:
    """The table with the kind `date` for the column in front that holds dates, whatever it was called."""
    texts = [i for i, column in enumerate(table) if column.kind in ("text", "date")][:1]
    table = list(table)
    for i in texts:
        if any(counter_by_name(column.name) and not _has_no_name(column.name) for column in table[:i]):
            break  # the items have ids, so the rows are the items
        found = [str(value) for value in first(i)[: dates.VALUES_JUDGED] if value is not None and value == value]
        if dates.are_dates(found):
            table[i] = table[i]._replace(kind="date")
        elif table[i].kind == "date":  # events, not a time series: the same moment comes again
            table[i] = table[i]._replace(kind="other")
    if source.columns is not None or table[0].kind != "number" or any(column.kind == "list" for column in table):
        return table
    present = _whole(np.asarray(first(0)))
    if len(present) and dates.are_days(present):
        table[0] = table[0]._replace(kind="date")
    return table


def _whole(values: np.ndarray) -> np.ndarray:
    """The values that are there, if they are all whole numbers, else none of them; values (n,)."""
    if values.dtype.kind not in "fiu":
        return np.empty(0)
    present = values[np.isfinite(values)]
    return present if np.all(present == np.floor(present)) else present[:0]


def _judged_beside_lists(column: Column, first: Callable[[int], np.ndarray], place: int) -> Column:
    """What a column is where others hold the vectors: only the one that numbers the rows is of use, as labels."""
    if column.kind != "number" or not counter_by_name(column.name):
        return column
    present = _whole(np.asarray(first(place)))
    return column._replace(numbers_rows=len(present) > 0 and len(np.unique(present)) == len(present))


def _judged(column: Column, place: int, beside: Beside) -> Column:
    """What a column of numbers is."""
    values = beside.values[place]
    present = _whole(values)
    if not len(present):
        return column
    distinct = np.unique(present)
    if counter_by_name(column.name):
        return _counter_by_name(column, present, distinct)
    if _CLASS.fullmatch(column.name.strip()) and not beside.transpose:
        return _class_by_name(column, len(present), len(distinct))
    if len(values) < FEWEST_ROWS or len(present) < len(values) or len(beside.values) < 2:
        return column
    found = _in_front(column, present, distinct, beside) if place == 0 else column
    if found == column and place in (0, beside.last) and not beside.transpose:
        return _class_by_values(column, place, distinct, beside)
    return found


def counter_by_name(name: str) -> bool:
    """Whether the name of a column says that it numbers the rows or holds ids."""
    return _has_no_name(name) or _plain(name) in _COUNTERS or bool(_ID.fullmatch(name.strip()))


def _has_no_name(name: str) -> bool:
    """Whether a column has no name, but for the one that pandas gives it."""
    return _plain(name) in ("", "indexlevel0") or bool(_UNNAMED.fullmatch(name.strip()))


def _plain(name: str) -> str:
    """The name in small letters, without blanks, points and the like."""
    return re.sub(r"[ .#_-]", "", name.lower())


def _counter_by_name(column: Column, present: np.ndarray, distinct: np.ndarray) -> Column:
    """What a column of whole numbers is if its name says that it numbers the rows."""
    name = column.name
    if len(distinct) == len(present):
        return column._replace(numbers_rows=True, note=_numbers_the_rows(name))
    if _counts_again(present):
        sentence = f"Column {name!r} numbers the rows more than once and is not part of the vectors."
        return column._replace(left_out=True, note=sentence)
    if _plain(name) in _COUNTERS - _COUNTERS_THAT_REPEAT:
        return column._replace(note=f"Column {name!r} may number the rows, but its numbers repeat.{_taken_out(name)}")
    return column._replace(left_out=True, note=f"Column {name!r} holds ids that repeat and is not part of the vectors.")


def _class_by_name(column: Column, n: int, classes: int) -> Column:
    """What a column of n whole numbers, `classes` of them distinct, is if its name says that it names the class."""
    name = column.name
    if classes <= min(MOST_NAMED_CLASSES, n / 2):
        sentence = f"Column {name!r} names {classes} classes and is not part of the vectors."
        return column._replace(left_out=True, note=f"{sentence} label={name!r} shows it as labels.")
    return column._replace(note=f"Column {name!r} may be what is to be predicted.{_taken_out(name)}")


def _in_front(column: Column, present: np.ndarray, distinct: np.ndarray, beside: Beside) -> Column:
    """What the first column of a table is, a column of whole numbers with any name."""
    name = column.name
    if len(distinct) < len(present):
        if not _counts_again(present):
            return column
        ends = f"{distinct[0]:.0f} to {distinct[-1]:.0f}"
        return column._replace(note=f"Column {name!r} counts from {ends} again and again.{_taken_out(name)}")
    steady = bool(np.all(np.diff(present) == 1))
    if steady and distinct[0] >= 1500 and distinct[-1] < 2200:
        sentence = f"Column {name!r} counts years and is not part of the vectors. If the columns are the items, pass"
        return column._replace(numbers_rows=True, note=f"{sentence} transpose=True.")
    if steady or (distinct[0] in (0, 1) and distinct[-1] - distinct[0] == len(distinct) - 1):
        return column._replace(numbers_rows=True, note=_numbers_the_rows(name))
    share = share_of_squares(beside.values)
    if share > DECIDES_ALL:
        sentence = f"Column {name!r} is taken for ids and is not part of the vectors: its whole numbers are distinct"
        return column._replace(
            numbers_rows=True, note=f"{sentence} and hold {percent(share)} of the sum of squares. columns= can keep it."
        )
    if any(len(set(_whole(other[:1000]).tolist())) == len(other[:1000]) for i, other in beside.values.items() if i):
        return column
    return column._replace(note=f"Column {name!r} holds distinct whole numbers, as ids do.{_taken_out(name)}")


def _class_by_values(column: Column, place: int, distinct: np.ndarray, beside: Beside) -> Column:
    """What the first or last column of a table is, if its values are few and those of most other columns are not."""
    n = len(beside.values[place])
    classes = len(distinct)
    coded = distinct[0] in (0, 1) and distinct[-1] - distinct[0] == classes - 1
    signs = distinct.tolist() == [-1, 1]
    if not 2 <= classes <= min(MOST_CLASSES, n / FEWEST_ROWS_A_CLASS) or not (coded or signs):
        return column
    others = [other for i, other in beside.values.items() if i != place][:COLUMNS_COMPARED]
    richer = sum(len(np.unique(other[:1000])) > 2 * classes for other in others)
    if richer <= len(others) / 2:
        return column
    sentence = f"Column {column.name!r} holds {classes} whole numbers again and again, as classes do."
    return column._replace(note=sentence + _taken_out(column.name))


def _numbers_the_rows(name: str) -> str:
    """The sentence about a column that numbers the rows."""
    return f"Column {name!r} numbers the rows and is not part of the vectors."


def _taken_out(name: str) -> str:
    """The sentence that says how a column that is kept can be left out."""
    return f" It is part of the vectors: label={name!r} takes it out."


def _counts_again(present: np.ndarray) -> bool:
    """Whether whole numbers (n,) run up in steps of 1 from 0 or 1, and then do so again, as after a concat."""
    starts = np.flatnonzero(np.diff(present) != 1) + 1
    begins = present[np.r_[0, starts]]
    return 0 < len(starts) < len(present) / 2 and begins[0] in (0, 1) and bool(np.all(begins == begins[0]))


def percent(share: float) -> str:
    """A share near 1 as a percentage that does not say more than it is."""
    return f"{share:.2%}" if share < 0.9999 else "more than 99.99%"


def share_of_squares(values: dict[int, np.ndarray]) -> float:
    """The share of the first column in the sum of squares, for rows of length 1; values: place -> (n,)."""
    squares = [np.nan_to_num(array.astype(np.float64)) ** 2 for array in values.values()]
    total = np.sum(squares, axis=0)
    return float(np.mean(squares[0][total > 0] / total[total > 0])) if total.any() else 0.0
