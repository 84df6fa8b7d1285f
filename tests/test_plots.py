"""The pictures: what they show (data, axes, labels), not their pixels."""

import matplotlib

matplotlib.use("Agg")

from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib import font_manager
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgba
from matplotlib.text import Text
from scipy.stats import spearmanr

from simlib import Stability, assign, correlation, cosine_similarity, kmedoids, plots, scan_k, silhouette
from simlib._labels import SHORT

HOSTILE = ["$x^", "<b>", "\u202etxt", "a\nb", "$$", "\\frac{", "_^", "", "\x00", "é" * 99, "$\\alpha$", "% & #"]


class Case:
    """n items in the plane around k places, their similarities, a clustering, names and categories."""

    def __init__(self, n, k):
        rng = np.random.default_rng(n)
        self.points = 4 * rng.normal(size=(k, 2))[rng.integers(k, size=n)] + rng.normal(size=(n, 2))
        self.S = cosine_similarity(np.hstack([self.points, rng.normal(size=(n, 3))]))
        self.fit = kmedoids(self.S, k)
        self.names = [f"item {i}" for i in range(n)]
        self.categories = np.array(["tree", "fish", "tool", "bird"])[rng.integers(4, size=n)]
        self.scan = scan_k(self.S, sorted({2, 3, 4, 6, k})) if n <= 100 else None


@pytest.fixture(scope="module")
def small():
    return Case(50, 5)


@pytest.fixture(scope="module")
def large():
    return Case(3000, 120)


@pytest.fixture
def ax():
    figure, ax = plt.subplots(layout="constrained")
    yield ax
    plt.close(figure)


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(ax):
    """Drawing changes no setting and leaves no figure open but the one given."""
    settings, figures = dict(plt.rcParams), plt.get_fignums()
    yield
    assert dict(plt.rcParams) == settings
    assert plt.get_fignums() == figures


DRAW = {
    "similarity_histogram": lambda c, ax: plots.similarity_histogram(c.S, ax=ax),
    "clusters_2d": lambda c, ax: plots.clusters_2d(c.points, c.fit, c.names, ax=ax),
    "history": lambda c, ax: plots.history({"one": c.fit, "two": replace(c.fit, history=(90.0, 70.0))}, ax=ax),
    "k_curve": lambda c, ax: plots.k_curve(c.scan, "silhouette", 4, ax=ax),
    "cluster_sizes": lambda c, ax: plots.cluster_sizes(c.fit, ax=ax),
    "block_matrix": lambda c, ax: plots.block_matrix(c.S, c.fit, ax=ax),
    "medoid_map": lambda c, ax: plots.medoid_map(c.points[c.fit.medoids], c.fit, c.names, ax=ax),
    "silhouette_bars": lambda c, ax: plots.silhouette_bars(silhouette(c.S, c.fit.labels), c.fit.labels, ax=ax),
    "category_table": lambda c, ax: plots.category_table(c.fit.labels, c.categories, ax=ax, top=3),
    "similarity_to_medoid": lambda c, ax: plots.similarity_to_medoid(c.fit, c.names, ax=ax),
}
LARGE = [name for name in DRAW if name != "k_curve"]


def check(draw, case, ax):
    """Draw, render, and look at what every picture must have."""
    assert draw(case, ax) is ax
    assert bool(ax.get_xlabel()) == bool(ax.get_ylabel()) == (draw is not DRAW["medoid_map"])  # a map has no axes
    assert [ax.get_title(loc=where) for where in ("left", "center", "right")] == ["", "", ""]
    ax.figure.canvas.draw()
    seen = [text for text in ax.findobj(Text) if text.get_visible() and text.get_text().strip()]
    assert min(text.get_fontsize() for text in seen) >= 9


@pytest.mark.parametrize("name", DRAW)
@pytest.mark.filterwarnings("error")
def test_every_picture_of_fifty_items(name, small, ax):
    check(DRAW[name], small, ax)


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.filterwarnings("error")
def test_every_picture_of_three_thousand(name, large, ax):
    check(DRAW[name], large, ax)


def test_without_axes_a_figure_is_opened(small):
    ax = plots.cluster_sizes(small.fit)
    assert ax.figure.number in plt.get_fignums()
    plt.close(ax.figure)


def test_style_embeds_text_as_text_and_takes_fonts_of_other_scripts(monkeypatch):
    there = font_manager.fontManager.ttflist
    there = [*there, replace(there[0], name="Noto Sans CJK SC")]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", there)
    with plt.rc_context():
        plots.style()
        assert (plt.rcParams["pdf.fonttype"], plt.rcParams["svg.fonttype"]) == (42, "none")
        families = plt.rcParams["font.family"]
        assert families[:2] == ["sans-serif", "Noto Sans CJK SC"]
        assert set(families[1:]) <= {font.name for font in there}


