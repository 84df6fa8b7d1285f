"""What a report says about its own making, for a person and for a machine, and how two reports differ."""

from __future__ import annotations

import hashlib
import json
import platform
import re
from html import escape, unescape
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path
from typing import Any

from simlib import _kinds
from simlib._labels import plain
from simlib.report.commands import listed, option, typed
from simlib.report.html import pairs
from simlib.report.options import FILES, OPTIONS
from simlib.report.refused import Refused
from simlib.report.stamp import taken_off

PACKAGES = ("simlib", "numpy", "numba", "scipy", "scikit-learn", "torch", "matplotlib", "pandas", "pyarrow")
WRITTEN = {
    "items": "the table of all items (CSV)",
    "clusters": "the table of all clusters (CSV)",
    "atlas": "the atlas",
}  # the files that are made beside a page
SHA256 = re.compile("[0-9a-f]{64}")


def record_of(
    source: Path | None, beside: dict[str, Path], options: dict[str, Any], files: dict[str, bytes], page: str
) -> dict[str, Any]:
    """What a report is made from, and what was made.

    These are the data's name and checksum, the checksums of the files `beside` that options name, and the options. Then
    come the name of the page, the checksums of the `files` made with it, and the versions.
    """
    return {
        "data": source and {"file": source.name, "sha256": sha256(source)},
        "beside": {name: sha256(path) for name, path in beside.items()},
        "options": options,
        "page": page,
        "files": {name: hashlib.sha256(made).hexdigest() for name, made in sorted(files.items())},
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
    }


def recorded(html: str, name: str = "this") -> dict[str, Any]:
    """What a report says it was made from: data, options, versions, and the checksum of its table of items.

    `name` is what an error calls the page.
    """
    found = re.findall(r'<meta name="simlib-report" content="([^"]*)">', html)
    if len(found) > 1:
        raise Refused(f"{name} holds {len(found)} records of how it was made, expected one: somebody changed it")
    try:
        record = json.loads(unescape(found[0]), object_pairs_hook=_distinct) if found else None
    except (ValueError, RecursionError):
        record = None
    if not (isinstance(record, dict) and _complete(record)):
        raise Refused(
            f"{name} is not a report, or one that was cut off, changed or made by another version: "
            "the record of how it was made is missing or not whole"
        )
    return record


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, in which no name comes twice."""
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name comes twice")
    return dict(pairs)


def _complete(record: dict[str, Any]) -> bool:
    """Whether a record has all its parts and no others, each of its kind."""
    if set(record) != {"data", "beside", "options", "page", "files", "versions"}:
        return False
    data, options = record["data"], record["options"]
    if data is not None and not (isinstance(data, dict) and set(data) == {"file", "sha256"} and _texts(data)):
        return False
    known_options = isinstance(options, dict) and set(options) == set(OPTIONS)
    parts = all(isinstance(record[name], dict) and _texts(record[name]) for name in ("beside", "files", "versions"))
    if not (known_options and parts and isinstance(record["page"], str)):
        return False
    checksums = all(map(SHA256.fullmatch, [*record["beside"].values(), *record["files"].values()]))
    return checksums and set(record["beside"]) <= set(FILES) and {"items", "clusters"} <= set(record["files"])


def _texts(record: dict[str, Any]) -> bool:
    """Whether all that a part of a record holds is text."""
    return all(isinstance(value, str) for value in record.values())


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
    for text, name in ((old, "old"), (new, "new")):
        _kinds.text(text, name, needed=True)
    lines = _records_differ(recorded(old, "old"), recorded(new, "new"))
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
        before, after = ((record["data"] and record["data"]["file"]) or "the shipped words" for record in (old, new))
        lines.append(f"data: SHA-256 differs: another file, {after}, than the {before} that the report was made from")
    for name in sorted({*old["beside"], *new["beside"]}):
        if old["beside"].get(name) != new["beside"].get(name):
            lines.append(f"{name}: SHA-256 differs: another file, {new['options'][name]}")
    for name in sorted({*old["files"], *new["files"]}):
        if old["files"].get(name) != new["files"].get(name):
            lines.append(WRITTEN.get(name, plain(name)))
    return lines


def _sections(html: str) -> list[str]:
    """The page's head and its sections, the stamp left out."""
    return re.split(r'(?=<section id="part-\d+">)', taken_off(html))


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
    file = record["data"] and record["data"]["file"]
    changed = {name: value for name, value in options.items() if value != OPTIONS[name]}
    page = [] if record["page"] == "report.html" else [f"--out={record['page']}"]
    command = typed([*page, *(_as_typed(name, value) for name, value in changed.items())], file)
    again = typed([f"--verify={record['page']}"], file)
    sums = "<br>".join(f"{WRITTEN[name]}: SHA-256 {checksum}" for name, checksum in record["files"].items())
    kept = {"k": options["k"], "metric": options["metric"], "method": options["method"], "seed": options["seed"]}
    told = [
        (option(name)[2:], escape(plain("left out" if value is None else _value(value), 300)))
        for name, value in (kept | changed).items()
    ]
    versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items())
    return (
        f"<h3>Parameters</h3>{pairs(told)}<h3>Versions</h3><p>{escape(versions)}</p>"
        f"<p>{sums}</p><h3>To make it again, or to check it</h3>"
        f"<pre>{escape(command)}\n{escape(again)}</pre>"
    )


def _as_typed(name: str, value: Any) -> str:
    """An option as it is typed on the command line."""
    if value is True:
        return option(name)
    return f"{option(name)}={_value(value)}"


def _value(value: Any) -> Any:
    """A value as it is typed: lists with commas."""
    return listed(value) if isinstance(value, list) else value


def sha256(path: Path) -> str:
    """Of a file of any size."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
