"""``python -m tests.attack``: the whole attack; with a kind and a number: that one case."""

from __future__ import annotations

import sys
import time
from collections import Counter

from tests.attack.table import KINDS, holds, made, of_systems, printed, systems
from tests.attack.verdicts import CLEAR, RIGHT


def main(arguments: list[str]) -> int:
    """Returns 1 if anything is wrong or crashed, or one case in a hundred unclear."""
    if len(arguments) == 2:
        print(*made(arguments[0], int(arguments[1])), sep=": ")
        return 0
    counts: dict[str, Counter] = {}
    for name in arguments or KINDS:
        counts[name] = Counter()
        began = time.perf_counter()
        for number in range(KINDS[name].whole):
            word, said = made(name, number)
            counts[name][word] += 1
            if word not in (RIGHT, CLEAR):
                print(f"{name} {number}: {word}: {said}", flush=True)
        print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)
    if systems is not None and not arguments:
        counts["systems"] = Counter()
        for name, (word, said) in of_systems():
            counts["systems"][word] += 1
            if word not in (RIGHT, CLEAR):
                print(f"systems {name}: {word}: {said}", flush=True)
    print(printed(counts))
    return 0 if holds(counts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
