"""A person's own file: vectors with a label each, or a matrix of similarities or distances, and a card about them.

Read are NumPy's .npy and .npz, .parquet, delimited text (.csv, .tsv, .txt, also .gz) and the text formats of word2vec
and GloVe. A row is an item. Nothing is executed (arrays are loaded with pickle off) and nothing is dropped silently:
the card says which rows and columns were left out and why.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path
from statistics import mode
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from simlib import _check

CHUNK = 20_000  # rows parsed at a time, fewer ...
CELLS = 1 << 22  # ... if they hold more numbers than this
SAMPLE = 1 << 16  # bytes that a text file is judged by, or more of them if they hold less than three lines ...
LARGEST = 1 << 26  # ... up to here
LONGEST = 200  # characters of a label that are kept
COUNTERS = {
    "",
    "id",
    "index",
    "row",
    "nr",
    "no",
    "unnamed: 0",
    "__index_level_0__",
}  # names of columns that number the rows
WHOLE = 2**24  # whole numbers up to here are exact in float32
TEXT = (".csv", ".tsv", ".txt", ".vec")
MISSING = ("", "NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null", "None")  # in columns of numbers
VECTORS = ("vectors", "X", "embeddings", "arr_0")
LABELS = ("labels", "label", "names", "words", "ids")
MATRICES = ("matrix", "S", "D", "similarity", "distance", "distances", "arr_0")


class Loaded(NamedTuple):
    """vectors (n, d), labels (n,) str, and a card: file, format, sha256, rows, columns, dtype, dropped, notes."""

    vectors: np.ndarray
    labels: np.ndarray
    card: dict[str, Any]


class LoadedMatrix(NamedTuple):
    """matrix (n, n), labels (n,) str, and a card as in `Loaded`."""

    matrix: np.ndarray
    labels: np.ndarray
    card: dict[str, Any]


def load_vectors(
    path: Any, *, label: str | None = None, columns: list[str] | None = None, progress: bool = False
) -> Loaded:
    """Read vectors and their labels from a file.

    Parameters
    ----------
    path : str or Path
        .npy or .npz; .parquet; .csv, .tsv, .txt or .vec, each also with .gz. Text must be UTF-8 (or UTF-16 with its
        mark); commas, semicolons, tabs, bars or blanks between the fields, and decimal commas, are recognised.
    label : str, optional
        Name of the column of labels. Default: the first column of text, else a column that numbers the rows, else
        0, 1, 2, ... In a .npz file: an array named labels, label, names, words or ids, else the first of texts.
    columns : list of str, optional
        Names of the columns that are the vectors. Default: the one column of lists of a .parquet file; else all
        columns of numbers but those that number the rows (distinct whole numbers under a name such as id, index,
        user_id or none).
    progress : bool
        Draw a bar over the bytes of a text file or the rows of a .parquet file.

    Returns
    -------
    Loaded
        Finite vectors (n, d): float32 and float64 as they came, half precision and whole numbers up to 2**24 as
        float32, larger ones as float64, numbers in text as float32. Labels, cut to 200 characters. The card:
        file, format, sha256, rows, columns, dtype, dropped (a sentence for whatever was left out), notes (a sentence
        for whatever was decided). Rows of zeros and copies are kept.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
    ValueError
        Empty, cut off, of unequal rows, not numeric, wrongly encoded, of an unknown kind; the message names the
        file and the way out.
    MemoryError
        The file says that it holds more than fits into memory.

    Notes
    -----
    Text is parsed by pandas at most 20,000 rows and 4 million numbers at a time; memory is the result and a few such
    pieces. A million rows of 50 numbers (383 MB of .csv): 5 s and 0.55 GB on one core, as word2vec text 14 s and
    0.7 GB. Labels are an array of the longest one's width: one of 200 characters makes a million of them 0.8 GB.
    A row with too few fields counts as one with missing numbers.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "fruit.csv"
    ...     _ = path.write_text("name,sweet,sour\\nplum,3,1\\nlemon,0,5\\n")
    ...     fruit = load_vectors(path)
    >>> print(fruit.vectors, fruit.labels, fruit.card["dtype"])
    [[3. 1.]
     [0. 5.]] ['plum' 'lemon'] float32
    """
    path, kind = _kind(path)
    card = _card(path, kind)
    if kind == "npy":
        vectors, labels = _numeric(_npy(path), path), None
    elif kind == "npz":
        vectors, labels = _npz(path, VECTORS, card)
    elif kind == "parquet":
        vectors, labels = _parquet(path, label, columns, card, progress)
    else:
        vectors, labels, _ = _text(path, label, columns, card, progress)
    if (label is not None or columns is not None) and kind in ("npy", "npz"):
        raise ValueError(f"{path.name}: label= and columns= are for files with named columns, not for .{kind}")
    vectors, labels = _finite(_in_memory(vectors, path), labels, card)
    if not len(vectors):
        raise ValueError(f"{path.name}: no row of numbers is left; {' '.join(card['dropped'])}")
    if labels is None and vectors.shape[1] > 1 and len(vectors) > 2 and np.all(np.diff(vectors[:, 0]) == 1):
        card["notes"].append("The first column runs up in steps of 1: if it numbers the rows, it should be left out.")
    card.update(rows=len(vectors), columns=vectors.shape[1], dtype=str(vectors.dtype))
    return Loaded(vectors, _as_labels(labels, len(vectors), card), card)


def load_matrix(path: Any, *, progress: bool = False) -> LoadedMatrix:
    """Read an n x n matrix of similarities or distances from a file.

    Parameters
    ----------
    path : str or Path
        .npy (memory-mapped: only what is used is read), .npz, or delimited text, with labels in its first row or
        column or without.
    progress : bool
        Draw a bar over the bytes of a text file.

    Returns
    -------
    LoadedMatrix
        A read-only square matrix of numbers and the labels (row numbers where there are none). Whether it is
        symmetric, and a similarity or a distance, is checked where it is used (`kmedoids`).

    Raises
    ------
    FileNotFoundError, IsADirectoryError, ValueError, MemoryError
        As `load_vectors`; also a matrix that is not square, or has NaN or infinity in a text file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(folder + "/S.npy", np.eye(3))
    ...     print(load_matrix(folder + "/S.npy").matrix.shape)
    (3, 3)
    """
    path, kind = _kind(path)
    card = _card(path, kind)
    labels = None
    if kind == "npy":
        matrix = _numeric(_npy(path), path)
    elif kind == "npz":
        matrix, labels = _npz(path, MATRICES, card)
    elif kind == "parquet":
        raise ValueError(f"{path.name}: a matrix is read from .npy, .npz or text, not from .parquet")
    else:
        matrix, labels, names = _text(path, None, None, card, progress, np.float64)
        labels = names if labels is None else labels
        _check.finite_rows(np.isfinite(matrix).all(axis=1), path.name)
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"{path.name}: a matrix of similarities must be square, got {matrix.shape}; vectors?")
    if not matrix.dtype.isnative:  # written on another kind of machine
        matrix = np.array(matrix, matrix.dtype.newbyteorder("="))
    matrix.setflags(write=False)
    card.update(rows=len(matrix), columns=len(matrix), dtype=str(matrix.dtype))
    return LoadedMatrix(matrix, _as_labels(labels, len(matrix), card), card)


# which kind of file


def _kind(path: Any) -> tuple[Path, str]:
    """The path and its kind: npy, npz, parquet or text; raises unless it is a file that holds something."""
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: name a file in it")
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    if not path.stat().st_size:
        raise ValueError(f"{path.name} is empty: 0 bytes; did the download or the export break off?")
    suffix = path.suffix.lower()
    if suffix in (".npy", ".npz", ".parquet"):
        return path, suffix[1:]
    if suffix in TEXT or (suffix == ".gz" and Path(path.stem).suffix.lower() in TEXT):
        return path, "text"
    known = ", ".join((".npy", ".npz", ".parquet", *TEXT))
    raise ValueError(f"{path.name}: what kind of file is this? Its name must end in one of {known}, text also in .gz")


def _card(path: Path, kind: str) -> dict[str, Any]:
    """The card of a file, to be filled in."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return {"file": path.name, "format": kind, "sha256": digest.hexdigest(), "dropped": [], "notes": []}


