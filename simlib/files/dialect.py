"""How a table of text is written, judged by its first lines: the separator, the decimal sign, the heading.

Where several separators fit, the one that makes the largest share of the fields below the first line numbers is taken.
Among equals it is one that cuts the first line into as many fields.
"""

from __future__ import annotations

import csv
import re
from itertools import pairwise
from typing import Literal, NamedTuple

from simlib.files import brackets, lists
from simlib.files.interface import Source
from simlib.files.lines import BYTES_OF_A_LONG_SAMPLE
from simlib.files.messages import listed, unreadable
from simlib.files.numerals import MISSING, NUMBER, without_any_mark

SEPARATORS = {"\t": "tabs", ";": "semicolons", ",": "commas", "|": "bars", " ": "blanks"}
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
TABLE_LINES_JUDGED = 50
FEWEST_COUNTED = 10  # a line that counts fewer of its fields may be data

Rows = list[list[str]]  # the fields of some lines, a list for each line
Quoting = Literal[0, 3]  # csv.QUOTE_MINIMAL or csv.QUOTE_NONE


class Dialect(NamedTuple):
    """How the fields of a table are written.

    Attributes
    ----------
    separator : the sign between the fields; a blank stands for one or more of them
    decimal : the decimal sign, a point or a comma
    quoting : csv.QUOTE_NONE where a quotation mark is part of the text, else csv.QUOTE_MINIMAL
    """

    separator: str
    decimal: str
    quoting: Quoting


class Heading(NamedTuple):
    """What the top of a table tells.

    Attributes
    ----------
    names : the names of all columns, their numbers where the table has no heading
    skipped : how many lines come before the first row
    numeric : the columns whose first fields are all numbers or missing
    given : whether the table has a heading
    """

    names: list[str]
    skipped: int
    numeric: list[int]
    given: bool


