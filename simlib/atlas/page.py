"""The page: one HTML file that holds the map, all its data and the code that shows it, and asks for nothing else.

The page draws its points on a plain canvas. That takes 40 kB of code in place of the megabytes of a plotting library,
and it needs no WebGL. Names, cards, search and table would be code of this project in any case. A policy in the page
forbids every request and every script but its own. So a label could do no harm even if it were taken for markup.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from simlib import _check
from simlib._beside import same_ensemble, same_items
from simlib._engine.metrics import METRICS
from simlib._labels import names_of, plain
from simlib._regions import DARK, LIGHT, Regions, regions
from simlib.atlas import pack
from simlib.atlas.places import Places
from simlib.atlas.thumbnails import sheet
from simlib.choose import KScan
from simlib.data import written_whole
from simlib.ensemble import Ensemble
from simlib.medoids import Clustering

SCRIPTS = ("data.js", "draw.js", "names.js", "card.js", "table.js", "search.js", "main.js")  # joined in this order
NEAR = 6  # neighbouring clusters that a card names


def page(
    places: Places,
    scan: KScan | Clustering | Sequence[Clustering],
    labels: Sequence[Any] | None = None,
    path: str | os.PathLike = "atlas.html",
    *,
    title: str | None = None,
    colour_by: Mapping[str, Any] | None = None,
    ensemble: Ensemble | None = None,
    thumbnails: Any = None,
) -> Path:
    """Write the atlas as one HTML file that opens in any browser, without a network, a server or a kernel.

    Parameters
    ----------
    places : Places
        From `places`.
    scan : KScan, Clustering, or several Clusterings
        Of the same items. The page has a slider over them.
    labels : (n,), optional
        Names of the items, shown as text whatever they hold, cut at 80 characters. Default: row numbers.
    path : path of the file, which is written whole or not at all
    title : str, optional
    colour_by : dict of name -> (n,) values, optional
        More ways to colour the points. Numbers are a scale; everything else is a category. Whole numbers that stand
        for categories are passed as text.
    ensemble : Ensemble, optional
        Of the same items. Its `certainty` says how sure each item's companions are, at the k of the ensemble.
    thumbnails : uint8 (n, h, w) or (n, h, w, 3), optional
        A small picture of each item, grey or RGB.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    TypeError, ValueError
        `scan` is of other items than `places`, or something is not n long.

    Notes
    -----
    20,000 items and 20 ks take 4 MB. The page works with mouse, finger and keyboard, in light and dark.

    Examples
    --------
    >>> import numpy as np, simlib, tempfile
    >>> from simlib import atlas
    >>> points = np.array([1.0, 2.0, 4.0, 8.0])
    >>> D = abs(points[:, None] - points)
    >>> there = atlas.places(D, metric="precomputed")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     atlas.page(there, simlib.kmedoids(D, 2, metric="precomputed"), list("abcd"), folder + "/atlas.html").name
    'atlas.html'
    """
    text = html(places, scan, labels, title=title, colour_by=colour_by, ensemble=ensemble, thumbnails=thumbnails)
    path = Path(path)
    with written_whole(path) as draft:
        draft.write_text(text, encoding="utf-8")
    return path


def html(
    places: Places,
    scan: Any,
    labels: Sequence[Any] | None,
    *,
    title: str | None,
    colour_by: Mapping[str, Any] | None,
    ensemble: Ensemble | None,
    thumbnails: Any,
) -> str:
    """The page as text; the parameters are those of `page`."""
    fits = clusterings(places, scan)
    data = _data(places, fits, shown_names(labels, len(places)))
    data["title"] = plain(f"{len(places):,} items on one map" if title is None else title, 200)
    data["colourings"] = [_colouring(name, values, len(places)) for name, values in (colour_by or {}).items()]
    data["sure"] = None if ensemble is None else _sure(ensemble, len(places))
    data["thumbnails"] = None if thumbnails is None else sheet(thumbnails, len(places))
    data["framed"] = False
    return _assembled(data)


def map_alone(places: Places, fits: list[Clustering], names: list[str]) -> str:
    """The map without its controls, as a page for a frame: it shows what it is told, and tells what is clicked.

    The page around the frame hands it a port of a channel. Through it come two texts, k and the row of the selected
    item or nothing; the row of the item that is clicked, or null, goes back.
    """
    data = _data(places, fits, names)
    data |= {"title": "map", "colourings": [], "sure": None, "thumbnails": None, "framed": True}
    return _assembled(data)


def clusterings(places: Any, scan: Any) -> list[Clustering]:
    """The clusterings to show, by ascending k; raises unless they are of the items of `places`."""
    if not isinstance(places, Places):
        raise TypeError(f"places must be what simlib.atlas.places returns, got {type(places).__name__}")
    given = scan.fits if isinstance(scan, KScan) else [scan] if isinstance(scan, Clustering) else scan
    fits = list(given) if isinstance(given, list | tuple) else []
    if not fits or not all(isinstance(fit, Clustering) for fit in fits):
        raise TypeError(f"scan must be a KScan, a Clustering or a list of them, got {type(scan).__name__}")
    for fit in fits:
        same_items(places.items, fit)
    return sorted(fits, key=lambda fit: len(fit.medoids))


def shown_names(labels: Any, n: int) -> list[str]:
    """The names of n items as they are shown; without labels, their row numbers."""
    return [plain(name) or "(no label)" for name in names_of(labels, n)]


def _data(places: Places, fits: list[Clustering], names: list[str]) -> dict[str, Any]:
    """Everything that the page shows of the items and of their clusters, as JSON can hold it."""
    metric = places.items.metric
    low = places.xy.min(axis=0)
    step = float(max(np.ptp(places.xy, axis=0).max(), 1e-30)) / pack.STEPS
    across, up = np.rint((places.xy - low) / step).astype(np.int64).T
    found = regions(places.items, fits, places.neighbours)
    return {
        "names": names,
        "entry": metric.entry,
        "distances": metric.of_distances,
        "x": pack.whole(across),
        "y": pack.whole(up),
        "perItem": places.neighbours.shape[1],
        "near": pack.whole(places.neighbours),
        "nearness": pack.real(metric.base - places.closeness if metric.of_distances else places.closeness),
        "kept": pack.real(places.kept),
        "caption": places.caption(),
        "fits": [_fit(places, fit, found[i]) for i, fit in enumerate(fits)],
        "palette": {"light": LIGHT, "dark": DARK},
    }


def _fit(places: Places, fit: Clustering, found: Regions) -> dict[str, Any]:
    """One clustering."""
    k = len(fit.medoids)
    among = np.array(places.items.pairs(fit.medoids, fit.medoids), dtype=np.float64)
    np.fill_diagonal(among, -np.inf)
    near = np.argsort(-among, axis=1, kind="stable")[:, : min(NEAR, k - 1)]
    return {
        "k": k,
        "medoids": pack.whole(fit.medoids),
        "labels": pack.whole(fit.labels),
        "entries": pack.real(fit.distance if METRICS[fit.metric].of_distances else fit.similarity),
        "perCluster": near.shape[1],
        "near": pack.whole(near),
        "region": pack.whole(found.colour),
        "heads": found.heads,
    }


def _colouring(name: Any, values: Any, n: int) -> dict[str, Any]:
    """A way to colour the points: numbers as they are, everything else as categories, the commonest first."""
    values = np.asarray(values)
    if values.shape != (n,):
        raise ValueError(f"colour_by[{name!r}] must hold one value a row, {n}, got shape {values.shape}")
    if values.dtype.kind in "iuf":
        _check.finite_rows(np.isfinite(values), f"colour_by[{name!r}]")
        return {"name": plain(name), "numbers": pack.real(values)}
    kinds, code, counts = np.unique(values.astype(str), return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(len(kinds), np.int64)
    rank[order] = np.arange(len(kinds))
    words = [plain(kinds[i]) or "(no label)" for i in order]
    return {"name": plain(name), "categories": words, "codes": pack.whole(rank[code])}


def _sure(ensemble: Ensemble, n: int) -> dict[str, Any]:
    """How sure each item's companions are, and at which k."""
    same_ensemble(ensemble, n)
    return {"k": len(ensemble.best.medoids), "values": pack.real(ensemble.certainty)}


def _assembled(data: dict[str, Any]) -> str:
    """The file: the style, the markup, the data, the scripts, and the policy that lets nothing else in."""
    folder = resources.files("simlib.atlas") / "assets"
    style = (folder / "page.css").read_text(encoding="utf-8")
    parts = "".join((folder / name).read_text(encoding="utf-8") for name in SCRIPTS)
    script = f'"use strict";\n(() => {{\n{parts}}})();\n'
    policy = f"default-src 'none'; img-src data:; script-src '{_digest(script)}'; style-src '{_digest(style)}'"
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    held = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")  # it cannot end its element
    frame = (folder / "page.html").read_text(encoding="utf-8")
    for mark, content in (("POLICY", policy), ("STYLE", style), ("SCRIPT", script), ("DATA", held)):
        frame = frame.replace(f"@{mark}@", content)
    return frame


def _digest(text: str) -> str:
    """What a policy calls a script or a style of these characters."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
