"""The explorer: what it shows after a move, what it gives back, what is left without a kernel; names stay text."""

import base64
import html as html_of_python
import io
import json
import re
import warnings
from functools import partial

import nbformat
import numpy as np
import pandas as pd
import pytest
import traitlets
from PIL import Image

import simlib
from simlib import atlas, report
from simlib._labels import marked
from simlib.report import html
from simlib.widgets import cards_html, explore

KS = [2, 3, 5]
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "$\\frac{1}{$",
    "two\nlines",
    "\u202eright to left",
    "a&amp;b",
    "漢字",
    "\ud800 half a letter",
    "x" * 1_000_000,
    "",
]


@pytest.fixture(scope="module")
def scanned():
    """Ten points on a line, their distances, scanned."""
    points = np.array([1.0, 2, 3, 10, 11, 12, 20, 21, 22, 30])
    D = abs(points[:, None] - points)
    return simlib.scan_k(D, KS, metric="precomputed"), D


@pytest.fixture(scope="module")
def vectors():
    """45 directions in three heaps."""
    rng = np.random.default_rng(0)
    return np.repeat(np.eye(3, 8), 15, axis=0) + 0.2 * rng.standard_normal((45, 8))


def parts(explorer):
    """The curves' bytes, the row that the map is told, the cards and the line of text on show."""
    line, pictures, cards, told, _ = explorer.children[2:]
    return bytes(pictures.children[0].value), told.value, cards.value, line.value


def click(explorer, item):
    """Click an item on the map, or nothing, as the frame says it."""
    explorer.children[-1].value = "" if item is None else str(item)


def test_starts_in_the_middle_and_follows_the_slider(scanned):
    scan, D = scanned
    explorer = explore(scan, D)
    assert (explorer.slider.value, repr(explorer)) == (3, "Explorer(k=3 of 3 from 2 to 5, n=10)")
    seen = []
    for i, k in enumerate(KS):
        explorer.slider.value = k
        curves, told, cards, line = parts(explorer)
        assert told == ""
        assert cards.count("★") == k
        assert f"inertia {scan.inertia[i]:.6g} and medoid silhouette {scan.medoid_silhouette[i]:.4f} at k = {k}" in line
        assert Image.open(io.BytesIO(curves)).size[1] == 594
        seen.append(curves)
    assert len(set(seen)) == len(KS)


def test_another_criterion_changes_the_curves_alone(scanned):
    scan, D = scanned
    explorer = explore(scan, D)
    curves, told, cards, _ = parts(explorer)
    explorer.criterion.value = "silhouette"
    other, same, same_cards, line = parts(explorer)
    assert other != curves
    assert (same, same_cards) == (told, cards)
    assert f"and silhouette {scan.silhouette[1]:.4f} at k = 3" in line


def test_the_null_is_drawn(scanned):
    scan, D = scanned
    assert parts(explore(scan, D, null=scan))[0] != parts(explore(scan, D))[0]


def test_the_fit_is_the_one_shown_until_the_button_chooses(scanned):
    scan, D = scanned
    explorer = explore(scan, D)
    assert explorer.fit is scan.fits[1]
    explorer.slider.value = 5
    assert explorer.fit is scan.fits[2]
    explorer.button.click()
    explorer.slider.value = 2
    assert explorer.fit is scan.fits[2]
    assert "is k = 5, as you chose" in parts(explorer)[3]


def test_play_is_linked_in_the_browser(scanned):
    explorer = explore(*scanned)
    play = explorer.children[0].children[0]
    assert (play.min, play.max, play.value) == (0, 2, explorer.slider.index)


def test_a_search_leads_the_cards_and_follows_the_slider(scanned):
    scan, D = scanned
    names = list("abcdefghij")
    explorer = explore(scan, D, labels=names, cards=1)
    still = parts(explorer)
    explorer.search.value = "J"  # nobody is called J, one item is called j
    for i, k in enumerate(KS):
        explorer.slider.value = k
        _, told, cards, line = parts(explorer)
        assert told == "9"
        fit = scan.fits[i]
        own = fit.labels[9]
        assert cards.count("★") == 1
        assert f"★ <bdi>{names[fit.medoids[own]]}</bdi>" in cards
        place = list(fit.members(own)).index(9) + 1
        said = f"number {place} of {fit.sizes[own]}" if place > 1 else f"is the exemplar of {fit.sizes[own]}."
        assert said in line
    assert explorer.selected == 9
    explorer.slider.value = 3
    explorer.search.value = " "
    assert parts(explorer) == still
    assert explorer.selected is None


