"""What the exercises of notebook 01 are checked with: each says what is wrong and why, or why it is right."""

import numpy as np

import simlib


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


def check_2(answer):
    """The mean correlation of two different images of digits."""
    assert isinstance(answer, float | int | np.floating), f"answer_2 is a number, got {answer!r}"
    pixels = simlib.load("digits").vectors
    cosine, correlation = (_mean_of_pairs(f(pixels)) for f in (simlib.cosine_similarity, simlib.correlation))
    n, d = pixels.shape
    with_itself = (correlation * (n - 1) + 1) / n
    assert abs(answer - cosine) > 6e-4, f"{answer} is the mean cosine; correlation takes off each row's mean first"
    assert round(with_itself, 4) != round(answer, 4), "that counts each image with itself: leave the diagonal out"
    assert abs(answer - correlation) <= 6e-4, (
        f"not {answer}: the sum of the matrix less its diagonal, over {n} x {n - 1} pairs; "
        f"are the images the rows, ({n}, {d})?"
    )
    print(f"right: {correlation:.3f}, by cosine {cosine:.3f}. What every image shares, its mean ink, no longer counts")


def _mean_of_pairs(S):
    n = len(S)
    return float((S.sum(dtype=np.float64) - S.trace(dtype=np.float64)) / (n * (n - 1)))


def check_3(cosine_by_tiles, X):
    """A function cosine_by_tiles(X, size) that computes the upper tiles and mirrors them."""
    assert callable(cosine_by_tiles), f"cosine_by_tiles is a function, got {cosine_by_tiles!r}"
    few = X[:50]
    S = cosine_by_tiles(few, 16)
    assert isinstance(S, np.ndarray), f"it must return an array, got {type(S).__name__}: is there a return?"
    assert S.shape == (50, 50), f"50 words must give a matrix (50, 50), got {S.shape}"
    expected = simlib.cosine_similarity(few)
    wrong = np.argwhere(~(abs(S - expected) < 1e-5))
    assert not len(wrong) or (wrong // 16 < 3).all(), (
        f"entry {tuple(map(int, wrong[-1]))} is wrong: the last tile is smaller than the others when size does not "
        "divide n; is it left out?"
    )
    assert not len(wrong) or (wrong[:, 0] <= wrong[:, 1]).any(), "below the diagonal nothing is right: mirror the tiles"
    assert not len(wrong), f"entry {tuple(map(int, wrong[0]))} is {S[tuple(wrong[0])]:.3f}: are the rows of length 1?"
    assert (S == S.T).all(), "the two halves differ in their last bits: copy each tile, do not compute it twice"
    for size in (7, 999, 5000):
        assert abs(cosine_by_tiles(X, size) - simlib.cosine_similarity(X)).max() < 1e-5, f"wrong with size = {size}"
    print("right: the same matrix for any size of tile, symmetric to the last bit, from half the products")
