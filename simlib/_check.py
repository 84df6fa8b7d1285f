"""Shared checks of what a caller passes in. Each says what was expected, what came, and the likely cause."""

from __future__ import annotations

import operator
import os
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from simlib import _kinds, _limits
from simlib._arrays import as_array, as_line, is_sparse, is_tensor, refuse_tensor
from simlib._kinds import shown

SAMPLED_ROWS, SAMPLED_COLUMNS = 100, 200  # of a matrix, to see how large its numbers are
FAR = 100.0  # numbers so many times larger than all others ...
HEAVIEST = 1e100  # sums of weights stay below it, so that no weighted sum overflows
FEW = 0.01  # ... stand for a gap, if they are at most this share of all, or all the same
ELSEWHERE = {"pam": "fasterpam", "heuristic": "build"}  # words of scikit-learn-extra, and what does the same or better


def off_cpu(A: Any) -> bool:
    """Whether A is a torch tensor on a device other than the CPU."""
    return is_tensor(A) and A.device.type != "cpu"


def as_given(A: Any, name: str) -> Any:
    """`as_array`, but a tensor on a device and a scipy.sparse matrix stay what they are. All have a shape."""
    if not off_cpu(A):
        return as_host(A, name)
    refuse_tensor(A, name)
    return A


def as_host(A: Any, name: str) -> Any:
    """`as_array`, but a scipy.sparse matrix stays what it is; a tensor on a device is refused."""
    return A if is_sparse(A) else as_array(A, name)


def target_of_tensor(out: Any) -> np.ndarray:
    """The memory of a tensor that results are to be written to, as an array."""
    refuse_tensor(out, "out")
    if out.device.type != "cpu":
        raise ValueError(f"out is on {out.device}, and X is not: leave out= out, then move the result")
    if str(out.dtype) not in ("torch.float16", "torch.float32", "torch.float64"):
        raise TypeError(f"out must be of float16, float32 or float64, got {out.dtype}")
    if out.is_neg():
        raise TypeError("out is a view whose numbers change their sign when read: pass torch.empty of its shape")
    return out.detach().numpy()


def own_place_an_entry(out: np.ndarray) -> None:
    """Raise if two entries of a 2-D array lie at one place in memory, as in a broadcast view."""
    reach = out.itemsize  # bytes that the entries along the axes before take
    for step, size in sorted((abs(step), size) for step, size in zip(out.strides, out.shape, strict=True) if size > 1):
        if step < reach:
            raise ValueError("out has entries at one place in memory, as in a broadcast view: pass np.empty(...)")
        reach += step * (size - 1)


def working_dtype(dtype: np.dtype) -> type:
    """float32 for the float types up to 32 bits, float64 for float64 and integers."""
    return np.float32 if dtype.kind == "f" and dtype.itemsize <= 4 else np.float64


def storage_dtype(dtype: Any) -> type | None:
    """The NumPy float type meant by `dtype` (NumPy's or torch's), or None for None."""
    if dtype is None:
        return None
    try:
        if isinstance(dtype, np.generic | int):  # a number, which may have a type but is none
            raise TypeError
        kind = np.dtype(str(dtype).removeprefix("torch.") if "torch." in str(dtype) else dtype).type
    except TypeError:  # a word that NumPy does not know
        kind = None
    if kind not in (np.float16, np.float32, np.float64):
        raise TypeError(f"dtype must be float16, float32 or float64, got {shown(dtype)}")
    return kind


def available_memory() -> int:
    """Bytes that can still be allocated: what the machine has free, or a limit of this process or its groups."""
    return _limits.free_memory()


def memory(need: int, what: str, ways_out: str) -> None:
    """Raise MemoryError if `need` bytes are more than are available."""
    free = available_memory()
    if need > free:
        raise MemoryError(f"{what} takes {need / 1e9:.1f} GB and {free / 1e9:.1f} GB are free: {ways_out}")