# arrays


def _npy(path: Path) -> np.ndarray:
    """The array in a .npy file, memory-mapped."""
    with open(path, "rb") as file:
        if file.read(6) != b"\x93NUMPY":
            raise ValueError(f"{path.name} is no .npy file, whatever its name says: write it with numpy.save")
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # a header can be broken in more ways than NumPy has names for
        raise ValueError(_unreadable(path, error)) from None


def _npz(path: Path, names: tuple[str, ...], card: dict) -> tuple[np.ndarray, np.ndarray | None]:
    """The array of numbers in a .npz file, the first of `names` or else the only one, and labels if there are some."""
    try:
        with zipfile.ZipFile(path) as archive:
            need = sum(item.file_size for item in archive.infolist())
    except Exception as error:
        raise ValueError(_unreadable(path, error)) from None
    _check.memory(need, f"{path.name}, unpacked,", "save it as .npy")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: array for name in file.files if isinstance(array := file[name], np.ndarray)}
    except Exception as error:
        raise ValueError(_unreadable(path, error)) from None
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
        card["dropped"].append(f"Arrays that are neither the {names[0]} nor their labels: {_listed(rest)}.")
    labels = None if label is None else beside[label]
    if labels is not None and labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "replace")
    return _numeric(arrays[chosen], path), labels


