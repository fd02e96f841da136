"""What a gateway lets in per second and per run, whom a stop concerns, and when it does not start."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import grpc
import pytest

from tests.contract.fixtures_redis import RedisServer, redis_server
from tests.integration.fixtures_engine import EngineProcess, engine
from tests.integration.fixtures_gateway import (
    RunningGateway,
    StreamClient,
    body_of,
    eventually,
    frame_of,
    hello_of,
    producer_id,
)
from weir_proto.v1 import ingest_pb2 as pb
from weir_proto.v1 import runs_pb2, runs_pb2_grpc
from weir_server.clock import ManualClock
from weir_server.gateway.cardinality import MetricCounter
from weir_server.gateway.rates import Rates
from weir_server.log import get_logger
from weir_server.stream.memory import MemoryStream
from weir_server.writer.block import Limits
from weir_server.writer.loop import ShardWriter
from weir_store.memory import MemoryStore

__all__ = ["engine", "redis_server"]


@pytest.fixture
def start() -> Iterator[Callable[..., RunningGateway]]:
    started: list[RunningGateway] = []

    def start_one(stream: MemoryStream | None = None, **more: object) -> RunningGateway:
        stream = stream or MemoryStream(shards=1, max_bytes=64 << 20)
        started.append(RunningGateway(stream.appender, **more))
        return started[-1]

    yield start_one
    for gateway in started:
        gateway.stop()


@pytest.fixture
def connect() -> Iterator[Callable[[RunningGateway], StreamClient]]:
    opened: list[StreamClient] = []

    def open_one(gateway: RunningGateway) -> StreamClient:
        opened.append(StreamClient(gateway.address))
        return opened[-1]

    yield open_one
    for client in opened:
        client.close()


# ── per second ─────────────────────────────────────────────────────────────


def send_all(client: StreamClient, frames: list[pb.Frame]) -> set[str]:
    """Send frames as an agent does, waiting when asked to; return the reasons it was given."""
    reasons, accepted = set(), 0
    while accepted < len(frames):
        ack = client.send(frames[accepted])
        accepted = ack.accepted_seq
        if ack.retry_after_ms:
            reasons.add(ack.retry_reason)
            time.sleep(ack.retry_after_ms / 1_000)  # as it is told to
    return reasons


def test_a_project_over_its_rate_waits_loses_nothing_and_stops_no_other(start, connect) -> None:
    gateway = start(max_points_per_s=1_000.0)
    client, other = connect(gateway), connect(gateway)
    fast, slow = producer_id(1), producer_id(2)
    client.greet(hello_of(fast, project="fast"))
    other.greet(hello_of(slow, project="slow"))
    values = [float(n) for n in range(700)]
    frames = [frame_of(fast, seq, body_of(*values, first_step=seq * 700)) for seq in range(1, 6)]
    began_s = time.monotonic()
    assert send_all(client, frames) == {"PROJECT_RATE"}
    assert time.monotonic() - began_s > 0.5  # 3 500 points, of which 2 700 at once
    assert send_all(other, [frame_of(slow, 1)]) == set()


def test_a_full_stream_says_that_it_is_full(start, connect) -> None:
    gateway = start(MemoryStream(shards=1, max_bytes=100))
    client, producer = connect(gateway), producer_id(1)
    client.greet(hello_of(producer))
    client.send(frame_of(producer, 1))
    ack = client.send(frame_of(producer, 2))
    assert (ack.retry_reason, ack.accepted_seq) == ("STREAM_FULL", 1)
    assert 500 <= ack.retry_after_ms <= 1_000


def test_over_time_a_project_gets_what_it_may_have_and_a_large_frame_is_only_late() -> None:
    rates, now_s, points = Rates(points_per_s=100.0), 0.0, 0
    while now_s < 100:
        if wait_s := rates.wait_s("p", now_s):
            now_s += wait_s
        else:
            rates.spend("p", 450, 10, now_s)  # above the burst of two seconds
            points += 450
    assert 100 * 100 <= points <= 100 * 102 + 2 * 450
    assert rates.wait_s("q", now_s) == 0


def test_without_a_limit_nobody_waits() -> None:
    rates = Rates()
    rates.spend("p", 10**9, 10**9, 0.0)
    assert rates.wait_s("p", 0.0) == 0


# ── per run ────────────────────────────────────────────────────────────────


def carry(stream: MemoryStream, store: MemoryStore, seqs: int) -> None:
    """Bring what is accepted into the store, as a writer does."""
    stop = threading.Event()
    writer = ShardWriter(
        0,
        stream.consumer(0, owner="w"),
        store,
        limits=Limits(1_000, 1 << 20, 0.01),
        lease_s=15.0,
        poll_s=0.05,
        clock=ManualClock(),
        stop=stop,
        log=get_logger(),
    )
    thread = threading.Thread(target=writer.run)
    thread.start()
    eventually(lambda: sum(row["seq"] for row in store.list_rows("ingest_commits")) >= seqs)
    stop.set()
    thread.join(20)


def test_the_limit_on_metrics_holds_over_a_restart_of_the_gateway(start, connect) -> None:
    stream, store = MemoryStream(shards=1, max_bytes=64 << 20), MemoryStore()
    first = start(stream, store=store, max_metrics_per_run=3)
    client, producer = connect(first), producer_id(1)
    client.greet(hello_of(producer, run_id="wide"))
    for seq, metric in enumerate(("a", "b", "c"), 1):
        assert (
            client.send(frame_of(producer, seq, body_of(1.0, metric=metric))).points_rejected == 0
        )
    carry(stream, store, 3)
    first.stop()
    second = start(stream, store=store, max_metrics_per_run=3)
    client, producer = connect(second), producer_id(2)
    client.greet(hello_of(producer, run_id="wide"))
    ack = client.send(frame_of(producer, 1, body_of(1.0, metric="d")))
    assert [reject.code for reject in ack.rejects] == ["TOO_MANY_METRICS"]
    assert client.send(frame_of(producer, 2, body_of(1.0, metric="b"))).points_rejected == 0


def test_a_run_forgotten_by_the_counter_has_to_be_asked_about_again() -> None:
    counter = MetricCounter(10, most_remembered=8)
    counter.seed("p", "r1", ["a", "b", "c"])
    assert counter.knows("p", "r1")
    counter.admit("p", "r2", [f"m{n}" for n in range(8)])
    assert not counter.knows("p", "r1")


# ── stops ──────────────────────────────────────────────────────────────────


def ask_to_stop(gateway: RunningGateway, run_id: str, reason: str = "") -> None:
    with grpc.insecure_channel(gateway.address) as channel:
        request = runs_pb2.StopRunRequest(project="p", run_id=run_id, reason=reason)
        runs_pb2_grpc.RunsStub(channel).StopRun(request, timeout=20)


def test_a_stop_concerns_the_lives_that_had_begun_when_it_was_asked_for(start, connect) -> None:
    gateway = start()
    client = connect(gateway)
    client.greet(hello_of(producer_id(1), run_id="doomed"))
    ask_to_stop(gateway, "doomed", "diverged")
    assert client.hear("control").control.reason == "diverged"
    now_us = time.time_ns() // 1_000
    late, resumed = producer_id(2), producer_id(3)
    client.greet(hello_of(resumed, run_id="doomed", rank=1))
    client.greet(hello_of(late, run_id="doomed", rank=2, started_unix_us=now_us - 60_000_000))
    told = client.hear("control")
    assert told.producer == late
    ask_to_stop(gateway, "doomed", "again")
    assert client.hear("control").producer == resumed


def test_a_process_whose_clock_is_ahead_is_stopped_all_the_same(start, connect) -> None:
    gateway = start()
    client = connect(gateway)
    ahead_us = time.time_ns() // 1_000 + 3_600_000_000
    client.greet(hello_of(producer_id(1), run_id="ahead", started_unix_us=ahead_us))
    ask_to_stop(gateway, "ahead")
    assert client.hear("control").control.stop


def test_an_event_of_the_run_tells_who_asked_it_to_stop(start, connect) -> None:
    store = MemoryStore()
    gateway = start(store=store)
    client = connect(gateway)
    client.greet(hello_of(producer_id(1), run_id="doomed"))
    ask_to_stop(gateway, "doomed", "diverged")
    (event,) = store.list_rows("events")
    assert (event["kind"], event["body"]) == ("stop_requested", "diverged")
    assert dict(event["attrs"]) == {"by": "anonymous"}


# ── starting ───────────────────────────────────────────────────────────────


def test_a_gateway_does_not_start_without_the_tables_and_says_what_to_run(
    redis_server: RedisServer, engine: EngineProcess
) -> None:
    command = [sys.executable, "-P", "-m", "weir_server", "serve", "gateway"]
    flags = ("--gateway.port", "0", "--gateway.metrics-port", "0", "--stream.url", redis_server.url)
    flags += ("--gateway.sql-port", "0", "--objects.door-port", "0")
    flags += ("--objects.dir", str(redis_server.folder / "objects"))
    store = ("--clickhouse.url", engine.url, "--clickhouse.database", "nothing_here")
    done = subprocess.run(
        [*command, *flags, *store], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert "weir migrate" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "ready" not in done.stdout
