"""The explorer in a real browser: notebook 03 in JupyterLab, by key, mouse and search; nothing leaves the machine."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simlib.data import results_folder

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = "03_choose_the_number_of_clusters.ipynb"
PRESSES = 21
# When a key was pressed, and when what it changed was painted (two frames later), both as times of day.
PRESSED = """() => document.addEventListener("keydown", event => {
    window.pressed = performance.timeOrigin + event.timeStamp;
}, {once: true, capture: true})"""
CARDS = """explorer => {
    window.changed = null;
    const frame = () => new Promise(requestAnimationFrame), image = explorer.querySelector("img");
    let waiting = 2;
    const seen = (node, what) => new MutationObserver(async (_, watch) => {
        watch.disconnect();
        if (--waiting) return;
        await image.decode(); await frame(); await frame();
        window.changed = performance.timeOrigin + performance.now();
    }).observe(node, what);
    seen(image, {attributes: true, attributeFilter: ["src"]});
    seen(explorer.querySelector(".simlib-cards"), {childList: true, subtree: true});
}"""
MAP = """() => {
    const put = CanvasRenderingContext2D.prototype.putImageData, frame = () => new Promise(requestAnimationFrame);
    window.changed = null;
    CanvasRenderingContext2D.prototype.putImageData = async function (...all) {
        put.apply(this, all);
        CanvasRenderingContext2D.prototype.putImageData = put;
        await frame(); await frame();
        window.changed = performance.timeOrigin + performance.now();
    };
}"""

pytestmark = pytest.mark.skipif(
    shutil.which("chromium") is None,
    reason="chromium is not on the PATH, so the explorer is not tried in a browser (Debian: apt install chromium)",
)


class Shown:
    """The explorer on a notebook's page, to be compared with the data in the notebook's kernel."""

    def __init__(self, page: Page) -> None:
        from lab import printed

        self.page = page
        self.box = page.locator(".simlib-explorer").first
        self.handle = self.box.locator(".noUi-handle")
        self.line = self.box.locator(".widget-html-content").first
        self.cards = self.box.locator(".simlib-cards .widget-html-content")
        self.map = page.frame_locator(".simlib-explorer iframe")
        self.frame = self.map.locator("#map").element_handle().owner_frame()
        self.ks = [int(k) for k in printed(page, "print(*scan.ks)").split()]

    def says(self) -> str:
        """The line of text, each space in it single."""
        return " ".join(self.line.inner_text().split())

    def k(self) -> int:
        """The k that the slider shows."""
        return int(self.box.locator(".widget-readout").inner_text())

    def curves(self) -> str:
        """The address of the picture of the curves, which holds its bytes."""
        return self.box.locator("img").get_attribute("src")

    def said_by_the_map(self) -> str:
        """What the map says of itself to those who do not see it."""
        return self.map.locator("#map").get_attribute("aria-label")

    def arrives(self, i: int) -> None:
        """Wait until the i-th k is on show, and compare the page with the kernel's data."""
        from lab import printed

        k = self.ks[i]
        self.wait_until(lambda: f"at k = {k} " in self.says(), f"k = {k} is on show")
        assert self.k() == k
        value = printed(self.page, f"print(f'{{scan.medoid_silhouette[{i}]:.4f}}')")
        assert f"medoid silhouette {value} at k = {k}" in self.says()
        code = f"f = scan.fits[{i}]; print(words.names[f.medoids[f.sizes.argmax()]], f.sizes.max())"
        name, size = printed(self.page, code).rsplit(" ", 1)
        assert self.cards.inner_text().startswith(f"★ {name} {int(size):,} items")
        wanted = f"map of 20,000 items in {k:,} clusters"
        self.wait_until(lambda: self.said_by_the_map() == wanted, f"the map says: {wanted}")

    def wait_until(self, true: Callable[[], bool], what: str) -> None:
        """Wait for up to a minute."""
        from lab import wait_until

        wait_until(true, what, 60, self.page)


def test_the_explorer_follows_key_drag_play_search_and_button(tmp_path, capsys):
    from lab import notebook_page, run_all

    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    with notebook_page(tmp_path / "notebooks" / NOTEBOOK) as (page, outside):
        assert run_all(page) == []
        shown = Shown(page)
        shown.box.scroll_into_view_if_needed()
        opens_in_the_middle(shown)
        follows_a_key(shown)
        follows_a_drag_to_the_far_right(shown)
        plays_from_the_smallest_k_until_stopped(shown)
        times = times_of_key_presses(shown)
        with capsys.disabled():
            median = statistics.median(times)
            print(f"\nfrom key press to changed pixels: median {median:.0f} ms, {min(times):.0f} to {max(times):.0f}")
        assert median < 1000
        hovers_and_gives_what_is_clicked_to_python(shown)
        answers_a_search_that_follows_the_slider(shown)
        gives_the_fit_to_python(shown)
        shown.box.scroll_into_view_if_needed()
        shown.box.screenshot(path=results_folder() / "explorer.png")
        assert outside == []


