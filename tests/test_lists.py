"""Vectors that stand in a file as lists: `[0.1, 0.2]` in a column, whatever wrote them, or one a line."""

import base64
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from simlib import load_matrix, load_vectors
from simlib.files import pieces

N, D = 7, 5
X = np.random.default_rng(0).standard_normal((N, D)).round(4)
WORDS = ["plum", "lemon", "pear", "fig", "sloe", "date", "lime"]
TOKENS = [12, 7, 155, 80, 9, 31, 22]
LISTS = [json.dumps(row.tolist()) for row in X]
TALL = np.random.default_rng(1).standard_normal((N, 40)).round(4)  # NumPy writes such a row over several lines


def rows(*parts, heading=None, between=","):
    """Lines of text, one for each item; `parts` are the fields."""
    lines = [] if heading is None else [heading]
    return "\n".join([*lines, *(between.join(map(str, fields)) for fields in zip(*parts, strict=True))]) + "\n"


def quoted(fields):
    return [f'"{field}"' for field in fields]


def table(path, **columns):
    pq.write_table(pa.table(columns), path)


def brackets(signs, between=", "):
    return [signs[0] + between.join(map(str, row)) + signs[1] for row in X.tolist()]


def changed(fields, at, field):
    return [*fields[:at], field, *fields[at + 1 :]]


