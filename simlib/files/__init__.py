"""A person's own file: vectors with a label each, or a matrix of similarities or distances, and a card about them.

A row is an item. No file is ever executed: arrays are loaded with pickle off. No row or column is dropped silently:
the card says which ones were left out and why.

Where to find what
    formats.py     the table of formats: which end of a name means which reader; a new format is a new row here
    interface.py   what every reader takes (`Source`) and gives back (`Read`)
    text.py  word2vec.py  json.py  svmlight.py                              the readers of text
    npy.py  hdf5.py  matlab.py  tensors.py  vecs.py  word2vec_binary.py      the readers of arrays
    parquet.py  arrow.py  arrow_schema.py                                   the readers of tables of Arrow
    lines.py  heads.py  dialect.py  numerals.py   text: its encoding and lines; what stands before a table; separator,
                   decimal sign and heading; how numbers are written, and the marks beside them
    table.py  strays.py       a table of text as pandas parses it; what does not belong among its numbers
    wide.py        tables of very many columns, which are read without pandas
    watched.py     what really stopped pandas: an interrupt, a broken file, a lack of memory
    brackets.py  lists.py     vectors that stand in a file as lists: in lines of text; in the cells of a column
    packed.py      vectors that were packed as bytes
    records.py     where the items are in a value of JSON
    matrix_text.py  phylip.py  mega.py  ragged.py  halves.py      texts of a matrix that are no table
    pairs.py  squares.py      a matrix as a list of pairs; halves and lists of distances made square, names compared
    columns.py  counters.py  dates.py      which column holds the labels, which are the vectors, and which only number,
                   class or date the rows
    held.py        the same for a file that holds arrays by name
    digits.py      whether numbers in text become float32 or float64
    sparse.py      vectors of which only the numbers that are not 0 are stored
    gaps.py  remarks.py       rows with gaps; what a person should know about the vectors
    levels.py                 whether series by date are levels, such as prices, and not changes
    pieces.py  messages.py  arrays.py  card.py    what all of them share
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simlib import _check, _kinds
from simlib.files import arrays, gaps, remarks, sparse, squares
from simlib.files.card import card_of
from simlib.files.interface import Read, Source

ONE_COLUMN = (
    "One column: the cosine similarity of single numbers is only 1 or -1, and they have no correlation. Give distances "
    'between them, such as abs(x - y), with metric="precomputed".'
)


class Loaded(NamedTuple):
    """vectors (n, d), labels (n,) str, and a card.

    The card holds file, format, sha256, rows, columns, dtype, dropped, notes, kept, shares.
    """

    vectors: Any  # np.ndarray, or scipy.sparse.csr_array
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
    drop: list[str] | None = None,
) -> Loaded:
    """Read vectors and their labels from a file.

    ==================================  ============================================================================
    what you have                       what to call
    ==================================  ============================================================================
    a table of text                     ``load_vectors("x.csv")``, .tsv, .txt, .gct; ``label="a", columns=["b", "c"]``
    a column of lists, ``[0.1, 0.2]``   the same; where there are several such columns ``columns=["embedding"]``
    word2vec, GloVe                     ``load_vectors("x.vec")``, .txt, or .bin
    JSON: records, lists, or by name    ``load_vectors("x.jsonl", label="title")``, .ndjson, .json
    Parquet, Feather, Arrow             ``load_vectors("x.parquet")``, .feather, .arrow: as a table of text
    one array                           ``load_vectors("x.npy")``, .fvecs, .bvecs, .ivecs
    arrays by name                      ``load_vectors("x.npz", columns=["train"], label="names")``, .h5, .hdf5,
                                        .mat, .safetensors
    cells and genes                     ``load_vectors("x.h5ad")`` reads X; ``columns=["X_pca"], label="cell_type"``
    mostly zeros                        ``load_vectors("x.npz")`` of SciPy's save_npz, .svm, .svmlight, .libsvm;
                                        also a sparse .mat or .h5ad
    torch's or Python's pickles         not read: ``np.save("x.npy", t.cpu().numpy())`` first
    ==================================  ============================================================================

    Text and JSON may also be packed, as .gz. .h5, .h5ad, .safetensors, .parquet, .feather and .arrow
    need the extra ``simlib[formats]``, and so do lists written as text.

    Parameters
    ----------
    path : str or Path
        A file of one of these formats. Text must be UTF-8, or UTF-16 with its mark. Commas, semicolons, tabs, bars or
        blanks between the fields are recognised, and so are decimal commas. Lists may stand in quotation marks or
        not; they may be written as JSON, Python, NumPy or PostgreSQL writes them.
    label : str, optional
        Name of the column of labels. Default: the first column of text. In JSON, fields named text, title, name or
        the like go first. If there is no text, a column that numbers the rows; if there is none either, the numbers
        of the rows in the file: 0, 1, 2, ... In a file of arrays the labels are an array named labels, label, names,
        words or ids, else the first array of texts.
    columns : list of str, optional
        Names of the columns that are the vectors, or of the one array. Default: the one column of lists. If there is
        none, all columns of numbers but those that number, class or date the rows. Row numbers and ids are distinct
        whole numbers that are called so, or stand in front and count or outweigh all others. Classes are columns that
        are called label, class, target or the like. What is not sure is kept, and a note says so.
        A range such as ``"a:c"`` means all columns of numbers from a to c. A pattern such as ``"S*"`` means all those
        whose names fit. The name of a column always means that column.
    progress : bool
        Draw a bar over the bytes of a text file or the rows of a table of Arrow.
    transpose : bool
        Whether the columns are the items, as in a table of prices by day or of genes by samples. The names of the
        columns become the labels.
    drop : list of str, optional
        Names, ranges or patterns of columns, or names of arrays, that are no vectors, whatever they hold.

    Returns
    -------
    Loaded
        vectors : finite numbers (n, d). float32 and float64 stay as they are. Half precision and whole numbers up to
        2**24 become float32, larger whole numbers float64. Numbers in text become float32; they become float64 where
        float32 would lose digits that tell the rows apart, and the card says so. Rows of zeros and copies of rows are
        kept. Sparse files give a ``scipy.sparse.csr_array``.
        labels : texts (n,), cut to 200 characters.
        card : file, format, sha256, rows, columns, dtype, and four more. `dropped` has a sentence for whatever was left
        out, and `notes` one for whatever was decided. `kept` holds the numbers of the items that were kept, int64 (n,),
        or None if all were. They are counted from 0 in the file before anything was left out. `shares` says how many
        items and columns were left out unasked, and of how many.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
    ValueError
        The file is empty, cut off, of unequal rows, not numeric, wrongly encoded or of an unknown kind. Dates label
        the rows, or most rows have gaps: then the columns may be the items. The message names the file and the way
        out.
    MemoryError
        The file says that it holds more than fits into memory.
    ImportError
        The library that reads this format is not installed. The message says what to install.

    Notes
    -----
    pandas parses text at most 20,000 rows and 4 million numbers at a time. Memory holds the result and a few such
    pieces. A million rows of 64 numbers (610 MB of .csv) take about 10 s of one core and 0.9 GB. As word2vec text they
    take about 21 s and 1 GB, as JSON lines about 20 s and 0.9 GB. The labels are an array as wide as the longest of
    them: a single one of 200 characters makes a million labels take 0.8 GB. A row with too few fields counts as one
    with missing numbers.

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
    path = _kinds.path(path, "path")
    _kinds.text(label, "label")
    columns, drop = _kinds.texts(columns, "columns"), _kinds.texts(drop, "drop")
    for value, name in ((progress, "progress"), (transpose, "transpose")):
        _kinds.flag(value, name)
    from simlib.files import formats  # the readers import pandas, which takes a while

    form = formats.format_of(path)
    source = Source(path, card_of(path, form.name), label, columns, progress=progress, transpose=transpose, drop=drop)
    found = form.read(source)
    formats.refuse_names(source, form)
    if not sparse.is_sparse(found.values):
        remarks.refuse_half_a_matrix(source, found)
    if transpose:
        found = _transposed(source, found)
    values, labels, names, without_gaps = found
    del found
    if sparse.is_sparse(values):
        vectors, labels = sparse.finished(source, values, labels)
    else:
        vectors = arrays.as_floats(values, source.name)
        del values  # where it was copied, memory has room for one copy only
        vectors, labels = gaps.leave_out(source, vectors, labels, without_gaps)
        remarks.note_all(source, vectors, labels, names)
    rows, columns_found = vectors.shape
    if not rows:
        raise ValueError(f"{source.name}: no row of numbers is left; {' '.join(source.card.dropped)}")
    if columns_found == 1:
        source.card.notes.append(ONE_COLUMN)
    labels = arrays.as_labels(labels, rows, source.card)
    return Loaded(vectors, labels, source.card.with_shape(vectors))


