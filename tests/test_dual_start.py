"""The start from the lower bound: by hand, then beside other starts, then with constraints and kinds of A."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from simlib import certify, cosine_similarity, kmedoids, prove
from simlib._engine import refine, starts
from simlib._engine.kernels.refine import serve_all
from simlib._engine.prepare import prepare
from simlib._engine.refine import Refinement
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
        proof = prove(D, fits[0].medoids, metric="precomputed", max_seconds=900)
        assert proof.optimal
        dual.append(fits[0].inertia / proof.inertia - 1)
        random.append(fits[1].inertia / proof.inertia - 1)
    assert np.mean(dual) < 0.004
    assert np.mean(dual) < np.mean(random)


@pytest.mark.parametrize("k", [2, 3, 12])
def test_the_same_from_every_kind_of_input(words, k):
    X = words[::50]
    S = cosine_similarity(X)
    for n_init in (1, 3):
        expected = kmedoids(S, k, init="dual", n_init=n_init).medoids
        assert_array_equal(kmedoids(X, k, metric="cosine", init="dual", n_init=n_init).medoids, expected)
        assert_array_equal(kmedoids(torch.tensor(S), k, init="dual", n_init=n_init).medoids, expected)


def test_the_loop_takes_it_too():
    fit = kmedoids(LINE, 2, metric="precomputed", init="dual", method="alternate")
    assert fit.inertia == 3


# More ends: kicks in the core of candidates


def test_what_the_kicks_keep_up_is_what_all_items_say():
    D, k = roads(200, 20, 3)
    items = prepare(D, "precomputed").weighted(np.random.default_rng(0).uniform(0, 2, len(D)))
    medoids = starts.build(items, k)
    refinement = Refinement(items, medoids, np.arange(len(D)), 2)
    before = items.loss(refinement.served.c1)
    assert refinement.kicks(np.random.default_rng(1), 1.0, 0.0)
    followed = ("place", "c1", "c2", "removal", "change")  # of medoids at the same distance any may be the owner
    kept = {part: getattr(refinement.served, part).copy() for part in followed}
    serve_all(refinement.core, refinement.served)
    for part, before_it in kept.items():
        assert_allclose(before_it, getattr(refinement.served, part), atol=1e-9)
    assert_allclose(before - items.loss(refinement.served.c1), refinement.level[0])
    assert not refinement.desk.waits.any()
    assert_array_equal(refinement.medoids[:2], medoids[:2])
    assert len(set(refinement.medoids)) == k
    near = items.closeness(refinement.medoids).max(axis=0)
    assert items.loss(near) <= before - refinement.level[1] + 1e-6 * before


def test_more_ends_reach_the_optimum_of_road_maps():
    for seed, (n, k) in enumerate([(100, 20), (200, 40), (300, 30)]):
        D, k = roads(n, k, seed)
        fit = kmedoids(D, k, metric="precomputed", init="dual", n_init=4)
        proof = prove(D, fit.medoids, metric="precomputed", max_seconds=900)
        assert proof.optimal
        assert fit.inertia == proof.inertia


def test_more_ends_from_there_are_swap_optimal_and_no_worse(words):
    S = cosine_similarity(words[::20])
    one, ten = (kmedoids(S, 100, init="dual", n_init=n) for n in (1, 10))
    assert len(ten.spread) == 10
    assert ten.spread[0] == one.inertia
    assert ten.inertia == min(ten.spread) < one.inertia
    assert ten.converged
    assert certify(S, ten.medoids).is_optimal
    assert_array_equal(ten.medoids, kmedoids(S, 100, init="dual", n_init=10).medoids)


def test_more_ends_keep_to_constraints_and_weights(words):
    S, weight = cosine_similarity(words[::50]), np.random.default_rng(0).integers(0, 4, 400)
    asked = {"must": [7, 3], "never": np.arange(100, 200), "sample_weight": weight}
    one, more = (kmedoids(S, 20, init="dual", n_init=n, **asked) for n in (1, 5))
    assert more.inertia <= one.inertia
    assert_array_equal(more.medoids[:2], [7, 3])
    assert not np.isin(more.medoids, asked["never"]).any()
    assert certify(S, more.medoids, **asked).is_optimal


@pytest.mark.parametrize("k", [1, 2, 4, 5])
def test_more_ends_of_five_points(k):
    fit = kmedoids(LINE, k, metric="precomputed", init="dual", n_init=3)
    assert fit.inertia == prove(LINE, fit.medoids, metric="precomputed").inertia


def test_an_interrupt_between_kicks_is_an_interrupt(words, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(refine.kernels, "kick", interrupted)
    with pytest.raises(KeyboardInterrupt):
        kmedoids(cosine_similarity(words[::50]), 30, init="dual", n_init=2)
