"""The explorer's curves as PNG, drawn beforehand, one for each k.

What is the same at every k is drawn once; what moves is drawn onto copies of it.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from matplotlib import pyplot
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from PIL import Image

from simlib import plots
from simlib.choose import KScan

DPI = 110
CURVES_SIZE = (4.2, 5.4)  # inches; the curves and the map stand side by side


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
            rows.append((each, ax.set_title(" ", loc="left"), line, ring, _tick(ax)))
        moving = [artist for _, *artists in rows for artist in artists]
        still = _still(canvas, moving)
        pictures = []
        for i, k in enumerate(scan.ks):
            for each, title, line, ring, tick in rows:
                value = getattr(scan, each)[i]
                title.set_text(f"{each.replace('_', ' ')} {_number(value)} at k = {k}")
                line.set_xdata([k, k])
                ring.set_data([k], [value])
                tick.set_text(str(k))
                tick.xy = (k, 0)
            pictures.append(_png(canvas, still, moving))
    return pictures


def _tick(ax: Axes) -> Annotation:
    """The label of the tick that the title speaks of, to be moved; it stands above the axis and touches no other."""
    inside: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
    look: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": 9, "weight": "bold"}
    return ax.annotate("", (1, 0), (0, 4), bbox={"fc": "white", "lw": 0, "pad": 1.5}, **inside, **look)


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


def _number(value: float) -> str:
    """A criterion's value in a title."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


@contextmanager
def any_script() -> Iterator[None]:
    """No warning about letters that the font lacks, because the cards show them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")
        yield
