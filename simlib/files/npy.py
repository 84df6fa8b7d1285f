"""NumPy's files of arrays, .npy and .npz. Pickle stays off, so nothing in them is executed."""

from __future__ import annotations

import zipfile
from typing import Any

import numpy as np

from simlib import _check
from simlib.files import held, sparse
from simlib.files.held import Held
from simlib.files.interface import Read, Source
from simlib.files.messages import unreadable

ARRAYS_OF_SPARSE = {"format", "shape", "data"}  # what scipy.sparse.save_npz writes, and more


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
    """The vectors or the matrix in a .npz file, and labels if an array holds some; or what SciPy's save_npz wrote."""
    arrays = _unpacked(source)
    if arrays.keys() >= ARRAYS_OF_SPARSE:
        return Read(_read_sparse(source))
    described = {name: Held(array.shape, held.kind_of(array.dtype), str(array.dtype)) for name, array in arrays.items()}
    choice = held.choose(source, described)
    held.note_rest(source, described, choice)
    labels = None if choice.labels is None else arrays[choice.labels]
    if labels is not None and labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "replace")
    _refuse_unless_numbers(source, arrays[choice.values])
    return Read(arrays[choice.values], labels)


def _read_sparse(source: Source) -> Any:
    """The rows of a sparse matrix that SciPy saved."""
    import scipy.sparse

    try:
        stored = scipy.sparse.load_npz(source.path)
    except Exception as error:
        raise ValueError(unreadable(source.name, error)) from None
    source.card.format = "sparse npz"
    return sparse.rows_of(source, stored)


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


def _refuse_unless_numbers(source: Source, array: np.ndarray) -> None:
    """Raise unless the array is a 2-D array of real numbers that is not empty."""
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{source.name} must hold real numbers, got dtype {array.dtype}")
    if source.matrix and array.ndim == 1 and array.size:
        return
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"{source.name} must hold a 2-D array, one row an item, got shape {array.shape}")
