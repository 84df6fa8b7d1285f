"""A person's label made safe to show: as text on one line, for pictures, cards and pages.

Labels and titles come from a person's file. They are shown as text, never as markup; what cannot be seen, and what
turns the direction of writing, is shown as �; what is too long is cut.
"""

from __future__ import annotations

from html import escape
from typing import Any

SHORT = 28  # characters of a label in a picture and in the explorer
LONG = 80  # characters of a label on a page
JOINERS = "\u200c\u200d"  # hold letters of Persian or Hindi and pictures together: no control characters


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
    if isinstance(labels, str) or getattr(labels, "ndim", 1) != 1:
        kind = type(labels).__name__
        raise TypeError(f"{called} must hold one name a row, got a {kind}: pass one column of it, or its index")
    if labels is None:
        labels = A.index if hasattr(A, "iloc") else range(n)
    names = [str(name) for name in labels]
    if len(names) != n:
        raise ValueError(f"{called} must hold one name a row, {n}, got {len(names)}")
    return names


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


def marked(text: Any, longest: int = LONG) -> str:
    """`plain` text as HTML that keeps its direction of writing to itself.

    Examples
    --------
    >>> marked("<b>bold</b>")
    '<bdi>&lt;b&gt;bold&lt;/b&gt;</bdi>'
    """
    return f"<bdi>{escape(plain(text, longest)) or '(no label)'}</bdi>"