def _unreadable(path: Path, error: Exception) -> str:
    """Why a file of arrays cannot be read, in one line."""
    if re.search("allow_pickle|Object arrays|Python objects", str(error)):
        return f"{path.name} holds Python objects, which could run code when loaded: save numbers, or texts as str"
    if "encrypted" in str(error):
        return f"{path.name} is locked with a password: unpack it and save it without one"
    reason = str(error).splitlines()[0][:200] if str(error) else "it ends too early"
    return f"{path.name} cannot be read, it is cut off or not what its name says ({reason}): get it again"


def _numeric(array: np.ndarray, path: Path) -> np.ndarray:
    """The array if it is a non-empty 2-D array of real numbers."""
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{path.name} must hold real numbers, got dtype {array.dtype}")
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"{path.name} must hold a 2-D array, one row an item, got shape {array.shape}")
    return array


def _float_type(array: np.ndarray) -> type:
    """float32 and float64 as they are, half precision and small whole numbers to float32, large ones to float64."""
    if array.dtype.kind == "f":
        return np.float32 if array.dtype.itemsize <= 4 else np.float64
    return np.float32 if max(abs(int(array.min())), abs(int(array.max()))) <= WHOLE else np.float64


def _in_memory(array: np.ndarray, path: Path) -> np.ndarray:
    """A writeable array of float32 or float64, copied only where it must be."""
    kind = _float_type(array)
    if array.dtype == kind and array.flags.writeable:
        return array
    _check.memory(array.size * np.dtype(kind).itemsize, path.name, "take fewer rows, or float32")
    return np.array(array, kind)


def _finite(vectors: np.ndarray, labels: Any, card: dict) -> tuple[np.ndarray, Any]:
    """The rows without NaN and infinity, moved together in place; the card says which were left out."""
    finite, at = np.empty(len(vectors), bool), 0
    for start in range(0, len(vectors), CHUNK):
        piece = vectors[start : start + CHUNK]
        good = finite[start : start + CHUNK] = np.isfinite(piece).all(axis=1)
        if at < start or not good.all():
            piece = piece[good]
            vectors[at : at + len(piece)] = piece
        at += len(piece)
    if at == len(vectors):
        return vectors, labels
    bad = np.flatnonzero(~finite)
    rows = ", ".join(map(str, bad[:5])) + (", ..." if len(bad) > 5 else "")
    card["dropped"].append(f"{len(bad)} rows with a missing or infinite number (counted from 0: {rows}).")
    return vectors[:at], None if labels is None else np.asarray(labels, object)[finite]


def _as_labels(labels: Any, n: int, card: dict) -> np.ndarray:
    """Labels as str (n,), cut to a length that can be shown; row numbers if there are none."""
    if labels is None:
        return np.arange(n).astype(str)
    texts = ["" if text is None else str(text) for text in labels]
    if empty := sum(not text for text in texts):
        card["notes"].append(f"{empty} labels are empty.")
    long = sum(len(text) > LONGEST for text in texts)
    if long:
        card["dropped"].append(f"The ends of {long} labels longer than {LONGEST} characters.")
    return np.array([text[:LONGEST] for text in texts], dtype=np.str_)


def _joined(pieces: list[np.ndarray]) -> np.ndarray:
    """The pieces below one another; each is let go once it is copied, so that memory is not needed twice."""
    whole = np.empty((sum(map(len, pieces)), pieces[0].shape[1]), np.result_type(*pieces))
    at = 0
    while pieces:
        piece = pieces.pop(0)
        whole[at : at + len(piece)] = piece
        at += len(piece)
    return whole


# Parquet


