"""Libraries that only a part of simlib needs: the extras of its installation, and what is said when one is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class NotInstalledError(ImportError, ValueError):
    """A library that an extra brings is not installed."""


@contextmanager
def extra(name: str, user: str) -> Iterator[None]:
    """Import libraries of the extra `name` in the body; raise what to install where `user` lacks one of them."""
    try:
        yield
    except ModuleNotFoundError as error:
        library = str(error.name).partition(".")[0]
        if library == "simlib":
            raise
        raise NotInstalledError(
            f'{user} needs {library}, which is not installed: pip install "simlib[{name}]"', name=library
        ) from None
