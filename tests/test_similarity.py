"""Cosine similarity and correlation: by hand, against oracles, invariants, bad input, the real size."""

import os
import subprocess
import sys
import time
import tracemalloc
from threading import Thread

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import pairwise
from threadpoolctl import threadpool_info, threadpool_limits

from simlib import _check, _limits, correlation, cosine_similarity
from simlib._engine import tensors, tiles

both = pytest.mark.parametrize("function", [cosine_similarity, correlation])


def plain_cosine(X, Y=None):
    """The definition in float64, a pair at a time; each row is brought into range first."""
    X = np.asarray(X, np.float64)
    Y = X if Y is None else np.asarray(Y, np.float64)
    S = np.zeros((len(X), len(Y)))
    for i, x in enumerate(X):
        for j, y in enumerate(Y):
            if x.any() and y.any():
                u, v = x / abs(x).max(), y / abs(y).max()
                S[i, j] = (u * v).sum() / np.sqrt((u * u).sum()) / np.sqrt((v * v).sum())
    return S


def centred(X):
    X = np.asarray(X, np.float64)
    return X - X.mean(axis=1, keepdims=True)


def plain_correlation(X, Y=None):
    return plain_cosine(centred(X), None if Y is None else centred(Y))


plain = {cosine_similarity: plain_cosine, correlation: plain_correlation}


def gaussian(n, d, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d)).astype(dtype)


def whole(n, d, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).integers(0, 100, (n, d)).astype(dtype)


# By hand


def test_three_rows_by_hand():
    S = cosine_similarity(np.array([[1.0, 0.0], [3.0, 4.0], [0.0, 2.0]]))
    assert_allclose(S, [[1, 0.6, 0], [0.6, 1, 0.8], [0, 0.8, 1]], rtol=1e-15)


def test_opposite_and_zero_rows_by_hand():
    S = cosine_similarity(np.array([[2.0, 0.0], [-5.0, 0.0], [0.0, 0.0]]))
    assert_array_equal(S, [[1, -1, 0], [-1, 1, 0], [0, 0, 0]])


def test_two_sets_by_hand():
    S = cosine_similarity(np.array([[1.0, 0.0], [3.0, 4.0]]), np.array([[0.0, 9.0], [-2.0, 0.0], [4.0, -3.0]]))
    assert_allclose(S, [[0, -1, 0.8], [0.8, -0.6, 0]], atol=1e-15)


def test_correlation_by_hand():
    S = correlation(np.array([[1.0, 2.0, 3.0], [9.0, 8.0, 7.0], [1.0, 3.0, 2.0], [5.0, 5.0, 5.0]]))
    assert_allclose(S, [[1, -1, 0.5, 0], [-1, 1, -0.5, 0], [0.5, -0.5, 1, 0], [0, 0, 0, 0]], atol=1e-15)


def test_one_column_keeps_only_the_sign():
    assert_array_equal(cosine_similarity(np.array([[3.0], [-0.5], [0.0]])), [[1, -1, 0], [-1, 1, 0], [0, 0, 0]])
    assert_array_equal(correlation(np.array([[3.0], [-0.5]])), np.zeros((2, 2)))


@pytest.mark.parametrize("exponent", [-149, -70, 0, 60, 125])
def test_lengths_from_the_smallest_float32_to_the_largest(exponent):
    X = np.array([np.ldexp([3.0, 4.0], exponent), [1.0, 0.0]], np.float32)
    assert_array_equal(cosine_similarity(X), np.float32([[1, 0.6], [0.6, 1]]))


@pytest.mark.parametrize("exponent", [-1074, -600, 0, 600, 1021])
def test_lengths_from_the_smallest_float64_to_the_largest(exponent):
    X = np.array([np.ldexp([3.0, 4.0], exponent), [1.0, 0.0]])
    assert_allclose(cosine_similarity(X), [[1, 0.6], [0.6, 1]], rtol=1e-15)


# Oracles


@both
@pytest.mark.parametrize("block_size", [3, 500])
@pytest.mark.parametrize(("dtype", "atol"), [(np.float32, 5e-7), (np.float64, 5e-15)])
def test_the_definition(function, block_size, dtype, atol):
    X, Y = gaussian(20, 6, dtype) + 2, gaussian(11, 6, dtype, seed=1)
    X[4] = 0
    assert_allclose(function(X, block_size=block_size), plain[function](X), atol=atol)
    assert_allclose(function(X, Y, block_size=block_size), plain[function](X, Y), atol=atol)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int8", "uint8", "int64"])
def test_scikit_learns_cosine(dtype):
    X, Y = ((whole(rows, 33, np.int8, rows) - 50).astype(dtype) for rows in (230, 71))
    atol = 1e-6 if dtype in ("float32", "float16") else 1e-14
    X64, Y64 = X.astype(np.float64), Y.astype(np.float64)
    assert_allclose(cosine_similarity(X, block_size=64), pairwise.cosine_similarity(X64), atol=atol)
    assert_allclose(cosine_similarity(X, Y, block_size=64), pairwise.cosine_similarity(X64, Y64), atol=atol)


