"""The formats of the field: files as their tools write them, read right or refused in one line with a way out."""

import gzip
import json
import pickle
import struct
import sys

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pytest
import safetensors.numpy
import scipy.io
import scipy.sparse
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from safetensors.torch import save_file
from sklearn.datasets import dump_svmlight_file

from simlib import load_matrix, load_vectors
from simlib.files import json as json_reader
from simlib.files import pieces

N, D = 7, 5
X = np.random.default_rng(0).standard_normal((N, D)).round(4)
X32 = X.astype(np.float32)
WORDS = ["plum", "lemon", "pear", "fig", "sloe", "date", "lime"]
KINDS = ["a", "b", "a", "b", "a", "b", "a"]
S = np.where(X > 0.3, X, 0)
S[2] = 0


def lines(values):
    return "".join(json.dumps(value) + "\n" for value in values)


def records(**fields):
    return [dict(zip(fields, values, strict=True)) for values in zip(*fields.values(), strict=True)]


RECORDS = records(id=range(10, 17), text=WORDS, embedding=X.tolist())


def word2vec(path, end=b"\n", pack=open):
    with pack(path, "wb") as file:
        file.write(b"%d %d\n" % X.shape)
        for word, row in zip(WORDS, X32, strict=True):
            file.write(word.encode() + b" " + row.tobytes() + end)


def hdf5(**arrays):
    def write(path):
        with h5py.File(path, "w") as file:
            for name, array in arrays.items():
                file[name.replace("__", "/")] = array

    return write


def anndata(path, values=X, encoding=None):
    """A .h5ad file as anndata writes it."""
    with h5py.File(path, "w") as file:
        file.attrs["encoding-type"] = "anndata"
        if encoding:
            stored = scipy.sparse.csr_array(values) if encoding == "csr_matrix" else scipy.sparse.csc_array(values)
            for name in ("data", "indices", "indptr"):
                file[f"X/{name}"] = getattr(stored, name)
            file["X"].attrs.update({"encoding-type": encoding, "shape": values.shape})
        else:
            file["X"] = values
        file["obsm/X_pca"] = X[:, :3]
        file["obsm/X_umap"] = X[:, :2]
        file["obs/cell"] = WORDS
        file["obs"].attrs["_index"] = "cell"
        file["obs/kind/categories"] = ["a", "b"]
        file["obs/kind/codes"] = np.array([0, 1, 0, 1, 0, 1, 0], np.int8)
        file["obs/kind"].attrs["encoding-type"] = "categorical"
        file["var/gene"] = list("vwxyz")
        file["var"].attrs["_index"] = "gene"


def matlab_7_3(path):
    """A .mat file as MATLAB writes it with -v7.3: HDF5 after 512 bytes, arrays turned, texts as references."""
    with h5py.File(path, "w", userblock_size=512) as file:
        file["emb"] = X.T
        file["emb"].attrs["MATLAB_class"] = np.bytes_("double")
        names = file.create_dataset("names", (1, N), h5py.ref_dtype)
        names.attrs["MATLAB_class"] = np.bytes_("cell")
        for i, word in enumerate(WORDS):
            text = file.create_dataset(f"#refs#/{i}", data=np.array([[ord(sign)] for sign in word], np.uint16))
            text.attrs["MATLAB_class"] = np.bytes_("char")
            names[0, i] = text.ref
    with open(path, "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")


def stream(path, **columns):
    whole = pa.table(columns)
    with pa.ipc.new_stream(path, whole.schema) as writer:
        writer.write_table(whole, max_chunksize=3)


def feather(path, compression="lz4", **columns):
    pyarrow.feather.write_feather(pa.table(columns), path, compression=compression)


def vecs(kind, values):
    def write(path):
        width = struct.pack("<i", values.shape[1])
        path.write_bytes(b"".join(width + row.astype(kind).tobytes() for row in values))

    return write


def torch_file(path):
    torch.save(torch.tensor(X), path)


def pickled(path):
    path.write_bytes(pickle.dumps(X))


