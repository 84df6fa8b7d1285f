"""What a caller may pass in place of an array: a tensor, a frame, a masked array, a list of arrays.

It is taken as what it is, without a copy where it can be, or refused by name with a way out.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

import numpy as np

NO_NUMBERS = ("meta",)  # devices that hold only the shapes of tensors
TENSOR_TYPES = (
    r"torch\.(bool|u?int(8|16|32|64)|b?float16|float(32|64)|float8_\w+|complex(64|128))"  # types that are read
)


def is_sparse(A: Any) -> bool:
    """Whether A is a matrix or an array of scipy.sparse, asked without importing scipy."""
    return type(A).__module__.startswith("scipy.sparse") and hasattr(A, "tocsr")


def as_array(A: Any, name: str) -> np.ndarray:
    """View `A` (array, CPU tensor, frame or nested list) as a real, non-empty 2-D array; never copies an array."""
    if is_tensor(A):
        A = _of_tensor(A, name)
    elif is_sparse(A):
        raise TypeError(
            f'{name} is sparse, which cosine_similarity and, with metric="cosine", kmedoids take; this does not: '
            f"pass {name}.toarray()"
        )
    elif isinstance(A, np.ma.MaskedArray):
        A = _of_masked(A, name)
    elif hasattr(A, "iloc") or hasattr(A, "__dataframe__"):
        A = _of_frame(A, name)
    try:
        A = np.asarray(A)
    except ValueError:
        raise ValueError(f"{name} must be a 2-D array of numbers, but its rows differ in length") from None
    if A.dtype == object and A.ndim == 1 and A.size:
        A = _stacked(A, name)
    _check_numbers(A, name)
    return A


def _check_numbers(A: np.ndarray, name: str) -> None:
    """Raise unless A is a non-empty 2-D array of real numbers."""
    if A.dtype.kind not in "fiu":
        hint = ": a mask? if 0 and 1 are meant, use .astype(float)" if A.dtype.kind == "b" else ""
        raise TypeError(f"{name} must hold real numbers, got dtype {A.dtype}{hint}")
    if A.ndim != 2:
        hint = "; one vector? use X[None, :]" if A.ndim == 1 else ""
        raise ValueError(f"{name} must be 2-D, one row an item, got shape {A.shape}{hint}")
    if 0 in A.shape:
        raise ValueError(f"{name} is empty: shape {A.shape}")


def _of_tensor(A: Any, name: str) -> np.ndarray:
    """The numbers of a tensor on the CPU, without a copy if NumPy knows their type."""
    refuse_tensor(A, name)
    if A.device.type != "cpu":
        raise ValueError(f"{name} is on {A.device}, but this works on the CPU: pass {name}.cpu()")
    kind = str(A.dtype).removeprefix("torch.")
    A = A.detach()
    if kind != "bfloat16" and not kind.startswith("float8"):
        return A.resolve_conj().resolve_neg().numpy()
    return A.float().numpy()


def is_tensor(A: Any) -> bool:
    """Whether A is a torch tensor, asked without importing torch."""
    return hasattr(A, "detach") and hasattr(A, "device")


def refuse_tensor(A: Any, name: str) -> None:
    """Raise unless a tensor, wherever it lies, is an ordinary table of numbers that NumPy or torch can widen."""
    if getattr(A, "is_nested", False):
        raise TypeError(f"{name} is a nested tensor, whose rows may differ in length: pass one 2-D tensor")
    if str(A.layout) != "torch.strided":
        raise TypeError(f"{name} is a sparse tensor: pass {name}.to_dense()")
    if getattr(A, "is_quantized", False):
        raise TypeError(f"{name} is a quantised tensor: pass {name}.dequantize()")
    if A.device.type in NO_NUMBERS:
        raise TypeError(f'{name} is on the device "meta", which holds shapes and no numbers: pass a tensor of numbers')
    if not re.fullmatch(TENSOR_TYPES, str(A.dtype)):
        raise TypeError(f"{name} is a tensor of {A.dtype}, which is not read: pass its numbers as float32")


def as_line(values: Any, name: str) -> np.ndarray:
    """A list of labels or row numbers as an array, of whatever type and shape it turns out to be."""
    if is_tensor(values):
        refuse_tensor(values, name)
        values = _of_tensor(values.cpu(), name)
    try:
        return np.asarray(values)
    except ValueError:
        raise TypeError(f"{name} must be a list of numbers, got one of unequal parts") from None


def _of_masked(A: np.ma.MaskedArray, name: str) -> np.ndarray:
    """The numbers of a masked array in which nothing is masked."""
    hidden = np.argwhere(np.ma.getmaskarray(A))
    if len(hidden):
        where = ", ".join(map(str, hidden[0]))
        raise ValueError(
            f"{name} has {len(hidden)} masked entries, the first at [{where}]: fill them, with {name}.filled(...), or "
            "leave their rows out"
        )
    return A.data


def _of_frame(A: Any, name: str) -> np.ndarray:
    """The numbers of a frame (pandas, or what can be exchanged with it), or of a series of arrays."""
    import pandas as pd

    frame = A if hasattr(A, "iloc") else pd.api.interchange.from_dataframe(A)
    if frame.ndim == 1:
        return frame.to_numpy()
    for column, kind in zip(frame.columns, frame.dtypes, strict=True):
        if not pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind):
            raise TypeError(
                f"{name} has a column {column!r} of {kind}, not of numbers: leave it out, with "
                f"{name}.drop(columns=[{column!r}]), or keep it as the labels"
            )
    missing = frame.isna().to_numpy()
    if missing.any():
        row, column = np.argwhere(missing)[0]
        raise ValueError(
            f"{name} has NaN or infinity in {missing.any(axis=1).sum()} of {len(frame)} rows: a value is missing in "
            f"column {frame.columns[column]!r} of row {frame.index[row]!r}; {name}.dropna() leaves such rows out"
        )
    return frame.to_numpy(dtype=np.result_type(*(_numpy_type(kind) for kind in frame.dtypes)))


def _numpy_type(kind: Any) -> np.dtype:
    """The NumPy type of a column's numbers."""
    return np.dtype(getattr(kind, "numpy_dtype", None) or getattr(kind, "subtype", None) or kind)


def _stacked(A: np.ndarray, name: str) -> np.ndarray:
    """One array from an array of arrays, a row each."""
    try:
        rows = [np.asarray(row) for row in A]
    except ValueError:
        _refuse_rows(name, "not every entry is a row of numbers")
    if not all(row.ndim == 1 and row.dtype.kind in "fiu" for row in rows):
        _refuse_rows(name, "not every entry is a row of numbers")
    lengths = {len(row) for row in rows}
    if len(lengths) > 1:
        _refuse_rows(name, f"the rows have {min(lengths)} to {max(lengths)} numbers")
    return np.stack(rows)


def _refuse_rows(name: str, why: str) -> NoReturn:
    raise TypeError(f"{name} must hold real numbers, got dtype object: {why}; np.stack makes one array of equal rows")


def same_fields(one: Any, other: Any) -> bool:
    """Whether two objects are of one class and hold equal values; arrays count as one value."""
    return type(one) is type(other) and all(_same(value, vars(other)[name]) for name, value in vars(one).items())


def _same(a: Any, b: Any) -> bool:
    """Whether two values are equal: arrays, sparse matrices, indices of frames, or anything else."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if is_sparse(a):
        return a.shape == b.shape and (a != b).nnz == 0
    return bool(a.equals(b) if hasattr(a, "equals") else a == b)
