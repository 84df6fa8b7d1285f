"""Regions: about a dozen groups of clusters, each with a colour that stays with it from one k to the next.

Exemplars are grouped around some of their own: the medoids of the medoids. Average linkage was tried as well; of the
words it put 42 % into one colour, where this way puts 12 %.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from simlib._engine import starts
from simlib._engine.items import HostItems
from simlib.medoids import Clustering, swapped_from

# Found by search: any two colours lie 25 or more apart in CIELAB for the eye that tells them apart least.
LIGHT: tuple[str, ...] = ("#2791F5", "#C47F26", "#355401", "#B36268", "#7EBFF6", "#EAB303")  # on a light ground
LIGHT += ("#332288", "#BDBA7A", "#A7519C", "#3ACFBC", "#422D23", "#551A4E")
DARK: tuple[str, ...] = ("#78A2FA", "#BB5305", "#78B15B", "#C49C97", "#8CC0E6", "#EBA20E")  # like hues on a dark ground
DARK += ("#4B72FB", "#E3F07C", "#A744A7", "#ADF5EC", "#F4E0B0", "#975678")
# How two sorts of colour-blind eyes see linear red, green and blue: Machado, Oliveira & Fernandes (2009), severity 1.
_EYES = (
    ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
)


class Regions(NamedTuple):
    """The regions of one clustering into k clusters."""

    colour: np.ndarray  # uint8 (k,), the colour of each cluster: a position in LIGHT and in DARK
    heads: dict[int, int]  # colour -> row number of the exemplar that the region is named after


def regions(items: HostItems, fits: list[Clustering], neighbours: np.ndarray) -> list[Regions]:
    """The regions of some clusterings of the same items; `neighbours` int32 (n, m) says what lies side by side.

    Regions that lie side by side get colours that no eye confuses. From one clustering to the next a region has the
    colour of the one that it shares most items with.
    """
    found: list[Regions] = [Regions(np.empty(0, np.uint8), {})] * len(fits)
    before: np.ndarray | None = None  # (n,), the colour of each item in the clustering before
    for i in sorted(range(len(fits)), key=lambda i: -len(fits[i].medoids)):
        fit = fits[i]
        group, heads = _grouped(items, fit)
        own = group[fit.labels]  # (n,)
        colours = _far_apart(_touching(own, neighbours)) if before is None else _matched(own, before)
        before = colours[own]
        named = {int(colours[g]): int(head) for g, head in enumerate(heads)}
        found[i] = Regions(colours[group].astype(np.uint8), named)
    return found


def _grouped(items: HostItems, fit: Clustering) -> tuple[np.ndarray, np.ndarray]:
    """The group of each cluster (k,), and the row number of each group's medoid."""
    exemplars = items.subset(fit.medoids)
    begin = starts.start(exemplars, min(len(LIGHT), exemplars.n), "build", np.random.default_rng(0))
    groups = swapped_from(exemplars, begin)
    return groups.labels, fit.medoids[groups.medoids]


def _touching(own: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """How many pairs of neighbours lie in each two groups, (g, g); `own` (n,) is the group of each item."""
    g = int(own.max()) + 1
    pairs = np.zeros((g, g))
    np.add.at(pairs, (np.repeat(own, neighbours.shape[1]), own[neighbours].ravel()), 1)
    return pairs + pairs.T


def _far_apart(touching: np.ndarray) -> np.ndarray:
    """A colour for each of g groups: pairs of colours are exchanged as long as that parts touching groups better."""
    colours = np.arange(len(LIGHT))
    weight = np.zeros((len(LIGHT), len(LIGHT)))
    weight[: len(touching), : len(touching)] = touching
    np.fill_diagonal(weight, 0)
    alike = 1 / (1 + contrast(LIGHT))
    best, better = _clash(weight, alike, colours), True
    while better:
        better = False
        for a in range(len(touching)):
            for b in range(a + 1, len(LIGHT)):
                tried = colours.copy()
                tried[[a, b]] = tried[[b, a]]
                clash = _clash(weight, alike, tried)
                if clash < best * (1 - 1e-12):
                    colours, best, better = tried, clash, True
    return colours[: len(touching)]


def _clash(weight: np.ndarray, alike: np.ndarray, colours: np.ndarray) -> float:
    """How much groups that touch look alike in these colours."""
    return float((weight * alike[np.ix_(colours, colours)]).sum())


def _matched(own: np.ndarray, before: np.ndarray) -> np.ndarray:
    """A colour for each group, each another, so that as many items as possible keep the colour they had (n,)."""
    g = int(own.max()) + 1
    shared = np.zeros((g, len(LIGHT)))
    np.add.at(shared, (own, before), 1)
    return linear_sum_assignment(shared, maximize=True)[1]


def contrast(colours: tuple[str, ...]) -> np.ndarray:
    """How far apart any two colours are in CIELAB for the eye that tells them apart least, (12, 12)."""
    codes = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in colours]) / 255
    linear = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    white = to_xyz.sum(axis=1)
    seen = []
    for eye in _EYES:
        x, y, z = np.cbrt((np.clip(linear @ np.array(eye).T, 0, 1) @ to_xyz.T) / white).T
        lab = np.column_stack([116 * y, 500 * (x - y), 200 * (y - z)])
        seen.append(np.linalg.norm(lab[:, None] - lab, axis=2))
    return np.min(seen, axis=0)
