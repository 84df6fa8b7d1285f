"""k-medoids on a tensor's own device: the code that runs on a GPU, run on CPU tensors, against the NumPy path.

Not run on a GPU. What stands for another device here is torch's "meta", whose tensors have a shape and no numbers.
"""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

import simlib
from simlib import _check, assign, certify, correlation, cosine_similarity, kmedoids, optimality_gap, scan_k, silhouette
from simlib._engine import tensors
from simlib._engine.metrics import METRICS
from simlib._engine.prepare import prepare

methods = pytest.mark.parametrize("method", ["fasterpam", "alternate"])
starts = pytest.mark.parametrize("init", ["build", "k-medoids++", "random", "first"])
kinds = pytest.mark.parametrize("metric", ["similarity", "precomputed", "cosine", "correlation"])
FORMS = {
    "similarity": cosine_similarity,
    "precomputed": lambda X: 1 - cosine_similarity(X),
    "cosine": lambda X: X,
    "correlation": lambda X: X,
}


@pytest.fixture(scope="module")
def words():
    return simlib.load("words").vectors


def on_device(A, *args, function=kmedoids, **options):
    """`kmedoids`, or another function, as for a tensor on a GPU."""
    tensor = A if isinstance(A, torch.Tensor) else torch.from_numpy(np.asarray(A))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_check, "off_cpu", _check.is_tensor)
        return function(tensor, *args, **options)


def whole(n, d, seed=0):
    return np.random.default_rng(seed).integers(-9, 10, (n, d)).astype(np.float32)


def distances(points):
    points = np.asarray(points, np.float64)
    return abs(points[:, None] - points)


# By hand


def test_swaps_step_by_step():
    # From 0 and 2, loss 28: 10 for 0 leaves 6, 11 for 10 leaves 5; second pass: 1 for 2 leaves 4; then nothing.
    seen = []
    D = distances([0, 1, 2, 10, 11, 12])
    start = np.array([0, 2])
    fit = on_device(D, 2, metric="precomputed", init=start, callback=lambda *news: seen.append(news))
    assert [news[:3] for news in seen] == [(1, 1, 5.0), (2, 1, 4.0), (3, 0, 4.0)]
    assert_array_equal(fit.medoids, [4, 1])
    assert_array_equal(fit.labels, [1, 1, 1, 0, 0, 0])
    assert (fit.n_iter, fit.n_swaps, fit.converged, fit.history) == (3, 3, True, (5.0, 4.0, 4.0))
    assert_array_equal(start, [0, 2])


def test_one_cluster_is_the_median():
    for method in ("fasterpam", "alternate"):
        fit = on_device(distances([0, 1, 5, 6, 100]), 1, metric="precomputed", method=method)
        assert_array_equal(fit.medoids, [2])
        assert fit.inertia == 105


def test_build_by_hand():
    start = on_device(distances([0, 1, 10, 11]), 2, metric="precomputed", init="build", max_iter=0)
    assert_array_equal(start.medoids, [1, 2])
    assert (start.n_iter, start.converged) == (0, False)


def test_judged_as_brute_force_would():
    rng = np.random.default_rng(0)
    D = np.triu(rng.integers(1, 50, (30, 30)), 1)
    D = D + D.T
    chosen = np.array([3, 17, 8, 21])
    state = tensors.BlockSearch(tensors.TensorItems(torch.from_numpy(D), METRICS["precomputed"]), chosen)
    best, position = state.best_swaps(torch.arange(30), -torch.from_numpy(D).double())
    loss = D[chosen].min(axis=0).sum()
    assert state.loss() == loss
    for j in set(range(30)) - set(chosen.tolist()):
        changes = [D[np.where(np.arange(4) == r, j, chosen)].min(axis=0).sum() - loss for r in range(4)]
        assert best[j] == min(changes)
        assert changes[position[j]] == min(changes)
        assert state.change(-torch.from_numpy(D[j]).double(), int(position[j])) == min(changes)
    assert np.isinf(best[chosen]).all()


# Against the NumPy path


@kinds
@methods
@starts
def test_the_same_as_on_the_cpu(metric, method, init, words):
    A = FORMS[metric](words[:900])
    ours = on_device(A, 30, metric=metric, method=method, init=init)
    theirs = kmedoids(A, 30, metric=metric, method=method, init=init)
    assert ours.inertia == pytest.approx(theirs.inertia, rel=1e-6)
    assert_array_equal(ours.medoids, theirs.medoids)
    assert_array_equal(ours.labels, theirs.labels)
    assert (ours.n_iter, ours.n_swaps, ours.converged) == (theirs.n_iter, theirs.n_swaps, theirs.converged)
    assert ours.history == pytest.approx(theirs.history, rel=1e-6)
    if method == "fasterpam":
        assert certify(A, ours.medoids, metric=metric).is_optimal


