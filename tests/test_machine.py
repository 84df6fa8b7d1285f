"""What the machine may do to a call: forks, threads, a broken cache, too little memory or room on the disk.

What can end a process is tried in a child process, which has a time limit.
"""

import errno
import os
import shutil
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import psutil
import pytest

import simlib
from simlib import _check, _limits
from simlib.files.watched import Watched

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


# Memory


def pretend(folder, monkeypatch, groups, **files):
    """Put a machine without limits, but with these control groups, in the place of this one."""
    (folder / "proc").mkdir()
    (folder / "proc" / "cgroup").write_text(groups)
    monkeypatch.setattr(_limits, "PROCESS", folder / "proc")
    monkeypatch.setattr(_limits, "GROUPS", folder)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize(
    ("groups", "files", "free"),
    [
        ("0::/\n", {"memory.max": "5000\n", "memory.current": "2000\n"}, 3000),
        ("0::/a/b\n", {"a/memory.max": "5000", "a/memory.current": "2000", "a/b/memory.max": "max"}, 3000),
        (
            "0::/a/b\n",
            {"a/memory.max": "9000", "a/memory.current": "2000", "a/b/memory.max": "600", "a/b/memory.current": "100"},
            500,
        ),
        ("0::/on/the/host\n", {"memory.max": "5000", "memory.current": "2000"}, 3000),
        (
            "0::/\n",
            {
                "memory.max": "5000",
                "memory.current": "4500",
                "memory.stat": "anon 1000\nfile 3500\ninactive_file 3000\n",
            },
            3500,
        ),
        ("0::/\n", {"memory.max": "5000", "memory.current": "5100"}, 0),
        (
            "3:cpu,memory:/a\n0::/\n",
            {
                "memory/a/memory.limit_in_bytes": "7000",
                "memory/a/memory.usage_in_bytes": "4000",
                "memory/a/memory.stat": "inactive_file 900\ntotal_inactive_file 1000\n",
            },
            4000,
        ),
        ("3:memory:/a\n", {"memory/memory.limit_in_bytes": "70", "memory/memory.usage_in_bytes": "40"}, 30),
    ],
)
def test_the_least_that_a_control_group_leaves(groups, files, free, tmp_path, monkeypatch):
    pretend(tmp_path, monkeypatch, groups, **files)
    assert _check.available_memory() == free


@pytest.mark.parametrize("groups", ["0::/\n", "0::/a\n", "4:memory:/\n", ""])
def test_without_limits_the_machine_counts(groups, tmp_path, monkeypatch):
    pretend(tmp_path, monkeypatch, groups, **{"memory.max": "max\n", "memory.current": "2000\n"})
    assert 1_000_000 < _check.available_memory() <= psutil.virtual_memory().total


@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are of Linux")
@pytest.mark.parametrize("kind", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_a_limit_of_the_process_counts(kind):
    code = f"""
import resource
from simlib import _check, _limits
pages = open("/proc/self/statm").read().split()
used = int(pages[0 if "{kind}" == "RLIMIT_AS" else 5]) * resource.getpagesize()
resource.setrlimit(resource.{kind}, (used + 100_000_000, resource.RLIM_INFINITY))
print(90_000_000 < _check.available_memory() < 110_000_000, _check.room_for_arrays())
"""
    run = child(code, limit=60)
    assert (run.returncode, run.stdout.split()) == (0, ["True", "0"]), run.stderr[-2000:]


WITHIN = """
import numpy as np, simlib
X = np.random.default_rng(0).normal(size=(6000, 32)).astype(np.float32)
try:
    simlib.cosine_similarity(X)
    simlib.kmedoids(X, 20, metric="cosine")
    print("right")
except MemoryError as error:
    print("MemoryError", error)
"""


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("bash"), reason="limits of address space are of Linux")
@pytest.mark.parametrize("megabytes", [900, 1200, 2500])
def test_a_limit_of_address_space_ends_in_a_result_or_in_one_memory_error(megabytes):
    run = child(WITHIN, setup=f"ulimit -v {megabytes * 1000}", OPENBLAS_NUM_THREADS="2", NUMBA_NUM_THREADS="2")
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stdout.startswith("MemoryError" if megabytes == 900 else ("right", "MemoryError"))
    assert len(run.stdout.splitlines()) == 1
    assert run.stderr == ""


