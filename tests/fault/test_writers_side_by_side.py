"""Two writers on one shard, writers that stall, tables that forget what they were given: still once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.fixtures_up import wait_until
from tests.fault.fixtures_house import KILLED, House
from tests.fault.fixtures_job import Agent, Job, assert_stored_once, count_stored, wait_forgotten
from weir_store import tables

VIEW_TARGETS = ("series", "points_64")


@pytest.fixture(scope="module", autouse=True)
def forgetful(house: House) -> None:
    """Switch one layer off: no table remembers the tokens of its inserts. And start a gateway."""
    for table in (*tables.INSERT_ORDER, *VIEW_TARGETS):
        house.command(
            f"ALTER TABLE raw.{table} MODIFY SETTING non_replicated_deduplication_window = 0"
        )
    house.command("SYSTEM STOP MERGES raw.points")
    house.start_gateway()


def rows_inserted(house: House, run_id: str) -> int:
    """Rows that lie there, before anything is collapsed."""
    return int(house.rows(f"SELECT count() FROM raw.points WHERE run_id = '{run_id}'")[0][0])


def test_a_writer_killed_around_its_insert_doubles_nothing_where_no_table_remembers_tokens(
    house: House, root: Path
) -> None:
    """F10, F11 with the insert window off: the key of a point, not the token, makes it one."""
    job = Job(root, house.address, "no-window")
    with Agent(root):
        for point in (
            "writer.before_insert:2",
            "writer.after_table.points:1",
            "writer.before_commit:2",
            "writer.before_commit:1",
        ):
            dying = house.start_writer(point)
            wait_until(lambda dying=dying: (job.log(), not dying.alive)[1], point)
            assert dying.ended() == KILLED
        job.finish()
        last = house.start_writer()
        wait_forgotten(job)
    assert rows_inserted(house, job.run_id) > len(job.points()), "blocks were inserted twice"
    assert_stored_once(house, job)
    last.kill()


def test_a_writer_killed_while_its_insert_is_under_way_doubles_nothing(
    house: House, root: Path
) -> None:
    """F11: the store has the rows, and nobody who asked for it lives."""
    job = Job(root, house.address, "mid-insert")
    with Agent(root):
        asked = house.store_door.break_next("answer", marker=b"raw.points", hold=True)
        dying = house.start_writer()
        job.log(5)
        wait_until(lambda: asked.done, "the store has answered, and nobody hears it")
        assert count_stored(house, job.run_id) > 0
        dying.kill()
        last = house.start_writer()
        job.log(5)
        job.finish()
        wait_forgotten(job)
    assert_stored_once(house, job)
    last.kill()


@pytest.mark.parametrize(
    ("point", "both"), [("writer.before_insert:2", True), ("writer.before_commit:2", False)]
)
def test_a_writer_that_stalls_and_wakes_after_it_was_replaced_changes_nothing(
    house: House, root: Path, point: str, *, both: bool
) -> None:
    """F12, F30: both insert the block, it is read once, and only who holds the lease may commit.

    A successor that finds the watermark of the block in the store does not insert it again.
    """
    job = Job(root, house.address, f"stalled-{point.split('.')[1][:13]}")
    with Agent(root):
        stalled = house.start_writer(f"{point}:stop")
        wait_until(lambda: (job.log(), stalled.stands_still)[1], "the first writer stands still")
        successor = house.start_writer()
        job.log(5)
        wait_until(lambda: job.ranks[0].committed == job.ranks[0].seq, "the second works")
        before = stalled.said.count("reason=LeaseLost")
        stalled.thaw()
        wait_until(lambda: stalled.said.count("reason=LeaseLost") > before, "the first is fenced")
        job.log(5)
        job.finish()
        wait_forgotten(job)
    assert (rows_inserted(house, job.run_id) > len(job.points())) is both
    assert_stored_once(house, job)
    stalled.kill()
    successor.kill()
