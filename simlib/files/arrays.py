"""From what a reader found to what is handed out.

Numbers become float32 or float64, and labels become texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simlib import _check
from simlib.files.card import Card

LARGEST_IN_FLOAT32 = 2**24  # float32 holds whole numbers up to here exactly
LONGEST_LABEL = 200  # characters
BYTES_A_CHARACTER = 4  # in an array of texts


def float_type(array: np.ndarray) -> type:
    """The type that holds the numbers: float32 for half precision and small whole numbers, float64 for large ones."""
    if array.dtype.kind == "f":
        return np.float32 if array.dtype.itemsize <= 4 else np.float64
    largest = max(abs(int(array.min())), abs(int(array.max())))
    return np.float32 if largest <= LARGEST_IN_FLOAT32 else np.float64


def as_floats(array: np.ndarray, name: str) -> np.ndarray:
    """The array as float32 or float64 that can be written to. It is copied only where it must be."""
    dtype = np.dtype(float_type(array))
    if array.dtype == dtype and array.flags.writeable:
        return array
    _check.memory(array.size * dtype.itemsize, name, "take fewer rows, or float32")
    return np.array(array, dtype)


def as_labels(labels: Sequence[Any] | np.ndarray | None, n: int, card: Card) -> np.ndarray:
    """The n labels as str (n,), cut to a length that can be shown; without labels, the row numbers in the file."""
    if labels is None:
        return _row_numbers(np.arange(n) if card.kept is None else card.kept, card)
    texts = ["" if label is None else str(label) for label in labels]
    if empty := sum(not text for text in texts):
        card.notes.append(f"{empty} labels are empty.")
    if long := sum(len(text) > LONGEST_LABEL for text in texts):
        card.dropped.append(f"The ends of {long} labels longer than {LONGEST_LABEL} characters.")
    _check_labels(card, len(texts), min(LONGEST_LABEL, max(map(len, texts), default=1)))
    return np.array([text[:LONGEST_LABEL] for text in texts], dtype=np.str_)


def cut(labels: Sequence[Any]) -> list[Any]:
    """The labels of a piece of a file, those that are too long without their ends: memory need not hold them.

    One character more stays than `as_labels` keeps, so that it can count the labels that it cuts.
    """
    most = LONGEST_LABEL + 1
    return [label[:most] if isinstance(label, str) and len(label) > most else label for label in labels]


def _row_numbers(numbers: np.ndarray, card: Card) -> np.ndarray:
    """Ascending row numbers as texts, in an array as wide as the largest of them."""
    width = len(str(numbers[-1])) if len(numbers) else 1
    _check_labels(card, len(numbers), width)
    return numbers.astype(f"<U{width}")


def _check_labels(card: Card, n: int, width: int) -> None:
    """Raise MemoryError if there is no memory for n labels, the longest of which has `width` characters."""
    _check.memory(n * width * BYTES_A_CHARACTER, f"{card.file}: the array of its labels", "take fewer rows")