def opens_in_the_middle(shown: Shown) -> None:
    shown.arrives(len(shown.ks) // 2)
    assert shown.box.evaluate("box => box.scrollWidth <= box.clientWidth")


def follows_a_key(shown: Shown) -> None:
    before = shown.curves()
    shown.handle.focus()
    shown.page.keyboard.press("ArrowRight")
    shown.arrives(len(shown.ks) // 2 + 1)
    assert shown.curves() != before
    assert shown.box.locator("img").evaluate("image => image.naturalWidth") > 300


def follows_a_drag_to_the_far_right(shown: Shown) -> None:
    mouse = shown.page.mouse
    grip = shown.handle.bounding_box()
    track = shown.box.locator(".noUi-target").bounding_box()
    height = grip["y"] + grip["height"] / 2
    mouse.move(grip["x"] + grip["width"] / 2, height)
    mouse.down()
    mouse.move(track["x"] + 0.7 * track["width"], height, steps=8)
    mouse.move(track["x"] + track["width"] + 20, height, steps=8)
    mouse.up()
    shown.arrives(len(shown.ks) - 1)


def plays_from_the_smallest_k_until_stopped(shown: Shown) -> None:
    shown.handle.focus()
    shown.page.keyboard.press("Home")
    shown.arrives(0)
    play = shown.box.locator(".widget-play button").first
    play.click()
    shown.wait_until(lambda: shown.k() >= shown.ks[2], "two ks have gone by")
    play.click()
    shown.page.wait_for_timeout(1500)
    stopped = shown.ks.index(shown.k())
    shown.arrives(stopped)
    shown.page.wait_for_timeout(1500)
    assert shown.k() == shown.ks[stopped]


def times_of_key_presses(shown: Shown) -> list[float]:
    """The time that each of the key presses takes, in milliseconds."""
    times = []
    shown.handle.focus()
    for press in range(PRESSES):
        shown.page.evaluate(PRESSED)
        shown.box.evaluate(CARDS)
        shown.frame.evaluate(MAP)
        shown.page.keyboard.press("ArrowLeft" if press % 2 else "ArrowRight")
        both = (shown.page, shown.frame)
        shown.wait_until(lambda both=both: all(each.evaluate("window.changed") for each in both), "all is painted")
        times.append(max(each.evaluate("window.changed") for each in both) - shown.page.evaluate("window.pressed"))
    return times


def hovers_and_gives_what_is_clicked_to_python(shown: Shown) -> None:
    """The mouse looks for the name of the largest cluster's exemplar, which the map always writes."""
    from lab import printed

    item = int(printed(shown.page, "f = explorer.fit; print(f.medoids[f.sizes.argmax()])"))
    name = printed(shown.page, f"print(words.names[{item}])")
    box = shown.map.locator("#map").bounding_box()
    mouse = shown.page.mouse
    tip = shown.map.locator("#tip b")
    for across, down in ((x, y) for y in range(20, int(box["height"]), 12) for x in range(20, int(box["width"]), 30)):
        mouse.move(box["x"] + across, box["y"] + down)
        if tip.is_visible() and tip.inner_text() == name:
            break
    assert tip.inner_text() == name
    mouse.down()
    mouse.up()
    shown.wait_until(lambda: shown.says().startswith(f"{name} is the exemplar of"), "the click is answered")
    assert printed(shown.page, "print(explorer.selected)") == str(item)
    shown.map.locator("#map").press("Escape")
    shown.wait_until(lambda: printed(shown.page, "print(explorer.selected)") == "None", "nothing is selected")


def answers_a_search_that_follows_the_slider(shown: Shown) -> None:
    from lab import printed

    field = shown.box.get_by_placeholder("type a name, press Enter")
    for wanted, answer in [("wine", "wine is"), ("WINE", "wine is"), ("zzzz", "No item is called zzzz")]:
        field.fill(wanted)
        field.press("Enter")
        shown.wait_until(lambda answer=answer: answer in shown.says(), f"the answer is {answer!r}")
    field.fill("wine")
    field.press("Enter")
    shown.wait_until(lambda: "wine is" in shown.says(), "wine is found again")
    shown.handle.focus()
    shown.page.keyboard.press("End")
    code = "j = scan.fits[-1].labels[list(words.names).index('wine')]; print(words.names[scan.fits[-1].medoids[j]])"
    own = printed(shown.page, code)
    shown.wait_until(lambda: shown.cards.inner_text().startswith(f"★ {own} "), "its cluster leads the cards")


def gives_the_fit_to_python(shown: Shown) -> None:
    from lab import printed

    k = shown.ks[-2]
    shown.page.keyboard.press("ArrowLeft")
    shown.wait_until(lambda: shown.k() == k, "the last but one")
    shown.box.get_by_role("button", name="Use this fit").click()
    shown.wait_until(lambda: f"is k = {k}, as you chose" in shown.says(), "the fit is given back")
    assert printed(shown.page, "print(explorer.fit is scan.fits[-2])") == "True"