def test_style_is_legible_and_the_only_setter():
    with plt.rc_context():
        assert plots.style() is None
        rc = plt.rcParams
        assert rc["figure.constrained_layout.use"]
        assert list(rc["figure.figsize"]) == [8, 4.5]
        assert rc["figure.dpi"] == 100
        assert min(rc[f"{axis}tick.labelsize"] for axis in "xy") >= 9
        assert not rc["axes.spines.top"]
        assert not rc["axes.spines.right"]


def test_palette_pairs_a_marker_with_each_colour(small, ax):
    assert len(plots.COLOURS) == len(plots.MARKERS) == len(set(plots.MARKERS))
    lines = plots.history({str(i): small.fit for i in range(60)}, ax=ax).lines
    looks = [(line.get_color(), line.get_marker()) for line in lines]
    assert looks[:7] == list(zip(plots.COLOURS, plots.MARKERS, strict=True))
    assert len(looks) == 60
    assert len(set(looks[:49])) == 49


def test_one_scale_for_all_similarities(small, ax):
    image = plots.block_matrix(small.S, small.fit, ax=ax).images[0]
    assert image.norm is plots.SCALE
    assert image.cmap is plots.SIMILARITY
    assert (image.norm.vmin, image.norm.vmax) == (-1, 1)
    assert np.allclose(plots.SIMILARITY(plots.SCALE(0.0)), 1, atol=0.01)  # white at 0


# similarity_histogram


@pytest.mark.parametrize("n", [3, 50, 700])
def test_histogram_is_a_density_without_the_diagonal(n, ax):
    S = np.full((n, n), 0.25, np.float32)
    np.fill_diagonal(S, 1)
    heights, edges, _ = plots.similarity_histogram(S, ax=ax).patches[0].get_data()
    assert np.sum(heights * np.diff(edges)) == pytest.approx(1)
    assert edges[:-1][heights > 0] == pytest.approx([0.25])
    assert ax.lines[0].get_xdata() == pytest.approx([0.25, 0.25])


def test_histogram_mean_is_that_of_the_pairs(small, ax):
    plots.similarity_histogram(small.S, ax=ax)
    assert ax.lines[0].get_xdata()[0] == pytest.approx(small.S[np.triu_indices(50, 1)].mean(), abs=1e-5)


# clusters_2d


def test_clusters_2d_draws_every_point_once_and_a_line_to_its_medoid(small, ax):
    plots.clusters_2d(small.points, small.fit, ax=ax)
    lines, *clusters, rings, stars = ax.collections
    ends = np.array(lines.get_segments())
    assert np.allclose(ends[:, 0], small.points)
    assert np.allclose(ends[:, 1], small.points[small.fit.medoids][small.fit.labels])
    for j, drawn in enumerate(clusters):
        assert np.allclose(np.sort(drawn.get_offsets(), axis=0), np.sort(small.points[small.fit.labels == j], axis=0))
        assert np.allclose(drawn.get_facecolor(), to_rgba(plots.COLOURS[j]))
    for medoids in (rings, stars):
        assert np.allclose(medoids.get_offsets(), small.points[small.fit.medoids])


def test_clusters_2d_takes_distances_and_numbers_for_names(ax):
    points = np.array([(1, 1), (1, 2), (2, 1), (5, 1), (6, 1), (6, 2), (3, 5), (3, 6), (4, 5)])
    fit = kmedoids(abs(points[:, None] - points).sum(axis=2), 3, metric="precomputed")
    plots.clusters_2d(points, fit, names=range(9), ax=ax)
    assert sorted(text.get_text() for text in ax.texts) == [str(i) for i in range(9)]


# history


def test_history_names_each_line_at_its_end(small, ax):
    fits = {"fell": replace(small.fit, history=(9.0, 7.0, 6.0)), "stood": replace(small.fit, history=(8.0,))}
    plots.history(fits, ax=ax)
    assert [list(line.get_xdata()) for line in ax.lines] == [[1, 2, 3], [1]]
    assert [list(line.get_ydata()) for line in ax.lines] == [[9, 7, 6], [8]]
    assert {text.get_text(): text.xy for text in ax.texts} == {"fell": (3, 6.0), "stood": (1, 8.0)}
    assert "1 − similarity" in ax.get_ylabel()


def test_history_keeps_the_names_apart(small, ax):
    plots.history({f"fit {i}": replace(small.fit, history=(9.0, 5 + i / 1000)) for i in range(8)}, ax=ax)
    assert not overlaps(ax)


def test_history_of_many_has_a_legend_and_of_distances_says_so(ax):
    D = abs(np.subtract.outer(np.arange(9.0), np.arange(9.0)))
    fit = kmedoids(D, 2, metric="precomputed")
    plots.history({f"$fit {i}^": fit for i in range(12)}, ax=ax)
    assert len(ax.get_legend().get_texts()) == 12
    assert "sum of distance" in ax.get_ylabel()
    ax.figure.canvas.draw()