@kinds
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_any_numbers_end_in_a_swap_optimum_of_the_same_height(metric, dtype):
    A = FORMS[metric](np.random.default_rng(1).standard_normal((700, 6)).astype(dtype) + 0.2)
    for k in (2, 25, 200):
        ours, theirs = on_device(A, k, metric=metric), kmedoids(A, k, metric=metric)
        assert certify(A, ours.medoids, metric=metric).is_optimal
        assert ours.inertia == pytest.approx(theirs.inertia, rel=1e-4)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.int32])
def test_other_types(kind, words):
    S = torch.from_numpy(cosine_similarity(words[:600]))
    if kind == torch.int32:
        D = (10_000 * (1 - S)).round().to(kind)
        ours, theirs = on_device(D, 20, metric="precomputed"), kmedoids(D.numpy(), 20, metric="precomputed")
    else:
        ours, theirs = on_device(S.to(kind), 20), kmedoids(S.to(kind).float(), 20)
    assert ours.inertia == pytest.approx(theirs.inertia, rel=1e-4)
    assert_array_equal(ours.medoids, theirs.medoids)


@kinds
def test_lists_hold_the_pairs_that_are_closer_than_their_reach(metric, words, monkeypatch):
    A = FORMS[metric](words[:400])
    items = tensors.TensorItems(torch.from_numpy(A), METRICS[metric])
    reach = items.nearest(np.arange(0, 400, 20), 1)[1][0]
    monkeypatch.setattr(tensors, "CANDIDATES", 33)
    made, closeness = items.lists(reach), prepare(A, metric).closeness(slice(None))
    for j in range(400):
        here = slice(made.start[j], made.stop[j])
        near = made.items[here]
        assert np.isin(np.flatnonzero(closeness[j] > reach + 1e-5), near).all()
        assert (closeness[j][near] > reach[near] - 1e-5).all()
        assert (np.diff(near) > 0).all()
        assert made.closeness[here] == pytest.approx(closeness[j][near], abs=1e-5)
    assert items.lists(np.full(400, -np.inf, items.dtype)) is None
    monkeypatch.setattr(tensors, "room_for_kept", lambda: 1000)
    assert items.lists(reach) is None


@kinds
@pytest.mark.parametrize("k", [1, 12])
def test_the_lower_bound_is_that_of_the_cpu(metric, k, words):
    A = FORMS[metric](words[:500])
    medoids = kmedoids(A, k, metric=metric).medoids
    ours = on_device(A, medoids, function=optimality_gap, metric=metric)
    theirs = optimality_gap(A, medoids, metric=metric)
    assert ours.inertia == pytest.approx(theirs.inertia, rel=1e-6)
    assert ours.lower == pytest.approx(theirs.lower, rel=1e-4)
    assert abs(ours.check(A) - ours.lower) <= 2 * ours.margin + 1e-5 * ours.lower


@methods
def test_tiles_and_threads_change_nothing(method, words, monkeypatch):
    X = words[:700]
    expected = on_device(X, 40, metric="cosine", method=method)
    for rows, columns, entries in ((7, 100, 2**27), (1000, 10_000, 2**27), (64, 300, 2000)):
        monkeypatch.setattr(tensors, "CANDIDATES", rows)
        monkeypatch.setattr(tensors, "COLUMNS", columns)
        monkeypatch.setattr(tensors, "TILE_ENTRIES", entries)
        fit = on_device(X, 40, metric="cosine", method=method)
        assert_array_equal(fit.medoids, expected.medoids)
        assert_array_equal(fit.labels, expected.labels)
        assert fit.inertia == pytest.approx(expected.inertia, rel=1e-7)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    again = on_device(X, 40, metric="cosine", method=method)
    torch.set_num_threads(before)
    assert_array_equal(again.medoids, on_device(X, 40, metric="cosine", method=method).medoids)


