"""How the readers say what is wrong with a file: one line that names the file and a way out."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

# How files begin that Python's pickle wrote, plainly or in the archives of torch.
PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")


def refuse_pickle(name: str, start: bytes) -> None:
    """Raise if the first bytes of the file called `name` are those of a pickle, or of torch's archive of pickles."""
    if start.startswith(PICKLES):
        raise ValueError(
            f"{name} holds pickled objects, as torch.save and pickle.dump write them, which could run code when "
            'loaded: load it where you trust it, and save the vectors with np.save("x.npy", t.cpu().numpy())'
        )


@contextmanager
def plain_errors(name: str) -> Iterator[None]:
    """Raise a ValueError of one line where the text file called `name` is cut off, packed wrongly or not in UTF-8."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise ValueError(_not_utf8(name, error)) from None
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(unreadable(name, error)) from None


def unreadable(name: str, error: Exception) -> str:
    """Why the file called `name` cannot be read, in one line; raises MemoryError if memory is all that it lacks."""
    if isinstance(error, MemoryError) and type(error).__name__.startswith("Arrow"):  # NumPy's tell of a broken head
        raise MemoryError(f"{name} does not fit into memory: take fewer rows or columns, or read it in parts") from None
    if re.search("allow_pickle|Object arrays|Python objects", str(error)):
        return f"{name} holds Python objects, which could run code when loaded: save numbers, or texts as str"
    if "encrypted" in str(error):
        return f"{name} is locked with a password: unpack it and save it without one"
    if open_quote := re.search(r"EOF inside string starting at row (\d+)", str(error)):
        row = int(open_quote[1]) + 1
        return f"{name} is cut off, or a quotation mark of line {row} has no partner: get it again, or close it"
    reason = str(error).splitlines()[0][:200] if str(error) else "it ends too early"
    return f"{name} cannot be read, it is cut off or not what its name says ({reason}): get it again"


def _not_utf8(name: str, error: UnicodeDecodeError) -> str:
    """Which byte is no UTF-8, and how to convert the file."""
    return (
        f"{name} is not UTF-8 text (byte {error.start} is 0x{error.object[error.start]:02x}): save it as UTF-8, "
        "for instance with iconv -f LATIN1 -t UTF-8"
    )


def listed(names: list[str]) -> str:
    """The first eight names in quotation marks, and how many more there are."""
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(repr(name[:40]) for name in names[:8]) + more
