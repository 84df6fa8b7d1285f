"""A person's own file: vectors with a label each, or a matrix of similarities or distances, and a card about them.

A row is an item. No file is ever executed: arrays are loaded with pickle off. No row or column is dropped silently:
the card says which ones were left out and why.

Where to find what
    formats.py     the table of formats: which end of a name means which reader; a new format is a new row here
    interface.py   what every reader takes (`Source`) and gives back (`Read`)
    npy.py  parquet.py  text.py  word2vec.py      the readers
    lines.py  heads.py  dialect.py  numerals.py   text files: encoding and lines; what stands before the table;
                   separator, decimal sign and heading; how numbers and marks beside them are written
    columns.py  counters.py  dates.py             which column holds the labels, which are the vectors, and which only
                   number, class or date the rows
    matrix_text.py  phylip.py  mega.py  ragged.py  halves.py      texts of a matrix that are no table
    pairs.py  squares.py    a list of pairs; halves and lists of distances made square, names compared
    gaps.py  remarks.py     rows with gaps; what a person should know about the vectors
    pieces.py  messages.py  arrays.py  card.py    what all of them share
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from simlib import _check
from simlib.files import arrays, formats, gaps, remarks, squares
from simlib.files.card import card_of
from simlib.files.interface import Read, Source


class Loaded(NamedTuple):
    """vectors (n, d), labels (n,) str, and a card: file, format, sha256, rows, columns, dtype, dropped, notes, kept."""

    vectors: np.ndarray
    labels: np.ndarray
    card: dict[str, Any]


class LoadedMatrix(NamedTuple):
    """matrix (n, n), labels (n,) str, and a card as in `Loaded`."""

    matrix: np.ndarray
    labels: np.ndarray
    card: dict[str, Any]


def load_vectors(
    path: Any,
    *,
    label: str | None = None,
    columns: list[str] | None = None,
    progress: bool = False,
    transpose: bool = False,
) -> Loaded:
    """Read vectors and their labels from a file.

    Parameters
    ----------
    path : str or Path
        A file of NumPy (.npy or .npz), of Parquet (.parquet), or of text (.csv, .tsv, .txt or .vec, each also packed
        as .gz). Text must be UTF-8, or UTF-16 with its mark. Commas, semicolons, tabs, bars or blanks between the
        fields are recognised, and so are decimal commas and the texts of word2vec and GloVe.
    label : str, optional
        Name of the column of labels. Default: the first column of text. If there is none, a column that numbers the
        rows; if there is none either, the numbers of the rows in the file: 0, 1, 2, ... In a .npz file the labels are
        an array named labels, label, names, words or ids, else the first array of texts.
    columns : list of str, optional
        Names of the columns that are the vectors. Default: the one column of lists of a .parquet file. If there is
        none, all columns of numbers but those that number, class or date the rows: row numbers and ids (distinct whole
        numbers that are called so, or stand in front and count or outweigh all others), and classes that are called
        label, class, target or the like. What is not sure is kept, and a note says so.
    progress : bool
        Draw a bar over the bytes of a text file or the rows of a .parquet file.
    transpose : bool
        Whether the columns are the items, as in a table of prices by day or of genes by samples. The names of the
        columns become the labels.

    Returns
    -------
    Loaded
        vectors : finite numbers (n, d). float32 and float64 stay as they are. Half precision and whole numbers up to
        2**24 become float32, larger whole numbers float64, and numbers in text float32. Rows of zeros and copies of
        rows are kept.
        labels : texts (n,), cut to 200 characters.
        card : file, format, sha256, rows, columns, dtype, dropped (a sentence for whatever was left out), notes (a
        sentence for whatever was decided), kept (the numbers of the items that were kept, int64 (n,), counted from 0
        in the file before anything was left out; None if all were kept).

    Raises
    ------
    FileNotFoundError, IsADirectoryError
    ValueError
        The file is empty, cut off, of unequal rows, not numeric, wrongly encoded or of an unknown kind. Dates label
        the rows, or most rows have gaps: then the columns may be the items. The message names the file and the way
        out.
    MemoryError
        The file says that it holds more than fits into memory.

    Notes
    -----
    pandas parses text at most 20,000 rows and 4 million numbers at a time. Memory holds the result and a few such
    pieces. A million rows of 50 numbers (383 MB of .csv) take 5 s and 0.55 GB on one core; as word2vec text they take
    14 s and 0.7 GB. The labels are an array as wide as the longest of them: a single one of 200 characters makes a
    million labels take 0.8 GB. A row with too few fields counts as one with missing numbers.

    A percent sign, a sign of a currency or a unit in brackets is left out if all numbers of a column carry it. Lines
    before the table are skipped: those of GEO, which begin with an exclamation mark, those of GCT, and titles.

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
    path = Path(path)
    form = formats.format_of(path)
    source = Source(path, card_of(path, form.name), label, columns, progress=progress, transpose=transpose)
    found = form.read(source)
    formats.refuse_names(source, form)
    remarks.refuse_half_a_matrix(source, found)
    values, labels, names, without_gaps = _transposed(source, found) if transpose else found
    vectors = arrays.as_floats(values, source.name)
    del found, values  # where it was copied, memory has room for one copy only
    vectors, labels = gaps.leave_out(source, vectors, labels, without_gaps)
    if not len(vectors):
        raise ValueError(f"{source.name}: no row of numbers is left; {' '.join(source.card.dropped)}")
    remarks.note_matrix(vectors, labels, names, source.card)
    remarks.note_a_column_that_decides_all(vectors, names, source.card)
    if labels is None and not transpose:
        remarks.note_first_column(vectors, source.card, ids_too=not form.named_columns)
    labels = arrays.as_labels(labels, len(vectors), source.card)
    return Loaded(vectors, labels, source.card.with_shape(vectors))


