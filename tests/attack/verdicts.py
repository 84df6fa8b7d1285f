"""What became of one case: right, refused clearly, unclear, wrong or crashed.

A refusal is clear if it obeys three rules. The error is a TypeError, ValueError, MemoryError or OSError; simlib itself
raises it, in a `raise` statement; and its message names the argument or the file, and holds no text of other libraries.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import simlib
from simlib.report import Refused

RIGHT, CLEAR, UNCLEAR, WRONG, CRASHED = "right", "refused clearly", "unclear", "wrong", "crashed"
WORDS = (RIGHT, CLEAR, UNCLEAR, WRONG, CRASHED)
FAMILY = (TypeError, ValueError, MemoryError, OSError, Refused)
HOME = str(Path(simlib.__file__).parent)
FOREIGN = re.compile(
    r"ufunc|setting an array|inhomogeneous|has no attribute|object is not|not subscriptable|not supported between|"
    r"unexpected keyword|positional argument|could not convert|invalid literal|Traceback|<class |Expected .* got|"
    r"bad argument|unhashable|out of bounds|only integer scalar|not iterable|size mismatch|\bnan? index\b|"
    r"pandas\.errors|C error|Arrow(Invalid|NotImplemented)|torch\.Size|unsupported operand|must be real number"
)

Verdict = tuple[str, str]  # a word, and what there is to say about it


@cache
def _raises(file: str) -> list[tuple[int, int]]:
    """First and last line of every `raise` statement in a file."""
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    return [(node.lineno, node.end_lineno or node.lineno) for node in ast.walk(tree) if isinstance(node, ast.Raise)]


def _raised_here(error: BaseException) -> bool:
    """Whether a `raise` statement of simlib raised the error."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or not trace.tb_frame.f_code.co_filename.startswith(HOME):
        return False
    return any(low <= trace.tb_lineno <= high for low, high in _raises(trace.tb_frame.f_code.co_filename))


def of_error(error: BaseException, names: Iterable[str]) -> Verdict:
    """The verdict on a refusal that should name one of `names`."""
    said = f"{type(error).__name__}: {error}"
    if not isinstance(error, FAMILY):
        return CRASHED, said
    if not _raised_here(error):
        return UNCLEAR, f"raised elsewhere: {said}"
    if not any(name in str(error) for name in names):
        return UNCLEAR, f"names none of {', '.join(names)}: {said}"
    if found := FOREIGN.search(str(error)):
        return UNCLEAR, f"foreign text {found[0]!r}: {said}"
    return CLEAR, said


def of_call(call: Callable[[], Any], names: Iterable[str], agrees: Callable[[Any], bool] | None) -> Verdict:
    """The verdict on a call: its result must agree, or it must be refused; without `agrees` it must be refused."""
    try:
        result = call()
    except Exception as error:
        return of_error(error, names)
    if agrees is None:
        return WRONG, "accepted, gave " + " ".join(repr(result)[:200].split())
    return (RIGHT, "") if agrees(result) else (WRONG, f"gave {repr(result)[:200]}")
