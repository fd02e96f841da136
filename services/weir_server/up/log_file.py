"""A child's log: appended to by the child itself, rolled by us."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

ROLL_BYTES: Final = 16 << 20
KEPT: Final = 3
_TAIL_BYTES: Final = 8 << 10


def open_log(path: Path) -> int:
    """Return a descriptor for a child's stdout and stderr; the caller closes it."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def roll(path: Path, *, at_bytes: int = ROLL_BYTES) -> bool:
    """Move a log that has grown too big aside, at most `KEPT` of them; return whether it was.

    The child keeps its descriptor, so the file is copied and then emptied; lines written between
    the two are lost, which a log may.
    """
    try:
        if path.stat().st_size < at_bytes:
            return False
        for number in range(KEPT - 1, 0, -1):
            older = path.with_name(f"{path.name}.{number}")
            if older.exists():
                older.replace(path.with_name(f"{path.name}.{number + 1}"))
        shutil.copyfile(path, path.with_name(f"{path.name}.1"))
        os.truncate(path, 0)
    except OSError:  # a full disk must not end the supervisor
        return False
    return True


def last_line(path: Path, *, since: int = 0) -> str:
    """Return the last line written at or after byte `since`; "" when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(since, path.stat().st_size - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
