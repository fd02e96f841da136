"""The sequence protocol, without a network: whatever breaks in between, every frame is stored."""

import asyncio
import gc
import threading
import weakref

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from weir_proto.v1 import ingest_pb2 as pb
from weir_proto.v1 import stream_pb2
from weir_server.clock import ManualClock
from weir_server.errors import StreamUnavailable
from weir_server.gateway.auth import ANYBODY
from weir_server.gateway.cardinality import MetricCounter, MetricSeeds
from weir_server.gateway.greeting import Greeter
from weir_server.gateway.history import RunHistory
from weir_server.gateway.intake import Intake
from weir_server.gateway.judge import Judge
from weir_server.gateway.limits import Limits
from weir_server.gateway.news import news_of
from weir_server.gateway.origin import Refused
from weir_server.gateway.producer import Producer, Turn
from weir_server.gateway.rates import Rates
from weir_server.gateway.unpack import crc32_of
from weir_server.gateway.watch import Watch
from weir_server.gateway.watermarks import StoredWatermarks
from weir_server.settings import GatewaySettings
from weir_server.stream.memory import MemoryStream
from weir_store.errors import StoreUnavailable, UnknownRun
from weir_store.records import Metric, MetricPage, RunRef

PRODUCER = b"\x01\x8b" + b"\0" * 4 + b"\x70" + b"p" * 9


class Store:
    """What the gateway asks of the store, and what the writer of this test leaves there."""

    def __init__(self) -> None:
        self.away = False
        self.bodies: dict[int, bytes] = {}
        self.losses: list[tuple[int, int]] = []
        self.committed = 0
        self.asked = 0

    def read_committed(self, producers):
        self.asked += 1
        if self.away:
            raise StoreUnavailable("away")
        return {producer: self.committed for producer in producers if self.committed}

    def get_run(self, ref):
        if self.away:
            raise StoreUnavailable("away")
        raise UnknownRun("no such run")