# what: (name of the file, its text or how it is written, wishes, the vectors, the labels)
READ = {
    "JSON lines": ("a.jsonl", lines(RECORDS), {}, X, WORDS),
    "JSON lines, label named": ("a.ndjson", lines(RECORDS), {"label": "id"}, X, range(10, 17)),
    "JSON lines, an id only": ("a.jsonl", lines(records(id=range(10, 17), v=X.tolist())), {}, X, range(10, 17)),
    "JSON lines, the text last": ("a.jsonl", lines(records(v=X.tolist(), kind=KINDS, text=WORDS)), {}, X, WORDS),
    "JSON lines, packed": (
        "a.jsonl.gz",
        lambda path: path.write_bytes(gzip.compress(lines(RECORDS).encode())),
        {},
        X,
        WORDS,
    ),
    "JSON lines, vectors as texts": (
        "a.jsonl",
        lines(records(title=WORDS, n=range(N), embedding=[json.dumps(row) for row in X.tolist()])),
        {},
        X,
        WORDS,
    ),
    "JSON lines of numbers": (
        "a.jsonl",
        lines(records(name=WORDS, a=X[:, 0].tolist(), b=X[:, 1].tolist())),
        {},
        X[:, :2],
        WORDS,
    ),
    "JSON lines of lists": ("a.jsonl", lines(X.tolist()), {}, X, None),
    "JSON lines of pairs": ("a.jsonl", lines(zip(WORDS, X.tolist(), strict=True)), {}, X, WORDS),
    "JSON lines, null for a vector": (
        "a.jsonl",
        lines(record | ({"embedding": None} if record["text"] == "pear" else {}) for record in RECORDS),
        {},
        np.delete(X, 2, 0),
        [word for word in WORDS if word != "pear"],
    ),
    "JSON lines, a vector left out": (
        "a.jsonl",
        lines({k: v for k, v in r.items() if r["text"] != "pear" or k != "embedding"} for r in RECORDS),
        {},
        np.delete(X, 2, 0),
        [word for word in WORDS if word != "pear"],
    ),
    "Elasticsearch": (
        "a.jsonl",
        lines({"_index": "i", "_id": str(r["id"]), "_score": 1, "_source": r} for r in RECORDS),
        {},
        X,
        WORDS,
    ),
    "Qdrant": (
        "a.json",
        lines(records(id=range(N), payload=[{"text": word} for word in WORDS], vector=X.tolist())),
        {},
        X,
        WORDS,
    ),
    "JSON": ("a.json", json.dumps(RECORDS, indent=1), {}, X, WORDS),
    "JSON, a list of lists": ("a.json", json.dumps(X.tolist()), {}, X, None),
    "JSON, vectors by name": ("a.json", json.dumps(dict(zip(WORDS, X.tolist(), strict=True))), {}, X, WORDS),
    "JSON, records by name": (
        "a.json",
        json.dumps({word: {"kind": "a", "v": row} for word, row in zip(WORDS, X.tolist(), strict=True)}),
        {},
        X,
        WORDS,
    ),
    "vectors by name beside others": (
        "a.json",
        json.dumps({"embedding_dict": dict(zip(WORDS, X.tolist(), strict=True)), "ref_docs": {"plum": "a"}, "n": 7}),
        {},
        X,
        WORDS,
    ),
    "records by name, each with its own id": (
        "a.json",
        json.dumps({w: {"id": w, "vector": row, "text": f"a {w}"} for w, row in zip(WORDS, X.tolist(), strict=True)}),
        {},
        X,
        [f"a {word}" for word in WORDS],
    ),
    "pandas' to_json, named rows": (
        "a.json",
        lambda path: pd.DataFrame({"v": X.tolist()}, WORDS).to_json(path),
        {},
        X,
        WORDS,
    ),
    "pandas' to_json, by row": (
        "a.json",
        lambda path: pd.DataFrame(X, WORDS, list("abcde")).to_json(path, orient="index", double_precision=15),
        {},
        X,
        WORDS,
    ),
    "pandas' to_json, as a table": (
        "a.json",
        lambda path: pd.DataFrame({"text": WORDS, "v": X.tolist()}).to_json(path, orient="table"),
        {},
        X,
        WORDS,
    ),
    "a frame as HDF5": (
        "a.h5",
        hdf5(
            df__axis0=list("abcde"),
            df__axis1=np.array(WORDS, "S"),
            df__block0_items=list("abcde"),
            df__block0_values=X,
        ),
        {},
        X,
        WORDS,
    ),
    "embeddings by their type": (
        "a.json",
        json.dumps({"id": "x", "texts": WORDS, "embeddings": {"float": X.tolist()}, "meta": {"version": 1}}),
        {},
        X,
        WORDS,
    ),
    "answers to a batch of requests": (
        "a.jsonl",
        lines(
            {"custom_id": word, "response": {"body": {"object": "list", "data": [{"index": 0, "embedding": row}]}}}
            for word, row in zip(WORDS, X.tolist(), strict=True)
        ),
        {},
        X,
        WORDS,
    ),
    "bulk requests": (
        "a.ndjson",
        "".join(lines([{"index": {}}, {"title": word, "v": row}]) for word, row in zip(WORDS, X.tolist(), strict=True)),
        {},
        X,
        WORDS,
    ),
    "JSON, numbers as texts": (
        "a.json",
        json.dumps(
            [{"w": w, **dict(zip("abcde", map(str, row), strict=True))} for w, row in zip(WORDS, X, strict=True)]
        ),
        {},
        X,
        WORDS,
    ),
    "JSON, a list of texts": ("a.json", json.dumps([str(row) for row in X.tolist()]), {}, X, None),
    "JSON, one record": ("a.json", json.dumps({"id": "x", "v": X[0].tolist(), "tags": [{"a": 1}]}), {}, X[:1], ["x"]),
    "GeoJSON": (
        "a.json",
        json.dumps(
            {
                "type": "FeatureCollection",
                "features": [
                    {"type": "Feature", "properties": {"name": w}, "geometry": {"type": "Point", "coordinates": row}}
                    for w, row in zip(WORDS, X[:, :2].tolist(), strict=True)
                ],
            }
        ),
        {},
        X[:, :2],
        WORDS,
    ),
    "a vector store": (
        "a.json",
        json.dumps(
            {
                "ids": KINDS[:2] * 3 + ["x"],
                "embeddings": X.tolist(),
                "documents": WORDS,
                "uris": None,
                "included": ["documents"],
            }
        ),
        {},
        X,
        WORDS,
    ),
    "the answer of an embeddings service": (
        "a.json",
        json.dumps(
            {
                "object": "list",
                "data": [{"object": "embedding", "index": i, "embedding": row} for i, row in enumerate(X.tolist())],
                "model": "m",
            }
        ),
        {},
        X,
        range(N),
    ),
    "pandas' to_json": (
        "a.json",
        lambda path: pd.DataFrame({"text": WORDS, "n": range(N), "v": X.tolist()}).to_json(path),
        {},
        X,
        WORDS,
    ),
    "pandas' to_json, split": (
        "a.json",
        lambda path: pd.DataFrame({"text": WORDS, "v": X.tolist()}).to_json(path, orient="split"),
        {},
        X,
        WORDS,
    ),
    "word2vec's binary": ("a.bin", word2vec, {}, X32, WORDS),
    "word2vec's binary, no ends of lines": ("a.bin", lambda path: word2vec(path, b""), {}, X32, WORDS),
    "word2vec's binary, packed": ("a.bin.gz", lambda path: word2vec(path, pack=gzip.open), {}, X32, WORDS),
    "HDF5": ("a.h5", hdf5(embeddings=X, names=WORDS), {}, X, WORDS),
    "HDF5, named": (
        "a.hdf5",
        hdf5(g__train=X, g__test=X[:3], g__kind=KINDS, words=WORDS),
        {"columns": ["g/train"], "label": "g/kind"},
        X,
        KINDS,
    ),
    "AnnData": ("a.h5ad", anndata, {}, X, WORDS),
    "AnnData, named": ("a.h5ad", anndata, {"columns": ["X_pca"], "label": "kind"}, X[:, :3], KINDS),
    "AnnData, sparse rows": ("a.h5ad", lambda path: anndata(path, S, "csr_matrix"), {}, S, WORDS),
    "AnnData, sparse columns": ("a.h5ad", lambda path: anndata(path, S, "csc_matrix"), {}, S, WORDS),
    "Feather": ("a.feather", lambda path: feather(path, w=WORDS, a=X[:, 0], b=X[:, 1]), {}, X[:, :2], WORDS),
    "Feather, lists": (
        "a.feather",
        lambda path: feather(path, "zstd", text=WORDS, n=range(N), v=list(X)),
        {},
        X,
        WORDS,
    ),
    "Arrow, a file": ("a.arrow", lambda path: feather(path, "uncompressed", text=WORDS, v=list(X32)), {}, X32, WORDS),
    "Arrow, a stream": ("a.arrow", lambda path: stream(path, text=WORDS, n=range(N), v=list(X)), {}, X, WORDS),
    "safetensors": ("a.safetensors", lambda path: safetensors.numpy.save_file({"x": X}, path), {}, X, None),
    "safetensors, bfloat16": (
        "a.safetensors",
        lambda path: save_file({"x": torch.tensor(X).to(torch.bfloat16)}, path),
        {},
        torch.tensor(X).to(torch.bfloat16).float().numpy(),
        None,
    ),
    "safetensors, named": (
        "a.safetensors",
        lambda path: safetensors.numpy.save_file({"x": X, "y": X[:3]}, path),
        {"columns": ["y"]},
        X[:3],
        None,
    ),
    ".fvecs": ("a.fvecs", vecs("<f4", X32), {}, X32, None),
    ".bvecs": ("a.bvecs", vecs("u1", np.arange(21).reshape(7, 3)), {}, np.arange(21).reshape(7, 3), None),
    ".ivecs": ("a.ivecs", vecs("<i4", np.arange(21).reshape(7, 3)), {}, np.arange(21).reshape(7, 3), None),
    "MATLAB": (
        "a.mat",
        lambda path: scipy.io.savemat(path, {"emb": X, "names": np.array(WORDS, object)}, do_compression=True),
        {},
        X,
        WORDS,
    ),
    "MATLAB 4": ("a.mat", lambda path: scipy.io.savemat(path, {"emb": X}, format="4"), {}, X, None),
    "MATLAB, sparse": ("a.mat", lambda path: scipy.io.savemat(path, {"S": scipy.sparse.csc_array(S)}), {}, S, None),
    "MATLAB 7.3": ("a.mat", matlab_7_3, {}, X, WORDS),
    "svmlight": (
        "a.svmlight",
        lambda path: dump_svmlight_file(scipy.sparse.csr_array(S), np.arange(N), str(path), zero_based=False),
        {},
        S,
        None,
    ),
    "svmlight with names": (
        "a.libsvm",
        "".join(f"1 1:{i} 3:0.5 # {w}\n" for i, w in enumerate(WORDS)),
        {},
        np.column_stack([np.arange(N), np.zeros(N), np.full(N, 0.5)]),
        WORDS,
    ),
    "SciPy's save_npz, rows": (
        "a.npz",
        lambda path: scipy.sparse.save_npz(path, scipy.sparse.csr_array(S)),
        {},
        S,
        None,
    ),
    "SciPy's save_npz, columns": (
        "a.npz",
        lambda path: scipy.sparse.save_npz(path, scipy.sparse.csc_matrix(S)),
        {},
        S,
        None,
    ),
    "SciPy's save_npz, pairs": (
        "a.npz",
        lambda path: scipy.sparse.save_npz(path, scipy.sparse.coo_array(S)),
        {},
        S,
        None,
    ),
    "two arrays, one named": (
        "a.npz",
        lambda path: np.savez(path, train=X, test=X[:3]),
        {"columns": ["test"]},
        X[:3],
        None,
    ),
}


