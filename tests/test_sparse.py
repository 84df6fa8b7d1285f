"""Sparse vectors: the results of the dense ones, from what is stored."""

import numba
import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from simlib import assign, certify, correlation, cosine_similarity, kmedoids, scan_k, silhouette, stability

KINDS = {
    "csr_array": sp.csr_array,
    "csr_matrix": sp.csr_matrix,
    "csc_array": sp.csc_array,
    "coo_matrix": sp.coo_matrix,
    "lil_array": sp.lil_array,
}


def counts(n=120, d=200, share=0.06, dtype=np.float64, seed=0):
    """Counts of words: whole numbers, some rows empty."""
    rng = np.random.default_rng(seed)
    X = np.where(rng.random((n, d)) < share, rng.integers(1, 9, (n, d)), 0).astype(dtype)
    X[[3, 40]] = 0
    return X


def test_three_rows_by_hand():
    S = cosine_similarity(sp.csr_array(np.array([[3.0, 4.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 0.0]])))
    assert_allclose(S, [[1, 0.8, 0], [0.8, 1, 0], [0, 0, 0]])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
def test_as_from_dense_vectors(kind, dtype):
    X = counts(dtype=dtype)
    A = KINDS[kind](X)
    S, expected = cosine_similarity(A), cosine_similarity(X)
    assert S.dtype == expected.dtype
    assert_allclose(S, expected, atol=1e-6)
    assert_array_equal(S, S.T)
    assert_array_equal(np.diagonal(S), X.any(axis=1))
    for Y in (KINDS[kind](X[:7]), X[:7]):
        assert_allclose(cosine_similarity(A, Y), cosine_similarity(X, X[:7]), atol=1e-6)
    assert_allclose(cosine_similarity(X[:7], A), expected[:7], atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_bits_on_any_number_of_threads(dtype):
    A = sp.random_array((700, 3000), density=0.02, format="csr", dtype=dtype, rng=np.random.default_rng(1))
    S = cosine_similarity(A)
    numba.set_num_threads(1)
    try:
        alone = cosine_similarity(A)
    finally:
        numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
    assert_array_equal(S, alone)
    assert_array_equal(S, S.T)
    assert_allclose(S, cosine_similarity(A.toarray()), atol=1e-6)
    fortran = np.empty((700, 700), dtype, order="F")
    assert_array_equal(cosine_similarity(A, out=fortran), S)


def test_indices_of_64_bits():
    A = sp.csr_array(counts())
    wide = sp.csr_array((A.data, A.indices.astype(np.int64), A.indptr.astype(np.int64)), shape=A.shape)
    assert_array_equal(cosine_similarity(wide), cosine_similarity(A))


def test_stored_twice_and_rows_of_any_length():
    double = sp.coo_array((np.ones(6), ([0, 0, 1, 1, 2, 2], [1, 1, 1, 2, 2, 2])), shape=(3, 4))
    assert_allclose(cosine_similarity(double), cosine_similarity(double.toarray()))
    tiny = counts(dtype=np.float32) * np.float32(1e-30)
    assert_allclose(cosine_similarity(sp.csr_array(tiny)), cosine_similarity(tiny), atol=1e-6)


def test_into_a_file_and_half_precision(tmp_path):
    X = counts()
    out = np.lib.format.open_memmap(tmp_path / "S.npy", "w+", np.float32, (120, 120))
    assert cosine_similarity(sp.csr_array(X), out=out) is out
    assert_allclose(out, cosine_similarity(X), atol=1e-6)
    half = cosine_similarity(sp.csr_array(X), dtype=np.float16)
    assert half.dtype == np.float16
    assert_allclose(half, cosine_similarity(X), atol=1e-3)


@pytest.mark.parametrize("options", [{}, {"init": "build"}, {"init": "k-medoids++"}, {"method": "alternate"}], ids=str)
def test_the_same_clusters(options):
    X = counts(300, 150)
    A = sp.csr_matrix(X)
    fit, expected = kmedoids(A, 12, metric="cosine", **options), kmedoids(cosine_similarity(X), 12, **options)
    assert_array_equal(fit.medoids, expected.medoids)
    assert_array_equal(fit.labels, expected.labels)
    assert fit.inertia == pytest.approx(expected.inertia)
    assert_array_equal(fit.predict(A), kmedoids(X, 12, metric="cosine", **options).predict(X))
    assert_array_equal(assign(A, fit.medoids, metric="cosine").labels, fit.labels)


def test_what_else_takes_them():
    X = counts(200, 100)
    A = sp.csr_array(X)
    labels = np.arange(200) % 5
    assert certify(A, kmedoids(A, 9, metric="cosine").medoids, metric="cosine").is_optimal
    assert_allclose(silhouette(A, labels, metric="cosine"), silhouette(X, labels, metric="cosine"), atol=1e-9)
    assert_allclose(scan_k(A, [2, 7], metric="cosine").inertia, scan_k(X, [2, 7], metric="cosine").inertia)
    ours, theirs = (stability(each, 4, metric="cosine", rounds=2) for each in (A, cosine_similarity(X)))
    assert 0 <= ours.mean <= 1 or theirs.mean < 0


def test_what_does_not_is_said():
    A = sp.csr_array(counts())
    with pytest.raises(TypeError, match=r"nothing is sparse: pass X\.toarray\(\)"):
        correlation(A)
    with pytest.raises(TypeError, match=r'sparse A is taken for metric="cosine" only.*A\.toarray\(\)'):
        kmedoids(A, 3)
    with pytest.raises(ValueError, match="same number of columns, got 200 and 3"):
        cosine_similarity(A, A[:, :3])
    bad = A.copy()
    bad.data[5] = np.nan
    with pytest.raises(ValueError, match="X has NaN or infinity in 1 of 120 rows: 0"):
        cosine_similarity(bad)
    with pytest.raises(TypeError, match="X must hold real numbers, got dtype complex128"):
        cosine_similarity(A.astype(complex))
    with pytest.raises(ValueError, match=r"X must be 2-D and not empty"):
        cosine_similarity(sp.csr_array((0, 4)))
