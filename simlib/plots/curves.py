"""Curves: the loss by iteration, criteria and stability by the number of clusters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from simlib import _check, _kinds
from simlib._engine.metrics import METRICS
from simlib._labels import SHORT, plain
from simlib.choose import KScan, Stability
from simlib.medoids import Clustering
from simlib.plots.look import COLOURS, INK, MARKERS, figure_of, looks, loss_of, new_axes
from simlib.plots.names import name_ends

CRITERIA = {
    "inertia": "inertia (sum of {loss})",
    "medoid_silhouette": "mean medoid silhouette (0 to 1)",
    "silhouette": "mean silhouette (−1 to 1)",
}


def history(fits: Mapping[str, Clustering], ax: Axes | None = None) -> Axes:
    """Inertia after each iteration, one line for each fit.

    Parameters
    ----------
    fits : dict of name -> Clustering
        The names stand at the ends of the lines; if there are more than ten, they stand in a legend.
    """
    ax = new_axes(ax)
    _kinds.mapping(fits, "fits", Clustering, "kmedoids")
    _one_loss([fit.metric for fit in fits.values()], "fits")
    losses = [fit.history or (fit.inertia,) for fit in fits.values()]
    names = [plain(name, SHORT) for name in fits]
    hues = [COLOURS[c] for c in looks(len(fits))[0]]
    for loss, name, hue, m in zip(losses, names, hues, looks(len(fits))[1], strict=True):
        ax.plot(range(1, len(loss) + 1), loss, color=hue, marker=MARKERS[m], ms=5, lw=1.5, label=name)
    ax.set(xlabel="iteration", ylabel=f"inertia (sum of {loss_of(next(iter(fits.values())))})")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if len(fits) <= 10:
        name_ends(ax, [(len(loss), loss[-1]) for loss in losses], names, hues)
        return ax
    for entry in ax.legend(loc="upper right").get_texts():
        entry.set_parse_math(False)
    return ax


def k_curve(
    scan: KScan, criterion: str, k: int | None = None, null: KScan | None = None, ax: Axes | None = None
) -> Axes:
    """A criterion against the number of clusters, and beside it the same for data without structure.

    Where the scan has bounds, a band under its inertia shows what better clusterings could gain at most.

    Parameters
    ----------
    scan : KScan
    criterion : {"inertia", "medoid_silhouette", "silhouette"}
    k : int, optional
        One of scan.ks, which gets a ring.
    null : KScan, optional
        The scan of the shuffled data. It gets a dashed line of its own, and then there is a legend.
    """
    for each, name in ((scan, "scan"), (scan if null is None else null, "null")):
        _kinds.instance(each, name, KScan, "scan_k")
    _one_loss([each.fits[0].metric for each in (scan, null) if each is not None], "scan and null")
    _check.one_of(criterion, "criterion", tuple(CRITERIA))
    if k is not None and _check.whole_number(k, "k", 2) not in scan.ks:
        raise ValueError(f"k must be one of the scanned {scan.ks.tolist()}, got {k}")
    ax = new_axes(ax)
    values = getattr(scan, criterion)
    ax.plot(scan.ks, values, color=COLOURS[0], marker="o", ms=5, lw=1.5, label="the data")
    if null is not None:
        dashed: dict[str, Any] = {"color": COLOURS[5], "marker": "s", "ms": 4, "lw": 1.2, "ls": "--"}
        ax.plot(null.ks, getattr(null, criterion), label="columns shuffled", **dashed)
    if banded := criterion == "inertia" and scan.lower is not None:
        look: dict[str, Any] = {"color": COLOURS[0], "alpha": 0.3, "lw": 0}
        ax.fill_between(scan.ks, scan.lower, values, label="no clustering is below this band", **look)
    if banded or null is not None:
        ax.legend(loc="best")
    ax.set_xscale("log", base=2)
    if k is not None:
        ax.axvline(k, color=INK, lw=0.8)
        ax.plot(k, values[scan.ks == k], "o", ms=13, mfc="none", mec=INK, mew=1.8)
    picked = next(pick.k for pick in scan.picks() if pick.criterion == criterion)
    ax.set_xticks(scan.ks, _thinned(ax, scan.ks, [picked] if k is None else [k, picked]))
    ax.set_xticks([], minor=True)
    ax.set(xlabel="number of clusters k (log scale)", ylabel=CRITERIA[criterion].format(loss=loss_of(scan.fits[0])))
    return ax


def stability_curve(
    scores: Mapping[int, Stability], null: Mapping[int, Stability] | None = None, ax: Axes | None = None
) -> Axes:
    """How much of a clustering survives resampling, against k: the mean, and a small mark for each subsample.

    Parameters
    ----------
    scores : dict of k -> Stability
    null : dict of k -> Stability, optional
        Of the shuffled data, which gets a dashed line.
    """
    ax = new_axes(ax)
    for each, name in ((scores, "scores"), (scores if null is None else null, "null")):
        _kinds.mapping(each, name, Stability, "stability")
        for k in each:
            _check.whole_number(k, f"each key of {name}", 1)
    # The two lines stand a little apart, so that the marks of one do not hide those of the other.
    _stability_line(ax, scores, 0.97, {"label": "the data", "color": COLOURS[0], "marker": "o", "ls": "-"})
    if null is not None:
        look = {"label": "columns shuffled", "color": COLOURS[5], "marker": "s", "ls": "--"}
        _stability_line(ax, null, 1.03, look)
    ax.set_xscale("log", base=2)
    ks = np.array(sorted(scores))
    ax.set_xticks(ks, _thinned(ax, ks, []))
    ax.set_xticks([], minor=True)
    ax.set(xlabel="number of clusters k (log scale)", ylabel="adjusted Rand index (1 = the same clusters)")
    ax.legend(loc="best")
    return ax


def _one_loss(metrics: list[str], called: str) -> None:
    """Raise unless clusterings that share an axis were all made from similarities, or all from distances."""
    if len({METRICS[metric].of_distances for metric in metrics}) > 1:
        raise ValueError(f"{called} must all be of similarities or all of distances, got both: draw them apart")


def _thinned(ax: Axes, ks: np.ndarray, first: list[int]) -> list[str]:
    """The labels of the ks on a logarithmic axis; a label that would touch another is empty.

    Those in `first`, such as the ringed k, come first, then the last one. The others follow from the left, as far as
    they find room.
    """
    width = ax.get_position().width * figure_of(ax).get_figwidth()  # inches
    place = np.log2(ks) * 0.85 * width / max(np.ptp(np.log2(ks)), 1)
    half = 0.045 * (np.array([len(str(each)) for each in ks]) + 1)  # inches: half a label's width, with a gap
    shown: list[int] = []
    for i in [*np.searchsorted(ks, first).tolist(), len(ks) - 1, *range(len(ks))]:
        if all(abs(place[i] - place[other]) >= half[i] + half[other] for other in shown):
            shown.append(i)
    return [str(each) if i in shown else "" for i, each in enumerate(ks)]


def _stability_line(ax: Axes, scores: Mapping[int, Stability], shift: float, look: dict[str, Any]) -> None:
    """Draw the means as a line, each with its subsamples and their span; every k is multiplied by `shift`."""
    ks = np.array(sorted(scores))
    found = [scores[k] for k in ks]
    at = ks * shift
    ax.plot(at, [s.mean for s in found], ms=7, lw=1.5, **look)
    ax.vlines(at, [min(s.scores) for s in found], [max(s.scores) for s in found], color=look["color"], lw=1)
    for x, s in zip(at, found, strict=True):
        ax.plot(np.full(len(s.scores), x), s.scores, look["marker"], color=look["color"], ms=4, alpha=0.4)
