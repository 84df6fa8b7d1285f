"""k-medoids: by hand, brute force, the tutorial and kmedoids from PyPI, invariants, bad input, the real size."""

import os
import shutil
import subprocess
import sys
import threading
from dataclasses import FrozenInstanceError
from itertools import combinations
from pathlib import Path

import kmedoids as peer
import numba
import numpy as np
import psutil
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import simlib
from simlib import _limits, assign, certify, correlation, cosine_similarity, kmedoids
from simlib._engine import extension, items, lists, prepare
from simlib._engine import starts as engine_starts
from tests.interrupts import Interrupts

SOON = 5  # seconds from an interrupt to its end: well under one here, more where a machine is busy

methods = pytest.mark.parametrize("method", ["fasterpam", "alternate"])
starts = pytest.mark.parametrize("init", ["build", "k-medoids++", "random", "first"])


def distances(points):
    points = np.asarray(points, np.float64)
    return abs(points[:, None] - points)


def random_distances(n, seed, high=1000, low=1):
    """Symmetric whole numbers, diagonal 0; a small `high` makes many ties."""
    D = np.triu(np.random.default_rng(seed).integers(low, high, (n, n)), 1)
    return (D + D.T).astype(np.int32)


def gaussian(n, d, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d)).astype(dtype)


def loss(D, rows):
    return D[list(rows)].min(axis=0).sum()


def every_exchange(D, rows):
    """Change of loss for each (medoid out, item in)."""
    now, rest = loss(D, rows), [i for i in range(len(D)) if i not in rows]
    return {(out, new): loss(D, [new if m == out else m for m in rows]) - now for out in rows for new in rest}


def check_promises(fit, n, k):
    """What holds for every Clustering, whatever it was made from."""
    assert fit.medoids.dtype == np.int64
    assert fit.labels.dtype == np.int32
    assert fit.medoids.shape == (k,)
    assert fit.labels.shape == (n,)
    assert len(set(fit.medoids.tolist())) == k
    assert_array_equal(fit.labels[fit.medoids], np.arange(k))
    assert fit.sizes.sum() == n
    assert fit.sizes.min() >= 1
    assert_array_equal(fit.sizes, [np.sum(fit.labels == j) for j in range(k)])
    assert fit.inertia == pytest.approx(fit.distance.sum(dtype=np.float64), rel=1e-6, abs=1e-6)
    assert len(fit.history) == fit.n_iter
    assert all(new <= old * (1 + 1e-9) + 1e-9 for old, new in zip(fit.history, fit.history[1:], strict=False))


# By hand


def test_nine_points_on_a_line():
    fit = kmedoids(distances([0, 1, 2, 10, 11, 12, 20, 21, 22]), 3, metric="precomputed")
    assert sorted(fit.medoids.tolist()) == [1, 4, 7]
    assert fit.inertia == 6
    assert fit.converged
    assert_array_equal(fit.sizes, [3, 3, 3])
    assert_array_equal(fit.medoids[fit.labels], [1, 1, 1, 4, 4, 4, 7, 7, 7])
    assert_array_equal(fit.distance, [1, 0, 1, 1, 0, 1, 1, 0, 1])
    assert_array_equal(fit.members(fit.labels[5]), [4, 3, 5])


def test_three_similar_items():
    fit = kmedoids([[1, 0.9, 0.1], [0.9, 1, 0.2], [0.1, 0.2, 1]], 2)
    assert_array_equal(fit.medoids[fit.labels], [1, 1, 2])
    assert_allclose(fit.similarity, [0.9, 1, 1])
    assert_allclose(fit.distance, [0.1, 0, 0], atol=1e-15)
    assert fit.inertia == pytest.approx(0.1)


def test_alternate_step_by_step():
    # Centres 0 and 1: {0} and {1, 2, 10, 11, 12}, whose sums 31, 28, 20, 21, 24 make 10 the next centre.
    # Then {0, 1, 2} and {10, 11, 12}: 1 and 11. Then nothing changes.
    seen = []
    fit = kmedoids(
        distances([0, 1, 2, 10, 11, 12]),
        2,
        metric="precomputed",
        method="alternate",
        init="first",
        callback=lambda *news: seen.append(news),
    )
    assert [news[:3] for news in seen] == [(1, 1, 6.0), (2, 2, 4.0), (3, 0, 4.0)]
    assert all(news[3] >= 0 for news in seen)
    assert_array_equal(fit.medoids, [1, 4])
    assert_array_equal(fit.labels, [0, 0, 0, 1, 1, 1])
    assert fit.history == (6.0, 4.0, 4.0)
    assert (fit.n_iter, fit.n_swaps, fit.converged) == (3, 0, True)


def test_swaps_step_by_step():
    # From 0 and 2, loss 28. First pass: 10 for 0 or for 2 leaves 6, the tie takes the first, 0; 11 for 10 leaves 5.
    # Second pass: 1 for 2 leaves 4. Third pass: up to there nothing, and that makes one whole round.
    seen = []
    fit = kmedoids(
        distances([0, 1, 2, 10, 11, 12]),
        2,
        metric="precomputed",
        init=[0, 2],
        callback=lambda *news: seen.append(news),
    )
    assert [news[:3] for news in seen] == [(1, 1, 5.0), (2, 1, 4.0), (3, 0, 4.0)]
    assert_array_equal(fit.medoids, [4, 1])
    assert_array_equal(fit.labels, [1, 1, 1, 0, 0, 0])
    assert (fit.n_iter, fit.n_swaps, fit.converged) == (3, 3, True)


def test_build_by_hand():
    # Sums 22, 20, 20, 22: item 1 leads item 2. Then 10 and 11 both save 18: item 2 leads item 3.
    start = kmedoids(distances([0, 1, 10, 11]), 2, metric="precomputed", init="build", max_iter=0)
    assert_array_equal(start.medoids, [1, 2])
    assert (start.n_iter, start.converged, start.history) == (0, False, ())


def test_a_tie_goes_to_the_first_medoid():
    D = distances([0, 2, 4])
    assert_array_equal(assign(D, [0, 2], metric="precomputed").labels, [0, 0, 1])
    assert_array_equal(assign(D, [2, 0], metric="precomputed").labels, [1, 0, 0])


def test_certificate_by_hand():
    # Medoids 0 and 10: best is 1 for 0, which saves 1.
    proof = certify(distances([0, 1, 2, 10, 11]), [0, 3], metric="precomputed")
    assert (proof.is_optimal, proof.best_delta, proof.swap_out, proof.swap_in, proof.inertia) == (False, -1, 0, 1, 4)
    proof = certify(distances([0, 1, 2, 10, 11]), [1, 3], metric="precomputed")
    assert (proof.is_optimal, proof.best_delta, proof.swap_out, proof.swap_in, proof.inertia) == (True, 0, 3, 4, 3)


@methods
@starts
def test_one_cluster_is_the_median(method, init):
    fit = kmedoids(distances([9, 0, 1, 3, 100]), 1, metric="precomputed", method=method, init=init)
    assert_array_equal(fit.medoids, [3])
    assert_array_equal(fit.labels, [0, 0, 0, 0, 0])
    assert fit.inertia == 6 + 3 + 2 + 97


