"""Prices by date are noted as levels, and changes, seasons, genes, words and digits are not."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from simlib import load_vectors
from simlib.data import load
from simlib.files.card import Card
from simlib.files.levels import NOTE, note_levels

DAYS = pd.bdate_range("2023-01-02", periods=750).strftime("%Y-%m-%d").tolist()
RNG = np.random.default_rng(0)
PRICES = 100 * np.exp(np.cumsum(RNG.normal(0, 0.02, (30, 750)), axis=1))


def noted(vectors, names):
    """Whether the card says that the vectors look like levels."""
    card = Card("a.csv", "text", "")
    note_levels(np.asarray(vectors, np.float32), names, card)
    assert card.notes in ([], [NOTE])
    return bool(card.notes)


@pytest.mark.parametrize("d", [60, 125, 250, 750])
def test_prices_by_date_are_levels(d):
    assert noted(PRICES[:, :d], DAYS[:d])
    assert noted(np.vstack([PRICES[:, :d], np.full((5, d), 7.0)]), DAYS[:d])  # constant ones are not judged


def seasons(d, period, noise):
    """Temperatures in kelvin at 30 places: a season, and weather that lasts for days."""
    weather = np.zeros((30, d))
    for i in range(1, d):
        weather[:, i] = 0.7 * weather[:, i - 1] + RNG.normal(0, noise, 30)
    return 290 + 10 * np.sin(2 * np.pi * np.arange(d) / period) + weather


@pytest.mark.parametrize(
    "vectors",
    [
        PRICES[:, 1:] / PRICES[:, :-1],  # changes
        np.full((5, 750), 3.0),
        RNG.gamma(2, size=(30, 750)),
        seasons(749, 365, 2),
        seasons(120, 12, 0.5),
        -PRICES,
        load("words").vectors[:30, :100].astype(float) + 200,
    ],
    ids=["changes", "constant", "sales", "days", "months", "negative", "words"],
)
def test_what_is_not_a_level(vectors):
    assert not noted(vectors, DAYS[: vectors.shape[1]])


def test_what_does_not_run_by_date_is_not_judged():
    assert not noted(PRICES, [f"S{i}" for i in range(750)])  # samples, say
    assert not noted(PRICES, None)
    assert not noted(PRICES[:, :59], DAYS[:59])
    digits = load_digits().data[:100] + 1.0
    assert not noted(digits, [f"pixel_{i}" for i in range(64)])
    assert not noted(digits, DAYS[:64])


def test_the_note_comes_with_the_file_and_its_way_out_works(tmp_path):
    frame = pd.DataFrame(PRICES.T[:250], DAYS[:250], [f"share_{i}" for i in range(30)])
    frame.to_csv(tmp_path / "prices.csv", index_label="day")
    assert NOTE in load_vectors(tmp_path / "prices.csv", transpose=True).card["notes"]
    assert "frame.pct_change().iloc[1:]" in NOTE
    frame.pct_change().iloc[1:].to_csv(tmp_path / "changes.csv", index_label="day")
    assert NOTE not in load_vectors(tmp_path / "changes.csv", transpose=True).card["notes"]
    frame.T.to_csv(tmp_path / "wide.csv", index_label="share")  # the same, a row a share
    assert NOTE in load_vectors(tmp_path / "wide.csv").card["notes"]
