"""Vectors and labels from a folder of files, a chunk a part of a file; columns to a folder, a file a chunk."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import dask
import dask.array as da
import numpy as np
from dask import delayed
from tqdm.auto import tqdm

from simlib import _kinds
from simlib._extras import extra
from simlib.data import named
from simlib.distributed import drafts
from simlib.distributed.drafts import draft_of
from simlib.files import Loaded, parquet
from simlib.files.arrow_schema import Batches, described
from simlib.files.card import Card
from simlib.files.columns import roles
from simlib.files.interface import Source

CHUNK_ROWS = 20_000  # rows of a chunk of .npy files
FILES_AT_ONCE = 64  # files asked for before the bar moves
ZARR = ("zarr.json", ".zarray", ".zgroup")  # one of them lies in every Zarr array or group
LONGEST_LABEL = 200  # characters of a label, as `simlib.load_vectors` cuts them


class _Part(NamedTuple):
    """Rows of one file that become a chunk."""

    path: str
    rows: int
    begin: int  # the number of a row group, or of the first row in a .npy file


class _Plan(NamedTuple):
    """How the files of a folder are read."""

    parts: list[_Part]
    width: int  # numbers a row
    dtype: Any
    read: Callable  # delayed: a part to its vectors
    labels: Callable | None  # delayed: a part to its labels; None: the rows are numbered


def load_vectors(
    path: Any, *, label: str | None = None, columns: list[str] | None = None, progress: bool = False
) -> Loaded:
    """Read vectors and their labels from a folder of .parquet or .npy files, as Dask arrays.

    Parameters
    ----------
    path : str or Path
        A folder that holds .parquet files, or .npy files of 2-D arrays, all with the same columns and types. Workers
        read the files, so they must see them under this path. They are taken in the order of their names.
    label, columns : as in `simlib.load_vectors`, for .parquet files
        What is not given is decided by the first file, as `simlib.load_vectors` decides it, and holds for all.
    progress : bool
        Draw a bar over the files, whose heads are read at once.

    Returns
    -------
    simlib.files.Loaded
        vectors : dask array (n, d), float32 or float64. A chunk is one row group of a .parquet file, or 20,000 rows
        of a .npy file. labels : dask array of texts (n,), the row numbers where the files have none. card : file (the
        folder), format, files, rows, columns, dtype, dropped, notes.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
    ValueError
        No such files in the folder, or both kinds; files of different columns or types. When computed: a missing
        number, or lists of another length, with the file.

    Notes
    -----
    A row group is the least that is read: write files with ``row_group_size=20_000``. Nothing is left out: a row with a
    missing number is refused, not dropped. A Zarr array needs no reader of ours: all functions of this module take
    ``dask.array.from_zarr(path)``, rechunked if its columns lie in several chunks.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for i in range(2):
    ...         np.save(f"{folder}/part{i}.npy", np.full((3, 2), i, np.float32))
    ...     X, labels, card = load_vectors(folder)
    ...     print(X.chunks, X.dtype, labels.compute().tolist(), card["files"])
    ((3, 3), (2,)) float32 ['0', '1', '2', '3', '4', '5'] 2
    """
    folder = _kinds.path(path, "path")
    _kinds.text(label, "label")
    wanted = _kinds.texts(columns, "columns")
    _kinds.flag(progress, "progress")
    files = _files(folder)
    card = Card(folder.name, files[0].suffix[1:], "")
    with tqdm(files, desc="files", unit="file", disable=not progress) as watched:
        if files[0].suffix == ".npy":
            if label is not None or wanted is not None:
                raise ValueError("label and columns name columns of .parquet files; a .npy file has no names")
            plan = _plan_of_arrays(watched)
        else:
            plan = _plan_of_tables(Source(files[0], card, label, wanted), watched)
    return _loaded(plan, card, len(files))


def _loaded(plan: _Plan, card: Card, n_files: int) -> Loaded:
    """The arrays, not computed, and the card."""
    X = da.concatenate([da.from_delayed(plan.read(part), (part.rows, plan.width), plan.dtype) for part in plan.parts])
    names, first = [], 0
    for part in plan.parts:
        chunk = _numbers(first, part.rows) if plan.labels is None else plan.labels(part)
        names.append(da.from_delayed(chunk, (part.rows,), object))
        first += part.rows
    told = {"file": card.file, "format": card.format, "files": n_files, "dropped": card.dropped, "notes": card.notes}
    told |= {"rows": X.shape[0], "columns": X.shape[1], "dtype": str(X.dtype)}
    return Loaded(X, da.concatenate(names), told)


def _files(folder: Path) -> list[Path]:
    """The files of vectors in a folder, all of one kind, in the order of their names."""
    if not folder.is_dir():
        error = NotADirectoryError if folder.exists() else FileNotFoundError
        raise error(f"path must name a folder of .parquet or .npy files, and there is no folder {folder}")
    if any((folder / name).is_file() for name in ZARR):
        raise ValueError(f"{folder} is a Zarr array or group: X = dask.array.from_zarr({str(folder)!r}) reads an array")
    files = sorted(file for file in folder.iterdir() if file.suffix in (".parquet", ".npy"))
    kinds = {file.suffix for file in files}
    if len(kinds) != 1:
        found = "both .parquet and .npy files" if kinds else "no .parquet and no .npy file"
        raise ValueError(f"path must name a folder of .parquet or .npy files, but {folder} holds {found}")
    return files


@delayed(pure=True)
def _numbers(first: int, rows: int) -> np.ndarray:
    """Row numbers as texts."""
    return np.arange(first, first + rows).astype(str).astype(object)


def _wide(dtypes: list[np.dtype]) -> Any:
    """The float type that holds numbers of all these types."""
    small = all(t.itemsize <= (4 if t.kind == "f" else 2) for t in dtypes)
    return np.float32 if small else np.float64


# .npy


def _plan_of_arrays(files: Any) -> _Plan:
    """What the heads of .npy files say."""
    parts, kinds = [], set()
    for file in files:
        try:
            array = np.load(file, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise ValueError(f"{file.name} cannot be read as a .npy file ({error}): write it with numpy.save") from None
        if array.ndim != 2 or not array.size or array.dtype.kind not in "fiu":
            raise ValueError(f"{file.name} must hold numbers (rows, columns), got {array.dtype} {array.shape}")
        kinds.add((array.shape[1], array.dtype))
        if len(kinds) > 1:
            raise ValueError(f"{file.name} has {array.shape[1]} columns of {array.dtype}, unlike the files before it")
        starts = range(0, len(array), CHUNK_ROWS)
        parts += [_Part(str(file), min(CHUNK_ROWS, len(array) - i), i) for i in starts]
    ((width, dtype),) = kinds
    return _Plan(parts, width, _wide([dtype]), lambda part: _rows_of_array(part, _wide([dtype])), None)


@delayed(pure=True)
def _rows_of_array(part: _Part, dtype: Any) -> np.ndarray:
    """Some rows of a .npy file."""
    array = np.load(part.path, mmap_mode="r", allow_pickle=False)
    return np.array(array[part.begin : part.begin + part.rows], dtype)


# Parquet


def _plan_of_tables(source: Source, files: Any) -> _Plan:
    """What the heads of .parquet files say; the first decides which columns are vectors and which are labels."""
    with extra("formats", "load_vectors"):
        import pyarrow as pa
        import pyarrow.parquet as pq

    schema: Any = None
    parts: list[_Part] = []
    for path in files:
        try:
            file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{path.name} cannot be read as a .parquet file: {str(error).splitlines()[0]}") from None
        if schema is None:
            schema, (names, label) = file.schema_arrow, _roles(source, file)
        elif not file.schema_arrow.equals(schema):
            raise ValueError(f"{path.name} has other columns, or other types, than {source.name}: mend or move it")
        groups = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        parts += [_Part(str(path), rows, i) for i, rows in enumerate(groups) if rows]
    if not parts:
        raise ValueError(f"the .parquet files of {source.path.parent} have columns but no rows")
    dtype = _wide([_number_type(schema.field(name).type) for name in names])
    width = _table(parts[0], names, label).shape[1]
    labels = None if label is None else lambda part: _labels_of_group(part, label)
    return _Plan(parts, width, dtype, lambda part: _rows_of_group(part, names, label, width, dtype), labels)


def _roles(source: Source, file: Any) -> tuple[list[str], str | None]:
    """The names of the columns of the vectors, and of that of the labels, as for a single file."""
    batches = Batches(file.schema_arrow, file.metadata.num_rows, lambda n, names: file.iter_batches(n, columns=names))
    table = described(source, batches)
    label, vectors = roles(source, table)
    return [table[i].name for i in vectors], None if label is None else table[label].name


def _number_type(arrow_type: Any) -> np.dtype:
    """The type of the numbers in a column, or in its lists; float64 where they are texts or decimals."""
    while hasattr(arrow_type, "value_type"):
        arrow_type = arrow_type.value_type
    kind = np.dtype(arrow_type.to_pandas_dtype())
    return kind if kind.kind in "fiu" else np.dtype(np.float64)


def _table(part: _Part, names: list[str], label: str | None) -> np.ndarray:
    """The vectors of a row group, as one machine reads them."""
    import pyarrow.parquet as pq

    path, file = Path(part.path), pq.ParquetFile(part.path)
    source = Source(path, Card(path.name, "parquet", ""), label, names)

    def batches(n: int, some: list[str]) -> Any:
        return file.iter_batches(n, row_groups=[part.begin], columns=some)

    return parquet.read_batches(source, Batches(file.schema_arrow, part.rows, batches)).values


@delayed(pure=True)
def _rows_of_group(part: _Part, names: list[str], label: str | None, width: int, dtype: Any) -> np.ndarray:
    """The vectors of a row group; a missing number, or lists of another length, are refused."""
    values = _table(part, names, label)
    where = f"{Path(part.path).name}, row group {part.begin}"
    if values.shape != (part.rows, width):
        raise ValueError(f"{where}: vectors of shape {(part.rows, width)} were expected, got {values.shape}")
    gaps = np.flatnonzero(np.isnan(values).any(axis=1))
    if gaps.size:
        raise ValueError(
            f"{where}: {gaps.size} rows have missing numbers, the first is {gaps[0]}: leave them out first"
        )
    return values.astype(dtype, copy=False)


@delayed(pure=True)
def _labels_of_group(part: _Part, label: str) -> np.ndarray:
    """The labels of a row group."""
    import pyarrow.parquet as pq

    column = pq.ParquetFile(part.path).read_row_group(part.begin, columns=[label]).column(label).to_pylist()
    return np.array(["" if each is None else str(each)[:LONGEST_LABEL] for each in column], object)


# out


def write_parquet(table: Any, path: str | Path, *, progress: bool = False) -> None:
    """Write columns of n rows to a new folder of .parquet files, a file a chunk.

    Parameters
    ----------
    table : dictionary of names to columns
        A column is a Dask or NumPy array of numbers or texts (n,), or of vectors (n, d), which become lists. At least
        one is a Dask array, and its chunks of rows are those of all.
    path : path of the folder, which must not exist; seen by all workers
    progress : bool
        Draw a bar over the files.

    Raises
    ------
    FileExistsError
        There is something at `path`.
    OSError
        The disk is full, or the folder cannot be written; what was written so far is removed.
    TypeError, ValueError
        No Dask array among the columns, or columns of different lengths.

    Notes
    -----
    Written under another name beside `path` and renamed when it is whole. A worker holds one chunk of each column.

    Examples
    --------
    >>> import tempfile
    >>> import dask.array as da
    >>> X = da.from_array(np.array([[1.0, 0.0], [2.0, 1.0], [0.0, 2.0]]), chunks=(2, 2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_parquet({"name": np.array(["a", "b", "c"]), "vector": X}, f"{folder}/table")
    ...     print(load_vectors(f"{folder}/table").labels.compute().tolist())
    ['a', 'b', 'c']
    """
    with extra("formats", "write_parquet"):
        import pyarrow.parquet  # noqa: F401

    path = _kinds.path(path, "path")
    _kinds.flag(progress, "progress")
    arrays = _alike(table)
    rows = next(iter(arrays.values())).chunks[0]
    parts = [[column.to_delayed().ravel()[i] for column in arrays.values()] for i in range(len(rows))]
    with draft_of(path) as draft:
        with named(Path(draft), path):
            os.mkdir(draft)
        with tqdm(desc="write", total=len(parts), unit="file", disable=not progress) as bar:
            for left in range(0, len(parts), FILES_AT_ONCE):
                some = range(left, min(left + FILES_AT_ONCE, len(parts)))
                writes = [_write(draft, f"part-{i:06d}.parquet", list(arrays), parts[i]) for i in some]
                for failed in filter(None, dask.compute(*writes)):  # raised when no write is under way any more
                    raise failed
                bar.update(len(writes))


def _alike(table: Any) -> dict[str, Any]:
    """The columns as Dask arrays of the same chunks of rows."""
    if not isinstance(table, dict) or not all(isinstance(name, str) for name in table):
        raise TypeError(f"table must be a dictionary of names to columns, got {_kinds.shown(table)}")
    lead = next((column for column in table.values() if isinstance(column, da.Array)), None)
    if lead is None:
        raise TypeError("no column of table is a Dask array: pandas.DataFrame(table).to_parquet(path) writes it")
    arrays = {}
    for name, column in table.items():
        if not hasattr(column, "shape") or len(column.shape) not in (1, 2) or column.shape[0] != lead.shape[0]:
            got = getattr(column, "shape", _kinds.shown(column))
            raise ValueError(f"column {name!r} must be an array of {lead.shape[0]} rows, got {got}")
        array = column if isinstance(column, da.Array) else da.from_array(column)
        arrays[name] = array.rechunk({0: lead.chunks[0]} | ({1: -1} if array.ndim == 2 else {}))
    return arrays


@delayed
def _write(draft: str, name: str, names: list[str], columns: list[np.ndarray]) -> OSError | None:
    """Write a file of these columns; returns what went wrong."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with drafts.writers.one_more(draft) as wanted:
        if not wanted:
            return None
        flat = [pa.array(each if each.ndim == 1 else each.ravel()) for each in columns]
        arrays = [
            each if column.ndim == 1 else pa.FixedSizeListArray.from_arrays(each, column.shape[1])
            for each, column in zip(flat, columns, strict=True)
        ]
        try:
            pq.write_table(pa.table(arrays, names=names), os.path.join(draft, name))
        except OSError as error:
            return error
    return None
