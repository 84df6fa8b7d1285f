"""Turn a file into a report to hand over: one HTML page, a table of its items, a PDF if wanted.

Notebook 06 is run with the parameters given, and its pictures, tables and texts become the page. The same data,
parameters and versions give the same bytes, except for one line with the date and the times at the page's end.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

import nbformat
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from tqdm import tqdm

from simlib._execute import execute, figures
from simlib._matrix import METRICS
from simlib._page import page, report_page
from simlib._pdf import browser, print_page
from simlib._record import OPTIONS, Refused, differences, fine_print, record_of, recorded, stamped
from simlib.data import ROOT, SHIPPED, written_whole
from simlib.medoids import METHODS
from simlib.parts import plain

__all__ = ["Refused", "build", "differences", "execute", "figures", "main", "page"]

NOTEBOOK = "06_write_a_report.ipynb"


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
    options : k, ks, metric, method, seed, title, label, columns
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
    if unknown := set(options) - set(OPTIONS):
        raise TypeError(f"options are {', '.join(OPTIONS)}, got {', '.join(sorted(unknown))}")
    options = {**OPTIONS, **options}
    options["title"] = plain(options["title"] or "", 200) or None
    source, began = None if data is None else _readable(data), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "items.csv"
        parameters = {"DATA": source and str(source), **{name.upper(): value for name, value in options.items()}}
        notebook, steps = _executed(parameters | {"TABLE": str(listed)}, progress)
        items = listed.read_bytes()
    record = record_of(source, options, items)
    end = fine_print(record) + (stamped(steps, time.perf_counter() - began) if stamp else "")
    title = options["title"] or f"Report on {plain(source.name) if source else 'the shipped words'}"
    return report_page(notebook, title, record, end), items


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Returns its exit status: 0, 1 if `--verify` found a difference, 2 an error, 130 stopped."""
    asked = _arguments(arguments)
    try:
        return _verify(asked) if asked.verify else _write(asked)
    except KeyboardInterrupt:
        print("\nstopped; nothing was written", file=sys.stderr)
        return 130
    except (Refused, OSError) as error:
        print(f"error: {plain(error, 600)}", file=sys.stderr)
        return 2


