"""Executed notebooks as self-contained HTML: no script, no request, maths as MathML, pictures inside."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import count
from typing import Any

import nbformat
from jinja2 import DictLoader
from latex2mathml.converter import convert
from nbconvert import HTMLExporter
from nbconvert.filters import markdown2html
from nbformat import NotebookNode

from simlib import _kinds
from simlib.report.style import SHEET

# nbconvert's page, less everything that would load a script
STATIC = """{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock html_head_js -%}
{%- block html_head_js_mathjax -%}{%- endblock html_head_js_mathjax -%}
{%- block html_head_js_mermaidjs -%}{%- endblock html_head_js_mermaidjs -%}
{%- block jupyter_widgets -%}{%- endblock jupyter_widgets -%}
{%- block html_head_css -%}{{ super() }}
<style>body{max-width:60rem;margin:auto;padding:0 1rem} img{max-width:100%;height:auto}
.jp-Cell-inputWrapper pre{white-space:pre-wrap} @media print{.jp-Cell{break-inside:avoid}}</style>
{%- endblock html_head_css -%}"""


def page(notebooks: dict[str, NotebookNode], title: str) -> str:
    """One HTML page of several executed notebooks, with contents at the top.

    Parameters
    ----------
    notebooks : dict, file name without ending -> executed notebook
        Links between them become links inside the page.
    title : str

    Returns
    -------
    str
        HTML without scripts or outside references; images and style are inside.
    """
    _kinds.mapping(notebooks, "notebooks", NotebookNode, "execute")
    _kinds.text(title, "title", needed=True)
    mark = _unused(str(notebooks))
    math: list[str] = []
    captions: list[str] = []
    cells = [nbformat.v4.new_markdown_cell(_contents(notebooks, title), id="contents")]
    for name, notebook in notebooks.items():
        cells.append(nbformat.v4.new_markdown_cell(f'<a id="{name}"></a>\n\n---', id=f"start-{name[:2]}"))
        cells.extend(_static_cells(notebook, mark, math, captions))
    merged = nbformat.v4.new_notebook(cells=cells, metadata=next(iter(notebooks.values())).metadata)
    exporter = HTMLExporter(
        template_name="lab",
        embed_images=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        extra_loaders=[DictLoader({"static.html.j2": STATIC})],
        template_file="static.html.j2",
    )
    html, _ = exporter.from_notebook_node(merged, {"metadata": {"name": title}})
    described = iter(captions)
    html = re.sub(r'alt="No description[^"]*"', lambda _: f'alt="{escape(next(described))}"', html)
    html = re.sub(rf"{mark}-(\d+)-HERE", lambda found: math[int(found[1])], html)
    return re.sub(r"<script\b.*?</script>", "", html, flags=re.S)


def report_page(notebook: NotebookNode, title: str, record: dict[str, Any], end: str = "", beside: str = "") -> str:
    """An executed notebook as a report: its HTML, its pictures, and its text cells tagged `report`; no code.

    Parameters
    ----------
    notebook : NotebookNode
        The HTML in its outputs is trusted: what a person's file brought was escaped when it was made.
    title : str
        Title of the window.
    record : dict
        What `record_of` returns; the page keeps it for `recorded` to read.
    end, beside : str
        HTML that is put at the end of the last section, and of the first.

    Returns
    -------
    str
        HTML without scripts or outside references.
    """
    headings, sections = _sections(notebook, record.get("options", {}).get("items", "items"))
    links = " ".join(f'<a href="#part-{i}">{escape(heading)}</a>' for i, heading in enumerate(headings, 1))
    sections[-1] += end
    sections[0] += f"{beside}<nav>{links}</nav>"
    body = "\n".join(f'<section id="part-{i}">\n{html}\n</section>' for i, html in enumerate(sections))
    kept = escape(json.dumps(record, sort_keys=True))
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="simlib-report" content="{kept}">\n<style>{SHEET}</style>\n</head>\n'
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _sections(notebook: NotebookNode, called: str) -> tuple[list[str], list[str]]:
    """The headings of a report, and the HTML of its sections: one before the first heading, then one a heading.

    A section whose cells of code show nothing is left out. The texts call the items `called`.
    """
    headings = [""]
    sections = [""]
    seen: list[list[bool]] = [[]]  # for each section, whether each of its cells of code shows something
    cells = list(_parted(notebook.cells))
    for cell, after in zip(cells, [*cells[1:], None], strict=True):
        if cell.cell_type == "code":
            shown = "".join(_shown(cell, after, called))
            sections[-1] += shown
            seen[-1].append(bool(shown))
        elif "report" in cell.metadata.get("tags", []) and not cell.source.startswith("*Figure"):
            source = _calling(cell.source, called)
            if source.startswith("## "):
                headings.append(source.splitlines()[0][3:])
                sections.append("")
                seen.append([])
            sections[-1] += _text(source)
    kept = [i for i, shown in enumerate(seen) if not i or not shown or any(shown)]
    return [headings[i] for i in kept[1:]], [sections[i] for i in kept]


def _parted(cells: list[NotebookNode]) -> Iterator[NotebookNode]:
    """The cells; a text that begins with a caption, its first paragraph, and goes on becomes two."""
    for cell in cells:
        caption, _, rest = cell.source.partition("\n\n")
        if cell.cell_type == "markdown" and caption.startswith("*Figure") and rest:
            yield nbformat.from_dict({**cell, "source": caption})
            cell = nbformat.from_dict({**cell, "source": rest})
        yield cell


def _calling(source: str, called: str) -> str:
    """A text in which the items are called by another word."""
    source = re.sub(r"\bitems\b", called, source)
    return re.sub(r"\bItems\b", called[0].upper() + called[1:], source)


def _shown(cell: NotebookNode, after: NotebookNode | None, called: str) -> Iterator[str]:
    """The HTML, the Markdown and the pictures that a cell put out.

    A picture has the caption that the next cell holds, and the cell's own Markdown goes on with it.
    """
    outputs = [output.get("data", {}) for output in cell.outputs]
    caption = after.source if after is not None and after.source.startswith("*Figure") else "*Figure.*"
    more = [data["text/markdown"] for data in outputs if "text/markdown" in data]
    drawn = any(map(_picture, outputs))
    for data in outputs:
        if picture := _picture(data):
            source = _calling(" ".join([caption, *more]).strip(), called)
            image = f'<div><img alt="{escape(_described(source))}" src="{picture}"></div>'
            look = ' class="beside"' if _is_narrow(data) else ""
            yield f"<figure{look}>{image}<figcaption>{_text(source)}</figcaption></figure>"
        elif "text/html" in data:
            yield data["text/html"]
        elif "text/markdown" in data and not drawn:
            yield _text(data["text/markdown"])


def _is_narrow(data: dict[str, Any]) -> bool:
    """Whether a picture leaves room for its caption beside it: it is at most twice as wide as high."""
    size = re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"', "".join(data.get("image/svg+xml", "")))
    return size is not None and float(size[1]) <= 2 * float(size[2])


def _picture(data: dict[str, Any]) -> str | None:
    """A picture, drawn as lines (SVG) or points (PNG), as an address that holds it whole; None if there is none."""
    if "image/svg+xml" in data:
        lines = "".join(data["image/svg+xml"]).encode("utf-8")
        return f"data:image/svg+xml;base64,{base64.b64encode(lines).decode('ascii')}"
    return f"data:image/png;base64,{''.join(data['image/png'].split())}" if "image/png" in data else None


def _text(source: str) -> str:
    """Markdown with maths as HTML with MathML."""
    mark = _unused(source)
    math: list[str] = []
    html = markdown2html(_set_maths_aside(source, mark, math))
    html = re.sub(r'<a class="anchor-link".*?</a>', "", html)
    return re.sub(rf"{mark}-(\d+)-HERE", lambda found: math[int(found[1])], html)


def _described(caption: str) -> str:
    """A caption as plain text."""
    return re.sub(r"[*$`]", "", caption)


def _unused(text: str) -> str:
    """A mark that does not occur in the text."""
    return next(mark for mark in (f"MATH{i}" for i in count()) if mark not in text)


def _contents(notebooks: dict[str, NotebookNode], title: str) -> str:
    """A heading and a list of links to the notebooks' first headings."""
    lines = [f"# {title}", ""]
    for name, notebook in notebooks.items():
        heading = notebook.cells[0].source.splitlines()[0].lstrip("# ")
        lines.append(f"- [{heading}](#{name})")
    return "\n".join(lines)


