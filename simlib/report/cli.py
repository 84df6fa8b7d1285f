"""The command line: make a report and write it, or make one again and say what differs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from simlib._labels import plain
from simlib.data import written_whole
from simlib.report.build import PAGE, Made, beside_page, make, steps
from simlib.report.commands import as_typed, typed
from simlib.report.options import OPTIONS, QUOTE, parsed
from simlib.report.pdf import browser, print_page
from simlib.report.record import WRITTEN, differences, recorded
from simlib.report.refused import Refused, apart, readable, writable
from simlib.report.stamp import fault


def main(arguments: Sequence[str] | None = None, program: str = "python -m simlib.report") -> int:
    """The command line. Returns its exit status: 0, 1 if `--verify` found a difference, 2 an error, 130 stopped."""
    asked = parsed(arguments, program)
    try:
        return _verify(asked) if asked.verify else _write(asked)
    except KeyboardInterrupt:
        print("\nstopped; nothing was written", file=sys.stderr)
        return 130
    except (Refused, OSError) as error:
        files = [name for name in (*(asked.columns or ()), *(asked.drop or ())) if Path(name).is_file()]
        hint = f" ({files[0]} is a file here: {QUOTE})" if files else ""
        print(f"error: {plain(as_typed(str(error)) + hint, 600)}", file=sys.stderr)
        return 2


def _write(asked: argparse.Namespace) -> int:
    """Make a report and write it, its tables, its atlas and its PDF, all or none."""
    out = (asked.out or Path(PAGE)).absolute()
    names = beside_page(out.name)
    targets = {"page": out, "table of items": out.with_name(names["items"])}
    targets["table of clusters"] = out.with_name(names["clusters"])
    if asked.atlas:
        targets["atlas"] = out.with_name(names["atlas"])
    if asked.pdf:
        targets["PDF"] = out.with_suffix(".pdf")
    apart(targets)
    if asked.pdf:
        browser()
    source = None if asked.data is None else readable(asked.data)
    for target in targets.values():
        writable(target, source)
    options = {name: getattr(asked, name) for name in OPTIONS if getattr(asked, name) is not None}
    made = make(source, out.name, stamp=not asked.no_stamp, progress=True, **options)
    _written(made, targets)
    for name, target in targets.items():
        print(f"{name:18} {target} ({target.stat().st_size / 1000:,.0f} kB)")
    if made.left_out:
        print(made.left_out)
    return 0


def _written(made: Made, targets: dict[str, Path]) -> None:
    """Write all files of a report, or none."""
    contents = {"page": made.page.encode("utf-8"), "table of items": made.items, "table of clusters": made.clusters}
    with ExitStack() as stack:
        draft = {name: stack.enter_context(written_whole(target)) for name, target in targets.items()}
        for name, content in (contents | {"atlas": made.atlas or b""}).items():
            if name in draft:
                draft[name].write_bytes(content)
        if "PDF" in draft:
            print_page(draft["page"], draft["PDF"])


def _verify(asked: argparse.Namespace) -> int:
    """Make a report again and say what differs."""
    try:
        given = readable(asked.verify, "report").read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(f"{asked.verify} is not a report: it is not UTF-8 text") from None
    old = given.replace("\r\n", "\n")
    record = recorded(old, asked.verify.name)
    source, wrong = _source(asked, record), fault(old, steps())
    options = record["options"] | {name: str(_nearby(asked, record["options"][name])) for name in record["beside"]}
    made = make(source, record["page"], stamp=False, progress=True, **options)
    lines = differences(old, made.page) + ([] if wrong is None else [wrong])
    if old != given:
        lines.append("line ends: the page has those of Windows (CRLF) and is made with LF; a mail or git changed it?")
    missing, beside = _beside(asked.verify, record["page"], made)
    for line in [f"missing: {each}" for each in missing] + [f"differs: {each}" for each in lines + beside]:
        print(line)
    why = _why(record, recorded(made.page)) if lines else ""
    print(_meaning(asked.verify.name, lines, beside, missing, why))
    return 1 if lines or beside else 0


def _beside(page: Path, first_name: str, made: Made) -> tuple[list[str], list[str]]:
    """The files that are missing beside a page, and what differs between those that are there and what is made.

    They have the name of the page, or still its `first_name` if only the page was renamed.
    """
    missing, differing = [], []
    for what, content in (("items", made.items), ("clusters", made.clusters), ("atlas", made.atlas)):
        if content is None:
            continue
        files = [page.with_name(beside_page(name)[what]) for name in (page.name, first_name)]
        file = next((file for file in files if file.is_file()), None)
        if file is None:
            missing.append(f"{plain(files[-1].name)}, {WRITTEN[what]}, is not beside the page and was not compared")
        else:
            differing += _file_differs(file, content, WRITTEN[what])
    return missing, differing


def _meaning(page: str, lines: list[str], beside: list[str], missing: list[str], why: str) -> str:
    """What a check comes to, in a line; `lines` are the differences of the page, and `why` what can explain them."""
    if lines:
        return f"{page} is not what its data and its parameters give here: {why}"
    right = f"{page} is what its data and its parameters give, to the byte, but for date and times"
    if beside:
        return f"{right}; a file beside it is not: it was changed, or belongs to another report"
    return f"{right}; the command at its end makes what is missing" if missing else right


def _why(old: dict[str, Any], new: dict[str, Any]) -> str:
    """What can explain that two reports differ, by their records."""
    if (old["data"], old["beside"]) != (new["data"], new["beside"]):
        return "it was made from another file, so this does not tell whether it was right"
    if old["versions"] != new["versions"]:
        return "other versions can be the cause; it may have been changed as well"
    return "it was changed after it was made, or made on another kind of processor"


def _file_differs(file: Path, made: bytes, what: str) -> list[str]:
    """What differs between a file beside a page and what is made, in a line."""
    found = file.read_bytes()
    if found == made:
        return []
    if found.splitlines() == made.splitlines():
        return [f"{file.name}: its line ends are not those of the table that is made (CRLF); a mail or git changed it?"]
    return [f"{file.name}: not {what} that is made"]


def _source(asked: argparse.Namespace, record: dict[str, Any]) -> Path | None:
    """The data file of a recorded report: the one named on the command line, else one of that name nearby."""
    if record["data"] is None and asked.data is None:
        return None
    if asked.data is not None:
        return readable(asked.data)
    return _nearby(asked, record["data"]["file"])


def _nearby(asked: argparse.Namespace, recorded_name: str) -> Path:
    """The file of a recorded name: beside the report, beside the data file that is named, or in the current folder."""
    name = Path(str(recorded_name)).name
    beside = [] if asked.data is None else [asked.data.parent]
    for folder in (asked.verify.parent, *beside, Path()):
        if (folder / name).is_file():
            return (folder / name).absolute()
    if beside:
        raise Refused(f"{name} is neither beside the report, nor beside {asked.data.name}, nor here: put it there")
    raise Refused(
        f"{name} is neither beside the report nor here: put it there, or name the data file, "
        f"{typed(['--verify', str(asked.verify)], name)}"
    )