def room_for_arrays() -> int:
    """Bytes that the arrays of a computation can take: the available memory, and limits count its threads too."""
    taken = _limits.taken_in_any_case()
    return max(0, min([available_memory(), *(left - taken for left in _limits.left_by_limits())]))


def room_to_work(need: int = 0) -> None:
    """Raise MemoryError if the limits of this process leave no room for a computation whose arrays take `need` bytes.

    Without room for its threads and libraries it would hang, or the libraries would end the process.
    """
    left = min(_limits.left_by_limits(), default=None)
    taken = _limits.taken_in_any_case()
    if left is not None and need + taken > left:
        raise MemoryError(
            f"the limits of this process (ulimit -v or -d) leave it {max(0, left) / 1e9:.2f} GB, and this takes "
            f"{(need + taken) / 1e9:.2f} GB, {taken / 1e9:.2f} GB of them for libraries and threads: raise the limits, "
            "or use fewer cores, as with taskset -c 0 python"
        )


def room_on_disk(out: Any) -> None:
    """Raise OSError if `out` is a memory map of a file for which its disk has no room."""
    path = file_of(out)
    if path is not None and os.path.exists(path):
        _limits.reserve_on_disk(Path(path), out.nbytes)


def file_of(A: Any) -> Any:
    """The file that an array, or what it is a view of, is mapped to; None if there is none."""
    while A is not None and not hasattr(A, "filename"):
        A = getattr(A, "base", None)
    return None if A is None else A.filename


def same_columns(d: int, e: int) -> None:
    """Raise unless X and Y have the same number of columns."""
    if d != e:
        raise ValueError(f"X and Y must have the same number of columns, got {d} and {e}")


def square(shape: tuple[int, ...], metric: str) -> None:
    """Raise unless a matrix of this shape, given for this metric, is square."""
    if len(shape) != 2 or shape[0] != shape[1]:
        hint = '; vectors? use metric="cosine"' if len(shape) == 2 and shape[1] < shape[0] else ""
        raise ValueError(f'A must be square for metric="{metric}", got shape {shape}{hint}')


def diagonal(first_row: np.ndarray, diagonal: np.ndarray, distances: bool, slack: float) -> None:
    """Raise if the diagonal (n,) of a matrix shows that distances came as similarities, or the reverse.

    Up to `slack` an entry counts as 0.
    """
    own = np.abs(diagonal) > slack
    if not distances and len(diagonal) > 1 and not own.any() and np.max(first_row) > 0:
        raise ValueError(
            "diagonal is 0 and off-diagonal positive: this looks like a distance matrix; "
            "did you mean metric='precomputed'? If these are similarities whose diagonal was left out, fill it first: "
            "np.fill_diagonal(A, 1), or what an item's similarity to itself is"
        )
    if distances and own.any():
        row = int(np.flatnonzero(own)[0])
        raise ValueError(
            f"distance of row {row} to itself must be 0, got {diagonal[row]:g}: this looks like a similarity "
            "matrix; did you mean metric='similarity'?"
        )


def both_halves(A: np.ndarray) -> None:
    """Raise if only one half of a matrix, beside the diagonal, is filled: zeros, NaN or infinity stand in the other."""
    n = len(A)
    filled = np.zeros(2, np.int64)  # numbers below and above the diagonal
    for i in range(n):
        for side, part in enumerate((A[i, :i], A[i, i + 1 :])):
            filled[side] += np.count_nonzero(np.isfinite(part) & (part != 0))
    if n > 2 and filled.min() == 0 and filled.max() > n * (n - 1) // 4:
        word, half = ("above", "np.triu(A, 1)") if filled[1] else ("below", "np.tril(A, -1)")
        raise ValueError(
            f"only the half of A {word} the diagonal is filled: A = {half} + {half}.T fills both; then the diagonal, "
            "np.fill_diagonal(A, 0) for distances or 1 for similarities"
        )


