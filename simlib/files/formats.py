"""The table of formats: which ends of a file's name mean which reader.

To add a format, write a file with its reader (`interface.py` says what a reader takes and gives back) and add one row
to `FORMATS`. The messages below list what the table holds.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from simlib.files import (
    arrow,
    hdf5,
    json,
    matlab,
    npy,
    parquet,
    svmlight,
    tensors,
    text,
    vecs,
    word2vec_binary,
)
from simlib.files.interface import Read, Source


class Format(NamedTuple):
    """A format of files: one row of the table.

    Attributes
    ----------
    name : the word for it on the card
    suffixes : the ends of its files' names, in small letters
    read : the reader
    packed : whether a further .gz may follow the suffix
    named_columns : whether `label=` and `columns=` can name something in such a file
    matrices : whether a matrix of similarities or distances can be read from it
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[Source], Read]
    packed: bool = False
    named_columns: bool = True
    matrices: bool = True

    @property
    def word(self) -> str:
        """What messages call it: its suffix, or its name if it has several suffixes."""
        return self.suffixes[0] if len(self.suffixes) == 1 else self.name


FORMATS = (
    Format("npy", (".npy",), npy.read_npy, named_columns=False),
    Format("npz", (".npz",), npy.read_npz),
    Format("parquet", (".parquet",), parquet.read),
    Format("text", (".csv", ".tsv", ".txt", ".vec", ".gct", ".phy", ".dist", ".meg"), text.read, packed=True),
    Format("JSON", (".jsonl", ".ndjson", ".json"), json.read, packed=True),
    Format("word2vec binary", (".bin",), word2vec_binary.read, packed=True, named_columns=False, matrices=False),
    Format("HDF5", (".h5", ".hdf5", ".h5ad"), hdf5.read),
    Format("Arrow", (".feather", ".arrow"), arrow.read),
    Format("safetensors", (".safetensors",), tensors.read),
    Format("vecs", (".fvecs", ".bvecs", ".ivecs"), vecs.read, named_columns=False, matrices=False),
    Format("MATLAB", (".mat",), matlab.read),
    Format("svmlight", (".svm", ".svmlight", ".libsvm"), svmlight.read, packed=True, matrices=False),
)

_PICKLED = (
    "pickled objects could run code when loaded: load it where you trust it, and save the vectors with "
    'np.save("x.npy", t.cpu().numpy())'
)
_SPREADSHEET = "save the sheet as .csv"
_FOR_R = 'in R, write.csv(x, "x.csv")'
WAYS_OUT = {
    **dict.fromkeys((".pt", ".pth", ".ckpt"), f"of torch's files, {_PICKLED}"),
    **dict.fromkeys((".pkl", ".pickle", ".joblib"), f"of pickle's files, {_PICKLED.replace('t.cpu().numpy()', 'x')}"),
    **dict.fromkeys((".model", ".kv"), 'in gensim, vectors.save_word2vec_format("x.bin", binary=True)'),
    **dict.fromkeys((".xlsx", ".xls", ".ods"), _SPREADSHEET),
    **dict.fromkeys((".rds", ".rda", ".rdata"), _FOR_R),
    **dict.fromkeys((".zip", ".7z", ".tar", ".bz2", ".xz", ".zst"), "unpack it and name the file in it"),
}
"""What to do with files that are not read, by the end of their names."""


def format_of(path: Path) -> Format:
    """The format of a file, by the end of its name; raises unless the file exists and holds something."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: name a file in it")
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    if not path.stat().st_size:
        raise ValueError(f"{path.name} is empty: 0 bytes; did the download or the export break off?")
    suffix = path.suffix.lower()
    inner = Path(path.stem).suffix.lower() if suffix == ".gz" else None
    for form in FORMATS:
        if suffix in form.suffixes or (form.packed and inner in form.suffixes):
            return form
    if suffix in WAYS_OUT:
        raise ValueError(f"{path.name}: {suffix} is not read: {WAYS_OUT[suffix]}")
    known = ", ".join(suffix for form in FORMATS for suffix in form.suffixes)
    packed = ", ".join(form.word for form in FORMATS if form.packed)
    raise ValueError(
        f"{path.name}: what kind of file is this? Its name must end in one of {known}, {packed} also in .gz"
    )


def refuse_names(source: Source, form: Format) -> None:
    """Raise if the caller names columns, but the format has no names for them."""
    if not form.named_columns and not source.label is source.columns is source.drop is None:
        raise ValueError(
            f"{source.name}: label=, columns= and drop= are for files with named columns, not for {form.word}"
        )


def refuse_matrix(path: Path, form: Format) -> None:
    """Raise if no matrix can be read from files of this format."""
    if not form.matrices:
        *others, last = (form.word for form in FORMATS if form.matrices)
        raise ValueError(f"{path.name}: a matrix is read from {', '.join(others)} or {last}, not from {form.word}")
