"""HDF5: .h5 and .hdf5 hold arrays by name, .h5ad is a table of cells and genes as anndata writes it.

Links to other files are not followed, and arrays that lie in other files are not read.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from simlib import _check
from simlib._extras import extra
from simlib.files import held, sparse
from simlib.files.held import Choice, Held
from simlib.files.interface import Read, Source
from simlib.files.messages import listed, unreadable

LAYOUTS = {"csr_matrix": "csr", "csc_matrix": "csc"}  # how anndata calls sparse tables
TABLES_OF_CELLS = ("X", "obsm", "layers", "obsp", "raw")
OLD_INDEX = "index"


def read(source: Source) -> Read:
    """The vectors or the matrix, and the labels."""
    with extra("formats", source.name):
        import h5py
    try:
        with h5py.File(source.path, "r") as file:
            arrays = _arrays(h5py, file)
            is_anndata = source.path.suffix.lower() == ".h5ad"
            choice = _of_anndata(source, file, arrays) if is_anndata else held.choose(source, arrays)
            if not is_anndata:
                held.note_rest(source, arrays, choice)
            values = _values(source, file[choice.values])
            return Read(values, None if choice.labels is None else _texts(source, file[choice.labels]))
    except (OSError, RuntimeError, KeyError, TypeError) as error:  # h5py has no error of its own
        raise ValueError(unreadable(source.name, error)) from None


def _arrays(library: Any, file: Any) -> dict[str, Held]:
    """The arrays of a file by name, those of all groups. No link is followed."""
    found: dict[str, Held] = {}

    def look(name: str, item: Any) -> None:
        if isinstance(item, library.Dataset):
            found[name] = _described(library, item)
        elif item.attrs.get("encoding-type") in LAYOUTS:
            shape = tuple(map(int, item.attrs["shape"]))
            found[name] = Held(shape, "sparse", "sparse")
        elif "categories" in item and "codes" in item:
            found[name] = Held(item["codes"].shape, "text", "categories")

    file.visititems(look)
    groups = [name for name, array in found.items() if array.dtype in ("sparse", "categories")]
    return {name: array for name, array in found.items() if name.rpartition("/")[0] not in groups}


def _described(library: Any, item: Any) -> Held:
    """What is known about an array before it is read."""
    if item.is_virtual or item.external:
        return Held(item.shape or (), "other", "in another file")
    if library.check_string_dtype(item.dtype) is not None:
        return Held(item.shape or (), "text", "text")
    return Held(item.shape or (), held.kind_of(item.dtype), str(item.dtype))


def _of_anndata(source: Source, file: Any, arrays: dict[str, Held]) -> Choice:
    """X and the names of the cells, unless the caller names others; the card tells what there is beside X."""
    tables = {name: array for name, array in arrays.items() if name.split("/")[0] in TABLES_OF_CELLS}
    cells = {name: array for name, array in arrays.items() if name.split("/")[0] == "obs"}
    names = f"obs/{file['obs'].attrs.get('_index', OLD_INDEX)}" if "obs" in file else ""
    choice = held.choose(source, tables | cells, names if names in cells else None)
    others = [name for name, array in tables.items() if name != choice.values and len(array.shape) == 2]
    if others and source.columns is None:
        source.card.notes.append(
            f"{choice.values} is read; the cells also have {listed(others)}: columns=[{others[0]!r}] reads that."
        )
    return choice


def _values(source: Source, item: Any) -> Any:
    """An array of numbers, or sparse rows."""
    if hasattr(item, "dtype"):
        return _whole(source, item)
    parts = {name: _whole(source, item[name]) for name in ("data", "indices", "indptr")}
    return sparse.of_parts(source, LAYOUTS[item.attrs["encoding-type"]], parts, item.attrs["shape"])


def _whole(source: Source, item: Any) -> np.ndarray:
    """A whole array; raises before it takes more memory than there is."""
    _check.memory(math.prod(item.shape) * item.dtype.itemsize, source.name, "save fewer rows, or as .npy")
    return item[()]


def _texts(source: Source, item: Any) -> list[str]:
    """The texts of an array, or of categories: anndata stores each once, and its number for each cell."""
    if not hasattr(item, "dtype"):
        categories = _texts(source, item["categories"])
        return [categories[code] if code >= 0 else "" for code in _whole(source, item["codes"])]
    values = _whole(source, item)
    return [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values]