def cut(write, by=9):
    def shorter(path):
        write(path)
        path.write_bytes(path.read_bytes()[:-by])

    return shorter


def bad_indices(path):
    stored = scipy.sparse.csr_array(S)
    np.savez(path, data=stored.data, indices=stored.indices + 10**6, indptr=stored.indptr, format=b"csr", shape=S.shape)


def sparse_of_columns_broken(path):
    stored = scipy.sparse.csc_array(S)
    np.savez(path, data=stored.data, indices=stored.indices, indptr=stored.indptr * 1000, format=b"csc", shape=S.shape)


def huge_hdf5(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("X", (10**9, 10**6), np.float32, chunks=(10, 10))


def hdf5_of_elsewhere(path):
    with h5py.File(path, "w") as file:
        file["X"] = h5py.ExternalLink("/etc/passwd", "X")


def record_of_safetensors(path, header):
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"x" * 100)


# what: (name of the file, its text or how it is written, words of the message)
REFUSED = {
    "torch .pt": ("a.pt", torch_file, r"\.pt .*np\.save"),
    "torch .pth": ("a.pth", torch_file, r"\.pth .*np\.save"),
    "torch .bin": ("pytorch_model.bin", torch_file, r"torch.*np\.save"),
    "pickle": ("a.pkl", pickled, r"pickle.*np\.save"),
    "pickle called .bin": ("a.bin", pickled, r"pickle.*np\.save"),
    "joblib": ("a.joblib", pickled, r"pickle.*np\.save"),
    "fastText's model": (
        "a.bin",
        lambda path: path.write_bytes(struct.pack("<ii", 793712314, 12) + bytes(99)),
        r"fastText.*\.vec",
    ),
    "Excel": ("a.xlsx", lambda path: path.write_bytes(b"PK\3\4"), r"\.csv"),
    "no word2vec": ("a.bin", lambda path: path.write_bytes(b"\1\2\3" * 99), r"word2vec"),
    "word2vec that is cut off": ("a.bin", cut(word2vec), r"a\.bin .*cut off"),
    "word2vec that claims too much": (
        "a.bin",
        lambda path: path.write_bytes(b"999999999999 300\n" + b"a " + bytes(1200)),
        r"a\.bin .*cut off",
    ),
    "JSON lines, no JSON in a line": ("a.jsonl", lines(RECORDS[:3]) + "{'id': 1}\n", r"line 4"),
    "JSON lines, cut off": ("a.jsonl", lines(RECORDS)[:-9], r"line 7"),
    "JSON lines, a shorter vector": (
        "a.jsonl",
        lines([*RECORDS, {"id": 1, "text": "x", "embedding": [1, 2]}]),
        r"'embedding'.*row 7 .*2 numbers, expected 5",
    ),
    "JSON lines, a word in a vector": (
        "a.jsonl",
        lines([*RECORDS, {"id": 1, "text": "x", "embedding": [1, 2, "c", 4, 5]}]),
        r"'embedding' holds .*'c'.* in row 7 ",
    ),
    "JSON lines, no vector": ("a.jsonl", lines(records(id=range(N), text=WORDS)), r"no column of numbers.*'id'"),
    "JSON lines, two vectors": (
        "a.jsonl",
        lines(records(u=X.tolist(), v=X.tolist())),
        r"name one of 'u', 'v' with columns=",
    ),
    "JSON lines, no such label": ("a.jsonl", lines(RECORDS), r"no column 'word'", {"label": "word"}),
    "JSON, cut off": ("a.json", json.dumps(RECORDS, indent=1)[:-9], r"a\.json .*no JSON|a\.json .*cut off"),
    "JSON, too deep": ("a.json", "[" * 100_000, r"a\.json"),
    "JSON of one number": ("a.json", "7", r"a\.json holds"),
    "JSON of words": ("a.json", json.dumps(WORDS), r"a\.json"),
    "HDF5, two arrays": ("a.h5", hdf5(a=X, b=X), r"holds a \(7, 5\) float64, b .*columns="),
    "HDF5, no array": ("a.h5", hdf5(names=WORDS), r"holds names.*expected one 2-D array"),
    "HDF5, no such array": ("a.h5", hdf5(a=X), r"no array 'c'.*'a'", {"columns": ["c"]}),
    "HDF5 that is none": ("a.h5", lambda path: path.write_bytes(b"junk" * 99), r"a\.h5 cannot be read"),
    "HDF5, cut off": ("a.h5", cut(hdf5(a=X), 99), r"a\.h5 cannot be read"),
    "HDF5 that claims too much": ("a.h5", huge_hdf5, r"a\.h5.* takes .* GB"),
    "HDF5 with a link": ("a.h5", hdf5_of_elsewhere, r"a\.h5 holds no array"),
    "AnnData, no such array": ("a.h5ad", anndata, r"no array 'X_tsne'.*'obsm/X_pca'", {"columns": ["X_tsne"]}),
    "AnnData, no such label": ("a.h5ad", anndata, r"no array 'word'.*'obs/cell'", {"label": "word"}),
    "Arrow that is none": ("a.arrow", lambda path: path.write_bytes(b"junk" * 99), r"a\.arrow cannot be read"),
    "Feather, cut off": ("a.feather", cut(lambda path: feather(path, v=list(X)), 99), r"a\.feather cannot be read"),
    "safetensors that is none": ("a.safetensors", lambda path: path.write_bytes(b"junk" * 99), r"cannot be read"),
    "safetensors that claims too much": (
        "a.safetensors",
        lambda path: record_of_safetensors(
            path, {"x": {"dtype": "F32", "shape": [10**9, 10**6], "data_offsets": [0, 4 * 10**15]}}
        ),
        r"cannot be read",
    ),
    ".fvecs, cut off": ("a.fvecs", cut(vecs("<f4", X32), 7), r"a\.fvecs .*cut off"),
    ".fvecs that is none": ("a.fvecs", lambda path: path.write_bytes(b"junk" * 99), r"a\.fvecs .*"),
    "MATLAB, cut off": ("a.mat", cut(lambda path: scipy.io.savemat(path, {"emb": X}), 99), r"a\.mat cannot be read"),
    "MATLAB, two arrays": (
        "a.mat",
        lambda path: scipy.io.savemat(path, {"a": X, "b": X}),
        r"holds a \(7, 5\) .*columns=",
    ),
    "svmlight that is none": ("a.svm", "plum 1 2 3\n", r"a\.svm .*"),
    "sparse, indices that lie outside": ("a.npz", bad_indices, r"a\.npz cannot be read"),
    "sparse, pointers that lie outside": ("a.npz", sparse_of_columns_broken, r"a\.npz cannot be read"),
}