@pytest.mark.parametrize(("dtype", "atol"), [(np.float32, 1e-6), (np.float64, 1e-13)])
def test_numpys_corrcoef_also_far_from_zero(dtype, atol):
    X, Y = gaussian(90, 20, dtype) + 1000, gaussian(40, 20, dtype, seed=1)
    together = np.corrcoef(np.concatenate([X, Y]).astype(np.float64))
    assert_allclose(correlation(X, block_size=32), together[:90, :90], atol=atol)
    assert_allclose(correlation(X, Y, block_size=32), together[:90, 90:], atol=atol)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
@pytest.mark.parametrize("columns", [40, 2000])  # rows of 2,000 columns are too long for float32
@pytest.mark.parametrize("stored", [None, np.float32, np.float16])
def test_quantised_vectors_give_the_bits_of_float64(dtype, columns, stored):
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    X, Y = (np.random.default_rng(n).integers(low, high, (n, columns), dtype, endpoint=True) for n in (90, 70))
    X[3] = X[5] = high
    X[4] = 0
    for pair in ([X], [X, Y], [Y, X]):
        expected = cosine_similarity(*(z.astype(np.int64) for z in pair), dtype=stored, block_size=32)
        found = cosine_similarity(*pair, dtype=stored, block_size=32)
        assert found.dtype == (stored or np.float64)
        assert_array_equal(found, expected)


def test_whole_numbers_are_rounded_once():
    X = whole(150, 40) - 50
    dot = X.astype(np.int64) @ X.astype(np.int64).T
    inverse = 1 / np.sqrt(dot.diagonal())
    expected = (dot * (inverse[:, None] * inverse)).astype(np.float32)
    np.fill_diagonal(expected, 1)
    assert_array_equal(cosine_similarity(X, block_size=64), expected)


# Types


@pytest.mark.parametrize(
    ("given", "asked", "result"),
    [
        ("float16", None, "float32"),
        ("float32", None, "float32"),
        ("float64", None, "float64"),
        ("int8", None, "float64"),
        ("uint64", None, "float64"),
        ("float32", "float16", "float16"),
        ("float32", np.float64, "float64"),
        ("float64", np.float32, "float32"),
        ("float32", torch.float16, "float16"),
        ("float64", np.dtype("float32"), "float32"),
    ],
)
def test_types(given, asked, result):
    S = cosine_similarity(np.eye(3, dtype=given), dtype=asked)
    assert S.dtype == result
    assert_array_equal(S, np.eye(3))


def test_two_types_meet_in_the_wider_one():
    X, Y = gaussian(5, 4), gaussian(3, 4, np.float64, seed=1)
    for S in (cosine_similarity(X, Y), cosine_similarity(Y, X).T):
        assert S.dtype == np.float64
        assert_allclose(S, plain_cosine(X, Y), atol=1e-15)


def test_float16_narrows_the_storage_only():
    X, Y = gaussian(60, 30), gaussian(20, 30, seed=1)
    assert_array_equal(cosine_similarity(X, dtype=np.float16, block_size=16), cosine_similarity(X).astype(np.float16))
    assert_array_equal(cosine_similarity(X, Y, dtype=np.float16), cosine_similarity(X, Y).astype(np.float16))


def test_float64_asked_is_float64_computed():
    X = gaussian(30, 20)
    assert_array_equal(cosine_similarity(X, dtype=np.float64), cosine_similarity(X.astype(np.float64)))


def test_float32_stored_of_float64_is_rounded_once():
    X = gaussian(30, 20, np.float64)
    assert_array_equal(cosine_similarity(X, dtype=np.float32), cosine_similarity(X).astype(np.float32))


@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int8])
def test_tensor_in_tensor_out(kind):
    X = torch.tensor(whole(9, 5)).to(kind)
    S = cosine_similarity(X)
    assert isinstance(S, torch.Tensor)
    assert S.device.type == "cpu"
    half = kind in (torch.float16, torch.bfloat16, torch.float32)
    assert S.dtype == (torch.float32 if half else torch.float64)
    same = X.double().numpy() if not half else X.float().numpy()
    assert_array_equal(S.numpy(), cosine_similarity(same))


def test_array_with_tensor():
    X, Y = whole(4, 3), whole(6, 3, seed=1)
    assert isinstance(cosine_similarity(X, torch.tensor(Y)), np.ndarray)
    assert_array_equal(cosine_similarity(X, torch.tensor(Y)), cosine_similarity(X, Y))
    assert_array_equal(cosine_similarity(torch.tensor(X), Y).numpy(), cosine_similarity(X, Y))


# Kinds of input


def read_only(X, folder):
    X = X.copy()
    X.setflags(write=False)
    return X


def memory_mapped(X, folder):
    np.save(folder / "X.npy", X)
    return np.load(folder / "X.npy", mmap_mode="r")


