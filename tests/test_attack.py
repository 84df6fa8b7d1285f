"""A seeded part of the attack; ``make attack`` runs the whole."""

from collections import Counter

import numpy as np
import pytest

from simlib import kmedoids
from tests.attack.table import KINDS, holds, made, printed
from tests.attack.verdicts import CLEAR, CRASHED, RIGHT, UNCLEAR, WRONG, of_call


@pytest.mark.parametrize("name", KINDS)
def test_every_case_is_right_or_refused_clearly(name):
    found = {number: made(name, number, seed=1) for number in range(KINDS[name].some)}
    bad = {number: verdict for number, verdict in found.items() if verdict[0] not in (RIGHT, CLEAR)}
    assert not bad


def test_the_same_number_is_the_same_case():
    assert made("products", 7) == made("products", 7)


def test_the_verdicts_know_a_clear_refusal_from_others():
    assert of_call(lambda: kmedoids(np.eye(3), 9), ("n_clusters",), None)[0] == CLEAR
    assert of_call(lambda: kmedoids(np.eye(3), 9), ("max_iter",), None)[0] == UNCLEAR
    assert of_call(lambda: int("x"), ("x",), None)[0] == UNCLEAR
    assert of_call(lambda: np.zeros(3)[7], ("A",), None)[0] == CRASHED
    assert of_call(lambda: 3, ("A",), None)[0] == WRONG
    assert of_call(lambda: 3, ("A",), lambda found: found == 4)[0] == WRONG
    assert of_call(lambda: 3, ("A",), lambda found: found == 3) == (RIGHT, "")


def test_one_wrong_case_or_one_unclear_in_a_hundred_fails_the_attack():
    assert holds({"one": Counter({RIGHT: 199, UNCLEAR: 1})})
    for word, number in ((WRONG, 1), (CRASHED, 1), (UNCLEAR, 2)):
        assert not holds({"one": Counter({RIGHT: 150 - number, word: number})})
    assert "| one | 5 | 0 | 5 | 0 | 0 | 0 |" in printed({"one": Counter({CLEAR: 5})})
