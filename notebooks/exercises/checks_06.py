"""What the exercises of notebook 06 are checked with: each says what is wrong and why, or why it is right."""

import numpy as np
from checks import explaining
from sklearn.metrics import adjusted_rand_score

import simlib


@explaining
def check_1(answer, scores):
    """How many items have a silhouette below 0."""
    assert isinstance(answer, int | np.integer), (
        f"answer_1 is a whole number of words, got {answer!r}; the title of the figure of silhouettes tells the share"
    )
    below = int(np.sum(scores < 0))
    assert answer != round(100 * below / len(scores)), (
        f"{answer} is the share in percent; the question is how many words"
    )
    assert answer != len(scores) - below, f"{answer} words are closer to their own cluster; the others are asked for"
    assert answer == below, f"not {answer}: the page says it above its second table of misfits"
    print(
        f"right: {below:,} of {len(scores):,} words, {100 * below / len(scores):.0f} %. Twenty-four handsome cards "
        "would not have told; that is why a report must"
    )


@explaining
def check_2(answer, S, fit):
    """The adjusted Rand index of the scan's clusters and those of the greedy start."""
    assert isinstance(answer, float | np.floating), f"answer_2 is a number, an adjusted Rand index, got {answer!r}"
    theirs = simlib.kmedoids(S, len(fit.medoids), init="build")
    right = adjusted_rand_score(fit.labels, theirs.labels)
    assert abs(answer - np.mean(fit.labels == theirs.labels)) > 1e-6 or abs(answer - right) < 1e-6, (
        "that compares the numbers of the clusters, and two clusterings may number the same clusters differently"
    )
    assert abs(answer - 1) > 1e-6 or right == 1, "the same labels were compared with themselves"
    assert abs(answer - right) < 0.005, (
        f"{answer:.2f} is not it: is it the start by build, with as many clusters as `fit` has, and are the labels of "
        "all words compared?"
    )
    print(
        f"right: {right:.2f}, though the inertias, {fit.inertia:.1f} and {theirs.inertia:.1f}, differ by "
        f"{100 * abs(fit.inertia / theirs.inertia - 1):.2f} %. Two clusterings are equally good and not the same, "
        "as 02 found"
    )


@explaining
def check_3(safe):
    """A function safe(label) that returns what may stand in a CSV cell without being computed."""
    assert callable(safe), f"safe is a function, got {safe!r}"
    found = safe("trout")
    assert isinstance(found, str), f"safe('trout') must return text, got {found!r}: is there a return?"
    assert found == "trout", f"a harmless label must stay as it is, but 'trout' became {found!r}"
    for start in "=+-@\t\r":
        label = f"{start}1+1"
        assert safe(label) == "'" + label, (
            f"{label!r} became {safe(label)!r}; a spreadsheet computes what begins with = + - @, a tab or a carriage "
            "return, and shows it as text with an apostrophe in front"
        )
    assert safe("a=b") == "a=b", "only the first character counts: 'a=b' is no formula and must stay as it is"
    assert safe("") == "", "an empty label has no first character to look at, and must stay as it is"
    print(
        "right: one apostrophe, and a file from a stranger cannot make your reader's spreadsheet start a program. "
        "simlib.report.numbers.cell does the same"
    )
