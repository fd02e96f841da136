"""The gateway on real gRPC and a real Redis: what clients may rely on, and what bad ones run into."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from urllib.request import urlopen

import grpc
import numpy as np
import pyarrow as pa
import pytest
import zstandard
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.contract.fixtures_redis import RedisServer, redis_server
from tests.integration.fixtures_gateway import (
    RunningGateway,
    StreamClient,
    body_of,
    clients,
    eventually,
    frame_of,
    hello_of,
    producer_id,
)
from weir_proto.v1 import ingest_pb2 as pb
from weir_proto.v1 import ingest_pb2_grpc, stream_pb2
from weir_server.gateway.tokens import Role, create_token, revoke_token
from weir_server.gateway.unpack import crc32_of
from weir_server.stream.base import StopRequest
from weir_server.stream.redis import RedisAppender, RedisConsumer
from weir_store import columns, tables
from weir_store.errors import StoreUnavailable
from weir_store.memory import MemoryStore
from weir_store.memory_reader import MemoryReader

__all__ = ["redis_server"]


class FlakyStore:
    """A store that can be away."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.reader = MemoryReader(self.store)
        self.away = False

    def __getattr__(self, name: str):
        if self.away:
            raise StoreUnavailable("the store is away")
        return getattr(self.store if hasattr(self.store, name) else self.reader, name)


class Writer:
    """The writer's part: takes entries out, and says that they are stored."""

    def __init__(self, redis: RedisServer, store: FlakyStore) -> None:
        self._store = store
        self._consumer = RedisConsumer(redis.settings(), 0, owner="test")

    def commit(self) -> list[stream_pb2.Entry]:
        """Commit all there is; returns it."""
        self._consumer.acquire()
        entries = self._consumer.read_pending(1_000) + self._consumer.read_new(1_000, 0)
        committed = {entry.producer: entry.seq for entry in entries}
        parsed = [stream_pb2.Entry.FromString(entry.payload) for entry in entries]
        rows = [
            {
                "project": entry.origin.project,
                "run_id": entry.origin.run_id,
                "producer": entry.origin.producer,
                "seq": committed[entry.origin.producer],
                "at": entry.accepted_unix_us // 1_000,
            }
            for entry in parsed
        ]
        schema = columns.BY_TABLE[tables.INGEST_COMMITS]
        block = {tables.INGEST_COMMITS: pa.Table.from_pylist(rows, schema=schema)}
        self._store.store.insert(block, "token")
        assert self._consumer.commit(entries, committed)
        return parsed

    def close(self) -> None:
        self._consumer.close()


@pytest.fixture
def store() -> FlakyStore:
    return FlakyStore()


@pytest.fixture
def writer(redis_server, store) -> Iterator[Writer]:
    one = Writer(redis_server, store)
    yield one
    one.close()


@pytest.fixture
def start(redis_server, store) -> Iterator[Callable[..., RunningGateway]]:
    started: list[RunningGateway] = []

    def start_one(*, stream: dict | None = None, **settings) -> RunningGateway:
        stream_settings = redis_server.settings(**(stream or {}))
        gateway = RunningGateway(
            lambda: RedisAppender(stream_settings), store=store, reader=store, **settings
        )
        started.append(gateway)
        return gateway

    yield start_one
    for gateway in started:
        gateway.stop()


@pytest.fixture
def gateway(start) -> RunningGateway:
    return start()


@pytest.fixture
def connect(gateway) -> Iterator[Callable[..., StreamClient]]:
    yield from clients(gateway.address)


# ── the sequence protocol ──────────────────────────────────────────────────


def test_frames_are_accepted_then_committed_and_the_client_hears_of_both(connect, writer):
    producer, client = producer_id(), connect()
    welcome = client.greet(hello_of(producer))
    assert (welcome.accepted_seq, welcome.committed_seq, welcome.run_existed) == (0, 0, False)
    assert welcome.window_frames > 0
    client.send(*(frame_of(producer, seq) for seq in (1, 2, 3)))
    entries = writer.commit()
    assert [entry.frame.seq for entry in entries] == [1, 2, 3]
    assert client.hear("ack").ack.committed_seq == 3


