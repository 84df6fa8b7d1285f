"""The static atlas and the tree of the exemplars: what they show, not their pixels."""

import io

import matplotlib

matplotlib.use("Agg")

from itertools import combinations

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgba

from simlib import _regions, atlas, kmedoids, plots

POINTS = np.random.default_rng(3).normal(size=(45, 2))  # few enough for classical scaling, which compiles nothing
D = np.linalg.norm(POINTS[:, None] - POINTS, axis=2)
NAMES = [f"item {i}" for i in range(45)]


@pytest.fixture(scope="module")
def there():
    return atlas.places(D, metric="precomputed")


@pytest.fixture
def ax():
    figure, ax = plt.subplots(layout="constrained")
    yield ax
    plt.close(figure)


def test_the_atlas_draws_every_item_in_the_colour_of_its_region(there, ax):
    fit = kmedoids(D, 20, metric="precomputed")
    assert plots.atlas(there, fit, ax=ax) is ax
    points = ax.collections[0]
    assert points.get_rasterized()
    assert np.allclose(points.get_offsets(), there.xy)
    colour = _regions.regions(there.items, [fit], there.neighbours)[0].colour
    assert np.allclose(points.get_facecolors(), [to_rgba(_regions.LIGHT[colour[j]]) for j in fit.labels])
    assert np.allclose(ax.collections[1].get_offsets(), there.xy[fit.medoids[np.argsort(-fit.sizes, kind="stable")]])
    assert not ax.get_xlabel()
    assert not len(ax.get_xticks())


def test_the_atlas_names_the_largest_clusters_and_no_name_covers_another(there, ax):
    fit = kmedoids(D, 20, metric="precomputed")
    plots.atlas(there, fit, NAMES, ax, labelled=8)
    ax.figure.canvas.draw()
    written = [text.get_text() for text in ax.texts]
    assert len(written) == 8
    assert set(written) <= {NAMES[m] for m in fit.medoids}
    assert NAMES[fit.medoids[fit.sizes.argmax()]] in written
    boxes = [text.get_window_extent() for text in ax.texts]
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
    assert len(ax.collections[1].get_offsets()) == 8


def test_the_points_are_one_picture_in_an_svg(there, ax):
    plots.atlas(there, kmedoids(D, 5, metric="precomputed"), ["$x^", "<b>", *NAMES[2:]], ax)
    file = io.StringIO()
    ax.figure.savefig(file, format="svg")
    assert file.getvalue().count("<image") == 1


def test_the_tree_by_hand(ax):
    line = np.array([0.0, 1, 5, 20])
    far = abs(line[:, None] - line)
    fit = kmedoids(far, 4, metric="precomputed", init="first")
    plots.exemplar_tree(atlas.places(far, metric="precomputed"), fit, list("abcd"), ax)
    words = [label.get_text() for label in ax.get_yticklabels()]
    assert "".join(words) in ("abcd", "bacd", "dcab", "dcba", "cabd", "cbad", "dabc", "dbac")
    heights = sorted({round(float(x), 6) for line in ax.collections[0].get_segments() for x in line[:, 0]} - {0.0})
    assert heights == [1, 4.5, 18]  # b meets a; c both, (4 + 5) / 2; d all three, (15 + 19 + 20) / 3
    assert ax.get_xlabel() == "mean distance of two branches"
    assert ax.get_xlim() == pytest.approx((1.03 * 18, 0))


def test_the_tree_shows_the_largest_clusters_and_opens_a_figure(there):
    fit = kmedoids(D, 30, metric="precomputed")
    ax = plots.exemplar_tree(there, fit, shown=7)
    words = {int(label.get_text()) for label in ax.get_yticklabels()}
    assert words == set(fit.medoids[np.argsort(-fit.sizes, kind="stable")[:7]].tolist())
    plt.close(ax.figure)


def test_what_they_refuse(there, ax):
    fit = kmedoids(D, 1, metric="precomputed")
    with pytest.raises(TypeError, match=r"places must be what simlib\.atlas\.places returns, got ndarray"):
        plots.atlas(there.xy, fit, ax=ax)
    with pytest.raises(TypeError, match=r"places must be what simlib\.atlas\.places returns, got ndarray"):
        plots.exemplar_tree(there.xy, fit, ax=ax)
    with pytest.raises(ValueError, match="a tree needs two exemplars or more, got 1"):
        plots.exemplar_tree(there, fit, ax=ax)
