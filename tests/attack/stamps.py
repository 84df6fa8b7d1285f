"""Pages that somebody changed: every change of a byte is named by --verify."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import nbformat
import numpy as np

from simlib.report import Refused, differences
from simlib.report.options import OPTIONS
from simlib.report.page import report_page
from simlib.report.record import fine_print
from simlib.report.stamp import fault, stamped
from tests.attack.verdicts import CRASHED, RIGHT, WRONG, Verdict

STEPS = ("Read the items", "Silhouettes", "How many clusters")
WORDS = (
    "approved by the auditor",
    "<b>",
    "9",
    "</section>",
    '<p id="stamp">',
    "\u202e",
    " ",
    "&amp;",
    "\r",
    "UTC",
    "x",
)


@cache
def _page() -> tuple[str, str]:
    """A small page without and with a stamp."""
    text = nbformat.v4.new_markdown_cell("# One\n\n## Silhouettes\n\nwords", metadata={"tags": ["report"]})
    notebook = nbformat.v4.new_notebook(
        cells=[text, nbformat.v4.new_markdown_cell("## End", metadata={"tags": ["report"]})]
    )
    record = {
        "data": {"file": "x.csv", "sha256": "0" * 64},
        "options": OPTIONS,
        "beside": {},
        "page": "report.html",
        "files": {"items": "1" * 64, "clusters": "2" * 64},
        "versions": {"numpy": "2"},
    }
    end = fine_print(record)
    times = {step: 1.0 + i for i, step in enumerate(STEPS)}
    return report_page(notebook, "One", record, end), report_page(notebook, "One", record, end + stamped(times, 9.0))


def case(rng: np.random.Generator, folder: Path) -> Verdict:
    """One change of a page: a word written, a piece cut out, doubled, or exchanged for another."""
    plain, page = _page()
    begin = page.index('<p id="stamp">') if rng.random() < 0.7 else 0
    i = int(rng.integers(begin, len(page)))
    j = int(min(i + rng.integers(1, 40), len(page)))
    kind = int(rng.integers(4))
    changed = [
        page[:i] + WORDS[rng.integers(len(WORDS))] + page[i:],
        page[:i] + page[j:],
        page[:j] + page[i:j] + page[j:],
        page[:i] + "".join(rng.permutation(list(page[i:j]))) + page[j:],
    ][kind]
    try:
        named = bool(differences(changed, plain)) or fault(changed, STEPS) is not None
    except Refused:
        named = True
    except Exception as error:
        return CRASHED, f"{type(error).__name__} {error}: {changed[i - 20 : j + 40]!r}"
    harmless = changed == page or only_numbers(page, changed)
    return (RIGHT, "") if named or harmless else (WRONG, f"not named: {changed[max(0, i - 60) : j + 60]!r}")


def only_numbers(page: str, changed: str) -> bool:
    """Whether only date, times and cores of the stamp differ, or a part of the work was left out or put elsewhere."""
    begin = page.index('<p id="stamp">')
    if changed[:begin] != page[:begin]:
        return False
    words = {
        word.strip(",.") for word in changed[begin:].replace("<", " ").split() if not any(c.isdigit() for c in word)
    }
    return words <= {word.strip(",.") for word in page[begin:].replace("<", " ").split()} | {"x86_64"}
