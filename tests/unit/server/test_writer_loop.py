import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest

from tests.unit.server import frames
from weir_server.clock import SystemClock
from weir_server.log import get_logger
from weir_server.stream.base import Inflight, StreamEntry
from weir_server.stream.memory import MemoryStream
from weir_server.writer.block import Limits
from weir_server.writer.loop import MissedEntries, ShardWriter
from weir_store import tables
from weir_store.base import Block, Inserter
from weir_store.errors import StoreRejected, StoreUnavailable
from weir_store.memory import MemoryStore

SOON_S = 20.0


class Store:
    """A MemoryStore that can be away, refuse a frame, and remembers what it was asked to insert."""

    def __init__(self) -> None:
        self.rows = MemoryStore()
        self.tokens: list[str] = []
        self.poison_step: int | None = None
        self.failures = 0
        self.before_insert: Callable[[], None] = lambda: None

    def insert(self, block: Block, token: str) -> None:
        self.before_insert()
        self.tokens.append(token)
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("down")
        points = block.get(tables.POINTS)
        if points is not None and self.poison_step in points["step"].to_pylist():
            raise StoreRejected("poison")
        self.rows.insert(block, token)

    def read_committed(self, producers: Sequence[UUID]) -> Mapping[UUID, int]:
        return self.rows.read_committed(producers)

    def steps(self) -> list[int]:
        return sorted(row["step"] for row in self.rows.list_rows(tables.POINTS))


@pytest.fixture
def stream() -> MemoryStream:
    return MemoryStream(shards=1, max_bytes=1 << 30)


@pytest.fixture
def store() -> Store:
    return Store()


def append(stream: MemoryStream, *sources: StreamEntry, after: int = 0) -> None:
    async def run() -> None:
        appender = stream.appender()
        for source in sources:
            await appender.raise_to(0, source.producer, after)
        await appender.append([frames.appended(source) for source in sources])

    asyncio.run(run())


def one_point(seq: int, **options: Any) -> StreamEntry:
    """A frame whose only step is its seq."""
    return frames.entry(frames.grid(seq, metrics=["loss"]), seq, **options)


def writer(
    stream: MemoryStream,
    store: Inserter,
    stop: threading.Event,
    *,
    owner: str = "a",
    rows: int = 1_000,
    lease_s: float = 15.0,
    consumer: Any = None,
) -> ShardWriter:
    return ShardWriter(
        0,
        consumer or stream.consumer(0, owner=owner, lease_s=lease_s),
        store,
        limits=Limits(rows, 1 << 20, 0.02),
        lease_s=lease_s,
        poll_s=0.02,
        clock=SystemClock(),
        stop=stop,
        log=get_logger(),
    )


@contextmanager
def serving(stream: MemoryStream, store: Inserter, **options: Any) -> Iterator[threading.Event]:
    stop = threading.Event()
    thread = threading.Thread(target=writer(stream, store, stop, **options).run)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(SOON_S)
        assert not thread.is_alive()


