"""What is passed in place of an array: taken as what it is, or refused by name with a way out that works."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from numpy.testing import assert_array_equal

from simlib import cosine_similarity, kmedoids

X = np.random.default_rng(0).standard_normal((30, 8))
FRAME = pd.DataFrame(X, [f"row {i}" for i in range(30)], list("abcdefgh"))
TAKEN = {
    "frame": FRAME,
    "nullable frame": FRAME.convert_dtypes(),
    "arrow table": pa.table({name: FRAME[name].to_numpy() for name in FRAME}),
    "series of arrays": pd.Series(list(X)),
    "series of lists": pd.Series(X.tolist()),
    "array of arrays": pd.Series(list(X)).to_numpy(),
    "list of arrays": list(X),
    "list of tensors": [torch.tensor(row) for row in X],
    "masked, nothing hidden": np.ma.masked_array(X, mask=False),
    "tensor": torch.from_numpy(X),
    "tensor of a gradient": torch.from_numpy(X.copy()).requires_grad_(),
}


@pytest.mark.parametrize("kind", TAKEN)
def test_taken_as_the_numbers_they_hold(kind):
    S = cosine_similarity(TAKEN[kind])
    assert_array_equal(np.asarray(S.detach() if isinstance(S, torch.Tensor) else S), cosine_similarity(X))
    assert_array_equal(kmedoids(TAKEN[kind], 3, metric="cosine").labels, kmedoids(X, 3, metric="cosine").labels)


def test_a_frame_keeps_its_type():
    assert cosine_similarity(FRAME.astype(np.float32)).dtype == np.float32
    assert cosine_similarity(FRAME.astype({"a": np.float32})).dtype == np.float64
    assert cosine_similarity((FRAME * 10).astype(int)).dtype == np.float64


def with_hole():
    frame = FRAME.convert_dtypes()
    frame.iloc[4, 2] = pd.NA
    return frame


def hidden():
    M = np.ma.masked_array(X.copy(), mask=False)
    M.data[3, 5] = -999
    M[3, 5] = np.ma.masked
    return M


@pytest.mark.parametrize(
    ("A", "error", "message"),
    [
        (FRAME.assign(name="x"), TypeError, r"a column 'name' of .*, not of numbers: .* X\.drop\(columns=\['name'\]\)"),
        (FRAME.assign(flag=True), TypeError, r"a column 'flag' of bool"),
        (FRAME.assign(day=pd.Timestamp("2020-01-01")), TypeError, r"a column 'day' of datetime64"),
        (with_hole(), ValueError, r"1 of 30 rows: a value is missing in column 'c' of row 'row 4'; X\.dropna\(\)"),
        (FRAME.where(FRAME < 2), ValueError, r"NaN or infinity in \d+ of 30 rows: a value is missing in column"),
        (hidden(), ValueError, r"X has 1 masked entries, the first at \[3, 5\]: fill them, with X\.filled\(\.\.\.\)"),
        (pd.Series([np.ones(3), np.ones(4)]), TypeError, "the rows have 3 to 4 numbers"),
        (pd.Series(["a", "b"]), TypeError, "must hold real numbers"),
        (torch.eye(3).to_sparse(), TypeError, r"a sparse tensor: pass X\.to_dense\(\)"),
        (torch.quantize_per_tensor(torch.eye(3), 0.1, 0, torch.qint8), TypeError, r"pass X\.dequantize\(\)"),
        (torch.eye(3, dtype=torch.complex64).conj(), TypeError, "must hold real numbers, got dtype complex64"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else value[:20],
)
def test_refused_by_name(A, error, message):
    with pytest.raises(error, match=message):
        cosine_similarity(A)


def test_the_ways_out_work():
    assert_array_equal(cosine_similarity(FRAME.assign(name="x").drop(columns=["name"])), cosine_similarity(X))
    assert cosine_similarity(with_hole().dropna()).shape == (29, 29)
    assert cosine_similarity(hidden().filled(0)).shape == (30, 30)
    assert cosine_similarity(torch.eye(3).to_sparse().to_dense()).shape == (3, 3)


def test_half_types_of_torch():
    for kind in (torch.bfloat16, torch.float16, torch.float8_e4m3fn):
        S = cosine_similarity(torch.from_numpy(X).to(kind))
        assert torch.allclose(S.float(), torch.from_numpy(cosine_similarity(X)).float(), atol=0.05)