def load_matrix(path: Any, *, progress: bool = False) -> LoadedMatrix:
    """Read an n x n matrix of similarities or distances from a file.

    Parameters
    ----------
    path : str or Path
        A .npy file is memory-mapped: only what is used is read. Text (.csv, .tsv, .txt, .phy, .dist, .meg), tables of
        Arrow (.parquet, .feather, .arrow), and .npz, .json, .h5, .mat and .safetensors files are read whole.
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
        As `load_vectors`; also if the matrix is not square, or the names above the columns are not those of the rows.
        The same holds if a pair is missing or given twice with different numbers, or a number is missing or infinite.
        Such a number in a .npy file is found where the matrix is used.

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
    path = _kinds.path(path, "path")
    _kinds.flag(progress, "progress")
    from simlib.files import formats  # the readers import pandas, which takes a while

    form = formats.format_of(path)
    formats.refuse_matrix(path, form)
    source = Source(path, card_of(path, form.name), matrix=True, progress=progress)
    found = form.read(source)
    if sparse.is_sparse(found.values):
        raise ValueError(f"{source.name} holds a sparse matrix: save it as .npy, np.save('S.npy', matrix.toarray())")
    matrix, names = squares.squared(source, found)
    matrix.setflags(write=False)
    labels = arrays.as_labels(names, len(matrix), source.card)
    return LoadedMatrix(matrix, labels, source.card.with_shape(matrix))


def _transposed(source: Source, found: Read) -> Read:
    """What was found, with the columns as items: their names become labels, and the labels names."""
    values: Any = found.values
    _, labels, names, without_gaps = found
    if labels is not None:
        labels = [str(label) for label in labels]
    if sparse.is_sparse(values):
        return Read(values.T.tocsr(), names, labels)
    _check.memory(values.nbytes, f"{source.name}, transposed,", "transpose it in a file of its own")
    return Read(np.ascontiguousarray(values.T), names, labels, without_gaps)
