"""Names beside points and at the ends of lines: none covers another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.transforms import BboxBase

from simlib._labels import SHORT, plain
from simlib.plots.look import LINK, figure_of

SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))  # of a point, where its name may stand
FEW = 20  # points, all of which get their names
FARTHER = (1, 3, 5, 8, 12)  # times as far from its point as it should, a name that finds no room is tried
NAME_LOOK: dict[str, Any] = {"fontsize": 9, "parse_math": False}


_Place = tuple[tuple[int, int], np.ndarray]  # the side of a point, and the box of the name there


@dataclass
class _Room:
    """What the names of a picture have to keep clear of, in pixels. A box is x0, y0, x1, y1."""

    frame: BboxBase  # no name may cross the edge of the Axes
    places: np.ndarray  # (p, 2), the points
    points: np.ndarray  # (p, 4), the boxes around the points
    taken: np.ndarray  # (t, 4), the boxes of the names written so far and of their points

    def best_side(self, i: int, size: np.ndarray, away: float, over: float) -> _Place | None:
        """The side of point i on which a name of this `size` (2,) covers fewest points, and the name's box.

        `away` is the name's distance from the point in pixels. None: no side is free, or each covers more than `over`.
        Where `over` is inf, the point itself may lie under another name.
        """
        best = None
        fewest = over + 1
        hidden = over < np.inf and _meets(self.points[i], self.taken).any()
        others = np.delete(self.points, i, axis=0)
        for side in () if hidden else SIDES:
            corner = self.places[i] + _shift(side, away) + (np.array(side) - 1) / 2 * size
            box = np.concatenate([corner, corner + size])
            inside = (self.frame.min < box[:2]).all() and (box[2:] < self.frame.max).all()
            covered = _meets(box, others).sum()
            if inside and (covered < fewest or (best is None and over == np.inf)) and not _meets(box, self.taken).any():
                fewest = covered
                best = side, box
        return best


def write_names(
    ax: Axes, at: np.ndarray, names: Iterable[Any], most: int, away: np.ndarray, over: int = 0
) -> list[int]:
    """Write up to `most` names beside points (p, 2), in order; returns which were written.

    No name covers another name, a named point or the edge; it may cover up to `over` nameless points. Where there are
    few points, a name that finds no room stands farther off, with a line to its point. `away` (p,) is the distance from
    the point in typographic points. Room for a title of two lines is kept while measuring, so that a title set later
    moves no two names together.
    """
    title = ax.get_title(loc="left")
    ax.set_title(title or "\n", loc="left")
    figure = figure_of(ax)
    figure.draw_without_rendering()
    dot = figure.dpi / 72  # pixels in a typographic point
    places = ax.transData.transform(at)
    reach = (0.7 * away * dot)[:, None]
    room = _Room(ax.get_window_extent(), places, np.hstack([places - reach, places + reach]), np.empty((0, 4)))
    ruler = ax.text(0, 0, "", **NAME_LOOK)
    words = [plain(name, SHORT) for name in names]
    written: list[int] = []
    for times in FARTHER if len(words) <= min(FEW, most) else FARTHER[:1]:
        for i in [i for i in range(len(words)) if i not in written]:
            if len(written) == most:
                break
            ruler.set_text(words[i])
            size = np.array(ruler.get_window_extent().size) + 4
            found = room.best_side(i, size, times * away[i] * dot, over if times == 1 else np.inf)
            if found:
                _write(ax, words[i], at[i], found[0], times * away[i], linked=times > 1)
                room.taken = np.vstack([room.taken, found[1], room.points[i]])
                written.append(i)
    ruler.remove()
    ax.set_title(title, loc="left")
    return written


def _write(ax: Axes, text: str, at: np.ndarray, side: tuple[int, int], away: float, linked: bool) -> None:
    """Write a name on this side of a point (2,), at the distance `away`; `linked` draws a line between the two."""
    x, y = side
    look = NAME_LOOK | {"ha": ("center", "left", "right")[x], "va": ("center", "bottom", "top")[y]}
    look["path_effects"] = [patheffects.withStroke(linewidth=2.5, foreground="white")]
    link = LINK if linked else None
    ax.annotate(
        text, (at[0], at[1]), tuple(_shift(side, away)), textcoords="offset points", zorder=4, arrowprops=link, **look
    )


def _shift(side: tuple[int, int], away: float) -> np.ndarray:
    """From a point to its name on this side, (2,), at the distance `away`."""
    return np.array(side) * away / np.hypot(*side)


def _meets(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Which of the boxes (b, 4) overlap `box` (4,); x0, y0, x1, y1 each."""
    return np.all((box[2:] >= boxes[:, :2]) & (box[:2] <= boxes[:, 2:]), axis=1)


def name_ends(ax: Axes, ends: list[tuple[int, float]], names: list[str], hues: list[str]) -> None:
    """Write names at the right edge, each linked to the end (x, y) of its line, and one below the other."""
    low, high = ax.get_ylim()
    order = sorted(range(len(ends)), key=lambda i: ends[i][1])
    heights = apart(np.array([(ends[i][1] - low) / (high - low) for i in order]), 0.07)
    for i, height in zip(order, heights, strict=True):
        look: dict[str, Any] = {"color": hues[i], "va": "center", "parse_math": False}
        link = LINK | {"ls": ":", "shrinkB": 5}
        ax.annotate(names[i], ends[i], (1.03, height), textcoords="axes fraction", arrowprops=link, **look)
    ax.set_ylim(low, high)


def apart(heights: np.ndarray, gap: float) -> np.ndarray:
    """Ascending heights moved as little as needed to lie at least `gap` apart."""
    moved = heights.copy()
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + gap)
    return moved - (moved - heights).max() / 2 if len(moved) else moved
