"""Similarities of vectors of odd shapes, types, layouts and sizes, against a plain computation in float64."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

import simlib
from tests.attack.verdicts import Verdict, of_call

TYPES = ("f2", "f4", "f8", ">f4", ">f8", "i1", "u1", "i2", "i4", "i8", "u8", "g", "?", "c8", "O", "S3")
TOLERANCE = {2: 1e-3, 4: 4e-6}  # by the bytes of a number
LAYOUTS = ("C", "F", "reversed", "strided", "list", "tensor", "sparse", "frame", "readonly", "memmap")


def drawn(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """Vectors with ties, copies, zero rows and constant rows."""
    X = rng.normal(size=(n, d)) if rng.random() < 0.5 else rng.integers(-3, 4, (n, d)).astype(np.float64)
    for row in range(n):
        chance = rng.random()
        if chance < 0.1:
            X[row] = 0
        elif chance < 0.2:
            X[row] = X[rng.integers(n)]
        elif chance < 0.25:
            X[row] = 2.0
    return X


def laid_out(rng: np.random.Generator, X: np.ndarray, layout: str, folder: Path) -> Any:
    """The same numbers in another layout or container."""
    if layout == "F":
        return np.asfortranarray(X)
    if layout == "reversed":
        return np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1]
    if layout == "strided":
        wide = np.zeros((2 * len(X), 3 * X.shape[1]), X.dtype)
        wide[::2, ::3] = X
        return wide[::2, ::3]
    if layout == "list":
        return X.tolist()
    if layout == "tensor" and X.dtype.kind in "fiu" and X.dtype.isnative and X.dtype.itemsize <= 8:
        return torch.from_numpy(X.copy())
    if layout == "sparse":
        from scipy.sparse import csc_array, csr_matrix

        return (
            (csc_array, csr_matrix)[rng.integers(2)](X)
            if X.dtype.kind in "fiu" and X.dtype.isnative and X.dtype != np.float16
            else X
        )
    if layout == "frame" and X.dtype.isnative and X.dtype.kind in "fiu" and X.dtype.itemsize <= 8:
        import pandas as pd

        return pd.DataFrame(X)
    if layout == "readonly":
        X = X.copy()
        X.setflags(write=False)
        return X
    if layout == "memmap" and X.dtype.kind in "fiu":
        np.save(folder / "X.npy", X)
        return np.load(folder / "X.npy", mmap_mode="r")
    return X


def oracle(x: np.ndarray, y: np.ndarray, centred: bool) -> np.ndarray:
    """Cosines, or correlations, in long double."""
    unit = []
    for z in (x, y):
        z = z.astype(np.longdouble)
        if centred:
            constant = z.max(axis=1) == z.min(axis=1)
            z = z - z.mean(axis=1, keepdims=True)
            z[constant] = 0
        length = np.sqrt((z * z).sum(axis=1, keepdims=True))
        unit.append(np.divide(z, length, out=np.zeros_like(z), where=length > 0))
    return (unit[0] @ unit[1].T).astype(np.float64)


def case(rng: np.random.Generator, folder: Path) -> Verdict:
    """One call of `cosine_similarity` or `correlation`."""
    n, m, d = (int(rng.integers(1, 40)) for _ in range(3))
    kind, layout = TYPES[rng.integers(len(TYPES))], LAYOUTS[rng.integers(len(LAYOUTS))]
    X, Y = drawn(rng, n, d), drawn(rng, m, d)
    size = 2.0 ** rng.integers(-6, 7) if np.dtype(kind).kind == "f" else 1.0
    if kind in ("u1", "u8", "?"):
        X, Y = abs(X), abs(Y)
    with np.errstate(all="ignore"):
        X, Y = ((size * Z).astype(kind) for Z in (X, Y))
    centred, both = bool(rng.random() < 0.5), bool(rng.random() < 0.5)
    function = simlib.correlation if centred else simlib.cosine_similarity
    options: dict[str, Any] = {}
    if rng.random() < 0.3:
        options["block_size"] = int(rng.integers(1, 50))
    if rng.random() < 0.3:
        options["dtype"] = (np.float16, np.float32, np.float64)[rng.integers(3)]
    if rng.random() < 0.2:
        options["out"] = np.full((n, m if both else n), 7, ("f2", "f4", "f8")[rng.integers(3)])
    given = []
    for side in (X, Y) if both else (X,):
        (folder / str(len(given))).mkdir()
        given.append(laid_out(rng, side, layout, folder / str(len(given))))
    stored = [np.dtype(kind), np.dtype(options.get("dtype", kind))]
    stored += [options["out"].dtype] if "out" in options else []
    tolerance = max([1e-12, *(TOLERANCE.get(each.itemsize, 0) for each in stored if each.kind == "f")])
    if kind in ("?", "c8", "O", "S3"):
        return of_call(lambda: function(*given, **options), ("X", "Y"), None if layout != "list" else lambda _: True)
    wanted = oracle(X, Y if both else X, centred)
    if not both:
        np.fill_diagonal(wanted, [float(bool(row.any())) for row in np.abs(wanted)])

    def agrees(found: Any) -> bool:
        return bool(np.allclose(np.asarray(found, np.float64), wanted, rtol=0, atol=tolerance))

    said = of_call(lambda: function(*given, **options), ("X", "Y", "out"), agrees)
    return said[0], f"{n} x {m} x {d} {kind} {layout} centred={centred} {options.keys()}: {said[1]}"
