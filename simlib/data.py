"""The samples that come with the workbook, and the folder that runs write to.

A sample's vectors are float32 (n, d), row i belongs to names[i]. What is read is checked against its checksum.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simlib import _check

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = Path(__file__).resolve().parent / "_data"  # where an installed wheel carries data/
DATA = SHIPPED if SHIPPED.exists() else ROOT / "data"


@dataclass(frozen=True, repr=False)
class Sample:
    """Vectors with a name and a category each, and the card that says where they come from.

    Attributes
    ----------
    vectors : float32 (n, d)
    names : str (n,)
    categories : str (n,), ground truth: for judging clusters, not for making them
    card : str, what, how many, how made, licences
    synsets : str (n,), WordNet 3.0 part of speech and offset (words only, else None)
    tags : int64 (n,), how often the sense is tagged in SemCor (words only, else None)
    """

    vectors: np.ndarray
    names: np.ndarray
    categories: np.ndarray
    card: str
    synsets: np.ndarray | None = None
    tags: np.ndarray | None = None

    def __repr__(self) -> str:
        n, d = self.vectors.shape
        return f"Sample(n={n}, d={d}, {len(np.unique(self.categories))} categories)"


def load(name: str) -> Sample:
    """Load a sample: ``"words"`` (20,000 English words, 384-d) or ``"digits"`` (1,797 images, 64-d).

    Parameters
    ----------
    name : {"words", "digits"}

    Returns
    -------
    Sample
        Arrays of equal length in a fixed order; the words run from common to rare.

    Raises
    ------
    ValueError
        Unknown name, or a file that is not the one that was published (its checksum differs).
    FileNotFoundError
        The data folder is missing.

    Notes
    -----
    0.1 s and 50 MB for the words. Sources: WordNet 3.0, SCOWL and all-MiniLM-L6-v2 for the words;
    scikit-learn's copy of the UCI handwritten digits.

    Examples
    --------
    >>> load("words")
    Sample(n=20000, d=384, 41 categories)
    """
    _check.one_of(name, "name", ("words", "digits"))
    return _words() if name == "words" else _digits()


def _words() -> Sample:
    vectors = np.load(_verified("vectors.npy"), allow_pickle=False).astype(np.float32)
    with open(_verified("words.csv"), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    column = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    card = (DATA / "README.md").read_text(encoding="utf-8")
    return Sample(vectors, column["word"], column["category"], card, column["synset"], column["tags"].astype(np.int64))


def _digits() -> Sample:
    from sklearn.datasets import load_digits

    digits = load_digits()
    names = digits.target.astype(str)
    return Sample(digits.data.astype(np.float32), names, names, digits.DESCR)


def _verified(name: str) -> Path:
    """Path of a shipped file whose checksum is the published one."""
    published = dict(line.split()[::-1] for line in (DATA / "SHA256SUMS").read_text().splitlines())
    path = DATA / name
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != published[name]:
        raise ValueError(
            f"{path} is not the published file: expected SHA-256 {published[name]}, got {found}; "
            "it was edited, or the download broke off: get it again"
        )
    return path


def results_folder() -> Path:
    """The folder that runs write to, ``results/`` beside the notebooks; made if it is missing."""
    folder = (ROOT if DATA != SHIPPED else Path.cwd()) / "results"
    folder.mkdir(exist_ok=True)
    return folder


@contextmanager
def written_whole(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it takes the name `path` only when the block ends well.

    A run that stops half-way leaves the old file, or none.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with written_whole(folder + "/note.txt") as path:
    ...         _ = path.write_text("done")
    ...     print(open(folder + "/note.txt").read())
    done
    """
    path = Path(path)
    draft = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield draft
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