@methods
@starts
def test_as_many_clusters_as_items(method, init):
    fit = kmedoids(distances([9, 0, 1, 3]), 4, metric="precomputed", method=method, init=init)
    assert sorted(fit.medoids.tolist()) == [0, 1, 2, 3]
    assert fit.inertia == 0
    assert fit.converged
    check_promises(fit, 4, 4)


@methods
@starts
@pytest.mark.parametrize(
    ("A", "metric"),
    [([[1.0]], "similarity"), ([[0.0]], "precomputed"), ([[3.0, 1.0]], "cosine"), ([[3.0, 1.0]], "correlation")],
)
def test_one_item(A, metric, method, init):
    fit = kmedoids(A, 1, metric=metric, method=method, init=init)
    assert_array_equal(fit.medoids, [0])
    assert fit.inertia == pytest.approx(0, abs=1e-15)
    assert fit.converged
    check_promises(fit, 1, 1)


# Oracles: brute force


@pytest.mark.parametrize("seed", range(12))
def test_kicks_find_the_best_of_all_choices(seed):
    D = random_distances(9, seed)
    fits = {k: kmedoids(D, k, metric="precomputed", init="build", n_init=100) for k in range(1, 9)}
    for k, fit in fits.items():
        best = min(loss(D, rows) for rows in combinations(range(9), k))
        assert fit.inertia == loss(D, fit.medoids)
        assert fit.inertia == best
        assert min(every_exchange(D, fit.medoids.tolist()).values()) >= 0
    assert fits[1].inertia == D.sum(axis=0).min()


@pytest.mark.parametrize("high", [4, 1000])
@pytest.mark.parametrize("seed", range(8))
def test_certificate_is_the_best_of_all_exchanges(seed, high):
    rng = np.random.default_rng(seed)
    n, k = 20, int(rng.integers(1, 8))
    D, rows = random_distances(n, seed, high, low=0), rng.choice(20, k, replace=False)
    exchanges = every_exchange(D, rows.tolist())
    proof = certify(D, rows, metric="precomputed")
    assert proof.best_delta == min(exchanges.values())
    assert exchanges[proof.swap_out, proof.swap_in] == proof.best_delta
    assert proof.inertia == loss(D, rows)
    assert proof.is_optimal == (proof.best_delta >= 0)


def test_certificate_past_one_block():
    D, rows = random_distances(150, 0), np.arange(100, 140, 5)
    proof = certify(D, rows, metric="precomputed")
    exchanges = every_exchange(D, rows.tolist())
    assert proof.best_delta == min(exchanges.values()) == exchanges[proof.swap_out, proof.swap_in]


def test_certificate_tolerance():
    D = distances([0, 1, 2, 10, 11])
    assert not certify(D, [0, 3], metric="precomputed", tol=0.24).is_optimal
    assert certify(D, [0, 3], metric="precomputed", tol=0.26).is_optimal


@pytest.mark.parametrize("metric", ["cosine", "correlation"])
def test_certificate_from_vectors_is_that_of_the_matrix(metric):
    X = gaussian(90, 6)
    S = cosine_similarity(X) if metric == "cosine" else correlation(X)
    for rows in ([3, 5, 80], kmedoids(S, 6).medoids):
        a, b = certify(X, rows, metric=metric), certify(S, rows)
        assert (a.is_optimal, a.swap_out, a.swap_in) == (b.is_optimal, b.swap_out, b.swap_in)
        assert_allclose([a.best_delta, a.inertia], [b.best_delta, b.inertia], rtol=1e-12)
        best = min(every_exchange(1 - S, list(rows)).values())
        assert b.best_delta == pytest.approx(best)


def plain_build(D, k):
    rows = [int(D.sum(axis=1).argmin())]
    while len(rows) < k:
        near = D[rows].min(axis=0)
        saved = np.maximum(near - D, 0).sum(axis=1)
        saved[rows] = -1
        rows.append(int(saved.argmax()))
    return rows


@given(st.data())
@settings(deadline=None, derandomize=True, max_examples=40)
def test_build_is_plain_build(data):
    n = data.draw(st.integers(1, 30))
    D = random_distances(n, data.draw(st.integers(0, 999)), data.draw(st.sampled_from([2, 5, 1000])), low=0)
    k = data.draw(st.integers(1, n))
    assert kmedoids(
        D, k, metric="precomputed", init="build", max_iter=0, method="alternate"
    ).medoids.tolist() == plain_build(D, k)


@pytest.mark.parametrize("k", [1, 2, 20])
def test_sums_over_float32_are_float64(k):
    # Only the last bits differ, and a float32 sum of two such distances has lost them.
    D = 2**24 - random_distances(300, 0, 4)
    np.fill_diagonal(D, 0)
    D32 = D.astype(np.float32)
    assert_array_equal(D32, D)
    start = kmedoids(D32, k, metric="precomputed", init="build", max_iter=0, method="alternate")
    assert_array_equal(start.medoids, plain_build(D, k))
    loop = kmedoids(D32, k, metric="precomputed", method="alternate", init="first")
    assert_array_equal(loop.medoids, list(tutorial_loop(-D.astype(np.float64), k))[-1][0])
    swapped = kmedoids(D32, k, metric="precomputed", init="first")
    theirs = peer.fasterpam(D, np.arange(k, dtype=np.uint64), 300, n_cpu=1)
    assert_array_equal(swapped.medoids, np.asarray(theirs.medoids, np.int64))
    assert swapped.inertia == theirs.loss == loss(D, swapped.medoids)
    proof, exchanges = certify(D32, np.arange(k), metric="precomputed"), every_exchange(D, range(k))
    assert proof.best_delta == min(exchanges.values()) == exchanges[proof.swap_out, proof.swap_in]


# Oracle: kmedoids from PyPI, a black box


@pytest.mark.parametrize("high", [3, 30, 10**6])
@pytest.mark.parametrize("low", [0, 1])
@pytest.mark.parametrize(("n", "k"), [(5, 2), (23, 22), (60, 7), (200, 2), (700, 40)])
def test_the_peer_makes_the_same_swaps(n, k, low, high):
    for seed in range(4 if n < 100 else 1):
        D = random_distances(n, seed, high, low)
        start = np.random.default_rng(seed).choice(n, k, replace=False)
        theirs = peer.fasterpam(D, start.astype(np.uint64), 300, n_cpu=1)
        ours = kmedoids(D, k, metric="precomputed", init=start)
        assert_array_equal(ours.medoids, np.asarray(theirs.medoids, np.int64))
        assert ours.n_swaps == theirs.n_swap
        assert ours.inertia == theirs.loss
        assert ours.converged
        check_promises(ours, n, k)
        assert certify(D, ours.medoids, metric="precomputed").is_optimal


@pytest.mark.parametrize("high", [3, 30, 10**6])
@pytest.mark.parametrize(("n", "k"), [(5, 5), (60, 7), (700, 40), (1100, 3)])
def test_the_peer_builds_the_same_start(n, k, high):
    # From 1 up: where a zero distance makes the gain 0, the peer returns fewer than k medoids.
    D = random_distances(n, 0, high, low=1)
    start = kmedoids(D, k, metric="precomputed", init="build", max_iter=0, method="alternate")
    assert_array_equal(start.medoids, np.asarray(peer.pam_build(D, k).medoids, np.int64))


