"""How numbers are written in text, and the marks beside them: percent signs, currencies, units in brackets.

A column whose numbers all carry the same mark is read without it. A mark is no part of the number: 5 % is read as 5.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

import numpy as np
import pandas as pd

MISSING = ("", "\\N", "NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null", "None")  # in columns of numbers
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|NaN|Inf)")

VALUES_JUDGED = 1000

_CURRENCY = r"[$€£¥₹₩₽₺฿₪₫₴]|[A-Z]{1,2}\$|USD|EUR|GBP|CHF|JPY|CNY|INR"
_DIGITS = r"(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?"
_MARKED = re.compile(
    rf"(?P<sign>[+-]?)(?P<before>{_CURRENCY})?[ \u00a0]?(?P<number>[+-]?{_DIGITS})[ \u00a0]?"
    rf"(?P<after>[%‰]|{_CURRENCY}|\[[^\]\d][^\]]*\]|\([^)\d][^)]*\))?"
)
_ANY_MARK = re.compile(rf"(?:{_CURRENCY})|[%‰\u00a0]|\[[^\]\d][^\]]*\]|\([^)\d][^)]*\)")
_BEGINS_AS_NUMBER = re.compile(r"[^\w\s]{0,2} ?\d.{0,30}", re.DOTALL)


class Mark(NamedTuple):
    """What stands before and after each number of a column."""

    before: str
    after: str

    def __str__(self) -> str:
        return " and ".join(repr(text) for text in self if text)


def mark_of(texts: Iterable[str]) -> Mark | None:
    """The mark that all the texts carry that are not missing, or None."""
    found = None
    for text in _judged(texts):
        match = _MARKED.fullmatch(text)
        mark = Mark(match["before"] or "", match["after"] or "") if match else Mark("", "")
        if not any(mark) or (found and mark != found):
            return None
        found = mark
    return found


def begin_as_numbers(texts: Iterable[str]) -> bool:
    """Whether most of the texts begin as numbers do, and something else follows: a unit, a range, an error."""
    judged = list(_judged(texts))
    return sum(bool(_BEGINS_AS_NUMBER.fullmatch(text)) for text in judged) > len(judged) / 2


def _judged(texts: Iterable[str]) -> Iterable[str]:
    """The first texts that are not missing, without blanks around them."""
    stripped = (text.strip() for text in islice(texts, VALUES_JUDGED))
    return (text for text in stripped if text not in MISSING)


def without_mark(mark: Mark, column: pd.Series) -> tuple[pd.Series, np.ndarray]:
    """The numbers of a column (n,) as text without this mark, None where there is none; and where it is not carried."""
    texts = column.astype(object).where(column.notna(), "").astype(str).str.strip()
    found = texts.str.extract(_MARKED).fillna("")
    missing = texts.isin(MISSING)
    carried = (found["before"] == mark.before) & (found["after"] == mark.after)
    numbers = (found["sign"] + found["number"]).astype(object).where(carried, None)
    return numbers, (~carried & ~missing).to_numpy(bool)


def has_mark(text: str) -> bool:
    """Whether a mark stands in the text."""
    return bool(_ANY_MARK.search(text))


def without_any_mark(text: str) -> str:
    """The text without all marks that stand in it, to see whether a number is left."""
    return _ANY_MARK.sub("", text).strip()