def name_fault(A: np.ndarray, distances: bool, i: int, slack: float, share: float) -> NoReturn:
    """Raise and say what is wrong with row i of a matrix: NaN, asymmetry, or an entry closer than the diagonal.

    An entry and its mirror image may differ by `slack`, or by `share` of the larger one.
    """
    both_halves(A)
    finite_rows(np.array([np.isfinite(row).all() for row in A]), "A")
    sign = -1.0 if distances else 1.0
    row, column = A[i].astype(np.float64), A[:, i].astype(np.float64)
    beyond = np.abs(row - column) - np.maximum(slack, share * np.maximum(np.abs(row), np.abs(column)))
    j = int(np.argmax(beyond))
    if beyond[j] > 0:
        raise ValueError(
            f"A must be symmetric, but A[{i}, {j}] = {row[j]:g} and A[{j}, {i}] = {column[j]:g}; "
            "if both directions are meant, pass (A + A.T) / 2"
        )
    row[i] = -sign * np.inf
    j = int(np.argmax(sign * row))
    if distances:
        raise ValueError(f"distances must not be negative, but A[{i}, {j}] = {row[j]:g}")
    own = min(float(A[i, i]), float(A[j, j]))
    raise ValueError(
        f"an item must be most similar to itself, but A[{i}, {j}] = {row[j]:g} is more than {own:g} on the "
        "diagonal: raw dot products? compare directions with cosine_similarity"
    )