@pytest.mark.parametrize("kind", ["similarity", "cosine", "precomputed"])
def test_the_peer_finds_no_swap_left(kind):
    X = gaussian(400, 8)
    S = cosine_similarity(X)
    fit = kmedoids({"similarity": S, "cosine": X, "precomputed": 1 - S}[kind], 12, metric=kind)
    assert peer.fasterpam(1 - S, fit.medoids.astype(np.uint64), 300, n_cpu=1).n_swap == 0
    assert fit.inertia == pytest.approx(loss(1 - S, fit.medoids))


# Oracle: the tutorial's loop


def tutorial_loop(S, k):
    """Yield (centres, labels, how many changed) after each iteration; the centres start as the first k rows."""
    n = len(S)
    centres = np.arange(k)

    def nearest():
        labels = S[:, centres].argmax(axis=1)
        labels[centres] = np.arange(k)  # a centre stays with itself, also beside a copy
        return labels

    labels, changed = nearest(), k
    while changed:
        new = centres.copy()
        for j in range(k):
            members = np.arange(n)[labels == j]
            new[j] = members[S[np.ix_(members, members)].sum(axis=1).argmax()]
        changed = int((new != centres).sum())
        centres = new
        labels = nearest()
        yield centres, labels, changed


def gaussian_matrix():
    return cosine_similarity(gaussian(500, 3))


def matrix_with_ties():
    """Points on a 12 x 12 grid, many of them copies; every sum is exact, so that ties are true ties."""
    points = np.random.default_rng(3).integers(0, 12, (300, 2))
    return 1 - abs(points[:, None] - points).sum(axis=2) / 64


@pytest.mark.parametrize(
    ("source", "k"),
    [("words", 50), (gaussian_matrix, 9), (gaussian_matrix, 17), (matrix_with_ties, 30), (matrix_with_ties, 5)],
)
def test_alternate_is_the_tutorials_loop(source, k, request):
    S = cosine_similarity(request.getfixturevalue("words")[:2000]) if source == "words" else source()
    exact = S.astype(np.float64)
    seen = []
    options = {"method": "alternate", "init": "first"}
    whole = kmedoids(S, k, callback=lambda *news: seen.append(news), **options)
    steps = list(tutorial_loop(exact, k))
    assert len(steps) > 2
    assert (whole.n_iter, whole.converged) == (len(steps), True)
    for i, (centres, labels, changed) in enumerate(steps, 1):
        fit = kmedoids(S, k, max_iter=i, **options)
        assert_array_equal(fit.medoids, centres)
        assert_array_equal(fit.labels, labels)
        assert fit.converged == (changed == 0)
        inertia = (1 - exact[np.arange(len(S)), centres[labels]]).sum()
        assert fit.inertia == pytest.approx(inertia, rel=1e-12, abs=1e-9)
        assert fit.history == whole.history[:i]
        assert seen[i - 1][:3] == (i, changed, fit.inertia)
    check_promises(whole, len(S), k)


# Invariants


metrics = {
    "similarity": cosine_similarity,
    "precomputed": lambda X: 1 - cosine_similarity(X),
    "cosine": lambda X: X,
    "correlation": lambda X: X,
}


@methods
@starts
@pytest.mark.parametrize("metric", metrics)
def test_promises(metric, method, init):
    A = metrics[metric](gaussian(40, 6))
    for k in (1, 2, 7, 39):
        check_promises(kmedoids(A, k, metric=metric, method=method, init=init), 40, k)


@methods
@starts
@pytest.mark.parametrize("rows", ["identical", "zero", "three of each"])
@pytest.mark.parametrize("metric", metrics)
def test_promises_with_copies(metric, rows, method, init):
    X = {
        "identical": np.ones((12, 1)) * [1.0, 2.0, 4.0],
        "zero": np.zeros((12, 3)),
        "three of each": np.repeat([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0]], 3, axis=0),
    }[rows]
    if metric == "similarity" and rows == "zero":
        X[-1] = 1  # a matrix of nothing but zeros is refused
    if metric == "precomputed":
        A = np.ones((12, 12)) - np.eye(12) if rows == "zero" else np.round(1 - cosine_similarity(X), 12)
    else:
        A = metrics[metric](X)
    for k in (1, 2, 5, 12):
        check_promises(kmedoids(A, k, metric=metric, method=method, init=init), 12, k)


@given(st.data())
@settings(deadline=None, derandomize=True, max_examples=60)
def test_promises_for_any_distances(data):
    n = data.draw(st.integers(1, 25))
    D = random_distances(n, data.draw(st.integers(0, 999)), data.draw(st.sampled_from([1, 2, 6, 1000])), low=0)
    k = data.draw(st.integers(1, n))
    method = data.draw(st.sampled_from(["fasterpam", "alternate"]))
    init = data.draw(st.sampled_from(["build", "k-medoids++", "random", "first"]))
    fit = kmedoids(D, k, metric="precomputed", method=method, init=init)
    check_promises(fit, n, k)
    assert fit.inertia == loss(D, fit.medoids)
    assert_array_equal(fit.distance, D[fit.medoids].min(axis=0))
    if method == "fasterpam":
        assert fit.converged
        assert min(every_exchange(D, fit.medoids.tolist()).values(), default=0) >= 0


@given(st.data())
@settings(deadline=None, derandomize=True, max_examples=120)
def test_any_matrix_against_brute_force(data):
    """Points on a small grid, so copies are common; their closeness in any type and layout, judged in float64."""
    n, side = data.draw(st.integers(1, 24)), data.draw(st.sampled_from([1, 2, 5, 100]))
    points = np.random.default_rng(data.draw(st.integers(0, 999))).integers(0, side, (n, 2))
    exact = np.abs(points[:, None] - points).sum(axis=2)  # at most 198: float16 holds it
    metric = data.draw(st.sampled_from(["precomputed", "similarity"]))
    A = (exact if metric == "precomputed" else 1 - exact).astype(
        data.draw(st.sampled_from(["f2", "f4", "f8", "i2", "i8"]))
    )
    A = kinds[data.draw(st.sampled_from(["read-only", "Fortran", "strided", "list"]))](A, None)
    k = data.draw(st.integers(1, n))
    method, init = (
        data.draw(st.sampled_from(["fasterpam", "alternate"])),
        data.draw(st.sampled_from(["build", "random"])),
    )
    fit = kmedoids(A, k, metric=metric, method=method, init=init)
    check_promises(fit, n, k)
    assert fit.inertia == loss(exact, fit.medoids)
    changes = every_exchange(exact, fit.medoids.tolist())
    if method == "fasterpam":
        assert min(changes.values(), default=0) >= 0
    if k < n:
        proof = certify(A, fit.medoids, metric=metric)
        assert proof.best_delta == min(changes.values()) == changes[proof.swap_out, proof.swap_in]
        assert proof.is_optimal == (proof.best_delta >= 0)


