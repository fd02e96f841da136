"""How much of the disk one producer's spool may take: never what the user has left."""

import os
from typing import Final

from weir._clock import Clock
from weir._spool.layout import SpoolDir
from weir._spool.writer import SEGMENT_BYTES
from weir.errors import SpoolFull

_LOOK_EVERY_S: Final = 2.0
# The newest segment stays also when all of it is committed: it must not be most of the cap.
_SEGMENTS_IN_CAP: Final = 8
_SMALLEST_SEGMENT_BYTES: Final = 4 << 10


class CapReached(SpoolFull):
    """The spool has reached the size its settings allow."""


def cap_bytes(*, taken_bytes: int, free_bytes: int, max_bytes: int, free_share: float) -> int:
    """Return how large the spool may get: at most `max_bytes`, and a share of what is free.

    What the spool takes itself counts as free. Any number of processes that each keep to a share
    below 1 of what the others leave never fill the disk together.
    """
    return min(max_bytes, int(free_share * (free_bytes + taken_bytes)))


class SpoolRoom:
    """Watches over the size of one spool. Used by the spool thread only.

    It asks the disk seldom: every two seconds, and before it says no.
    """

    def __init__(self, spool: SpoolDir, *, max_bytes: int, free_share: float, clock: Clock) -> None:
        self._spool = spool
        self._max_bytes = max_bytes
        self._free_share = free_share
        self._clock = clock
        self._taken_bytes = 0
        self._free_bytes: int | None = None  # None = the disk does not tell
        self._looked_s = float("-inf")

    @property
    def segment_bytes(self) -> int:
        """Size of a segment that leaves the spool room for others beside it."""
        fitting_bytes = self._cap_bytes() // _SEGMENTS_IN_CAP
        return max(_SMALLEST_SEGMENT_BYTES, min(SEGMENT_BYTES, fitting_bytes))

    def admit(self, size_bytes: int) -> None:
        """Let a frame pass that may be written.

        Raises:
            CapReached: The spool is as large as it may get.
            SpoolFull: The disk has no room.
        """
        if self._fits(size_bytes) and self._clock.monotonic_s() - self._looked_s < _LOOK_EVERY_S:
            return
        self._look()
        if self._free_bytes is not None and self._free_bytes < size_bytes:
            raise SpoolFull(f"cannot write to {self._spool.path}: the disk has no room")
        if not self._fits(size_bytes):
            raise CapReached(self._why(), hint="is the server away? look with `weir status`")

    def took(self, size_bytes: int) -> None:
        """Count a frame that was written."""
        self._taken_bytes += size_bytes
        if self._free_bytes is not None:
            self._free_bytes -= size_bytes

    def _fits(self, size_bytes: int) -> bool:
        return self._taken_bytes + size_bytes <= self._cap_bytes()

    def _cap_bytes(self) -> int:
        if self._free_bytes is None:
            return self._max_bytes
        return cap_bytes(
            taken_bytes=self._taken_bytes,
            free_bytes=self._free_bytes,
            max_bytes=self._max_bytes,
            free_share=self._free_share,
        )

    def _look(self) -> None:
        self._looked_s = self._clock.monotonic_s()
        try:
            self._taken_bytes = self._spool.size_bytes()  # the agent has freed some since
            disk = os.statvfs(self._spool.path)
        except (OSError, AttributeError):  # AttributeError: not a platform that can be asked
            self._free_bytes = None
        else:
            self._free_bytes = disk.f_bavail * disk.f_frsize if disk.f_blocks else None

    def _why(self) -> str:
        if self._cap_bytes() == self._max_bytes:
            return f"the spool {self._spool.path} has reached spool_max_bytes = {self._max_bytes}"
        return (
            f"the spool {self._spool.path} has reached spool_free_share = {self._free_share:g} of "
            "the free disk"
        )