def written(folder, name, content):
    path = folder / name
    path.write_text(content, encoding="utf-8") if isinstance(content, str) else content(path)
    return path


@pytest.mark.parametrize("case", READ)
def test_files_that_are_read(case, tmp_path):
    name, content, wishes, expected, labels = READ[case]
    loaded = load_vectors(written(tmp_path, name, content), **wishes)
    assert loaded.vectors.shape == expected.shape
    assert loaded.vectors.dtype in (np.float32, np.float64)
    values = loaded.vectors.toarray() if scipy.sparse.issparse(loaded.vectors) else loaded.vectors
    assert_array_equal(values, expected if values.dtype == np.float64 else expected.astype(np.float32))
    assert loaded.labels.tolist() == [str(label) for label in (range(len(expected)) if labels is None else labels)]
    assert (loaded.card["rows"], loaded.card["columns"]) == expected.shape


@pytest.mark.parametrize("case", REFUSED)
def test_files_that_are_refused(case, tmp_path):
    name, content, words, *wishes = REFUSED[case]
    with pytest.raises((ValueError, MemoryError), match=words) as error:
        load_vectors(written(tmp_path, name, content), **(wishes[0] if wishes else {}))
    assert name in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    "case", [case for case in READ if "sparse" in case or "svmlight" in case or "save_npz" in case]
)
def test_sparse_files_stay_sparse(case, tmp_path):
    name, content, wishes, expected, _ = READ[case]
    loaded = load_vectors(written(tmp_path, name, content), **wishes)
    assert isinstance(loaded.vectors, scipy.sparse.csr_array)
    assert loaded.vectors.nnz <= np.count_nonzero(expected) + 1
    assert loaded.card["notes"][-1].startswith("Sparse: ")


