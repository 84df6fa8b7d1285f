"""What the exercises of notebook 03 are checked with: each says what is wrong and why, or why it is right."""

import numpy as np

import simlib


def check_1(answer, scan):
    """The column that first tells of crumbs: "smallest" or "singletons"."""
    assert isinstance(answer, str), f"answer_1 is the name of a column, a text in quotation marks, got {answer!r}"
    answer = answer.strip().lower()
    columns = ("inertia", "mean similarity", "medoid silhouette", "silhouette", "smallest", "largest", "singletons")
    assert answer in columns, f"{answer!r} is no column of the table; its columns are {', '.join(columns)}"
    assert answer not in columns[:4], (
        f"{answer} is at its best on the last line: it praises crumbs, it does not tell of them; "
        "look at the columns that count words"
    )
    assert answer != "largest", (
        f"the largest cluster still has {scan.largest[-1]} words at k = {scan.ks[-1]}; crumbs are at the other end"
    )
    assert answer != "singletons", (
        f"singletons counts clusters of one word, {scan.singletons[-1]} on the last line: it tells too late; "
        "which column falls to a handful before?"
    )
    print(
        f"right: the smallest cluster falls from {scan.smallest[-2]} words to {scan.smallest[-1]} "
        f"at k = {scan.ks[-1]}, while singletons still counts {scan.singletons[-1]}"
    )


def check_2(answer, few):
    """The k at which the silhouette peaks when the digits are compared by correlation; `few`: their scan by cosine."""
    assert isinstance(answer, int | np.integer), (
        f"answer_2 is a whole number, the k of the largest silhouette, got {answer!r}"
    )
    assert answer in few.ks, f"{answer} is not among the scanned ks {few.ks.tolist()}"
    scan = simlib.scan_k(simlib.load("digits").vectors, few.ks.tolist(), metric="correlation")
    peak, before = (int(each.ks[each.silhouette.argmax()]) for each in (scan, few))
    asked = "scan_k(digits.vectors, KS_DIGITS, metric='correlation')"
    assert answer != scan.ks[-1], f"{answer} is where the inertia ends, and inertia always falls; take the silhouette"
    assert answer == peak, f"not {answer}: take scan.ks[scan.silhouette.argmax()] of scan = {asked}"
    moved = f"from {before} to {peak}" if peak != before else f"it stays at {peak}"
    print(
        f"right: {moved}. Correlation takes an image's mean off first, so it asks where the ink is and not how much "
        f"of it; and the peak is flat, {scan.silhouette.max():.3f} against {scan.silhouette[scan.ks == 10][0]:.3f} at "
        "10: do not read it to the unit"
    )


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
        "divide by np.linalg.norm(X, axis=1, keepdims=True)"
    )
    mean = float((X @ X.T)[np.triu_indices(500, 1)].mean())
    assert abs(mean) < 0.02, (
        f"the mean cosine of two rows is {mean:.2f}, not about 0: the directions favour a side. Numbers from 0 to 1, "
        "as rng.random gives, all point into one corner; rng.normal has no favourite"
    )
    spread = float((X @ X.T)[np.triu_indices(500, 1)].std())
    assert spread < 2 / np.sqrt(40), f"cosines spread by {spread:.2f}, more than 1/sqrt(40) = 0.16: are rows repeated?"
    assert np.array_equal(X, cloud(500, 40, 0)), "the same seed gave other numbers: use np.random.default_rng(seed)"
    assert not np.array_equal(X, cloud(500, 40, 1)), "another seed gave the same numbers: the seed is not used"
    print(
        f"right: {len(X)} directions of length 1, mean cosine {abs(mean):.3f}: none is better than another, there is "
        "nothing to find, and its scan shows what a criterion does with nothing"
    )
