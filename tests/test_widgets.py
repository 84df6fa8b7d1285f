"""The explorer: what it shows after a move of the slider, and that names stay text."""

import numpy as np
import pytest

import simlib
from simlib.widgets import cards_html, explore

KS = [2, 3, 5]


@pytest.fixture(scope="module")
def scanned():
    points = np.array([1.0, 2, 3, 10, 11, 12, 20, 21, 22, 30])
    D = abs(points[:, None] - points)
    return simlib.scan_k(D, KS, metric="precomputed"), D


def test_starts_in_the_middle_and_follows_the_slider(scanned):
    scan, D = scanned
    slider, curves, board = explore(scan, D).children
    assert [label for label, _ in slider.options] == ["2", "3", "5"]
    assert slider.label == "3"
    pictures = []
    for position, k in enumerate(KS):
        slider.value = position
        pictures.append(bytes(curves.value))
        assert pictures[-1].startswith(b"\x89PNG")
        assert board.value.count("★") == k
    assert len(set(pictures)) == len(KS)


def test_a_card_holds_exemplar_size_closeness_members_and_neighbour(scanned):
    scan, D = scanned
    names = list("abcdefghij")
    cards = cards_html(scan.fits[1], D, names, cards=1)
    fit = scan.fits[1]
    largest = int(np.argmax(fit.sizes))
    exemplar = names[fit.medoids[largest]]
    members = [names[i] for i in fit.members(largest)]
    assert f"★ {exemplar}</b>" in cards
    assert f"{len(members)} items, mean distance {fit.distance[fit.members(largest)].mean():.2f}" in cards
    assert ", ".join(members[1:]) in cards
    near = min((D[fit.medoids[largest], m], names[m]) for m in fit.medoids if names[m] != exemplar)[1]
    assert f"next to {near}" in cards


def test_similarities_are_called_similarities():
    S = np.array([[1, 0.9, 0.1], [0.9, 1, 0.2], [0.1, 0.2, 1]])
    cards = cards_html(simlib.assign(S, [0, 2]), S)
    assert "★ 0</b>" in cards
    assert "2 items, mean similarity 0.95, next to 2" in cards


def test_names_are_text_never_markup(scanned):
    scan, D = scanned
    names = ["<script>alert(1)</script>", "<b>", "a&b", '"><img src=x>', *"efghij"]
    board = explore(scan, D, labels=names).children[2]
    for fit in scan.fits:
        shown = cards_html(fit, D, names)
        assert "<script" not in shown
        assert "<img" not in shown
    assert "<script" not in board.value


def test_names_of_the_wrong_length(scanned):
    scan, D = scanned
    with pytest.raises(ValueError, match="labels must hold one name a row, 10, got 3"):
        explore(scan, D, labels=["a", "b", "c"])
    with pytest.raises(ValueError, match="cards must be at least 1, got 0"):
        explore(scan, D, cards=0)
