"""What the machine may do to a call: forks, threads, a broken cache, too little memory or room on the disk.

What can end a process is tried in a child process, which has a time limit.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import simlib

ROOT = Path(simlib.__file__).parents[1]
LIMIT = 240  # seconds for a child, which may have to compile everything

DATA = """
import numpy as np, simlib
S = simlib.cosine_similarity(np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32))
"""


def child(code, *, limit=LIMIT, setup=None, **variables):
    """Run some code in a process of its own; returns what came of it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-c", code]
    if setup:
        command = ["bash", "-c", f'{setup}; exec "$@"', "bash", *command]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit)


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of its own of 128 KB; skips where none can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


# Forks and threads

FORKED = """
import multiprocessing

def work(_):
    found = simlib.kmedoids(S, 5, n_init=2)
    near = simlib.assign(S.astype(np.float16), found.medoids)
    own = simlib.silhouette(S, found.labels)
    free = simlib.kmedoids(S, 3, metric="cosine", init="build")
    return found.medoids.tolist(), repr(found.inertia), repr(near.inertia), repr(own), repr(free.inertia)

here = work(0)
with multiprocessing.get_context("fork").Pool(2) as pool:
    there = pool.map_async(work, range(3)).get(200)
print(all(each == here for each in there), len(there))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
@pytest.mark.parametrize("layer", ["default", "workqueue"])
def test_processes_that_are_forked_off_after_a_call_give_the_same_bits(layer):
    run = child(DATA + FORKED, NUMBA_THREADING_LAYER=layer)
    assert (run.returncode, run.stdout.strip()) == (0, "True 3"), run.stderr[-2000:]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_process_that_is_forked_off_during_a_product_gets_its_blas_threads_back():
    code = """
import os
from threading import Event, Thread
from threadpoolctl import ThreadpoolController
from simlib._engine.tiles import one_blas_thread

def threads():
    return [library.num_threads for library in ThreadpoolController().select(user_api="blas").lib_controllers]

before, inside, done = threads(), Event(), Event()
def hold():
    with one_blas_thread():
        inside.set()
        done.wait()
holder = Thread(target=hold)
holder.start()
inside.wait()
if not os.fork():
    with one_blas_thread():
        held = threads()
    print(held == [1] * len(held), threads() == before, flush=True)
    os._exit(0)
os.wait()
done.set()
"""
    run = child(code, limit=60)
    assert (run.returncode, run.stdout.strip()) == (0, "True True"), run.stderr[-2000:]


@pytest.mark.parametrize("layer", ["default", "workqueue"])
def test_several_threads_may_call_at_once(layer):
    code = """
from concurrent.futures import ThreadPoolExecutor
one = simlib.kmedoids(S, 7)
with ThreadPoolExecutor(4) as pool:
    found = list(pool.map(lambda _: simlib.kmedoids(S, 7), range(24)))
print(all(each.medoids.tolist() == one.medoids.tolist() and each.inertia == one.inertia for each in found))
"""
    run = child(DATA + code, NUMBA_THREADING_LAYER=layer)
    assert (run.returncode, run.stdout.strip()) == (0, "True"), run.stderr[-2000:]


# The cache of compiled code

FITTED = DATA + "print(simlib.kmedoids(S, 5).medoids)"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A folder with the compiled code of one fit, and what that fit printed."""
    folder = tmp_path_factory.mktemp("compiled")
    run = child(FITTED, NUMBA_CACHE_DIR=str(folder))
    assert run.returncode == 0, run.stderr[-2000:]
    assert any(folder.rglob("*.nbc"))
    return folder, run.stdout


@pytest.mark.parametrize("which", ["*.nbi", "*.nbc"])
@pytest.mark.parametrize("size", [0, 100])
def test_compiled_code_that_is_cut_off_is_compiled_anew(cache, tmp_path, which, size):
    folder, printed = cache
    shutil.copytree(folder, tmp_path / "copy")
    cut = sorted((tmp_path / "copy").rglob(which))
    # All the loops of one file: to compile everything anew would take a minute.
    cut = [path for path in cut if path.name.startswith("tiles.")]
    assert cut
    whole = {path: path.stat().st_size for path in cut}
    for path in cut:
        os.truncate(path, size)
    run = child(FITTED, NUMBA_CACHE_DIR=str(tmp_path / "copy"))
    assert (run.returncode, run.stdout, run.stderr) == (0, printed, "")
    assert all(path.stat().st_size > size for path in whole)


def test_a_full_disk_keeps_no_compiled_code_and_stops_no_call(small_disk, cache):
    _, printed = cache
    run = child(FITTED, NUMBA_CACHE_DIR=str(small_disk / "compiled"))
    assert (run.returncode, run.stdout, run.stderr) == (0, printed, "")
