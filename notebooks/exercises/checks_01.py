"""What the exercises of notebook 01 are checked with: each says what is wrong and why, or why it is right."""

from typing import ClassVar

import numpy as np
from checks import explaining

import simlib

SIZE = 16  # rows of a tile in the small trials
PRODUCTS = (np.dot, np.inner, np.tensordot, np.einsum)  # beside @, which is np.matmul


@explaining
def check_1(answer):
    """How many words' outer products fill 16 GB."""
    assert isinstance(answer, int | np.integer), f"answer_1 is a whole number of words, got {answer!r}"
    d, room = 384, 16e9
    assert answer != int((room / d) ** 0.5), "that counts bytes as numbers: a float32 takes 4 bytes"
    assert answer != int(room / (4 * d)), "that is n x n: the stack has n x n x d numbers, so take the square root"
    assert answer != int((room / 4) ** 0.5), "that is the result alone, n x n: the stack holds d = 384 of those"
    assert answer * answer * d * 4 <= room, f"{answer:,} words take {answer**2 * d * 4 / 1e9:.1f} GB, more than 16"
    assert (answer + 1) ** 2 * d * 4 > room, f"{answer:,} words take {answer**2 * d * 4 / 1e9:.1f} GB: more would fit"
    print(f"right: {answer:,} words and 16 GB are full; a result of as many words takes {answer**2 * 4 / 1e9:.2f} GB")


@explaining
def check_2(answer, X, names):
    """Which of the first 100 words is most similar, on average, to all words."""
    assert isinstance(answer, str), f"answer_2 is a word, got {answer!r}"
    few = names[:100].tolist()
    assert answer in few, f"{str(answer)!r} is not one of the first 100 names"
    mean = simlib.cosine_similarity(X[:100], X).mean(axis=1, dtype=np.float64)
    among = simlib.cosine_similarity(X[:100]).mean(axis=1, dtype=np.float64)
    best = int(mean.argmax())
    given = few.index(answer)
    assert given != mean.argmin() or given == best, f"{answer} has the lowest mean of the 100: look for the highest"
    assert given != among.argmax() or given == best, (
        f"{answer} is most similar to the 100 themselves: the second argument must be all n rows"
    )
    assert given == best, f"{answer} has a mean of {mean[given]:.3f}; {sum(mean > mean[given])} of the 100 have more"
    print(f"right: {answer}, {mean[best]:.3f} on average. A matrix (100, n) is enough to know it, not (n, n)")


@explaining
def check_3(cosine_by_tiles, X):
    """A function cosine_by_tiles(X, size) that multiplies the upper tiles and mirrors them."""
    assert callable(cosine_by_tiles), f"cosine_by_tiles is a function, got {cosine_by_tiles!r}"
    _right_numbers(cosine_by_tiles, X[: 3 * SIZE])
    _half_the_work(cosine_by_tiles, X[: 3 * SIZE])
    _last_tile(cosine_by_tiles, X[: 3 * SIZE + 2])
    for size in (7, 999, 5000):
        assert abs(cosine_by_tiles(X, size) - simlib.cosine_similarity(X)).max() < 1e-5, f"wrong with size = {size}"
    print("right: the same matrix for any size of tile, symmetric to the last bit, from half the products")


