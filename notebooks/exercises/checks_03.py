"""What the exercises of notebook 03 are checked with: each says what is wrong and why, or why it is right."""

import numpy as np
from checks import explaining

import simlib

OWN, NEXT = (2, 1), (4, 5, 6)  # the distances of the point at 3 to its own cluster and to the next one


@explaining
def check_1(answer):
    """The silhouette of the point at 3."""
    assert isinstance(answer, int | float | np.number), f"answer_1 is one number, got {answer!r}"
    a, b = np.mean(OWN), np.mean(NEXT)

    def is_near(value):
        return abs(answer - value) < 0.005

    right = (b - a) / b
    assert not is_near(-right), "the number is right and its sign is not: b is larger than a, so it is above 0"
    assert not is_near(b - a), "that is b − a: it still has to be divided by the larger of the two"
    assert not is_near(1 - np.mean([0, *OWN]) / b), (
        "a counts the point itself, at a distance of 0: it is the mean over the other items of the cluster"
    )
    assert not is_near(1 - 1 / 5), "that is the medoid silhouette, from the two nearest medoids alone"
    far = np.mean([*NEXT, 11, 12, 13])
    assert not is_near(1 - a / far), "b counts the items of both other clusters: only the nearest one counts"
    assert not is_near(0.75), "that is the silhouette of the point at 9; asked is the point at 3"
    assert is_near(right), (
        f"{answer} is not it: write down the distances to the other items of its cluster, and those to the items of "
        "the next cluster; then take the two means"
    )
    print(f"right: a = {a}, b = {b:.0f}, and the silhouette is {right:.2f}. Its next cluster is nearer than that of 9")


@explaining
def check_2(answer, few):
    """The k at which the silhouette peaks when the digits are compared by correlation; `few`: their scan by cosine."""
    assert isinstance(answer, int | np.integer), (
        f"answer_2 is a whole number, the k of the largest silhouette, got {answer!r}"
    )
    assert answer in few.ks, f"{answer} is not among the scanned ks {few.ks.tolist()}"
    scan = simlib.scan_k(simlib.load("digits").vectors, few.ks.tolist(), metric="correlation")
    peak, before = (int(each.ks[each.silhouette.argmax()]) for each in (scan, few))
    assert answer != scan.ks[-1] or answer == peak, (
        f"{answer} is where the inertia ends, and inertia always falls; the silhouette is asked for"
    )
    assert answer == peak, (
        f"the silhouette is not largest at {answer}: is it the scan by correlation, and is it the silhouette over all "
        "items, not the one of the medoids?"
    )
    moved = f"from {before} to {peak}" if peak != before else f"it stays at {peak}"
    at_ten = f", {scan.silhouette.max():.3f} against {scan.silhouette[scan.ks == 10][0]:.3f} at 10" * (10 in scan.ks)
    print(
        f"right: {moved}. Correlation takes an image's mean off first, so it asks where the ink is and not how much "
        f"there is. The peak is flat{at_ten}: do not read it to the unit"
    )


@explaining
def check_3(cloud):
    """A function cloud(n, d, seed) that returns random directions of length 1."""
    assert callable(cloud), f"cloud is a function, got {cloud!r}"
    X = cloud(500, 40, 0)
    assert isinstance(X, np.ndarray), f"cloud must return an array, got {type(X).__name__}: is there a return?"
    assert X.shape == (500, 40), f"cloud(500, 40, 0) must have shape (500, 40), a row an item, got {X.shape}"
    assert np.isfinite(X).all(), "there are NaN or infinite numbers: was a row divided by a length of 0?"
    lengths = np.linalg.norm(X, axis=1)
    assert np.allclose(lengths, 1), (
        f"every row must have length 1, got lengths from {lengths.min():.2f} to {lengths.max():.2f}: "
        "divide each row by its own length"
    )
    cosines = (X @ X.T)[np.triu_indices(500, 1)]
    assert abs(cosines.mean()) < 0.02, (
        f"the mean cosine of two rows is {cosines.mean():.2f}, not about 0: the directions favour a side. Numbers from "
        "0 to 1 all point into one corner; numbers on both sides of 0 are needed"
    )
    assert cosines.std() < 2 / np.sqrt(40), (
        f"cosines spread by {cosines.std():.2f}, more than 1/sqrt(40) = 0.16: are rows repeated?"
    )
    assert np.array_equal(X, cloud(500, 40, 0)), "the same seed gave other numbers: give the seed to the generator"
    assert not np.array_equal(X, cloud(500, 40, 1)), "another seed gave the same numbers: the seed is not used"
    scan = simlib.scan_k(X, [2, 3, 5, 8, 12, 20, 30], metric="cosine")
    print(
        f"right: {len(X)} directions of length 1, and none is better than another. A scan from 2 to 30 clusters gets a "
        f"silhouette of {scan.silhouette.max():.3f} at most. A criterion still names a k, {scan.picks()[-1].k}, where "
        "there are no clusters"
    )
