"""Interrupts sent to a call under test."""

import signal
import threading
import time


class Interrupts:
    """Interrupts the main thread after so many seconds, and again each half second until it hears.

    A person presses the keys again, too: Python drops an interrupt that comes while it collects garbage.
    """

    def __init__(self, after):
        self.after, self.sent, self.heard = after, [], threading.Event()
        self.thread = threading.Thread(target=self._send)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.heard.set()
        self.thread.join()

    def seconds(self):
        """How long it took from the first interrupt to now; no more are sent."""
        self.heard.set()
        return time.perf_counter() - self.sent[0]

    def _send(self):
        wait = self.after
        while not self.heard.wait(wait):
            self.sent.append(time.perf_counter())
            signal.raise_signal(signal.SIGINT)
            wait = 0.5
