"""Commands as a person can type them into a shell, whatever the names in them are."""

from __future__ import annotations

import ast
import csv
import io
import re
import shlex
from collections.abc import Sequence

TYPED = {"label": "labels"}  # options that are typed by another word than their name in Python
REPORT = ("python", "-m", "simlib.report")


def typed(options: Sequence[str], file: str | None = None) -> str:
    """The command that makes a report with these options; a file whose name begins with a dash stands behind --.

    Examples
    --------
    >>> print(typed(["--k=3"], "-my data.csv"))
    python -m simlib.report --k=3 -- '-my data.csv'
    >>> print(typed([], "my.csv"))
    python -m simlib.report my.csv
    """
    named = [] if file is None else ["--", file] if file.startswith("-") else [file]
    words = [*REPORT, *options, *named] if named[:1] == ["--"] else [*REPORT, *named, *options]
    return " ".join(map(_word, words))


def listed(names: Sequence[object]) -> str:
    """Names with commas between them; one that holds a comma is quoted, as in CSV."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(names)
    return line.getvalue()


def parts(text: str, separator: str = ",") -> list[str]:
    """The names in what `listed` wrote."""
    return next(csv.reader([text], delimiter=separator), [])


def as_typed(message: str) -> str:
    """A message whose ways out are arguments in Python, with the options of the command line in their place.

    Examples
    --------
    >>> as_typed("the columns may be the items: pass transpose=True, or label='a day', or columns=['a', 'b']")
    "the columns may be the items: pass --transpose, or --labels='a day', or --columns=a,b"
    >>> as_typed("drop or label must list names among 'a', 'b'")
    "--drop or --labels must list names among 'a', 'b'"
    """
    message = re.sub(r"\b(transpose|keep_going|drop_empty)=True\b", lambda found: option(found[1]), message)
    message = re.sub(
        r"\b(columns|drop)=(\[(?:'[^']*'(?:, )?)+\])",
        lambda found: f"--{found[1]}={shlex.quote(','.join(ast.literal_eval(found[2])))}",
        message,
    )
    message = re.sub(
        r"\b(label|columns|transpose|drop|classes|names)(?=(?: or \w+)* (?:is for|must list)\b)",
        lambda found: option(found[1]),
        message,
    )
    message = re.sub(r"\bcolumns=(?=$|[\s):;])", "--columns", message)
    return re.sub(
        r"\b(label|metric|classes|names)=(['\"])(.*?)\2",
        lambda found: f"{option(found[1])}={shlex.quote(found[3])}",
        message,
    )


def option(name: str) -> str:
    """An option as it is typed, by its name in Python."""
    return f"--{TYPED.get(name, name).replace('_', '-')}"


def _word(text: str) -> str:
    """A word for the shell; characters that cannot be seen are written as bash's escapes."""
    if text.isprintable():
        return shlex.quote(text)
    return "$'" + "".join(c if c.isprintable() and c not in "\\'" else _escaped(c) for c in text) + "'"


def _escaped(c: str) -> str:
    """A character as the bytes of its UTF-8, or the byte of a name that is no UTF-8."""
    return "".join(f"\\x{byte:02x}" for byte in c.encode("utf-8", "surrogateescape"))
