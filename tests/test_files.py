"""A person's own files: written by the tools that people use, read right or refused in one clear line."""

import gzip
import tracemalloc
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from doors import read_or_refused
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import simlib
from simlib import load_matrix, load_vectors
from simlib.files import formats, pieces
from simlib.files.interface import Read

N, D = 30, 4
X = np.random.default_rng(0).standard_normal((N, D)).round(3)
NAMES = [f"word {i}, é" for i in range(N)]
FRAME = pd.DataFrame(X, columns=list("abcd"))
NAMED = FRAME.set_axis(NAMES)
WORD2VEC = f"{N} {D}\n" + "".join(f"w{i} {' '.join(map(str, row))}\n" for i, row in enumerate(X))


def savetxt(**wishes):
    return lambda path: np.savetxt(path, X, **wishes)


# what others write: (name of the file, how it is written, whether it carries labels)
WRITTEN = {
    "pandas": ("a.csv", NAMED.to_csv, True),
    "pandas, row numbers as index": ("a.csv", FRAME.to_csv, False),
    "pandas, no index": ("a.csv", lambda path: FRAME.to_csv(path, index=False), False),
    "pandas, numbered columns": ("a.csv", lambda path: pd.DataFrame(X).to_csv(path), False),
    "pandas, numbered columns, no index": ("a.csv", lambda path: pd.DataFrame(X).to_csv(path, index=False), False),
    "pandas, no names at all": ("a.csv", lambda path: FRAME.to_csv(path, index=False, header=False), False),
    "pandas, labels last": ("a.csv", lambda path: FRAME.assign(word=NAMES).to_csv(path, index=False), True),
    "pandas, tabs": ("a.tsv", lambda path: NAMED.to_csv(path, sep="\t"), True),
    "pandas, packed": ("a.csv.gz", NAMED.to_csv, True),
    "semicolons, decimal commas": ("a.csv", lambda path: NAMED.to_csv(path, sep=";", decimal=","), True),
    "UTF-8 with its mark": ("a.csv", lambda path: NAMED.to_csv(path, encoding="utf-8-sig"), True),
    "UTF-16": ("a.csv", lambda path: NAMED.to_csv(path, encoding="utf-16"), True),
    "lines that end with CR LF": ("a.csv", lambda path: NAMED.to_csv(path, lineterminator="\r\n"), True),
    "NumPy, commas": ("a.csv", savetxt(delimiter=","), False),
    "NumPy, blanks": ("a.txt", savetxt(), False),
    "NumPy, with a comment": ("a.txt", savetxt(header="a b c d"), False),
    "gensim's word2vec": ("a.txt", lambda path: path.write_text(WORD2VEC), True),
    "GloVe": ("a.vec", lambda path: path.write_text(WORD2VEC.partition("\n")[2]), True),
    "array": ("a.npy", lambda path: np.save(path, X), False),
    "arrays": ("a.npz", lambda path: np.savez(path, X=X, words=np.array(NAMES)), True),
    "one array": ("a.npz", lambda path: np.savez_compressed(path, X), False),
    "Parquet by pandas": ("a.parquet", NAMED.to_parquet, True),
    "Parquet by pyarrow, lists": (
        "a.parquet",
        lambda path: pq.write_table(pa.table({"word": NAMES, "vector": [list(row) for row in X]}), path),
        True,
    ),
    "Parquet by pyarrow, lists of fixed length": (
        "a.parquet",
        lambda path: pq.write_table(
            pa.table({"word": NAMES, "v": pa.FixedSizeListArray.from_arrays(pa.array(X.ravel()), D)}), path
        ),
        True,
    ),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_files_that_others_write(case, tmp_path):
    name, write, labelled = WRITTEN[case]
    write(tmp_path / name)
    loaded = load_vectors(tmp_path / name)
    assert_allclose(loaded.vectors, X, rtol=1e-6)
    assert loaded.vectors.dtype == (np.float64 if name.endswith(("npy", "npz", "parquet")) else np.float32)
    expected = [f"w{i}" for i in range(N)] if "word2vec" in case or case == "GloVe" else NAMES
    assert loaded.labels.tolist() == (expected if labelled else [str(i) for i in range(N)])
    card = loaded.card
    assert (card["file"], card["rows"], card["columns"], card["dropped"]) == (name, N, D, [])
    assert card["dtype"] == str(loaded.vectors.dtype)
    assert len(card["sha256"]) == 64


def text_file(folder, text, name="a.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_the_same_through_the_module():
    assert simlib.load_vectors is load_vectors
    assert simlib.load_matrix is load_matrix


def test_a_new_format_is_one_row_of_the_table(tmp_path, monkeypatch):
    def read_bytes(source):
        source.card.notes.append("One byte is one number.")
        content = np.frombuffer(source.path.read_bytes(), np.uint8).reshape(-1, 2)
        return Read(content.astype(np.float64) if source.matrix else content, ["x", "y"])

    row = formats.Format("bytes", (".raw", ".dat"), read_bytes, named_columns=False)
    monkeypatch.setattr(formats, "FORMATS", (*formats.FORMATS, row))
    path = text_file(tmp_path, b"\1\2\2\1", "a.DAT")
    for loaded in (load_vectors(path), load_matrix(path)):
        assert loaded[0].tolist() == [[1, 2], [2, 1]]
        assert loaded.labels.tolist() == ["x", "y"]
        assert (loaded.card["format"], loaded.card["notes"]) == ("bytes", ["One byte is one number."])
    with pytest.raises(ValueError, match="are for files with named columns, not for bytes"):
        load_vectors(path, label="x")
    with pytest.raises(
        ValueError, match=r"\.npz, \.parquet, \.csv, \.tsv, \.txt, \.vec, .*, \.raw, \.dat, text, .* also in \.gz"
    ):
        load_vectors(text_file(tmp_path, "1", "a.foo"))
    no_matrices = row._replace(name="lists", suffixes=(".lists",), matrices=False)
    monkeypatch.setattr(formats, "FORMATS", (*formats.FORMATS, no_matrices))
    with pytest.raises(ValueError, match=r"is read from \.npy, \.npz, .parquet, text, .* or bytes, not from \.lists"):
        load_matrix(text_file(tmp_path, "1", "S.lists"))


def test_matlab_without_a_heading(tmp_path):
    loaded = load_vectors(text_file(tmp_path, "1,5;2,25;3\n4;5,5;6\n-7;8;9,125\n"))
    assert loaded.vectors.tolist() == [[1.5, 2.25, 3], [4, 5.5, 6], [-7, 8, 9.125]]
    assert loaded.card["notes"] == [
        "The first line is read as an item, there are no names of columns.",
        "Fields are separated by semicolons, the decimal sign is ','.",
    ]


def test_a_table_of_r_has_one_heading_less(tmp_path):
    loaded = load_vectors(text_file(tmp_path, '"a","b"\n"r1",1,2\n"r2",3,4\n'))
    assert loaded.vectors.tolist() == [[1, 2], [3, 4]]
    assert loaded.labels.tolist() == ["r1", "r2"]


def test_words_with_blanks_and_a_cut_last_vector(tmp_path):
    spaced = WORD2VEC.replace("w3 ", "new york ")
    assert load_vectors(text_file(tmp_path, spaced, "a.txt")).labels[3] == "new york"
    with pytest.raises(ValueError, match=r"a.txt: vector 5 has 3 numbers, expected 4: cut off"):
        load_vectors(text_file(tmp_path, "\n".join(WORD2VEC.split("\n")[:5]) + "\nw4 1 2 3\n", "a.txt"))
    with pytest.raises(ValueError, match=r"a.txt announces 31 vectors and holds 30: it is cut off"):
        load_vectors(text_file(tmp_path, WORD2VEC.replace("30 4", "31 4", 1), "a.txt"))


def test_columns_and_labels_by_name(tmp_path):
    path = text_file(tmp_path, "id,word,kind,a,b\n1,plum,fruit,5,6\n2,ant,insect,7,8\n")
    loaded = load_vectors(path)
    assert loaded.vectors.tolist() == [[5, 6], [7, 8]]
    assert loaded.labels.tolist() == ["plum", "ant"]
    assert loaded.card["dropped"] == ["Columns that are neither vectors nor labels: 'id', 'kind'."]
    assert "Column 'id' numbers the rows and is not part of the vectors." in loaded.card["notes"]
    chosen = load_vectors(path, label="kind", columns=["b", "id"])
    assert chosen.vectors.tolist() == [[6, 1], [8, 2]]
    assert chosen.labels.tolist() == ["fruit", "insect"]
    assert load_vectors(path, label="id").labels.tolist() == ["1", "2"]


def test_a_counting_column_is_a_label_where_there_is_no_text(tmp_path):
    assert load_vectors(text_file(tmp_path, "id,a\n1,5\n2,7\n3,7\n")).labels.tolist() == ["1", "2", "3"]
    assert load_vectors(text_file(tmp_path, "x,a\n1,5\n2,7\n3,7\n")).vectors.shape == (3, 2)  # x may mean something


@pytest.mark.parametrize(
    ("text", "wishes", "rows", "labels"),
    [
        (",word,a,b\n0,x,1,2\n1,y,3,4\n", {"label": "word"}, [[1, 2], [3, 4]], ["x", "y"]),
        ("id,word,a\n17,x,1\n3,y,3\n", {}, [[1], [3]], ["x", "y"]),
        ("user_id,a,b\n0017,1,2\n0003,3,4\n", {}, [[1, 2], [3, 4]], ["0017", "0003"]),
        ("zip,a\n00501,1\n,2\n", {"label": "zip"}, [[1], [2]], ["00501", ""]),
        (",1990,1991\nUSA,1,2\nFRA,3,4\n", {}, [[1, 2], [3, 4]], ["USA", "FRA"]),
        ("land,1990,1991\nUSA,1.5,2\nFRA,3,4\n", {}, [[1.5, 2], [3, 4]], ["USA", "FRA"]),
        ("plum,3,7\nlemon,1.5,2\n", {}, [[3, 7], [1.5, 2]], ["plum", "lemon"]),
        ("a;b\n1;2;\n3;4;\n", {}, [[1, 2], [3, 4]], ["0", "1"]),
        ("w,a,b,,\nx,1,2\ny,3,4\n", {}, [[1, 2], [3, 4]], ["x", "y"]),
        ("#love,1,2\n#hate,3,4\n", {}, [[1, 2], [3, 4]], ["#love", "#hate"]),
        ("# made in 2024\nw,a\nx,1\ny,2\n", {}, [[1], [2]], ["x", "y"]),
        ("sep=;\nw;a;b\nx;1,5;2\ny;3;4\n", {}, [[1.5, 2], [3, 4]], ["x", "y"]),
        ('w,a\n5" pipe,1\n"two\nlines, and more",2\n', {}, [[1], [2]], ['5" pipe', "two\nlines, and more"]),
        ('w\ta\n"\t1\nx\t2\n"\t3\n', {}, [[1], [2], [3]], ['"', "x", '"']),
        ("w;a\n" + "x;1\n" * 60 + "y;2,5\n", {}, [[1]] * 60 + [[2.5]], ["x"] * 60 + ["y"]),
    ],
)
def test_what_tables_look_like(text, wishes, rows, labels, tmp_path):
    loaded = load_vectors(text_file(tmp_path, text), **wishes)
    assert loaded.vectors.tolist() == rows
    assert loaded.labels.tolist() == labels


def test_a_label_is_the_text_that_stands_there_in_every_piece(tmp_path, monkeypatch):
    monkeypatch.setattr(pieces, "ROWS_A_PIECE", 10)
    words = ["plum"] * 10 + ["007", "1e5", "true", "1,5", "NA", ""] * 5
    path = text_file(tmp_path, "w;a\n" + "".join(f"{word};1\n" for word in words))
    assert load_vectors(path).labels.tolist() == words


def test_the_start_of_the_published_glove_files(tmp_path):
    words = ["the", ",", ".", "of", "to", '"', "2020", ". . .", "a@b.org"]
    numbers = X[: len(words)]
    text = "".join(f"{word} {' '.join(map(str, row))}\n" for word, row in zip(words, numbers, strict=True))
    for header in ("", f"{len(words)} {D}\n"):
        loaded = load_vectors(text_file(tmp_path, header + text, "a.txt"))
        assert loaded.labels.tolist() == words
        assert_allclose(loaded.vectors, numbers, rtol=1e-6)
    assert load_vectors(text_file(tmp_path, "2 2\n7 1 2\n8 3 4\n", "a.txt")).labels.tolist() == ["7", "8"]
    with pytest.raises(ValueError, match=r"a.txt: among vectors 1 to 9 something is no number .*'x'"):
        load_vectors(text_file(tmp_path, text.replace(str(X[7, 2]), "x"), "a.txt"))


def test_a_blank_separated_table_is_no_word_vectors(tmp_path):
    loaded = load_vectors(text_file(tmp_path, "name  a b\nplum  1 2\nlemon 3 4\npear  5 6\n", "a.txt"))
    assert loaded.labels.tolist() == ["plum", "lemon", "pear"]
    assert loaded.vectors.tolist() == [[1, 2], [3, 4], [5, 6]]


def test_a_first_column_that_counts_is_pointed_out(tmp_path):
    np.save(tmp_path / "a.npy", np.c_[np.arange(N), X])
    loaded = load_vectors(tmp_path / "a.npy")
    assert loaded.vectors.shape == (N, D + 1)
    assert loaded.card["notes"] == [
        "The first column runs up in steps of 1: if it numbers the rows, it should be left out."
    ]


@pytest.mark.parametrize(
    ("columns", "rows", "labels"),
    [
        ({"id": [9, 4], "w": ["x", "y"], "a": [1.0, 2.0], "b": [3, 4]}, [[1, 3], [2, 4]], ["x", "y"]),
        ({"__index_level_0__": [9, 4], "a": [1.0, 2.0]}, [[1], [2]], ["9", "4"]),
        ({"": [9, 4], "a": [1.0, 2.0]}, [[1], [2]], ["9", "4"]),
        ({"": ["x", "y"], "a": [1.0, 2.0]}, [[1], [2]], ["x", "y"]),
        ({"w": pa.array(["x", "y"]).dictionary_encode(), "a": [1.0, 2.0]}, [[1], [2]], ["x", "y"]),
        (
            {"year": [1, 2], "n": [3, 4], "tags": [["t"], []], "e": [[5.0, 6.0], [7.0, 8.0]]},
            [[5, 6], [7, 8]],
            ["0", "1"],
        ),
        ({"a": pa.array([1, 2]).cast(pa.decimal128(30, 2)), "b": [3.0, 4.0]}, [[1, 3], [2, 4]], ["0", "1"]),
    ],
)
def test_what_parquet_files_look_like(columns, rows, labels, tmp_path):
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    loaded = load_vectors(tmp_path / "a.parquet")
    assert loaded.vectors.tolist() == rows
    assert loaded.labels.tolist() == labels


def test_rows_that_cannot_be_used_are_named(tmp_path):
    loaded = load_vectors(text_file(tmp_path, "w,a,b\nx,1,2\ny,,3\nz,4,inf\nu,5,6\nv,NA,1\n0,0,0\n"))
    assert loaded.vectors.tolist() == [[1, 2], [5, 6], [0, 0]]  # a row of zeros stays
    assert loaded.labels.tolist() == ["x", "u", "0"]
    assert loaded.card["dropped"] == [
        "3 rows with a missing or infinite number (counted from 0: 1, 2, 4). How many each has: 'y' 1, 'z' 1, 'v' 1."
    ]
    assert loaded.card["kept"].tolist() == [0, 3, 5]
    FRAME.mask(FRAME > 1.5).to_parquet(tmp_path / "a.parquet")
    missing = (X > 1.5).any(axis=1)
    loaded = load_vectors(tmp_path / "a.parquet")
    assert_array_equal(loaded.vectors, X[~missing])
    assert loaded.labels.tolist() == [str(i) for i in np.flatnonzero(~missing)]  # the numbers of the rows in the file
    assert_array_equal(loaded.card["kept"], np.flatnonzero(~missing))
    assert loaded.card["dropped"][0].startswith(f"{missing.sum()} rows with a missing")


def test_an_empty_column_is_left_out_and_named(tmp_path):
    loaded = load_vectors(text_file(tmp_path, "w,a,b,\nx,1,2,\ny,3,4,\n"))
    assert loaded.vectors.tolist() == [[1, 2], [3, 4]]
    assert loaded.card["dropped"] == ["Columns that are neither vectors nor labels: ''."]


def test_labels_stay_text_and_are_cut_where_nobody_reads_on(tmp_path):
    hostile = ["<script>alert(1)</script>", "=1+1", "\u202eabc", "a\u2028b", 'say ""hi""', "NA", "", "x" * 10**6]
    text = "w,a,b\n" + "".join(f'"{word}",{i},1\n' for i, word in enumerate(hostile))
    loaded = load_vectors(text_file(tmp_path, text))
    assert loaded.labels.tolist() == [word.replace('""', '"')[:200] for word in hostile]
    assert loaded.card["dropped"] == ["The ends of 1 labels longer than 200 characters."]
    assert loaded.card["notes"][-1] == "1 labels are empty."


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.float16, np.float32),
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.int8, np.float32),
        (np.uint16, np.float32),
    ],
)
def test_kinds_of_numbers(given, expected, tmp_path):
    np.save(tmp_path / "a.npy", np.arange(6).reshape(3, 2).astype(given))
    loaded = load_vectors(tmp_path / "a.npy")
    assert loaded.vectors.dtype == expected
    assert loaded.vectors.tolist() == [[0, 1], [2, 3], [4, 5]]


