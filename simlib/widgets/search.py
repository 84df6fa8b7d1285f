"""The search for an item by its name, and where in its cluster an item lies; the answers are HTML."""

from __future__ import annotations

import numpy as np

from simlib._labels import SHORT, marked
from simlib.medoids import Clustering

OFFERED = 6  # names that are offered where no item has the name searched for


class Names:
    """The names of n items, to be searched."""

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self._folded = [_folded(name) for name in names]

    def find(self, wanted: str) -> tuple[int | None, str]:
        """Row of the item with this name, and what to say; an exact match comes before one in another case."""
        key = _folded(wanted)
        if not key:
            return None, ""
        same = [i for i, name in enumerate(self._names) if name == wanted]
        same = same or [i for i, name in enumerate(self._folded) if name == key]
        if not same:
            return None, f"No item is called <b>{marked(wanted, SHORT)}</b>. {self._offer(key)}"
        several = f" (the first of {len(same):,} of this name)" if len(same) > 1 else ""
        return same[0], f"<b>{marked(self._names[same[0]], SHORT)}</b>{several}"

    def _offer(self, key: str) -> str:
        """A few names that begin with the folded name `key`, as a sentence."""
        begun = [self._names[i] for i, name in enumerate(self._folded) if name.startswith(key)]
        first = list(dict.fromkeys(begun))[:OFFERED]
        if not first:
            return "No name begins so."
        return "Names that begin so: " + ", ".join(f"<b>{marked(name, SHORT)}</b>" for name in first) + "."


def place(fit: Clustering, item: int, names: list[str]) -> str:
    """Where in its cluster an item lies, as a sentence that begins after the item's name."""
    j = fit.labels[item]
    if fit.medoids[j] == item:
        return f"is the exemplar of {fit.sizes[j]:,}."
    rank = int(np.flatnonzero(fit.members(j) == item)[0]) + 1
    exemplar = marked(names[fit.medoids[j]], SHORT)
    return f"is in the cluster of {exemplar}, number {rank:,} of {fit.sizes[j]:,} by closeness."


def _folded(name: str) -> str:
    """A name as it is compared: without regard to case and to the space around its words."""
    return " ".join(name.casefold().split())
