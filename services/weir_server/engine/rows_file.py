"""The rows of one insert, held until all of them are there: the engine then reads them as a file."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final, cast

from weir_server import fault
from weir_server.engine import errors
from weir_server.engine.errors import QueryFailed

IN_MEMORY_BYTES: Final = 64 << 20


@contextmanager
def held(rows: Iterable[bytes], folder: Path) -> Iterator[int]:
    """Write all `rows` down and lend the file's descriptor; it leaves no trace.

    Args:
        rows: Pieces; whatever is raised while iterating ends the insert before it began.
        folder: Takes what is larger than `IN_MEMORY_BYTES`.

    Raises:
        QueryFailed: There is no room for them.
    """
    file = _in_memory(folder)
    try:
        try:
            for piece in rows:
                if 0 <= IN_MEMORY_BYTES - file.tell() < len(piece):
                    file = _on_disk(file, folder)
                file.write(piece)
                fault.hit("engine.mid_insert")
            file.seek(0)  # where `/dev/fd` is the descriptor itself, the engine reads from here
        except OSError as error:
            raise QueryFailed(
                errors.CANNOT_WRITE_TO_FILE,
                f"Cannot hold the rows until all of them are there: {error.strerror}",
            ) from error
        yield file.fileno()
    finally:
        with suppress(OSError):  # what the disk had no room for is tried once more, and said above
            file.close()


def _in_memory(folder: Path) -> IO[bytes]:
    if not hasattr(os, "memfd_create"):  # not Linux
        return cast("IO[bytes]", tempfile.TemporaryFile(dir=folder))
    return os.fdopen(os.memfd_create("weir-rows"), "w+b")


def _on_disk(file: IO[bytes], folder: Path) -> IO[bytes]:
    """Return a file on disk with the same content; closes the old one."""
    larger = cast("IO[bytes]", tempfile.TemporaryFile(dir=folder))  # noqa: SIM115 - closed by `held`
    try:
        file.seek(0)
        shutil.copyfileobj(file, larger, 1 << 20)
    except OSError:
        with suppress(OSError):
            larger.close()
        raise
    file.close()
    return larger
