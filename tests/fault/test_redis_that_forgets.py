"""Redis loses its tail, goes back, forgets everything or hands over to a replica that lags: no point goes with it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.fixtures_up import wait_until
from tests.fault.fixtures_doors import Door
from tests.fault.fixtures_house import House, Service, a_house, a_redis
from tests.fault.fixtures_job import (
    Agent,
    Job,
    assert_stored_once,
    committed_in_store,
    wait_forgotten,
)
from tests.integration.fixtures_engine import EngineProcess
from tests.integration.fixtures_gateway import producer_id
from weir_server.stream import keys
from weir_server.stream.base import NewEntry
from weir_server.stream.redis import RedisAppender, RedisConsumer


@pytest.fixture(scope="module", params=["redis-on-path", "redis-6.2"])
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, engine: EngineProcess
) -> Iterator[House]:
    """A Redis with one append-only file (6.2) or many (7)."""
    folder = tmp_path_factory.mktemp("house")
    with a_redis(folder, request.param) as redis, a_house(redis, engine, folder) as built:
        built.start_gateway()
        yield built


@pytest.fixture
def writer(house: House) -> Iterator[Service]:
    started = house.start_writer()
    yield started
    started.kill()


def append_only_file(folder: Path) -> Path:
    """Return the file that Redis appends to."""
    parts = sorted(folder.glob("appendonlydir/*.incr.aof"), key=lambda path: path.stat().st_mtime)
    return parts[-1] if parts else folder / "appendonly.aof"


def wait_committed(house: House, job: Job) -> None:
    """Wait until the store has everything, and every spool was told."""
    last = {rank.meta.rank: rank.seq for rank in job.ranks}
    wait_until(lambda: committed_in_store(house, job) == last, "everything is committed")
    wait_until(lambda: all(rank.committed == rank.seq for rank in job.ranks), "and told")


@pytest.mark.parametrize("done", [False, True], ids=["goes-on", "has-said-all"])
def test_a_redis_that_lost_its_tail_gets_it_again_from_the_spools(
    house: House, root: Path, *, done: bool
) -> None:
    """F6: kill -9, and the newest half of the append-only file is missing."""
    file = append_only_file(house.redis.folder)
    began_bytes = file.stat().st_size
    job = Job(root, house.address, f"tail-{done}")
    with Agent(root):
        job.log(20)
        if done:
            job.finish()
        wait_until(lambda: house.entries() >= 40, "everything is accepted, nothing stored")
        before = house.entries()
        house.redis.kill()
        os.truncate(file, (began_bytes + file.stat().st_size) // 2)
        house.redis.start()
        assert 0 < house.entries() < before
        last = house.start_writer()
        if not done:
            job.log(5)
            job.finish()
        wait_forgotten(job)
    assert_stored_once(house, job)
    last.kill()


def test_a_redis_behind_the_store_asks_for_nothing_that_is_stored(
    house: House, writer: Service, root: Path
) -> None:
    """F6b: an old copy of Redis comes back; entries in it were stored long ago, spools forgot them."""
    job = Job(root, house.address, "behind", segment_bytes=1)
    copy = root.parent / "copy"
    with Agent(root):
        job.log(5)
        wait_committed(house, job)
        writer.freeze()
        job.log(5)
        wait_until(lambda: house.entries() >= 10, "some are accepted only")
        house.redis.stop()
        shutil.copytree(house.redis.folder, copy, ignore=shutil.ignore_patterns("*.sock"))
        house.redis.start()
        writer.thaw()
        job.log(10)
        wait_committed(house, job)
        house.redis.kill()
        shutil.rmtree(house.redis.folder)
        shutil.copytree(copy, house.redis.folder)
        house.redis.start()
        assert house.entries() >= 10, "entries are back that were stored"
        job.log(5)
        job.finish()
        wait_forgotten(job)
    assert_stored_once(house, job)


def test_a_redis_emptied_again_and_again_under_way_loses_and_doubles_nothing(
    house: House, writer: Service, root: Path
) -> None:
    """F7: FLUSHALL while a job runs, scripts forgotten too."""
    job = Job(root, house.address, "emptied")
    with Agent(root):
        for _ in range(6):
            seen = job.ranks[0].committed
            job.log(5)
            house.redis.flush()
            wait_until(lambda seen=seen: job.ranks[0].committed > seen, "it goes on")
        job.finish()
        wait_forgotten(job)
    assert_stored_once(house, job)


@pytest.mark.parametrize("kind", ["redis-on-path", "redis-6.2"])
def test_half_a_transaction_that_redis_brings_back_is_read_in_its_place(
    tmp_path: Path, kind: str
) -> None:
    """F6: a torn transaction stays open in the file, and the start after the next carries it out.

    The frame was taken back, so somebody may have gone on behind it: read too late, or never, it
    would be counted as stored.
    """
    lost, other = producer_id(1), producer_id(2)
    with a_redis(tmp_path, kind) as redis:
        consumer = RedisConsumer(redis.settings(), 0, owner="w", lease_s=30)

        def append(producer: bytes, seq: int) -> None:
            async def run() -> None:
                appender = RedisAppender(redis.settings())
                await appender.raise_to(0, producer, seq - 1)
                await appender.append([NewEntry(0, producer, seq, b"frame")])
                await appender.close()

            asyncio.run(run())

        append(lost, 1)
        redis.kill()
        file = append_only_file(redis.folder)
        content = file.read_bytes()
        os.truncate(file, content.rindex(b"PEXPIREAT") + 4)  # behind XADD and HSET, before EXEC
        redis.start()
        with redis.client() as client:
            assert client.xlen(keys.log(0)) == 0, "it is taken back"
        append(other, 1)
        assert [entry.producer for entry in consumer.read_new(10, 0.1)] == [other]
        redis.kill()
        redis.start()
        assert [entry.producer for entry in consumer.read_pending(10)] == [lost, other]
        assert consumer.acquire()
        assert consumer.commit(consumer.read_pending(10), {lost: 1, other: 1})
        with redis.client() as client:
            assert client.xlen(keys.log(0)) == 0
        consumer.close()


def test_a_failover_to_a_replica_that_lags_loses_nothing_and_fences_the_old_writer(
    tmp_path: Path, engine: EngineProcess, root: Path
) -> None:
    """F8: what the old primary alone had is sent again; who wrote under its lease may not commit."""
    fast = ("--repl-diskless-sync-delay", "0")
    with a_redis(tmp_path, "", *fast) as primary, a_house(primary, engine, tmp_path) as house:
        link = Door(str(primary.socket))
        replica_of = ("--replicaof", "127.0.0.1", str(link.port))
        with a_redis(tmp_path, "", *replica_of) as replica:
            house.start_gateway()
            stale = house.start_writer("writer.before_commit:3:stop")
            job = Job(root, house.address, "failover")
            with Agent(root), replica.client() as heir:
                wait_until(lambda: heir.info()["master_link_status"] == "up", "it replicates")
                wait_until(
                    lambda: (job.log(), stale.stands_still)[1], "the writer is about to commit"
                )
                wait_until(lambda: heir.xlen(keys.log(0)) > 0, "the replica follows")
                link.hold()
                held = heir.xlen(keys.log(0))
                job.log(10)
                wait_until(lambda: house.entries() >= held + 10, "the primary is ahead")
                primary.kill()
                heir.replicaof("no", "one")
                house.redis = replica
                house.stream_door.lead_to(str(replica.socket))
                job.log(5)
                house.start_writer()
                wait_until(lambda: job.ranks[0].committed >= job.ranks[0].seq, "the new one works")
                stale.thaw()
                wait_until(lambda: "reason=LeaseLost" in stale.said, "the old one is fenced")
                job.log(5)
                job.finish()
                wait_forgotten(job)
            assert_stored_once(house, job)
        link.close()
