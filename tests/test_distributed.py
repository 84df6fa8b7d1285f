"""The same on Dask: equal to one machine's result, lazy, safe to write, and not disturbed by a lost worker."""

import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from contextlib import ExitStack

import dask
import dask.array as da
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import simlib
from simlib import distributed
from simlib._engine import tiles

N, D, K = 203, 6, 9


def vectors(dtype=np.float32, n=N, seed=0):
    return np.random.default_rng(seed).integers(-9, 10, (n, D)).astype(dtype)  # whole: the same bits everywhere


@pytest.fixture(autouse=True)
def threads():
    with dask.config.set(scheduler="threads"):
        yield


def chunked(X, rows=50):
    return da.from_array(X, chunks=(rows, -1))


# Similarity


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int16])
@pytest.mark.parametrize("rows", [1000, 50, 7])
def test_the_same_bits_as_one_machine(dtype, rows):
    X = vectors(dtype)
    X[3] = 0
    lazy = distributed.cosine_similarity(chunked(X, rows))
    assert isinstance(lazy, da.Array)
    expected = simlib.cosine_similarity(X)
    assert lazy.shape == expected.shape
    assert lazy.dtype == expected.dtype
    assert_array_equal(lazy.compute(), expected)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(0, 99))
@settings(deadline=None, max_examples=20)
def test_any_chunks(sizes, seed):
    X = vectors(n=sum(sizes), seed=seed)
    S = distributed.cosine_similarity(da.from_array(X, chunks=(tuple(sizes), -1))).compute(scheduler="sync")
    assert_array_equal(S, simlib.cosine_similarity(X))


def test_nothing_is_computed_before_it_is_asked_for_and_half_the_blocks_are_products(monkeypatch):
    seen = []
    product = tiles.product
    monkeypatch.setattr(tiles, "product", lambda *args: seen.append(1) or product(*args))
    lazy = distributed.cosine_similarity(chunked(vectors(), 41))  # five chunks
    assert not seen
    lazy.compute(scheduler="sync")
    assert len(seen) == 5 * 6 // 2


def test_large_chunks_are_cut(monkeypatch):
    monkeypatch.setattr(distributed, "BLOCK_ROWS", 30)
    X = vectors()
    lazy = distributed.cosine_similarity(chunked(X, 70))
    assert lazy.chunks[0] == (30, 30, 10, 30, 30, 10, 30, 30, 3)
    assert_array_equal(lazy.compute(), simlib.cosine_similarity(X))


# Zarr


def test_the_matrix_in_a_file(tmp_path, capfd):
    X = vectors()
    assert distributed.write_zarr(chunked(X), tmp_path / "S.zarr") is None
    stored = zarr.open_array(str(tmp_path / "S.zarr"), mode="r")
    assert stored.chunks == (50, 50)
    assert_array_equal(stored[:], simlib.cosine_similarity(X))
    assert os.listdir(tmp_path) == ["S.zarr"]
    assert capfd.readouterr() == ("", "")
    distributed.write_zarr(chunked(X), tmp_path / "again.zarr", progress=True)
    assert "5/5" in capfd.readouterr().err


def test_what_is_there_stays(tmp_path):
    (tmp_path / "S.zarr").mkdir()
    (tmp_path / "S.zarr" / "mine").write_text("precious")
    with pytest.raises(FileExistsError, match=r"S\.zarr exists already: name another"):
        distributed.write_zarr(chunked(vectors()), tmp_path / "S.zarr")
    assert (tmp_path / "S.zarr" / "mine").read_text() == "precious"


def test_a_disk_that_fills_up_leaves_nothing(tmp_path):
    program = """if True:
        import resource, signal, sys
        import dask.array as da
        from simlib import distributed
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        X = da.random.default_rng(0).normal(size=(450, 4), chunks=(200, 4))
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # less than a block
        distributed.write_zarr(X, sys.argv[1])
    """
    run = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "S.zarr"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert "OSError: [Errno 27] File too large" in run.stderr.splitlines()[-1]
    assert os.listdir(tmp_path) == []


def test_a_disk_that_is_too_small_is_refused_before_any_work(tmp_path):
    X = da.zeros((20_000_000, 4), dtype=np.float32, chunks=(100_000, 4))
    with pytest.raises(OSError, match=r"the matrix takes 1600000\.0 GB and .* GB are free"):
        distributed.write_zarr(X, tmp_path / "S.zarr")
    assert os.listdir(tmp_path) == []


# Medoids


