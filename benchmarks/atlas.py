"""Measure the atlas: the words and 100,000 made-up vectors, their places, the page's size, and how fast it answers.

``python benchmarks/atlas.py`` takes about 10 minutes on two cores; ``--words`` leaves the 100,000 out. The page is
opened in headless Chromium without a GPU and without a network.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine
from playwright.sync_api import sync_playwright

from simlib import assign, atlas, load

KS = np.unique(np.geomspace(8, 1000, 20).astype(int))
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
FRAMES = "const frame = () => new Promise(requestAnimationFrame); const times = [];"
SLIDER = f"""async () => {{ {FRAMES} const k = document.getElementById("k");
    for (let i = 0; i <= k.max; i++) {{
        const start = performance.now();
        k.value = i; k.dispatchEvent(new Event("input"));
        await frame(); await frame();
        times.push(performance.now() - start);
    }} return times; }}"""
HOVER = """() => { const map = document.getElementById("map"), box = map.getBoundingClientRect(), times = [];
    for (let i = 0; i < 60; i++) {
        const at = {clientX: box.left + box.width * (0.2 + i / 100), clientY: box.top + box.height / 2};
        const start = performance.now();
        map.dispatchEvent(new PointerEvent("pointermove", {pointerId: 1, pointerType: "mouse", ...at}));
        times.push(performance.now() - start);
    } return times; }"""
PAN = f"""async () => {{ {FRAMES} const map = document.getElementById("map");
    for (let i = 0; i < 20; i++) {{
        const start = performance.now();
        map.dispatchEvent(new KeyboardEvent("keydown", {{key: i % 2 ? "ArrowLeft" : "ArrowRight"}}));
        await frame(); await frame();
        times.push(performance.now() - start);
    }} return times; }}"""
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def made_up(n: int, d: int) -> np.ndarray:
    """Vectors around 1,000 centres, float32 (n, d)."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((1000, d), dtype=np.float32)
    return centres[rng.integers(1000, size=n)] + rng.standard_normal((n, d), dtype=np.float32)


def measure(what: str, X: np.ndarray, names: Any) -> None:
    """Print a line for each measurement of one data set."""
    began, worked = time.perf_counter(), time.process_time()
    there = atlas.places(X, metric="cosine")
    print(f"{what}: places {time.perf_counter() - began:.1f} s ({time.process_time() - worked:.1f} s of processor)")
    print(f"{what}: {there.caption()}")
    print(f"{what}: peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB", flush=True)
    rng = np.random.default_rng(1)
    fits = [assign(X, rng.choice(len(X), k, replace=False), metric="cosine") for k in KS]
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        path = atlas.page(there, fits, names, Path(folder) / "atlas.html")
        size = path.stat().st_size / 1e6
        print(f"{what}: page with {len(KS)} ks written in {time.perf_counter() - began:.1f} s, {size:.2f} MB")
        drive(what, path)


def drive(what: str, path: Path) -> None:
    """Open a page and print how long it takes to answer."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_context(offline=True, viewport={"width": 1300, "height": 850}).new_page()
        page.goto(path.as_uri())
        page.wait_for_selector("#table tbody tr")
        print(f"{what}: first picture after {page.evaluate(PAINTED):.0f} ms")
        for name, script in (("slider, first time", SLIDER), ("slider", SLIDER), ("hover", HOVER), ("pan", PAN)):
            times = page.evaluate(script)
            print(f"{what}: {name} median {np.median(times):.0f} ms, most {max(times):.0f} ms", flush=True)
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", action="store_true", help="the words alone")
    words = load("words")
    only = parser.parse_args().words
    print(machine())
    measure("20,000 words", words.vectors, words.names)
    if not only:
        measure("100,000 vectors", made_up(100_000, 384), None)


if __name__ == "__main__":
    main()