def _parquet(path, label, columns, card, progress) -> tuple[np.ndarray, list | None]:
    """Vectors and labels of a .parquet file, a batch of rows at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        if not file.metadata.num_rows:
            raise ValueError(f"{path.name} has columns but no rows")
        label, used = _fields(path, file, label, columns, card)
        lists = not _plain(file.schema_arrow.field(used[0]).type)
        pieces, labels = [], []
        with tqdm(desc="read", total=file.metadata.num_rows, unit="row", disable=not progress) as bar:
            size = CHUNK // 10 if lists else max(1, min(CHUNK, CELLS // len(used)))
            for batch in file.iter_batches(size, columns=[*used, *([label] if label else [])]):
                pieces += [_batch(path, batch, used, lists)] if batch.num_rows else []
                labels += batch.column(label).to_pylist() if label else []
                bar.update(batch.num_rows)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(_unreadable(path, error)) from None
    if len({piece.shape[1] for piece in pieces}) > 1:
        raise ValueError(f"{path.name}: the lists in column {used[0]!r} differ in length")
    return _joined(pieces), labels if label else None


def _fields(path, file, label, columns, card) -> tuple[str | None, list[str]]:
    """The names of the column of labels, None if there is none, and of the vectors: one column of lists or numbers."""
    import pyarrow as pa

    fields = {field.name: field.type for field in file.schema_arrow}
    _repeated(path, file.schema_arrow.names)
    numbers = [name for name, kind in fields.items() if _plain(kind)]
    lists = [name for name, kind in fields.items() if hasattr(kind, "value_field") and _plain(kind.value_type)]
    texts = [name for name, kind in fields.items() if _is_text(kind) or (pa.types.is_dictionary(kind))]
    if columns is None and not lists:
        whole = [name for name in numbers if pa.types.is_integer(fields[name])]
        first = next(file.iter_batches(CHUNK, columns=whole)) if whole else {}
        counting = [name for name in whole if _counts(name, first[name].to_numpy(zero_copy_only=False))]
        if counting and len(numbers) > len(counting):
            texts = texts or counting[:1]
            numbers = _without(counting, numbers, {name: name for name in counting}, card)
    if columns is None and len(lists) > 1:
        raise ValueError(f"{path.name} has several columns of lists: name one of {_listed(lists)} with columns=")
    label = _label(path, label, list(fields), texts)
    used = _chosen(path, columns, list(fields), lists or numbers, label)
    if not (set(used) <= set(numbers) or (len(used) == 1 and used[0] in lists)):
        odd = ", ".join(f"{name!r} is {fields[name]}" for name in used if name not in numbers)
        raise ValueError(f"{path.name}: the vectors are columns of numbers or one column of lists of them; {odd[:200]}")
    _unused([name for name in fields if name not in used and name != label], card)
    return label, used


def _plain(kind: Any) -> bool:
    """Whether a Parquet type is a number."""
    import pyarrow as pa

    return pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)


def _is_text(kind: Any) -> bool:
    """Whether a Parquet type is text."""
    import pyarrow as pa

    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _batch(path: Path, batch: Any, used: list[str], lists: bool) -> np.ndarray:
    """The vectors of some rows."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if lists:
        rows = batch.column(used[0])
        lengths = pc.unique(pc.list_value_length(rows)).to_pylist()
        if len(lengths) > 1 or lengths[0] in (None, 0):
            raise ValueError(f"{path.name}: the lists in column {used[0]!r} differ in length, or are missing")
        columns, width = [rows.flatten()], lengths[0]
    else:
        columns, width = [batch.column(name) for name in used], len(used)
    columns = [column.cast(pa.float64()) if pa.types.is_decimal(column.type) else column for column in columns]
    values = np.column_stack([column.to_numpy(zero_copy_only=False) for column in columns]).reshape(-1, width)
    return values.astype(_float_type(values), copy=False)


# text


def _text(path, label, columns, card, progress, dtype=np.float32) -> tuple[np.ndarray, list | None, list | None]:
    """Numbers, labels and the names of the columns of a text file, read a piece at a time."""
    encoding, lines = _first_lines(path)
    if (width := _embedding_width(lines)) and label is None and columns is None:
        return *_embedding(path, encoding, lines, width, card, progress), None
    form = _form(path, lines)
    names, first, numeric = _header(path, form, lines, card)
    _repeated(path, [name for name in names if name in {label, *(columns or ())}])
    with _opened(path, encoding) as file:
        table = next(_tables(path, file, form, len(names), first, dict.fromkeys(numeric, MISSING)))
    own, places = _roles(path, table, names, form, label, columns, card)
    del table
    missing = dict.fromkeys((i for i in numeric if i != own), MISSING)
    pieces, labels, row = [], [], 0
    with _opened(path, encoding) as file, tqdm(**_bar(path, progress)) as bar:
        for table in _tables(path, file, form, len(names), first, missing, own):
            _no_swallowed_rows(path, table, form, row)
            rows = np.column_stack([_numbers(path, names[i], table[i], row, form) for i in places])
            pieces.append(_narrowed(path, rows, row, dtype))
            labels += table[own].tolist() if own is not None else []
            row += len(table)
            bar.update(min(_told(file), bar.total) - bar.n)
    card["notes"].append(f"Fields are separated by {form['word']}, the decimal sign is '{form['decimal']}'.")
    heading = [names[i] for i in places] if form["heading"] else None
    return _joined(pieces), labels if own is not None else None, heading


