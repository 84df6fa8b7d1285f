"""The kinds of attack, how many cases each has, and the table of what became of them."""

from __future__ import annotations

import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tests.attack import clusters, dialects, kinds, names, planted, products, scales, stamps, stopped
from tests.attack.verdicts import CRASHED, UNCLEAR, WORDS, WRONG, Verdict

try:
    from tests.attack import systems
except ImportError:
    systems = None  # type: ignore[assignment]


class Kind(NamedTuple):
    """A kind of attack: what makes a case, how many cases a whole run has, and how many each test run."""

    case: Callable[[np.random.Generator, Path], Verdict]
    whole: int
    some: int


KINDS = {
    "kinds of parameters": Kind(kinds.case, 6000, 100),
    "products": Kind(products.case, 5000, 60),
    "clusters": Kind(clusters.case, 1500, 12),
    "planted": Kind(planted.case, 3000, 40),
    "scales": Kind(scales.case, 800, 8),
    "dialects": Kind(dialects.case, 1500, 25),
    "names": Kind(names.case, 300, 5),
    "stamps": Kind(stamps.case, 3000, 60),
    "stopped": Kind(stopped.case, 40, 1),
}


def made(name: str, number: int, seed: int = 0) -> Verdict:
    """The verdict on one case of a kind."""
    rng = np.random.default_rng([seed, list(KINDS).index(name), number])
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return KINDS[name].case(rng, Path(folder))
        except Exception as error:
            return CRASHED, f"the case itself: {type(error).__name__}: {error}"


def of_systems() -> Iterator[tuple[str, Verdict]]:
    """The cases that need a process, a disk or a limit of their own: the functions of `systems`, each once."""
    for name in [each for each in dir(systems) if each.startswith("case_")]:
        with tempfile.TemporaryDirectory() as folder:
            try:
                word = getattr(systems, name)(Path(folder))
            except Exception as error:
                yield name, (CRASHED, f"the case itself: {type(error).__name__}: {error}")
                continue
            yield name, (word if word in WORDS else CRASHED, name)


def printed(counts: dict[str, Counter]) -> str:
    """Kind by verdict, with the number of cases, as a table of Markdown."""
    lines = [f"| kind | cases | {' | '.join(WORDS)} |", f"| --- | ---: | {' | '.join('---:' for _ in WORDS)} |"]
    for name, count in [*counts.items(), ("all", sum(counts.values(), Counter()))]:
        lines.append(f"| {name} | {count.total():,} | {' | '.join(f'{count[word]:,}' for word in WORDS)} |")
    return "\n".join(lines)


def holds(counts: dict[str, Counter]) -> bool:
    """Whether nothing is wrong or crashed, and less than one case in a hundred is unclear."""
    found = sum(counts.values(), Counter())
    return not found[WRONG] and not found[CRASHED] and 100 * found[UNCLEAR] < found.total()
