"""simlib: from vectors to the full similarity matrix, to k-medoids clusters, to a number of clusters."""

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from simlib.choose import KScan, Pick, Stability, scan_k, shuffle_columns, silhouette, stability
from simlib.data import Sample, load
from simlib.ensemble import Ensemble, ensemble
from simlib.files import Loaded, LoadedMatrix, load_matrix, load_vectors
from simlib.gap import Gap, optimality_gap
from simlib.medoids import Certificate, Clustering, assign, certify, kmedoids
from simlib.neighbours import Neighbours, Pairs, neighbours, pairs_above
from simlib.proof import Proof, prove
from simlib.similarity import correlation, cosine_similarity

if TYPE_CHECKING:
    from simlib.estimator import KMedoids

__version__ = "0.1.0"
__all__ = [
    "Certificate",
    "Clustering",
    "Ensemble",
    "Gap",
    "KMedoids",
    "KScan",
    "Loaded",
    "LoadedMatrix",
    "Neighbours",
    "Pairs",
    "Pick",
    "Proof",
    "Sample",
    "Stability",
    "assign",
    "certify",
    "correlation",
    "cosine_similarity",
    "ensemble",
    "kmedoids",
    "load",
    "load_matrix",
    "load_vectors",
    "neighbours",
    "optimality_gap",
    "pairs_above",
    "prove",
    "scan_k",
    "shuffle_columns",
    "silhouette",
    "stability",
]


def _modules() -> set[str]:
    """The modules that are imported when they are first asked for, such as `simlib.plots`."""
    return {module.name for module in iter_modules(__path__) if not module.name.startswith("_")}


def __getattr__(name: str) -> Any:
    if name == "KMedoids":  # its module imports scikit-learn, which takes longer than all others
        return import_module("simlib.estimator").KMedoids
    if not name.startswith("_") and name in _modules():
        return import_module(f"simlib.{name}")
    raise AttributeError(f"module 'simlib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_modules()})
