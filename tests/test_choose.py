"""Criteria for k: by hand, against scikit-learn, kmedoids from PyPI and brute force, then bad input."""

import itertools

import kmedoids as peer
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import adjusted_rand_score, silhouette_samples

from simlib import (
    KScan,
    assign,
    certify,
    choose,
    correlation,
    cosine_similarity,
    kmedoids,
    load,
    optimality_gap,
    scan_k,
    shuffle_columns,
    silhouette,
    stability,
)
from simlib._engine import items, tiles
from simlib._engine.kernels.starts import drop_cheapest
from simlib._engine.prepare import prepare_host


def distances(points):
    points = np.asarray(points, np.float64)
    return abs(points[:, None] - points)


def gaussian(n, d, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d)).astype(dtype)


def some_labels(n, k, seed=0):
    """k clusters of unequal size; the last holds one item."""
    labels = np.random.default_rng(seed).integers(0, k - 1, n)
    labels[n // 2] = k - 1
    return labels


# By hand


def test_silhouette_by_hand():
    # a and b: 1, 10; 1, 9; and a cluster of one counts as 0.
    scores = silhouette(distances([0, 1, 10]), [0, 0, 1], metric="precomputed")
    assert_allclose(scores, [9 / 10, 8 / 9, 0])


def test_silhouette_of_an_item_in_the_wrong_cluster():
    # The item at 9: a = 8.5 to those at 0 and 1, b = 1 to the one at 10.
    scores = silhouette(distances([0, 1, 9, 10]), [0, 0, 0, 1], metric="precomputed")
    assert scores[2] == pytest.approx((1 - 8.5) / 8.5)


def test_silhouette_of_copies_is_zero():
    assert_array_equal(silhouette(np.zeros((4, 4)), [0, 0, 1, 1], metric="precomputed"), np.zeros(4))


def test_scan_by_hand():
    scan = scan_k(distances([1, 2, 3, 10, 11, 12]), [3, 2], metric="precomputed")
    assert_array_equal(scan.ks, [2, 3])
    assert_array_equal(scan.inertia, [4, 3])
    assert_array_equal(scan.smallest, [3, 1])
    assert_array_equal(scan.largest, [3, 3])
    assert_array_equal(scan.singletons, [0, 1])
    # Medoids 2 and 11: d1 / d2 is 1/10, 0/9, 1/8 and the mirror image.
    assert scan.medoid_silhouette[0] == pytest.approx(1 - (1 / 10 + 0 + 1 / 8) / 3)


# Oracles


functions = {"cosine": cosine_similarity, "correlation": correlation}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", ["similarity", "precomputed", "cosine", "correlation"])
@pytest.mark.parametrize(("n", "k"), [(60, 2), (1203, 9)])
def test_silhouette_is_scikit_learns(metric, n, k, dtype):
    X, labels = gaussian(n, 6, dtype) + 1, some_labels(n, k)
    S = functions.get(metric, cosine_similarity)(X)
    A = {"similarity": S, "precomputed": 1 - S}.get(metric, X)
    D = 1 - S.astype(np.float64)
    scores = silhouette(A, labels, metric=metric)
    assert scores.dtype == np.float64
    assert_allclose(
        scores, silhouette_samples(D, labels, metric="precomputed"), atol=2e-6 if dtype == np.float32 else 1e-12
    )
    assert np.abs(scores).max() <= 1


def test_silhouette_with_zero_rows_and_copies():
    X = np.repeat(gaussian(8, 3), 3, axis=0)
    X[:4] = 0
    labels = some_labels(24, 4)
    D = 1 - cosine_similarity(X)
    np.fill_diagonal(D, 0)
    expected = silhouette_samples(D, labels, metric="precomputed")
    assert_allclose(silhouette(X, labels, metric="cosine"), expected, atol=1e-12)
    assert_allclose(silhouette(cosine_similarity(X), labels), expected, atol=1e-12)


@pytest.mark.parametrize("metric", ["cosine", "correlation"])
def test_silhouette_of_equal_directions_is_zero(metric):
    for seed in range(20):
        X = gaussian(1, 5, seed=seed) * np.linspace(0.5, 2, 12)[:, None]
        scores = silhouette(X, np.arange(12) % 3, metric=metric)
        assert np.abs(scores).max() <= 1
        assert_allclose(scores, np.zeros(12), atol=1e-6)


@pytest.mark.parametrize("metric", ["cosine", "correlation"])
def test_silhouette_is_at_most_one(metric):
    X = np.repeat(gaussian(3, 5), 12, axis=0) * np.linspace(0.5, 2, 36)[:, None]
    scores = silhouette(X, np.repeat([0, 1, 2], 12), metric=metric)
    assert_allclose(scores, 1)
    assert scores.max() <= 1


@pytest.mark.parametrize("kind", [list, np.uint8, torch.tensor, lambda labels: np.asarray(labels)[::-1][::-1]])
def test_names_and_kind_of_labels_do_not_matter(kind):
    D, labels = distances(gaussian(40, 1)[:, 0]), some_labels(40, 4)
    expected = silhouette(D, labels, metric="precomputed")
    given = kind(labels) if not isinstance(kind, type) or kind is list else labels.astype(kind)
    assert_array_equal(silhouette(D, given, metric="precomputed"), expected)
    names = np.array([70, -3, 12, 5])
    assert_allclose(silhouette(D, names[labels], metric="precomputed"), expected, rtol=1e-12)


def test_silhouette_leaves_its_input_alone():
    D, labels = distances(range(9)), some_labels(9, 3) + 4
    before = D.copy(), labels.copy()
    silhouette(D, labels, metric="precomputed")
    scan_k(D, [2, 3], metric="precomputed")
    assert_array_equal(D, before[0])
    assert_array_equal(labels, before[1])


def plain_medoid_silhouette(D, rows):
    d1, d2 = np.sort(D[rows], axis=0)[:2]
    return np.mean([1 - a / b if b > 0 else 1 for a, b in zip(d1, d2, strict=True)])


@pytest.mark.parametrize("metric", ["similarity", "precomputed", "cosine", "correlation"])
def test_every_fit_of_a_scan_is_a_swap_optimum_with_its_criteria(metric):
    X = gaussian(60, 5)
    S = correlation(X) if metric == "correlation" else cosine_similarity(X)
    A = {"similarity": S, "precomputed": 1 - S}.get(metric, X)
    scan = scan_k(A, np.array([7, 2, 20, 59]), metric=metric)
    assert isinstance(scan, KScan)
    assert scan.complete
    assert_array_equal(scan.ks, [2, 7, 20, 59])
    for i, (k, fit) in enumerate(zip(scan.ks, scan.fits, strict=True)):
        assert len(set(fit.medoids.tolist())) == k
        assert certify(A, fit.medoids, metric=metric).is_optimal
        assert fit.converged
        assert_array_equal(fit.labels, assign(A, fit.medoids, metric=metric).labels)
        assert scan.inertia[i] == fit.inertia == pytest.approx((1 - S[fit.medoids]).min(axis=0).sum())
        assert scan.silhouette[i] == pytest.approx(silhouette(A, fit.labels, metric=metric).mean())
        assert scan.medoid_silhouette[i] == pytest.approx(plain_medoid_silhouette(1 - S, fit.medoids))
        assert scan.smallest[i] == fit.sizes.min()
        assert scan.largest[i] == fit.sizes.max()
        assert scan.singletons[i] == np.sum(fit.sizes == 1)
    assert_allclose(scan.mean_distance, scan.inertia / 60)
    assert scan.seconds.shape == (4,)
    assert (scan.seconds > 0).all()


def test_mean_similarity_is_named_for_what_it_is():
    S = cosine_similarity(gaussian(30, 4))
    scan = scan_k(S, [2, 9])
    assert_allclose(scan.mean_similarity, [fit.similarity.mean() for fit in scan.fits], rtol=1e-12)
    assert "mean similarity" in scan.table()
    with pytest.raises(AttributeError, match=r"use \.mean_distance"):
        _ = scan_k(1 - S, [2, 9], metric="precomputed").mean_similarity


def test_the_largest_k_is_the_greedy_fit():
    S = cosine_similarity(gaussian(80, 6))
    fit = kmedoids(S, 20, init="build")
    assert_array_equal(scan_k(S, [5, 20]).fits[1].medoids, fit.medoids)


def test_a_scan_ends_as_low_as_independent_fits():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 16))[rng.integers(0, 40, 1500)] + 0.7 * rng.standard_normal((1500, 16))
    S = cosine_similarity(X)
    scan = scan_k(S, [3, 10, 25, 40, 80])
    for k, inertia in zip(scan.ks, scan.inertia, strict=True):
        best = min(kmedoids(S, k, random_state=seed).inertia for seed in range(3))
        assert inertia <= 1.003 * best


