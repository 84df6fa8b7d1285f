"""What kind of thing a parameter is: a flag, a number, a path, names. A check says what was expected and what came."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

LONGEST_NAME, LONGEST_PATH = 255, 4095  # bytes of a file's name, characters of a path
LONGEST_SHOWN = 60  # characters of a value in a message
_TOLD_BY_VALUE = (str, bytes, int, float, complex, np.generic, type(None))  # all others are told by their type


def shown(value: Any) -> str:
    """A value as a message shows it: on one line, not long, and by its type where the value would say nothing.

    Examples
    --------
    >>> shown("alternate"), shown(2.5), shown({1: 2}), shown(10**100)
    ("'alternate'", '2.5', 'a dict', 'a number of 101 digits')
    """
    if isinstance(value, int) and abs(value) >= 10**30:
        return f"a number of {int(math.log10(abs(value))) + 1} digits"
    if isinstance(value, _TOLD_BY_VALUE):
        text = " ".join(repr(value[:LONGEST_SHOWN] if isinstance(value, str | bytes) else value).split())
        return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"


def flag(value: Any, name: str) -> bool:
    """Return `value` if it is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {shown(value)}")
    return bool(value)


def function(value: Any, name: str, needed: bool = False) -> None:
    """Raise unless `value` is a function; None is one, too, where no function is needed."""
    if not callable(value) and (needed or value is not None):
        raise TypeError(f"{name} must be a function{'' if needed else ' or None'}, got {shown(value)}")


def number(value: Any, name: str, low: float | None = None) -> float:
    """Return `value` as a float, of at least `low` if given; bools, texts, NaN and infinity are refused."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name} must be a number, got {shown(value)}")
    try:
        found = float(value)
    except OverflowError:  # a whole number beyond all floats
        found = math.inf
    if not math.isfinite(found) or (low is not None and found < low):
        least = "" if low is None else f" of at least {low:g}"
        raise ValueError(f"{name} must be a finite number{least}, got {shown(value)}")
    return found


def path(value: Any, name: str) -> Path:
    """Return `value` as a path."""
    if not isinstance(value, str | os.PathLike) or isinstance(os.fspath(value), bytes):
        raise TypeError(f"{name} must be a str or a Path, got {shown(value)}")
    text = os.fspath(value)
    too_long = len(text) > LONGEST_PATH or any(len(os.fsencode(part)) > LONGEST_NAME for part in Path(text).parts)
    if not text or "\0" in text or too_long:
        raise ValueError(f"{name} must name a file, got {shown(text)}")
    return Path(value)


def text(value: Any, name: str, needed: bool = False) -> None:
    """Raise unless `value` is a text; None is one, too, where no text is needed."""
    if not isinstance(value, str) and (needed or value is not None):
        raise TypeError(f"{name} must be a text{'' if needed else ' or None'}, got {shown(value)}")


def texts(value: Any, name: str) -> list[str] | None:
    """Return a list of texts, such as names of columns, as a list, and None as None."""
    if value is None:
        return None
    if not isinstance(value, list | tuple) and not hasattr(value, "dtype"):
        raise TypeError(f"{name} must be a list of names, got {shown(value)}")
    names = value if isinstance(value, list | tuple) else np.asarray(value).ravel().tolist()
    for each in names:
        if not isinstance(each, str):
            raise TypeError(f"{name} must be a list of names, but {shown(each)} is among them")
    if not names:
        raise ValueError(f"{name} must list at least one name, got none")
    return list(names)


def names(value: Any, name: str, n: int) -> Sequence[Any]:
    """Return the names of n items, in order, as a list; raise if there are more or fewer, or if they have no order."""
    if isinstance(value, str | bytes) or not (hasattr(value, "__len__") and hasattr(value, "__getitem__")):
        raise TypeError(f"{name} must be a list of {n} names, got {shown(value)}")
    if hasattr(value, "keys") and not hasattr(value, "to_numpy"):  # a dict, not a Series
        raise TypeError(f"{name} must be a list of {n} names, got {shown(value)}: list(...) of its values?")
    if getattr(value, "ndim", 1) != 1:
        raise TypeError(f"{name} must be a list of {n} names, got an array of {value.ndim} dimensions")
    if len(value) != n:
        raise ValueError(f"{name} must hold one name a row, {n}, got {len(value)}")
    return list(value)


def instance(value: Any, name: str, kind: type, maker: str) -> None:
    """Raise unless `value` is of this kind; `maker` is what makes such a thing."""
    if not isinstance(value, kind):
        a = "an" if kind.__name__[0] in "AEIOU" else "a"
        raise TypeError(f"{name} must be {a} {kind.__name__}, as {maker} makes it, got {shown(value)}")


def mapping(value: Any, name: str, kind: type, maker: str) -> None:
    """Raise unless `value` is a dictionary with at least one entry, all of this kind."""
    if not hasattr(value, "items"):
        raise TypeError(f"{name} must be a dictionary, got {shown(value)}")
    if not len(value):
        raise ValueError(f"{name} must have at least one entry, got none")
    for key, each in value.items():
        instance(each, f"{name}[{shown(key)}]", kind, maker)
