"""What the texts of a report say beside what always holds: sentences that depend on the data, as Markdown.

Each function returns what the page adds to the text or caption that stands in notebook 06; "" if it adds none. `called`
is what the items are called.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from simlib._engine.metrics import METRICS
from simlib.choose import KScan
from simlib.medoids import Clustering
from simlib.plots.fonts import undrawn
from simlib.plots.heat import PARTED
from simlib.report import numbers

PALE = 0.05  # share of the colours, from white on, that is seen as white
ENDS_AT = {
    "fasterpam": "no exchange of one exemplar for one of the other {called} lowers it (FasterPAM: Schubert and "
    "Rousseeuw, 2021)",
    "alternate": "the exemplars of the clusters and the clusters of the exemplars stay the same (the alternating loop)",
}  # when the search ends, by the method


def exemplar_map(ax: Axes, fit: Clustering) -> str:
    """Why some stars of the map in `ax` have no names, and some names no letters, if that is so."""
    names = [text.get_text() for text in ax.texts]
    pale = "Where a name finds no room, the star is pale." if len(names) < len(fit.medoids) else ""
    return " ".join(filter(None, [pale, undrawn(names)]))


def blocks(ax: Axes, fit: Clustering, called: str) -> str:
    """What the colours, lines and numbers of the picture of the matrix in `ax` mean, as far as they are there."""
    means, top = np.asarray(ax.images[0].get_array()), ax.images[0].get_clim()[1] or 1.0
    said = []
    if METRICS[fit.metric].of_distances:
        said += [f"White blocks hold {called} that are far apart."] * bool(means.max() > (1 - PALE) * top)
    else:
        said += [f"White blocks hold {called} whose similarity is about 0."] * bool(np.abs(means).min() < PALE * top)
        said += [f"Blue blocks hold {called} whose similarity is below 0."] * bool(means.min() < -PALE * top)
    if len(ax.get_yticks()) < len(fit.medoids):
        said.append("A number that finds no room is left out; the larger clusters go first.")
    if len(fit.medoids) > PARTED:
        said.append("Large dark patches are groups of clusters that are alike.")
    else:
        said.append("Thin lines part the clusters.")
    return " ".join(said)


def curves(null: KScan | None) -> str:
    """What the second line of each curve is, if there is one: the scan of the shuffled data."""
    if null is None:
        return ""
    line = "The dashed line is what the same data reach with their columns shuffled."
    return f"{line} A criterion that does no better has found no structure."


def silhouettes(ax: Axes, called: str) -> str:
    """What the dashed line of the silhouettes in `ax` is, unless a legend says so."""
    return "" if ax.get_legend() else f"The dashed line is the mean of all {called}."


def classes(table: Axes) -> str:
    """What the table of classes in `table` has beside the squares of its diagonal."""
    columns = [each.get_text() for each in table.get_xticklabels()]
    own = len(columns) - (columns[-1:] == ["any other"])
    said = ["The column *any other* is the clusters of all other names."] * (len(columns) > own)
    if own < len(table.get_yticks()):
        said.append("A row at the bottom that has no column is a class after which no cluster is named.")
    return " ".join(said)


def made(
    fit: Clustering, method: str, shuffled: Any, labels: Sequence[str], card: dict[str, Any], remarks: Any, called: str
) -> str:
    """How this report was made, where that depends on the data.

    `shuffled` is the stability of shuffled data or None, `card` and `labels` are what `reading.read` returns, and
    `remarks` (n,) what `numbers.remarks` does.
    """
    loss = "the distance itself" if METRICS[fit.metric].of_distances else "1 − similarity"
    said = [f"Here d is {loss}. The inertia is lowered until {ENDS_AT[method].format(called=called)}."]
    if shuffled is not None:
        said.append("The stability is measured five times more, for the data with their columns shuffled.")
    if remarks is not None:
        count = sum(map(bool, remarks))
        said.append(
            f"{count:,} of the {called} have similarity 0 to all others, so every exemplar is equally far from them. A "
            "rule for ties puts them with one of the exemplars, which tells no likeness."
        )
    if any(numbers.cell(label) != label for label in labels):
        said.append(
            "In the CSV files a label that begins with one of `= + - @` has an apostrophe in front, so that no "
            "spreadsheet computes it."
        )
    lost = ", and those left out are counted too" if card["kept"] is not None else ""
    numbered = card["where"].name == "row"
    said.append(f"Rows are counted from 0 as in the file{lost}." if numbered else "Columns are told by their headings.")
    return " ".join(said)
