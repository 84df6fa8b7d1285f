"""k-medoids without the matrix, and from a half-precision or memory-mapped one: the same answer, bounded memory."""

import threading
import time

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import simlib
from simlib import _check, _limits, assign, certify, correlation, cosine_similarity, kmedoids, scan_k, silhouette
from simlib._engine import extension, items, tiles
from simlib._engine import lists as engine_lists
from simlib._engine.kernels.sums import vector_member_sums
from simlib._engine.prepare import prepare
from simlib._engine.tiles import unit_scale
from tests.interrupts import Interrupts

SOON = 5  # seconds from an interrupt to its end: well under one here, more where a machine is busy

methods = pytest.mark.parametrize("method", ["fasterpam", "alternate"])


@pytest.fixture(scope="module")
def words():
    return simlib.load("words").vectors


def whole(n, d, seed=0, high=9):
    """Whole-number vectors: their products are exact, so every way to compute them gives the same bits."""
    return np.random.default_rng(seed).integers(-high, high + 1, (n, d)).astype(np.float32)


def same(a, b):
    assert_array_equal(a.medoids, b.medoids)
    assert_array_equal(a.labels, b.labels)
    assert_array_equal(a.similarity, b.similarity)
    assert (a.inertia, a.history, a.n_iter, a.n_swaps) == (b.inertia, b.history, b.n_iter, b.n_swaps)


def anonymous_peak(call):
    """The most memory, in bytes, that the call adds beside the pages of mapped files; and its result."""
    process, seen, done = psutil.Process(), [], threading.Event()

    def held():
        info = process.memory_info()
        return info.rss - info.shared

    def watch():
        while not done.wait(0.002):
            seen.append(held())

    before, watcher = held(), threading.Thread(target=watch)
    watcher.start()
    try:
        result = call()
    finally:
        done.set()
        watcher.join()
    return max(seen) - before, result


# Lists by tiles


def test_lists_by_hand():
    X = np.array([[1, 0], [0, 1], [3, 4], [0, 0]], np.float32)
    scaled = unit_scale(X, np.float32, False, "X")
    lists = engine_lists.of_vectors(scaled, np.array([0.5, 0.5, 0.9, -0.1], np.float32), 4, 1)
    # Closeness 1 0 .6 0 / 0 1 .8 0 / .6 .8 1 0 / 0 0 0 0, each column against its threshold.
    found = [lists.items[a:b].tolist() for a, b in zip(lists.start, lists.stop, strict=True)]
    assert found == [[0, 3], [1, 3], [0, 1, 2, 3], [3]]
    close = [lists.closeness[a:b].tolist() for a, b in zip(lists.start, lists.stop, strict=True)]
    assert close == [[1, 0], [1, 0], [np.float32(0.6), np.float32(0.8), 1, 0], [0]]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_lists_are_the_entries_above_the_threshold(data):
    n, tile = data.draw(st.integers(1, 90)), data.draw(st.sampled_from([1, 7, 64, 100]))
    rows, seed = data.draw(st.integers(1, n)), data.draw(st.integers(0, 10**6))
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    rng = np.random.default_rng(seed)
    X = rng.integers(-2, 3, (n, 3)).astype(dtype)  # zero rows and copies among them, many ties with the threshold
    S = cosine_similarity(X)
    threshold = rng.choice(S.ravel(), n)
    scaled = unit_scale(X, dtype, False, "X")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine_lists, "TILE_ROWS", tile)
        lists = engine_lists.of_vectors(scaled, threshold, rows, data.draw(st.integers(1, n * n)))
    assert len(lists.start) == len(lists.stop) == rows
    for j in range(rows):
        items = np.flatnonzero(S[j] > threshold)
        assert_array_equal(lists.items[lists.start[j] : lists.stop[j]], items)
        assert_array_equal(lists.closeness[lists.start[j] : lists.stop[j]], S[j, items])


def test_lists_of_the_words_past_one_tile(words):
    X = words[:2500]
    S = cosine_similarity(X)
    threshold = np.sort(S[:, ::50], axis=1)[:, -8].copy()
    lists = prepare(X, "cosine").lists(threshold)
    wanted = threshold < S
    assert_array_equal(lists.stop - lists.start, wanted.sum(axis=1))
    where = np.concatenate([np.arange(a, b) for a, b in zip(lists.start, lists.stop, strict=True)])
    assert_array_equal(lists.items[where], np.nonzero(wanted)[1])
    assert_array_equal(lists.closeness[where], S[wanted])


