"""What several test files share: the words, and their whole similarity matrix, computed once."""

import pytest

from simlib import cosine_similarity, load


@pytest.fixture(scope="session")
def words():
    """The 20,000 word vectors, float32 whole numbers (20000, 384), read-only."""
    vectors = load("words").vectors
    vectors.setflags(write=False)
    return vectors


@pytest.fixture(scope="session")
def words_matrix(words):
    """Their cosine similarities, float32 (20000, 20000): 1.6 GB for the whole session."""
    return cosine_similarity(words)
