"""The explorer in a real browser: notebook 03 in JupyterLab, by key, mouse and search; nothing leaves the machine."""

import shutil
import statistics
from pathlib import Path

import pytest

from simlib.data import results_folder

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = "03_choose_the_number_of_clusters.ipynb"
PRESSES = 21
# From the key's own time stamp until both pictures and the cards are new, decoded and painted (two frames).
TIMED = """explorer => {
    window.taken = null;
    let start, waiting = 3;
    const frame = () => new Promise(requestAnimationFrame);
    document.addEventListener("keydown", event => { start = event.timeStamp; }, {once: true, capture: true});
    const images = [...explorer.querySelectorAll("img")];
    const seen = (node, what) => {
        const watch = new MutationObserver(async () => {
            watch.disconnect();
            if (--waiting) return;
            await Promise.all(images.map(image => image.decode()));
            await frame(); await frame();
            window.taken = performance.now() - start;
        });
        watch.observe(node, what);
    };
    images.forEach(image => seen(image, {attributes: true, attributeFilter: ["src"]}));
    const html = [...explorer.querySelectorAll(".widget-html-content")];
    seen(html[html.length - 1], {childList: true, subtree: true});
}"""

pytestmark = pytest.mark.skipif(
    shutil.which("chromium") is None,
    reason="chromium is not on the PATH, so the explorer is not tried in a browser (Debian: apt install chromium)",
)


def test_the_explorer_follows_key_drag_play_search_and_button(tmp_path, capsys):
    from lab import notebook_page, printed, run_all, wait_until

    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    with notebook_page(tmp_path / "notebooks" / NOTEBOOK) as (page, outside):
        assert run_all(page) == []
        explorer = page.locator(".simlib-explorer").first
        explorer.scroll_into_view_if_needed()
        handle, readout = explorer.locator(".noUi-handle"), explorer.locator(".widget-readout")
        line, cards = explorer.locator(".widget-html-content").first, explorer.locator(".widget-html-content").last
        sources = "images => images.map(image => image.src)"
        ks = [int(k) for k in printed(page, "print(*scan.ks)").split()]

        def says() -> str:
            return " ".join(line.inner_text().split())

        def k() -> int:
            return int(readout.inner_text())

        def arrives(i: int) -> None:
            """Wait until the i-th k is on show, and compare the page with the kernel's data."""
            wait_until(lambda: f"at k = {ks[i]} " in says(), f"k = {ks[i]} is on show", 60, page)
            assert k() == ks[i]
            value = printed(page, f"print(f'{{scan.medoid_silhouette[{i}]:.4f}}')")
            assert f"medoid silhouette {value} at k = {ks[i]}" in says()
            largest = printed(
                page, f"f = scan.fits[{i}]; print(words.names[f.medoids[f.sizes.argmax()]], f.sizes.max())"
            )
            name, size = largest.rsplit(" ", 1)
            assert cards.inner_text().startswith(f"★ {name} {int(size):,} items")

        # as it opens
        explorer.locator("img").nth(1).wait_for()
        arrives(len(ks) // 2)
        before = explorer.locator("img").evaluate_all(sources)
        assert explorer.evaluate("box => box.scrollWidth <= box.clientWidth")

        # by key
        handle.focus()
        page.keyboard.press("ArrowRight")
        arrives(len(ks) // 2 + 1)
        after = explorer.locator("img").evaluate_all(sources)
        assert all(old != new for old, new in zip(before, after, strict=True))
        assert explorer.locator("img").evaluate_all("images => images.every(image => image.naturalWidth > 300)")

        # by drag, to the far right
        grip, track = handle.bounding_box(), explorer.locator(".noUi-target").bounding_box()
        height = grip["y"] + grip["height"] / 2
        page.mouse.move(grip["x"] + grip["width"] / 2, height)
        page.mouse.down()
        page.mouse.move(track["x"] + 0.7 * track["width"], height, steps=8)
        page.mouse.move(track["x"] + track["width"] + 20, height, steps=8)
        page.mouse.up()
        arrives(len(ks) - 1)

        # play, from the smallest k
        handle.focus()
        page.keyboard.press("Home")
        arrives(0)
        play = explorer.locator(".widget-play button").first
        play.click()
        wait_until(lambda: k() >= ks[2], "two ks have gone by", 60, page)
        play.click()
        page.wait_for_timeout(1500)
        stopped = ks.index(k())
        arrives(stopped)
        page.wait_for_timeout(1500)
        assert k() == ks[stopped]

        # the time a key takes
        times = []
        handle.focus()
        for press in range(PRESSES):
            explorer.evaluate(TIMED)
            page.keyboard.press("ArrowLeft" if press % 2 else "ArrowRight")
            page.wait_for_function("window.taken !== null")
            times.append(page.evaluate("window.taken"))
        median = statistics.median(times)
        with capsys.disabled():
            print(f"\nfrom key press to changed pixels: median {median:.0f} ms, {min(times):.0f} to {max(times):.0f}")
        assert median < 1000

        # a search, which follows the slider
        search = explorer.locator("input[type=text]")
        for wanted, answer in [("wine", "wine is"), ("WINE", "wine is"), ("zzzz", "No item is called zzzz")]:
            search.fill(wanted)
            search.press("Enter")
            wait_until(lambda answer=answer: answer in says(), f"the answer is {answer!r}", 60, page)
        search.fill("wine")
        search.press("Enter")
        wait_until(lambda: "wine is" in says(), "wine is found again", 60, page)
        handle.focus()
        page.keyboard.press("End")
        code = "j = scan.fits[-1].labels[list(words.names).index('wine')]; print(words.names[scan.fits[-1].medoids[j]])"
        own = printed(page, code)
        wait_until(lambda: cards.inner_text().startswith(f"★ {own} "), "its cluster leads the cards", 60, page)

        # the button
        page.keyboard.press("ArrowLeft")
        wait_until(lambda: k() == ks[-2], "the last but one", 60, page)
        explorer.get_by_role("button", name="Use this fit").click()
        wait_until(lambda: f"is k = {ks[-2]}, as you chose" in says(), "the fit is given back", 60, page)
        assert printed(page, "print(explorer.fit is scan.fits[-2])") == "True"

        explorer.scroll_into_view_if_needed()
        explorer.screenshot(path=results_folder() / "explorer.png")
        assert outside == []
