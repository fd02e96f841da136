"""How many statements of one asker run at once; the others wait for a little, in line.

A dashboard opens with twenty panels: they take turns instead of being refused.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from weir_store.sql.base import LimitReached


class Turns:
    """Turns in one event loop."""

    def __init__(self, *, at_once: int, each: int, wait_s: float, most_waiting: int = 256) -> None:
        """Allow `at_once` statements in all, `each` of one asker; wait `wait_s` for a turn."""
        self._at_once = at_once
        self._each = each
        self._wait_s = wait_s
        self._most_waiting = most_waiting
        self._changed = asyncio.Condition()
        self._of: Counter[str] = Counter()
        self._waiting = 0

    @asynccontextmanager
    async def turn(self, asker: str) -> AsyncIterator[None]:
        """Hold a turn. Raises `LimitReached` when there is none in time."""
        await self._take(asker)
        try:
            yield
        finally:
            self._of[asker] -= 1
            if not self._of[asker]:
                del self._of[asker]
            async with self._changed:
                self._changed.notify_all()

    async def _take(self, asker: str) -> None:
        if self._waiting >= self._most_waiting:
            raise LimitReached("too many statements wait already", hint="try again later")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._wait_s), self._changed:
                await self._changed.wait_for(lambda: self._is_free(asker))
                self._of[asker] += 1
        except TimeoutError:
            raise LimitReached(
                f"{self._of.total()} statements are running, {self._of[asker]} of them yours, and none"
                f" ended in {self._wait_s:g} s",
                hint="try again; the limits are gateway.sql_at_once and gateway.sql_each",
            ) from None
        finally:
            self._waiting -= 1

    def _is_free(self, asker: str) -> bool:
        return self._of.total() < self._at_once and self._of[asker] < self._each
