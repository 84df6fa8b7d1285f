"""What the exercises of notebook 02 are checked with: each says what is wrong and why, or why it is right."""

import numpy as np

import simlib


def check_1(answer, D, state):
    """The exchange (point out, point in) that helps most after that of Figure 3."""
    assert isinstance(answer, tuple) and len(answer) == 2, (  # noqa: PT018
        f"answer_1 is a pair (point that leaves, point that comes), got {answer!r}"
    )
    out, into = map(int, answer)
    medoids = [int(m) for m in state.medoids]
    assert out in medoids, f"point {out} is no medoid on the right of Figure 3; the medoids are {medoids}"
    assert into in range(len(D)), f"there is no point {into}: they are numbered 0 to {len(D) - 1}"
    assert into not in medoids, f"point {into} is a medoid already"
    best = simlib.certify(D, medoids, metric="precomputed")
    then = float(D[:, [m for m in medoids if m != out] + [into]].min(axis=1).sum())
    assert then - state.inertia <= best.best_delta, (
        f"with {out} out and {into} in the inertia is {then:.0f}, from {state.inertia:.0f}: count the steps in each "
        "cluster; in one of them the medoid is not the point in the middle"
    )
    print(
        f"right: {out} leaves, {into} comes, and {state.inertia:.0f} becomes {then:.0f}. This one the loop finds too: "
        f"{into} lies in the cluster of {out}"
    )


def check_2(answer, points):
    """From how many of the 84 starts the loop arrives with the straight-line distance."""
    assert isinstance(answer, int | np.integer), f"answer_2 is a whole number of starts, got {answer!r}"
    assert 0 <= answer <= 84, f"there are 84 starts, got {answer}"
    steps = points[:, None] - points
    straight, taxi = np.hypot(*np.moveaxis(steps, 2, 0)), abs(steps).sum(axis=2).astype(float)
    arrived, by_taxi = _arrived(straight), _arrived(taxi)
    assert answer != by_taxi or arrived == by_taxi, f"{by_taxi} is the number for the taxi's distance"
    assert answer != 84 - arrived, f"{answer} starts end elsewhere; asked is from how many the loop arrives"
    assert answer == arrived, (
        f"not {answer}: compare each inertia with the smallest of all, within rounding, as np.isclose does"
    )
    print(f"right: {arrived} of 84, by taxi it was {by_taxi}: the loop gets stuck by its nature, not by the distance")


def _arrived(D):
    from itertools import combinations

    ends = [
        simlib.kmedoids(D, 3, metric="precomputed", method="alternate", init=three).inertia
        for three in combinations(range(len(D)), 3)
    ]
    best = min(D[:, list(three)].min(axis=1).sum() for three in combinations(range(len(D)), 3))
    return int(np.isclose(ends, best).sum())


def check_3(best_exchange):
    """A function best_exchange(D, medoids) that tries every exchange and returns (change, out, in)."""
    assert callable(best_exchange), f"best_exchange is a function, got {best_exchange!r}"
    rng = np.random.default_rng(0)
    for n, k in [(9, 3), (20, 4), (15, 1)]:
        D = rng.integers(1, 50, (n, n)).astype(float)
        D = np.triu(D, 1) + np.triu(D, 1).T
        medoids = rng.choice(n, k, replace=False)
        before = medoids.copy()
        found = best_exchange(D, medoids)
        assert isinstance(found, tuple) and len(found) == 3, (  # noqa: PT018
            f"return the three (change, out, in), got {found!r}"
        )
        assert np.array_equal(medoids, before), "the list of medoids was changed: work on a copy"
        change, out, into = float(found[0]), int(found[1]), int(found[2])
        assert out in medoids, f"{out} is no medoid: return row numbers, not positions"
        assert into not in medoids, f"{into} is a medoid already: leave those out of the inner loop"
        proof = simlib.certify(D, medoids, metric="precomputed")
        assert np.isclose(change, proof.best_delta), (
            f"with n = {n}, k = {k} the best change is {proof.best_delta:g}, got {change:g}: is the new inertia less "
            "the old one, over all items, each with its nearest of the new medoids?"
        )
        kept = D[:, [*medoids[medoids != out], into]].min(axis=1).sum() - D[:, medoids].min(axis=1).sum()
        assert np.isclose(kept, change), f"{out} out and {into} in changes the inertia by {kept:g}, not by {change:g}"
    print("right: the same best exchange as simlib.certify, by k (n - k) sums over all n items")
