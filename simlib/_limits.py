"""What the machine and its limits leave to this process: memory, and room on a disk."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

PROCESS = Path("/proc/self")
GROUPS = Path("/sys/fs/cgroup")
LIBRARIES = 300_000_000  # bytes of address space that the libraries of linear algebra take once they are loaded
A_THREAD = 100_000_000  # bytes of address space a thread: its stack, its own heap, the buffers of its products
BLOCK = 512  # bytes of what `stat` counts as a block


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_memory() -> int:
    """Bytes that can still be allocated: the least of what the machine, its control groups and limits leave."""
    return max(0, min([psutil.virtual_memory().available, *_left_by_groups(), *left_by_limits()]))


def left_by_limits() -> Iterator[int]:
    """What each limit of the process leaves (``ulimit -v`` and ``-d``); nothing comes where there is no limit."""
    try:
        import resource

        pages = (PROCESS / "statm").read_text().split()
    except (ImportError, OSError):  # there are no such limits here, or no way to know what is used
        return
    for kind, used in ((resource.RLIMIT_AS, pages[0]), (resource.RLIMIT_DATA, pages[5])):
        limit = resource.getrlimit(kind)[0]
        if limit != resource.RLIM_INFINITY:
            yield limit - int(used) * resource.getpagesize()


def taken_in_any_case() -> int:
    """Bytes of address space that the libraries and threads of a computation take, at most, beside its arrays.

    Most of it is reserved and never used. So it counts against a limit of the process, and not as memory.
    """
    return LIBRARIES * ("scipy.linalg" not in sys.modules) + A_THREAD * cores()


def _left_by_groups() -> Iterator[int]:
    """What is left by each control group of this process that has a limit: its own and those around it."""
    for folder, limit, used, cache in _groups():
        try:
            most = (folder / limit).read_text().strip()
            if not most.isdigit():
                continue
            lines = (folder / "memory.stat").read_text().splitlines() if (folder / "memory.stat").exists() else []
            # What the group holds of files is given back at need.
            held = sum(int(line.split()[1]) for line in lines if line.startswith(f"{cache} "))
            yield int(most) - int((folder / used).read_text()) + held
        except OSError:  # the group is not to be seen from in here, or it has no limit
            continue


def _groups() -> Iterator[tuple[Path, str, str, str]]:
    """The control groups of this process, from the outermost inwards, and what their files are called.

    In a container the path may be that on the host. Its parts that do not exist are then passed over.
    """
    try:
        lines = (PROCESS / "cgroup").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines or ["0::/"]:
        _, kinds, path = line.split(":", 2)
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for depth in range(len(parts) + 1):
            if not kinds:
                yield GROUPS.joinpath(*parts[:depth]), "memory.max", "memory.current", "inactive_file"
            elif "memory" in kinds.split(","):
                folder = GROUPS.joinpath("memory", *parts[:depth])
                yield folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"


def reserve_on_disk(path: Path, need: int) -> None:
    """Give a file the blocks that it lacks, so that writing `need` bytes to its memory map cannot fail.

    Raises OSError if the disk has no room for them. A file may be longer than what is stored of it.
    """
    found = path.stat()
    holes = found.st_size - found.st_blocks * BLOCK
    missing = min(need, holes)
    if missing <= 0:
        return
    free = shutil.disk_usage(path).free
    if missing > free:
        raise _no_room(path, missing, free)
    if holes > need or not hasattr(os, "posix_fallocate"):  # others will fill the rest of the file
        return
    with open(path, "r+b") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, found.st_size)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise _no_room(path, missing, shutil.disk_usage(path).free) from None


def _no_room(path: Path, missing: int, free: int) -> OSError:
    """The error that says how much room is missing."""
    return OSError(
        errno.ENOSPC,
        f"out= takes {missing / 1e9:.3g} GB more on its disk and {free / 1e9:.3g} GB are free to this process: make it "
        "float16, which takes half of float32, or put it on another disk",
        str(path),
    )
