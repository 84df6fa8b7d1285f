"""The loop behind the silhouettes: from sums by cluster to mean closeness."""

from __future__ import annotations

import numpy as np
from numba import prange

from simlib._engine.kernels.compile import compiled

STRIP = 2048  # items whose sums stay in the first-level cache while the clusters go by


@compiled(parallel=True)
def own_and_next(sums, counts, labels, self_closeness, weight):
    """Mean closeness of w items to the others of their own cluster, and to the closest other cluster.

    Reads sums float64 (k, w), over the counts (k,) members of each cluster, the item itself among them; labels (w,);
    self_closeness float64 (w,); weight float64 (w,) or None. With weights, counts are the weights of the clusters, and
    one of the item's own copies is left out, or all of a weight below 1. Returns float64 (2, w).
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
                    means[0, i] = _without_itself(total[o], counts[r], self_closeness[i], weight, i)
                elif counts[r] > 0:
                    means[1, i] = max(means[1, i], total[o] / counts[r])
    return means


@compiled
def _without_itself(total, count, self_closeness, weight, i):
    """Mean closeness to the others from the sum over all of a cluster. Reads weight float64 (w,) or None."""
    if weight is None:
        return (total - self_closeness) / max(count - 1, 1)
    own = min(weight[i], 1.0)
    return (total - own * self_closeness) / (count - own) if count > own else 0.0
