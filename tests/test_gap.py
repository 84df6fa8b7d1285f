"""The lower bound: cases by hand, then HiGHS on a thousand small instances, then invariants, then bad input."""

from itertools import combinations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

import simlib
from simlib import certify, cosine_similarity, kmedoids, optimality_gap, prove

POINTS = np.array([1.0, 2.0, 3.0, 10.0, 11.0])
LINE = abs(POINTS[:, None] - POINTS)


def p_median(D, k):
    """Costs and constraints of the p-median problem: x[o, j] says that j serves o, y[j] that j is a medoid."""
    n = len(D)
    cost = np.r_[D.ravel(), np.zeros(n)]
    served = sparse.hstack([sparse.kron(sparse.eye(n), np.ones((1, n))), sparse.csr_matrix((n, n))])
    opened = sparse.hstack([sparse.eye(n * n), -sparse.kron(np.ones((n, 1)), sparse.eye(n))])
    number = sparse.hstack([sparse.csr_matrix((1, n * n)), np.ones((1, n))])
    equal = LinearConstraint(sparse.vstack([served, number]).tocsc(), np.r_[np.ones(n), k], np.r_[np.ones(n), k])
    return cost, [equal, LinearConstraint(opened.tocsc(), -np.inf, 0)]


def optimum(D, k):
    """The smallest loss of any k medoids, proved by HiGHS."""
    cost, constraints = p_median(D, k)
    n = len(D)
    solved = milp(cost, constraints=constraints, bounds=Bounds(0, 1), integrality=np.r_[np.zeros(n * n), np.ones(n)])
    assert solved.success
    return solved.fun


def relaxed(D, k):
    """The value of the linear relaxation, by HiGHS."""
    cost, (equal, below) = p_median(D, k)
    solved = linprog(cost, below.A, np.zeros(below.A.shape[0]), equal.A, equal.lb, bounds=(0, 1), method="highs")
    assert solved.success
    return solved.fun


