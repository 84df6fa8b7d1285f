"""The digits of numbers in text: float32 where it holds them, float64 where it would lose what tells rows apart."""

import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from simlib import correlation, load_vectors
from simlib.files import pieces

N, D = 40, 24
SHAPES = np.random.default_rng(0).standard_normal((3, D)).cumsum(axis=1)
CURVES = SHAPES[np.arange(N) % 3] + 0.3 * np.random.default_rng(1).standard_normal((N, D))
NAMES = [f"s{i}" for i in range(N)]


def frame(values):
    values = np.asarray(values)
    return pd.DataFrame(values, NAMES, [f"t{j}" for j in range(values.shape[1])])


def points(easting, northing, spread):
    return np.column_stack([easting, northing]) + spread * np.random.default_rng(2).standard_normal((N, 2)).round(4)


# what: the numbers (N, d), and whether float32 holds them
NUMBERS = {
    "pressure in Pa": ((101325 + 0.05 * CURVES).round(3), False),
    "Julian dates": ((2459000.5 + 0.02 * CURVES).round(4), False),
    "seconds since 1970": ((1.7e9 + 30 * CURVES).round(1), False),
    "northings": ((5e6 + CURVES).round(2), False),
    "spectra on a baseline": ((1000 + 0.1 * CURVES).round(5), False),
    "dates as numbers": (np.column_stack([20240101 + np.arange(N), np.arange(N)[::-1]]), False),
    "degrees on one street": (points(52.52, 13.405, 1e-4), False),
    "coordinates on one site": (points(4567890.12, 5432109.87, 3), False),
    "numbers below the range of float32": (CURVES * 1e-50, False),
    "one column of time stamps": (np.column_stack([CURVES, 1.7e9 + np.arange(N) * 0.25]), False),
    "embeddings": (CURVES.round(6), True),
    "word counts": (np.abs(CURVES * 10).round(), True),
    "years": (np.column_stack([1990 + np.arange(N) % 30, np.arange(N) % 7]), True),
    "body temperatures": ((36.6 + 0.5 * CURVES[:, :6]).round(1), True),
    "degrees on the earth": (points(52.5, 13.4, 9).round(6), True),
    "one value everywhere": (np.full((N, 4), 0.1), True),
    "a constant column": (np.column_stack([np.full(N, 1000.1), CURVES]), True),
    "columns of different size": (np.column_stack([50_000 + 9000 * CURVES[:, 0], CURVES[:, 1:4]]).round(3), True),
}
WRITERS = {
    "a.csv": lambda path, values: frame(values).to_csv(path),
    "a.txt": lambda path, values: frame(values).to_csv(path, sep=" ", header=False),  # as GloVe's text
    "lists.csv": lambda path, values: pd.DataFrame({"w": NAMES, "v": [str(row.tolist()) for row in values]}).to_csv(
        path, index=False
    ),
    "a.jsonl": lambda path, values: path.write_text(
        "".join(json.dumps({"w": name, "v": row.tolist()}) + "\n" for name, row in zip(NAMES, values, strict=True))
    ),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("case", NUMBERS)
def test_digits_are_kept_where_they_tell_rows_apart(case, name, tmp_path):
    values, held = NUMBERS[case]
    WRITERS[name](tmp_path / name, values)
    loaded = load_vectors(tmp_path / name)
    assert loaded.vectors.dtype == (np.float32 if held else np.float64)
    assert_allclose(loaded.vectors, values, rtol=1e-6 if held else 1e-14)
    assert loaded.labels.tolist() == NAMES
    assert any("float64" in note for note in loaded.card["notes"]) == (not held)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("case", ["coordinates on one site", "degrees on the earth", "spectra on a baseline"])
def test_pieces_change_nothing(case, name, tmp_path, monkeypatch):
    values, held = NUMBERS[case]
    values = values[np.lexsort(values.T)]  # neighbours in the file are alike
    WRITERS[name](tmp_path / name, values)
    monkeypatch.setattr(pieces, "ROWS_A_PIECE", 3)
    loaded = load_vectors(tmp_path / name)
    assert loaded.vectors.dtype == (np.float32 if held else np.float64)
    assert_allclose(loaded.vectors, values, rtol=1e-6 if held else 1e-14)
    assert loaded.labels.tolist() == NAMES


def test_the_card_names_the_column(tmp_path):
    WRITERS["a.csv"](tmp_path / "a.csv", NUMBERS["one column of time stamps"][0])
    assert load_vectors(tmp_path / "a.csv").card["notes"][0] == (
        "Numbers stay float64: float32 would lose digits that tell the rows apart (column 't24')."
    )


def test_a_few_rows_without_a_shape_do_not_decide(tmp_path):
    values = CURVES.round(6)
    values[3] = 0.1
    values[5] = 1000.1 + 1e-4 * np.arange(D)
    WRITERS["a.csv"](tmp_path / "a.csv", values)
    assert load_vectors(tmp_path / "a.csv").vectors.dtype == np.float32


def test_rows_with_gaps_do_not_decide(tmp_path):
    values = CURVES.round(6)
    values[3] = np.nan
    values[3, 0] = 1.7e9 + 0.123
    WRITERS["a.csv"](tmp_path / "a.csv", values)
    loaded = load_vectors(tmp_path / "a.csv")
    assert (loaded.vectors.dtype, len(loaded.vectors)) == (np.float32, N - 1)


def test_correlations_of_numbers_with_an_offset(tmp_path):
    values = (101325 + 0.05 * CURVES).round(4)
    WRITERS["a.csv"](tmp_path / "a.csv", values)
    loaded = load_vectors(tmp_path / "a.csv")
    assert_allclose(correlation(loaded.vectors), np.corrcoef(values), atol=1e-9)
