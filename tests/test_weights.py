"""Weights of items, and items that must or may not be medoids: by hand, repeated rows, brute force, bad input."""

from itertools import combinations

import numba
import numpy as np
import pytest
import scipy.sparse
import torch
from numpy.testing import assert_allclose, assert_array_equal

from simlib import assign, certify, cosine_similarity, kmedoids, scan_k, silhouette
from simlib._engine import starts
from simlib._engine.prepare import prepare_host


@pytest.fixture
def one_thread():
    """Hundreds of small fits wait less for one another on a busy machine."""
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    yield
    numba.set_num_threads(before)


def distances(points):
    points = np.asarray(points, np.float64)
    return abs(points[:, None] - points)


def random_distances(n, seed, high=1000):
    """Symmetric whole numbers, diagonal 0; a small `high` makes many ties."""
    D = np.triu(np.random.default_rng(seed).integers(1, high, (n, n)), 1)
    return (D + D.T).astype(np.float64)


def repeated(D, weight):
    """The matrix in which row i comes weight[i] times, whose row each of its rows was, and the first copy of each."""
    rows = np.repeat(np.arange(len(weight)), weight)
    return np.ascontiguousarray(D[np.ix_(rows, rows)]), rows, np.concatenate([[0], np.cumsum(weight)[:-1]])


def loss(D, weight, rows):
    return (weight * D[list(rows)].min(axis=0)).sum()


def exchanges(D, weight, rows, must, never):
    """Change of the weighted loss for each exchange that is allowed, (medoid out, item in)."""
    now, ins = loss(D, weight, rows), set(range(len(D))) - set(rows) - set(never)
    outs = [out for out in rows if out not in must]
    return {(o, i): loss(D, weight, [i if m == o else m for m in rows]) - now for o in outs for i in ins}