def test_nearest_medoids_are_those_of_the_matrix(words):
    X, medoids = words[:1500], np.random.default_rng(0).choice(1500, 600, replace=False)
    for depth in (1, 2, 9):
        ours = prepare(X, "cosine").nearest(medoids, depth)
        theirs = prepare(cosine_similarity(X), "similarity").nearest(medoids, depth)
        for a, b in zip(ours, theirs, strict=True):
            assert_array_equal(a, b)


# The same medoids as from the matrix

KEPT = {"lists": 4e9, "short lists": 300_000, "some lists": 100_000, "rows": 0}  # bytes that may be kept for 700 items


@pytest.mark.parametrize("kept", KEPT)
@pytest.mark.parametrize("most", [0, 0.05, 1])
@pytest.mark.parametrize(("d", "k"), [(3, 12), (20, 12), (20, 90), (20, 300)])
def test_swaps_are_those_of_the_matrix(kept, most, d, k, monkeypatch):
    X = whole(700, d)
    expected = kmedoids(cosine_similarity(X), k)
    monkeypatch.setattr(items, "KEPT_BYTES", KEPT[kept])
    monkeypatch.setattr(extension, "MOST_LOWERED", most)
    monkeypatch.setattr(items, "BLOCK_ROWS", 50)
    monkeypatch.setattr(engine_lists, "TILE_ROWS", 128)
    made, make = [], engine_lists.of_vectors
    monkeypatch.setattr(engine_lists, "of_vectors", lambda *args: made.append(args[2]) or make(*args))
    for depth in (3, 10):
        monkeypatch.setattr(items.VectorItems, "DEPTH", depth)
        same(kmedoids(X, k, metric="cosine"), expected)
    if kept == "rows":
        assert made == []
    elif kept == "some lists" and k == 90:
        assert 0 < made[-1] < 700


@pytest.mark.parametrize("k", [2, 5, 9])
@pytest.mark.parametrize("kept", [0, 4e9])
def test_few_medoids(k, kept, monkeypatch):
    # Lists would be longer than the matrix: it is made if it fits, else the rows are computed in each pass.
    X = whole(400, 12)
    expected = kmedoids(cosine_similarity(X), k)
    monkeypatch.setattr(items, "KEPT_BYTES", kept)
    stored, matrix = [], tiles.matrix
    monkeypatch.setattr(tiles, "matrix", lambda *args: stored.append(1) or matrix(*args))
    same(kmedoids(X, k, metric="cosine"), expected)
    assert len(stored) == (kept > 0)


@pytest.mark.parametrize("metric", ["cosine", "correlation"])
@pytest.mark.parametrize("kept", KEPT)
def test_any_vectors_end_in_a_swap_optimum(metric, kept, monkeypatch):
    # Not whole numbers: products differ in the last bit from way to way, and what is found may differ a little.
    X = np.random.default_rng(3).standard_normal((900, 8)).astype(np.float32) + 0.3
    S = (cosine_similarity if metric == "cosine" else correlation)(X)
    monkeypatch.setattr(items, "KEPT_BYTES", KEPT[kept])
    fit = kmedoids(X, 40, metric=metric)
    assert certify(X, fit.medoids, metric=metric).is_optimal
    assert certify(S, fit.medoids).is_optimal
    assert fit.inertia == pytest.approx(kmedoids(S, 40).inertia, rel=1e-3)
    assert fit.inertia == pytest.approx(assign(S, fit.medoids).inertia, rel=1e-6)


@pytest.mark.parametrize("init", ["random", "build"])
@pytest.mark.parametrize("kept", KEPT)
def test_several_ends_are_those_of_the_matrix(init, kept, monkeypatch):
    X = whole(500, 20)
    expected = kmedoids(cosine_similarity(X), 30, init=init, n_init=6)
    monkeypatch.setattr(items, "KEPT_BYTES", KEPT[kept])
    monkeypatch.setattr(extension, "EXTENSION_BYTES", 3000)
    fit = kmedoids(X, 30, metric="cosine", init=init, n_init=6)
    same(fit, expected)
    assert fit.spread == expected.spread


