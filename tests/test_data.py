"""The samples, their checksums, files that are written whole, and how much memory is free."""

import hashlib
import shutil

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_digits

from simlib import data, load


@pytest.fixture
def copy_of_data(tmp_path, monkeypatch):
    """A copy of the data folder that a test may spoil."""
    folder = tmp_path / "data"
    shutil.copytree(data.DATA, folder)
    monkeypatch.setattr(data, "DATA", folder)
    return folder


# Samples


def test_words_are_what_the_card_says():
    sample = load("words")
    assert sample.vectors.dtype == np.float32
    assert sample.vectors.shape == (20_000, 384)
    assert_array_equal(sample.names[:4], ["be", "person", "say", "group"])
    assert len(set(sample.names)) == len(set(sample.synsets)) == 20_000
    assert all(name.isascii() and name.isalpha() and name.islower() for name in sample.names)
    assert len(set(sample.categories)) == 41
    assert sum(category.startswith("noun.") for category in sample.categories) == 16_757
    assert sample.tags.dtype == np.int64
    assert sample.tags[0] == 10742
    assert (np.diff(sample.tags) <= 0).all()
    assert np.sum(sample.tags == 0) == 11_227
    assert "20,000 English words as vectors" in sample.card
    assert repr(sample) == "Sample(n=20000, d=384, 41 categories)"


def test_word_vectors_are_whole_numbers_whose_products_float32_holds(words):
    assert_array_equal(words, np.rint(words))
    assert_array_equal(np.abs(words).max(axis=1), np.full(20_000, 127))
    assert np.square(words, dtype=np.float64).sum(axis=1).max() == 1_064_410 < 2**24


def test_digits_are_scikit_learns():
    sample, digits = load("digits"), load_digits()
    assert sample.vectors.dtype == np.float32
    assert_array_equal(sample.vectors, digits.data)
    assert_array_equal(sample.names, digits.target.astype(str))
    assert_array_equal(sample.categories, sample.names)
    assert sample.synsets is None
    assert sample.tags is None
    assert repr(sample) == "Sample(n=1797, d=64, 10 categories)"


def test_every_load_is_ones_own():
    first = load("digits")
    first.vectors[:] = 0
    assert load("digits").vectors.any()


@pytest.mark.parametrize("name", ["Words", "", None, 3, ["words"]])
def test_unknown_name(name):
    with pytest.raises(ValueError, match="name must be one of 'words', 'digits', got "):
        load(name)


@pytest.mark.parametrize("name", ["vectors.npy", "words.csv"])
def test_one_changed_byte_is_noticed(name, copy_of_data):
    content = bytearray((copy_of_data / name).read_bytes())
    content[-100] ^= 1
    (copy_of_data / name).write_bytes(content)
    published, found = hashlib.sha256((data.ROOT / "data" / name).read_bytes()), hashlib.sha256(content)
    words = rf"{name} is not the published file: expected SHA-256 {published.hexdigest()}, got {found.hexdigest()}; "
    with pytest.raises(ValueError, match=words + "it was edited, or the download broke off: get it again"):
        load("words")


def test_a_file_cut_short_is_noticed(copy_of_data):
    content = (copy_of_data / "vectors.npy").read_bytes()
    (copy_of_data / "vectors.npy").write_bytes(content[:1_000_000])
    with pytest.raises(ValueError, match=r"vectors\.npy is not the published file"):
        load("words")


@pytest.mark.parametrize("name", ["vectors.npy", "words.csv", "SHA256SUMS", "README.md"])
def test_a_missing_file_is_named(name, copy_of_data):
    (copy_of_data / name).unlink()
    with pytest.raises(FileNotFoundError, match=name):
        load("words")


def test_missing_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "DATA", tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load("words")


# Files


def test_written_whole_replaces_at_the_end(tmp_path):
    path = tmp_path / "matrix.npy"
    np.save(path, np.zeros(3))
    with data.written_whole(path) as draft:
        assert (draft.parent, draft.suffix) == (tmp_path, ".npy")
        np.save(draft, np.ones(5))
        assert_array_equal(np.load(path), np.zeros(3))
    assert_array_equal(np.load(path), np.ones(5))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("there_before", [True, False])
@pytest.mark.parametrize("begun", [True, False])
def test_written_whole_leaves_the_old_file(error, there_before, begun, tmp_path):
    path = tmp_path / "note"
    if there_before:
        path.write_text("old")

    def stopped():
        with data.written_whole(str(path)) as draft:
            if begun:
                draft.write_text("half")
            raise error

    with pytest.raises(error):
        stopped()
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("note", "old")] * there_before


def test_written_whole_follows_a_link(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder/note")
    for text in ("first", "second"):
        with data.written_whole(tmp_path / "link") as draft:
            draft.write_text(text)
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "folder" / "note").read_text() == text
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["folder", "link", "note"]


def test_written_whole_where_nothing_was_written(tmp_path):
    path = tmp_path / "note.txt"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), data.written_whole(path):
        pass
    assert path.read_text() == "old"


def test_results_folder_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "ROOT", tmp_path)
    assert data.results_folder() == tmp_path / "results"
    assert data.results_folder().is_dir()


def test_results_folder_of_an_installed_wheel(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "DATA", data.SHIPPED)
    monkeypatch.chdir(tmp_path)
    assert data.results_folder() == tmp_path / "results"


def test_an_error_names_the_file_and_not_its_draft(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match=r"no/x\.txt'") as missing,
        data.written_whole(tmp_path / "no" / "x.txt") as draft,
    ):
        draft.write_text("words")
    assert missing.value.filename == str(tmp_path / "no" / "x.txt")
    with pytest.raises(FileNotFoundError, match=r"other\.txt"), data.written_whole(tmp_path / "x.txt"):
        (tmp_path / "other.txt").read_text()
    with pytest.raises(OSError, match="of my own"), data.written_whole(tmp_path / "x.txt"):
        raise OSError("of my own")