@pytest.mark.parametrize("kind", [">f4", ">f8", ">i4"])
def test_arrays_of_another_byte_order(kind, tmp_path):
    np.save(tmp_path / "a.npy", np.array([[1, 0], [0, 1]], kind))
    loaded = load_vectors(tmp_path / "a.npy")
    assert loaded.vectors.dtype == (np.float64 if kind == ">f8" else np.float32)
    matrix = load_matrix(tmp_path / "a.npy").matrix
    assert matrix.dtype.isnative
    assert matrix.tolist() == loaded.vectors.tolist() == [[1, 0], [0, 1]]
    assert simlib.kmedoids(matrix, 1).medoids.shape == (1,)


@pytest.mark.parametrize(
    ("beside", "labels", "dropped"),
    [
        ({"y": [7, 8, 9]}, ["0", "1", "2"], ["Arrays that are neither the vectors nor their labels: 'y'."]),
        ({"labels": [7, 8, 9]}, ["7", "8", "9"], []),
        ({"word": [b"a", b"b", "\u00e9".encode()]}, ["a", "b", "\u00e9"], []),
        (
            {"kind": ["k"] * 3, "labels": ["a", "b", "c"]},
            ["a", "b", "c"],
            ["Arrays that are neither the vectors nor their labels: 'kind'."],
        ),
    ],
)
def test_arrays_beside_the_vectors(beside, labels, dropped, tmp_path):
    np.savez(tmp_path / "a.npz", X=X[:3], **{name: np.array(array) for name, array in beside.items()})
    loaded = load_vectors(tmp_path / "a.npz")
    assert_array_equal(loaded.vectors, X[:3])
    assert loaded.labels.tolist() == labels
    assert loaded.card["dropped"] == dropped


