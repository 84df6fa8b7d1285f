"""Vectors that are written as lists, one in each cell of a column: `[0.1, 0.2]`.

A cell is a text, a list of Python or of NumPy, or missing. A text may be JSON, Python's or NumPy's own way to write
numbers, pgvector's or PostgreSQL's. Rows are counted from 0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from simlib._extras import extra
from simlib.files.interface import Source

MISSING_LISTS = ("", "\\n", "null", "none", "na", "nan")  # in small letters
CELLS_JUDGED = 200

_NUMBER = r"""["']?(?:(?:np\.)?float\d*\()?[+-]?(?:\d|\.\d|nan|inf|null|none)"""
_OPENS = re.compile(rf"\s*(?:[\w.]*(?:array|tensor)\((?:'\w',\s*)?)?\s*\[[\[\s]*(?:{_NUMBER}|\.\.\.)", re.IGNORECASE)
_OTHER_BRACKETS = re.compile(rf"\s*[({{]+\s*{_NUMBER}", re.IGNORECASE)
_CALL = re.compile(r"[\w.]*(?:array|tensor)\((?:'\w',\s*)?(.*)\)", re.DOTALL | re.IGNORECASE)
_WISHES = re.compile(r",\s*(?:dtype|device|grad_fn|requires_grad|shape)=.*", re.DOTALL)
_OF_NUMPY = re.compile(r"(?:np\.)?float\d*\(([^()]*)\)")
_OUTSIDE = "[]{}() \t\r\n"


def hold_vectors(cells: Sequence[Any]) -> bool:
    """Whether a column of these cells is one of vectors: most cells that are there open as a list of numbers."""
    present = [cell for cell in cells if not is_missing(cell)][:CELLS_JUDGED]
    if sum(map(is_list, present)) <= len(present) / 2:
        return False
    lengths = {_length(cell) for cell in present if isinstance(cell, str)}
    return lengths != {1}  # marks such as [1] are no vectors


def is_list(cell: Any) -> bool:
    """Whether a cell opens as a list of numbers. A text in round or curly brackets must be one to its end."""
    if isinstance(cell, str):
        return bool(_OPENS.match(cell)) or bool(_OTHER_BRACKETS.match(cell) and _is_whole(cell))
    if not isinstance(cell, list | tuple | np.ndarray):
        return False
    while isinstance(cell, list | tuple | np.ndarray) and len(cell):
        cell = cell[0]
    return cell is None or (isinstance(cell, int | float | np.number) and not isinstance(cell, bool))


def is_missing(cell: Any) -> bool:
    """Whether no vector stands in a cell."""
    if isinstance(cell, str):
        return cell.strip().lower() in MISSING_LISTS
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def _length(cell: str) -> int:
    """How many numbers stand in a text that opens as a list."""
    return _inside(cell).count(",") + 1


def _is_whole(cell: str) -> bool:
    """Whether a text is a list of two numbers or more, from its first sign to its last."""
    try:
        numbers = [float(part) for part in _inside(cell).split(",") if not is_missing(part)]
        return len(numbers) > 1 and _is_closed(cell)
    except ValueError:
        return False


def _is_closed(cell: str) -> bool:
    """Whether a list that is opened in a text is also closed."""
    return cell.rstrip().endswith((")", "]", "}"))


def _inside(cell: str) -> str:
    """The numbers in a text that is a list, with commas between them."""
    if "(" in cell:
        if call := _CALL.fullmatch(cell.strip()):
            cell = _WISHES.sub("", call[1])
        cell = _OF_NUMPY.sub(r"\1", cell)
    inside = cell.strip(_OUTSIDE)
    if "," not in inside:
        inside = ",".join(inside.split())
    elif "\n" in inside:
        inside = inside.replace("\n", " ")
    if '"' in inside or "'" in inside:
        inside = inside.replace('"', "").replace("'", "")
    return inside.rstrip(", ")


def rows_of(source: Source, name: str, cells: Sequence[Any], row: int = 0, width: int | None = None) -> np.ndarray:
    """The vectors in the cells of column `name`, float64 (cells, width); NaN where a cell is missing.

    The first cell stands in row `row`. `width` is how many numbers a vector has, if that is known. What is no vector
    of this width is refused by the names of the column and the row.
    """
    present = np.array([not is_missing(cell) for cell in cells], bool)
    found = [cell for cell, is_there in zip(cells, present, strict=True) if is_there]
    at = row + np.flatnonzero(present)
    texts = [i for i, cell in enumerate(found) if isinstance(cell, str)]
    if texts and len(texts) < len(found):
        _refuse(source, name, found[texts[0]], int(at[texts[0]]))
    values = _from_texts(source, name, found, at) if texts else _from_lists(source, name, found, at, width)
    if width is not None and len(found) and values.shape[1] != width:
        _refuse_length(source, name, values.shape[1], width, int(at[0]))
    if len(found) == len(cells):
        return values
    rows = np.full((len(cells), width or values.shape[1]), np.nan)
    rows[present] = values
    return rows


def _from_texts(source: Source, name: str, cells: list[str], at: np.ndarray) -> np.ndarray:
    """The vectors (cells, width) in texts; `at` are their rows."""
    with extra("formats", f"column {name!r} of {source.name}, which holds lists as text,"):
        import pyarrow as pa
        import pyarrow.compute as pc

    for cell, row in zip(cells, at, strict=True):
        if "..." in cell:
            _refuse_shortened(source, name, int(row))
        if not is_list(cell) or not _is_closed(cell):
            _refuse(source, name, cell, int(row))
    lists = pc.split_pattern(pa.array([_nested(source, name, cell) for cell in cells], pa.large_string()), ",")
    lengths = pc.list_value_length(lists).to_numpy()
    if odd := np.flatnonzero(lengths != lengths[0]).tolist():
        _refuse_length(source, name, int(lengths[odd[0]]), int(lengths[0]), int(at[odd[0]]))
    numbers = pc.utf8_trim_whitespace(lists.flatten())
    try:
        values = numbers.cast(pa.float64())
    except pa.ArrowInvalid:
        missing = pc.is_in(pc.utf8_lower(numbers), value_set=pa.array(MISSING_LISTS, numbers.type))
        values = _cast(source, name, cells, at, pc.if_else(missing, "nan", numbers))
    return values.to_numpy(zero_copy_only=False).reshape(len(cells), -1)


def _cast(source: Source, name: str, cells: list[str], at: np.ndarray, numbers: Any) -> Any:
    """Texts of numbers as numbers of Arrow; the texts come from the cells, equally many from each."""
    import pyarrow as pa

    try:
        return numbers.cast(pa.float64())
    except pa.ArrowInvalid:
        width = len(numbers) // len(cells)
        for i, cell in enumerate(cells):
            try:
                numbers[i * width : (i + 1) * width].cast(pa.float64())
            except pa.ArrowInvalid:
                _refuse(source, name, cell, int(at[i]))
        raise


def _nested(source: Source, name: str, cell: str) -> str:
    """The numbers in a text, with commas between them; the lists in a list are joined, and the card says so."""
    inside = _inside(cell)
    if "]" in inside or "}" in inside or ")" in inside:
        inside = re.sub(r"[\[\](){}]+[\s,]*[\[({]*", ",", inside)
        note_tables(source, name)
    return inside


def _from_lists(source: Source, name: str, cells: list[Any], at: np.ndarray, width: int | None) -> np.ndarray:
    """The vectors (cells, width) in lists; `at` are their rows."""
    if not cells:
        return np.empty((0, width or 0))
    try:
        values = np.array(cells, np.float64)
    except (ValueError, TypeError, OverflowError):
        _refuse_odd_list(source, name, cells, at)
    if values.ndim < 2 or not values.size:
        _refuse(source, name, cells[0], int(at[0]))
    if values.ndim > 2 and max(values.shape[1:-1]) > 1:
        note_tables(source, name)
    return values.reshape(len(cells), -1)


def _refuse_odd_list(source: Source, name: str, cells: list[Any], at: np.ndarray) -> NoReturn:
    """Raise for the first list that is not of numbers, or longer or shorter than the first one."""
    shapes = []
    for cell, row in zip(cells, at, strict=True):
        try:
            shapes.append(np.array(cell, np.float64).shape)
        except (ValueError, TypeError, OverflowError):
            _refuse(source, name, cell, int(row))
        if shapes[-1] != shapes[0]:
            _refuse_length(source, name, math.prod(shapes[-1]), math.prod(shapes[0]), int(row))
    raise AssertionError("no list is odd")


def note_tables(source: Source, name: str) -> None:
    """Say on the card, once, that a cell holds several lists."""
    note = f"Column {name!r} holds several lists in a row: they are joined to one vector."
    if note not in source.card.notes:
        source.card.notes.append(note)


def _refuse(source: Source, name: str, cell: Any, row: int) -> NoReturn:
    """Raise because a cell is no list of numbers."""
    shown = str(cell)
    if "..." in shown and isinstance(cell, str):
        _refuse_shortened(source, name, row)
    shown = repr(" ".join(shown.split())[:60])
    where = f"{source.name}: column {name!r} holds {shown} in row {row} (counted from 0)"
    if isinstance(cell, str) and is_list(cell) and not _is_closed(cell):
        raise ValueError(
            f"{where}, a list that is cut off: a spreadsheet keeps 32,767 characters of a cell; export it as .parquet "
            "or .jsonl"
        )
    raise ValueError(f"{where}, not a list of numbers: mend the file, or name the columns of the vectors with columns=")


def _refuse_shortened(source: Source, name: str, row: int) -> NoReturn:
    """Raise because NumPy left numbers out when it wrote a vector."""
    raise ValueError(
        f"{source.name}: column {name!r} holds a vector in row {row} (counted from 0) that was shortened with '...': "
        "its numbers are lost; save the vectors again as lists, v.tolist(), or all of them with numpy.save"
    )


def _refuse_length(source: Source, name: str, found: int, expected: int, row: int) -> NoReturn:
    """Raise because a vector has another length than those before it."""
    raise ValueError(
        f"{source.name}: column {name!r} holds a list in row {row} (counted from 0) of {found} numbers, expected "
        f"{expected} as in the rows before: mend the file, or name the columns of the vectors with columns="
    )
