"""The samples that come with the workbook, the folder that runs write to, and files that are written as a whole.

The vectors of a sample are float32 (n, d), and row i belongs to names[i]. A shipped file is read only if it has the
checksum that was published with it.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from simlib import _check
from simlib._arrays import same_fields

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = Path(__file__).resolve().parent / "_data"  # where an installed wheel has the files of data/
DATA = SHIPPED if SHIPPED.exists() else ROOT / "data"


@dataclass(frozen=True, repr=False, eq=False)
class Sample:
    """Vectors with a name and a category each, and a card that says where they come from.

    ``sample[:500]`` and ``sample[rows]`` hold some of the items; ``len(sample)`` is their number.

    Attributes
    ----------
    vectors : float32 (n, d)
    names : str (n,)
    categories : str (n,), the true groups; they serve to judge clusters, not to make them
    card : str; it tells of the whole sample what the items are, how the vectors were made, and the licences
    synsets : str (n,), part of speech and offset in WordNet 3.0 (only the words have them, else None)
    tags : int64 (n,), how often SemCor uses the word in this sense (only the words have them, else None)
    """

    vectors: np.ndarray
    names: np.ndarray
    categories: np.ndarray
    card: str
    synsets: np.ndarray | None = None
    tags: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.vectors)

    def __getitem__(self, rows: Any) -> Sample:
        """Some of the items: a slice, row numbers or a mask. Their arrays are views or copies as NumPy makes them."""
        if not isinstance(rows, slice) and np.ndim(rows) != 1:
            raise TypeError(f"some items of a sample are a slice, row numbers or a mask, got {rows!r}; one: [{rows!r}]")
        arrays = {name: each[rows] for name, each in vars(self).items() if isinstance(each, np.ndarray)}
        return replace(self, **arrays)

    def __eq__(self, other: object) -> bool:
        return same_fields(self, other)

    def __repr__(self) -> str:
        n, d = self.vectors.shape
        return f"Sample(n={n}, d={d}, {len(np.unique(self.categories))} categories)"


def load(name: str, n: int | None = None) -> Sample:
    """Load a sample: ``"words"`` (20,000 English words, 384-d) or ``"digits"`` (1,797 images, 64-d).

    Parameters
    ----------
    name : {"words", "digits"}
    n : int, optional
        Only the first n items; of the words the most common ones. Default: all.

    Returns
    -------
    Sample
        Its arrays have equal lengths and a fixed order. The words run from common to rare.

    Raises
    ------
    ValueError
        The name is unknown, n is out of range, or a file is not the one that was published: its checksum differs.
    FileNotFoundError
        The data folder is missing.

    Notes
    -----
    The words take 0.1 s and 50 MB. They come from WordNet 3.0, SCOWL and all-MiniLM-L6-v2. The digits are
    scikit-learn's copy of the handwritten digits of UCI.

    Examples
    --------
    >>> load("words")
    Sample(n=20000, d=384, 41 categories)
    >>> len(load("digits", n=500))
    500
    """
    _check.one_of(name, "name", ("words", "digits"))
    sample = _words() if name == "words" else _digits()
    return sample if n is None else sample[: _check.whole_number(n, "n", 1, len(sample), f" (all {name})")]


def _words() -> Sample:
    """The words, from the shipped files."""
    vectors = np.load(_verified("vectors.npy"), allow_pickle=False).astype(np.float32)
    with open(_verified("words.csv"), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    column = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    card = (DATA / "README.md").read_text(encoding="utf-8")
    return Sample(vectors, column["word"], column["category"], card, column["synset"], column["tags"].astype(np.int64))


def _digits() -> Sample:
    """The digits, from scikit-learn. The digit itself is both the name and the category."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    names = digits.target.astype(str)
    return Sample(digits.data.astype(np.float32), names, names, digits.DESCR)


def _verified(name: str) -> Path:
    """The path of a shipped file; raises unless the file has the published checksum."""
    lines = (DATA / "SHA256SUMS").read_text().splitlines()  # a checksum, then the name of its file
    published = {file: checksum for checksum, file in map(str.split, lines)}
    path = DATA / name
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != published[name]:
        raise ValueError(
            f"{path} is not the published file: expected SHA-256 {published[name]}, got {found}; "
            "it was edited, or the download broke off: get it again"
        )
    return path


def results_folder() -> Path:
    """The folder ``results/`` that runs write to; it is made if it is missing.

    It stands at the top of the project or, if simlib is installed without its project, in the current folder.
    """
    folder = (ROOT if DATA != SHIPPED else Path.cwd()) / "results"
    folder.mkdir(exist_ok=True)
    return folder


@contextmanager
def written_whole(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path`. What was written there is renamed to `path` when the block ends well.

    If the block fails or is interrupted, the old file stays, or there is none as before. Where `path` is a symbolic
    link, the file that it leads to is written, and the link stays.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with written_whole(folder + "/note.txt") as path:
    ...         _ = path.write_text("done")
    ...     print(open(folder + "/note.txt").read())
    done
    """
    path = Path(os.path.realpath(path))
    draft = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        with named(draft, path):
            yield draft
            os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def named(draft: Path, path: Path) -> Iterator[None]:
    """Turn an error about a draft, or a file in it, into one about the path that a person gave."""
    try:
        yield
    except OSError as error:
        if error.errno is None or not str(error.filename).startswith(str(draft)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from None
