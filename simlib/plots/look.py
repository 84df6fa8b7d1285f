"""Colours, markers and settings that all pictures share, and how a medoid looks."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simlib import _kinds
from simlib._engine.metrics import METRICS
from simlib.medoids import Clustering
from simlib.plots.fonts import families

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#555555")  # Okabe and Ito, no yellow
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
INK = "#333333"
LINK: dict[str, Any] = {"arrowstyle": "-", "color": INK, "lw": 0.7}  # from a text to what it names


def style() -> None:
    """Set size, resolution, fonts and grid for all figures that follow. Call it once, at the top of a notebook.

    Text stays text in PDF and SVG files: fonts are embedded as TrueType in the one, and named in the other. Letters
    that the usual font lacks are taken from other fonts for them, where such are installed. Matplotlib warns of letters
    that no font has.
    """
    plt.rc("figure", figsize=(8, 4.5), dpi=100)
    plt.rc("figure.constrained_layout", use=True)
    plt.rc("font", size=10, family=families())
    plt.rc("pdf", fonttype=42)
    plt.rc("svg", fonttype="none")
    plt.rc("axes", titlesize=12, titlelocation="left", grid=True, axisbelow=True)
    plt.rc("axes.spines", top=False, right=False)
    plt.rc("grid", color="#E6E6E6", linewidth=0.8)
    plt.rc("xtick", labelsize=9)
    plt.rc("ytick", labelsize=9)
    plt.rc("legend", fontsize=9)


def new_axes(ax: Axes | None) -> Axes:
    """The Axes given, or those of a new figure."""
    if ax is None:
        return plt.subplots()[1]
    _kinds.instance(ax, "ax", Axes, "pyplot.subplots")
    return ax


def figure_of(ax: Axes) -> Figure:
    """The figure that an Axes is part of, however deep."""
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure


def looks(k: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions in COLOURS and in MARKERS for k groups: the first 49 pairs differ, then they come again."""
    j = np.arange(k)
    c = len(COLOURS)
    return j % c, (j + j // c) % c


def loss_of(fit: Clustering) -> str:
    """What the inertia of a fit is the sum of."""
    return "distance" if METRICS[fit.metric].of_distances else "1 − similarity"


def stars(ax: Axes, at: np.ndarray, area: Any, alpha: float = 1) -> None:
    """Draw medoids at (k, 2): stars in rings of `area` square points."""
    x, y = at.T
    ax.scatter(x, y, s=area, marker="o", c="white", edgecolors=INK, lw=0.8, zorder=3, alpha=alpha)
    ax.scatter(x, y, s=np.multiply(area, 0.6), marker="*", c=COLOURS[5], lw=0, zorder=3.1, alpha=alpha)
