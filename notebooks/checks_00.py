"""What the exercises of notebook 00 are checked with: each says what is wrong and why, or why it is right."""

import numpy as np


def check_1(answer):
    """GB of the similarity matrix of 100,000 words in float32."""
    assert isinstance(answer, int | float | np.number), f"answer_1 is a number of GB, got {answer!r}"
    assert answer != 8, "five times the words are five times the rows and five times the columns"
    assert answer not in (4, 0.4), "that forgets that a number takes 4 bytes, or takes n for n x n"
    assert abs(answer - 40) < 0.5, f"not {answer} GB: n x n numbers of 4 bytes each"
    print("right: 40 GB, 25 times as much for 5 times the words; notebook 05 is about what to do then")


def check_2(answer, kmedoids, S, names):
    """The exemplars of Figure 1's three that survive with 64 clusters."""
    assert isinstance(answer, list | set | tuple), f"answer_2 is a list of words, got {answer!r}"
    asked = {"trout", "thief", "clavier"}
    strange = {str(word) for word in answer} - asked
    assert not strange, f"{sorted(strange)} are none of the three, {sorted(asked)}"
    fit = kmedoids(S, 64, init="build")
    survivors = asked & {str(name) for name in names[fit.medoids]}
    assert {str(word) for word in answer} == survivors, (
        f"{len(answer)} named; with simlib.kmedoids(S, 64, init='build'), which of the three are in "
        "words.names[fit.medoids]?"
    )
    print(f"right: {sorted(survivors) or 'none'} of the three. Fewer exemplars are not a choice among the old ones")


def check_3(stands_for, fit, names):
    """A function stands_for(word) that returns the word's exemplar and the ten members nearest to it."""
    assert callable(stands_for), f"stands_for is a function, got {stands_for!r}"
    for word in ("wine", "python", "trout", "be"):
        found = stands_for(word)
        assert isinstance(found, tuple) and len(found) == 2, (  # noqa: PT018
            f"return two things, (exemplar, list of members), got {found!r}"
        )
        exemplar, members = str(found[0]), [str(member) for member in found[1]]
        j = int(fit.labels[np.flatnonzero(names == word)[0]])
        right = str(names[fit.medoids[j]])
        assert exemplar == right, f"{word!r} belongs to {right!r}, got {exemplar!r}: fit.labels has the cluster"
        nearest = [str(name) for name in names[fit.members(j)[1:11]]]
        assert right not in members, "the exemplar is its own nearest member: leave it out"
        assert members == nearest, f"the members of {right!r} nearest to it are {nearest}, got {members}"
    print("right: and python, the snake, does stand in a ditch")
