"""Which of the forms that are no table a text of a matrix has. The door for vectors names the other door."""

from __future__ import annotations

from simlib.files import halves, mega, phylip, ragged
from simlib.files.interface import Read, Source
from simlib.files.lines import Beginning


def read(source: Source, beginning: Beginning) -> Read | None:
    """The matrix, or None if the text is a table; raises if it is a matrix, but vectors are wanted."""
    lines = beginning.lines
    if mega.is_mega(lines):
        _refuse_for_vectors(source, "a matrix of MEGA")
        return halves.matrix_of(source, mega.read(source, beginning))
    shape = phylip.shape_of(lines)
    if shape and (source.matrix or shape.whole in (None, shape.n)):
        _refuse_for_vectors(source, "a matrix of PHYLIP")
        return halves.matrix_of(source, phylip.read(source, beginning, shape))
    half = ragged.shape_of(lines)
    if half:
        _refuse_for_vectors(source, f"the {half.form} half of a matrix")
        return halves.matrix_of(source, ragged.read(source, beginning, half))
    return None


def _refuse_for_vectors(source: Source, what: str) -> None:
    """Raise if vectors are wanted, not a matrix."""
    if not source.matrix:
        raise ValueError(f"{source.name} looks like {what}, not like vectors: read it with load_matrix")
