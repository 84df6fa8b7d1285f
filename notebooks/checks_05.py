"""What the exercises of notebook 05 are checked with: each says what is wrong and why, or why it is right."""

import numpy as np
from checks import explaining

import simlib


@explaining
def check_1(answer):
    """The most items whose float32 matrix takes 16 GB at most."""
    assert isinstance(answer, int | np.integer), f"answer_1 is a whole number of items, got {answer!r}"
    assert answer != int((16e9 / 2) ** 0.5), "that is for float16, 2 bytes a number; float32 takes 4"
    assert answer != int(16e9 / 4), "that many numbers fit; the matrix of n items has n x n of them"
    assert answer * answer * 4 <= 16e9 < (answer + 1) ** 2 * 4, f"{answer:,} items take {answer**2 * 4 / 1e9:.2f} GB"
    print(f"right: {answer:,}; twice as many items would take 64 GB")


@explaining
def check_2(answer, X):
    """The inertia of 64 clusters of the words by correlation, without a matrix."""
    assert isinstance(answer, float | np.floating), f"answer_2 is a number, the inertia, got {answer!r}"
    right, by_cosine = (
        simlib.kmedoids(X, 64, metric=metric, init="build").inertia for metric in ("correlation", "cosine")
    )
    assert abs(answer - by_cosine) > 1e-3, "that is by cosine; correlation is asked for"
    assert abs(answer - right) < 2e-3 * right, f"{answer:.1f} is not it: are there 64 clusters, of all items of X?"
    assert abs(answer - right) < 0.01, (
        f"{answer:.1f} is near, and so another end of the search: does it begin with the greedy start?"
    )
    print(f"right: {right:.1f}, against {by_cosine:.1f} by cosine: the rows' means were small")


@explaining
def check_3(way):
    """A function way(n, d, gigabytes) that names what fits."""
    assert callable(way), f"way is a function, got {way!r}"
    words = {"matrix", "half", "vectors", "dask"}
    for n, d, gigabytes, expected in [
        (20_000, 384, 4, "matrix"),
        (20_000, 384, 1, "half"),
        (20_000, 384, 0.5, "vectors"),
        (100_000, 384, 24, "half"),
        (100_000, 384, 8, "vectors"),
        (1_000_000, 384, 24, "vectors"),
        (100_000_000, 64, 24, "dask"),
    ]:
        found = way(n, d, gigabytes)
        assert found in words, f"way must return one of {sorted(words)}, got {found!r}: is there a return?"
        sizes = {"matrix": n * n * 4 / 1e9, "half": n * n * 2 / 1e9, "vectors": n * d * 4 / 1e9}
        told = ", ".join(f"{name} {size:,.2f} GB" for name, size in sizes.items())
        assert found == expected, (
            f"n = {n:,}, d = {d} and {gigabytes} GB gave {found!r}, and these are the sizes: {told}. Which is the "
            "first that fits?"
        )
    print("right: a million items leave the matrix behind, and 100 million the machine")
