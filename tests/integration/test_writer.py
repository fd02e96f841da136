"""The writer process on real Redis and a real engine: killed anywhere, every point is stored once."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from tests.contract.fixtures_redis import RedisServer
from tests.integration.fixtures_engine import EngineProcess
from tests.unit.server import frames
from weir_proto.v1 import ingest_pb2
from weir_server.stream.base import Outcome, StreamEntry
from weir_server.stream.redis import RedisAppender
from weir_store import tables
from weir_store.clickhouse import ClickHouse, connect
from weir_store.inserter import ClickHouseInserter
from weir_store.migrate import migrate

SOON_S = 60.0
SHARDS = 2
FRAMES, STEPS = 12, 5  # per producer
POISON = b"\xff\xff\xff"
KILLED = 137

FAULTS = [
    "writer.before_inflight:1",
    "writer.before_insert:1",
    *(f"writer.after_table.{table}:1" for table in tables.OF_FRAMES),
    "writer.after_table.points:3",
    "writer.before_commit:2",
    "writer.after_commit:1",
    "writer.after_commit:3",
]


class World:
    """One Redis, one database, and writers that come and go."""

    def __init__(self, redis: RedisServer, clickhouse: ClickHouse, url: str, folder: Path) -> None:
        self.redis, self.clickhouse, self.url, self.folder = redis, clickhouse, url, folder
        self.database = f"w{uuid4().hex[:8]}"
        self.writers: list[subprocess.Popen[str]] = []
        migrate(clickhouse, self.database)

    def start_writer(self, fault: str = "") -> subprocess.Popen[str]:
        settings = {
            "WEIR_STREAM__URL": self.redis.url,
            "WEIR_STREAM__SHARDS": str(SHARDS),
            "WEIR_CLICKHOUSE__URL": self.url,
            "WEIR_CLICKHOUSE__DATABASE": self.database,
            "WEIR_WRITER__METRICS_PORT": "0",
            "WEIR_WRITER__LEASE_S": "1.5",
            "WEIR_WRITER__POLL_S": "0.1",
            "WEIR_WRITER__MAX_BLOCK_ROWS": "40",
            "WEIR_FAULT": fault,
        }
        with (self.folder / "writer.log").open("a") as log:
            writer = subprocess.Popen(
                [sys.executable, "-m", "weir_server", "serve", "writer"],
                env={**os.environ, **settings},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.writers.append(writer)
        return writer

    def append(self, sources: list[StreamEntry]) -> None:
        async def run() -> None:
            appender = RedisAppender(self.redis.settings(shards=SHARDS))
            for who in {source.producer for source in sources}:
                await appender.raise_to(_shard(who), who, 0)
            entries = [frames.appended(source, _shard(source.producer)) for source in sources]
            results = await appender.append(entries)
            assert {result.outcome for result in results} == {Outcome.OK}
            await appender.close()

        asyncio.run(run())

    def committed(self, who: bytes) -> int:
        async def run() -> int:
            appender = RedisAppender(self.redis.settings(shards=SHARDS))
            try:
                return (await appender.read_committed(_shard(who), [who])).get(who, 0)
            finally:
                await appender.close()

        return asyncio.run(run())

    def rows(self, sql: str) -> list[tuple]:
        return self.clickhouse.query_rows(sql.replace("raw.", f"{self.database}_raw."))

    def drained(self) -> bool:
        with self.redis.client() as client:
            return all(client.xlen(f"weir:{{{shard}}}:log") == 0 for shard in range(SHARDS))

    def close(self) -> None:
        for writer in self.writers:
            if writer.poll() is None:
                writer.kill()
            writer.wait(SOON_S)
            writer.stdout.close()
        self.clickhouse.command(f"DROP DATABASE {self.database}_raw")


def _shard(who: bytes) -> int:
    return who[-1] % SHARDS


@pytest.fixture
def world(redis_server: RedisServer, engine: EngineProcess, tmp_path: Path) -> Iterator[World]:
    clickhouse = connect(engine.url)
    made = World(redis_server, clickhouse, engine.url, tmp_path)
    yield made
    made.close()
    clickhouse.close()


def wait_until(condition: Callable[[], bool], world: World) -> None:
    end_s = time.monotonic() + SOON_S
    while not condition():
        assert time.monotonic() < end_s, (world.folder / "writer.log").read_text()[-4000:]
        time.sleep(0.05)


def training(number: int) -> list[StreamEntry]:
    """One rank's frames; of the even ones the fourth can not be read."""
    who = frames.producer(number)
    sources = []
    for seq in range(1, FRAMES + 1):
        body = frames.grid((seq - 1) * STEPS, STEPS)
        body.attrs.add(namespace=1, path="lr", float=0.1)
        body.session.state = 1
        body.texts.add(metric=bytes(4), step=bytes(8), time_unix_us=bytes(8), value=["warm"])
        when = number.to_bytes(8, "little")  # no node measures one thing twice at one time
        body.system.add(metric=bytes(4), device=bytes(4), time_unix_us=when, value=bytes(8))
        body.lines.add(
            process=who, rank=number, number=seq.to_bytes(8, "little"), time_unix_us=bytes(8),
            stream=b"\1", level=b"\0", line=["epoch 1"],
        )  # fmt: skip
        body.branch.parent_run_id, body.branch.step = "older", -1
        body.tallies.add(kind=ingest_pb2.Tally.POINT, count=2 * STEPS * seq)
        poisoned = number % 2 == 0 and seq == 4
        sources.append(frames.entry(POISON if poisoned else body, seq, who=who, rank=number))
    return sources


