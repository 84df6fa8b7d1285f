"""Rows with a missing or infinite number are left out, and named. A table in which most rows would go is refused.

No number is ever made up. The refusal says what else can be done, and how much each way keeps.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simlib.files import pieces
from simlib.files.dialect import Dialect, Heading
from simlib.files.interface import Source

NEARLY_WHOLE = 0.2  # a column with no larger share of gaps is nearly whole
ITEMS_NAMED = 20


def leave_out(source: Source, vectors: np.ndarray, labels: Any, without_gaps: str | None) -> tuple[np.ndarray, Any]:
    """The rows without NaN or infinity and their labels; the card says which others there were, and which are kept.

    `vectors` (n, d) is written: its rows move up. `without_gaps` is a line of Python as in `Read`.
    """
    n, d = vectors.shape
    bad_in_row = np.empty(n, np.int64)
    gaps_in_column = np.zeros(d, np.int64)
    kept = 0
    for start in range(0, n, pieces.ROWS_A_PIECE):
        stop = start + pieces.ROWS_A_PIECE
        piece = vectors[start:stop]
        finite = np.isfinite(piece)
        bad_in_row[start:stop] = d - finite.sum(axis=1)
        if not finite.all():
            gaps_in_column += np.isnan(piece).sum(axis=0)
        whole = bad_in_row[start:stop] == 0
        if kept < start or not whole.all():
            piece = piece[whole]
            vectors[kept : kept + len(piece)] = piece
        kept += len(piece)
    if kept == n:
        return vectors, labels
    if gaps_in_column.any():
        _refuse_if_most_rows_go(source, n - kept, n, gaps_in_column, without_gaps)
    return vectors[:kept], noted(source, bad_in_row, labels)


def noted(source: Source, bad_in_row: np.ndarray, labels: Any) -> Any:
    """Say on the card which rows go because of bad numbers, `bad_in_row` (n,), and give the labels of the others."""
    if not bad_in_row.any():
        return labels
    source.card.dropped.append(_sentence(bad_in_row, labels, "items" if source.transpose else "rows"))
    source.card.kept = np.flatnonzero(bad_in_row == 0)
    source.card.shares["items"] = len(bad_in_row) - len(source.card.kept), len(bad_in_row)
    return None if labels is None else np.asarray(labels, object)[source.card.kept]


def _sentence(bad_in_row: np.ndarray, labels: Any, word: str) -> str:
    """Which rows are left out, and how many numbers each of them lacks if it has a name; bad_in_row (n,)."""
    bad = np.flatnonzero(bad_in_row)
    more = ", ..." if len(bad) > ITEMS_NAMED else ""
    rows = ", ".join(map(str, bad[:ITEMS_NAMED]))
    sentence = f"{len(bad)} {word} with a missing or infinite number (counted from 0: {rows}{more})."
    if labels is None:
        return sentence
    named = ", ".join(f"{str(labels[i])[:30]!r} {bad_in_row[i]}" for i in bad[:ITEMS_NAMED])
    return f"{sentence} How many each has: {named}{more}."


def _refuse_if_most_rows_go(
    source: Source, gone: int, n: int, gaps_in_column: np.ndarray, without_gaps: str | None
) -> None:
    """Raise if more than half of the n rows would be left out, though the columns are whole or nearly so."""
    d = len(gaps_in_column)
    whole = int((gaps_in_column == 0).sum())
    if gone <= n / 2 or (whole < d / 2 and np.median(gaps_in_column) > NEARLY_WHOLE * n):
        return
    row, column = ("items", "numbers") if source.transpose else ("rows", "columns")
    across = 0 if source.transpose else 1  # the axis of the table along which `column` is left out
    ways = ["if the columns are the items, pass transpose=True"] if whole and not source.transpose else []
    if whole >= d / 2:
        found = f"though {whole} of {d} {column} have none"
        ways.append(
            f"{'if the rows are, ' if ways else ''}keep the {column} without gaps: {_line(without_gaps, across)}"
        )
    else:
        found = f"and so have {d - whole} of {d} {column}"
        ways.append("fill the gaps yourself")
        if gone < n:
            ways.append(f"or keep the {n - gone} {row} without gaps: {_line(without_gaps, 1 - across)}")
    raise ValueError(f"{source.name}: {gone} of {n} {row} have missing numbers, {found}: {'; '.join(ways)}")


def _line(without_gaps: str | None, axis: int) -> str:
    """The line of Python that writes the table anew, in general terms where the reader knows none."""
    return (without_gaps or "frame.dropna(axis={axis}) in pandas").replace("{axis}", str(axis))


def line_of_pandas(source: Source, encoding: str, form: Dialect, heading: Heading, label: int | None) -> str:
    """The line of pandas that writes a table of text anew without the rows or columns that have gaps."""
    wishes = [repr(source.name)]
    if form.separator != ",":
        wishes.append("sep=r'\\s+'" if form.separator == " " else f"sep={form.separator!r}")
    if form.decimal != ".":
        wishes.append(f"decimal={form.decimal!r}")
    if encoding == "utf-16":
        wishes.append(f"encoding={encoding!r}")
    if not heading.given:
        wishes.append("header=None")
    if before := heading.skipped - heading.given:
        wishes.append(f"skiprows={before}")
    if label == 0:
        wishes.append("index_col=0")
    kept = "" if heading.given else ", header=False"
    kept += "" if label == 0 else ", index=False"
    return f"pandas.read_csv({', '.join(wishes)}).dropna(axis={{axis}}).to_csv('whole.csv'{kept})"