def test_a_thread_that_cannot_be_started_is_a_memory_error(monkeypatch):
    def refuse(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("simlib._engine.tiles.ThreadPoolExecutor.submit", refuse)
    with pytest.raises(MemoryError, match=r"no further thread can be started: raise the limits .* taskset -c 0 python"):
        simlib.cosine_similarity(np.eye(3))


# Room on a disk


def test_a_map_of_a_file_on_a_disk_that_is_too_small_is_refused_before_the_work(small_disk):
    out = np.lib.format.open_memmap(small_disk / "S.npy", "w+", np.float32, (400, 400))
    before = (small_disk / "S.npy").stat().st_blocks
    with pytest.raises(OSError, match=r"out= takes 0\.0006\d* GB more on its disk and 0\.0001\d* GB are free"):
        simlib.cosine_similarity(np.eye(400, dtype=np.float32), out=out)
    assert (small_disk / "S.npy").stat().st_blocks == before


def test_the_free_room_is_asked_before_the_work(tmp_path, monkeypatch):
    class Disk:
        free = 1000

    out = np.lib.format.open_memmap(tmp_path / "S.npy", "w+", np.float32, (400, 400))
    whole = out[:]
    monkeypatch.setattr("simlib._limits.shutil.disk_usage", lambda path: Disk)
    for each in (out, whole, whole.view(np.ndarray)):
        with pytest.raises(OSError, match="1e-06 GB are free to this process: make it float16") as caught:
            simlib.cosine_similarity(np.eye(400, dtype=np.float32), out=each)
        assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "S.npy"))
    monkeypatch.undo()
    assert np.array_equal(simlib.cosine_similarity(np.eye(400, dtype=np.float32), out=out), np.eye(400))
    monkeypatch.setattr("simlib._limits.shutil.disk_usage", lambda path: Disk)
    simlib.cosine_similarity(np.eye(400, dtype=np.float32), out=out)  # now the file has all its blocks


