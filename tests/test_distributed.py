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
import pandas as pd
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import simlib
from simlib import distributed
from simlib._engine import tiles
from simlib.distributed import choice, matrix, medoids

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
    monkeypatch.setattr(matrix, "BLOCK_ROWS", 30)
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
    assert "15/15" in capfd.readouterr().err


@pytest.mark.parametrize(("sizes", "stored"), [((100, 3, 100), 100), ((3, 200), 120), ((203,), 120)])
def test_unequal_and_large_chunks_in_a_file(sizes, stored, tmp_path, monkeypatch):
    monkeypatch.setattr(matrix, "BLOCK_ROWS", 120)
    X = vectors()
    distributed.write_zarr(da.from_array(X, chunks=(sizes, -1)), tmp_path / "S.zarr")
    found = zarr.open_array(str(tmp_path / "S.zarr"), mode="r")
    assert found.chunks == (stored, stored)
    assert_array_equal(found[:], simlib.cosine_similarity(X))


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


def test_an_interrupt_leaves_nothing(tmp_path, monkeypatch):
    # The block that another thread is writing goes on after the interrupt, as under the scheduler of threads.
    begun, stopped = threading.Event(), threading.Event()
    real = zarr.open_array

    def slow(*arguments, **options):
        begun.set()
        stopped.wait(20)
        return real(*arguments, **options)

    def interrupted(*writes):
        threading.Thread(target=lambda: writes[0].compute(scheduler="synchronous")).start()
        assert begun.wait(20)
        threading.Timer(0.3, stopped.set).start()
        raise KeyboardInterrupt

    monkeypatch.setattr(zarr, "open_array", slow)
    monkeypatch.setattr(dask, "compute", interrupted)
    with pytest.raises(KeyboardInterrupt):
        distributed.write_zarr(chunked(vectors()), tmp_path / "S.zarr")
    assert stopped.is_set()
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
    whole = distributed.kmedoids(chunked(X), K, method="sample")
    assert whole.converged
    assert whole.tried == 0
    assert whole.inertia <= distributed.kmedoids(chunked(X), K, method="alternate").inertia
    assert whole.inertia <= simlib.kmedoids(X, K, metric="cosine").inertia * 1.02
    monkeypatch.setattr(medoids, "SAMPLE_ROWS", 10)  # 20 k = 180 of 900 rows
    part = distributed.kmedoids(chunked(X), K, method="sample")
    assert part.inertia <= whole.inertia * 1.1
    assert_allclose(part.inertia, np.sum(1 - simlib.cosine_similarity(X)[part.medoids].max(axis=0)))
    assert_array_equal(part.medoids, distributed.kmedoids(chunked(X, 77), K, method="sample").medoids)


# Swaps


def test_swaps_by_hand():
    angle = np.radians([0, 10, 20, 90, 100])
    X = chunked(np.column_stack([np.cos(angle), np.sin(angle)]), 2)
    fit = distributed.kmedoids(X, 2, init=[0, 4])
    assert sorted(fit.medoids) in ([1, 3], [1, 4])
    assert fit.inertia == pytest.approx(3 - 3 * np.cos(np.radians(10)))
    assert (fit.converged, fit.tried, fit.n_swaps) == (True, 1.0, 1)
    proof = distributed.certify(X, [0, 4])
    gain = np.cos(np.radians(20)) - np.cos(np.radians(10))
    assert (proof.is_optimal, proof.swap_out, proof.swap_in) == (False, 0, 1)
    assert proof.best_delta == pytest.approx(gain)
    assert distributed.certify(X, fit.medoids).is_optimal


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
@pytest.mark.parametrize("k", [1, 2, K, 60, 202, 203])
def test_no_exchange_of_one_machine_helps_after_swaps(dtype, k):
    X = vectors(dtype, seed=4)
    X[[3, 80]] = 0
    X[[10, 150]] = X[60]
    fit = distributed.kmedoids(chunked(X), k, init="first")
    assert fit.converged
    assert fit.tried == 1
    assert len(set(fit.medoids)) == k
    assert np.all(np.diff(fit.history) <= 0)
    expected = simlib.assign(X, fit.medoids, metric="cosine")
    assert_array_equal(fit.labels, expected.labels)
    assert fit.inertia == pytest.approx(expected.inertia, rel=1e-6)
    if k < N:
        assert simlib.certify(X, fit.medoids, metric="cosine").is_optimal
    else:
        assert fit.n_swaps == 0


