"""The atlas in a real browser without a network and without WebGL: by key, mouse, finger and search."""

from __future__ import annotations

import csv
import io
import re
import shutil
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest

from simlib import atlas, ensemble, scan_k

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.skipif(
    shutil.which("chromium") is None,
    reason="chromium is not on the PATH, so the atlas is not tried in a browser (Debian: apt install chromium)",
)
RECORD = """window.written = [];
const write = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
  window.written.push(text);
  return write.call(this, text, ...rest);
};"""  # what is written on the map
N = 300
KS = [3, 8, 20]
HOSTILE = {
    0: "<script>window.hurt = 1</script>",
    1: "</script><img src=x onerror='window.hurt = 2'>",
    2: "=cmd|' /C calc'!A0",
    3: 'a "quoted", cell',
    4: "right to left: \u202egnihton \u2028 end",
    5: "",
    6: "m" * 1_000_000,
    7: "שלום",
    8: "constructor",
    9: "Éclair",
}


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """The page's path, its names as given, the scan, how sure each item is, and the places."""
    rng = np.random.default_rng(0)
    points = 6 * rng.normal(size=(8, 4))[rng.integers(8, size=N)] + rng.normal(size=(N, 4))
    D = np.linalg.norm(points[:, None] - points, axis=2)
    names = [HOSTILE.get(i, f"item {i}") for i in range(N)]
    scan = scan_k(D, KS, metric="precomputed")
    several = ensemble(D, 8, metric="precomputed", n_init=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules["simlib.atlas.places"], "FEW", 1000)  # classical scaling, which compiles nothing
        there = atlas.places(D, metric="precomputed")
    path = atlas.page(
        there,
        scan,
        names,
        tmp_path_factory.mktemp("atlas") / "atlas.html",
        title="<i>three hundred</i>",
        colour_by={"kind": np.array(["<b>a</b>", "b"])[np.arange(N) % 2]},
        ensemble=several,
        thumbnails=rng.integers(256, size=(N, 6, 4)).astype(np.uint8),
    )
    atlas.page(there, scan, [f"item {i}" for i in range(N)], path.with_name("plain.html"))
    return path, names, scan, several.certainty, there.xy


@pytest.fixture(scope="module")
def browser() -> Iterator:
    from lab import FLAGS
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=[*FLAGS, "--disable-3d-apis"])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, case) -> Iterator:
    """A function that opens the page; in the end nothing has complained, and nothing was asked for."""
    faults: list[str] = []
    contexts = []

    def begin(file="atlas.html", **settings) -> Page:
        context = browser.new_context(offline=True, accept_downloads=True, **settings)
        contexts.append(context)
        context.on("request", lambda request: faults.append(request.url))
        page = context.new_page()
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.set_default_timeout(20_000)
        page.add_init_script(RECORD)
        page.goto(case[0].with_name(file).as_uri())
        sign = "#table canvas" if file == "atlas.html" else "#table tbody tr"  # the thumbnails are there
        page.wait_for_function(f"document.querySelector('{sign}')")
        return page

    yield begin
    pages = [page for context in contexts for page in context.pages]
    assert [page.evaluate("window.hurt") for page in pages] == [None] * len(pages)
    for context in contexts:
        context.close()
    own = (case[0].parent.as_uri(), "data:", "blob:")
    assert [fault for fault in faults if not fault.startswith(own)] == []


def picture(page: Page) -> str:
    """The pixels of the map after the next two frames."""
    frames = "await new Promise(requestAnimationFrame); await new Promise(requestAnimationFrame);"
    return page.evaluate(f"async () => {{ {frames} return document.getElementById('map').toDataURL(); }}")


def written(page: Page) -> list[str]:
    """The names on the map, in the order in which they are written."""
    picture(page)
    page.evaluate("window.written = []; document.getElementById('theme').click()")  # which draws once more
    picture(page)
    return page.evaluate("window.written")


def find(page: Page, text: str) -> None:
    """Search for an item by key only."""
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.evaluate("document.activeElement.blur()")


