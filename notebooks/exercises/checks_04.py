"""What the exercises of notebook 04 are checked with: each says what is wrong and why, or why it is right."""

import numpy as np
from checks import explaining

import simlib


@explaining
def check_1(answer):
    """The silhouette of a word with a = 0.5 and b = 0.4."""
    assert isinstance(answer, float | int | np.number), f"answer_1 is a number, got {answer!r}"
    assert -1 <= answer <= 1, f"a silhouette lies between -1 and 1, got {answer}"
    assert not np.isclose(answer, 0.2), "a is the distance to its own cluster, 0.5: the word is closer to the next one"
    assert not np.isclose(answer, -0.25), "divide by the larger of the two distances, not by the smaller"
    assert not np.isclose(answer, -0.1), "that is b - a: divide it by the larger of the two distances"
    assert np.isclose(answer, -0.2), f"not {answer}: work out (b - a) / max(a, b) once more, with a = 0.5 and b = 0.4"
    print("right: -0.2. The word lies a fifth closer to the next cluster than to its own")


@explaining
def check_2(answer, S, fit):
    """The percentage of words below 0 with an eighth as many clusters."""
    assert isinstance(answer, float | int | np.number), f"answer_2 is a number of percent, got {answer!r}"
    coarse = simlib.kmedoids(S, len(fit.medoids) // 8, init="build")
    before, after = (100 * np.mean(simlib.silhouette(S, each.labels) < 0) for each in (fit, coarse))
    assert abs(answer - before) > 0.05, (
        f"{answer:.1f} % belongs to the {len(fit.medoids)} clusters: were they clustered anew?"
    )
    assert abs(answer - after / 100) > 0.0005, f"that is a share: {answer:.3f} is {100 * answer:.1f} %"
    assert abs(answer - (100 - after)) > 0.5, "that is the part at 0 and above; the question is how many lie below"
    assert abs(answer - after) < 0.5, (
        f'not {answer:.1f} %: cluster S into {len(coarse.medoids)} with init="build", hand the labels to '
        "simlib.silhouette, and count the values below 0"
    )
    print(
        f"right: {after:.0f} %, with {len(fit.medoids)} clusters {before:.0f} %. Few clusters or many, the borders of "
        "these words are soft"
    )


@explaining
def check_3(kept, places):
    """A function kept(xy, neighbours) -> the share of each item's neighbours that stay near on the map."""
    assert callable(kept), f"kept is a function, got {kept!r}"
    line = np.column_stack([np.arange(5.0), np.zeros(5)])
    true = np.array([[2, 1], [2, 0], [1, 3], [2, 4], [3, 2]])
    shares = kept(line, true)
    assert isinstance(shares, np.ndarray | list | tuple), f"it must return an array, got {type(shares).__name__}"
    shares = np.asarray(shares, float)
    assert shares.shape == (5,), f"five items must give five shares, got the shape {shares.shape}"
    assert shares.max() <= 1, f"a share is at most 1, got {shares.max():g}: divide by the number of neighbours"
    assert shares[0] != 0.5, (
        "five points in a row, and the neighbours of the first are its two nearest: its share is 1, you have 0.5. "
        "Is the item itself among its nearest on the map?"
    )
    assert shares[0] != 0, "the neighbours of the first point are its two nearest: only their order differs, so 1"
    assert (shares == 1).all(), f"five points in a row, whose two nearest are the neighbours: all 1, got {shares}"
    draw = np.random.default_rng(0)
    xy = draw.random((60, 2))
    given = np.array([draw.choice(np.delete(np.arange(60), i), 7, replace=False) for i in range(60)])
    shares, expected = np.asarray(kept(xy, given), float), _kept(xy, given)
    wrong = np.flatnonzero(abs(shares - expected) > 1e-9)
    assert not len(wrong), (
        f"60 items at random: item {wrong[0]} keeps {7 * expected[wrong[0]]:.0f} of its 7, "
        f"you have {7 * shares[wrong[0]]:.1f}; are both numbers of xy in the distance?"
    )
    print(f"right: `places.kept` has these shares for the map above; chance would keep {100 * places.chance:.2f} %")


def _kept(xy, neighbours):
    far = np.hypot(*np.moveaxis(xy[:, None] - xy, 2, 0))
    np.fill_diagonal(far, np.inf)
    near = np.argsort(far, axis=1, kind="stable")[:, : neighbours.shape[1]]
    return (near[:, :, None] == neighbours[:, None, :]).any(axis=2).mean(axis=1)
