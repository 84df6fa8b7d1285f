"""The places of all items, their regions, and the file of the page: what they hold. A browser is not needed here."""

import base64
import io
import json
import re
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from scipy.sparse import csr_matrix
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from simlib import _regions, atlas, cosine_similarity, ensemble, kmedoids, scan_k
from simlib._engine import items as engine_items
from simlib._engine.prepare import prepare_host
from simlib.atlas import pack
from simlib.atlas.nearest import nearest_items
from simlib.atlas.thumbnails import sheet

NEAR = np.array([0.0, 1, 3, 3, 7])
LINE = abs(NEAR[:, None] - NEAR)


@pytest.fixture(scope="module")
def vectors():
    rng = np.random.default_rng(5)
    return (3 * rng.normal(size=(6, 8))[rng.integers(6, size=120)] + rng.normal(size=(120, 8))).astype(np.float32)


def test_nearest_items_by_hand():
    index, closeness = nearest_items(prepare_host(LINE, "precomputed"), 2)
    assert index.tolist() == [[1, 2], [0, 2], [3, 1], [2, 1], [2, 3]]  # of items 2 and 3, equally far, 2 comes first
    assert closeness.tolist() == [[-1, -3], [-1, -2], [0, -2], [0, -2], [-4, -4]]


def test_neighbours_are_those_of_scikit_learn_from_matrix_vectors_and_distances(vectors):
    far, wanted = NearestNeighbors(n_neighbors=16, metric="cosine").fit(vectors.astype(float)).kneighbors()
    S = cosine_similarity(vectors.astype(float))
    given = {"similarity": S, "cosine": vectors.astype(float), "precomputed": np.clip(1 - (S + S.T) / 2, 0, None)}
    np.fill_diagonal(given["precomputed"], 0)
    for metric, A in given.items():
        index, closeness = nearest_items(prepare_host(A, metric), 15)
        assert np.array_equal(index, wanted[:, :15])
        assert np.allclose(closeness, 0 - far[:, :15] + (metric != "precomputed"), atol=1e-9)
    assert np.array_equal(nearest_items(prepare_host(csr_matrix(vectors), "cosine"), 15)[0], wanted[:, :15])


def test_neighbours_do_not_depend_on_the_block(vectors, monkeypatch):
    whole = nearest_items(prepare_host(np.round(cosine_similarity(vectors), 1), "similarity"), 15)
    monkeypatch.setattr(engine_items, "BLOCK_ROWS", 7)
    parts = nearest_items(prepare_host(np.round(cosine_similarity(vectors), 1), "similarity"), 15)
    assert all(np.array_equal(a, b) for a, b in zip(whole, parts, strict=True))


def test_the_same_seed_gives_the_same_places(vectors):
    first = atlas.places(vectors, metric="cosine")
    with threadpool_limits(1):
        again = atlas.places(vectors, metric="cosine")
    other = atlas.places(vectors, metric="cosine", random_state=1)
    assert np.array_equal(first.xy, again.xy)
    assert not np.array_equal(first.xy, other.xy)
    assert first.xy.dtype == np.float32
    assert np.asarray(first).shape == (120, 2)
    assert len(first) == 120
    assert first.faithfulness > 3 * first.chance


def test_kept_is_what_counting_gives(vectors):
    there = atlas.places(vectors, metric="cosine")
    far = np.linalg.norm(there.xy[:, None].astype(float) - there.xy, axis=2)
    np.fill_diagonal(far, np.inf)
    near = np.argsort(far, axis=1)[:, :15]
    wanted = [len(set(a) & set(b)) / 15 for a, b in zip(near.tolist(), there.neighbours.tolist(), strict=True)]
    assert np.allclose(there.kept, wanted)
    assert f"{100 * np.mean(wanted):.0f} % are among its 15 nearest on the map (at random: 13 %)" in there.caption()