def dialect_of(source: Source, lines: list[str]) -> Dialect:
    """The dialect in which every line has the same number of fields, and more than one."""
    body = [line for line in lines if line.strip() and not _is_comment(line)]
    if not body:
        raise ValueError(f"{source.name} has no lines with anything in them but comments")
    separator = _separator(source, body[:TABLE_LINES_JUDGED])
    fields = [without_any_mark(field) for row in _rows(source, body, separator) for field in row]
    commas = [field for field in fields if DECIMAL_COMMA.fullmatch(field)]
    points = any(re.fullmatch(r"[+-]?\d*\.\d+([eE][+-]?\d+)?", field) for field in fields)
    if commas and points:
        raise ValueError(f"{source.name} has decimal commas and decimal points: export it with one of them")
    if separator == ",":  # what stands in quotation marks may be 1,234 with a mark between thousands
        commas = [field for field in commas if not re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", field)]
    return Dialect(separator, "," if commas else ".", _quoting(body, separator))


def _separator(source: Source, lines: list[str]) -> str:
    """The separator that gives all lines but the first one equally many fields; raises if none does."""
    found = {}
    for separator in SEPARATORS:
        if separator == " " and any("\t" in line for line in lines):
            continue  # a tab would count as a blank
        rows = _rows(source, lines, separator)
        widths = [len(row) for row in rows]
        equal = min(widths[1:] or widths) > 1 and len(set(widths[1:])) <= 1
        if equal and _keeps_lists(lines, rows, separator):
            found[separator] = _share_of_numbers(rows[1:] or rows), len(set(widths)) == 1
    if "," in found and any(_commas_are_decimal(_rows(source, lines, each)) for each in found if each in ";|\t"):
        del found[","]
    if found:
        return max(found, key=lambda separator: found[separator])
    widths = [len(row) for row in _rows(source, lines, ",")]
    if set(widths) == {1}:
        return ","
    raise ValueError(
        f"{source.name}: the lines have unequal numbers of fields ({widths[0]}, then {widths[1:6]}): "
        "expected a table, one row an item"
    )


def _commas_are_decimal(rows: Rows) -> bool:
    """Whether all rows are equally long, some fields hold a comma, and each of these is a number with it."""
    fields = [without_any_mark(field) for row in rows for field in row if "," in field]
    return len({len(row) for row in rows}) == 1 and bool(fields) and all(map(DECIMAL_COMMA.fullmatch, fields))


def _keeps_lists(lines: list[str], rows: Rows, separator: str) -> bool:
    """Whether every list of numbers in the lines is within one field of the rows, not split by the separator."""
    whole = [found for line in lines for found in brackets.lists_in(line)]
    if separator == " ":
        whole = [re.sub(" +", " ", found) for found in whole]
    fields = [field for row in rows for field in row if re.search(r"[\[({]", field)]
    return all(any(found in field for field in fields) for found in whole)


def _is_comment(line: str) -> bool:
    """Whether a line is no part of the table: a comment as NumPy writes it, or Excel's line sep=;."""
    # A row may begin with a hashtag: it then ends in a separator and a number.
    is_row = re.search(r"[\t,;|] *" + NUMBER.pattern.join("()") + "$", line.rstrip())
    return (line.startswith("#") and not is_row) or bool(re.fullmatch(r'"?sep=.?"?', line.rstrip()))


def _quoting(lines: list[str], separator: str) -> Quoting:
    """Whether quotation marks are text: they are where, between tabs, one opens a field and none closes it."""
    fields = [field for line in lines for field in line.split("\t")] if separator == "\t" else []
    alone = any(field.startswith('"') and (len(field) == 1 or not field.endswith('"')) for field in fields)
    return csv.QUOTE_NONE if alone else csv.QUOTE_MINIMAL


def _share_of_numbers(rows: Rows) -> float:
    """The share of the fields that are numbers, with points or commas, from 0 to 1."""
    fields = [without_any_mark(field).replace(",", ".") for row in rows for field in row]
    return sum(bool(NUMBER.fullmatch(field)) for field in fields) / max(len(fields), 1)


def _rows(source: Source, lines: list[str], separator: str) -> Rows:
    """The fields of some lines, however long they are. Several blanks in a row separate as one does."""
    limit = csv.field_size_limit(BYTES_OF_A_LONG_SAMPLE)
    try:
        quoting = _quoting(lines, separator)
        if separator == " ":
            lines = [re.sub(" +", " ", line.strip()) for line in lines]
        return list(csv.reader(lines, delimiter=separator, quoting=quoting, skipinitialspace=True))
    except csv.Error as error:
        raise ValueError(unreadable(source.name, error)) from None
    finally:
        csv.field_size_limit(limit)


def heading_of(source: Source, dialect: Dialect, lines: list[str]) -> Heading:
    """The names of the columns, where the rows begin, and which columns look like numbers."""
    comments = _lines_of_comment(source, lines)
    body = [line for line in lines[comments:] if line.strip()]
    first, *rows = _rows(source, body[:TABLE_LINES_JUDGED], dialect.separator)
    top = [field.strip() for field in first]
    if not rows and not any(is_datum(field, dialect) for field in top):
        raise ValueError(f"{source.name} has a heading but no rows")
    top = _as_wide_as(source, rows, top)
    numeric = [all(is_datum(row[i], dialect) for row in rows if i < len(row)) for i in range(len(top))]
    if rows and (holds_names(top, rows, numeric, dialect) or (_counts(top) and not source.matrix)):
        return Heading(top, comments + 1, [i for i, numbers in enumerate(numeric) if numbers], True)
    source.card.notes.append("The first line is read as an item, there are no names of columns.")
    names = [str(i) for i in range(len(top))]
    return Heading(
        names, comments, [i for i, field in enumerate(top) if numeric[i] and is_datum(field, dialect)], False
    )


def _lines_of_comment(source: Source, lines: list[str]) -> int:
    """How many lines come before the table; the card tells how many of them are comments."""
    before = next(i for i, line in enumerate(lines) if line.strip() and not _is_comment(line))
    if comments := sum(bool(line.strip()) for line in lines[:before]):
        source.card.notes.append(f"The first {comments} lines are comments and not read.")
    return before


def _as_wide_as(source: Source, rows: Rows, top: list[str]) -> list[str]:
    """The first line with one name for each column of the rows; raises if that cannot be made out."""
    width = len(rows[0]) if rows else len(top)
    if len(top) == width - 1:
        # Some tools end every row, but not the heading, with a separator. R gives the names of the rows no heading.
        top = [*top, ""] if all(not row[-1].strip() for row in rows) else ["", *top]
    while len(top) > width and not top[-1]:
        top = top[:-1]
    if len(top) != width:
        raise ValueError(
            f"{source.name}: the first line of the table has {len(top)} fields ({listed(top)}) and the next has "
            f"{width}: it must hold the names of the columns, or be deleted"
        )
    return top


def holds_names(top: list[str], rows: Rows, numeric: list[bool], dialect: Dialect) -> bool:
    """Whether the first line holds names: a text above a column of numbers, texts only, or numbers that are names."""
    numbers = [is_datum(field, dialect) for field in top]
    above_numbers = any(numeric[i] and not numbers[i] for i in range(len(top)))
    texts_only = not any(numbers[1:]) and not (numbers[0] and top[0])  # above the labels there may be nothing
    return above_numbers or texts_only or _numbers_are_names(top, rows, numeric)


def _numbers_are_names(top: list[str], rows: Rows, numeric: list[bool]) -> bool:
    """Whether numbers in the first line are names of columns: years, or 0, 1, 2. Whole numbers may also be data."""
    texts = next((i for i, numbers in enumerate(numeric) if numbers), 0)  # so many columns of text stand in front
    if texts > 1:
        top, rows, numeric = top[texts - 1 :], [row[texts - 1 :] for row in rows], numeric[texts - 1 :]
    while len(top) > 2 and not top[-1]:
        top = top[:-1]
    if len(top) < 2 or not all(re.fullmatch(r"\d{1,18}", field) for field in top[1:]):
        return False
    steps = {int(right) - int(left) for left, right in pairwise(top[1:])}
    if texts and top[0] and steps == {1} and _are_years(top[1:]) and not any(_are_years(row[1:]) for row in rows):
        return True
    fractions = any(re.search(r"[.,]", field) for row in rows for i, field in enumerate(row) if numeric[i])
    if NUMBER.fullmatch(top[0]):
        return fractions and top == [str(i) for i in range(len(top))]
    counts = top[1:] == [str(i) for i in range(len(top) - 1)]
    labels_below = top[0] == "" and all(row[0].strip() for row in rows)
    return counts or labels_below or (fractions and steps == {1})


def _counts(top: list[str]) -> bool:
    """Whether the first line counts its own fields, as pandas names columns, and there are many of them."""
    return len(top) >= FEWEST_COUNTED and top == [str(i) for i in range(len(top))]


def _are_years(fields: list[str]) -> bool:
    """Whether all fields but empty ones are years, and there are more than two of them."""
    given = [field for field in fields if field.strip()]
    return len(given) > 2 and all(re.fullmatch(r"(1[5-9]|2[01])\d\d", field.strip()) for field in given)


def is_datum(field: str, dialect: Dialect) -> bool:
    """Whether a field is a number, a list of them, or stands for a missing one."""
    return is_number(field, dialect) or lists.is_list(field)


def is_number(field: str, dialect: Dialect) -> bool:
    """Whether a field is a number, or stands for a missing one."""
    field = field.strip().replace(",", ".") if dialect.decimal == "," else field.strip()
    return field in MISSING or bool(NUMBER.fullmatch(field))
