"""What a report says of its pictures and of itself: no more than what holds for the data."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

import simlib
from simlib import plots
from simlib.report import captions

GROUPS = np.arange(60) % 4


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def similarities(between):
    """Four groups of fifteen, with one similarity between two groups."""
    S = np.where(GROUPS[:, None] == GROUPS, 0.9, between)
    np.fill_diagonal(S, 1)
    return S


def drawn(A, ax, metric="similarity", k=4):
    fit = simlib.kmedoids(A, k, metric=metric)
    ax.figure.set_figheight(40)  # room for all names
    plots.block_matrix(A, fit, range(60), ax=ax, side=30)
    return captions.blocks(ax, fit, "genes")


def test_colours_are_explained_only_where_they_are_seen(ax):
    assert drawn(similarities(0.3), ax) == "Thin lines part the clusters."
    ax.clear()
    told = drawn(similarities(0.01), ax)
    assert told == "White blocks hold genes whose similarity is about 0. Thin lines part the clusters."
    D = np.where(GROUPS[:, None] == GROUPS, 1.0, 9.0)
    np.fill_diagonal(D, 0)
    ax.clear()
    assert drawn(D, ax, "precomputed") == "White blocks hold genes that are far apart. Thin lines part the clusters."


def test_blue_is_explained_where_it_is_seen(ax):
    assert "Blue blocks hold genes whose similarity is below 0." in drawn(similarities(-0.2), ax)


def test_a_trace_below_0_is_not_seen_as_blue(ax):
    assert "Blue" not in drawn(similarities(-0.01), ax)


def test_distances_have_no_blue_and_many_clusters_no_lines(ax):
    D = abs(np.arange(60.0)[:, None] - np.arange(60))
    told = drawn(D, ax, "precomputed", k=40)
    assert "Large dark patches are groups of clusters" in told
    assert "lines" not in told
    assert "Blue" not in told


def test_numbers_that_find_no_room_are_said(ax):
    D = abs(np.arange(60.0)[:, None] - np.arange(60))
    fit = simlib.kmedoids(D, 40, metric="precomputed")
    plots.block_matrix(D, fit, range(60), ax=ax)
    assert "A number that finds no room is left out" in captions.blocks(ax, fit, "genes")


def test_the_map_explains_pale_stars_and_boxes_only_where_there_are_some(ax):
    fit = simlib.kmedoids(similarities(0.1), 4)
    at = plots.medoid_positions(similarities(0.1), fit)
    plots.medoid_map(at, fit, ["plum"] * 60, ax=ax)
    assert captions.exemplar_map(ax, fit) == ""
    ax.clear()
    unseen = "\U0001b170"  # no font has it
    with pytest.warns(UserWarning, match="missing from font"):
        plots.medoid_map(at, fit, [unseen] * 60, ax=ax, labelled=1)
    told = captions.exemplar_map(ax, fit)
    assert told.startswith("Where a name finds no room, the star is pale. No font here has 1 of the letters")


def test_the_dashed_lines_are_explained_where_they_are_drawn(ax):
    S = similarities(0.1)
    assert captions.curves(None) == ""
    assert "shuffled" in captions.curves(simlib.scan_k(S, [2, 3]))
    for k, told in ((4, "The dashed line is the mean of all genes."), (25, "")):
        fit = simlib.kmedoids(S, k)
        ax.clear()
        plots.silhouette_bars(simlib.silhouette(S, fit.labels), fit.labels, ax=ax)
        assert captions.silhouettes(ax, "genes") == told


def test_the_table_of_classes_explains_what_it_has(ax):
    plots.category_table([0, 0, 1, 1], ["a", "a", "b", "b"], ax=ax)
    assert captions.classes(ax) == ""
    ax.clear()
    plots.category_table([0, 0, 0, 0, 1, 1, 1], list("baaaccb"), ax=ax)
    assert "no cluster is named" in captions.classes(ax)
    ax.clear()
    plots.category_table([0, 0, 0, 1, 1, 2], list("aaabbc"), ax=ax, top=2)
    assert captions.classes(ax) == "The column *any other* is the clusters of all other names."


def made(metric="similarity", method="fasterpam", shuffled=None, labels=("a",), where="row", kept=None, remarks=None):
    fit = SimpleNamespace(metric=metric)
    card = {"where": pd.Index([0], name=where), "kept": kept}
    return captions.made(fit, method, shuffled, labels, card, remarks, "genes")


def test_how_it_was_made_says_what_holds_and_no_more():
    told = made()
    assert told.startswith("Here d is 1 − similarity. The inertia is lowered until no exchange of one exemplar for one")
    assert told.endswith("Rows are counted from 0 as in the file.")
    assert not {"shuffled", "apostrophe", "ties", "headings"} & set(told.replace(".", "").split())


def test_how_it_was_made_follows_the_data():
    assert "Here d is the distance itself." in made("precomputed")
    assert "the alternating loop" in made(method="alternate")
    assert "FasterPAM" not in made(method="alternate")
    assert "five times more, for the data with their columns shuffled" in made(shuffled=object())
    assert "`= + - @` has an apostrophe in front" in made(labels=("a", "=1+1"))
    assert made(where="column").endswith("Columns are told by their headings.")
    assert made(kept=np.array([0])).endswith("as in the file, and those left out are counted too.")
    assert "2 of the genes have similarity 0 to all others" in made(remarks=np.array(["x", "", "x"]))