def test_history_of_no_iterations_shows_where_it_stands(small, ax):
    plots.history({"none": replace(small.fit, history=())}, ax=ax)
    assert list(ax.lines[0].get_ydata()) == [small.fit.inertia]


# k_curve


@pytest.mark.parametrize("criterion", plots.CRITERIA)
def test_k_curve_shows_the_criterion_and_rings_k(criterion, small, ax):
    plots.k_curve(small.scan, criterion, 4, ax=ax)
    curve, upright, ring = ax.lines
    assert list(curve.get_xdata()) == list(small.scan.ks)
    assert list(curve.get_ydata()) == list(getattr(small.scan, criterion))
    assert list(upright.get_xdata()) == [4, 4]
    assert ring.get_ydata()[0] == getattr(small.scan, criterion)[list(small.scan.ks).index(4)]
    assert ax.get_xscale() == "log"
    assert [label.get_text() for label in ax.get_xticklabels()] == [str(k) for k in small.scan.ks]


def test_k_curve_labels_what_the_criterion_would_take():
    points = np.concatenate([100.0 * j + np.arange(4) for j in range(11)])
    scan = scan_k(abs(points[:, None] - points), range(2, 41), metric="precomputed")
    for criterion, k, *_ in scan.picks():
        fig, ax = plt.subplots(figsize=(2, 2))
        plots.k_curve(scan, criterion, k=2, ax=ax)
        words = [label.get_text() for label in ax.get_xticklabels()]
        assert {"2", str(k), "40"} <= set(words)
        assert words.count("") > 20
        plt.close(fig)
    assert scan.picks()[-1].k == 11


def test_k_curve_draws_the_shuffled_data_beside(small, ax):
    null = replace(small.scan, silhouette=small.scan.silhouette / 9)
    plots.k_curve(small.scan, "silhouette", null=null, ax=ax)
    data, dashed = ax.lines
    assert list(dashed.get_ydata()) == list(null.silhouette)
    assert dashed.get_marker() != data.get_marker()
    assert dashed.get_linestyle() == "--"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["the data", "columns shuffled"]


def test_stability_curve_shows_means_spread_and_every_subsample(ax):
    scores = {2: Stability(0.5, 0.2, (0.3, 0.7)), 8: Stability(0.9, 0.1, (0.8, 1.0))}
    null = {2: Stability(0.6, 0.0, (0.6, 0.6))}
    assert plots.stability_curve(scores, null, ax=ax) is ax
    data, dashed = (line for line in ax.lines if not line.get_alpha())
    assert list(data.get_ydata()) == [0.5, 0.9]
    assert list(dashed.get_ydata()) == [0.6]
    assert dashed.get_linestyle() == "--"
    reach = [list(bar[:, 1]) for each in ax.collections for bar in each.get_segments()]
    assert reach == [[0.3, 0.7], [0.8, 1.0], [0.6, 0.6]]
    dots = [line for line in ax.lines if line.get_alpha()]
    assert [list(line.get_ydata()) for line in dots] == [[0.3, 0.7], [0.8, 1.0], [0.6, 0.6]]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["2", "8"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["the data", "columns shuffled"]
    assert "adjusted Rand index" in ax.get_ylabel()
    assert "k" in ax.get_xlabel()


@pytest.mark.parametrize(("k", "labelled"), [(47, {"47"}), (20, {"20", "48"}), (None, {"2", "48"})])
def test_k_curve_thins_crowded_labels_and_keeps_k_and_the_last(k, labelled, small, ax):
    ks = np.arange(2, 49)
    scan = replace(small.scan, ks=ks, inertia=1.0 / ks)
    plots.k_curve(scan, "inertia", k, ax=ax)
    ax.figure.canvas.draw()
    labels = [label for label in ax.get_xticklabels() if label.get_text()]
    assert labelled <= {label.get_text() for label in labels}
    boxes = [label.get_window_extent() for label in labels]
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))


def test_k_curve_refuses_what_it_does_not_know(small, ax):
    with pytest.raises(ValueError, match="criterion must be one of"):
        plots.k_curve(small.scan, "elbow", ax=ax)
    with pytest.raises(ValueError, match=r"k must be one of the scanned \[2, 3, 4, 5, 6\], got 9"):
        plots.k_curve(small.scan, "inertia", 9, ax=ax)


# cluster_sizes


def test_cluster_sizes_fall_and_are_annotated(small, ax):
    plots.cluster_sizes(small.fit, ax=ax)
    sizes = np.sort(small.fit.sizes)[::-1]
    assert list(ax.patches[0].get_data().values) == list(sizes)
    words = {text.get_text() for text in ax.texts}
    assert words == {f"largest {sizes[0]}", f"median {np.median(sizes):g}", f"smallest {sizes[-1]}"}


