"""What a text file looks like, judged by its first lines: encoding, separator, decimal sign, heading."""

from __future__ import annotations

import codecs
import csv
import gzip
import re
import zlib
from itertools import pairwise
from pathlib import Path
from statistics import mode
from typing import Any

from simlib import _reading

SAMPLE = 1 << 16  # bytes that a text file is judged by, or more of them if they hold less than three lines ...
LARGEST = 1 << 26  # ... up to here
MISSING = ("", "NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null", "None")  # in columns of numbers
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|NaN|Inf)")


def first_lines(path: Path) -> tuple[str, list[str]]:
    """How a text file is encoded, and its first lines."""
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else open(path, "rb") as file:
            head = file.read(SAMPLE)
            while head.count(b"\n") < 3 and len(head) < LARGEST and (more := file.read(SAMPLE)):
                head += more
            whole = not file.read(1)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(_reading.unreadable(path, error)) from None
    encoding = "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    if b"\0" in head and (encoding != "utf-16" or head.startswith(codecs.BOM_UTF32_LE)):
        raise ValueError(
            f"{path.name} has bytes of value 0: not text, or in an encoding without its mark; save it as UTF-8"
        )
    if head.count(b"\n") + head.count(b"\r") < 2 and not whole:
        raise ValueError(f"{path.name} has a line of more than {LARGEST >> 20} MB: expected one line an item")
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head, final=whole)
    except UnicodeDecodeError as error:
        raise ValueError(not_utf8(path, error)) from None
    lines = re.split("\r\n|\r|\n", text.removesuffix("\n"))
    lines = lines if whole or len(lines) < 2 else lines[:-1]
    if not any(line.strip() for line in lines):
        raise ValueError(f"{path.name} has no lines with anything in them")
    return encoding, lines


def not_utf8(path: Path, error: UnicodeDecodeError) -> str:
    """What to do about a wrongly encoded file."""
    return (
        f"{path.name} is not UTF-8 text (byte {error.start} is 0x{error.object[error.start]:02x}): save it as UTF-8, "
        "for instance with iconv -f LATIN1 -t UTF-8"
    )


def embedding_width(lines: list[str]) -> int:
    """The number of features if the lines are word2vec's or GloVe's text, else 0; a bad line is left to the reader."""
    announced = re.fullmatch(r"(\d+) (\d+)", lines[0].rstrip())
    body = [line.rstrip() for line in lines[bool(announced) :][:20] if line.strip()]
    if not body:
        return 0
    width = int(announced[2]) if announced else mode(line.count(" ") for line in body)
    if width < 1 + (not announced):
        return 0
    parts = [line.rsplit(" ", width) for line in body]
    good = [len(part) > width and bool(part[0]) and all(map(_NUMBER.fullmatch, part[1:])) for part in parts]
    if not good[0] or sum(good) <= len(good) / 2:
        return 0
    words = [part[0] for part in parts]
    mixed = any(re.search(r"[,;\t|] *[+-]?[\d.]+$", word) for word in words)  # fields are separated otherwise
    return width if announced or not (mixed or all(map(_NUMBER.fullmatch, words))) else 0


def table_form(path: Path, lines: list[str]) -> dict[str, Any]:
    """The separator and the decimal sign: those that give every line the same number of fields, more than one."""
    body = [line for line in lines if line.strip() and not _is_comment(line)]
    if not body:
        raise ValueError(f"{path.name} has no lines with anything in them but comments")
    found = []
    for sep, word in (("\t", "tabs"), (";", "semicolons"), (",", "commas"), ("|", "bars"), (" ", "blanks")):
        rows = _cells(path, body[:50], sep)
        widths = [len(row) for row in rows]
        if min(widths[1:] or widths) > 1 and len(set(widths[1:])) <= 1:
            found.append((sep, word, rows))
    if not found and all(len(row) == 1 for row in _cells(path, body[:50], ",")):
        found.append((",", "commas", [[line] for line in body[:50]]))
    if not found:
        widths = [len(row) for row in _cells(path, body[:50], ",")]
        raise ValueError(
            f"{path.name}: the lines have unequal numbers of fields ({widths[0]}, then {widths[1:6]}): "
            "expected a table, one row an item"
        )
    sep, word, _ = max(found, key=_share_of_numbers)
    cells = [cell.strip() for row in _cells(path, body, sep) for cell in row]
    commas = any(re.fullmatch(r"[+-]?\d*,\d+([eE][+-]?\d+)?", cell) for cell in cells)
    points = any(re.fullmatch(r"[+-]?\d*\.\d+([eE][+-]?\d+)?", cell) for cell in cells)
    if commas and points:
        raise ValueError(f"{path.name} has decimal commas and decimal points: export it with one of them")
    return {"sep": sep, "word": word, "decimal": "," if commas and sep != "," else ".", "quoting": _quoting(body, sep)}


