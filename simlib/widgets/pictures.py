"""The explorer's pictures as PNG, drawn beforehand, one for each k.

What is the same at every k is drawn once; what moves is drawn onto copies of it. `items` (m,), ascending, are all items
that are a medoid at any k. Each has one place on the map for all ks, so that no star jumps when k changes.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib import pyplot
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from PIL import Image

from simlib import plots
from simlib._engine.metrics import METRICS
from simlib._labels import SHORT, plain
from simlib.choose import KScan
from simlib.medoids import Clustering

DPI = 110
CURVES_SIZE = (4.2, 5.4)  # inches; the curves and the map stand side by side
MAP_SIZE = (6.3, 5.4)


def places(scan: KScan, items: np.ndarray, closeness: np.ndarray) -> np.ndarray:
    """Where each of `items` lies on the map, float64 (m, 2), from their closeness (m, m) to each other.

    The medoids of the largest k are laid out (`plots.medoid_positions`). Any other item lies in the middle of the
    three of them that are closest to it.
    """
    largest = scan.fits[-1]
    laid = np.searchsorted(items, largest.medoids)
    similarity = 1 + closeness if METRICS[largest.metric].of_distances else closeness
    of_items = replace(largest, medoids=laid, labels=np.zeros(len(items), np.int32), unit=1.0)
    at = plots.medoid_positions(similarity, of_items)
    found = at[np.argsort(-closeness[:, laid], axis=1, kind="stable")[:, :3]].mean(axis=1)
    found[laid] = at
    return found


def curves(scan: KScan, criterion: str, null: KScan | None) -> list[bytes]:
    """For each k the inertia above a criterion, with that k marked in both."""
    with pyplot.rc_context():
        plots.style()
        canvas = _canvas(CURVES_SIZE, "constrained")
        rows = []
        for ax, each in zip(canvas.figure.subplots(2, 1), ("inertia", criterion), strict=True):
            plots.k_curve(scan, each, null=null, ax=ax)
            line = ax.axvline(scan.ks[0], color=plots.INK, lw=0.8)
            (ring,) = ax.plot(scan.ks[0], getattr(scan, each)[0], "o", ms=12, mfc="none", mec=plots.INK, mew=1.8)
            rows.append((each, ax.set_title(" ", loc="left"), line, ring))
        moving = [artist for _, *artists in rows for artist in artists]
        still = _still(canvas, moving)
        pictures = []
        for i, k in enumerate(scan.ks):
            for each, title, line, ring in rows:
                value = getattr(scan, each)[i]
                title.set_text(f"{each.replace('_', ' ')} {_number(value)} at k = {k}")
                line.set_xdata([k, k])
                ring.set_data([k], [value])
            pictures.append(_png(canvas, still, moving))
    return pictures


class Maps:
    """The map of the medoids at each k; `ringed` shows on it where one cluster lies.

    Grey dots are the medoids of the largest k; a line leads from each to the star of its cluster.

    Attributes
    ----------
    pictures : list of bytes, one PNG for each k
    """

    def __init__(self, scan: KScan, items: np.ndarray, at: np.ndarray, names: Sequence[str]) -> None:
        self._scan = scan
        self._items = items  # (m,)
        self._at = at  # (m, 2)
        self._low = at.min(axis=0)
        self._high = at.max(axis=0)
        self._names: Any = np.array(names, dtype=object)  # (n,): a long name does not widen all others
        self._stills: list[Any] = []  # the pixels of each map, for the ring to be drawn onto
        self.pictures: list[bytes] = []
        with pyplot.rc_context(), _any_script():
            plots.style()
            self._canvas = _canvas(MAP_SIZE, "none")
            for k, fit in zip(scan.ks, scan.fits, strict=True):
                ax = self._draw(fit)
                ax.set_title(f"map of the {k:,} medoids: the larger a star, the larger its cluster")
                self._ring, self._name = _mark(ax)
                self._stills.append(_still(self._canvas, [self._ring, self._name]))
                self.pictures.append(_png(self._canvas, self._stills[-1], []))

    def _draw(self, fit: Clustering) -> Axes:
        """Draw the map of one k in place of the one before."""
        dots = self._scan.fits[-1].medoids
        stars = self._place(fit.medoids)
        room = 0.06 * np.maximum(self._high - self._low, 1e-9)
        (left, bottom), (right, top) = self._low - room, self._high + room
        self._canvas.figure.clear()
        ax = self._canvas.figure.add_axes((0.045, 0.062, 0.945, 0.895))
        ax.set(xlim=(left, right), ylim=(bottom, top))
        plots.medoid_map(stars, fit, self._names, ax)
        _branches(ax, self._place(dots), stars[fit.labels[dots]])
        return ax

    def ringed(self, i: int, j: int) -> bytes:
        """The map of the i-th k with the star of cluster j ringed and named."""
        item = self._scan.fits[i].medoids[j]
        place = self._place(item)
        across, up = (place - self._low) / np.maximum(self._high - self._low, 1e-9)  # in [0, 1]
        self._ring.set_data(place[:1], place[1:])
        self._name.xy = tuple(place)
        self._name.xyann = (0, -24 if up > 0.8 else 24)
        side = "left" if across < 0.25 else "right" if across > 0.75 else "center"
        self._name.set(text=plain(self._names[item], SHORT), ha=side)
        with _any_script():
            return _png(self._canvas, self._stills[i], [self._ring, self._name])

    def _place(self, rows: Any) -> np.ndarray:
        """Where items (by row number, all of them in `items`) lie on the map, (..., 2)."""
        return self._at[np.searchsorted(self._items, rows)]


def _canvas(size: tuple[float, float], layout: Any) -> FigureCanvasAgg:
    """The canvas of a new figure that no other code knows of."""
    return FigureCanvasAgg(Figure(figsize=size, dpi=DPI, layout=layout))


def _still(canvas: FigureCanvasAgg, moving: Iterable[Artist]) -> Any:
    """Draw all but what moves, and return a copy of the pixels."""
    for artist in moving:
        artist.set_animated(True)
    canvas.draw()
    return canvas.copy_from_bbox(canvas.figure.bbox)


def _png(canvas: FigureCanvasAgg, still: Any, moving: Iterable[Artist]) -> bytes:
    """The still pixels with the moving artists drawn onto them, in 64 colours: that takes a fifth of the bytes."""
    canvas.restore_region(still)
    for artist in moving:
        canvas.figure.draw_artist(artist)
    file = io.BytesIO()
    pixels = np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])
    Image.fromarray(pixels).quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(file, "png")
    return file.getvalue()


def _branches(ax: Axes, dots: np.ndarray, stars: np.ndarray) -> None:
    """Small dots (m, 2), each with a thin line to its star (m, 2), behind everything else."""
    lines = list(np.stack([dots, stars], axis=1))
    ax.add_collection(LineCollection(lines, colors="#999999", lw=0.4, alpha=0.35, zorder=1))
    x, y = dots.T
    ax.scatter(x, y, s=4, c="#AAAAAA", lw=0, zorder=2)


def _mark(ax: Axes) -> tuple[Line2D, Annotation]:
    """A ring and a name, to be moved to a star."""
    (ring,) = ax.plot([], [], "o", ms=20, mfc="none", mec=plots.COLOURS[0], mew=2.5)
    look: dict[str, Any] = {"color": "white", "weight": "bold", "va": "center", "parse_math": False}
    box = {"boxstyle": "round", "fc": plots.COLOURS[0], "lw": 0}
    return ring, ax.annotate("", (0, 0), (0, 0), textcoords="offset points", bbox=box, **look)


def _number(value: float) -> str:
    """A criterion's value in a title."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


@contextmanager
def _any_script() -> Iterator[None]:
    """No warning about letters that the font lacks, because the cards show them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")
        yield
