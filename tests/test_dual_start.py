"""The start from the lower bound: by hand, then beside other starts, then with constraints and kinds of A."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from simlib import certify, cosine_similarity, kmedoids, prove
from simlib._engine import starts
from simlib._engine.prepare import prepare
from simlib._engine.starts import Constraints
from tests.test_gap import LINE
from tests.test_proof import roads


def begun(A, k, metric="similarity", **constraints):
    asked = Constraints(**{name: np.array(rows) for name, rows in constraints.items()})
    return starts.start(prepare(A, metric), k, "dual", np.random.default_rng(0), asked)


def test_five_points_by_hand():
    assert_array_equal(begun(LINE, 2, "precomputed"), [1, 3])
    assert_array_equal(begun(LINE, 5, "precomputed"), np.arange(5))
    assert_array_equal(begun(LINE, 1, "precomputed"), [2])


def test_constraints_are_kept():
    found = begun(LINE, 3, "precomputed", must=[4, 0], never=[1])
    assert_array_equal(found[:2], [4, 0])
    assert found[2] in (2, 3)


def test_a_better_start_than_a_random_one(words_matrix):
    dual, random = (kmedoids(words_matrix, 512, init=init) for init in ("dual", "random"))
    assert dual.inertia < 0.9998 * random.inertia
    assert dual.n_swaps < random.n_swaps / 3
    assert certify(words_matrix, dual.medoids).is_optimal


def test_one_start_on_road_maps_is_close_to_the_optimum():
    dual, random = [], []
    for seed, (n, k) in enumerate([(100, 20), (200, 40), (300, 30), (300, 60), (400, 40), (400, 80)]):
        D, k = roads(n, k, seed)
        fits = [kmedoids(D, k, metric="precomputed", init=init) for init in ("dual", "random")]
        proof = prove(D, fits[0].medoids, metric="precomputed")
        assert proof.optimal
        dual.append(fits[0].inertia / proof.inertia - 1)
        random.append(fits[1].inertia / proof.inertia - 1)
    assert np.mean(dual) < 0.004
    assert np.mean(dual) < np.mean(random)


@pytest.mark.parametrize("k", [2, 3, 12])
def test_the_same_from_every_kind_of_input(words, k):
    X = words[::50]
    S = cosine_similarity(X)
    expected = kmedoids(S, k, init="dual").medoids
    assert_array_equal(kmedoids(X, k, metric="cosine", init="dual").medoids, expected)
    assert_array_equal(kmedoids(torch.tensor(S), k, init="dual").medoids, expected)


def test_more_ends_from_there_are_never_worse(words):
    S = cosine_similarity(words[::50])
    one, ten = (kmedoids(S, 30, init="dual", n_init=n) for n in (1, 10))
    assert ten.inertia <= one.inertia
    assert len(ten.spread) == 10


def test_the_loop_takes_it_too():
    fit = kmedoids(LINE, 2, metric="precomputed", init="dual", method="alternate")
    assert fit.inertia == 3
