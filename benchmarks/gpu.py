"""The ways over a CUDA card: the tests made for it, then seconds and results beside those of NumPy.

python benchmarks/gpu.py            on a machine with a card; writes results/GPU.md
python benchmarks/gpu.py --store    stores benchmarks/GPU.md instead
python benchmarks/gpu.py --check    the same steps, small and on CPU tensors; nothing is written

It exits with 1 where there is no card, where a test fails, or where a result differs from that of NumPy.

Of 20,000 x 512 vectors the card makes the matrix, clusters it and the vectors, and bounds the loss from below. The
matrix of 1,000,000 x 384 vectors would take 4 TB, so it is never made: the card compares all rows with 1,000 of them,
and clusters the vectors. There NumPy's swaps would take hours, so only the loss of the card's medoids is checked.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import page
import torch
from machine import machine
from table import Table
from timing import seconds

import simlib
from simlib import _check

SIZES = ((20_000, 512, 512), (1_000_000, 384, 1000))  # items, columns, medoids
SMALL_SIZES = ((600, 16, 20), (1500, 8, 30))
TESTS = Path(__file__).resolve().parents[1] / "tests"
CLOSE = 1e-6  # by how much a similarity may differ from that of NumPy
LIKE = 1e-3  # by which share a loss or a bound may differ


class Comparison:
    """The table under way, the device that does the work, and what differed."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.differed = device, 0
        self.table = Table("items", "k", "what", "seconds on the card", "seconds with NumPy", "result", "same")

    def on_device(self, function: Callable[[], Any]) -> tuple[float, Any]:
        """Seconds until the device is done, and the result."""

        def done() -> Any:
            result = function()
            if self.device.type == "cuda":
                torch.cuda.synchronize()
            return result

        return seconds(done)

    def row(self, size: tuple[int, int], what: str, times: tuple[float, float], result: str, same: bool) -> None:
        """Add a row. `size` is (n, k), `times` the seconds on the card and with NumPy."""
        self.differed += not same
        took = [f"{time:.2f}" for time in times]
        self.table.row(f"{size[0]:,}", f"{size[1]:,}", what, *took, result, "yes" if same else "NO")

    def numbers(self, size: tuple[int, int], what: str, ours: tuple, theirs: tuple) -> None:
        """Add a row of two runs, (seconds, loss or bound) each."""
        same = abs(ours[1] - theirs[1]) <= LIKE * abs(theirs[1])
        self.row(size, what, (ours[0], theirs[0]), f"{ours[1]:.2f}, NumPy {theirs[1]:.2f}", same)