@pytest.mark.parametrize("n", [1, 2, 3, 10, 16, 49])
@pytest.mark.parametrize("metric", ["similarity", "precomputed", "cosine"])
def test_few_items_have_places(n, metric):
    X = np.random.default_rng(n).normal(size=(n, 4))
    A = {"similarity": cosine_similarity(X), "precomputed": np.linalg.norm(X[:, None] - X, axis=2), "cosine": X}[metric]
    there = atlas.places(A, metric=metric)
    assert there.xy.shape == (n, 2)
    assert np.isfinite(there.xy).all()
    assert there.neighbours.shape == (n, min(15, n - 1))
    assert there.caption()


def test_few_points_of_the_plane_keep_their_distances():
    points = np.random.default_rng(0).normal(size=(30, 2))
    D = np.linalg.norm(points[:, None] - points, axis=2)
    xy = atlas.places(D, metric="precomputed").xy.astype(float)
    assert np.allclose(np.linalg.norm(xy[:, None] - xy, axis=2), D, atol=1e-5)


def test_one_far_item_among_few_does_not_squeeze_the_map():
    at = np.concatenate([np.arange(20.0), [1e6]])
    xy = atlas.places(abs(at[:, None] - at), metric="precomputed").xy
    assert np.ptp(xy[:20, 0]) == pytest.approx(19, rel=1e-3)
    assert np.ptp(xy[:, 0]) == pytest.approx(19 + 2 * 10, rel=1e-3)  # the middle half of the items is 10 wide


def test_pieces_stay_together_and_duplicates_have_finite_places():
    rng = np.random.default_rng(1)
    group = np.repeat([0, 1, 2], 40)
    X = np.eye(3)[group] * 50 + 0.1 * rng.normal(size=(120, 3))
    X[:30] = X[0]
    there = atlas.places(np.linalg.norm(X[:, None] - X, axis=2), metric="precomputed")
    near = np.linalg.norm(there.xy[:, None] - there.xy, axis=2).argsort(axis=1)[:, :8]
    assert (group[near] == group[:, None]).all()
    same = atlas.places(np.zeros((60, 60)), metric="precomputed")
    assert np.isfinite(same.xy).all()
    assert len(np.unique(same.xy, axis=0)) == 60


def test_what_places_refuses(monkeypatch):
    with pytest.raises(ValueError, match="A has NaN or infinity"):
        atlas.places(np.full((3, 3), np.nan))
    with pytest.raises(ValueError, match="metric must be one of"):
        atlas.places(LINE, metric="euclidean")
    with pytest.raises(ValueError, match="random_state must be at least 0"):
        atlas.places(LINE, metric="precomputed", random_state=-1)
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ImportError, match=r'a map of all items needs umap, .*pip install "simlib\[workbook\]"'):
        atlas.places(np.eye(60))


def test_regions_are_whole_clusters_and_keep_their_colour(vectors):
    S = cosine_similarity(vectors)
    scan = scan_k(S, [2, 6, 30])
    there = atlas.places(S)
    found = _regions.regions(there.items, list(scan.fits), there.neighbours)
    for fit, regions in zip(scan.fits, found, strict=True):
        assert len(regions.colour) == len(fit.medoids)
        assert set(regions.heads) == set(regions.colour.tolist())
        assert len(set(regions.colour.tolist())) == min(12, len(fit.medoids))
        assert set(regions.heads.values()) <= set(fit.medoids.tolist())
        for colour, head in regions.heads.items():
            assert regions.colour[fit.labels[head]] == colour
    own = [regions.colour[fit.labels] for fit, regions in zip(scan.fits, found, strict=True)]
    assert (own[0] == own[1]).mean() > 0.25  # two clusters of six keep their colours, no more can
    assert np.array_equal(
        own[2], _regions.regions(there.items, list(scan.fits[2:]), there.neighbours)[0].colour[scan.fits[2].labels]
    )


def test_touching_regions_get_colours_that_differ_to_every_eye():
    contrast = _regions.contrast(_regions.LIGHT)
    touching = np.zeros((4, 4))
    touching[0, 1] = touching[1, 0] = 1
    a, b = _regions._far_apart(touching)[:2]
    assert contrast[a, b] == contrast.max()


@pytest.mark.parametrize("palette", [_regions.LIGHT, _regions.DARK])
def test_any_two_colours_differ_to_every_eye(palette):
    assert _regions.contrast(palette)[~np.eye(12, dtype=bool)].min() > 25


