"""A file that comes in piece by piece and is there only when it is whole."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path


class Arrival:
    """Bytes on their way to a file: `write` any number of times, then `keep` or `drop`.

    Written beside and moved into place, fsynced before: what is there is whole, also after a
    power cut.

    Attributes:
        size_bytes: Written so far.
    """

    def __init__(self, target: Path, beside: Path) -> None:
        """Begin; `beside` is a folder on the same file system."""
        self.size_bytes = 0
        self._target = target
        self._beside = beside / f"{secrets.token_hex(16)}.new"
        self._md5 = hashlib.md5(usedforsecurity=False)
        beside.mkdir(parents=True, exist_ok=True)
        self._file = self._beside.open("wb")

    @property
    def etag(self) -> str:
        """MD5 of what was written so far, hex."""
        return self._md5.hexdigest()

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._md5.update(chunk)
        self.size_bytes += self._file.write(chunk)

    def settle(self) -> None:
        """Have on disk what was written, still beside."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def keep(self) -> None:
        """Put the file into its place, whatever was there before."""
        self.settle()
        self._file.close()
        self._target.parent.mkdir(parents=True, exist_ok=True)
        self._beside.replace(self._target)
        _sync(self._target.parent)

    def drop(self) -> None:
        """Forget it; does nothing after `keep`."""
        try:
            self._file.close()
        finally:  # a full disk refuses the last bytes once more, and must not keep the others for it
            self._beside.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
