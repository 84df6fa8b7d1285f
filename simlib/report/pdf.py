"""Print a page to PDF by Chromium or Chrome."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from simlib.report.refused import Refused

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
ALONE = ("--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update")


def browser() -> str:
    """The path of the browser that prints."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise Refused("a PDF needs Chromium or Chrome, and none is installed; the page itself needs none")
    return found


def print_page(page: Path, target: Path) -> None:
    """Print a page to PDF; `target` is written."""
    with tempfile.TemporaryDirectory() as profile:
        where = (f"--user-data-dir={profile}", f"--print-to-pdf={target}")
        command = [browser(), "--headless", *ALONE, "--no-pdf-header-footer", *where, page.as_uri()]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.insert(1, "--no-sandbox")  # Chromium has none for root
        try:
            run = subprocess.run(command, capture_output=True, timeout=300)
        except subprocess.TimeoutExpired:
            raise Refused("Chromium did not finish printing within 5 minutes; nothing was written") from None
    if run.returncode or not target.is_file() or not target.stat().st_size:
        said = run.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise Refused(f"Chromium could not print the page, nothing was written: {said[-1]}")
