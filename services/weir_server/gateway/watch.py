"""Looks up, for all streams of this gateway at once, what became committed, what Redis forgot, and who should stop."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final

from weir_server.clock import Clock
from weir_server.errors import StreamUnavailable
from weir_server.gateway.producer import Producer
from weir_server.gateway.reseed import reseed
from weir_server.gateway.watermarks import StoredWatermarks
from weir_server.log import get_logger
from weir_server.stream.base import Appender
from weir_store.errors import StoreError

_SLOW_LOOK_S: Final = 2.0
_LOOKED_AFTER: Final = 200  # producers that stand still, at one look
_STORE_EVERY_S: Final = 2.0
_AWAY_S: Final = 1.0
_SHARE: Final = 4  # rest at least four times as long as looking took: a fifth of the time at most


class Watch:
    """One poller for all producers; wakes a stream when there is news for one of its producers."""

    def __init__(
        self, appender: Appender, watermarks: StoredWatermarks, *, poll_s: float, clock: Clock
    ) -> None:
        self._appender = appender
        self._watermarks = watermarks
        self._poll_s = poll_s
        self._clock = clock
        self._watched: dict[int, tuple[Producer, Callable[[], None]]] = {}
        self._slow_look_at_s = 0.0
        self._stood_at: dict[int, int] = {}  # committed of those that were waiting at the last look
        self._store_at_s = 0.0

    def add(self, producer: Producer, wake: Callable[[], None]) -> None:
        """Look after a producer; `wake` is called when it has news."""
        self._watched[id(producer)] = (producer, wake)

    def discard(self, producer: Producer) -> None:
        """Forget a producer."""
        self._watched.pop(id(producer), None)

    async def run(self) -> None:
        """Look for ever; ends only by being cancelled."""
        away = False
        while True:
            began_s = self._clock.monotonic_s()
            try:
                await self.look()
                away = False
            except (StreamUnavailable, StoreError) as error:
                if not away:
                    get_logger().warning("cannot look up watermarks", problem=str(error))
                away = True
            took_s = self._clock.monotonic_s() - began_s
            await asyncio.sleep(max(_AWAY_S if away else self._poll_s, _SHARE * took_s))

    async def look(self) -> None:
        """Look once."""
        await self._look_for_commits()
        now_s = self._clock.monotonic_s()
        if now_s >= self._slow_look_at_s:
            self._slow_look_at_s = now_s + _SLOW_LOOK_S
            await self._look_for_stops()
            await self._look_for_forgotten()

    async def _look_for_commits(self) -> None:
        by_shard: dict[int, list[Producer]] = defaultdict(list)
        for producer in self._outstanding():
            by_shard[producer.shard].append(producer)
        not_cached = []
        for shard, producers in by_shard.items():
            found = await self._appender.read_committed(shard, [p.id for p in producers])
            for producer in producers:
                if producer.id in found:
                    self._learn(producer, found[producer.id])
                else:
                    not_cached.append(producer)
        await self._ask_the_store(not_cached)

    async def _ask_the_store(self, producers: Iterable[Producer]) -> None:
        """Redis forgot their watermarks, or nothing of theirs was ever committed."""
        now_s = self._clock.monotonic_s()
        waiting = list(producers)
        if not waiting or now_s < self._store_at_s:
            return
        self._store_at_s = now_s + _STORE_EVERY_S
        stored = await self._watermarks.read([producer.id for producer in waiting])
        for producer, seq in zip(waiting, stored, strict=True):
            self._learn(producer, seq)

    async def _look_for_stops(self) -> None:
        open_runs = {
            producer.run for producer, _ in self._watched.values() if producer.stop is None
        }
        stops = await self._appender.read_stops(sorted(open_runs))
        for producer, wake in list(self._watched.values()):
            stop = stops.get(producer.run)
            if producer.stop is None and stop is not None and producer.must_heed(stop):
                producer.stop = stop
                wake()

    async def _look_for_forgotten(self) -> None:
        """Find producers that wait for a commit of frames that Redis does not have any more.

        A client that goes on sending hears of it by the answers; one that has sent everything
        would wait for ever.
        """
        waiting = self._outstanding()
        still = [p for p in waiting if self._stood_at.get(id(p)) == p.committed]
        self._stood_at = {id(p): p.committed for p in waiting}
        for producer in random.sample(still, min(len(still), _LOOKED_AFTER)):
            accepted = producer.accepted
            known = await self._appender.read_accepted(producer.shard, producer.id)
            if known is None or known < accepted:
                await reseed(producer, self._appender, self._watermarks)
                producer.forgotten = producer.accepted < accepted
                self._wake(producer)

    def _outstanding(self) -> list[Producer]:
        return [p for p, _ in self._watched.values() if p.committed < p.accepted]

    def _learn(self, producer: Producer, committed: int) -> None:
        if committed <= producer.committed:
            return
        producer.commit_seen(committed)
        self._wake(producer)

    def _wake(self, producer: Producer) -> None:
        watched = self._watched.get(id(producer))
        if watched is not None:
            watched[1]()
