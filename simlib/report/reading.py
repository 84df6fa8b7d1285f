"""The items of a report: what a file holds, what its items are called, and what is left out and said.

`label`, `names` and `classes` name a column of the file, or a file of their own with a line an item.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from simlib import _check
from simlib._engine.metrics import METRICS, ON_VECTORS, named
from simlib._labels import plain
from simlib.atlas.thumbnails import sheet
from simlib.data import DATA, load
from simlib.files import load_matrix, load_vectors
from simlib.files.levels import NOTE as LEVELS
from simlib.plots.fonts import undrawn
from simlib.report.commands import parts
from simlib.similarity import SIMILARITIES

SAME = 1e-5  # share by which the similarities of items to themselves may differ by rounding
MOST_LOST = 0.1  # share of the items that may be left out without being asked for
EMPTY_NAMED = 12  # items that are like nothing that a note names
ROWS_AT_ONCE = 500
EMPTY = {
    "cosine": "hold nothing but zeros",
    "correlation": "hold the same number throughout",
    "similarity": "have similarity 0 to all others",
}  # what the items are like that are like nothing, by the metric
GAPS = "fill the gaps (the command line's --help has the lines of pandas), or go on with keep_going=True"


class Wishes(NamedTuple):
    """What a person says about the file; each as on the command line."""

    label: str | None = None
    columns: list[str] | None = None
    transpose: bool = False
    drop: list[str] | None = None
    classes: str | None = None
    names: str | None = None
    thumbnails: str | None = None
    keep_going: bool = False
    drop_empty: bool = False


class Items(NamedTuple):
    """The n items of a report.

    Attributes
    ----------
    A : array (n, d) or (n, n)
    labels : str (n,), what the items are called on the page
    card : dict, as `load_vectors` makes it
    ids : str (n,), the labels of the file where others are shown, else None
    classes : str (n,), the known class of each item, or None
    thumbnails : uint8 (n, h, w) or (n, h, w, 3), or None
    empty : bool (n,), the items that are like nothing
    """

    A: np.ndarray
    labels: np.ndarray
    card: dict[str, Any]
    ids: np.ndarray | None
    classes: np.ndarray | None
    thumbnails: np.ndarray | None
    empty: np.ndarray


def read(path: str | None, metric: str, wishes: Wishes = Wishes()) -> Items:  # noqa: B008
    """The items of a file, or the shipped words.

    Parameters
    ----------
    path : path of a file of vectors, or of a matrix for ``metric="similarity"`` and ``"precomputed"``; None: the words
    metric : as in `kmedoids`
    wishes : what the caller says about the file

    Raises
    ------
    ValueError
        The file cannot be read so, more than a tenth of its items would be left out, or fewer than 4 are left.
    """
    named(metric)
    if path is None or metric not in ON_VECTORS:
        _refuse_unused(path, wishes)
    A, labels, card = _shipped_words(metric) if path is None else _read_file(path, metric, wishes)
    card["where"] = _where(labels, card, wishes.transpose)
    share = card["shares"].get("items", (0, 1))
    if share[0] > MOST_LOST * share[1] and not wishes.keep_going:
        raise ValueError(f"{card['file']}: {left_out(card)} That is more than a tenth: {GAPS}")
    told = {name: _told(path, metric, wishes, card, name) for name in ("label", "names", "classes")}
    labels = labels if told["label"] is None else told["label"]
    names, classes = told["names"], told["classes"]
    pictures = None if wishes.thumbnails is None else _pictures(wishes.thumbnails, card)
    ids = None if names is None else labels
    items = Items(A, labels if names is None else names, card, ids, classes, pictures, like_nothing(A, metric))
    items = _about_empty(items, metric, wishes.drop_empty)
    card["undrawn"] = undrawn([*items.labels, *([] if items.classes is None else items.classes)])
    card["notes"] += [card["undrawn"]] * bool(card["undrawn"])
    if len(items.A) < 4:
        raise ValueError(f"a report needs at least 4 items, {card['file']} has {len(items.A)} {left_out(card)}".strip())
    return items


def left_out(card: dict[str, Any], called: str = "items") -> str:
    """How many items and columns were left out, and what share they are, in a sentence each; "" if there are none.

    Examples
    --------
    >>> left_out({"shares": {"items": (3, 24), "columns": (1, 5)}})
    'Left out for missing or infinite numbers: 3 of 24 items (12.5 %). Not used: 1 of 5 columns (20 %).'
    """
    said = {"items": f"Left out for missing or infinite numbers: {{}} {called}", "columns": "Not used: {} columns"}
    told = []
    for what, sentence in said.items():
        if what in card["shares"]:
            gone, of = card["shares"][what]
            told.append(f"{sentence.format(f'{gone:,} of {of:,}')} ({round(100 * gone / of, 1):g} %).")
    return " ".join(told)


def told(card: dict[str, Any], empty: np.ndarray, called: str = "items") -> str:
    """What stands before the finding: what was left out, how many items are like nothing, and the notes that weigh."""
    named_ones = card.get("alike", "")
    alike = f"Left out as asked, for they are like nothing: {named_ones}." if named_ones else ""
    if empty.any():
        alike = f"Like nothing: {empty.sum():,} of {len(empty):,} {called}, {named_ones}."
    first = [note for note in card["notes"] if note == LEVELS]
    return " ".join(filter(None, [left_out(card, called), alike, *first]))


def file_rows(card: dict[str, Any]) -> pd.Index:
    """Where the n items are in their file, and as its name what they are there.

    A "row" is told by its number, counted from 0, those left out counted too; a "column" by its heading.
    """
    return card["where"]


def like_nothing(A: Any, metric: str) -> np.ndarray:
    """Which items have similarity 0 to all others, bool (n,): vectors of zeros, or constant ones if correlated."""
    n, found = len(A), []
    for start in range(0, n, ROWS_AT_ONCE):
        some = np.arange(start, min(start + ROWS_AT_ONCE, n))
        if metric in ON_VECTORS:
            found.append(np.diagonal(SIMILARITIES[metric](A[some])) == 0)
        elif METRICS[metric].of_distances:
            found.append(np.zeros(len(some), bool))
        else:
            found.append(np.count_nonzero(A[some], axis=1) - (np.asarray(A[some, some]) != 0) == 0)
    return np.concatenate(found)


def _where(labels: np.ndarray, card: dict[str, Any], transpose: bool) -> pd.Index:
    """Where the items are in their file, whose own labels they have."""
    if transpose:
        return pd.Index(labels, name="column")
    return pd.Index(np.arange(card["rows"]) if card["kept"] is None else card["kept"], name="row")


def _about_empty(items: Items, metric: str, drop: bool) -> Items:
    """The items, and on their card which of them are like nothing; without those if so asked."""
    empty, card = items.empty, items.card
    if not empty.any():
        return items
    named_ones = ", ".join(repr(plain(label, 40)) for label in items.labels[empty][:EMPTY_NAMED])
    named_ones += ", ..." * bool(empty.sum() > EMPTY_NAMED)
    card["alike"] = named_ones
    of_them = f"{card['where'].name.capitalize()}s that {EMPTY[metric]} ({empty.sum():,}):"
    if not drop:
        way_out = "They are kept, though like nothing: --drop-empty leaves them out."
        card["notes"].append(f"{of_them} {named_ones}. {way_out}")
        return items
    rows = np.flatnonzero(~empty)
    card["dropped"].append(f"As asked: {of_them[0].lower()}{of_them[1:]} {named_ones}.")
    card["kept"] = rows if card["kept"] is None else card["kept"][rows]
    card["rows"], card["where"] = len(rows), card["where"][rows]
    A = items.A[rows] if metric in ON_VECTORS else np.asarray(items.A)[np.ix_(rows, rows)]
    ids, classes, pictures = (
        None if each is None else each[rows] for each in (items.ids, items.classes, items.thumbnails)
    )
    return Items(A, items.labels[rows], card, ids, classes, pictures, empty[rows])


def _read_file(path: str, metric: str, wishes: Wishes) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """The vectors or the matrix in a file, the labels, and the card."""
    if metric in ON_VECTORS:
        A, labels, card = _vectors(path, wishes, wishes.label)
        return (_dense(A, card) if _check.is_sparse(A) else A), labels, card
    A, labels, card = load_matrix(path)
    return (A if METRICS[metric].of_distances else _on_scale_one(A, card)), labels, card


def _vectors(path: str, wishes: Wishes, label: str | None) -> Any:
    """What `load_vectors` reads; columns that name the items or their classes are no vectors."""
    told = {name: getattr(wishes, name) for name in ("label", "names", "classes")}
    beside = {name: each for name, each in told.items() if each and each != label and not _is_file(each)}
    drop = [*(wishes.drop or []), *beside.values()] or None
    label = None if label and _is_file(label) else label
    try:
        return load_vectors(path, label=label, columns=wishes.columns, transpose=wishes.transpose, drop=drop)
    except ValueError as error:  # which of the options named a column that is not there
        asked = " or ".join(["drop"] * bool(wishes.drop) + list(beside))
        raise ValueError(str(error).replace("drop must list", f"{asked} must list")) from None


def _told(path: str | None, metric: str, wishes: Wishes, card: dict[str, Any], name: str) -> np.ndarray | None:
    """What a column or a file of its own says of each item, str (n,); None if nobody asks, or if A came with it."""
    value = getattr(wishes, name)
    if value is None:
        return None
    if _is_file(value):
        return _lines(Path(value), name, card)
    if name == "label":
        return None
    if wishes.transpose or metric not in ON_VECTORS:
        why = "the columns are the items" if wishes.transpose else f"{card['file']} is read as a matrix"
        raise ValueError(f"{name}={value!r} is no file, and {why}: give a text file with a line an item")
    found = _vectors(str(path), wishes, value)
    if len(found.labels) != card["rows"]:
        raise ValueError(f"{card['file']}: column {value!r} is needed as vectors: name those with columns=")
    card["notes"].append(f"Column {value!r} tells the {name} and is not part of the vectors.")
    return found.labels


def _lines(path: Path, name: str, card: dict[str, Any]) -> np.ndarray:
    """The lines of a file, one an item of the data file, those left out counted; of the items that were kept."""
    try:
        lines = np.array([line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()], dtype=np.str_)
    except UnicodeDecodeError:
        raise ValueError(f"{path.name} is not UTF-8 text, expected a line an item for {name}") from None
    n = card["shares"].get("items", (0, card["rows"]))[1]
    _refuse_table(path, lines)
    if len(lines) != n:
        heading = f": is the first a heading? tail -n +2 {path.name} leaves it out" if len(lines) == n + 1 else ""
        raise ValueError(
            f"{path.name} has {len(lines):,} lines, expected {n:,}, one an item of {card['file']}{heading}"
        )
    card["notes"].append(f"{path.name} tells the {'labels' if name == 'label' else name}, a line an item.")
    return lines if card["kept"] is None else lines[card["kept"]]


def _refuse_table(path: Path, lines: np.ndarray) -> None:
    """Raise if the lines of a .csv or .tsv file have several cells each; the way out takes the last of them."""
    separator = {".csv": ",", ".tsv": "\t"}.get(path.suffix.lower())
    rows = [parts(line, separator) for line in lines] if separator else []
    if not rows or len(rows[0]) < 2 or len(set(map(len, rows))) > 1:
        return
    told = repr(path.name) + ("" if separator == "," else ", sep='\\t'")
    written = f"to_csv({path.stem + '.txt'!r}, index=False, header=False)"
    taken = f"import pandas; pandas.read_csv({told})[{rows[0][-1]!r}].{written}"
    quoted = shlex.quote(taken) if set(taken) & set('"$`!') else f'"{taken}"'
    raise ValueError(
        f"{path.name} is a table of {len(rows[0])} columns, expected a line an item: write one of its columns as text, "
        f"for instance the last, by python -c {quoted}, and give {path.stem}.txt"
    )


def _pictures(path: str, card: dict[str, Any]) -> np.ndarray:
    """The small pictures in a .npy file, or in a .npz file of one array, of the items that were kept."""
    held = np.load(path, allow_pickle=False)
    if not isinstance(held, np.ndarray):
        if len(held.files) != 1:
            raise ValueError(f"{Path(path).name} holds {len(held.files)} arrays, expected the thumbnails alone")
        held = held[held.files[0]]
    n = card["shares"].get("items", (0, card["rows"]))[1]
    if held.ndim not in (3, 4) or len(held) != n:
        raise ValueError(f"{Path(path).name}: thumbnails must be ({n}, height, width), or (..., 3), got {held.shape}")
    sheet(held[:1], 1)  # it says what else is wrong with them
    return held if card["kept"] is None else held[card["kept"]]


def _is_file(value: str) -> bool:
    """Whether a value names a file rather than a column: the one who calls writes the paths of files in full."""
    return Path(value).is_absolute() and Path(value).is_file()


def _refuse_unused(path: str | None, wishes: Wishes) -> None:
    """Raise if the caller wishes what only a file of vectors has."""
    label = None if wishes.label and _is_file(wishes.label) else wishes.label
    of_vectors = {"label": label, "columns": wishes.columns, "transpose": wishes.transpose, "drop": wishes.drop}
    of_files = {"classes": wishes.classes, "names": wishes.names} if path is None else {}
    wished = next((name for name, wish in (of_vectors | of_files).items() if wish), None)
    if wished:
        what = "the shipped words have no such choice" if path is None else f"{Path(path).name} is read as a matrix"
        raise ValueError(f"{wished} is for files of vectors, and {what}: leave it out")


def _dense(A: Any, card: dict[str, Any]) -> np.ndarray:
    """Sparse vectors as an ordinary array, if it fits into memory; the card says so."""
    need = int(np.prod(A.shape)) * A.dtype.itemsize
    _check.memory(need, "the vectors, written out with their zeros,", "take fewer columns")
    card["notes"].append("The vectors are stored without their zeros and were written out.")
    return A.toarray()


def _on_scale_one(A: np.ndarray, card: dict[str, Any]) -> np.ndarray:
    """Similarities divided by the similarity of an item to itself, if that is one number other than 1."""
    own = np.asarray(A.diagonal(), dtype=np.float64)
    top = own.max()
    if not (np.isfinite(top) and top > 0 and abs(top - 1) > SAME and np.all(abs(own - top) <= SAME * top)):
        return A
    _check.memory(A.nbytes, "a copy of the matrix on the scale of 1", "divide it before")
    card["notes"].append(f"Similarities are divided by {top:g}, the similarity of an item to itself.")
    return (A / top).astype(np.float64 if A.dtype.kind != "f" else A.dtype)


def _shipped_words(metric: str) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """The words that come with the workbook, as `read` returns them."""
    if metric not in ON_VECTORS:
        raise ValueError(f'the shipped words are vectors: metric must be "cosine" or "correlation", got "{metric}"')
    words = load("words")
    checksums = dict(line.split()[::-1] for line in (DATA / "SHA256SUMS").read_text().splitlines())
    card = {
        "file": "vectors.npy",
        "format": "the shipped words",
        "sha256": checksums["vectors.npy"],
        "rows": words.vectors.shape[0],
        "columns": words.vectors.shape[1],
        "dtype": "int8",
        "dropped": [],
        "notes": [],
        "kept": None,
        "shares": {},
    }
    return words.vectors, words.names, card