def instance(rng):
    """A small table of distances of one of many kinds, and k."""
    n = int(rng.integers(2, 10))
    kind = rng.integers(6)
    points = rng.normal(size=(n, 2)) * 10.0 ** rng.integers(-3, 4)
    if kind == 1:  # duplicates
        points = points[rng.integers(0, max(1, n // 2), n)]
    D = np.linalg.norm(points[:, None] - points, axis=2)
    if kind == 2:  # no metric
        D = rng.exponential(size=(n, n))
    if kind == 3:  # whole numbers with many ties
        D = rng.integers(0, 4, (n, n)).astype([np.int64, np.float32, np.float64][rng.integers(3)])
    if kind == 4:  # all alike
        D = np.full((n, n), 2.5)
    if kind == 5:
        D = D.astype(np.float32)
    D = np.maximum(D, D.T)
    np.fill_diagonal(D, 0)
    return D, int(rng.choice([1, n - 1, rng.integers(1, n + 1)])) or 1


def test_five_points_by_hand():
    # 1 + 1 for {1, 2, 3} around 2, and 1 for {10, 11}: no two points do better.
    gap = optimality_gap(LINE, [1, 3], metric="precomputed")
    assert gap.lower == gap.inertia == 3
    assert gap.proven
    assert gap.gap == 0
    assert str(gap) == "Gap(k=2, inertia=3.0000, lower=3.0000: proven optimal)"


def test_the_bound_is_the_prices_less_what_the_best_k_earn():
    gap = optimality_gap(LINE, [0, 4], metric="precomputed")
    earned = np.maximum(gap.prices[:, None] - LINE, 0).sum(axis=0)
    assert_allclose(gap.earned, earned)
    assert_allclose(gap.prices.sum() - np.sort(earned)[-2:].sum(), gap.history[-1])
    assert gap.lower == 3
    assert gap.inertia == 4
    assert not gap.proven
    assert gap.gap == pytest.approx(1 / 3)


def test_rows_that_every_better_choice_has_and_rows_that_none_has():
    # From the worse choice {0, 3}, with loss 4, every choice of loss 3 has row 1 in it; rows 0 and 2 are in none.
    gap = optimality_gap(LINE, [0, 3], metric="precomputed")
    assert_array_equal(gap.in_every, [1])
    assert_array_equal(gap.in_none, [0, 2])


@pytest.mark.parametrize("seed", range(10))
def test_never_above_the_optimum(seed):
    rng = np.random.default_rng(seed)
    for _ in range(100):
        D, k = instance(rng)
        best = optimum(D.astype(np.float64), k)
        start = rng.choice(len(D), k, replace=False)
        gap = optimality_gap(D, start, metric="precomputed", max_iter=int(rng.choice([0, 5, 300])))
        assert gap.lower <= best * (1 + 1e-9), (D, k)
        assert gap.check(D) <= best * (1 + 1e-9)
        assert gap.lower_for(max(1, k - 1)) <= optimum(D.astype(np.float64), max(1, k - 1)) * (1 + 1e-9)
        if gap.proven:
            assert gap.inertia <= best * (1 + 1e-6) + 1e-12


def better_choices(D, k, loss):
    """All choices of k medoids with a smaller loss, as sets."""
    return [set(c) for c in combinations(range(len(D)), k) if D[:, list(c)].min(axis=1).sum() < loss * (1 - 1e-9)]


def test_what_is_decided_holds_for_every_better_choice():
    rng, decided = np.random.default_rng(0), 0
    for _ in range(300):
        D, k = instance(rng)
        gap = optimality_gap(D, rng.choice(len(D), k, replace=False), metric="precomputed")
        decided += len(gap.in_every) + len(gap.in_none)
        for better in better_choices(D.astype(np.float64), k, gap.inertia):
            assert set(gap.in_every.tolist()) <= better
            assert not better & set(gap.in_none.tolist())
    assert decided > 300


def test_weights_are_repeated_rows_and_constraints_are_kept():
    rng = np.random.default_rng(1)
    for _ in range(100):
        D, k = instance(rng)
        n, D = len(D), D.astype(np.float64)
        weight = rng.integers(1, 4, n)
        rows = rng.permutation(n)
        must, never = rows[: rng.integers(0, k + 1)], rows[k : k + rng.integers(0, n - k + 1)]
        asked = {"metric": "precomputed", "sample_weight": weight, "must": must, "never": never}
        gap = optimality_gap(D, rows[:k], **asked)
        choices = [c for c in combinations(range(n), k) if set(must) <= set(c) and not set(never) & set(c)]
        losses = [weight @ D[:, list(c)].min(axis=1) for c in choices]
        assert gap.lower <= min(losses) * (1 + 1e-9)
        assert gap.check(D) <= min(losses) * (1 + 1e-9)
        proof = prove(D, rows[:k], **asked)
        assert proof.optimal
        assert proof.inertia == pytest.approx(min(losses), rel=1e-8, abs=1e-12)
        repeated = np.repeat(np.arange(n), weight)
        copies = optimality_gap(D[np.ix_(repeated, repeated)], np.cumsum(weight)[rows[:k]] - 1, metric="precomputed")
        weighted = optimality_gap(D, rows[:k], metric="precomputed", sample_weight=weight)
        assert weighted.inertia == pytest.approx(copies.inertia)
        assert copies.check(D[np.ix_(repeated, repeated)]) <= weighted.inertia


@pytest.mark.parametrize("k", [3, 6, 12])
def test_as_high_as_the_linear_relaxation(words, k):
    D = np.maximum(1 - cosine_similarity(words[:: 20000 // 60][:60]).astype(np.float64), 0)
    gap = optimality_gap(D, kmedoids(D, k, metric="precomputed").medoids, metric="precomputed", tol=0)
    assert gap.lower == pytest.approx(relaxed(D, k), rel=1e-4)


def test_twenty_thousand_words(words_matrix):
    fit = kmedoids(words_matrix, 512)
    gap = optimality_gap(words_matrix, fit.medoids)
    assert gap.gap < 0.0035
    assert gap.inertia == fit.inertia
    assert gap.finished
    assert np.all(np.diff(gap.history) >= 0)
    assert gap.check(words_matrix) == pytest.approx(gap.lower, rel=1e-9)
    near = kmedoids(words_matrix, 520)
    assert gap.lower_for(520) < near.inertia < 1.005 * gap.lower_for(520)


@pytest.fixture(scope="module")
def some(words):
    return words[::20].astype(np.float32)


@pytest.mark.parametrize("k", [1, 2, 3, 8, 50])
def test_the_same_from_a_matrix_and_from_vectors(some, k):
    S = cosine_similarity(some)
    fit = kmedoids(S, k)
    by_matrix = optimality_gap(S, fit.medoids)
    by_vectors = optimality_gap(some, fit.medoids, metric="cosine")
    by_distances = optimality_gap(np.maximum(1 - S, 0), fit.medoids, metric="precomputed")
    assert by_vectors.lower == pytest.approx(by_matrix.lower, rel=1e-4)
    assert by_distances.lower == pytest.approx(by_matrix.lower, rel=1e-4)
    assert by_vectors.lower <= by_vectors.check(some) <= by_vectors.lower + 2 * by_vectors.margin


@pytest.mark.parametrize("change", [np.float16, np.float64, "mapped", "F", "10 *", torch.tensor], ids=str)
def test_any_kind_of_matrix(some, change, tmp_path):
    S = cosine_similarity(some[:300])
    medoids = kmedoids(S, 12).medoids
    expected = optimality_gap(S, medoids)
    if change == "mapped":
        np.save(tmp_path / "s.npy", S)
        given = np.load(tmp_path / "s.npy", mmap_mode="r")
    else:
        given = {"F": np.asfortranarray, "10 *": lambda S: 10 * S, torch.tensor: torch.tensor}.get(
            change, lambda S: S.astype(change)
        )(S)
    found = optimality_gap(given, medoids)
    assert found.lower == pytest.approx(expected.lower, rel=1e-3 if change is np.float16 else 1e-5)
    assert found.check(given) == pytest.approx(found.lower, rel=1e-5)


def test_sparse_vectors():
    X = sparse.random(300, 80, 0.1, random_state=0, format="csr")
    X = X[np.diff(X.indptr) > 0]
    medoids = kmedoids(X, 10, metric="cosine").medoids
    dense = optimality_gap(X.toarray(), medoids, metric="cosine")
    assert optimality_gap(X, medoids, metric="cosine").lower == pytest.approx(dense.lower, rel=1e-4)


@pytest.mark.parametrize("listed", [True, False])
def test_on_a_device_lists_or_whole_rows_serve(some, listed, monkeypatch):
    from simlib._engine import dual
    from simlib._engine.metrics import METRICS
    from simlib._engine.tensors import TensorItems

    S = cosine_similarity(some[:300])
    fit = kmedoids(S, 12)
    none = np.empty(0, np.int64)
    items = TensorItems(torch.tensor(S), METRICS["similarity"])
    if not listed:
        monkeypatch.setattr(dual, "SMALL", 0)
        monkeypatch.setattr(dual, "LISTED_SHARE", 0)
    ascent = dual.Ascent(items, fit.medoids, dual.status_of(300, none, none))
    assert (ascent.lists is not None) == listed
    list(ascent.steps(300, np.inf))
    assert ascent.bound().lower == pytest.approx(optimality_gap(S, fit.medoids).lower, rel=1e-4)


def test_the_same_bits_on_one_thread_and_on_two(some):
    import numba

    S = cosine_similarity(some)
    medoids = kmedoids(S, 20).medoids
    two = optimality_gap(S, medoids)
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        one = optimality_gap(S, medoids)
    finally:
        numba.set_num_threads(before)
    assert_array_equal(one.prices, two.prices)
    assert one.lower == two.lower


def test_copies_and_every_row_a_medoid():
    D = np.zeros((6, 6))
    assert optimality_gap(D, [0, 5], metric="precomputed").proven
    whole = optimality_gap(LINE, range(5), metric="precomputed")
    assert whole.proven
    assert whole.lower == 0
    zero = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])  # a vector of zeros has loss 1 with every medoid
    gap = optimality_gap(zero, [0, 2], metric="cosine", tol=1e-3)
    assert gap.inertia == 1
    assert gap.proven


def test_an_interrupt_gives_the_bound_so_far(some, monkeypatch):
    from simlib._engine import dual

    S, steps = cosine_similarity(some), dual.Ascent.steps

    def interrupted(self, most, goal):
        for number, bound in enumerate(steps(self, most, goal)):
            if number == 3:
                raise KeyboardInterrupt
            yield bound

    medoids = kmedoids(S, 20).medoids
    monkeypatch.setattr(dual.Ascent, "steps", interrupted)
    gap = optimality_gap(S, medoids)
    assert not gap.finished
    assert len(gap.history) == 3
    assert 0 < gap.check(S) <= gap.inertia


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"medoids": [0, 0]}, ValueError, "medoids"),
        ({"medoids": [0, 5]}, ValueError, "medoids"),
        ({"medoids": []}, ValueError, "medoids"),
        ({"max_iter": -1}, ValueError, "max_iter must be at least 0"),
        ({"tol": -1}, ValueError, "tol must be a finite number of at least 0"),
        ({"tol": np.nan}, ValueError, "tol must be a finite number"),
        ({"tol": "x"}, TypeError, "tol must be a number"),
        ({"metric": "similarity"}, ValueError, "precomputed"),
    ],
    ids=str,
)
def test_bad_input(arguments, error, message):
    arguments = {"medoids": [0, 1], "metric": "precomputed", **arguments}
    with pytest.raises(error, match=message):
        optimality_gap(LINE, **arguments)


def test_another_matrix_is_no_check():
    gap = optimality_gap(LINE, [1, 3], metric="precomputed")
    with pytest.raises(ValueError, match="must have 5 rows"):
        gap.check(LINE[:4, :4])
    with pytest.raises(ValueError, match="n_clusters must be between 1 and 5"):
        gap.lower_for(6)


def test_a_certificate_says_less_than_a_proof():
    # No single exchange helps, and yet two at once would.
    D = simlib.cosine_similarity(np.random.default_rng(3).normal(size=(40, 3)))
    fits = [kmedoids(D, 6, random_state=seed) for seed in range(20)]
    worst = max(fits, key=lambda fit: fit.inertia)
    best = min(fits, key=lambda fit: fit.inertia)
    assert certify(D, worst.medoids).is_optimal
    assert best.inertia < worst.inertia
    assert optimality_gap(D, worst.medoids).lower <= best.inertia
