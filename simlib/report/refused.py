"""What stands in the way of a report, and the files that are looked at before any work."""

from __future__ import annotations

import os
from pathlib import Path

from simlib import _kinds


class Refused(Exception):
    """What stands in the way of a report; the message is one line for a person."""


def readable(path: str | Path, name: str = "data") -> Path:
    """The absolute path of a file that is there; `name` is the parameter that gave it."""
    path = _kinds.path(path, name).absolute()
    if path.is_dir():
        raise Refused(f"{path} is a directory, expected a file")
    if not path.is_file():
        raise Refused(f"there is no file {path}")
    return path


def apart(targets: dict[str, Path]) -> None:
    """Refuse files to write of which two are one, by their names or through links; `targets` says what each holds."""
    places: dict[str, str] = {}
    for what, target in targets.items():
        other = places.setdefault(os.path.realpath(target), what)
        if other != what:
            raise Refused(
                f"{target} would be the {other} and the {what}: choose another --out, for instance report.html"
            )


def writable(target: Path, source: Path | None) -> None:
    """Refuse a target that cannot be written, or that is the data file `source`."""
    if target.is_dir():
        raise Refused(f"{target} is a directory, expected the name of a file to write")
    if target.exists() and not target.is_file():
        raise Refused(f"{target} is no regular file but a device, a pipe or the like: choose another --out")
    if source is not None and target.exists() and target.samefile(source):
        raise Refused(f"{target} is the data file: choose another --out")
    place = Path(os.path.realpath(target))
    draft = place.with_name(f".{place.stem}.{os.getpid()}.try")
    try:
        draft.touch()
    except OSError as error:
        raise Refused(f"{target} cannot be written: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)
