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
from simlib.parts import pairs, plain

OPTIONS = {"k": None, "ks": None, "metric": "cosine", "method": "fasterpam", "seed": 0, "title": None}
OPTIONS |= {"label": None, "columns": None}
PACKAGES = ("simlib", "numpy", "numba", "scipy", "scikit-learn", "torch", "matplotlib", "pandas", "pyarrow")
STAMP = re.compile(r'<p id="stamp">Made [-\d]+ [:\d]+ UTC in \d+ s on [^<]{1,80}\. Of these: [^<]{1,300}\.</p>')


class Refused(Exception):
    """What stands in the way of a report; the message is one line for a person."""


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
    if not _complete(record):
        raise Refused("this is not a report, or one that was cut off or made by another version: its record is missing")
    return record


def _complete(record: Any) -> bool:
    """Whether this is a record with all its parts."""
    parts = {"data", "options", "items", "versions"}
    if not (isinstance(record, dict) and set(record) == parts):
        return False
    data, options, versions = record["data"], record["options"], record["versions"]
    known = isinstance(options, dict) and set(options) == set(OPTIONS) and isinstance(versions, dict)
    return known and (data is None or (isinstance(data, dict) and isinstance(data.get("file"), str)))


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
    (was, is_now), lines = (recorded(html) for html in (old, new)), []
    for name in sorted({*was["versions"], *is_now["versions"]}):
        before, after = was["versions"].get(name), is_now["versions"].get(name)
        if before != after:
            lines.append(f"version of {name}: {before} in the report, {after} here")
    if was["data"] != is_now["data"]:
        lines.append(f"data: the report was made from {was['data']}, this is {is_now['data']}")
    if was["items"] != is_now["items"]:
        lines.append("the table of all items (CSV)")
    parts = [re.split(r'(?=<section id="part-\d+">)', STAMP.sub("", html, count=1)) for html in (old, new)]
    for one, other in zip_longest(*(part[1:] for part in parts), fillvalue=""):
        if one != other:
            lines.append(_first_difference(one, other))
    if not lines and parts[0] != parts[1]:
        lines.append("the page's head: style, title or record")
    return lines


def _first_difference(one: str, other: str) -> str:
    """Where two sections part."""
    heading = re.search(r"<h[12][^>]*>(.*?)</h[12]>", one or other, flags=re.S)
    name = plain(unescape(re.sub(r"<[^>]+>", "", heading[1]))) if heading else "the page"
    bare = (unescape(re.sub(r"<[^>]+>", "\n", html)).splitlines() for html in (one, other))
    texts = [[line for line in map(str.strip, lines) if line] for lines in bare]
    for a, b in zip_longest(*texts, fillvalue="nothing"):
        if a != b:
            return f'"{name}": the report has "{plain(a)}", made again it is "{plain(b)}"'
    pictures = re.findall(r'src="([^"]*)"', one) != re.findall(r'src="([^"]*)"', other)
    return f'"{name}": {"a picture" if pictures else "the markup"}'


def fine_print(record: dict[str, Any]) -> str:
    """Parameters, versions, and how to make the report again."""
    options, file = record["options"], record["data"]["file"] if record["data"] else None
    command = ["python", "-m", "simlib.report", *([file] if file else [])]
    for name, value in options.items():
        if value != OPTIONS[name]:
            command.append(f"--{name}={','.join(map(str, value)) if isinstance(value, list) else value}")
    again = ["python", "-m", "simlib.report", *([file] if file else []), "--verify", "report.html"]
    told = [(name, escape(plain("left out" if value is None else value, 300))) for name, value in options.items()]
    versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items())
    return (
        f"<h3>Parameters</h3>{pairs(told)}<h3>Versions</h3><p>{escape(versions)}</p>"
        f"<p>Table of all items: SHA-256 {record['items']}</p><h3>To make it again, or to check it</h3>"
        f"<pre>{escape(plain(shlex.join(command), 2000))}\n{escape(plain(shlex.join(again), 2000))}</pre>"
    )


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
