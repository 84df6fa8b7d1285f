"""The line at the head of every table: the machine, the versions, and the kernels that multiply matrices."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

import numpy as np
import psutil
import torch
from threadpoolctl import threadpool_info


def machine() -> str:
    """One line about where this ran."""
    name = next((s for s in Path("/proc/cpuinfo").read_text().splitlines() if s.startswith("model name")), "")
    hardware = f"{len(os.sched_getaffinity(0))} cores ({name.partition(': ')[2]})"
    memory = f"{psutil.virtual_memory().total / 1e9:.0f} GB"
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}, torch {torch.__version__}"
    peers = f"scikit-learn {version('scikit-learn')}, kmedoids {version('kmedoids')}"
    return f"{hardware}, {memory}; {versions}; {peers}; {numpy_blas()}; {torch_blas()}"


def numpy_blas() -> str:
    """The library that multiplies NumPy's matrices, and the kind of processor that its kernels are made for."""
    found = [library for library in threadpool_info() if library["user_api"] == "blas"]
    found.sort(key=lambda library: "numpy" not in library["filepath"])  # SciPy may have loaded one of its own
    if not found:
        return "NumPy's BLAS not known"
    library = found[0]
    name = {"openblas": "OpenBLAS", "mkl": "MKL", "blis": "BLIS"}.get(library["internal_api"], library["internal_api"])
    text = f"NumPy's {name} {library['version']}"
    if library.get("architecture"):
        text += f" with {library['architecture']} kernels"
    pinned = os.environ.get("OPENBLAS_CORETYPE")
    if pinned and name == "OpenBLAS":
        text += f" (pinned by OPENBLAS_CORETYPE={pinned})"
    return text


def torch_blas() -> str:
    """The library that multiplies torch's matrices. Torch does not tell which kernels of it run."""
    built = torch.__config__.show()
    if mkl := re.search(r"Math Kernel Library Version ([\d.]+)", built):
        return f"torch's MKL {mkl[1]}"
    other = re.search(r"BLAS_INFO=(\w+)", built)
    return f"torch's BLAS {other[1] if other else 'not known'}"