def test_a_click_comes_back_to_python_and_does_what_the_search_does(scanned):
    scan, D = scanned
    explorer = explore(scan, D, labels=list("abcdefghij"))
    still, heard = parts(explorer), []
    explorer.observe(lambda change: heard.append(change["new"]), "selected")
    explorer.search.value = "e"
    found = parts(explorer)
    explorer.search.value = ""
    click(explorer, 4)
    assert parts(explorer) == found
    click(explorer, 7)
    assert (explorer.selected, parts(explorer)[1]) == (7, "7")
    assert "<b><bdi>h</bdi></b> is " in parts(explorer)[3]
    click(explorer, None)
    assert parts(explorer) == still
    assert heard == [4, None, 4, 7, None]
    explorer.search.value = "e"
    click(explorer, None)  # what was found is let go by a click beside it
    assert explorer.selected is None
    for nonsense in ("10", "-1", "x", "²"):
        explorer.children[-1].value = nonsense
        assert explorer.selected is None
    with pytest.raises(traitlets.TraitError, match="read-only"):
        explorer.selected = 3


def test_the_map_holds_every_clustering_and_no_controls(scanned):
    scan, D = scanned
    frame = explore(scan, D, labels=list("abcdefghij")).children[3].children[1].value
    page = html_of_python.unescape(re.search('srcdoc="([^"]*)"', frame)[1])
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page)[1])
    assert [fit["k"] for fit in data["fits"]] == KS
    assert data["names"] == list("abcdefghij")
    assert data["framed"] is True


def test_places_may_be_given_and_are_of_the_same_items(scanned):
    scan, D = scanned
    there = atlas.places(D, metric="precomputed")
    assert parts(explore(scan, D, places=there)) == parts(explore(scan, D))
    with pytest.raises(TypeError, match=r"places must be a Places, as simlib\.atlas\.places makes it, got a ndarray"):
        explore(scan, D, places=there.xy)
    with pytest.raises(ValueError, match="got 9 places and 10 clustered items"):
        explore(scan, D, places=atlas.places(D[:9, :9], metric="precomputed"))
    with pytest.raises(ValueError, match="what places were made from is not what was clustered: from item"):
        explore(scan, D, places=atlas.places(2 * D, metric="precomputed"))


def test_a_search_prefers_the_exact_name_and_suggests(scanned):
    names = ["Wine", "wine", "winery", "winter", "<b>", "same", "same", "h", "i", "j"]
    explorer = explore(*scanned, labels=names)

    def answer(wanted):
        explorer.search.value = wanted
        return re.sub("<[^>]+>", "", parts(explorer)[3].split("<code>")[0])

    assert answer("wine").startswith("wine is ")
    assert answer("Wine").startswith("Wine is ")
    assert answer("WINE").startswith("Wine (the first of 2 of this name) is ")
    assert answer("same").startswith("same (the first of 2 of this name) is ")
    assert answer("Win") == "No item is called Win. Names that begin so: Wine, wine, winery, winter."
    assert answer("zebra") == "No item is called zebra. No name begins so."
    assert "<script" not in (answer("<script>"), parts(explorer)[3])[1]


def test_vectors_do_as_well_as_their_matrix(vectors):
    scan = simlib.scan_k(vectors, [2, 3], metric="cosine")
    assert parts(explore(scan, vectors)) == parts(explore(scan, simlib.cosine_similarity(vectors)))


def test_the_bundle_holds_the_widget_and_a_still_picture_of_the_same(scanned):
    scan, D = scanned
    explorer = explore(scan, D)
    bundle = explorer._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.model_id
    assert bundle["text/plain"] == repr(explorer)
    html = bundle["text/html"]
    found = [base64.b64decode(text) for text in re.findall(r'src="data:image/png;base64,([^"]+)"', html)]
    curves, _, cards, _ = parts(explorer)
    assert found[0] == curves
    assert cards in html
    assert len(found) == len(re.findall(r'alt="[^"]+ k = 3"|alt="map of 10 items in 3 clusters"', html)) == 2
    assert explore(scan, D)._repr_mimebundle_()["text/html"] == html  # the same bytes


