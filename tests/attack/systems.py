"""Attacks by way of the machine: each case runs a child process and says what came of it.

The words are right, refused clearly, unclear, wrong and crashed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import simlib

ROOT = Path(simlib.__file__).parents[1]
SECONDS = 300
ITEMS = """
import numpy as np, simlib
X = np.random.default_rng(0).normal(size=(3000, 16)).astype(np.float32)
"""
LIKELY = {"MemoryError": ("ulimit", "GB", "Unable to allocate"), "OSError": ("GB are free",)}


def child(code, limit="true", **variables):
    """The return code, the output and the errors of some code in a process of its own; None for one that hangs."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    command = ["bash", "-c", f'{limit}; exec "$@"', "bash", sys.executable, "-c", code]
    try:
        run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return None, "", ""
    return run.returncode, run.stdout, run.stderr


def judged(code, out, errors, wanted="True"):
    """The word for a child that prints `wanted` where all is right."""
    if code == 0:
        return "right" if out.split()[-1:] == [wanted] else "wrong"
    last = (errors.strip().splitlines() or [""])[-1]
    name = last.partition(":")[0]
    if code != 1 or "Traceback" not in errors:
        return "crashed"
    return "refused clearly" if any(word in last for word in LIKELY.get(name, ())) else "unclear"


def case_fork_by_a_pool(tmp_path):
    """A pool by fork after a fit and a product, each child with a fit of its own."""
    code = """
import multiprocessing
def work(seed):
    found = simlib.kmedoids(X, 12, metric="cosine", random_state=seed)
    return found.medoids.tolist(), found.inertia
here = [work(seed) for seed in range(4)]
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map_async(work, range(4)).get(250) == here)
"""
    return judged(*child(ITEMS + code))


def case_fork_while_another_thread_fits(tmp_path):
    """Children that are forked off while a thread of the parent is inside a fit."""
    code = """
import os, threading, time
simlib.kmedoids(X, 12, metric="cosine")
here = simlib.cosine_similarity(X[:200])
going = threading.Thread(target=lambda: [simlib.kmedoids(X, 40, metric="cosine", random_state=i) for i in range(4)])
going.start()
good = []
for _ in range(4):
    time.sleep(0.1)
    if not (child := os.fork()):
        os._exit(0 if (simlib.cosine_similarity(X[:200]) == here).all() else 3)
    for _ in range(600):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        time.sleep(0.1)
    good.append(ended and status == 0)
going.join()
print(all(good))
"""
    return judged(*child(ITEMS + code))


def case_threads_of_workqueue(tmp_path):
    """Four threads that fit at the same time, with the layer of Numba that stands no two callers."""
    code = """
from concurrent.futures import ThreadPoolExecutor
here = simlib.kmedoids(X, 12, metric="cosine").inertia
with ThreadPoolExecutor(4) as pool:
    found = pool.map(lambda _: simlib.kmedoids(X, 12, metric="cosine").inertia, range(8))
print(all(each == here for each in found))
"""
    return judged(*child(ITEMS + code, NUMBA_THREADING_LAYER="workqueue"))


def _within(megabytes, code):
    """The word for some code under a limit of address space."""
    return judged(*child(ITEMS + code, limit=f"ulimit -v {megabytes * 1000}"))


def case_one_gigabyte(tmp_path):
    """A product and a fit with 1 GB of address space."""
    return _within(1000, 'simlib.cosine_similarity(X); simlib.kmedoids(X, 9, metric="cosine"); print(True)')


def case_one_and_a_half_gigabytes(tmp_path):
    """A product and a fit with 1.5 GB of address space."""
    return _within(1500, 'simlib.cosine_similarity(X); simlib.kmedoids(X, 9, metric="cosine"); print(True)')


def case_two_gigabytes(tmp_path):
    """A matrix of 1.6 GB with 2 GB of address space."""
    return _within(2000, "simlib.cosine_similarity(np.ones((20_000, 4), np.float32)); print(True)")


def case_three_gigabytes(tmp_path):
    """A fit with 3 GB of address space."""
    return _within(3000, 'simlib.kmedoids(X, 9, metric="cosine"); print(True)')


def case_load_within_a_gigabyte(tmp_path):
    """A table of 10 MB that is read with 1 GB of address space."""
    path = tmp_path / "x.csv"
    path.write_text("name,a,b\n" + "".join(f"w{i},{i}.25,{i % 7}.5\n" for i in range(500_000)))
    return _within(1000, f"print(simlib.load_vectors({str(path)!r}).vectors.shape == (500_000, 2))")


