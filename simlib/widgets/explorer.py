"""The explorer of k: the controls, and what they show. All but the map is computed and drawn before it opens.

The map is that of the atlas, in a frame of its own, and follows the slider without the kernel. Two fields that nobody
sees carry words to and fro: the kernel writes the row of the selected item into one, and what is clicked comes in the
other.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from importlib import resources
from typing import Any

import ipywidgets
import numpy as np
import traitlets
from ipywidgets import Layout

from simlib import _cards, _check, _kinds
from simlib._beside import Data, data_of, same_ensemble, same_items
from simlib._labels import SHORT, figures, marked, names_of
from simlib.atlas import Places
from simlib.atlas import places as places_of
from simlib.atlas.notebook import frame, still
from simlib.atlas.page import map_alone, shown_names
from simlib.choose import KScan
from simlib.ensemble import Ensemble
from simlib.medoids import Clustering
from simlib.widgets import pictures, search
from simlib.widgets.cards import grid

CRITERIA = {"medoid silhouette": "medoid_silhouette", "silhouette": "silhouette"}
WIDTHS = ("40%", "60%")  # of the explorer, for the curves and for the map
STILL_SIZE = (6.3, 5.4)  # inches; as high as the curves beside it
HIDDEN = Layout(display="none")
INSIDE = {"min_width": "0", "margin": "2px 0"}  # of what is shown: it never makes the explorer wider


def explore(
    scan: KScan,
    S: Any,
    labels: Sequence[str] | None = None,
    *,
    null: KScan | None = None,
    cards: int = 9,
    ensemble: Ensemble | None = None,
    places: Places | None = None,
) -> Explorer:
    """Walk through the scanned ks: two curves, the map of all items and the clusters themselves at the k you stand on.

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
    places : Places, optional
        Of the same items, from `simlib.atlas.places`. Default: they are made from S.

    Returns
    -------
    Explorer
        A widget; its `fit` is the clustering chosen, its `selected` the item clicked or found. Where no kernel runs (a
        stored notebook, a page) it is a picture of one k.

    Raises
    ------
    ValueError, TypeError
        S is not what was scanned, `labels` is not n long, `null`, `ensemble` or `places` is of other items, no k
        that was scanned is that of `ensemble`, `cards` is below 1.

    Notes
    -----
    Without `places` most of the time goes into the places of all items, see `simlib.atlas.places`. A move of the slider
    computes nothing in the kernel: it exchanges curves and cards, and the map follows by itself.
    """
    for each, name in ((scan, "scan"), (scan if null is None else null, "null")):
        _kinds.instance(each, name, KScan, "scan_k")
    n = len(scan.fits[0].labels)
    if null is not None and len(null.fits[0].labels) != n:
        raise ValueError(f"null must be a scan of as many items as scan, {n}, got {len(null.fits[0].labels)}")
    same_ensemble(ensemble, n)
    if ensemble is not None and len(ensemble.best.medoids) not in scan.ks:
        k = len(ensemble.best.medoids)
        raise ValueError(f"ensemble must be of a k that was scanned, got {k}: take k from scan.ks, or scan {k} too")
    cards = _check.whole_number(cards, "cards", 1)
    names = names_of(labels, n, S)
    data = data_of(S, scan.fits[-1])
    if places is None:
        places = places_of(data.A, metric=data.metric.word)
    _kinds.instance(places, "places", Places, "simlib.atlas.places")
    same_items(places.items, scan.fits[-1])
    return Explorer(scan, data, names, null, cards, ensemble, places)


class Explorer(ipywidgets.VBox):
    """What `explore` returns.

    Attributes
    ----------
    fit : Clustering
        Of the k at which "Use this fit" was last pressed; until then, of the k the slider stands on.
    selected : int or None
        Row number of the item that was last clicked on the map or found by the search. ``observe(f, "selected")`` calls
        `f` when another is.
    slider, criterion, search, button : the controls; `slider.value` is k
    """

    selected = traitlets.Int(None, allow_none=True, read_only=True)

    def __init__(
        self,
        scan: KScan,
        data: Data,
        names: list[str],
        null: KScan | None,
        cards: int,
        ensemble: Ensemble | None,
        places: Places,
    ) -> None:
        super().__init__(layout=Layout(width="100%", max_width="64rem"))
        self._scan = scan
        self._places = places
        self._names = names
        self._searched = search.Names(names)
        self._cards = cards
        self._sure: dict[int, np.ndarray] = {}  # for the place in scan.ks of the ensemble's k, how sure each cluster is
        if ensemble is not None:
            i = int(np.flatnonzero(scan.ks == len(ensemble.best.medoids))[0])
            self._sure[i] = ensemble.recovered(scan.fits[i])
        self._said = ""  # the answer to the search or to a click, HTML
        self._used: int | None = None  # place in scan.ks of the fit that the button chose
        self._draw(data, null)
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

    def _draw(self, data: Data, null: KScan | None) -> None:
        """Make the curves and the cards of every k, and the map."""
        scan = self._scan
        self._near = []  # for each k, the neighbour of each cluster
        for fit in scan.fits:
            closeness = data.closeness(fit.medoids, fit.medoids)
            self._near.append(_cards.neighbours(closeness, np.arange(len(fit.medoids))))
        self._grids = [self._grid(i) for i in range(len(scan.ks))]
        self._curves = {name: pictures.curves(scan, name, null) for name in CRITERIA.values()}
        self._map = map_alone(self._places, list(scan.fits), shown_names(self._names, len(self._names)))

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
        self._left = ipywidgets.Image(layout=Layout(width=WIDTHS[0], **INSIDE))
        bridge = (resources.files("simlib.widgets") / "bridge.js").read_text(encoding="utf-8")
        alone = frame(self._map, "height:99%;min-height:20rem;display:block", bridge)
        self._right = ipywidgets.HTML(alone, layout=Layout(width=WIDTHS[1], **INSIDE))
        self._told = ipywidgets.HTML(layout=HIDDEN).add_class("simlib-told")
        self._clicked = ipywidgets.Text(layout=HIDDEN).add_class("simlib-clicked")
        self._clusters = ipywidgets.HTML(layout=Layout(width="100%", **INSIDE)).add_class("simlib-cards")
        self.children = [
            ipywidgets.HBox([self._play, self.slider, self.button]),
            ipywidgets.HBox([self.criterion, self.search]),
            self._message,
            ipywidgets.HBox([self._left, self._right]),
            self._clusters,
            self._told,
            self._clicked,
        ]

    def _connect(self) -> None:
        """Say what each control does."""
        ipywidgets.jslink((self._play, "value"), (self.slider, "index"))
        for control in (self.slider, self.criterion):
            control.observe(lambda _: self._show(), "value")
        self.search.observe(lambda change: self._search(change["new"]), "value")
        self._clicked.observe(lambda change: self._click(change["new"]), "value")
        self.button.on_click(lambda _: self._use())

    def _show(self) -> None:
        """Show the pictures and cards of the k the slider stands on."""
        i = self.slider.index
        self._left.value = self._curves[self.criterion.value][i]
        self._clusters.value = self._grids[i] if self.selected is None else self._grid(i)
        self._say()

    def _search(self, wanted: str) -> None:
        """Bring the cluster of the item with this name to the front, or say why not."""
        self._select(*self._searched.find(wanted))

    def _click(self, row: str) -> None:
        """Bring the cluster of the item that was clicked to the front; no row where nothing was."""
        item = int(row) if row.isdecimal() and int(row) < len(self._names) else None
        if item != self.selected:
            self._select(item, "" if item is None else f"<b>{marked(self._names[item], SHORT)}</b>")

    def _select(self, item: int | None, said: str) -> None:
        """Show an item, or none, and what is said of it."""
        self._said = said
        self.set_trait("selected", item)
        self._told.value = self._clicked.value = "" if item is None else str(item)
        self._show()

    def _use(self) -> None:
        """Hand the fit on show to Python."""
        self._used = self.slider.index
        self._say()

    def _say(self) -> None:
        """Write one line: the answer to the search, or the values at k; then which fit Python gets."""
        said = self._said or html.escape(self._text())
        if self.selected is not None:
            said += " " + search.place(self._scan.fits[self.slider.index], self.selected, self._names)
        k = self._scan.ks[self.slider.index if self._used is None else self._used]
        fit = f"<code>.fit</code> is k = {k}" + (", as shown" if self._used is None else ", as you chose")
        line = "display:flex;justify-content:space-between;gap:1em;line-height:1.4;overflow-wrap:anywhere"
        self._message.value = f'<div style="{line}"><span>{said}</span><span>{fit}</span></div>'

    def _grid(self, i: int) -> str:
        """The cards of the i-th k, with the cluster of the item searched for before all others."""
        return grid(self._scan.fits[i], self._near[i], self._names, self._cards, self.selected, self._sure.get(i))

    def _text(self) -> str:
        """What the curves on show hold, in words."""
        i = self.slider.index
        k = self._scan.ks[i]
        value = getattr(self._scan, self.criterion.value)[i]
        return f"inertia {self._scan.inertia[i]:.6g} and {self.criterion.label} {figures(value, 4)} at k = {k}"

    def _static(self) -> str:
        """The curves, the map and the cards on show as HTML that needs nothing else."""
        i = self.slider.index
        ks = self._scan.ks
        curves = (
            f'<img width="{WIDTHS[0]}" style="vertical-align:top" alt="{self._text()}" '
            f'src="data:image/png;base64,{base64.b64encode(self._curves[self.criterion.value][i]).decode()}">'
        )
        with pictures.any_script():
            there = still(self._places, self._scan.fits[i], self._names, STILL_SIZE, WIDTHS[1])
        said = f"The explorer at k = {ks[i]}, one of {len(ks)} from {ks[0]} to {ks[-1]}; it moves where a kernel runs."
        caption = f"<p>{html.escape(self._places.caption())}</p>"
        return f'<div style="max-width:64rem"><p>{said}</p><div>{curves}{there}</div>{caption}{self._grids[i]}</div>'