def test_black_and_white_differ_as_much_to_every_eye():
    assert _regions.contrast(("#000000", "#FFFFFF"))[0, 1] == pytest.approx(116, abs=1)  # cube roots all the way down


@given(arrays(np.float64, st.integers(0, 30), elements=st.floats(-1e6, 1e6, allow_subnormal=False)))
def test_packed_numbers_come_back(numbers):
    packed = pack.real(numbers)
    steps = np.frombuffer(base64.b64decode(packed["data"]), "<u2")
    back = packed["low"] + packed["step"] * steps
    assert np.allclose(back, numbers, atol=np.ptp(numbers) / 131_000 if numbers.size else 0, rtol=1e-9)


@pytest.mark.parametrize(("top", "width"), [(0, 1), (255, 1), (256, 2), (65_535, 2), (65_536, 4)])
def test_whole_numbers_take_the_fewest_bytes(top, width):
    packed = pack.whole(np.array([[0, top]]))
    assert packed["bytes"] == width
    assert np.frombuffer(base64.b64decode(packed["data"]), f"<u{width}").tolist() == [0, top]


@pytest.mark.parametrize("shape", [(7, 4, 6), (7, 4, 6, 3), (1, 1, 1)])
def test_thumbnails_lie_where_the_page_cuts_them_out(shape):
    pictures = np.random.default_rng(0).integers(256, size=shape).astype(np.uint8)
    found = sheet(pictures, shape[0])
    whole = np.asarray(Image.open(io.BytesIO(base64.b64decode(found["source"].partition(",")[2]))))
    h, w, columns = found["height"], found["width"], found["columns"]
    for i, picture in enumerate(pictures):
        top, left = i // columns * h, i % columns * w
        assert np.array_equal(whole[top : top + h, left : left + w], picture)


def test_what_thumbnails_are_refused():
    with pytest.raises(TypeError, match="must be uint8, 0 black to 255 white, got float64"):
        sheet(np.zeros((3, 2, 2)), 3)
    with pytest.raises(ValueError, match=r"must be \(4, height, width\)"):
        sheet(np.zeros((3, 2, 2), np.uint8), 4)
    with pytest.raises(ValueError, match=r"thumbnails\[:, ::2, ::2\]"):
        sheet(np.broadcast_to(np.uint8(0), (30_000, 64, 64)), 30_000)


def stored(path):
    """The data in a page."""
    return json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', path.read_text("utf-8"))[1]
    )


def unpacked(packed):
    steps = np.frombuffer(base64.b64decode(packed["data"]), f"<u{packed['bytes']}")
    return steps if "step" not in packed else packed["low"] + packed["step"] * steps


def test_a_page_by_hand(tmp_path):
    there = atlas.places(LINE, metric="precomputed")
    fits = [kmedoids(LINE, k, metric="precomputed", init="build") for k in (3, 2)]
    several = ensemble(LINE, 2, metric="precomputed", n_init=3)
    kinds = {"kind": ["b", "a", "a", "c", "a"], "height": NEAR}
    path = atlas.page(there, fits, list("vwxyz"), tmp_path / "a.html", title="Five", colour_by=kinds, ensemble=several)
    data = stored(path)
    assert data["names"] == list("vwxyz")
    assert [fit["k"] for fit in data["fits"]] == [2, 3]
    assert unpacked(data["fits"][0]["labels"]).tolist() == fits[1].labels.tolist()
    assert np.allclose(unpacked(data["fits"][0]["entries"]), fits[1].distance, atol=1e-4)
    assert np.array_equal(unpacked(data["near"]).reshape(5, 4), there.neighbours)
    assert np.allclose(unpacked(data["nearness"]).reshape(5, 4), -there.closeness, atol=1e-4)
    assert data["colourings"][0]["categories"] == ["a", "b", "c"]
    assert unpacked(data["colourings"][0]["codes"]).tolist() == [1, 0, 0, 2, 0]
    assert np.allclose(unpacked(data["colourings"][1]["numbers"]), NEAR, atol=1e-3)
    assert data["sure"]["k"] == 2
    assert np.allclose(unpacked(data["sure"]["values"]), several.certainty, atol=1e-4)
    across = unpacked(data["x"]).astype(float)
    assert np.allclose(
        across / across.max(), (there.xy[:, 0] - there.xy[:, 0].min()) / np.ptp(there.xy[:, 0]), atol=1e-4
    )