@starts
def test_order_of_items_carries_over(init):
    D = random_distances(60, 0, 10**6)
    order = np.random.default_rng(1).permutation(60)
    start = kmedoids(D, 6, metric="precomputed", init=init, max_iter=0, method="alternate").medoids
    place = np.argsort(order)
    # Swaps meet the items in another order, so only the simple loop must end with the same medoids.
    a = kmedoids(D, 6, metric="precomputed", method="alternate", init=start)
    b = kmedoids(D[np.ix_(order, order)], 6, metric="precomputed", method="alternate", init=place[start])
    assert_array_equal(order[b.medoids], a.medoids)
    assert_array_equal(b.labels, a.labels[order])


def test_build_carries_over_with_the_order_of_items():
    D = random_distances(60, 0, 10**6)
    order = np.random.default_rng(1).permutation(60)
    a = kmedoids(D, 6, metric="precomputed", init="build", max_iter=0)
    b = kmedoids(D[np.ix_(order, order)], 6, metric="precomputed", init="build", max_iter=0)
    assert_array_equal(order[b.medoids], a.medoids)


def same(a, b):
    assert_array_equal(a.medoids, b.medoids)
    assert_array_equal(a.labels, b.labels)
    assert_array_equal(a.distance, b.distance)
    assert (a.inertia, a.history, a.n_iter, a.n_swaps) == (b.inertia, b.history, b.n_iter, b.n_swaps)


@methods
def test_blocks_and_threads_change_nothing(method, monkeypatch, words):
    for A, metric in ((random_distances(150, 0, 50), "precomputed"), (words[:150], "cosine")):
        expected = kmedoids(A, 11, metric=metric, method=method)
        for block, threads in ((7, 2), (10**6, 1)):
            monkeypatch.setattr(items, "BLOCK_ROWS", block)
            before = numba.get_num_threads()
            numba.set_num_threads(min(threads, before))
            monkeypatch.setattr(_limits, "cores", lambda threads=threads: threads)
            fit = kmedoids(A, 11, metric=metric, method=method)
            numba.set_num_threads(before)
            monkeypatch.undo()
            same(fit, expected)


@methods
@starts
def test_vectors_and_their_matrix_agree(method, init, words):
    X = words[:1200]
    a = kmedoids(X, 25, metric="cosine", method=method, init=init)
    b = kmedoids(cosine_similarity(X), 25, method=method, init=init)
    same(a, b)
    assert_array_equal(a.similarity, b.similarity)


@methods
def test_correlations_and_their_matrix_agree(method):
    X = gaussian(200, 9) + 5
    a = kmedoids(X, 8, metric="correlation", method=method)
    b = kmedoids(correlation(X), 8, method=method)
    assert_array_equal(a.medoids, b.medoids)
    assert_array_equal(a.labels, b.labels)
    assert a.inertia == pytest.approx(b.inertia)


@pytest.mark.parametrize("metric", ["cosine", "correlation"])
def test_two_members_tie_also_from_vectors(metric):
    # Each of a pair has the same sum; from vectors it comes by another way, with other rounding.
    X = gaussian(400, 9)
    a = kmedoids(X, 200, metric=metric, method="alternate", init="random")
    b = kmedoids((cosine_similarity if metric == "cosine" else correlation)(X), 200, method="alternate", init="random")
    assert (a.sizes == 2).sum() > 20
    assert_array_equal(a.medoids, b.medoids)


@methods
def test_similarities_and_distances_agree(method):
    D = random_distances(90, 0, 1000) / 1024  # 1 - D is exact
    a = kmedoids(D, 8, metric="precomputed", method=method)
    b = kmedoids(1 - D, 8, method=method)
    same(a, b)
    assert_array_equal(a.distance, 1 - b.similarity)


def read_only(A, folder):
    A = A.copy()
    A.setflags(write=False)
    return A


def memory_mapped(A, folder):
    np.save(folder / "A.npy", A)
    return np.load(folder / "A.npy", mmap_mode="r")


kinds = {
    "read-only": read_only,
    "memory-mapped": memory_mapped,
    "Fortran": lambda A, folder: np.asfortranarray(A),
    "strided": lambda A, folder: np.repeat(np.repeat(A, 2, axis=0), 3, axis=1)[::2, ::3],
    "big-endian": lambda A, folder: A.astype(">f8"),
    "int32": lambda A, folder: A.astype(np.int32),
    "float16": lambda A, folder: A.astype(np.float16),
    "float32": lambda A, folder: A.astype(np.float32),
    "list": lambda A, folder: A.tolist(),
    "tensor": lambda A, folder: torch.tensor(A),
}


@pytest.mark.parametrize("kind", kinds)
@pytest.mark.parametrize("metric", ["precomputed", "cosine"])
def test_the_same_from_any_kind_of_array(kind, metric, tmp_path, monkeypatch):
    # Blocks of a Fortran or strided array are then laid out alike: compiled once.
    monkeypatch.setattr(items, "BLOCK_ROWS", 16)
    whole = random_distances(40, 0, 50).astype(np.float64)
    A = kinds[kind](whole, tmp_path)
    before = np.asarray(A).copy()
    for method in ("fasterpam", "alternate"):
        fit, expected = (kmedoids(a, 5, metric=metric, method=method) for a in (A, whole))
        assert_array_equal(fit.medoids, expected.medoids)
        assert_array_equal(fit.labels, expected.labels)
        assert fit.inertia == pytest.approx(expected.inertia, rel=1e-6)
    proof = certify(A, expected.medoids, metric=metric)
    assert proof.inertia == pytest.approx(expected.inertia, rel=1e-6)
    assert_array_equal(np.asarray(A), before)


@pytest.mark.parametrize("k", [np.int8(3), np.int64(3), np.uint64(3), np.array(3)])
def test_numpy_integers(k):
    same(kmedoids(np.eye(5), k, n_init=np.int32(1), max_iter=np.uint8(9)), kmedoids(np.eye(5), 3, max_iter=9))


@pytest.mark.parametrize("init", ["random", "k-medoids++"])
def test_seeds(init):
    X = gaussian(200, 5)
    starts = [
        kmedoids(X, 6, metric="cosine", init=init, random_state=seed, max_iter=0, method="alternate")
        for seed in (0, 0, 1, 2)
    ]
    assert_array_equal(starts[0].medoids, starts[1].medoids)
    assert len({tuple(start.medoids.tolist()) for start in starts}) == 3
    several = kmedoids(X, 6, metric="cosine", init=init, n_init=5, method="alternate")
    one = kmedoids(X, 6, metric="cosine", init=init, method="alternate")
    assert len(several.spread) == 5
    assert len(set(several.spread)) > 1
    assert several.spread[0] == one.inertia
    assert several.inertia == min(several.spread)
    assert one.spread == (one.inertia,)


def test_plus_plus_never_draws_a_copy_while_others_are_left():
    D = distances([0, 0, 0, 0, 0, 0, 0, 5, 5, 9])
    for seed in range(30):
        start = kmedoids(D, 3, metric="precomputed", init="k-medoids++", random_state=seed, max_iter=0)
        assert start.inertia == 0


def test_plus_plus_prefers_what_is_far():
    # From whichever of the first 50: far items have weight 100 against 0.01.
    D = distances([i / 5000 for i in range(50)] + [100])
    far = [
        50 in kmedoids(D, 2, metric="precomputed", init="k-medoids++", random_state=s, max_iter=0).medoids
        for s in range(40)
    ]
    assert sum(far) >= 38


