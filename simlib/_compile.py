"""One way to compile: cached on disk where a cache can be written, still working where it cannot."""

from __future__ import annotations

from collections.abc import Callable

import numba


def compiled(function: Callable | None = None, *, parallel: bool = False, reorder: bool = False) -> Callable:
    """Decorate a numeric loop for Numba; without a writable cache folder it is compiled in each process.

    `reorder` lets the compiler add up in any order and round less often, differently from machine to machine.
    """
    if function is None:
        return lambda f: compiled(f, parallel=parallel, reorder=reorder)
    options = {
        "nogil": True,
        "parallel": parallel,
        "error_model": "numpy",
        "fastmath": {"reassoc", "contract", "nsz"} if reorder else False,
    }
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # Numba found no folder it may write its cache to
        return numba.njit(**options)(function)
