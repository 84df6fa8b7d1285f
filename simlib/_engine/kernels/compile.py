"""One way to compile a loop: the result is cached on disk, and where no cache can be written it still works."""

from __future__ import annotations

from collections.abc import Callable

import numba


def compiled(function: Callable | None = None, *, parallel: bool = False, reorder: bool = False) -> Callable:
    """Compile a numeric loop with Numba. Where no folder for the cache is writable, each process compiles anew.

    `reorder` allows the compiler to add numbers up in any order and to round less often. The last bits then differ
    from machine to machine, so only loops whose result is a comparison with a tolerance ask for it.
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
    except RuntimeError:  # Numba found no folder that it may write its cache to
        return numba.njit(**options)(function)
