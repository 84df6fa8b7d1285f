"""Tables of text in many dialects: the numbers and the labels that were written, or refused clearly."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import simlib
from tests.attack.verdicts import Verdict, of_call

ENCODINGS = ("utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1")


def case(rng: np.random.Generator, folder: Path) -> Verdict:
    """One table of vectors, or one matrix with names, as text."""
    return _matrix(rng, folder) if rng.random() < 0.3 else _vectors(rng, folder)


def _written(rng: np.random.Generator, value: float, comma: bool, form: int) -> str:
    """A number as text, with a point or a comma."""
    text = (f"{value:.3f}", f"{value:.2e}", f"{value:+.3f}", f"{value:.3f}0")[form]
    return text.replace(".", ",") if comma else text


def _vectors(rng: np.random.Generator, folder: Path) -> Verdict:
    """A table of vectors with a column of names."""
    n, d = int(rng.integers(2, 30)), int(rng.integers(1, 7))
    values = np.round(rng.normal(size=(n, d)) * 10.0 ** rng.integers(-1, 3), 3)
    between = (",", ";", "\t", "|")[rng.integers(4)]
    comma = bool(between != "," and rng.random() < 0.4)
    form = int(rng.choice([0, 0, 2, 3]))
    end = ("\n", "\r\n")[rng.integers(2)]
    names = [f"item {'äé日'[i % 3]}{i}" if rng.random() < 0.5 else f"item {i}" for i in range(n)]
    encoding = ENCODINGS[rng.integers(len(ENCODINGS))]
    at = int(rng.integers(d + 1))
    quoted = bool(rng.random() < 0.3)
    lines = []
    if heading := rng.random() < 0.8:
        lines.append(between.join([*(f"x{j}" for j in range(at)), "name", *(f"x{j}" for j in range(at, d))]))
    for name, row in zip(names, values, strict=True):
        cells = [_written(rng, value, comma, form) for value in row]
        cells.insert(at, f'"{name}"' if quoted else name)
        lines.append(between.join(cells))
    if rng.random() < 0.1:
        lines[-1] = lines[-1][: len(lines[-1]) // 2]  # cut off
        names = None
    text = end.join(lines) + (end if rng.random() < 0.8 else "")
    path = folder / ("x.csv", "x.tsv", "x.txt")[rng.integers(3)]
    path.write_bytes(text.encode(encoding, "replace"))

    def agrees(found: simlib.Loaded) -> bool:
        if names is None or encoding == "latin-1":  # what can be read of it is right
            return found.vectors.shape[1] == d and np.allclose(
                found.vectors[: n - 1], values[: len(found.vectors)][: n - 1], atol=1e-3
            )
        return np.allclose(found.vectors, values, rtol=1e-5, atol=1e-6) and found.labels.tolist() == names

    said = of_call(lambda: simlib.load_vectors(path), (path.name,), agrees)
    about = f"{path.name} {between!r} comma={comma} form={form} {encoding} at={at} heading={heading}"
    return said[0], f"{about} {text[:120]!r}: {said[1]}"


def _matrix(rng: np.random.Generator, folder: Path) -> Verdict:
    """A matrix of distances with names above, in front or both; some with a fault."""
    n = int(rng.integers(3, 12))
    points = rng.normal(size=(n, 2))
    D = np.round(np.sqrt(((points[:, None] - points) ** 2).sum(axis=2)), 4)
    names = [f"n{i}" for i in rng.permutation(n)]
    above, front, fault = bool(rng.random() < 0.7), bool(rng.random() < 0.7), int(rng.integers(5))
    head, rows, table = list(names), list(names), D.astype(object)
    if fault == 1 and above and front:
        head[0], head[1] = head[1], head[0]
        if rng.random() < 0.5:  # with values that do not tell
            table = np.ones((n, n), object) - np.eye(n)
    elif fault == 2:
        table[n - 1, 0] = table[n - 1, 0] + 1
    elif fault == 3:
        table[1, 2] = ("nan", "x", "")[rng.integers(3)]
    else:
        fault = 0
    if fault == 1 and not (above and front):
        fault = 0
    lines = [",".join([*([""] if front else []), *head])] if above else []
    lines += [",".join([*([name] if front else []), *map(str, row)]) for name, row in zip(rows, table, strict=True)]
    path = folder / "D.csv"
    path.write_text("\n".join(lines) + "\n")

    def agrees(found: tuple) -> bool:
        matrix, labels = found
        right = labels.tolist() == (names if above or front else [str(i) for i in range(n)])
        return fault == 0 and right and np.allclose(matrix, D, atol=1e-6)

    def call() -> tuple:
        loaded = simlib.load_matrix(path)
        simlib.kmedoids(loaded.matrix, 2, metric="precomputed")
        return loaded.matrix, loaded.labels

    said = of_call(call, (path.name, "A must", "A has"), agrees)
    return said[0], f"n={n} above={above} front={front} fault={fault} {lines[:2]}: {said[1]}"
