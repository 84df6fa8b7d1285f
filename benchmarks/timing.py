"""How to measure a call: its seconds, the memory that it takes for itself, and the functions that take its time."""

from __future__ import annotations

import cProfile
import pstats
import statistics
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import psutil

ROUNDS = 3
LEAST_SECONDS = 1  # of a turn: a quick call is repeated until they are over
BETWEEN_LOOKS = 0.005  # seconds between two looks at the memory of the process


def seconds(function: Callable[[], Any]) -> tuple[float, Any]:
    """The seconds that one call takes, and its result."""
    began = time.perf_counter()
    result = function()
    return time.perf_counter() - began, result


def in_turn(contestants: Mapping[str, Callable[[], Any]]) -> tuple[dict[str, float], dict[str, Any]]:
    """The median seconds of each contestant, and its last result.

    In each round every contestant has one turn. A quick contestant is called several times in its turn.
    """
    times: dict[str, list[float]] = {name: [] for name in contestants}
    results: dict[str, Any] = {}
    for _ in range(ROUNDS):
        for name, function in contestants.items():
            turn: list[float] = []
            while sum(turn) < LEAST_SECONDS:
                took, results[name] = seconds(function)
                turn.append(took)
            times[name] += turn
    return {name: statistics.median(several) for name, several in times.items()}, results


def extra_memory(function: Callable[[], Any]) -> tuple[float, Any]:
    """How many MB more the process holds while the function runs, at the peak, and the result of the function.

    Pages of mapped files are not counted.
    """
    process, done = psutil.Process(), threading.Event()

    def own() -> int:
        memory = process.memory_info()
        return memory.rss - memory.shared

    before = own()
    seen = [before]

    def watch() -> None:
        while not done.wait(BETWEEN_LOOKS):
            seen.append(own())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        result = function()
    finally:
        done.set()
        watcher.join()
    return (max(seen) - before) / 1e6, result


def share_of_time(function: Callable[[], Any], most: int = 4) -> str:
    """The functions that take most of the time, with their shares. A compiled loop counts with its caller."""
    profile = cProfile.Profile()
    profile.runcall(function)
    rows = pstats.Stats(profile).stats  # type: ignore[attr-defined]  # (file, line, name): (_, _, own seconds, ...)
    total = sum(row[2] for row in rows.values())
    top = sorted(rows.items(), key=lambda item: -item[1][2])[:most]
    names = [f"{where[2].strip('<>').removeprefix('method ')} {row[2] / total:.0%}" for where, row in top]
    return ", ".join(names)
