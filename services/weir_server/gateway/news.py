"""What a client has not heard of yet about one of its producers. Pure: time is handed in."""

from __future__ import annotations

from typing import Final

from weir_proto.v1 import ingest_pb2
from weir_server.gateway.producer import Producer

_REWIND_PATIENCE_S: Final = 1.0


def news_of(
    producer: Producer, *, now_s: float, now_unix_us: int
) -> list[ingest_pb2.ServerMessage]:
    """Return the messages to send, and note that the client has heard of it.

    Args:
        producer: Whose news.
        now_s: Monotonic seconds.
        now_unix_us: Server clock.
    """
    messages = []
    if producer.stop is not None and not producer.told_stop:
        producer.told_stop = True
        control = ingest_pb2.Control(stop=True, reason=producer.stop.reason, by=producer.stop.by)
        messages.append(ingest_pb2.ServerMessage(producer=producer.id, control=control))
    if producer.refused:
        return messages
    if producer.committed > producer.told_committed or producer.forgotten:
        ack = ingest_pb2.Ack(
            accepted_seq=producer.accepted,
            committed_seq=producer.committed,
            expect_seq=producer.accepted + 1 if producer.forgotten else 0,
            server_time_unix_us=now_unix_us,
        )
        messages.append(ingest_pb2.ServerMessage(producer=producer.id, ack=ack))
        producer.told_committed = producer.committed
        if producer.forgotten:
            producer.forgotten = False
            producer.asked_to_rewind(now_s=now_s, patience_s=_REWIND_PATIENCE_S)
    return messages
