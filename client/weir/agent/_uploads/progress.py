"""How far the uploads of one outbox have come, for the training process that waits at its end."""

import threading
from contextlib import suppress
from typing import Final

from weir._clock import Clock
from weir._spool import Outbox

_TELL_EVERY_S: Final = 0.4


class Progress:
    """Counts bytes, and leaves word beside the orders now and then. Safe from any thread.

    Attributes:
        moved_s: When bytes passed last, clock of the agent; −∞ = never.
    """

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self.moved_s = float("-inf")
        self._outbox = outbox
        self._clock = clock
        self._lock = threading.Lock()
        self._sent_bytes = 0
        self._total_bytes = 0
        self._told_s = float("-inf")
        self._doing = self._trouble = ""

    def begin(self, doing: str, size_bytes: int) -> None:
        """An order begins, or begins again."""
        with self._lock:
            self._doing, self._trouble = doing, ""
            self._sent_bytes, self._total_bytes = 0, size_bytes
        self._tell(at_once=True)

    def passed(self, size_bytes: int) -> None:
        """Bytes were sent, or need not be."""
        with self._lock:
            self._sent_bytes += size_bytes
            if size_bytes > 0:
                self.moved_s = self._clock.monotonic_s()
        self._tell()

    def stuck(self, why: str) -> None:
        """Something is in the way; it will be tried again."""
        with self._lock:
            self._trouble = why
        self._tell(at_once=True)

    def _tell(self, *, at_once: bool = False) -> None:
        with self._lock:
            now_s = self._clock.monotonic_s()
            if not at_once and now_s - self._told_s < _TELL_EVERY_S:
                return
            self._told_s = now_s
            said = {
                "doing": self._doing,
                "sent_bytes": min(self._sent_bytes, self._total_bytes),
                "total_bytes": self._total_bytes,
                "trouble": self._trouble,
            }
            with suppress(OSError):  # it only informs
                self._outbox.note_progress(said)