def test_rows_of_a_sparse_file_that_cannot_be_used_are_named(tmp_path):
    holed = S.copy()
    holed[1, 2] = np.nan
    holed[4, 0] = np.inf
    scipy.sparse.save_npz(tmp_path / "a.npz", scipy.sparse.csr_array(holed))
    loaded = load_vectors(tmp_path / "a.npz")
    assert_array_equal(loaded.vectors.toarray(), np.delete(S, [1, 4], 0))
    assert loaded.card["dropped"] == ["2 rows with a missing or infinite number (counted from 0: 1, 4)."]


@pytest.mark.parametrize(
    ("dtype", "expected"), [(bool, np.float32), (np.int64, np.float32), (np.float32, np.float32), (float, np.float64)]
)
def test_kinds_of_numbers_of_sparse_files(dtype, expected, tmp_path):
    stored = scipy.sparse.csr_array(np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]], dtype))
    scipy.sparse.save_npz(tmp_path / "a.npz", stored)
    assert load_vectors(tmp_path / "a.npz").vectors.dtype == expected


def test_a_sparse_file_is_no_matrix(tmp_path):
    scipy.sparse.save_npz(tmp_path / "a.npz", scipy.sparse.eye_array(3))
    with pytest.raises(ValueError, match=r"a.npz holds a sparse matrix: save it as \.npy"):
        load_matrix(tmp_path / "a.npz")


