"""What the exercises of notebook 07 are checked with: each says what is wrong and why, or why it is right."""

import numpy as np
import pandas as pd
from checks import explaining
from PIL import Image
from sklearn.metrics import adjusted_rand_score

import simlib


@explaining
def check_1(answer, fit):
    """How many sentences have no word in common with the exemplar of their cluster."""
    assert isinstance(answer, int | np.integer), f"answer_1 is a whole number of sentences, got {answer!r}"
    assert 0 <= answer <= len(fit.labels), f"there are {len(fit.labels)} sentences, got {answer}"
    alone, shared = int(np.sum(fit.similarity == 0)), int(np.sum(fit.similarity > 0))
    assert answer != shared or alone == shared, "that many do share a word; asked is how many share none"
    assert answer == alone, (
        f"{answer} is not it: two sentences without a common word have a similarity of exactly 0, and the clustering "
        "keeps each sentence's similarity to its exemplar"
    )
    print(f"right: {alone} of {len(fit.labels)}. They had to go somewhere, and where they went says little")


@explaining
def check_2(answer, pictures, categories):
    """The agreement of ten clusters of the pictures, at 4 by 4 pixels, with the digits."""
    assert isinstance(answer, int | float | np.number), f"answer_2 is one number, got {answer!r}"
    assert -1 <= answer <= 1, f"an adjusted Rand index is at most 1, got {answer}"
    small = np.array([np.asarray(Image.fromarray(each).resize((4, 4))).ravel() for each in pictures])
    right, before = _agreement(small, categories), _agreement(pictures.reshape(len(pictures), -1), categories)
    assert abs(answer - before) > 0.0005 or abs(right - before) < 0.0005, "that is the agreement at 8 by 8 pixels"
    assert abs(answer - right) < 0.005, (
        f"{answer:.3f} is not it: is each small picture made into one row of 16 numbers, and is the start the same?"
    )
    print(f"right: {right:.2f}, and with four times the pixels it was {before:.2f}")


def _agreement(pixels, categories):
    """The adjusted Rand index of ten clusters with the digits."""
    fit = simlib.kmedoids(simlib.cosine_similarity(pixels), 10, init="build")
    return adjusted_rand_score(categories, fit.labels)


@explaining
def check_3(daily_returns):
    """A function daily_returns(prices) that fills gaps from the past and returns logarithmic returns."""
    assert callable(daily_returns), f"daily_returns is a function, got {daily_returns!r}"
    days = pd.bdate_range("2024-01-01", periods=5)
    prices = pd.DataFrame({"a": [1.0, 2, 4, 8, 4], "b": [8.0, np.nan, 4, 4, np.nan], "c": [np.nan, 1, 2, 2, 1]}, days)
    before = prices.copy()
    found = daily_returns(prices)
    assert prices.equals(before), "the prices were changed: work on a copy"
    assert isinstance(found, pd.DataFrame), f"return a frame of returns, a row a day, got {type(found).__name__}"
    assert "c" not in found.columns, "share c has no price on the first day: leave it out, its past is not known"
    assert list(found.columns) == ["a", "b"], f"of the shares a, b and c the first two stay, got {list(found.columns)}"
    assert len(found) == 4, f"five days give four returns, got {len(found)}"
    assert not found.isna().any(axis=None), "a return is missing: fill the gaps in the prices before the difference"
    b = found["b"].to_numpy()
    assert np.isclose(b[0], 0), "share b has no price on the second day: the last known one holds, so its return is 0"
    assert np.isclose(b[1], np.log(0.5)), "share b falls from 8 to 4 on the third day, after the gap"
    assert not np.isclose(found["a"].iloc[0], 1), "that is the change in percent; asked is the logarithm's difference"
    right = np.log(before[["a", "b"]].ffill()).diff().iloc[1:]
    assert np.allclose(found, right), "the gaps are filled rightly, but the returns are not logarithms' differences"
    assert (found.index == days[1:]).all(), "each return belongs to the later of its two days"
    print("right: a gap gives a return of 0, and the day after it takes both moves at once")
