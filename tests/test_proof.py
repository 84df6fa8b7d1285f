"""The proof of optimality: by hand, then brute force on small instances, then HiGHS, then limits and bad input."""

from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_digits

from simlib import cosine_similarity, kmedoids, optimality_gap, prove
from simlib._engine import branch
from tests.test_gap import LINE, instance, optimum


def roads(n, k, seed):
    """Distances along the roads of a random map with whole-number lengths, and k: like the p-median test problems."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import shortest_path

    rng = np.random.default_rng(seed)
    path = rng.permutation(n)
    ends = np.hstack([rng.integers(0, n, (2, n * n // 50)), [path[:-1], path[1:]]])
    lengths = np.full((n, n), np.inf)
    np.minimum.at(lengths, tuple(ends), rng.integers(1, 101, ends.shape[1]))
    lengths = np.minimum(lengths, lengths.T)
    return shortest_path(csr_matrix(np.where(np.isinf(lengths), 0, lengths)), directed=False).astype(np.int64), k


def test_five_points_by_hand():
    proof = prove(LINE, [0, 1], metric="precomputed")
    assert proof.optimal
    assert proof.inertia == proof.lower == 3
    assert_array_equal(proof.medoids, [1, 3])  # or 4: both lie one from the other
    assert_array_equal(proof.in_every, [1])
    assert str(proof) == "Proof(k=2, inertia=3.0000: optimal, 1 nodes)"


@pytest.mark.parametrize("seed", range(3))
def test_as_brute_force(seed):
    rng = np.random.default_rng(seed)
    for _ in range(100):
        D, k = instance(rng)
        losses = {c: D[:, list(c)].astype(np.float64).min(axis=1).sum() for c in combinations(range(len(D)), k)}
        least = min(losses.values())
        proof = prove(D, rng.choice(len(D), k, replace=False), metric="precomputed", max_seconds=900)
        assert proof.optimal
        assert proof.inertia == pytest.approx(least, rel=1e-8, abs=1e-12)
        assert losses[tuple(sorted(proof.medoids.tolist()))] == pytest.approx(least, rel=1e-8, abs=1e-12)
        for choice, loss in losses.items():
            if loss <= least * (1 + 1e-12):
                assert set(proof.in_every.tolist()) <= set(choice)


@pytest.mark.parametrize(("n", "k"), [(25, 3), (30, 5), (30, 10)])
def test_as_highs(n, k):
    D, k = roads(n, k, n + k)
    assert prove(D, np.arange(k), metric="precomputed").inertia == round(optimum(D.astype(np.float64), k))


@pytest.mark.parametrize(("n", "k"), [(100, 5), (200, 10), (300, 30), (400, 10), (600, 60)])
def test_road_maps_are_proved(n, k):
    D, k = roads(n, k, n)
    fit = kmedoids(D, k, metric="precomputed", init="dual")
    proof = prove(D, fit.medoids, metric="precomputed", max_seconds=900)
    assert proof.optimal
    assert proof.inertia <= fit.inertia
    assert proof.inertia == D[:, proof.medoids].min(axis=1).sum()
    assert optimality_gap(D, proof.medoids, metric="precomputed").lower <= proof.inertia
    many = kmedoids(D, k, metric="precomputed", init="build", n_init=100)
    assert proof.inertia <= many.inertia


@pytest.mark.parametrize("k", [5, 10])
def test_digits_are_proved(k):
    S = cosine_similarity(load_digits().data)
    proof = prove(S, kmedoids(S, k).medoids, max_seconds=900)
    assert proof.optimal
    assert len(proof.in_every) >= 1
    assert proof.inertia <= kmedoids(S, k, n_init=20).inertia * (1 + 1e-9)


def test_stopped_early_it_says_what_is_left():
    D, k = roads(400, 10, 9)
    start = kmedoids(D, k, metric="precomputed")
    proof = prove(D, start.medoids, metric="precomputed", max_seconds=0)
    assert proof.n_nodes == 1
    whole = prove(D, start.medoids, metric="precomputed", max_seconds=900)
    assert proof.lower <= whole.inertia <= proof.inertia
    assert proof.optimal or proof.gap > 0


def test_an_interrupt_gives_the_best_so_far(monkeypatch):
    D, k = roads(400, 10, 9)
    look = branch.Tree._look

    def interrupted(tree, node):
        if tree.n_nodes == 1:
            raise KeyboardInterrupt
        return look(tree, node)

    monkeypatch.setattr(branch.Tree, "_look", interrupted)
    proof = prove(D, np.arange(k), metric="precomputed", max_seconds=900)
    assert not proof.optimal
    assert proof.lower <= proof.inertia == D[:, proof.medoids].min(axis=1).sum()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"medoids": [0, 0]}, ValueError, "medoids"),
        ({"max_seconds": -1}, ValueError, "max_seconds must be a finite number of at least 0"),
        ({"max_seconds": "x"}, TypeError, "max_seconds must be a number"),
        ({"metric": "similarity"}, ValueError, "precomputed"),
    ],
    ids=str,
)
def test_bad_input(arguments, error, message):
    arguments = {"medoids": [0, 1], "metric": "precomputed", **arguments}
    with pytest.raises(error, match=message):
        prove(LINE, **arguments)