MATRIX = np.corrcoef(X)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("S.json", lambda path: path.write_text(json.dumps(MATRIX.tolist()))),
        ("S.jsonl", lambda path: path.write_text(lines(MATRIX.tolist()))),
        ("S.h5", hdf5(distances=MATRIX, other=X[:, :2])),
        ("S.mat", lambda path: scipy.io.savemat(path, {"S": MATRIX})),
        ("S.safetensors", lambda path: safetensors.numpy.save_file({"similarity": MATRIX, "X": X}, path)),
    ],
)
def test_matrices(name, write, tmp_path):
    write(tmp_path / name)
    loaded = load_matrix(tmp_path / name)
    assert_array_equal(loaded.matrix, MATRIX)
    assert loaded.matrix.dtype == np.float64
    assert loaded.labels.tolist() == [str(i) for i in range(N)]


@pytest.mark.parametrize("case", READ)
def test_a_file_that_takes_more_memory_than_there_is(case, tmp_path, monkeypatch):
    name, content, wishes, *_ = READ[case]
    path = written(tmp_path, name, content)
    monkeypatch.setattr("simlib._check.available_memory", lambda: 20)
    with pytest.raises(MemoryError, match=r"GB and 0\.0 GB are free") as error:
        load_vectors(path, **wishes)
    assert name in str(error.value)