def test_plus_plus_draws_in_proportion_to_the_distance():
    # From the item at 0 the others lie at 1 and 3: three draws in four take the farther (nine in ten, if squared).
    D = distances([0, 1, 3])
    starts = [
        kmedoids(D, 2, metric="precomputed", init="k-medoids++", random_state=seed, max_iter=0).medoids.tolist()
        for seed in range(900)
    ]
    second = [b for a, b in starts if a == 0]
    assert len(second) > 200
    assert 0.68 < second.count(2) / len(second) < 0.82


def test_random_starts_reach_every_item():
    D = random_distances(6, 0)
    drawn = {
        int(m)
        for s in range(60)
        for m in kmedoids(D, 2, metric="precomputed", init="random", random_state=s, max_iter=0).medoids
    }
    assert drawn == set(range(6))


@methods
def test_warm_start(method):
    D, start = random_distances(70, 0), np.array([9, 3, 60, 1])
    fit = kmedoids(D, 4, metric="precomputed", init=start, max_iter=0, method=method)
    assert_array_equal(fit.medoids, start)
    assert_array_equal(fit.labels, assign(D, start, metric="precomputed").labels)
    end = kmedoids(D, 4, metric="precomputed", init=start, method=method)
    assert_array_equal(start, [9, 3, 60, 1])
    again = kmedoids(D, 4, metric="precomputed", init=end.medoids, method=method)
    assert_array_equal(again.medoids, end.medoids)
    assert (again.n_iter, again.n_swaps, again.converged) == (1, 0, True)
    same(kmedoids(D, 4, metric="precomputed", init=[9, 3, 60, 1], method=method), end)


def test_swaps_end_no_worse_than_the_simple_loop():
    for seed in range(10):
        D = random_distances(50, seed, 10**6)
        start = kmedoids(D, 5, metric="precomputed", method="alternate", init="random", random_state=seed)
        fit = kmedoids(D, 5, metric="precomputed", init=start.medoids)
        assert fit.inertia <= start.inertia
        assert (fit.n_swaps > 0) == (fit.inertia < start.inertia)


def test_max_iter_stops_early_and_says_so():
    D = random_distances(300, 0, 10**6)
    fit = kmedoids(D, 20, metric="precomputed", init="first", max_iter=1)
    assert (fit.n_iter, fit.converged) == (1, False)
    assert "stopped by max_iter" in repr(fit)
    assert kmedoids(D, 20, metric="precomputed", init="first").inertia < fit.inertia


@pytest.mark.parametrize("k", [1, 4])
@methods
def test_callback_is_called_once_an_iteration(method, k):
    seen = []
    fit = kmedoids(
        random_distances(70, 0),
        k,
        metric="precomputed",
        method=method,
        init="first",
        callback=lambda *news: seen.append(news),
    )
    assert [news[0] for news in seen] == list(range(1, fit.n_iter + 1))
    assert tuple(news[2] for news in seen) == fit.history
    assert all(0 <= news[1] <= k for news in seen)
    assert all(isinstance(news[3], float) and news[3] >= 0 for news in seen)
    assert fit.history[-1] == fit.inertia


