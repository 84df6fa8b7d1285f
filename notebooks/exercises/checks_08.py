"""What the exercises of notebook 08 are checked with: each says what is wrong and why, or why it is right."""

from itertools import permutations

import numpy as np
from checks import explaining

import simlib


@explaining
def check_1(answer):
    """How many dimensions make the standard deviation of random cosines 0.01."""
    assert isinstance(answer, float | int | np.number), f"answer_1 is a number of dimensions, got {answer!r}"
    assert answer != 100, "the deviation is 1 over the square root of d: d = 100 gives 0.1"
    assert answer != 0.1, "that is the square root of 0.01; here 1 over the square root of d must be 0.01"
    assert answer > 0, f"a number of dimensions is above 0, got {answer}"
    assert round(answer) == 10_000, f"d = {answer:,} gives {1 / np.sqrt(answer):.4f}, not 0.01"
    print("right: 10,000. Ten times less scatter takes a hundred times as many dimensions")


@explaining
def check_2(answer):
    """The mean correlation of two different images of digits."""
    assert isinstance(answer, float | int | np.floating), f"answer_2 is a number, got {answer!r}"
    pixels = simlib.load("digits").vectors
    cosine, correlation = (_mean_of_pairs(f(pixels)) for f in (simlib.cosine_similarity, simlib.correlation))
    n, d = pixels.shape
    with_itself = (correlation * (n - 1) + 1) / n
    columns = _mean_of_pairs(simlib.correlation(pixels.T))
    assert abs(answer - cosine) > 6e-4, f"{answer} is the mean cosine; correlation takes off each row's mean first"
    assert round(with_itself, 4) != round(answer, 4), "that counts each image with itself: leave the diagonal out"
    assert abs(answer - columns) > 6e-4, f"that compares the {d} pixels: the {n} images are the rows"
    assert abs(answer - correlation) <= 6e-4, (
        f"not {answer}: the sum of the matrix less its diagonal, over {n} x {n - 1} pairs"
    )
    print(f"right: {correlation:.3f}, by cosine {cosine:.3f}. What every image shares, its mean ink, no longer counts")


def _mean_of_pairs(S):
    n = len(S)
    return float((S.sum(dtype=np.float64) - S.trace(dtype=np.float64)) / (n * (n - 1)))


@explaining
def check_3(detours, X):
    """A function detours(D) that counts the triples whose detour is shorter than the direct way."""
    assert callable(detours), f"detours is a function, got {detours!r}"
    arrows = 1 - simlib.cosine_similarity(np.array([[1.0, 0], [1, 1], [0, 1]]))
    found = detours(arrows)
    assert isinstance(found, int | float | np.number), f"it must return a number, got {type(found).__name__}"
    assert found != 2, "the three arrows have one detour, got 2: (i, j, k) and (k, j, i) are one, so i < k"
    assert found == 1, f"the three arrows of Figure 1 have one detour, from a by b to c; got {found}"
    line = abs(np.arange(5.0)[:, None] - np.arange(5.0))
    assert detours(line) == 0, (
        f"points on a line have no shorter detour, got {detours(line)}: a way of the same length is not shorter"
    )
    near = np.random.default_rng(0).random((7, 7)) + 0.2
    near = (near + near.T) * (1 - np.eye(7))
    triples = [(i, j, k) for i, j, k in permutations(range(7), 3) if i < k and near[i, j] + near[j, k] < near[i, k]]
    pairs = len({(i, k) for i, _, k in triples})
    found = detours(near)
    assert found != pairs or found == len(triples), (
        f"that counts pairs with a detour, {pairs}; a pair with two of them counts twice"
    )
    assert found == len(triples), f"seven points have {len(triples)} detours, your function finds {found}"
    S = simlib.cosine_similarity(X.astype(np.float64))
    every = len(X) * (len(X) - 1) * (len(X) - 2) // 2
    print(
        f"right: among {len(X)} words {detours(1 - S):,} of {every:,} triples have a shorter detour by 1 - cosine, and "
        f"{detours(np.arccos(S)):,} by the angle"
    )
