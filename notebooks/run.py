"""Do the main job on the shipped words: matrix, 512 clusters, the atlas, every notebook, one page.

python notebooks/run.py               writes everything to results/
python notebooks/run.py --store       runs the notebooks and stores their outputs in place instead
python notebooks/run.py --store 03    only that one

Storing also measures: runtimes.json has each notebook's seconds and its kernel's most gigabytes, and changes only
where a run departs from it by more than 30 %.
"""

from __future__ import annotations

import argparse
import base64
import csv
import io
import json
import re
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import numpy as np
import psutil
from nbclient.exceptions import CellExecutionError
from PIL import Image
from tqdm import tqdm

import simlib
from simlib import atlas, report
from simlib.data import results_folder, written_whole
from simlib.report import numbers

HERE = Path(__file__).resolve().parent
RUNTIMES = HERE / "runtimes.json"
K = 512
ATLAS_KS = (8, 16, 32, 64, 128, 256, 1000)


def main() -> int:
    """Run the job; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", nargs="*", metavar="NN", help="store outputs in the notebooks (default: in all)")
    numbers = parser.parse_args().store
    paths = sorted(HERE.glob("[0-9][0-9]_*.ipynb"))
    try:
        if numbers is not None:
            store([path for path in paths if not numbers or path.stem[:2] in numbers])
            return 0
        folder, began = results_folder(), time.time()
        facts = cluster_words(folder)
        keep({path: notebook for path, notebook, _ in executed(paths)}, folder)
    except CellExecutionError as error:
        print(f"\nA notebook stopped:\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; what is already written is whole", file=sys.stderr)
        return 130
    print(closing(facts, folder))
    print(written(folder, began))
    return 0


def store(paths: list[Path]) -> None:
    """Run notebooks, store the outputs in them and what the runs took in runtimes.json."""
    known = json.loads(RUNTIMES.read_text(encoding="utf-8")) if RUNTIMES.exists() else {}
    for path, notebook, took in executed(paths):
        with written_whole(path) as draft:
            nbformat.write(notebook, draft)
        if path.stem.startswith("00"):
            with written_whole(HERE / "map.png") as draft:  # the README's figure
                draft.write_bytes(next(report.figures(notebook)))
        before = known.get(path.stem, dict.fromkeys(took, 0))
        if any(abs(took[what] - before[what]) > 0.3 * took[what] for what in took):
            known[path.stem] = took
        with written_whole(RUNTIMES) as draft:
            draft.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def cluster_words(folder: Path) -> dict:
    """The matrix and the clusters of the shipped words; writes words.csv and returns what to print."""
    words = simlib.load("words")
    print("compiling the inner loops, once on each machine ...", flush=True)
    few = simlib.cosine_similarity(words.vectors[:1200])
    for k, method in ((30, "fasterpam"), (300, "fasterpam"), (30, "alternate")):
        simlib.kmedoids(few, k, method=method, init="build")
    began = time.perf_counter()
    S = simlib.cosine_similarity(words.vectors, progress=True)
    matrix = time.perf_counter() - began
    fit = simlib.kmedoids(S, K, init="build", progress=True)
    with written_whole(folder / "words.csv") as draft, open(draft, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["word", "exemplar", "similarity"])
        names = np.array([numbers.cell(name) for name in words.names])
        table.writerows(zip(names, names[fit.medoids[fit.labels]], fit.similarity.round(4), strict=True))
    swaps = time.perf_counter() - began - matrix
    draw_atlas(S, words.names, fit, folder)
    return {"X": words.vectors, "names": words.names, "fit": fit, "matrix": matrix, "fit_seconds": swaps}


def draw_atlas(S: np.ndarray, names: np.ndarray, fit: simlib.Clustering, folder: Path) -> None:
    """The map of all words, with a slider over these clusters and some coarser and finer ones."""
    fits = sorted([*simlib.scan_k(S, ATLAS_KS, progress=True).fits, fit], key=lambda each: len(each.medoids))
    atlas.page(atlas.places(S, progress=True), fits, names, folder / "atlas.html", title="20,000 English words")


def executed(paths: list[Path]) -> Iterator[tuple[Path, nbformat.NotebookNode, dict[str, float]]]:
    """Yield (path, executed notebook, seconds and gigabytes it took) with a bar a notebook."""
    width = max(len(path.stem) for path in paths)
    for number, path in enumerate(paths, 1):
        cells = sum(cell.cell_type == "code" for cell in nbformat.read(path, 4).cells)
        label = f"[{number}/{len(paths)}] {path.stem:{width}}"
        began, memory = time.perf_counter(), [0.0]
        with tqdm(total=cells, desc=label, unit="cell", bar_format="{desc} {n}/{total} cells {elapsed}") as bar:

            def on_cell(bar=bar, memory=memory):
                bar.update()
                memory.append(kernel_memory())

            notebook = lighter(report.execute(path, on_cell))
        took = {"seconds": round(time.perf_counter() - began), "gigabytes": round(max(memory), 1)}
        yield path, notebook, took


def lighter(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook with its pictures in 256 colours each: a third of the bytes, and nothing the eye would miss."""
    for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
        if png := output.get("data", {}).get("image/png"):
            picture, small = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"), io.BytesIO()
            picture.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
                small, "PNG", optimize=True
            )
            output.data["image/png"] = base64.b64encode(small.getvalue()).decode() + "\n"
    return notebook


