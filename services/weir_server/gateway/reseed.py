"""Telling a Redis that has forgotten, or gone back, where a producer stands."""

from __future__ import annotations

from weir_server.gateway.producer import Producer
from weir_server.gateway.watermarks import StoredWatermarks
from weir_server.stream.base import Appender


async def reseed(producer: Producer, appender: Appender, watermarks: StoredWatermarks) -> None:
    """Raise the producer to what the store has; `producer.accepted` may fall to it.

    Raises:
        StreamUnavailable: Redis does not answer.
        StoreUnavailable: The store does not answer.
    """
    (committed,) = await watermarks.read([producer.id])
    await appender.register_run(*producer.run, producer.birth_unix_us)
    producer.accepted = await appender.raise_to(producer.shard, producer.id, committed)
    producer.commit_seen(committed)