@methods
def test_silent_unless_asked(method, capfd):
    D = random_distances(30, 0)
    kmedoids(D, 3, metric="precomputed", method=method)
    assert capfd.readouterr() == ("", "")
    kmedoids(D, 3, metric="precomputed", method=method, progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert method in err
    assert "3 of 3 medoids unchanged, inertia" in err


@methods
@pytest.mark.parametrize("metric", ["precomputed", "cosine"])
def test_interrupt_comes_through_and_leaves_the_input(method, metric):
    A = random_distances(70, 0).astype(np.float64)
    before, start = A.copy(), np.arange(4)

    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kmedoids(A, 4, metric=metric, method=method, init=start, callback=interrupt)
    assert_array_equal(A, before)
    assert_array_equal(start, np.arange(4))
    assert kmedoids(A, 4, metric=metric, method=method, init=start).converged


# Clustering


def test_members_start_with_the_medoid_then_the_closest():
    fit = assign(distances([5, 3, 5, 6, 5, 90]), [4, 5], metric="precomputed")
    assert_array_equal(fit.members(0), [4, 0, 2, 3, 1])
    assert_array_equal(fit.members(np.int64(1)), [5])


@pytest.mark.parametrize(("j", "error"), [(2, ValueError), (-1, ValueError), (0.0, TypeError), ("a", TypeError)])
def test_members_of_no_cluster(j, error):
    with pytest.raises(error, match=r"j must be (between 0 and 1|a whole number), got"):
        assign(np.eye(3), [0, 1]).members(j)


def test_predict_from_rows_of_closeness():
    similarity = assign(np.eye(3), [0, 1])
    assert_array_equal(similarity.predict([[0.1, 0.3], [0.5, 0.5]]), [1, 0])
    distance = assign(1 - np.eye(3), [0, 1], metric="precomputed")
    labels = distance.predict([[0.1, 0.3], [0.5, 0.5], [2, 1]])
    assert_array_equal(labels, [0, 0, 1])
    assert labels.dtype == np.int32


@pytest.mark.parametrize("metric", ["cosine", "correlation"])
def test_predict_from_vectors(metric):
    X = gaussian(100, 8)
    fit = kmedoids(X, 7, metric=metric)
    assert_array_equal(fit.predict(X), fit.labels)
    assert_array_equal(fit.predict(X * 1e-30), fit.labels)
    assert_array_equal(fit.predict(X[fit.medoids].astype(np.float32)), np.arange(7))
    assert_array_equal(fit.centres, X[fit.medoids])
    X[:] = 0
    assert fit.centres.any()


def test_predict_of_what_does_not_fit():
    fit = assign(np.eye(3), [0, 1])
    with pytest.raises(ValueError, match="the similarities to its 2 medoids, one column a medoid, got 3 columns"):
        fit.predict(np.eye(3))
    with pytest.raises(ValueError, match="A has NaN or infinity in 1 of 2 rows: 1"):
        fit.predict([[0, 0], [0, np.nan]])
    with pytest.raises(ValueError, match=r"A must be 2-D.*use X\[None, :\]"):
        fit.predict([0, 1])
    with pytest.raises(ValueError, match="A must hold vectors of 3 numbers, as in the fit, got 2 columns"):
        assign(np.eye(3), [0, 1], metric="cosine").predict(np.eye(2))


def test_clustering_is_one_line_and_frozen():
    fit = kmedoids(distances([0, 1, 2, 10, 11]), 2, metric="precomputed")
    assert repr(fit) == f"Clustering(k=2, n=5, inertia=3.0000, {fit.n_iter} iterations, {fit.n_swaps} swaps, converged)"
    with pytest.raises(FrozenInstanceError):
        fit.inertia = 0
    with pytest.raises(AttributeError, match=r"made from distances: use \.distance"):
        fit.similarity  # noqa: B018


def test_assign_is_the_nearest_medoid():
    S, rows = cosine_similarity(gaussian(200, 6)), np.array([7, 150, 3])
    fit = assign(S, rows)
    assert_array_equal(fit.medoids, rows)
    assert_array_equal(fit.labels, S[rows].argmax(axis=0))
    assert_array_equal(fit.similarity, S[rows].max(axis=0))
    assert fit.inertia == pytest.approx((1 - S[rows].max(axis=0)).sum())
    check_promises(fit, 200, 3)


# Bad input


def every(A, metric, **options):
    """The three functions that take a matrix or vectors, as calls without arguments."""
    return (
        lambda: kmedoids(A, 2, metric=metric, **options),
        lambda: assign(A, [0, 1], metric=metric),
        lambda: certify(A, [0, 1], metric=metric),
    )


def refused(A, metric, error, words):
    for call in every(A, metric):
        with pytest.raises(error, match=words):
            call()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("metric", ["similarity", "precomputed"])
def test_matrix_not_finite(metric, dtype, bad):
    A = np.eye(5, dtype=dtype) if metric == "similarity" else 1 - np.eye(5, dtype=dtype)
    A[3, 1] = A[1, 3] = bad
    refused(A, metric, ValueError, r"A has NaN or infinity in 2 of 5 rows: 1, 3$")


@pytest.mark.parametrize("place", [(2, 2), (0, 4), (4, 0), (3, 2)])
def test_one_entry_not_finite(place):
    A = np.eye(5)
    A[place] = np.nan
    refused(A, "similarity", ValueError, rf"A has NaN or infinity in 1 of 5 rows: {place[0]}$")


def test_not_finite_beyond_the_first_strip():
    A = np.eye(1100, dtype=np.float32)
    A[1050, 700] = np.nan
    refused(A, "similarity", ValueError, r"A has NaN or infinity in 1 of 1100 rows: 1050$")


@pytest.mark.parametrize("metric", ["cosine", "correlation"])
def test_vectors_not_finite(metric):
    X = np.ones((5, 3))
    X[1, 2] = X[3, 0] = np.nan
    refused(X, metric, ValueError, r"A has NaN or infinity in 2 of 5 rows: 1, 3$")


@pytest.mark.parametrize("metric", metrics)
@pytest.mark.parametrize(
    ("A", "error", "words"),
    [
        (np.zeros((0, 0)), ValueError, r"A is empty: shape \(0, 0\)"),
        (np.zeros(4), ValueError, r"A must be 2-D.*\(4,\)"),
        (np.zeros((2, 2, 2)), ValueError, r"A must be 2-D.*\(2, 2, 2\)"),
        (np.array([["a", "b"], ["c", "d"]]), TypeError, r"A must hold real numbers, got dtype <U1"),
        (np.eye(2, dtype=bool), TypeError, r"A must hold real numbers, got dtype bool: a mask\? if 0 and 1 are meant"),
        (np.ones((2, 2), complex), TypeError, r"A must hold real numbers, got dtype complex128"),
        (np.array([[1, None], [None, 1]]), TypeError, r"A must hold real numbers, got dtype object"),
        (None, TypeError, r"A must hold real numbers"),
        ([[1, 2], [3]], ValueError, r"A must be a 2-D array of numbers"),
    ],
)
def test_not_a_table_of_numbers(A, metric, error, words):
    refused(A, metric, error, words)


def test_not_square():
    refused(np.ones((5, 3)), "similarity", ValueError, r'square.*"similarity", got shape \(5, 3\); .*metric="cosine"')
    refused(np.ones((3, 5)), "precomputed", ValueError, r'A must be square.*"precomputed", got shape \(3, 5\)$')


def test_columns_in_one_piece_are_named_as_they_came():
    words = r'square.*"similarity", got shape \(5, 3\); .*metric="cosine"'
    refused(np.ones((5, 3), order="F"), "similarity", ValueError, words)
    S = np.asfortranarray(np.eye(9))
    S[1, 3], S[3, 1] = 0.5, 0.25
    refused(S, "similarity", ValueError, r"symmetric, but A\[1, 3\] = 0\.5 and A\[3, 1\] = 0\.25;")
    S[1, 3] = S[3, 1] = 1.5
    refused(S, "similarity", ValueError, r"most similar to itself, but A\[1, 3\] = 1\.5 is more than 1 on")


def test_asymmetric():
    S = np.eye(4)
    S[1, 3], S[3, 1] = 0.5, 0.25
    refused(S, "similarity", ValueError, r"symmetric, but A\[1, 3\] = 0\.5 and A\[3, 1\] = 0\.25;.*\(A \+ A\.T\) / 2")
    refused(
        (S != 0.5) - np.eye(4), "precomputed", ValueError, r"A must be symmetric, but A\[1, 3\] = 0 and A\[3, 1\] = 1"
    )


def test_asymmetric_beyond_the_first_strip():
    S = np.eye(1100)
    S[1099, 700] = 0.5
    refused(S, "similarity", ValueError, r"symmetric, but A\[700, 1099\] = 0 and A\[1099, 700\] = 0\.5")


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_asymmetry_from_rounding_is_accepted(dtype):
    X = gaussian(60, 30, np.float32)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    S = (X @ X.T).astype(dtype)
    S += np.triu(np.full(S.shape, np.finfo(dtype).eps, dtype))
    assert (S != S.T).any()
    assert kmedoids(S, 3).converged


def test_distances_as_similarities_and_the_reverse():
    D = distances([0, 1, 5, 9])
    refused(D, "similarity", ValueError, r"looks like a distance matrix; did you mean metric='precomputed'\?")
    refused(
        np.eye(4),
        "precomputed",
        ValueError,
        r"row 0 to itself must be 0, got 1: this looks like a similarity matrix; did you mean metric='similarity'\?",
    )


def test_negative_distances():
    D = distances([0, 1, 5, 9])
    D[1, 2] = D[2, 1] = -3
    refused(D, "precomputed", ValueError, r"distances must not be negative, but A\[1, 2\] = -3")


def test_raw_dot_products():
    refused(
        np.array([[1.0, 2.0], [2.0, 9.0]]),
        "similarity",
        ValueError,
        r"most similar to itself, but A\[0, 1\] = 2 is more than 1 on the diagonal: raw dot products\?",
    )


@pytest.mark.parametrize("metric", metrics)
def test_clusters_out_of_range(metric):
    A = np.eye(9) if metric != "precomputed" else 1 - np.eye(9)
    for k in (0, -1, 10, np.int64(12)):
        with pytest.raises(ValueError, match=rf"n_clusters must be between 1 and 9 \(the number of rows\), got {k}"):
            kmedoids(A, k, metric=metric)


@pytest.mark.parametrize("k", [2.0, True, np.True_, None, "2", [2], np.float64(2)])
def test_clusters_no_whole_number(k):
    with pytest.raises(TypeError, match="n_clusters must be a whole number, got"):
        kmedoids(np.eye(9), k)


@methods
@pytest.mark.parametrize(
    ("init", "words"),
    [
        ([0, 3, 3], "init must be distinct, row 3 came more than once"),
        ([0, 1, 9], r"init must lie between 0 and 8, got 0\.\.9"),
        ([0, 1, -1], r"init must lie between 0 and 8, got -1\.\.1"),
        ([0, 1], "init must list n_clusters=3 row numbers, got 2"),
        ([0, 1, 2, 3], "init must list n_clusters=3 row numbers, got 4"),
        ([], "init must be a list of row numbers"),
        ([0.0, 1.0, 2.0], "init must be a list of row numbers, got float64"),
        ([True, False, True], "init must be a list of row numbers, got bool"),
        ([[0, 1, 2]], r"init must be a list of row numbers, got int64 \(1, 3\)"),
        (None, "init must be a list of row numbers"),
        (7, "init must be a list of row numbers"),
        ("kmeans++", r"init must be one of 'build', 'dual', 'k-medoids\+\+', 'random', 'first', got 'kmeans\+\+'"),
    ],
)
def test_init(init, words, method):
    with pytest.raises(ValueError, match=words):
        kmedoids(np.eye(9), 3, init=init, method=method)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([0, 0], "medoids must be distinct, row 0 came more than once"),
        ([0, 3], r"medoids must lie between 0 and 2, got 0\.\.3"),
        ([-1], r"medoids must lie between 0 and 2"),
        ([], "medoids must be a list of row numbers"),
        ([0.5], "medoids must be a list of row numbers, got float64"),
        (0, "medoids must be a list of row numbers"),
    ],
)
@pytest.mark.parametrize("function", [assign, certify])
def test_given_medoids(function, rows, words):
    with pytest.raises(ValueError, match=words):
        function(np.eye(3), rows)