def test_the_cheapest_medoid_leaves_first():
    # Without 0 two items move by 1 each, without 4 by 3 and 3, without 20 by 16 and 15.
    points = np.array([0.0, 1, 3, 4, 20, 19])
    close = -distances(points)[:, [0, 3, 4, 1]]
    assert_array_equal(drop_cheapest(close, 4, None), [0, 1, 2, 3])
    assert_array_equal(drop_cheapest(close, 3, None), [1, 2, 3])  # 0 and 1 both stand for (0, 1); the first leaves
    assert_array_equal(drop_cheapest(close, 2, None), [2, 3])


@pytest.mark.parametrize("seed", range(5))
def test_dropping_is_greedy_against_brute_force(seed):
    close = gaussian(50, 12, np.float32, seed)
    left = list(range(12))
    for k in range(11, 1, -1):
        totals = [close[:, [q for q in left if q != r]].max(axis=1).sum(dtype=np.float64) for r in left]
        left.pop(int(np.argmax(np.round(totals, 9))))
        assert_array_equal(drop_cheapest(close, k, None), left)


def test_an_interrupted_scan_keeps_what_is_finished(monkeypatch):
    S, done = cosine_similarity(gaussian(40, 5)), []

    def stop_at_the_third(data, k, larger):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(k)
        return one_k(data, k, larger)

    one_k = choose._one_k
    monkeypatch.setattr(choose, "_one_k", stop_at_the_third)
    scan = scan_k(S, [2, 4, 8, 16])
    assert not scan.complete
    assert_array_equal(scan.ks, [8, 16])
    assert repr(scan) == "KScan(ks=[8, 16], n=40, interrupted)"
    assert len(scan.table().splitlines()) == 3
    monkeypatch.setattr(choose, "_one_k", lambda *each: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        scan_k(S, [2, 4])


def test_medoid_silhouette_is_the_peers():
    D = np.triu(np.random.default_rng(0).integers(0, 9, (80, 80)), 1).astype(np.float64)
    D += D.T
    scan = scan_k(D, [2, 5, 40], metric="precomputed")
    theirs = [peer.medoid_silhouette(D, fit.medoids.astype(np.uint64))[0] for fit in scan.fits]
    assert_allclose(scan.medoid_silhouette, theirs)


def test_three_groups_stand_out():
    points = np.concatenate([10 * i + 0.1 * gaussian(20, 1, seed=i)[:, 0] for i in range(3)])
    scan = scan_k(distances(points), range(2, 8), metric="precomputed")
    assert scan.ks[scan.silhouette.argmax()] == scan.ks[scan.medoid_silhouette.argmax()] == 3


def test_scan_of_copies():
    scan = scan_k(np.ones((6, 6)), [2, 5])
    assert_array_equal(scan.inertia, [0, 0])
    assert_array_equal(scan.medoid_silhouette, [1, 1])
    assert_array_equal(scan.silhouette, [0, 0])
    assert [len(set(fit.medoids.tolist())) for fit in scan.fits] == [2, 5]


def test_blocks_change_nothing(monkeypatch):
    X, labels = gaussian(100, 5), some_labels(100, 5)
    S = cosine_similarity(X)
    expected = silhouette(S, labels), silhouette(X, labels, metric="cosine")
    monkeypatch.setattr(items, "BLOCK_ROWS", 7)
    assert_array_equal(silhouette(S, labels), expected[0])
    assert_allclose(silhouette(X, labels, metric="cosine"), expected[1], atol=1e-14)
    monkeypatch.setattr(items, "CLUSTER_SUM_BYTES", 8 * 5 * 3)  # strips of three items
    assert_array_equal(silhouette(S, labels), expected[0])


def test_table_is_the_same_every_time():
    # k=2, silhouettes 8.5/10, 8/9, 6.5/8 and the mirror image; k=3 is {1}, {2, 3}, {10, 11, 12} around 1, 3 and 11.
    D = distances([1, 2, 3, 10, 11, 12])
    table = scan_k(D, [3, 2], metric="precomputed").table()
    assert table == scan_k(D, [2, 3], metric="precomputed").table()
    assert table.splitlines() == [
        "     k   inertia    mean distance  medoid silhouette  silhouette  smallest  largest  singletons",
        "     2      4.00           0.6667             0.9250      0.8505         3        3           0",
        "     3      3.00           0.5000             0.7910      0.5041         1        3           1",
    ]


def test_scan_on_one_line():
    assert repr(scan_k(np.eye(5), [2, 3])) == "KScan(ks=[2, 3], n=5)"


def test_silent_unless_asked(capfd):
    scan_k(np.eye(5), [2, 3])
    silhouette(np.eye(5), [0, 0, 1, 1, 1])
    assert capfd.readouterr() == ("", "")
    scan_k(np.eye(5), [2, 3], progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "2/2" in err


# What speaks for a k, and against it


def three_heaps():
    return distances(np.concatenate([10 * i + 0.1 * gaussian(20, 1, seed=i)[:, 0] for i in range(3)]))


def test_picks_of_three_heaps():
    scan = scan_k(three_heaps(), range(2, 9), metric="precomputed")
    inertia, medoid, full = scan.picks()
    assert (inertia.criterion, medoid.criterion, full.criterion) == ("inertia", "medoid_silhouette", "silhouette")
    assert (inertia.k, medoid.k, full.k) == (3, 3, 3)
    assert full.value == scan.silhouette.max()
    assert "no elbow" not in inertia.doubt
    assert full.doubt.startswith("the next best, k = ")


def test_picks_at_an_end_say_so():
    low, high = (scan_k(three_heaps(), ks, metric="precomputed") for ks in ([3, 5, 9], [2, 3]))
    assert low.picks()[2].k == high.picks()[2].k == 3
    assert "no peak: it is at the low end of the scan" in low.picks()[2].doubt
    assert "no peak: it is at the high end of the scan" in high.picks()[2].doubt
    alone = scan_k(three_heaps(), [4], metric="precomputed").picks()
    assert [pick.k for pick in alone] == [4, 4, 4]
    assert "nothing to compare with" in alone[1].doubt


def test_picks_of_structureless_data_unmask_themselves():
    X = gaussian(400, 20)
    ks = [2, 3, 5, 9, 17]
    scan, null = (scan_k(cosine_similarity(Y), ks) for Y in (X, shuffle_columns(X, 1)))
    inertia, _, full = scan.picks(null)
    assert "no elbow" in inertia.doubt
    assert "shuffled data" in full.doubt
    assert "below 0.25 it shows no substantial structure" in full.doubt
    assert "no better than shuffled data" in scan.picks(scan)[2].doubt


def test_the_digits_are_better_than_shuffled_digits():
    X = load("digits").vectors
    ks = [2, 5, 10, 15, 30]
    scan, null = (scan_k(cosine_similarity(Y), ks) for Y in (X, shuffle_columns(X)))
    assert (scan.silhouette > 4 * null.silhouette).all()
    assert (scan.inertia < null.inertia).all()
    doubt = scan.picks(null)[2].doubt
    assert f"shuffled data reach {null.silhouette.max():.3f}" in doubt
    assert "no better" not in doubt


@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 3))
@settings(deadline=None, max_examples=30)
def test_shuffling_keeps_every_column_and_its_values(n, d, seed):
    X = gaussian(n, d, np.float32, seed)
    before = X.copy()
    shuffled = shuffle_columns(X, seed)
    assert_array_equal(X, before)
    assert shuffled.dtype == np.float32
    assert_array_equal(np.sort(shuffled, axis=0), np.sort(X, axis=0))
    assert_array_equal(shuffled, shuffle_columns(X, seed))