HELP = """\
Sort the items of a file into clusters, each around one of the items, and write what came out as one HTML page that
opens anywhere without a network: how tight and how stable the clusters are, the exemplars, a map, the curves over k,
the items that fit badly. Every item with its cluster is in a CSV file beside it."""
EXAMPLES = """\
examples
  %(prog)s my.csv                      k is left out: a scan shows what each criterion would take
  %(prog)s my.csv --k 200 --pdf        200 clusters; report.html, report_items.csv, report.pdf
  %(prog)s series.csv --metric correlation --ks 4,8,12,16,24 --title "Stations by temperature"
  %(prog)s distances.npy --metric precomputed --k 30
  %(prog)s my.csv --verify report.html  make it again and say what differs

the file
  .csv, .tsv, .parquet: a row an item; columns of numbers are the vectors, a column of text the labels
  .npy, .npz: vectors (n, d), or with --metric similarity or precomputed a matrix (n, n); word2vec and GloVe text
Without a file the 20,000 words that come with the workbook are used.

exit status: 0 done, 1 --verify found a difference, 2 an error (one line says which), 130 stopped"""


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {plain(message, 600)} (--help explains)\n")


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; what cannot be is refused here."""
    parser = _Parser(
        "python -m simlib.report",
        description=HELP,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("data", nargs="?", help="the file; see below")
    about = "number of clusters (left out: a scan, and one k of it by a rule that the report states)"
    add("--k", type=_at_least(2), help=about)
    add("--out", type=Path, help="the page to write (default report.html); one that exists is replaced")
    add("--pdf", action="store_true", help="also print the page to a PDF beside it (needs Chromium)")
    add("--title", help="heading of the page")
    about = "how vectors are compared, by cosine (default) or correlation; or what the matrix in the file holds"
    add("--metric", choices=METRICS, help=f"{about}, similarity or distances (precomputed)")
    about = "fasterpam (default): exchanges until none helps; alternate: the simple loop, often a tenth worse"
    add("--method", choices=METHODS, help=about)
    about = "numbers of clusters to scan (default: a few around --k; or from 2 to a quarter of the items, at most 1024)"
    add("--ks", type=_numbers, metavar="2,4,8", help=about)
    add("--seed", type=_at_least(0), help="of everything drawn at random (default 0)")
    add("--label", help="name of the column that holds the labels")
    about = "names of the columns that hold the vectors (default: all columns of numbers)"
    add("--columns", type=lambda text: text.split(","), metavar="a,b", help=about)
    add("--no-stamp", action="store_true", help="leave out date and times: the same data give the same bytes")
    about = "make this report again, from the parameters recorded in it and the file, and say what differs"
    add("--verify", type=Path, metavar="REPORT", help=about)
    asked = parser.parse_args(arguments)
    given = [name for name in (*OPTIONS, "out", "pdf", "no_stamp") if getattr(asked, name)]
    if asked.verify and given:
        parser.error(f"--verify takes everything from the report: leave out --{given[0].replace('_', '-')}")
    return asked


def _at_least(low: int) -> Any:
    """A reader of whole numbers of at least `low`."""

    def number(text: str) -> int:
        if not text.strip().isdecimal() or int(text) < low:
            raise argparse.ArgumentTypeError(f"must be a whole number of at least {low}, got {text!r}")
        return int(text)

    return number


def _numbers(text: str) -> list[int]:
    """A reader of numbers of clusters with commas between them."""
    return sorted({_at_least(2)(part) for part in text.split(",")})


def _write(asked: argparse.Namespace) -> int:
    """Make a report and write it, its table and its PDF, all or none."""
    out = (asked.out or Path("report.html")).absolute()
    targets = {"page": out, "items": out.with_name(f"{out.stem}_items.csv")}
    if asked.pdf:
        targets["pdf"] = out.with_suffix(".pdf")
        browser()
    source = None if asked.data is None else _readable(asked.data)
    for target in targets.values():
        _writable(target, source)
    options = {name: getattr(asked, name) for name in OPTIONS if getattr(asked, name) is not None}
    html, items = build(source, stamp=not asked.no_stamp, progress=True, **options)
    with ExitStack() as stack:
        draft = {name: stack.enter_context(written_whole(target)) for name, target in targets.items()}
        draft["page"].write_text(html, encoding="utf-8", newline="\n")
        draft["items"].write_bytes(items)
        if asked.pdf:
            print_page(draft["page"], draft["pdf"])
    others = " and ".join(str(target.name) for name, target in targets.items() if name != "page")
    print(f"report: {out} ({len(html.encode()) / 1e6:.1f} MB), beside it {others}")
    return 0


def _verify(asked: argparse.Namespace) -> int:
    """Make a report again and say what differs."""
    try:
        old = _readable(asked.verify).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Refused(f"{asked.verify} is not a report: it is not UTF-8 text") from None
    record = recorded(old)
    html, items = build(_source(asked, record), stamp=False, progress=True, **record["options"])
    lines = differences(old, html)
    beside = asked.verify.with_name(f"{asked.verify.stem}_items.csv")
    if beside.is_file() and beside.read_bytes() != items:
        lines.append(f"{beside.name}: not the table of items that is made")
    for line in lines:
        print(f"differs: {line}")
    if not lines:
        print(f"{asked.verify} is what its data and its parameters give, to the byte, but for date and times")
    return 1 if lines else 0


def _source(asked: argparse.Namespace, record: dict[str, Any]) -> Path | None:
    """The data file of a recorded report: the one named on the command line, else one of that name nearby."""
    if record["data"] is None and asked.data is None:
        return None
    if asked.data is not None:
        return _readable(asked.data)
    name = Path(str(record["data"]["file"])).name
    for folder in (asked.verify.parent, Path()):
        if (folder / name).is_file():
            return folder / name
    raise Refused(f"{name} is not beside the report: name the file, as in python -m simlib.report {name} --verify ...")


def _executed(parameters: dict[str, Any], progress: bool) -> tuple[NotebookNode, dict[str, float]]:
    """Notebook 06 run with these parameters, and the seconds that each of its parts took."""
    path = next((p for p in (ROOT / "notebooks" / NOTEBOOK, SHIPPED / NOTEBOOK) if p.exists()), None)
    if path is None:
        raise Refused(f"{NOTEBOOK} is missing: it belongs beside the package, in notebooks/")
    names, step = {}, "start"
    for index, cell in enumerate(nbformat.read(path, 4).cells):
        step = cell.source.splitlines()[0][3:] if cell.source.startswith("## ") else step
        names |= {index: step} if cell.cell_type == "code" else {}
    began, now = {}, "start"
    with tqdm(total=len(names), disable=None if progress else True, bar_format="{desc:30.30} {bar} {elapsed}") as bar:

        def start(index: int) -> None:
            nonlocal now
            if index in names:
                now = names[index]
                bar.set_description_str(now)
                began.setdefault(now, time.perf_counter())

        try:
            notebook = execute(path, bar.update, parameters=parameters, on_start=start, on_wait=bar.refresh)
        except CellExecutionError as error:
            told = error.ename in ("ValueError", "TypeError", "MemoryError")
            raise Refused(error.evalue if told else f"{now}: {error.ename}: {error.evalue}") from None
        except DeadKernelError:
            raise Refused(f'the kernel died at "{now}": probably the memory did not suffice') from None
    ends = [*list(began.values())[1:], time.perf_counter()]
    return notebook, {name: end - start for (name, start), end in zip(began.items(), ends, strict=True)}


def _readable(path: str | Path) -> Path:
    """The absolute path of a file that is there."""
    path = Path(path).absolute()
    if path.is_dir():
        raise Refused(f"{path} is a directory, expected a file")
    if not path.is_file():
        raise Refused(f"there is no file {path}")
    return path


def _writable(target: Path, source: Path | None) -> None:
    """Refuse a target that cannot be written, or that is the data, before any work."""
    if target.is_dir():
        raise Refused(f"{target} is a directory, expected the name of a file to write")
    if source is not None and target.exists() and target.samefile(source):
        raise Refused(f"{target} is the data file: choose another --out")
    draft = target.with_name(f".{target.stem}.{os.getpid()}.try")
    try:
        draft.touch()
    except OSError as error:
        raise Refused(f"{target} cannot be written: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
