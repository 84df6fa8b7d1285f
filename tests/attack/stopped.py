"""Interrupts and kills at random moments: no part of a file under its final name, and an interrupt is an interrupt."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from tests.attack.verdicts import CRASHED, RIGHT, WRONG, Verdict

WRITERS = {
    "items": """
from simlib.report import numbers
labels = [f"item {i}" for i in range(n)]
while True:
    numbers.write_items("out.csv", labels, fit, np.zeros(n))
""",
    "draft": """
from simlib.data import written_whole
while True:
    with written_whole("out.csv") as draft, open(draft, "w") as file:
        for i in range(n + 1):
            file.write(f"{i}\\n")
""",
    "matrix": """
while True:
    X = rng.normal(size=(700, 20)).astype(np.float32)
    simlib.kmedoids(simlib.cosine_similarity(X), 20)
    simlib.scan_k(X, [2, 9], metric="cosine")
""",
    "text": """
import os
with open("in.csv", "w") as file:
    file.writelines(f"name {i},{i}.5,{i % 7}.25\\n" for i in range(100_000))
print("ready again", flush=True)
while True:
    simlib.load_vectors("in.csv")
""",
}
START = """
import numpy as np, simlib
rng = np.random.default_rng(0)
n = 3000
X = rng.normal(size=(n, 5)).astype(np.float32)
fit = simlib.kmedoids(X[:n], 5, metric="cosine", method="alternate", init="first")
print("ready", flush=True)
"""


def case(rng: np.random.Generator, folder: Path) -> Verdict:
    """One process that is stopped while it works."""
    name = list(WRITERS)[rng.integers(len(WRITERS))]
    kill = bool(rng.random() < 0.5)
    for old in folder.iterdir():
        old.unlink()
    where = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", START + WRITERS[name]]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=where,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as run:
        assert run.stdout is not None
        run.stdout.readline()
        if name == "text":
            run.stdout.readline()
        time.sleep(float(rng.random()) * 1.5)
        told = _stopped(run, signal.SIGKILL if kill else signal.SIGINT)
    if told is None:
        return WRONG, f"{name}: no interrupt came through within a minute"
    if run.returncode not in (-signal.SIGKILL, -signal.SIGINT) or (not kill and "KeyboardInterrupt" not in told):
        return CRASHED, f"{name}: ended with {run.returncode}: {told[-300:]}"
    out = folder / "out.csv"
    if out.exists() and out.read_text().count("\n") != 3001:
        return WRONG, f"{name}: a partial file under its final name"
    if not kill and [each.name for each in folder.glob(".out.*")]:
        return WRONG, f"{name}: an interrupt left a draft"
    return RIGHT, ""


def _stopped(run: subprocess.Popen, how: signal.Signals) -> str | None:
    """Send the signal, and again after 20 seconds; returns what the process told, None if it does not end.

    A person presses the keys again, too: Python drops an interrupt that comes while it collects garbage.
    """
    for _ in range(3):
        run.send_signal(how)
        try:
            return run.communicate(timeout=20)[1]
        except subprocess.TimeoutExpired:
            pass
    os.killpg(run.pid, signal.SIGKILL)
    return None
