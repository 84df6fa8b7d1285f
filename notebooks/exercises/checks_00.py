"""What the exercises of notebook 00 are checked with: each says what is wrong and why, or why it is right."""

import numpy as np
from checks import explaining

import simlib


@explaining
def check_1(answer):
    """GB of the similarity matrix of 100,000 words in float32."""
    assert isinstance(answer, int | float | np.number), f"answer_1 is a number of GB, got {answer!r}"
    assert answer != 8, "five times the words are five times the rows and five times the columns"
    assert answer not in (10, 10.0), "that is a byte for each number; a float32 takes more"
    assert answer != 80, "that is the size in float64; S holds float32"
    assert answer != 20, "that counts each pair once, and S holds it twice"
    assert abs(answer - 40) < 0.5, f"{answer} GB is not it: how many numbers are there, and how many bytes has each?"
    print("right: 40 GB, 25 times as much for 5 times the words; notebook 05 is about what to do then")


@explaining
def check_2(answer, S, names, k):
    """The exemplars of the three that are exemplars with k clusters as well."""
    assert isinstance(answer, list | set | tuple), f"answer_2 is a list of words, got {answer!r}"
    asked = {"trout", "thief", "clavier"}
    given = {str(word) for word in answer}
    strange = given - asked
    assert not strange, f"{sorted(strange)} are none of the three, {sorted(asked)}"
    fit = simlib.kmedoids(S, k, init="build")
    survivors = asked & {str(name) for name in names[fit.medoids]}
    assert given == survivors, (
        f"{len(given)} named, and that is not the answer: is each word looked for among the exemplars of the new "
        "clustering, and did that begin with the same start?"
    )
    print(f"right: {sorted(survivors) or 'none'} of the three. Fewer exemplars are not a choice among the old ones")


@explaining
def check_3(stands_for, fit, names):
    """A function stands_for(word) that returns the word's exemplar and the ten members nearest to it."""
    assert callable(stands_for), f"stands_for is a function, got {stands_for!r}"
    for word in [word for word in ("wine", "python", "trout", "be") if word in names]:
        found = stands_for(word)
        assert isinstance(found, tuple), f"return two things, (exemplar, list of members), got {found!r}"
        assert len(found) == 2, f"return two things, (exemplar, list of members), got {len(found)}"
        exemplar, members = str(found[0]), [str(member) for member in found[1]]
        j = int(fit.labels[np.flatnonzero(names == word)[0]])
        right = str(names[fit.medoids[j]])
        own = [str(name) for name in names[fit.members(j)]]
        assert exemplar == right, f"{word!r} does not belong to {exemplar!r}: which cluster does fit.labels give it?"
        assert right not in members, f"{right!r}, the exemplar, is its own nearest member: leave it out"
        most = min(10, len(own) - 1)
        assert len(members) == most, f"asked for {most} members of the cluster of {word!r}, got {len(members)}"
        strange = [member for member in members if member not in own]
        assert not strange, f"{strange[0]!r} is not in the cluster of {word!r}"
        assert members == own[1:11], (
            f"the ten for {word!r} are of its cluster and not the nearest to the exemplar, or in another order: "
            "fit.members(j) gives rows by closeness"
        )
    print(
        "right: and python, the snake, does stand in a ditch" if "python" in names else "right: the nearest come first"
    )
