"""NumPy's files of arrays, .npy and .npz; pickle stays off, so nothing in them is executed."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from simlib import _check, _reading

LABELS = ("labels", "label", "names", "words", "ids")


def npy(path: Path) -> np.ndarray:
    """The array in a .npy file, memory-mapped."""
    with open(path, "rb") as file:
        if file.read(6) != b"\x93NUMPY":
            raise ValueError(f"{path.name} is no .npy file, whatever its name says: write it with numpy.save")
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # a header can be broken in more ways than NumPy has names for
        raise ValueError(_reading.unreadable(path, error)) from None


def npz(path: Path, names: tuple[str, ...], card: dict) -> tuple[np.ndarray, np.ndarray | None]:
    """The array of numbers in a .npz file, the first of `names` or else the only one, and labels if there are some."""
    try:
        with zipfile.ZipFile(path) as archive:
            need = sum(item.file_size for item in archive.infolist())
    except Exception as error:
        raise ValueError(_reading.unreadable(path, error)) from None
    _check.memory(need, f"{path.name}, unpacked,", "save it as .npy")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: array for name in file.files if isinstance(array := file[name], np.ndarray)}
    except Exception as error:
        raise ValueError(_reading.unreadable(path, error)) from None
    tables = [name for name in arrays if arrays[name].ndim == 2 and arrays[name].dtype.kind in "fiu"]
    chosen = next((name for name in names if name in tables), tables[0] if len(tables) == 1 else None)
    if chosen is None:
        held = ", ".join(f"{name} {array.shape} {array.dtype}" for name, array in arrays.items()) or "no array"
        raise ValueError(f"{path.name} holds {held}: expected one 2-D array of numbers, or one named {names[0]!r}")
    beside = {name: array for name, array in arrays.items() if array.shape == (len(arrays[chosen]),)}
    texts = [name for name in beside if beside[name].dtype.kind in "US"]
    named = [name for name in LABELS if name in beside and beside[name].dtype.kind in "USiu"]
    label = next(iter(named + texts), None)
    rest = [name for name in arrays if name not in (chosen, label)]
    if rest:
        card["dropped"].append(f"Arrays that are neither the {names[0]} nor their labels: {_reading.listed(rest)}.")
    labels = None if label is None else beside[label]
    if labels is not None and labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "replace")
    return numeric(arrays[chosen], path), labels


def numeric(array: np.ndarray, path: Path) -> np.ndarray:
    """The array if it is a non-empty 2-D array of real numbers."""
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{path.name} must hold real numbers, got dtype {array.dtype}")
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"{path.name} must hold a 2-D array, one row an item, got shape {array.shape}")
    return array