def test_rows_left_out_cost_no_second_copy(tmp_path, monkeypatch):
    monkeypatch.setattr(pieces, "ROWS_A_PIECE", 1000)
    many = np.random.default_rng(2).standard_normal((50_000, 16))
    many[::7, 3] = np.nan
    np.save(tmp_path / "a.npy", many)
    tracemalloc.start()
    loaded = load_vectors(tmp_path / "a.npy")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert_array_equal(loaded.vectors, many[~np.isnan(many[:, 3])])
    assert loaded.card["dropped"] == [
        "7143 rows with a missing or infinite number (counted from 0: "
        + ", ".join(str(7 * i) for i in range(20))
        + ", ...)."
    ]
    assert peak < many.nbytes + 50_000 * 130  # and the labels, as texts of Python and of NumPy


def test_large_whole_numbers_stay_exact(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[2**24 + 1, 0], [1, 2]]))
    assert load_vectors(tmp_path / "a.npy").vectors[0, 0] == 2**24 + 1


@given(
    st.integers(1, 30),
    st.integers(2, 5),
    st.sampled_from([(",", "."), (";", ","), ("\t", "."), ("|", ".")]),
    st.booleans(),
    st.integers(0, 10**6),
)
@settings(deadline=None, max_examples=60)
def test_what_pandas_writes_comes_back(tmp_path_factory, n, d, signs, header, seed):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((n, d)) * 10.0 ** rng.integers(-3, 4, d) + 0.25
    labels = [f"item {chr(97 + int(c))};{i}" for i, c in enumerate(rng.integers(0, 26, n))]
    path = tmp_path_factory.mktemp("round") / "a.csv"
    sep, decimal = signs
    frame = pd.DataFrame(values, index=labels, columns=[f"c{i}" for i in range(d)])
    frame.to_csv(path, sep=sep, decimal=decimal, header=header)
    loaded = load_vectors(path)
    assert_allclose(loaded.vectors, values, rtol=1e-6)
    assert loaded.labels.tolist() == labels


