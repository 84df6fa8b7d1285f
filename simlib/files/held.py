"""Which array of a file that holds several is the vectors or the matrix, and which holds their labels.

A reader describes the arrays by name as `Held`, and `choose` decides. An array in a group has a name with strokes:
`obsm/X_pca`. `columns=` and `label=` name an array by its whole name, or by what stands behind the last stroke.
"""

from __future__ import annotations

import math
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

import numpy as np

from simlib.files.interface import Source
from simlib.files.messages import listed

Kind = Literal["whole", "real", "sparse", "text", "other"]

# The names of arrays that are looked for, the first one first.
NAMES_OF_VECTORS = ("vectors", "X", "embeddings", "arr_0")
NAMES_OF_MATRICES = ("matrix", "S", "D", "similarity", "distance", "distances", "arr_0")
NAMES_OF_LABELS = ("labels", "label", "names", "words", "ids", "axis1")  # the last one is pandas'
ARRAYS_TOLD = 8  # arrays that a message names


class Held(NamedTuple):
    """An array in a file, before it is read.

    Attributes
    ----------
    shape : its shape
    kind : whole or other real numbers, few that are not 0, texts, or something else
    dtype : what messages call its type
    """

    shape: tuple[int, ...]
    kind: Kind
    dtype: str


class Choice(NamedTuple):
    """The name of the array that is the vectors or the matrix, and of the one that holds the labels, or None."""

    values: str
    labels: str | None


def kind_of(dtype: np.dtype) -> Kind:
    """What an array of NumPy of this type holds."""
    kinds: dict[str, Kind] = {"f": "real", "i": "whole", "u": "whole", "U": "text", "S": "text"}
    return kinds.get(dtype.kind, "other")


def choose(source: Source, arrays: dict[str, Held], labels: str | None = None) -> Choice:
    """The arrays that the caller names, else those that are found; `labels` is the array that the format names."""
    arrays = _without_dropped(source, arrays)
    values = _named_values(source, arrays) or _found_values(source, arrays)
    n = _items(arrays[values].shape)
    if source.label is not None:
        likely = {name: held for name, held in arrays.items() if held.shape == (n,) and held.kind != "other"}
        return Choice(values, _of_name(source, likely, source.label))
    return Choice(values, labels or _labels_beside(arrays, n))


def _without_dropped(source: Source, arrays: dict[str, Held]) -> dict[str, Held]:
    """The arrays but for those that the caller drops; one that he also names as labels stays."""
    for name in source.drop or []:
        if not any(fnmatchcase(each, name) for each in arrays):
            raise ValueError(f"{source.name}: drop must list names among {listed(list(arrays))}, got {source.drop!r}")
    gone = [each for each in arrays if any(fnmatchcase(each, name) for name in source.drop or [])]
    return {name: held for name, held in arrays.items() if name not in gone or name == source.label}


def note_rest(source: Source, arrays: dict[str, Held], choice: Choice) -> None:
    """Say on the card which arrays are not used."""
    rest = [name for name in arrays if name not in choice]
    if rest:
        what = NAMES_OF_MATRICES[0] if source.matrix else NAMES_OF_VECTORS[0]
        source.card.dropped.append(f"Arrays that are neither the {what} nor their labels: {listed(rest)}.")


def _named_values(source: Source, arrays: dict[str, Held]) -> str | None:
    """The table of numbers that the caller names with columns=, or None."""
    wanted = source.columns
    if wanted is None:
        return None
    if isinstance(wanted, str) or len(wanted) != 1:
        raise ValueError(f"{source.name}: columns must list the name of one array, as in columns=['X'], got {wanted!r}")
    return _of_name(source, _tables(arrays), wanted[0])


def _of_name(source: Source, arrays: dict[str, Held], wanted: str) -> str:
    """The name of the array that is meant by `wanted`."""
    ends = [name for name in arrays if name.rsplit("/", 1)[-1] == wanted]
    if wanted in arrays or len(ends) == 1:
        return wanted if wanted in arrays else ends[0]
    fitting = f"those that fit are {listed(list(arrays))}" if arrays else "none of its arrays fits"
    raise ValueError(f"{source.name} has no array {wanted!r} that fits; {fitting}")


def _found_values(source: Source, arrays: dict[str, Held]) -> str:
    """The table of numbers with a known name, else the only one there is."""
    names = NAMES_OF_MATRICES if source.matrix else NAMES_OF_VECTORS
    tables = _tables(arrays)
    if source.matrix and not tables:  # a list of distances, as scipy's pdist gives it
        tables = {name: held for name, held in arrays.items() if len(held.shape) == 1 and held.kind == "real"}
    for name in names:
        if name in tables:
            return name
    if len(tables) == 1:
        return next(iter(tables))
    first = [f"{name[:40]} {held.shape} {held.dtype}" for name, held in arrays.items()][:ARRAYS_TOLD]
    more = f" and {len(arrays) - ARRAYS_TOLD:,} more" if len(arrays) > ARRAYS_TOLD else ""
    held = (", ".join(first) or "no array") + more
    way_out = f"; name one with columns={list(tables)[:1]}" if tables and not source.matrix else ""
    raise ValueError(
        f"{source.name} holds {held}: expected one 2-D array of numbers, or one named {names[0]!r}{way_out}"
    )


def _items(shape: tuple[int, ...]) -> int:
    """How many items an array of this shape is about: as many as it has rows, or those whose pairs it lists."""
    return shape[0] if len(shape) > 1 else (1 + math.isqrt(1 + 8 * shape[0])) // 2


def _tables(arrays: dict[str, Held]) -> dict[str, Held]:
    """The 2-D arrays of numbers."""
    return {
        name: held for name, held in arrays.items() if len(held.shape) == 2 and held.kind in ("whole", "real", "sparse")
    }


def _labels_beside(arrays: dict[str, Held], n: int) -> str | None:
    """The name of the array that holds n labels: one with a known name, else the first of texts, else None."""
    kinds = {name: held.kind for name, held in arrays.items() if held.shape == (n,)}
    named = [name for name in NAMES_OF_LABELS if kinds.get(name) in ("text", "whole")]
    texts = [name for name in kinds if kinds[name] == "text"]
    return next(iter(named + texts), None)
