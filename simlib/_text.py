"""Numbers and labels of a text file, read a piece at a time: tables by pandas, word2vec and GloVe line by line."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from simlib import _layout, _reading

_ODD = re.compile(r"[+-]?\d{1,3}([.,' ]\d{3})+([.,]\d+)?|[+-]?\d+[.,]?\d*[dD][+-]?\d+")


def read(path, label, columns, card, progress, dtype=np.float32) -> tuple[np.ndarray, list | None, list | None]:
    """Numbers, labels and the names of the columns of a text file, read a piece at a time."""
    encoding, lines = _layout.first_lines(path)
    if (width := _layout.embedding_width(lines)) and label is None and columns is None:
        return *_embedding(path, encoding, lines, width, card, progress), None
    form = _layout.table_form(path, lines)
    names, first, numeric = _layout.header(path, form, lines, card)
    _reading.refuse_repeated(path, [name for name in names if name in {label, *(columns or ())}])
    with _opened(path, encoding) as file:
        table = next(_tables(path, file, form, len(names), first, dict.fromkeys(numeric, _layout.MISSING)))
    own, places = _roles(path, table, names, form, label, columns, card)
    del table
    missing = dict.fromkeys((i for i in numeric if i != own), _layout.MISSING)
    pieces, labels, row = [], [], 0
    with _opened(path, encoding) as file, tqdm(**_bar(path, progress)) as bar:
        for table in _tables(path, file, form, len(names), first, missing, own):
            _no_swallowed_rows(path, table, form, row)
            rows = np.column_stack([_numbers(path, names[i], table[i], row, form) for i in places])
            pieces.append(_narrowed(path, rows, row, dtype))
            labels += table[own].tolist() if own is not None else []
            row += len(table)
            bar.update(min(_told(file), bar.total) - bar.n)
    card["notes"].append(f"Fields are separated by {form['word']}, the decimal sign is '{form['decimal']}'.")
    heading = [names[i] for i in places] if form["heading"] else None
    return _reading.joined(pieces), labels if own is not None else None, heading


def _roles(path, table, names, form, label, columns, card) -> tuple[int | None, list[int]]:
    """Which column holds the labels, None if none does, and which are the vectors; judged by the first rows."""
    numbers = [i for i in range(len(names)) if _is_number(table[i])]
    texts = [i for i in range(len(names)) if not pd.api.types.is_numeric_dtype(table[i])]
    by_name = {name: i for i, name in reversed(list(enumerate(names)))}
    if columns is None:
        for i in texts:
            if names[i] != label or label is None:
                _no_stray_text(path, names[i], table[i], form)
        counting = [i for i in numbers if _reading.numbers_rows(names[i], table[i].to_numpy())]
        if counting and len(numbers) > len(counting):
            texts = texts or counting[:1]
            numbers = _reading.without_counters(counting, numbers, names, card)
    own = _reading.label_column(path, label, names, [names[i] for i in texts])
    own = texts[0] if label is None and texts else by_name.get(own)
    if columns is None:
        numbers = [i for i in numbers if i != own]
        _reading.vector_columns(path, None, names, [names[i] for i in numbers], None)
    else:
        numbers = [by_name[name] for name in _reading.vector_columns(path, columns, names, [], None)]
    _reading.tell_unused([name for i, name in enumerate(names) if i != own and i not in numbers], card)
    return own, numbers


def _narrowed(path: Path, rows: np.ndarray, row: int, dtype: Any) -> np.ndarray:
    """The rows as `dtype`; raises if a number is beyond its range."""
    try:
        with np.errstate(over="raise"):
            return rows.astype(dtype)
    except FloatingPointError:
        at = row + int(np.flatnonzero((np.abs(rows) > np.finfo(dtype).max) & np.isfinite(rows))[0] // rows.shape[1])
        raise ValueError(f"{path.name}: row {at} (counted from 0) holds a number beyond 3.4e38: rescale it") from None


def _no_swallowed_rows(path: Path, table: pd.DataFrame, form: dict[str, Any], row: int) -> None:
    """Raise if a field runs over lines that are rows themselves: a quotation mark opened it that is none."""
    for i in table.columns:
        if pd.api.types.is_numeric_dtype(table[i]):
            continue
        cells = table[i].astype(object)
        for at in np.flatnonzero(cells.str.contains("\n", regex=False).fillna(False).to_numpy(bool)):
            inner = str(cells.iloc[at]).split("\n")[1:-1]
            if inner and all(line.count(form["sep"]) == table.shape[1] - 1 for line in inner):
                raise ValueError(
                    f"{path.name}: a field of row {row + at} (counted from 0) runs over {len(inner) + 2} lines that "
                    'look like rows: is a quotation mark (") part of the text? Double it, or quote all fields'
                )


def _opened(path: Path, encoding: str) -> io.TextIOWrapper:
    """The file as text."""
    return io.TextIOWrapper((gzip.open if path.suffix.lower() == ".gz" else open)(path, "rb"), encoding=encoding)


def _bar(path: Path, progress: bool) -> dict[str, Any]:
    """A bar over the bytes of a file."""
    return {"desc": "read", "total": path.stat().st_size, "unit": "B", "unit_scale": True, "disable": not progress}


def _told(file: io.TextIOWrapper) -> int:
    """How many bytes of the file on disk were read."""
    raw = file.buffer
    return (raw.fileobj if isinstance(raw, gzip.GzipFile) else raw).tell()


def _embedding(path, encoding, lines, width, card, progress) -> tuple[np.ndarray, list[str]]:
    """Words and vectors of word2vec's or GloVe's text; a word may hold blanks."""
    header = re.fullmatch(r"(\d+) (\d+)", lines[0].rstrip())
    card["format"] = "word2vec text" if header else "GloVe text"
    pieces, words = [], []
    try:
        with _opened(path, encoding) as file, tqdm(**_bar(path, progress)) as bar:
            if header:
                next(file)
            while some := list(islice(file, _reading.CHUNK)):
                parts = [line.rstrip().rsplit(" ", width) for line in some if line.strip()]
                if not parts:
                    continue
                for number, part in enumerate(parts):
                    if len(part) != width + 1:
                        raise ValueError(
                            f"{path.name}: vector {len(words) + number + 1} has {len(part) - 1} numbers, "
                            f"expected {width}: cut off, or the wrong file?"
                        )
                words += [part[0] for part in parts]
                numbers = io.StringIO("\n".join(" ".join(part[1:]) for part in parts))
                try:
                    table = pd.read_csv(numbers, sep=" ", header=None, dtype=np.float32, quoting=3)
                except ValueError as error:
                    reason = str(error).splitlines()[0]
                    raise ValueError(
                        f"{path.name}: among vectors {len(words) - len(parts) + 1} to {len(words)} something is no "
                        f"number ({reason})"
                    ) from None
                pieces.append(table.to_numpy())
                bar.update(min(_told(file), bar.total) - bar.n)
    except UnicodeDecodeError as error:
        raise ValueError(_layout.not_utf8(path, error)) from None
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(_reading.unreadable(path, error)) from None
    if header and len(words) != int(header[1]):
        raise ValueError(f"{path.name} announces {header[1]} vectors and holds {len(words)}: it is cut off")
    return _reading.joined(pieces), words


def _tables(path, file, form, width, first, missing, label=None) -> Iterator[pd.DataFrame]:
    """The rows of a text file by pandas, columns numbered from 0, that of the labels as text."""
    for _ in range(first):
        next(file)
    wishes = {
        "sep": r"\s+" if form["sep"] == " " else form["sep"],
        "decimal": form["decimal"],
        "skipinitialspace": True,
    }
    wishes.update(header=None, names=range(width), low_memory=False, keep_default_na=False, na_values=missing)
    wishes.update(chunksize=max(1, min(_reading.CHUNK, _reading.CELLS // width)), quoting=form["quoting"])
    if label is not None:
        wishes["dtype"] = {label: str}  # 007 stays 007, and a label may be NA
    try:
        yield from pd.read_csv(file, **wishes)
    except UnicodeDecodeError as error:
        raise ValueError(_layout.not_utf8(path, error)) from None
    except pd.errors.EmptyDataError:
        raise ValueError(f"{path.name} has a heading but no rows") from None
    except (pd.errors.ParserError, EOFError, OSError, zlib.error) as error:
        found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        if found:
            raise ValueError(
                f"{path.name}: line {int(found[2]) + first} has {found[3]} fields, expected {found[1]}"
            ) from None
        raise ValueError(_reading.unreadable(path, error)) from None


def _is_number(column: pd.Series) -> bool:
    """Whether a column holds numbers only, some at least."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column) and column.notna().any()