def _is_comment(line: str) -> bool:
    """Whether a line is no part of the table: NumPy's comment, Excel's sep=; a row may begin with a hashtag."""
    row = re.search(r"[\t,;|] *" + _NUMBER.pattern.join("()") + "$", line.rstrip())
    return (line.startswith("#") and not row) or bool(re.fullmatch(r'"?sep=.?"?', line.rstrip()))


def _quoting(lines: list[str], sep: str) -> int:
    """Whether quotation marks are text: in a table with tabs, where one opens a field and none closes it."""
    fields = [field for line in lines for field in line.split("\t")] if sep == "\t" else []
    alone = any(field.startswith('"') and (len(field) == 1 or not field.endswith('"')) for field in fields)
    return csv.QUOTE_NONE if alone else csv.QUOTE_MINIMAL


def _share_of_numbers(found: tuple[str, str, list[list[str]]]) -> float:
    """How many of the fields are numbers, with points or commas."""
    cells = [cell.strip() for row in found[2] for cell in row]
    return sum(bool(_NUMBER.fullmatch(cell.replace(",", "."))) for cell in cells) / max(len(cells), 1)


def _cells(path: Path, lines: list[str], sep: str) -> list[list[str]]:
    """The fields of some lines, as long as they may be; blanks may stand several in a row."""
    limit = csv.field_size_limit(LARGEST)
    try:
        quoting = _quoting(lines, sep)
        lines = [re.sub(" +", " ", line.strip()) for line in lines] if sep == " " else lines
        return list(csv.reader(lines, delimiter=sep, quoting=quoting))
    except csv.Error as error:
        raise ValueError(_reading.unreadable(path, error)) from None
    finally:
        csv.field_size_limit(limit)


def header(path: Path, form: dict[str, Any], lines: list[str], card: dict) -> tuple[list[str], int, list[int]]:
    """Names of the columns, how many lines come before the first row, and which columns start out as numbers."""
    skipped = next(i for i, line in enumerate(lines) if line.strip() and not _is_comment(line))
    if comments := sum(bool(line.strip()) for line in lines[:skipped]):
        card["notes"].append(f"The first {comments} lines are comments and not read.")
    top, *rows = _cells(path, [line for line in lines[skipped:] if line.strip()][:50], form["sep"])
    top = [cell.strip() for cell in top]
    if not rows and not any(cell_is_number(cell, form) for cell in top):
        raise ValueError(f"{path.name} has a heading but no rows")
    width = len(rows[0]) if rows else len(top)
    if len(top) == width - 1:  # R gives the names of the rows no heading; others end every row with a separator
        top = [*top, ""] if all(not row[-1].strip() for row in rows) else ["", *top]
    while len(top) > width and not top[-1]:
        top.pop()
    if len(top) != width:
        raise ValueError(
            f"{path.name}: the first line has {len(top)} fields ({_reading.listed(top)}) and the next has {width}: "
            "it must hold the names of the columns, or be deleted"
        )
    numeric = [all(cell_is_number(row[i], form) for row in rows if i < len(row)) for i in range(width)]
    named = any(numeric[i] and not cell_is_number(cell, form) for i, cell in enumerate(top))
    named |= not any(cell_is_number(cell, form) for cell in top) or _names_columns(top, rows, numeric, form)
    form["heading"] = bool(rows) and named
    if form["heading"]:
        return top, skipped + 1, [i for i in range(width) if numeric[i]]
    card["notes"].append("The first line is read as an item, there are no names of columns.")
    numeric = [numeric[i] and cell_is_number(cell, form) for i, cell in enumerate(top)]
    return [str(i) for i in range(width)], skipped, [i for i in range(width) if numeric[i]]


def _names_columns(top: list[str], rows: list[list[str]], numeric: list[bool], form: dict[str, Any]) -> bool:
    """Whether numbers in the first line are names of columns: years, or 0, 1, 2; a row of whole numbers may be data."""
    if len(top) < 2 or not all(re.fullmatch(r"\d+", cell) for cell in top[1:]):
        return False
    steps = {int(b) - int(a) for a, b in pairwise(top[1:])}
    broken = any(re.search(r"[.,]", cell) for row in rows for i, cell in enumerate(row) if numeric[i])
    if not _NUMBER.fullmatch(top[0]):
        counts = top[1:] == [str(i) for i in range(len(top) - 1)]
        return counts or (top[0] == "" and all(row[0].strip() for row in rows)) or (broken and steps == {1})
    return broken and top == [str(i) for i in range(len(top))]


def cell_is_number(cell: str, form: dict[str, Any]) -> bool:
    """Whether a cell is a number, or missing."""
    cell = cell.strip().replace(",", ".") if form["decimal"] == "," else cell.strip()
    return cell in MISSING or bool(_NUMBER.fullmatch(cell))