@pytest.mark.parametrize("k", [1, 2])
def test_cluster_sizes_of_one_and_two(k, small, ax):
    plots.cluster_sizes(kmedoids(small.S, k), ax=ax)
    assert len(ax.texts) == k


# block_matrix


def test_block_matrix_of_few_items_is_the_matrix_reordered(small, ax):
    plots.block_matrix(small.S, small.fit, ax=ax)
    drawn = np.asarray(ax.images[0].get_array())
    assert drawn.shape == (50, 50)
    assert np.allclose(np.sort(drawn, axis=None), np.sort(small.S, axis=None))
    assert np.allclose(drawn, drawn.T)
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, 50), (50, 0))


def test_block_matrix_means_leave_out_the_diagonal(ax):
    S = np.full((40, 40), 0.1)
    S[:20, :20] = S[20:, 20:] = 0.5
    np.fill_diagonal(S, 1)
    plots.block_matrix(S, kmedoids(S, 2), ax=ax, side=4)
    assert np.allclose(ax.images[0].get_array(), np.kron([[0.5, 0.1], [0.1, 0.5]], np.ones((2, 2))))


def test_block_matrix_is_never_larger_than_side(large, ax):
    plots.block_matrix(large.S, large.fit, ax=ax, side=64)
    drawn = np.asarray(ax.images[0].get_array())
    assert drawn.shape == (64, 64)
    assert drawn.diagonal().mean() > drawn.mean() + 0.3


def test_block_matrix_names_few_clusters_in_their_order(small, ax):
    names = [f"$a_{i}^" for i in range(50)]
    plots.block_matrix(small.S, small.fit, names, ax=ax)
    words = [label.get_text() for label in ax.get_yticklabels()]
    assert sorted(words) == sorted(names[m] for m in small.fit.medoids)
    sizes = small.fit.sizes[[list(small.fit.medoids).index(names.index(word)) for word in words]]
    assert np.allclose(ax.get_yticks(), np.cumsum(sizes) - sizes / 2)
    assert ax.figure.axes[1].get_ylabel() == "similarity"
    ax.figure.canvas.draw()


@pytest.mark.parametrize(
    "draw",
    [
        lambda c, names, ax: plots.clusters_2d(c.points, c.fit, names, ax=ax),
        lambda c, names, ax: plots.block_matrix(c.S, c.fit, names, ax=ax),
        lambda c, names, ax: plots.medoid_map(c.points[c.fit.medoids], c.fit, names, ax=ax),
        lambda c, names, ax: plots.similarity_to_medoid(c.fit, names, ax=ax),
    ],
)
def test_a_series_names_the_items_by_their_rows(draw, small, ax):
    def written(names):
        ax.clear()
        draw(small, names, ax)
        return {text.get_text() for text in ax.findobj(Text)} & set(small.names)

    n = len(small.names)
    wanted = written(small.names)
    assert wanted
    series = pd.Series(small.names, index=np.random.default_rng(0).permutation(n))
    assert written(series) == wanted
    assert written(pd.Index(small.names)) == wanted
    with pytest.raises(ValueError, match=rf"names must hold one name a row, {n}, got {n - 1}"):
        draw(small, small.names[:-1], ax)


def test_block_matrix_of_many_clusters_names_the_largest_that_find_room(large, ax):
    plots.block_matrix(large.S, large.fit, large.names, ax=ax)
    written = [label.get_text() for label in ax.get_yticklabels()]
    exemplars = [large.names[m] for m in large.fit.medoids]
    assert 5 < len(written) < len(exemplars)
    assert set(written) <= set(exemplars)
    assert exemplars[large.fit.sizes.argmax()] in written
    ax.figure.canvas.draw()
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert all(upper.y0 >= lower.y1 for upper, lower in pairwise(boxes))
    assert ax.figure.axes[1].get_ylabel() == "similarity (mean of a block)"


def test_block_matrix_puts_similar_clusters_side_by_side(ax):
    along = np.array([2, 0, 3, 1, 4])  # where five medoids lie on a line
    S = 1 - abs(along[:, None] - along) / 5.0
    plots.block_matrix(S, assign(S, range(5)), along, ax=ax)
    order = [label.get_text() for label in ax.get_yticklabels()]
    assert order in (list("01234"), list("43210"))


# medoid_positions and medoid_map


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_positions_of_few_medoids_keep_their_distances(k, small):
    fit = kmedoids(small.S, k)
    at = plots.medoid_positions(small.S, fit)
    assert at.shape == (k, 2)
    if k <= 3:  # up to three points with these distances lie in a plane
        far = 1 - small.S[np.ix_(fit.medoids, fit.medoids)]
        assert np.allclose(np.linalg.norm(at[:, None] - at, axis=2), far, atol=0.2)


