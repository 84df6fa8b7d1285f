"""The loop behind the silhouettes: from sums by cluster to mean closeness."""

from __future__ import annotations

import numpy as np
from numba import prange

from simlib._engine.kernels.compile import compiled

STRIP = 2048  # items whose sums stay in the first-level cache while the clusters go by


@compiled(parallel=True)
def own_and_next(sums, counts, labels, self_closeness):
    """Mean closeness of w items to the others of their own cluster, and to the closest other cluster.

    Reads sums float64 (k, w), over the counts int64 (k,) members of each cluster, the item itself among them; labels
    (w,); self_closeness float64 (w,). Returns float64 (2, w).
    """
    k, w = sums.shape
    means = np.full((2, w), -np.inf)
    for strip in prange((w + STRIP - 1) // STRIP):
        left, right = strip * STRIP, min(strip * STRIP + STRIP, w)
        for r in range(k):
            total = sums[r, left:right]
            for o in range(len(total)):
                i = left + o
                if labels[i] == r:
                    means[0, i] = (total[o] - self_closeness[i]) / max(counts[r] - 1, 1)
                else:
                    means[1, i] = max(means[1, i], total[o] / counts[r])
    return means
