"""The command ``simlib``, which an installation brings."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from simlib._extras import NotInstalledError
from simlib._labels import plain

HELP = """\
usage: simlib report [FILE] [options]

  simlib report my.csv --k 50   sort the items of a file into 50 clusters and write one page about them: report.html
  simlib report --help          everything that a report can be told

In Python: import simlib; help(simlib)"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns its exit status, 2 for what it does not know, else that of the report."""
    command, *rest = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if command in ("-h", "--help"):
        print(HELP)
        return 0
    if command != "report":
        return _refused(f"the one command is report, got {command!r}: simlib report FILE (--help explains)")
    try:
        from simlib.report import main as report  # imports Jupyter's libraries, which the help has no need of
    except NotInstalledError as error:
        return _refused(error)
    return report(rest, "simlib report")


def _refused(reason: object) -> int:
    """Say in one line why nothing was done."""
    print(f"error: {plain(reason, 600)}", file=sys.stderr)
    return 2