# what: (name of the file, its text or how it is written, wishes, the vectors, the labels)
READ = {
    "embeddings saved by pandas": (
        "a.csv",
        lambda path: pd.DataFrame({"text": WORDS, "n_tokens": TOKENS, "embeddings": LISTS}).to_csv(path),
        {},
        X,
        WORDS,
    ),
    "an id and a vector": ("a.csv", rows(range(10, 17), quoted(LISTS), heading="id,embedding"), {}, X, range(10, 17)),
    "the vector first": ("a.csv", rows(quoted(LISTS), TOKENS, WORDS, heading="v,n,w"), {}, X, WORDS),
    "tabs, no quotes": ("a.tsv", rows(WORDS, TOKENS, LISTS, heading="w\tn\tv", between="\t"), {}, X, WORDS),
    "semicolons, no quotes": ("a.csv", rows(WORDS, LISTS, heading="w;v", between=";"), {}, X, WORDS),
    "no heading": ("a.csv", rows(WORDS, quoted(LISTS)), {}, X, WORDS),
    "one a line": ("a.txt", rows(LISTS), {}, X, None),
    "one a line, no commas": ("a.txt", rows(brackets("[]", " ")), {}, X, None),
    "one a line, under a name": ("a.csv", rows(quoted(LISTS), heading="embedding"), {}, X, None),
    "a list of lists": ("a.txt", "[" + ",\n ".join(LISTS) + "]\n", {}, X, None),
    "an array as NumPy prints it": ("a.txt", str(X) + "\n", {}, X, None),
    "label, list without quotes": ("a.csv", rows(WORDS, LISTS), {}, X, WORDS),
    "label, number, list without quotes": ("a.csv", rows(WORDS, TOKENS, LISTS, heading="w,n,v"), {}, X, WORDS),
    "list without quotes, label": ("a.csv", rows(LISTS, WORDS), {}, X, WORDS),
    "label, blank, list": ("a.txt", rows(WORDS, LISTS, between=" "), {}, X, WORDS),
    "label of two words, blank, list": (
        "a.txt",
        rows([f"a {word}" if i % 2 else word for i, word in enumerate(WORDS)], brackets("[]", " "), between=" "),
        {},
        X,
        [f"a {word}" if i % 2 else word for i, word in enumerate(WORDS)],
    ),
    "list, blank, label": ("a.txt", rows(brackets("[]", " "), WORDS, between=" "), {}, X, WORDS),
    "a label with brackets and commas": (
        "a.csv",
        rows([f'"{word} [x, 1], {word}"' for word in WORDS], LISTS),
        {},
        X,
        [f"{word} [x, 1], {word}" for word in WORDS],
    ),
    "PostgreSQL's COPY with pgvector": (
        "a.tsv",
        rows(range(1, 8), WORDS, brackets("[]", ","), [r"\N"] * N, between="\t"),
        {},
        X,
        WORDS,
    ),
    "PostgreSQL's arrays": ("a.csv", rows(WORDS, quoted(brackets("{}", ",")), heading="w,v"), {}, X, WORDS),
    "PostgreSQL's arrays, COPY": ("a.txt", rows(WORDS, brackets("{}", ","), between="\t"), {}, X, WORDS),
    "Python's tuples": ("a.csv", rows(WORDS, quoted(brackets("()")), heading="w,v"), {}, X, WORDS),
    "NumPy's rows in a frame": (
        "a.csv",
        lambda path: pd.DataFrame({"w": WORDS, "v": list(TALL)}).to_csv(path, index=False),
        {},
        TALL,
        WORDS,
    ),
    "NumPy's rows, and a number behind them": (
        "a.csv",
        lambda path: pd.DataFrame({"w": WORDS, "v": list(TALL), "n": TOKENS}).to_csv(path, index=False),
        {},
        TALL,
        WORDS,
    ),
    "NumPy's rows alone": (
        "a.csv",
        lambda path: pd.DataFrame({"v": list(TALL)}).to_csv(path, index=False),
        {},
        TALL,
        None,
    ),
    "Python lists of NumPy's numbers": (
        "a.csv",
        rows(WORDS, quoted(str(list(row)) for row in X.astype(np.float32)), heading="w,v"),
        {},
        X,
        WORDS,
    ),
    "arrays as Python shows them": (
        "a.csv",
        rows(WORDS, quoted(repr(row) for row in X.astype(np.float32)), heading="w,v"),
        {},
        X,
        WORDS,
    ),
    "tensors": ("a.csv", rows(WORDS, quoted(f"tensor({text}, device='cuda:0')" for text in LISTS)), {}, X, WORDS),
    "whole numbers": (
        "a.csv",
        rows(WORDS, quoted(str(row) for row in np.arange(N * 3).reshape(N, 3).tolist()), heading="w,v"),
        {},
        np.arange(N * 3).reshape(N, 3),
        WORDS,
    ),
    "lists of words beside numbers": (
        "a.csv",
        lambda path: pd.DataFrame({"w": WORDS, "tags": [["x", "y"]] * N, "a": TOKENS, "b": 0.5}).to_csv(path),
        {},
        np.column_stack([TOKENS, np.full(N, 0.5)]),
        WORDS,
    ),
    "lists of records beside numbers": (
        "a.csv",
        lambda path: pd.DataFrame({"w": WORDS, "g": [[{"id": 18}]] * N, "a": TOKENS, "b": 0.5}).to_csv(path),
        {},
        np.column_stack([TOKENS, np.full(N, 0.5)]),
        WORDS,
    ),
    "marks such as [1] beside numbers": (
        "a.csv",
        rows([f"[{i}]" for i in range(N)], TOKENS, TOKENS[::-1], heading="ref,a,b"),
        {},
        np.column_stack([TOKENS, TOKENS[::-1]]),
        [f"[{i}]" for i in range(N)],
    ),
    "two columns of lists, one named": (
        "a.csv",
        rows(WORDS, quoted(["[1, 2]"] * N), quoted(LISTS), heading="w,box,v"),
        {"columns": ["v"]},
        X,
        WORDS,
    ),
    "texts in Parquet": (
        "a.parquet",
        lambda path: table(path, text=WORDS, n_tokens=TOKENS, embedding=LISTS),
        {},
        X,
        WORDS,
    ),
    "lists in lists in Parquet": (
        "a.parquet",
        lambda path: table(path, text=WORDS, n_tokens=TOKENS, embedding=[[row.tolist()] for row in X]),
        {},
        X,
        WORDS,
    ),
    "tables in Parquet": (
        "a.parquet",
        lambda path: table(path, text=WORDS, image=[[row.tolist(), row.tolist()] for row in X]),
        {},
        np.hstack([X, X]),
        WORDS,
    ),
    "an id and a vector in Parquet": (
        "a.parquet",
        lambda path: table(path, id=range(10, 17), embedding=list(X)),
        {},
        X,
        range(10, 17),
    ),
    "label, colon, list": ("a.txt", rows([f"{word}:" for word in WORDS], LISTS, between=" "), {}, X, WORDS),
    "blanks behind the commas": ("a.csv", rows(WORDS, quoted(LISTS), heading="w, v", between=", "), {}, X, WORDS),
    "one list in a list": ("a.csv", rows(WORDS, quoted(f"[{text}]" for text in LISTS), heading="w,v"), {}, X, WORDS),
    "arrays of Python": (
        "a.csv",
        rows(WORDS, TOKENS, quoted(f"array('f', {text})" for text in LISTS), heading="w,n,v"),
        {},
        X,
        WORDS,
    ),
    "tensors of TensorFlow": (
        "a.csv",
        rows(WORDS, quoted(f"tf.Tensor({text}, shape=(5,), dtype=float32)" for text in brackets("[]", " "))),
        {},
        X,
        WORDS,
    ),
    "tensors in Parquet": (
        "a.parquet",
        lambda path: table(path, text=WORDS, v=pa.FixedShapeTensorArray.from_numpy_ndarray(X)),
        {},
        X,
        WORDS,
    ),
    "PostgreSQL's NULL in an array": (
        "a.tsv",
        rows(WORDS, changed(brackets("{}", ","), 2, "{1,NULL,2,3,4}"), between="\t"),
        {},
        np.delete(X, 2, 0),
        changed(WORDS, 2, None),
    ),
    "semicolons, decimal commas beside the lists": (
        "a.csv",
        rows(WORDS, [f"{i},5" for i in TOKENS], LISTS, heading="w;a;v", between=";"),
        {},
        X,
        WORDS,
    ),
    "a vector that is missing": (
        "a.csv",
        rows(WORDS, changed(quoted(LISTS), 2, ""), heading="w,v"),
        {},
        np.delete(X, 2, 0),
        changed(WORDS, 2, None),
    ),
    "a vector that is \\N": (
        "a.tsv",
        rows(WORDS, changed(LISTS, 2, r"\N"), between="\t"),
        {},
        np.delete(X, 2, 0),
        changed(WORDS, 2, None),
    ),
    "a number that is null": (
        "a.csv",
        rows(WORDS, changed(quoted(LISTS), 2, '"[null, 1, 2, 3, 4]"'), heading="w,v"),
        {},
        np.delete(X, 2, 0),
        changed(WORDS, 2, None),
    ),
}

