"""The members of clusters by name, cut or joined so that the table of clusters takes a few pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from simlib._labels import LONG, marked
from simlib.medoids import Clustering

SHORT = 40  # characters of a name, on average, up to which names stand side by side
ROOM = 20_000  # characters of all names
MANY = 10  # members of a cluster that are named, whatever room they take, or at most if names are long
FEW = 3  # members of a cluster that are named even if names are long and clusters many
RUN = 3  # numbers a run, on average over all clusters, from which on runs are told


class Named(NamedTuple):
    """The members of some clusters: HTML, one a cluster; what it tells; whether members are left out."""

    lines: list[str]
    what: str
    cut: bool


def named(fit: Clustering, labels: Sequence[str], clusters: np.ndarray, apart: np.ndarray | None = None) -> Named:
    """The members of some clusters by name, without the exemplar, the closest to it first; what is cut is counted.

    Of 20,000 characters each cluster may fill its share with names, and at least 10 names. Long names, such as
    sentences, have a line each: up to 10 a cluster or, if there are many clusters, fewer but 3. Labels that only
    number the rows tell little, so there are 10 of them. If the clusters are long runs of rows, all are told: 4–17.
    The items `apart`, bool (n,), are told elsewhere: they stand in runs only.
    """
    rows = row_numbers(labels)
    if rows is not None:
        joined = [runs(rows[fit.members(j)]) for j in clusters]
        if RUN * sum(map(len, joined)) <= sum(len(fit.members(j)) for j in clusters):
            return Named([", ".join(map(_run, each)) for each in joined], "all its members by their rows", False)
    width = np.mean([min(len(label), LONG) for label in labels])
    share = int(ROOM / (len(clusters) * (width + 2)))
    most, between = max(share, MANY), " · " if any("," in label for label in labels) else ", "
    if width > SHORT:
        most, between = min(max(share, FEW), MANY), "<br>"
    elif rows is not None:
        most = MANY
    others = [fit.members(j)[1:] for j in clusters]
    told = others if apart is None else [rows[~apart[rows]] for rows in others]
    lines = [_cut([marked(labels[i]) for i in each], most, between) for each in told]
    cut = any(len(each) > most for each in told)
    return Named(lines, "its other members, the closest to the exemplar first", cut)


def row_numbers(labels: Sequence[str]) -> np.ndarray | None:
    """The labels as numbers, int64 (n,), if they only number the rows of a file, of which some may be left out.

    Examples
    --------
    >>> row_numbers(["0", "1", "3"]), row_numbers(["1990", "1991"]), row_numbers(["0", "01"])
    (array([0, 1, 3]), None, None)
    """
    if not all(label.isascii() and label.isdecimal() and len(label) < 10 for label in labels):
        return None
    values = np.array([int(label) for label in labels])
    plain = all(str(value) == label for value, label in zip(values, labels, strict=True))
    return values if plain and (np.diff(values) > 0).all() and values[-1] <= 2 * len(values) else None


def runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """The first and the last of each run of whole numbers, from the lowest to the highest.

    Examples
    --------
    >>> runs([23, 4, 6, 5])
    [(4, 6), (23, 23)]
    """
    found: list[tuple[int, int]] = []
    for number in sorted(map(int, numbers)):
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def _run(ends: tuple[int, int]) -> str:
    """A run of numbers as text."""
    low, high = ends
    return str(low) if low == high else f"{low}–{high}"


def _cut(names: Sequence[str], most: int, between: str) -> str:
    """The first names, and how many more there are."""
    more = f"and {len(names) - most:,} more"
    if len(names) <= most:
        return between.join(names)
    return f"{between.join(names[:most])}{'<br>' if between == '<br>' else ' '}{more}"
