"""Whether series by date are levels, such as prices, and not changes from one date to the next."""

from __future__ import annotations

import numpy as np

from simlib.files.card import Card
from simlib.files.dates import are_dates

FEWEST = 60  # dates; a shorter walk cannot be told from other series
MOST = 2_000_000  # numbers that are judged, in evenly spaced series
WALK = 10.0  # dates times (1 - autocorrelation) of a random walk: half of them lie below 7
FREE = 0.25  # autocorrelation up to which changes hang together little; of a season's it is near 1
NOTE = (
    "The numbers run by date, are positive and wander: they look like levels (prices), not changes. "
    "Correlation of levels follows the common trend; in pandas, frame.pct_change().iloc[1:] makes changes of a frame "
    "with a row a date."
)


def note_levels(vectors: np.ndarray, names: list[str] | None, card: Card) -> None:
    """Say on the card if the vectors (n, d), whose d numbers are called `names`, look like prices by date.

    Series wander if their autocorrelation at lag 1 is that of a random walk of their length (Dickey and Fuller, 1979)
    and that of their changes is small. The medians of the series that are not constant are judged.
    """
    n, d = vectors.shape
    if names is None or d < FEWEST or not are_dates(names):
        return
    some = np.asarray(vectors[:: -(-n * d // MOST)], dtype=np.float64)
    if not (some > 0).all():
        return
    levels, changes = _autocorrelation(some), _autocorrelation(np.diff(some, axis=1))
    if d * (1 - levels) < WALK and abs(changes) < FREE:
        card.notes.append(NOTE)


def _autocorrelation(series: np.ndarray) -> float:
    """The median autocorrelation at lag 1 of series (n, d) that are not constant; nan if all are."""
    around = series - series.mean(axis=1, keepdims=True)
    squares = np.square(around).sum(axis=1)
    seen = squares > 0
    products = (around[:, 1:] * around[:, :-1]).sum(axis=1)
    return float(np.median(products[seen] / squares[seen])) if seen.any() else np.nan
