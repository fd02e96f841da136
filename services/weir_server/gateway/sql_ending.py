"""Statements whose askers are gone: ended in ClickHouse, wherever they are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from weir_store.errors import StoreError

_PATIENCE_S: Final = 0.2


class Watched:
    """The pieces of an answer, drawn in a thread; says in the event loop when that thread is done.

    Attributes:
        ended: Set when the pieces were closed, which `chunks.draw` does in any case.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._loop = asyncio.get_running_loop()
        self.ended = asyncio.Event()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        """Close the pieces; in their thread."""
        try:
            if hasattr(self._pieces, "close"):
                self._pieces.close()
        finally:
            with suppress(RuntimeError):  # the loop may be closed already
                self._loop.call_soon_threadsafe(self.ended.set)


async def stop_until(ended: asyncio.Event, stop: Callable[[str], None], mark: str) -> None:
    """Return when a statement has ended; one that takes its time is stopped.

    It cannot be found before it has begun, so ask again until it is gone.
    """
    while not await _happens(ended, _PATIENCE_S):
        with suppress(StoreError):
            await asyncio.to_thread(stop, mark)


async def _happens(event: asyncio.Event, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            return await event.wait()
    except TimeoutError:
        return False
