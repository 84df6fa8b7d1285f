"""NumPy's files of arrays, .npy and .npz. Pickle stays off, so nothing in them is executed."""

from __future__ import annotations

import math
import zipfile

import numpy as np

from simlib import _check
from simlib.files.interface import Read, Source
from simlib.files.messages import listed, unreadable

# The names of arrays in a .npz file that are looked for, the first one first.
NAMES_OF_VECTORS = ("vectors", "X", "embeddings", "arr_0")
NAMES_OF_MATRICES = ("matrix", "S", "D", "similarity", "distance", "distances", "arr_0")
NAMES_OF_LABELS = ("labels", "label", "names", "words", "ids")


def read_npy(source: Source) -> Read:
    """The array in a .npy file, memory-mapped."""
    with open(source.path, "rb") as file:
        if file.read(6) != b"\x93NUMPY":
            raise ValueError(f"{source.name} is no .npy file, whatever its name says: write it with numpy.save")
    try:
        array = np.load(source.path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # a header can be broken in more ways than NumPy has names for
        raise ValueError(unreadable(source.name, error)) from None
    _refuse_unless_numbers(source, array)
    return Read(array, without_gaps=_line_of_numpy(source))


def read_npz(source: Source) -> Read:
    """The vectors or the matrix in a .npz file, and labels if an array holds some."""
    names = NAMES_OF_MATRICES if source.matrix else NAMES_OF_VECTORS
    arrays = _unpacked(source)
    chosen = _chosen(source, arrays, names)
    label = _labels_beside(arrays, _items(arrays[chosen]))
    rest = [name for name in arrays if name not in (chosen, label)]
    if rest:
        source.card.dropped.append(f"Arrays that are neither the {names[0]} nor their labels: {listed(rest)}.")
    labels = None if label is None else arrays[label]
    if labels is not None and labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "replace")
    _refuse_unless_numbers(source, arrays[chosen])
    return Read(arrays[chosen], labels)


def _unpacked(source: Source) -> dict[str, np.ndarray]:
    """All arrays of a .npz file by name; raises before it unpacks more than fits into memory."""
    try:
        with zipfile.ZipFile(source.path) as archive:
            need = sum(item.file_size for item in archive.infolist())
    except Exception as error:
        raise ValueError(unreadable(source.name, error)) from None
    _check.memory(need, f"{source.name}, unpacked,", "save it as .npy")
    try:
        with np.load(source.path, allow_pickle=False) as file:
            return {name: array for name in file.files if isinstance(array := file[name], np.ndarray)}
    except Exception as error:
        raise ValueError(unreadable(source.name, error)) from None


def _line_of_numpy(source: Source) -> str:
    """The line of NumPy that writes a .npy file anew without the rows or columns that have gaps."""
    kept = "numpy.isfinite(X).all(axis=1 - {axis})"
    return f"X = numpy.load({source.name!r}); numpy.save('whole.npy', numpy.compress({kept}, X, axis={{axis}}))"


def _items(array: np.ndarray) -> int:
    """How many items an array is about: as many as it has rows, or those whose pairs a list of numbers is."""
    return len(array) if array.ndim > 1 else (1 + math.isqrt(1 + 8 * len(array))) // 2


def _chosen(source: Source, arrays: dict[str, np.ndarray], names: tuple[str, ...]) -> str:
    """The name of the 2-D array of numbers: the first of `names` that is one, else the only one there is."""
    tables = [name for name, array in arrays.items() if array.ndim == 2 and array.dtype.kind in "fiu"]
    if source.matrix and not tables:  # a list of distances, as scipy's pdist gives it
        tables = [name for name, array in arrays.items() if array.ndim == 1 and array.dtype.kind == "f"]
    for name in names:
        if name in tables:
            return name
    if len(tables) == 1:
        return tables[0]
    held = ", ".join(f"{name} {array.shape} {array.dtype}" for name, array in arrays.items()) or "no array"
    raise ValueError(f"{source.name} holds {held}: expected one 2-D array of numbers, or one named {names[0]!r}")


def _labels_beside(arrays: dict[str, np.ndarray], n: int) -> str | None:
    """The name of the array that holds n labels: one with a known name, else the first of texts, else None."""
    kinds = {name: array.dtype.kind for name, array in arrays.items() if array.shape == (n,)}
    named = [name for name in NAMES_OF_LABELS if name in kinds and kinds[name] in "USiu"]
    texts = [name for name in kinds if kinds[name] in "US"]
    return next(iter(named + texts), None)


def _refuse_unless_numbers(source: Source, array: np.ndarray) -> None:
    """Raise unless the array is a 2-D array of real numbers that is not empty."""
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{source.name} must hold real numbers, got dtype {array.dtype}")
    if source.matrix and array.ndim == 1 and array.size:
        return
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"{source.name} must hold a 2-D array, one row an item, got shape {array.shape}")
