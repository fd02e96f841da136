"""Deleting runs and projects: hidden at once, freed for good, with a receipt that says how much."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.told_frames import everything, of_a_node
from tests.integration.fixtures_changes import House, house_on, open_house
from tests.integration.fixtures_engine import EngineProcess, running_engine
from tests.integration.test_changes_points import fork
from tests.unit.server import frames
from weir_store import tables
from weir_store.changes.base import Change, ChangeState, Held, Hold
from weir_store.changes.measure import NEEDED_BY_FORKS, OF_PROJECTS, OF_RUNS
from weir_store.errors import StoreUnavailable, UnknownProject, UnknownRun
from weir_store.records import RunRef

DATABASE = "changes_delete"

# What has a run's name and stays when the run is deleted, and why.
STAYS = {
    tables.RUNS: "the tombstone",
    tables.BRANCHES: "what forks of it are read by",
    "shown": "likewise",
    "careful_runs": "a note that it is deleted",
    "rule_states": "of the rule, which finds that the run is gone",
    "deliveries": "of the rule, for 90 days",
    tables.CHANGES: "receipts",
    tables.HOLDS: "who held what",
    tables.COLD_RUNS: "a note that its files are gone",
    tables.ARTIFACT_VERSIONS: "of the project",
    tables.MODELS: "of the project",
}


@pytest.fixture
def house(engine: EngineProcess) -> Iterator[House]:
    yield from house_on(engine, DATABASE)


@pytest.fixture
def run(house: House) -> RunRef:
    house.log("r", everything(0))
    house.log("r", of_a_node(5), rank=3, birth_s=frames.BIRTH_S + 1)
    return house.log("r", frames.grid(10, rows=5_000))


def test_a_deleted_run_is_in_no_table_and_the_receipt_counts_its_rows(
    house: House, run: RunRef
) -> None:
    other = house.log("other", everything(0))
    rows = {table: house.rows(table, run) for table in OF_RUNS}
    assert rows[tables.POINTS] == 10_006
    assert rows[tables.CONSOLE] == 2
    kept = {table: house.rows(table, other) for table in OF_RUNS}

    change = house.delete(run, "too large")

    assert not house.exists(run)
    audit = house.rows(tables.EVENTS, run)
    assert audit == 1  # who deleted it
    gone = {table: house.rows(table, run) for table in OF_RUNS if table != tables.EVENTS}
    assert set(gone.values()) == {0}
    assert {table: house.rows(table, other) for table in OF_RUNS} == kept
    receipt = house.changes.book.get(change.change_id)
    assert (receipt.state, receipt.by, receipt.reason) == (ChangeState.DONE, "ann", "too large")
    assert receipt.receipt["before"]["points"]["rows"] == 10_006
    assert {each["rows"] for each in receipt.receipt["after"].values()} == {0}
    assert receipt.receipt["rows_freed"] == sum(
        each["rows"] for each in receipt.receipt["before"].values()
    )


def test_every_table_with_runs_in_it_is_freed_or_there_is_a_reason(house: House) -> None:
    sql = f"""SELECT DISTINCT table FROM system.columns AS c INNER JOIN system.tables AS t
