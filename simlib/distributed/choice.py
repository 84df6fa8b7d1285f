"""Which of many judged swaps are made together: the driver's part, on sums whose size does not depend on n."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simlib.distributed.near import Sums

TOUCH = 3.0  # swaps are made together if what they share is less than so many times what the weaker one brings


class Judged(NamedTuple):
    """The best exchange for each candidate; arrays of (m,)."""

    position: np.ndarray  # int64, of the medoid to be exchanged, the lowest among equals
    change: np.ndarray  # float64, how the loss changes


def judged(sums: Sums) -> Judged:
    """Judge every candidate on its own: removal - saved - gain, at the medoid where that is lowest.

    Only the medoids for which something is saved, and the one with the smallest removal loss, need a look.
    """
    removal, saved = np.asarray(sums.apart.sum(axis=1)).ravel(), sums.saved
    m = len(sums.gain)
    position, change = np.full(m, removal.argmin()), np.full(m, removal.min())
    candidate = np.repeat(np.arange(m), np.diff(saved.indptr))
    cost = removal[saved.indices] - saved.data
    order = np.lexsort((saved.indices, cost, candidate))
    best = order[np.unique(candidate[order], return_index=True)[1]]
    at, cost, medoid = candidate[best], cost[best], saved.indices[best]
    better = (cost < change[at]) | ((cost == change[at]) & (medoid < position[at]))
    position[at[better]], change[at[better]] = medoid[better], cost[better]
    return Judged(position, change - sums.gain)


def together(sums: Sums, found: Judged, tolerance: float) -> np.ndarray:
    """The candidates whose swaps are made at once, the best first: each helps, and they hardly touch each other.

    Two swaps touch where both save losses of one cluster's items, or where one takes away the medoid to which the other
    sends items. What they share is bounded by these sums. The first is always among them.
    """
    k = sums.apart.shape[0]
    taken, load, chosen = np.zeros(k, bool), np.zeros(k), list[int]()
    to, off = sums.apart.tocsr(), sums.apart.T.tocsr()
    order = np.argsort(found.change, kind="stable")
    for j in order[found.change[order] < -tolerance]:
        r = found.position[j]
        if taken[r]:
            continue
        own = slice(*sums.saved.indptr[j : j + 2])
        clusters, saved = sums.saved.indices[own], sums.saved.data[own]
        shared = np.minimum(saved, load[clusters]).sum() + load[r]
        for side in (to, off):
            near = slice(*side.indptr[r : r + 2])
            shared += side.data[near][taken[side.indices[near]]].sum()
        if chosen and shared > -TOUCH * found.change[j]:
            continue
        chosen.append(j)
        taken[r] = True
        load[clusters] += saved
    return np.array(chosen, dtype=np.int64)