@pytest.mark.parametrize("init", ["random", "build", "first"])
def test_several_ends(init):
    X = whole(300, 12)
    ours = on_device(X, 20, metric="cosine", init=init, n_init=5)
    theirs = kmedoids(X, 20, metric="cosine", init=init, n_init=5)
    assert len(ours.spread) == 5
    assert ours.inertia == min(ours.spread)
    assert ours.spread == pytest.approx(theirs.spread, rel=1e-3)
    assert certify(X, ours.medoids, metric="cosine").is_optimal


@kinds
@methods
@pytest.mark.parametrize("rows", ["copies", "zero"])
def test_copies_and_zero_rows(metric, method, rows):
    X = np.repeat(whole(4, 5), 5, axis=0) if rows == "copies" else np.vstack([np.zeros((6, 5)), whole(10, 5)])
    A = {"precomputed": np.zeros((16, 16)), "similarity": cosine_similarity(X)}.get(metric, X)
    for k in (1, 3, len(A)):
        fit = on_device(A, k, metric=metric, method=method)
        assert fit.medoids.dtype == np.int64
        assert fit.labels.dtype == np.int32
        assert len(set(fit.medoids.tolist())) == k
        assert_array_equal(fit.labels[fit.medoids], np.arange(k))
        assert fit.inertia == pytest.approx(assign(A, fit.medoids, metric=metric).inertia, abs=1e-5)


def test_the_answer_is_numpy_and_the_input_untouched(words):
    T = torch.from_numpy(words[:500].copy())
    before, flags = T.clone(), (torch.backends.cuda.matmul.allow_tf32, torch.get_num_threads())
    fit = on_device(T, 20, metric="cosine", init="build")
    assert torch.equal(T, before)
    assert flags == (torch.backends.cuda.matmul.allow_tf32, torch.get_num_threads())
    parts = (fit.medoids, fit.labels, fit.similarity, fit.centres)
    assert all(isinstance(part, np.ndarray) for part in parts)
    assert_array_equal(fit.centres, words[fit.medoids])
    assert_array_equal(fit.predict(words[:500]), fit.labels)
    given = on_device(T, fit.medoids, function=assign, metric="cosine")
    assert_array_equal(given.labels, fit.labels)
    assert given.inertia == fit.inertia


def test_max_iter_stops_early_and_says_so(words):
    fit = on_device(words[:400], 30, metric="cosine", max_iter=1)
    assert (fit.n_iter, fit.converged) == (1, False)


def test_bar_and_callback(capfd):
    seen = []
    on_device(whole(300, 9), 20, metric="cosine", progress=True, callback=lambda *news: seen.append(news))
    out, err = capfd.readouterr()
    assert out == ""
    assert "20 of 20 medoids unchanged" in err
    assert "pass 1:" in err
    assert [news[0] for news in seen] == list(range(1, len(seen) + 1))


# Devices, memory, bad input


META = torch.empty(6, 6, device="meta")  # stands for a tensor on another device


@pytest.fixture(autouse=True)
def _meta_is_a_device_like_others(monkeypatch):
    monkeypatch.setattr("simlib._arrays.NO_NUMBERS", ())


def test_tensors_of_another_device_go_there(monkeypatch):
    class Came(Exception):
        pass

    def items(A, metric):
        raise Came(A, metric.word)

    monkeypatch.setattr(tensors, "TensorItems", items)
    for call in (lambda: kmedoids(META, 2, metric="cosine", init="build"), lambda: assign(META, [0], metric="cosine")):
        with pytest.raises(Came) as came:
            call()
        assert came.value.args[0] is META
        assert came.value.args[1] == "cosine"
    with pytest.raises(ValueError, match="n_clusters must be between 1 and 6"):
        kmedoids(META, 7)
    with pytest.raises(ValueError, match="init must list n_clusters=2"):
        kmedoids(META, 2, init=[1])


@pytest.mark.parametrize("compare", [cosine_similarity, correlation])
def test_two_devices_are_refused(compare):
    with pytest.raises(ValueError, match="X is on meta and Y on cpu: bring them to one device"):
        compare(META, torch.ones(2, 6))
    with pytest.raises(ValueError, match=r"Y is on meta, but this works on the CPU: pass Y\.cpu\(\)"):
        compare(np.ones((2, 6)), META)


def test_functions_of_the_cpu_say_so():
    fit = kmedoids(np.eye(6), 2, metric="cosine")
    for call in (
        lambda: certify(META, [0, 1]),
        lambda: silhouette(META, np.arange(6) % 2),
        lambda: scan_k(META, [2]),
        lambda: fit.predict(META),
    ):
        with pytest.raises(ValueError, match=r"A is on meta, but this works on the CPU: pass A\.cpu\(\)"):
            call()


