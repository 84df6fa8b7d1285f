"""A Markdown table whose lines are printed as they come."""

from __future__ import annotations


class Table:
    """The lines of a table: its head, rows, and notes below a row.

    Attributes
    ----------
    lines : list of str
    """

    def __init__(self, *columns: str) -> None:
        self.lines: list[str] = []
        self._width = len(columns)
        self.row(*columns)
        self._add("|" + "---|" * self._width)

    def row(self, *cells: str) -> None:
        """Add a row and print it."""
        self._add(f"| {' | '.join(cells)} |")

    def note(self, text: str) -> None:
        """Add a remark about the row above, in the last column."""
        self._add("| " * self._width + text + " |")

    def _add(self, line: str) -> None:
        self.lines.append(line)
        print(line, flush=True)

    def __str__(self) -> str:
        return "\n".join(self.lines)


class Comparison(Table):
    """Who does the same thing in how many seconds, beside simlib's own."""

    def __init__(self) -> None:
        details = "inertia, memory, where the time goes"
        super().__init__("what (n = 20,000, d = 384)", "who", "seconds", "times ours", details)

    def result(self, what: str, who: str, took: float, ours: float, details: str = "") -> None:
        """Add a row: what was done, by whom, in how many seconds; `ours` are the seconds that simlib takes."""
        self.row(what, who, f"{took:.2f}", f"{took / ours:.2f}", details)
