"""Clusters as cards in HTML that brings its own look; the names in it are escaped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simlib import _cards, _check
from simlib._beside import data_of, same_ensemble
from simlib._cards import Card
from simlib._labels import SHORT, figures, marked, names_of
from simlib.ensemble import Ensemble
from simlib.medoids import Clustering, check_fit

CARD = "border:1px solid #bbb;border-radius:6px;padding:6px 10px;line-height:1.35;overflow-wrap:anywhere"
FOUND = CARD.replace("1px solid #bbb", "2px solid #0072B2").replace("6px 10px", "5px 9px")  # of the item searched for
GRID = "display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:8px"
LISTED = 8  # members named on a card, beside the exemplar


def cards_html(
    fit: Clustering,
    S: Any,
    labels: Sequence[str] | None = None,
    cards: int = 9,
    *,
    ensemble: Ensemble | None = None,
) -> str:
    """The largest clusters as cards: exemplar, size, mean closeness, nearest members, and the neighbour cluster.

    Parameters
    ----------
    fit : Clustering
    S : array
        What it was made from: similarities or distances (n, n), or vectors (n, d).
    labels : n names, optional
        A list, an array, an index or a series. Default: the index of S if S is a frame, else the row numbers.
    cards : int
        How many clusters to show, the largest first.
    ensemble : Ensemble, optional
        Of the same items. Each card then says how sure its cluster is: `Ensemble.recovered`, in [0, 1].

    Returns
    -------
    str
        HTML; the names in it are escaped.
    """
    check_fit(fit)
    cards = _check.whole_number(cards, "cards", 1)
    same_ensemble(ensemble, len(fit.labels))
    names = names_of(labels, len(fit.labels), S)
    closeness = data_of(S, fit).closeness(fit.medoids, fit.medoids)
    near = _cards.neighbours(closeness, np.arange(len(fit.medoids)))
    sure = None if ensemble is None else ensemble.recovered(fit)
    return grid(fit, near, names, cards, sure=sure)


def grid(
    fit: Clustering,
    near: np.ndarray,
    names: list[str],
    cards: int,
    item: int | None = None,
    sure: np.ndarray | None = None,
) -> str:
    """The cluster of `item`, then the largest others, as a grid of HTML; `near` (k,) is from `_cards.neighbours`.

    `sure` (k,) says how far each cluster comes back in an ensemble, if there is one.
    """
    order = _cards.largest_first(fit)
    own = None if item is None else fit.labels[item]
    if own is not None:
        order = np.concatenate([[own], order[order != own]])
    shown = []
    for j in order[:cards]:
        neighbour = int(fit.medoids[near[j]]) if near[j] >= 0 else None
        found = item if j == own else None
        shown.append(_html(_cards.card(fit, j, neighbour), names, found, None if sure is None else sure[j]))
    return f'<div style="{GRID}">{"".join(shown)}</div>'


def _html(card: Card, names: list[str], item: int | None, sure: float | None) -> str:
    """One cluster as HTML; `item` is the member searched for, if it is one of this cluster; `sure` as in `grid`."""
    texts = [(i, marked(names[i], SHORT)) for i in card.others[:LISTED]]
    others = ", ".join(f"<b>{text}</b>" if i == item else text for i, text in texts)
    size = f"{card.size:,} item" + ("s" if card.size > 1 else "")
    tight = f"mean {card.entry} {figures(card.entries.mean(), 2)}" if card.size > 1 else "alone"
    beside = "" if card.neighbour is None else f", next to {marked(names[card.neighbour], SHORT)}"
    again = "" if sure is None else f", how sure: {sure:.2f}"
    return (
        f'<div style="{CARD if item is None else FOUND}"><b>★ {marked(names[card.exemplar], SHORT)}</b> '
        f'<span style="opacity:.7">{size}, {tight}{beside}{again}</span><br>{others}</div>'
    )
