"""A rolling upgrade: clients, gateways and writers of neighbouring releases side by side (F28)."""

from __future__ import annotations

import asyncio

import pytest

from tests.fuzz.bad_frames import NOW_US, frame_of
from tests.fuzz.targets import new_judge, new_producer
from tests.unit.server.frames import entry, grid
from weir_proto.v1 import ingest_pb2 as pb
from weir_proto.v1 import stream_pb2
from weir_server.clock import ManualClock
from weir_server.gateway.intake import Intake
from weir_server.gateway.judge import Judge
from weir_server.gateway.limits import BODY_SCHEMA, Code, Limits
from weir_server.gateway.watermarks import StoredWatermarks
from weir_server.settings import GatewaySettings
from weir_server.stream.base import StreamEntry
from weir_server.stream.memory import MemoryStream
from weir_server.writer.rows import build_block
from weir_server.writer.unpack import unpack
from weir_store import tables
from weir_store.memory import MemoryStore

# Fields nobody has given out: a number, a text, and a message, as a later release might add them.
OF_TOMORROW = b"\xa0\x7d\x2a" + b"\xaa\x7d\x03new" + b"\xb2\x7d\x02\x08\x01"


def body_of_tomorrow() -> bytes:
    """Return a body of schema 1 with fields that this release does not know."""
    return grid(1, rows=2).SerializeToString() + OF_TOMORROW


def judged_entry(raw: bytes) -> tuple[stream_pb2.Entry, StreamEntry]:
    frame = frame_of(1, raw)
    judged = new_judge().judge(new_producer(), frame, NOW_US)
    assert not judged.rejects
    return stream_pb2.Entry.FromString(judged.payload), StreamEntry(
        "1-0", frame.producer, 1, judged.payload
    )


def test_fields_that_only_a_later_client_knows_pass_through_untouched() -> None:
    raw = body_of_tomorrow()
    entry_, source = judged_entry(raw)
    assert entry_.frame == frame_of(1, raw), "byte for byte as it was sent"
    assert unpack(source).body.SerializeToString().endswith(OF_TOMORROW)


def test_fields_of_tomorrow_stay_in_a_frame_of_which_something_is_refused() -> None:
    body = grid(1, rows=2)
    body.attrs.add(path="", namespace=pb.Attr.CONFIG, int=1)
    frame = frame_of(1, body.SerializeToString() + OF_TOMORROW)
    judged = new_judge().judge(new_producer(), frame, NOW_US)
    assert [reject.code for reject in judged.rejects] == [Code.ATTR_INVALID]
    rest = unpack(StreamEntry("1-0", frame.producer, 1, judged.payload)).body
    assert rest.SerializeToString().endswith(OF_TOMORROW)
    assert not rest.attrs


def test_a_frame_with_fields_of_tomorrow_is_stored_by_a_writer_of_today() -> None:
    _, source = judged_entry(body_of_tomorrow())
    store = MemoryStore()
    store.insert(build_block([unpack(source)]), "token")
    assert len(store.list_rows(tables.POINTS)) == 4
    assert not store.list_rows(tables.DEAD_LETTERS)


def test_a_hello_and_an_origin_with_fields_of_tomorrow_are_understood() -> None:
    hello = pb.Hello.FromString(pb.Hello(protocol=1).SerializeToString() + OF_TOMORROW)
    assert hello.protocol == 1
    assert hello.SerializeToString().endswith(OF_TOMORROW)


def test_an_entry_of_a_gateway_that_knew_no_ledger_is_stored() -> None:
    """As the release before wrote it: no `rejected`, no `unreadable`, no claims in the body."""
    source = entry(grid(1, rows=3))
    opened = stream_pb2.Entry.FromString(source.payload)
    assert not opened.rejected
    assert not opened.unreadable
    store = MemoryStore()
    store.insert(build_block([unpack(source)]), "token")
    assert len(store.list_rows(tables.POINTS)) == 6
    assert not [row for row in store.list_rows(tables.LEDGER) if row["account"] == "sent"]


def test_an_entry_with_fields_of_a_later_gateway_is_stored() -> None:
    source = entry(grid(1))
    later = StreamEntry(source.id, source.producer, source.seq, source.payload + OF_TOMORROW)
    store = MemoryStore()
    store.insert(build_block([unpack(later)]), "token")
    assert len(store.list_rows(tables.POINTS)) == 2


@pytest.mark.parametrize("schema", [BODY_SCHEMA + 1, 2**32 - 1])
def test_a_body_newer_than_the_server_waits_for_an_upgrade_and_loses_nothing(schema: int) -> None:
    raw = pb.Body(schema=schema, names=["x"]).SerializeToString()
    stream, producer = MemoryStream(shards=1, max_bytes=1 << 20), new_producer()

    async def send(judge: Judge) -> list[pb.ServerMessage]:
        appender = stream.appender()
        await appender.raise_to(0, producer.id, 0)
        watermarks = StoredWatermarks(MemoryStore())
        intake = Intake(judge, appender, watermarks, ManualClock())
        try:
            return await intake.take([(producer, frame_of(1, raw))])
        finally:
            await watermarks.close()

    (answer,) = asyncio.run(send(new_judge()))
    assert answer.refusal.code == Code.SCHEMA_TOO_NEW
    assert not answer.HasField("ack"), "nothing is accepted, nothing is rejected"
    assert producer.accepted == 0
    assert stream.consumer(0, owner="w").read_lag().entries == 0
    assert Limits.of(GatewaySettings()).max_frame_bytes >= len(raw)
