"""Wrong kinds of values for every parameter of every public function: refused by the parameter's name."""

from __future__ import annotations

import contextlib
import inspect
import io
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

import simlib
from simlib import distributed, plots, report, widgets
from tests.attack.verdicts import RIGHT, WRONG, Verdict, of_call


class Odd:
    """A thing that is nothing that anybody expects."""


VALUES: tuple[Any, ...] = (
    *(None, "x", float("nan"), float("inf"), -1, 2.5, True, 3, 10**30, 10**5000, b"x", 1 + 2j, np.float64(2)),
    *("x" * 10**6, [], [None], ["a", "b"], [[1], [1, 2]], {"a"}, {"a": 1}, Odd(), lambda *_: None),
    *(np.array("x"), np.full((2, 2), np.nan), np.zeros((0, 4)), np.zeros((3, 4), object), np.zeros((2, 2, 2))),
)  # fmt: skip
WHOLE = {"block_size", "n_clusters", "n_init", "random_state", "max_iter", "k", "rounds", "side", "labelled", "top"} | {
    *("cards", "n", "named")
}
ANY_SIZE = {"block_size", "random_state", "max_iter", "side", "labelled", "top", "cards", "tol", "noise_price"}
NUMBERS = {"threshold", "max_seconds", "tol", "noise_price", "limit"}
FUNCTIONS = {"callback", "on_cell", "on_start", "on_wait"}
FINE = {  # pairs of a parameter and a value, by what the value is printed as, that are as they should be
    ("columns", "['a', 'b']"),
    ("title", "'x'"),
    ("title", repr("x" * 10**6)),
    ("parameters", "{'a': 1}"),
    ("path", "'x'"),
    ("X", repr(np.full((2, 2), np.nan))),  # columns are shuffled with all that is in them
    *((name, "[]") for name in ("must", "never")),
}


@cache
def _given() -> dict[str, tuple[Callable, dict[str, Any]]]:
    """Every public function with arguments that it takes."""
    import dask.array as da
    import nbformat

    X = np.random.default_rng(0).normal(size=(12, 4))
    S = simlib.cosine_similarity(X)
    fit, by_vectors = simlib.kmedoids(S, 3), simlib.kmedoids(X, 3, metric="cosine")
    scan, stable = simlib.scan_k(S, [2, 3]), simlib.stability(S, 3, rounds=2)
    names, chunked = [f"item {i}" for i in range(12)], da.from_array(X, chunks=(5, 4))
    run = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# One")])
    found = {name: getattr(simlib, name) for name in simlib.__all__ if inspect.isfunction(getattr(simlib, name))}
    arguments: dict[str, dict[str, Any]] = {
        "cosine_similarity": {"X": X},
        "correlation": {"X": X},
        "kmedoids": {"A": S, "n_clusters": 3},
        "assign": {"A": S, "medoids": [0, 1]},
        "certify": {"A": S, "medoids": [0, 1]},
        "scan_k": {"A": S, "ks": [2, 3]},
        "silhouette": {"A": S, "labels": fit.labels},
        "stability": {"A": S, "k": 2, "rounds": 2},
        "shuffle_columns": {"X": X},
        "ensemble": {"A": S, "k": 3, "n_init": 2},
        "neighbours": {"A": S, "rows": [0], "k": 2},
        "pairs_above": {"A": S, "threshold": 0.5},
        "optimality_gap": {"A": S, "medoids": [0, 1]},
        "prove": {"A": S, "medoids": [0, 1]},
        "load": {"name": "digits"},
        "load_vectors": {"path": "x.csv"},
        "load_matrix": {"path": "S.npy"},
    }
    given = {name: (function, arguments[name]) for name, function in found.items()}
    square, of_fit = {"S": S}, {"fit": fit}
    given |= {
        "fit.predict": (fit.predict, {"A": S[:, :3]}),
        "fit.predict of vectors": (by_vectors.predict, {"A": X}),
        "fit.members": (fit.members, {"j": 0}),
        "scan.picks": (scan.picks, {}),
        "similarity_histogram": (plots.similarity_histogram, square),
        "clusters_2d": (plots.clusters_2d, {"points": X[:, :2], **of_fit}),
        "history": (plots.history, {"fits": {"one": fit}}),
        "k_curve": (plots.k_curve, {"scan": scan, "criterion": "inertia"}),
        "stability_curve": (plots.stability_curve, {"scores": {3: stable}}),
        "cluster_sizes": (plots.cluster_sizes, of_fit),
        "block_matrix": (plots.block_matrix, square | of_fit),
        "medoid_positions": (plots.medoid_positions, square | of_fit),
        "medoid_map": (plots.medoid_map, {"positions": X[:3, :2], "names": names, **of_fit}),
        "silhouette_bars": (plots.silhouette_bars, {"values": np.linspace(-1, 1, 12), "labels": fit.labels}),
        "category_table": (plots.category_table, {"labels": fit.labels, "categories": names}),
        "similarity_to_medoid": (plots.similarity_to_medoid, of_fit),
        "explore": (widgets.explore, {"scan": scan, **square}),
        "cards_html": (widgets.cards_html, square | of_fit),
        "distributed.cosine_similarity": (distributed.cosine_similarity, {"X": chunked}),
        "distributed.write_zarr": (distributed.write_zarr, {"X": chunked, "path": "new.zarr"}),
        "distributed.assign": (distributed.assign, {"X": chunked, "medoids": [0, 1]}),
        "distributed.kmedoids": (distributed.kmedoids, {"X": chunked, "n_clusters": 2}),
        "distributed.certify": (distributed.certify, {"X": chunked, "medoids": [0, 1]}),
        "distributed.correlation": (distributed.correlation, {"X": chunked}),
        "distributed.neighbours": (distributed.neighbours, {"X": chunked, "rows": [0, 1], "k": 2}),
        "distributed.silhouette": (distributed.silhouette, {"X": chunked, "labels": fit.labels}),
        "distributed.scan_k": (distributed.scan_k, {"X": chunked, "ks": [2, 3]}),
        "distributed.load_vectors": (distributed.load_vectors, {"path": "none"}),
        "distributed.write_parquet": (distributed.write_parquet, {"table": {"X": chunked}, "path": "new"}),
        "report.differences": (report.differences, {"old": "", "new": ""}),
        "report.page": (report.page, {"notebooks": {"01_a": run}, "title": "one"}),
        "report.execute": (report.execute, {"path": "none.ipynb"}),
        "report.build": (report.build, {"data": "x.csv", **report_options()}),
    }
    return given


