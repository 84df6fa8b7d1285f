"""The loop that lays two clusterings of the same items side by side."""

from __future__ import annotations

import numpy as np

from simlib._engine.kernels.compile import compiled


@compiled
def overlaps(members, first, other, sizes, overlap, best):
    """Compare the clusters of one clustering with those of another: the Jaccard overlap is shared / either.

    Reads members int64 (n,) and first int64 (k + 1,): cluster r of the one is members[first[r]:first[r + 1]].
    Reads other int32 (n,): the labels of the other; sizes int64 (m,) of its clusters. Writes overlap float64 (n,): it
    gains the overlap of each item's two clusters; best float64 (k,): each cluster's largest overlap, nan for one
    without items. Returns how many pairs of items are together in both.
    """
    shared = np.zeros(len(sizes), np.int64)
    pairs = 0
    for r in range(len(best)):
        own = members[first[r] : first[r + 1]]
        top = 0.0 if len(own) else np.nan
        for o in own:
            shared[other[o]] += 1
        for o in own:
            both = shared[other[o]]
            jaccard = both / (len(own) + sizes[other[o]] - both)
            overlap[o] += jaccard
            top = max(top, jaccard)
        for o in own:
            both = shared[other[o]]
            pairs += both * (both - 1) // 2
            shared[other[o]] = 0
        best[r] = top
    return pairs