def _right_numbers(cosine_by_tiles, few):
    """Three tiles along a side, all of one size."""
    n, before = len(few), few.copy()
    S = cosine_by_tiles(few, SIZE)
    assert (few == before).all(), "your function changes the X that it was given: scale a copy"
    assert isinstance(S, np.ndarray), f"it must return an array, got {type(S).__name__}: is there a return?"
    assert S.shape == (n, n), f"{n} words must give a matrix ({n}, {n}), got {S.shape}"
    expected = simlib.cosine_similarity(few)
    good = abs(S - expected) < 1e-5
    upper = np.triu(np.ones((n, n), bool))
    tile = np.arange(n) // SIZE
    lengths = np.linalg.norm(few.astype(np.float64), axis=1)
    assert not np.allclose(S[upper], (expected * np.outer(lengths, lengths))[upper], rtol=1e-4), (
        "these are the dot products: scale the rows to length 1 first"
    )
    assert not good[tile[:, None] != tile].all() or good.all(), (
        "only the tiles on the diagonal are wrong: does your inner loop begin at i?"
    )
    turned = [(i, j) for i in range(3) for j in range(i + 1, 3)]
    a, b = (slice(SIZE * k, SIZE * (k + 1)) for k in turned[0])
    assert good.all() or not good[upper].all() or abs(S[b, a] - S[a, b]).max() > 1e-5, (
        "above the diagonal all is right; below it each tile lies as it was above: a mirror image is turned over, .T"
    )
    assert good.all() or not good[upper].all(), (
        "above the diagonal all is right, below it is not: copy each tile to its mirror image"
    )
    wrong = np.argwhere(~good)
    assert not len(wrong), (
        f"entry {tuple(map(int, wrong[0]))} is {S[tuple(wrong[0])]:.3f}, and it should be \
{expected[tuple(wrong[0])]:.3f}"
    )
    assert (S == S.T).all(), "the two halves differ in their last bits: copy each tile, do not compute it twice"


def _half_the_work(cosine_by_tiles, few):
    """The rows that it is given keep count of the products that they take part in."""
    n = len(few)
    counted = few.view(_Counted)
    _Counted.results = []
    cosine_by_tiles(counted, SIZE)
    entries, half = sum(rows * columns for rows, columns in _Counted.results), n * (n + SIZE) // 2
    assert entries, (
        "the numbers are right, but no product of rows of X was seen: multiply them yourself with @, tile by tile"
    )
    rows, columns = max(_Counted.results, key=max)
    assert entries < n * n, (
        f"the numbers are right, but {entries:,} of {n * n:,} entries were multiplied, all of them: that is a whole "
        "product. Leave out the tiles below the diagonal"
        if max(rows, columns) <= SIZE
        else f"the numbers are right, but one product of {rows} x {columns} entries made the whole matrix at once: "
        f"with size = {SIZE} no product should be larger than {SIZE} x {SIZE}"
    )
    assert max(rows, columns) <= SIZE, (
        f"about half the entries were multiplied, as asked, but in a strip of {rows} x {columns}: cut it into tiles of "
        f"{SIZE} x {SIZE} with a second loop"
    )
    assert entries <= half, f"{entries:,} entries were multiplied; the tiles on and above the diagonal have {half:,}"


def _last_tile(cosine_by_tiles, few):
    """Two rows more than whole tiles."""
    try:
        S = cosine_by_tiles(few, SIZE)
    except ValueError as error:
        raise AssertionError(
            f"{len(few)} words with size = {SIZE} stop with: {error}. The last tile is smaller than the others, and "
            "its mirror image is turned over"
        ) from None
    expected = simlib.cosine_similarity(few)
    good = S.shape == expected.shape and (abs(S - expected) < 1e-5).all()
    assert good, (
        f"{len(few)} words with size = {SIZE} go wrong: the last tile is smaller than the others when size does not "
        "divide n. Is it left out?"
    )


class _Counted(np.ndarray):
    """An array that notes the shape of each matrix product that it, or a part of it, takes part in."""

    results: ClassVar[list[tuple[int, int]]] = []

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        """Compute as an array does; note the shape if it is a matrix product."""
        plain = [np.asarray(each) if isinstance(each, _Counted) else each for each in inputs]
        into = {} if out is None else {"out": tuple(np.asarray(each) for each in out)}
        result = getattr(ufunc, method)(*plain, **into, **kwargs)
        if ufunc is np.matmul:
            _note(result)
        return result.view(_Counted) if isinstance(result, np.ndarray) else result

    def __array_function__(self, function, types, args, kwargs):
        """The same for np.dot and its relatives."""
        result = super().__array_function__(function, types, args, kwargs)
        if function in PRODUCTS:
            _note(result)
        return result


def _note(result):
    shape = np.shape(result)
    _Counted.results.append((*shape, 1, 1)[:2] if len(shape) < 3 else (shape[-2], shape[-1] * int(np.prod(shape[:-2]))))