def case_a_map_on_a_full_disk(tmp_path):
    """A memory map on a disk of 1 MB, where one can be mounted; else a disk that says that it is full."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    mounted = bool(shutil.which("mount")) and subprocess.run(mount, capture_output=True).returncode == 0
    pretend = "" if mounted else "simlib._limits.shutil.disk_usage = lambda path: type('D', (), {'free': 10**6})\n"
    code = f"""
{pretend}out = np.lib.format.open_memmap({str(disk / "S.npy")!r}, "w+", np.float32, (3000, 3000))
simlib.cosine_similarity(X, out=out)
print(False)
"""
    try:
        return judged(*child(ITEMS + code))
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(disk)], check=True)


def case_compiled_code_is_cut_off_everywhere(tmp_path):
    """Every file of compiled code is cut to half its size."""
    code = ITEMS + 'print(simlib.kmedoids(X, 9, metric="cosine").inertia)'
    place = {"NUMBA_CACHE_DIR": str(tmp_path)}
    _, first, _ = child(code, **place)
    for path in tmp_path.rglob("*.nb?"):
        os.truncate(path, path.stat().st_size // 2)
    return judged(*child(code, **place), wanted=first.strip())


def case_interrupts_while_text_is_read(tmp_path):
    """Eight interrupts at moments that are spread over the reading of a table."""
    path = tmp_path / "x.csv"
    path.write_text("name,a,b\n" + "".join(f"w{i},{i}.25,{i % 7}.5\n" for i in range(400_000)))
    code = f"import simlib, pandas, simlib.files.text; print('on', flush=True); simlib.load_vectors({str(path)!r})"
    words = set()
    for moment in range(8):
        run = subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        run.stdout.readline()
        time.sleep(0.1 * moment)
        run.send_signal(signal.SIGINT)
        errors = run.communicate(timeout=SECONDS)[1]
        last = (errors.strip().splitlines() or [""])[-1]
        words.add("right" if run.returncode == 0 or last == "KeyboardInterrupt" else "unclear")
    return "right" if words == {"right"} else "unclear"


def case_interrupt_while_zarr_is_written(tmp_path):
    """An interrupt while the matrix is written block by block: no draft is left."""
    code = f"""
import threading, signal, os, time
import dask.array as da
from simlib import distributed
Y = da.from_array(np.random.default_rng(0).normal(size=(6000, 16)), chunks=(500, -1))
def stop():
    while not os.listdir({str(tmp_path)!r}):
        time.sleep(0.01)
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=stop, daemon=True).start()
try:
    distributed.write_zarr(Y, {str(tmp_path / "S.zarr")!r})
except KeyboardInterrupt:
    time.sleep(1)
print(os.listdir({str(tmp_path)!r}) in ([], ["S.zarr"]))
"""
    return judged(*child(ITEMS + code))


def case_long_labels(tmp_path):
    """100,000 labels of 10,000 characters take less than 1 GB."""
    path = tmp_path / "x.csv"
    with path.open("w") as file:
        file.write("name,a,b\n")
        for i in range(100_000):
            file.write(f"{i:06}{'y' * 10_000},{i}.5,{i % 7}\n")
    code = f"""
import resource
found = simlib.load_vectors({str(path)!r})
most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(found.labels[7] == "000007" + "y" * 194 and most < 1_000_000)
"""
    word = judged(*child(ITEMS + code))
    path.unlink()
    return word


def case_a_row_of_a_million_columns(tmp_path):
    """One row of a million numbers is read within the time of a case."""
    path = tmp_path / "x.csv"
    path.write_text(",".join(f"{i % 97}.5" for i in range(1_000_000)) + "\n")
    return judged(*child(ITEMS + f"print(simlib.load_vectors({str(path)!r}).vectors.shape == (1, 1_000_000))"))


def case_ten_rows_of_many_columns(tmp_path):
    """Ten rows of 100,000 numbers, with names above and in front, are read within the time of a case."""
    path = tmp_path / "x.csv"
    rows = [f"r{i}," + ",".join(f"{(i * j) % 97}.5" for j in range(100_000)) for i in range(10)]
    path.write_text("\n".join(["name," + ",".join(f"c{j}" for j in range(100_000)), *rows]) + "\n")
    return judged(*child(ITEMS + f"print(simlib.load_vectors({str(path)!r}).vectors.shape == (10, 100_000))"))
