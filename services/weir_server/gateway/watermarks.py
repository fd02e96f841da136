"""Committed watermarks from the store itself: the truth, when Redis has forgotten or gone back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from weir_store.base import Inserter


class StoredWatermarks:
    """Asks the store about many producers at once.

    Questions that come while one is being answered are put together into the next: after a
    restart thousands of producers greet in the same second. One thread, as `Inserter` wants it.
    """

    def __init__(self, inserter: Inserter) -> None:
        self._inserter = inserter
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="weir-watermarks")
        self._waiting: dict[bytes, list[asyncio.Future[int]]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def read(self, producers: Sequence[bytes]) -> list[int]:
        """Return the committed seq of each, 0 where there is none. Raises `StoreUnavailable`."""
        loop = asyncio.get_running_loop()
        futures = []
        for producer in producers:
            future: asyncio.Future[int] = loop.create_future()
            self._waiting.setdefault(producer, []).append(future)
            futures.append(future)
        if futures and self._asking is None:
            self._asking = asyncio.create_task(self._ask_until_nobody_waits())
        answers = await asyncio.gather(*futures, return_exceptions=True)
        return [_or_raise(answer) for answer in answers]

    async def close(self) -> None:
        """Let go of the thread."""
        if self._asking is not None:
            await asyncio.wait({self._asking})
        self._thread.shutdown()

    async def _ask_until_nobody_waits(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, {}
            try:
                found = await self._read_committed(list(asked))
            except Exception as error:  # noqa: BLE001  # whatever it is, those who wait must hear it
                _settle(asked, error)
            else:
                _settle(asked, found)
        self._asking = None

    async def _read_committed(self, producers: Sequence[bytes]) -> dict[bytes, int]:
        names = [UUID(bytes=producer) for producer in producers]
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._thread, self._inserter.read_committed, names)
        return {name.bytes: seq for name, seq in found.items()}


def _settle(
    asked: dict[bytes, list[asyncio.Future[int]]], answer: dict[bytes, int] | Exception
) -> None:
    for producer, futures in asked.items():
        for future in futures:
            if future.done():  # who asked was cancelled
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer.get(producer, 0))


def _or_raise(answer: int | BaseException) -> int:
    if isinstance(answer, BaseException):
        raise answer
    return answer
