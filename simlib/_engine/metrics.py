"""One row a metric: the caller's word for it, and what follows from it everywhere else.

A holds entries: similarities (larger is closer) or distances (smaller is closer), or it holds vectors whose entries are
computed. Closeness is ``sign / unit * entry``, so that larger is always closer; unit is 1 unless a matrix of
similarities has another number on its diagonal. The loss of an item is ``base`` minus its closeness to its medoid:
1 - similarity, or the distance.
"""

from __future__ import annotations

from typing import NamedTuple


class Metric(NamedTuple):
    """What A holds, and how it is read."""

    word: str  # what a caller writes for it
    entry: str  # what an entry is called: "similarity" or "distance"
    sign: int  # 1 where larger entries are closer, else -1
    base: float  # loss of an item = base - closeness
    on_vectors: bool  # whether A is (n, d) vectors rather than an (n, n) matrix
    centred: bool = False  # whether each vector's own mean is taken off before it is compared

    @property
    def of_distances(self) -> bool:
        """Whether smaller entries are closer."""
        return self.sign < 0


METRICS = {
    metric.word: metric
    for metric in (
        Metric("similarity", "similarity", 1, 1.0, on_vectors=False),
        Metric("precomputed", "distance", -1, 0.0, on_vectors=False),
        Metric("cosine", "similarity", 1, 1.0, on_vectors=True),
        Metric("correlation", "similarity", 1, 1.0, on_vectors=True, centred=True),
    )
}
ON_VECTORS = tuple(metric.word for metric in METRICS.values() if metric.on_vectors)
