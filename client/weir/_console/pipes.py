"""Pipes that keep clear of the standard streams."""

import fcntl
import os
from contextlib import suppress
from typing import Final

LEAST_DESCRIPTOR: Final = 3  # below are the standard streams, also those that are closed


def open_pipe(size_bytes: int = 0) -> tuple[int, int]:
    """Open a pipe whose ends are no standard streams; returns (read end, write end)."""
    source, sink = (_lift(end) for end in os.pipe())
    if size_bytes and hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):  # over what a user may have: the usual size will do
            fcntl.fcntl(sink, fcntl.F_SETPIPE_SZ, size_bytes)
    return source, sink


def _lift(descriptor: int) -> int:
    if descriptor >= LEAST_DESCRIPTOR:
        return descriptor
    lifted = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, LEAST_DESCRIPTOR)
    os.close(descriptor)
    return lifted
