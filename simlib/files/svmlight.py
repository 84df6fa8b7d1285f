"""svmlight's text, sparse: a line is a target, then pairs such as 3:0.5 for the features that are not 0.

What stands behind a # is a comment; where every line has one, the comments are the labels. The library scikit-learn
is imported when the first such file is read, because that takes a while.
"""

from __future__ import annotations

from simlib import _check
from simlib.files import sparse
from simlib.files.interface import Read, Source
from simlib.files.lines import BYTES_OF_A_LONG_SAMPLE, opened
from simlib.files.messages import plain_errors, unreadable

TARGET = "target"  # what label= calls the first number of each line
BYTES_A_SIGN = 4  # a pair such as 1:1 takes 16 bytes in memory


def read(source: Source) -> Read:
    """The vectors as sparse rows, and the labels."""
    from sklearn.datasets import load_svmlight_file

    if source.columns is not None or source.drop is not None or source.label not in (None, TARGET):
        raise ValueError(f"{source.name}: features of svmlight have no names; only label={TARGET!r} can be named")
    with plain_errors(source.name):
        comments = _comments(source)
        try:
            stored, targets = load_svmlight_file(str(source.path))
        except (ValueError, OverflowError) as error:
            raise ValueError(unreadable(source.name, error)) from None
    rows = sparse.rows_of(source, stored)
    if source.label == TARGET:
        return Read(rows, [f"{target:g}" for target in targets])
    source.card.dropped.append(f"The target in front of each line: label={TARGET!r} takes it for the labels.")
    return Read(rows, comments if all(comments) and len(comments) == rows.shape[0] else None)


def _comments(source: Source) -> list[str]:
    """What stands behind the # of each line with an item, or nothing; raises if the items do not fit into memory."""
    comments = []
    signs = 0
    with opened(source, "utf-8") as file:
        while line := file.readline(BYTES_OF_A_LONG_SAMPLE):
            signs += len(line)
            item, _, comment = line.partition("#")
            if item.strip():
                comments.append(comment.strip())
    _check.memory(BYTES_A_SIGN * signs, f"{source.name}, unpacked,", "take fewer lines")
    return comments