def drawn(seed):
    """A small instance: distances, weights with zeros, k, must and never."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 13))
    k = int(rng.integers(1, n))
    rows = rng.permutation(n)
    m = int(rng.integers(0, k + 1)) if seed % 3 else 0
    least = int(rng.integers(0, n - k + 1)) if seed % 2 else 0
    weight = rng.integers(0, 4, n) * (1.0 if seed % 4 else 0.37)
    weight[rng.integers(n)] = 1
    return random_distances(n, seed, 9 if seed % 5 else 1000), weight, k, rows[:m], rows[n - least :]


# By hand


def test_a_heavy_item_draws_the_medoid():
    D = distances([0, 1, 2, 3, 10])
    assert kmedoids(D, 1, metric="precomputed").medoids == [2]
    fit = kmedoids(D, 1, metric="precomputed", sample_weight=[1, 1, 1, 1, 9])
    assert (fit.medoids, fit.inertia) == ([4], 34.0)
    assert assign(D, [2], metric="precomputed", sample_weight=[1, 1, 1, 1, 9]).inertia == 2 + 1 + 1 + 9 * 8
    assert_array_equal(fit.sample_weight, [1, 1, 1, 1, 9])


def test_must_stays_and_never_stays_out():
    D = distances([0, 1, 2, 10, 11, 12])
    assert set(kmedoids(D, 2, metric="precomputed").medoids) == {1, 4}
    fit = kmedoids(D, 2, metric="precomputed", must=[0], never=[4])
    assert fit.medoids[0] == 0
    assert fit.medoids[1] in (3, 5)
    assert fit.inertia == 3 + 3
    assert not certify(D, fit.medoids, metric="precomputed").is_optimal
    assert certify(D, fit.medoids, metric="precomputed", must=[0], never=[4]).is_optimal


def test_a_silhouette_of_weights_by_hand():
    # Item 0 stands for two rows: one of them is 0 away from the other, so a = (0 + 1) / 2 and b = 9.
    scores = silhouette(distances([0, 1, 9]), [0, 0, 1], metric="precomputed", sample_weight=[2, 1, 0.5])
    assert_allclose(scores, [1 - 0.5 / 9, 1 - 1 / 8, 0])


# Repeated rows


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("method", ["fasterpam", "alternate"])
def test_whole_weights_are_repeated_rows(method):
    for seed in range(60):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(3, 13))
        k = int(rng.integers(1, n))
        D, weight, init = (
            random_distances(n, seed, 9 if seed % 2 else 1000),
            rng.integers(1, 5, n),
            rng.permutation(n)[:k],
        )
        R, rows, first = repeated(D, weight)
        for begin, again in ((init, first[init]), ("build", "build")):
            given = {"metric": "precomputed", "method": method}
            fit = kmedoids(D, k, init=begin, sample_weight=weight, **given)
            expected = kmedoids(R, k, init=again, **given)
            if len(set(rows[expected.medoids])) < k:
                continue  # BUILD took copies: no item is left that would help
            assert_array_equal(fit.medoids, rows[expected.medoids], err_msg=str(seed))
            assert fit.inertia == expected.inertia
            assert_array_equal(fit.labels, expected.labels[first])


@pytest.mark.parametrize("kind", ["matrix", "float32", "vectors", "sparse"])
def test_by_lists_as_by_repeated_rows(kind):
    rng = np.random.default_rng(1)
    X, weight = rng.standard_normal((700, 6)), rng.integers(1, 4, 700)
    rows, first = np.repeat(np.arange(700), weight), np.concatenate([[0], np.cumsum(weight)[:-1]])
    make = {
        "matrix": cosine_similarity,
        "float32": lambda Y: cosine_similarity(Y, dtype=np.float32),
        "vectors": lambda Y: Y,
        "sparse": scipy.sparse.csr_array,
    }[kind]
    metric = "cosine" if kind in ("vectors", "sparse") else "similarity"
    A, R, init = make(X), make(X[rows]), rng.permutation(700)[:90]
    assert prepare_host(A, metric).lists(prepare_host(A, metric).nearest(init, 8)[1][-1], True) is not None
    for begin, again in ((init, first[init]), ("build", "build")):
        fit = kmedoids(A, 90, metric=metric, init=begin, sample_weight=weight)
        expected = kmedoids(R, 90, metric=metric, init=again)
        assert_array_equal(fit.medoids, rows[expected.medoids])
        assert fit.inertia == pytest.approx(expected.inertia)
        proof, theirs = (
            certify(A, fit.medoids, sample_weight=weight, metric=metric),
            certify(R, expected.medoids, metric=metric),
        )
        assert proof.is_optimal
        assert theirs.is_optimal
        assert proof.inertia == pytest.approx(theirs.inertia)


@pytest.mark.parametrize("metric", ["cosine", "similarity", "precomputed"])
def test_silhouettes_and_scans_of_weights_are_those_of_repeated_rows(metric):
    rng = np.random.default_rng(2)
    X, weight, labels = rng.standard_normal((60, 4)), rng.integers(1, 4, 60), rng.integers(0, 5, 60)
    weight[labels == 4] = 1
    labels[labels == 4] = 3
    labels[7], weight[7] = 4, 3  # a cluster of one item, whose copies are its members
    rows, first = np.repeat(np.arange(60), weight), np.concatenate([[0], np.cumsum(weight)[:-1]])
    S = cosine_similarity(X)
    A, R = {
        "cosine": (X, X[rows]),
        "similarity": (S, repeated(S, weight)[0]),
        "precomputed": (distances(X[:, 0]), repeated(distances(X[:, 0]), weight)[0]),
    }[metric]
    scores = silhouette(A, labels, metric=metric, sample_weight=weight)
    assert_allclose(scores, silhouette(R, labels[rows], metric=metric)[first], atol=1e-12)
    scan, expected = scan_k(A, [2, 5, 9], metric=metric, sample_weight=weight), scan_k(R, [2, 5, 9], metric=metric)
    for name in ("inertia", "silhouette", "medoid_silhouette", "mean_distance"):
        assert_allclose(getattr(scan, name), getattr(expected, name), atol=1e-12)
    for fit, theirs in zip(scan.fits, expected.fits, strict=True):
        assert_array_equal(np.sort(fit.medoids), np.sort(rows[theirs.medoids]))


def test_weights_of_one_change_no_bit():
    S = cosine_similarity(np.random.default_rng(0).standard_normal((200, 8)))
    one, none = (kmedoids(S, 9, n_init=3, sample_weight=weight) for weight in (np.ones(200, int), None))
    assert one.sample_weight is None
    assert_array_equal(one.medoids, none.medoids)
    assert (one.inertia, one.history, one.spread) == (none.inertia, none.history, none.spread)


def test_twice_the_weight_is_twice_the_inertia():
    S = cosine_similarity(np.random.default_rng(0).standard_normal((200, 8)))
    weight = np.random.default_rng(1).uniform(0, 2, 200)
    for init in ("random", "k-medoids++", "build"):
        one, two = (kmedoids(S, 9, init=init, sample_weight=factor * weight) for factor in (1, 2))
        assert_array_equal(one.medoids, two.medoids)
        assert two.inertia == 2 * one.inertia


# Brute force


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("init", starts.STARTS)
def test_300_small_instances_end_at_a_constrained_swap_optimum(init):
    best, at = 0, starts.STARTS.index(init)
    for seed in range(at, 300, 4):
        D, weight, k, must, never = drawn(seed)
        given = {"metric": "precomputed", "sample_weight": weight, "must": must, "never": never}
        fit = kmedoids(D, k, init=init, n_init=4, random_state=seed, **given)
        assert_array_equal(fit.medoids[: len(must)], must)
        assert len(set(fit.medoids)) == k
        assert not set(fit.medoids) & set(never)
        assert fit.inertia == pytest.approx(loss(D, weight, fit.medoids))
        changes = exchanges(D, weight, fit.medoids, must, never)
        proof = certify(D, fit.medoids, **given)
        assert proof.is_optimal
        assert proof.best_delta == pytest.approx(min(changes.values(), default=np.inf), abs=1e-9)
        assert min(changes.values(), default=0) >= -1e-9
        if changes:
            assert changes[proof.swap_out, proof.swap_in] == pytest.approx(proof.best_delta, abs=1e-9)
        else:
            assert (proof.swap_out, proof.swap_in) == (-1, -1)
        rest = [i for i in range(len(D)) if i not in must and i not in never]
        least = min(loss(D, weight, [*must, *more]) for more in combinations(rest, k - len(must)))
        assert fit.inertia >= least - 1e-9
        best += fit.inertia <= least + 1e-9
    assert best > 71


@pytest.mark.parametrize("method", ["fasterpam", "alternate"])
def test_every_start_keeps_to_must_and_never(method):
    S = cosine_similarity(np.random.default_rng(3).standard_normal((150, 5)))
    must, never = [140, 3], np.arange(20, 100)
    weight = np.random.default_rng(4).uniform(0, 1, 150)
    for init in ("random", "build", "k-medoids++", "first", [3, 8, 140, 9, 10, 11, 12, 13, 14, 15, 16, 17]):
        for max_iter in (0, 300):
            fit = kmedoids(
                S, 12, init=init, method=method, max_iter=max_iter, must=must, never=never, sample_weight=weight
            )
            assert_array_equal(fit.medoids[:2], must)
            assert not set(fit.medoids) & set(never)
            assert len(set(fit.medoids)) == 12


def test_by_lists_and_perturbed_under_constraints():
    S = cosine_similarity(np.random.default_rng(5).standard_normal((700, 6)))
    weight = np.random.default_rng(6).uniform(0, 3, 700)
    must, never = np.arange(0, 700, 70), np.setdiff1d(np.arange(0, 700, 3), np.arange(0, 700, 70))
    given = {"sample_weight": weight, "must": must, "never": never}
    fit = kmedoids(S, 90, init="build", n_init=4, **given)
    assert certify(S, fit.medoids, **given).is_optimal
    assert_array_equal(fit.medoids[:10], must)
    assert not set(fit.medoids) & set(never)
    assert fit.inertia < fit.spread[0] or min(fit.spread) == fit.spread[0]
    free = kmedoids(S, 90, init="build", n_init=4, sample_weight=weight)
    assert free.inertia < fit.inertia


def test_all_medoids_given_and_nothing_left_to_exchange():
    D = distances([0, 1, 2, 10])
    for given in ({"must": [2, 0]}, {"never": [1, 3]}):
        for method in ("fasterpam", "alternate"):
            fit = kmedoids(D, 2, metric="precomputed", method=method, **given)
            assert set(fit.medoids) == {0, 2}
        proof = certify(D, fit.medoids, metric="precomputed", **given)
        assert (proof.is_optimal, proof.best_delta, proof.swap_out, proof.swap_in) == (True, np.inf, -1, -1)
    assert kmedoids(D, 4, metric="precomputed", must=[3, 1, 2, 0]).medoids.tolist() == [3, 1, 2, 0]
    assert kmedoids(D, 2, metric="precomputed", init="build", n_init=3, must=[2, 0]).inertia == 1 + 8
    assert kmedoids(D, 1, metric="precomputed", must=[3]).medoids == [3]


def test_k_medoids_plus_plus_draws_by_weight_and_distance():
    items = prepare_host(distances([0, 0, 1, 5]), "precomputed").weighted(np.array([0.0, 2.0, 3.0, 0.0]))
    drawn = [tuple(starts.plus_plus(items, 2, np.random.default_rng(seed))) for seed in range(400)]
    assert set(drawn) == {(1, 2), (2, 1)}
    assert np.mean([pair == (1, 2) for pair in drawn]) == pytest.approx(2 / 5, abs=0.08)


# Bad input


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"sample_weight": [1, 2]}, r"sample_weight must hold 4 numbers, one a row, got int64 \(2,\)"),
        ({"sample_weight": np.ones((4, 1))}, r"sample_weight must hold 4 numbers, one a row, got float64 \(4, 1\)"),
        ({"sample_weight": list("abcd")}, "sample_weight must hold 4 numbers"),
        ({"sample_weight": [True] * 4}, r"a mask\? leave these rows out of A instead"),
        ({"sample_weight": [1, -2, 1, 1]}, "must not be negative, NaN or infinite, got -2 for row 1"),
        ({"sample_weight": [1, 1, np.nan, 1]}, "must not be negative, NaN or infinite, got nan for row 2"),
        ({"sample_weight": [1, 1, 1, np.inf]}, "must not be negative, NaN or infinite, got inf for row 3"),
        ({"sample_weight": [0, 0, 0, 0]}, "the sum of sample_weight must be above 0"),
        ({"sample_weight": [1e100, 0, 0, 0]}, r"above 0 and below 1e\+100, got 1e\+100"),
        ({"must": [0, 1, 2]}, "must holds 3 rows, more than the 2 medoids: ask for more medoids"),
        ({"must": [1], "never": [2, 1]}, "row 1 is in must and in never: take it out of one of them"),
        ({"must": [1, 1]}, "must must be distinct, row 1 came more than once"),
        ({"must": [4]}, r"must must lie between 0 and 3, got 4\.\.4"),
        ({"never": [-1]}, r"never must lie between 0 and 3, got -1\.\.-1"),
        ({"never": [0.5]}, "never must be a list of row numbers"),
        ({"never": [0, 1, 3]}, "never leaves 1 of 4 rows for 2 medoids: ask for fewer medoids"),
    ],
)
def test_bad_weights_and_constraints(given, words):
    D = distances([0, 1, 2, 10])
    with pytest.raises(ValueError, match=words):
        kmedoids(D, 2, metric="precomputed", **given)
    with pytest.raises(ValueError, match=words):
        certify(D, [0, 2], metric="precomputed", **given)
    if "sample_weight" in given:
        calls = (
            lambda: assign(D, [0, 2], **own),
            lambda: silhouette(D, [0, 0, 1, 1], **own),
            lambda: scan_k(D, [2], **own),
        )
        own = {"metric": "precomputed", **given}
        for call in calls:
            with pytest.raises(ValueError, match=words):
                call()


def test_a_start_or_medoids_that_do_not_keep_to_the_constraints():
    D = distances([0, 1, 2, 10])
    with pytest.raises(ValueError, match="init must hold every row of must, but row 3 is missing: put it in"):
        kmedoids(D, 2, metric="precomputed", init=[0, 1], must=[3])
    with pytest.raises(ValueError, match="init must hold no row of never, but row 1 is there: take it out"):
        kmedoids(D, 2, metric="precomputed", init=[0, 1], never=[1])
    with pytest.raises(ValueError, match="medoids must hold every row of must"):
        certify(D, [0, 1], metric="precomputed", must=[3])


def test_one_cluster_with_a_weight_has_no_silhouette():
    with pytest.raises(ValueError, match="at least 2 must hold an item of weight above 0, got 1"):
        silhouette(distances([0, 1, 2]), [0, 0, 1], metric="precomputed", sample_weight=[1, 1, 0])


@pytest.mark.parametrize("given", [{"sample_weight": [1, 2, 1]}, {"must": [0]}, {"never": [0]}])
def test_a_device_knows_no_weights_and_constraints(given, monkeypatch):
    monkeypatch.setattr("simlib._check.off_cpu", lambda A: hasattr(A, "detach"))
    with pytest.raises(ValueError, match=r"are for items on the CPU, got a tensor on cpu: pass A\.cpu\(\)"):
        kmedoids(torch.eye(3), 2, **given)