def report_options() -> dict[str, Any]:
    """Options of a report of which one, a label that is in no file, stops it before the work."""
    return {
        "k": 3,
        "ks": [2, 3],
        "metric": "cosine",
        "method": "fasterpam",
        "seed": 0,
        "title": "one",
        "columns": ["a"],
    }


def fine(parameter: str, value: Any, default: Any) -> bool:
    """Whether a value is one that the parameter takes."""
    if value is None or isinstance(value, bool):
        return (
            (value is None and parameter in ("random_state", "names", "rows"))
            or value is default
            or (isinstance(value, bool) and isinstance(default, bool))
        )
    if parameter in NUMBERS and isinstance(value, int | float):
        return value < 10**40 and value >= (-1 if parameter == "threshold" else 0)
    if isinstance(value, int) and parameter in WHOLE | ANY_SIZE:
        return value == 3 or (value > 3 and parameter in ANY_SIZE)
    if parameter in FUNCTIONS:
        return callable(value)
    return not isinstance(value, int) and (parameter, repr(value)) in FINE


def case(rng: np.random.Generator, folder: Path) -> Verdict:
    """One parameter of one function with a value of a wrong kind."""
    mpl.use("Agg")
    before = Path.cwd()
    os.chdir(folder)
    try:
        Path("x.csv").write_text("name,a,b\n" + "".join(f"n{i},{i}.5,{i * i % 7}.25\n" for i in range(12)))
        np.save("S.npy", np.eye(4))
        given = _given()
        name = list(given)[rng.integers(len(given))]
        function, arguments = given[name]
        parameters = inspect.signature(function).parameters
        known = [p for p, each in parameters.items() if each.kind is not each.VAR_KEYWORD]
        tried = sorted({*known, *(arguments if name == "report.build" else ())})
        parameter = tried[rng.integers(len(tried))]
        value = VALUES[rng.integers(len(VALUES))]
        default = parameters[parameter].default if parameter in parameters else OMITTED
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            if name == "report.build" and (value is None or fine(parameter, value, default)):
                return RIGHT, ""  # it would run a whole notebook
            shown = [*tried, "none.ipynb"]
            if isinstance(value, str | list):  # a path, or names of columns
                shown += ["x.csv", "there is no file x", "is a folder"]
            verdict = of_call(lambda: function(**{**arguments, parameter: value}), shown, lambda _: True)
        mpl.pyplot.close("all")
        if verdict[0] == RIGHT and not fine(parameter, value, default):
            verdict = WRONG, "accepted"
        return verdict[
            0
        ], f"{name}({parameter}={value if len(str(type(value))) > 99 else type(value)}): {verdict[1][:300]}"
    finally:
        os.chdir(before)


OMITTED = object()  # the default of a parameter that has none
