"""Correcting and deleting points: every reader agrees, the ledger adds up, history stays readable."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator

import pytest

from tests.integration.fixtures_changes import House, columns_of, house_on
from tests.integration.fixtures_engine import EngineProcess
from tests.unit.server import frames
from weir_store import plan
from weir_store.changes.base import ChangeState, Correction, Held, Hold, Refusal
from weir_store.errors import InvalidQuery, StoreUnavailable
from weir_store.records import Reduce, RunRef, SeriesQuery

DATABASE = "changes_points"


@pytest.fixture
def house(engine: EngineProcess) -> Iterator[House]:
    yield from house_on(engine, DATABASE)


@pytest.fixture
def run(house: House) -> RunRef:
    """Two ranks, loss = step and acc = step + 0.1 at steps 0 … 299."""
    for rank in (0, 1):
        house.log("r", frames.grid(0, rows=300), rank=rank)
    return RunRef(house.project, "r")


def values(house: House, run: RunRef, metric: str = "loss") -> dict[tuple[int, int], float]:
    return {(rank, step): value for rank, step, value in house.points(run, metric)}


# ── corrections ────────────────────────────────────────────────────────────


def test_a_corrected_point_is_what_every_reader_shows(house: House, run: RunRef) -> None:
    house.correct(run, "loss", 299, -5.0, rank=0)

    assert values(house, run)[0, 299] == -5.0
    assert values(house, run)[1, 299] == 299.0
    latest = house.reader.read_latest([run], ["loss"])
    assert columns_of(latest, "rank", "last", "min", "min_at", "max") == [
        (0, -5.0, -5.0, 299, 298.0),
        (1, 299.0, 0.0, 0, 299.0),
    ]
    assert house.run(run).summary["loss"] == -5.0
    thinned = house.reader.read_series(SeriesQuery((run,), ("loss",), max_points=4))
    assert min(thinned["min"].to_pylist()) == -5.0
    reduced = house.reader.read_series(
        SeriesQuery((run,), ("loss",), max_points=4, reduce=Reduce.RANKS)
    )
    assert min(reduced["min"].to_pylist()) == -5.0


@pytest.mark.parametrize("value", [math.inf, -0.0, 1e-300])
def test_a_correction_keeps_every_bit_and_the_time_of_the_point(
    house: House, run: RunRef, value: float
) -> None:
    query = SeriesQuery((run,), ("acc",), ranks=(0,), x_min=7, x_max=8)
    before = house.reader.read_series(query)["time_unix_us"].to_pylist()

    house.correct(run, "acc", 7, value)

    after = house.reader.read_series(query)
    assert [each.hex() for each in after["value"].to_pylist()] == [value.hex()]
    assert after["time_unix_us"].to_pylist() == before


def test_the_newest_correction_counts_also_within_one_second(house: House, run: RunRef) -> None:
    for value in (1.5, 2.5, 3.5):
        house.correct(run, "loss", 10, value)

    assert values(house, run)[0, 10] == 3.5


def test_the_ledger_is_whole_after_corrections(house: House, run: RunRef) -> None:
    assert house.verdict(run) == "whole"
    house.correct(run, "loss", 5, 0.0)
    house.correct(run, "loss", 5, math.nan)

    assert house.verdict(run) == "whole"
    edits = [line for line in house.reader.read_ledger(run).lines if not line.producers]
    assert [(line.stored.count, line.added.count) for line in edits] == [(2, 2)]


def test_the_ledger_still_sees_what_nobody_edited(house: House, run: RunRef) -> None:
    house.correct(run, "loss", 5, 0.0)
    where = f"project = '{house.project}' AND run_id = 'r'"
    house.clickhouse.command(
        f"DELETE FROM {house.raw}.points WHERE {where} AND step = 9 AND rank = 1"
    )

    assert house.verdict(run) == "missing"


def test_a_correction_of_a_point_that_is_not_there_is_refused(house: House, run: RunRef) -> None:
    with pytest.raises(Refusal, match="no point at step 300, rank 0"):
        house.correct(run, "loss", 300, 1.0)
    with pytest.raises(Refusal, match="rank 7"):
        house.correct(run, "loss", 1, 1.0, rank=7)
    with pytest.raises(InvalidQuery, match="each point once"):
        house.changes.points.ask_correct(
            house.run(run), "loss", [Correction(1, 1.0), Correction(1, 2.0)], by="a", at_unix_us=1
        )


def test_a_correction_says_who_when_before_and_after(house: House, run: RunRef) -> None:
    change = house.correct(run, "loss", 5, 0.25)

    (event,) = house.reader.list_events(run, kinds=["edited"]).events
    told = {name: event.attrs[name] for name in ("by", "field", "before", "after", "receipt")}
    assert told == {
        "by": "ann",
        "field": "loss",
        "before": "5.0",
        "after": "0.25",
        "receipt": change.change_id.hex,
    }
    assert event.time_unix_us == change.at_unix_us


def test_a_correction_beats_a_process_whose_clock_is_ahead(house: House) -> None:
    ahead_s = house.now_unix_us // 1_000_000 + 5_000
    run = house.log("ahead", frames.grid(0, rows=3), birth_s=ahead_s)
    house.correct(run, "loss", 1, 9.0)

    assert values(house, run)[0, 1] == 9.0
    assert house.verdict(run) == "whole"


def test_a_fork_shows_corrections_of_what_it_inherits_and_can_have_its_own(
    house: House, run: RunRef
) -> None:
    child = fork(house, run, "child", 100)
    house.correct(run, "loss", 50, -1.0)
    assert values(house, child)[0, 50] == -1.0

    house.correct(child, "loss", 60, -2.0)
    assert values(house, child)[0, 60] == -2.0
    assert values(house, run)[0, 60] == 60.0


# ── deletions ──────────────────────────────────────────────────────────────


def test_deleted_points_are_in_no_answer(house: House, run: RunRef) -> None:
    change = house.delete_points(run, "loss", [(250, 299), (3, 3)], [0])

    left = values(house, run)
    assert {step for rank, step in left if rank == 0} == {*range(250)} - {3}
    assert {step for rank, step in left if rank == 1} == {*range(300)}
    latest = columns_of(house.reader.read_latest([run], ["loss"]), "rank", "step", "last", "max")
    assert latest == [(0, 249, 249.0, 249.0), (1, 299, 299.0, 299.0)]
    assert house.run(run).summary["loss"] == 249.0
    assert change.receipt["points"] == 51
    assert change.state is ChangeState.DONE


def test_deleted_points_are_in_no_thinned_answer_whether_from_points_or_roll_up(
    house: House, run: RunRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.delete_points(run, "loss", [(64, 200)])
    query = SeriesQuery((run,), ("loss",), max_points=3)
    answers = []
    for small in (plan.SMALL_ROWS, 0):
        monkeypatch.setattr(plan, "SMALL_ROWS", small)
        answers.append(house.reader.read_series(query).to_pylist())

    assert answers[0] == answers[1]
    kept = {*range(64), *range(201, 300)}
    assert {row[name] for row in answers[0] for name in ("first", "last", "min", "max")} <= kept


def test_a_deleted_metric_is_not_listed_and_others_stay(house: House, run: RunRef) -> None:
    house.delete_points(run, "loss")

    assert [metric.name for metric in house.reader.list_metrics([run]).metrics] == ["acc"]
    assert house.points(run, "loss") == []
    assert "loss" not in house.run(run).summary
    assert len(house.points(run, "acc")) == 600


def test_deleted_texts_are_gone(house: House) -> None:
    body = frames.grid(0)
    body.texts.add(
        metric=bytes(4), step=bytes(8), time_unix_us=bytes([1, *bytes(7)]), value=["secret"]
    )
    run = house.log("texts", body)
    house.delete_points(run, "loss")

    assert house.reader.read_text(run, "loss").num_rows == 0
    assert house.verdict(run) == "whole"


def test_the_ledger_explains_deleted_points(house: House, run: RunRef) -> None:
    house.correct(run, "loss", 20, 1.0)
    house.delete_points(run, "loss", [(10, 40)])

    assert house.verdict(run) == "whole"
    removed = sum(line.removed.count for line in house.reader.read_ledger(run).lines)
    assert removed == 62  # 31 steps of two ranks; of the correction nothing is left to explain


def test_what_is_logged_after_a_deletion_is_shown(house: House, run: RunRef) -> None:
    house.delete_points(run, "loss", [(250, 299)])
    house.log("r", frames.grid(280, rows=2, rewrites=True))

    assert {step for rank, step in values(house, run) if rank == 0} == {*range(250), 280, 281}
    assert house.verdict(run) == "whole"


def test_points_that_come_while_others_are_deleted_are_not_lost(
    house: House, run: RunRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = house.changes.points
    told = points._tell_of_removed

    def then_log(change: object, metric: str) -> object:
        house.log("r", frames.grid(300, rows=5))
        return told(change, metric)  # type: ignore[arg-type]

    monkeypatch.setattr(points, "_tell_of_removed", then_log)
    house.delete_points(run, "loss")

    assert {step for _, step in values(house, run)} == {*range(300, 305)}
    assert house.verdict(run) == "whole"


def test_history_of_corrected_and_deleted_points_stays_readable(house: House, run: RunRef) -> None:
    corrected = house.correct(run, "loss", 7, 0.5)
    deleted = house.delete_points(run, "loss", [(7, 8)], [0])

    table = house.changes.versions.read_versions(run, "loss", [(7, 8)], [0])

    wanted = ("step", "value", "edited_unix_us", "removed_unix_us", "edited_by", "removed_by")
    at, gone = corrected.at_unix_us, deleted.at_unix_us
    assert columns_of(table, *wanted) == [
        (7, 7.0, 0, gone, "", deleted.change_id.hex),
        (7, 0.5, at, gone, corrected.change_id.hex, deleted.change_id.hex),
        (8, 8.0, 0, gone, "", deleted.change_id.hex),
    ]


def test_deleting_what_is_not_there_is_refused_and_says_where_inherited_points_lie(
    house: House, run: RunRef
) -> None:
    with pytest.raises(Refusal, match="no such points of 'nothing'"):
        house.delete_points(run, "nothing")
    child = fork(house, run, "child", 100)
    with pytest.raises(Refusal, match=f"{house.project}/r"):
        house.delete_points(child, "loss", [(0, 5)])


def test_a_hold_keeps_points_from_being_deleted_but_not_from_being_corrected(
    house: House, run: RunRef
) -> None:
    house.changes.book.hold(Hold(house.project, "r", "lawsuit", "eve", house.tick()))

    with pytest.raises(Held, match=r"legal hold.*lawsuit"):
        house.delete_points(run, "loss")
    house.correct(run, "loss", 1, 2.0)
    assert len(house.points(run, "loss")) == 600


def test_a_deletion_that_is_cut_off_anywhere_is_gone_on_with(
    house: House, run: RunRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is begun again and again, and comes one statement further each time."""
    ask = house.changes.points.ask_delete
    change = ask(house.run(run), "loss", [(0, 99)], by="ann", at_unix_us=house.tick())
    house.changes.begin(change)
    cut_off = 0
    for allowed in range(20):
        with monkeypatch.context() as patched, contextlib.suppress(StoreUnavailable):
            house.break_after(allowed, patched)
            house.changes.carry_out(change)
            break
        cut_off += 1
    assert cut_off > 8
    house.changes.carry_out(change)  # once more does no harm
    assert house.changes.resume() == 0

    assert {step for _, step in values(house, run)} == {*range(100, 300)}
    assert house.verdict(run) == "whole"
    assert house.kinds(run).count("deleted_points") == 1
    assert house.changes.book.get(change.change_id).receipt["points"] == 200
    versions = house.changes.versions.read_versions(run, "loss", [(0, 99)])
    assert versions.num_rows == 200


