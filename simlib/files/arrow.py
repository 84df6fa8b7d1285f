"""Arrow's own files: .feather and .arrow, whether written as a file or as a stream.

pyarrow unpacks a whole batch of rows at once. So what the batches say about their size is added up before.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import error as StructError
from struct import unpack_from
from typing import Any

from simlib import _check
from simlib._extras import extra
from simlib.files import parquet
from simlib.files.interface import Read, Source
from simlib.files.messages import unreadable
from simlib.files.parquet import Batches

FILE = b"ARROW1"
OLD_FEATHER = b"FEA1"
START_OF_BATCHES = 8
KINDS_WITH_ROWS = ("record batch", "dictionary")
DICTIONARY = 2  # flatbuffers' number for a batch that holds the texts of a column of categories


def read(source: Source) -> Read:
    """Vectors and labels of a file of Arrow."""
    with extra("formats", source.name):
        import pyarrow as pa

    try:
        with open(source.path, "rb") as file:
            start = file.read(len(FILE))
        if start.startswith(OLD_FEATHER):
            raise ValueError(f"{source.name} is in Feather's old form: read it with pandas and save it as .parquet")
        with pa.memory_map(str(source.path)) as mapped:
            _check_memory(source, mapped, start == FILE)
            return parquet.read_batches(source, _batches(mapped, start == FILE))
    except (pa.ArrowException, OSError, UnicodeDecodeError, StructError, IndexError) as error:
        raise ValueError(unreadable(source.name, error)) from None


def _check_memory(source: Source, mapped: Any, is_file: bool) -> None:
    """Raise if a batch, unpacked, takes more memory than there is."""
    import pyarrow as pa

    mapped.seek(START_OF_BATCHES if is_file else 0)
    for message in pa.ipc.MessageReader.open_stream(mapped):
        if message.type in KINDS_WITH_ROWS:
            need = _unpacked_size(bytes(message.metadata), message.body)
            _check.memory(need, f"{source.name}, unpacked,", "save it in smaller batches")


def _unpacked_size(head: bytes, body: Any) -> int:
    """How many bytes the packed parts of a batch say that they hold. `head` is a table of flatbuffers."""
    batch = _part(head, _root(head), 2)
    if batch and head[_place(head, _root(head), 1)] == DICTIONARY:
        batch = _part(head, batch, 1)
    if not batch or not _place(head, batch, 3):
        return 0  # not packed: it is in the file as it is
    parts = _part(head, batch, 2)
    places = [unpack_from("<qq", head, parts + 4 + 16 * i) for i in range(unpack_from("<I", head, parts)[0])]
    return sum(max(0, unpack_from("<q", body, start)[0]) for start, length in places if length >= 8)


def _root(head: bytes) -> int:
    """Where the outer table of flatbuffers begins."""
    return unpack_from("<I", head, 0)[0]


def _place(head: bytes, table: int, field: int) -> int:
    """Where a field of a table of flatbuffers stands, 0 if it is left out."""
    fields = table - unpack_from("<i", head, table)[0]
    size = unpack_from("<H", head, fields)[0]
    offset = unpack_from("<H", head, fields + 4 + 2 * field)[0] if 4 + 2 * field < size else 0
    return table + offset if offset else 0


def _part(head: bytes, table: int, field: int) -> int:
    """Where the table or the list that a field points to begins, 0 if it is left out."""
    place = _place(head, table, field)
    return place + unpack_from("<I", head, place)[0] if place else 0


def _batches(mapped: Any, is_file: bool) -> Batches:
    """The table in a file of Arrow."""
    import pyarrow as pa

    def read_again(rows: int, names: list[str]) -> Iterator[Any]:
        mapped.seek(0)
        reader = pa.ipc.open_file(mapped) if is_file else pa.ipc.open_stream(mapped)
        numbers = range(reader.num_record_batches) if is_file else None
        whole = reader if numbers is None else map(reader.get_batch, numbers)
        for batch in whole:
            wanted = batch.select(names)
            for start in range(0, batch.num_rows, rows):
                yield wanted.slice(start, rows)

    mapped.seek(0)
    reader = pa.ipc.open_file(mapped) if is_file else pa.ipc.open_stream(mapped)
    return Batches(reader.schema, None, read_again)
