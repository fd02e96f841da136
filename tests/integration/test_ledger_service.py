"""Asking a gateway whether everything lies in the store: over gRPC, while frames are on their way."""

import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from tests.integration.fixtures_gateway import (
    RunningGateway,
    StreamClient,
    body_of,
    eventually,
    frame_of,
    hello_of,
    producer_id,
)
from tests.unit.server.test_writer_loop import drained, serving
from weir._ledger import Claim
from weir_proto.v1 import ingest_pb2 as pb
from weir_proto.v1 import runs_pb2, runs_pb2_grpc
from weir_server.stream.memory import MemoryAppender, MemoryStream
from weir_store.errors import StoreUnavailable
from weir_store.memory import MemoryStore
from weir_store.memory_reader import MemoryReader

RUN = {"project": "p", "run_id": "r"}


class House:
    """A gateway, a stream and a store in memory; the writer works when told to."""

    def __init__(self) -> None:
        self.stream = MemoryStream(shards=1, max_bytes=1 << 20)
        self.store = MemoryStore()
        self.later_s = 0
        self.reader = MemoryReader(self.store, now_unix_us=self.now_unix_us)
        self.appender = MemoryAppender(self.stream)
        self.gateway = RunningGateway(lambda: self.appender, store=self.store, reader=self.reader)
        self.client = StreamClient(self.gateway.address)
        self.runs = runs_pb2_grpc.RunsStub(self.client.channel)
        self.who = producer_id()
        self.claim = Claim()
        self.client.greet(hello_of(self.who))

    def now_unix_us(self) -> int:
        return time.time_ns() // 1_000 + self.later_s * 1_000_000

    def send(self, seq: int, body: pb.Body) -> pb.Ack:
        self.claim += Claim.of(body)
        body.tallies.extend(self.claim.messages())
        return self.client.send(frame_of(self.who, seq, body))

    def write(self) -> None:
        with serving(self.stream, self.store):
            eventually(lambda: drained(self.stream))

    def ledger(self) -> runs_pb2.GetLedgerResponse:
        return self.runs.GetLedger(runs_pb2.GetLedgerRequest(**RUN), timeout=20)

    def close(self) -> None:
        self.client.close()
        self.gateway.stop()


@pytest.fixture
def house() -> Iterator[House]:
    opened = House()
    yield opened
    opened.close()


def said(state: Any, body: pb.Body | None = None) -> pb.Body:
    """Return a body that also tells how its process stands."""
    body = body or pb.Body(schema=1)
    body.session.state = state
    body.session.time_unix_us = time.time_ns() // 1_000
    return body


def test_a_run_is_pending_until_its_last_frame_is_stored_and_then_whole(house: House) -> None:
    house.send(1, said(pb.SessionUpdate.RUNNING, body_of(1.0, 2.0)))
    house.write()
    assert house.ledger().verdict == "pending"  # its process lives

    house.send(2, said(pb.SessionUpdate.FINISHED, body_of(3.0, first_step=2)))
    answer = house.ledger()
    (producer,) = answer.producers
    assert answer.verdict == "pending"  # the stream has more
    assert (producer.committed_seq, producer.accepted_seq, producer.claimed_seq) == (1, 2, 1)

    house.write()
    answer = house.ledger()
    (line,) = answer.lines
    assert (answer.verdict, line.verdict, line.kind) == ("whole", "whole", "points")
    assert (line.claimed, line.sent, line.stored) == (True, 3, 3)
    assert line.sent_digest == line.stored_digest
    assert answer.producers[0].producer == house.who
    assert answer.rows_at_rest == 3


def test_a_silent_process_is_whole_as_far_as_it_was_sent_but_not_while_the_stream_has_more(
    house: House,
) -> None:
    house.send(1, said(pb.SessionUpdate.RUNNING, body_of(1.0)))
    house.write()
    house.later_s = 3_600
    assert house.ledger().verdict == "whole"

    house.send(2, body_of(2.0, first_step=1))
    assert house.ledger().verdict == "pending"


def test_what_was_refused_on_the_way_is_in_the_ledger(house: House) -> None:
    body = body_of(1.0, 2.0)
    body.names.append("")
    bad = body_of(9.0).points[0]
    bad.metric = (1).to_bytes(4, "little")
    body.points.append(bad)
    assert house.send(1, said(pb.SessionUpdate.FINISHED, body)).points_rejected == 1
    house.write()

    answer = house.ledger()

    (line,) = answer.lines
    assert (answer.verdict, line.sent, line.stored, line.rejected) == ("whole", 3, 2, 1)


def test_a_stream_that_is_away_hides_nothing_that_is_stored(house: House) -> None:
    house.send(1, said(pb.SessionUpdate.FINISHED, body_of(1.0)))
    house.write()
    house.stream.available = False
    try:
        assert house.ledger().verdict == "whole"
    finally:
        house.stream.available = True


def test_a_store_that_does_not_count_in_time_is_told_in_words(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.send(1, said(pb.SessionUpdate.FINISHED, body_of(1.0)))
    house.write()

    def too_slow(_ref: object) -> None:
        raise StoreUnavailable("Timeout exceeded: elapsed 30 s")

    monkeypatch.setattr(house.reader, "read_ledger", too_slow)
    with pytest.raises(grpc.RpcError) as caught:
        house.ledger()
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert "clickhouse.query_timeout_s" in caught.value.details()


def test_a_run_that_does_not_exist_has_no_ledger(house: House) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        house.ledger()
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_events_of_a_run_are_listed_with_their_step_when_they_have_one(house: House) -> None:
    body = said(pb.SessionUpdate.RUNNING)
    for number, step in enumerate((None, 0)):
        body.events.add(
            event_id=bytes([number] * 16),
            time_unix_us=time.time_ns() // 1_000 + number,
            kind="alert",
            severity="error",
            title="hot",
            has_step=step is not None,
            step=step or 0,
            attrs={"a": "b"},
        )
    body.losses.add(reason="bad_value", points=2)
    house.send(1, body)
    house.write()

    request = runs_pb2.ListEventsRequest(**RUN, kinds=["alert"], min_severity="error", limit=5)
    answer = house.runs.ListEvents(request, timeout=20)

    assert answer.total == 2
    assert [event.HasField("step") for event in answer.events] == [True, False]
    assert (answer.events[0].step, dict(answer.events[0].attrs)) == (0, {"a": "b"})
    assert len(house.runs.ListEvents(runs_pb2.ListEventsRequest(**RUN), timeout=20).events) == 3
