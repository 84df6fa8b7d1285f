"""Where a parallel loop can run: on Numba's threads, on them one call at a time, or on one thread.

Numba's threads come from one of three layers. A process that was forked off has lost those of OpenMP, and OpenMP ends
a process that asks for them. So there a loop is compiled once more, without threads. The layer called workqueue
stands a fork, but it ends a process in which two threads enter it; so there loops wait for one another.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import RLock
from typing import Any

import numba

FOR_MANY_CALLERS = ("tbb", "omp")  # layers that several threads may enter at once
LOST_BY_A_FORK = ("omp",)


class _Layer:
    """What is known about Numba's layer of threads in this process."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.takes_many = False  # whether it is known that several threads may enter it at once
        self.lost = False  # whether it stayed behind in the process that this one was forked off

    def name(self) -> str | None:
        """The layer in use; None before the first parallel loop."""
        try:
            return numba.threading_layer()
        except ValueError:
            return None

    def forked(self) -> None:
        """Note, in a process that was just forked off, what has become of the threads."""
        self.lock = RLock()
        self.lost = self.lost or self.name() in LOST_BY_A_FORK


_layer = _Layer()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_layer.forked)


class Parallel:
    """A parallel loop that can be called in any process, and from any thread. The bits of its results are the same."""

    def __init__(self, loop: Callable, compile_alone: Callable[[], Callable]) -> None:
        self.loop, self.compile_alone = loop, compile_alone
        self.alone: Callable | None = None
        self.__doc__, self.py_func = loop.__doc__, getattr(loop, "py_func", loop)

    def on_one_thread(self, *arguments: Any) -> Any:
        """The same without threads: for work so small that to wait for them would take longer."""
        if self.alone is None:
            self.alone = self.compile_alone()
        return self.alone(*arguments)

    def __call__(self, *arguments: Any) -> Any:
        if _layer.lost:
            return self.on_one_thread(*arguments)
        if _layer.takes_many:
            return self.loop(*arguments)
        with _layer.lock:
            found = self.loop(*arguments)
            _layer.takes_many = _layer.name() in FOR_MANY_CALLERS
            return found