class World:
    """One gateway after another, a stream, a store, a writer, and a client with a spool."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.born_unix_us = self.clock.unix_us()
        self.stream = MemoryStream(shards=1, max_bytes=1 << 20, clock=self.clock)
        self.store = Store()
        self.spooled = 0
        self.forgotten = 0  # the client has unlinked up to here
        self.next_seq = 1
        self.producer: Producer | None = None
        self.restart()

    def restart(self, rates: Rates | None = None) -> None:
        """Another gateway takes over."""
        appender = self.stream.appender()
        gateway = GatewaySettings()
        self.watermarks = StoredWatermarks(self.store)
        self.history = RunHistory(self.store, self.clock)
        self.greeter = Greeter(gateway, 1, appender, self.watermarks, self.history, self.clock)
        judge = Judge(Limits.of(gateway), MetricCounter(1_000))
        self.intake = Intake(judge, appender, self.watermarks, self.clock, rates)
        self.watch = Watch(appender, self.watermarks, poll_s=0.1, clock=self.clock)
        self.producer = None

    # ── the client ─────────────────────────────────────────────────────────

    async def greet(self) -> None:
        hello = pb.Hello(
            origin=pb.Origin(
                producer=PRODUCER, project="p", run_id="r", started_unix_us=self.born_unix_us
            ),
            first_available=self.forgotten + 1,
            last_spooled=self.spooled,
            protocol=1,
        )
        try:
            self.producer, welcome = await self.greeter.greet(hello, ANYBODY)
        except Refused as refused:
            if not refused.retry:
                raise
            return
        assert welcome.committed_seq <= welcome.accepted_seq <= self.spooled
        self.next_seq = welcome.accepted_seq + 1
        self.forgotten = max(self.forgotten, welcome.committed_seq)

    async def hear_news(self) -> None:
        """The gateway looks around, and tells the client what is new."""
        if self.producer is None:
            return
        self.watch.add(self.producer, lambda: None)
        try:
            await self.watch.look()
        except (StreamUnavailable, StoreUnavailable):
            return
        now_s, now_unix_us = self.clock.monotonic_s(), self.clock.unix_us()
        for message in news_of(self.producer, now_s=now_s, now_unix_us=now_unix_us):
            self.hear(message.ack)

    async def send(self, seqs: list[int]) -> None:
        if self.producer is None:
            await self.greet()
        frames = [frame_of(seq) for seq in seqs if self.forgotten < seq <= self.spooled]
        if self.producer is None or not frames:
            return
        for message in await self.intake.take([(self.producer, frame) for frame in frames]):
            self.hear(message.ack)

    def hear(self, ack: pb.Ack) -> None:
        assert ack.committed_seq <= ack.accepted_seq <= self.spooled
        self.forgotten = max(self.forgotten, ack.committed_seq)
        if ack.expect_seq:
            self.next_seq = ack.expect_seq
            if ack.expect_seq <= self.forgotten:
                self.producer = None  # cannot go back that far: greet again
        else:
            self.next_seq = ack.accepted_seq + 1

    # ── the writer ─────────────────────────────────────────────────────────

    def write(self) -> None:
        if not self.stream.available or self.store.away:
            return
        consumer = self.stream.consumer(0, owner="w")
        consumer.acquire()
        entries = consumer.read_pending(1_000) + consumer.read_new(1_000, 0)
        for entry in entries:
            frame = stream_pb2.Entry.FromString(entry.payload).frame
            body = pb.Body.FromString(unpacked(frame))
            self.store.losses += [(loss.first_seq, loss.last_seq) for loss in body.losses]
            known = self.store.bodies.setdefault(entry.seq, frame.body)
            assert known == frame.body
            self.store.committed = max(self.store.committed, entry.seq)
        assert consumer.commit(entries, {PRODUCER: self.store.committed})


def unpacked(frame: pb.Frame) -> bytes:
    import zstandard

    if frame.codec == pb.CODEC_ZSTD:
        return zstandard.ZstdDecompressor().decompress(frame.body)
    return frame.body


def frame_of(seq: int) -> pb.Frame:
    raw = pb.Body(schema=1, names=[f"frame {seq}"]).SerializeToString()
    return pb.Frame(
        producer=PRODUCER, seq=seq, crc32=crc32_of(seq, 0, raw), raw_bytes=len(raw), body=raw
    )


STEPS = st.one_of(
    st.tuples(st.just("spool"), st.integers(1, 5)),
    st.tuples(st.just("send"), st.integers(1, 6)),
    st.tuples(st.just("stray"), st.lists(st.integers(1, 30), min_size=1, max_size=5)),
    st.sampled_from(
        [
            (name, 0)
            for name in ("write", "flush", "redis", "store", "restart", "greet", "wait", "news")
        ]
    ),
)


async def play(world: World, steps) -> None:
    for what, argument in steps:
        if what == "spool":
            world.spooled += argument
        elif what == "send":
            await world.send(list(range(world.next_seq, world.next_seq + argument)))
        elif what == "stray":
            await world.send(argument)
        elif what == "write":
            world.write()
        elif what == "flush":
            world.stream.flush()
        elif what == "redis":
            world.stream.available = not world.stream.available
        elif what == "store":
            world.store.away = not world.store.away
        elif what == "restart":
            world.restart()
        elif what == "news":
            await world.hear_news()
        elif what == "greet":
            await world.greet()
        else:
            world.clock.advance(10)


async def heal(world: World) -> None:
    """Everything is up again; a patient client sends what is left."""
    world.stream.available, world.store.away = True, False
    for _ in range(200):
        world.clock.advance(10)
        await world.send(list(range(world.next_seq, world.next_seq + 8)))
        await world.hear_news()
        world.write()
        if world.store.committed >= world.spooled:
            return
    pytest.fail("it never came to an end")


@settings(max_examples=300, deadline=None)
@given(st.lists(STEPS, max_size=40))
@example([("spool", 1), ("send", 1), ("flush", 0)])  # nothing more to send, and Redis forgot it
def test_every_frame_is_stored_whatever_breaks_in_between(steps):
    async def scenario() -> World:
        world = World()
        await play(world, steps)
        await heal(world)
        await world.watermarks.close()
        return world

    world = asyncio.run(scenario())
    assert sorted(world.store.bodies) == list(range(1, world.spooled + 1))
    assert all(world.store.bodies[seq] == frame_of(seq).body for seq in world.store.bodies)
    assert not world.store.losses


def test_watermarks_asked_for_together_are_read_together():
    store = Store()
    store.committed = 7

    async def scenario():
        watermarks = StoredWatermarks(_Slow(store))
        answers = await asyncio.gather(*(watermarks.read([bytes([n]) * 16]) for n in range(50)))
        await watermarks.close()
        return answers

    assert asyncio.run(scenario()) == [[7]] * 50
    assert store.asked <= 2


class _Slow:
    def __init__(self, store: Store) -> None:
        self._store = store

    def read_committed(self, producers):
        return self._store.read_committed(list(producers))


def test_a_project_that_must_wait_is_told_so_also_when_redis_has_forgotten_it():
    async def run() -> None:
        world = World()
        world.restart(Rates(bytes_per_s=1.0))
        world.spooled = 3
        await world.send([1])
        world.write()
        world.stream.flush()
        world.clock.advance(1_000)
        assert world.producer is not None
        frames = [(world.producer, frame_of(seq)) for seq in (2, 3)]
        (answer,) = await world.intake.take(frames)
        assert answer.ack.accepted_seq == 2
        assert answer.ack.retry_reason == "PROJECT_RATE"
        assert answer.ack.retry_after_ms > 0

    asyncio.run(run())


def test_runs_too_large_to_be_remembered_together_do_not_flood_the_store():
    class Names:
        asked = 0

        def list_metrics(self, runs, *, limit, after=""):
            self.asked += 1
            found = tuple(Metric(f"{runs[0].run_id}/{i}", 1, 0, 0, False, False) for i in range(6))
            return MetricPage(found, 6)

    async def run() -> None:
        clock, store = ManualClock(), Names()
        history = RunHistory(store, clock)
        seeds = MetricSeeds(MetricCounter(100, most_remembered=10), history, clock)
        for _ in range(10):
            for run_id in ("a", "b"):
                await seeds.ensure("p", run_id)
        assert store.asked == 2
        clock.advance(11)
        await seeds.ensure("p", "a")
        assert store.asked == 3
        history.close()

    asyncio.run(run())


def test_the_names_of_a_runs_metrics_are_counted_and_not_kept():
    class Names:
        def list_metrics(self, runs, *, limit, after=""):
            return MetricPage((Metric("loss", 1, 0, 0, False, False),), 1)

    async def run() -> None:
        history = RunHistory(Names(), ManualClock())
        names = await history.metric_names(RunRef("p", "r"), 10)
        assert names == {"loss"}
        gone = weakref.ref(names)
        del names
        history.close()
        await asyncio.sleep(0)  # the turn that brought them holds them until it ends
        gc.collect()
        assert gone() is None

    asyncio.run(run())


def test_who_resumes_counts_on_from_every_point_that_was_stored_when_it_asked():
    """A rank that greeted a moment ago must not leave its old answer to the next life."""

    class Steps:
        asked = 0
        stored = 10

        def read_latest(self, runs):
            self.asked += 1
            seen = self.stored
            reading.set()
            go_on.wait(20)
            return pa.table({"rank": np.zeros(1, np.uint32), "step": np.array([seen])})

    reading, go_on = threading.Event(), threading.Event()

    async def run() -> None:
        steps, ref = Steps(), RunRef("p", "r")
        history = RunHistory(steps, ManualClock())
        early = asyncio.create_task(history.last_step(ref, 0))
        await asyncio.to_thread(reading.wait, 20)
        steps.stored = 20  # while the first question is under way
        late = [asyncio.create_task(history.last_step(ref, 0)) for _ in range(1_000)]
        await asyncio.sleep(0)
        go_on.set()
        assert await early == 10
        assert set(await asyncio.gather(*late)) == {20}
        assert steps.asked == 2, "a thousand ranks that greet together ask once"
        steps.stored = 30
        assert await history.last_step(ref, 0) == 30
        history.close()

    asyncio.run(run())


def test_the_frame_that_was_asked_for_ends_a_rewind():
    producer = Producer(pb.Origin(), shard=0, birth_unix_us=0, accepted=5, committed=0)
    turn = producer.turn_of
    assert turn(8, next_seq=6, now_s=0) is Turn.MISSING
    producer.asked_to_rewind(now_s=0, patience_s=1)
    assert turn(9, next_seq=6, now_s=0.5) is Turn.PASSED_BY
    assert turn(9, next_seq=6, now_s=1.5) is Turn.MISSING  # it did not hear us: ask again
    assert turn(5, next_seq=6, now_s=0.5) is Turn.SEEN
    assert turn(6, next_seq=6, now_s=0.5) is Turn.APPEND
    assert turn(9, next_seq=7, now_s=0.5) is Turn.MISSING


def test_committed_never_falls_and_is_never_beyond_accepted():
    producer = Producer(pb.Origin(), shard=0, birth_unix_us=0, accepted=5, committed=3)
    producer.commit_seen(2)
    assert (producer.accepted, producer.committed) == (5, 3)
    producer.commit_seen(9)
    assert (producer.accepted, producer.committed) == (9, 9)
