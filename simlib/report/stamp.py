"""The stamp of a report: date, times and machine, in one fixed form, so that nothing can be written into it unseen."""

from __future__ import annotations

import platform
import re
from collections.abc import Container
from datetime import UTC, datetime
from html import escape, unescape

from simlib import _limits
from simlib._labels import plain

SYSTEMS = ("Linux", "Darwin", "Windows")
PROCESSORS = ("x86_64", "AMD64", "aarch64", "arm64", "ARM64", "ppc64le", "s390x", "riscv64")
OTHER = "other"  # what a stamp calls a system or a processor that is not among these
DATE = "%Y-%m-%d %H:%M"
LONGEST = 2000  # characters of a stamp and of what follows it on a page
STEPS = 4  # parts of the work whose times are told

_FORM = re.compile(
    rf'<p id="stamp">Made (?P<date>[-\d]{{10}} [:\d]{{5}}) UTC in \d{{1,7}} s on ({"|".join(SYSTEMS)}|{OTHER}) '
    rf"({'|'.join(PROCESSORS)}|{OTHER}), \d{{1,5}} core\(s\)\. Of these: (?P<steps>[^<]*)\.</p>",
    re.ASCII,
)
_STEP = re.compile(r"(.+) \d{1,7}\.\d s", re.ASCII)
_ANY = re.compile(r'<p id="stamp">.*?</p>', re.S)
_END = "\n</section>\n</body>\n</html>\n"


def stamped(steps: dict[str, float], seconds: float) -> str:
    """Date, times and machine, the one place that differs from run to run."""
    longest = sorted(steps, key=lambda name: -steps[name])[:STEPS]
    times = ", ".join(f"{escape(name)} {steps[name]:.1f} s" for name in longest)
    now = datetime.now(UTC).strftime(DATE)
    system = platform.system() if platform.system() in SYSTEMS else OTHER
    processor = platform.machine() if platform.machine() in PROCESSORS else OTHER
    machine = f"{system} {processor}, {_limits.cores()} core(s)"
    return f'<p id="stamp">Made {now} UTC in {seconds:.0f} s on {machine}. Of these: {times}.</p>'


def taken_off(html: str) -> str:
    """A page without its stamp, if that is in its form and at the page's end; any other counts as a difference."""
    found = _FORM.search(html, max(0, len(html) - LONGEST))
    return html[: found.start()] + _END if found and html[found.end() :] == _END else html


def fault(html: str, steps: Container[str]) -> str | None:
    """What is wrong with the stamp of a page, in words, or None; `steps` are the names that parts of the work can have.

    A page without a stamp has no fault.
    """
    stamps = _ANY.findall(html)
    if len(stamps) > 1:
        return f"the page has {len(stamps)} stamps, expected one"
    rest = html[html.index(stamps[0]) :] if stamps else ""
    if not stamps or (_in_form(stamps[0], steps) and rest == stamps[0] + _END):
        return None
    text = plain(unescape(re.sub(r"<[^>]+>", " ", rest)), 300)
    return f'the stamp is not one that a report gets, which holds a date, times and a machine only: "{text}"'


def _in_form(stamp: str, steps: Container[str]) -> bool:
    """Whether a stamp is what `stamped` writes."""
    found = _FORM.fullmatch(stamp)
    if not found:
        return False
    try:
        datetime.strptime(found["date"], DATE)
    except ValueError:
        return False
    parts = [_STEP.fullmatch(unescape(part)) for part in re.split(r"(?<=\d s), ", found["steps"])]
    return 0 < len(parts) <= STEPS and all(part is not None and part[1] in steps for part in parts)