def test_shuffling_moves_the_columns_apart():
    X = np.repeat(np.arange(50.0)[:, None], 3, axis=1)
    shuffled = shuffle_columns(X)
    assert len({tuple(column) for column in shuffled.T}) == 3


# Stability


def test_three_heaps_come_back_and_a_cloud_does_not():
    heaps = stability(three_heaps(), 3, metric="precomputed", rounds=5)
    assert heaps.scores == (1.0,) * 5
    assert (heaps.mean, heaps.spread, heaps.jaccard) == (1.0, 0.0, (1.0,) * 3)
    cloud = stability(cosine_similarity(gaussian(300, 30)), 20, rounds=5)
    assert cloud.mean < 0.3
    assert cloud.mean == pytest.approx(np.mean(cloud.scores))
    assert cloud.spread == pytest.approx(np.std(cloud.scores))


def test_stability_is_the_rand_index_of_fits_on_subsamples():
    S, k, rounds = cosine_similarity(gaussian(60, 4)), 4, 3
    draws = [np.random.default_rng([7, i]) for i in range(rounds + 1)]
    whole = kmedoids(S, k, init=draws[0].choice(60, k, replace=False))
    expected, overlaps = [], []
    for draw in draws[1:]:
        rows = np.sort(draw.choice(60, 30, replace=False))
        fit = kmedoids(S[np.ix_(rows, rows)], k, init=draw.choice(30, k, replace=False))
        expected.append(adjusted_rand_score(whole.labels[rows], fit.labels))
        seen, again = whole.labels[rows] == np.arange(k)[:, None, None], fit.labels == np.arange(k)[:, None]
        overlaps.append(((seen & again).sum(axis=2) / (seen | again).sum(axis=2)).max(axis=1))
    stable = stability(S, k, rounds=rounds, random_state=7)
    assert_allclose(stable.scores, expected)
    assert stable.medoids == tuple(whole.medoids)
    assert_allclose(stable.jaccard, np.mean(overlaps, axis=0))


