"""Views that fail, and a ClickHouse restored from an older backup: nothing is taken for stored that is not."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.e2e.fixtures_up import wait_until
from tests.fault.fixtures_house import House, a_house, a_redis
from tests.fault.fixtures_job import (
    Agent,
    Job,
    assert_stored_once,
    committed_in_store,
    count_stored,
    wait_forgotten,
)
from tests.integration.fixtures_engine import start_engine


def test_a_view_that_fails_holds_back_the_commit_and_is_completed_once(
    house: House, root: Path
) -> None:
    """F15: the base rows are there, the view has none of them, nobody takes it for stored."""
    house.command("CREATE TABLE raw.switch (on UInt8) ENGINE = MergeTree ORDER BY on")
    house.command("CREATE TABLE raw.copy (step Int64) ENGINE = MergeTree ORDER BY step")
    house.command(
        "CREATE MATERIALIZED VIEW raw.failing TO raw.copy AS SELECT step + throwIf("
        "(SELECT count() FROM raw.switch) > 0, 'the view fails') AS step FROM raw.points"
    )
    house.command("INSERT INTO raw.switch VALUES (1)")
    house.start_gateway()
    writer = house.start_writer()
    job = Job(root, house.address, "views")
    with Agent(root):
        job.log(5)
        wait_until(lambda: "the view fails" in writer.said, "the view fails")
        assert committed_in_store(house, job) == {0: 0, 1: 0}
        assert {rank.committed for rank in job.ranks} == {0}
        house.command("TRUNCATE TABLE raw.switch")
        job.log(5)
        job.finish()
        wait_forgotten(job)
    house.command("DROP TABLE raw.failing")
    assert_stored_once(house, job)
    writer.kill()


def test_after_a_restore_from_a_backup_spools_fill_up_what_they_can_and_the_rest_is_declared(
    tmp_path: Path, root: Path
) -> None:
    """F17: Redis is emptied with it; one job's spool still has everything, the other's does not."""
    data, backup = tmp_path / "clickhouse", tmp_path / "backup"
    engine = start_engine(data)
    with a_redis(tmp_path) as redis, a_house(redis, engine, tmp_path) as house:
        gateway, _ = house.start_gateway(), house.start_writer()
        keeps = Job(root, house.address, "keeps")
        forgets = Job(root, house.address, "forgets", segment_bytes=1)
        jobs = (keeps, forgets)

        def log_and_wait(count: int) -> None:
            for job in jobs:
                job.log(count)
            for job in jobs:
                last = {rank.meta.rank: rank.seq for rank in job.ranks}
                wait_until(lambda job=job, last=last: committed_in_store(house, job) == last, "all")
                wait_until(lambda job=job: all(r.committed == r.seq for r in job.ranks), "told")

        agent = Agent(root)
        log_and_wait(10)
        engine.stop()
        shutil.copytree(data, backup, symlinks=True)
        engine = start_engine(data)
        house.move_store(engine)
        log_and_wait(10)
        wait_until(
            lambda: all(len(rank.spool.list_segments()) == 1 for rank in forgets.ranks),
            "committed segments are gone",
        )
        # What an operator does: stop everything, put the backup in place, empty Redis, start.
        agent.kill()
        gateway.kill()
        engine.stop()
        shutil.rmtree(data)
        shutil.copytree(backup, data, symlinks=True)
        engine = start_engine(data)
        house.move_store(engine)
        redis.flush()
        house.start_gateway()
        with Agent(root):
            for job in jobs:
                job.log(5)
                job.finish()
            for job in jobs:
                wait_forgotten(job)
        assert_stored_once(house, keeps)
        for rank in forgets.ranks:
            rank.forget_steps(range(50, 95))  # frames 11–19: after the backup, and forgotten
        assert_stored_once(house, forgets, lost=len(forgets.ranks))
        lost = house.rows(
            "SELECT attrs['first_seq'], attrs['last_seq'] FROM raw.events FINAL WHERE kind = 'loss'"
        )
        assert lost == [("11", "19")] * len(forgets.ranks)
        assert count_stored(house, "forgets") == len(forgets.points())
    engine.stop()
