"""A person's label made safe to show: as text on one line, for pictures, cards and pages.

Labels and titles come from a person's file. They are shown as text, never as markup; what cannot be seen, and what
turns the direction of writing, is shown as �; what is too long is cut.
"""

from __future__ import annotations

from html import escape
from typing import Any

from simlib import _kinds

SHORT = 28  # characters of a label in a picture and in the explorer
LONG = 80  # characters of a label on a page
WHOLE = 500  # characters of a label that is cut, which a pointer on it shows
JOINERS = "\u200c\u200d"  # hold letters of Persian or Hindi and pictures together: no control characters


def index_of(A: Any) -> Any:
    """The index of a pandas frame, or None: what a caller calls the rows of A."""
    return A.index if hasattr(A, "iloc") else None


def names_of(labels: Any, n: int, A: Any = None, called: str = "labels") -> list[str]:
    """The names of n items as text, in the order of the rows: of an index or a series too, whatever its own index is.

    Parameters
    ----------
    labels : n names, or None: the index of A if that is a frame, else the row numbers
    called : what the caller calls `labels`

    Examples
    --------
    >>> names_of(["plum", 7], 2), names_of(None, 2)
    (['plum', '7'], ['0', '1'])
    """
    if hasattr(labels, "iloc") and labels.ndim != 1:
        raise TypeError(f"{called} must hold one name a row, got a frame: pass one column of it, or its index")
    if labels is None:
        index = index_of(A)
        labels = range(n) if index is None else index
    return [str(name) for name in _kinds.names(labels, called, n)]


def plain(text: Any, longest: int = LONG) -> str:
    """A label as text on one line, of at most `longest` characters.

    Examples
    --------
    >>> plain("a label\\nof two lines")
    'a label of two lines'
    >>> plain("to the left: \\u202egnihton")
    'to the left: �gnihton'
    """
    text = str(text)[: 4 * longest]
    seen = "".join(c if c.isprintable() or c in JOINERS or c.isspace() else "�" for c in text)
    line = " ".join(seen.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def figures(value: float, decimals: int) -> str:
    """A number with so many decimals or, where these would show 0, as many significant digits; no minus before a zero.

    Examples
    --------
    >>> figures(0.12345, 4), figures(0.0000012345, 4), figures(-0.0, 2), figures(1234567.8, 2)
    ('0.1235', '1.234e-06', '0.00', '1234567.80')
    """
    value = float(value)
    if value != 0 and abs(value) < 0.5 * 10.0**-decimals:
        return f"{value:.{max(decimals, 1)}g}"
    return f"{value + 0.0:.{decimals}f}"  # + 0.0: no minus before a zero


def marked(text: Any, longest: int = LONG) -> str:
    """`plain` text as HTML that keeps its direction of writing to itself; one that is cut is whole in its title.

    Examples
    --------
    >>> marked("<b>bold</b>")
    '<bdi>&lt;b&gt;bold&lt;/b&gt;</bdi>'
    >>> marked("plum trees", 5)
    '<bdi title="plum trees">plum…</bdi>'
    """
    shown, whole = plain(text, longest), plain(text, WHOLE)
    title = "" if shown == whole else f' title="{escape(whole)}"'
    return f"<bdi{title}>{escape(shown) or '(no label)'}</bdi>"
