"""Execute notebooks and turn them into one self-contained HTML page: no script, no request, maths as MathML."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path

import nbformat
from jinja2 import DictLoader
from latex2mathml.converter import convert
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from nbformat import NotebookNode

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
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


def execute(path: Path, on_cell: Callable[[], None] = lambda: None) -> NotebookNode:
    """Run a notebook in its own folder with a fresh kernel.

    Parameters
    ----------
    path : Path
        The notebook; the file itself is left as it is.
    on_cell : function ()
        Called after each code cell.

    Returns
    -------
    NotebookNode
        Executed, and free of what changes from run to run (timings, widget ids, paths): the same notebook
        gives the same bytes.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        A cell failed; the message holds the cell and its traceback.
    """
    notebook = nbformat.read(path, 4)
    NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=40"],  # the kernel's own remarks about its socket are nobody's concern here
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_executed=lambda **_: on_cell(),
    ).execute()
    return _settled(notebook)


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
    math, captions = [], []
    cells = [nbformat.v4.new_markdown_cell(_contents(notebooks, title), id="contents")]
    for name, notebook in notebooks.items():
        cells.append(nbformat.v4.new_markdown_cell(f'<a id="{name}"></a>\n\n---', id=f"start-{name[:2]}"))
        cells.extend(_static_cells(notebook, math, captions))
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
    html = re.sub(r"MATH-(\d+)-HERE", lambda found: math[int(found[1])], html)
    return re.sub(r"<script\b.*?</script>", "", html, flags=re.S)


def figures(notebook: NotebookNode) -> Iterator[bytes]:
    """The PNG pictures of an executed notebook, in order."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                yield base64.b64decode(output.data["image/png"])


def _settled(notebook: NotebookNode) -> NotebookNode:
    """Drop what differs between two runs of the same cells."""
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    notebook.metadata = nbformat.from_dict({"kernelspec": kernel, "language_info": {"name": "python"}})
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_VIEW, None)
            if output.output_type == "stream":
                output.text = re.sub(r"/tmp/ipykernel_\d+/\d+\.py", "<cell>", output.text)
    return notebook


def _contents(notebooks: dict[str, NotebookNode], title: str) -> str:
    """A heading and a list of links to the notebooks' first headings."""
    lines = [f"# {title}", ""]
    for name, notebook in notebooks.items():
        heading = notebook.cells[0].source.splitlines()[0].lstrip("# ")
        lines.append(f"- [{heading}](#{name})")
    return "\n".join(lines)


def _static_cells(notebook: NotebookNode, math: list[str], captions: list[str]) -> Sequence[NotebookNode]:
    """Copies of the cells, maths set aside and links turned inwards; collects a caption for each picture."""
    cells = nbformat.from_dict(notebook).cells
    for cell, after in zip(cells, [*cells[1:], None], strict=True):
        if cell.cell_type == "markdown":
            cell.source = _inner_links(_set_maths_aside(cell.source, math))
            continue
        caption = after.source if after is not None and after.source.startswith("*Figure") else "Figure"
        pictures = sum("image/png" in output.get("data", {}) for output in cell.outputs)
        captions += [re.sub(r"[*$`]", "", caption)] * pictures
    return cells


def _inner_links(source: str) -> str:
    """Links to a notebook of this page become links to its place in it."""
    return re.sub(r"\((\d\d_\w+)\.ipynb\)", r"(#\1)", source)


def _set_maths_aside(source: str, math: list[str]) -> str:
    """Replace TeX by marks and collect it as MathML; code is left alone."""

    def put(tex: str, display: str) -> str:
        math.append(convert(tex.strip(), display=display))
        return f"MATH-{len(math) - 1}-HERE"

    parts = re.split(r"(```.*?```|`[^`\n]*`)", source, flags=re.S)
    for i in range(0, len(parts), 2):
        parts[i] = re.sub(r"\$\$(.+?)\$\$", lambda m: put(m[1], "block"), parts[i], flags=re.S)
        parts[i] = re.sub(r"(?<![\\$])\$(?!\s)([^$\n]+?)(?<!\s)\$(?!\d)", lambda m: put(m[1], "inline"), parts[i])
    return "".join(parts)