# what: (name of the file, its text or how it is written, words of the message)
REFUSED = {
    "a vector that NumPy shortened": (
        "a.csv",
        rows(WORDS, changed(quoted(LISTS), 3, '"[0.1 0.2 ... 0.9 1.0]"'), heading="w,v"),
        r"column 'v' .*row 3 .*shortened.*\.\.\.",
    ),
    "all vectors shortened": (
        "a.csv",
        lambda path: pd.DataFrame({"n": range(3), "v": [str(np.arange(2000.0))] * 3}).to_csv(path),
        r"column 'v' .*row 0 .*shortened.*\.\.\.",
    ),
    "a shortened vector a line": ("a.txt", "[0.1 0.2 ... 0.3 0.4]\n" * 5, r"row 0 .*shortened"),
    "a cell that is cut off": (
        "a.csv",
        rows(WORDS, TOKENS, changed(quoted(LISTS), 4, '"[0.1, 0.2"'), heading="w,n,v"),
        r"column 'v' .*row 4 .*cut off",
    ),
    "a vector that is shorter": (
        "a.csv",
        rows(WORDS, TOKENS, changed(quoted(LISTS), 5, '"[0.1, 0.2]"'), heading="w,n,v"),
        r"column 'v' .*row 5 .*2 numbers.*expected 5",
    ),
    "a word in a vector": (
        "a.csv",
        rows(WORDS, TOKENS, changed(quoted(LISTS), 1, '"[0.1, x, 1, 2, 3]"'), heading="w,n,v"),
        r"column 'v' holds '\[0.1, x, 1, 2, 3\]' in row 1 ",
    ),
    "a word where a vector was": (
        "a.csv",
        rows(WORDS, TOKENS, changed(quoted(LISTS), 1, "error"), heading="w,n,v"),
        r"column 'v' holds 'error' in row 1 ",
    ),
    "two columns of lists": (
        "a.csv",
        rows(WORDS, quoted(["[1, 2]"] * N), quoted(LISTS), heading="w,box,v"),
        r"several columns of lists: name one of 'box', 'v' with columns=",
    ),
    "lists of texts of numbers in Parquet that break": (
        "a.parquet",
        lambda path: table(path, n=TOKENS, v=changed(LISTS, 6, "[1, 2, 3, 4, five]")),
        r"column 'v' .*five.*in row 6 ",
    ),
    "lists in Parquet that differ": (
        "a.parquet",
        lambda path: table(path, n=TOKENS, v=[[row.tolist()] * (1 + (i > 3)) for i, row in enumerate(X)]),
        r"column 'v' differ in length.* row 4 ",
    ),
    "vectors as bytes in Parquet": (
        "a.parquet",
        lambda path: table(path, n=TOKENS, v=[row.astype(np.float32).tobytes() for row in X]),
        r"column 'v' .*bytes.*np\.frombuffer",
    ),
    "vectors in base64": (
        "a.csv",
        rows(TOKENS, [base64.b64encode(row.astype("<f4").tobytes()).decode() for row in TALL], heading="n,v"),
        r"column 'v' .*base64.*np\.frombuffer",
    ),
    "vectors of pgvector, sparse": (
        "a.csv",
        rows(TOKENS, quoted(f"{{1:0.5,3:{i + 1}}}/5" for i in range(N)), heading="n,v"),
        r"column 'v' holds sparse vectors such as '\{1:0\.5,3:1\}/5'",
    ),
    "vectors of Spark, sparse": (
        "a.csv",
        rows(TOKENS, quoted(f"(5,[0,3],[0.1,{i}])" for i in range(N)), heading="n,v"),
        r"column 'v' holds sparse vectors such as '\(5,",
    ),
    "lists in records in Parquet": (
        "a.parquet",
        lambda path: table(path, n=TOKENS, e=[{"dense": row.tolist()} for row in X]),
        r"column 'e' holds records with a list 'dense': .*flatten",
    ),
    "an array as NumPy prints it, a row over several lines": (
        "a.txt",
        str(TALL),
        r"an array as it is printed, .*numpy\.save",
    ),
    "an id and no vector": ("a.csv", rows(range(10, 17), WORDS, heading="id,embedding"), r"no column of numbers.*'id'"),
}