def test_pieces_change_nothing_and_memory_is_the_result_and_a_few_of_them(tmp_path, monkeypatch):
    many = np.random.default_rng(1).integers(-99, 99, (40_000, 8))
    frame = pd.DataFrame(many, index=[f"w{i}" for i in range(len(many))], columns=list("abcdefgh"))
    frame.to_csv(tmp_path / "a.csv")
    expected = load_vectors(tmp_path / "a.csv")
    monkeypatch.setattr(pieces, "ROWS_A_PIECE", 999)
    tracemalloc.start()
    loaded = load_vectors(tmp_path / "a.csv")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert_array_equal(loaded.vectors, expected.vectors)
    assert_array_equal(loaded.labels, expected.labels)
    assert_array_equal(loaded.vectors, many)
    text = 40_000 * 80  # the labels as Python's strings
    assert peak < 2 * loaded.vectors.nbytes + 3 * text


def test_a_bar_only_when_asked(tmp_path, capfd):
    NAMED.to_csv(tmp_path / "a.csv")
    NAMED.to_parquet(tmp_path / "a.parquet")
    for name in ("a.csv", "a.parquet"):
        load_vectors(tmp_path / name)
        assert capfd.readouterr() == ("", "")
        load_vectors(tmp_path / name, progress=True)
        assert "read: 100%" in capfd.readouterr().err