def _no_stray_text(path: Path, name: str, column: pd.Series, form: dict[str, Any]) -> None:
    """Raise if most of a column of text are numbers, plain or with marks between thousands: it was meant as one."""
    present = column.dropna().astype(str)[:1000]
    if sum(_layout.cell_is_number(cell, form) for cell in present) > 0.5 * len(present):
        _numbers(path, name, column, 0, form)
    odd = [cell for cell in present if _ODD.fullmatch(cell.strip())]
    if len(odd) > 0.5 * len(present):
        raise ValueError(
            f"{path.name}: column {name!r} holds {odd[0]!r}: numbers are read without marks between thousands and with "
            "E for powers of ten; export it so, or name the columns of the vectors with columns="
        )


def _numbers(path: Path, name: str, column: pd.Series, row: int, form: dict[str, Any]) -> np.ndarray:
    """A column as float64; raises where a text stands among the numbers."""
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    texts = column.astype(object).where(column.notna(), None)
    numbers = pd.to_numeric(column.astype(str).str.replace(form["decimal"], "."), errors="coerce").to_numpy(np.float64)
    bad = np.flatnonzero(np.isnan(numbers) & np.array([text is not None for text in texts]))
    bad = [i for i in bad if str(texts.iloc[i]).strip().lower() not in ("", "nan")]
    if bad:
        raise ValueError(
            f"{path.name}: column {name!r} holds {str(texts.iloc[bad[0]])[:40]!r} in row {row + bad[0]} (counted from "
            "0), not a number: name the columns of the vectors with columns=, or mend the file"
        )
    return numbers
