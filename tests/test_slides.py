"""`make slides`: one page of slides from the cells tagged `demo`, which needs no network."""

import importlib
import re
import shutil
import sys
from html import unescape
from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
sys.path.insert(0, str(FOLDER))
try:
    maker = importlib.import_module("slides")
finally:
    sys.path.pop(0)

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
markdown, code, output = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell, nbformat.v4.new_output


def small():
    """A notebook with two cells to show: one prints, one draws."""
    printed = output("stream", text="1 < 2 & 3\n")
    drawn = output("display_data", {"image/png": PIXEL, "text/plain": "<Figure>"})
    return nbformat.v4.new_notebook(
        cells=[
            markdown("# Count *apples*\n\nThere are [some](00_x.ipynb)."),
            markdown("## Two heaps\n\nFirst words.\n\nHow many, with $x < 2$?"),
            code("print('<script>')", outputs=[printed], metadata={"tags": ["demo"]}),
            markdown("Between.\n\n## One heap\n\nAnd now?"),
            code("hidden = 1"),
            code("draw()", outputs=[drawn], metadata={"tags": ["demo", "other"]}),
            markdown("*Figure 1.* A *dot* in `grey`.\n\nMore."),
        ]
    )


def test_one_slide_for_the_title_and_one_for_each_cell_to_show():
    title, first, second = maker.slides(small())
    assert title == "<h1>Count <em>apples</em></h1>\n<p>There are some.</p>"
    assert first.startswith("<h2>Two heaps</h2>\n<p>How many, with <math")
    asked, _, answered = first.partition('<div class="answer">')
    assert "1 &lt; 2" not in asked
    assert '<pre class="out">1 &lt; 2 &amp; 3\n</pre>' in answered
    assert "<pre>print(&#x27;&lt;script&gt;&#x27;)</pre>" in answered
    assert second.startswith("<h2>One heap</h2>\n<p>And now?</p>")
    assert f'<img alt="Figure 1. A dot in grey." src="data:image/png;base64,{PIXEL}">' in second
    assert "hidden" not in second
    assert "More." not in second


def test_a_notebook_without_cells_to_show_has_no_slide():
    notebook = small()
    for cell in notebook.cells:
        cell.metadata.pop("tags", None)
    assert maker.slides(notebook) == []


def test_every_cell_to_show_has_its_slide_and_nothing_is_fetched(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(maker, "results_folder", lambda: tmp_path)
    monkeypatch.setattr(sys, "argv", ["slides.py"])
    assert maker.main() == 0
    html = (tmp_path / "slides.html").read_text(encoding="utf-8")
    tagged = 0
    for path in FOLDER.glob("[0-9][0-9]_*.ipynb"):
        found = sum("demo" in cell.metadata.get("tags", ()) for cell in nbformat.read(path, 4).cells)
        tagged += found + bool(found)
    assert html.count("<section>") == tagged > 30
    assert capsys.readouterr().out.startswith(f"{tagged} slides: ")
    assert not re.search(r"(?:src|href)=\"(?!data:)|url\(|@import", html)
    described = re.findall(r"<img [^>]*alt=\"([^\"]*)\"", html)
    assert len(described) == html.count("<img ")
    assert all(len(unescape(each)) > 20 for each in described)
    assert len(html) < 3_000_000


def test_a_number_without_a_notebook_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["slides.py", "98"])
    assert maker.main() == 1
    assert capsys.readouterr().err == "no notebook with one of the numbers 98 has a cell tagged demo\n"


@pytest.mark.skipif(
    shutil.which("chromium") is None, reason="chromium is not on the PATH (Debian: apt install chromium)"
)
def test_keys_ask_first_and_answer_then(tmp_path):
    """In a real browser without a network: no request but for the file, no error, and every slide is reached."""
    from playwright.sync_api import sync_playwright

    path = tmp_path / "slides.html"
    path.write_text(maker.page(maker.slides(small())), encoding="utf-8")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        try:
            context = browser.new_context(offline=True)
            page = context.new_page()
            asked, errors = [], []
            page.on("request", lambda request: asked.append(request.url))
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("console", lambda message: errors.append(message.text))
            page.goto(path.as_uri())
            seen = [(page.inner_text("#count")[0], False)]
            for key in ("ArrowRight", " ", "PageDown", "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft", "Home"):
                page.keyboard.press(key)
                answered = page.locator("section.now .answer").is_visible()
                seen.append((page.inner_text("#count")[0], answered))
            assert "".join(number for number, _ in seen) == "122333321"
            assert [i for i, (_, answered) in enumerate(seen) if answered] == [2, 4, 5, 7]
            page.click("#on")
            assert page.url.endswith("#2")
            assert page.locator("section:visible").count() == 1
            page.emulate_media(media="print")
            assert page.locator("section:visible").count() == 3
            assert page.locator("img").evaluate("image => image.naturalWidth") == 1
        finally:
            browser.close()
    assert [each for each in asked if not each.startswith(("file:", "data:"))] == []
    assert errors == []