def test_the_body_reaches_the_stream_byte_for_byte(connect, writer):
    producer, client = producer_id(), connect()
    hello = hello_of(producer, run_id="exact", rank=3)
    client.greet(hello)
    frame = frame_of(producer, 1, flags=1)
    client.send(frame)
    (entry,) = writer.commit()
    assert entry.frame == frame
    assert entry.origin == hello.origin
    assert entry.run_created_unix_us == hello.origin.started_unix_us
    assert not entry.rejects


def test_a_frame_sent_twice_is_stored_once(connect, writer):
    producer, client = producer_id(), connect()
    client.greet(hello_of(producer))
    client.send(frame_of(producer, 1))
    assert client.send(frame_of(producer, 1)).accepted_seq == 1
    assert len(writer.commit()) == 1


def test_a_gap_is_answered_by_a_rewind_and_what_was_under_way_is_passed_by(connect, writer):
    producer, client = producer_id(), connect()
    client.greet(hello_of(producer))
    client.send(frame_of(producer, 1))
    ack = client.send(frame_of(producer, 3), frame_of(producer, 4))
    assert ack.expect_seq == 2
    assert client.send(*(frame_of(producer, seq) for seq in (2, 3, 4))).accepted_seq == 4
    assert [entry.frame.seq for entry in writer.commit()] == [1, 2, 3, 4]


def test_a_client_that_reconnects_goes_on_where_it_stopped(connect, writer):
    producer, hello = producer_id(), hello_of(producer_id())
    hello.origin.producer = producer
    first = connect()
    first.greet(hello)
    first.send(frame_of(producer, 1), frame_of(producer, 2))
    first.close()
    writer.commit()
    hello.first_available = 3
    welcome = connect().greet(hello)
    assert (welcome.accepted_seq, welcome.committed_seq) == (2, 2)
    assert not welcome.run_existed


def test_two_senders_of_one_spool_store_it_once(connect, writer):
    producer = producer_id()
    one, other = connect(), connect()
    one.greet(hello_of(producer))
    other.greet(hello_of(producer))
    one.send(*(frame_of(producer, seq) for seq in (1, 2, 3)))
    assert other.send(frame_of(producer, 1)).accepted_seq == 3
    assert other.send(frame_of(producer, 4)).accepted_seq == 4
    assert one.send(frame_of(producer, 5)).expect_seq == 5  # somebody else sent 4
    assert one.send(frame_of(producer, 5)).accepted_seq == 5
    assert [entry.frame.seq for entry in writer.commit()] == [1, 2, 3, 4, 5]


def test_a_full_stream_asks_for_patience_and_takes_the_frame_later(start, writer):
    gateway = start(stream={"max_bytes": 1 << 20}, max_frame_bytes=1 << 20)
    noise = np.random.default_rng(0).normal(size=60_000)
    for connect in clients(gateway.address):
        producer, client = producer_id(), connect()
        client.greet(hello_of(producer))
        frames = [frame_of(producer, seq, body_of(*noise, first_step=seq)) for seq in (1, 2, 3)]
        ack = client.send(*frames)
        assert ack.retry_after_ms > 0
        assert ack.accepted_seq == 2
        assert ack.expect_seq == 0
        writer.commit()
        assert client.send(frames[2]).accepted_seq == 3


def test_a_forgetful_redis_is_told_where_the_store_stands(connect, writer, redis_server):
    producer, client = producer_id(), connect()
    client.greet(hello_of(producer))
    client.send(*(frame_of(producer, seq) for seq in (1, 2, 3)))
    writer.commit()
    client.send(frame_of(producer, 4))
    redis_server.flush()  # frame 4 was accepted and is gone
    ack = client.send(frame_of(producer, 5))
    assert ack.expect_seq == 4
    assert client.send(frame_of(producer, 4), frame_of(producer, 5)).accepted_seq == 5
    entries = writer.commit()
    assert [entry.frame.seq for entry in entries] == [4, 5]
    assert len({entry.run_created_unix_us for entry in entries}) == 1


def test_a_client_that_has_sent_all_hears_when_redis_forgot_some(connect, writer, redis_server):
    producer, client = producer_id(), connect()
    client.greet(hello_of(producer))
    client.send(*(frame_of(producer, seq) for seq in (1, 2)))
    writer.commit()
    client.send(frame_of(producer, 3))
    redis_server.flush()  # and the client has nothing more to say
    assert eventually(lambda: client.hear("ack").ack.expect_seq == 3)
    client.send(frame_of(producer, 3))
    writer.commit()
    assert eventually(lambda: client.hear("ack").ack.committed_seq == 3)