def kernel_memory() -> float:
    """The most memory, in GB, that a child of this process (the kernel) has held; where unknown, what it holds."""
    most = [0.0]
    for child in psutil.Process().children():
        status = Path(f"/proc/{child.pid}/status")
        peak = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
        most.append(int(peak[1]) * 1024 / 1e9 if peak else child.memory_info().rss / 1e9)
    return max(most)


def keep(notebooks: dict[Path, nbformat.NotebookNode], folder: Path) -> None:
    """Write the executed copies, their figures and the page that holds them all."""
    for part in ("notebooks", "figures"):
        (folder / part).mkdir(exist_ok=True)
    for path, notebook in notebooks.items():
        with written_whole(folder / "notebooks" / path.name) as draft:
            nbformat.write(notebook, draft)
        for number, picture in enumerate(report.figures(notebook), 1):
            with written_whole(folder / "figures" / f"{path.stem}_{number}.png") as draft:
                draft.write_bytes(picture)
    html = report.page({path.stem: notebook for path, notebook in notebooks.items()}, "20,000 words, 512 exemplars")
    with written_whole(folder / "workbook.html") as draft:
        draft.write_text(html, encoding="utf-8")


def closing(facts: dict, folder: Path) -> str:
    """The table at the end."""
    fit, (n, d) = facts["fit"], facts["X"].shape
    largest = np.argsort(-fit.sizes, kind="stable")
    some = largest[:: len(largest) // 5][:5]  # from the largest cluster to a small one
    rows = [
        ("vectors", f"n = {n:,} words, d = {d}"),
        ("similarity matrix", f"{n:,} x {n:,} float32, {facts['matrix']:.1f} s"),
        ("clusters", f"k = {K}, inertia {fit.inertia:.2f}, {fit.n_swaps} swaps after the start, "
                     f"{facts['fit_seconds']:.1f} s"),
        ("exemplars", ", ".join(f"{facts['names'][fit.medoids[j]]} ({fit.sizes[j]})" for j in some)),
        ("walk through", f"{folder / 'atlas.html'}"),
        ("read", f"{folder / 'workbook.html'}"),
        ("use", f"{folder / 'words.csv'}, each word with its exemplar"),
    ]  # fmt: skip
    return "\n" + "\n".join(f"{name:18} {value}" for name, value in rows)


def written(folder: Path, began: float) -> str:
    """The names of all files in a folder, and in those in it, that were written since a time."""
    lines = []
    for place in (folder, *sorted(path for path in folder.iterdir() if path.is_dir())):
        files = sorted(path for path in place.iterdir() if path.is_file() and path.stat().st_mtime >= began - 1)
        names = textwrap.wrap(", ".join(path.name for path in files), 100, break_on_hyphens=False)
        lines += [f"\nwritten to {place}:", *(f"  {line}" for line in names)] if files else []
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
