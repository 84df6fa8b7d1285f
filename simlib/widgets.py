"""The explorer of k: everything is computed and drawn beforehand, a move of the slider only shows it.

Names of items come from a person's file: they are shown as text, never as markup, on one line and cut short.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from typing import Any

import ipywidgets
import numpy as np
from ipywidgets import Layout

from simlib import _arrays, _check, _frames, plots, similarity
from simlib.choose import KScan
from simlib.medoids import Clustering

CARD = "border:1px solid #bbb;border-radius:6px;padding:6px 10px;line-height:1.35;overflow-wrap:anywhere"
FOUND = CARD.replace("1px solid #bbb", "2px solid #0072B2").replace("6px 10px", "5px 9px")
GRID = "display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:8px"
CRITERIA = {"medoid silhouette": "medoid_silhouette", "silhouette": "silhouette"}
SIDES = ("40%", "60%")  # of the width, for the curves and the map


def explore(
    scan: KScan, S: Any, labels: Sequence[str] | None = None, *, null: KScan | None = None, cards: int = 9
) -> Explorer:
    """Walk through the scanned ks: two curves, a map of the medoids and the clusters themselves at the k you stand on.

    Parameters
    ----------
    scan : KScan
    S : array
        What was scanned: similarities or distances (n, n), or vectors (n, d).
    labels : n names, optional
        Shown as text, never as markup. Default: the row numbers.
    null : KScan, optional
        Of the same data without structure (`shuffle_columns`), drawn beside `scan`.
    cards : int
        How many clusters to show, the largest first.

    Returns
    -------
    Explorer
        A widget; its `fit` is the clustering chosen. Where no kernel runs (a stored notebook, a page) it is a picture
        of one k.

    Raises
    ------
    ValueError, TypeError
        S is not what was scanned, `labels` is not n long, `null` is of other items, `cards` is below 1.

    Notes
    -----
    20 ks up to 1,000 of 20,000 items take about 10 s, half of it for the layout of the map (t-SNE of the medoids of the
    largest k), and hold 35 MB of pictures. A move of the slider draws nothing: pictures and cards are exchanged.
    """
    for each, name in ((scan, "scan"), (null, "null")):
        if not isinstance(each, KScan) and (each is not None or name == "scan"):
            raise TypeError(f"{name} must be a KScan, as scan_k returns it, got {type(each).__name__}")
    n = len(scan.fits[0].labels)
    if null is not None and len(null.fits[0].labels) != n:
        raise ValueError(f"null must be a scan of as many items as scan, {n}, got {len(null.fits[0].labels)}")
    cards = _check.whole_number(cards, "cards", 1)
    names = _names(labels, n)
    return Explorer(scan, _scanned(S, scan.fits[-1]), names, null, cards)


class Explorer(ipywidgets.VBox):
    """What `explore` returns.

    Attributes
    ----------
    fit : Clustering
        Of the k at which "Use this fit" was last pressed; until then, of the k the slider stands on.
    slider, criterion, search, button : the controls; `slider.value` is k
    """

    def __init__(self, scan: KScan, S: np.ndarray, names: list[str], null: KScan | None, cards: int) -> None:
        super().__init__(layout=Layout(width="100%", max_width="54rem"))
        self._scan, self._names, self._cards = scan, names, cards
        self._folded = [_folded(name) for name in names]
        self._found, self._said, self._used = None, "", None  # row of the item searched, what to say, place in ks
        self._draw(S, null)
        self._build()
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
        """Everything that is shown, for every k."""
        scan = self._scan
        items = np.unique(np.concatenate([fit.medoids for fit in scan.fits]))
        between = _closeness(S, items, items, scan.fits[0])
        rows = [items.searchsorted(fit.medoids) for fit in scan.fits]
        self._near = [_neighbours(between[np.ix_(row, row)]) for row in rows]
        self._boards = [self._board(i) for i in range(len(scan.ks))]
        self._curves = {name: _frames.curves(scan, name, null) for name in CRITERIA.values()}
        shown = [_shown(name) for name in self._names]
        self._maps, self._ringed = _frames.maps(scan, items, _frames.places(scan, items, between), shown)

    def _build(self) -> None:
        """The controls and where things are shown."""
        ks, start = [int(k) for k in self._scan.ks], len(self._scan.ks) // 2
        wide = {"min_width": "0", "margin": "2px 0"}
        self.slider = ipywidgets.SelectionSlider(options=ks, index=start, description="k", layout=Layout(flex="1"))
        play = ipywidgets.Play(value=start, max=len(ks) - 1, interval=800, disabled=len(ks) == 1)
        ipywidgets.jslink((play, "value"), (self.slider, "index"))
        self.button = ipywidgets.Button(description="Use this fit", button_style="primary")
        self.criterion = ipywidgets.Dropdown(options=CRITERIA, description="criterion", layout=Layout(width="40%"))
        self.search = ipywidgets.Text(
            placeholder="type a name, press Enter", description="find", continuous_update=False, layout=Layout(flex="1")
        )
        self._message = ipywidgets.HTML(layout=Layout(min_height="2em", **wide))
        self._left, self._right = (ipywidgets.Image(layout=Layout(width=side, **wide)) for side in SIDES)
        self._clusters = ipywidgets.HTML(layout=Layout(width="100%", **wide))
        box = ipywidgets.HBox
        self.children = [
            box([play, self.slider, self.button]),
            box([self.criterion, self.search]),
            self._message,
            box([self._left, self._right]),
            self._clusters,
        ]
        for control in (self.slider, self.criterion):
            control.observe(lambda _: self._show(), "value")
        self.search.observe(lambda change: self._search(change["new"]), "value")
        self.button.on_click(lambda _: self._use())

    def _show(self) -> None:
        """Show the pictures and cards of the k the slider stands on."""
        i, item = self.slider.index, self._found
        own = None if item is None else self._scan.fits[i].labels[item]
        self._left.value = self._curves[self.criterion.value][i]
        self._right.value = self._maps[i] if own is None else self._ringed(i, own)
        self._clusters.value = self._boards[i] if item is None else self._board(i)
        self._say()

    def _search(self, wanted: str) -> None:
        """Bring the cluster of the item with this name to the front, or say why not."""
        self._found, self._said = _look_up(wanted, self._names, self._folded)
        self._show()

    def _use(self) -> None:
        """Hand the fit on show to Python."""
        self._used = self.slider.index
        self._say()

    def _say(self) -> None:
        """One line: what became of the search, or the values of k; and which fit Python gets."""
        said = self._said or html.escape(self._texts()[0])
        if self._found is not None:
            said += " " + _place(self._scan.fits[self.slider.index], self._found, self._names)
        k = self._scan.ks[self.slider.index if self._used is None else self._used]
        fit = f"<code>.fit</code> is k = {k}" + (", as shown" if self._used is None else ", as you chose")
        line = "display:flex;justify-content:space-between;gap:1em;line-height:1.4;overflow-wrap:anywhere"
        self._message.value = f'<div style="{line}"><span>{said}</span><span>{fit}</span></div>'

    def _board(self, i: int) -> str:
        """The cards of the i-th k, the cluster of the item searched before all others."""
        return _cards(self._scan.fits[i], self._near[i], self._names, self._cards, self._found)

    def _texts(self) -> tuple[str, str]:
        """What the curves and the map on show hold, in words."""
        i, criterion = self.slider.index, self.criterion
        k, loss, value = (getattr(self._scan, name)[i] for name in ("ks", "inertia", criterion.value))
        return f"inertia {loss:.6g} and {criterion.label} {value:.4f} at k = {k}", f"map of the {k} medoids"

    def _static(self) -> str:
        """The curves, the map and the cards on show as HTML that needs nothing else."""
        i, ks = self.slider.index, self._scan.ks
        pictures = self._curves[self.criterion.value][i], self._maps[i]
        images = [
            f'<img width="{side}" style="vertical-align:top" alt="{text}" '
            f'src="data:image/png;base64,{base64.b64encode(picture).decode()}">'
            for side, text, picture in zip(SIDES, self._texts(), pictures, strict=True)
        ]
        still = f"The explorer at k = {ks[i]}, one of {len(ks)} from {ks[0]} to {ks[-1]}; it moves where a kernel runs."
        return f'<div style="max-width:54rem"><p>{still}</p><div>{"".join(images)}</div>{self._boards[i]}</div>'


def cards_html(fit: Clustering, S: Any, labels: Sequence[str] | None = None, cards: int = 9) -> str:
    """The largest clusters as cards: exemplar, size, mean closeness, nearest members, and the neighbour cluster.

    Parameters
    ----------
    fit : Clustering
    S : array
        What it was made from: similarities or distances (n, n), or vectors (n, d).
    labels : n names, optional
    cards : int

    Returns
    -------
    str
        HTML; the names in it are escaped.
    """
    names = _names(labels, len(fit.labels))
    S = _scanned(S, fit)
    near = _neighbours(_closeness(S, fit.medoids, fit.medoids, fit))
    return _cards(fit, near, names, _check.whole_number(cards, "cards", 1))


def _names(labels: Sequence[str] | None, n: int) -> list[str]:
    """n names as strings."""
    names = [str(name) for name in (range(n) if labels is None else labels)]
    if len(names) != n:
        raise ValueError(f"labels must hold one name a row, {n}, got {len(names)}")
    return names


def _scanned(S: Any, fit: Clustering) -> np.ndarray:
    """S as an array, if it is what `fit` was made from; a few items are looked at."""
    S, n = _arrays.as_array(S, "S"), len(fit.labels)
    d = None if fit.centres is None else fit.centres.shape[1]
    if S.shape not in ((n, n), (n, d)):
        also = "" if d is None else f" or the vectors ({n}, {d})"
        raise ValueError(f"S must be what was scanned, the matrix ({n}, {n}){also}, got {S.shape}")
    items = np.arange(0, n, max(n // 50, 1))
    medoids, place = np.unique(fit.medoids[fit.labels[items]], return_inverse=True)
    seen = _closeness(S, items, medoids, fit)[np.arange(len(items)), place]
    off = np.abs(seen - fit.closeness[items])
    if not (off <= 0.01 * (1 + np.abs(seen))).all():  # half precision passes
        i, sign = int(off.argmax()), -1 if fit.metric == "precomputed" else 1
        raise ValueError(
            f"S is not what was scanned: from item {items[i]} to its medoid it says {sign * seen[i]:.4g}, the scan "
            f"{sign * fit.closeness[items[i]]:.4g}; are its rows in another order, or is it distances for similarities?"
        )
    return S


def _closeness(S: np.ndarray, rows: np.ndarray, columns: np.ndarray, fit: Clustering) -> np.ndarray:
    """Similarities of some items to others, or their distances with the sign turned, float64."""
    if fit.centres is not None and S.shape[1] == fit.centres.shape[1]:
        return np.asarray(similarity.SIMILARITIES[fit.metric](S[rows], S[columns]), dtype=np.float64)
    block = np.asarray(S[rows[:, None], columns], dtype=np.float64)
    return -block if fit.metric == "precomputed" else block


def _neighbours(between: np.ndarray) -> np.ndarray:
    """For each medoid the other one it is closest to, from their closeness (k, k); -1 if there is no other."""
    others = np.where(np.eye(len(between), dtype=bool), -np.inf, between)
    return others.argmax(axis=1) if len(between) > 1 else np.array([-1])


def _cards(fit: Clustering, near: np.ndarray, names: list[str], cards: int, item: int | None = None) -> str:
    """The cluster of `item`, then the largest others, as a grid of HTML."""
    order = np.argsort(-fit.sizes, kind="stable")
    if item is not None:
        own = fit.labels[item]
        order = np.concatenate([[own], order[order != own]])
    shown = "".join(_card(fit, names, j, near[j], item) for j in order[:cards])
    return f'<div style="{GRID}">{shown}</div>'


def _card(fit: Clustering, names: list[str], j: int, near: int, item: int | None) -> str:
    """One cluster as HTML."""
    members = fit.members(j)
    word, value = ("distance", fit.distance) if fit.metric == "precomputed" else ("similarity", fit.similarity)
    found = item is not None and fit.labels[item] == j
    others = [f"<b>{_text(names[i])}</b>" if i == item else _text(names[i]) for i in members[1:9]]
    beside = f", next to {_text(names[fit.medoids[near]])}" if near >= 0 else ""
    tight = f"mean {word} {value[members].mean():.2f}" if len(members) > 1 else "alone"
    size = f"{len(members):,} item" + ("s" if len(members) > 1 else "")
    return (
        f'<div style="{FOUND if found else CARD}"><b>★ {_text(names[fit.medoids[j]])}</b> '
        f'<span style="opacity:.7">{size}, {tight}{beside}</span><br>{", ".join(others)}</div>'
    )


def _place(fit: Clustering, item: int, names: list[str]) -> str:
    """Where in its cluster an item lies, as a sentence in HTML."""
    j = fit.labels[item]
    if fit.medoids[j] == item:
        return f"is the exemplar of {fit.sizes[j]:,}."
    place = int(np.flatnonzero(fit.members(j) == item)[0]) + 1
    return f"is in the cluster of {_text(names[fit.medoids[j]])}, number {place:,} of {fit.sizes[j]:,} by closeness."


def _look_up(wanted: str, names: list[str], folded: list[str]) -> tuple[int | None, str]:
    """Row of the item with this name (exactly, else whatever its case), and what to say, as HTML."""
    key = _folded(wanted)
    if not key:
        return None, ""
    same = [i for i, name in enumerate(names) if name == wanted] or [i for i, name in enumerate(folded) if name == key]
    if same:
        several = f" (the first of {len(same):,} of this name)" if len(same) > 1 else ""
        return same[0], f"<b>{_text(names[same[0]])}</b>{several}"
    begun = [names[i] for i, name in enumerate(folded) if name.startswith(key)]
    offer = ", ".join(f"<b>{_text(name)}</b>" for name in list(dict.fromkeys(begun))[:6])
    rest = f"Names that begin so: {offer}." if offer else "No name begins so."
    return None, f"No item is called <b>{_text(wanted)}</b>. {rest}"


def _folded(name: str) -> str:
    """A name as it is compared: without regard to case and to space around it."""
    return " ".join(name.casefold().split())


def _shown(name: str) -> str:
    """A name on one line, without control characters, not too long."""
    return plots._plain(" ".join(name[:200].split()))


def _text(name: str) -> str:
    """A name in HTML, as text with a direction of its own."""
    return f"<bdi>{html.escape(_shown(name))}</bdi>"