def test_the_chunks_change_nothing():
    X = vectors(np.float64, 700, 5)
    fits = [distributed.kmedoids(chunked(X, rows), 20, init="first") for rows in (700, 100, 33)]
    for fit in fits[1:]:
        assert_array_equal(fit.medoids, fits[0].medoids)
        assert_allclose(fit.history, fits[0].history, rtol=1e-12)


@pytest.mark.parametrize("touch", [0.0, 1e9])
def test_swaps_that_touch_are_taken_back(touch, monkeypatch):
    monkeypatch.setattr(choice, "TOUCH", touch)  # none beside the first; all that help alone
    X = np.random.default_rng(0).standard_normal((600, 4))
    fit = distributed.kmedoids(chunked(X, 100), 25, init="first")
    assert fit.converged
    assert np.all(np.diff(fit.history) <= 0)
    assert simlib.certify(X, fit.medoids, metric="cosine").is_optimal


@given(st.integers(3, 60), st.integers(1, 12), st.integers(0, 999))
@settings(deadline=None, max_examples=20)
def test_certify_is_that_of_one_machine(n, k, seed):
    rng = np.random.default_rng(seed)
    X, k = rng.standard_normal((n, 3)), min(k, n - 1)
    rows = rng.choice(n, k, replace=False)
    ours = distributed.certify(chunked(X, 7), rows)
    theirs = simlib.certify(X, rows, metric="cosine")
    assert ours.best_delta == pytest.approx(theirs.best_delta, abs=1e-9)
    assert (ours.swap_in, ours.swap_out) == (theirs.swap_in, theirs.swap_out)
    assert ours.is_optimal == theirs.is_optimal
    assert ours.inertia == pytest.approx(theirs.inertia)


def test_swaps_begin_with_a_sample_unless_told_otherwise(monkeypatch):
    X = vectors(np.float64, 900, 3)
    monkeypatch.setattr(medoids, "SAMPLE_ROWS", 10)
    start = distributed.kmedoids(chunked(X), K, max_iter=0)
    fit = distributed.kmedoids(chunked(X), K)
    assert (start.n_swaps, start.tried, start.converged) == (0, 0.0, False)
    assert fit.inertia <= start.inertia
    assert fit.converged
    monkeypatch.setattr(medoids, "SWAPS_BY_DEFAULT", 899)
    assert_array_equal(distributed.kmedoids(chunked(X), K, max_seconds=600).medoids, fit.medoids)
    assert_array_equal(
        distributed.kmedoids(chunked(X), K).medoids, distributed.kmedoids(chunked(X), K, method="sample").medoids
    )


def test_time_that_is_up_is_said(monkeypatch):
    X = chunked(np.random.default_rng(0).standard_normal((2000, 4)), 500)
    fit = distributed.kmedoids(X, 3, init="first", max_seconds=0)
    assert_array_equal(fit.medoids, np.arange(3))
    assert (fit.converged, fit.tried, fit.n_iter) == (False, 0.0, 0)
    clock = iter([0.0, *[1.0] * 4, *[100.0] * 20])
    monkeypatch.setattr(medoids.time, "monotonic", lambda: next(clock))
    fit = distributed.kmedoids(X, 3, init="first", max_seconds=50)
    assert 0 < fit.tried < 1
    assert not fit.converged
    assert "% of the rows tried, stopped before it converged" in repr(fit)
    assert f"{100 * fit.tried:.3g} %" in repr(fit)


def test_bars_count_the_rows(capfd):
    told = []
    fit = distributed.kmedoids(
        chunked(vectors()), K, init="first", progress=True, callback=lambda *call: told.append(call)
    )
    bars = capfd.readouterr().err
    assert f"of {K} medoids unchanged" in bars
    assert "203/203" in bars
    assert [call[0] for call in told] == list(range(1, fit.n_iter + 1))
    assert [call[2] for call in told] == list(fit.history)
    distributed.certify(chunked(vectors()), fit.medoids, progress=True)
    assert "203/203" in capfd.readouterr().err
    distributed.certify(chunked(vectors()), fit.medoids)
    assert capfd.readouterr() == ("", "")