def tensor_with_gradient(X, folder):
    return torch.tensor(X, requires_grad=True)


kinds = {
    "read-only": read_only,
    "memory-mapped": memory_mapped,
    "Fortran": lambda X, folder: np.asfortranarray(X),
    "strided": lambda X, folder: np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3],
    "backwards": lambda X, folder: X[::-1, ::-1].copy()[::-1, ::-1],
    "big-endian": lambda X, folder: X.astype(">f8"),
    "list": lambda X, folder: X.tolist(),
    "tensor with gradient": tensor_with_gradient,
}


@both
@pytest.mark.parametrize("kind", kinds)
def test_the_same_from_any_kind_of_array(function, kind, tmp_path):
    X = whole(12, 8, np.float64)
    S = function(kinds[kind](X, tmp_path))
    assert_array_equal(S.numpy() if isinstance(S, torch.Tensor) else S, function(X))


@both
@pytest.mark.parametrize("scale", [1, 1e-30])
def test_input_is_left_alone(function, scale):
    X, Y = gaussian(6, 4) * np.float32(scale), gaussian(5, 4, seed=1) * np.float32(scale)
    X0, Y0 = X.copy(), Y.copy()
    function(X, Y)
    function(torch.from_numpy(X))
    assert_array_equal(X, X0)
    assert_array_equal(Y, Y0)


# Invariants


@st.composite
def vectors(draw, dtype=None):
    """Up to 9 rows of any finite numbers, the smallest and the largest too, some of them all zero."""
    dtype = dtype or draw(st.sampled_from([np.float32, np.float64]))
    width = np.dtype(dtype).itemsize * 8
    numbers = st.floats(width=width, allow_nan=False, allow_infinity=False)
    elements = draw(st.sampled_from([numbers, st.integers(-5, 5).map(float)]))
    return draw(arrays(dtype, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=elements))


@given(X=vectors(), block_size=st.integers(1, 10))
@settings(deadline=None, derandomize=True, max_examples=150)
def test_any_vectors(X, block_size):
    S = cosine_similarity(X, block_size=block_size)
    assert_array_equal(S, S.T)
    assert_array_equal(S.diagonal(), X.any(axis=1))
    assert np.abs(S).max() <= 1
    assert not S[~X.any(axis=1)].any()
    assert_allclose(S, plain_cosine(X), atol=2e-6 if X.dtype == np.float32 else 1e-14)


@given(X=vectors(), block_size=st.integers(1, 10))
@settings(deadline=None, derandomize=True, max_examples=100)
def test_any_correlation(X, block_size):
    S = correlation(X, block_size=block_size)
    constant = X.max(axis=1) == X.min(axis=1)
    assert_array_equal(S, S.T)
    assert_array_equal(S.diagonal(), ~constant)
    assert np.abs(S).max() <= 1
    assert not S[constant].any()


@both
def test_the_ends_of_the_range_are_not_passed(function):
    X = gaussian(1, 50) * np.linspace(0.1, 3, 40, dtype=np.float32)[:, None]
    S = function(X, -X)
    assert S.min() >= -1
    assert_allclose(S, -1, atol=1e-6)
    assert function(X, X).max() <= 1


@both
def test_length_of_a_row_never_matters(function):
    X, Y = gaussian(39, 30), gaussian(8, 30, seed=1)
    scale = np.logspace(-20, 18, 39, dtype=np.float32)[:, None]
    assert_allclose(function(X * scale), function(X), atol=1e-6)
    assert_allclose(function(X * scale, Y), function(X, Y), atol=1e-6)
    assert_allclose(function(Y, X * scale), function(Y, X), atol=1e-6)


def test_powers_of_two_change_no_bit():
    X = gaussian(39, 30)
    scale = np.exp2(np.arange(-60, 57, 3, dtype=np.float32))[:, None]
    assert_array_equal(cosine_similarity(X * scale), cosine_similarity(X))


def test_correlation_ignores_shift_and_scale():
    X = gaussian(20, 15, np.float64)
    assert_allclose(correlation(3 * X + 7), correlation(X), atol=1e-13)


@both
def test_order_of_rows_carries_over(function):
    X, order = gaussian(50, 12, np.float64), np.random.default_rng(1).permutation(50)
    assert_allclose(function(X[order], block_size=16), function(X, block_size=16)[np.ix_(order, order)], atol=1e-14)


@pytest.mark.parametrize("block_size", [1, 7, 64, 10**6, np.int8(100)])
def test_block_size_changes_no_bit_of_whole_numbers(block_size):
    X, Y = whole(90, 40) - 50, whole(40, 40, seed=1)
    assert_array_equal(cosine_similarity(X, block_size=block_size), cosine_similarity(X))
    assert_array_equal(cosine_similarity(X, Y, block_size=block_size), cosine_similarity(X, Y))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_change_no_bit_of_whole_numbers(threads, monkeypatch):
    X = whole(300, 40) - 50
    expected = cosine_similarity(X)
    monkeypatch.setattr(_limits, "cores", lambda: threads)
    with threadpool_limits(threads):
        assert_array_equal(cosine_similarity(X, block_size=32), expected)