def test_a_subsample_without_items_of_a_cluster_does_not_count():
    points = np.concatenate([np.zeros(30), [100.0], np.full(29, 200.0)])
    counted = stability(abs(points[:, None] - points), 3, metric="precomputed", rounds=1, random_state=1)
    alone = counted.medoids.index(30)
    draw = np.random.default_rng([1, 1]).choice(60, 30, replace=False)
    assert np.isnan(counted.jaccard[alone]) == (30 not in draw)
    several = stability(abs(points[:, None] - points), 3, metric="precomputed", rounds=6, random_state=1)
    assert several.jaccard[alone] == 1.0


@pytest.mark.parametrize("metric", ["cosine", "correlation"])
def test_stability_without_the_matrix(metric):
    X = gaussian(90, 6)
    expected = stability(functions[metric](X), 5, rounds=3)
    assert_allclose(stability(X, 5, rounds=3, metric=metric).scores, expected.scores)


def test_stability_is_silent_and_draws_a_bar(capfd):
    stability(np.eye(8), 2, rounds=2)
    assert capfd.readouterr() == ("", "")
    stability(np.eye(8), 2, rounds=2, progress=True)
    assert "2/2" in capfd.readouterr().err


# Bad input


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"k": 1}, ValueError, r"k must be between 2 and 4 \(the 4 items in a subsample\), got 1"),
        ({"k": 5}, ValueError, r"k must be between 2 and 4 \(the 4 items in a subsample\), got 5"),
        ({"k": 2.0}, TypeError, "k must be a whole number, got 2.0"),
        ({"rounds": 0}, ValueError, "rounds must be between 1 and 1000000, got 0"),
        ({"share": 0}, ValueError, "share must be a number between 0 and 1, got 0"),
        ({"share": 1.0}, ValueError, "share must be a number between 0 and 1, got 1.0"),
        ({"share": True}, ValueError, "share must be a number between 0 and 1, got True"),
        ({"share": "half"}, ValueError, "share must be a number between 0 and 1, got 'half'"),
        ({"share": np.nan}, ValueError, "share must be a number between 0 and 1, got nan"),
        ({"random_state": "0"}, TypeError, "random_state must be a whole number, got '0'"),
        ({"metric": "euclidean"}, ValueError, "metric must be one of"),
    ],
)
def test_bad_wishes_for_stability(given, error, words):
    wishes = {"k": 2, **given}
    with pytest.raises(error, match=words):
        stability(np.eye(8), **wishes)


