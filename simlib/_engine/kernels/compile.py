"""One way to compile a loop: the result is kept on disk, and where that fails the loop still works."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FunctionType
from typing import Any

import numba
from numba.core.caching import FunctionCache

from simlib._engine.kernels.threads import Parallel


def compiled(function: Callable | None = None, *, parallel: bool = False, reorder: bool = False) -> Callable:
    """Compile a numeric loop with Numba. Where compiled code cannot be kept or read, each process compiles anew.

    `reorder` allows the compiler to add numbers up in any order and to round less often. The last bits then differ
    from machine to machine, so only loops whose result is a comparison with a tolerance ask for it.
    """
    if function is None:
        return lambda f: compiled(f, parallel=parallel, reorder=reorder)
    options = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": {"reassoc", "contract", "nsz"} if reorder else False,
    }
    if parallel:
        return Parallel(_kept(function, parallel=True, **options), lambda: _kept(_renamed(function), **options))
    return _kept(function, **options)


def _kept(function: Callable, **options: Any) -> Callable:
    """The function compiled, and kept on disk where there is a folder for it."""
    loop = numba.njit(**options)(function)
    with suppress(RuntimeError):  # Numba found no folder that it may write its cache to
        loop._cache = _Cache(function)
    return loop


def _renamed(function: Callable) -> Callable:
    """The same function by another name: Numba keeps one compiled form by each name."""
    name = function.__name__ + "_alone"
    code = function.__code__.replace(co_name=name, co_qualname=name)
    return FunctionType(code, function.__globals__, name, function.__defaults__, function.__closure__)


class _Cache(FunctionCache):
    """Numba's cache on disk, but one that never stops a call: what cannot be read or written is compiled anew.

    A disk may be full or a file cut off. The index is then removed, so that the next process does not find it either.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled code for some types, None if there is none or it cannot be read."""
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # what is cut off can be wrong in any way
            self._forget()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the compiled code for some types if that is possible."""
        try:
            super().save_overload(sig, data)
        except Exception:  # a full disk, or an index that is cut off
            self._forget()

    def _forget(self) -> None:
        """Remove the index, which may name what is not there."""
        with suppress(OSError):
            Path(self._cache_file._index_path).unlink(missing_ok=True)
