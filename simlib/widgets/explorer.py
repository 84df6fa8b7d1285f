"""The explorer of k: the controls, and what they show. Everything is computed and drawn before it opens."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from typing import Any

import ipywidgets
import numpy as np
from ipywidgets import Layout

from simlib import _cards, _check
from simlib._labels import names_of
from simlib.choose import KScan
from simlib.ensemble import Ensemble
from simlib.medoids import Clustering
from simlib.widgets import inputs, pictures, search
from simlib.widgets.cards import grid

CRITERIA = {"medoid silhouette": "medoid_silhouette", "silhouette": "silhouette"}
WIDTHS = ("40%", "60%")  # of the explorer, for the curves and for the map
INSIDE = {"min_width": "0", "margin": "2px 0"}  # of what is shown: it never makes the explorer wider


def explore(
    scan: KScan,
    S: Any,
    labels: Sequence[str] | None = None,
    *,
    null: KScan | None = None,
    cards: int = 9,
    ensemble: Ensemble | None = None,
) -> Explorer:
    """Walk through the scanned ks: two curves, a map of the medoids and the clusters themselves at the k you stand on.

    Parameters
    ----------
    scan : KScan
    S : array
        What was scanned: similarities or distances (n, n), or vectors (n, d).
    labels : n names, optional
        A list, an array, an index or a series. Shown as text, never as markup. Default: the index of S if S is a frame,
        else the row numbers.
    null : KScan, optional
        Of the same data without structure (`shuffle_columns`), drawn beside `scan`.
    cards : int
        How many clusters to show, the largest first.
    ensemble : Ensemble, optional
        Of the same items. At its k each card says how sure its cluster is: `Ensemble.recovered`, in [0, 1].

    Returns
    -------
    Explorer
        A widget; its `fit` is the clustering chosen. Where no kernel runs (a stored notebook, a page) it is a picture
        of one k.

    Raises
    ------
    ValueError, TypeError
        S is not what was scanned, `labels` is not n long, `null` or `ensemble` is of other items, no k
        that was scanned is that of `ensemble`, `cards` is below 1.

    Notes
    -----
    20 ks up to 1,000 of 20,000 items take about 10 s, and hold 35 MB of pictures. Half of the time goes into the layout
    of the map (t-SNE of the medoids of the largest k). A move of the slider draws nothing: it exchanges pictures and
    cards.
    """
    for each, name in ((scan, "scan"), (null, "null")):
        if not isinstance(each, KScan) and (each is not None or name == "scan"):
            raise TypeError(f"{name} must be a KScan, as scan_k returns it, got {type(each).__name__}")
    n = len(scan.fits[0].labels)
    if null is not None and len(null.fits[0].labels) != n:
        raise ValueError(f"null must be a scan of as many items as scan, {n}, got {len(null.fits[0].labels)}")
    inputs.check_ensemble(ensemble, n)
    if ensemble is not None and len(ensemble.best.medoids) not in scan.ks:
        k = len(ensemble.best.medoids)
        raise ValueError(f"ensemble must be of a k that was scanned, got {k}: take k from scan.ks, or scan {k} too")
    cards = _check.whole_number(cards, "cards", 1)
    names = names_of(labels, n, S)
    return Explorer(scan, inputs.scanned(S, scan.fits[-1]), names, null, cards, ensemble)


class Explorer(ipywidgets.VBox):
    """What `explore` returns.

    Attributes
    ----------
    fit : Clustering
        Of the k at which "Use this fit" was last pressed; until then, of the k the slider stands on.
    slider, criterion, search, button : the controls; `slider.value` is k
    """

    def __init__(
        self,
        scan: KScan,
        S: np.ndarray,
        names: list[str],
        null: KScan | None,
        cards: int,
        ensemble: Ensemble | None = None,
    ) -> None:
        super().__init__(layout=Layout(width="100%", max_width="54rem"))
        self._scan = scan
        self._names = names
        self._searched = search.Names(names)
        self._cards = cards
        self._sure: dict[int, np.ndarray] = {}  # for the place in scan.ks of the ensemble's k, how sure each cluster is
        if ensemble is not None:
            i = int(np.flatnonzero(scan.ks == len(ensemble.best.medoids))[0])
            self._sure[i] = ensemble.recovered(scan.fits[i])
        self._found: int | None = None  # row of the item that was searched for
        self._said = ""  # the answer to the search, HTML
        self._used: int | None = None  # place in scan.ks of the fit that the button chose
        self._draw(S, null)
        self._make_controls()
        self._make_views()
        self._connect()
        self.add_class("simlib-explorer")
        self._show()

    @property
    def fit(self) -> Clustering:
        """The clustering of the k that was chosen by the button; before that, of the k on show."""
        return self._scan.fits[self.slider.index if self._used is None else self._used]

    def __repr__(self) -> str:
        ks = self._scan.ks
        return f"Explorer(k={self.slider.value} of {len(ks)} from {ks[0]} to {ks[-1]}, n={len(self._names)})"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict:
        """The widget, and beside it the picture for where no kernel runs."""
        return super()._repr_mimebundle_(**kwargs) | {"text/plain": repr(self), "text/html": self._static()}

    def _draw(self, S: np.ndarray, null: KScan | None) -> None:
        """Make the curves, the maps and the cards of every k."""
        scan = self._scan
        items = np.unique(np.concatenate([fit.medoids for fit in scan.fits]))  # medoids at any k
        closeness = inputs.closeness(S, items, items, scan.fits[0])
        self._near = []  # for each k, the neighbour of each cluster
        for fit in scan.fits:
            rows = items.searchsorted(fit.medoids)
            self._near.append(_cards.neighbours(closeness[np.ix_(rows, rows)], np.arange(len(rows))))
        self._grids = [self._grid(i) for i in range(len(scan.ks))]
        self._curves = {name: pictures.curves(scan, name, null) for name in CRITERIA.values()}
        self._maps = pictures.Maps(scan, items, pictures.places(scan, items, closeness), self._names)

    def _make_controls(self) -> None:
        """The slider with its play button, the button, the choice of the criterion and the search."""
        ks = [int(k) for k in self._scan.ks]
        middle = len(ks) // 2
        self.slider = ipywidgets.SelectionSlider(options=ks, index=middle, description="k", layout=Layout(flex="1"))
        self._play = ipywidgets.Play(value=middle, max=len(ks) - 1, interval=800, disabled=len(ks) == 1)
        self.button = ipywidgets.Button(description="Use this fit", button_style="primary")
        self.criterion = ipywidgets.Dropdown(options=CRITERIA, description="criterion", layout=Layout(width="40%"))
        self.search = ipywidgets.Text(
            placeholder="type a name, press Enter", description="find", continuous_update=False, layout=Layout(flex="1")
        )

    def _make_views(self) -> None:
        """The places where things are shown, and the whole explorer laid out."""
        self._message = ipywidgets.HTML(layout=Layout(min_height="2em", **INSIDE))
        self._left, self._right = (ipywidgets.Image(layout=Layout(width=width, **INSIDE)) for width in WIDTHS)
        self._clusters = ipywidgets.HTML(layout=Layout(width="100%", **INSIDE))
        self.children = [
            ipywidgets.HBox([self._play, self.slider, self.button]),
            ipywidgets.HBox([self.criterion, self.search]),
            self._message,
            ipywidgets.HBox([self._left, self._right]),
            self._clusters,
        ]

    def _connect(self) -> None:
        """Say what each control does."""
        ipywidgets.jslink((self._play, "value"), (self.slider, "index"))
        for control in (self.slider, self.criterion):
            control.observe(lambda _: self._show(), "value")
        self.search.observe(lambda change: self._search(change["new"]), "value")
        self.button.on_click(lambda _: self._use())

    def _show(self) -> None:
        """Show the pictures and cards of the k the slider stands on."""
        i = self.slider.index
        item = self._found
        self._left.value = self._curves[self.criterion.value][i]
        if item is None:
            self._right.value = self._maps.pictures[i]
            self._clusters.value = self._grids[i]
        else:
            self._right.value = self._maps.ringed(i, self._scan.fits[i].labels[item])
            self._clusters.value = self._grid(i)
        self._say()

    def _search(self, wanted: str) -> None:
        """Bring the cluster of the item with this name to the front, or say why not."""
        self._found, self._said = self._searched.find(wanted)
        self._show()

    def _use(self) -> None:
        """Hand the fit on show to Python."""
        self._used = self.slider.index
        self._say()

    def _say(self) -> None:
        """Write one line: the answer to the search, or the values at k; then which fit Python gets."""
        said = self._said or html.escape(self._texts()[0])
        if self._found is not None:
            said += " " + search.place(self._scan.fits[self.slider.index], self._found, self._names)
        k = self._scan.ks[self.slider.index if self._used is None else self._used]
        fit = f"<code>.fit</code> is k = {k}" + (", as shown" if self._used is None else ", as you chose")
        line = "display:flex;justify-content:space-between;gap:1em;line-height:1.4;overflow-wrap:anywhere"
        self._message.value = f'<div style="{line}"><span>{said}</span><span>{fit}</span></div>'

    def _grid(self, i: int) -> str:
        """The cards of the i-th k, with the cluster of the item searched for before all others."""
        return grid(self._scan.fits[i], self._near[i], self._names, self._cards, self._found, self._sure.get(i))

    def _texts(self) -> tuple[str, str]:
        """What the curves and the map on show hold, in words."""
        i = self.slider.index
        k = self._scan.ks[i]
        value = getattr(self._scan, self.criterion.value)[i]
        curves = f"inertia {self._scan.inertia[i]:.6g} and {self.criterion.label} {value:.4f} at k = {k}"
        return curves, f"map of the {k} medoids"

    def _static(self) -> str:
        """The curves, the map and the cards on show as HTML that needs nothing else."""
        i = self.slider.index
        ks = self._scan.ks
        shown = (self._curves[self.criterion.value][i], self._maps.pictures[i])
        images = [
            f'<img width="{width}" style="vertical-align:top" alt="{text}" '
            f'src="data:image/png;base64,{base64.b64encode(picture).decode()}">'
            for width, text, picture in zip(WIDTHS, self._texts(), shown, strict=True)
        ]
        still = f"The explorer at k = {ks[i]}, one of {len(ks)} from {ks[0]} to {ks[-1]}; it moves where a kernel runs."
        return f'<div style="max-width:54rem"><p>{still}</p><div>{"".join(images)}</div>{self._grids[i]}</div>'
