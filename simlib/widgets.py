"""The explorer of k: everything is computed and drawn beforehand, a move of the slider only shows it."""

from __future__ import annotations

import html
import io
from collections.abc import Sequence
from typing import Any

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from simlib import _check, plots
from simlib.choose import KScan
from simlib.medoids import Clustering

CARD = "border:1px solid #ccc;border-radius:6px;padding:6px 10px;line-height:1.35"
GRID = "display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:8px"


def explore(scan: KScan, S: Any, labels: Sequence[str] | None = None, *, cards: int = 9) -> ipywidgets.VBox:
    """A slider over the scanned ks, with the curves and the largest clusters at the k it stands on.

    Parameters
    ----------
    scan : KScan
    S : array (n, n), the matrix that was scanned; names the cluster each card lies next to
    labels : n names, optional
        Shown as text, never as markup. Default: the row numbers.
    cards : int
        How many clusters to show, the largest first.

    Returns
    -------
    ipywidgets.VBox
        Its first child is the slider.

    Raises
    ------
    ValueError
        `labels` is not n long.

    Notes
    -----
    Every picture is drawn beforehand, about 0.1 s each; a move of the slider only shows another one.
    """
    _check.whole_number(cards, "cards", 1)
    names = _names(labels, len(scan.fits[0].labels))
    slider = ipywidgets.SelectionSlider(
        options=[(str(k), i) for i, k in enumerate(scan.ks)],
        value=len(scan.ks) // 2,
        description="k",
        layout=ipywidgets.Layout(width="40rem"),
    )
    wide = ipywidgets.Layout(width="98%", min_width="0")
    curves, board = ipywidgets.Image(format="png", layout=wide), ipywidgets.HTML(layout=wide)
    pictures = _curves(scan)
    boards = [cards_html(fit, S, names, cards) for fit in scan.fits]

    def show(change: dict) -> None:
        curves.value, board.value = pictures[change["new"]], boards[change["new"]]

    slider.observe(show, "value")
    show({"new": slider.value})
    return ipywidgets.VBox([slider, curves, board], layout=ipywidgets.Layout(width="100%", max_width="54rem"))


def cards_html(fit: Clustering, S: Any, labels: Sequence[str] | None = None, cards: int = 9) -> str:
    """The largest clusters as cards: exemplar, size, mean closeness, nearest members, and the neighbour cluster.

    Parameters
    ----------
    fit : Clustering
    S : array (n, n), the matrix it was made from
    labels : n names, optional
    cards : int

    Returns
    -------
    str
        HTML; the names in it are escaped.
    """
    names = _names(labels, len(fit.labels))
    near = _neighbours(fit, S)
    shown = np.argsort(-fit.sizes, kind="stable")[:cards]
    return f'<div style="{GRID}">' + "".join(_card(fit, names, j, near[j]) for j in shown) + "</div>"


def _names(labels: Sequence[str] | None, n: int) -> list[str]:
    """n names as strings."""
    names = [str(name) for name in (range(n) if labels is None else labels)]
    if len(names) != n:
        raise ValueError(f"labels must hold one name a row, {n}, got {len(names)}")
    return names


def _neighbours(fit: Clustering, S: Any) -> np.ndarray:
    """For each cluster the one whose medoid is closest to its own, -1 if there is no other."""
    between = np.array(S[np.ix_(fit.medoids, fit.medoids)], dtype=np.float64)
    if fit.metric == "precomputed":
        between = -between
    np.fill_diagonal(between, -np.inf)
    return between.argmax(axis=1) if len(between) > 1 else np.array([-1])


def _card(fit: Clustering, names: list[str], j: int, near: int) -> str:
    """One cluster as HTML."""
    members = fit.members(j)
    word, value = ("distance", fit.distance) if fit.metric == "precomputed" else ("similarity", fit.similarity)
    rest = ", ".join(html.escape(names[i]) for i in members[1:9])
    beside = f"next to {html.escape(names[fit.medoids[near]])}" if near >= 0 else ""
    return (
        f'<div style="{CARD}"><b>★ {html.escape(names[fit.medoids[j]])}</b> '
        f"<span style='opacity:.7'>{len(members)} items, mean {word} {value[members].mean():.2f}, {beside}</span>"
        f"<br>{rest}</div>"
    )


def _curves(scan: KScan) -> list[bytes]:
    """For each k a PNG of both curves with that k marked."""
    figure = Figure(figsize=(10, 3.6), dpi=90, layout="constrained")
    panels = list(zip(figure.subplots(1, 2), ("inertia", "medoid_silhouette"), strict=True))
    marks = []
    for ax, criterion in panels:
        plots.k_curve(scan, criterion, ax=ax)
        marks += ax.plot([], [], "o", ms=13, mfc="none", mew=2.5, color="black")
    pictures = []
    for i, k in enumerate(scan.ks):
        for mark, (ax, criterion) in zip(marks, panels, strict=True):
            value = getattr(scan, criterion)[i]
            mark.set_data([k], [value])
            ax.set_title(f"k = {k}: {criterion.replace('_', ' ')} {value:.4g}")
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        pictures.append(buffer.getvalue())
    return pictures