def _static_cells(notebook: NotebookNode, mark: str, math: list[str], captions: list[str]) -> Sequence[NotebookNode]:
    """Copies of the cells, maths set aside and links turned inwards; collects a caption for each picture."""
    cells = nbformat.from_dict(notebook).cells
    for cell, after in zip(cells, [*cells[1:], None], strict=True):
        if cell.cell_type == "markdown":
            cell.source = _inner_links(_set_maths_aside(cell.source, mark, math))
            continue
        caption = after.source if after is not None and after.source.startswith("*Figure") else "Figure"
        pictures = sum("image/png" in output.get("data", {}) for output in cell.outputs)
        captions += [_described(caption.partition("\n\n")[0])] * pictures
    return cells


def _inner_links(source: str) -> str:
    """Links to a notebook of this page become links to its place in it; those to exercises become text."""
    source = re.sub(r"\[([^\]]+)\]\(exercises/[^)]*\)", r"\1", source)
    return re.sub(r"\((\d\d_\w+)\.ipynb\)", r"(#\1)", source)


def _set_maths_aside(source: str, mark: str, math: list[str]) -> str:
    """Replace TeX by marks and collect it as MathML; code is left alone."""

    def put(tex: str, display: str) -> str:
        math.append(convert(tex.strip(), display=display))
        return f"{mark}-{len(math) - 1}-HERE"

    parts = re.split(r"(```.*?```|`[^`\n]*`)", source, flags=re.S)
    for i in range(0, len(parts), 2):
        parts[i] = re.sub(r"\$\$(.+?)\$\$", lambda m: put(m[1], "block"), parts[i], flags=re.S)
        parts[i] = re.sub(r"(?<![\\$])\$(?!\s)([^$\n]+?)(?<!\s)\$(?!\d)", lambda m: put(m[1], "inline"), parts[i])
    return "".join(parts)