def test_a_page_holds_no_address_and_labels_end_nothing(tmp_path):
    there = atlas.places(LINE, metric="precomputed")
    fit = kmedoids(LINE, 2, metric="precomputed")
    labels = ["</script><script>alert(1)</script>", "\u2028<!--", "@SCRIPT@", "m" * 1_000_000, "\u202eevil"]
    path = atlas.page(there, fit, labels, tmp_path / "a.html", title="<b>&amp;")
    text = path.read_text("utf-8")
    assert len(text) < 100_000
    assert text.count("</script>") == 2
    assert "http" not in text.replace("http-equiv", "")
    assert stored(path)["names"][0] == labels[0]
    assert stored(path)["names"][4] == "�evil"
    assert stored(path)["title"] == "<b>&amp;"


def test_a_page_that_fails_leaves_the_old_one(tmp_path):
    there = atlas.places(LINE, metric="precomputed")
    fit = kmedoids(LINE, 2, metric="precomputed")
    path = atlas.page(there, fit, path=tmp_path / "a.html")
    old = path.read_bytes()
    assert atlas.page(there, fit, path=path).read_bytes() == old
    with pytest.raises(ValueError, match="labels must hold one name a row, 5, got 2"):
        atlas.page(there, fit, ["a", "b"], path)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_page_refuses(tmp_path, vectors):
    there = atlas.places(LINE, metric="precomputed")
    fit = kmedoids(LINE, 2, metric="precomputed")
    path = tmp_path / "a.html"
    for scan in ([], [1], 5, None):
        with pytest.raises(TypeError, match="scan must be a KScan, a Clustering or a list of them"):
            atlas.page(there, scan, path=path)
    with pytest.raises(TypeError, match=r"places must be what simlib\.atlas\.places returns, got ndarray"):
        atlas.page(there.xy, fit, path=path)
    with pytest.raises(ValueError, match="5 places and 120 clustered items"):
        atlas.page(there, kmedoids(vectors, 2, metric="cosine"), path=path)
    with pytest.raises(ValueError, match="made from distance and fit was not"):
        atlas.page(there, kmedoids(1 - LINE / 10, 2), path=path)
    with pytest.raises(ValueError, match="are its rows in another order"):
        atlas.page(there, kmedoids(5 * LINE, 2, metric="precomputed"), path=path)
    with pytest.raises(TypeError, match=r"ensemble must be what simlib\.ensemble returns, got list"):
        atlas.page(there, fit, path=path, ensemble=[0.5])
    with pytest.raises(ValueError, match="ensemble must be of as many items as the fit, 5, got 120"):
        atlas.page(there, fit, path=path, ensemble=ensemble(vectors, 2, metric="cosine", n_init=2))
    with pytest.raises(ValueError, match=r"colour_by\['a'\] must hold one value a row, 5"):
        atlas.page(there, fit, path=path, colour_by={"a": [1]})
    with pytest.raises(ValueError, match=r"colour_by\['a'\] has NaN or infinity in 1 of 5 rows: 4"):
        atlas.page(there, fit, path=path, colour_by={"a": [1, 2, 3, 4, np.nan]})
    assert not path.exists()


def test_show_is_a_frame_of_its_own_and_a_still_without_a_kernel():
    there = atlas.places(LINE, metric="precomputed")
    shown = atlas.show(there, kmedoids(LINE, 2, metric="precomputed"), ["<b>", *"wxyz"], height=300)
    assert 'sandbox="allow-scripts allow-downloads"' in shown.value
    assert shown.value.count("<") == 2  # the frame opens and closes, and all else is escaped
    bundle = shown._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert 'src="data:image/png;base64,' in bundle["text/html"]
    assert "<script" not in bundle["text/html"]
    with pytest.raises(ValueError, match="height must be at least 200"):
        atlas.show(there, kmedoids(LINE, 2, metric="precomputed"), height=100)
