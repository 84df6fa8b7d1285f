"""Compiled loops on their own, against NumPy: the shortcuts that only some sizes, values or processors take."""

import os
import subprocess
import sys

import numba
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from simlib._engine import lists as made
from simlib._engine.kernels import lists, llvm, nearest, prepare, tiles

ALL_HALVES = np.arange(2**16).astype(np.uint16).view(np.float16)


@pytest.fixture(params=["vectors packed", "entry by entry"])
def closer(request, monkeypatch):
    """The sieve of a row as this processor runs it, and as one without AVX-512 does."""
    if request.param == "vectors packed":
        if not lists.CAN_PACK:
            pytest.skip("this processor has no AVX-512")
        return lists.closer
    monkeypatch.setattr(lists, "CAN_PACK", False)
    return numba.njit(error_model="numpy")(lists.closer.py_func)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("n", [1, 63, 64, 65, 127, 128, 200, 5000])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 1.0])
def test_a_row_is_sifted_as_numpy_would(closer, dtype, sign, n, share):
    rng = np.random.default_rng(n)
    row = rng.standard_normal(n).astype(dtype)
    threshold = rng.standard_normal(n).astype(dtype)
    few = rng.random(n) >= share
    threshold[few] = sign * row[few]  # not closer than that
    if n > 2:
        row[1], threshold[2] = np.nan, np.nan
    items, close = np.empty(n + lists.TOGETHER, np.int32), np.empty(n + lists.TOGETHER, dtype)
    m = closer(row, dtype(sign), threshold, items, close)
    wanted = np.flatnonzero(sign * row > threshold)
    assert_array_equal(items[:m], wanted)
    assert_array_equal(close[:m], sign * row[wanted])


@pytest.mark.parametrize(("features", "packs"), [("+avx2,+avx512f", True), ("+avx2,-avx512f", False), ("", False)])
def test_what_numba_compiles_for_decides_how_a_row_is_sifted(features, packs):
    code = "from simlib._engine.kernels.llvm import CAN_PACK; print(CAN_PACK)"
    run = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "NUMBA_CPU_FEATURES": features}, capture_output=True, text=True
    )
    assert run.stdout.strip() == str(packs), run.stderr


def test_bits_stand_for_truth_values_in_order():
    @numba.njit
    def places(flags):
        bits, found = llvm.bits_of(flags), []
        while bits:
            found.append(llvm.lowest_bit(bits))
            bits &= bits - lists.ONE
        return found

    rng = np.random.default_rng(0)
    for share in (0.01, 0.2, 0.5, 1.0):
        flags = rng.random(llvm.BITS) < share
        flags[rng.integers(llvm.BITS)] = True
        assert places(flags) == np.flatnonzero(flags).tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shortened_lists_are_those_of_the_new_reach(dtype):
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 50, (90, 90)).astype(dtype)
    reach = rng.integers(20, 40, 90).astype(dtype)
    higher = reach + rng.integers(0, 9, 90).astype(dtype)
    blocks = [(0, rows[:50]), (50, rows[50:])]  # two of them, so that each thread's lists lie in two pieces
    shortened = made.of_matrix(blocks, dtype(1), reach, most=1.0)
    none = np.empty(0, np.int32)
    nothing_added = lists.Chains(np.full(90, lists.NONE, np.int32), none, none, np.empty(0, dtype))
    lists.shorten(shortened, nothing_added, higher)
    for j in range(90):
        here = slice(shortened.start[j], shortened.stop[j])
        wanted = np.flatnonzero(rows[j] > higher)
        assert_array_equal(shortened.items[here], wanted)
        assert_array_equal(shortened.closeness[here], rows[j, wanted])
    assert_array_equal(shortened.reach, higher)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sign", [1, -1])
def test_one_nearest_medoid_is_found_as_the_first_of_many(dtype, sign):
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 9, (40, 2500)).astype(dtype)  # many ties: the first medoid has them
    index = rng.permutation(40)[:30]
    position, close = np.full((1, 2500), -1, np.int32), np.full((1, 2500), -np.inf, dtype)
    nearest.nearest(rows, index[:20], 0, dtype(sign), position, close)
    nearest.nearest(rows, index[20:], 20, dtype(sign), position, close)
    assert_array_equal(position[0], (sign * rows[index]).argmax(axis=0))
    assert_array_equal(close[0], (sign * rows[index]).max(axis=0))


@pytest.mark.parametrize("p", [8, 9, 15, 16, 63, 64, 65, 200])
@pytest.mark.parametrize("counted", [0, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_row_is_looked_at_once(p, counted, dtype):
    rng = np.random.default_rng(p)
    n, first = 300, 40
    rows, weight = rng.standard_normal((p, n)).astype(dtype), rng.uniform(1, 2, n)
    limit = np.full(n, 10, dtype)
    across, down, above = np.zeros(n), np.zeros((prepare.SHARES, n)), np.zeros(prepare.SHARES, bool)
    prepare.survey(rows, first, counted, dtype(1), limit, weight, across, down, above)
    assert_allclose(across[first : first + p], rows.astype(np.float64) @ weight, atol=1e-11)
    assert_allclose(down.sum(axis=0), weight[first + counted : first + p] @ rows[counted:], atol=1e-11)
    assert not above.any()
    for i in range(p):
        limit[first + i] = rows[i].max()
        prepare.survey(rows, first, counted, dtype(1), limit, weight, across, down, above)
        assert not above.any()  # as close as the limit is not closer
        limit[first + i] = np.nextafter(rows[i].max(), dtype(-9))
        prepare.survey(rows, first, counted, dtype(1), limit, weight, across, down, above)
        assert above.any()
        limit[first + i], above[:] = 10, False


def test_every_float16_is_widened_exactly():
    half = ALL_HALVES.reshape(256, 256)
    wide = tiles.widen(half)
    assert wide.dtype == np.float32
    assert_array_equal(wide, half.astype(np.float32))  # NaN equals NaN here
    assert_array_equal(np.signbit(wide), np.signbit(half))
    assert_array_equal(tiles.widen(half[3:9, ::5]), half[3:9, ::5].astype(np.float32))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_within_one_narrow_to_float16_as_numpy_rounds_them(dtype):
    half = ALL_HALVES[np.abs(ALL_HALVES) <= 1].astype(dtype)
    between = (half[:-1] + half[1:]) / 2  # ties, halfway between neighbours
    between = between[np.abs(between) <= 1]
    beside = np.nextafter(between, dtype(9)), np.nextafter(between, dtype(-9))
    random = np.random.default_rng(0).uniform(-1, 1, 5000)
    tiny = np.array([0.0, -0.0, 1e-30, -1e-30, 2.0**-24, 2.0**-25, np.nextafter(2.0**-25, 1)])
    numbers = np.concatenate([half, between, *beside, random, tiny]).astype(dtype)[None]
    bits = np.empty(numbers.shape, np.uint16)
    tiles.narrow(numbers, bits)
    assert_array_equal(bits, numbers.astype(np.float16).view(np.uint16))
