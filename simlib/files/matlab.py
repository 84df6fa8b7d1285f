"""MATLAB's .mat files: by SciPy up to version 7.2, by h5py from version 7.3 on."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from simlib import _check
from simlib._extras import extra
from simlib.files import held, sparse
from simlib.files.held import Choice, Held, Kind
from simlib.files.interface import Read, Source
from simlib.files.messages import unreadable

BYTES_OF_THE_HEAD = 128
REAL = ("double", "single")
WHOLE = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "logical")
TEXT = ("cell", "char")


def read(source: Source) -> Read:
    """The vectors or the matrix, and labels if a variable holds some."""
    with open(source.path, "rb") as file:
        is_hdf5 = b"MATLAB 7.3" in file.read(BYTES_OF_THE_HEAD)
    try:
        return _read_hdf5(source) if is_hdf5 else _read_by_scipy(source)
    except (ValueError, MemoryError, ImportError):
        raise
    except Exception as error:  # SciPy and h5py have many names for what can be wrong with a file
        raise ValueError(unreadable(source.name, error)) from None


def _read_by_scipy(source: Source) -> Read:
    """The variables of a file up to version 7.2."""
    import scipy.io

    try:
        found = scipy.io.whosmat(source.path)
    except Exception as error:
        raise ValueError(unreadable(source.name, error)) from None
    variables = _described({name: (shape, kind) for name, shape, kind in found})
    choice = _chosen(source, variables)
    wanted = [name for name in choice if name is not None]
    try:
        loaded = scipy.io.loadmat(source.path, variable_names=wanted)
        values = loaded[choice.values]
    except Exception as error:
        raise ValueError(unreadable(source.name, error)) from None
    if sparse.is_sparse(values):
        values = sparse.rows_of(source, values)
    return Read(values, None if choice.labels is None else _texts(loaded[choice.labels]))


def _described(found: dict[str, tuple[tuple[int, ...], str]]) -> dict[str, Held]:
    """The variables by name; a row or a column counts as a list, if a table stands beside it."""
    arrays = {name: Held(tuple(shape), _kind(word), word) for name, (shape, word) in found.items()}
    return {name: _as_list(array) for name, array in arrays.items()}


def _kind(word: str) -> Kind:
    """What a variable holds, by MATLAB's word for it."""
    if word in WHOLE:
        return "whole"
    if word in TEXT:
        return "text"
    if word == "sparse":
        return "sparse"
    return "real" if word in REAL else "other"


def _as_list(array: Held) -> Held:
    """An array whose only column or row is a list of n items as one of shape (n,): MATLAB has no other lists."""
    if array.dtype == "char" and len(array.shape) == 2:
        return array._replace(shape=array.shape[:1])
    is_list = len(array.shape) == 2 and 1 in array.shape and max(array.shape) > 1
    return array._replace(shape=(max(array.shape),)) if is_list and array.kind != "sparse" else array


def _chosen(source: Source, variables: dict[str, Held]) -> Choice:
    """The variables that are read; raises if they take more memory than there is."""
    choice = held.choose(source, variables)
    held.note_rest(source, variables, choice)
    array = variables[choice.values]
    if array.kind != "sparse":
        _check.memory(8 * math.prod(array.shape), source.name, "save fewer rows")
    return choice


def _texts(values: np.ndarray) -> list[str]:
    """The texts in a cell array, an array of characters or one of numbers."""
    return [str(value.item() if getattr(value, "size", 0) == 1 else value).rstrip() for value in np.ravel(values)]


def _read_hdf5(source: Source) -> Read:
    """The variables of a file of version 7.3, whose arrays are stored with their axes turned."""
    with extra("formats", source.name):
        import h5py
    with h5py.File(source.path, "r") as file:
        found = {name: _class_of(file[name]) for name in file if not name.startswith("#")}
        choice = _chosen(source, _described(found))
        item = file[choice.values]
        if isinstance(item, h5py.Group):
            parts = {"data": item["data"][()], "indices": item["ir"][()], "indptr": item["jc"][()]}
            values: Any = sparse.of_parts(source, "csc", parts, _class_of(item)[0])
        else:
            values = item[()].T
        return Read(values, None if choice.labels is None else _texts_of_hdf5(file, file[choice.labels]))


def _class_of(item: Any) -> tuple[tuple[int, ...], str]:
    """The shape of a variable and MATLAB's word for what it holds."""
    kind = item.attrs.get("MATLAB_class", b"").decode()
    if "MATLAB_sparse" in item.attrs:
        return (int(item.attrs["MATLAB_sparse"]), len(item["jc"]) - 1), "sparse"
    return (item.shape[::-1] if hasattr(item, "shape") else ()), kind


def _texts_of_hdf5(file: Any, item: Any) -> list[str]:
    """The texts in a cell array, whose cells are references to arrays of characters, or the numbers in an array."""
    values = item[()].ravel()
    if item.attrs.get("MATLAB_class") != b"cell":
        return [str(value) for value in values]
    return ["".join(map(chr, file[reference][()].ravel())) for reference in values]
