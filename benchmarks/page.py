"""Where a page of measurements is written: to results/, or into this folder, whose pages the documentation quotes."""

from __future__ import annotations

from pathlib import Path

from simlib.data import results_folder, written_whole

STORED = Path(__file__).resolve().parent


def write(text: str, name: str, stored: str | None = None) -> Path:
    """Write `text` to results/ under `name`, or into this folder if there is a name `stored`. Prints and returns where.

    A page in this folder is a deliberate record: the README and a notebook quote its rows, and a test compares them.
    """
    path = STORED / stored if stored else results_folder() / name
    with written_whole(path) as draft:
        draft.write_text(text, encoding="utf-8")
    print(f"\nwritten to {path}")
    if stored:
        print("The README and notebook 05 quote rows of the stored pages; bring them up to date.")
    return path
