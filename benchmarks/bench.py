"""simlib and its peers side by side, in turn, on this machine: one run, medians and ratios, one page.

python benchmarks/bench.py                        about 20 minutes; writes results/BENCH.md
python benchmarks/bench.py --store                stores benchmarks/RESULTS.md instead, which the README quotes
python benchmarks/bench.py --part similarity      only this part; nothing is written

Everything is at n = 20,000: random vectors (20000, 384) for the similarities, the shipped words for the medoids.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
import optima
import page
import part_bounds
import part_choices
import part_medoids
import part_similarity
import part_start
from machine import machine
from table import Comparison
from timing import ROUNDS

import simlib

PARTS = {
    "similarity": part_similarity.measure,
    "medoids": part_medoids.measure,
    "choices": part_choices.measure,
    "bounds": part_bounds.measure,
}


def main() -> None:
    """Measure what is asked for."""
    options = arguments()
    if options.contestant:
        what, who, n = options.contestant
        print(json.dumps(part_similarity.turn(what, who, int(n))))
        return
    table = Comparison()
    simlib.kmedoids(simlib.cosine_similarity(np.eye(300, dtype=np.float32)), 9)  # compiles
    for name, measure in PARTS.items():
        if options.part in (None, name):
            measure(table)
    part_start.measure(table)
    if options.part is None:
        whole_page(table, options.store)


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--part", choices=tuple(PARTS), help="only this part, and nothing is written")
    choice.add_argument("--store", action="store_true", help="store benchmarks/RESULTS.md, which the README quotes")
    choice.add_argument("--contestant", nargs=3, help=argparse.SUPPRESS)  # one turn: what, who, n
    return parser.parse_args()


def whole_page(table: Comparison, store: bool) -> None:
    """Solve the small instances, then print and write all that was measured."""
    head = f"{machine()}. Medians of {ROUNDS} rounds."
    known = "\n".join(optima.table())
    print(f"\n{known}\n\n{head}")
    text = f"# `make bench`\n\n{head}\n\n{table}\n\nAgainst optima proved by HiGHS:\n\n{known}\n"
    page.write(text, "BENCH.md", stored="RESULTS.md" if store else None)


if __name__ == "__main__":
    main()