@pytest.mark.parametrize(("name", "library"), [("a.h5", "h5py"), ("a.h5ad", "h5py"), ("a.safetensors", "safetensors")])
def test_a_library_that_is_not_installed(name, library, tmp_path, monkeypatch):
    (tmp_path / name).write_bytes(b"x")
    monkeypatch.setitem(sys.modules, library, None)
    for kind in (ImportError, ValueError):
        with pytest.raises(kind, match=rf'{name} needs {library}, .* pip install "simlib\[formats\]"'):
            load_vectors(tmp_path / name)


def test_what_anndata_holds_beside_x_is_named_and_can_be_read(tmp_path):
    anndata(tmp_path / "a.h5ad")
    loaded = load_vectors(tmp_path / "a.h5ad")
    assert loaded.card["dropped"] == []
    (note,) = loaded.card["notes"]
    assert note == "X is read; the cells also have 'obsm/X_pca', 'obsm/X_umap': columns=['obsm/X_pca'] reads that."
    assert_array_equal(load_vectors(tmp_path / "a.h5ad", columns=["obsm/X_pca"]).vectors, X[:, :3])


def test_the_way_out_among_several_arrays(tmp_path):
    hdf5(a=X, b=X[:, :2])(tmp_path / "a.h5")
    with pytest.raises(ValueError, match=r"name one with columns=\['a'\]"):
        load_vectors(tmp_path / "a.h5")
    assert_array_equal(load_vectors(tmp_path / "a.h5", columns=["a"]).vectors, X)
    for columns in ("a", ["a", "b"], []):
        with pytest.raises(ValueError, match=r"the name of one array, as in columns=\['X'\], got"):
            load_vectors(tmp_path / "a.h5", columns=columns)


