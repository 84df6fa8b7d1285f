"""Criteria for k: by hand, against scikit-learn, kmedoids from PyPI and brute force, then bad input."""

import kmedoids as peer
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import silhouette_samples

from simlib import KScan, _matrix, correlation, cosine_similarity, kmedoids, scan_k, silhouette


def distances(points):
    points = np.asarray(points, np.float64)
    return abs(points[:, None] - points)


def gaussian(n, d, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d)).astype(dtype)


def some_labels(n, k, seed=0):
    """k clusters of unequal size; the last holds one item."""
    labels = np.random.default_rng(seed).integers(0, k - 1, n)
    labels[n // 2] = k - 1
    return labels


# By hand


def test_silhouette_by_hand():
    # a and b: 1, 10; 1, 9; and a cluster of one counts as 0.
    scores = silhouette(distances([0, 1, 10]), [0, 0, 1], metric="precomputed")
    assert_allclose(scores, [9 / 10, 8 / 9, 0])


def test_silhouette_of_an_item_in_the_wrong_cluster():
    # The item at 9: a = 8.5 to those at 0 and 1, b = 1 to the one at 10.
    scores = silhouette(distances([0, 1, 9, 10]), [0, 0, 0, 1], metric="precomputed")
    assert scores[2] == pytest.approx((1 - 8.5) / 8.5)


def test_silhouette_of_copies_is_zero():
    assert_array_equal(silhouette(np.zeros((4, 4)), [0, 0, 1, 1], metric="precomputed"), np.zeros(4))


def test_scan_by_hand():
    scan = scan_k(distances([1, 2, 3, 10, 11, 12]), [3, 2], metric="precomputed")
    assert_array_equal(scan.ks, [2, 3])
    assert_array_equal(scan.inertia, [4, 3])
    assert_array_equal(scan.smallest, [3, 1])
    assert_array_equal(scan.largest, [3, 3])
    assert_array_equal(scan.singletons, [0, 1])
    # Medoids 2 and 11: d1 / d2 is 1/10, 0/9, 1/8 and the mirror image.
    assert scan.medoid_silhouette[0] == pytest.approx(1 - (1 / 10 + 0 + 1 / 8) / 3)


# Oracles


functions = {"cosine": cosine_similarity, "correlation": correlation}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", ["similarity", "precomputed", "cosine", "correlation"])
@pytest.mark.parametrize(("n", "k"), [(60, 2), (1203, 9)])
def test_silhouette_is_scikit_learns(metric, n, k, dtype):
    X, labels = gaussian(n, 6, dtype) + 1, some_labels(n, k)
    S = functions.get(metric, cosine_similarity)(X)
    A = {"similarity": S, "precomputed": 1 - S}.get(metric, X)
    D = 1 - S.astype(np.float64)
    scores = silhouette(A, labels, metric=metric)
    assert scores.dtype == np.float64
    assert_allclose(
        scores, silhouette_samples(D, labels, metric="precomputed"), atol=2e-6 if dtype == np.float32 else 1e-12
    )
    assert np.abs(scores).max() <= 1


def test_silhouette_with_zero_rows_and_copies():
    X = np.repeat(gaussian(8, 3), 3, axis=0)
    X[:4] = 0
    labels = some_labels(24, 4)
    D = 1 - cosine_similarity(X)
    np.fill_diagonal(D, 0)
    expected = silhouette_samples(D, labels, metric="precomputed")
    assert_allclose(silhouette(X, labels, metric="cosine"), expected, atol=1e-12)
    assert_allclose(silhouette(cosine_similarity(X), labels), expected, atol=1e-12)


@pytest.mark.parametrize("metric", ["cosine", "correlation"])
def test_silhouette_of_equal_directions_is_zero(metric):
    for seed in range(20):
        X = gaussian(1, 5, seed=seed) * np.linspace(0.5, 2, 12)[:, None]
        scores = silhouette(X, np.arange(12) % 3, metric=metric)
        assert np.abs(scores).max() <= 1
        assert_allclose(scores, np.zeros(12), atol=1e-6)


@pytest.mark.parametrize("metric", ["cosine", "correlation"])
def test_silhouette_is_at_most_one(metric):
    X = np.repeat(gaussian(3, 5), 12, axis=0) * np.linspace(0.5, 2, 36)[:, None]
    scores = silhouette(X, np.repeat([0, 1, 2], 12), metric=metric)
    assert_allclose(scores, 1)
    assert scores.max() <= 1


@pytest.mark.parametrize("kind", [list, np.uint8, torch.tensor, lambda labels: np.asarray(labels)[::-1][::-1]])
def test_names_and_kind_of_labels_do_not_matter(kind):
    D, labels = distances(gaussian(40, 1)[:, 0]), some_labels(40, 4)
    expected = silhouette(D, labels, metric="precomputed")
    given = kind(labels) if not isinstance(kind, type) or kind is list else labels.astype(kind)
    assert_array_equal(silhouette(D, given, metric="precomputed"), expected)
    names = np.array([70, -3, 12, 5])
    assert_allclose(silhouette(D, names[labels], metric="precomputed"), expected, rtol=1e-12)


def test_silhouette_leaves_its_input_alone():
    D, labels = distances(range(9)), some_labels(9, 3) + 4
    before = D.copy(), labels.copy()
    silhouette(D, labels, metric="precomputed")
    scan_k(D, [2, 3], metric="precomputed")
    assert_array_equal(D, before[0])
    assert_array_equal(labels, before[1])


def plain_medoid_silhouette(D, rows):
    d1, d2 = np.sort(D[rows], axis=0)[:2]
    return np.mean([1 - a / b if b > 0 else 1 for a, b in zip(d1, d2, strict=True)])


@pytest.mark.parametrize("metric", ["similarity", "precomputed", "cosine"])
def test_scan_is_the_fits_one_by_one(metric):
    X = gaussian(60, 5)
    S = cosine_similarity(X)
    A = {"similarity": S, "precomputed": 1 - S, "cosine": X}[metric]
    scan = scan_k(A, np.array([7, 2, 20, 59]), metric=metric)
    assert isinstance(scan, KScan)
    assert_array_equal(scan.ks, [2, 7, 20, 59])
    for i, k in enumerate(scan.ks):
        fit = kmedoids(A, k, metric=metric, init="build")
        assert_array_equal(scan.fits[i].medoids, fit.medoids)
        assert_array_equal(scan.fits[i].labels, fit.labels)
        assert scan.inertia[i] == scan.fits[i].inertia == fit.inertia
        assert scan.fits[i].converged
        assert scan.silhouette[i] == pytest.approx(silhouette(A, fit.labels, metric=metric).mean())
        assert scan.medoid_silhouette[i] == pytest.approx(plain_medoid_silhouette(1 - S, fit.medoids))
        assert scan.smallest[i] == fit.sizes.min()
        assert scan.largest[i] == fit.sizes.max()
        assert scan.singletons[i] == np.sum(fit.sizes == 1)
    assert scan.seconds.shape == (4,)
    assert (scan.seconds > 0).all()


def test_medoid_silhouette_is_the_peers():
    D = np.triu(np.random.default_rng(0).integers(0, 9, (80, 80)), 1).astype(np.float64)
    D += D.T
    scan = scan_k(D, [2, 5, 40], metric="precomputed")
    theirs = [peer.medoid_silhouette(D, fit.medoids.astype(np.uint64))[0] for fit in scan.fits]
    assert_allclose(scan.medoid_silhouette, theirs)


def test_three_groups_stand_out():
    points = np.concatenate([10 * i + 0.1 * gaussian(20, 1, seed=i)[:, 0] for i in range(3)])
    scan = scan_k(distances(points), range(2, 8), metric="precomputed")
    assert scan.ks[scan.silhouette.argmax()] == scan.ks[scan.medoid_silhouette.argmax()] == 3


def test_scan_of_copies():
    scan = scan_k(np.ones((6, 6)), [2, 5])
    assert_array_equal(scan.inertia, [0, 0])
    assert_array_equal(scan.medoid_silhouette, [1, 1])
    assert_array_equal(scan.silhouette, [0, 0])
    assert [len(set(fit.medoids.tolist())) for fit in scan.fits] == [2, 5]


def test_blocks_change_nothing(monkeypatch):
    X, labels = gaussian(100, 5), some_labels(100, 5)
    S = cosine_similarity(X)
    expected = silhouette(S, labels), silhouette(X, labels, metric="cosine")
    monkeypatch.setattr(_matrix, "BLOCK", 7)
    assert_array_equal(silhouette(S, labels), expected[0])
    assert_allclose(silhouette(X, labels, metric="cosine"), expected[1], atol=1e-14)


def test_table_is_the_same_every_time():
    # k=2, silhouettes 8.5/10, 8/9, 6.5/8 and the mirror image; k=3 is {1}, {2, 3}, {10, 11, 12} around 1, 3 and 11.
    D = distances([1, 2, 3, 10, 11, 12])
    table = scan_k(D, [3, 2], metric="precomputed").table()
    assert table == scan_k(D, [2, 3], metric="precomputed").table()
    assert table.splitlines() == [
        "     k   inertia  medoid silhouette  silhouette  smallest  largest  singletons",
        "     2      4.00             0.9250      0.8505         3        3           0",
        "     3      3.00             0.7910      0.5041         1        3           1",
    ]


def test_scan_on_one_line():
    assert repr(scan_k(np.eye(5), [2, 3])) == "KScan(ks=[2, 3], n=5)"


def test_silent_unless_asked(capfd):
    scan_k(np.eye(5), [2, 3])
    silhouette(np.eye(5), [0, 0, 1, 1, 1])
    assert capfd.readouterr() == ("", "")
    scan_k(np.eye(5), [2, 3], progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "2/2" in err


# Bad input


@pytest.mark.parametrize(
    ("ks", "error", "words"),
    [
        ([1, 2], ValueError, r"each of ks must be between 2 and 4 \(the number of rows less one\), got 1"),
        ([2, 5], ValueError, r"each of ks must be between 2 and 4 \(the number of rows less one\), got 5"),
        ([-3], ValueError, "each of ks must be between 2 and 4"),
        ([], ValueError, r"at least one number of clusters, each once, got \[\]"),
        ([2, 3, 2], ValueError, r"each once, got \[2, 3, 2\]"),
        ([2.0], TypeError, "each of ks must be a whole number, got 2.0"),
        ([True], TypeError, "each of ks must be a whole number, got True"),
        ([None], TypeError, "each of ks must be a whole number, got None"),
        ("23", TypeError, "ks must be a list of numbers of clusters, got '23'"),
    ],
)
def test_ks(ks, error, words):
    with pytest.raises(error, match=words):
        scan_k(np.eye(5), ks)


def test_ks_that_is_one_number():
    with pytest.raises(TypeError, match="ks must"):
        scan_k(np.eye(5), 3)


@pytest.mark.parametrize(
    ("labels", "error", "words"),
    [
        ([0, 1], ValueError, "labels must have one entry a row, 5, got 2"),
        ([0, 0, 0, 0, 0], ValueError, "labels must hold at least 2, got 1"),
        ([0.0, 0, 1, 1, 1], TypeError, r"labels must be whole numbers \(n,\), got float64 \(5,\)"),
        ([True, False, True, True, True], TypeError, "labels must be whole numbers.*got bool"),
        (["a", "a", "b", "b", "b"], TypeError, "labels must be whole numbers.*got <U1"),
        ([[0, 0, 1, 1, 1]], TypeError, r"labels must be whole numbers \(n,\), got int64 \(1, 5\)"),
        (None, TypeError, "labels must be whole numbers"),
    ],
)
def test_labels(labels, error, words):
    with pytest.raises(error, match=words):
        silhouette(np.eye(5), labels)


@pytest.mark.parametrize(
    "call",
    [lambda A, metric: scan_k(A, [2], metric=metric), lambda A, metric: silhouette(A, [0, 0, 1, 1], metric=metric)],
)
def test_matrix(call):
    with pytest.raises(ValueError, match="metric must be one of 'similarity', 'precomputed', 'cosine', 'correlation'"):
        call(np.eye(4), "euclidean")
    with pytest.raises(ValueError, match="did you mean metric='precomputed'"):
        call(1 - np.eye(4), "similarity")
    with pytest.raises(ValueError, match="A has NaN or infinity in 4 of 4 rows"):
        call(np.full((4, 2), np.nan), "cosine")
    with pytest.raises(ValueError, match="A must be square"):
        call(np.ones((4, 3)), "similarity")


def test_random_state():
    with pytest.raises(TypeError, match="random_state must be a whole number, got None"):
        scan_k(np.eye(5), [2], random_state=None)
