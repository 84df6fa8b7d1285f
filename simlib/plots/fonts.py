"""The fonts that letters are drawn with, and the letters that none of them has."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from matplotlib import font_manager

from simlib._labels import JOINERS, plain

# Fonts with the letters of many scripts, as systems bring them.
SCRIPTS: tuple[str, ...] = ("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans SC", "Noto Sans JP")
SCRIPTS += (
    "Noto Sans KR",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Droid Sans Fallback",
    "PingFang SC",
    "Hiragino Sans",
)
SCRIPTS += ("Apple SD Gothic Neo", "Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "Noto Sans Arabic")
SCRIPTS += ("Noto Sans Hebrew", "Noto Sans Devanagari", "Noto Sans Bengali", "Noto Sans Tamil", "Noto Sans Thai")
SCRIPTS += ("Noto Sans Telugu", "Noto Sans Kannada", "Noto Sans Malayalam", "Noto Sans Gujarati", "Noto Sans Sinhala")
SCRIPTS += ("Noto Sans Khmer", "Noto Sans Lao", "Noto Sans Myanmar", "Noto Sans Ethiopic", "Noto Sans Armenian")
SCRIPTS += (
    "Noto Sans Symbols",
    "Noto Sans Symbols 2",
    "Nirmala UI",
    "Leelawadee UI",
    "Tahoma",
    "Arial Unicode MS",
    "FreeSans",
    "Unifont",
)
EAST = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "IDEOGRAPHIC")
SYMBOLS = "Noto Sans Symbols"  # a font of what is no letter
UNSEEN = JOINERS + "".join(map(chr, range(0xFE00, 0xFE10)))  # and the selectors of variants
LETTERS_NAMED, FONTS_NAMED = 3, 3


def families() -> list[str]:
    """The families that letters are looked up in, in order: the usual one, then those of `SCRIPTS` that are here."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return ["sans-serif", *(name for name in SCRIPTS if name in installed)]


def undrawn(names: Iterable[str]) -> str:
    """A sentence on the letters of names that no font has, and on a font that has them; "" if there are none.

    Examples
    --------
    >>> undrawn(["plum", "слива"])
    ''
    """
    letters = {letter for name in names for letter in plain(name) if letter not in UNSEEN and not letter.isspace()}
    for family in families():
        if letters:
            font = font_manager.get_font(font_manager.findfont(font_manager.FontProperties(family=[family])))
            letters -= {chr(code) for code in font.get_charmap()}
    if not letters:
        return ""
    some = sorted(letters, key=lambda letter: (not letter.isalpha(), letter))[:LETTERS_NAMED]
    more = ", ..." if len(letters) > len(some) else ""
    fonts = " and ".join(
        sorted({_font_of(letter) for letter in letters if letter.isalpha()} or {SYMBOLS})[:FONTS_NAMED]
    )
    return (
        f"No font here has {len(letters):,} of the letters in the names ({', '.join(some)}{more}): pictures and paper "
        f"show boxes in their place. Install {fonts}, say."
    )


def _font_of(letter: str) -> str:
    """A font that has a letter, by the script that its name in Unicode begins with."""
    script = unicodedata.name(letter, "").partition(" ")[0].split("-")[0]
    return "Noto Sans CJK" if script in EAST else f"Noto Sans {script.capitalize()}"