def test_settings_of_the_process_are_restored():
    def state():
        return [library["num_threads"] for library in threadpool_info()], torch.get_num_threads()

    with threadpool_limits(2):
        before = state()
        cosine_similarity(gaussian(30, 4), block_size=8)
        assert state() == before
        with pytest.raises(OSError, match="disk full"):
            cosine_similarity(gaussian(30, 4), out=Full(OSError("disk full")))
        assert state() == before


def test_memory_is_the_result_and_a_few_tiles(monkeypatch):
    monkeypatch.setattr(_limits, "cores", lambda: 2)
    X = gaussian(5000, 8)
    for dtype, size in ((np.float32, 100e6), (np.float16, 50e6)):
        cosine_similarity(X[:600], dtype=dtype)
        tracemalloc.start()
        cosine_similarity(X, dtype=dtype)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert size <= peak < size + 20e6


def test_silent_unless_asked(capfd):
    X = gaussian(20, 3)
    cosine_similarity(X)
    assert capfd.readouterr() == ("", "")
    cosine_similarity(X, block_size=10, progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "3/3" in err


# out=


def fortran(shape, dtype, folder):
    return np.full(shape, 9, dtype, order="F")


def view(shape, dtype, folder):
    return np.full((shape[0] * 2, shape[1] * 3), 9, dtype)[::2, ::3]


def memmap(shape, dtype, folder):
    return np.lib.format.open_memmap(folder / "S.npy", "w+", dtype, shape)


outs = {
    "array": lambda shape, dtype, folder: np.full(shape, 9, dtype),
    "Fortran": fortran,
    "view": view,
    "memmap": memmap,
    "big-endian": lambda shape, dtype, folder: np.full(shape, 9, np.dtype(dtype).newbyteorder(">")),
    "tensor": lambda shape, dtype, folder: torch.from_numpy(np.full(shape, 9, dtype)),
}


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("kind", outs)
def test_out_is_filled_and_returned(kind, dtype, tmp_path):
    X, Y = whole(23, 6), whole(14, 6, seed=1)
    for other in (None, Y):
        S = cosine_similarity(X, other)
        out = outs[kind](S.shape, dtype, tmp_path)
        assert cosine_similarity(X, other, out=out, block_size=5) is out
        assert_array_equal(np.asarray(out).astype(np.float32), S.astype(dtype).astype(np.float32))


def test_memmap_out_is_on_disk(tmp_path):
    X = whole(23, 6)
    out = memmap((23, 23), np.float16, tmp_path)
    cosine_similarity(X, out=out, block_size=5)
    out.flush()
    assert_array_equal(np.load(tmp_path / "S.npy"), cosine_similarity(X, dtype=np.float16))


class Chunked:
    """One chunk that is read, changed in part and written back, as Zarr does where tiles and chunks differ."""

    dtype = np.dtype(np.float32)

    def __init__(self, shape):
        self.shape, self.chunk = shape, np.full(shape, 9, np.float32)

    def __setitem__(self, place, tile):
        chunk = self.chunk.copy()
        time.sleep(0.001)
        chunk[place] = tile
        self.chunk = chunk


class Full:
    """A store that fails when it is written to."""

    dtype, shape = np.dtype(np.float32), (30, 30)

    def __init__(self, error):
        self.error, self.calls = error, 0

    def __setitem__(self, place, tile):
        self.calls += 1
        time.sleep(0.005)
        raise self.error


@pytest.mark.parametrize("cores", [1, 4])
def test_out_with_setitem_only(cores, monkeypatch):
    # With 4 cores: two threads in __setitem__ at once lose each other's tiles in a chunked store.
    monkeypatch.setattr(_limits, "cores", lambda: cores)
    X, Y = whole(30, 6), whole(17, 6, seed=1)
    for other in (None, Y):
        S = cosine_similarity(X, other)
        out = Chunked(S.shape)
        assert cosine_similarity(X, other, out=out, block_size=4) is out
        assert_array_equal(out.chunk, S)


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_an_error_while_storing_comes_through_and_drops_the_rest(error):
    store, tiles = Full(error), 30 * 31 // 2
    with pytest.raises(type(error)):
        cosine_similarity(gaussian(30, 4), out=store, block_size=1)
    assert 1 <= store.calls < tiles


# Bad input


@both
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_not_finite(function, bad, dtype):
    X, Y = np.ones((5, 3), dtype), np.ones((2, 3), dtype)
    X[1, 2] = X[3, 0] = bad
    with pytest.raises(ValueError, match=r"X has NaN or infinity in 2 of 5 rows: 1, 3$"):
        function(X)
    with pytest.raises(ValueError, match=r"Y has NaN or infinity in 2 of 5 rows: 1, 3$"):
        function(Y, X)
    with pytest.raises(ValueError, match=r"X has NaN or infinity in 2 of 5 rows: 1, 3$"):
        function(torch.tensor(X))


def test_many_rows_not_finite_names_the_first_five():
    with pytest.raises(ValueError, match=r"in 8 of 8 rows: 0, 1, 2, 3, 4, \.\.\.$"):
        cosine_similarity(np.full((8, 2), np.nan))


@both
@pytest.mark.parametrize(
    ("X", "error", "words"),
    [
        (np.zeros((0, 3)), ValueError, r"X is empty: shape \(0, 3\)"),
        (np.zeros((3, 0)), ValueError, r"X is empty: shape \(3, 0\)"),
        (np.zeros(4), ValueError, r"X must be 2-D.*\(4,\); one vector\? use X\[None, :\]"),
        (np.zeros((2, 2, 2)), ValueError, r"X must be 2-D.*\(2, 2, 2\)"),
        (3.0, ValueError, r"X must be 2-D"),
        (np.array([["a", "b"]]), TypeError, r"X must hold real numbers, got dtype <U1"),
        (np.ones((2, 2), complex), TypeError, r"X must hold real numbers, got dtype complex128"),
        (np.ones((2, 2), bool), TypeError, r"X must hold real numbers, got dtype bool: a mask\? if 0 and 1 are meant"),
        (torch.ones((2, 2), dtype=torch.complex64), TypeError, r"X must hold real numbers, got dtype complex64"),
        (np.array([[1, None]]), TypeError, r"X must hold real numbers, got dtype object"),
        (None, TypeError, r"X must hold real numbers"),
        ([[1, 2], [3]], ValueError, r"X must be a 2-D array of numbers"),
    ],
)
def test_not_a_table_of_numbers(function, X, error, words):
    with pytest.raises(error, match=words):
        function(X)
    if X is not None:
        with pytest.raises(error, match=words.replace("X", "Y", 1)):
            function(np.ones((2, 2)), X)


@both
def test_different_numbers_of_columns(function):
    with pytest.raises(ValueError, match="same number of columns, got 3 and 4"):
        function(np.ones((2, 3)), np.ones((2, 4)))


@pytest.mark.parametrize("size", [0, -5])
def test_block_size_out_of_range(size):
    with pytest.raises(ValueError, match=f"block_size must be at least 1, got {size}"):
        cosine_similarity(np.eye(2), block_size=size)


@pytest.mark.parametrize("size", [1.0, "big", True])
def test_block_size_no_whole_number(size):
    with pytest.raises(TypeError, match=f"block_size must be a whole number, got {size!r}"):
        cosine_similarity(np.eye(2), block_size=size)


@pytest.mark.parametrize("dtype", ["int8", complex, np.int64, torch.int32, np.longdouble])
def test_dtype_no_float(dtype):
    with pytest.raises(TypeError, match="dtype must be float16, float32 or float64"):
        cosine_similarity(np.eye(2), dtype=dtype)


@pytest.mark.parametrize("dtype", ["bananas", torch.bfloat16])
def test_dtype_unknown_to_numpy(dtype):
    with pytest.raises(TypeError, match="dtype must be float16, float32 or float64"):
        cosine_similarity(np.eye(2), dtype=dtype)


def test_out_of_another_shape():
    with pytest.raises(ValueError, match=r"out must have shape \(4, 3\), got \(3, 4\)"):
        cosine_similarity(np.ones((4, 2)), np.ones((3, 2)), out=np.empty((3, 4)))


@pytest.mark.parametrize(
    "out", [np.empty((2, 2), np.int32), torch.empty(2, 2, dtype=torch.int64), np.empty((2, 2), "c8")]
)
def test_out_of_no_float_type(out):
    with pytest.raises(TypeError, match=r"out must be of .*float.*, got .*(int|complex)"):
        cosine_similarity(np.eye(2), out=out)


def test_out_that_is_no_array():
    with pytest.raises(TypeError, match="out must"):
        cosine_similarity(np.eye(2), out=[[0.0, 0.0], [0.0, 0.0]])


def test_out_read_only(tmp_path):
    out = np.zeros((2, 2))
    out.setflags(write=False)
    np.save(tmp_path / "S.npy", out)
    for target in (out, np.load(tmp_path / "S.npy", mmap_mode="r")):
        with pytest.raises(ValueError, match=r"out is read-only.*'r\+' or 'w\+'"):
            cosine_similarity(np.eye(2), out=target)
    assert not out.any()


def test_too_large_for_memory_says_so_before_any_work(monkeypatch):
    def work(*_):
        raise AssertionError("started to compute")

    monkeypatch.setattr(_check, "available_memory", lambda: 8_000_000_000)
    monkeypatch.setattr(tiles, "unit_scale", work)
    X = np.broadcast_to(np.ones((1, 1), np.float32), (200_000, 1))
    with pytest.raises(MemoryError, match=r"a 200000 x 200000 similarity matrix takes 160\.0 GB and 8\.0 GB are free"):
        cosine_similarity(X)
    with pytest.raises(MemoryError, match=r'float16 halves it, out=.* disk, and kmedoids\(X, k, metric="cosine"\)'):
        cosine_similarity(torch.from_numpy(np.ones((1, 1), np.float32)).expand(200_000, 1))
    with pytest.raises(MemoryError, match=r"takes 80\.0 GB"):
        correlation(X, dtype=np.float16)
    with pytest.raises(MemoryError, match=r"a 200000 x 200001 similarity matrix takes 320\.0 GB"):
        cosine_similarity(X, np.broadcast_to(1.0, (200_001, 1)))


def test_out_needs_no_free_memory(monkeypatch):
    monkeypatch.setattr(_check, "available_memory", lambda: 0)
    assert_array_equal(cosine_similarity(np.eye(3), out=np.empty((3, 3))), np.eye(3))
    with pytest.raises(MemoryError, match="a 3 x 3 similarity matrix"):
        cosine_similarity(np.eye(3))


# The path of tensors on a GPU, run on CPU tensors


def on_device(X, Y=None, centre=False, dtype=None, block=500):
    return tensors.similarity(X, Y, centre, _check.storage_dtype(dtype), block, False)


@pytest.mark.parametrize("centre", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("block", [7, 500])
def test_device_path_agrees(centre, dtype, block):
    X, Y = gaussian(40, 9, dtype) + 1, gaussian(25, 9, dtype, seed=1)
    X[3] = 0
    Y[5], Y[6] = 0, 4
    X[7:] *= np.logspace(-20, 18, 33, dtype=dtype)[:, None]
    function = correlation if centre else cosine_similarity
    for other in (None, Y):
        S = on_device(torch.tensor(X), None if other is None else torch.tensor(other), centre, block=block)
        assert S.dtype == getattr(torch, np.dtype(dtype).name)
        assert_allclose(S.numpy(), function(X, other), atol=1e-6 if dtype == np.float32 else 1e-13)
        if other is None:
            assert_array_equal(S, S.T)
            assert_array_equal(S.diagonal(), (np.arange(40) != 3).astype(float))


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.int8])
def test_device_path_takes_other_types(kind):
    X = torch.tensor(whole(9, 5)).to(kind)
    S = on_device(X)
    assert S.dtype == (torch.float32 if kind in (torch.float16, torch.bfloat16) else torch.float64)
    assert_array_equal(S.numpy(), cosine_similarity(X).numpy())


