"""What `import simlib` brings; the words for metrics and the seeds, which every function takes alike."""

import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.spatial.distance import cdist

import simlib
from simlib import assign, certify, kmedoids, neighbours, pairs_above, scan_k, shuffle_columns, silhouette, stability
from simlib.report.reading import read

ROOT = Path(__file__).parents[1]
X = np.random.default_rng(0).standard_normal((40, 3))


def test_modules_are_imported_when_they_are_asked_for():
    code = (
        "import sys, simlib\n"
        "late = ['plots', 'widgets', 'distributed', 'report', 'estimator']\n"
        "assert not any(f'simlib.{name}' in sys.modules for name in late)\n"
        "assert {*late, 'KMedoids', 'kmedoids'} <= set(dir(simlib))\n"
        "assert all(getattr(simlib, name).__name__ == f'simlib.{name}' for name in late)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="module 'simlib' has no attribute 'kmeans'"):
        simlib.kmeans  # noqa: B018


def test_import_is_light():
    heavy = ["torch", "matplotlib", "sklearn", "dask", "IPython"]
    code = f"import sys, simlib; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_version_is_that_of_the_project():
    assert simlib.__version__ == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_every_public_name_is_there():
    assert [name for name in simlib.__all__ if not hasattr(simlib, name)] == []


CALLS = {
    "kmedoids": lambda metric: kmedoids(X, 2, metric=metric),
    "assign": lambda metric: assign(X, [0, 1], metric=metric),
    "certify": lambda metric: certify(X, [0, 1], metric=metric),
    "scan_k": lambda metric: scan_k(X, [2], metric=metric),
    "silhouette": lambda metric: silhouette(X, np.arange(40) % 2, metric=metric),
    "stability": lambda metric: stability(X, 2, metric=metric),
    "neighbours": lambda metric: neighbours(X, [0], 2, metric=metric),
    "pairs_above": lambda metric: pairs_above(X, 0.5, metric=metric),
    "KMedoids": lambda metric: simlib.KMedoids(2, metric=metric).fit(X),
    "report": lambda metric: read(None, metric),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("euclidean", 'D = pairwise_distances\\(A, metric="euclidean"\\); then pass D with metric="precomputed"'),
        ("pearson", 'use metric="correlation"'),
        ("Cosine", 'use metric="cosine"'),
        ("distance", 'use metric="precomputed"'),
        ("spearman", r'use scipy\.stats\.rankdata\(A, axis=1\) in place of A, with metric="correlation"'),
        ("levenshtein", 'make the matrix of distances first and pass it with metric="precomputed"'),
        (cdist, r"pairwise_distances\(A, metric=your_function\)"),
        (None, "got None"),
        (["cosine"], "got a list"),
    ],
)
def test_an_unknown_metric_is_answered_with_what_to_call(call, word, answer):
    with pytest.raises(ValueError, match=f"metric must be one of 'similarity', 'precomputed', .*{answer}"):
        call(word)


SEEDED = {
    "kmedoids": lambda seed: kmedoids(X, 5, metric="cosine", random_state=seed, max_iter=0).medoids,
    "stability": lambda seed: stability(X, 4, metric="cosine", rounds=3, random_state=seed).scores,
    "shuffle_columns": lambda seed: shuffle_columns(X, seed),
    "scan_k": lambda seed: scan_k(X, [2, 3], metric="cosine", random_state=seed).inertia,
}


@pytest.mark.parametrize("call", SEEDED.values(), ids=SEEDED)
@pytest.mark.parametrize("generator", [np.random.default_rng, np.random.RandomState])
def test_a_generator_is_a_seed(call, generator):
    assert_array_equal(call(generator(3)), call(generator(3)))


@pytest.mark.parametrize("name", ["kmedoids", "stability", "shuffle_columns"])
def test_a_generator_moves_on_and_none_draws_anew(name):
    generator = np.random.default_rng(3)
    for seed in (generator, None):
        first, second, third = (SEEDED[name](seed) for _ in range(3))
        assert not (np.array_equal(first, second) and np.array_equal(second, third))


@pytest.mark.parametrize("seed", [-1, 1.5, "0", True])
def test_what_is_no_seed_is_refused(seed):
    for call in SEEDED.values():
        with pytest.raises((ValueError, TypeError), match="random_state must be"):
            call(seed)


def test_some_items_of_a_sample():
    whole = simlib.load("digits")
    first = simlib.load("digits", n=500)
    assert len(first) == 500
    assert first == whole[:500]
    some = whole[[5, 3]]
    assert_array_equal(some.vectors, whole.vectors[[5, 3]])
    assert_array_equal(some.names, whole.names[[5, 3]])
    assert whole[whole.names == "7"].categories.tolist() == ["7"] * np.sum(whole.names == "7")
    words = simlib.load("words", n=3)
    assert (len(words.synsets), len(words.tags), words.vectors.shape) == (3, 3, (3, 384))
    with pytest.raises(TypeError, match=r"got 5; one: \[5\]"):
        whole[5]
    with pytest.raises(ValueError, match=r"n must be between 1 and 1797 \(all digits\), got 2000"):
        simlib.load("digits", n=2000)