def _roles(path, table, names, form, label, columns, card) -> tuple[int | None, list[int]]:
    """Which column holds the labels, None if none does, and which are the vectors; judged by the first rows."""
    numbers = [i for i in range(len(names)) if _is_number(table[i])]
    texts = [i for i in range(len(names)) if not pd.api.types.is_numeric_dtype(table[i])]
    by_name = {name: i for i, name in reversed(list(enumerate(names)))}
    if columns is None:
        for i in texts:
            if names[i] != label or label is None:
                _no_stray_text(path, names[i], table[i], form)
        counting = [i for i in numbers if _counts(names[i], table[i].to_numpy())]
        if counting and len(numbers) > len(counting):
            texts = texts or counting[:1]
            numbers = _without(counting, numbers, names, card)
    own = _label(path, label, names, [names[i] for i in texts])
    own = texts[0] if label is None and texts else by_name.get(own)
    if columns is None:
        numbers = [i for i in numbers if i != own]
        _chosen(path, None, names, [names[i] for i in numbers], None)
    else:
        numbers = [by_name[name] for name in _chosen(path, columns, names, [], None)]
    _unused([name for i, name in enumerate(names) if i != own and i not in numbers], card)
    return own, numbers


def _narrowed(path: Path, rows: np.ndarray, row: int, dtype: Any) -> np.ndarray:
    """The rows as `dtype`; raises if a number is beyond its range."""
    try:
        with np.errstate(over="raise"):
            return rows.astype(dtype)
    except FloatingPointError:
        at = row + int(np.flatnonzero((np.abs(rows) > np.finfo(dtype).max) & np.isfinite(rows))[0] // rows.shape[1])
        raise ValueError(f"{path.name}: row {at} (counted from 0) holds a number beyond 3.4e38: rescale it") from None


def _no_swallowed_rows(path: Path, table: pd.DataFrame, form: dict[str, Any], row: int) -> None:
    """Raise if a field runs over lines that are rows themselves: a quotation mark opened it that is none."""
    for i in table.columns:
        if pd.api.types.is_numeric_dtype(table[i]):
            continue
        cells = table[i].astype(object)
        for at in np.flatnonzero(cells.str.contains("\n", regex=False).fillna(False).to_numpy(bool)):
            inner = str(cells.iloc[at]).split("\n")[1:-1]
            if inner and all(line.count(form["sep"]) == table.shape[1] - 1 for line in inner):
                raise ValueError(
                    f"{path.name}: a field of row {row + at} (counted from 0) runs over {len(inner) + 2} lines that "
                    'look like rows: is a quotation mark (") part of the text? Double it, or quote all fields'
                )


def _first_lines(path: Path) -> tuple[str, list[str]]:
    """How a text file is encoded, and its first lines."""
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else open(path, "rb") as file:
            head = file.read(SAMPLE)
            while head.count(b"\n") < 3 and len(head) < LARGEST and (more := file.read(SAMPLE)):
                head += more
            whole = not file.read(1)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(_unreadable(path, error)) from None
    encoding = "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    if b"\0" in head and (encoding != "utf-16" or head.startswith(codecs.BOM_UTF32_LE)):
        raise ValueError(
            f"{path.name} has bytes of value 0: not text, or in an encoding without its mark; save it as UTF-8"
        )
    if head.count(b"\n") + head.count(b"\r") < 2 and not whole:
        raise ValueError(f"{path.name} has a line of more than {LARGEST >> 20} MB: expected one line an item")
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head, final=whole)
    except UnicodeDecodeError as error:
        raise ValueError(_not_utf8(path, error)) from None
    lines = re.split("\r\n|\r|\n", text.removesuffix("\n"))
    lines = lines if whole or len(lines) < 2 else lines[:-1]
    if not any(line.strip() for line in lines):
        raise ValueError(f"{path.name} has no lines with anything in them")
    return encoding, lines


def _not_utf8(path: Path, error: UnicodeDecodeError) -> str:
    """What to do about a wrongly encoded file."""
    return (
        f"{path.name} is not UTF-8 text (byte {error.start} is 0x{error.object[error.start]:02x}): save it as UTF-8, "
        "for instance with iconv -f LATIN1 -t UTF-8"
    )


def _opened(path: Path, encoding: str) -> io.TextIOWrapper:
    """The file as text."""
    return io.TextIOWrapper((gzip.open if path.suffix.lower() == ".gz" else open)(path, "rb"), encoding=encoding)


def _bar(path: Path, progress: bool) -> dict[str, Any]:
    """A bar over the bytes of a file."""
    return {"desc": "read", "total": path.stat().st_size, "unit": "B", "unit_scale": True, "disable": not progress}


def _told(file: io.TextIOWrapper) -> int:
    """How many bytes of the file on disk were read."""
    raw = file.buffer
    return (raw.fileobj if isinstance(raw, gzip.GzipFile) else raw).tell()