def assert_everything_is_stored_once(world: World) -> None:
    ranks = range(3)
    found = world.rows("SELECT rank, metric, step, value FROM raw.points FINAL ORDER BY 1, 2, 3")
    expected = [
        (rank, metric, step, step + index / 10)
        for rank in ranks
        for metric, index in (("acc", 1), ("loss", 0))
        for step in range(FRAMES * STEPS)
        if rank % 2 or not 15 <= step < 20
    ]
    assert [(r, m, s, round(v, 6)) for r, m, s, v in found] == [
        (r, m, s, round(v, 6)) for r, m, s, v in expected
    ]
    assert world.rows(
        "SELECT rank, seq FROM raw.dead_letters AS d FINAL JOIN raw.sessions AS s FINAL"
        " USING producer ORDER BY 1"
    ) == [(0, 4), (2, 4)]
    assert world.rows("SELECT count() FROM raw.events FINAL WHERE kind = 'dead_letter'") == [(2,)]
    summary = world.rows(
        "SELECT rank, min(min_step), max(max_step), argMaxMerge(last), argMinMerge(first)"
        " FROM raw.series WHERE metric = 'loss' GROUP BY rank ORDER BY rank"
    )
    texts = "SELECT rank, value, count(DISTINCT ver) FROM raw.text_points GROUP BY 1, 2 ORDER BY 1"
    assert world.rows(texts) == [(0, "warm", 11), (1, "warm", 12), (2, "warm", 11)]
    for table in ("system_points", "console"):
        stored = f"SELECT rank, count(DISTINCT ver) FROM raw.{table} GROUP BY 1 ORDER BY 1"
        assert world.rows(stored) == [(0, 11), (1, 12), (2, 11)]
    last = FRAMES * STEPS - 1
    assert summary == [(rank, 0, last, float(last), 0.0) for rank in ranks]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_writer_killed_anywhere_leaves_every_point_stored_exactly_once(
    world: World, fault: str
) -> None:
    for number in range(3):
        world.append(training(number))

    assert world.start_writer(fault).wait(SOON_S) == KILLED
    world.start_writer()
    wait_until(world.drained, world)

    assert_everything_is_stored_once(world)
    for number in range(3):
        assert world.committed(frames.producer(number)) == FRAMES


def test_a_writer_that_is_told_to_stop_ends_well_and_the_next_starts_at_once(world: World) -> None:
    first = world.start_writer()
    assert first.stdout.readline() == "writer ready\n"
    world.append(training(1))
    wait_until(world.drained, world)
    first.send_signal(signal.SIGTERM)

    assert first.wait(SOON_S) == 0
    with world.redis.client() as client:
        assert not list(client.scan_iter("weir:*:lease"))


def test_two_writers_share_the_work_and_store_every_point_once(world: World) -> None:
    world.start_writer()
    world.start_writer()
    for number in range(3):
        world.append(training(number))
    wait_until(world.drained, world)

    assert_everything_is_stored_once(world)


def test_a_redis_that_lost_what_was_committed_brings_no_point_back_twice(world: World) -> None:
    for number in range(3):
        world.append(training(number))
    world.start_writer()
    wait_until(world.drained, world)
    world.redis.flush()
    for number in range(3):
        world.append(training(number))
    wait_until(world.drained, world)

    assert_everything_is_stored_once(world)
    inserter = ClickHouseInserter(world.clickhouse, world.database)
    known = [UUID(bytes=frames.producer(number)) for number in range(3)]
    assert inserter.read_committed(known) == dict.fromkeys(known, FRAMES)


def test_a_redis_that_dies_and_comes_back_is_waited_for(world: World) -> None:
    world.start_writer()
    world.append(training(0))
    wait_until(world.drained, world)
    world.redis.kill()
    world.redis.start()
    for number in (1, 2):
        world.append(training(number))
    wait_until(world.drained, world)

    assert_everything_is_stored_once(world)


def test_a_writer_does_not_start_on_a_store_without_tables(world: World) -> None:
    world.clickhouse.command(f"DROP DATABASE {world.database}_raw")
    writer = world.start_writer()

    assert writer.wait(SOON_S) == 1
    assert "weir migrate" in (world.folder / "writer.log").read_text()
    migrate(world.clickhouse, world.database)