def test_a_redis_behind_the_store_is_raised_and_nothing_is_asked_for_twice(
    connect, writer, redis_server
):
    producer, client = producer_id(), connect()
    client.greet(hello_of(producer))
    client.send(*(frame_of(producer, seq) for seq in range(1, 6)))
    writer.commit()
    redis_server.flush()
    welcome = connect().greet(hello_of(producer, first_available=6, last_spooled=5))
    assert (welcome.accepted_seq, welcome.committed_seq) == (5, 5)
    assert writer.commit() == []


def test_frames_that_are_gone_for_ever_are_recorded_as_a_loss(connect, writer):
    producer, client = producer_id(), connect()
    welcome = client.greet(hello_of(producer, first_available=11, last_spooled=20))
    assert welcome.accepted_seq == 10
    client.send(frame_of(producer, 11))
    entries = writer.commit()
    assert [entry.frame.seq for entry in entries] == [10, 11]
    (loss,) = parse(entries[0].frame).losses
    assert (loss.first_seq, loss.last_seq, loss.reason) == (1, 10, "never_received")
    assert not parse(entries[1].frame).losses
    assert eventually(lambda: client.hear("ack").ack.committed_seq == 11)


def test_a_drained_spool_on_a_restored_server_gets_its_loss_committed(connect, writer):
    producer, client = producer_id(), connect()
    welcome = client.greet(hello_of(producer, first_available=8, last_spooled=7))
    assert welcome.accepted_seq == 7
    writer.commit()
    assert client.hear("ack").ack.committed_seq == 7


def test_a_resumed_run_is_known_with_its_birth(connect, writer):
    first, second = producer_id(1), producer_id(2)
    client = connect()
    hello = hello_of(first, run_id="again")
    client.greet(hello)
    client.send(frame_of(first, 1))
    welcome = client.greet(hello_of(second, run_id="again"))
    assert welcome.run_existed
    client.send(frame_of(second, 1))
    births = {entry.run_created_unix_us for entry in writer.commit()}
    assert births == {hello.origin.started_unix_us}


# ── trouble behind the gateway ─────────────────────────────────────────────


def test_a_stopped_redis_costs_patience_and_no_stream(connect, redis_server, gateway):
    producer, client = producer_id(), connect()
    client.greet(hello_of(producer))
    client.send(frame_of(producer, 1))
    redis_server.stop()
    ack = client.send(frame_of(producer, 2))
    assert ack.retry_after_ms > 0
    assert ack.accepted_seq == 1
    assert health_of(gateway) == "SERVING"
    redis_server.start()
    assert client.send(frame_of(producer, 2)).accepted_seq == 2


def test_a_store_that_is_away_stops_no_producer_that_redis_knows(connect, store):
    producer, client = producer_id(), connect()
    hello = hello_of(producer)
    client.greet(hello)
    client.send(frame_of(producer, 1))
    store.away = True
    welcome = connect().greet(hello)
    assert welcome.accepted_seq == 1
    assert client.send(frame_of(producer, 2)).accepted_seq == 2


def test_a_store_that_is_away_never_turns_into_a_declared_loss(connect, store, writer):
    client = connect()
    client.greet(hello_of(producer_id(1)))  # the run is known
    store.away = True
    client.say(hello_of(producer_id(2), first_available=5))
    refusal = client.hear().refusal
    assert (refusal.code, refusal.retry) == ("SERVER_BUSY", True)
    store.away = False
    assert writer.commit() == []


def test_other_producers_go_on_while_one_waits_for_its_greeting(connect, store):
    good, client = producer_id(1), connect()
    client.greet(hello_of(good))
    store.away = True
    client.say(hello_of(producer_id(2), run_id="new"), frame_of(good, 1))
    kinds = {client.hear().WhichOneof("message"), client.hear().WhichOneof("message")}
    assert kinds == {"refusal", "ack"}