def _embedding_width(lines: list[str]) -> int:
    """The number of features if the lines are word2vec's or GloVe's text, else 0; a bad line is left to the reader."""
    announced = re.fullmatch(r"(\d+) (\d+)", lines[0].rstrip())
    body = [line.rstrip() for line in lines[bool(announced) :][:20] if line.strip()]
    if not body:
        return 0
    width = int(announced[2]) if announced else mode(line.count(" ") for line in body)
    if width < 1 + (not announced):
        return 0
    parts = [line.rsplit(" ", width) for line in body]
    good = [len(part) > width and bool(part[0]) and all(map(_NUMBER.fullmatch, part[1:])) for part in parts]
    if not good[0] or sum(good) <= len(good) / 2:
        return 0
    words = [part[0] for part in parts]
    mixed = any(re.search(r"[,;\t|] *[+-]?[\d.]+$", word) for word in words)  # fields are separated otherwise
    return width if announced or not (mixed or all(map(_NUMBER.fullmatch, words))) else 0


_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|NaN|Inf)")


def _embedding(path, encoding, lines, width, card, progress) -> tuple[np.ndarray, list[str]]:
    """Words and vectors of word2vec's or GloVe's text; a word may hold blanks."""
    header = re.fullmatch(r"(\d+) (\d+)", lines[0].rstrip())
    card["format"] = "word2vec text" if header else "GloVe text"
    pieces, words = [], []
    try:
        with _opened(path, encoding) as file, tqdm(**_bar(path, progress)) as bar:
            if header:
                next(file)
            while some := list(islice(file, CHUNK)):
                parts = [line.rstrip().rsplit(" ", width) for line in some if line.strip()]
                if not parts:
                    continue
                for number, part in enumerate(parts):
                    if len(part) != width + 1:
                        raise ValueError(
                            f"{path.name}: vector {len(words) + number + 1} has {len(part) - 1} numbers, "
                            f"expected {width}: cut off, or the wrong file?"
                        )
                words += [part[0] for part in parts]
                numbers = io.StringIO("\n".join(" ".join(part[1:]) for part in parts))
                try:
                    table = pd.read_csv(numbers, sep=" ", header=None, dtype=np.float32, quoting=3)
                except ValueError as error:
                    reason = str(error).splitlines()[0]
                    raise ValueError(
                        f"{path.name}: among vectors {len(words) - len(parts) + 1} to {len(words)} something is no "
                        f"number ({reason})"
                    ) from None
                pieces.append(table.to_numpy())
                bar.update(min(_told(file), bar.total) - bar.n)
    except UnicodeDecodeError as error:
        raise ValueError(_not_utf8(path, error)) from None
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(_unreadable(path, error)) from None
    if header and len(words) != int(header[1]):
        raise ValueError(f"{path.name} announces {header[1]} vectors and holds {len(words)}: it is cut off")
    return _joined(pieces), words


def _form(path: Path, lines: list[str]) -> dict[str, Any]:
    """The separator and the decimal sign: those that give every line the same number of fields, more than one."""
    body = [line for line in lines if line.strip() and not _is_comment(line)]
    if not body:
        raise ValueError(f"{path.name} has no lines with anything in them but comments")
    found = []
    for sep, word in (("\t", "tabs"), (";", "semicolons"), (",", "commas"), ("|", "bars"), (" ", "blanks")):
        rows = _cells(path, body[:50], sep)
        widths = [len(row) for row in rows]
        if min(widths[1:] or widths) > 1 and len(set(widths[1:])) <= 1:
            found.append((sep, word, rows))
    if not found and all(len(row) == 1 for row in _cells(path, body[:50], ",")):
        found.append((",", "commas", [[line] for line in body[:50]]))
    if not found:
        widths = [len(row) for row in _cells(path, body[:50], ",")]
        raise ValueError(
            f"{path.name}: the lines have unequal numbers of fields ({widths[0]}, then {widths[1:6]}): "
            "expected a table, one row an item"
        )
    sep, word, _ = max(found, key=_share_of_numbers)
    cells = [cell.strip() for row in _cells(path, body, sep) for cell in row]
    commas = any(re.fullmatch(r"[+-]?\d*,\d+([eE][+-]?\d+)?", cell) for cell in cells)
    points = any(re.fullmatch(r"[+-]?\d*\.\d+([eE][+-]?\d+)?", cell) for cell in cells)
    if commas and points:
        raise ValueError(f"{path.name} has decimal commas and decimal points: export it with one of them")
    return {"sep": sep, "word": word, "decimal": "," if commas and sep != "," else ".", "quoting": _quoting(body, sep)}


def _is_comment(line: str) -> bool:
    """Whether a line is no part of the table: NumPy's comment, Excel's sep=; a row may begin with a hashtag."""
    row = re.search(r"[\t,;|] *" + _NUMBER.pattern.join("()") + "$", line.rstrip())
    return (line.startswith("#") and not row) or bool(re.fullmatch(r'"?sep=.?"?', line.rstrip()))


