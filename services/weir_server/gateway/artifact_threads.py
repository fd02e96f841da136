"""Threads of the artifact service's own: what blocks there holds nobody else up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, TypeVar

T = TypeVar("T")
_THREADS: Final = 16
_END: Final = object()


class Threads:
    """A bounded pool; calls beyond it wait for their turn."""

    def __init__(self, threads: int = _THREADS) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="artifacts")

    async def call(self, what: Callable[..., T], *args: Any, **named: Any) -> T:
        """Return what a blocking call returns."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, partial(what, *args, **named))

    async def each(self, items: Iterator[T]) -> AsyncIterator[T]:
        """Yield what a blocking iterator yields, one call at a time."""
        while (item := await self.call(next, items, _END)) is not _END:
            yield item

    def close(self) -> None:
        """Take no more calls; those under way end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)