def written(folder, name, content):
    path = folder / name
    path.write_text(content, encoding="utf-8") if isinstance(content, str) else content(path)
    return path


def kept(labels, n):
    return [str(label) for label in (range(n) if labels is None else labels) if label is not None]


@pytest.mark.parametrize("case", READ)
def test_lists_that_are_read(case, tmp_path):
    name, content, wishes, expected, labels = READ[case]
    loaded = load_vectors(written(tmp_path, name, content), **wishes)
    assert loaded.vectors.shape == expected.shape
    exact = expected if loaded.vectors.dtype == np.float64 else expected.astype(np.float32)
    assert_array_equal(loaded.vectors, exact)
    assert loaded.labels.tolist() == kept(labels, len(expected))


@pytest.mark.parametrize("case", REFUSED)
def test_lists_that_are_refused(case, tmp_path):
    name, content, words = REFUSED[case]
    with pytest.raises(ValueError, match=words) as error:
        load_vectors(written(tmp_path, name, content))
    assert name in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_matrix_whose_rows_are_lists(tmp_path):
    S = np.corrcoef(X)
    path = written(tmp_path, "S.csv", rows(WORDS, [json.dumps(row.tolist()) for row in S]))
    loaded = load_matrix(path)
    assert_array_equal(loaded.matrix, S)
    assert loaded.labels.tolist() == WORDS


def test_columns_of_numbers_beside_the_vectors_are_noted(tmp_path):
    for case in ("embeddings saved by pandas", "texts in Parquet", "lists in lists in Parquet"):
        name, content, *_ = READ[case]
        (dropped,) = load_vectors(written(tmp_path, name, content)).card["dropped"]
        assert "neither vectors nor labels" in dropped
        assert "'n_tokens'" in dropped


