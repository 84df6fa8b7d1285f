"""A table of text as pandas parses it, a piece of rows at a time. Its columns are counted from 0."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pandas as pd

from simlib.files import brackets, pieces
from simlib.files.dialect import Dialect, Heading
from simlib.files.interface import Source
from simlib.files.messages import plain_errors, unreadable
from simlib.files.numerals import MISSING, Mark
from simlib.files.watched import Watched


class TextTable(NamedTuple):
    """A table of text that is to be read, and what its first lines told about it.

    Attributes
    ----------
    source : the file
    encoding : its encoding
    dialect : how its fields are written
    heading : what its top tells
    lists : how lists of numbers stand in its lines
    width : about how many numbers a row holds
    geo : whether lines that begin with `!` are no rows
    marks : for each column whose numbers carry a mark, such as a percent sign, that mark
    """

    source: Source
    encoding: str
    dialect: Dialect
    heading: Heading
    lists: brackets.Style
    width: int
    geo: bool
    marks: dict[int, Mark]


def cells(values: pd.Series) -> list[Any]:
    """The values of a column, None where one is missing."""
    return values.astype(object).where(values.notna(), None).tolist()


def columns_of_text(piece: pd.DataFrame) -> list[int]:
    """The columns of a piece that are not of numbers. Each type is looked at once, for there may be many columns."""
    kinds = piece.dtypes
    texts = {kind for kind in set(kinds) if not pd.api.types.is_numeric_dtype(kind)}
    return [i for i, kind in zip(piece.columns, kinds, strict=True) if kind in texts]


def parsed(table: TextTable, file: io.TextIOWrapper, texts: Sequence[int]) -> Iterator[pd.DataFrame]:
    """The rows of the table, a piece at a time; the columns `texts` as texts."""
    heading = table.heading
    with plain_errors(table.source.name):
        try:
            for _ in range(heading.skipped):
                next(file)
            lines = Watched(file if table.lists == "quoted" else brackets.Quoted(file, table.lists))
            for piece in pd.read_csv(lines, **_options(table, texts)):
                yield _without_remarks(piece, 0 not in texts) if table.geo else piece
        except pd.errors.EmptyDataError:
            raise ValueError(f"{table.source.name} has a heading but no rows") from None
        except pd.errors.ParserError as error:
            lines.raise_cause(table.source.name, error)
            raise ValueError(_why_not_parsed(table, error)) from None


def _without_remarks(piece: pd.DataFrame, numbers: bool) -> pd.DataFrame:
    """A piece without the lines that begin with `!`; its first column as numbers if it holds them and may hold them."""
    piece = piece[~piece[0].astype(str).str.startswith("!")].copy()
    found = pd.to_numeric(piece[0], errors="coerce")
    if numbers and found.notna().all():
        piece[0] = found
    return piece


def _options(table: TextTable, texts: Sequence[int]) -> dict[str, Any]:
    """How pandas is to parse the table."""
    form = table.dialect
    options: dict[str, Any] = {
        "sep": r"\s+" if form.separator == " " else form.separator,
        "decimal": form.decimal,
        "quoting": form.quoting,
        "skipinitialspace": True,
        "header": None,
        "names": range(len(table.heading.names)),
        "keep_default_na": False,
        "na_values": {i: MISSING for i in table.heading.numeric if i not in texts},
        "chunksize": pieces.rows_a_piece(table.width),
        "low_memory": False,
    }
    if texts:
        options["dtype"] = dict.fromkeys(texts, str)  # 007 stays 007, and a label may be NA
    return options


def _why_not_parsed(table: TextTable, error: Exception) -> str:
    """What pandas found wrong, with the line of the file where it is known."""
    found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
    if not found:
        return unreadable(table.source.name, error)
    expected, line, saw = found.groups()
    return f"{table.source.name}: line {int(line) + table.heading.skipped} has {saw} fields, expected {expected}"
