"""Power loss: what was spooled more than a second ago should be on the disk."""

import os
from pathlib import Path

from weir._spool import SpoolDir


class SegmentSync:
    """Brings one spool's new bytes to the disk. Used by the disk thread.

    Segments are only appended to and only the newest one grows, so one mark is enough: everything
    before `_number` is synced, and `_number` itself up to `_bytes`.
    """

    def __init__(self, spool: SpoolDir) -> None:
        self._spool = spool
        self._number = 0
        self._bytes = 0

    def sync(self) -> None:
        """Call fdatasync on the segments that grew since the last call.

        Raises:
            OSError: The disk does not take it. The next call tries again.
        """
        for path in self._spool.list_segments():
            number = int(path.stem)
            if number < self._number:
                continue
            synced_bytes = self._bytes if number == self._number else 0
            self._bytes = _sync_grown(path, synced_bytes)
            self._number = number


def _sync_grown(path: Path, synced_bytes: int) -> int:
    """Sync a segment when it is larger than `synced_bytes`; returns how far it is synced now."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:  # committed and gone
        return synced_bytes
    try:
        size_bytes = os.fstat(descriptor).st_size
        if size_bytes > synced_bytes:
            os.fdatasync(descriptor)
        return size_bytes
    finally:
        os.close(descriptor)