@methods
def test_words_as_from_their_matrix(method, words):
    X = words[:4000]
    same(kmedoids(X, 150, metric="cosine", method=method), kmedoids(cosine_similarity(X), 150, method=method))


@methods
@pytest.mark.parametrize("dtype", [np.float16, np.int8, np.float64])
def test_any_type_of_vectors(method, dtype):
    X = whole(300, 10).astype(dtype)
    same(kmedoids(X, 25, metric="cosine", method=method), kmedoids(cosine_similarity(X), 25, method=method))


@methods
def test_vectors_from_a_mapped_file(method, tmp_path):
    X = whole(600, 30)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    same(kmedoids(mapped, 40, metric="cosine", method=method), kmedoids(X, 40, metric="cosine", method=method))


def test_tiles_and_threads_change_nothing(monkeypatch, words):
    X = words[:1500]
    expected = kmedoids(X, 80, metric="cosine")
    for tile, strip, threads in ((64, 100, 1), (333, 1000, 2), (5000, 5000, 3)):
        monkeypatch.setattr(engine_lists, "TILE_ROWS", tile)
        monkeypatch.setattr(items, "STRIP_ITEMS", strip)
        monkeypatch.setattr(_limits, "cores", lambda threads=threads: threads)
        same(kmedoids(X, 80, metric="cosine"), expected)


def test_own_sums_against_the_matrix():
    X, labels = whole(500, 37), np.random.default_rng(1).integers(0, 7, 500).astype(np.int32)
    X[5] = 0
    sums = np.empty(500)
    vector_member_sums(*unit_scale(X, np.float32, False, "X"), *items.by_cluster(labels, 7), sums, None)
    S = cosine_similarity(X.astype(np.float64))
    assert np.abs(sums - (S * (labels[:, None] == labels)).sum(axis=1)).max() < 1e-10


def test_alternate_makes_no_square(monkeypatch, words):
    monkeypatch.setattr(engine_lists, "of_vectors", None)
    monkeypatch.setattr(tiles, "rows", None)
    monkeypatch.setattr(tiles, "matrix", None)
    fit = kmedoids(words[:3000], 50, metric="cosine", method="alternate")
    assert fit.converged


def test_certificate_scan_silhouette_without_the_matrix(words):
    X = words[:1200]
    S = cosine_similarity(X)
    medoids = np.arange(0, 1200, 40)
    a, b = certify(X, medoids, metric="cosine"), certify(S, medoids)
    assert (a.swap_out, a.swap_in, a.is_optimal) == (b.swap_out, b.swap_in, b.is_optimal)
    assert a.best_delta == pytest.approx(b.best_delta, rel=1e-12)
    scores = silhouette(X, np.arange(1200) % 11, metric="cosine") - silhouette(S, np.arange(1200) % 11)
    assert np.abs(scores).max() < 1e-6
    ours, theirs = scan_k(X, [5, 40], metric="cosine"), scan_k(S, [5, 40])
    for one, other in zip(ours.fits, theirs.fits, strict=True):
        same(one, other)


def test_predict_past_one_block(monkeypatch, words):
    fit = kmedoids(words[:1000], 40, metric="cosine", method="alternate")
    expected = fit.predict(words[:3000])
    monkeypatch.setattr(simlib.medoids, "PREDICTED", 700)
    assert_array_equal(fit.predict(words[:3000]), expected)
    assert_array_equal(fit.predict(words[:1000]), fit.labels)


# Memory, interrupts, bars


def test_memory_without_the_matrix(words):
    # 6,000 x 6,000 float32 would be 144 MB. Measured: 10 MB for swaps, under 1 MB for the alternating loop.
    X = words[:6000]
    kmedoids(X[:500], 20, metric="cosine")
    kmedoids(X[:500], 20, metric="cosine", method="alternate")
    assert anonymous_peak(lambda: kmedoids(X, 600, metric="cosine"))[0] < 40e6
    assert anonymous_peak(lambda: kmedoids(X, 600, metric="cosine", method="alternate"))[0] < 20e6


