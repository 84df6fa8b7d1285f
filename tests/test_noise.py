"""Items that are left out at a price: by hand, by brute force, beside the same problem with a place for noise."""

import itertools

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from simlib import assign, certify, correlation, cosine_similarity, kmedoids, optimality_gap, prove
from simlib._engine.items import VectorItems
from tests.test_gap import LINE


def far_points(n=10, seed=0):
    """Distances (n, n) between points of two clumps and a few that are far from all."""
    rng = np.random.default_rng(seed)
    points = np.concatenate([rng.normal(0, 1, n - 3), rng.normal(20, 1, 5), [60, 80, -70]])[-n:]
    return abs(points[:, None] - points)


def least(D, k, price):
    """The smallest possible sum of distances to k medoids, none above the price."""
    return min(np.minimum(D[:, c].min(axis=1), price).sum() for c in itertools.combinations(range(len(D)), k))


def test_a_point_too_far_by_hand():
    D = abs(np.subtract.outer([0.0, 1, 2, 10, 11, 50], [0.0, 1, 2, 10, 11, 50]))
    fit = kmedoids(D, 2, metric="precomputed", init="build", noise_price=5)
    assert_array_equal(fit.noise, [5])
    assert_array_equal(fit.labels[:3], fit.labels[0])
    assert fit.labels[5] == -1
    assert fit.inertia == 2 + 1 + 5
    assert fit.sizes.sum() == 5
    assert "1 items left out at 5 each" in repr(fit)
    table = fit.table(list("abcdef"))
    assert table["exemplar"].tolist() == ["b", "b", "b", *table["exemplar"][3:5], None]
    assert table["cluster"].tolist()[5] == table["rank"].tolist()[5] == -1
    assert_array_equal(assign(D, fit.medoids, metric="precomputed", noise_price=5).labels, fit.labels)
    assert not assign(D, fit.medoids, metric="precomputed").noise.size
    exactly = assign(D, [1, 3], metric="precomputed", noise_price=39)  # no farther than the price: kept
    assert exactly.labels[5] == -1
    assert assign(D, [1, 4], metric="precomputed", noise_price=39).labels[5] == 1


@pytest.mark.parametrize("seed", range(100))
def test_the_best_by_brute_force(seed):
    rng = np.random.default_rng(seed)
    D, k = far_points(10, seed), int(rng.integers(1, 5))
    D, price = (np.rint(D), 7.0) if seed % 2 else (D, float(rng.uniform(0.5, 60)))
    asked = {"metric": "precomputed", "noise_price": price}
    best = least(D, k, price)
    fit = kmedoids(D, k, random_state=seed, init=("random", "dual", "build")[seed % 3], **asked)
    assert fit.inertia >= best - 1e-9
    assert certify(D, fit.medoids, **asked).is_optimal
    loss = D[:, fit.medoids].min(axis=1)
    assert_array_equal(fit.noise, np.flatnonzero(loss > price))
    assert_allclose(fit.inertia, np.minimum(loss, price).sum())
    assert_allclose(certify(D, fit.medoids, **asked).inertia, fit.inertia)
    gap = optimality_gap(D, fit.medoids, **asked)
    assert gap.lower <= best
    assert_allclose(gap.check(D), gap.lower)
    proof = prove(D, fit.medoids, **asked)
    assert proof.optimal
    assert_allclose(proof.inertia, best)


def test_vectors_and_similarities_say_the_same(words):
    X = words[:300]
    S = cosine_similarity(X)
    fit = kmedoids(S, 20, noise_price=0.5)
    assert 0 < len(fit.noise) < 280
    for A, metric in ((X, "cosine"), (1 - S, "precomputed"), (7 * S, "similarity")):
        price = 0.5
        other = kmedoids(A, 20, metric=metric, noise_price=price)
        assert_array_equal(other.medoids, fit.medoids)
        assert_array_equal(other.labels, fit.labels)
    assert kmedoids(correlation(X), 20, noise_price=2.0).noise.size == 0
    plain = kmedoids(S, 20)
    cheap = kmedoids(S, 20, noise_price=3.0)
    assert_array_equal(plain.labels, cheap.labels)
    assert plain.inertia == cheap.inertia


def test_weights_count_for_what_is_left_out():
    D = far_points(10, 3)
    weight = np.arange(10.0) + 1
    fit = kmedoids(D, 2, metric="precomputed", sample_weight=weight, noise_price=6, init="dual", n_init=3)
    loss = np.minimum(D[:, fit.medoids].min(axis=1), 6)
    assert_allclose(fit.inertia, weight @ loss)
    best = min(weight @ np.minimum(D[:, c].min(axis=1), 6) for c in itertools.combinations(range(10), 2))
    assert_allclose(fit.inertia, best)


@pytest.mark.parametrize(
    ("price", "kind", "said"),
    [
        (0, ValueError, "above 0"),
        (-1, ValueError, "at least 0"),
        (np.nan, ValueError, "finite"),
        ("far", TypeError, "number"),
    ],
)
def test_prices_that_are_none(price, kind, said):
    for call in (kmedoids, assign, certify, optimality_gap, prove):
        with pytest.raises(kind, match=f"noise_price.*{said}"):
            call(LINE, 2 if call is kmedoids else [0, 1], metric="precomputed", noise_price=price)


def test_what_does_not_fit_or_is_on_a_device_is_refused(words, monkeypatch):
    monkeypatch.setattr(VectorItems, "at_hand", lambda self, progress=False: self)
    with pytest.raises(MemoryError, match=r"noise_price needs the matrix.*fit\.distance"):
        kmedoids(words[:50], 3, metric="cosine", noise_price=0.5)
    monkeypatch.setattr("simlib._check.off_cpu", lambda A: hasattr(A, "detach"))
    with pytest.raises(ValueError, match=r"noise_price are for items on the CPU"):
        kmedoids(torch.eye(5), 2, noise_price=0.5)


def test_what_is_about_items_in_clusters_refuses_a_fit_with_others(words):
    from simlib import atlas, ensemble, plots, silhouette, widgets

    X = words[:100]
    S = cosine_similarity(X)
    fit, several = kmedoids(S, 5, noise_price=0.5), ensemble(S, 5, n_init=2)
    there = atlas.places(X, metric="cosine")
    said = r"leaves \d+ of 100 items out \(label -1\).*assign\(A, fit\.medoids\)"
    calls = (
        lambda f: silhouette(S, f),
        lambda f: several.recovered(f),
        lambda f: plots.block_matrix(S, f),
        lambda f: plots.atlas(there, f),
        lambda f: plots.similarity_to_medoid(f),
        lambda f: atlas.page(there, f, path=None),
        lambda f: widgets.cards.cards_html(f, S),
    )
    for call in calls:
        with pytest.raises(ValueError, match=said):
            call(fit)
    plots.cluster_sizes(fit)
    plots.block_matrix(S, assign(S, fit.medoids))
    rows = np.flatnonzero(fit.labels >= 0)
    assert len(silhouette(S[np.ix_(rows, rows)], fit.labels[rows])) == len(rows)