def test_stability_of_too_large_a_subsample(monkeypatch):
    monkeypatch.setattr("simlib._check.available_memory", lambda: 100)
    with pytest.raises(MemoryError, match=r"a subsample of 4 items takes 0\.0 GB.*a smaller share"):
        stability(np.eye(8), 2)


def test_bad_vectors_to_shuffle():
    with pytest.raises(ValueError, match="X must be 2-D"):
        shuffle_columns([1.0, 2.0])
    with pytest.raises(TypeError, match=r"random_state must be a whole number, got 0\.5"):
        shuffle_columns(np.eye(2), 0.5)


@pytest.mark.parametrize(
    ("ks", "error", "words"),
    [
        ([1, 2], ValueError, r"each of ks must be between 2 and 4 \(the number of rows less one\), got 1"),
        ([2, 5], ValueError, r"each of ks must be between 2 and 4 \(the number of rows less one\), got 5"),
        ([-3], ValueError, "each of ks must be between 2 and 4"),
        ([], ValueError, r"at least one number of clusters, each once, got \[\]"),
        ([2, 3, 2], ValueError, r"each once, got \[2, 3, 2\]"),
        ([2.0], TypeError, "each of ks must be a whole number, got 2.0"),
        ([True], TypeError, "each of ks must be a whole number, got True"),
        ([None], TypeError, "each of ks must be a whole number, got None"),
        ("23", TypeError, "ks must be a list of numbers of clusters, got '23'"),
    ],
)
def test_ks(ks, error, words):
    with pytest.raises(error, match=words):
        scan_k(np.eye(5), ks)


