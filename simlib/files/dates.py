"""Whether a column holds dates or times, as a person writes them. A table that has them in front is a time series."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

import numpy as np

VALUES_JUDGED = 1000
FEWEST_DATES = 3

_YEAR = r"(1[5-9]|2[01])\d\d"
_MONTH = r"(0?[1-9]|1[0-2])"
_DAY = r"(0?[1-9]|[12]\d|3[01])"
_CLOCK = r"([01]?\d|2[0-4]):[0-5]\d(:[0-5]\d([.,]\d+)?)?( ?[ap]\.?m\.?)?"
_ZONE = r" ?(Z|UTC|GMT|[+-]\d\d:?\d\d)"
# Names of months in English, German, French, Spanish and Italian, in full and cut short.
_NAMED = (
    "(jan(uary?|uar|vier)?|feb(ruary|ruar|braio|rero)?|fév(r|rier)?|mar(ch|s|zo)?|märz?|mär|apr(il|ile)?|avr(il)?|abr(il)?"
    "|may|mai|mayo|mag(gio)?|june?|juni|juin|giu(gno)?|july?|juli|juil(let)?|lug(lio)?|aug(ust)?|août|ago(sto)?"
    "|sept?(ember|embre|iembre)?|set(tembre)?|o[ck]t(ober|obre|ubre)?|ott(obre)?|nov(ember|embre|iembre)?"
    "|de[cz](ember|embre)?|déc(embre)?|dic(embre|iembre)?|ene(ro)?|gen(naio)?)\\.?"
)
_DATES = (
    rf"{_YEAR}[-/.]?{_MONTH}([-/.]?{_DAY})?",
    rf"{_DAY}[-/.] ?{_MONTH}[-/.] ?(\d\d|{_YEAR})",
    rf"{_MONTH}[-/.]{_DAY}[-/.](\d\d|{_YEAR})",
    rf"{_MONTH}[-/.]{_YEAR}",
    rf"({_DAY}\.?[-/ ])?{_NAMED}[-/ ',]*(\d\d|{_YEAR})",
    rf"{_NAMED} {_DAY},? {_YEAR}",
    rf"{_YEAR}[-/ ]{_NAMED}([-/ ]{_DAY})?",
    rf"{_YEAR}[-: ]?(q[1-4]|[hs][12]|m{_MONTH}|w\d\d?)",
    rf"(q[1-4]|[1-4]q)[-/ ']?(\d\d|{_YEAR})",
)
_DATE_OR_TIME = re.compile(rf"({'|'.join(_DATES)})([ T]+{_CLOCK})?({_ZONE})?|{_CLOCK}({_ZONE})?", re.IGNORECASE)


def is_date(text: str) -> bool:
    """Whether a text is a date or a time."""
    return bool(_DATE_OR_TIME.fullmatch(text.strip()))


def are_dates(texts: Iterable[str]) -> bool:
    """Whether texts are dates or times, and nearly all of them distinct, as in a time series."""
    judged = [text.strip() for text in islice(texts, VALUES_JUDGED)]
    found = [text for text in judged if is_date(text)]
    return len(found) >= max(FEWEST_DATES, 0.95 * len(judged)) and len(set(found)) > 0.9 * len(found)


def are_days(values: np.ndarray) -> bool:
    """Whether whole numbers (n,) are days written as 20240131."""
    if values.min() < 1500_01_01 or values.max() > 2199_12_31:
        return False
    return are_dates(str(int(value)) for value in values[:VALUES_JUDGED])
