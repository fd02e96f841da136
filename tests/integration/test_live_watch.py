"""Looking at what is stored, on the real engine: everything once it is committed, nothing before."""

from __future__ import annotations

import time
import uuid

import pytest

from tests.contract.fixtures_tables import connection
from tests.integration.fixtures_live import Job
from weir_store.clickhouse import ClickHouse
from weir_store.editor import Editor
from weir_store.inserter import ClickHouseInserter
from weir_store.live.base import DELETED, Happened, Kind, Rows, Scope, Standing, Start, Told, Wants
from weir_store.live.reader import LiveReader
from weir_store.live.watch import Watch
from weir_store.records import RunRef

DATABASE = "live_watch"
__all__ = ["connection"]


class Looker:
    """A watch, and everything it told."""

    def __init__(self, connection: ClickHouse) -> None:
        now = lambda: time.time_ns() // 1_000  # noqa: E731
        self.reader = LiveReader(connection, DATABASE, now)
        self.ticks = iter(range(0, 10**9, 10))  # every look is also due to look at states
        self.watch = Watch(self.reader, lambda: float(next(self.ticks)))

    def look(self) -> list[Told]:
        told: list[Told] = []
        self.watch.look(told.append)
        return told

    def points(self) -> list[tuple[str, int, float]]:
        """Look; return metric, step, value of the points told."""
        return points_of(self.look())


def points_of(told: list[Told]) -> list[tuple[str, int, float]]:
    return [
        (row["metric"], row["step"], row["value"])
        for rows in told
        if isinstance(rows, Rows)
        for row in rows.table.to_pylist()
    ]


@pytest.fixture
def run() -> RunRef:
    return RunRef("live", uuid.uuid4().hex)


@pytest.fixture
def inserter(connection: ClickHouse) -> ClickHouseInserter:
    return ClickHouseInserter(connection, DATABASE)


@pytest.fixture
def job(inserter: ClickHouseInserter, run: RunRef) -> Job:
    one = Job(inserter, run)
    one.begin()
    return one


@pytest.fixture
def looker(connection: ClickHouse, run: RunRef, job: Job) -> Looker:
    one = Looker(connection)
    one.watch.follow(Scope(frozenset({run})), Wants())
    one.look()
    return one


def test_what_is_committed_is_told_once(looker: Looker, job: Job) -> None:
    job.log([1.0, 2.0])
    assert looker.points() == [("loss", 0, 1.0), ("loss", 1, 2.0)]
    assert looker.points() == []
    job.log([3.0], first_step=2)
    assert looker.points() == [("loss", 2, 3.0)]


def test_what_is_not_committed_yet_is_told_later_and_not_lost(looker: Looker, job: Job) -> None:
    job.log([0.0])
    job.points([1.0], first_step=1)
    assert looker.points() == [("loss", 0, 0.0)]
    job.commit()
    assert looker.points() == [("loss", 1, 1.0)]


def test_parts_that_merge_bring_nothing_twice(
    looker: Looker, job: Job, connection: ClickHouse
) -> None:
    for step in range(4):
        job.log([float(step)], first_step=step)
    assert len(looker.points()) == 4
    job.points([4.0], first_step=4)
    connection.command(f"OPTIMIZE TABLE {DATABASE}_raw.points FINAL")
    connection.command(f"OPTIMIZE TABLE {DATABASE}_raw.events FINAL")
    assert looker.points() == []
    job.commit()
    assert looker.points() == [("loss", 4, 4.0)]


def test_ranks_have_watermarks_of_their_own(looker: Looker, job: Job) -> None:
    other = Job(job.inserter, job.run, rank=1, world_size=2, born_s=job.born_s)
    other.begin()
    looker.look()
    job.points([0.5])
    other.points([1.5])
    other.commit()
    assert looker.points() == [("loss", 0, 1.5)]
    job.commit()
    assert looker.points() == [("loss", 0, 0.5)]