def test_what_was_decided_about_json_is_noted(tmp_path):
    by_name = written(tmp_path, "a.json", READ["JSON, vectors by name"][1])
    assert load_vectors(by_name).card["notes"] == ["The names of the lists are the labels, the lists are the vectors."]
    answer = written(tmp_path, "b.json", READ["the answer of an embeddings service"][1])
    loaded = load_vectors(answer)
    assert loaded.card["notes"] == ["The items are what 'data' holds."]
    assert loaded.card["dropped"] == ["Columns that are neither vectors nor labels: 'object'."]
    store = load_vectors(written(tmp_path, "c.json", READ["a vector store"][1]))
    assert store.card["dropped"][0] == "What is not as long as the vectors: 'uris', 'included'."


def test_json_lines_in_pieces_with_a_bar(tmp_path, monkeypatch, capfd):
    path = written(tmp_path, "a.jsonl", lines(RECORDS * 50))
    expected = load_vectors(path)
    monkeypatch.setattr(pieces, "ROWS_A_PIECE", 11)
    monkeypatch.setattr(json_reader, "ROWS_JUDGED", 5)
    assert capfd.readouterr() == ("", "")
    loaded = load_vectors(path, progress=True)
    assert "read: 100%" in capfd.readouterr().err
    assert_array_equal(loaded.vectors, expected.vectors)
    assert loaded.labels.tolist() == expected.labels.tolist() == WORDS * 50


def test_json_called_text(tmp_path):
    for name, content in (("a.csv", lines(RECORDS)), ("a.txt", json.dumps(RECORDS, indent=1))):
        with pytest.raises(ValueError, match=rf"{name} holds JSON: let its name end in \.json, or in \.jsonl"):
            load_vectors(written(tmp_path, name, content))


def test_svmlight_called_text(tmp_path):
    path = written(tmp_path, "a.txt", "1 1:0.5 3:0.25\n-1 2:1.5 # plum\n")
    with pytest.raises(ValueError, match=r"a\.txt holds pairs such as 3:0\.5, .* end in \.svmlight"):
        load_vectors(path)
    loaded = load_vectors(path.rename(tmp_path / "a.svmlight"))
    assert_array_equal(loaded.vectors.toarray(), [[0.5, 0, 0.25], [0, 1.5, 0]])


def test_json_under_the_other_name(tmp_path):
    for name, content in (("a.json", lines(RECORDS)), ("a.jsonl", json.dumps(RECORDS, indent=1))):
        assert_array_equal(load_vectors(written(tmp_path, name, content)).vectors, X32)


def test_an_arrow_file_says_its_size_before_it_is_unpacked(tmp_path, monkeypatch):
    feather(tmp_path / "a.feather", "zstd", x=np.zeros(10**6))
    assert (tmp_path / "a.feather").stat().st_size < 10**5
    monkeypatch.setattr("simlib._check.available_memory", lambda: 10**5)
    with pytest.raises(MemoryError, match=r"a\.feather, unpacked, takes"):
        load_vectors(tmp_path / "a.feather")


def read_or_refused(load, path):
    """What was read, or None and the message."""
    try:
        return load(path), path.name
    except (ValueError, MemoryError) as error:
        return None, str(error)


@given(st.binary(max_size=200), st.sampled_from(sorted({READ[case][0] for case in READ} - {"a.npz"})))
@settings(deadline=None, max_examples=200)
def test_any_bytes_are_read_or_refused_in_one_line(tmp_path_factory, content, name):
    starts = {
        "a.h5": b"\x89HDF\r\n\x1a\n",
        "a.mat": b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM",
        "a.arrow": b"ARROW1\0\0",
        "a.bin": b"2 3\n",
        "a.fvecs": b"\1\0\0\0",
        "a.json": b'[{"v": [1, 2]}, ',
    }
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(starts.get(name, b"") + content or b"1")
    for load in (load_vectors, load_matrix):
        _, words = read_or_refused(load, path)
        assert name in words
        assert len(words.splitlines()) == 1


def test_brackets_in_a_name_are_no_list(tmp_path):
    path = tmp_path / "names.csv"
    path.write_text('name,x,y\n"$\\frac{1}{0}$ and $x",1,2\n"f(1), g(2)",3,4\n"a[1]",5,6\n')
    found = load_vectors(path)
    assert found.vectors.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert found.labels.tolist() == ["$\\frac{1}{0}$ and $x", "f(1), g(2)", "a[1]"]
