"""word2vec's binary files: a line with the number of words and of features, then each word, a blank, its float32."""

from __future__ import annotations

import re
from typing import IO, Any

import numpy as np

from simlib import _check
from simlib.files.interface import Read, Source
from simlib.files.lines import advance, as_bytes, bar_over_bytes
from simlib.files.messages import plain_errors, refuse_pickle

BYTES_READ_AT_ONCE = 1 << 22
LONGEST_HEAD = 64
LONGEST_WORD = 10_000
FASTTEXT = b"\xba\x16\x4f\x2f"  # the first bytes of fastText's own models


def read(source: Source) -> Read:
    """The vectors, float32 (words, features), and the words."""
    with plain_errors(source.name), as_bytes(source.path) as file, bar_over_bytes(source) as bar:
        words, width = _shape(source, file.readline(LONGEST_HEAD))
        _check.memory(4 * words * width, source.name, "take fewer words")
        return _read_words(source, file, words, width, bar)


def _shape(source: Source, head: bytes) -> tuple[int, int]:
    """The numbers of words and features that the first line announces; raises unless the file can hold them."""
    refuse_pickle(source.name, head)
    if head.startswith(FASTTEXT):
        raise ValueError(
            f"{source.name} is a model of fastText, not its vectors: read its .vec file, or write one with gensim: "
            "load_facebook_vectors(path).save_word2vec_format('x.bin', binary=True)"
        )
    found = re.fullmatch(rb"(\d{1,18}) (\d{1,18})\s*\n", head)
    if not found or not int(found[1]) or not int(found[2]):
        raise ValueError(
            f"{source.name} is no binary file of word2vec: its first line must hold the number of words and of "
            "features; if it is an array, save it with numpy.save"
        )
    words, width = int(found[1]), int(found[2])
    if source.path.suffix.lower() != ".gz" and words * (4 * width + 2) > source.path.stat().st_size:
        _refuse_cut(source, words)
    return words, width


def _read_words(source: Source, file: IO[bytes], words: int, width: int, bar: Any) -> Read:
    """The vectors and the words that follow the first line."""
    values = np.empty((words, width), np.float32)
    labels = []
    rest = b""
    start = 0
    for i in range(words):
        while (end := rest.find(b" ", start)) < 0 or len(rest) < end + 1 + 4 * width:
            if end < 0 and len(rest) - start > LONGEST_WORD:
                raise ValueError(f"{source.name}: word {i + 1} does not end: cut off, or no binary file of word2vec?")
            more = file.read(BYTES_READ_AT_ONCE)
            if not more:
                _refuse_cut(source, words)
            rest = rest[start:] + more
            start = 0
            advance(bar, file)
        labels.append(rest[start:end].lstrip(b"\n").decode("utf-8", "replace"))
        values[i] = np.frombuffer(rest, "<f4", width, end + 1)
        start = end + 1 + 4 * width
    if (rest[start:] + file.read(LONGEST_HEAD)).strip():
        raise ValueError(f"{source.name} announces {words} vectors and holds more: is it a binary file of word2vec?")
    advance(bar, file)
    return Read(values, labels)


def _refuse_cut(source: Source, words: int) -> None:
    """Raise because the file ends too early."""
    raise ValueError(f"{source.name} announces {words} vectors and holds fewer: it is cut off")
