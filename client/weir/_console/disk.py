"""The scribe's hand: lines into numbered files, whatever the disk does."""

import os
import time
from contextlib import suppress
from typing import Final

from weir._console.position import read_position
from weir._console.records import (
    MAGIC,
    ROLL_BYTES,
    Line,
    file_name,
    list_files,
    pack_lines,
)

_LOOK_EVERY_S: Final = 2.0
_TRY_AGAIN_S: Final = 1.0


class RecordWriter:
    """Appends lines to `console/NNNNNNNN.lines`, and begins the next file when one is full.

    Whole lines only: what a failed write left is cut off. What cannot be written is counted.

    Attributes:
        lost: Lines not written since they were last told.
        trouble: Why; "" when there was none.
    """

    def __init__(self, folder: str, *, cap_bytes: int, free_share: float) -> None:
        self._folder = folder
        self._cap_bytes = cap_bytes
        self._free_share = free_share
        self._descriptor = -1
        self._size_bytes = 0
        self._room_bytes = 0
        self._looked_s = float("-inf")
        self._failed_s = float("-inf")
        self.lost = 0
        self.trouble = ""

    @property
    def ready(self) -> bool:
        """Whether it is worth trying: the last failure is long enough ago."""
        return time.monotonic() - self._failed_s >= _TRY_AGAIN_S

    def write(self, lines: list[Line]) -> bool:
        """Write lines; they are in the page cache when this returns True. Never raises OSError."""
        if not self.ready:
            self.lost += len(lines)
            return False
        try:
            self._append(pack_lines(lines))
        except OSError as error:
            self._failed_s = time.monotonic()
            self._looked_s = float("-inf")
            self.trouble = error.strerror or str(error)
            self.lost += len(lines)
            return False
        return True

    def tell_lost(self) -> int:
        """Return how many lines were not written since the last call."""
        lost, self.lost = self.lost, 0
        return lost

    def close(self) -> None:
        """Close the open file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _append(self, packed: bytes) -> None:
        self._admit(len(packed))
        if self._descriptor < 0:
            self._open_next()
        try:
            if os.write(self._descriptor, packed) < len(packed):
                raise OSError(28, "the disk took only a part")
        except OSError:
            self._undo()
            raise
        self._size_bytes += len(packed)
        self._room_bytes -= len(packed)
        if self._size_bytes >= ROLL_BYTES:
            self.close()

    def _admit(self, size_bytes: int) -> None:
        """Let pass what may be written.

        Raises:
            OSError: The record is as large as it may get, or was removed.
        """
        now_s = time.monotonic()
        if now_s - self._looked_s >= _LOOK_EVERY_S:
            self._looked_s = now_s
            self._look()
        if size_bytes > self._room_bytes:
            raise OSError(28, "lines that nobody fetched take all the room they may")

    def _look(self) -> None:
        if self._descriptor >= 0 and not os.fstat(self._descriptor).st_nlink:
            self.close()  # somebody removed it
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        taken_bytes = 0
        for number in list_files(self._folder):
            with suppress(FileNotFoundError):  # the agent has it by now
                taken_bytes += os.stat(os.path.join(self._folder, file_name(number))).st_size
        disk = os.statvfs(self._folder)
        free_bytes = disk.f_bavail * disk.f_frsize if disk.f_blocks else self._cap_bytes
        may_bytes = min(self._cap_bytes, int(self._free_share * (free_bytes + taken_bytes)))
        self._room_bytes = may_bytes - taken_bytes

    def _open_next(self) -> None:
        number = next_file(self._folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        self._descriptor = os.open(os.path.join(self._folder, file_name(number)), flags, 0o600)
        self._size_bytes = 0
        try:
            if os.write(self._descriptor, MAGIC) < len(MAGIC):
                raise OSError(28, "the disk took only a part")
        except OSError:
            self.close()
            os.unlink(os.path.join(self._folder, file_name(number)))
            raise
        self._size_bytes = len(MAGIC)

    def _undo(self) -> None:
        """Cut off what was written in part; where that fails too, the next file goes on."""
        try:
            os.ftruncate(self._descriptor, self._size_bytes)
        except OSError:
            self.close()


def next_file(folder: str) -> int:
    """Return the number of a record's next file: behind all there are and all that were fetched."""
    files = list_files(folder)
    fetched = read_position(folder)[0]
    return max([*files, fetched], default=0) + 1