def test_device_path_narrows_the_storage_only():
    X = gaussian(40, 9)
    S = on_device(torch.tensor(X), dtype=torch.float16, block=16)
    assert S.dtype == torch.float16
    assert_allclose(S.numpy(), cosine_similarity(X), atol=5e-4)
    assert_array_equal(S, S.T)


def test_device_path_has_the_same_bits_for_whole_numbers(words):
    X, Y = torch.tensor(words[:700]), torch.tensor(words[700:1000])
    assert_array_equal(on_device(X, block=256), cosine_similarity(X))
    assert_array_equal(on_device(X, Y, block=256), cosine_similarity(X, Y))


def test_device_path_leaves_the_input_alone():
    X = torch.tensor(gaussian(6, 4) * np.float32(1e-30))
    before = X.clone()
    on_device(X, centre=True)
    assert_array_equal(X, before)


def test_device_path_bad_input():
    X = torch.ones(5, 3)
    X[1, 2] = X[3, 0] = torch.nan
    with pytest.raises(ValueError, match=r"X has NaN or infinity in 2 of 5 rows: 1, 3$"):
        on_device(X)
    with pytest.raises(ValueError, match=r"Y has NaN or infinity in 2 of 5 rows: 1, 3$"):
        on_device(torch.ones(2, 3), X)
    for bad in (torch.ones(3), torch.ones(0, 3), torch.ones(2, 2).to(torch.complex64), torch.ones(2, 2).bool()):
        with pytest.raises(ValueError, match="X must be a non-empty real 2-D tensor"):
            on_device(bad)
    with pytest.raises(TypeError, match="which holds shapes and no numbers"):
        cosine_similarity(torch.empty(2, 2, device="meta"))


