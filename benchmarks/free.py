"""k-medoids from vectors without the matrix, and from a half-precision or mapped one: seconds and peak memory, printed.

Run by hand: `python benchmarks/free.py [vectors|kinds]`, a few minutes at 100,000 items. Those are the 20,000 words and
80,000 mixtures of two words each (weights 0.7 and 0.3, noise of a tenth of the spread, whole numbers; seed 0).
"""

from __future__ import annotations

import threading
import time

import numpy as np
import psutil

import simlib


def mixtures(n, seed=0):
    """The words, then n - 20,000 noisy mixtures of two of them, float32 whole numbers (n, 384)."""
    words = simlib.load("words").vectors[:n]
    rng = np.random.default_rng(seed)
    more = np.empty((n - len(words), words.shape[1]), np.float32)
    for part in np.array_split(np.arange(len(more)), 20):
        first, second = rng.integers(len(words), size=(2, len(part)))
        noise = rng.standard_normal((len(part), words.shape[1]), np.float32) * words.std() * 0.1
        more[part] = np.rint(0.7 * words[first] + 0.3 * words[second] + noise)
    return np.concatenate([words, more])


def measured(call):
    """(seconds, peak of resident memory in GB above what there was before, result)."""
    process, peak, done = psutil.Process(), [], threading.Event()

    def watch():
        while not done.wait(0.02):
            peak.append(process.memory_info().rss)

    before, watcher = process.memory_info().rss, threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    try:
        result = call()
    finally:
        seconds = time.perf_counter() - began
        done.set()
        watcher.join()
    return seconds, (max(peak, default=before) - before) / 1e9, result
