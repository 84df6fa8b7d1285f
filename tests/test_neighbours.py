"""The closest items and the near-duplicates, against a sort of whole rows."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.neighbors import NearestNeighbors

from simlib import _check, _limits, cosine_similarity, neighbours, pairs_above
from simlib._engine.tiles import TILE_ROWS

LINE = np.array([1.0, 2.0, 4.0, 10.0])
DISTANCES = abs(LINE[:, None] - LINE)


def sorted_rows(entries, sign, rows, k):
    """The k best of each row by sorting all of it, ties to the lowest number, the item itself left out."""
    found = []
    for row in rows:
        others = [j for j in range(len(entries)) if j != row]
        found.append(sorted(others, key=lambda j: (-sign * entries[row, j], j))[:k])
    return np.array(found)


def test_neighbours_by_hand():
    found = neighbours(DISTANCES, [0, 3], 2, metric="precomputed")
    assert found.indices.tolist() == [[1, 2], [2, 1]]
    assert found.values.tolist() == [[1, 3], [6, 8]]
    assert found.indices.dtype == np.int64


def test_pairs_by_hand():
    i, j, values = pairs_above(DISTANCES, 3, metric="precomputed")
    assert (i.tolist(), j.tolist(), values.tolist()) == ([0, 0, 1], [1, 2, 2], [1, 3, 2])
    assert len(pairs_above(DISTANCES, 0.5, metric="precomputed").i) == 0


@pytest.mark.parametrize("n", [2, 3, 64, 65, 300, TILE_ROWS + 1])
@pytest.mark.parametrize("some", [True, False])
def test_every_way_finds_what_a_sort_of_the_rows_finds(n, some):
    rng = np.random.default_rng(n)
    X = rng.integers(-3, 4, (n, 5)).astype(np.float32)  # whole numbers: many ties, and the same bits in every way
    X[n // 2] = 0
    S = cosine_similarity(X)
    D = 1 - S.astype(float)
    np.fill_diagonal(D, 0)
    k = min(7, n - 1)
    rows = np.unique(rng.integers(0, n, max(1, n // 10))) if some else np.arange(n)
    wanted = sorted_rows(S, 1, rows, k)
    given_rows = rows if some else None
    by_vectors = neighbours(X, given_rows, k, metric="cosine")
    assert_array_equal(by_vectors.indices, wanted)
    assert_array_equal(by_vectors.values, S[rows[:, None], wanted])
    assert_array_equal(neighbours(S, given_rows, k).indices, wanted)
    by_distances = neighbours(D, given_rows, k, metric="precomputed")
    assert_array_equal(by_distances.indices, sorted_rows(D, -1, rows, k))
    assert_array_equal(by_distances.values, D[rows[:, None], by_distances.indices])
    by_sparse = neighbours(sp.csr_array(X), given_rows, k, metric="cosine")
    assert_allclose(by_sparse.values, by_vectors.values, atol=1e-6)
    assert_array_equal(
        neighbours(S.astype(np.float16), given_rows, 1).values, by_vectors.values[:, :1].astype(np.float16)
    )


@pytest.mark.parametrize("n", [2, 65, TILE_ROWS + 1])
@pytest.mark.parametrize("threshold", [0.9, 0.0, -1.0, 1.5])
def test_pairs_are_those_of_the_upper_half(n, threshold):
    X = np.random.default_rng(n).integers(-3, 4, (n, 5)).astype(np.float32)
    S = cosine_similarity(X)
    i, j = np.nonzero(np.triu(np.float32(threshold) <= S, 1))
    for found in (pairs_above(X, threshold, metric="cosine"), pairs_above(S, threshold)):
        assert_array_equal(found.i, i)
        assert_array_equal(found.j, j)
        assert_array_equal(found.values, S[i, j])
    D = (1 - S).astype(np.float64)
    np.fill_diagonal(D, 0)
    i, j = np.nonzero(np.triu(1 - threshold >= D, 1))
    found = pairs_above(D, 1 - threshold, metric="precomputed")
    assert_array_equal((found.i, found.j), (i, j))
    wide = pairs_above(sp.csr_array(X), threshold - 1e-5, metric="cosine")
    assert {*zip(*np.nonzero(np.triu(threshold <= S, 1)), strict=True)} <= {*zip(wide.i, wide.j, strict=True)}


def test_scikit_learn_finds_the_same():
    X = np.random.default_rng(0).standard_normal((900, 16))
    found = neighbours(X, None, 10, metric="cosine")
    distances, indices = NearestNeighbors(n_neighbors=10, metric="cosine", algorithm="brute").fit(X).kneighbors()
    assert_array_equal(found.indices, indices)
    assert_allclose(1 - found.values, distances, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, st.tuples(st.integers(2, 9), st.just(3)), elements=st.integers(-2, 2).map(float)), st.data())
def test_small_matrices_with_many_ties(X, data):
    D = np.abs(X[:, None] - X).sum(axis=2)
    k = data.draw(st.integers(1, len(D) - 1))
    rows = data.draw(st.lists(st.integers(0, len(D) - 1), min_size=1, max_size=4))
    assert_array_equal(neighbours(D, rows, k, metric="precomputed").indices, sorted_rows(D, -1, rows, k))


def test_the_order_of_the_threads_does_not_show(monkeypatch):
    X = np.random.default_rng(1).standard_normal((2 * TILE_ROWS + 10, 8)).astype(np.float32)
    several = neighbours(X, None, 20, metric="correlation")
    monkeypatch.setattr(_limits, "cores", lambda: 1)
    one = neighbours(X, None, 20, metric="correlation")
    assert_array_equal(several.indices, one.indices)
    assert_array_equal(several.values, one.values)


def test_values_are_on_the_scale_of_the_matrix():
    S = 100 * cosine_similarity(np.random.default_rng(0).standard_normal((70, 3)))
    found = neighbours(S, [0], 3)
    assert_array_equal(found.values[0], np.sort(S[0, 1:])[::-1][:3])
    assert len(pairs_above(S, 95).i) == np.sum(np.triu(S >= 95, 1))


def test_too_many_pairs_are_counted_and_refused(monkeypatch):
    monkeypatch.setattr(_check, "available_memory", lambda: 48 * 1000)
    X = np.ones((50, 2))
    S = cosine_similarity(X)
    with pytest.raises(
        MemoryError, match=r"1225 pairs have a similarity of at least 0\.5, and 1000 fit .* a higher thres"
    ):
        pairs_above(S, 0.5)
    with pytest.raises(MemoryError, match=r"1225 pairs have a distance of at most 2, .* a lower threshold"):
        pairs_above(1 - S, 2, metric="precomputed")
    assert len(pairs_above(S[:44, :44], 0.5).i) == 946


@pytest.mark.parametrize(
    ("rows", "k", "error", "message"),
    [
        (5, 1, ValueError, r"one row\? pass \[5\]"),
        ([True, False, True, False], 1, ValueError, r"a mask\? use np\.flatnonzero"),
        ([4], 1, ValueError, "rows must lie between 0 and 3, got 4..4"),
        ([-1], 1, ValueError, "rows must lie between 0 and 3"),
        ([], 1, ValueError, "rows must be a list of row numbers"),
        ([0], 4, ValueError, r"k must be between 1 and 3 \(the number of rows less one\), got 4"),
        ([0], 1.0, TypeError, "k must be a whole number"),
    ],
)
def test_what_is_no_question_is_refused(rows, k, error, message):
    with pytest.raises(error, match=message):
        neighbours(DISTANCES, rows, k, metric="precomputed")


@pytest.mark.parametrize(
    ("threshold", "error"), [(np.nan, ValueError), (np.inf, ValueError), ("1", TypeError), (True, TypeError)]
)
def test_a_threshold_is_a_number(threshold, error):
    with pytest.raises(error, match="threshold must be a"):
        pairs_above(DISTANCES, threshold, metric="precomputed")