def test_device_path_different_numbers_of_columns():
    with pytest.raises(ValueError, match="same number of columns, got 3 and 4"):
        on_device(torch.ones(2, 3), torch.ones(2, 4))


def test_device_path_two_types_meet_in_the_wider_one():
    X, Y = gaussian(4, 3), gaussian(5, 3, np.float64, seed=1)
    assert_allclose(on_device(torch.tensor(X), torch.tensor(Y)).numpy(), plain_cosine(X, Y), atol=1e-6)


def test_device_path_takes_an_array_for_y():
    X, Y = whole(4, 3), whole(5, 3, seed=1)
    assert_array_equal(on_device(torch.tensor(X), Y).numpy(), cosine_similarity(X, Y))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@both
def test_cuda(function, words):
    X, Y = torch.tensor(words[:3000]), torch.tensor(words[3000:4000])
    S = function(X.cuda())
    assert S.device.type == "cuda"
    assert_array_equal(S.cpu(), S.T.cpu())
    assert_allclose(S.cpu(), function(X), atol=1e-6)
    assert_allclose(function(X.cuda(), Y.cuda()).cpu(), function(X, Y), atol=1e-6)
    assert_allclose(function(X.cuda(), dtype=torch.float16).cpu().float(), function(X), atol=5e-4)


