"""Make a report: notebook 06 is run with the options, and what it shows becomes the page.

In a checkout the notebook is in notebooks/; an installed package has it among its data.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from tqdm import tqdm

from simlib._labels import plain
from simlib.data import ROOT, SHIPPED
from simlib.report.execute import execute
from simlib.report.options import completed
from simlib.report.page import report_page
from simlib.report.record import fine_print, record_of, stamped
from simlib.report.refused import Refused, readable

NOTEBOOK = "06_write_a_report.ipynb"
BAR = "{desc:30.30} {bar} {elapsed}"
EXPLAINED = ("ValueError", "TypeError", "MemoryError", "NotInstalledError")  # errors whose text is written for a person


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
    options : k, ks, metric, method, seed, title, label, columns, transpose
        As on the command line; without k a scan is shown, and one k of it by a stated rule.

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
    options = completed(options)
    source = None if data is None else readable(data)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "items.csv"
        parameters = {"DATA": source and str(source), **{name.upper(): value for name, value in options.items()}}
        notebook, seconds = _executed(parameters | {"TABLE": str(listed)}, progress)
        items = listed.read_bytes()
    record = record_of(source, options, items)
    end = fine_print(record) + (stamped(seconds, time.perf_counter() - began) if stamp else "")
    title = options["title"] or f"Report on {plain(source.name) if source else 'the shipped words'}"
    return report_page(notebook, title, record, end), items


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
            if cell.source.startswith("## "):
                heading = cell.source.splitlines()[0][3:]
            if cell.cell_type == "code":
                self.of_cell[index] = heading

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
