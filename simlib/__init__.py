"""simlib: from vectors to the full similarity matrix, to k-medoids clusters, to a number of clusters."""

from simlib.choose import KScan, Pick, Stability, scan_k, shuffle_columns, silhouette, stability
from simlib.data import Sample, load
from simlib.ensemble import Ensemble, ensemble
from simlib.files import Loaded, LoadedMatrix, load_matrix, load_vectors
from simlib.medoids import Certificate, Clustering, assign, certify, kmedoids
from simlib.similarity import correlation, cosine_similarity

__all__ = [
    "Certificate",
    "Clustering",
    "Ensemble",
    "KScan",
    "Loaded",
    "LoadedMatrix",
    "Pick",
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
    "scan_k",
    "shuffle_columns",
    "silhouette",
    "stability",
]