# The real size


def strips(n, size=777):
    return (slice(i, min(i + size, n)) for i in range(0, n, size))


def test_words_matrix_is_symmetric_with_diagonal_one(words_matrix):
    S = words_matrix
    assert S.shape == (20_000, 20_000)
    assert S.dtype == np.float32
    assert (S.diagonal() == 1).all()
    assert all(np.array_equal(S[rows, rows.start :], S[rows.start :, rows].T) for rows in strips(20_000))


def test_words_matrix_has_the_bits_of_plain_numpy_and_the_numbers_on_the_card(words, words_matrix):
    inverse = 1 / np.sqrt(np.square(words, dtype=np.float64).sum(axis=1))
    total, squares, largest, smallest = 0.0, 0.0, -1.0, 1.0
    for rows in strips(20_000):
        rest = slice(rows.start, None)  # with the symmetry tested above, the upper half is all
        strip = words[rows] @ words[rest].T
        strip = (strip * (inverse[rows, None] * inverse[rest])).astype(np.float32)
        np.fill_diagonal(strip, 1)
        assert np.array_equal(words_matrix[rows, rest], strip)
        strip[:, : len(strip)] = np.triu(strip[:, : len(strip)], 1)
        total += strip.sum(dtype=np.float64)
        squares += float(np.vdot(strip, strip))
        largest, smallest = max(largest, strip.max()), min(smallest, strip.min())
    pairs = 20_000 * 19_999 / 2
    mean = total / pairs
    assert mean == pytest.approx(0.0820, abs=1e-4)
    assert np.sqrt(squares / pairs - mean**2) == pytest.approx(0.0883, abs=1e-4)
    assert largest == pytest.approx(0.9753, abs=1e-4)
    assert smallest == pytest.approx(-0.2808, abs=1e-4)


def test_words_matrix_from_a_tensor_and_other_tiles(words, words_matrix):
    S = cosine_similarity(torch.tensor(words[:9000]), block_size=1111)
    assert isinstance(S, torch.Tensor)
    assert np.array_equal(S.numpy(), words_matrix[:9000, :9000])


# Results that lie where the vectors lie, and calls at the same time


@both
def test_out_may_be_the_vectors_themselves(function, tmp_path):
    X = np.random.default_rng(0).standard_normal((1000, 1000)).astype(np.float32)
    expected = function(X)
    itself, space = X.copy(), np.zeros((1010, 1000), np.float32)
    assert_array_equal(function(itself, out=itself), expected)
    other = X.copy()
    assert_array_equal(function(X, other, out=other), function(X, X.copy()))
    space[:1000] = X
    assert_array_equal(function(space[:1000], out=space[7:1007]), expected)
    np.save(tmp_path / "X.npy", X)
    read, write = (np.load(tmp_path / "X.npy", mmap_mode=mode) for mode in ("r", "r+"))
    assert_array_equal(function(read, out=write), expected)
    tensor = torch.from_numpy(X.copy())
    assert_array_equal(function(tensor, out=tensor), expected)


