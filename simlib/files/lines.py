"""A text file as lines: packed or not, its encoding, its first lines, and a bar over its bytes."""

from __future__ import annotations

import codecs
import gzip
import io
import re
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from tqdm.auto import tqdm

from simlib.files.interface import Source
from simlib.files.messages import plain_errors

BYTES_OF_A_SAMPLE = 1 << 16  # a text file is judged by its first bytes, so many or ...
BYTES_OF_A_LONG_SAMPLE = 1 << 26  # ... up to so many, where the lines are long
LINES_OF_A_SAMPLE = 5  # a sample with fewer lines is made longer


class Beginning(NamedTuple):
    """How a text file begins: its encoding, and the whole lines of its sample."""

    encoding: str
    lines: list[str]


def beginning_of(source: Source) -> Beginning:
    """The encoding and the first lines of a text file; raises unless it is text with something in it."""
    with plain_errors(source.name):
        sample, complete = _sample(source.path)
        encoding = _encoding(source, sample)
        if sample.count(b"\n") + sample.count(b"\r") < 2 and not complete:
            longest = BYTES_OF_A_LONG_SAMPLE >> 20
            raise ValueError(f"{source.name} has a line of more than {longest} MB: expected one line an item")
        text = codecs.getincrementaldecoder(encoding)().decode(sample, final=complete)
    lines = re.split("\r\n|\r|\n", text.removesuffix("\n"))
    if not complete and len(lines) > 1:
        lines.pop()  # the sample ends within it
    if not any(line.strip() for line in lines):
        raise ValueError(f"{source.name} has no lines with anything in them")
    return Beginning(encoding, lines)


def _sample(path: Path) -> tuple[bytes, bool]:
    """The first bytes of a file, unpacked, and whether they are all there are."""
    with as_bytes(path) as file:
        sample = file.read(BYTES_OF_A_SAMPLE)
        while sample.count(b"\n") < LINES_OF_A_SAMPLE and len(sample) < BYTES_OF_A_LONG_SAMPLE:
            more = file.read(BYTES_OF_A_SAMPLE)
            if not more:
                break
            sample += more
        return sample, not file.read(1)


def encoding_of(source: Source) -> str:
    """The encoding of a text file, judged by its first bytes."""
    with as_bytes(source.path) as file:
        return _encoding(source, file.read(BYTES_OF_A_SAMPLE))


def _encoding(source: Source, sample: bytes) -> str:
    """UTF-8, or UTF-16 if the sample begins with the mark of it; raises where neither can be."""
    marked = sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if b"\0" in sample and (not marked or sample.startswith(codecs.BOM_UTF32_LE)):
        raise ValueError(
            f"{source.name} has bytes of value 0: not text, or in an encoding without its mark; save it as UTF-8"
        )
    return "utf-16" if marked else "utf-8-sig"


def opened(source: Source, encoding: str) -> io.TextIOWrapper:
    """The file as text, from its start."""
    return io.TextIOWrapper(as_bytes(source.path), encoding=encoding)


def as_bytes(path: Path) -> IO[bytes]:
    """The file as bytes, unpacked if it is a .gz file."""
    return cast(IO[bytes], gzip.open(path) if path.suffix.lower() == ".gz" else open(path, "rb"))


def bar_over_bytes(source: Source, shown: bool = True) -> Any:
    """A bar as long as the file on disk, shown if the caller asked for it."""
    size = source.path.stat().st_size
    return tqdm(desc="read", total=size, unit="B", unit_scale=True, disable=not (shown and source.progress))


def advance(bar: Any, file: io.TextIOWrapper | IO[bytes]) -> None:
    """Move the bar to the place up to which the file on disk was read."""
    raw: Any = file.buffer if isinstance(file, io.TextIOWrapper) else file
    on_disk: Any = raw.fileobj if isinstance(raw, gzip.GzipFile) else raw
    bar.update(min(on_disk.tell(), bar.total) - bar.n)