def test_nothing_to_certify_if_every_item_is_a_medoid():
    with pytest.raises(ValueError, match="medoids holds all 3 items"):
        certify(np.eye(3), [0, 1, 2])


@pytest.mark.parametrize("metric", ["euclidean", "Cosine", None, 3, ["cosine"]])
def test_unknown_metric(metric):
    refused(
        np.eye(3),
        metric,
        ValueError,
        "metric must be one of 'similarity', 'precomputed', 'cosine', 'correlation', got ",
    )


@pytest.mark.parametrize("method", ["pam", None, 1])
def test_unknown_method(method):
    with pytest.raises(ValueError, match="method must be one of 'fasterpam', 'alternate', got "):
        kmedoids(np.eye(3), 2, method=method)


@pytest.mark.parametrize("init", ["build", "first", [0, 1]])
def test_many_starts_that_are_all_the_same(init):
    with pytest.raises(ValueError, match='n_init=3 with method="alternate" needs a random start, "random" or "k-med'):
        kmedoids(np.eye(3), 2, init=init, n_init=3, method="alternate")


@pytest.mark.parametrize(("name", "low"), [("n_init", 1), ("max_iter", 0), ("random_state", 0)])
def test_other_numbers(name, low):
    with pytest.raises(ValueError, match=f"{name} must be (at least {low}|between {low} and 1000000), got {low - 1}"):
        kmedoids(np.eye(3), 2, init="random", **{name: low - 1})
    for value in (1.0, "1", True, *([] if name == "random_state" else [None])):
        with pytest.raises(TypeError, match=f"{name} must be a whole number, got {value!r}"):
            kmedoids(np.eye(3), 2, init="random", **{name: value})


@pytest.mark.parametrize(
    ("change", "message"), [(1e-3, "A must be symmetric, but A"), (np.nan, "A has NaN or infinity in")]
)
def test_one_entry_of_400_million(words_matrix, change, message):
    kept = words_matrix[12_345, 678]
    words_matrix[12_345, 678] += np.float32(change)
    try:
        with pytest.raises(ValueError, match=message):
            kmedoids(words_matrix, 512)
    finally:
        words_matrix[12_345, 678] = kept


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("n", [2, 3, 5, 7, 8, 9, 63, 64, 65, 511, 512, 513, 519, 521, 2049])
def test_the_check_sees_every_entry(n, dtype):
    S = np.eye(n, dtype=dtype)
    rng = np.random.default_rng(n)
    for i, j in {(0, n - 1), (n - 1, 0), (n - 1, n - 2), tuple(rng.choice(n, 2, replace=False))}:
        S[i, j] = 0.25
        with pytest.raises(ValueError, match="A must be symmetric"):
            assign(S, [0])
        S[j, i] = 0.25
        assert assign(S, [0]).inertia >= 0
        S[i, j] = S[j, i] = 1.5
        with pytest.raises(ValueError, match="most similar to itself"):
            assign(S, [0])
        S[i, j] = S[j, i] = 0


# Without a cache for the compiled code