def test_positions_of_many_are_repeatable_and_keep_neighbours(large):
    at = plots.medoid_positions(large.S, large.fit)
    assert at.shape == (120, 2)
    assert np.isfinite(at).all()
    assert (at == plots.medoid_positions(large.S, large.fit, random_state=0)).all()
    far = np.linalg.norm(at[:, None] - at, axis=2) + np.diag([np.inf] * 120)
    alike = large.S[np.ix_(large.fit.medoids, large.fit.medoids)] - 2 * np.eye(120)
    rank = (alike > alike[range(120), far.argmin(axis=1)][:, None]).sum(axis=1)
    assert np.mean(rank < 5) > 0.6


def overlaps(ax):
    """Pairs of names whose drawn boxes overlap."""
    ax.figure.canvas.draw()
    boxes = [(text.get_text(), Text.get_window_extent(text)) for text in ax.texts]  # without its arrow
    return [(a[0], b[0]) for a, b in combinations(boxes, 2) if a[1].overlaps(b[1])]


@pytest.mark.parametrize("title", ["", "One line", "Two\nlines"])
def test_names_on_the_map_never_overlap(title, large, ax):
    """A title set afterwards makes the axes lower; the names must stay apart all the same."""
    plots.medoid_map(plots.medoid_positions(large.S, large.fit), large.fit, large.names, ax=ax)
    ax.set_title(title, loc="left")
    assert 10 < len(ax.texts) <= 60
    assert not overlaps(ax)
    frame = ax.get_window_extent()
    assert all(frame.containsx(x) for text in ax.texts for x in text.get_window_extent().intervalx)


def test_map_names_the_largest_first_and_shows_all(large, ax):
    at = large.points[large.fit.medoids]
    plots.medoid_map(at, large.fit, large.names, ax=ax, labelled=5)
    assert len(ax.texts) == 5
    largest = int(large.fit.sizes.argmax())
    assert ax.texts[0].get_text() == large.names[large.fit.medoids[largest]]
    rings, _, named, _ = ax.collections
    assert len(rings.get_offsets()) == 120
    assert len(named.get_offsets()) == 5
    order = np.argsort(rings.get_sizes())
    assert (np.diff(large.fit.sizes[np.argsort(-large.fit.sizes, kind="stable")][order]) >= 0).all()
    assert not ax.get_xticks().size


def test_map_without_names(small, ax):
    plots.medoid_map(small.points[small.fit.medoids], small.fit, small.names, ax=ax, labelled=0)
    assert not ax.texts


# silhouette_bars


def test_silhouettes_of_few_clusters_show_every_item(small, ax):
    values = silhouette(small.S, small.fit.labels)
    plots.silhouette_bars(values, small.fit.labels, ax=ax)
    for j, bar in enumerate(ax.patches):
        assert np.allclose(bar.get_data().values, np.sort(values[small.fit.labels == j]))
    assert [t.get_text() for t in ax.get_yticklabels()] == [f"{j} ({s})" for j, s in enumerate(small.fit.sizes)]
    assert ax.lines[0].get_xdata() == pytest.approx([values.mean()] * 2)


def test_silhouettes_of_many_clusters_show_their_means(large, ax):
    values = silhouette(large.S, large.fit.labels)
    plots.silhouette_bars(values, large.fit.labels, ax=ax)
    means = np.bincount(large.fit.labels, values) / large.fit.sizes
    assert np.allclose(ax.lines[0].get_ydata(), np.sort(means))
    assert ax.lines[1].get_ydata()[0] == pytest.approx(values.mean())


# category_table


def test_category_table_by_hand(ax):
    labels = [0, 0, 0, 1, 1, 1, 2, 2]
    kinds = ["a", "a", "b", "b", "b", "a", "c", "c"]  # clusters 0, 1, 2 are named a, b, c
    plots.category_table(labels, kinds, ax=ax)
    assert np.allclose(ax.images[0].get_array(), [[200 / 3, 100 / 3, 0], [100 / 3, 200 / 3, 0], [0, 0, 100]])
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a (3)", "b (3)", "c (2)"]
    assert [t.get_text() for t in ax.texts] == ["67", "33", "0", "33", "67", "0", "0", "0", "100"]


