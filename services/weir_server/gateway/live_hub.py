"""One look at the store for all subscribers: who looks on, and what each is to be told of it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from operator import or_
from typing import Final, TypeVar

from weir_proto.v1 import live_pb2 as pb
from weir_server.clock import Clock
from weir_server.gateway.live_feed import Feed
from weir_server.gateway.live_messages import marks_message, updates_of
from weir_server.log import get_logger
from weir_server.telemetry import LIVE_LOOK_SECONDS
from weir_store.console.cursor import Life
from weir_store.errors import StoreError
from weir_store.live.base import Scope, Standing, Told, Wants, within
from weir_store.live.watch import Watch

T = TypeVar("T")

POLL_S: Final = 0.1
_PATIENCE_S: Final = 2.0  # between looks at a store that does not answer
_NOTHING: Final = Wants(frozenset(), frozenset(), frozenset())


class Hub:
    """Looks while somebody looks on. In one event loop; the store is asked in a thread."""

    def __init__(self, watch: Watch, clock: Clock, *, poll_s: float = POLL_S) -> None:
        self._watch = watch
        self._clock = clock
        self._poll_s = poll_s
        self._feeds: set[Feed] = set()
        self._turn = asyncio.Lock()  # guards the watch: one thread at a time
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="weir-live")
        self._looking: asyncio.Task[None] | None = None

    async def attach(self, feed: Feed) -> tuple[dict[Life, int], list[Standing], int]:
        """Tell a feed from now on what is stored.

        Returns:
            How far its runs were told before, where they stand, and the moment, Unix µs.

        Raises:
            StoreUnavailable: And the feed is not attached.
        """
        async with self._turn:
            feed.clear()
            await self._follow(self._feeds | {feed})
            self._feeds.add(feed)
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look())
            scope = feed.scope
            return self._watch.marks(scope), self._watch.standing(scope), self._clock.unix_us()

    def detach(self, feed: Feed) -> None:
        """Tell it no more."""
        self._feeds.discard(feed)
        feed.clear()

    async def close(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking
        self._thread.shutdown(wait=False)

    async def _look(self) -> None:
        """Look until nobody looks on."""
        while True:
            started_s = time.monotonic()
            wait_s = self._poll_s
            async with self._turn:
                if not self._feeds:
                    return
                try:
                    await self._look_once(tuple(self._feeds))
                except StoreError as error:
                    get_logger().warning("cannot look at what is new", problem=str(error))
                    wait_s = _PATIENCE_S
            await asyncio.sleep(max(0.0, wait_s - (time.monotonic() - started_s)))

    async def _look_once(self, feeds: tuple[Feed, ...]) -> None:
        loop = asyncio.get_running_loop()
        await self._follow(feeds)
        now_unix_us = self._clock.unix_us()
        with LIVE_LOOK_SECONDS.time():
            fresh = await self._in_thread(lambda: self._watch.look(_told_to(feeds, loop)))
        for feed in feeds:
            marks = within(fresh, feed.scope)
            if marks:
                update = pb.Update(marks=marks_message(marks, now_unix_us))
                feed.push(update, update.ByteSize())

    async def _follow(self, feeds: Iterable[Feed]) -> None:
        scope: Scope = reduce(or_, (feed.scope for feed in feeds), Scope())
        wants: Wants = reduce(or_, (feed.wants for feed in feeds), _NOTHING)
        await self._in_thread(lambda: self._watch.follow(scope, wants))

    async def _in_thread(self, what: Callable[[], T]) -> T:
        # Also when the caller goes away: two threads must never be in the watch.
        asked = asyncio.get_running_loop().run_in_executor(self._thread, what)
        return await asyncio.shield(asked)


def _told_to(feeds: Iterable[Feed], loop: asyncio.AbstractEventLoop) -> Callable[[Told], None]:
    """Return what hands news on to those it concerns, from the thread into the loop.

    Who wants the same is told the same object.
    """
    by_wish: dict[Wants, list[Feed]] = {}
    for feed in feeds:
        by_wish.setdefault(feed.wants, []).append(feed)

    def tell(told: Told) -> None:
        for wants, some in by_wish.items():
            concerned = [feed for feed in some if feed.scope.has(told.run)]
            if not concerned:
                continue
            for update in updates_of(told, wants):
                loop.call_soon_threadsafe(_push, concerned, update, update.ByteSize())

    return tell


def _push(feeds: Iterable[Feed], update: pb.Update, size_bytes: int) -> None:
    for feed in feeds:
        feed.push(update, size_bytes)
