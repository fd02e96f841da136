"""Retention: what is old goes or is thinned, charts stay true, the ledger adds up, holds win."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator

import numpy as np
import pytest

from tests.contract.told_frames import of_a_node
from tests.integration.fixtures_changes import DAY_US, House, columns_of, house_on
from tests.integration.fixtures_engine import EngineProcess
from tests.integration.test_changes_points import fork
from tests.unit.server import frames
from weir_store import plan, tables
from weir_store.changes.base import Change, ChangeState, Hold, Policy, What
from weir_store.changes.retention import check, policy_for, width_of
from weir_store.errors import InvalidQuery, StoreUnavailable
from weir_store.records import RunRef, SeriesQuery

DATABASE = "retention"
DAY_S = 86_400


@pytest.fixture
def house(engine: EngineProcess) -> Iterator[House]:
    yield from house_on(engine, DATABASE)


def keep(house: House, days: int, metric: str = "*", what: What = What.METRICS) -> None:
    policy = Policy(house.project, what, metric, keep_s=days * DAY_S, by="eve")
    house.changes.book.set_policy(policy)


def thin(house: House, days: int, points: int, metric: str = "*") -> None:
    policy = Policy(
        house.project, What.METRICS, metric, thin_after_s=days * DAY_S, thin_points=points
    )
    house.changes.book.set_policy(policy)


def sweep(house: House) -> list[Change]:
    return house.changes.apply_policies(house.project)


def test_what_is_older_than_the_policy_goes_and_nothing_else(house: House) -> None:
    run = house.log("r", frames.grid(0, rows=50, metrics=("debug/a", "loss")))
    keep(house, 30, "debug/*")
    assert sweep(house) == []

    house.now_unix_us += 40 * DAY_US
    (done,) = sweep(house)

    assert (done.state, done.by, done.receipt["rows"]) == (ChangeState.DONE, "retention", 50)
    assert house.points(run, "debug/a") == []
    assert len(house.points(run, "loss")) == 50
    assert house.verdict(run) == "whole"
    assert sweep(house) == []


def test_new_points_of_an_old_series_stay(house: House) -> None:
    body = frames.grid(0, rows=10)
    times = list(range(5)) + [20 * DAY_US + step for step in range(5)]
    body.points[0].time_unix_us = b"".join(
        (frames.ACCEPTED_UNIX_US + time).to_bytes(8, "little") for time in times
    )
    run = house.log("r", body)
    keep(house, 30)
    house.now_unix_us += 35 * DAY_US
    sweep(house)

    assert [step for _, step, _ in house.points(run, "loss")] == [5, 6, 7, 8, 9]
    assert house.verdict(run) == "whole"


@pytest.mark.parametrize("small_rows", [plan.SMALL_ROWS, 0])
def test_thinning_keeps_charts_as_they_were(
    house: House, monkeypatch: pytest.MonkeyPatch, small_rows: int
) -> None:
    """What a chart of no more buckets shows is the same before and after: first, last, min, max, NaN."""
    monkeypatch.setattr(plan, "SMALL_ROWS", small_rows)
    run = noisy(house)
    queries = [SeriesQuery((run,), ("loss",), max_points=points) for points in (10, 30)]
    before = [house.reader.read_series(query).to_pylist() for query in queries]
    latest = house.reader.read_latest([run]).to_pylist()
    thin(house, 7, 60)
    house.now_unix_us += 10 * DAY_US
    (done,) = sweep(house)

    left = house.points(run, "loss")
    assert len(left) < 700
    assert done.receipt["rows"] > 3_000
    after = [house.reader.read_series(query).to_pylist() for query in queries]
    assert repr(after) == repr(before)
    assert repr(house.reader.read_latest([run]).to_pylist()) == repr(latest)
    assert house.verdict(run) == "whole"
    assert sweep(house) == []  # thinned to what it is


def noisy(house: House) -> RunRef:
    """Log 4 000 points of two ranks with spikes, NaN and infinities, then correct some of them."""
    for rank in (0, 1):
        values = [math.sin(step / 50 + rank) + (step % 997 == 3) * 40 for step in range(2_000)]
        values[500], values[501], values[1_200] = math.nan, math.inf, -math.inf
        body = frames.grid(0, rows=2_000, metrics=("loss",))
        body.points[0].value = np.array(values, "<f8").tobytes()
        house.log("noisy", body, rank=rank)
    run = RunRef(house.project, "noisy")
    house.correct(run, "loss", 3, 0.0)  # was the highest of its bucket
    house.correct(run, "loss", 1_000, 99.0, rank=1)
    return run


def test_thinning_frees_rows_and_bytes(house: House) -> None:
    run = house.log("r", frames.grid(0, rows=20_000))
    house.clickhouse.command(f"OPTIMIZE TABLE {house.raw}.points FINAL")
    before, rows = house.bytes_on_disk("points"), house.rows(tables.POINTS, run)
    thin(house, 1, 100)
    house.now_unix_us += 5 * DAY_US
    (done,) = sweep(house)

    assert house.rows(tables.POINTS, run) == rows - done.receipt["rows"]
    assert done.receipt["rows"] > 39_000
    assert before - house.bytes_on_disk("points") > done.receipt["bytes"] / 2


def test_console_and_system_metrics_have_policies_of_their_own(house: House) -> None:
    run = house.log("r", of_a_node(5), rank=3)
    house.log("r", frames.grid(0, rows=5))
    keep(house, 10, what=What.CONSOLE)
    house.now_unix_us += 20 * DAY_US
    sweep(house)
    assert (house.rows(tables.CONSOLE, run), house.rows(tables.SYSTEM_POINTS, run)) == (0, 3)

    keep(house, 10, what=What.SYSTEM)
    sweep(house)
    assert house.rows(tables.SYSTEM_POINTS, run) == 0
    assert len(house.points(run, "loss")) == 5
    assert house.verdict(run) == "whole"


def test_a_hold_on_a_run_a_project_or_a_fork_keeps_what_is_old(house: House) -> None:
    held = house.log("held", frames.grid(0, rows=5))
    parent = house.log("parent", frames.grid(0, rows=5))
    fork(house, parent, "child", 3)
    free = house.log("free", frames.grid(0, rows=5))
    for run_id in ("held", "child"):
        house.changes.book.hold(Hold(house.project, run_id, "why", "eve", house.tick()))
    keep(house, 1)
    house.now_unix_us += 5 * DAY_US
    sweep(house)

    assert len(house.points(held, "loss")) == 5
    assert len(house.points(parent, "loss")) == 5
    assert house.points(free, "loss") == []

    house.changes.book.hold(Hold(house.project, "", "all", "eve", house.tick()))
    house.log("new", frames.grid(0, rows=5))
    assert sweep(house) == []


def test_a_hold_put_between_plan_and_deed_wins(house: House) -> None:
    run = house.log("r", frames.grid(0, rows=5))
    keep(house, 1)
    house.now_unix_us += 5 * DAY_US
    (step,) = house.changes.retention.plan(house.now_unix_us, house.project)
    house.changes.book.hold(Hold(house.project, "r", "why", "eve", house.tick()))
    change = house.changes.begin(house.changes.retention.begin(step, house.tick()))
    house.changes.resume()

    assert house.changes.book.get(change.change_id).state is ChangeState.BEGUN
    assert len(house.points(run, "loss")) == 5


def test_retention_that_is_cut_off_anywhere_is_gone_on_with(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = house.log("r", frames.grid(0, rows=500))
    thin(house, 1, 20)
    house.now_unix_us += 5 * DAY_US
    (step,) = house.changes.retention.plan(house.now_unix_us, house.project)
    change = house.changes.begin(house.changes.retention.begin(step, house.tick()))
    cut_off = 0
    for allowed in range(20):
        with monkeypatch.context() as patched, contextlib.suppress(StoreUnavailable):
            house.break_after(allowed, patched)
            house.changes.carry_out(house.changes.book.get(change.change_id))
            break
        cut_off += 1
    assert cut_off > 6

    assert house.verdict(run) == "whole"
    shown = [step for _, step, _ in house.points(run, "loss")]
    assert (shown[0], shown[-1]) == (0, 499)
    assert len(shown) <= 80
    assert house.changes.resume() == 0
    assert sweep(house) == []


def test_points_that_arrive_late_are_counted_or_left_alone_but_never_lost(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = house.log("r", frames.grid(0, rows=100))
    keep(house, 1)
    house.now_unix_us += 5 * DAY_US
    retention = house.changes.retention
    before = retention._before

    def then_log(step: object) -> object:
        house.log("r", frames.grid(100, rows=5))  # old by their time, and just synced
        return before(step)  # type: ignore[arg-type]

    monkeypatch.setattr(retention, "_before", then_log)
    sweep(house)

    assert [step for _, step, _ in house.points(run, "loss")] == [100, 101, 102, 103, 104]
    assert house.verdict(run) == "whole"


def test_a_preview_counts_what_would_go_and_changes_nothing(house: House) -> None:
    run = house.log("r", frames.grid(0, rows=100))
    keep(house, 1, "acc")
    thin(house, 1, 10, "l*")
    house.now_unix_us += 5 * DAY_US
    steps = list(house.changes.retention.plan(house.now_unix_us, house.project))

    assert [(step.metrics, step.thin_points) for step in steps] == [(("acc",), 0), (("loss",), 10)]
    assert len(house.points(run, "loss")) == len(house.points(run, "acc")) == 100
    done = sweep(house)
    assert [each.receipt["rows"] for each in done] == [step.rows for step in steps]


def test_the_newest_points_have_been_shown_with_the_right_steps(house: House) -> None:
    run = house.log("r", frames.grid(0, rows=300))
    thin(house, 1, 10)
    house.now_unix_us += 5 * DAY_US
    sweep(house)
    latest = house.reader.read_latest([run], ["loss"])
    assert columns_of(latest, "step", "last", "min", "max") == [(299, 299.0, 0.0, 299.0)]


# ── deciding ───────────────────────────────────────────────────────────────


def test_of_policies_that_fit_the_most_exact_counts() -> None:
    def of(pattern: str) -> Policy:
        return Policy("p", What.METRICS, pattern, keep_s=1)

    policies = [of("*"), of("debug/*"), of("debug/grad/*"), Policy("p", What.CONSOLE, "*", 1)]
    found = {
        metric: each.pattern
        for metric in ("loss", "debug/x", "debug/grad/y")
        if (each := policy_for(metric, policies))
    }
    assert found == {"loss": "*", "debug/x": "debug/*", "debug/grad/y": "debug/grad/*"}
    assert policy_for("loss", [of("debug/*")]) is None


def test_buckets_are_as_narrow_as_the_number_of_points_allows() -> None:
    assert width_of(0, 99, 100) == 0
    assert width_of(0, 100, 100) == 1
    assert width_of(-1_000, 1_000, 10) == 8
    for shift in (width_of(5, 10**12, 1_000),):
        assert (10**12 >> shift) - (5 >> shift) + 1 <= 1_000


@pytest.mark.parametrize(
    "policy",
    [
        Policy("p", What.METRICS),
        Policy("p", What.METRICS, thin_after_s=5),
        Policy("p", What.METRICS, thin_after_s=5, thin_points=3),
        Policy("p", What.METRICS, keep_s=5, thin_after_s=5, thin_points=30),
        Policy("p", What.CONSOLE, "a*", keep_s=5),
        Policy("p", What.SYSTEM, keep_s=9, thin_after_s=5, thin_points=30),
        Policy("", What.METRICS, keep_s=5),
    ],
)
def test_policies_that_make_no_sense_are_refused(policy: Policy) -> None:
    with pytest.raises(InvalidQuery):
        check(policy)
