"""What the readers of files share: pieces of rows, columns by name, files that are broken."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

CHUNK = 20_000  # rows parsed at a time, fewer ...
CELLS = 1 << 22  # ... if they hold more numbers than this
# names of columns that number the rows
COUNTERS = {"", "id", "index", "row", "nr", "no", "unnamed: 0", "__index_level_0__"}
WHOLE = 2**24  # whole numbers up to here are exact in float32


def unreadable(path: Path, error: Exception) -> str:
    """Why a file cannot be read, in one line."""
    if re.search("allow_pickle|Object arrays|Python objects", str(error)):
        return f"{path.name} holds Python objects, which could run code when loaded: save numbers, or texts as str"
    if "encrypted" in str(error):
        return f"{path.name} is locked with a password: unpack it and save it without one"
    reason = str(error).splitlines()[0][:200] if str(error) else "it ends too early"
    return f"{path.name} cannot be read, it is cut off or not what its name says ({reason}): get it again"


def float_type(array: np.ndarray) -> type:
    """float32 and float64 as they are, half precision and small whole numbers to float32, large ones to float64."""
    if array.dtype.kind == "f":
        return np.float32 if array.dtype.itemsize <= 4 else np.float64
    return np.float32 if max(abs(int(array.min())), abs(int(array.max()))) <= WHOLE else np.float64


def joined(pieces: list[np.ndarray]) -> np.ndarray:
    """The pieces below one another; each is let go once it is copied, so that memory is not needed twice."""
    whole = np.empty((sum(map(len, pieces)), pieces[0].shape[1]), np.result_type(*pieces))
    at = 0
    while pieces:
        piece = pieces.pop(0)
        whole[at : at + len(piece)] = piece
        at += len(piece)
    return whole


def numbers_rows(name: str, values: np.ndarray) -> bool:
    """Whether a column numbers the rows: by its name, and its distinct whole numbers."""
    if name.lower() not in COUNTERS and not name.lower().endswith("_id"):
        return False
    return bool(np.all(values == np.floor(values))) and len(np.unique(values)) == len(values)


def without_counters(counting: list, numbers: list, names: Any, card: dict) -> list:
    """The columns of numbers without those that number the rows."""
    for i in counting:
        card["notes"].append(f"Column {names[i]!r} numbers the rows and is not part of the vectors.")
    return [i for i in numbers if i not in counting]


def refuse_repeated(path: Path, names: list[str]) -> None:
    """Raise if two columns have the same name."""
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    if twice:
        raise ValueError(f"{path.name} has two columns named {twice[0]!r}: rename one")


def label_column(path: Path, label: str | None, names: list[str], texts: list[str]) -> str | None:
    """The name of the column of labels, None if there is none."""
    if label is None:
        return texts[0] if texts else None
    if label not in names:
        raise ValueError(f"{path.name} has no column {label!r}; its columns are {listed(names)}")
    return label


def vector_columns(path: Path, columns: Any, names: list[str], numbers: list[str], label: str | None) -> list[str]:
    """The names of the columns of the vectors."""
    if columns is not None:
        unknown = [name for name in columns if name not in names]
        if isinstance(columns, str) or unknown or not len(columns):
            what = f"{path.name}: columns must list names among {listed(names)}"
            raise ValueError(f"{what}, got {columns!r}")
        return list(columns)
    numbers = [name for name in numbers if name != label]
    if not numbers:
        raise ValueError(f"{path.name} has no column of numbers; its columns are {listed(names)}")
    return numbers


def tell_unused(rest: list[str], card: dict) -> None:
    """Say on the card which columns are neither vectors nor labels."""
    if rest:
        card["dropped"].append(f"Columns that are neither vectors nor labels: {listed(rest)}.")


def listed(names: list[str]) -> str:
    """The first names."""
    return ", ".join(repr(name[:40]) for name in names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
