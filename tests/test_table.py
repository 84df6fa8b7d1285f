"""What a fit hands over: a table, an equal copy of itself, an answer about new items."""

import csv
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from sklearn.metrics import pairwise_distances

import simlib
from simlib import assign, cosine_similarity, kmedoids, scan_k, silhouette
from simlib.report.numbers import ranks, write_clusters, write_items

POINTS = np.array([1.0, 2.0, 4.0, 10.0, 11.0])
DISTANCES = abs(POINTS[:, None] - POINTS)


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).standard_normal((60, 4))


def test_a_table_by_hand():
    fit = assign(DISTANCES, [1, 3], metric="precomputed")
    table = fit.table(list("abcde"))
    assert table.columns.tolist() == ["item", "cluster", "exemplar", "distance", "rank"]
    assert table.values.tolist() == [
        ["a", 0, "b", 1.0, 1],
        ["b", 0, "b", 0.0, 0],
        ["c", 0, "b", 2.0, 2],
        ["d", 1, "d", 0.0, 0],
        ["e", 1, "d", 1.0, 1],
    ]
    assert table.index.name == "row"
    assert fit.table()["exemplar"].tolist() == [1, 1, 1, 3, 3]


def test_ranks_are_places_among_the_members(X):
    fit = kmedoids(X, 5, metric="cosine")
    table = fit.table()
    for j in range(5):
        assert_array_equal(table[table["cluster"] == j].sort_values("rank").index, fit.members(j))
    assert_array_equal(table["similarity"], fit.similarity)


@pytest.mark.parametrize("make", [kmedoids, assign, lambda A, k, **kind: scan_k(A, [2, 3], **kind)[3]])
def test_the_index_of_a_frame_comes_back(X, make):
    names = [f"item {i}" for i in range(len(X))]
    fit = make(pd.DataFrame(X, index=names), [0, 1, 2] if make is assign else 3, metric="cosine")
    assert fit.table()["item"].tolist() == names
    assert fit.table(range(60))["item"].tolist() == list(range(60))
    S = cosine_similarity(X)
    assert make(S, [0, 1, 2] if make is assign else 3).index is None


@pytest.mark.parametrize("kind", [list, np.array, pd.Series])
def test_labels_come_back_as_they_are(kind):
    labels = ["\ud800", "b", "", "=1", "\x00e"]  # the first is half of a character
    fit = assign(DISTANCES, [1, 3], metric="precomputed")
    if kind is pd.Series:
        labels = ["ä", *labels[1:]]
    table = fit.table(kind(labels, dtype=object) if kind is np.array else kind(labels))
    assert table["item"].tolist() == labels
    assert table["exemplar"].tolist() == ["b", "b", "b", "=1", "=1"]
    assert fit.table(np.array(labels))["item"].tolist() == labels


def test_labels_of_another_length_are_refused():
    with pytest.raises(ValueError, match="labels must have one entry an item, 5, got 2"):
        assign(DISTANCES, [1, 3], metric="precomputed").table(["a", "b"])