def test_works_where_no_compiled_code_can_be_kept(tmp_path):
    # The folders of the copy, the one in the variable and the user's own all lie where a regular file is in the way.
    package = tmp_path / "simlib"
    shutil.copytree(Path(simlib.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in (package, *(path for path in package.rglob("*") if path.is_dir())):
        (folder / "__pycache__").write_text("in the way")
    wall = tmp_path / "file"
    wall.write_text("in the way")
    code = """
import numba, numpy as np, simlib
from simlib._engine.kernels import nearest
try:
    numba.njit(cache=True)(nearest.nearest.py_func)
except RuntimeError:
    print("no cache")
print(simlib.__file__)
S = simlib.cosine_similarity(np.array([[1.0, 0.0], [3.0, 4.0], [0.0, 2.0]]))
fit = simlib.assign(S, [0, 2])
print(fit.labels, round(fit.inertia, 9))
"""
    places = {name: str(wall / "below") for name in ("NUMBA_CACHE_DIR", "HOME", "XDG_CACHE_HOME", "IPYTHONDIR")}
    run = subprocess.run(
        [sys.executable, "-B", "-c", code],
        env={**os.environ, **places, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.splitlines() == ["no cache", str(package / "__init__.py"), "[0 1 1] 0.2"]
    assert run.stderr == ""


# The real size


@pytest.fixture(scope="module")
def words_fit(words_matrix):
    return kmedoids(words_matrix, 512)


def test_512_words(words_fit):
    check_promises(words_fit, 20_000, 512)
    assert words_fit.converged
    assert words_fit.inertia == pytest.approx(9346.7124, abs=1e-3)
    assert words_fit.history[-1] == pytest.approx(words_fit.inertia)


def test_512_words_are_certified(words_matrix, words_fit):
    proof = certify(words_matrix, words_fit.medoids)
    assert proof.is_optimal
    assert proof.best_delta > -1e-6
    assert proof.inertia == pytest.approx(words_fit.inertia, rel=1e-9)


def test_the_peer_finds_no_swap_left_among_512_words(words_matrix, words_fit):
    # The transpose of the symmetric matrix: the peer reads it by column.
    theirs = peer.fasterpam((1 - words_matrix).T, words_fit.medoids.astype(np.uint64), 300, n_cpu=1)
    assert theirs.n_swap == 0


@methods
@pytest.mark.parametrize("k", [1, 4])
def test_no_iteration_allowed_gives_the_start(method, k):
    fit = kmedoids(random_distances(30, 0), k, metric="precomputed", method=method, init="first", max_iter=0)
    assert_array_equal(fit.medoids, np.arange(k))
    assert (fit.n_iter, fit.n_swaps, fit.converged, fit.history) == (0, 0, False, ())


# The two ways to judge a candidate: by lists made once, by whole rows


ways = pytest.mark.parametrize("density", [0, 1], ids=["rows", "lists"])


@ways
@pytest.mark.parametrize("most", [0, 0.05, 1])
@pytest.mark.parametrize(
    ("n", "k", "high"), [(60, 2, 5), (60, 9, 30), (300, 12, 10**6), (300, 70, 40), (700, 31, 10**6)]
)
def test_lists_and_rows_make_the_peers_swaps(density, most, n, k, high, monkeypatch):
    monkeypatch.setattr(lists, "DENSITY", density)
    monkeypatch.setattr(extension, "MOST_LOWERED", most)
    monkeypatch.setattr(items, "BLOCK_ROWS", 50)
    D = random_distances(n, n + k, high)
    for depth in (2, 3, 8):
        monkeypatch.setattr(items.MatrixItems, "DEPTH", depth)
        ours = kmedoids(D, k, metric="precomputed", init="first")
        theirs = peer.fasterpam(D, np.arange(k, dtype=np.uint64), 300, n_cpu=1)
        assert_array_equal(ours.medoids, np.asarray(theirs.medoids, np.int64))
        assert (ours.n_swaps, ours.inertia) == (theirs.n_swap, theirs.loss)


@ways
def test_starts_in_one_corner(density, monkeypatch):
    # All medoids start in the near clump: the far one lies out of every reach.
    monkeypatch.setattr(lists, "DENSITY", density)
    points = np.concatenate([gaussian(40, 2), gaussian(160, 2, seed=1) + 1000])
    D = np.linalg.norm(points[:, None] - points, axis=2)
    fit = kmedoids(D, 10, metric="precomputed", init="first")
    assert certify(D, fit.medoids, metric="precomputed").is_optimal
    assert 1 <= np.sum(fit.medoids < 40) <= 9
    assert fit.inertia == pytest.approx(loss(D, fit.medoids))


@ways
@pytest.mark.parametrize("k", [2, 7, 40])
def test_kicks_keep_the_best_and_can_be_repeated(density, k, monkeypatch):
    monkeypatch.setattr(lists, "DENSITY", density)
    monkeypatch.setattr(extension, "EXTENSION_BYTES", 1000)
    D = random_distances(200, k)
    single = kmedoids(D, k, metric="precomputed", init="build")
    fit = kmedoids(D, k, metric="precomputed", init="build", n_init=30)
    check_promises(fit, 200, k)
    assert len(fit.spread) == 30
    assert fit.spread[0] == single.inertia
    assert fit.inertia == min(fit.spread) == loss(D, fit.medoids)
    assert certify(D, fit.medoids, metric="precomputed").is_optimal
    same(fit, kmedoids(D, k, metric="precomputed", init="build", n_init=30))
    longer = kmedoids(D, k, metric="precomputed", init="build", n_init=40)
    assert longer.spread[:30] == fit.spread
    assert longer.inertia <= fit.inertia


@ways
@pytest.mark.parametrize("init", ["random", "k-medoids++"])
def test_several_starts_are_what_each_would_be_alone(density, init, monkeypatch):
    monkeypatch.setattr(lists, "DENSITY", density)
    monkeypatch.setattr(extension, "EXTENSION_BYTES", 3000)
    D = random_distances(300, 5)
    several = kmedoids(D, 25, metric="precomputed", init=init, n_init=6)
    starts = [
        engine_starts.start(prepare.prepare(D, "precomputed"), 25, init, np.random.default_rng([0, attempt]))
        for attempt in range(6)
    ]
    alone = [kmedoids(D, 25, metric="precomputed", init=rows) for rows in starts]
    assert several.spread == tuple(fit.inertia for fit in alone)
    best = min(alone, key=lambda fit: fit.inertia)
    assert_array_equal(several.medoids, best.medoids)
    assert (several.n_swaps, several.history) == (best.n_swaps, best.history)


@ways
def test_copies_and_lists(density, monkeypatch):
    monkeypatch.setattr(lists, "DENSITY", density)
    for D in (np.zeros((50, 50)), np.kron(1 - np.eye(10), np.ones((6, 6)))):
        for k in (2, 5, 10, 30):
            fit = kmedoids(D, k, metric="precomputed", n_init=3)
            check_promises(fit, len(D), k)
            assert fit.inertia == loss(D, fit.medoids)


def test_more_lists_than_room_are_given_up(monkeypatch):
    # The sample of rows that is counted promises short lists, the rows between them are close to everything.
    S = np.eye(400, dtype=np.float32)
    odd = np.arange(400) % (400 // 64) != 0
    S[np.ix_(odd, odd)] = 0.9
    np.fill_diagonal(S, 1)
    assert prepare.prepare(S, "similarity").lists(np.full(400, 0.5, np.float32)) is None


# Interrupts, bounded memory


@pytest.mark.parametrize(
    "options",
    [{}, {"init": "build"}, {"method": "alternate"}, {"k": 16}, {"init": "build", "n_init": 1000}],
    ids=lambda options: " ".join(map(str, options.values())) or "default",
)
@pytest.mark.parametrize("after", [0.05, 0.4, 0.9])
def test_an_interrupt_comes_through_soon(words_matrix, options, after):
    options = dict(options)
    k = options.pop("k", 512)
    kmedoids(words_matrix[:2000, :2000], 5)
    before = words_matrix[::1000].copy()
    with Interrupts(after) as interrupts:
        try:
            for _ in range(20):  # a fit may be over before the interrupt comes
                kmedoids(words_matrix, k, **options)
        except KeyboardInterrupt:
            assert interrupts.seconds() < SOON
        else:
            pytest.fail("the interrupt did not come through")
    assert_array_equal(words_matrix[::1000], before)


def test_memory_beside_the_matrix(words_matrix):
    process, own = psutil.Process(), []
    done = threading.Event()

    def watch():
        while not done.wait(0.01):
            own.append(process.memory_info().rss)

    before = process.memory_info().rss
    watcher = threading.Thread(target=watch)
    watcher.start()
    kmedoids(words_matrix, 512, init="build")
    done.set()
    watcher.join()
    assert max(own) - before < 600e6


@pytest.mark.parametrize("init", ["build", "first", "random"])
@pytest.mark.parametrize("metric", ["similarity", "precomputed", "cosine"])
def test_the_history_ends_with_the_inertia(init, metric):
    for seed in range(12):
        X = np.random.default_rng(seed).normal(size=(50, 3)).round(1) + 0.01
        A = {"cosine": X, "similarity": cosine_similarity(X), "precomputed": abs(X[:, :1] - X[:, 0])}[metric]
        fit = kmedoids(A, 6, metric=metric, init=init, n_init=4, random_state=seed)
        assert fit.history[-1] == pytest.approx(fit.inertia, rel=1e-12)
        assert list(fit.history) == sorted(fit.history, reverse=True)
        assert min(fit.spread) == pytest.approx(fit.inertia, rel=1e-12)


@pytest.mark.parametrize("tol", ["x", None, np.nan, -1.0, True, [1], np.inf])
def test_a_tolerance_that_is_none(tol):
    with pytest.raises((TypeError, ValueError), match=r"tol must be a (finite )?number"):
        certify(np.eye(3), [0, 1], tol=tol)


@pytest.mark.parametrize("callback", [3, "print", [print]])
def test_a_callback_that_is_none(callback):
    with pytest.raises(TypeError, match="callback must be a function or None, got"):
        kmedoids(np.eye(3), 2, callback=callback)


def test_a_certificate_of_all_items_as_medoids():
    with pytest.raises(ValueError, match="medoids holds all 3 items: there is no other item"):
        certify(np.eye(3), [2, 0, 1])