def test_ks_that_is_one_number():
    with pytest.raises(TypeError, match="ks must"):
        scan_k(np.eye(5), 3)


@pytest.mark.parametrize(
    ("labels", "error", "words"),
    [
        ([0, 1], ValueError, "labels must have one entry a row, 5, got 2"),
        ([0, 0, 0, 0, 0], ValueError, "labels must hold at least 2, got 1"),
        ([0.0, 0, 1, 1, 1], TypeError, r"labels must be whole numbers \(n,\), got float64 \(5,\)"),
        ([True, False, True, True, True], TypeError, "labels must be whole numbers.*got bool"),
        (["a", "a", "b", "b", "b"], TypeError, "labels must be whole numbers.*got <U1"),
        ([[0, 0, 1, 1, 1]], TypeError, r"labels must be whole numbers \(n,\), got int64 \(1, 5\)"),
        (None, TypeError, "labels must be whole numbers"),
    ],
)
def test_labels(labels, error, words):
    with pytest.raises(error, match=words):
        silhouette(np.eye(5), labels)


@pytest.mark.parametrize(
    "call",
    [lambda A, metric: scan_k(A, [2], metric=metric), lambda A, metric: silhouette(A, [0, 0, 1, 1], metric=metric)],
)
def test_matrix(call):
    with pytest.raises(ValueError, match="metric must be one of 'similarity', 'precomputed', 'cosine', 'correlation'"):
        call(np.eye(4), "euclidean")
    with pytest.raises(ValueError, match="did you mean metric='precomputed'"):
        call(1 - np.eye(4), "similarity")
    with pytest.raises(ValueError, match="A has NaN or infinity in 4 of 4 rows"):
        call(np.full((4, 2), np.nan), "cosine")
    with pytest.raises(ValueError, match="A must be square"):
        call(np.ones((4, 3)), "similarity")


