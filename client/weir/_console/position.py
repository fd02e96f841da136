"""How far the agent has fetched a record: `.position`, a file's number and an offset in it."""

import os
from contextlib import suppress
from typing import Final, NamedTuple

_NAME: Final = ".position"


class Position(NamedTuple):
    """Up to where a record is safe elsewhere; zeros: nothing of it."""

    file: int = 0
    offset: int = 0


def read_position(folder: str) -> Position:
    """Read how far a record was fetched; zeros when nothing was, or nobody can tell."""
    try:
        with open(os.path.join(folder, _NAME), "rb") as file:
            number, offset = file.read(100).split()
        return Position(int(number), int(offset))
    except (OSError, ValueError):
        return Position()


def write_position(folder: str, position: Position) -> None:
    """Write how far a record was fetched; on disk before this returns.

    Raises:
        OSError: The disk does not take it; what was there before still is.
    """
    temporary = os.path.join(folder, f"{_NAME}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(b"%d %d\n" % position)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, os.path.join(folder, _NAME))
    except OSError:
        with suppress(OSError):
            os.unlink(temporary)
        raise
