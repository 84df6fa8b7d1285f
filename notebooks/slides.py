"""Put the cells tagged `demo`, with their stored outputs, on slides: one file that opens without a network.

python notebooks/slides.py            writes results/slides.html
python notebooks/slides.py 00 02      of these notebooks only

A slide asks first: it shows the question before the cell. A key then shows what came out, and another one goes
on; the code is folded away. Where no script runs, and on paper, everything is shown.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path

import nbformat
from latex2mathml.converter import convert
from nbconvert.filters import markdown2html
from nbformat import NotebookNode

from simlib.data import results_folder, written_whole

HERE = Path(__file__).resolve().parent
TAG = "demo"
ALLOWED = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"  # no requests
STYLE = """
body { margin: 0; font: 1.3rem/1.45 system-ui, sans-serif; color: #222; background: #fff }
section { box-sizing: border-box; max-width: 70rem; margin: 0 auto; padding: 2rem 2rem 4rem }
h1 { font-size: 2.4rem; line-height: 1.15 } h2 { font-size: 1.7rem; margin: 0 0 1rem }
pre { font: 0.95rem/1.35 ui-monospace, monospace; padding: 0.6rem 0.8rem; margin: 0.6rem 0; white-space: pre-wrap }
pre { background: #f3f3f3 } pre.out { font-size: 1.05rem; border-left: 4px solid #999 }
img { display: block; max-width: 100%; max-height: 66vh; margin: 0.5rem auto; width: auto }
figcaption, footer, details { font-size: 0.95rem; color: #555; margin-top: 0.6rem }
footer { position: fixed; bottom: 0; left: 0; right: 0; padding: 0.4rem 2rem; background: #fff; display: none }
footer button { font: inherit; padding: 0.2rem 0.9rem }
.live section { display: none } .live section.now { display: block } .live footer { display: block }
.live section:not(.answered) .answer { display: none }
@media print { section { display: block !important; break-after: page } .answer { display: block !important }
footer { display: none !important } }
"""
SCRIPT = """
const slides = [...document.querySelectorAll("section")], count = document.getElementById("count");
let now = 0;
function show(index, answered) {
  slides[now].classList.remove("now", "answered");
  now = Math.min(Math.max(index, 0), slides.length - 1);
  const asks = slides[now].querySelector(".answer") !== null;
  slides[now].classList.add("now");
  slides[now].classList.toggle("answered", answered || !asks);
  count.textContent = `${now + 1} of ${slides.length}`;
  history.replaceState(null, "", `#${now + 1}`);
  scrollTo(0, 0);
}
function on() { if (slides[now].classList.contains("answered")) show(now + 1, now + 1 >= slides.length);
  else show(now, true); }
function back() { const asks = slides[now].querySelector(".answer") !== null;
  if (asks && slides[now].classList.contains("answered")) show(now, false); else if (now) show(now - 1, true); }
const keys = { ArrowRight: on, PageDown: on, " ": on, ArrowLeft: back, PageUp: back,
  Home: () => show(0, false), End: () => show(slides.length - 1, true) };
addEventListener("keydown", event => {
  const pressed = /BUTTON|SUMMARY/.test(event.target.tagName) && event.key === " ";
  if (pressed || event.ctrlKey || event.altKey || event.metaKey) return;
  if (keys[event.key]) { keys[event.key](); event.preventDefault(); }
});
document.getElementById("on").onclick = on;
document.getElementById("back").onclick = back;
document.body.classList.add("live");
show((parseInt(location.hash.slice(1)) || 1) - 1, false);
"""


def main() -> int:
    """Write the slides; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("numbers", nargs="*", metavar="NN", help="of these notebooks only (default: of all)")
    numbers = parser.parse_args().numbers
    paths = [path for path in sorted(HERE.glob("[0-9][0-9]_*.ipynb")) if not numbers or path.stem[:2] in numbers]
    made = [slide for path in paths for slide in slides(nbformat.read(path, 4))]
    if not made:
        print(f"no notebook with one of the numbers {', '.join(numbers)} has a cell tagged {TAG}", file=sys.stderr)
        return 1
    with written_whole(out := results_folder() / "slides.html") as draft:
        draft.write_text(page(made), encoding="utf-8")
    print(f"{len(made)} slides: {out}")
    return 0


def slides(notebook: NotebookNode) -> list[str]:
    """The slides of a notebook: one with its title, then one for each cell tagged `demo`; none without such cells."""
    title, _, finding = notebook.cells[0].source.partition("\n")
    made = [f"<h1>{text(title.lstrip('# '), bare=True)}</h1>\n{text(finding)}"]
    heading, question = title.lstrip("# "), ""
    for cell, after in zip(notebook.cells, [*notebook.cells[1:], None], strict=True):
        if cell.cell_type == "markdown":
            if headings := re.findall(r"^## (.+)$", cell.source, flags=re.M):
                heading = headings[-1]
            question = cell.source.strip().split("\n\n")[-1]
        elif TAG in cell.metadata.get("tags", ()):
            caption = after.source.split("\n\n")[0] if after and after.source.startswith("*Figure") else ""
            asked = f"<h2>{text(heading, bare=True)}</h2>\n{text(question)}"
            made.append(f'{asked}\n<div class="answer">\n{"".join(answer(cell, caption))}</div>')
    return made if len(made) > 1 else []


def answer(cell: NotebookNode, caption: str) -> Iterator[str]:
    """A cell's stored outputs, the caption of its picture, and its code folded away, as HTML."""
    for output in cell.outputs:
        data = output.get("data", {})
        if output.output_type == "stream":
            yield f'<pre class="out">{escape(output.text)}</pre>\n'
        elif "image/png" in data:
            said = escape(re.sub(r"[*$`]", "", caption))
            yield f'<img alt="{said}" src="data:image/png;base64,{"".join(data["image/png"].split())}">\n'
        elif "text/html" in data:
            yield f"<div>{data['text/html']}</div>\n"
        elif "text/plain" in data:
            yield f'<pre class="out">{escape(data["text/plain"])}</pre>\n'
    if caption:
        yield f"<figcaption>{text(caption, bare=True)}</figcaption>\n"
    yield f"<details><summary>the code</summary><pre>{escape(cell.source)}</pre></details>\n"


def text(source: str, bare: bool = False) -> str:
    """Markdown as HTML, maths as MathML, a link as its words; `bare` is without the paragraph around it."""
    html = markdown2html(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", source)).strip()
    html = re.sub(r"\$([^$<]+)\$", lambda found: convert(unescape(found[1])), html)
    return html.removeprefix("<p>").removesuffix("</p>") if bare else html


def page(made: list[str]) -> str:
    """The page of these slides."""
    sections = "\n".join(f"<section>\n{slide}\n</section>" for slide in made)
    footer = '<footer><button id="back">back</button> <button id="on">on</button> <span id="count"></span></footer>'
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>simlib: slides</title>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{ALLOWED}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{STYLE}</style>\n</head>\n'
        f"<body>\n{sections}\n{footer}\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


if __name__ == "__main__":
    sys.exit(main())