def test_a_report_lists_the_columns_of_a_table(X, tmp_path):
    fit = kmedoids(X, 4, metric="cosine")
    labels = [f"item {i}" for i in range(len(X))]
    write_items(tmp_path / "items.csv", labels, fit, silhouette(X, fit, metric="cosine"))
    with open(tmp_path / "items.csv", encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    table = fit.table(labels)
    assert head == ["row", *table.columns, "silhouette"]
    assert [row[1] for row in rows] == table["item"].tolist()
    assert [int(row[2]) for row in rows] == ranks(fit)[table["cluster"]].tolist()
    assert [int(row[5]) for row in rows] == table["rank"].tolist()


@pytest.mark.parametrize("kind", ["vectors", "sparse", "matrix", "frame"])
def test_an_unpickled_fit_is_equal_to_itself(X, kind, tmp_path):
    A = {"vectors": X, "sparse": sp.csr_array(X), "matrix": cosine_similarity(X), "frame": pd.DataFrame(X)}[kind]
    metric = "similarity" if kind == "matrix" else "cosine"
    fit = kmedoids(A, 4, metric=metric)
    joblib.dump(fit, tmp_path / "fit")
    for again in (pickle.loads(pickle.dumps(fit)), joblib.load(tmp_path / "fit")):
        assert again == fit
        assert (again == fit) is True
    assert (fit == kmedoids(A, 5, metric=metric)) is False
    assert fit != "a fit"


def test_scans_and_samples_are_equal_to_their_copies(X):
    scan = scan_k(cosine_similarity(X), [2, 3])
    digits = simlib.load("digits", n=30)
    for each in (scan, digits):
        assert (pickle.loads(pickle.dumps(each)) == each) is True
    assert digits != digits[:20]


def test_a_scan_gives_its_fits_and_its_table(X):
    scan = scan_k(cosine_similarity(X), [5, 2, 3])
    assert list(scan) == [2, 3, 5]
    assert len(scan[5].medoids) == 5
    assert scan[np.int64(2)] is scan.fits[0]
    with pytest.raises(KeyError, match="k=4 is not among the ks of this scan"):
        scan[4]
    frame = scan.to_frame()
    assert frame.index.tolist() == [2, 3, 5]
    assert_array_equal(frame["mean_similarity"], scan.mean_similarity)
    assert_array_equal(frame["silhouette"], scan.silhouette)


def test_a_silhouette_takes_a_fit(X):
    fit = kmedoids(X, 4, metric="cosine")
    assert_array_equal(silhouette(X, fit, metric="cosine"), silhouette(X, fit.labels, metric="cosine"))
    with pytest.raises(ValueError, match="one entry a row, 30, got 60"):
        silhouette(X[:30], fit, metric="cosine")


def answered(message, part, names):
    """What the call does that a message quotes, from the word `part` on up to the first closing word."""
    start = message.index(part)
    return eval(message[start : message.index(")", message.index("]", start)) + 1] + ")", names)


def test_new_vectors_after_a_matrix_are_answered_with_calls_that_work(X):
    old, new = X[:50], X[50:]
    fit = kmedoids(cosine_similarity(old), 3)
    with pytest.raises(ValueError, match=r"3 medoids, one column a medoid, got 4 columns") as caught:
        fit.predict(new)
    wanted = cosine_similarity(new, old[fit.medoids]).argmax(axis=1)
    names = {"fit": fit, "new": new, "X": old, "cosine_similarity": cosine_similarity, "kmedoids": kmedoids}
    assert_array_equal(answered(str(caught.value), "fit.predict(", names), wanted)
    again = kmedoids(old, 3, metric="cosine")
    assert 'kmedoids(X, 3, metric="cosine")' in str(caught.value)
    assert_array_equal(again.predict(new), cosine_similarity(new, old[again.medoids]).argmax(axis=1))


def test_new_vectors_after_distances_are_answered_too(X):
    import sklearn

    old, new = X[:50], X[50:]
    fit = kmedoids(pairwise_distances(old), 3, metric="precomputed")
    with pytest.raises(ValueError, match="distances from its 3 medoids") as caught:
        fit.predict(new)
    wanted = pairwise_distances(new, old[fit.medoids]).argmin(axis=1)
    assert_array_equal(
        answered(str(caught.value), "fit.predict(", {"sklearn": sklearn, "fit": fit, "new": new, "X": old}), wanted
    )


def test_vectors_of_another_length_are_refused(X):
    fit = kmedoids(X, 3, metric="cosine")
    with pytest.raises(ValueError, match=r"vectors of 4 numbers, as in the fit, got 3 columns"):
        fit.predict(X[:5, :3])


def test_clusters_by_hand():
    fit = assign(DISTANCES, [1, 3], metric="precomputed")
    scores, sure = np.array([0.5, 0.5, 0.2, 1, 0]), np.array([1, 1, 0.4, 0.5, 0.5])
    found = fit.clusters(list("abcde"), silhouettes=scores, certainty=sure)
    assert found.columns.tolist() == ["exemplar", "size", "distance", "silhouette", "certainty", "members"]
    assert found.loc[0].tolist() == ["b", 3, 1.5, pytest.approx(0.4), pytest.approx(0.8), ["b", "a", "c"]]
    assert found.loc[1].tolist() == ["d", 2, 1.0, 0.5, 0.5, ["d", "e"]]
    assert found.index.name == "cluster"
    alone = assign(DISTANCES, [0, 1, 2, 3], metric="precomputed").clusters()
    assert alone["members"].tolist() == [[0], [1], [2], [3, 4]]
    assert np.isnan(alone["distance"][:3]).all()


def test_clusters_are_the_table_grouped(X):
    fit = kmedoids(X, 5, metric="cosine")
    table, found = fit.table(), fit.clusters(silhouettes=silhouette(X, fit, metric="cosine"))
    for j, row in found.iterrows():
        own = table[table["cluster"] == j].sort_values("rank")
        assert row["members"] == own["item"].tolist()
        assert row["similarity"] == pytest.approx(own["similarity"].iloc[1:].mean())
        assert row["size"] == len(own)


@pytest.mark.parametrize("given", ["silhouettes", "certainty"])
@pytest.mark.parametrize(
    ("values", "message"),
    [([1, 2], "must hold 5 numbers"), ([1, 2, 3, 4, np.nan], "NaN"), (list("abcde"), "5 numbers")],
)
def test_numbers_of_clusters_are_checked(given, values, message):
    fit = assign(DISTANCES, [1, 3], metric="precomputed")
    with pytest.raises((ValueError, TypeError), match=message):
        fit.clusters(**{given: values})


def test_clusters_in_a_file(X, tmp_path):
    fit = kmedoids(X, 4, metric="cosine")
    labels = ["=1+1", "a, b", *(f"item {i}" for i in range(2, len(X)))]
    write_clusters(tmp_path / "clusters.csv", labels, fit, silhouette(X, fit, metric="cosine"))
    with open(tmp_path / "clusters.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["cluster"]) for row in rows] == [1, 2, 3, 4]
    assert [int(row["size"]) for row in rows] == sorted(fit.sizes, reverse=True)
    assert not [value for row in rows for value in row.values() if value[0] in "=+@"]
    members = [name for row in rows for name in next(csv.reader([row["members"].removeprefix("'")]))]
    assert sorted(members) == sorted(labels)


def test_members_beyond_a_cell_are_counted(X, tmp_path):
    fit = kmedoids(X, 1, metric="cosine")
    labels = [f"{i:03d}" + "x" * 997 for i in range(len(X))]
    write_clusters(tmp_path / "clusters.csv", labels, fit, np.zeros(len(X)))
    with open(tmp_path / "clusters.csv", encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    named, _, rest = row["members"].partition(" ... and ")
    assert len(named.split(",")) + int(rest.split()[0]) == 60
    assert len(row["members"]) < 32_767