# Matrices


def test_a_stored_array_is_mapped_and_read_only(tmp_path):
    S = np.corrcoef(X)
    np.save(tmp_path / "S.npy", S)
    loaded = load_matrix(tmp_path / "S.npy")
    assert isinstance(loaded.matrix, np.memmap)
    assert not loaded.matrix.flags.writeable
    assert_array_equal(loaded.matrix, S)
    assert simlib.kmedoids(loaded.matrix, 3).labels.shape == (N,)


@pytest.mark.parametrize("case", ["csv with labels", "csv", "npz"])
def test_other_matrices(case, tmp_path):
    D2 = np.abs(X[:, :1] - X[:, 0])
    path = tmp_path / ("D.npz" if case == "npz" else "D.csv")
    if case == "csv with labels":
        pd.DataFrame(D2, NAMES, NAMES).to_csv(path)
    elif case == "csv":
        np.savetxt(path, D2, delimiter=",")
    else:
        np.savez(path, D=D2, other=np.arange(3), names=np.array(NAMES))
    loaded = load_matrix(path)
    assert_allclose(loaded.matrix, D2, rtol=1e-12)
    assert loaded.matrix.dtype == np.float64
    assert loaded.labels.tolist() == (["0"] if case == "csv" else NAMES[:1]) + loaded.labels.tolist()[1:]


def test_a_first_row_that_counts_may_be_data(tmp_path):
    line = "0,1,2\n1,0,1\n2,1,0\n"  # distances of three points in a row
    assert load_matrix(text_file(tmp_path, line)).matrix.tolist() == [[0, 1, 2], [1, 0, 1], [2, 1, 0]]


def test_names_of_the_items_in_the_first_row_only_and_numbers_as_names(tmp_path):
    S, path = pd.DataFrame(np.corrcoef(X[:3])), tmp_path / "S.csv"
    S.set_axis(list("xyz"), axis=1).to_csv(path, index=False)
    assert load_matrix(path).labels.tolist() == ["x", "y", "z"]
    for names in ([305, 17, 99], [1990, 1991, 1992]):
        S.set_axis(names).set_axis(names, axis=1).to_csv(path)
        loaded = load_matrix(path)
        assert loaded.labels.tolist() == [str(name) for name in names]
        assert_allclose(loaded.matrix, S, rtol=1e-12)


def test_matrices_that_are_none(tmp_path):
    np.save(tmp_path / "X.npy", X)
    with pytest.raises(ValueError, match=r"X.npy: a matrix of similarities must be square, got \(30, 4\); vectors\?"):
        load_matrix(tmp_path / "X.npy")
    with pytest.raises(ValueError, match=r"a.csv has NaN or infinity in 1 of 2 rows: 1"):
        load_matrix(text_file(tmp_path, "1,0\n0,nan\n"))
    FRAME.to_parquet(tmp_path / "S.parquet")
    with pytest.raises(ValueError, match=r"S.parquet: a matrix of similarities must be square, got \(30, 4\); vectors"):
        load_matrix(tmp_path / "S.parquet")


