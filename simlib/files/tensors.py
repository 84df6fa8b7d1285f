"""Files of safetensors: arrays by name behind a header, nothing in them is executed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from simlib import _check
from simlib._extras import extra
from simlib.files import held
from simlib.files.held import Held, Kind
from simlib.files.interface import Read, Source
from simlib.files.messages import unreadable

REAL = ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2")
FOR_TORCH = ("BF16", "F8_E4M3", "F8_E5M2")  # NumPy has no such types
WHOLE = ("I8", "U8", "I16", "U16", "I32", "U32", "I64", "U64")


def read(source: Source) -> Read:
    """The vectors or the matrix, and labels if an array of whole numbers is named so."""
    with extra("formats", source.name):
        import safetensors
    try:
        with safetensors.safe_open(source.path, framework="np") as file:
            arrays = {name: _described(file.get_slice(name)) for name in file.keys()}  # noqa: SIM118, no dictionary
            choice = held.choose(source, arrays)
            held.note_rest(source, arrays, choice)
            labels = None if choice.labels is None else file.get_tensor(choice.labels)
            shape, _, dtype = arrays[choice.values]
            _check.memory(4 * math.prod(shape), source.name, "take fewer rows")
            if dtype not in FOR_TORCH:
                return Read(file.get_tensor(choice.values), labels)
        return Read(_by_torch(source, safetensors, choice.values), labels)
    except (safetensors.SafetensorError, OSError) as error:
        raise ValueError(unreadable(source.name, error)) from None


def _described(array: Any) -> Held:
    """What the header tells about an array."""
    dtype = array.get_dtype()
    kind: Kind = "real" if dtype in REAL else "whole" if dtype in WHOLE else "other"
    return Held(tuple(array.get_shape()), kind, dtype)


def _by_torch(source: Source, library: Any, name: str) -> np.ndarray:
    """An array of a type that NumPy does not have, as float32."""
    with extra("workbook", source.name), library.safe_open(source.path, framework="pt") as file:
        return file.get_tensor(name).float().numpy()