def test_a_stop_request_reaches_every_producer_of_the_run_once(connect, gateway, redis_server):
    client = connect()
    for number in (1, 2):
        client.greet(hello_of(producer_id(number), run_id="doomed"))

    async def ask():
        appender = RedisAppender(redis_server.settings())
        await appender.request_stop(
            "p", "doomed", StopRequest("diverged", "me", time.time_ns() // 1_000)
        )
        await appender.close()

    gateway.run(ask())
    controls = [client.hear("control").control for _ in range(2)]
    assert all((c.stop, c.reason, c.by) == (True, "diverged", "me") for c in controls)


# ── bad clients ────────────────────────────────────────────────────────────

BOMB = zstandard.ZstdCompressor(level=1).compress(b"\0" * (64 << 20))


def bad_frames(producer: bytes) -> dict[str, pb.Frame]:
    raw = body_of(1.0).SerializeToString()
    future = pb.Body(schema=1, names=["x"], points=[pb.PointBlock(width=2**32 - 1)])
    return {
        "FRAME_TOO_LARGE": frame_of(producer, 1, body=b"x", raw_bytes=5 << 20),
        "FRAME_CODEC_UNKNOWN": frame_of(producer, 1, codec=7),
        "FRAME_CANNOT_BE_UNPACKED": frame_of(producer, 1, raw_bytes=4 << 20, body=BOMB),
        "FRAME_CRC_MISMATCH": frame_of(producer, 1, crc32=1),
        "FRAME_UNREADABLE": frame_of(producer, 1, b"\xff" * 100),
        "FRAME_TOO_MANY_POINTS": frame_of(
            producer, 1, pb.Body(schema=1, points=[pb.PointBlock(value=b"\0" * 8 * 65_537)])
        ),
        "FRAME_TOO_MANY_PARTS": frame_of(
            producer, 1, pb.Body(schema=1, points=[pb.PointBlock()] * 5_000)
        ),
        "COLUMNS_MISMATCH": frame_of(producer, 1, future),
        "METRIC_NAME_TOO_LONG": frame_of(producer, 1, body_of(1.0, metric="m" * 600)),
        "METRIC_NAME_CONTROL": frame_of(producer, 1, body_of(1.0, metric="a\nb")),
        "STEP_OUT_OF_RANGE": frame_of(producer, 1, body_of(1.0, first_step=2**60)),
        "oversize": frame_of(producer, 1, codec=0, body=os.urandom(2 << 20)),
        "wrong announcement": frame_of(producer, 1, raw_bytes=len(raw) + 1),
    }


@pytest.mark.parametrize("kind", bad_frames(b"p" * 16))
def test_a_bad_frame_is_named_consumed_and_hurts_nobody_else(connect, writer, kind):
    bad, good, client = producer_id(1), producer_id(2), connect()
    client.greet(hello_of(bad))
    client.greet(hello_of(good))
    frame = bad_frames(bad)[kind]
    ack = client.send(frame)
    if ack.expect_seq:  # perhaps it was damaged on its way: it may come once more
        ack = client.send(frame)
    assert ack.accepted_seq == 1
    (reject,) = ack.rejects
    expected = {"oversize": "FRAME_TOO_LARGE", "wrong announcement": "FRAME_CANNOT_BE_UNPACKED"}
    assert reject.code == expected.get(kind, kind)
    assert reject.message
    assert client.send(frame_of(bad, 2)).accepted_seq == 2
    assert client.send(frame_of(good, 1)).accepted_seq == 1
    poisoned = next(e for e in writer.commit() if e.origin.producer == bad and e.frame.seq == 1)
    assert poisoned.rejects[0].code == reject.code
    assert parse(poisoned.frame).schema == 1


def test_random_bytes_as_bodies_end_no_stream(connect, writer):
    producer, client = producer_id(), connect()
    client.greet(hello_of(producer))
    rng = np.random.default_rng(3)
    frames = [frame_of(producer, seq, rng.bytes(int(rng.integers(0, 400)))) for seq in range(1, 60)]
    accepted = 0
    while accepted < 59:
        ack = client.send(*frames[accepted:])
        accepted = ack.accepted_seq
        assert not ack.expect_seq
    assert [entry.frame.seq for entry in writer.commit()] == list(range(1, 60))


def test_only_the_bad_metric_of_a_frame_is_taken_out(connect, writer):
    producer, client = producer_id(), connect()
    client.greet(hello_of(producer))
    now = time.time_ns() // 1_000
    body = pb.Body(
        schema=1,
        names=["good", "b\x07d"],
        points=[
            pb.PointBlock(
                width=2,
                metric=np.arange(2, dtype="<u4").tobytes(),
                step=np.arange(2, dtype="<i8").tobytes(),
                time_unix_us=np.full(2, now, "<i8").tobytes(),
                value=np.arange(4, dtype="<f8").tobytes(),
            )
        ],
    )
    ack = client.send(frame_of(producer, 1, body))
    assert (ack.points_accepted, ack.points_rejected) == (2, 2)
    (entry,) = writer.commit()
    (block,) = parse(entry.frame).points
    assert np.frombuffer(block.value, "<f8").tolist() == [0.0, 2.0]
    assert [(r.code, r.field, r.count) for r in entry.rejects] == [
        ("METRIC_NAME_CONTROL", "b�d", 2)
    ]


def test_a_frame_of_a_later_release_waits_in_the_spool_for_a_newer_server(connect, writer):
    producer, other, client = producer_id(1), producer_id(2), connect()
    client.greet(hello_of(producer))
    client.greet(hello_of(other))
    client.say(frame_of(producer, 1, pb.Body(schema=99)), frame_of(producer, 2))
    refusal = client.hear("refusal").refusal
    assert (refusal.code, refusal.retry) == ("SCHEMA_TOO_NEW", False)
    assert client.send(frame_of(other, 1)).accepted_seq == 1
    assert {entry.origin.producer for entry in writer.commit()} == {other}


def test_a_frame_before_its_hello_is_refused_by_name(connect):
    client, stranger = connect(), producer_id()
    client.say(frame_of(stranger, 1))
    answer = client.hear()
    assert (answer.refusal.code, answer.producer) == ("NOT_GREETED", stranger)
    assert client.greet(hello_of(stranger)).accepted_seq == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda h: setattr(h, "protocol", 2), "PROTOCOL_TOO_NEW"),
        (lambda h: setattr(h, "protocol", 0), "PROTOCOL_TOO_OLD"),
        (lambda h: setattr(h.origin, "producer", b"short"), "ORIGIN_INVALID"),
        (lambda h: setattr(h.origin, "producer", b"\xff" * 16), "ORIGIN_INVALID"),
        (lambda h: setattr(h.origin, "project", ""), "ORIGIN_INVALID"),
        (lambda h: setattr(h.origin, "run_id", "x" * 200), "ORIGIN_INVALID"),
        (lambda h: setattr(h.origin, "run_id", "a\0b"), "ORIGIN_INVALID"),
        (lambda h: setattr(h, "first_available", 0), "ORIGIN_INVALID"),
        (lambda h: setattr(h, "first_available", 2**63), "ORIGIN_INVALID"),
    ],
)
def test_a_hello_that_makes_no_sense_is_refused_by_name(connect, change, code):
    client = connect()
    hello = hello_of(producer_id())
    change(hello)
    client.say(hello)
    refusal = client.hear().refusal
    assert (refusal.code, refusal.retry) == (code, False)
    client.greet(hello_of(producer_id()))


