"""What the exercises of notebook 06 are checked with: each says what is wrong and why, or why it is right."""

import numpy as np

from simlib.report import numbers

TILES = ("k", "tightness", "stability", "certificate")


def check_1(answer, scores):
    """How many items have a silhouette below 0."""
    assert isinstance(answer, int | np.integer), (
        f"answer_1 is a whole number of words, got {answer!r}; the page says it under 'Closer to another cluster'"
    )
    below = int(np.sum(scores < 0))
    assert answer != round(100 * below / len(scores)), (
        f"{answer} is the share in percent; the question is how many words"
    )
    assert answer != len(scores) - below, f"{answer} words are closer to their own cluster; the others are asked for"
    assert answer == below, f"not {answer}: the page says it in the sentence under 'Closer to another cluster'"
    print(
        f"right: {below:,} of {len(scores):,} words, {100 * below / len(scores):.0f} %. Twenty-four handsome cards "
        "would not have told; that is why a report must"
    )


def check_2(answer, S, k, metric, stable, seed):
    """The one of the four tiles that depends on the seed: "stability"."""
    assert isinstance(answer, str), f"answer_2 is one of {', '.join(TILES)}, in quotation marks, got {answer!r}"
    answer = answer.strip().lower()
    assert answer in TILES, f"{answer!r} is no tile; the four are {', '.join(TILES)}"
    assert answer != "k", "k was asked for, whatever the seed; look for the tile that something was drawn for"
    assert answer != "tightness", (
        "the scan starts from the item that helps most and swaps in a fixed order: nothing is drawn, the exemplars are "
        "the same for every seed, and so is their similarity to the words"
    )
    assert answer != "certificate", "the certificate tries every exchange there is, so there is nothing to draw"
    other = numbers.stability(S, k, metric, seed + 1)
    print(
        f"right: the halves are drawn. Seed {seed} gives {stable.mean:.3f}, seed {seed + 1} gives {other.mean:.3f}, "
        f"and the halves of one seed differ by {stable.spread:.3f}: the number does not hang on the seed"
    )


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
    assert safe("") == "", "an empty label has no first character: use label.startswith(...) rather than label[0]"
    print(
        "right: one apostrophe, and a file from a stranger cannot make your reader's spreadsheet start a program. "
        "simlib.report.numbers.cell does the same"
    )