# Bad input


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "a.csv is empty: 0 bytes"),
        ("\n \n\n", "a.csv has no lines with anything in them"),
        ("a,b\n", "a.csv has a heading but no rows"),
        ("w,x\nplum,red\n", "a.csv has no column of numbers; its columns are 'w', 'x'"),
        ("a,b\n1,2\n3,4,5\n", "unequal numbers of fields"),
        ("a,b\n" + "1,2\n" * 200 + "3,4,5\n", "a.csv: line 202 has 3 fields, expected 2"),
        ("a,b\n1,2\nx,3\n4,5\n", "column 'a' holds 'x' in row 1 .counted from 0., not a number.*columns="),
        ("a,b\n" + "1,2\n" * 30_000 + "x,3\n", "column 'a' holds 'x' in row 30000"),
        ("1,5;2.25\n3;4\n", "decimal commas and decimal points"),
        ("n,a,n\nx,1,y\n", None),
        ("caf\u00e9;1;2\n".encode("latin-1") * 3, "not UTF-8 text .byte 3 is 0xe9.*iconv"),
        (b"a,b\n" + b"1,2\n" * 30_000 + b"\xe9,1\n", "not UTF-8 text"),
        (bytes(range(256)), "a.csv has bytes of value 0: not text"),
        ("a,b\nnan,nan\n,\n", None),
        ("Experiment 7\n1,2,3\n4,5,6\n", "the table has 1 fields .'Experiment 7'. and the next has 3.*or be deleted"),
        ("a,b\n1,2,3,4\n5,6,7,8\n", "the first line of the table has 2 fields"),
        ("w,a\nx,1e39\n", "row 0 .counted from 0. holds a number beyond 3.4e38"),
        ('w,a\nx,"1,234.5"\ny,"2,000"\n', "column 'a' holds '1,234.5': numbers are read without marks"),
        ("w,a,b\nx,1D+02,2\n", "column 'a' holds '1D.02': .*E for powers of ten"),
        ("w,a\n" + "x,1\n" * 30_000 + '"y,2\n' + "z,3\n" * 9 + '",4\n', "row 30000 .* runs over 11 lines that look"),
        ("# only\n# comments\n", "no lines with anything in them but comments"),
        ("w,a\nx,1\n".encode("utf-16-le"), "bytes of value 0.*save it as UTF-8"),
        ("w,a\nx,1\n".encode("utf-32"), "bytes of value 0.*save it as UTF-8"),
    ],
)
def test_text_that_is_refused(text, words, tmp_path):
    path = text_file(tmp_path, text)
    if words is None and "n,a,n" in str(text):
        with pytest.raises(ValueError, match="two columns named 'n': rename one"):
            load_vectors(path, label="n")
        return
    with pytest.raises(ValueError, match=words or "no column of numbers|no row of numbers is left"):
        load_vectors(path)


def broken(make, cut=50):
    def write(path):
        make(path)
        path.write_bytes(path.read_bytes()[:-cut])

    return write


def header(shape):
    """A .npy file of 100 bytes that claims another shape."""
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + b"x" * 100


def in_archive(path, name, content):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, content)


def patched(path, place, value):
    """An archive with one byte changed in the header of its array, in both places where zip keeps it."""
    np.savez(path, X=X)
    content = bytearray(path.read_bytes())
    content[place] = content[content.find(b"PK\x01\x02") + place + 2] = value
    path.write_bytes(content)


