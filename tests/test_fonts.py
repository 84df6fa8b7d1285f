"""Letters of many scripts: drawn where a font has them, else said once."""

import re
from pathlib import Path

import matplotlib
import pytest
from matplotlib import font_manager

from simlib.plots import fonts
from simlib.plots.fonts import undrawn

SHIPPED = str(Path(matplotlib.get_data_path()))


@pytest.fixture(autouse=True)
def only_what_matplotlib_brings(monkeypatch):
    """The fonts that come with Matplotlib, whatever is installed here."""
    there = [font for font in font_manager.fontManager.ttflist if font.fname.startswith(SHIPPED)]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", there)


@pytest.mark.parametrize("name", ["plum", "слива", "δαμάσκηνο", "برقوق", "a b\tc", "", "Łódź"])
def test_letters_of_the_usual_font(name):
    assert undrawn([name]) == ""


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["梅", "plum", "梅"], r"has 1 of the letters in the names \(梅\): .* Install Noto Sans CJK, say."),
        (["うめ"], "has 2 .* Install Noto Sans CJK, say."),
        (["자두"], "has 2 .* Install Noto Sans CJK, say."),
        (["आलू"], "Install Noto Sans Devanagari, say."),
        (["\u2603\ufe0f\U0001fae0"], "has 1 .* Install Noto Sans Symbols, say."),
        (["梅", "आलू"], "has 4 .* Install Noto Sans CJK and Noto Sans Devanagari, say."),
        (["ABCDEFG梅李桃杏桜"], r"\(李, 杏, 桃, ...\)"),
    ],
)
def test_letters_that_no_font_has_are_said_once(names, said):
    found = undrawn(names)
    assert found.count("No font here") == 1
    assert re.search(said, found)


def test_letters_of_another_font_are_drawn_by_it(monkeypatch):
    stix = font_manager.get_font(font_manager.findfont("STIXGeneral")).get_charmap()
    usual = font_manager.get_font(font_manager.findfont("DejaVu Sans")).get_charmap()
    letter = next(chr(code) for code in sorted(set(stix) - set(usual)) if chr(code).isalpha())
    assert letter in undrawn([letter])
    monkeypatch.setattr(fonts, "SCRIPTS", ("STIXGeneral", "a font that is not here"))
    assert fonts.families() == ["sans-serif", "STIXGeneral"]
    assert undrawn([letter]) == ""