def _quoting(lines: list[str], sep: str) -> int:
    """Whether quotation marks are text: in a table with tabs, where one opens a field and none closes it."""
    fields = [field for line in lines for field in line.split("\t")] if sep == "\t" else []
    alone = any(field.startswith('"') and (len(field) == 1 or not field.endswith('"')) for field in fields)
    return csv.QUOTE_NONE if alone else csv.QUOTE_MINIMAL


def _share_of_numbers(found: tuple[str, str, list[list[str]]]) -> float:
    """How many of the fields are numbers, with points or commas."""
    cells = [cell.strip() for row in found[2] for cell in row]
    return sum(bool(_NUMBER.fullmatch(cell.replace(",", "."))) for cell in cells) / max(len(cells), 1)


def _cells(path: Path, lines: list[str], sep: str) -> list[list[str]]:
    """The fields of some lines, as long as they may be; blanks may stand several in a row."""
    limit = csv.field_size_limit(LARGEST)
    try:
        quoting = _quoting(lines, sep)
        lines = [re.sub(" +", " ", line.strip()) for line in lines] if sep == " " else lines
        return list(csv.reader(lines, delimiter=sep, quoting=quoting))
    except csv.Error as error:
        raise ValueError(_unreadable(path, error)) from None
    finally:
        csv.field_size_limit(limit)


def _header(path: Path, form: dict[str, Any], lines: list[str], card: dict) -> tuple[list[str], int, list[int]]:
    """Names of the columns, how many lines come before the first row, and which columns start out as numbers."""
    skipped = next(i for i, line in enumerate(lines) if line.strip() and not _is_comment(line))
    if comments := sum(bool(line.strip()) for line in lines[:skipped]):
        card["notes"].append(f"The first {comments} lines are comments and not read.")
    top, *rows = _cells(path, [line for line in lines[skipped:] if line.strip()][:50], form["sep"])
    top = [cell.strip() for cell in top]
    if not rows and not any(_cell_is_number(cell, form) for cell in top):
        raise ValueError(f"{path.name} has a heading but no rows")
    width = len(rows[0]) if rows else len(top)
    if len(top) == width - 1:  # R gives the names of the rows no heading; others end every row with a separator
        top = [*top, ""] if all(not row[-1].strip() for row in rows) else ["", *top]
    while len(top) > width and not top[-1]:
        top.pop()
    if len(top) != width:
        raise ValueError(
            f"{path.name}: the first line has {len(top)} fields ({_listed(top)}) and the next has {width}: it must "
            "hold the names of the columns, or be deleted"
        )
    numeric = [all(_cell_is_number(row[i], form) for row in rows if i < len(row)) for i in range(width)]
    named = any(numeric[i] and not _cell_is_number(cell, form) for i, cell in enumerate(top))
    named |= not any(_cell_is_number(cell, form) for cell in top) or _names_columns(top, rows, numeric, form)
    form["heading"] = bool(rows) and named
    if form["heading"]:
        return top, skipped + 1, [i for i in range(width) if numeric[i]]
    card["notes"].append("The first line is read as an item, there are no names of columns.")
    numeric = [numeric[i] and _cell_is_number(cell, form) for i, cell in enumerate(top)]
    return [str(i) for i in range(width)], skipped, [i for i in range(width) if numeric[i]]


def _names_columns(top: list[str], rows: list[list[str]], numeric: list[bool], form: dict[str, Any]) -> bool:
    """Whether numbers in the first line are names of columns: years, or 0, 1, 2; a row of whole numbers may be data."""
    if len(top) < 2 or not all(re.fullmatch(r"\d+", cell) for cell in top[1:]):
        return False
    steps = {int(b) - int(a) for a, b in pairwise(top[1:])}
    broken = any(re.search(r"[.,]", cell) for row in rows for i, cell in enumerate(row) if numeric[i])
    if not _NUMBER.fullmatch(top[0]):
        counts = top[1:] == [str(i) for i in range(len(top) - 1)]
        return counts or (top[0] == "" and all(row[0].strip() for row in rows)) or (broken and steps == {1})
    return broken and top == [str(i) for i in range(len(top))]


def _cell_is_number(cell: str, form: dict[str, Any]) -> bool:
    """Whether a cell is a number, or missing."""
    cell = cell.strip().replace(",", ".") if form["decimal"] == "," else cell.strip()
    return cell in MISSING or bool(_NUMBER.fullmatch(cell))