@pytest.mark.parametrize("free", [0, 300e6])
def test_too_little_memory_is_said_before_any_work(free, monkeypatch):
    monkeypatch.setattr(_check, "available_memory", lambda: free)
    monkeypatch.setattr(tiles, "in_threads", None)  # no product is computed
    with pytest.raises(MemoryError, match=r"search for swaps among 500 vectors.*GB are free: method=\"alternate\""):
        kmedoids(whole(500, 5), 30, metric="cosine", init="first")


def test_too_little_memory_for_a_copy_of_the_vectors(monkeypatch):
    monkeypatch.setattr(_check, "available_memory", lambda: 1000)
    with pytest.raises(MemoryError, match=r"a float32 copy of the vectors takes .* pass C-ordered float32"):
        kmedoids(whole(500, 5).astype(np.float16), 30, metric="cosine", method="alternate")


def test_lists_give_way_to_rows_where_memory_is_short(monkeypatch):
    X = whole(600, 12)
    expected = kmedoids(X, 40, metric="cosine")
    made, make = [], engine_lists.of_vectors
    monkeypatch.setattr(engine_lists, "of_vectors", lambda *args: made.append(args[2]) or make(*args))
    monkeypatch.setattr(_check, "memory", lambda *args: None)
    monkeypatch.setattr(_check, "available_memory", lambda: 400_000)
    same(kmedoids(X, 40, metric="cosine"), expected)
    assert 0 < made[0] < 600


@pytest.mark.parametrize("options", [{}, {"method": "alternate"}, {"k": 40}, {"k": 4}], ids=str)
@pytest.mark.parametrize("after", [0.1, 0.5, 1.1])
def test_an_interrupt_comes_through_soon(words, options, after):
    options = {"k": 512, **options}
    k = options.pop("k")
    kmedoids(words[:2000], 30, metric="cosine")
    threads = threading.active_count()
    with Interrupts(after) as interrupts:
        try:
            for _ in range(20):  # a fit may be over before the interrupt comes
                kmedoids(words, k, metric="cosine", **options)
        except KeyboardInterrupt:
            assert interrupts.seconds() < SOON
        else:
            pytest.fail("the interrupt did not come through")
    time.sleep(0.05)
    assert threading.active_count() <= threads


def test_bars_count_the_tiles_and_the_items(capfd, monkeypatch):
    monkeypatch.setattr(engine_lists, "TILE_ROWS", 100)
    kmedoids(whole(1000, 12), 80, metric="cosine", progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "/55 [" in err  # 10 strips make 55 upper tiles
    assert "lists:" in err
    assert "pass 1:" in err
    assert "/1000 [" in err
    assert "80 of 80 medoids unchanged" in err


# A half-precision matrix, a mapped one


def stored(S, kind, tmp_path):
    if kind == "float16":
        return S.astype(np.float16)
    np.save(tmp_path / "S.npy", S.astype(np.float16 if "float16" in kind else np.float32))
    return np.load(tmp_path / "S.npy", mmap_mode="r")


@methods
@pytest.mark.parametrize("kind", ["float16", "mapped float32", "mapped float16"])
def test_half_and_mapped_matrices(kind, method, words, tmp_path):
    # Inertia within 0.1 % of float32's (measured: 0.02 %), and no second matrix: 100 MB as float32. Measured: 23 MB.
    S = cosine_similarity(words[:5000])
    exact = kmedoids(S, 128, method=method)
    A = stored(S, kind, tmp_path)
    kmedoids(A[:500, :500], 20, method=method)
    extra, fit = anonymous_peak(lambda: kmedoids(A, 128, method=method))
    assert fit.inertia == pytest.approx(exact.inertia, rel=1e-3)
    assert assign(S, fit.medoids).inertia == pytest.approx(exact.inertia, rel=1e-3)
    assert extra < 50e6
    if kind == "mapped float32":
        same(fit, exact)


def test_written_to_a_file_and_clustered_from_it(words, tmp_path):
    X = words[:3000]
    out = np.lib.format.open_memmap(tmp_path / "S.npy", "w+", np.float16, (3000, 3000))
    assert cosine_similarity(X, out=out) is out
    out.flush()
    fit = kmedoids(np.load(tmp_path / "S.npy", mmap_mode="r"), 100)
    assert fit.inertia == pytest.approx(kmedoids(X, 100, metric="cosine").inertia, rel=1e-3)
    assert certify(out, fit.medoids).is_optimal