def wait_until(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + SOON_S
    while not condition():
        assert time.monotonic() < end_s, "it did not happen in time"
        time.sleep(0.005)


def drained(stream: MemoryStream) -> bool:
    return stream.consumer(0, owner="watcher").read_lag().entries == 0


def committed(stream: MemoryStream, who: bytes) -> int:
    return asyncio.run(stream.appender().read_committed(0, [who])).get(who, 0)


def test_what_is_appended_is_stored_and_then_forgotten_by_the_stream(
    stream: MemoryStream, store: Store
) -> None:
    append(stream, *(one_point(seq) for seq in range(1, 31)))

    with serving(stream, store, rows=7):
        wait_until(lambda: drained(stream))

    assert store.steps() == list(range(1, 31))
    assert committed(stream, frames.producer()) == 30


def test_entries_delivered_to_a_writer_that_died_are_stored_by_the_next(
    stream: MemoryStream, store: Store
) -> None:
    append(stream, *(one_point(seq) for seq in range(1, 6)))
    dead = stream.consumer(0, owner="dead", lease_s=0.0)
    dead.acquire()
    dead.read_new(100, 0)

    with serving(stream, store):
        wait_until(lambda: drained(stream))

    assert store.steps() == [1, 2, 3, 4, 5]


def test_a_block_under_way_is_repeated_with_the_same_rows_and_the_same_token(
    stream: MemoryStream, store: Store
) -> None:
    append(stream, *(one_point(seq) for seq in range(1, 6)))

    class DiesBeforeCommit:
        def __init__(self) -> None:
            self.real = stream.consumer(0, owner="dead", lease_s=0.05)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.real, name)

        def commit(self, *_: Any) -> bool:
            raise SystemExit  # the thread ends as a killed process would: nothing after this

    stop = threading.Event()
    with pytest.raises(SystemExit):
        writer(stream, store, stop, consumer=DiesBeforeCommit(), rows=3).run()
    append(stream, one_point(6), after=5)
    # The store knows the watermark; as if it had not got that far, the block must be inserted again.
    store.rows._rows[tables.INGEST_COMMITS].clear()
    with serving(stream, store, rows=1_000, lease_s=0.5):
        wait_until(lambda: drained(stream))

    assert store.tokens[0] == store.tokens[1]
    assert store.steps() == [1, 2, 3, 4, 5, 6]


def test_a_writer_that_lost_its_lease_commits_nothing(stream: MemoryStream, store: Store) -> None:
    append(stream, one_point(1))
    other = stream.consumer(0, owner="b")
    ours = stream.consumer(0, owner="a")

    def lose() -> None:
        ours.release()
        assert other.acquire()

    store.before_insert = lose
    with serving(stream, store) as stop:
        wait_until(lambda: bool(store.tokens))
        stop.set()

    assert not drained(stream)
    assert committed(stream, frames.producer()) == 0
    assert other.read_inflight() == Inflight(*_only_id(other), store.tokens[0])


def test_two_writers_on_one_shard_store_every_point_once(
    stream: MemoryStream, store: Store
) -> None:
    append(stream, *(one_point(seq) for seq in range(1, 101)))

    with serving(stream, store, owner="a", rows=5), serving(stream, store, owner="b", rows=5):
        wait_until(lambda: drained(stream))

    assert store.steps() == list(range(1, 101))


def test_a_store_that_is_away_loses_nothing_and_the_same_block_is_repeated(
    stream: MemoryStream, store: Store
) -> None:
    append(stream, one_point(1), one_point(2))
    store.failures = 3

    with serving(stream, store):
        wait_until(lambda: drained(stream))

    assert len(set(store.tokens)) == 1
    assert len(store.tokens) == 4
    assert store.steps() == [1, 2]


def test_a_stream_that_goes_away_is_waited_for(stream: MemoryStream, store: Store) -> None:
    append(stream, one_point(1))
    with serving(stream, store):
        wait_until(lambda: drained(stream))
        stream.available = False
        time_to_notice = threading.Event()
        time_to_notice.wait(0.1)
        stream.available = True
        append(stream, one_point(2), after=1)
        wait_until(lambda: drained(stream))

    assert store.steps() == [1, 2]


@pytest.mark.parametrize("poison", [1, 4, 8])
def test_one_frame_the_store_refuses_is_set_aside_and_all_others_are_stored(
    stream: MemoryStream, store: Store, poison: int
) -> None:
    store.poison_step = poison
    append(stream, *(one_point(seq) for seq in range(1, 9)))

    with serving(stream, store):
        wait_until(lambda: drained(stream))

    (letter,) = store.rows.list_rows(tables.DEAD_LETTERS)
    assert (letter["seq"], letter["reason"]) == (poison, "poison")
    assert store.steps() == [step for step in range(1, 9) if step != poison]
    assert [row["kind"] for row in store.rows.list_rows(tables.EVENTS)] == ["dead_letter"]
    assert committed(stream, frames.producer()) == 8


