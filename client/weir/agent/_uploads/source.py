"""One file to send: what it was when it was ordered, and the digests of its bytes."""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from weir.agent._uploads.stopping import Stopping
from weir.errors import WeirError

CHUNK_BYTES: Final = 1 << 20
_HELPED_BYTES: Final = 32 << 20  # from here on, MD5 and SHA-256 are worth a thread each


class SourceLost(WeirError):
    """A file is not any more what it was when it was ordered. Sending it again cannot help.

    Attributes:
        name: The file's name in what was ordered.
    """

    def __init__(self, name: str, why: str, *, hint: str = "") -> None:
        super().__init__(f"{name}: {why}", hint=hint)
        self.name = name


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What the bytes of a file are.

    Attributes:
        sha256: Of all of them, hex.
        part_bytes: Of every part but the last.
        md5s: Of the parts, hex; one at least.
    """

    sha256: str
    size_bytes: int
    part_bytes: int
    md5s: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A file to send.

    Attributes:
        name: What people call it: its path in the artifact or the run.
        path: Where its bytes are.
        size_bytes: When it was ordered.
        mtime_ns: Likewise; 0 = not known, its size has to do.
        sha256: Of its bytes when its order says so; "" = not known yet.
    """

    name: str
    path: Path
    size_bytes: int
    mtime_ns: int = 0
    sha256: str = ""

    def check(self, descriptor: int) -> None:
        """Raise SourceLost when the open file is not what was ordered."""
        found = os.fstat(descriptor)
        if found.st_size != self.size_bytes:
            raise self.lost(f"changed: it had {self.size_bytes} bytes and has {found.st_size}")
        if self.mtime_ns and found.st_mtime_ns != self.mtime_ns:
            raise self.lost("changed: it was written to after it was logged")

    def lost(self, why: str) -> SourceLost:
        """Return the error that says so, and what to do."""
        hint = "write to a new file and rename it, or log it with copy=True"
        return SourceLost(self.name, why, hint=hint)

    def open(self) -> int:
        """Open for reading. Raises SourceLost when it is gone or not ours to read."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY)
        except (FileNotFoundError, NotADirectoryError):
            raise self.lost(f"is gone from {self.path}") from None
        except PermissionError:
            raise self.lost(f"may not be read at {self.path}") from None
        try:
            self.check(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def read(self, first: int, length: int) -> Iterator[bytes]:
        """Iterate over a range in chunks of at most 1 MiB, as they are read.

        The file is looked at before the first byte and after the last: what came out was not
        changed in between. Raises SourceLost.
        """
        descriptor = self.open()
        try:
            left = length
            while left > 0:
                chunk = os.pread(descriptor, min(CHUNK_BYTES, left), first + length - left)
                if not chunk:
                    raise self.lost("became shorter while it was read")
                left -= len(chunk)
                yield chunk
            self.check(descriptor)
        finally:
            os.close(descriptor)


def fingerprint(source: Source, part_bytes: int, stopping: Stopping) -> Fingerprint:
    """Read a file once, and return what its bytes are.

    Raises:
        SourceLost: It is not what was ordered.
        Stopped: We were asked to.
    """
    whole = hashlib.sha256()
    md5s: list[str] = []
    with ExitStack() as stack:
        helper = None
        if source.size_bytes >= _HELPED_BYTES:
            helper = stack.enter_context(ThreadPoolExecutor(1, "weir-md5"))
        for first in range(0, max(1, source.size_bytes), part_bytes):
            part = hashlib.md5(usedforsecurity=False)
            helped: Future[Any] | None = None
            for chunk in source.read(first, min(part_bytes, source.size_bytes - first)):
                stopping.check()
                if helper is None:
                    part.update(chunk)
                else:
                    if helped is not None:
                        helped.result()
                    helped = helper.submit(part.update, chunk)
                whole.update(chunk)
            if helped is not None:
                helped.result()
            md5s.append(part.hexdigest())
    sha256 = whole.hexdigest()
    if source.sha256 and sha256 != source.sha256:
        raise source.lost("has other bytes than when it was ordered")
    return Fingerprint(sha256, source.size_bytes, part_bytes, tuple(md5s))