def scrambled(path):
    np.savez_compressed(path, X=X)
    content = bytearray(path.read_bytes())
    content[200:240] = b"\xff" * 40
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "write", "words"),
    [
        ("a.npy", broken(lambda path: np.save(path, X)), "a.npy cannot be read, it is cut off"),
        ("a.npy", lambda path: path.write_bytes(b"junk" * 9), "a.npy is no .npy file"),
        ("a.npy", lambda path: np.save(path, np.array([[None]]), allow_pickle=True), "Python objects, which could run"),
        ("a.npy", lambda path: np.save(path, X * 1j), "must hold real numbers, got dtype complex128"),
        ("a.npy", lambda path: np.save(path, np.array([["a"]])), "must hold real numbers, got dtype <U1"),
        ("a.npy", lambda path: np.save(path, np.zeros(2, [("x", "f4")])), "must hold real numbers"),
        ("a.npy", lambda path: np.save(path, X > 0), "must hold real numbers, got dtype bool"),
        ("a.npy", lambda path: np.save(path, X[0]), r"2-D array, one row an item, got shape \(4,\)"),
        ("a.npy", lambda path: np.save(path, X[None]), r"2-D array, one row an item, got shape \(1, 30, 4\)"),
        ("a.npy", lambda path: np.save(path, X[:0]), r"got shape \(0, 4\)"),
        ("a.npz", broken(lambda path: np.savez(path, X)), "a.npz cannot be read"),
        ("a.npz", lambda path: path.write_bytes(b"PK\x03\x04junk"), "a.npz cannot be read"),
        ("a.npz", lambda path: np.savez(path, a=X, b=X), r"holds a \(30, 4\) float64, b .*one named 'vectors'"),
        ("a.npz", lambda path: np.savez(path, a=np.array([None], object)), "Python objects"),
        ("a.npz", lambda path: in_archive(path, "a.txt", b"text"), "a.npz holds no array: expected one 2-D array"),
        ("a.npz", lambda path: patched(path, 8, 97), "a.npz cannot be read.*compression method"),
        ("a.npz", lambda path: patched(path, 6, 1), "a.npz is locked with a password"),
        ("a.npz", lambda path: in_archive(path, "X.npy", header(f"({10**9}, {10**9})")), "a.npz cannot be read"),
        ("a.npz", lambda path: in_archive(path, "X.npy", header("(99999, 999)")), "a.npz cannot be read"),
        ("a.npz", scrambled, "a.npz cannot be read.*decompressing"),
        ("a.npy", lambda path: path.write_bytes(header(f"({10**9}, {10**9})")), "a.npy cannot be read"),
        ("a.npy", lambda path: path.write_bytes(header(f"({10**30}, 4)")), "a.npy cannot be read"),
        ("a.npy", lambda path: path.write_bytes(header("(-1, 4)")), "a.npy cannot be read"),
        ("a.npy", lambda path: path.write_bytes(header("(3, True)")), "a.npy cannot be read"),
        ("a.npy", lambda path: path.write_bytes(header("(" * 9000)), "a.npy cannot be read"),
        ("a.npy", lambda path: path.write_bytes(header("__import__('os').abort()")), "a.npy cannot be read"),
        ("a.parquet", lambda path: path.write_bytes(b"PAR1junkjunkPAR1"), "a.parquet cannot be read"),
        ("a.parquet", broken(NAMED.to_parquet), "a.parquet cannot be read"),
        (
            "a.parquet",
            lambda path: pq.write_table(pa.table({"v": [[1.0, 2.0], [3.0]]}), path),
            "the lists in column 'v' differ in length",
        ),
        ("a.parquet", lambda path: pq.write_table(pa.table({"v": [["a"], ["b"]]}), path), "no column of numbers"),
        (
            "a.parquet",
            lambda path: pq.write_table(pa.table({"u": [[1.0, 2.0]], "v": [[1.0, 2.0]]}), path),
            "several columns of lists: name one of 'u', 'v'",
        ),
        (
            "a.parquet",
            lambda path: pq.write_table(pa.table({"v": [[1.0, 2.0], None]}), path),
            "the lists in column 'v' differ in length, or are missing",
        ),
        (
            "a.csv.gz",
            lambda path: path.write_bytes(gzip.compress(b"a,b\n1,2\n" * 99)[:20] + b"\xff" * 40),
            "cannot be read",
        ),
        ("a.parquet", lambda path: FRAME[:0].to_parquet(path), "has columns but no rows"),
        ("a.csv.gz", broken(NAMED.to_csv, 20), "a.csv.gz cannot be read, it is cut off"),
        ("a.csv.gz", lambda path: path.write_bytes(b"no gzip"), "a.csv.gz cannot be read"),
        ("a.foo", lambda path: path.write_text("1"), "what kind of file is this.*must end in one of .npy"),
    ],
)
def test_files_that_are_refused(name, write, words, tmp_path):
    write(tmp_path / name)
    with pytest.raises(ValueError, match=words) as error:
        load_vectors(tmp_path / name)
    assert len(str(error.value).splitlines()) == 1