# The other functions of one machine


def test_correlation_is_that_of_one_machine():
    X = vectors(np.int64)
    X[3] = 5
    lazy = distributed.correlation(chunked(X))
    assert isinstance(lazy, da.Array)
    assert_allclose(lazy.compute(), simlib.correlation(X), atol=1e-12)


@given(st.lists(st.integers(1, 9), min_size=2, max_size=6), st.integers(1, 60), st.integers(0, 99))
@settings(deadline=None, max_examples=20)
def test_neighbours_of_any_chunks(sizes, k, seed):
    X = vectors(n=sum(sizes), seed=seed)
    X[0] = 0
    X[-1] = X[len(X) // 2]
    rows, k = np.random.default_rng(seed).integers(len(X), size=5), min(k, len(X) - 1)
    for some in (None, rows):
        ours = distributed.neighbours(da.from_array(X, chunks=(tuple(sizes), -1)), some, k)
        theirs = simlib.neighbours(X, some, k, metric="cosine")
        assert_array_equal(ours.indices, theirs.indices)
        assert_array_equal(ours.values, theirs.values)
        assert ours.values.dtype == theirs.values.dtype


def test_neighbours_in_several_turns(monkeypatch):
    from simlib.distributed import closest

    monkeypatch.setattr(closest, "QUERIES", 30)
    monkeypatch.setattr(closest, "COLUMNS", 20)
    X = vectors(np.float64)
    ours, theirs = distributed.neighbours(chunked(X), None, 5), simlib.neighbours(X, None, 5, metric="cosine")
    assert_array_equal(ours.indices, theirs.indices)
    assert_allclose(ours.values, theirs.values)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_silhouettes_are_those_of_one_machine(dtype):
    X = vectors(dtype)
    X[7] = 0
    X[8] = X[9]
    labels = np.random.default_rng(0).integers(0, 5, N) * 3
    labels[4] = 1  # a cluster of one
    expected = simlib.silhouette(X, labels, metric="cosine")
    for given_labels in (labels, da.from_array(labels, chunks=50)):
        lazy = distributed.silhouette(chunked(X), given_labels)
        assert lazy.dtype == np.float64
        assert_allclose(lazy.compute(), expected, atol=1e-9)


def test_a_scan_has_the_criteria_of_one_machine():
    X = vectors(np.float64, 300)
    scan = distributed.scan_k(chunked(X), [3, 12, 6])
    assert list(scan) == [3, 6, 12]
    assert scan.complete
    for k in scan:
        fit = scan[k]
        assert simlib.certify(X, fit.medoids, metric="cosine").is_optimal
        i = int(np.flatnonzero(scan.ks == k)[0])
        assert scan.silhouette[i] == pytest.approx(simlib.silhouette(X, fit.labels, metric="cosine").mean())
        d = np.sort(1 - simlib.cosine_similarity(X)[:, fit.medoids], axis=1)
        assert scan.medoid_silhouette[i] == pytest.approx(np.mean(1 - d[:, 0] / d[:, 1]))
        assert (scan.smallest[i], scan.largest[i]) == (fit.sizes.min(), fit.sizes.max())
    by_loop = distributed.scan_k(chunked(X), [3, 12, 6], method="sample")
    assert np.all(by_loop.inertia >= scan.inertia * 0.97)
    assert by_loop[6].tried == 0


def test_a_scan_that_is_interrupted_keeps_what_is_done(monkeypatch):
    from simlib.distributed import scan

    real, calls = scan._one_k, []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(scan, "_one_k", interrupted)
    found = distributed.scan_k(chunked(vectors()), [3, 6])
    assert (list(found), found.complete) == ([6], False)


# Files


def parquet(folder, X, step=50, **columns):
    folder.mkdir()
    for i in range(0, len(X), step):
        frame = pd.DataFrame(X[i : i + step], columns=[f"c{j}" for j in range(X.shape[1])])
        frame.insert(0, "word", [f"w{j}" for j in range(i, i + len(frame))])
        for name, column in columns.items():
            frame[name] = column[i : i + step]
        frame.to_parquet(folder / f"{i:04d}.parquet", row_group_size=20)


def test_a_folder_of_tables(tmp_path):
    X = np.random.default_rng(0).standard_normal((N, D)).astype(np.float32)
    parquet(tmp_path / "in", X, id=np.arange(N))
    vectors, labels, card = distributed.load_vectors(tmp_path / "in")
    assert vectors.chunks[0][:4] == (20, 20, 10, 20)
    assert vectors.dtype == np.float32
    assert_array_equal(vectors.compute(), X)
    assert labels.compute().tolist() == [f"w{i}" for i in range(N)]
    one = simlib.load_vectors(tmp_path / "in" / "0000.parquet")
    assert card["dropped"] == one.card["dropped"]
    assert (card["files"], card["rows"], card["columns"], card["format"]) == (5, N, D, "parquet")
    two, names, _ = distributed.load_vectors(tmp_path / "in", label="id", columns=["c1", "c0"])
    assert_array_equal(two.compute(), X[:, [1, 0]])
    assert names.compute().tolist() == [str(i) for i in range(N)]


def test_a_folder_of_arrays(tmp_path, capfd):
    X = vectors(np.float16)
    np.save(tmp_path / "a.npy", X[:100])
    np.save(tmp_path / "b.npy", X[100:])
    found = distributed.load_vectors(tmp_path)
    assert_array_equal(found.vectors.compute(), X.astype(np.float32))
    assert found.vectors.dtype == np.float32
    assert found.labels.compute().tolist() == [str(i) for i in range(N)]
    assert capfd.readouterr() == ("", "")
    distributed.load_vectors(tmp_path, progress=True)
    assert "2/2" in capfd.readouterr().err
    fit = distributed.kmedoids(found.vectors, 3)
    assert_array_equal(fit.labels, simlib.assign(X, fit.medoids, metric="cosine").labels)


@pytest.mark.parametrize("version", [2, 3])
def test_a_zarr_array(version, tmp_path):
    X, path = vectors(), str(tmp_path / "X.zarr")
    zarr.create_array(path, data=X, chunks=(50, 4), zarr_format=version)
    with pytest.raises(
        ValueError, match=r"X\.zarr is a Zarr array or group: X = dask\.array\.from_zarr\('.*X\.zarr'\)"
    ):
        distributed.load_vectors(path)
    stored = da.from_zarr(path)
    with pytest.raises(
        ValueError, match=r"X has its columns in 2 chunks, a row must be whole: X\.rechunk\(\{1: -1\}\)"
    ):
        distributed.kmedoids(stored, 3)
    fit = distributed.kmedoids(stored.rechunk({1: -1}), 3)
    assert_array_equal(fit.medoids, distributed.kmedoids(chunked(X), 3).medoids)
    assert_array_equal(fit.labels, simlib.assign(X, fit.medoids, metric="cosine").labels)


def test_tables_go_out_and_come_in_again(tmp_path, capfd):
    X = vectors()
    fit = distributed.kmedoids(chunked(X), 3)
    names = np.array([f"n{i}" for i in range(N)])
    table = {"name": names, "vector": chunked(X), "cluster": fit.labels, "similarity": fit.similarity}
    assert distributed.write_parquet(table, tmp_path / "out") is None
    assert os.listdir(tmp_path) == ["out"]
    assert capfd.readouterr() == ("", "")
    frame = pd.read_parquet(tmp_path / "out")
    assert_array_equal(np.stack(frame["vector"]), X)
    assert_array_equal(frame["cluster"], fit.labels)
    assert_array_equal(frame["similarity"], fit.similarity)
    again = distributed.load_vectors(tmp_path / "out", label="name", columns=["vector"])
    assert_array_equal(again.vectors.compute(), X)
    assert again.labels.compute().tolist() == names.tolist()
    with pytest.raises(FileExistsError, match="out exists already: name another"):
        distributed.write_parquet(table, tmp_path / "out", progress=True)


def test_folders_that_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"and there is no folder .*none"):
        distributed.load_vectors(tmp_path / "none")
    with pytest.raises(ValueError, match=r"path must name a folder .* holds no \.parquet and no \.npy file"):
        distributed.load_vectors(tmp_path)
    np.save(tmp_path / "a.npy", vectors())
    np.save(tmp_path / "b.npy", vectors()[:, :3])
    with pytest.raises(ValueError, match=r"b\.npy has 3 columns of float32, unlike the files before it"):
        distributed.load_vectors(tmp_path)
    with pytest.raises(ValueError, match=r"name columns of \.parquet files"):
        distributed.load_vectors(tmp_path, label="word")
    np.save(tmp_path / "b.npy", vectors() > 0)
    with pytest.raises(ValueError, match=r"b\.npy must hold numbers \(rows, columns\), got bool"):
        distributed.load_vectors(tmp_path)
    (tmp_path / "b.npy").write_bytes(b"no array")
    with pytest.raises(ValueError, match=r"b\.npy cannot be read as a \.npy file"):
        distributed.load_vectors(tmp_path)
    X = np.random.default_rng(0).standard_normal((60, 3))
    parquet(tmp_path / "t", X)
    pd.DataFrame({"word": ["a"], "c0": [1.0]}).to_parquet(tmp_path / "t" / "9.parquet")
    with pytest.raises(ValueError, match=r"9\.parquet has other columns, or other types, than 0000\.parquet"):
        distributed.load_vectors(tmp_path / "t")
    (tmp_path / "t" / "9.parquet").write_bytes(b"no table")
    with pytest.raises(ValueError, match=r"9\.parquet cannot be read as a \.parquet file"):
        distributed.load_vectors(tmp_path / "t")
    np.save(tmp_path / "t" / "9.npy", X)
    with pytest.raises(ValueError, match=r"holds both \.parquet and \.npy files"):
        distributed.load_vectors(tmp_path / "t")
    X[25, 1] = np.nan
    parquet(tmp_path / "gaps", X)
    found = distributed.load_vectors(tmp_path / "gaps")
    with pytest.raises(ValueError, match=r"0000\.parquet, row group 1: 1 rows have missing numbers, the first is 5"):
        found.vectors.compute()


