"""The atlas in an output cell of a notebook, and a still picture for where no kernel runs."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import ipywidgets
import numpy as np
from matplotlib import pyplot
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from simlib import _check, plots
from simlib.atlas.page import clusterings, html, shown_names
from simlib.atlas.places import Places
from simlib.choose import KScan
from simlib.ensemble import Ensemble
from simlib.medoids import Clustering

STILL_SIZE, STILL_DPI = (9, 6), 100  # inches, and pixels in one


class Atlas(ipywidgets.HTML):
    """What `show` returns: the page of the atlas in a frame of its own, which reaches nothing outside it."""

    def __init__(self, text: str, still: str, height: int) -> None:
        super().__init__(frame(text, f"height:{height}px"), layout=ipywidgets.Layout(width="100%"))
        self._still = still

    def _repr_mimebundle_(self, **kwargs: Any) -> dict:
        """The widget, and beside it the still picture for where no kernel runs."""
        return super()._repr_mimebundle_(**kwargs) | {"text/plain": repr(self), "text/html": self._still}

    def __repr__(self) -> str:
        return "Atlas()"


def show(
    places: Places,
    scan: KScan | Clustering | Sequence[Clustering],
    labels: Sequence[Any] | None = None,
    *,
    height: int = 700,
    title: str | None = None,
    colour_by: Mapping[str, Any] | None = None,
    ensemble: Ensemble | None = None,
    thumbnails: Any = None,
) -> Atlas:
    """Show the atlas in a notebook's output cell.

    Parameters
    ----------
    places, scan, labels, title, colour_by, ensemble, thumbnails : as in `page`
    height : int
        Of the cell, in pixels.

    Returns
    -------
    Atlas
        A widget. Where no kernel runs, as in a stored notebook, it is a still picture of the middle clustering.

    Raises
    ------
    TypeError, ValueError
        As in `page`.

    Notes
    -----
    The page travels to the browser as it is, 4 MB for 20,000 items and 20 ks.
    """
    height = _check.whole_number(height, "height", 200)
    text = html(places, scan, labels, title=title, colour_by=colour_by, ensemble=ensemble, thumbnails=thumbnails)
    fits = clusterings(places, scan)
    fit = fits[len(fits) // 2]
    image = still(places, fit, shown_names(labels, len(places)), STILL_SIZE, "100%")
    said = f"A still of the atlas at k = {len(fit.medoids)}; it moves where a kernel runs. {escape(places.caption())}"
    return Atlas(text, f'<div style="max-width:54rem">{image}<p>{said}</p></div>', height)


def frame(text: str, style: str, loaded: str = "") -> str:
    """A page in a frame of its own, as HTML; `loaded` is the script that runs around it when it has loaded."""
    look = "width:100%;box-sizing:border-box;border:1px solid #ccc;border-radius:6px"
    return (
        f'<iframe title="atlas" sandbox="allow-scripts allow-downloads" style="{look};{style}" '
        f'onload="{escape(loaded)}" srcdoc="{escape(text)}"></iframe>'
    )


def still(places: Places, fit: Clustering, names: list[str], size: tuple[float, float], width: str) -> str:
    """A picture of one clustering, of a size in inches, as HTML that needs nothing else and is so wide on the page."""
    with pyplot.rc_context():
        plots.style()
        canvas = FigureCanvasAgg(Figure(figsize=size, dpi=STILL_DPI, layout="constrained"))
        plots.atlas(places, fit, names, canvas.figure.subplots())
        canvas.draw()
    pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    file = io.BytesIO()
    pixels.quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(file, "png")
    source = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
    words = f"map of {len(places):,} items in {len(fit.medoids):,} clusters"
    return f'<img width="{width}" style="vertical-align:top" alt="{words}" src="{source}">'
