"""Small pictures of the items, side by side in one PNG."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

MOST_PIXELS = 40_000_000  # of all thumbnails together: a phone holds four bytes of each


def sheet(thumbnails: Any, n: int) -> dict[str, Any]:
    """One PNG of n thumbnails, a row after the other, as what the page needs to cut them out again."""
    pictures = _checked(thumbnails, n)
    _, height, width = pictures.shape[:3]
    columns = int(np.ceil(np.sqrt(n * height / width)))
    rows = -(-n // columns)
    whole = np.zeros((rows * columns, *pictures.shape[1:]), np.uint8)
    whole[:n] = pictures
    grid = whole.reshape(rows, columns, *pictures.shape[1:]).swapaxes(1, 2)
    file = io.BytesIO()
    Image.fromarray(grid.reshape(rows * height, columns * width, *pictures.shape[3:])).save(file, "png")
    source = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")
    return {"source": source, "width": width, "height": height, "columns": columns}


def _checked(thumbnails: Any, n: int) -> np.ndarray:
    """The thumbnails as uint8 (n, h, w) or (n, h, w, 3)."""
    pictures = np.asarray(thumbnails)
    if pictures.dtype != np.uint8:
        raise TypeError(
            f"thumbnails must be uint8, 0 black to 255 white, got {pictures.dtype}; "
            "np.uint8(np.clip(255 * x / x.max(), 0, 255)) makes them of numbers from 0 on"
        )
    grey, colour = pictures.ndim == 3, pictures.ndim == 4 and pictures.shape[3] == 3
    if not (grey or colour) or len(pictures) != n or 0 in pictures.shape:
        raise ValueError(f"thumbnails must be ({n}, height, width) or ({n}, height, width, 3), got {pictures.shape}")
    if (pixels := n * pictures.shape[1] * pictures.shape[2]) > MOST_PIXELS:
        raise ValueError(
            f"thumbnails have {pixels:,} pixels together, more than {MOST_PIXELS:,}: make them smaller, "
            "thumbnails[:, ::2, ::2] takes every second pixel"
        )
    return pictures
