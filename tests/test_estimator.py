"""KMedoids as scikit-learn expects an estimator to be, and as users of scikit-learn-extra know it."""

import pickle
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import pairwise_distances
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import simlib
from simlib import KMedoids, kmedoids


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(centre, 1, (40, 6)) for centre in (5 * np.eye(6)[:4])])


@parametrize_with_checks([KMedoids(), KMedoids(method="alternate", init="random", n_init=2)])
def test_scikit_learn_has_nothing_to_object(estimator, check):
    check(estimator)


def test_it_is_kmedoids(X):
    model = KMedoids(4, metric="correlation", init="random", n_init=3, random_state=7).fit(X)
    fit = kmedoids(X, 4, metric="correlation", n_init=3, random_state=7)
    assert model.clustering_ == fit
    assert_array_equal(model.medoid_indices_, fit.medoids)
    assert_array_equal(model.labels_, fit.labels)
    assert_array_equal(model.cluster_centers_, X[fit.medoids])
    assert (model.inertia_, model.n_iter_, model.n_features_in_) == (fit.inertia, fit.n_iter, 6)


def test_distances_from_the_medoids_and_the_score(X):
    model = KMedoids(4).fit(X[::2])
    new = X[1::2]
    distances = model.transform(new)
    assert_allclose(distances, pairwise_distances(new, model.cluster_centers_, metric="cosine"), atol=1e-12)
    assert_array_equal(model.predict(new), distances.argmin(axis=1))
    assert model.score(new) == -distances.min(axis=1).mean()
    assert_allclose(-model.score(X[::2]) * len(X[::2]), model.inertia_)


@pytest.mark.parametrize(("metric", "sign"), [("precomputed", -1), ("similarity", 1)])
def test_a_matrix_is_cut_both_ways(X, metric, sign):
    D = pairwise_distances(X, metric="euclidean")
    A = D if sign < 0 else 100 * np.exp(-D)
    search = GridSearchCV(KMedoids(metric=metric), {"n_clusters": [2, 4, 8]}, cv=3).fit(A)
    assert search.best_estimator_.n_features_in_ == len(A)
    model = KMedoids(4, metric=metric).fit(A)
    assert model.cluster_centers_ is None
    assert_array_equal(model.predict(A), model.labels_)
    assert_allclose(model.transform(A).min(axis=1).sum(), model.inertia_)
    with pytest.raises(ValueError, match="expecting 160 features"):
        model.predict(A[:, :4])


def test_a_pipeline_a_clone_and_a_frame(X):
    frame = pd.DataFrame(X, columns=list("abcdef"), index=[f"item {i}" for i in range(len(X))])
    pipe = make_pipeline(StandardScaler(), KMedoids(4, random_state=0)).set_output(transform="pandas")
    labels = pipe.fit_predict(frame)
    assert_array_equal(labels, clone(pipe).fit(frame)[-1].labels_)
    model = pipe[-1]
    assert model.feature_names_in_.tolist() == list("abcdef")
    assert pipe.transform(frame).columns.tolist() == ["kmedoids0", "kmedoids1", "kmedoids2", "kmedoids3"]
    assert pipe.transform(frame).index.equals(frame.index)
    assert KMedoids(4).fit(frame).clustering_.table()["item"].tolist() == frame.index.tolist()
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame.rename(columns={"a": "z"}))


def test_sparse_rows_stay_sparse(X):
    words = sp.csr_array(np.maximum(X, 0))
    model = KMedoids(4).fit(words)
    assert sp.issparse(model.cluster_centers_)
    assert_allclose(model.transform(words), KMedoids(4).fit(words.toarray()).transform(words.toarray()), atol=1e-12)
    assert len(model.predict(words)) == len(X)


@pytest.mark.parametrize("write", [pickle.dumps, None])
def test_it_comes_back_from_a_file(X, write, tmp_path):
    model = KMedoids(4).fit(pd.DataFrame(X, index=[f"item {i}" for i in range(len(X))]))
    joblib.dump(model, tmp_path / "model")
    again = joblib.load(tmp_path / "model") if write is None else pickle.loads(write(model))
    assert again.clustering_ == model.clustering_
    assert_array_equal(again.predict(X), model.predict(X))


def test_no_seed_is_as_in_scikit_learn(X):
    def start(seed):
        np.random.seed(seed)  # noqa: NPY002
        return KMedoids(4, init="random", max_iter=0).fit(X).medoid_indices_.tolist()

    assert start(1) == start(1) != start(2)
    state = np.random.RandomState(0)
    model = KMedoids(4, init="random", max_iter=0, random_state=state)
    assert model.fit(X).medoid_indices_.tolist() != model.fit(X).medoid_indices_.tolist()


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "chebyshev"])
def test_another_metric_is_answered_with_a_call_that_works(X, metric):
    with pytest.raises(ValueError, match="distances of vectors are made first") as caught:
        KMedoids(4, metric=metric).fit(X)
    call = str(caught.value).partition("are made first, ")[2].partition("; then pass D")[0]
    names = {"A": X}
    exec(call, names)
    model = KMedoids(4, metric="precomputed").fit(names["D"])
    assert_allclose(model.inertia_, pairwise_distances(X, X[model.medoid_indices_], metric=metric).min(axis=1).sum())


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"method": "pam"}, "for that take method='fasterpam'"),
        ({"init": "heuristic"}, "for that take init='build'"),
        ({"n_clusters": 1000}, "n_clusters must be between 1 and 160"),
    ],
)
def test_words_of_scikit_learn_extra_are_answered(X, parameters, message):
    with pytest.raises(ValueError, match=message):
        KMedoids(**parameters).fit(X)


def test_simlib_alone_does_not_import_scikit_learn():
    code = (
        "import sys, simlib; assert not any(name.split('.')[0] == 'sklearn' for name in sys.modules); simlib.KMedoids()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert simlib.KMedoids is KMedoids