@pytest.mark.parametrize("rows", [1000, 50, 13])
@pytest.mark.parametrize("init", ["first", "rows"])
def test_the_loop_of_one_machine(rows, init):
    X = vectors(seed=2)
    start = np.arange(K) if init == "first" else np.random.default_rng(5).choice(N, K, replace=False)
    told = []
    ours = distributed.kmedoids(
        chunked(X, rows),
        K,
        method="alternate",
        init=init if init == "first" else start,
        callback=lambda *a: told.append(a),
    )
    theirs = simlib.kmedoids(X, K, metric="cosine", method="alternate", init=start)
    assert_array_equal(ours.medoids, theirs.medoids)
    assert_array_equal(ours.labels, theirs.labels)
    assert_allclose(ours.similarity, theirs.similarity)
    assert ours.inertia == pytest.approx(theirs.inertia, rel=1e-12)
    assert_allclose(ours.history, theirs.history)
    assert (ours.n_iter, ours.converged) == (theirs.n_iter, theirs.converged)
    assert [call[0] for call in told] == list(range(1, ours.n_iter + 1))
    assert_array_equal(ours.predict(X[:20]), ours.labels[:20])


def test_from_a_sample_as_low_as_the_loop_alone_or_lower(monkeypatch):
    X = vectors(np.float64, 900, 3)
    whole = distributed.kmedoids(chunked(X), K)
    assert whole.converged
    assert whole.inertia <= distributed.kmedoids(chunked(X), K, method="alternate").inertia
    assert whole.inertia <= simlib.kmedoids(X, K, metric="cosine").inertia * 1.02
    monkeypatch.setattr(distributed, "SAMPLE_ROWS", 10)  # 20 k = 180 of 900 rows
    part = distributed.kmedoids(chunked(X), K)
    assert part.inertia <= whole.inertia * 1.1
    assert_allclose(part.inertia, np.sum(1 - simlib.cosine_similarity(X)[part.medoids].max(axis=0)))
    assert_array_equal(part.medoids, distributed.kmedoids(chunked(X, 77), K).medoids)


def test_no_rounds_return_the_start():
    fit = distributed.kmedoids(chunked(vectors()), K, method="alternate", init="first", max_iter=0)
    assert_array_equal(fit.medoids, np.arange(K))
    assert (fit.n_iter, fit.converged, fit.history) == (0, False, ())


def test_assign_is_lazy_and_right():
    X, rows = vectors(), np.array([150, 3, 77])
    labels, close = distributed.assign(chunked(X), rows)
    assert isinstance(labels, da.Array)
    expected = simlib.assign(X, rows, metric="cosine")
    assert_array_equal(labels.compute(), expected.labels)
    assert_array_equal(close.compute(), expected.similarity)
    assert (labels.dtype, close.dtype) == (np.int32, np.float32)


def test_rows_of_zeros_and_copies():
    X = np.zeros((40, 3))
    X[20:] = 1
    fit = distributed.kmedoids(chunked(X, 7), 3, method="alternate", init=[0, 1, 30])
    expected = simlib.kmedoids(X, 3, metric="cosine", method="alternate", init=[0, 1, 30])
    assert_array_equal(fit.medoids, expected.medoids)
    assert_array_equal(fit.labels, expected.labels)


def test_silent_unless_asked(capfd):
    distributed.kmedoids(chunked(vectors()), 3, method="alternate")
    assert capfd.readouterr() == ("", "")
    distributed.kmedoids(chunked(vectors()), 3, method="alternate", progress=True)
    assert "medoids unchanged, inertia" in capfd.readouterr().err


ALIVE = {"now": 0, "most": 0}  # chunks in memory


def counted(block_info=None):
    """A chunk of 50 rows that counts itself as long as it lives."""
    chunk = vectors(np.float32, 50) + block_info[None]["chunk-location"][0]
    ALIVE["now"] += 1
    ALIVE["most"] = max(ALIVE.values())
    weakref.finalize(chunk, lambda: ALIVE.update(now=ALIVE["now"] - 1))
    return chunk


@pytest.mark.parametrize("cluster", [False, True], ids=["no cluster", "a cluster in this process"])
def test_no_chunk_is_kept_until_all_are_read(cluster):
    from distributed import Client

    X = da.map_blocks(counted, chunks=((50,) * 40, (6,)), dtype=np.float32, meta=np.empty((0, 0), np.float32))
    ALIVE.update(now=0, most=0)
    with ExitStack() as stack:
        if cluster:
            options = {"processes": False, "n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
            stack.enter_context(Client(**options))
        else:
            stack.enter_context(dask.config.set(scheduler="synchronous"))
        distributed.kmedoids(X, 5, method="alternate", init="first", max_iter=2)
    assert 0 < ALIVE["most"] < 10


def test_a_lost_worker_costs_time_and_not_the_result():
    from distributed import Client, LocalCluster

    X = vectors(np.float64, 4000, 4)
    expected = simlib.kmedoids(X, 40, metric="cosine", method="alternate", init="first")
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
        dask.config.set(scheduler=client),
    ):
        pids = list(client.run(os.getpid).values())
        kill = threading.Timer(0.7, os.kill, (pids[0], signal.SIGKILL))
        kill.start()
        lost = distributed.kmedoids(
            chunked(X, 500), 40, method="alternate", init="first", callback=lambda *a: time.sleep(0.3)
        )
        kill.join()
        deadline = time.monotonic() + 60
        while pids[0] in client.run(os.getpid).values() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert pids[0] not in client.run(os.getpid).values()
    assert_array_equal(lost.medoids, expected.medoids)
    assert_array_equal(lost.labels, expected.labels)