def test_no_file_at_all(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        load_vectors(tmp_path / "none.csv")
    with pytest.raises(IsADirectoryError, match="is a folder: name a file in it"):
        load_matrix(tmp_path)


def test_names_of_columns_that_are_none(tmp_path):
    path = text_file(tmp_path, "w,a,b\nx,1,2\ny,3,4\n")
    with pytest.raises(ValueError, match=r"a.csv has no column 'kind'; its columns are 'w', 'a', 'b'"):
        load_vectors(path, label="kind")
    with pytest.raises(ValueError, match="columns must list names among 'w', 'a', 'b', got"):
        load_vectors(path, columns=["a", "c"])
    with pytest.raises(ValueError, match="columns must list at least one name, got none"):
        load_vectors(path, columns=[])
    with pytest.raises(TypeError, match="columns must be a list of names, got 'ab'"):
        load_vectors(path, columns="ab")
    FRAME.assign(w="x").to_parquet(tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"columns of numbers or one column of lists of them; 'w' is "):
        load_vectors(tmp_path / "a.parquet", columns=["a", "w"])
    with pytest.raises(ValueError, match="column 'w' holds 'x' in row 0"):
        load_vectors(path, columns=["w", "a"])
    np.save(tmp_path / "a.npy", X)
    with pytest.raises(ValueError, match=r"for files with named columns, not for .npy"):
        load_vectors(tmp_path / "a.npy", label="w")


def test_an_archive_that_claims_more_than_fits(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "a.npz", np.zeros((1000, 100)))
    monkeypatch.setattr("simlib._check.available_memory", lambda: 500_000)
    with pytest.raises(MemoryError, match=r"a.npz, unpacked, takes 0.0 GB"):
        load_vectors(tmp_path / "a.npz")


def test_a_packed_file_is_read_as_the_plain_one(tmp_path):
    NAMED.to_csv(tmp_path / "a.csv")
    with gzip.open(tmp_path / "b.csv.gz", "wb") as file:
        file.write((tmp_path / "a.csv").read_bytes())
    plain, packed = (load_vectors(tmp_path / name) for name in ("a.csv", "b.csv.gz"))
    assert_array_equal(plain.vectors, packed.vectors)
    assert plain.card["sha256"] != packed.card["sha256"]


@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.txt", "a.npy", "a.npz", "a.parquet", "a.csv.gz"]))
@settings(deadline=None, max_examples=150)
def test_any_bytes_are_read_or_refused_in_one_line(tmp_path_factory, content, name):
    starts = {
        "a.npy": b"\x93NUMPY\x01\x00",
        "a.npz": b"PK\x03\x04",
        "a.parquet": b"PAR1",
        "a.csv.gz": b"\x1f\x8b\x08\x00",
    }
    path = text_file(tmp_path_factory.getbasetemp(), starts.get(name, b"") + content, name)
    for load in (load_vectors, load_matrix):
        _, words = read_or_refused(load, path)
        assert name in words
        assert len(words.splitlines()) == 1


@given(st.text(alphabet='ab01.,;|\t "#\n\r-eN', max_size=60))
@settings(deadline=None, max_examples=300)
def test_any_text_is_read_or_refused_in_one_line(tmp_path_factory, text):
    path = text_file(tmp_path_factory.getbasetemp(), text)
    for load in (load_vectors, load_matrix):
        loaded, words = read_or_refused(load, path)
        assert "a.csv" in words
        assert len(words.splitlines()) == 1
        assert loaded is None or (len(loaded.labels) == len(loaded[0]) and np.isfinite(loaded[0]).all())


def test_of_many_arrays_a_message_names_a_few(tmp_path):
    np.savez(tmp_path / "many.npz", **{f"a{i}": np.eye(2) for i in range(300)})
    with pytest.raises(ValueError, match="and 292 more: expected one 2-D array") as refused:
        load_vectors(tmp_path / "many.npz")
    assert len(str(refused.value)) < 500
    assert len(load_vectors(tmp_path / "many.npz", columns=["a7"]).card["dropped"][0]) < 300


def test_a_lack_of_memory_is_no_file_that_is_cut_off(tmp_path, monkeypatch):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [1.0, 2.0], "b": [2.0, 1.5]}), tmp_path / "x.parquet")

    def fails(*_, **__):
        raise pa.ArrowMemoryError("malloc of size 64 failed")

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", fails)
    with pytest.raises(MemoryError, match=r"x\.parquet does not fit into memory: take fewer rows"):
        load_vectors(tmp_path / "x.parquet")


@pytest.mark.parametrize("name", ["path", "label", "columns", "progress", "transpose"])
def test_every_parameter_is_refused_by_its_name(tmp_path, name):
    (tmp_path / "x.csv").write_text("a,b\n1.5,2\n2.5,1\n")
    with pytest.raises(TypeError, match=f"{name} must be"):
        load_vectors(**{"path": tmp_path / "x.csv", name: 3})


@pytest.mark.parametrize("separator", [";", "|", "\t"])
@pytest.mark.parametrize("heading", [True, False])
@pytest.mark.parametrize("name_first", [True, False])
def test_one_column_of_numbers_with_decimal_commas(tmp_path, separator, heading, name_first):
    cells = [["name", "x"], ["item 0", "+168,868"], ["item 1", "-72,266"], ["item 2", "138,073"]]
    lines = [separator.join(row if name_first else row[::-1]) for row in cells]
    (tmp_path / "x.txt").write_text("\n".join(lines[not heading :]) + "\n")
    found = load_vectors(tmp_path / "x.txt")
    assert_allclose(found.vectors, [[168.868], [-72.266], [138.073]], rtol=1e-6)
    assert found.labels.tolist() == ["item 0", "item 1", "item 2"]


@pytest.mark.parametrize("lines", [["name,x", "a;b,1", "c;d,2", "e;f,3"], ["k;m,x", "a;b,1.5", "c;d,2.5", "e;f,3.5"]])
def test_names_with_semicolons_between_commas(tmp_path, lines):
    (tmp_path / "x.csv").write_text("\n".join(lines) + "\n")
    found = load_vectors(tmp_path / "x.csv")
    assert found.labels.tolist() == ["a;b", "c;d", "e;f"]
    assert found.vectors.shape == (3, 1)


def test_a_table_with_tabs_that_is_cut_off_is_not_read_by_its_blanks(tmp_path):
    lines = [f"item {i}\t{i}.5\t{i * i}.25" for i in range(5)]
    (tmp_path / "x.txt").write_text("name\tx\ty\n" + "\n".join(lines)[:-6])
    with pytest.raises(ValueError, match=r"x\.txt has no column of numbers|x\.txt: the lines have unequal"):
        load_vectors(tmp_path / "x.txt")
