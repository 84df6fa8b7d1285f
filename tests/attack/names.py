"""Hostile labels and names of files: shown as text, never as markup or formulas, and never run."""

from __future__ import annotations

import csv
import re
import subprocess
from html import unescape
from pathlib import Path

import numpy as np

import simlib
from simlib import widgets
from simlib._labels import marked
from simlib.report import commands, html, numbers
from tests.attack.verdicts import RIGHT, WRONG, Verdict

PIECES = (
    *("<script>alert(1)</script>", "</style>", "<!--", "&lt;b&gt;", "\" onload='x'", "$(touch pwned)", "`touch pwned`"),
    *("; touch pwned;", "../", "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r", "\n", "\u202e", "\u200b", "\x01", "\x7f"),
    *("\udcff", "'", '"', "\\", " ", "  ", "--out=x", "$HOME", "{{7*7}}", "%s", "日本", "שלום", "e\u0301", "a" * 300),
    *(",", ";", "#", "*"),
)  # fmt: skip
TAGS = re.compile(r"</?(?:div|span|b|br|bdi|code|p|table|tbody|thead|tr|td|th|h3)\b[^<>]*>")


def case(rng: np.random.Generator, folder: Path) -> Verdict:
    """Labels made of hostile pieces, on cards, in tables, in the CSV, and in a command."""
    n = 12
    labels = ["".join(rng.choice(PIECES, int(rng.integers(1, 5)))) for _ in range(n)]
    points = rng.normal(size=n)
    D = abs(points[:, None] - points)
    fit = simlib.kmedoids(D, 3, metric="precomputed")
    scores = simlib.silhouette(D, fit.labels, metric="precomputed")
    shown = [
        widgets.cards_html(fit, D, labels),
        html.cards(D, "precomputed", fit, labels),
        html.clusters(fit, labels, scores),
        html.items(fit, labels, scores),
        html.misfits(D, "precomputed", fit, labels, scores),
        marked(labels[0]),
    ]
    for page in shown:
        if "<" in TAGS.sub("", page) or any((ord(c) < 32 and c != "\n") or c in "\u202e\x7f" for c in page):
            return WRONG, f"markup or control characters of a label on a page: {labels}"
    numbers.write_items(folder / "items.csv", labels, fit, scores)
    with open(folder / "items.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for label, row in zip(labels, rows, strict=True):
        if row["item"].startswith(numbers.FORMULA) or label.encode("utf-8", "replace").decode() not in row["item"]:
            return WRONG, f"a cell that is computed, or another label: {row['item']!r} for {label!r}"
    return _typed(labels[0].replace("\0", ""), folder)


def _typed(name: str, folder: Path) -> Verdict:
    """What a shell makes of a command with this name of a file."""
    command = commands.typed(["--verify", "report.html"], name)
    if not command.isprintable() or (unescape(command) != command and "&" not in name):
        return WRONG, f"{command!r}"
    words = command.removeprefix("python -m simlib.report ")
    run = subprocess.run(["bash", "-c", f"printf '%s\\0' {words}"], cwd=folder, capture_output=True)
    found = [word.decode("utf-8", "surrogateescape") for word in run.stdout.split(b"\0")[:-1]]
    wanted = ["--verify", "report.html"]
    wanted = [*wanted, "--", name] if name.startswith("-") else [name, *wanted]
    same = found == wanted and not (folder / "pwned").exists()
    return (RIGHT, "") if same else (WRONG, f"{command!r} gave {found!r}")