def test_a_look_reads_new_parts_only(
    looker: Looker, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    job.log([0.0])
    looker.look()
    asked = []
    look = looker.reader.look
    monkeypatch.setattr(looker.reader, "look", lambda *a: asked.append(a[4]) or look(*a))
    job.log([1.0], first_step=1)
    before = looker.reader.list_parts()["points"]
    assert looker.points() == [("loss", 1, 1.0)]
    old = next(seen for seen in asked if seen)
    assert old < before
    assert not looker.watch._seen.rows[Kind.POINTS, job.run] - before
    everything = {job.run: looker.watch.marks(Scope(frozenset({job.run})))}
    assert look(Kind.POINTS, [job.run], {}, everything, frozenset(), Wants()).rows
    assert not look(Kind.POINTS, [job.run], {}, everything, before, Wants()).rows


def test_texts_events_and_states_are_told(looker: Looker, job: Job) -> None:
    job.text("hello")
    event_id = job.event("hot", source="client")
    person = job.event("renamed", source="server")
    job.commit()
    told = looker.look()
    assert points_of(told) == [("sample", 0, "hello")]
    happened = [each.event for each in told if isinstance(each, Happened)]
    assert {each.event_id.bytes for each in happened} == {event_id, person}
    job.seq += 1
    job.is_now("failed", "out of memory")
    states = [each for each in looker.look() if isinstance(each, Standing)]
    assert [(each.state, each.world_size, each.ranks) for each in states] == [("failed", 1, 1)]
    assert looker.look() == []


def test_a_project_is_looked_at_with_the_runs_to_come(
    connection: ClickHouse, inserter: ClickHouseInserter
) -> None:
    looker = Looker(connection)
    project = uuid.uuid4().hex
    looker.watch.follow(Scope(projects=frozenset({project})), Wants())
    assert looker.look() == []
    job = Job(inserter, RunRef(project, "later"))
    job.begin()
    job.log([1.0])
    told = looker.look()
    assert points_of(told) == [("loss", 0, 1.0)]
    assert Standing(job.run, "running", 1, 1) in told


def test_a_run_that_is_deleted_is_told_as_deleted_and_no_more(
    looker: Looker, job: Job, inserter: ClickHouseInserter
) -> None:
    Editor(inserter).delete_run(job.run, by="me", at_unix_us=time.time_ns() // 1_000)
    job.log([1.0])
    assert looker.look() == [Standing(job.run, DELETED)]


def test_only_wanted_metrics_and_ranks_are_read_and_a_wider_wish_loses_nothing(
    connection: ClickHouse, job: Job
) -> None:
    looker, scope = Looker(connection), Scope(frozenset({job.run}))
    looker.watch.follow(scope, Wants(metrics=frozenset({"loss"})))
    looker.look()
    job.points([9.0], metric="lr")
    job.points([1.0])
    assert looker.points() == []
    looker.watch.follow(scope, Wants())
    job.commit()
    assert sorted(looker.points()) == [("loss", 0, 1.0), ("lr", 0, 9.0)]


def test_a_look_that_fails_is_made_again(
    looker: Looker, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    job.log([1.0])
    with monkeypatch.context() as broken:
        broken.setattr(looker.reader, "look", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            looker.look()
    assert looker.points() == [("loss", 0, 1.0)]


def test_catching_up_gives_exactly_what_lies_between(looker: Looker, job: Job) -> None:
    job.log([1.0])
    job.event("before")
    looker.look()
    scope = Scope(frozenset({job.run}))
    start = Start(looker.watch.marks(scope), time.time_ns() // 1_000)
    job.log([2.0], first_step=1)
    job.seq += 1
    after = job.event("after")
    job.commit()
    job.points([3.0], first_step=2)
    looker.look()
    told = list(looker.watch.catch_up(start, looker.watch.marks(scope), Wants()))
    assert points_of(told) == [("loss", 1, 2.0)]
    assert [each.event.event_id.bytes for each in told if isinstance(each, Happened)] == [after]
    everything = list(looker.watch.catch_up(Start(), looker.watch.marks(scope), Wants()))
    assert sorted(points_of(everything)) == [("loss", 0, 1.0), ("loss", 1, 2.0)]