def sampled(A: Any) -> Any:
    """About 100 rows and 200 columns of a matrix, evenly spaced."""
    n = len(A)
    return A[:: max(1, n // SAMPLED_ROWS), :: max(1, n // SAMPLED_COLUMNS)]


def magnitude(sample: np.ndarray) -> float:
    """The largest ordinary entry of a sample (float64); a number far above all others that stands for a gap is none."""
    sizes = np.abs(sample[np.isfinite(sample) & (sample != 0)])
    while sizes.size:
        top = sizes.max()
        far = sizes > top / FAR
        if far.all() or (far.sum() > FEW * sizes.size and (sizes[far] < top).any()):
            return float(top)
        sizes = sizes[~far]
    return 0.0


def self_similarity(diagonal: np.ndarray, share: float) -> float:
    """The similarity that every item has to itself; raise if it is not the same for all. Zero rows have none.

    Numbers that differ by `share` of their size count as the same, and as 1.
    """
    own = np.flatnonzero(diagonal)
    if not own.size:
        if len(diagonal) == 1:
            return 1.0
        raise ValueError("every item has similarity 0 to itself: is A a file that was not filled to its end?")
    low, high = own[np.argmin(diagonal[own])], own[np.argmax(diagonal[own])]
    top = float(diagonal[high])
    if diagonal[low] <= 0 or top - diagonal[low] > share * top:
        raise ValueError(
            f"similarities need the same scale for all items, but A[{low}, {low}] = {diagonal[low]:g} and "
            f"A[{high}, {high}] = {top:g}: with A / np.sqrt(np.outer(A.diagonal(), A.diagonal())) each item has 1 to "
            "itself"
        )
    return 1.0 if abs(top - 1) <= share else top


def sums_fit(A: np.ndarray) -> None:
    """Raise if the numbers of a finite matrix are so large that their sums overflow."""
    if A.dtype.kind == "f" and A.dtype.itemsize >= 8:
        top = max(float(np.max(row)) for row in A)
        if top * len(A) > np.finfo(np.float64).max / 1e3:
            raise ValueError(f"A holds {top:g}: sums over {len(A)} items overflow; divide A by that number")


def row_numbers(rows: Any, n: int, name: str) -> np.ndarray:
    """Return row numbers within range(n), at least one, as int64."""
    rows = as_line(rows, name)
    if rows.ndim != 1 or not rows.size or rows.dtype.kind not in "iu":
        hint = f"; one row? pass [{rows}]" if rows.ndim == 0 and rows.dtype.kind in "iu" else ""
        hint = "; a mask? use np.flatnonzero" if rows.dtype.kind == "b" else hint
        raise ValueError(f"{name} must be a list of row numbers, got {rows.dtype} {rows.shape}{hint}")
    if rows.min() < 0 or rows.max() >= n:
        raise ValueError(f"{name} must lie between 0 and {n - 1}, got {rows.min()}..{rows.max()}")
    return rows.astype(np.int64)


def medoids(medoids: Any, n: int, name: str) -> np.ndarray:
    """Return distinct row numbers within range(n) as int64."""
    medoids = row_numbers(medoids, n, name)
    if len(np.unique(medoids)) < len(medoids):
        values, counts = np.unique(medoids, return_counts=True)
        raise ValueError(f"{name} must be distinct, row {values[counts > 1][0]} came more than once")
    return medoids


def weights(weights: Any, n: int) -> np.ndarray | None:
    """Return sample_weight as float64 (n,); None if all are 1, or if it is None."""
    if weights is None:
        return None
    found = as_line(weights, "sample_weight")
    if found.dtype.kind not in "iuf" or found.shape != (n,):
        mask = "; a mask? leave these rows out of A instead" if found.dtype.kind == "b" else ""
        raise ValueError(f"sample_weight must hold {n} numbers, one a row, got {found.dtype} {found.shape}{mask}")
    found = found.astype(np.float64)
    bad = np.flatnonzero(~(np.isfinite(found) & (found >= 0)))
    if bad.size:
        raise ValueError(f"sample_weight must not be negative, NaN or infinite, got {found[bad[0]]:g} for row {bad[0]}")
    if not 0 < found.sum() < HEAVIEST:
        raise ValueError(f"the sum of sample_weight must be above 0 and below {HEAVIEST:g}, got {found.sum():g}")
    return None if (found == 1).all() else found


def numbers_a_row(values: Any, name: str, n: int) -> np.ndarray:
    """Return n finite numbers, one a row, as float64 (n,)."""
    found = as_line(values, name)
    if found.dtype.kind not in "iuf" or found.shape != (n,):
        raise ValueError(f"{name} must hold {n} numbers, one a row, got {found.dtype} {found.shape}")
    finite_rows(np.isfinite(found), name)
    return found.astype(np.float64)


def constraints(must: Any, never: Any, k: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return `must` and `never` as int64 row numbers, between them k medoids that are possible; None is no row."""
    must, never = (
        np.empty(0, np.int64) if _is_empty(rows) else medoids(rows, n, name)
        for rows, name in ((must, "must"), (never, "never"))
    )
    both = np.intersect1d(must, never)
    if both.size:
        raise ValueError(f"row {both[0]} is in must and in never: take it out of one of them")
    if len(must) > k:
        raise ValueError(f"must holds {len(must)} rows, more than the {k} medoids: ask for more medoids")
    if n - len(never) < k:
        raise ValueError(f"never leaves {n - len(never)} of {n} rows for {k} medoids: ask for fewer medoids")
    return must, never


def _is_empty(rows: Any) -> bool:
    """Whether no rows were given: None, or a list without entries."""
    return rows is None or (isinstance(rows, list | tuple) and not rows) or getattr(rows, "shape", None) == (0,)


def kept_to(medoids: np.ndarray, must: np.ndarray, never: np.ndarray, name: str) -> None:
    """Raise unless the medoids hold all rows of `must` and none of `never`."""
    missing, barred = np.setdiff1d(must, medoids), np.intersect1d(medoids, never)
    if missing.size:
        raise ValueError(f"{name} must hold every row of must, but row {missing[0]} is missing: put it in")
    if barred.size:
        raise ValueError(f"{name} must hold no row of never, but row {barred[0]} is there: take it out")


def choice(
    chosen: Any, sample_weight: Any, must: Any, never: Any, n: int
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray, np.ndarray]:
    """Return medoids that are to be judged, the weights, and the `must` and `never` that the medoids keep to."""
    chosen, weight = medoids(chosen, n, "medoids"), weights(sample_weight, n)
    must, never = constraints(must, never, len(chosen), n)
    kept_to(chosen, must, never, "medoids")
    return chosen, weight, must, never


def noise_price(value: Any) -> float | None:
    """Return the price for leaving an item out as a float above 0; None stays None."""
    if value is None:
        return None
    price = _kinds.number(value, "noise_price", 0)
    if price == 0:
        raise ValueError("noise_price must be above 0: at 0 no item but the medoids is worth to be kept")
    return price


def plain_on_device(
    A: Any, weight: np.ndarray | None, must: np.ndarray, never: np.ndarray, price: float | None
) -> None:
    """Raise if A is a tensor on a device and anything was asked for that is known on the CPU only."""
    if off_cpu(A) and (weight is not None or price is not None or must.size or never.size):
        raise ValueError(
            f"sample_weight, must, never and noise_price are for items on the CPU, got a tensor on {A.device}: "
            "pass A.cpu()"
        )


def init(init: Any, k: int, n: int, words: tuple[str, ...]) -> None:
    """Raise unless `init` is one of the words, or k distinct row numbers."""
    if isinstance(init, str):
        one_of(init, "init", words)
    elif len(medoids(init, n, "init")) != k:
        raise ValueError(f"init must list n_clusters={k} row numbers, got {len(init)}")


def finite_rows(finite: np.ndarray, name: str) -> None:
    """Raise if any entry of `finite` (n,) is False, naming the first rows."""
    bad = np.flatnonzero(~finite)
    if bad.size:
        rows = ", ".join(map(str, bad[:5])) + (", ..." if bad.size > 5 else "")
        raise ValueError(f"{name} has NaN or infinity in {bad.size} of {len(finite)} rows: {rows}")


def whole_number(value: Any, name: str, low: int, high: int | None = None, why: str = "") -> int:
    """Return `value` as an int within [low, high]; bools, floats, strings and None are refused."""
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, got {shown(value)}") from None
    if high is not None and high < low:
        raise ValueError(f"there are too few items: {name} must be at least {low}, and at most {high} is possible{why}")
    if number < low or (high is not None and number > high):
        span = f"between {low} and {high}{why}" if high is not None else f"at least {low}"
        raise ValueError(f"{name} must be {span}, got {shown(number)}")
    return number


def seed(random_state: Any) -> int:
    """A seed from what scikit-learn takes: a whole number as it is, else one drawn from a generator.

    None draws from NumPy's global generator, which `np.random.seed` sets.
    """
    if random_state is None:
        return int(np.random.randint(2**31))  # noqa: NPY002
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31))
    return whole_number(random_state, "random_state", 0)


def some_ks(ks: Any, n: int | None) -> list[int]:
    """Return numbers of clusters as ascending ints, distinct and between 2 and n - 1; n is None if it is not known."""
    if isinstance(ks, str | bytes | dict) or not hasattr(ks, "__len__") or getattr(ks, "ndim", 1) != 1:
        raise TypeError(f"ks must be a list of numbers of clusters, got {shown(ks)}")
    most = None if n is None else n - 1
    ks = [whole_number(k, "each of ks", 2, most, " (the number of rows less one)") for k in ks]
    if not ks or len(set(ks)) < len(ks):
        raise ValueError(f"ks must list at least one number of clusters, each once, got {ks[:20]}")
    return sorted(ks)


def one_of(value: Any, name: str, allowed: tuple[str, ...]) -> None:
    """Raise unless `value` is one of the words in `allowed`."""
    if not (isinstance(value, str) and value in allowed):
        words = ", ".join(map(repr, allowed))
        meant = ELSEWHERE.get(value) if isinstance(value, str) else None
        hint = f"; for that take {name}={meant!r}" if meant in allowed else ""
        raise ValueError(f"{name} must be one of {words}, got {shown(value)}{hint}")
