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
        frame = "width:100%;box-sizing:border-box;border:1px solid #ccc;border-radius:6px"
        super().__init__(
            f'<iframe title="atlas" sandbox="allow-scripts allow-downloads" style="{frame};height:{height}px" '
            f'srcdoc="{escape(text)}"></iframe>',
            layout=ipywidgets.Layout(width="100%"),
        )
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
    return Atlas(text, _still(places, fits[len(fits) // 2], shown_names(labels, len(places))), height)


def _still(places: Places, fit: Clustering, names: list[str]) -> str:
    """A picture of one clustering as HTML that needs nothing else."""
    with pyplot.rc_context():
        plots.style()
        canvas = FigureCanvasAgg(Figure(figsize=STILL_SIZE, dpi=STILL_DPI, layout="constrained"))
        plots.atlas(places, fit, names, canvas.figure.subplots())
        canvas.draw()
    pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    file = io.BytesIO()
    pixels.quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(file, "png")
    source = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
    said = f"A still of the atlas at k = {len(fit.medoids)}; it moves where a kernel runs. {escape(places.caption())}"
    image = f'<img width="100%" alt="map of {len(places):,} items" src="{source}">'
    return f'<div style="max-width:54rem">{image}<p>{said}</p></div>'
