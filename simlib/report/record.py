"""What a report says about its own making, for a person and for a machine, and how two reports differ."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import shlex
from datetime import UTC, datetime
from html import escape, unescape
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path
from typing import Any

from simlib import _check
from simlib._labels import plain
from simlib.report.html import pairs
from simlib.report.options import OPTIONS
from simlib.report.refused import Refused

PACKAGES = ("simlib", "numpy", "numba", "scipy", "scikit-learn", "torch", "matplotlib", "pandas", "pyarrow")
STAMP = re.compile(r'<p id="stamp">Made [-\d]+ [:\d]+ UTC in \d+ s on [^<]{1,80}\. Of these: [^<]{1,300}\.</p>')


def record_of(source: Path | None, options: dict[str, Any], items: bytes) -> dict[str, Any]:
    """What a report is made from: the data's name and checksum, the options, the table's checksum, the versions."""
    return {
        "data": source and {"file": source.name, "sha256": sha256(source)},
        "options": options,
        "items": hashlib.sha256(items).hexdigest(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
    }


def recorded(html: str) -> dict[str, Any]:
    """What a report says it was made from: data, options, versions, and the checksum of its table of items."""
    found = re.search(r'<meta name="simlib-report" content="([^"]*)">', html)
    try:
        record = json.loads(unescape(found[1])) if found else None
    except ValueError:
        record = None
    if not (isinstance(record, dict) and _complete(record)):
        raise Refused("this is not a report, or one that was cut off or made by another version: its record is missing")
    return record


def _complete(record: dict[str, Any]) -> bool:
    """Whether a record has all its parts."""
    if set(record) != {"data", "options", "items", "versions"}:
        return False
    data = record["data"]
    options = record["options"]
    known_options = isinstance(options, dict) and set(options) == set(OPTIONS)
    named_data = data is None or (isinstance(data, dict) and isinstance(data.get("file"), str))
    return known_options and named_data and isinstance(record["versions"], dict)


def differences(old: str, new: str) -> list[str]:
    """What differs between two reports, a line each; dates and times do not count.

    Parameters
    ----------
    old, new : str, HTML of two reports

    Returns
    -------
    list of str
        Empty if they are the same.
    """
    lines = _records_differ(recorded(old), recorded(new))
    sections, new_sections = _sections(old), _sections(new)
    for one, other in zip_longest(sections[1:], new_sections[1:], fillvalue=""):
        if one != other:
            lines.append(_first_difference(one, other))
    if not lines and sections != new_sections:
        lines.append("the page's head: style, title or record")
    return lines


def _records_differ(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What differs between two records, a line each; the options are seen in the pages."""
    lines = []
    for name in sorted({*old["versions"], *new["versions"]}):
        before = old["versions"].get(name)
        after = new["versions"].get(name)
        if before != after:
            lines.append(f"version of {name}: {before} in the report, {after} here")
    if old["data"] != new["data"]:
        lines.append(f"data: the report was made from {old['data']}, this is {new['data']}")
    if old["items"] != new["items"]:
        lines.append("the table of all items (CSV)")
    return lines


def _sections(html: str) -> list[str]:
    """The page's head and its sections, the stamp left out."""
    return re.split(r'(?=<section id="part-\d+">)', STAMP.sub("", html, count=1))


def _first_difference(one: str, other: str) -> str:
    """The first place where two sections differ."""
    heading = re.search(r"<h[12][^>]*>(.*?)</h[12]>", one or other, flags=re.S)
    name = plain(unescape(re.sub(r"<[^>]+>", "", heading[1]))) if heading else "the page"
    for a, b in zip_longest(_text(one), _text(other), fillvalue="nothing"):
        if a != b:
            return f'"{name}": the report has "{plain(a)}", made again it is "{plain(b)}"'
    pictures = re.findall(r'src="([^"]*)"', one) != re.findall(r'src="([^"]*)"', other)
    return f'"{name}": {"a picture" if pictures else "the markup"}'


def _text(html: str) -> list[str]:
    """The lines of text in some HTML, without those that are empty."""
    lines = unescape(re.sub(r"<[^>]+>", "\n", html)).splitlines()
    return [line for line in map(str.strip, lines) if line]


def fine_print(record: dict[str, Any]) -> str:
    """Parameters, versions, and how to make the report again."""
    options = record["options"]
    command = ["python", "-m", "simlib.report"]
    if record["data"]:
        command.append(record["data"]["file"])
    again = [*command, "--verify", "report.html"]
    command += [_as_typed(name, value) for name, value in options.items() if value != OPTIONS[name]]
    told = [(name, escape(plain("left out" if value is None else value, 300))) for name, value in options.items()]
    versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items())
    return (
        f"<h3>Parameters</h3>{pairs(told)}<h3>Versions</h3><p>{escape(versions)}</p>"
        f"<p>Table of all items: SHA-256 {record['items']}</p><h3>To make it again, or to check it</h3>"
        f"<pre>{escape(plain(shlex.join(command), 2000))}\n{escape(plain(shlex.join(again), 2000))}</pre>"
    )


def _as_typed(name: str, value: Any) -> str:
    """An option as it is typed on the command line."""
    if value is True:
        return f"--{name}"
    return f"--{name}={','.join(map(str, value)) if isinstance(value, list) else value}"


def stamped(steps: dict[str, float], seconds: float) -> str:
    """Date, times and machine, the one place that differs from run to run."""
    longest = sorted(steps, key=lambda name: -steps[name])[:4]
    times = ", ".join(f"{escape(name)} {steps[name]:.1f} s" for name in longest)
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    machine = f"{platform.system()} {platform.machine()}, {_check.cores()} core(s)"
    return f'<p id="stamp">Made {now} in {seconds:.0f} s on {machine}. Of these: {times}.</p>'


def sha256(path: Path) -> str:
    """Of a file of any size."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