def load_matrix(path: Any, *, progress: bool = False) -> LoadedMatrix:
    """Read an n x n matrix of similarities or distances from a file.

    Parameters
    ----------
    path : str or Path
        A .npy file (it is memory-mapped: only what is used is read), a .npz file, a .parquet file, or text.
    progress : bool
        Draw a bar over the bytes of a text file or the rows of a .parquet file.

    Returns
    -------
    LoadedMatrix
        A read-only square matrix of numbers, and the labels (row numbers where there are none). Whether the matrix is
        symmetric, and whether it holds similarities or distances, is checked where it is used (`kmedoids`).

    Raises
    ------
    FileNotFoundError, IsADirectoryError, ValueError, MemoryError
        As `load_vectors`; also if the matrix is not square, if the names above the columns are not those of the rows,
        if a pair is missing or given twice with different numbers, or if a number is missing or infinite (of a .npy
        file this is found where the matrix is used).

    Notes
    -----
    The card says what was completed. These forms are understood:

    =====================  ==========================================================================================
    form                   how it looks
    =====================  ==========================================================================================
    whole                  n rows of n numbers; names above, in front, or both, in the same order
    lower or upper half    the other half is empty, NaN, 0 or infinite, or the lines grow or shrink by one number; the
                           diagonal may be missing: it is taken as 0, and as 1 if the numbers look like correlations
    PHYLIP, Mash           the number of items, then a line an item: its name and all its distances, or half of them
    MEGA                   `#mega`, names, one half
    condensed              n(n-1)/2 numbers as scipy's `pdist` gives them: one column, one line, or a 1-D array
    list of pairs          three columns: a name, another name, a number; each pair once, or once in each direction
    =====================  ==========================================================================================

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(folder + "/S.npy", np.eye(3))
    ...     print(load_matrix(folder + "/S.npy").matrix.shape)
    (3, 3)
    """
    path = Path(path)
    form = formats.format_of(path)
    formats.refuse_matrix(path, form)
    source = Source(path, card_of(path, form.name), matrix=True, progress=progress)
    matrix, names = squares.squared(source, form.read(source))
    matrix.setflags(write=False)
    labels = arrays.as_labels(names, len(matrix), source.card)
    return LoadedMatrix(matrix, labels, source.card.with_shape(matrix))


def _transposed(source: Source, found: Read) -> Read:
    """What was found, with the columns as items: their names become labels, and the labels names."""
    values, labels, names, without_gaps = found
    _check.memory(values.nbytes, f"{source.name}, transposed,", "transpose it in a file of its own")
    if labels is not None:
        labels = [str(label) for label in labels]
    return Read(np.ascontiguousarray(values.T), names, labels, without_gaps)
