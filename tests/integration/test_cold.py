"""Finished runs rolled to files: asked as before by everybody, changed as before, and brought back."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.told_frames import everything, of_a_node
from tests.integration.fixtures_cold import ColdHouse, cold_house, local_objects
from tests.integration.fixtures_engine import EngineProcess
from tests.integration.test_changes_points import fork
from tests.unit.server import frames
from weir_store import tables
from weir_store.changes.base import ChangeState, Held, Hold, Policy, Refusal, What
from weir_store.cold.base import COLD_TABLES, ColdRule
from weir_store.cold.place import BucketPlace
from weir_store.records import RunRef, Verdict

DATABASE = "cold"
NOTHING = dict.fromkeys(COLD_TABLES, 0)


@pytest.fixture
def house(engine: EngineProcess, tmp_path: Path) -> Iterator[ColdHouse]:
    with cold_house(engine, DATABASE, *local_objects(tmp_path)) as house:
        yield house


@pytest.fixture
def run(house: ColdHouse) -> RunRef:
    house.log("r", everything(0))
    house.log("r", of_a_node(5), rank=3, birth_s=frames.BIRTH_S + 1)
    return house.log("r", frames.grid(10, rows=500))


def test_a_cold_run_is_answered_as_before_and_is_in_no_table(house: ColdHouse, run: RunRef) -> None:
    other = house.log("other", everything(0))
    before = house.answers(run, other)
    rows = house.hot_rows(run)
    change = house.roll(run)
    assert change.state is ChangeState.DONE
    assert house.hot_rows(run) == NOTHING
    assert house.answers(run, other) == before
    assert change.receipt["rows"] == sum(rows.values()) == 1_006 + 3 + 2
    assert {t: each["rows"] for t, each in change.receipt["before"].items()} == rows
    assert {t: each["rows"] for t, each in change.receipt["after"].items()} == NOTHING
    assert house.verdict(run) is Verdict.WHOLE
    assert len(house.keys(run)) == 3


def test_a_thawed_run_lies_in_the_tables_as_before_and_in_no_file(
    house: ColdHouse, run: RunRef
) -> None:
    before, rows = house.answers(run), house.hot_rows(run)
    for _ in range(2):  # the second time the very same rows are inserted once more
        house.roll(run)
        assert house.thaw(run).state is ChangeState.DONE
        assert house.hot_rows(run) == rows
        assert house.keys(run) == []
        assert not house.is_cold(run)
        assert house.answers(run) == before


def test_corrected_rewound_and_forked_runs_are_answered_as_before(
    house: ColdHouse, run: RunRef
) -> None:
    house.correct(run, "loss", 12, -1.0)
    house.log("r", frames.grid(11, rows=3), birth_s=frames.BIRTH_S + 50)  # logged again
    child = fork(house, run, "child", 100)
    grandchild = fork(house, child, "grandchild", 102)
    family = (run, child, grandchild)
    before = house.shown(*family)
    house.roll(run)
    assert house.shown(*family) == before
    house.roll(child)
    house.thaw(run)
    assert house.shown(*family) == before


def test_a_run_forked_from_a_cold_one_shows_its_history(house: ColdHouse, run: RunRef) -> None:
    house.roll(run)
    child = fork(house, run, "child", 100)
    shown = house.points(child, "loss")
    assert len(shown) == 3 + 91 + 3
    assert house.is_cold(run)


def test_what_comes_late_is_shown_beside_the_files_and_stays_when_they_come_back(
    house: ColdHouse, run: RunRef
) -> None:
    house.roll(run)
    house.log("r", frames.grid(510, rows=7))
    assert house.rows(tables.POINTS, run) == 14
    after = house.answers(run)
    assert len(house.points(run, "loss")) == 510
    assert house.verdict(run) is Verdict.WHOLE
    house.thaw(run)
    assert house.answers(run) == after


def test_frames_stored_once_more_are_not_shown_twice(house: ColdHouse, run: RunRef) -> None:
    before = house.answers(run)
    house.changes = house.make(
        objects=house.objects, place=house.cold._shelf._place, settle_s=3_600.0
    )
    assert house.roll(run).state is ChangeState.WAITING
    assert house.hot_rows(run) != NOTHING  # both hold the rows
    assert house.answers(run) == before
    assert house.changes.resume() == 0
    house.now_unix_us += 3_601_000_000
    assert house.changes.resume() == 1
    assert house.hot_rows(run) == NOTHING
    assert house.answers(run) == before


def test_points_of_a_cold_run_are_corrected_and_deleted_after_it_was_brought_back(
    house: ColdHouse, run: RunRef
) -> None:
    house.roll(run)
    house.correct(run, "loss", 12, -1.0)
    assert not house.is_cold(run)
    assert (0, 12, -1.0) in house.points(run, "loss")
    house.roll(run)
    house.changes.warm(run, by="ann")
    house.delete_points(run, "loss", [(0, 99)])
    assert len(house.points(run, "loss")) == 410
    house.roll(run)
    assert len(house.points(run, "loss")) == 410
    assert house.verdict(run) is Verdict.WHOLE


def test_a_cold_run_that_is_moved_is_brought_back_first(house: ColdHouse, run: RunRef) -> None:
    before = house.points(run, "loss")
    house.roll(run)
    target = f"{house.project}-2"
    ask = house.changes.moving.ask
    house.do(ask(run.project, [run.run_id], target, by="ann", at_unix_us=house.tick()))
    assert house.points(RunRef(target, run.run_id), "loss") == before
    assert house.keys(run) == []


def test_files_of_a_deleted_run_go_with_it(house: ColdHouse, run: RunRef) -> None:
    house.roll(run)
    change = house.delete(run)
    assert house.keys(run) == []
    assert not house.is_cold(run)
    assert change.receipt["cold_bytes"] > 0
    assert not house.exists(run)


def test_files_that_a_living_fork_shows_stay_until_it_is_deleted(
    house: ColdHouse, run: RunRef
) -> None:
    child = fork(house, run, "child", 100)
    before = house.points(child, "loss")
    house.roll(run)
    assert house.delete(run).state is ChangeState.WAITING
    assert house.points(child, "loss") == before
    assert house.keys(run)
    house.delete(child)
    house.now_unix_us += 1_000_000
    house.changes.resume()
    assert house.keys(run) == []


def test_what_must_not_leave_the_tables_is_not_rolled(house: ColdHouse, run: RunRef) -> None:
    hold = Hold(run.project, run.run_id, "case 4711", "ann", house.tick())
    house.changes.book.hold(hold)
    with pytest.raises(Held, match="case 4711"):
        house.roll(run)
    house.changes.book.hold(Hold(run.project, run.run_id, "over", "ann", house.tick()), lifted=True)
    policy = Policy(run.project, What.METRICS, keep_s=86_400 * 10_000, at_unix_us=house.tick())
    house.changes.book.set_policy(policy)
    with pytest.raises(Refusal, match="policies of retention"):
        house.roll(run)
    house.changes.book.set_policy(policy, removed=True)


def test_a_hold_that_comes_while_rows_wait_keeps_them_in_the_tables(
    house: ColdHouse, run: RunRef
) -> None:
    house.changes = house.make(objects=house.objects, place=house.cold._shelf._place, settle_s=60.0)
    house.roll(run)
    house.changes.book.hold(Hold(run.project, "r", "case 4711", "ann", house.tick()))
    house.now_unix_us += 61_000_000
    assert house.changes.resume() == 0
    assert house.hot_rows(run) != NOTHING


def test_a_policy_of_retention_brings_cold_runs_back_and_then_acts_on_them(
    house: ColdHouse, run: RunRef
) -> None:
    house.roll(run)
    house.changes.book.set_policy(
        Policy(
            run.project, What.METRICS, pattern="loss", keep_s=1, by="ann", at_unix_us=house.tick()
        )
    )
    house.changes.apply_policies(run.project)
    assert not house.is_cold(run)
    assert house.points(run, "loss") == []
    assert len(house.points(run, "acc")) == 503


def test_a_rule_rolls_runs_that_ended_long_ago_and_leaves_alone_what_was_thawed(
    house: ColdHouse, run: RunRef
) -> None:
    house.cold.book.put_rule(ColdRule(run.project, 86_400, "ann", house.tick()))
    done = [each for each in house.changes.roll_by_rules() if each.project == run.project]
    assert [(each.run_id, each.by) for each in done] == [("r", "rule")]
    assert house.is_cold(run)
    house.thaw(run)
    assert not [each for each in house.changes.roll_by_rules() if each.project == run.project]
    house.cold.book.put_rule(ColdRule(run.project, 86_400, "ann", house.tick()), removed=True)
    assert run.project not in {each.project for each in house.cold.book.list_rules()}


def test_a_roll_gives_way_to_another_change_and_says_so(house: ColdHouse, run: RunRef) -> None:
    ask = house.changes.points.ask_delete
    begun = house.changes.begin(
        ask(house.run(run), "acc", (), (), by="bob", at_unix_us=house.tick())
    )
    change = house.roll(run)
    assert change.state is ChangeState.DONE
    assert "delete_points by bob" in change.receipt["given_up"]
    assert not house.is_cold(run)
    assert house.keys(run) == []
    house.changes.carry_out(begun)
    assert house.points(run, "acc") == []


def test_points_are_not_deleted_while_their_run_is_being_written_to_files(
    house: ColdHouse, run: RunRef
) -> None:
    rolling = house.changes.begin(house.cold.rolling.ask(run, by="ann", at_unix_us=house.tick()))
    with pytest.raises(Refusal, match="just being rolled"):
        house.delete_points(run, "acc")
    for left in house.changes.book.list_changes(run.project, states=(ChangeState.BEGUN,)):
        if left.change_id != rolling.change_id:
            house.changes.book.end(left, house.tick())
    assert house.changes.carry_out(rolling).state is ChangeState.DONE


def test_a_file_that_was_changed_is_not_brought_back(house: ColdHouse, run: RunRef) -> None:
    house.roll(run)
    key = next(key for key in house.keys(run) if "/points/" in key)
    content = bytearray(b"".join(house.objects.read(key)))
    content[len(content) // 2] ^= 1

    house.objects.write(key, io.BytesIO(bytes(content)), len(content))
    with pytest.raises(Refusal, match="not what was written"):
        house.thaw(run)
    assert house.is_cold(run)
    assert house.hot_rows(run)[tables.POINTS] == 0


def test_runs_whose_names_are_no_paths_are_rolled_too(house: ColdHouse) -> None:
    ref = house.log("a=b/../ü 🙂*", frames.grid(0, rows=50))
    before = house.answers(ref)
    house.roll(ref)
    assert house.rows(tables.POINTS, ref) == 0
    assert house.answers(ref) == before
    house.thaw(ref)
    assert house.answers(ref) == before


def test_a_cold_run_is_not_rolled_again_and_a_hot_one_is_not_thawed(
    house: ColdHouse, run: RunRef
) -> None:
    with pytest.raises(Refusal, match="not cold"):
        house.thaw(run)
    house.roll(run)
    with pytest.raises(Refusal, match="cold already"):
        house.roll(run)


@pytest.mark.parametrize("others_are_cold", [False, True])
def test_a_server_that_cannot_get_at_the_files_keeps_its_rows_and_says_so(
    engine: EngineProcess, tmp_path: Path, others_are_cold: bool
) -> None:
    with cold_house(engine, "cold_away", *local_objects(tmp_path)) as house:
        run = house.log("r", everything(0))
        before, rows = house.answers(run), house.hot_rows(run)
        if others_are_cold:
            house.roll(house.log("other", everything(0)))
        away = BucketPlace("http://127.0.0.1:9", "nowhere", "who", "what")
        house.changes = house.make(objects=house.objects, place=away)
        change = house.roll(run)
        assert "cannot get at the object store" in change.receipt["given_up"]
        assert house.keys(run) == []
        assert not house.is_cold(run)
        assert house.hot_rows(run) == rows
        if not others_are_cold:  # else SQL over points asks the files of others, too
            assert house.answers(run) == before


def test_a_roll_that_two_gateways_take_up_is_made_once(house: ColdHouse, run: RunRef) -> None:
    change = house.changes.begin(house.cold.rolling.ask(run, by="ann", at_unix_us=house.tick()))
    assert house.changes.carry_out(change).state is ChangeState.DONE
    again = house.changes.carry_out(change)  # as the other read it
    assert again.state is ChangeState.DONE
    assert "given_up" not in again.receipt
    assert len(house.keys(run)) == 3
    thaw = house.changes.begin(house.cold.thawing.ask(run, by="ann", at_unix_us=house.tick()))
    assert house.changes.carry_out(thaw).state is ChangeState.DONE
    assert house.changes.carry_out(thaw).state is ChangeState.DONE
    assert len(house.points(run, "loss")) == 503


def test_sql_that_may_only_read_reads_cold_runs_too(house: ColdHouse, run: RunRef) -> None:
    house.roll(run)
    for view, rows in (("metrics", 1_006), ("system", 3), ("logs", 2)):
        sql = f"SELECT count() FROM {house.database}.{view} WHERE project = '{run.project}'"
        assert house.clickhouse.query_rows(sql, settings={"readonly": 1}) == [(rows,)]