def test_the_same_bits_from_several_threads_at_once():
    X = np.random.default_rng(0).standard_normal((900, 900)).astype(np.float32)
    before = [info["num_threads"] for info in threadpool_info()]
    expected, seen = cosine_similarity(X), []
    threads = [Thread(target=lambda: seen.append(cosine_similarity(X))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 6
    assert all(np.array_equal(each, expected) for each in seen)
    assert [info["num_threads"] for info in threadpool_info()] == before
    for limit in (1, 2):
        with threadpool_limits(limit):
            assert_array_equal(cosine_similarity(X), expected)


@pytest.mark.parametrize("low", [2**53, 2**62, -(2**62), -(2**63)])
def test_correlation_of_large_whole_numbers_keeps_their_last_digits(low):
    small = np.array([[1, 2, 4], [4, 2, 1], [0, 7, 3], [1, 2, 3], [5, 5, 5]])
    large = np.array([[low + int(x) for x in row] for row in small], dtype=np.int64)
    np.testing.assert_allclose(correlation(large), correlation(small), atol=1e-14)
    np.testing.assert_allclose(correlation(large, large[::-1]), correlation(small, small[::-1]), atol=1e-14)


def test_correlation_of_whole_numbers_over_the_whole_range_of_64_bits():
    X = np.array([[-(2**63), 0, 2**63 - 1], [2**63 - 1, 0, -(2**63)], [3, 2, 1]], dtype=np.int64)
    np.testing.assert_allclose(correlation(X), [[1, -1, -1], [-1, 1, 1], [-1, 1, 1]], atol=1e-12)
    assert correlation(np.array([[2**64 - 1, 0, 2**63], [1, 0, 0.5]])).shape == (2, 2)
    U = np.array([[2**64 - 1, 2**64 - 3, 2**64 - 2], [2, 0, 1]], dtype=np.uint64)
    np.testing.assert_allclose(correlation(U), np.ones((2, 2)), atol=1e-14)


WITHOUT_JIT = """
import numpy as np, simlib
X = np.random.default_rng(0).normal(size=(30, 4))
S = simlib.cosine_similarity(X)
fit = simlib.kmedoids(S, 3)
print(fit.medoids.tolist(), simlib.kmedoids(X, 3, metric="cosine", init="build").medoids.tolist(), round(S.sum(), 9))
print(simlib.silhouette(S, fit.labels).sum().round(9), simlib.scan_k(S, [2, 3]).inertia.round(9).tolist())
print(simlib.certify(S, fit.medoids).is_optimal, simlib.correlation(X).sum().round(9))
"""


def test_without_compiled_loops_a_small_case_gives_the_same():
    runs = [
        subprocess.run(
            [sys.executable, "-c", WITHOUT_JIT], env={**os.environ, "NUMBA_DISABLE_JIT": word}, capture_output=True
        )
        for word in "01"
    ]
    assert runs[1].stdout == runs[0].stdout, runs[1].stderr.decode()
    assert runs[0].stdout.count(b"\n") == 3


@pytest.mark.parametrize(
    ("out", "words"),
    [
        (torch.empty(3, 3, dtype=torch.bfloat16), "out must be of float16, float32 or float64, got torch.bfloat16"),
        (
            torch.empty(3, 3).to(torch.float8_e4m3fn),
            "out must be of float16, float32 or float64, got torch.float8_e4m3fn",
        ),
        (torch.empty(3, 3, dtype=torch.complex64), "out must be of float16, float32 or float64, got torch.complex64"),
        (torch.zeros(3, 3).to_sparse(), "out is a sparse tensor"),
        (torch.nested.nested_tensor([torch.zeros(3)] * 3), "out is a nested tensor"),
        (torch.empty(3, 3, device="meta"), 'out is on the device "meta"'),
        (torch.zeros(3, 3, dtype=torch.complex64).conj().imag, "out is a view whose numbers change their sign"),
        (torch.zeros(1, 3).expand(3, 3), "out has entries at one place in memory"),
        (np.lib.stride_tricks.as_strided(np.zeros(5), (3, 3), (8, 8)), "out has entries at one place in memory"),
        (np.zeros((3, 3), "M8[s]"), "out must be of a float type"),
        ([[0.0] * 3] * 3, "out must be an array with shape, dtype and __setitem__, got list"),
    ],
)
def test_an_out_that_cannot_be_written_to(out, words):
    with pytest.raises((TypeError, ValueError), match=words):
        cosine_similarity(np.eye(3), out=out)


@pytest.mark.parametrize("view", [lambda A: A[::2, ::3], lambda A: A[::-1, ::-1][:3, :3], lambda A: A.T[1:4, 2:5]])
def test_an_out_that_is_a_view_is_filled(view):
    out = view(np.zeros((6, 9)) if view(np.zeros((6, 9))).shape == (3, 3) else np.zeros((6, 6)))
    X = np.array([[1.0, 0.0], [3.0, 4.0], [0.0, 2.0]])
    assert cosine_similarity(X, out=out) is out
    assert_array_equal(out, cosine_similarity(X))


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (torch.empty(3, 3, device="meta"), 'X is on the device "meta"'),
        (torch.nested.nested_tensor([torch.zeros(3), torch.zeros(2)]), "X is a nested tensor"),
        (torch.zeros(3, 3, dtype=torch.complex64).conj(), "X must hold real numbers, got dtype complex64"),
        (torch.zeros(3, 3, dtype=torch.complex32), "X is a tensor of torch.complex32, which is not read"),
        ([[1.0], [1.0, 2.0]], "X must be a 2-D array of numbers, but its rows differ in length"),
    ],
)
def test_tensors_and_lists_that_hold_no_table(X, words):
    with pytest.raises((TypeError, ValueError), match=words):
        cosine_similarity(X)


def test_a_tensor_of_float8_and_a_view_with_changed_signs_are_read():
    X = torch.tensor([[1.0, 2.0], [-2.0, 1.0]])
    assert_array_equal(cosine_similarity(X.to(torch.float8_e4m3fn)), cosine_similarity(X))
    assert_array_equal(cosine_similarity(torch.complex(X, X).conj().imag), cosine_similarity(-X))


@pytest.mark.parametrize("progress", ["yes", 1, None])
def test_a_flag_that_is_none(progress):
    with pytest.raises(TypeError, match="progress must be True or False, got"):
        cosine_similarity(np.eye(3), progress=progress)
