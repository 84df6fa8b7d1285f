"""The tables of clusters and items on a page: which members are named, which numbers are joined, and what is cut."""

import itertools
import re
from html import unescape

import numpy as np
import pytest

import simlib
from simlib.report import html
from simlib.report.build import _with_names
from simlib.report.members import named, row_numbers, runs

AT = np.array([0.0, 1, 2, 3, 50, 51, 52, 53, 54, 100])
D = abs(AT[:, None] - AT)


@pytest.fixture(scope="module")
def fit():
    return simlib.assign(D, [1, 6, 9], metric="precomputed")


@pytest.fixture(scope="module")
def mixed():
    """Sixty items whose rows go round three clusters."""
    at = np.arange(60) % 3 * 100 + np.arange(60) / 100
    return simlib.assign(abs(at[:, None] - at), [30, 31, 32], metric="precomputed")


def text(markup):
    return unescape(re.sub(r"<[^>]+>", "", markup))


def test_names_stand_closest_first_without_the_exemplar(fit):
    found = named(fit, list("abcdefghij"), [1, 0, 2])
    assert list(map(text, found.lines)) == ["f, h, e, i", "a, c, d", ""]
    assert not found.cut


def test_long_names_have_a_line_each_and_fewer_where_clusters_are_many(mixed):
    told = [f"a sentence number {i} that is longer than forty letters" for i in range(60)]
    lines = named(mixed, told, [0]).lines[0].split("<br>")
    assert [text(line) for line in lines] == [*(told[i] for i in mixed.members(0)[1:11]), "and 9 more"]
    many = named(mixed, told, [0] * 200)
    assert many.cut
    assert many.lines[0].count("<br>") == 3
    assert many.lines[0].endswith("<br>and 16 more")


def test_names_that_hold_commas_stand_between_dots(fit):
    found = named(fit, ["a, b", *"bcdefghij"], [0])
    assert text(found.lines[0]) == "a, b · c · d"


def test_rows_that_follow_each_other_are_runs(fit):
    labels = [*map(str, range(4)), *map(str, range(5, 11))]  # row 4 was left out
    found = named(fit, labels, [1, 0, 2])
    assert found.lines == ["5–9", "0–3", "10"]
    assert not found.cut
    assert "below each stand all its members by their rows." in html.clusters(fit, labels, np.zeros(10))


def test_row_numbers_that_make_no_runs_are_ten_and_a_count(mixed):
    rows = [str(i) for i in range(60)]
    found = named(mixed, rows, [0])
    assert found.cut
    names, _, more = found.lines[0].partition(" and ")
    assert [text(name) for name in names.split(", ")] == [str(i) for i in mixed.members(0)[1:11]]
    assert more == "9 more"
    assert '<code class="beside">clusters.csv</code> names all members.' in html.clusters(mixed, rows, np.zeros(60))
    years = [str(1950 + i) for i in range(60)]
    assert not named(mixed, years, [0]).cut  # they say something
    assert len(named(mixed, years, [0]).lines[0].split(", ")) == 19


@pytest.mark.parametrize("labels", [["0", "2", "1"], ["0", "0"], ["-1", "0"], ["0", "1.0"], ["٠", "١"], ["7", "900"]])
def test_what_does_not_number_the_rows(labels):
    assert row_numbers(labels) is None


def test_runs_hold_every_number_once():
    rng = np.random.default_rng(0)
    for size in range(1, 30):
        numbers = rng.choice(40, size, replace=False)
        ends = runs(numbers)
        assert [i for low, high in ends for i in range(low, high + 1)] == sorted(numbers)
        assert all(low > before + 1 for (_, before), (low, _) in itertools.pairwise(ends))


@pytest.mark.parametrize(("n", "shown"), [(2000, 2000), (2001, 300)])
def test_a_table_says_how_many_of_how_many_and_where_all_are(n, shown):
    at = np.arange(n, dtype=float)[:, None]
    fit = simlib.kmedoids(np.hstack([at, at[::-1] + 1]), 3, metric="cosine", init="build")
    page = _with_names(html.items(fit, [f"i{j}" for j in range(n)], np.zeros(n), called="genes"), "a&b.html")
    assert page.count("<tr>") == shown + 1
    assert page.count("<code>a&amp;b_items.csv</code>") == 2
    told = text(page)
    assert ("All 2,000 genes," if n == shown else "The first 300 of 2,001 genes,") in told
    assert f"The table of all {n:,} genes is not printed; a&b_items.csv beside the page has it." in told
    rows = [int(row) for row in re.findall(r'<tr><td class="number">(\d+)</td>', page)]
    order = np.concatenate([fit.members(j) for j in np.argsort(-fit.sizes, kind="stable")])
    assert rows == order[:shown].tolist()