def test_several_lists_in_a_cell_are_noted(tmp_path):
    name, content, *_ = READ["tables in Parquet"]
    loaded = load_vectors(written(tmp_path, name, content))
    assert loaded.card["notes"] == ["Column 'image' holds several lists in a row: they are joined to one vector."]
    path = written(tmp_path, "a.csv", rows(WORDS, quoted(f"[{text}, {text}]" for text in LISTS), heading="w,v"))
    loaded = load_vectors(path)
    assert_array_equal(loaded.vectors, np.hstack([X, X]).astype(np.float32))
    assert "Column 'v' holds several lists in a row: they are joined to one vector." in loaded.card["notes"]


def test_rows_without_a_vector_are_named(tmp_path):
    name, content, *_ = READ["a vector that is \\N"]
    loaded = load_vectors(written(tmp_path, name, content))
    assert loaded.card["dropped"] == [
        "1 rows with a missing or infinite number (counted from 0: 2). How many each has: 'pear' 5."
    ]


def test_pieces_change_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(pieces, "ROWS_A_PIECE", 2)
    for case in ("embeddings saved by pandas", "label, list without quotes", "NumPy's rows in a frame"):
        test_lists_that_are_read(case, tmp_path)
    with pytest.raises(ValueError, match=REFUSED["a vector that is shorter"][2]):
        load_vectors(written(tmp_path, "a.csv", REFUSED["a vector that is shorter"][1]))


def test_one_column_is_noted(tmp_path):
    loaded = load_vectors(written(tmp_path, "a.csv", rows(WORDS, TOKENS, heading="w,n")))
    assert loaded.card["notes"][-1].startswith("One column: the cosine similarity of single numbers is only 1 or -1")
    loaded = load_vectors(written(tmp_path, "a.csv", rows(WORDS, TOKENS, TOKENS, heading="w,n,m")))
    assert not any("One column" in note for note in loaded.card["notes"])


def test_the_way_out_of_records_in_parquet(tmp_path):
    whole = pa.table({"w": WORDS, "n": TOKENS, "e": [{"dense": row.tolist()} for row in X]})
    pq.write_table(whole.flatten(), tmp_path / "a.parquet")
    assert_array_equal(load_vectors(tmp_path / "a.parquet").vectors, X)


@pytest.mark.parametrize("columns", [["n", "v"], ["v", "n"]])
def test_lists_are_named_alone(columns, tmp_path):
    path = written(tmp_path, "a.csv", rows(WORDS, TOKENS, quoted(LISTS), heading="w,n,v"))
    with pytest.raises(ValueError, match="'v' is a column of lists: name it alone with columns="):
        load_vectors(path, columns=columns)


def read_or_refused(load, path):
    """What was read, or None and the message."""
    try:
        return load(path), path.name
    except ValueError as error:
        return None, str(error)


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False, width=64), min_size=2, max_size=6),
    st.sampled_from([json.dumps, str, lambda row: str(np.array(row)).replace("\n", " "), lambda row: repr(tuple(row))]),
    st.sampled_from([("a.csv", ",", '"'), ("a.tsv", "\t", ""), ("a.csv", ";", ""), ("a.txt", " ", "")]),
)
@settings(deadline=None, max_examples=80)
def test_numbers_come_back_exactly(tmp_path_factory, row, as_text, form):
    name, separator, quote = form
    text = as_text(row)
    expected = np.array(row) if as_text in (json.dumps, str) else None
    path = tmp_path_factory.getbasetemp() / name
    path.write_text("".join(f"w{i}{separator}{quote}{text}{quote}\n" for i in range(3)))
    loaded, words = read_or_refused(load_vectors, path)
    if loaded is None:
        assert "rescale it" in words
        return
    assert loaded.labels.tolist() == ["w0", "w1", "w2"]
    assert loaded.vectors.shape == (3, len(row))
    if expected is not None:
        assert_array_equal(loaded.vectors, np.tile(expected.astype(loaded.vectors.dtype), (3, 1)))


@given(st.text(alphabet='ab01.,;\t "[](){}\n-eN', max_size=60))
@settings(deadline=None, max_examples=300)
def test_any_text_is_read_or_refused_in_one_line(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "a.csv"
    path.write_text(text or "[1]")
    for load in (load_vectors, load_matrix):
        loaded, words = read_or_refused(load, path)
        assert "a.csv" in words
        assert len(words.splitlines()) == 1
        assert loaded is None or np.isfinite(loaded[0]).all()
