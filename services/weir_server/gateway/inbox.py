"""What a client has sent and we have not looked at: a queue that is bounded in bytes."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from weir_proto.v1 import ingest_pb2

MOST_BYTES: Final = 512 << 10
MOST_MESSAGES: Final = 128


class Inbox:
    """One task puts, another takes all there is.

    A full inbox makes the putter wait, so that gRPC's flow control slows the client down.
    """

    def __init__(self) -> None:
        self._messages: deque[ingest_pb2.ClientMessage] = deque()
        self._held_bytes = 0
        self._closed = False
        self._changed = asyncio.Condition()

    async def put(self, message: ingest_pb2.ClientMessage) -> None:
        """Wait for room and leave a message."""
        async with self._changed:
            await self._changed.wait_for(self._has_room)
            self._messages.append(message)
            self._held_bytes += len(message.frame.body)
            self._changed.notify_all()

    async def close(self) -> None:
        """Say that nothing more will come."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    async def take(self) -> list[ingest_pb2.ClientMessage]:
        """Wait for messages and take them all; none means that nothing more will come."""
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._messages) or self._closed)
            taken = list(self._messages)
            self._messages.clear()
            self._held_bytes = 0
            self._changed.notify_all()
            return taken

    def _has_room(self) -> bool:
        return self._held_bytes < MOST_BYTES and len(self._messages) < MOST_MESSAGES
