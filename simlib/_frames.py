"""The explorer's pictures, one a k, drawn beforehand as PNG: what stands still is drawn once, the rest onto copies.

`items` (m,), ascending, are all that are a medoid at any k; each has one place on the map for all ks, so that no star
jumps when k changes.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from matplotlib import pyplot
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from PIL import Image

from simlib import plots
from simlib.choose import KScan

DPI = 110
CURVES, MAP = (4.2, 5.4), (6.3, 5.4)  # inches; side by side


def places(scan: KScan, items: np.ndarray, closeness: np.ndarray) -> np.ndarray:
    """Where each of `items` lies on the map, float64 (m, 2), from their closeness (m, m) to each other.

    The medoids of the largest k are laid out (`plots.medoid_positions`); any other item lies in the middle of the
    three of them that are closest to it.
    """
    largest = scan.fits[-1]
    laid = np.searchsorted(items, largest.medoids)
    similarity = 1 + closeness if largest.metric == "precomputed" else closeness
    at = plots.medoid_positions(similarity, replace(largest, medoids=laid))
    found = at[np.argsort(-closeness[:, laid], axis=1, kind="stable")[:, :3]].mean(axis=1)
    found[laid] = at
    return found


def curves(scan: KScan, criterion: str, null: KScan | None) -> list[bytes]:
    """For each k the inertia above a criterion, that k marked in both."""
    with pyplot.rc_context():
        plots.style()
        canvas = _canvas(CURVES, "constrained")
        rows = []
        for ax, each in zip(canvas.figure.subplots(2, 1), ("inertia", criterion), strict=True):
            plots.k_curve(scan, each, null=null, ax=ax)
            line = ax.axvline(scan.ks[0], color=plots.INK, lw=0.8)
            (ring,) = ax.plot(scan.ks[0], getattr(scan, each)[0], "o", ms=12, mfc="none", mec=plots.INK, mew=1.8)
            rows.append((each, ax.set_title(" ", loc="left"), line, ring))
        moving = [artist for row in rows for artist in row[1:]]
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


def maps(
    scan: KScan, items: np.ndarray, at: np.ndarray, names: Sequence[str]
) -> tuple[list[bytes], Callable[[int, int], bytes]]:
    """For each k the map of its medoids, and `ringed(i, j)`: the map of the i-th k with the star of cluster j ringed.

    Grey dots are the medoids of the largest k; a line leads from each to the star of its cluster.
    """
    names, dots = np.array(names, dtype=object), scan.fits[-1].medoids
    low, high = at.min(axis=0), at.max(axis=0)
    room = 0.06 * np.maximum(high - low, 1e-9)
    pictures, stills = [], []
    with pyplot.rc_context(), _any_script():
        plots.style()
        canvas = _canvas(MAP, "none")
        for k, fit in zip(scan.ks, scan.fits, strict=True):
            canvas.figure.clear()
            ax = canvas.figure.add_axes((0.045, 0.062, 0.945, 0.895))
            ax.set(xlim=(low[0] - room[0], high[0] + room[0]), ylim=(low[1] - room[1], high[1] + room[1]))
            stars = at[np.searchsorted(items, fit.medoids)]
            plots.medoid_map(stars, fit, names, ax)
            _branches(ax, at[np.searchsorted(items, dots)], stars[fit.labels[dots]])
            ax.set_title(f"map of the {k:,} medoids: the larger a star, the larger its cluster")
            ring, name = _mark(ax)
            stills.append(_still(canvas, [ring, name]))
            pictures.append(_png(canvas, stills[-1], []))

    def ringed(i: int, j: int) -> bytes:
        item = scan.fits[i].medoids[j]
        place = at[np.searchsorted(items, item)]
        across, up = (place - low) / np.maximum(high - low, 1e-9)  # in [0, 1]
        ring.set_data(place[:1], place[1:])
        name.xy, name.xyann = place, (0, -24 if up > 0.8 else 24)
        name.set(text=names[item], ha="left" if across < 0.25 else "right" if across > 0.75 else "center")
        with _any_script():
            return _png(canvas, stills[i], [ring, name])

    return pictures, ringed


def _canvas(size: tuple[float, float], layout: str) -> FigureCanvasAgg:
    """The canvas of a new figure that no other code knows of."""
    return FigureCanvasAgg(Figure(figsize=size, dpi=DPI, layout=layout))


def _still(canvas: FigureCanvasAgg, moving: Iterable[Artist]):
    """Draw all but what moves; returns a copy of the pixels."""
    for artist in moving:
        artist.set_animated(True)
    canvas.draw()
    return canvas.copy_from_bbox(canvas.figure.bbox)


def _png(canvas: FigureCanvasAgg, still, moving: Iterable[Artist]) -> bytes:
    """The still pixels with the moving artists drawn onto them, in 64 colours: a fifth of the bytes."""
    canvas.restore_region(still)
    for artist in moving:
        canvas.figure.draw_artist(artist)
    file = io.BytesIO()
    pixels = np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])
    Image.fromarray(pixels).quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(file, "png")
    return file.getvalue()


def _branches(ax: Axes, dots: np.ndarray, stars: np.ndarray) -> None:
    """Small dots, each with a thin line to its star, behind everything else."""
    ax.add_collection(LineCollection(np.stack([dots, stars], axis=1), colors="#999999", lw=0.4, alpha=0.35, zorder=1))
    ax.scatter(*dots.T, s=4, c="#AAAAAA", lw=0, zorder=2)


def _mark(ax: Axes) -> tuple[Artist, Artist]:
    """A ring and a name, to be moved to a star."""
    (ring,) = ax.plot([], [], "o", ms=20, mfc="none", mec=plots.COLOURS[0], mew=2.5)
    look = {"color": "white", "weight": "bold", "va": "center", "parse_math": False}
    box = {"boxstyle": "round", "fc": plots.COLOURS[0], "lw": 0}
    return ring, ax.annotate("", (0, 0), (0, 0), textcoords="offset points", bbox=box, **look)


def _number(value: float) -> str:
    """A criterion's value in a title."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


@contextmanager
def _any_script() -> Iterator[None]:
    """No warning about letters that the font lacks: the cards show them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")
        yield
