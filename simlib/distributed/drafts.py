"""Results that many workers write: under another name first, renamed when they are whole, removed when that fails."""

from __future__ import annotations

import os
import secrets
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition


class _Writers:
    """The parts that threads of this process are writing. After an interrupt they would bring a draft back to life."""

    def __init__(self) -> None:
        self.changed = Condition()
        self.writing: Counter[str] = Counter()
        self.given_up: set[str] = set()

    @contextmanager
    def one_more(self, draft: str) -> Iterator[bool]:
        """Count one part more for as long as it is written; says whether it is wanted."""
        with self.changed:
            wanted = draft not in self.given_up
            self.writing[draft] += wanted
        try:
            yield wanted
        finally:
            with self.changed:
                self.writing[draft] -= wanted
                self.changed.notify_all()

    def give_up(self, draft: str) -> None:
        """Let no further part be written, and wait for those that are under way."""
        with self.changed:
            self.given_up.add(draft)
            self.changed.wait_for(lambda: not self.writing[draft])


writers = _Writers()  # what workers run reaches it through this module: it cannot travel itself


@contextmanager
def draft_of(path: Path) -> Iterator[str]:
    """A new name beside `path`, which must not exist, for what is renamed to it when the body is done."""
    if path.exists():
        raise FileExistsError(f"{path} exists already: name another, or remove it first")
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        yield str(draft)
        os.rename(draft, path)
    finally:
        writers.give_up(str(draft))
        shutil.rmtree(draft, ignore_errors=True)
