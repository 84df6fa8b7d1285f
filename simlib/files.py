"""A person's own file: vectors with a label each, or a matrix of similarities or distances, and a card about them.

Read are NumPy's .npy and .npz, .parquet, delimited text (.csv, .tsv, .txt, also .gz) and the text formats of word2vec
and GloVe. A row is an item. Nothing is executed (arrays are loaded with pickle off) and nothing is dropped silently:
the card says which rows and columns were left out and why.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from simlib import _arrays, _check, _parquet, _reading, _text

LONGEST = 200  # characters of a label that are kept
TEXT = (".csv", ".tsv", ".txt", ".vec")
VECTORS = ("vectors", "X", "embeddings", "arr_0")
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
        vectors, labels = _arrays.numeric(_arrays.npy(path), path), None
    elif kind == "npz":
        vectors, labels = _arrays.npz(path, VECTORS, card)
    elif kind == "parquet":
        vectors, labels = _parquet.read(path, label, columns, card, progress)
    else:
        vectors, labels, _ = _text.read(path, label, columns, card, progress)
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
        matrix = _arrays.numeric(_arrays.npy(path), path)
    elif kind == "npz":
        matrix, labels = _arrays.npz(path, MATRICES, card)
    elif kind == "parquet":
        raise ValueError(f"{path.name}: a matrix is read from .npy, .npz or text, not from .parquet")
    else:
        matrix, labels, names = _text.read(path, None, None, card, progress, np.float64)
        labels = names if labels is None else labels
        _check.finite_rows(np.isfinite(matrix).all(axis=1), path.name)
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"{path.name}: a matrix of similarities must be square, got {matrix.shape}; vectors?")
    if not matrix.dtype.isnative:  # written on another kind of machine
        matrix = np.array(matrix, matrix.dtype.newbyteorder("="))
    matrix.setflags(write=False)
    card.update(rows=len(matrix), columns=len(matrix), dtype=str(matrix.dtype))
    return LoadedMatrix(matrix, _as_labels(labels, len(matrix), card), card)


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


def _in_memory(array: np.ndarray, path: Path) -> np.ndarray:
    """A writeable array of float32 or float64, copied only where it must be."""
    kind = _reading.float_type(array)
    if array.dtype == kind and array.flags.writeable:
        return array
    _check.memory(array.size * np.dtype(kind).itemsize, path.name, "take fewer rows, or float32")
    return np.array(array, kind)


def _finite(vectors: np.ndarray, labels: Any, card: dict) -> tuple[np.ndarray, Any]:
    """The rows without NaN and infinity, moved together in place; the card says which were left out."""
    finite, at = np.empty(len(vectors), bool), 0
    for start in range(0, len(vectors), _reading.CHUNK):
        piece = vectors[start : start + _reading.CHUNK]
        good = finite[start : start + _reading.CHUNK] = np.isfinite(piece).all(axis=1)
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
