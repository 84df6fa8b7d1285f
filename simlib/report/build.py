"""Make a report: notebook 06 is run with the options, and what it shows becomes the page.

In a checkout the notebook is in notebooks/; an installed package has it among its data.
"""

from __future__ import annotations

import re
import tempfile
import time
from html import escape, unescape
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import nbformat
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from tqdm import tqdm

from simlib import _kinds
from simlib._labels import plain
from simlib.data import ROOT, SHIPPED
from simlib.report.execute import execute
from simlib.report.options import FILES, completed
from simlib.report.page import report_page
from simlib.report.record import fine_print, record_of
from simlib.report.refused import Refused, readable
from simlib.report.stamp import stamped

NOTEBOOK = "06_write_a_report.ipynb"
PAGE = "report.html"  # what a page is called unless it is told otherwise
BESIDE = re.compile(r'<code class="beside">(items|clusters)\.csv</code>')  # what `html.beside_page` writes
BAR = "{desc:30.30} {bar} {elapsed}"
EXPLAINED = ("ValueError", "TypeError", "MemoryError", "NotInstalledError")  # errors whose text is written for a person


class Made(NamedTuple):
    """A report: its page, the tables beside it as CSV, its atlas or None, and what was left out of the data."""

    page: str
    items: bytes
    clusters: bytes
    atlas: bytes | None
    left_out: str


def build(
    data: str | Path | None = None, *, stamp: bool = True, progress: bool = False, **options: Any
) -> tuple[str, bytes]:
    """Make a report from a file.

    Parameters
    ----------
    data : path of a file that `load_vectors` or `load_matrix` reads; None: the shipped words
    stamp : bool
        Say when, in what time and on what it was made.
    progress : bool
        Draw a bar that says what is going on.
    options : the options of the command line by name, such as k, metric, columns or keep_going
        Without k a scan is shown, and one k of it by a stated rule. With ``atlas=True`` the page links to an atlas,
        which the command line alone writes.

    Returns
    -------
    html : str
        One page, without scripts or outside references.
    items : bytes
        The table of all items as CSV, UTF-8.

    Raises
    ------
    Refused
        The data or the options cannot be used.
    KeyboardInterrupt
        Nothing is left behind.

    Notes
    -----
    A kernel's start, 3 s, and what scan_k, stability, certify and silhouette take: about a minute at 20,000 items.
    """
    _kinds.flag(stamp, "stamp")
    _kinds.flag(progress, "progress")
    made = make(None if data is None else readable(data), PAGE, stamp=stamp, progress=progress, **options)
    return made.page, made.items


def make(source: Path | None, page: str, *, stamp: bool, progress: bool, **options: Any) -> Made:
    """Make a report, whose page is called `page`, from the file `source`; None: the shipped words."""
    options = completed(options)
    beside = _files(options)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        given = {**options, **{name: str(path) for name, path in beside.items()}}
        parameters = {"DATA": source and str(source), **{name.upper(): value for name, value in given.items()}}
        notebook, seconds = _executed(parameters | {"OUT": folder}, progress)
        files = {path.stem: path.read_bytes() for path in Path(folder).iterdir()}
    options |= {name: path.name for name, path in beside.items()}
    record = record_of(source, beside, options, files, page)
    end = fine_print(record) + (stamped(seconds, time.perf_counter() - began) if stamp else "")
    title = options["title"] or f"Report on {plain(source.name) if source else 'the shipped words'}"
    html = _with_names(report_page(notebook, title, record, end, _beside(page, options)), page)
    return Made(html, files["items"], files["clusters"], files.get("atlas"), _left_out(html))


def _files(options: dict[str, Any]) -> dict[str, Path]:
    """The options that name a file, with its absolute path."""
    found = {name: options[name] for name in FILES if options[name] is not None}
    return {name: readable(value, name) for name, value in found.items() if name == "thumbnails" or _is_file(value)}


def _is_file(value: str) -> bool:
    """Whether a value names a file that is there; else it names a column."""
    try:
        return Path(value).is_file()
    except (OSError, ValueError):
        return False


def beside_page(page: str) -> dict[str, str]:
    """What the files beside a page of this name are called."""
    stem = Path(page).stem
    return {"items": f"{stem}_items.csv", "clusters": f"{stem}_clusters.csv", "atlas": f"{stem}_atlas.html"}


def _beside(page: str, options: dict[str, Any]) -> str:
    """A paragraph on the files beside the page, with a link to the atlas."""
    names, called = beside_page(page), options["items"]
    link = f'<a href="{escape(quote(names["atlas"]))}">the atlas</a>, all {called} on one map to walk through; '
    tables = f"{names['items']}, a line for each of the {called}; {names['clusters']}, a line a cluster"
    return f'<p class="quiet">Beside this page: {link if options["atlas"] else ""}{escape(plain(tables, 600))}.</p>'


def _with_names(html: str, page: str) -> str:
    """A page on which the tables beside it have the names that go with its own."""
    names = beside_page(page)
    return BESIDE.sub(lambda found: f"<code>{escape(plain(names[found[1]], 300))}</code>", html)


def _left_out(html: str) -> str:
    """What a page says was left out of the data."""
    found = re.search(r'<p class="left-out">(.*?)</p>', html)
    return unescape(found[1]) if found else ""


def _executed(parameters: dict[str, Any], progress: bool) -> tuple[NotebookNode, dict[str, float]]:
    """The notebook run with these parameters, and the seconds that each of its parts took."""
    path = _notebook()
    parts = _Parts(path)
    with tqdm(total=len(parts.of_cell), disable=None if progress else True, bar_format=BAR) as bar:

        def start(index: int) -> None:
            if parts.enter(index):
                bar.set_description_str(parts.now)

        try:
            notebook = execute(path, bar.update, parameters=parameters, on_start=start, on_wait=bar.refresh)
        except CellExecutionError as error:
            explained = error.ename in EXPLAINED
            raise Refused(error.evalue if explained else f"{parts.now}: {error.ename}: {error.evalue}") from None
        except DeadKernelError:
            raise Refused(f'the kernel died at "{parts.now}": probably the memory did not suffice') from None
    return notebook, parts.seconds()


def steps() -> set[str]:
    """The names that a part of the work can have."""
    return {*_Parts(_notebook()).of_cell.values()}


def _notebook() -> Path:
    """Where notebook 06 is."""
    for folder in (SHIPPED, ROOT / "notebooks"):
        if (folder / NOTEBOOK).exists():
            return folder / NOTEBOOK
    raise Refused(f"{NOTEBOOK} is missing: it belongs beside the package, in notebooks/")


class _Parts:
    """The parts of a notebook, each with its heading, and when each of them began."""

    def __init__(self, path: Path) -> None:
        self.of_cell: dict[int, str] = {}  # number of a code cell -> heading of its part
        self.began: dict[str, float] = {}
        self.now = "start"
        heading = self.now
        for index, cell in enumerate(nbformat.read(path, 4).cells):
            if cell.cell_type == "code":
                self.of_cell[index] = heading
            elif found := re.findall(r"^## (.+)$", cell.source, flags=re.M):
                heading = found[-1]

    def enter(self, index: int) -> bool:
        """Note that a cell begins; returns whether it is one of code."""
        if index not in self.of_cell:
            return False
        self.now = self.of_cell[index]
        self.began.setdefault(self.now, time.perf_counter())
        return True

    def seconds(self) -> dict[str, float]:
        """What each part took, now that the last one has ended."""
        ends = [*list(self.began.values())[1:], time.perf_counter()]
        return {name: end - start for (name, start), end in zip(self.began.items(), ends, strict=True)}