def test_a_stored_notebook_and_its_page_show_the_still_picture(tmp_path):
    source = (
        "import numpy as np, simlib\nfrom simlib.widgets import explore\n"
        "D = abs(np.arange(12.0)[:, None] - np.arange(12))\n"
        "explore(simlib.scan_k(D, [2, 3], metric='precomputed'), D)"
    )
    path = tmp_path / "one.ipynb"
    cells = [nbformat.v4.new_markdown_cell("# One"), nbformat.v4.new_code_cell(source, id="explore")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    notebook = report.execute(path)
    (output,) = notebook.cells[1].outputs
    assert set(output.data) == {"text/plain", "text/html"}
    page = report.page({"one": notebook}, "One")
    assert 'alt="map of 12 items in 3 clusters"' in page
    assert page.count('src="data:image/png;base64,') == 2
    assert page.count("★") == 3


def test_the_still_picture_of_a_large_scan_is_small():
    X = np.random.default_rng(0).standard_normal((600, 64))
    S = simlib.cosine_similarity(X)
    html = explore(simlib.scan_k(S, [30, 300]), S)._repr_mimebundle_()["text/html"]
    assert len(html) < 200_000


def test_hostile_names_stay_text(scanned):
    scan, D = scanned
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        explorer = explore(scan, D, labels=HOSTILE)
        for name in [*HOSTILE, "<b>bold</b>", "$x"]:
            explorer.search.value = name
            for k in KS:
                explorer.slider.value = k
                _, _, cards, line = parts(explorer)
                for html in (cards, line, explorer._repr_mimebundle_()["text/html"]):
                    assert set(re.findall(r"<(\w+)", html)) <= {"div", "b", "bdi", "span", "br", "code", "p", "img"}
                    assert "onerror=alert(1)>" not in html
                    assert "\u202e" not in html
                    assert html.encode()  # no half letters
                assert len(cards) + len(line) < 10_000


def test_a_card_holds_exemplar_size_closeness_members_and_neighbour(scanned):
    scan, D = scanned
    names = list("abcdefghij")
    cards = re.sub("</?bdi>", "", cards_html(scan.fits[1], D, names, cards=1))
    fit = scan.fits[1]
    largest = int(np.argmax(fit.sizes))
    exemplar = names[fit.medoids[largest]]
    members = [names[i] for i in fit.members(largest)]
    assert f"★ {exemplar}</b>" in cards
    assert f"{len(members)} items, mean distance {fit.distance[fit.members(largest)].mean():.2f}" in cards
    assert ", ".join(members[1:]) in cards
    near = min((D[fit.medoids[largest], m], names[m]) for m in fit.medoids if names[m] != exemplar)[1]
    assert f"next to {near}" in cards


def test_similarities_are_called_similarities_and_one_item_is_alone():
    S = np.array([[1, 0.9, 0.1], [0.9, 1, 0.2], [0.1, 0.2, 1]])
    cards = re.sub("</?bdi>", "", cards_html(simlib.assign(S, [0, 2]), S))
    assert "★ 0</b>" in cards
    assert "2 items, mean similarity 0.95, next to 2" in cards
    assert "1 item, alone, next to 0" in cards
    assert "3 items, mean similarity 0.67</span>" in cards_html(simlib.assign(S, [0]), S)


def test_cards_say_how_sure_a_cluster_is_only_where_an_ensemble_is_given(scanned):
    scan, D = scanned
    ends = simlib.ensemble(D, 3, metric="precomputed", n_init=3)
    fit = scan.fits[1]
    sure = [f"how sure: {ends.recovered(fit)[j]:.2f}" for j in np.argsort(-fit.sizes, kind="stable")]
    assert re.findall(r"how sure: [\d.]+", cards_html(fit, D, ensemble=ends)) == sure
    assert "how sure" not in cards_html(fit, D)
    explorer = explore(scan, D, ensemble=ends)
    for name in ("", "4"):
        explorer.search.value = name
        for k in KS:
            explorer.slider.value = k
            assert parts(explorer)[2].count("how sure") == (3 if k == 3 else 0)


def test_an_ensemble_of_something_else(scanned):
    scan, D = scanned
    with pytest.raises(TypeError, match=r"ensemble must be what simlib\.ensemble returns, got Clustering"):
        cards_html(scan.fits[1], D, ensemble=scan.fits[1])
    with pytest.raises(ValueError, match="as many items as the fit, 10, got 9"):
        explore(scan, D, ensemble=simlib.ensemble(D[:9, :9], 3, metric="precomputed", n_init=2))
    with pytest.raises(ValueError, match=r"of a k that was scanned, got 4: take k from scan\.ks, or scan 4 too"):
        explore(scan, D, ensemble=simlib.ensemble(D, 4, metric="precomputed", n_init=2))


def test_one_k_and_every_item_but_one_a_medoid(scanned):
    _, D = scanned
    for k in (2, 9):
        scan = simlib.scan_k(D, [k], metric="precomputed")
        explorer = explore(scan, D)
        assert explorer.slider.value == k
        assert explorer.fit is scan.fits[0]
        assert explorer.children[0].children[0].disabled


def test_items_that_are_all_the_same():
    S = np.ones((6, 6))
    assert parts(explore(simlib.scan_k(S, [2, 3]), S))[2].count("★") == 3


def test_bad_input(scanned, vectors):
    scan, D = scanned
    S = simlib.cosine_similarity(vectors)
    other = simlib.scan_k(S, [2, 3])
    with pytest.raises(ValueError, match="labels must hold one name a row, 10, got 3"):
        explore(scan, D, labels=["a", "b", "c"])
    with pytest.raises(ValueError, match="cards must be at least 1, got 0"):
        explore(scan, D, cards=0)
    with pytest.raises(TypeError, match=r"cards must be a whole number, got 2\.5"):
        explore(scan, D, cards=2.5)
    with pytest.raises(ValueError, match=r"S must be what was clustered, the matrix \(10, 10\), got \(10, 9\)"):
        explore(scan, D[:, :9])
    with pytest.raises(ValueError, match=r"the matrix \(10, 10\), got \(45, 45\)"):
        explore(scan, S)
    with pytest.raises(ValueError, match=r"or the vectors \(45, 8\), got \(45, 7\)"):
        explore(simlib.scan_k(vectors, [2], metric="cosine"), vectors[:, :7])
    with pytest.raises(ValueError, match=r"S is not what was clustered: from item .* distances for similarities"):
        explore(other, 1 - S)
    with pytest.raises(ValueError, match="are its rows in another order"):
        explore(other, S[::-1, ::-1])
    with pytest.raises(TypeError, match="scan must be a KScan, as scan_k makes it, got a Clustering"):
        explore(scan.fits[0], D)
    with pytest.raises(TypeError, match="null must be a KScan, as scan_k makes it, got a ndarray"):
        explore(scan, D, null=D)
    with pytest.raises(ValueError, match="null must be a scan of as many items as scan, 10, got 45"):
        explore(scan, D, null=other)


# names from frames


@pytest.fixture(scope="module")
def framed():
    """Twenty towns of a larger table, so that their numbers in its index are not their rows; and two clusters."""
    at = np.random.default_rng(0).normal(size=(20, 6)) + 5 * (np.arange(20) % 2)[:, None] * np.eye(6)[0]
    frame = pd.DataFrame(at, index=[f"town {i}" for i in range(20)]).iloc[::-1]
    towns = pd.Series(frame.index, index=np.arange(20)[::-1] + 100)
    return frame, towns, simlib.kmedoids(frame, 2, metric="cosine")


def test_an_index_and_a_series_are_names_in_the_order_of_the_rows(framed):
    frame, towns, fit = framed
    as_list = list(frame.index)
    wanted = cards_html(fit, frame, as_list)
    assert as_list[fit.medoids[0]] in wanted
    for labels in (frame.index, towns, towns.to_numpy(), None):
        assert cards_html(fit, frame, labels) == wanted
    shifted = np.arange(20)[::-1] + 7
    assert cards_html(fit, frame.set_axis(shifted)) == cards_html(fit, frame, shifted)
    assert cards_html(fit, frame.to_numpy()) == cards_html(fit, frame, range(20))
    S = simlib.cosine_similarity(frame)
    for show in (html.cards, partial(html.misfits, scores=np.linspace(-1, 1, 20))):
        assert show(S, "similarity", fit, labels=towns) == show(S, "similarity", fit, labels=as_list)
    assert html.items(fit, towns, np.zeros(20)) == html.items(fit, as_list, np.zeros(20))


def test_the_explorer_names_the_rows_of_a_frame(framed):
    frame, _, _ = framed
    view = explore(simlib.scan_k(frame, [2, 3], metric="cosine"), frame)
    exemplar = frame.index[view.fit.medoids[0]]
    assert f"★ {marked(exemplar)}" in parts(view)[2]


@pytest.mark.parametrize("labels", [pd.DataFrame({"a": range(20)}), np.empty((20, 2)), "twenty characters ..."])
def test_names_of_more_than_one_column_are_refused(labels, framed):
    frame, _, fit = framed
    with pytest.raises(TypeError, match=r"labels must (hold one name a row|be a list of 20 names), got "):
        cards_html(fit, frame, labels)