def vectors(n: int, d: int) -> np.ndarray:
    """Noisy copies of some 2,000 directions, whole numbers, the same on every run, float32 (n, d)."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((min(n, 2000), d), np.float32)
    parts = np.array_split(rng.integers(0, len(centres), n), 1 + n // 50_000)
    noisy = (centres[part] + 0.7 * rng.standard_normal((len(part), d), np.float32) for part in parts)
    return np.concatenate([np.rint(30 * part) for part in noisy])


def with_matrix(told: Comparison, n: int, d: int, k: int) -> None:
    """Where the matrix fits: matrix, swaps with and without it, lower bound."""
    X = vectors(n, d)
    T = torch.from_numpy(X).to(told.device)
    ours, on_card = told.on_device(lambda: simlib.cosine_similarity(T))
    theirs, S = seconds(lambda: simlib.cosine_similarity(X))
    apart = max(float(abs(on_card[i].cpu().numpy() - S[i]).max()) for i in range(n))
    text = f"at most {apart:.0e} apart"
    told.row((n, k), "`cosine_similarity(X)`", (ours, theirs), text, apart <= CLOSE)
    pairs = {
        "`kmedoids(S, k)`": (on_card, S, {}),
        '`kmedoids(X, k, metric="cosine")`': (T, X, {"metric": "cosine"}),
        '`kmedoids(X, k, metric="cosine", method="alternate")`': (T, X, {"metric": "cosine", "method": "alternate"}),
    }
    for what, (given, host, options) in pairs.items():
        fit = told.on_device(lambda given=given, options=options: simlib.kmedoids(given, k, **options))
        other = seconds(lambda host=host, options=options: simlib.kmedoids(host, k, **options))
        told.numbers((n, k), what, (fit[0], fit[1].inertia), (other[0], other[1].inertia))
    bounds = told.on_device(lambda: simlib.optimality_gap(T, other[1].medoids, metric="cosine"))
    known = seconds(lambda: simlib.optimality_gap(X, other[1].medoids, metric="cosine"))
    what = '`optimality_gap(X, medoids, metric="cosine")`'
    told.numbers((n, k), what, (bounds[0], bounds[1].lower), (known[0], known[1].lower))


def without_matrix(told: Comparison, n: int, d: int, k: int) -> None:
    """Where the matrix does not fit: all rows by k of them, the alternating loop, one pass of swaps."""
    X = vectors(n, d)
    T = torch.from_numpy(X).to(told.device)
    few = np.arange(0, n, n // k)[:k]
    ours, on_card = told.on_device(lambda: simlib.cosine_similarity(T, T[few]))
    theirs, S = seconds(lambda: simlib.cosine_similarity(X, X[few]))
    apart = max(float(abs(on_card[i : i + 1000].cpu().numpy() - S[i : i + 1000]).max()) for i in range(0, n, 1000))
    text = f"at most {apart:.0e} apart"
    told.row((n, k), "`cosine_similarity(X, X[few])`, k columns", (ours, theirs), text, apart <= CLOSE)
    del on_card, S
    options = {"metric": "cosine", "method": "alternate"}
    loop = told.on_device(lambda: simlib.kmedoids(T, k, **options))
    other = seconds(lambda: simlib.kmedoids(X, k, **options))
    what = '`kmedoids(X, k, metric="cosine", method="alternate")`'
    told.numbers((n, k), what, (loop[0], loop[1].inertia), (other[0], other[1].inertia))
    swaps = told.on_device(lambda: simlib.kmedoids(T, k, metric="cosine", init=loop[1].medoids, max_iter=1))
    known = seconds(lambda: simlib.assign(X, swaps[1].medoids, metric="cosine"))
    what = "one pass of swaps from there; NumPy: `assign` of its medoids"
    told.numbers((n, k), what, (swaps[0], swaps[1].inertia), (known[0], known[1].inertia))


def compare(device: torch.device, sizes: tuple) -> Comparison:
    """The whole table."""
    told = Comparison(device)
    warm = torch.from_numpy(vectors(300, 8)).to(device)  # compiles, and starts the device's libraries
    for given in (warm, warm.cpu().numpy()):
        fit = simlib.kmedoids(given, 9, metric="cosine")
        simlib.kmedoids(simlib.cosine_similarity(given), 9)
        simlib.kmedoids(given, 9, metric="cosine", method="alternate")
        simlib.optimality_gap(given, fit.medoids, metric="cosine")
    with_matrix(told, *sizes[0])
    without_matrix(told, *sizes[1])
    return told


@contextmanager
def cpu_as_device() -> Iterator[torch.device]:
    """Let every tensor take the way that leads to a device."""
    before, _check.off_cpu = _check.off_cpu, _check.is_tensor
    try:
        yield torch.device("cpu")
    finally:
        _check.off_cpu = before


def marked_tests() -> tuple[int, str]:
    """Run the tests that need a card: their exit status, and pytest's last line about them."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(TESTS / "test_tensors.py")]
    ran = subprocess.run([*command, "-k", "cuda"], capture_output=True, text=True, cwd=TESTS.parent)
    print(ran.stdout, ran.stderr)
    return ran.returncode, (ran.stdout.strip().splitlines() or ["pytest said nothing"])[-1]


def main(arguments: list[str] | None = None) -> int:
    """Test and measure, or check; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", action="store_true", help="store benchmarks/GPU.md")
    parser.add_argument("--check", action="store_true", help="small, on CPU tensors; nothing is written")
    options = parser.parse_args(arguments)
    if options.check:
        with cpu_as_device() as device:
            return int(compare(device, SMALL_SIZES).differed > 0)
    if not torch.cuda.is_available():
        print("no CUDA device: nothing measured")
        return 1
    failed, summary = marked_tests()
    told = compare(torch.device("cuda"), SIZES)
    head = f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}; beside it {machine()}. One run each."
    text = f"# `python benchmarks/gpu.py`\n\n{head} Tests marked for a card: {summary}.\n\n{told.table}\n"
    page.write(text, "GPU.md", stored="GPU.md" if options.store else None)
    return int(failed != 0 or told.differed > 0)


if __name__ == "__main__":
    sys.exit(main())
