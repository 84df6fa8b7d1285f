"""What a search adds to the lists of neighbours: against lists made from the whole matrix."""

import numpy as np
import pytest
import scipy.sparse

from simlib import cosine_similarity
from simlib._engine import extension, items
from simlib._engine.extension import Extension
from simlib._engine.prepare import prepare

N = 300


def whole_vectors(seed):
    """Vectors of whole numbers, many of them alike: every way to their similarities gives the same bits."""
    return np.random.default_rng(seed).integers(-3, 4, (N, 8)).astype(np.float32)


def uneven_vectors(seed):
    """Vectors whose similarities differ in the last bits from way to way."""
    return np.random.default_rng(seed).standard_normal((N, 40)).astype(np.float32) + 0.2


WAYS = {
    "matrix": (cosine_similarity, "similarity"),
    "distances": (lambda X: (1 - cosine_similarity(X)).clip(0), "precomputed"),
    "vectors": (lambda X: X, "cosine"),
    "sparse": (scipy.sparse.csr_array, "cosine"),
}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(items, "BLOCK_ROWS", 32)
    monkeypatch.setattr(extension, "MOST_LOWERED", 100)
    monkeypatch.setattr(extension, "ITEMS_AT_ONCE", 10)


def begun(way, X, rank):
    """Items, and the extension of lists that reach to each item's `rank`-th closest; and the closeness of all pairs."""
    make, metric = WAYS[way]
    given = prepare(make(X), metric)
    closeness = np.array(given.closeness(np.arange(N)))
    lists = given.lists(np.sort(closeness, axis=0)[-rank].copy(), most=1)
    return Extension(lists, given), closeness


def found(longer, j):
    """The items in row j's list and chain, and how close they are."""
    lists, chains = longer.lists, longer.chains
    o = list(lists.items[lists.start[j] : lists.stop[j]])
    close = list(lists.closeness[lists.start[j] : lists.stop[j]])
    e = chains.newest[j]
    while e >= 0:
        o.append(chains.items[e])
        close.append(chains.closeness[e])
        e = chains.before[e]
    return np.array(o, int), np.array(close)


def lower_some(longer, closeness, rng):
    """Lower the reach of some items to one of the next closest items."""
    some = rng.choice(N, 25, replace=False).astype(np.int32)
    reach = longer.lists.reach[some]
    lower = np.sort(closeness, axis=0)[-rng.integers(20, 120), some]
    longer.lower(some, np.minimum(reach, lower))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(3))
def test_lists_and_chains_hold_what_is_within_reach(way, seed):
    longer, closeness = begun(way, whole_vectors(seed), 12)
    rng = np.random.default_rng(seed)
    for step in range(8):
        lower_some(longer, closeness, rng)
        for j in rng.choice(N, 4):  # some blocks are up to date when the next items are lowered, some are not
            assert longer.complete(int(j))
        if step == 4:
            longer.shorten(np.maximum(longer.lists.reach, np.sort(closeness, axis=0)[-60]))
    for j in range(N):
        assert longer.complete(j)
        o, close = found(longer, j)
        assert len(set(o)) == len(o)
        within = np.flatnonzero(closeness[j] > longer.lists.reach)
        kept = close > longer.lists.reach[o]
        np.testing.assert_array_equal(np.sort(o[kept]), within)
        np.testing.assert_array_equal(close, closeness[j, o])


@pytest.mark.parametrize("way", ["vectors", "matrix"])
def test_rounding_lists_no_item_twice(way):
    # The reach is the closeness of a pair, computed in another way: rounding decides on which side of it the pair lies.
    X = uneven_vectors(0)
    longer = begun(way, X, 12)[0]
    exact = cosine_similarity(X.astype(np.float64))
    for rank in (20, 40, 90):
        each = np.arange(N, dtype=np.int32)
        longer.lower(each, np.sort(exact, axis=0)[-rank].astype(np.float32))
        assert all(longer.complete(j) for j in range(N))
    for j in range(N):
        o, _ = found(longer, j)
        assert len(set(o)) == len(o)
        surely = np.flatnonzero(exact[j] > longer.lists.reach + 1e-5)
        assert np.isin(surely, o).all()


def test_an_uneven_matrix_lists_no_item_twice():
    # A matrix may differ from its mirror image by rounding: the list was made from one half, what is added from both.
    S = cosine_similarity(uneven_vectors(1))
    S *= 1 + 4e-6 * np.triu(np.ones_like(S), 1)
    given = prepare(S, "similarity")
    order = np.sort(S, axis=0)
    lists = given.lists(order[-12].copy(), most=1)
    longer = Extension(lists, given)
    for rank in (13, 14, 40):
        longer.lower(np.arange(N, dtype=np.int32), order[-rank].copy())
        assert all(longer.complete(j) for j in range(N))
    for j in range(N):
        o, _ = found(longer, j)
        assert len(set(o)) == len(o)


def test_too_much_is_refused(monkeypatch):
    longer, closeness = begun("vectors", whole_vectors(5), 12)
    rng = np.random.default_rng(0)
    lower_some(longer, closeness, rng)
    assert longer.complete(0)
    before = longer.used, [part.copy() for part in longer.chains]
    assert longer.used > 0
    monkeypatch.setattr(extension, "EXTENSION_BYTES", 12 * longer.used)
    assert not longer.complete(N - 1)
    assert longer.used == before[0]
    for part, old in zip(longer.chains, before[1], strict=True):
        np.testing.assert_array_equal(part, old)
    monkeypatch.setattr(extension, "EXTENSION_BYTES", 2e9)
    assert longer.complete(N - 1)
    monkeypatch.setattr(extension, "MOST_LOWERED", 0.05)
    assert not longer.complete(0)