def test_category_table_has_no_column_without_a_cluster(ax):
    labels = [0, 0, 0, 0, 1, 1, 1]
    kinds = ["b", "a", "a", "a", "c", "c", "b"]  # clusters 0 and 1 are named a and c; b names none
    plots.category_table(labels, kinds, ax=ax)
    assert [t.get_text() for t in ax.get_xticklabels()] == ["a", "c"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a (3)", "c (2)", "b (2)"]
    assert np.allclose(ax.images[0].get_array(), [[100, 0], [0, 100], [50, 50]])


def test_category_table_keeps_a_column_for_names_that_are_not_shown(ax):
    labels, kinds = [0, 0, 0, 1, 1, 1, 1, 2], ["a", "b", "a", "c", "c", "b", "b", "d"]  # named a, b and d
    plots.category_table(labels, kinds, ax=ax, top=2)
    assert [t.get_text() for t in ax.get_xticklabels()] == ["b", "a", "any other"]
    assert np.allclose(ax.images[0].get_array(), [[200 / 3, 100 / 3, 0], [0, 100, 0]])


def test_category_table_of_the_most_frequent_sums_to_100(large, ax):
    plots.category_table(large.fit.labels, large.categories, ax=ax, top=2)
    share = np.asarray(ax.images[0].get_array())
    assert share.shape == (2, 3)
    assert np.allclose(share.sum(axis=1), 100)
    assert ax.get_xticklabels()[-1].get_text() == "any other"


# similarity_to_medoid


def test_similarity_to_medoid_leaves_the_medoid_out(small, ax):
    plots.similarity_to_medoid(small.fit, ax=ax)
    for j, (size, mean) in enumerate(ax.collections[0].get_offsets()):
        assert size == small.fit.sizes[j]
        assert mean == pytest.approx(small.fit.similarity[small.fit.members(j)[1:]].mean())


def test_similarity_to_medoid_names_the_ends(large, ax):
    plots.similarity_to_medoid(large.fit, large.names, ax=ax)
    at = ax.collections[0].get_offsets()
    named = [large.names[large.fit.medoids[j]] for j in (at[:, 1].argmax(), at[:, 1].argmin(), at[:, 0].argmax())]
    assert named[0] in (shown := [text.get_text() for text in ax.texts])
    assert len(set(named) & set(shown)) >= 2  # one may lie too close to another to be named
    assert len(shown) <= 12
    assert not overlaps(ax)


def test_similarity_to_medoid_skips_clusters_of_one(ax):
    S = np.array([[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1.0]])
    plots.similarity_to_medoid(kmedoids(S, 2), ax=ax)
    assert ax.collections[0].get_offsets().tolist() == [[2, 0.5]]


# names that come from a person's file


@pytest.mark.filterwarnings("error")
def test_hostile_names_are_drawn_as_text(ax):
    n = len(HOSTILE)
    points = np.stack([np.arange(n) % 4, np.arange(n) // 4], axis=1).astype(float)
    fit = kmedoids(cosine_similarity(points + 1), 3)
    plots.clusters_2d(points, fit, HOSTILE, ax=ax)
    ax.figure.canvas.draw()
    drawn = {text.get_text() for text in ax.texts}
    assert {"$x^", "<b>", "\ufffdtxt", "a b", "\\frac{"} <= drawn
    assert max(map(len, drawn)) == SHORT
    assert not any(text.get_parse_math() for text in ax.texts)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["medoid_map", "history", "category_table"])
def test_hostile_names_elsewhere(name, small, ax):
    names = (HOSTILE * 5)[:50]
    if name == "medoid_map":
        plots.medoid_map(small.points[small.fit.medoids], small.fit, names, ax=ax)
    elif name == "history":
        plots.history({label: small.fit for label in HOSTILE}, ax=ax)
    else:
        plots.category_table(small.fit.labels, names, ax=ax)
    ax.figure.canvas.draw()


def test_names_in_a_series_are_taken_in_their_order(ax):
    import pandas as pd

    fit = kmedoids(np.eye(3), 3, init="first")
    names = pd.Series(["a", "b", "c"], index=[2, 0, 1])
    drawn = [text.get_text() for text in plots.block_matrix(np.eye(3), fit, names, ax).get_yticklabels()]
    assert drawn in (["a", "b", "c"], ["c", "b", "a"])  # not the order of the index


# every kind of data


@pytest.fixture(
    scope="module", params=["similarity", "correlation", "precomputed", "precomputed, in metres", "vectors"]
)
def kind(request):
    """60 items in four groups as data of one kind, a clustering of them, and how far apart they are."""
    rng = np.random.default_rng(1)
    X = 2 * np.eye(4, 12)[np.arange(60) % 4] + 0.4 * rng.normal(size=(60, 12))
    S = correlation(X) if request.param == "correlation" else cosine_similarity(X)
    far = np.clip(1 - (S + S.T) / 2, 0, None)
    np.fill_diagonal(far, 0)
    metric = {"vectors": "cosine", "correlation": "similarity"}.get(request.param, request.param.split(",")[0])
    unit = 1000 if "metres" in request.param else 1
    A = X if metric == "cosine" else unit * far if metric == "precomputed" else S
    return A, metric, kmedoids(A, 4, metric=metric), unit * far


def is_of_distances(metric):
    return metric == "precomputed"


def test_positions_put_what_is_close_side_by_side_for_every_kind(kind):
    A, _, _, far = kind
    for k in (12, 40):  # classical scaling, t-SNE
        fit = kmedoids(A, k, metric=kind[1])
        at = plots.medoid_positions(A, fit)
        apart = np.linalg.norm(at[:, None] - at, axis=2)
        pairs = np.triu_indices(k, 1)
        assert spearmanr(apart[pairs], far[np.ix_(fit.medoids, fit.medoids)][pairs]).statistic > 0.5


def test_positions_do_not_depend_on_the_unit():
    points = np.random.default_rng(0).normal(size=(40, 3))
    D = np.linalg.norm(points[:, None] - points, axis=2)
    one, other = (plots.medoid_positions(u * D, kmedoids(u * D, 20, metric="precomputed")) for u in (1, 1024))
    assert np.allclose(one, other)


@pytest.mark.parametrize("side", [400, 8])
def test_block_matrix_of_every_kind_is_dark_within_clusters(kind, side, ax):
    A, metric, fit, far = kind
    plots.block_matrix(A, fit, ax=ax, side=side)
    image = ax.images[0]
    drawn = np.asarray(image.get_array())
    word = "distance" if is_of_distances(metric) else "similarity"
    assert ax.figure.axes[1].get_ylabel() == word + (" (mean of a block)" if side == 8 else "")
    if side == 400:
        wanted = far if is_of_distances(metric) else 1 - far
        assert np.allclose(np.sort(drawn, axis=None), np.sort(wanted, axis=None), atol=1e-6)
    lightness = image.cmap(image.norm(drawn))[..., :3].sum(axis=2)
    groups = np.arange(len(drawn)) * 4 // len(drawn)
    same = groups[:, None] == groups
    assert lightness[same].mean() < lightness[~same].mean() - 0.5
    low = 0 if is_of_distances(metric) else -image.norm.vmax
    assert image.norm.vmin == low
    if is_of_distances(metric):
        assert np.allclose(image.cmap(1.0)[:3], 1)  # far is white
        assert sum(image.cmap(0.0)[:3]) < 0.3
    else:
        assert image.cmap is plots.SIMILARITY


def test_means_use_the_range_of_their_colours_and_may_share_it(large, ax):
    plots.block_matrix(large.S, large.fit, ax=ax, side=50)
    image = ax.images[0]
    own = np.diagonal(np.asarray(image.get_array()))
    assert image.norm.vmax == pytest.approx(np.quantile(np.abs(own), 0.9))
    assert image.norm.vmin == -image.norm.vmax
    assert "3,000 drawn" not in ax.get_xlabel()
    plots.block_matrix(large.S, large.fit, ax=ax, side=20, limit=0.3)
    assert (ax.images[1].norm.vmin, ax.images[1].norm.vmax) == (-0.3, 0.3)
    with pytest.raises(ValueError, match="limit must be above 0, got 0"):
        plots.block_matrix(large.S, large.fit, ax=ax, limit=0)


def test_one_far_medoid_does_not_squeeze_the_map():
    at = np.array([0.0, 1, 2, 3, 1e4])
    D = abs(at[:, None] - at)
    places = plots.medoid_positions(D, kmedoids(D, 5, metric="precomputed", init="first"))[:, 0]
    assert np.ptp(places[:4]) == pytest.approx(3)
    assert np.ptp(places) == pytest.approx(3 + 2 * 2)  # the middle half, 1 to 3, is 2 wide


def test_one_far_item_does_not_squeeze_the_colours_of_distances(ax):
    at = np.concatenate([np.arange(100.0), [1e6]])
    D = abs(at[:, None] - at)
    plots.block_matrix(D, kmedoids(D, 3, metric="precomputed"), ax=ax)
    assert ax.images[0].norm.vmax < 100
    assert ax.figure.axes[1].get_ylabel() == "distance"
    ax.clear()
    plots.similarity_histogram(D[:100, :100], ax=ax, metric="precomputed")
    assert ax.get_xlim()[1] <= 100


def test_histogram_of_every_kind(kind, ax):
    A, metric, _, far = kind
    plots.similarity_histogram(A, ax=ax, metric=metric)
    pairs = far[np.triu_indices(60, 1)]
    mean = pairs.mean() if is_of_distances(metric) else 1 - pairs.mean()
    assert ax.lines[0].get_xdata()[0] == pytest.approx(mean, rel=1e-4)
    word = "distance of two items" if is_of_distances(metric) else "similarity of two items (−1 to 1)"
    assert ax.get_xlabel() == word
    heights, edges, _ = ax.patches[0].get_data()
    assert np.sum(heights * np.diff(edges)) == pytest.approx(1)
    wrong = "similarity" if is_of_distances(metric) else "precomputed"
    with pytest.raises(ValueError, match=r"S must (hold|be a square matrix of) (similarities|distances)"):
        plots.similarity_histogram(A, ax=ax, metric=wrong)


def test_histogram_says_how_many_rows_it_counts_and_what_lies_beyond(large, ax):
    plots.similarity_histogram(large.S, ax=ax)
    assert ax.get_xlabel() == "similarity of two items (−1 to 1), 500 of 3,000 rows"
    ax.clear()
    at = np.concatenate([np.arange(3000.0), [1e6]])
    plots.similarity_histogram(abs(at[:, None] - at), ax=ax, metric="precomputed")
    assert ax.get_xlim()[1] < 4000
    assert ax.get_xlabel().endswith("500 of 3,001 rows, 0.03 % lie beyond")


def test_tightness_of_every_kind(kind, ax):
    _, metric, fit, far = kind
    plots.similarity_to_medoid(fit, range(60), ax=ax)
    word = "distance" if is_of_distances(metric) else "similarity"
    assert ax.get_ylabel().startswith(f"mean {word} to the medoid")
    for j, (size, mean) in enumerate(ax.collections[0].get_offsets()):
        own = far[fit.members(j)[1:], fit.medoids[j]].mean()
        assert size == fit.sizes[j]
        assert mean == pytest.approx(own if is_of_distances(metric) else 1 - own, rel=1e-4)


def test_what_was_not_clustered_is_refused(small, ax):
    for draw in (plots.block_matrix, plots.medoid_positions):
        with pytest.raises(ValueError, match=r"S is not what was clustered: .* is it distances for similarities"):
            draw(1 - small.S, small.fit)
        with pytest.raises(ValueError, match=r"S must be what was clustered, the matrix \(50, 50\), got \(50, 49\)"):
            draw(small.S[:, :49], small.fit)
        with pytest.raises(ValueError, match="are its rows in another order"):
            draw(small.S[::-1, ::-1], small.fit)


def test_similarities_of_another_scale_are_read_on_their_own(ax):
    at = np.arange(8.0)
    tens = 10 - abs(at[:, None] - at)
    plots.block_matrix(tens, kmedoids(tens, 2), ax=ax)
    assert np.asarray(ax.images[0].get_array()).max() == 1  # divided by the similarity of an item to itself


def test_groups_dealt_at_random_are_drawn(small, ax):
    dealt = replace(small.fit, labels=np.random.default_rng(0).permutation(small.fit.labels))
    plots.block_matrix(small.S, dealt, ax=ax, side=5, limit=0.5)
    assert np.ptp(np.diagonal(np.asarray(ax.images[0].get_array()))) < 0.6


def test_losses_of_two_kinds_share_no_axis(small, ax):
    D = np.clip(1 - small.S, 0, None)
    np.fill_diagonal(D, 0)
    far = kmedoids((D + D.T) / 2, 3, metric="precomputed")
    with pytest.raises(ValueError, match="fits must all be of similarities or all of distances, got both"):
        plots.history({"one": small.fit, "two": far}, ax=ax)
    with pytest.raises(ValueError, match="scan and null must all be of similarities or all of distances"):
        plots.k_curve(small.scan, "inertia", null=scan_k((D + D.T) / 2, [2, 3], metric="precomputed"), ax=ax)


def test_few_exemplars_all_have_names(ax):
    points = np.array([(0.0, 0), (0, 0.001), (0.001, 0), (0, 0), (5, 5), (5, 5.001)])
    fit = kmedoids(np.linalg.norm(points[:, None] - points, axis=2), 6, metric="precomputed")
    plots.medoid_map(points[fit.medoids], fit, [f"a rather long name {i}" for i in range(6)], ax=ax)
    assert len(ax.texts) == 6
    assert not overlaps(ax)


def test_letters_that_no_font_has_are_said(small, ax):
    at = small.points[small.fit.medoids]
    with (
        plt.rc_context({"font.family": ["DejaVu Sans"]}),
        pytest.warns(UserWarning, match=r"Glyph 28450 .* missing from font"),
    ):
        plots.medoid_map(at, small.fit, ["漢"] * 50, ax=ax)


def test_a_scan_with_bounds_gets_a_band_under_its_inertia(ax):
    points = np.random.default_rng(0).normal(size=(40, 2))
    D = np.linalg.norm(points[:, None] - points, axis=2)
    scan = scan_k(D, [2, 4, 8], metric="precomputed", bounds=True)
    plots.k_curve(replace(scan, lower=None), "inertia", ax=ax)
    plots.k_curve(scan, "silhouette", ax=ax)
    assert not ax.collections
    plots.k_curve(scan, "inertia", ax=ax)
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert heights.min() == scan.lower.min()
    assert heights.max() == scan.inertia.max()