def test_projects_are_not_made_where_that_is_switched_off(start):
    gateway = start(create_projects=False)
    for connect in clients(gateway.address):
        client = connect()
        client.say(hello_of(producer_id()))
        assert client.hear().refusal.code == "UNKNOWN_PROJECT"


def test_too_many_metrics_are_refused_and_the_known_ones_go_on(start, writer):
    gateway = start(max_metrics_per_run=3)
    for connect in clients(gateway.address):
        producer, client = producer_id(), connect()
        client.greet(hello_of(producer))
        for seq in range(1, 6):
            ack = client.send(frame_of(producer, seq, body_of(1.0, metric=f"m{seq}")))
            assert [r.code for r in ack.rejects] == (["TOO_MANY_METRICS"] if seq > 3 else [])
        assert client.send(frame_of(producer, 6, body_of(1.0, metric="m1"))).points_accepted == 1


# ── who may come in ────────────────────────────────────────────────────────


@pytest.fixture
def tokens_file(tmp_path):
    return tmp_path / "tokens.toml"


def test_a_bad_token_ends_the_stream_and_a_good_one_does_not(start, tokens_file):
    token = create_token(tokens_file, name="ci", role=Role.WRITER, projects=["p"])
    gateway = start(tokens_file=tokens_file)
    for wrong in ("", "weir_wrong"):
        bad = StreamClient(gateway.address, token=wrong)
        with pytest.raises(grpc.RpcError) as caught:
            bad.hear()
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        bad.close()
    good = StreamClient(gateway.address, token=token)
    good.greet(hello_of(producer_id()))
    good.say(hello_of(producer_id(), project="other"))
    assert good.hear().refusal.code == "FORBIDDEN"
    good.close()