def _tables(path, file, form, width, first, missing, label=None) -> Iterator[pd.DataFrame]:
    """The rows of a text file by pandas, columns numbered from 0, that of the labels as text."""
    for _ in range(first):
        next(file)
    wishes = {
        "sep": r"\s+" if form["sep"] == " " else form["sep"],
        "decimal": form["decimal"],
        "skipinitialspace": True,
    }
    wishes.update(header=None, names=range(width), low_memory=False, keep_default_na=False, na_values=missing)
    wishes.update(chunksize=max(1, min(CHUNK, CELLS // width)), quoting=form["quoting"])
    if label is not None:
        wishes["dtype"] = {label: str}  # 007 stays 007, and a label may be NA
    try:
        yield from pd.read_csv(file, **wishes)
    except UnicodeDecodeError as error:
        raise ValueError(_not_utf8(path, error)) from None
    except pd.errors.EmptyDataError:
        raise ValueError(f"{path.name} has a heading but no rows") from None
    except (pd.errors.ParserError, EOFError, OSError, zlib.error) as error:
        found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        if found:
            raise ValueError(
                f"{path.name}: line {int(found[2]) + first} has {found[3]} fields, expected {found[1]}"
            ) from None
        raise ValueError(_unreadable(path, error)) from None


def _is_number(column: pd.Series) -> bool:
    """Whether a column holds numbers only, some at least."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column) and column.notna().any()


def _no_stray_text(path: Path, name: str, column: pd.Series, form: dict[str, Any]) -> None:
    """Raise if most of a column of text are numbers, plain or with marks between thousands: it was meant as one."""
    present = column.dropna().astype(str)[:1000]
    if sum(_cell_is_number(cell, form) for cell in present) > 0.5 * len(present):
        _numbers(path, name, column, 0, form)
    odd = [cell for cell in present if _ODD.fullmatch(cell.strip())]
    if len(odd) > 0.5 * len(present):
        raise ValueError(
            f"{path.name}: column {name!r} holds {odd[0]!r}: numbers are read without marks between thousands and with "
            "E for powers of ten; export it so, or name the columns of the vectors with columns="
        )


_ODD = re.compile(r"[+-]?\d{1,3}([.,' ]\d{3})+([.,]\d+)?|[+-]?\d+[.,]?\d*[dD][+-]?\d+")


def _counts(name: str, values: np.ndarray) -> bool:
    """Whether a column numbers the rows: by its name, and its distinct whole numbers."""
    if name.lower() not in COUNTERS and not name.lower().endswith("_id"):
        return False
    return bool(np.all(values == np.floor(values))) and len(np.unique(values)) == len(values)


def _without(counting: list, numbers: list, names: Any, card: dict) -> list:
    """The columns of numbers without those that number the rows."""
    for i in counting:
        card["notes"].append(f"Column {names[i]!r} numbers the rows and is not part of the vectors.")
    return [i for i in numbers if i not in counting]


def _numbers(path: Path, name: str, column: pd.Series, row: int, form: dict[str, Any]) -> np.ndarray:
    """A column as float64; raises where a text stands among the numbers."""
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    texts = column.astype(object).where(column.notna(), None)
    numbers = pd.to_numeric(column.astype(str).str.replace(form["decimal"], "."), errors="coerce").to_numpy(np.float64)
    bad = np.flatnonzero(np.isnan(numbers) & np.array([text is not None for text in texts]))
    bad = [i for i in bad if str(texts.iloc[i]).strip().lower() not in ("", "nan")]
    if bad:
        raise ValueError(
            f"{path.name}: column {name!r} holds {str(texts.iloc[bad[0]])[:40]!r} in row {row + bad[0]} (counted from "
            "0), not a number: name the columns of the vectors with columns=, or mend the file"
        )
    return numbers


# columns by name


def _repeated(path: Path, names: list[str]) -> None:
    """Raise if two columns have the same name."""
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    if twice:
        raise ValueError(f"{path.name} has two columns named {twice[0]!r}: rename one")


def _label(path: Path, label: str | None, names: list[str], texts: list[str]) -> str | None:
    """The name of the column of labels, None if there is none."""
    if label is None:
        return texts[0] if texts else None
    if label not in names:
        raise ValueError(f"{path.name} has no column {label!r}; its columns are {_listed(names)}")
    return label


def _chosen(path: Path, columns: Any, names: list[str], numbers: list[str], label: str | None) -> list[str]:
    """The names of the columns of the vectors."""
    if columns is not None:
        unknown = [name for name in columns if name not in names]
        if isinstance(columns, str) or unknown or not len(columns):
            what = f"{path.name}: columns must list names among {_listed(names)}"
            raise ValueError(f"{what}, got {columns!r}")
        return list(columns)
    numbers = [name for name in numbers if name != label]
    if not numbers:
        raise ValueError(f"{path.name} has no column of numbers; its columns are {_listed(names)}")
    return numbers


def _unused(rest: list[str], card: dict) -> None:
    """Say on the card which columns are neither vectors nor labels."""
    if rest:
        card["dropped"].append(f"Columns that are neither vectors nor labels: {_listed(rest)}.")


def _listed(names: list[str]) -> str:
    """The first names."""
    return ", ".join(repr(name[:40]) for name in names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