def middle(page: Page) -> tuple[float, float]:
    """The middle of the map on the screen; what was searched for lies there."""
    box = page.locator("#map").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_slider_follows_key_mouse_and_brackets(opened, case):
    page = opened()
    assert page.inner_text("#shown") == "k = 8"
    seen = [picture(page)]
    for act, k in (
        (lambda: page.press("#k", "ArrowRight"), 20),
        (lambda: page.click("#fewer"), 8),
        (lambda: page.press("body", "["), 3),
    ):
        act()
        assert page.inner_text("#shown") == f"k = {k}"
        assert page.locator("#table tbody tr").count() == k
        seen.append(picture(page))
    assert len(set(seen)) == 3  # k = 8 came twice, and looked the same
    assert page.is_disabled("#fewer")
    box = page.locator("#k").bounding_box()
    page.mouse.click(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    assert page.inner_text("#shown") == "k = 20"
    sizes = [int(cell) for cell in page.locator("#table tbody td:nth-child(2)").all_inner_texts()]
    assert sizes == sorted(case[2].fits[2].sizes.tolist(), reverse=True)


def test_search_offers_names_and_the_card_tells_what_the_data_say(opened, case):
    page = opened()
    fit = case[2].fits[1]
    find(page, "item 123")
    assert page.inner_text("#card h2") == "item 123"
    j = fit.labels[123]
    rank = fit.members(j).tolist().index(123)
    said = page.locator("#card p").first.inner_text()
    assert f"distance {fit.distance[123]:#.3g}, number {rank + 1} of {fit.sizes[j]} by closeness" in " ".join(
        said.split()
    )
    assert f"how sure at k = 8: {case[3][123]:.2f}" in page.inner_text("#card")
    page.fill("#search", "item 12")
    assert page.locator("#found li").all_inner_texts() == ["item 12", *[f"item {i}" for i in range(120, 130)]]
    page.press("#search", "ArrowDown")
    page.press("#search", "ArrowDown")
    page.press("#search", "Enter")
    assert page.inner_text("#card h2") == "item 120"
    page.fill("#search", "eclair")
    assert page.locator("#found li").all_inner_texts() == ["Éclair"]
    page.fill("#search", "nobody")
    assert page.locator("#found li").all_inner_texts() == ["no item has this in its name"]
    page.press("#search", "Enter")
    assert page.inner_text("#said") == 'no item has "nobody" in its name'
    assert page.inner_text("#card h2") == "item 120"
    page.evaluate("document.activeElement.blur()")
    assert page.input_value("#search") == "item 120"
    page.fill("#search", "c")
    assert page.locator("#found li").all_inner_texts()[:2] == ["constructor", "names that hold it elsewhere"]
    page.press("#search", "ArrowUp")
    assert page.locator("#found li").last.get_attribute("aria-selected") == "true"
    page.press("#search", "Escape")
    assert page.input_value("#search") == ""
    assert "Nothing is selected" in page.text_content("#card")


def test_hover_and_click_name_the_item_under_the_pointer(opened, case):
    page = opened()
    find(page, "item 200")
    page.keyboard.press("Escape")
    assert "Nothing is selected" in page.text_content("#card")
    for _ in range(3):
        page.click("#closer")
    x, y = middle(page)
    page.mouse.move(x, y)
    assert page.inner_text("#tip b") == "item 200"
    assert f"how sure at k = 8: {case[3][200]:.2f}" in page.inner_text("#tip")
    page.mouse.click(x, y)
    assert page.inner_text("#card h2") == "item 200"
    assert page.input_value("#search") == "item 200"
    before = picture(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 30, steps=4)
    page.mouse.up()
    assert picture(page) != before
    assert page.inner_text("#card h2") == "item 200"  # a drag selects nothing else
    page.mouse.wheel(0, -400)
    assert picture(page) != before


def test_everything_by_keyboard(opened):
    page = opened()
    find(page, "item 50")
    page.keyboard.press("Escape")
    page.focus("#map")
    whole = picture(page)
    page.keyboard.press("Enter")
    assert page.inner_text("#card h2") == "item 50"
    page.keyboard.press("ArrowLeft")
    moved = picture(page)
    page.keyboard.press("+")
    closer = picture(page)
    page.keyboard.press("0")
    assert len({whole, moved, closer, picture(page)}) == 4
    page.focus("#tab-card")
    page.keyboard.press("ArrowRight")
    assert page.is_visible("#read")
    page.keyboard.press("ArrowRight")
    assert page.is_visible("#list")
    page.focus("#table tbody button")
    page.keyboard.press("Enter")
    assert "exemplar of" in page.inner_text("#card")


def test_the_list_is_sorted_and_filtered(opened, case):
    page = opened()
    names, fit = case[1], case[2].fits[1]
    wanted = sorted(names[m] for m in fit.medoids)
    page.click("#table th button >> nth=0")
    shown = [text.strip() for text in page.locator("#table tbody td:nth-child(1)").all_inner_texts()]
    assert sorted(shown) == wanted
    assert page.get_attribute("#table th >> nth=0", "aria-sort") == "ascending"
    page.fill("#filter", shown[0])
    assert [text.strip() for text in page.locator("#table tbody td:nth-child(1)").all_inner_texts()] == [shown[0]]
    page.click("#table tbody td:nth-child(3)")  # the whole line is a button
    assert page.inner_text("#card h2") == shown[0]
    page.click("#tab-list")
    assert page.inner_text("#table tr[aria-current] td").strip() == shown[0]
    page.fill("#filter", "no such name")
    assert "the search above finds every item" in page.inner_text("#table")
    page.fill("#filter", "")
    page.click("#table th button >> nth=3")
    legend = page.locator("#legend button").all_inner_texts()
    regions = page.eval_on_selector_all("#table td:nth-child(4)", "all => all.map(cell => cell.title)")
    assert list(dict.fromkeys(regions)) == [f"region of {head}" for head in legend]


def test_the_line_of_the_current_cluster_is_in_view(opened):
    page = opened("plain.html", viewport={"width": 1000, "height": 420})
    page.press("body", "]")
    page.locator("#table tbody button").last.click()
    page.click("#tab-list")
    assert page.get_attribute("#table tbody tr:last-child", "aria-current") == "true"
    bottom = "document.querySelector('#table tr[aria-current]').getBoundingClientRect().bottom"
    assert page.evaluate(bottom) <= 420


def test_the_nearest_are_named_first_and_then_the_members_closest_first(opened, case):
    page = opened("plain.html")
    fit = case[2].fits[1]
    find(page, "item 123")
    nearest = page.locator("#card .items >> nth=0").locator("bdi").all_inner_texts()
    for _ in range(3):
        page.click("#closer")
    names = written(page)
    assert names[0] == "item 123"
    near = [name for name in nearest if name in names]
    assert len(near) >= 8
    assert names[1 : 1 + len(near)] == near
    exemplars = {f"item {m}" for m in fit.medoids}
    rest = [int(name.split()[1]) for name in names[1 + len(near) :] if name not in exemplars]
    assert len(rest) >= 3
    assert set(fit.labels[rest]) == {fit.labels[123]}
    assert np.all(np.diff(fit.distance[rest]) >= 0)


def test_names_come_gradually(opened, case):
    page = opened("plain.html")
    box = page.locator("#map").bounding_box()
    sides = np.array([box["width"], box["height"]])
    across = case[4] - (case[4].min(axis=0) + case[4].max(axis=0)) / 2
    whole = ((sides - 80) / np.ptp(case[4], axis=0)).min()
    counts, shares = [], []
    for closer in range(5):
        if closer:
            page.click("#closer")
        counts.append(len(written(page)))
        shares.append(counts[-1] / np.all(np.abs(across) * whole * 1.6**closer <= sides / 2, axis=1).sum())
    assert 8 < counts[0] < counts[1] < N
    assert np.all(np.diff(shares) > 0)
    assert shares[-1] > 0.5


def test_a_region_ends_with_its_k_and_an_item_does_not(opened):
    page = opened("plain.html")
    page.click("#legend button >> nth=1")
    assert page.locator("#legend [aria-pressed=true]").count() == 1
    page.press("body", "]")
    assert page.locator("#legend [aria-pressed=true]").count() == 0
    assert page.is_visible("#list")
    find(page, "item 123")
    page.press("body", "[")
    assert page.inner_text("#card h2") == "item 123"


def test_back_returns_to_the_item_before(opened):
    page = opened("plain.html")
    find(page, "item 123")
    page.fill("#search", "item 77")
    page.press("#search", "Enter")
    assert page.inner_text("#card h2") == "item 77"
    page.go_back()
    page.wait_for_function("document.querySelector('#card h2').innerText === 'item 123'")
    assert page.input_value("#search") == "item 123"


def test_a_place_without_items_offers_the_whole_map(opened):
    page = opened("plain.html")
    whole = picture(page)
    page.focus("#map")
    assert page.is_hidden("#empty")
    for key in ["+"] * 12 + ["ArrowLeft"] * 200:
        page.keyboard.press(key)
    picture(page)
    page.click("#empty")
    assert picture(page) == whole
    assert page.is_hidden("#empty")


def test_the_card_says_what_fits_poorly_and_what_is_usual(opened, case):
    page = opened("plain.html")
    fit = case[2].fits[1]
    ordinary = np.setdiff1d(np.arange(N), fit.medoids)
    usual = np.sort(fit.distance[ordinary])[len(ordinary) // 2]
    own = fit.members(int(np.argmax(fit.sizes)))
    for item, said in ((own[-1], "It fits its cluster poorly: it is in the last tenth"), (own[1], "The usual")):
        find(page, f"item {item}")
        text = page.inner_text("#card p >> nth=1")
        assert text.startswith(said)
        assert text.endswith(f"The usual distance to an exemplar is {usual:#.3g}.")
    page.click("#tab-read")
    kept = re.search(r"(\d+) % are among its 15", page.inner_text("#caption").replace("\u00a0", " "))
    assert kept
    words = "most are" if int(kept[1]) > 60 else f"about one in {round(100 / int(kept[1]))} is"
    assert words in page.inner_text("#read .share")


def saved(page: Page, button: str) -> list[list[str]]:
    """The cells of the file that a button saves."""
    with page.expect_download() as download:
        page.click(button)
    return list(csv.reader(io.StringIO(download.value.path().read_text("utf-8-sig"))))


def test_what_is_selected_is_saved(opened, case):
    page = opened()
    fit = case[2].fits[1]
    find(page, "item 123")
    with page.expect_download() as download:
        page.click("#card .save")
    exemplar = case[1][fit.medoids[fit.labels[123]]].replace(" ", "_")
    assert download.value.suggested_filename == f"{exemplar}_k8.csv"
    rows = saved(page, "#card .save")
    assert rows[0] == ["row", "item", "exemplar", "distance", "region", "x", "y", "sure"]
    assert [int(row[0]) for row in rows[1:]] == fit.members(fit.labels[123]).tolist()
    assert np.allclose([float(row[3]) for row in rows[1:]], fit.distance[[int(row[0]) for row in rows[1:]]], atol=1e-3)
    page.keyboard.press("Escape")
    page.click("#legend button >> nth=0")
    assert "region of" in page.inner_text("#card h2")
    assert len(saved(page, "#card .save")) > 2
    page.click("#tab-read")
    rows = saved(page, "#save-all")
    assert len(rows) == N + 1
    assert rows[1 + 2][1] == "'" + HOSTILE[2]
    assert rows[1 + 3][1] == HOSTILE[3]


def test_hostile_labels_are_text(opened):
    page = opened()
    for i, shown in {0: HOSTILE[0], 1: HOSTILE[1], 7: HOSTILE[7], 8: HOSTILE[8]}.items():
        find(page, HOSTILE[i])
        assert page.inner_text("#card h2") == shown
        page.mouse.move(*middle(page))
        assert page.inner_text("#tip b") == shown
    find(page, "right to left")
    assert page.inner_text("#card h2") == "right to left: �gnihton end"
    find(page, "(no label)")
    assert page.inner_text("#card h2") == "(no label)"
    find(page, "mmmm")
    assert page.inner_text("#card h2") == "m" * 79 + "…"
    assert page.inner_text("h1") == "<i>three hundred</i>"
    page.select_option("#colour", label="kind")
    assert "<b>a</b>" in page.inner_text("#legend")


def test_every_colouring_has_a_legend(opened):
    page = opened()
    ways = page.locator("#colour option").all_inner_texts()
    assert ways == ["region", "distance to the exemplar", "how sure at k = 8", "neighbours kept by the map", "kind"]
    seen = set()
    for way in ways:
        page.select_option("#colour", label=way)
        seen.add((picture(page), page.inner_text("#legend")))
    assert len({legend for _, legend in seen}) == len({pixels for pixels, _ in seen}) == 5


def pinch(page: Page) -> None:
    """Two fingers move apart from the middle of the map."""
    x, y = middle(page)
    send = page.context.new_cdp_session(page).send
    for kind, gap in (("touchStart", 20), ("touchMove", 40), ("touchMove", 60)):
        fingers = [{"x": x - gap, "y": y, "id": 0}, {"x": x + gap, "y": y, "id": 1}]
        send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
    send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_phone_in_the_dark(opened):
    phone = {"viewport": {"width": 375, "height": 740}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}
    page = opened(**phone, color_scheme="dark")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    dark = picture(page)
    find(page, "item 77")
    page.click("#closer")
    page.keyboard.press("Escape")
    page.touchscreen.tap(*middle(page))
    assert page.inner_text("#card h2") == "item 77"
    near = picture(page)
    pinch(page)
    assert picture(page) != near
    page.touchscreen.tap(*middle(page))
    assert page.inner_text("#card h2") == "item 77"  # two fingers zoom around their middle
    page.tap("#whole")
    page.keyboard.press("Escape")
    assert picture(page) == dark
    page.tap("#theme")
    assert page.inner_text("#theme") == "dark"
    assert picture(page) != dark
    heights = "[...document.querySelectorAll('header button, aside button')].map(button => button.offsetHeight)"
    assert min(filter(None, page.evaluate(heights))) >= 40  # of those on show
    assert page.inner_text("#said") == ""  # the card has the name
    assert page.text_content("#hint").startswith("Tap a point")


def test_a_single_clustering_of_one_item_opens(browser, tmp_path):
    from simlib import kmedoids

    A = np.ones((1, 1))
    path = atlas.page(atlas.places(A), kmedoids(A, 1), ["alone"], tmp_path / "one.html")
    page = browser.new_context(offline=True).new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path.as_uri())
    find(page, "alone")
    assert "exemplar of 1 item" in page.inner_text("#card")
    assert page.is_hidden("#slider")
    assert errors == []