def test_a_quota_is_asked_before_the_work(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    out = np.lib.format.open_memmap(tmp_path / "S.npy", "w+", np.float32, (400, 400))
    monkeypatch.setattr("simlib._limits.os.posix_fallocate", refuse)
    with pytest.raises(OSError, match="out= takes"):
        simlib.cosine_similarity(np.eye(400, dtype=np.float32), out=out)


# Interrupts and long texts


@pytest.mark.parametrize("name", ["x.csv", "x.vec"])
def test_an_interrupt_while_text_is_read_is_no_broken_file(name, tmp_path, monkeypatch):
    rows = [f"w{i} {i}.5 2.5 {i % 7}.25" for i in range(3000)]
    text = "\n".join(rows) if name == "x.vec" else "name,a,b,c\n" + "\n".join(rows).replace(" ", ",")
    (tmp_path / name).write_text(text)
    calls = []

    def stopped(file, size=-1):
        calls.append(size)
        os.kill(os.getpid(), signal.SIGINT)
        return file.read(size)

    monkeypatch.setattr("simlib.files.watched.Watched.read", lambda self, size=-1: stopped(self.file, size))
    with pytest.raises(KeyboardInterrupt):
        simlib.load_vectors(tmp_path / name)
    assert calls


def test_pandas_without_memory_is_no_broken_file():
    with pytest.raises(MemoryError, match=r"there is no memory for x\.csv"):
        Watched(None).raise_cause("x.csv", ValueError("Error tokenizing data. C error: out of memory"))


def test_long_labels_are_cut_while_they_are_read(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("name,a,b\n" + "".join(f"{i:05}{'y' * 10_000},{i},{i % 3}\n" for i in range(2000)))
    tracemalloc.start()
    found = simlib.load_vectors(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.labels[7] == "00007" + "y" * 195
    assert found.card["dropped"] == ["The ends of 2000 labels longer than 200 characters."]
    assert peak < 150e6


def test_row_numbers_are_as_wide_as_the_largest(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(1001, 2)))
    labels = simlib.load_vectors(tmp_path / "x.npy").labels
    assert labels.dtype == "<U4"
    assert (labels == np.arange(1001).astype(str)).all()


# Wide tables


def rows_of(*rows):
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        rows_of("name,a,b,c", "x,1.5,2,3", "y,4,,6", "z,7,NA,9.25"),
        rows_of("name;a;b", "x;1,5;2", 'y;"3,25";4'),
        rows_of("1.5,2,3", "4,5,6"),
        rows_of("id,a,b", *(f"{i:03},{i}.5,{i % 3}.25" for i in range(12))),
        rows_of("a,class,b", *(f"{i}.5,{i % 2},{i}.25" for i in range(30))),
        rows_of("name\ta\tb", "\\N\t1.5\t2", "y\t3\t4"),
        rows_of("name,a,b", "x,1_000,2", "y,3,4"),
        rows_of("name,a,b", "x,5%,2", "y,7%,4"),
        rows_of("name,other,a", "x,p,1.5", "y,q,4"),
        rows_of("name,a,b", "é, 1.5 ,2", '"y, z",inf,4', "w,2,1", "v,2,3"),
        rows_of("name,a,b", "x,1.5,2", "", "y,3,4"),
        rows_of("name,a,empty", "x,1.5,", "y,3,"),
        rows_of("date,a,b", *(f"2020-01-{i:02},{i}.5,{i}.25" for i in range(1, 13))),
    ],
)
def test_a_wide_table_is_read_as_any_other(text, tmp_path, monkeypatch):
    (tmp_path / "x.csv").write_text(text)
    found = []
    for fewest in (10**9, 1):
        monkeypatch.setattr("simlib.files.wide.FEWEST_COLUMNS", fewest)
        try:
            loaded = simlib.load_vectors(tmp_path / "x.csv")
            found.append((loaded.vectors.tolist(), loaded.labels.tolist(), str(loaded.card)))
        except ValueError as error:
            found.append(str(error))
    assert found[0] == found[1]


@pytest.mark.parametrize("row", ["r20,1,2", "r20,1,2,3,4", "r20,1,x,3"])
def test_what_is_not_plain_far_down_in_a_wide_table_is_refused_as_in_any_other(row, tmp_path, monkeypatch):
    monkeypatch.setattr("simlib.files.wide.FEWEST_COLUMNS", 1)
    monkeypatch.setattr("simlib.files.pieces.ROWS_A_PIECE", 4)
    path = tmp_path / "x.csv"
    path.write_text(rows_of("name,a,b,c", *(f"r{i},1.5,2,{i}" for i in range(60)), row))
    if row == "r20,1,2":
        found = simlib.load_vectors(path)
        assert "1 rows with a missing or infinite number" in found.card["dropped"][0]
        assert len(found.vectors) == 60
    else:
        with pytest.raises(ValueError, match=r"line 62 has 5 fields|column 'b' holds 'x' in row 60"):
            simlib.load_vectors(path)


def test_a_table_of_many_columns_is_read_row_by_row(tmp_path, monkeypatch):
    rows = np.random.default_rng(0).integers(0, 1000, (3, 6000)) / 8
    text = ["name," + ",".join(f"c{j}" for j in range(6000))]
    text += [f"r{i}," + ",".join(map(str, row)) for i, row in enumerate(rows)]
    (tmp_path / "x.csv").write_text("\n".join(text))
    monkeypatch.setattr("pandas.read_csv", None)
    found = simlib.load_vectors(tmp_path / "x.csv")
    assert found.labels.tolist() == ["r0", "r1", "r2"]
    assert np.array_equal(found.vectors, rows)
