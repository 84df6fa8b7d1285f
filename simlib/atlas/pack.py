"""Numbers made small enough for a page: base64 of the narrowest whole numbers that hold them, little-endian."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

STEPS = 65535  # a float becomes one of so many steps between the smallest and the largest


def whole(numbers: np.ndarray) -> dict[str, Any]:
    """Whole numbers from 0 on, of any shape, as 1, 2 or 4 bytes each."""
    top = int(numbers.max(initial=0))
    width = 1 if top < 2**8 else 2 if top < 2**16 else 4
    return {"bytes": width, "data": _text(numbers.astype(f"<u{width}"))}


def real(numbers: np.ndarray) -> dict[str, Any]:
    """Finite floats, to within a 131,070th part of their span."""
    numbers = np.asarray(numbers, dtype=np.float64)
    low, high = float(numbers.min(initial=np.inf)), float(numbers.max(initial=-np.inf))
    if not numbers.size:
        low = high = 0.0
    step = (high / STEPS - low / STEPS) or 1.0
    return {"low": low, "step": step, "bytes": 2, "data": _text(np.rint(numbers / step - low / step).astype("<u2"))}


def _text(numbers: np.ndarray) -> str:
    """The bytes of an array as base64."""
    return base64.b64encode(np.ascontiguousarray(numbers).tobytes()).decode("ascii")
