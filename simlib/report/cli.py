"""The command line: make a report and write it, or make one again and say what differs."""

from __future__ import annotations

import argparse
import ast
import re
import shlex
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from simlib._labels import plain
from simlib.data import written_whole
from simlib.report.build import build
from simlib.report.options import OPTIONS, parsed
from simlib.report.pdf import browser, print_page
from simlib.report.record import differences, recorded
from simlib.report.refused import Refused, readable, writable


def main(arguments: Sequence[str] | None = None, program: str = "python -m simlib.report") -> int:
    """The command line. Returns its exit status: 0, 1 if `--verify` found a difference, 2 an error, 130 stopped."""
    asked = parsed(arguments, program)
    try:
        return _verify(asked) if asked.verify else _write(asked)
    except KeyboardInterrupt:
        print("\nstopped; nothing was written", file=sys.stderr)
        return 130
    except (Refused, OSError) as error:
        print(f"error: {plain(_as_typed(str(error)), 600)}", file=sys.stderr)
        return 2


def _as_typed(message: str) -> str:
    """A message whose ways out are arguments in Python, with the options of the command line in their place.

    Examples
    --------
    >>> _as_typed("the columns may be the items: pass transpose=True, or label='a day', or columns=['a', 'b']")
    "the columns may be the items: pass --transpose, or --label='a day', or --columns=a,b"
    """
    message = re.sub(r"\btranspose=True\b", "--transpose", message)
    message = re.sub(
        r"\bcolumns=(\[(?:'[^']*'(?:, )?)+\])",
        lambda found: "--columns=" + shlex.quote(",".join(ast.literal_eval(found[1]))),
        message,
    )
    return re.sub(r"\b(label|metric)=(['\"])(.*?)\2", lambda found: f"--{found[1]}={shlex.quote(found[3])}", message)


def _write(asked: argparse.Namespace) -> int:
    """Make a report and write it, its table and its PDF, all or none."""
    out = (asked.out or Path("report.html")).absolute()
    targets = {"page": out, "items": _items_beside(out)}
    if asked.pdf:
        targets["pdf"] = out.with_suffix(".pdf")
        browser()
    source = None if asked.data is None else readable(asked.data)
    for target in targets.values():
        writable(target, source)
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
        old = readable(asked.verify).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Refused(f"{asked.verify} is not a report: it is not UTF-8 text") from None
    record = recorded(old)
    html, items = build(_source(asked, record), stamp=False, progress=True, **record["options"])
    lines = differences(old, html)
    beside = _items_beside(asked.verify)
    if beside.is_file() and beside.read_bytes() != items:
        lines.append(f"{beside.name}: not the table of items that is made")
    for line in lines:
        print(f"differs: {line}")
    if not lines:
        print(f"{asked.verify} is what its data and its parameters give, to the byte, but for date and times")
    return 1 if lines else 0


def _items_beside(page: Path) -> Path:
    """The table of items that belongs to a page."""
    return page.with_name(f"{page.stem}_items.csv")


def _source(asked: argparse.Namespace, record: dict[str, Any]) -> Path | None:
    """The data file of a recorded report: the one named on the command line, else one of that name nearby."""
    if record["data"] is None and asked.data is None:
        return None
    if asked.data is not None:
        return readable(asked.data)
    name = Path(str(record["data"]["file"])).name
    for folder in (asked.verify.parent, Path()):
        if (folder / name).is_file():
            return folder / name
    raise Refused(f"{name} is not beside the report: name the file, as in python -m simlib.report {name} --verify ...")
