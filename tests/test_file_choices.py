"""Which columns a person names, by name, by range and by pattern, and which are left out as asked."""

import numpy as np
import pytest

from simlib import load_vectors

TABLE = "name,year,S1,S2,note,S10,T1\nplum,1999,1,2,a,3,4\nlime,2001,5,6,b,7,8\nfig,2003,9,1,c,2,3\n"


@pytest.fixture(params=["csv", "parquet", "json"])
def file(request, tmp_path):
    if request.param == "csv":
        path = tmp_path / "a.csv"
        path.write_text(TABLE)
        return path
    import io

    import pandas as pd

    frame = pd.read_csv(io.StringIO(TABLE))
    path = tmp_path / f"a.{request.param}"
    frame.to_parquet(path) if request.param == "parquet" else frame.to_json(path, orient="records")
    return path


@pytest.mark.parametrize(
    ("columns", "first"),
    [
        (["S1", "T1"], [1, 4]),
        (["T1", "S1"], [4, 1]),
        (["S*"], [1, 2, 3]),
        (["S1:S10"], [1, 2, 3]),
        (["T1", "S[12]", "S?"], [4, 1, 2]),
        (["S2:T1"], [2, 3, 4]),
    ],
)
def test_names_ranges_and_patterns_by_hand(file, columns, first):
    loaded = load_vectors(file, columns=columns)
    assert loaded.vectors[0].tolist() == first
    assert loaded.labels.tolist() == ["plum", "lime", "fig"]
    assert "columns" not in loaded.card["shares"]


def test_a_name_with_signs_of_a_pattern_means_itself(tmp_path):
    (tmp_path / "a.csv").write_text("S*,Sa,a:b,a,b\n1,2,3,4,5\n6,7,8,9,1\n")
    assert load_vectors(tmp_path / "a.csv", columns=["S*", "a:b"]).vectors.tolist() == [[1, 3], [6, 8]]


@pytest.mark.parametrize("wanted", [["X*"], ["S1:Z"], ["S10:S1"]])
def test_what_means_no_column_of_numbers_is_refused(file, wanted):
    with pytest.raises(ValueError, match=r"columns must list names among 'name', 'year', 'S1'"):
        load_vectors(file, columns=wanted)
    with pytest.raises(ValueError, match=r"drop must list names among"):
        load_vectors(file, drop=wanted)


def test_a_row_of_text_below_the_heading_is_guessed(file, tmp_path):
    with pytest.raises(ValueError, match=r"none of the columns that 'n\*' means, 'name', 'note', holds numbers alone"):
        load_vectors(file, columns=["n*"])
    (tmp_path / "b.csv").write_text("gene,S1,S2\ntissue,liver,blood\na,1,2\nb,3,5\n")
    with pytest.raises(ValueError, match=r"'S\*' means, 'S1', 'S2', holds numbers alone: is there a row of text"):
        load_vectors(tmp_path / "b.csv", columns=["S*"])


def test_dropped_columns_are_no_vectors_and_are_told(file):
    loaded = load_vectors(file, drop=["year", "T?"])
    assert loaded.vectors.tolist() == [[1, 2, 3], [5, 6, 7], [9, 1, 2]]
    assert "Columns left out as asked: 'year', 'T1'." in loaded.card["dropped"]
    assert loaded.card["shares"]["columns"] == (1, 4)  # the note, and it alone
    again = load_vectors(file, drop=["name", "note"])
    assert again.labels.tolist() == ["0", "1", "2"]
    assert again.card["shares"] == {}


def test_labels_may_be_among_the_dropped(file):
    loaded = load_vectors(file, label="year", drop=["year", "note"])
    assert loaded.labels.tolist() == ["1999", "2001", "2003"]
    assert loaded.vectors.shape == (3, 4)


def test_rows_that_go_are_counted(tmp_path):
    (tmp_path / "a.csv").write_text("name,a,b\n" + "".join(f"i{j},{j},{'' if j % 4 == 3 else 1}\n" for j in range(16)))
    assert load_vectors(tmp_path / "a.csv").card["shares"] == {"items": (4, 16)}


def test_arrays_by_name_are_dropped(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.eye(3), Y=2 * np.eye(3), names=np.array(["a", "b", "c"]))
    loaded = load_vectors(tmp_path / "a.npz", drop=["X", "names"])
    assert loaded.vectors[0, 0] == 2
    assert loaded.labels.tolist() == ["0", "1", "2"]
    with pytest.raises(ValueError, match="drop must list names among 'X', 'Y', 'names'"):
        load_vectors(tmp_path / "a.npz", drop=["Z"])
    np.save(tmp_path / "a.npy", np.eye(3))
    with pytest.raises(ValueError, match="label=, columns= and drop= are for files with named columns"):
        load_vectors(tmp_path / "a.npy", drop=["Z"])
