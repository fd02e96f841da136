"""Telling a Redis that has forgotten, or gone back, where a producer stands."""

from __future__ import annotations

from weir_server.gateway.producer import Producer
from weir_server.gateway.watermarks import StoredWatermarks
from weir_server.stream.base import Appender


async def reseed(producer: Producer, appender: Appender, watermarks: StoredWatermarks) -> None:
    """Raise the producer to what the store has; what we knew of it may fall to that.

    Raises:
        StreamUnavailable: Redis does not answer.
        StoreUnavailable: The store does not answer.
    """
    (committed,) = await watermarks.read([producer.id])
    # Another producer of the run may have told Redis first: from now on we agree with it.
    producer.birth_unix_us = await appender.register_run(*producer.run, producer.birth_unix_us)
    producer.accepted = await appender.raise_to(producer.shard, producer.id, committed)
    # Not at least what we knew: a store restored from a backup has gone back, and remembering
    # better would ask for the frame after it for ever.
    producer.committed = committed