def test_tables_that_are_refused(tmp_path):
    path = tmp_path / "out"
    with pytest.raises(TypeError, match="table must be a dictionary of names to columns, got a list"):
        distributed.write_parquet([1], path)
    with pytest.raises(TypeError, match="no column of table is a Dask array: pandas"):
        distributed.write_parquet({"a": np.arange(3)}, path)
    with pytest.raises(ValueError, match=r"column 'a' must be an array of 203 rows, got \(3,\)"):
        distributed.write_parquet({"X": chunked(vectors()), "a": np.arange(3)}, path)
    assert os.listdir(tmp_path) == []


# Clusters


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


@pytest.mark.parametrize("method", ["alternate", "fasterpam"])
@pytest.mark.parametrize("cluster", [False, True], ids=["no cluster", "a cluster in this process"])
def test_no_chunk_is_kept_until_all_are_read(cluster, method):
    from distributed import Client

    X = da.map_blocks(counted, chunks=((50,) * 30, (6,)), dtype=np.float32, meta=np.empty((0, 0), np.float32))
    ALIVE.update(now=0, most=0)
    with ExitStack() as stack:
        if cluster:
            options = {"processes": False, "n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
            stack.enter_context(Client(**options))
        else:
            stack.enter_context(dask.config.set(scheduler="synchronous"))
        distributed.kmedoids(X, 5, method=method, init="first", max_iter=1)
    assert 0 < ALIVE["most"] < 12


def slow(chunk):
    time.sleep(0.02)
    return chunk


@pytest.mark.parametrize("method", ["alternate", "fasterpam"])
def test_a_lost_worker_costs_time_and_not_the_result(method):
    from distributed import Client, LocalCluster

    X = vectors(np.float64, 2000, 4)
    wish = {"method": method, "init": "first", "max_iter": 3}
    chunks = chunked(X, 500).map_blocks(slow)  # not persisted: read again and again
    expected = distributed.kmedoids(chunked(X, 500), 60, **wish)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
        dask.config.set(scheduler=client),
    ):
        pids = list(client.run(os.getpid).values())
        kill = threading.Timer(0.7, os.kill, (pids[0], signal.SIGKILL))
        kill.start()
        lost = distributed.kmedoids(chunks, 60, callback=lambda *call: time.sleep(0.3), **wish)
        kill.join()
        deadline = time.monotonic() + 60
        while pids[0] in client.run(os.getpid).values() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert pids[0] not in client.run(os.getpid).values()
    assert_array_equal(lost.medoids, expected.medoids)
    assert_array_equal(lost.labels, expected.labels)
    assert lost.history == expected.history


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_same_bits_whatever_the_number_of_workers(workers):
    from distributed import Client

    X = np.random.default_rng(7).standard_normal((1200, 12)).astype(np.float32)
    expected = distributed.kmedoids(chunked(X, 400), 30, init="first", max_iter=1)
    options = {"processes": False, "n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
    with Client(**options):
        found = distributed.kmedoids(chunked(X, 400).persist(), 30, init="first", max_iter=1)
    assert_array_equal(found.medoids, expected.medoids)
    assert_array_equal(found.similarity, expected.similarity)
    assert (found.history, found.inertia) == (expected.history, expected.inertia)


def limited():
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def test_workers_whose_disk_is_full_leave_nothing(tmp_path):
    from distributed import Client, LocalCluster

    X = chunked(np.random.default_rng(0).standard_normal((450, 40)), 200)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        client.run(limited)
        with pytest.raises(OSError, match="File too large"):
            distributed.write_zarr(X, tmp_path / "S.zarr")
        with pytest.raises(OSError, match="File too large"):
            distributed.write_parquet({"vector": X}, tmp_path / "out")
    assert os.listdir(tmp_path) == []


# Bad input


@pytest.mark.parametrize(
    "call",
    [
        distributed.cosine_similarity,
        lambda X: distributed.kmedoids(X, 2),
        lambda X: distributed.assign(X, [0]),
        lambda X: distributed.write_zarr(X, "never.zarr"),
        distributed.correlation,
        lambda X: distributed.certify(X, [0]),
        lambda X: distributed.scan_k(X, [2]),
        lambda X: distributed.silhouette(X, np.arange(N) % 2),
        lambda X: distributed.neighbours(X, [0], 2),
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
        ({"method": "pam"}, ValueError, "method must be one of 'fasterpam', 'sample', 'alternate'"),
        ({"init": "build", "method": "alternate"}, ValueError, "init must be one of 'random', 'first'"),
        ({"init": [0, 0], "method": "alternate"}, ValueError, "init must be distinct"),
        ({"init": [0, 1, 2], "method": "alternate"}, ValueError, "init must list n_clusters=2 row numbers, got 3"),
        ({"init": [0, 1], "method": "sample"}, ValueError, 'init is for method="fasterpam" or "alternate"'),
        ({"max_seconds": -1}, ValueError, "max_seconds must be a finite number of at least 0"),
        ({"max_seconds": 1, "method": "sample"}, ValueError, 'max_seconds is for method="fasterpam": leave it out'),
        ({"max_seconds": "1"}, TypeError, "max_seconds must be a number"),
        ({"max_iter": -1}, ValueError, "max_iter must be at least 0"),
        ({"random_state": "0"}, TypeError, "random_state must be a whole number"),
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


def test_rows_and_labels_that_do_not_fit():
    with pytest.raises(ValueError, match="medoids must lie between 0 and 202, got 203"):
        distributed.assign(chunked(vectors()), [203])
    with pytest.raises(ValueError, match="medoids holds all 203 rows: there is no other row to exchange"):
        distributed.certify(chunked(vectors()), np.arange(N))
    with pytest.raises(ValueError, match=r"k must be between 1 and 202 \(the number of rows less one\), got 203"):
        distributed.neighbours(chunked(vectors()), None, 203)
    with pytest.raises(ValueError, match="labels must hold at least 2, got 1"):
        distributed.silhouette(chunked(vectors()), np.zeros(N, int))
    with pytest.raises(TypeError, match=r"labels must be whole numbers \(203,\), got int64 \(3,\)"):
        distributed.silhouette(chunked(vectors()), [0, 1, 2])
    with pytest.raises(ValueError, match="method must be one of 'fasterpam', 'sample'"):
        distributed.scan_k(chunked(vectors()), [2], method="alternate")


def test_without_dask_the_extra_is_named():
    code = "import sys; sys.modules['dask'] = None\nimport simlib\nimport simlib.distributed"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode
    line = 'simlib.distributed needs dask, which is not installed: pip install "simlib[dask]"\n'
    assert run.stderr.endswith(line)
    code = "import simlib, sys; print('dask' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
