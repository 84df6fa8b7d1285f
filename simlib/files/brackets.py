"""Lists of numbers in the lines of a text file: `plum, [0.1, 0.2]`, with quotation marks around the list or without.

A line whose lists have no quotation marks is rewritten with them, so that a table can be split into fields.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Literal

Style = Literal["quoted", "fields", "blanks"]
"""How lists stand in lines: in quotation marks or not at all; as bare fields between separators; or alone, with a
label before or after them and only blanks between."""

_NUMBER = r"(?:[-+]?[\d.][\d.eE+-]*|[-+]?(?:nan|inf|infinity|null|none))"
_LIST = re.compile(rf"[\[({{][\[({{\s]*{_NUMBER}(?:[\s,\[\](){{}}]+{_NUMBER})+[\s,]*[\])}}]+", re.IGNORECASE)
_LIKE_A_LIST = re.compile(
    r"[\[({][-+\d.,\seEnaifultyNAIFULTY\[\](){}]*[\s,][-+\d.,\seEnaifultyNAIFULTY\[\](){}]*[\])}]"
)
"""The same with less care and ten times as fast, for lines that are known to hold a list: it may find words of these
letters in brackets, which quotation marks do not change."""
_OPEN_LIST = re.compile(r'"\s*(?:[\w.]*\()?\s*[\[({][^"]*$')
_NO_ITEM = re.compile(r"[\s\[\](){},]*|\\\.")  # brackets around all lists; the end of PostgreSQL's COPY
_SEPARATORS = "\t,;|"
_JSON = re.compile(r'\s*\[?\s*\{\s*"')


def lists_in(line: str) -> list[str]:
    """The lists of two numbers or more in a line."""
    return _LIST.findall(line)


def numbers_a_line(lines: list[str]) -> int:
    """About how many numbers the lists in a line hold, at most."""
    return max((sum(len(found.split()) + found.count(",") for found in lists_in(line)) for line in lines), default=0)


def are_json(lines: list[str]) -> bool:
    """Whether the lines are records of JSON, not rows of a table."""
    return bool(_JSON.match(" ".join(lines[:3])))


def whole_records(lines: list[str]) -> list[str]:
    """The lines, those joined that hold one list in quotation marks; a list at the end that is not closed is left out.

    NumPy writes a long vector over several lines.
    """
    records: list[str] = []
    unfinished: list[str] = []
    for line in lines:
        if unfinished or (line.count('"') % 2 and _OPEN_LIST.search(line)):
            unfinished.append(line)
            if len(unfinished) > 1 and line.count('"') % 2:
                records.append(" ".join(unfinished))
                unfinished = []
        else:
            records.append(line)
    return records if len(records) > 1 else [*records, *unfinished]


def style_of(lines: list[str]) -> Style:
    """How lists stand in most of the lines."""
    styles = [_style_of_line(line) for line in lines if not _NO_ITEM.fullmatch(line)]
    bare = len(styles) - styles.count("quoted")
    if bare < 1 or bare < (len(styles) - 1) / 2:  # the first line may be a heading
        return "quoted"
    return "blanks" if "blanks" in styles and styles.count("blanks") > bare / 2 else "fields"


def _style_of_line(line: str) -> Style:
    """How the lists in one line stand."""
    bare = _bare(line, _LIST)
    if any(_is_field(line, found) for found in bare):
        return "fields"
    between_blanks = len(bare) == 1 and '"' not in line and _is_between_blanks(line, bare[0])
    return "blanks" if between_blanks else "quoted"


def _bare(line: str, pattern: re.Pattern[str]) -> list[re.Match[str]]:
    """The lists in a line that do not stand in quotation marks."""
    return [found for found in pattern.finditer(line) if line.count('"', 0, found.start()) % 2 == 0]


def _is_field(line: str, found: re.Match[str]) -> bool:
    """Whether a list is a whole field between separators."""
    before = line[: found.start()].rstrip(" ")
    after = line[found.end() :].lstrip(" ")
    return before[-1:] in ("", *_SEPARATORS) and after[:1] in ("", *_SEPARATORS)


def _is_between_blanks(line: str, found: re.Match[str]) -> bool:
    """Whether only blanks stand beside a list."""
    return line[: found.start()][-1:] in ("", " ") and line[found.end() :][:1] in ("", " ")


def with_quotes(line: str, style: Style) -> str:
    """A line, without its end, with quotation marks around its lists; a line without an item becomes an empty one."""
    if style == "quoted":
        return line
    if _NO_ITEM.fullmatch(line):
        return ""
    bare = _bare(line, _LIKE_A_LIST)
    if style == "blanks" and len(bare) == 1:
        found = bare[0]
        fields = [line[: found.start()].strip(), f'"{found[0]}"', line[found.end() :].strip()]
        return "\t".join(field for field in fields if field)
    for found in reversed(bare):
        if _is_field(line, found):
            rest = line[found.end() :]
            rest = "" if rest.strip() == "," and not line[: found.start()].strip() else rest.lstrip(" ")
            line = f'{line[: found.start()].rstrip(" ")}"{found[0]}"{rest}'
    return line


class Quoted:
    """A file of text whose bare lists get quotation marks while it is read. It has what pandas asks of a file."""

    def __init__(self, file: io.TextIOWrapper, style: Style) -> None:
        self._lines = (with_quotes(line.rstrip("\r\n"), style) + "\n" for line in file)

    def read(self, size: int | None = -1) -> str:
        """The next signs, about `size` of them: whole lines."""
        if size is None or size < 0:
            return "".join(self._lines)
        parts = []
        length = 0
        for line in self._lines:
            parts.append(line)
            length += len(line)
            if length >= size:
                break
        return "".join(parts)

    def __iter__(self) -> Iterator[str]:
        return self._lines
