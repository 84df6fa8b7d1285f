"""How an iteration is told to a progress bar and to the caller's callback, with the seconds it took."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from tqdm.auto import tqdm

from simlib._labels import figures

Callback = Callable[[int, int, float, float], None]  # iteration, changed medoids, loss, seconds


class Progress:
    """A bar over iterations; leaving the ``with`` block closes it."""

    def __init__(
        self, name: str, k: int, shown: bool = False, callback: Callback | None = None, unit: str = "passes"
    ) -> None:
        self.k, self.shown, self.callback = k, shown, callback
        self.bar = tqdm(desc=name, unit=f" {unit}", disable=not shown)
        self.began = time.perf_counter()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.close()

    def tell(self, iteration: int, changed: int, loss: float) -> None:
        """One more iteration is done: so many medoids changed, and the loss is this."""
        seconds = time.perf_counter() - self.began
        self.bar.update()
        self.note(f"{self.k - changed} of {self.k} medoids unchanged, inertia {figures(loss, 4)}, {seconds:.2f} s")
        if self.callback is not None:
            self.callback(iteration, changed, loss, seconds)
        self.began = time.perf_counter()

    def note(self, text: str) -> None:
        """A remark behind the bar."""
        self.bar.set_postfix_str(text)
