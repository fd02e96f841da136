"""What waits for one subscriber: bounded, and forgotten as soon as it is too much.

Nothing is lost by that: what was forgotten is read from the store again, from the marks that the
subscriber was told last.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from weir_proto.v1 import live_pb2 as pb
from weir_store.live.base import Scope, Wants

MAX_BYTES: Final = 8 << 20


class Feed:
    """In the loop's thread only."""

    def __init__(self, scope: Scope, wants: Wants, *, max_bytes: int = MAX_BYTES) -> None:
        self.scope = scope
        self.wants = wants
        self.overflowed = False
        self._max_bytes = max_bytes
        self._waiting: deque[tuple[pb.Update, int]] = deque()
        self._bytes = 0
        self._news = asyncio.Event()

    def push(self, update: pb.Update, size_bytes: int) -> None:
        """Let an update wait; forget everything when it is too much."""
        if self.overflowed:
            return
        self._waiting.append((update, size_bytes))
        self._bytes += size_bytes
        if self._bytes > self._max_bytes:
            self.clear()
            self.overflowed = True
        self._news.set()

    def clear(self) -> None:
        """Forget what waits, and begin anew."""
        self._waiting.clear()
        self._bytes, self.overflowed = 0, False

    def wake(self) -> None:
        """Let `next` return."""
        self._news.set()

    async def next(self, wait_s: float) -> pb.Update | None:
        """Return what waited longest; None when nothing came in time, or too much."""
        if not self._waiting and not self.overflowed:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), wait_s)
            except TimeoutError:
                return None
        if not self._waiting:
            return None
        update, size_bytes = self._waiting.popleft()
        self._bytes -= size_bytes
        return update
