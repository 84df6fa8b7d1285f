"""What a matrix must be: finite, symmetric, on one scale; judged by the pair of entries compared, wherever it lies."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist
from sklearn.metrics import silhouette_samples

from simlib import assign, certify, cosine_similarity, kmedoids, scan_k, silhouette, stability
from simlib._engine import items, prepare

FILLERS = [None, 1e4, 1e6, 1e9, 1e12]


def gaussian(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def euclidean(n, seed=0):
    X = gaussian(n, 2, seed)
    D = np.sqrt(((X[:, None] - X) ** 2).sum(axis=2))
    return D


# NaN and infinity, wherever they lie


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("metric", ["similarity", "precomputed", "cosine", "correlation"])
def test_nan_and_infinity_are_found_at_any_place(metric, dtype):
    rng = np.random.default_rng(0)
    for n in (3, 8, 40):
        S = cosine_similarity(gaussian(n, 5)).astype(dtype)
        A = {"similarity": S, "precomputed": (1 - S).astype(dtype)}.get(metric, gaussian(n, n).astype(dtype))
        for _ in range(80):
            bad = A.copy()
            i, j = rng.integers(n, size=2)
            bad[i, j] = rng.choice([np.nan, np.inf, -np.inf])
            if rng.random() < 0.3:
                bad[j, i] = bad[i, j]
            with pytest.raises(ValueError, match=f"NaN or infinity in [12] of {n} rows"):
                kmedoids(bad, 2, metric=metric)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_every_door_looks_for_them(value):
    D = euclidean(30)
    D[3, 17] = value
    for call in (
        lambda: kmedoids(D, 3, metric="precomputed", method="alternate"),
        lambda: assign(D, [0, 1], metric="precomputed"),
        lambda: certify(D, [0, 1], metric="precomputed"),
        lambda: scan_k(D, [2, 3], metric="precomputed"),
        lambda: silhouette(D, np.arange(30) % 3, metric="precomputed"),
        lambda: stability(D, 3, metric="precomputed", rounds=2),
    ):
        with pytest.raises(ValueError, match="NaN or infinity in 1 of 30 rows: 3"):
            call()


# One large number hides nothing


@pytest.mark.parametrize("filler", FILLERS)
def test_asymmetry_beside_a_filler(filler):
    D = euclidean(40)
    if filler:
        D[20:, :20] = D[:20, 20:] = filler
    kmedoids(D, 3, metric="precomputed")
    D[5, 2] *= 1.01
    with pytest.raises(ValueError, match=r"symmetric, but A\[2, 5\] = .* and A\[5, 2\]"):
        kmedoids(D, 3, metric="precomputed")


@pytest.mark.parametrize("filler", FILLERS)
@pytest.mark.parametrize("pairs", [1, 100])
def test_a_negative_distance_beside_a_filler(filler, pairs):
    D = euclidean(300)
    if filler:
        i, j = np.triu_indices(300, 1)
        some = np.random.default_rng(0).choice(len(i), pairs, replace=False)
        D[i[some], j[some]] = D[j[some], i[some]] = filler
    D[7, 8] = D[8, 7] = -0.01
    with pytest.raises(ValueError, match=r"must not be negative, but A\[7, 8\] = -0.01"):
        kmedoids(D, 3, metric="precomputed")


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_whole_numbers_must_be_equal(dtype):
    D = (euclidean(50) * 10**8).astype(dtype)
    kmedoids(D, 3, metric="precomputed")
    D[4, 9] += 1
    with pytest.raises(ValueError, match=r"symmetric, but A\[4, 9\]"):
        kmedoids(D, 3, metric="precomputed")


def test_rounding_is_no_fault():
    X = gaussian(60, 16)
    u = (X / np.linalg.norm(X, axis=1)[:, None]).astype(np.float32)
    expected = kmedoids(X, 4, metric="cosine").medoids
    for D in (1 - np.einsum("id,jd->ij", u, u), cdist(X, X, "cosine"), 1 - u @ u.T, (1 - u @ u.T).astype(np.float16)):
        assert np.diagonal(D).any()
        fit = kmedoids(D, 4, metric="precomputed")
        assert (fit.distance[fit.medoids] == 0).all()
        if D.dtype != np.float16:
            assert_array_equal(fit.medoids, expected)


def test_sums_that_overflow_are_refused():
    for equal in (1e307 * (1 - np.eye(8)), 1e306 * (1 - np.eye(200))):
        with pytest.raises(ValueError, match=r"overflow; divide A by that number"):
            kmedoids(equal, 3, metric="precomputed")
    D = euclidean(20) * 1e307
    with pytest.raises(ValueError, match=r"overflow; divide A by that number"):
        kmedoids(D, 3, metric="precomputed")
    kmedoids(D / 1e307, 3, metric="precomputed")


# Similarities on another scale


@pytest.mark.parametrize("scale", [100, 1e4, 0.01, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_similarities_are_divided_by_their_self_similarity(scale, dtype):
    S = cosine_similarity(gaussian(80, 4))
    A = (scale * S).astype(dtype)
    fit, expected = kmedoids(A, 5, init="build"), kmedoids(S, 5, init="build")
    assert_array_equal(fit.labels, expected.labels)
    assert fit.unit == pytest.approx(scale, rel=1e-6)
    assert f"divided by {scale:g}" in repr(fit)
    assert expected.unit == 1
    assert_allclose(fit.similarity, expected.similarity, atol=1e-5)
    assert fit.inertia == pytest.approx(expected.inertia, rel=1e-5)
    assert fit.history[-1] == pytest.approx(fit.inertia)
    far = np.clip(1 - S, 0, None)
    np.fill_diagonal(far, 0)
    theirs = silhouette_samples(far, fit.labels, metric="precomputed")
    assert_allclose(silhouette(A, fit.labels), theirs, atol=1e-4)
    assert certify(A, fit.medoids).inertia == pytest.approx(expected.inertia, rel=1e-5)
    assert_allclose(scan_k(A, [2, 5]).silhouette, scan_k(S, [2, 5]).silhouette, atol=1e-4)


def test_whole_number_similarities():
    P = np.rint(100 * cosine_similarity(abs(gaussian(60, 4)))).astype(np.int64)
    fit = kmedoids(P, 4)
    assert fit.unit == 100
    assert fit.inertia == pytest.approx(kmedoids(P / 100, 4).inertia)


def test_different_self_similarities_are_refused_with_a_way_out():
    X = gaussian(30, 5)
    A = X @ X.T + 20 * np.eye(30)
    with pytest.raises(ValueError, match=r"same scale for all items, .* with A / np.sqrt\(np.outer"):
        kmedoids(A, 3)
    assert kmedoids(A / np.sqrt(np.outer(A.diagonal(), A.diagonal())), 3).unit == 1


def test_zero_rows_have_no_self_similarity():
    X = gaussian(30, 5)
    X[[3, 9]] = 0
    S = cosine_similarity(X)
    assert kmedoids(S, 4).unit == 1
    assert kmedoids(50 * S, 4).unit == pytest.approx(50)


def test_nothing_but_zeros_is_refused():
    with pytest.raises(ValueError, match="similarity 0 to itself: is A a file that was not filled to its end"):
        kmedoids(np.zeros((20, 20)), 3)


def test_a_diagonal_left_out_is_told_from_distances():
    S = np.abs(np.corrcoef(gaussian(20, 6)))
    np.fill_diagonal(S, 0)
    with pytest.raises(
        ValueError, match=r"metric='precomputed'\? If these are similarities .* np.fill_diagonal\(A, 1\)"
    ):
        kmedoids(S, 3)
    np.fill_diagonal(S, 1)
    kmedoids(S, 3)


# Copies


def test_copies_have_a_medoid_silhouette_of_one():
    X = np.repeat(gaussian(5, 7).astype(np.float32), 8, axis=0)
    for A, metric in ((X, "cosine"), (cosine_similarity(X), "similarity")):
        assert scan_k(A, [5, 9], metric=metric).medoid_silhouette[0] == 1


@pytest.mark.parametrize("seed", range(20))
def test_more_medoids_than_different_rows_are_certified(seed):
    X = np.repeat(gaussian(6, 4, seed), 5, axis=0)
    S = cosine_similarity(X)
    for k in (6, 9, 20):
        assert certify(S, kmedoids(S, k, random_state=seed).medoids).is_optimal
        assert certify(X, kmedoids(X, k, metric="cosine", random_state=seed).medoids, metric="cosine").is_optimal


@pytest.mark.parametrize("blank", [0, np.nan, np.inf])
@pytest.mark.parametrize("half", [np.triu, np.tril])
def test_half_a_matrix_is_refused_and_its_way_out_works(half, blank):
    D = euclidean(20)
    A = np.where(half(np.ones((20, 20)), 1 if half is np.triu else -1) > 0, D, blank)
    with pytest.raises(ValueError, match=r"only the half of A (above|below) the diagonal is filled: A = ") as error:
        kmedoids(A, 3, metric="precomputed")
    way_out = str(error.value).partition("A = ")[2].partition(" fills")[0]
    filled = eval(way_out, {"np": np, "A": A})
    np.fill_diagonal(filled, 0)
    assert_array_equal(filled, D)
    assert_array_equal(kmedoids(filled, 3, metric="precomputed").medoids, kmedoids(D, 3, metric="precomputed").medoids)


@pytest.mark.parametrize("block", [1, 3, 7, 8, 9, 20, 512])
@pytest.mark.parametrize("n", [8, 9, 15, 16, 17, 40])
def test_blocks_of_any_size_see_every_row(block, n, monkeypatch):
    monkeypatch.setattr(items, "BLOCK_ROWS", block)
    D = euclidean(n)
    looked_at = []
    monkeypatch.setattr(prepare, "_compare", lambda *args: looked_at.append(args))
    prepare.prepare(D, "precomputed")
    assert not looked_at  # one look was enough
    for i in range(n):
        bad = D.copy()
        bad[i, (i + 3) % n] += 1
        prepare.prepare(bad, "precomputed")
        assert len(looked_at) == i + 1
