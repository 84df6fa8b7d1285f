"""What the exercises of notebook 02 are checked with: each says what is wrong and why, or why it is right."""

from itertools import combinations

import numpy as np
from checks import explaining

import simlib

COMES, LEAVES = 8, 3  # the exchange of the first exercise


@explaining
def check_1(answer, D, stuck):
    """The change of the inertia when point 8 comes in place of medoid 3."""
    assert isinstance(answer, int | float | np.number), f"answer_1 is one number of steps, got {answer!r}"
    first, second = np.sort(D[:, stuck], axis=1)[:, :2].T
    gain = int(np.maximum(first - D[COMES], 0).sum())
    after = D[:, [m for m in stuck if m != LEAVES] + [COMES]].min(axis=1).sum()
    right = int(after - first.sum())
    assert answer != -right, "the number is right and the sign is not: the change is negative where the inertia falls"
    assert answer != after, "that is the inertia afterwards; the change is what it gained or lost"
    assert answer != -gain, "that is the gain alone: point 3 leaves as well, and its items must find another medoid"
    lost = int((second - first)[np.asarray(stuck)[D[:, stuck].argmin(axis=1)] == LEAVES].sum())
    assert lost - gain == right or answer != lost - gain, (
        "an item of the medoid that leaves may take the candidate: it pays d2 only where the candidate is farther"
    )
    assert answer == right, (
        f"{answer} is not the change: write d1, d2 and the distance to point {COMES} under each of the nine points, "
        "and ask of each point which zone of Figure 5 it is in"
    )
    print(
        f"right: the points 6, 7 and 8 save {gain}, point 3 pays {right + gain}, and the inertia changes by {right}. "
        "Point 6 as the candidate saves one step more"
    )


@explaining
def check_2(answer, points):
    """From how many of the 84 starts the loop arrives with the straight-line distance."""
    assert isinstance(answer, int | np.integer), f"answer_2 is a whole number of starts, got {answer!r}"
    assert 0 <= answer <= 84, f"there are 84 starts, got {answer}"
    steps = points[:, None] - points
    straight, taxi = np.hypot(*np.moveaxis(steps, 2, 0)), abs(steps).sum(axis=2).astype(float)
    (arrived, exactly), (by_taxi, _) = _arrived(straight), _arrived(taxi)
    assert answer != by_taxi or arrived == by_taxi, f"{by_taxi} is the number for the taxi's distance"
    assert answer != 84 - arrived, f"{answer} starts end elsewhere; asked is from how many the loop arrives"
    assert answer != exactly or exactly == arrived, (
        f"{answer} of the inertias are equal to the last bit; others differ by rounding alone, and count as well"
    )
    assert answer == arrived, f"{answer} is not it: is each inertia compared with the smallest of all 84 choices?"
    print(
        f"right: {arrived} of 84, and by taxi it was {by_taxi}. The straight line helps on these points, and the loop "
        "still gets stuck"
    )


def _arrived(D):
    """How many starts of the loop end at the best inertia: within rounding, and to the last bit."""
    choices = list(combinations(range(len(D)), 3))
    fits = [simlib.kmedoids(D, 3, metric="precomputed", method="alternate", init=three) for three in choices]
    ends = np.array([D[:, fit.medoids].min(axis=1).sum() for fit in fits])
    best = min(D[:, list(three)].min(axis=1).sum() for three in choices)
    return int(np.isclose(ends, best).sum()), int((ends == best).sum())


@explaining
def check_3(build):
    """A function build(D, k) that takes the items that help most, one after the other."""
    assert callable(build), f"build is a function, got {build!r}"
    rng = np.random.default_rng(0)
    for n, k in [(9, 3), (20, 4), (15, 1)]:
        D = rng.integers(1, 50, (n, n)).astype(float)
        D = np.triu(D, 1) + np.triu(D, 1).T
        before = D.copy()
        found = build(D, k)
        assert np.array_equal(D, before), "the distances were changed: work on a copy"
        assert isinstance(found, list | tuple | np.ndarray), f"return a list of k row numbers, got {found!r}"
        taken = [int(j) for j in found]
        assert len(taken) == k, f"asked for {k} row numbers, got {len(taken)}"
        assert len(set(taken)) == k, f"a row number occurs twice in {taken}: an item can be taken once"
        assert set(taken) <= set(range(n)), f"{taken} are no row numbers of {n} items"
        right = _greedy(D, k)
        assert set(taken) != set(right) or taken == right, "the right items in another order: return them as they came"
        assert taken[0] != int(D.sum(axis=1).argmax()), "the first has the largest sum of distances; asked is the least"
        assert taken[0] == right[0], f"the first of {n} items is not the one whose distances have the smallest sum"
        alone = np.argsort(D.sum(axis=1), kind="stable")[:k].tolist()
        assert taken == right or taken != alone, (
            "these have the smallest sums, each judged alone: after the first, an item helps only where it is nearer "
            "than those that were taken before it"
        )
        assert taken == right, (
            f"{k} of {n} items: the first is right, a later one is not. Does each step compare the inertia with all "
            "that were taken so far, over all items?"
        )
    print("right: the same items as init='build' of simlib, and most of the swaps are saved before the first one")


def _greedy(D, k):
    """The row numbers of PAM's BUILD in the order in which they are taken."""
    taken, now = [], np.full(len(D), np.inf)
    for _ in range(k):
        sums = np.minimum(D, now[:, None]).sum(axis=0)
        sums[taken] = np.inf
        taken.append(int(sums.argmin()))
        now = np.minimum(now, D[:, taken[-1]])
    return taken