def test_what_nobody_goes_on_with_is_gone_on_with_by_resuming(
    house: House, run: RunRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        house.break_after(6, patched)
        with pytest.raises(StoreUnavailable):
            house.delete_points(run, "loss")
    assert house.changes.resume(quiet_us=60_000_000) == 0  # somebody may be at it
    assert house.changes.resume() == 1
    assert house.points(run, "loss") == []
    assert house.verdict(run) == "whole"


def test_summaries_made_again_are_those_that_the_views_made(house: House, run: RunRef) -> None:
    """The SELECTs of rollups.py say what those of schema/0001_points.sql say."""
    house.correct(run, "loss", 11, math.nan)
    before = _summaries(house, run)
    house.changes.points._rollups.rebuild(run, ["loss", "acc"])

    assert _summaries(house, run) == before


def _summaries(house: House, run: RunRef) -> list[object]:
    where = f"project = '{run.project}' AND run_id = '{run.run_id}'"
    merged = {
        "series": "last, last_ts, first, min_at, max_at",
        "points_64": "first, last",
    }
    found: list[object] = []
    for table, states in merged.items():
        described = house.clickhouse.query_rows(f"DESCRIBE {house.raw}.{table}")
        names = [row[0] for row in described]
        shown = ", ".join(
            f"finalizeAggregation({name})" if name in states.split(", ") else f"toString({name})"
            for name in names
        )
        sql = f"SELECT {shown} FROM {house.raw}.{table} FINAL WHERE {where} ORDER BY ALL"
        found.append([tuple(map(repr, row)) for row in house.clickhouse.query_rows(sql)])
    return found


def fork(house: House, parent: RunRef, run_id: str, step: int) -> RunRef:
    """Log a run that was forked from another at a step."""
    body = frames.grid(step + 1, rows=3)
    body.branch.parent_run_id = parent.run_id
    body.branch.step = step
    birth_s = house.now_unix_us // 1_000_000
    return house.log(run_id, body, birth_s=birth_s)
