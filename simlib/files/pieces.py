"""A long file is read in pieces of some rows, so that memory holds the result and a few pieces, not the file twice."""

from __future__ import annotations

import numpy as np

from simlib import _check

ROWS_A_PIECE = 20_000
NUMBERS_A_PIECE = 1 << 22  # wide rows: fewer rows a piece, so that a piece holds no more numbers than this
SIGNS_A_NUMBER = 16  # more signs of text than a number takes: a row of long texts counts as one of so many numbers


def rows_a_piece(width: int) -> int:
    """How many rows of `width` numbers are read at a time: at least one."""
    return max(1, min(ROWS_A_PIECE, NUMBERS_A_PIECE // max(1, width)))


def add(pieces: list[np.ndarray], piece: np.ndarray, name: str) -> None:
    """Put one more piece of the file called `name` to the others; raises where memory ends, before it is taken."""
    _check.memory(2 * piece.nbytes, f"the next part of {name}", "take fewer rows or columns")
    pieces.append(piece)


def joined(pieces: list[np.ndarray]) -> np.ndarray:
    """Put the pieces below one another. `pieces` is emptied on the way, so that memory is not needed twice."""
    whole = np.empty((sum(map(len, pieces)), pieces[0].shape[1]), np.result_type(*pieces))
    filled = 0
    while pieces:
        piece = pieces.pop(0)
        whole[filled : filled + len(piece)] = piece
        filled += len(piece)
    return whole
