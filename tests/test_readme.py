"""The README's Python is run as it stands, and what it says of other libraries is true."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import simlib

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, flags=re.S)


def snippet(word):
    """The one snippet that holds this word."""
    (found,) = [each for each in SNIPPETS if word in each]
    return found


def test_every_snippet_is_run_below():
    assert len(SNIPPETS) == 6


def test_the_recipe_runs_to_its_end_and_goes_into_a_pipeline(tmp_path, monkeypatch):
    vectors = np.random.default_rng(0).standard_normal((80, 4)).round(3)
    pd.DataFrame(vectors, index=[f"item {i}" for i in range(80)]).to_csv(tmp_path / "my.csv", index_label="name")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(snippet("load_vectors"), names)
    assert len(names["fit"].medoids) == 50
    assert names["labels"].tolist() == [f"item {i}" for i in range(80)]
    names["scan"] = simlib.scan_k(names["S"], [3, 5])
    exec(snippet("atlas.page"), names)
    assert "item 7" in (tmp_path / "atlas.html").read_text(encoding="utf-8")
    exec(snippet("GridSearchCV"), names)
    assert len(names["search"].cv_results_["params"]) == 3


def test_distances_of_gower_with_missing_values():
    frame = pd.DataFrame({"size": [1.0, 3.0, np.nan, 5.0], "kind": ["a", "b", "a", None], "count": [1, 2, 2, 11]})
    names = {"frame": frame, "np": np, "simlib": simlib}
    exec(snippet("np.nanmean"), names)
    assert_allclose(names["D"][0], [0, (0.5 + 1 + 0.1) / 3, (0 + 0.1) / 2, (1 + 1) / 2])
    assert_allclose(names["D"][2], [0.1 / 2, (1 + 0) / 2, 0, 0.9])
    assert_array_equal(names["fit"].labels[:3] == names["fit"].labels[3], [False] * 3)


def test_items_that_have_nothing_in_common_are_refused():
    frame = pd.DataFrame({"size": [1.0, np.nan, 2.0], "kind": [None, "a", "b"]})
    empty = pytest.warns(RuntimeWarning, match="empty slice")
    with empty, pytest.raises(ValueError, match="A has NaN or infinity in 2 of 3 rows: 0, 1"):
        exec(snippet("np.nanmean"), {"frame": frame, "np": np, "simlib": simlib})


def test_edit_distances():
    pytest.importorskip("rapidfuzz")
    names = {"words": ["cat", "cart", "carts", "dog", "dogs"], "simlib": simlib}
    exec(snippet("Levenshtein"), names)
    assert names["fit"].labels.tolist() in ([0, 0, 0, 1, 1], [1, 1, 1, 0, 0])
    assert names["fit"].inertia == 3  # cat and carts to cart, dogs to dog


def test_distances_of_dynamic_time_warping():
    pytest.importorskip("dtaidistance")
    bump, late = np.array([0, 1.0, 2, 1, 0]), np.array([0, 0, 0, 1.0, 2, 1, 0])
    names = {"series": [bump, late, bump + 9, late + 9], "simlib": simlib}
    exec(snippet("dtw"), names)
    assert names["fit"].labels.tolist() in ([0, 0, 1, 1], [1, 1, 0, 0])
    assert names["fit"].inertia == 0


def test_kmedoids_of_the_table_is_what_is_said():
    theirs = pytest.importorskip("kmedoids")
    points = np.random.default_rng(0).standard_normal((60, 2))
    D = np.linalg.norm(points[:, None] - points, axis=2)
    ours = simlib.kmedoids(D, 5, metric="precomputed", init="build")
    other = theirs.fasterpam(D, 5, init="build", random_state=0)
    assert_allclose(other.loss, simlib.assign(D, other.medoids.astype(int), metric="precomputed").inertia)
    assert abs(ours.inertia - other.loss) < 0.02 * other.loss
    assert hasattr(other, "n_swap")
    mean = theirs.silhouette(D, ours.labels.astype(np.uint64))[0]
    assert_allclose(simlib.silhouette(D, ours, metric="precomputed").mean(), mean, rtol=1e-6)


def test_an_afternoon_of_machine_learning(tmp_path):
    """A frame in, near-duplicates out, k searched, exemplars to label, labels back, the model kept, new rows."""
    import joblib
    from sklearn.datasets import load_digits
    from sklearn.metrics import accuracy_score
    from sklearn.model_selection import GridSearchCV

    digits = load_digits(as_frame=True)
    frame = digits.data.rename(index="scan {:04d}".format)  # 1,797 rows of 64 numbers, each row with a name
    copies = frame.iloc[:5].rename(index="copy of {}".format)
    frame = pd.concat([frame, copies])
    truth = pd.Series([*digits.target, *digits.target[:5]], index=frame.index)

    pairs = simlib.pairs_above(frame, 0.9999, metric="cosine")
    twins = frame.index[pairs.j]
    assert twins.tolist() == [f"copy of scan {i:04d}" for i in range(5)]
    frame = frame.drop(twins)
    train, new = frame.iloc[:1500], frame.iloc[1500:]

    search = GridSearchCV(simlib.KMedoids(metric="cosine"), {"n_clusters": [10, 50, 150]}, cv=3).fit(train)
    model = search.best_estimator_
    assert search.best_params_ == {"n_clusters": 150}  # more exemplars are always closer to rows that were held out

    table = model.clustering_.table()
    exemplars = table.loc[model.medoid_indices_, "item"]
    answers = truth[exemplars]  # what a person says of these 150 rows
    spread = answers[table["exemplar"]].to_numpy()  # the other 1,350 take it over
    assert accuracy_score(truth[train.index], spread) > 0.93
    assert (table.sort_values("rank").groupby("cluster")["item"].first() == exemplars.to_numpy()).all()

    joblib.dump(model, tmp_path / "model.joblib")
    again = joblib.load(tmp_path / "model.joblib")
    predicted = answers.to_numpy()[again.predict(new)]
    assert accuracy_score(truth[new.index], predicted) > 0.9
    closest = simlib.neighbours(train, [0], 3, metric="cosine")
    assert (truth[train.index[closest.indices[0]]] == truth.iloc[0]).all()
