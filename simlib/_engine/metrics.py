"""One row a metric: the caller's word for it, and what follows from it everywhere else.

A holds entries: similarities (larger is closer) or distances (smaller is closer), or it holds vectors whose entries are
computed. Closeness is ``sign / unit * entry``, so that larger is always closer; unit is 1 unless a matrix of
similarities has another number on its diagonal. The loss of an item is ``base`` minus its closeness to its medoid:
1 - similarity, or the distance.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from simlib._kinds import shown


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

OTHER_WORDS = {
    "cosine_similarity": "cosine",
    "cosine_distance": "cosine",
    "angular": "cosine",
    "pearson": "correlation",
    "pearsonr": "correlation",
    "corr": "correlation",
    "distance": "precomputed",
    "distances": "precomputed",
    "dissimilarity": "precomputed",
    "similarities": "similarity",
    "affinity": "similarity",
    "kernel": "similarity",
}
MADE_BY_SKLEARN = (
    *("euclidean", "l2", "sqeuclidean", "manhattan", "cityblock", "l1", "minkowski", "chebyshev", "canberra"),
    *("braycurtis", "hamming", "jaccard", "dice", "mahalanobis", "haversine", "nan_euclidean", "jensenshannon"),
)  # distances that scikit-learn makes of vectors


def named(word: Any) -> Metric:
    """The metric that a caller's word names; any other word is answered with what to call."""
    if isinstance(word, str) and word in METRICS:
        return METRICS[word]
    allowed = ", ".join(map(repr, METRICS))
    raise ValueError(f"metric must be one of {allowed}, got {shown(word)}{_way_out(word)}")


def _way_out(word: Any) -> str:
    """What to call for what a caller seems to mean."""
    plain = word.lower().replace("-", "_").replace(" ", "_") if isinstance(word, str) else ""
    meant = plain if plain in METRICS else OTHER_WORDS.get(plain)
    if meant:
        return f': use metric="{meant}"'
    if plain == "spearman":
        return ': use scipy.stats.rankdata(A, axis=1) in place of A, with metric="correlation"'
    if plain in MADE_BY_SKLEARN or callable(word):
        how = f'metric="{plain}"' if plain else "metric=your_function"
        call = f"from sklearn.metrics import pairwise_distances; D = pairwise_distances(A, {how})"
        return f': distances of vectors are made first, {call}; then pass D with metric="precomputed"'
    return ': for any other distance make the matrix of distances first and pass it with metric="precomputed"'