ON c.database = t.database AND c.table = t.name
WHERE c.database = '{house.raw}' AND c.name = 'run_id' AND t.engine LIKE '%MergeTree'"""
    found = {table for (table,) in house.clickhouse.query_rows(sql)}

    assert found - set(OF_PROJECTS) == {*OF_RUNS, *STAYS} - set(OF_PROJECTS)


def test_space_is_really_free_in_the_store_and_on_disk(tmp_path: Path) -> None:
    with running_engine(tmp_path / "clickhouse") as engine, open_house(engine, "weir") as house:
        for number in range(3):
            house.log(f"r{number}", frames.grid(0, rows=60_000, metrics=("a", "b", "c")))
        house.clickhouse.command(f"OPTIMIZE TABLE {house.raw}.points FINAL")
        before, kept = house.bytes_on_disk("points"), RunRef(house.project, "r0")

        change = house.delete(RunRef(house.project, "r1"))

        share = change.receipt["before"]["points"]
        after = house.bytes_on_disk("points")
        assert before - after == pytest.approx(share["bytes"], rel=0.1)
        assert share["bytes"] == pytest.approx(before / 3, rel=0.1)
        assert change.receipt["after"]["points"]["table_bytes"] == after
        # The files of before are ClickHouse's to remove, which it does within a minute.
        assert _disk(house) == pytest.approx(after, rel=0.05)
        assert len(house.points(kept, "a")) == 60_000


def _disk(house: House) -> int:
    """Return what the files of `points` take that are in use."""
    sql = f"SELECT path FROM system.parts WHERE database = '{house.raw}' AND table = 'points' AND active"
    folders = [Path(path) for (path,) in house.clickhouse.query_rows(sql)]
    return sum(file.stat().st_size for folder in folders for file in folder.rglob("*"))


def test_twice_is_once(house: House, run: RunRef) -> None:
    change = house.delete(run)
    again = house.changes.carry_out(change)

    assert again.receipt["before"] == change.receipt["before"]
    assert house.rows(tables.EVENTS, run) == 1
    with pytest.raises(UnknownRun):
        house.delete(run)


@pytest.mark.parametrize("stops_after", ["points", "events"])
def test_a_delete_that_is_killed_in_the_middle_goes_on_after_a_restart(
    tmp_path: Path, stops_after: str
) -> None:
    """The engine is killed between two tables; another one finds the change and ends it."""

    def kill(table: str) -> None:
        if table == stops_after:
            engine.stop(9)

    with (
        running_engine(tmp_path / "clickhouse") as engine,
        open_house(engine, "weir", on_freed=kill) as house,
    ):
        run = house.log("r", everything(0))
        rows = house.rows(tables.POINTS, run)
        with pytest.raises(StoreUnavailable):
            house.delete(run, "why")
    with running_engine(tmp_path / "clickhouse") as engine, open_house(engine, "weir") as house:
        (change,) = house.changes.book.list_changes(run.project)
        assert change.state is ChangeState.BEGUN
        assert not house.exists(run)
        assert house.changes.resume() == 1

        done = house.changes.book.get(change.change_id)
        assert (done.state, done.reason) == (ChangeState.DONE, "why")
        assert done.receipt["before"]["points"]["rows"] == rows
        assert all(not house.rows(t, run) for t in OF_RUNS if t != tables.EVENTS)


def test_a_hold_wins(house: House, run: RunRef) -> None:
    hold = Hold(house.project, run.run_id, "audit 2026", "eve", house.tick())
    house.changes.book.hold(hold)
    with pytest.raises(Held, match="audit 2026"):
        house.delete(run)
    with pytest.raises(Held):
        _delete_project(house, house.project)
    assert house.exists(run)

    house.changes.book.hold(
        Hold(house.project, run.run_id, "over", "eve", house.tick()), lifted=True
    )
    house.delete(run)
    assert not house.exists(run)
    kinds = ["held", "hold_lifted"]
    sql = f"SELECT kind FROM {house.raw}.events WHERE project = {{p:String}} AND kind IN {kinds} ORDER BY ts"
    told = house.clickhouse.query_rows(sql, {"p": house.project})
    assert [kind for (kind,) in told] == kinds


def test_a_hold_put_while_a_delete_is_under_way_stops_it(house: House, run: RunRef) -> None:
    ask = house.changes.removal.ask_run
    change = house.changes.begin(ask(run, by="ann", at_unix_us=house.tick()))
    house.changes.book.hold(Hold(house.project, "", "all of it", "eve", house.tick()))

    with pytest.raises(Held):
        house.changes.carry_out(change)
    assert house.changes.resume() == 0
    assert house.exists(run)


def test_points_that_living_forks_show_stay_until_the_last_of_them_is_deleted(
    house: House, run: RunRef
) -> None:
    child = fork(house, run, "child", 100)
    shown = house.points(child, "loss")

    change = house.delete(run)

    assert change.state is ChangeState.WAITING
    assert change.receipt["kept_for_forks"] == ["r"]
    assert house.points(child, "loss") == shown
    assert house.rows(tables.CONSOLE, run) == 0
    assert house.rows(tables.POINTS, run) > 0
    assert all(not house.rows(t, run) for t in OF_RUNS if t not in {*NEEDED_BY_FORKS, "events"})

    house.delete(child)
    assert house.changes.resume() == 1
    assert house.rows(tables.POINTS, run) == 0
    done = house.changes.book.get(change.change_id)
    assert (done.state, done.receipt["kept_for_forks"]) == (ChangeState.DONE, [])


def test_what_a_deleted_run_still_writes_stays_hidden_and_is_freed_and_counted(
    house: House, run: RunRef
) -> None:
    change = house.delete(run)
    house.log("r", frames.grid(9_000, rows=7, metrics=("late",)))

    assert not house.exists(run)
    assert house.reader.list_metrics([], project=house.project).metrics == ()
    late = house.changes.free_late()
    assert late >= 7
    assert all(not house.rows(t, run) for t in OF_RUNS if t != tables.EVENTS)
    receipt = house.changes.book.get(change.change_id).receipt
    assert receipt["late_rows"] == late
    assert house.changes.free_late() == 0


def test_a_deleted_project_is_gone_with_all_it_has(house: House, run: RunRef) -> None:
    house.log("second", everything(0))
    elsewhere = house.log("r", frames.grid(0), project=f"{house.project}-2")
    change = _delete_project(house, house.project)

    assert change.state is ChangeState.DONE
    assert house.project not in [each.name for each in house.reader.list_projects()]
    for run_id in ("r", "second"):
        ref = RunRef(house.project, run_id)
        assert all(not house.rows(table, ref) for table in OF_RUNS if table != tables.EVENTS)
    assert house.exists(elsewhere)
    assert len(house.points(elsewhere, "loss")) == 1
    with pytest.raises(UnknownProject):
        _delete_project(house, f"{house.project}-none")


def _delete_project(house: House, project: str) -> Change:
    return house.do(house.changes.removal.ask_project(project, by="ann", at_unix_us=house.tick()))