def test_a_reader_may_not_write(start, tokens_file):
    token = create_token(tokens_file, name="eyes", role=Role.READER, projects=["*"])
    gateway = start(tokens_file=tokens_file)
    client = StreamClient(gateway.address, token=token)
    client.say(hello_of(producer_id()))
    assert client.hear().refusal.code == "FORBIDDEN"
    client.close()


def test_a_revoked_token_closes_its_streams_and_no_others(start, tokens_file):
    tokens = {n: create_token(tokens_file, name=n, role=Role.WRITER, projects=["*"]) for n in "ab"}
    gateway = start(tokens_file=tokens_file)
    a, b = (StreamClient(gateway.address, token=tokens[n]) for n in "ab")
    producers = {"a": producer_id(1), "b": producer_id(2)}
    a.greet(hello_of(producers["a"]))
    b.greet(hello_of(producers["b"]))
    revoke_token(tokens_file, "a")
    with pytest.raises(grpc.RpcError) as caught:
        a.hear()
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert b.send(frame_of(producers["b"], 1)).accepted_seq == 1
    a.close()
    b.close()


# ── one request at a time ──────────────────────────────────────────────────


def append(gateway: RunningGateway, request: pb.AppendRequest, **more) -> pb.AppendResponse:
    with grpc.insecure_channel(gateway.address) as channel:
        return ingest_pb2_grpc.IngestStub(channel).Append(request, timeout=20, **more)


def test_append_answers_like_a_stream(gateway, writer):
    producer = producer_id()
    hello = hello_of(producer)
    request = pb.AppendRequest(hello=hello, frames=[frame_of(producer, s) for s in (1, 2)])
    assert append(gateway, request).ack.accepted_seq == 2
    assert append(gateway, request).ack.accepted_seq == 2
    assert len(writer.commit()) == 2
    assert append(gateway, pb.AppendRequest(hello=hello)).ack.committed_seq == 2
    gap = pb.AppendRequest(hello=hello, frames=[frame_of(producer, 9)])
    assert append(gateway, gap).ack.expect_seq == 3


def test_a_damaged_frame_in_requests_is_asked_for_once_more_and_then_consumed(gateway):
    producer = producer_id()
    damaged = frame_of(producer, 1, crc32=1)
    request = pb.AppendRequest(hello=hello_of(producer), frames=[damaged, frame_of(producer, 2)])
    first = append(gateway, request).ack
    assert (first.accepted_seq, first.expect_seq) == (0, 1)
    second = append(gateway, request).ack
    assert (second.accepted_seq, second.expect_seq) == (2, 0)
    assert [reject.code for reject in second.rejects] == ["FRAME_CRC_MISMATCH"]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (pb.AppendRequest(hello=hello_of(b"short")), grpc.StatusCode.INVALID_ARGUMENT),
        (
            pb.AppendRequest(hello=hello_of(producer_id(1)), frames=[frame_of(producer_id(2), 1)]),
            grpc.StatusCode.INVALID_ARGUMENT,
        ),
        (
            pb.AppendRequest(
                hello=hello_of(b"\0" * 16), frames=[frame_of(b"\0" * 16, 1, pb.Body(schema=9))]
            ),
            grpc.StatusCode.FAILED_PRECONDITION,
        ),
    ],
)
def test_append_refuses_with_a_status_that_says_what_to_do(gateway, request_, status):
    with pytest.raises(grpc.RpcError) as caught:
        append(gateway, request_)
    assert caught.value.code() is status
    assert caught.value.details()


def test_append_without_redis_is_unavailable(gateway, redis_server):
    redis_server.stop()
    with pytest.raises(grpc.RpcError) as caught:
        append(gateway, pb.AppendRequest(hello=hello_of(producer_id())))
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    redis_server.start()


# ── coming and going ───────────────────────────────────────────────────────


def test_a_draining_gateway_says_goaway_and_takes_what_is_under_way(start, writer):
    gateway = start()
    producer = producer_id()
    client = StreamClient(gateway.address)
    client.greet(hello_of(producer))
    stopping = grpc_thread(gateway.stop)
    goaway = client.hear("goaway").goaway
    assert goaway.reconnect_after_ms > 0
    assert client.send(frame_of(producer, 1)).accepted_seq == 1
    client.half_close()
    assert client.ended()
    stopping.join(20)
    client.close()
    assert len(writer.commit()) == 1


