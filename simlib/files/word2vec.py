"""The texts of word2vec and GloVe: a line is a word, then its numbers, with one blank between them.

word2vec's text begins with a line that announces the number of words and the number of features; GloVe's does not. A
word may itself hold blanks, so a line is split from its end.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice
from statistics import mode
from typing import NamedTuple

import numpy as np
import pandas as pd

from simlib.files import digits, pieces
from simlib.files.dialect import NUMBER
from simlib.files.interface import Read, Source
from simlib.files.lines import Beginning, advance, bar_over_bytes, opened
from simlib.files.messages import plain_errors

WORD_LINES_JUDGED = 20


class Shape(NamedTuple):
    """How many words the first line announces, as it is written there, or None; and the number of features."""

    announced: str | None
    width: int


def shape_of(lines: list[str]) -> Shape | None:
    """The shape that the first lines tell if they are word2vec's or GloVe's text, else None.

    Most of the lines must be good, the first one too. A bad line further down is left to the reader, who names it.
    """
    found = re.fullmatch(r"(\d{1,18}) (\d{1,18})", lines[0].rstrip())
    body = [line.rstrip() for line in lines[1 if found else 0 :][:WORD_LINES_JUDGED] if line.strip()]
    if not body:
        return None
    width = int(found[2]) if found else mode(line.count(" ") for line in body)
    if width < (1 if found else 2):
        return None
    parts = [line.rsplit(" ", width) for line in body]
    good = [len(part) > width and bool(part[0]) and all(map(NUMBER.fullmatch, part[1:])) for part in parts]
    if not good[0] or sum(good) <= len(good) / 2:
        return None
    if (not found or width == 1) and _is_table([part[0] for part in parts]):
        return None
    return Shape(found[1] if found else None, width)


def _is_table(words: list[str]) -> bool:
    """Whether the lines are rows of a table: a word ends in another separator and a number, or all are numbers."""
    mixed = any(re.search(r"[,;\t|] *[+-]?[\d.]+$", word) for word in words)
    return mixed or all(map(NUMBER.fullmatch, words))


def read(source: Source, beginning: Beginning, shape: Shape) -> Read:
    """The vectors (words, features) and the words."""
    source.card.format = "GloVe text" if shape.announced is None else "word2vec text"
    return Read(*digits.collected(source, lambda: _pieces(source, beginning, shape), []))


def _pieces(source: Source, beginning: Beginning, shape: Shape) -> Iterator[digits.Piece]:
    """The numbers, float64 (words, features), and the words, a piece at a time."""
    words = 0
    with plain_errors(source.name), opened(source, beginning.encoding) as file, bar_over_bytes(source) as bar:
        if shape.announced is not None:
            next(file)
        while lines := list(islice(file, pieces.rows_a_piece(shape.width))):
            parts = [line.rstrip().rsplit(" ", shape.width) for line in lines if line.strip()]
            if parts:
                yield _numbers(source, parts, shape.width, words), [part[0] for part in parts]
                words += len(parts)
                advance(bar, file)
    if shape.announced is not None and words != int(shape.announced):
        raise ValueError(f"{source.name} announces {shape.announced} vectors and holds {words}: it is cut off")


def _numbers(source: Source, parts: list[list[str]], width: int, before: int) -> np.ndarray:
    """The numbers of some lines, float64 (lines, width); `before` is how many words stand above them in the file."""
    for number, part in enumerate(parts, before + 1):
        if len(part) != width + 1:
            raise ValueError(
                f"{source.name}: vector {number} has {len(part) - 1} numbers, expected {width}: "
                "cut off, or the wrong file?"
            )
    text = io.StringIO("\n".join(" ".join(part[1:]) for part in parts))
    try:
        table = pd.read_csv(text, sep=" ", header=None, dtype=np.float64, quoting=csv.QUOTE_NONE)
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"{source.name}: among vectors {before + 1} to {before + len(parts)} something is no number ({reason})"
        ) from None
    return table.to_numpy()
