"""The vectors or the matrix of a text file: a table, or the text of word2vec or GloVe.

pandas parses a table a piece at a time. Its columns are counted from 0, and so are its rows in messages.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from simlib.files import columns, counters, dates, gaps, heads, matrix_text, numerals, pairs, pieces, word2vec
from simlib.files.columns import Column
from simlib.files.dialect import SEPARATORS, Dialect, Heading, dialect_of, heading_of, is_number
from simlib.files.interface import Read, Source
from simlib.files.lines import Beginning, advance, bar_over_bytes, beginning_of, opened
from simlib.files.messages import listed, plain_errors, unreadable
from simlib.files.numerals import MISSING, Mark

# Numbers with marks between thousands, and Fortran's numbers with D for powers of ten.
_UNUSUAL_NUMBER = re.compile(r"[+-]?\d{1,3}([.,' ]\d{3})+([.,]\d+)?|[+-]?\d+[.,]?\d*[dD][+-]?\d+")


class TextTable(NamedTuple):
    """A table of text that is to be read, and what its first lines told about it.

    Attributes
    ----------
    geo : whether lines that begin with `!` are no rows
    marks : for each column whose numbers carry a mark, such as a percent sign, that mark
    """

    source: Source
    encoding: str
    dialect: Dialect
    heading: Heading
    geo: bool
    marks: dict[int, Mark]


def read(source: Source) -> Read:
    """Numbers, labels and names of the columns: float64 for a matrix, else float32."""
    beginning = beginning_of(source)
    if found := matrix_text.read(source, beginning):
        return found
    shape = word2vec.shape_of(beginning.lines)
    if shape and source.label is None and source.columns is None:
        return word2vec.read(source, beginning, shape)
    return _read_table(source, beginning)


def _read_table(source: Source, beginning: Beginning) -> Read:
    """Read a table: judge its form by its first lines, its columns by its first rows, then take all its rows."""
    head = heads.head_of(source, beginning)
    form = dialect_of(source, head.lines)
    heading = heading_of(source, form, head.lines)
    heading = heading._replace(skipped=heading.skipped + head.skipped)
    wanted = {source.label, *(source.columns or ())}
    columns.refuse_repeated(source, [name for name in heading.names if name in wanted])
    table, first = _first_rows(TextTable(source, beginning.encoding, form, heading, head.geo, {}))
    values_of_columns = [first[i].to_numpy() for i in first]
    if source.matrix and (start := pairs.start(source, heading.names, values_of_columns)) is not None:
        return pairs.joined(source, _pieces_of_pairs(table, start))
    pairs.refuse_for_vectors(source, values_of_columns)
    roles = columns.roles(source, _described(table, first))
    _note_marks(table, first, roles)
    values, labels = _read_rows(table, roles)
    head.check(source, len(values))
    separators = SEPARATORS[form.separator]
    source.card.notes.append(f"Fields are separated by {separators}, the decimal sign is '{form.decimal}'.")
    names = [heading.names[i] for i in roles.vectors] if heading.given else None
    return Read(values, labels, names, gaps.line_of_pandas(source, table.encoding, form, heading, roles.label))


def _first_rows(table: TextTable) -> tuple[TextTable, pd.DataFrame]:
    """The table with the marks that its columns carry, and its first piece of rows, marked columns as numbers."""
    with opened(table.source, table.encoding) as file:
        first = next(_parsed(table, file, 0 if table.source.matrix else None))
    for i, name in enumerate(table.heading.names):
        if name == table.source.label or pd.api.types.is_numeric_dtype(first[i]):
            continue
        if pd.api.types.infer_dtype(first[i]) == "integer":  # beyond 64 bits
            first[i] = _numbers(table, i, first[i], 0)
            continue
        if mark := numerals.mark_of(first[i].dropna().head(numerals.VALUES_JUDGED).astype(str)):
            table.marks[i] = mark
            first[i] = _numbers(table, i, first[i], 0)
    return table, first


def _described(table: TextTable, first: pd.DataFrame) -> list[Column]:
    """What the first rows tell about the columns."""
    source = table.source
    names = table.heading.names
    if source.matrix:
        first = _with_numbers_in_front(table, first)
    elif source.columns is None:
        _refuse_stray_texts(table, first)
    found = [_column(table, name, first[i]) for i, name in enumerate(names)]
    return counters.judged(source, found, lambda i: first[i].to_numpy())


def _column(table: TextTable, name: str, values: pd.Series) -> Column:
    """What the first rows tell about a column."""
    if not pd.api.types.is_numeric_dtype(values):
        return Column(name, "text")
    if pd.api.types.is_bool_dtype(values) or not (values.notna().any() or table.source.matrix):
        return Column(name, "other")
    return Column(name, "number")


def _note_marks(table: TextTable, first: pd.DataFrame, roles: columns.Roles) -> None:
    """Say on the card which columns are read without a mark, and which are left out because their numbers are text."""
    names = table.heading.names
    for mark in dict.fromkeys(table.marks.values()):
        carry = [names[i] for i, own in table.marks.items() if own == mark and i in roles.vectors]
        if carry:
            table.source.card.notes.append(f"The numbers of {listed(carry)} are read without {mark}.")
    odd = {}
    for i, name in enumerate(names):
        if i != roles.label and i not in roles.vectors and not pd.api.types.is_numeric_dtype(first[i]):
            texts = first[i].dropna().head(numerals.VALUES_JUDGED).astype(str)
            if numerals.begin_as_numbers(text for text in texts if not dates.is_date(text)):
                odd[name] = texts.iloc[0][:40]
    if odd:
        table.source.card.notes.append(
            f"Text, not numbers, stands in {listed(list(odd))}: {next(iter(odd.values()))!r}."
        )


def _with_numbers_in_front(table: TextTable, first: pd.DataFrame) -> pd.DataFrame:
    """The first rows of a matrix, whose first column came as text: as numbers, unless it holds the names."""
    above = table.heading.names[1 : len(first) + 1]
    named = table.heading.given and above == [str(text).strip() for text in first[0][: len(above)]]
    texts = first[0].dropna().astype(str)
    if not named and all(is_number(text, table.dialect) for text in texts):
        first[0] = _numbers(table, 0, first[0], 0)
    for i in first:
        texts = [] if i == 0 or pd.api.types.is_numeric_dtype(first[i]) else first[i].dropna().astype(str)
        if any(is_number(text, table.dialect) for text in texts):
            _numbers(table, i, first[i], 0, first[0])  # raises: what stands among the numbers is named
    return first


def _pieces_of_pairs(table: TextTable, start: int) -> Iterator[pairs.Piece]:
    """The lines of a list of pairs: two columns of names and one of numbers, the first of which is `start`."""
    one, other, value = range(start, start + 3)
    row = 0
    with opened(table.source, table.encoding) as file, bar_over_bytes(table.source) as bar:
        for piece in _parsed(table, file, one, other):
            values = _numbers(table, value, piece[value], row, piece[one])
            yield pairs.Piece(piece[one].to_numpy(), piece[other].to_numpy(), values)
            row += len(piece)
            advance(bar, file)


def _read_rows(table: TextTable, roles: columns.Roles) -> tuple[np.ndarray, list[str] | None]:
    """The numbers (n, vectors) and the n labels of all rows, None if no column holds labels."""
    values: list[np.ndarray] = []
    labels: list[str] = []
    row = 0
    with opened(table.source, table.encoding) as file, bar_over_bytes(table.source) as bar:
        for piece in _parsed(table, file, roles.label):
            _refuse_swallowed_rows(table, piece, row)
            called = None if roles.label is None else piece[roles.label]
            numbers = np.column_stack([_numbers(table, i, piece[i], row, called) for i in roles.vectors])
            values.append(numbers if table.source.matrix else _narrowed(table.source, numbers, row))
            labels += piece[roles.label].tolist() if roles.label is not None else []
            row += len(piece)
            advance(bar, file)
    return pieces.joined(values), labels if roles.label is not None else None


def _parsed(table: TextTable, file: io.TextIOWrapper, *texts: int | None) -> Iterator[pd.DataFrame]:
    """The rows of the table, a piece at a time, the columns `texts` as text, those of labels."""
    heading = table.heading
    with plain_errors(table.source.name):
        try:
            for _ in range(heading.skipped):
                next(file)
            for piece in pd.read_csv(file, **_options(table, texts)):
                yield _without_remarks(piece, 0 not in texts) if table.geo else piece
        except pd.errors.EmptyDataError:
            raise ValueError(f"{table.source.name} has a heading but no rows") from None
        except pd.errors.ParserError as error:
            raise ValueError(_why_not_parsed(table, error)) from None


def _without_remarks(piece: pd.DataFrame, numbers: bool) -> pd.DataFrame:
    """A piece without the lines that begin with `!`; its first column as numbers if it holds them and may hold them."""
    piece = piece[~piece[0].astype(str).str.startswith("!")].copy()
    found = pd.to_numeric(piece[0], errors="coerce")
    if numbers and found.notna().all():
        piece[0] = found
    return piece


def _options(table: TextTable, texts: tuple[int | None, ...]) -> dict[str, Any]:
    """How pandas is to parse the table."""
    width = len(table.heading.names)
    form = table.dialect
    options: dict[str, Any] = {
        "sep": r"\s+" if form.separator == " " else form.separator,
        "decimal": form.decimal,
        "quoting": form.quoting,
        "skipinitialspace": True,
        "header": None,
        "names": range(width),
        "keep_default_na": False,
        "na_values": {i: MISSING for i in table.heading.numeric if i not in texts},
        "chunksize": pieces.rows_a_piece(width),
        "low_memory": False,
    }
    options["dtype"] = {i: str for i in texts if i is not None}  # 007 stays 007, and a label may be NA
    return options


def _why_not_parsed(table: TextTable, error: Exception) -> str:
    """What pandas found wrong, with the line of the file where it is known."""
    found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
    if not found:
        return unreadable(table.source.name, error)
    expected, line, saw = found.groups()
    return f"{table.source.name}: line {int(line) + table.heading.skipped} has {saw} fields, expected {expected}"


def _numbers(table: TextTable, i: int, column: pd.Series, row: int, labels: pd.Series | None = None) -> np.ndarray:
    """Column i of a piece that begins at `row`, as float64; raises where a text stands among the numbers."""
    place = _Place(table, i, row, labels)
    if i in table.marks:
        column = _without_mark(place, column)
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    texts = column.astype(object).where(column.notna(), None)
    with_points = column.astype(str).str.replace(table.dialect.decimal, ".")
    numbers = pd.to_numeric(with_points, errors="coerce").to_numpy(np.float64)
    odd = np.flatnonzero(np.isnan(numbers) & np.array([text is not None for text in texts]))
    bad = [at for at in odd if str(texts.iloc[at]).strip().lower() not in ("", "nan")]
    if bad:
        way_out = "name the columns of the vectors with columns=, or mend the file"
        if table.source.matrix:
            way_out = "mend the file; a field without a number stays empty"
        raise ValueError(f"{place.holds(int(bad[0]), texts.iloc[bad[0]])}, not a number: {way_out}")
    return numbers


class _Place(NamedTuple):
    """Where a column of a piece stands in its table: the column, the first row of the piece, and its labels."""

    table: TextTable
    column: int
    row: int
    labels: pd.Series | None

    def holds(self, at: int, text: Any) -> str:
        """The beginning of a message: what stands in this column in row `at` of the piece."""
        heading = self.table.heading
        label = "" if self.labels is None else f"; its label is {str(self.labels.iloc[at])[:40]!r}"
        return (
            f"{self.table.source.name}: column {heading.names[self.column]!r} holds {str(text)[:40]!r} in row "
            f"{self.row + at} (counted from 0{label})"
        )


def _without_mark(place: _Place, column: pd.Series) -> pd.Series:
    """The numbers of a column without the mark that they carry; raises where one does not carry it."""
    mark = place.table.marks[place.column]
    numbers, odd = numerals.without_mark(mark, column)
    if odd.any():
        at = int(np.flatnonzero(odd)[0])
        raise ValueError(f"{place.holds(at, column.iloc[at])}, without the {mark} of its other numbers: mend the file")
    return numbers


def _narrowed(source: Source, numbers: np.ndarray, row: int) -> np.ndarray:
    """The numbers of a piece that begins at `row`, as float32; raises if one is beyond its range."""
    try:
        with np.errstate(over="raise"):
            return numbers.astype(np.float32)
    except FloatingPointError:
        beyond = (np.abs(numbers) > np.finfo(np.float32).max) & np.isfinite(numbers)
        at = row + int(np.flatnonzero(beyond.any(axis=1))[0])
        raise ValueError(f"{source.name}: row {at} (counted from 0) holds a number beyond 3.4e38: rescale it") from None


def _refuse_stray_texts(table: TextTable, first: pd.DataFrame) -> None:
    """Raise if a column of text, other than the one that the caller names as labels, was meant to be of numbers."""
    for i, name in enumerate(table.heading.names):
        if name != table.source.label and not pd.api.types.is_numeric_dtype(first[i]):
            _refuse_stray_text(table, i, first[i])


def _refuse_stray_text(table: TextTable, i: int, column: pd.Series) -> None:
    """Raise if most fields of column i, which is text, are numbers, as they should be or with marks in them."""
    name = table.heading.names[i]
    present = column.dropna().astype(str)[:1000]
    if sum(is_number(field, table.dialect) for field in present) > 0.5 * len(present):
        _numbers(table, i, column, 0)
    plain = [numerals.without_any_mark(field) for field in present]
    marked = [field for field, number in zip(present, plain, strict=True) if is_number(number, table.dialect)]
    if len(marked) > 0.5 * len(present) and any(map(numerals.has_mark, marked)):
        kinds = {re.sub(r"[\d.,\s]+", "", field): field for field in marked}
        raise ValueError(
            f"{table.source.name}: column {name!r} holds {listed(list(kinds.values()))}: its numbers must all carry "
            "the same mark, or none"
        )
    unusual = [field for field, number in zip(present, plain, strict=True) if _UNUSUAL_NUMBER.fullmatch(number)]
    if len(unusual) > 0.5 * len(present):
        raise ValueError(
            f"{table.source.name}: column {name!r} holds {unusual[0]!r}: numbers are read without marks between "
            "thousands and with E for powers of ten; export it so, or name the columns of the vectors with columns="
        )


def _refuse_swallowed_rows(table: TextTable, piece: pd.DataFrame, row: int) -> None:
    """Raise if a field runs over lines that look like rows: a quotation mark that is part of the text opened it."""
    for i in piece.columns:
        if pd.api.types.is_numeric_dtype(piece[i]):
            continue
        fields = piece[i].astype(str)
        for at in np.flatnonzero(fields.str.contains("\n", regex=False).fillna(False).to_numpy(bool)):
            inner = str(fields.iloc[at]).split("\n")[1:-1]
            if inner and all(line.count(table.dialect.separator) == piece.shape[1] - 1 for line in inner):
                raise ValueError(
                    f"{table.source.name}: a field of row {row + at} (counted from 0) runs over {len(inner) + 2} lines "
                    'that look like rows: is a quotation mark (") part of the text? Double it, or quote all fields'
                )