# Bad input


@pytest.mark.parametrize(
    "call",
    [
        distributed.cosine_similarity,
        lambda X: distributed.kmedoids(X, 2),
        lambda X: distributed.assign(X, [0]),
        lambda X: distributed.write_zarr(X, "never.zarr"),
    ],
)
def test_arrays_that_are_refused(call):
    X = vectors()
    with pytest.raises(TypeError, match=r"X must be a Dask array, got ndarray: da\.from_array"):
        call(X)
    with pytest.raises(ValueError, match=r"X has its columns in 2 chunks, a row must be whole: X\.rechunk"):
        call(da.from_array(X, chunks=(50, 3)))
    unknown = chunked(X)
    with pytest.raises(ValueError, match=r"chunks are not known.*compute_chunk_sizes"):
        call(unknown[unknown[:, 0] > 0])
    with pytest.raises(ValueError, match=r"X must be 2-D and not empty, one row an item, got shape \(203,\)"):
        call(chunked(X)[:, 0])
    for bad in (X > 0, X * 1j, X.astype(str)):
        with pytest.raises(TypeError, match="X must hold real numbers, got dtype"):
            call(chunked(bad))
    assert not os.path.exists("never.zarr")


def test_nan_is_named_with_its_chunk():
    X = vectors()
    X[151, 2] = np.nan
    named = "X has NaN or infinity in 1 of the 50 rows of the chunk that begins at row 150: 151"
    for call in (
        distributed.cosine_similarity(chunked(X)).compute,
        lambda: distributed.kmedoids(chunked(X), 3, method="alternate", init="first"),
    ):
        with pytest.raises(ValueError, match=named):
            call()
    with pytest.raises(ValueError, match="in 1 of 203 rows that were drawn, the first is 151"):
        distributed.kmedoids(chunked(X), 3)


@pytest.mark.parametrize(
    ("wishes", "error", "words"),
    [
        ({"n_clusters": 0}, ValueError, r"n_clusters must be between 1 and 203 \(the number of rows\), got 0"),
        ({"n_clusters": 204}, ValueError, "n_clusters must be between 1 and 203"),
        ({"n_clusters": 2.0}, TypeError, "n_clusters must be a whole number"),
        ({"method": "fasterpam"}, ValueError, "method must be one of 'sample', 'alternate'"),
        ({"init": "build", "method": "alternate"}, ValueError, "init must be one of 'random', 'first'"),
        ({"init": [0, 0], "method": "alternate"}, ValueError, "init must be distinct"),
        ({"init": [0, 1, 2], "method": "alternate"}, ValueError, "init must list n_clusters=2 row numbers, got 3"),
        ({"init": [0, 1]}, ValueError, 'init is for method="alternate"'),
        ({"max_iter": -1}, ValueError, "max_iter must be at least 0"),
        ({"random_state": None}, TypeError, "random_state must be a whole number"),
    ],
)
def test_wishes_that_are_refused(wishes, error, words):
    with pytest.raises(error, match=words):
        distributed.kmedoids(chunked(vectors()), **{"n_clusters": 2, **wishes})


@pytest.mark.parametrize("change", [lambda chunk: chunk[:-1], lambda chunk: np.vstack([chunk, chunk[:1]])])
def test_chunks_that_are_not_what_they_say(change):
    X = chunked(vectors()).map_blocks(change, dtype=np.float64, meta=np.empty((0, 0)))
    with pytest.raises(ValueError, match=r"that begins at row \d+ should have shape \(\d+, \d\), but has"):
        distributed.kmedoids(X, 3, method="alternate", init="first")


def test_rows_and_chunks_that_do_not_fit(tmp_path):
    with pytest.raises(ValueError, match="medoids must lie between 0 and 202, got 203"):
        distributed.assign(chunked(vectors()), [203])
    with pytest.raises(
        ValueError, match=r"chunks of rows must be of one size, got 100, 3, 100: X\.rechunk\(\(100, -1\)\)"
    ):
        distributed.write_zarr(da.from_array(vectors(), chunks=((100, 3, 100), -1)), tmp_path / "S.zarr")


def test_without_dask_the_extra_is_named():
    code = "import sys; sys.modules['dask'] = None\nimport simlib\nimport simlib.distributed"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode
    line = 'simlib.distributed needs dask, which is not installed: pip install "simlib[dask]"\n'
    assert run.stderr.endswith(line)
    code = "import simlib, sys; print('dask' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
