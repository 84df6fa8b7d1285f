"""What really stopped pandas while it read a file: it may forget an interrupt and say that the file is broken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class Watched:
    """A file of text that keeps the error that stopped it. It has what pandas asks of a file."""

    def __init__(self, file: Any) -> None:
        self.file = file
        self.error: BaseException | None = None

    def read(self, size: int | None = -1) -> str:
        """The next signs of the file, about `size` of them."""
        try:
            return self.file.read(size)
        except BaseException as error:
            self.error = error
            raise

    def __iter__(self) -> Iterator[str]:
        return iter(self.file)

    def raise_cause(self, name: str, error: Exception) -> None:
        """Raise what lies behind an error of pandas if it is an interrupt, the file's own error or a lack of memory."""
        if "Calling read" in str(error):
            raise (self.error or KeyboardInterrupt()) from None  # an interrupt may come before it can be kept
        if "out of memory" in str(error):
            raise MemoryError(f"there is no memory for {name}: take fewer rows or columns") from None
