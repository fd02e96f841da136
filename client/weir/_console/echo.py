"""Passing on what was written: at once, unchanged, to where it would have gone."""

import errno
import os
import select
from typing import Final

CHUNK_BYTES: Final = 64 << 10


def read_chunk(source: int) -> bytes:
    """Read what is there; empty when nobody can write any more (a pty says so by EIO)."""
    try:
        return os.read(source, CHUNK_BYTES)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return b""


def write_all(target: int, chunk: bytes) -> None:
    """Write all of it, waiting as long as its reader does not read.

    Raises:
        OSError: The target does not take it and never will: closed, gone, no room.
    """
    left = memoryview(chunk)
    while left:
        try:
            left = left[os.write(target, left) :]
        except BlockingIOError:  # somebody made it non-blocking: it is shared with others
            waiting = select.poll()
            waiting.register(target, select.POLLOUT)
            waiting.poll()


def is_readable(source: int) -> bool:
    """Return whether something can be read now, the end included."""
    looking = select.poll()
    looking.register(source, select.POLLIN)
    return bool(looking.poll(0))
