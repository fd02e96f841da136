"""One process per data directory, and one line that says which."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from weir_server.errors import StartupError

_NAME = "weir-engine.pid"


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold the data directory for this process; the system lets go of it however the process ends.

    Raises:
        StartupError: Another process holds it (its pid is named), or it cannot be written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path / _NAME, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as fault:
        raise StartupError(
            f"cannot write to the data directory {path}: {fault.strerror}",
            hint="point engine.path at a directory this user may write to",
        ) from fault
    try:
        _lock(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as fault:
        holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
        raise StartupError(
            f"data directory {path} is held by another engine, pid {holder}",
            hint=f"use that one, or stop it: kill {holder}",
        ) from fault
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    except OSError as fault:
        raise StartupError(
            f"cannot write to the data directory {path}: {fault.strerror}",
            hint="free some space on its disk",
        ) from fault