def test_a_client_that_does_not_leave_is_not_waited_for_longer_than_told(start):
    gateway = start(drain_s=0.4)
    client = StreamClient(gateway.address)
    client.greet(hello_of(producer_id()))
    gateway.stop()
    with pytest.raises(grpc.RpcError):
        client.hear("control")
    client.close()


def test_a_client_that_never_reads_its_answers_does_not_stop_others(gateway, connect):
    def shout():
        producer = producer_id(7)
        yield pb.ClientMessage(hello=hello_of(producer))
        for _ in range(20_000):
            yield pb.ClientMessage(frame=frame_of(producer_id(8), 1, b"\0" * 40))

    channel = grpc.insecure_channel(gateway.address)
    deaf = ingest_pb2_grpc.IngestStub(channel).Stream(shout())
    producer, client = producer_id(), connect()
    client.greet(hello_of(producer))
    for seq in range(1, 20):
        assert client.send(frame_of(producer, seq)).accepted_seq == seq
    deaf.cancel()
    channel.close()


def test_health_and_reflection_answer_without_a_token(start, tokens_file):
    create_token(tokens_file, name="ci", role=Role.WRITER, projects=["*"])
    assert health_of(start(tokens_file=tokens_file)) == "SERVING"


def test_tls_lets_in_who_trusts_the_certificate(start, tmp_path):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not here")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    gateway = start(tls_cert=cert, tls_key=key)
    trusted = grpc.ssl_channel_credentials(cert.read_bytes())
    with grpc.secure_channel(f"localhost:{gateway.port}", trusted) as channel:
        request = pb.AppendRequest(hello=hello_of(producer_id()))
        assert ingest_pb2_grpc.IngestStub(channel).Append(request, timeout=20).HasField("welcome")
    with pytest.raises(grpc.RpcError):
        append(gateway, request)


def process(redis_server: RedisServer, port: int, metrics_port: int = 0) -> subprocess.Popen[str]:
    code = (
        "import sys; from weir_server.settings import *; from weir_server.gateway.serve import serve;"
        "from weir_server.log import configure_logs; configure_logs(LogSettings(), service='gateway');"
        "from weir_server.errors import StartupError\n"
        f"try: sys.exit(serve(GatewaySettings(port={port}, metrics_port={metrics_port}, sql_port=0, drain_s=2),"
        f" StreamSettings(url={redis_server.url!r}), ClickHouseSettings(url='http://127.0.0.1:9'),"
        f" ObjectsSettings(door_port=0, dir={str(redis_server.folder / 'objects')!r})))\n"
        "except StartupError as error: sys.exit(str(error))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_the_process_says_where_it_is_and_leaves_politely(redis_server):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        metrics_port = free.getsockname()[1]
    gateway = process(redis_server, 0, metrics_port)
    try:
        line = gateway.stdout.readline()
        assert line.startswith("gateway ready on 127.0.0.1:")
        client = StreamClient(line.split()[-1])
        client.say(hello_of(producer_id()))
        refusal = client.hear().refusal  # there is no store, so no run can be begun
        assert (refusal.code, refusal.retry) == ("SERVER_BUSY", True)
        with urlopen(f"http://127.0.0.1:{metrics_port}/metrics", timeout=10) as page:
            assert b"weir_ingest_streams 1.0" in page.read()
        gateway.send_signal(signal.SIGTERM)
        assert client.hear("goaway").goaway.reason
        client.half_close()
        client.close()
        assert gateway.wait(20) == 0
    finally:
        gateway.kill()
        gateway.communicate()


def test_a_taken_port_is_told_in_one_line(redis_server):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        gateway = process(redis_server, taken.getsockname()[1])
        _, said = gateway.communicate(timeout=30)
    assert gateway.returncode == 1
    (line,) = [line for line in said.splitlines() if "cannot listen" in line]
    assert "gateway.port" in line


def parse(frame: pb.Frame) -> pb.Body:
    raw = frame.body
    if frame.codec == pb.CODEC_ZSTD:
        raw = zstandard.ZstdDecompressor().decompress(frame.body)
    assert crc32_of(frame.seq, frame.flags, raw) == frame.crc32
    assert len(raw) == frame.raw_bytes
    return pb.Body.FromString(raw)


def health_of(gateway: RunningGateway) -> str:
    with grpc.insecure_channel(gateway.address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=10)
        return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


def grpc_thread(what):
    thread = threading.Thread(target=what)
    thread.start()
    return thread
