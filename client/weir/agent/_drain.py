"""Bringing spools to their servers: links on one side, the disk on the other.

The agent adds producers as trainers come and go; `weir sync` adds what it was given and waits.
"""

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, TypeVar

from weir._clock import Clock
from weir.agent._link import Link
from weir.agent._log import log
from weir.agent._producer import Producer
from weir.agent._transport import Address

T = TypeVar("T")

# A watermark costs an fsync: write it at most this often, unless somebody waits for it.
_SETTLE_EVERY_S: Final = 0.1
_AFTER_DISK_TROUBLE_S: Final = 1.0


class Drain:
    """Owns the links and the producers on them. Lives in one event loop.

    Attributes:
        producers: Everybody being drained, by producer id.
        finished: Called with a producer whose last word is committed, once it was let go.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        rng: random.Random,
        unary: bool = False,
        unary_after_breaks: bool = False,
        on_finished: Callable[[Producer], None] = lambda _: None,
    ) -> None:
        self.producers: dict[bytes, Producer] = {}
        self._clock = clock
        self._rng = rng
        self._unary = unary
        self._unary_after_breaks = unary_after_breaks
        self._on_finished = on_finished
        self._links: dict[Address, tuple[Link, asyncio.Task[None]]] = {}
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="weir-disk")
        self._moved = asyncio.Event()
        self._urgent = asyncio.Event()

    @property
    def links(self) -> list[Link]:
        """Every link there is."""
        return [link for link, _ in self._links.values()]

    def link_of(self, producer: Producer) -> Link | None:
        """Return the link that speaks for a producer."""
        return next((link for link in self.links if producer.id in link.producers), None)

    def add(self, producer: Producer, address: Address) -> None:
        """Begin to drain a spool."""
        self.producers[producer.id] = producer
        if address not in self._links:
            link = Link(
                address,
                clock=self._clock,
                rng=self._rng,
                on_moved=self.moved,
                unary=self._unary,
                unary_after_breaks=self._unary_after_breaks,
            )
            self._links[address] = link, asyncio.create_task(link.run())
        self._links[address][0].add(producer)
        if producer.finished:  # committed before, but an agent died before it could forget
            self.moved(producer)

    def discard(self, producer: Producer) -> None:
        """Drain a spool no more. Its link ends with its last producer."""
        self.producers.pop(producer.id, None)
        for address, (link, task) in list(self._links.items()):
            link.discard(producer)
            if not link.producers:
                task.cancel()
                del self._links[address]

    async def on_disk(self, work: Callable[[], T]) -> T:
        """Run slow disk work in the one thread for it, so that two pieces never overlap."""
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)

    def moved(self, producer: Producer) -> None:
        """Note that a watermark moved and the disk has yet to hear of it."""
        self._moved.set()
        if producer.urgent:
            self._urgent.set()

    async def settle_forever(self) -> None:
        """Keep watermarks on disk and forget what is committed; ends by being cancelled."""
        while True:
            await self._moved.wait()
            self._moved.clear()
            self._urgent.clear()
            well = await self.settle()
            pause_s = _SETTLE_EVERY_S if well else _AFTER_DISK_TROUBLE_S
            # Not wait_for: before Python 3.12 it can swallow a cancellation.
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._urgent.wait()

    async def settle(self) -> bool:
        """Settle every producer that moved; returns whether the disk took it all."""
        moved = [p for p in self.producers.values() if p.unsettled or p.finished]
        settled = await self.on_disk(lambda: _settle_each(moved))
        for producer, done in settled.items():
            if done:
                self.discard(producer)
                self._on_finished(producer)
        if len(settled) < len(moved):
            self._moved.set()
        return len(settled) == len(moved)

    async def close(self) -> None:
        """End every conversation, then write down how far they came."""
        tasks = [task for _, task in self._links.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._links.clear()
        await self.settle()
        for producer in self.producers.values():
            producer.close()
        self._disk.shutdown()


def _settle_each(producers: list[Producer]) -> dict[Producer, bool]:
    """Settle the producers; tells of those whose disk took it whether they are done."""
    settled = {}
    for producer in producers:
        try:
            settled[producer] = producer.settle()
        except (OSError, ValueError) as error:
            log.warning("cannot write the watermark", path=producer.spool.path, error=error)
    return settled
