"""`kmedoids` as an estimator of scikit-learn: for pipelines, searches over parameters, and frames.

Its parameters and attributes have the names and the meaning that they have in scikit-learn-extra.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from simlib import _check
from simlib._engine.metrics import named
from simlib._labels import index_of
from simlib.medoids import MAX_ITER, kmedoids
from simlib.similarity import SIMILARITIES


class KMedoids(ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin, BaseEstimator):
    """k-medoids for scikit-learn: clusters around k of the rows themselves.

    Parameters
    ----------
    n_clusters : int
        k, between 1 and the number of rows.
    metric : {"cosine", "correlation", "similarity", "precomputed"}
        What X is: vectors (n, d) for the first two, else a matrix (n, n) of similarities or of distances.
    method, init, n_init, max_iter : as in `kmedoids`
        The default ``init="build"`` is greedy and draws nothing, so that a fit comes out the same every time.
    random_state : int, None, or a generator of NumPy
        Seed of random starts and exchanges. None draws from NumPy's global generator.

    Attributes
    ----------
    medoid_indices_ : int64 (k,), the row numbers of the medoids
    labels_ : int32 (n,), position of each row's medoid in `medoid_indices_`
    inertia_ : float, the sum over rows of 1 - similarity, or of the distance, to their own medoid
    cluster_centers_ : (k, d) vectors of the medoids; None if X is a matrix
    n_iter_ : int, passes over the rows, or iterations
    clustering_ : Clustering, with `members`, `table`, and the index of a frame
    n_features_in_ : int; feature_names_in_ : the columns of X, if they are strings

    Raises
    ------
    ValueError, TypeError
        From `fit`, as in `kmedoids`. A metric that is none of the four is answered with the call that makes distances.

    Notes
    -----
    New rows are vectors (m, d) or, for a matrix, their similarities to (distances from) the n rows of the fit, (m, n),
    as in scikit-learn. Cost and sources: `kmedoids`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0, 0.1], [2.0, 0.0], [0.1, 1.0], [0.0, 3.0], [0.2, 1.0]])
    >>> model = KMedoids(n_clusters=2).fit(X)
    >>> print(model.medoid_indices_, model.labels_, model.predict([[5.0, 1.0]]))
    [2 0] [1 1 0 0 0] [1]
    """

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        metric: str = "cosine",
        method: str = "fasterpam",
        init: Any = "build",
        n_init: int = 1,
        max_iter: int = MAX_ITER,
        random_state: Any = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.metric = metric
        self.method = method
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> KMedoids:
        """Cluster the rows of X; y is not used.

        Parameters
        ----------
        X : array, frame or scipy.sparse matrix, (n, d) or (n, n)

        Returns
        -------
        KMedoids
            Itself.
        """
        found, index = named(self.metric), index_of(X)
        X = self._rows(X, reset=True)
        fit = kmedoids(
            X,
            self.n_clusters,
            metric=found.word,
            method=self.method,
            init=self.init,
            n_init=self.n_init,
            max_iter=self.max_iter,
            random_state=_check.seed(self.random_state),
        )
        self.clustering_ = replace(fit, index=index)
        self.medoid_indices_, self.labels_, self.inertia_ = fit.medoids, fit.labels, fit.inertia
        self.cluster_centers_, self.n_iter_ = fit.centres, fit.n_iter
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Distances (m, k) of new rows from the medoids: 1 - similarity, or entries of the matrix of distances."""
        check_is_fitted(self)
        X, found = self._rows(X), named(self.metric)
        if found.on_vectors:
            return found.base - SIMILARITIES[found.word](X, self.cluster_centers_)
        return found.base - found.sign / self.clustering_.unit * X[:, self.medoid_indices_]

    def predict(self, X: Any) -> np.ndarray:
        """Labels int32 (m,) of new rows: the nearest medoid, ties to the first."""
        check_is_fitted(self)
        X, found = self._rows(X), named(self.metric)
        return self.clustering_.predict(X if found.on_vectors else X[:, self.medoid_indices_])

    def score(self, X: Any, y: Any = None) -> float:
        """Minus the mean distance of new rows from their nearest medoid: larger is better; y is not used."""
        return -float(np.mean(self.transform(X).min(axis=1)))

    def _rows(self, X: Any, reset: bool = False) -> Any:
        """X checked by scikit-learn; float32 and float64 stay what they are, a sparse matrix stays sparse."""
        return validate_data(self, X, accept_sparse="csr", dtype=[np.float64, np.float32], reset=reset)

    @property
    def _n_features_out(self) -> int:
        """How many columns `transform` makes."""
        return len(self.medoid_indices_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.metric in ("similarity", "precomputed")
        tags.input_tags.sparse = self.metric == "cosine"
        return tags