def test_lack_of_memory_is_explained(monkeypatch):
    def full(*_):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 40.00 GiB")

    monkeypatch.setattr(tensors, "BlockSearch", full)
    with pytest.raises(MemoryError, match=r"cpu ran out of memory with 40 items: .*metric=\"cosine\".*\.cpu\(\)"):
        on_device(whole(40, 3), 4, metric="cosine")
    monkeypatch.setattr(tensors, "unit_scale", full)
    with pytest.raises(MemoryError, match="meta ran out of memory with 6 items"):
        cosine_similarity(META)


def test_an_interrupt_comes_through(words):
    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        on_device(words[:300], 9, metric="cosine", callback=interrupt)


@pytest.mark.parametrize(
    ("A", "metric", "error", "message"),
    [
        (np.ones((3, 5)), "similarity", ValueError, r"A must be square .* got shape \(3, 5\)"),
        (np.ones((5, 3)), "similarity", ValueError, 'vectors\\? use metric="cosine"'),
        (np.eye(3) > 0, "similarity", TypeError, "real numbers, got torch.bool"),
        (
            np.eye(4) + np.triu(np.full((4, 4), 0.1), 1),
            "similarity",
            ValueError,
            "only the half of A above the diagonal",
        ),
        (
            np.where(np.arange(4) < 2, 0.1, 0.2) + 0.9 * np.eye(4),
            "similarity",
            ValueError,
            r"symmetric, but A\[0, 2\] = 0.2",
        ),
        (np.where(np.eye(4) > 0, 1, np.nan), "similarity", ValueError, "NaN or infinity in 4 of 4 rows: 0, 1, 2, 3"),
        (np.diag([1, np.nan, 1.0]), "similarity", ValueError, "NaN or infinity in 1 of 3 rows: 1"),
        (distances([0, 1, 5]), "similarity", ValueError, "looks like a distance matrix"),
        (np.eye(3), "precomputed", ValueError, "looks like a similarity matrix"),
        (-distances([0, 1, 5]), "precomputed", ValueError, "distances must not be negative"),
        (np.array([[1, 2], [2, 9.0]]), "similarity", ValueError, "an item must be most similar to itself"),
        (np.array([[1, np.inf], [2, 9.0]]), "cosine", ValueError, "NaN or infinity in 1 of 2 rows: 0"),
        (np.eye(3), "euclidean", ValueError, "metric must be one of"),
    ],
    ids=str,
)
def test_what_does_not_fit(A, metric, error, message):
    with pytest.raises(error, match=message):
        on_device(A, 2, metric=metric)


def test_faults_far_from_the_first_block():
    S = np.eye(400, dtype=np.float32)
    S[390, 301] = 0.5
    with pytest.raises(ValueError, match=r"A\[301, 390\] = 0 and A\[390, 301\] = 0.5"):
        on_device(S, 5)


needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@needs_cuda
@kinds
def test_cuda_lower_bound(metric, words):
    A = FORMS[metric](words[:3000])
    medoids = kmedoids(A, 60, metric=metric).medoids
    ours = optimality_gap(torch.tensor(A).cuda(), medoids, metric=metric)
    assert ours.lower == pytest.approx(optimality_gap(A, medoids, metric=metric).lower, rel=1e-4)
    assert abs(ours.check(A) - ours.lower) <= 2 * ours.margin + 1e-5 * ours.lower


@needs_cuda
@pytest.mark.parametrize("compare", [cosine_similarity, correlation])
def test_cuda_similarity(compare, words):
    T = torch.tensor(words[:3000]).cuda()
    found = compare(T)
    assert found.device == T.device
    assert abs(found.cpu().numpy() - compare(words[:3000])).max() < 1e-5
    assert torch.equal(compare(T, T[:100]), compare(T, T)[:, :100])


@needs_cuda
@kinds
@methods
def test_cuda(metric, method, words):
    A = FORMS[metric](words[:3000])
    ours = kmedoids(torch.tensor(A).cuda(), 60, metric=metric, method=method)
    again = kmedoids(torch.tensor(A).cuda(), 60, metric=metric, method=method)
    assert_array_equal(ours.medoids, again.medoids)
    assert ours.inertia == again.inertia
    assert ours.inertia == pytest.approx(kmedoids(A, 60, metric=metric, method=method).inertia, rel=1e-4)
    if method == "fasterpam":
        assert certify(A, ours.medoids, metric=metric).is_optimal