def test_random_state():
    with pytest.raises(TypeError, match=r"random_state must be a whole number, got 1\.5"):
        scan_k(np.eye(5), [2], random_state=1.5)


def test_a_range_that_holds_nothing_is_said_to_be_empty():
    with pytest.raises(ValueError, match="there are too few items: each of ks must be at least 2, and at most 1 is"):
        scan_k(np.eye(2), [2])
    with pytest.raises(ValueError, match="there are too few items: k must be at least 2, and at most 1 is possible"):
        stability(np.eye(2), 2)


# Lower bounds


def test_bounds_of_a_scan_by_the_best_of_all_choices():
    X = gaussian(12, 2, seed=5)
    D = np.abs(X[:, None] - X).sum(axis=2)
    scan = scan_k(D, [2, 3, 4, 11], metric="precomputed", bounds=True)
    best = [min(D[:, c].min(axis=1).sum() for c in itertools.combinations(range(12), k)) for k in scan.ks]
    assert np.all(scan.lower <= best)
    assert np.all(scan.lower > 0.9 * np.array(best))
    assert np.all(np.diff(scan.lower) <= 0)
    assert_array_equal(scan.to_frame()["lower"], scan.lower)
    plain = scan_k(D, [2, 3, 4, 11], metric="precomputed")
    assert plain.lower is None
    assert "lower" not in plain.to_frame()
    assert_array_equal(plain.inertia, scan.inertia)


def test_a_scan_of_vectors_makes_their_matrix_once(words, monkeypatch):
    X, made, real = words[::100], [], tiles.matrix

    def counted(scaled, progress=False):
        made.append(len(scaled.vectors))
        return real(scaled, progress)

    monkeypatch.setattr(tiles, "matrix", counted)
    scan = scan_k(X, [2, 3, 5, 40], metric="cosine")
    assert made == [len(X)]
    from_matrix = scan_k(cosine_similarity(X), [2, 3, 5, 40])
    for fit, other in zip(scan.fits, from_matrix.fits, strict=True):
        assert_array_equal(fit.medoids, other.medoids)
        assert_array_equal(fit.centres, X[fit.medoids])
    assert_allclose(scan.silhouette, from_matrix.silhouette, atol=1e-6)


def test_a_matrix_made_of_vectors_keeps_their_rounding(words):
    vectors = prepare_host(words[::100], "cosine")
    assert vectors.at_hand().rounding == vectors.rounding > 0


def test_a_bound_of_a_scan_is_that_of_the_gap(words):
    scan = scan_k(words[::100], [5, 10, 20], metric="cosine", bounds=True)
    for k, lower in zip(scan.ks, scan.lower, strict=True):
        assert_allclose(lower, optimality_gap(words[::100], scan[k].medoids, metric="cosine").lower, rtol=1e-4)