def test_a_watermark_never_passes_a_frame_that_is_not_settled(
    stream: MemoryStream, store: Store
) -> None:
    """However a block is halved, when seq n is committed all of 1 … n are points or dead letters."""
    store.poison_step = 3
    append(stream, *(one_point(seq) for seq in range(1, 9)))
    checked: list[int] = []

    def check() -> None:
        settled = {
            *store.steps(),
            *(row["seq"] for row in store.rows.list_rows(tables.DEAD_LETTERS)),
        }
        marks = store.rows.read_committed([UUID(bytes=frames.producer())])
        seq = marks.get(UUID(bytes=frames.producer()), 0)
        assert settled >= set(range(1, seq + 1))
        checked.append(seq)

    store.before_insert = check
    with serving(stream, store):
        wait_until(lambda: drained(stream))

    assert len(checked) > 3


def test_an_entry_that_cannot_be_read_does_not_stop_the_shard(
    stream: MemoryStream, store: Store
) -> None:
    broken = StreamEntry("0-0", frames.producer(), 2, b"\xff\xff")
    append(stream, one_point(1), broken, one_point(3))

    with serving(stream, store):
        wait_until(lambda: drained(stream))

    assert store.steps() == [1, 3]
    assert [row["entry"] for row in store.rows.list_rows(tables.DEAD_LETTERS)] == [b"\xff\xff"]
    assert committed(stream, frames.producer()) == 3


def test_entries_that_redis_brought_back_are_forgotten_without_an_insert(
    stream: MemoryStream, store: Store
) -> None:
    append(stream, *(one_point(seq) for seq in range(1, 4)))
    with serving(stream, store):
        wait_until(lambda: drained(stream))
    inserts = len(store.tokens)

    stream.flush()
    append(stream, *(one_point(seq) for seq in range(1, 4)))
    with serving(stream, store):
        wait_until(lambda: drained(stream))

    assert len(store.tokens) == inserts
    assert committed(stream, frames.producer()) == 3


def test_a_reply_lost_on_the_way_never_lets_the_watermark_jump_over_its_entries(
    stream: MemoryStream, store: Store
) -> None:
    append(stream, *(one_point(seq) for seq in range(1, 5)))
    real = stream.consumer(0, owner="a")

    class LosesAReply:
        lost = False

        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def read_pending(self, count: int) -> list[StreamEntry]:
            if self.lost:
                return real.read_pending(count)
            return []

        def read_new(self, count: int, wait_s: float) -> list[StreamEntry]:
            if not self.lost:
                assert [entry.seq for entry in real.read_new(2, 0)] == [
                    1,
                    2,
                ]  # never reach the writer
                self.lost = True
            return real.read_new(count, wait_s)

    stop = threading.Event()
    consumer = LosesAReply()
    real.acquire()
    first = writer(stream, store, stop, consumer=consumer)
    with pytest.raises(MissedEntries):
        first.serve()
    assert store.steps() == []
    with serving(stream, store, consumer=consumer):
        wait_until(lambda: drained(stream))

    assert store.steps() == [1, 2, 3, 4]


def test_a_lease_is_kept_while_an_insert_takes_longer_than_it(
    stream: MemoryStream, store: Store
) -> None:
    append(stream, one_point(1))
    other, tries = stream.consumer(0, owner="b", lease_s=0.3), []

    def slow() -> None:
        end_s = time.monotonic() + 1.0
        while time.monotonic() < end_s:
            tries.append(other.acquire())
            threading.Event().wait(0.02)

    store.before_insert = slow
    with serving(stream, store, lease_s=0.3):
        wait_until(lambda: drained(stream))

    assert tries
    assert not any(tries)


def test_a_writer_told_to_stop_lets_go_of_its_shard_at_once(
    stream: MemoryStream, store: Store
) -> None:
    append(stream, one_point(1))
    with serving(stream, store):
        wait_until(lambda: drained(stream))

    assert stream.consumer(0, owner="b").acquire()


def test_a_writer_stops_even_while_the_store_is_away(stream: MemoryStream, store: Store) -> None:
    store.failures = 10**9
    append(stream, one_point(1))

    with serving(stream, store):
        wait_until(lambda: bool(store.tokens))

    assert stream.consumer(0, owner="b").acquire()
    assert not drained(stream)


def _only_id(consumer: Any) -> tuple[str, str]:
    (entry,) = consumer.read_pending(10)
    return entry.id, entry.id
