"""Ensembles: by hand, brute force, scikit-learn, invariants, bad input."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import adjusted_rand_score

from simlib import assign, cosine_similarity, ensemble, kmedoids
from simlib._engine import overlaps


def distances(points):
    points = np.asarray(points, np.float64)
    return abs(points[:, None] - points)


def gaussian(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def jaccard(one, other):
    return len(one & other) / len(one | other)


def clusters(labels, k):
    return [set(np.flatnonzero(labels == r).tolist()) for r in range(k)]


def check_by_brute_force(ends):
    """Everything an ensemble holds, from its fits alone, one set at a time."""
    m, n, k = len(ends.fits), len(ends.certainty), len(ends.best.medoids)
    sets = [clusters(fit.labels, k) for fit in ends.fits]
    mine = [[sets[e][ends.fits[e].labels[o]] for o in range(n)] for e in range(m)]
    pairs = [(i, j) for i in range(m) for j in range(i + 1, m)]
    assert_allclose(ends.certainty, [np.mean([jaccard(mine[i][o], mine[j][o]) for i, j in pairs]) for o in range(n)])
    best = [[max(jaccard(own, other) for other in sets[j]) for j in range(1, m)] for own in sets[0]]
    assert_allclose(ends.jaccard, np.mean(best, axis=1))
    expected = [[adjusted_rand_score(a.labels, b.labels) for b in ends.fits] for a in ends.fits]
    assert_allclose(ends.ari, expected, atol=1e-12)
    assert_array_equal(ends.times, [sum(o in fit.medoids for fit in ends.fits) for o in range(n)])
    assert set(ends.in_every) == set.intersection(*(set(fit.medoids) for fit in ends.fits))
    for o in range(n):
        own = [int(fit.medoids[fit.labels[o]]) for fit in ends.fits]
        assert ends.exemplars(o) == {row: own.count(row) for row in own}
        order = list(ends.exemplars(o).items())
        assert order == sorted(order, key=lambda each: (-each[1], each[0]))


# By hand


def test_the_item_in_the_middle_is_the_unsure_one():
    # Two stars with their centres 1 and 5, whose two leaves are 1 away; item 3 is 5 from both centres.
    to_3, side = np.array([6, 5, 6, 0, 6, 5, 6]), np.array([0, 0, 0, 1, 2, 2, 2])
    D = to_3[:, None] + to_3
    inside = side[:, None] == side
    leaf = to_3 == 6
    D[inside] = np.where(leaf[:, None] & leaf, 2, 1)[inside]
    np.fill_diagonal(D, 0)
    ends = ensemble(D, 2, metric="precomputed", n_init=12)
    assert {fit.inertia for fit in ends.fits} == {9.0}
    with_left = ends.exemplars(3).get(1, 0)
    assert 0 < with_left < 12, "both ends must be found"
    assert ends.exemplars(3) == {1: with_left, 5: 12 - with_left}
    # In two ends that differ, {0, 1, 2, 3} meets {0, 1, 2}: 3/4. Item 3 shares only itself of 7 items: 1/7.
    differ = with_left * (12 - with_left) / 66
    assert_allclose(ends.certainty, [1 - differ / 4] * 3 + [1 - 6 / 7 * differ] + [1 - differ / 4] * 3)
    assert_array_equal(ends.in_every, [1, 5])
    assert_array_equal(ends.times, [0, 12, 0, 0, 0, 12, 0])
    other = 12 - with_left if ends.best.labels[3] == ends.best.labels[1] else with_left
    assert_allclose(ends.jaccard, 1 - other / 11 / 4)


def test_heaps_far_apart_are_sure():
    ends = ensemble(distances([0, 1, 2, 50, 51, 52, 90, 91, 92]), 3, metric="precomputed", n_init=4)
    assert_array_equal(ends.certainty, np.ones(9))
    assert_array_equal(ends.jaccard, np.ones(3))
    assert_array_equal(ends.ari, np.ones((4, 4)))
    assert repr(ends) == (
        "Ensemble(k=3, n=9, 4 ends, inertia 6.0000 to 6.0000, mean certainty 1.000, mean ARI 1.000, "
        "3 of 3 medoids in every end)"
    )


# Brute force and scikit-learn


@pytest.mark.parametrize(("n", "k", "seed"), [(30, 4, 0), (40, 7, 1), (12, 1, 2), (9, 9, 3), (25, 24, 4), (60, 12, 5)])
def test_everything_equals_brute_force(n, k, seed):
    check_by_brute_force(ensemble(cosine_similarity(gaussian(n, 5, seed)), k, n_init=5, random_state=seed))


@given(st.integers(0, 2**32), st.integers(1, 60), st.integers(1, 6), st.integers(1, 6))
@settings(deadline=None, max_examples=100)
def test_any_two_labellings_compare_as_scikit_learn_says(seed, n, k, m):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, k, n).astype(np.int32), rng.integers(0, m, n).astype(np.int32)
    overlap = np.zeros(n)
    best, rand = overlaps.compare(overlaps.by_labels(a, k), overlaps.by_labels(b, m), overlap)
    assert rand == pytest.approx(adjusted_rand_score(a, b), abs=1e-12)
    one, other = clusters(a, k), clusters(b, m)
    assert_allclose(overlap, [jaccard(one[a[o]], other[b[o]]) for o in range(n)])
    assert_allclose(best, [max(jaccard(own, each) for each in other) if own else np.nan for own in one])


def test_how_far_any_clustering_comes_back():
    S = cosine_similarity(gaussian(30, 4))
    ends = ensemble(S, 4, n_init=3)
    fit = assign(S, [3, 20])
    own, sets = clusters(fit.labels, 2), [clusters(each.labels, 4) for each in ends.fits]
    assert_allclose(ends.recovered(fit), [np.mean([max(jaccard(c, o) for o in each) for each in sets]) for c in own])
    assert_allclose(ends.recovered(ends.best), (2 * ends.jaccard + 1) / 3)


# Invariants


def test_the_ends_are_those_of_kmedoids():
    S = cosine_similarity(gaussian(80, 6))
    ends = ensemble(S, 8, n_init=6, random_state=3)
    fit = kmedoids(S, 8, n_init=6, random_state=3)
    assert_array_equal(ends.best.medoids, fit.medoids)
    assert_array_equal(ends.best.labels, fit.labels)
    assert [each.inertia for each in ends.fits] == sorted(fit.spread)


def test_the_same_again_and_from_vectors_and_a_tensor():
    X = gaussian(70, 5)
    one, again = (ensemble(X, 6, metric="cosine", n_init=4) for _ in range(2))
    assert one.certainty.tobytes() == again.certainty.tobytes()
    assert one.ari.tobytes() == again.ari.tobytes()
    assert_array_equal(ensemble(cosine_similarity(X), 6, n_init=4).certainty, one.certainty)
    assert_array_equal(ensemble(torch.from_numpy(cosine_similarity(X)), 6, n_init=4).certainty, one.certainty)


def test_is_silent_and_draws_a_bar(capfd):
    ensemble(np.eye(8), 2, n_init=2)
    assert capfd.readouterr() == ("", "")
    ensemble(np.eye(8), 2, n_init=2, progress=True)
    assert "medoids unchanged" in capfd.readouterr().err


# Bad input


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"k": 0}, ValueError, r"k must be between 1 and 8 \(the number of rows\), got 0"),
        ({"k": 9}, ValueError, r"k must be between 1 and 8 \(the number of rows\), got 9"),
        ({"k": 2.0}, TypeError, "k must be a whole number, got 2.0"),
        ({"n_init": 1}, ValueError, "n_init must be at least 2, got 1"),
        ({"random_state": "x"}, TypeError, "random_state must be a whole number, got 'x'"),
        ({"metric": "euclidean"}, ValueError, "metric must be one of"),
    ],
)
def test_bad_wishes(given, error, words):
    with pytest.raises(error, match=words):
        ensemble(np.eye(8), **{"k": 2, **given})


def test_bad_items_and_clusterings():
    ends = ensemble(np.eye(8), 2, n_init=2)
    with pytest.raises(ValueError, match="item must be between 0 and 7, got 8"):
        ends.exemplars(8)
    with pytest.raises(ValueError, match=r"as many items as the ensemble, 8, got 7: was the ensemble made"):
        ends.recovered(assign(np.eye(7), [0, 1]))
