"""Every template over the real engine: it fires for the run it is for, and for no healthy one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from tests.contract.small_stores import BIRTH_S, StoreBuilder
from tests.integration.fixtures_engine import EngineProcess
from weir_store import tables
from weir_store.clickhouse import connect
from weir_store.errors import InvalidQuery
from weir_store.inserter import ClickHouseInserter
from weir_store.migrate import migrate
from weir_store.ranks.clickhouse import ClickHouseRanks
from weir_store.records import RunRef
from weir_store.rules.ask import Asking, limits_of
from weir_store.rules.definition import definition_of
from weir_store.rules.hangs import Hangs
from weir_store.rules.records import Findings
from weir_store.rules.templates import TEMPLATES
from weir_store.sql.base import LimitReached, Refused
from weir_store.sql.reader import ClickHouseSql

DATABASE = "rules_templates"


class World(StoreBuilder):
    """A project in the real engine, its runs alive a moment ago."""

    def __init__(self, inserter: ClickHouseInserter, asking: Asking) -> None:
        super().__init__()
        self.project = f"p-{uuid4().hex[:10]}"
        self.now_s = int(time.time())  # of each test: the views ask the clock, too
        self._inserter = inserter
        self._asking = asking

    def run(
        self, run_id: str, *, ranks: int = 1, seen_ago_s: float = 1, **session: object
    ) -> RunRef:
        ref = RunRef(self.project, run_id)
        self.add_run(ref, created_s=self.now_s - 7_200)
        for rank in range(ranks):
            self.add_session(
                ref, uuid4(), rank=rank, world_size=ranks, node=f"n{rank}",
                **{"state": "running", "started_s": self.now_s - 7_200, "updated_s": self.now_s - seen_ago_s,
                   "seen_s": self.now_s - seen_ago_s, "ver": BIRTH_S << 32, **session},
            )  # fmt: skip
        return ref

    def log(
        self, ref: RunRef, metric: str, value: Callable[[int], float], steps: int = 300,
        *, rank: int = 0, every_s: float = 1.0, until_s: float = 0.0,
    ) -> None:  # fmt: skip
        """Log a value a step, the newest `until_s` ago."""
        for step in range(steps):
            at_s = self.now_s - until_s - (steps - 1 - step) * every_s
            at_us = round((at_s - BIRTH_S) * 1e6)
            self.add_point(ref, metric, step, value(step), rank=rank, at_us=at_us)

    def measure(self, ref: RunRef, metric: str, device: str, value: float, times: int = 60) -> None:
        for number in range(times):
            self.add(
                tables.SYSTEM_POINTS, project=ref.project, run_id=ref.run_id, metric=metric,
                node="n0", device=device, ts=(self.now_s - number * 5) * 1_000_000, value=value, rank=0,
                ver=1, run_date=20_800,
            )  # fmt: skip

    def find(self, template: str, **parameters: object) -> Findings:
        definition = definition_of({"name": "r", "template": template, "with": parameters})
        return self.ask(definition)

    def ask(self, definition) -> Findings:
        self._inserter.insert(self.take_block(), uuid4().hex)
        return self._asking.find(self.project, definition, self.now_s * 1_000_000)

    def found(self, template: str, **parameters: object) -> list[str]:
        return [str(each.group) for each in self.find(template, **parameters).found]


@pytest.fixture(scope="module")
def engines(engine: EngineProcess) -> Iterator[tuple[ClickHouseInserter, Asking]]:
    clickhouse = connect(engine.url)
    migrate(clickhouse, DATABASE)
    asking = Asking(
        ClickHouseSql(clickhouse, DATABASE),
        limits_of(10.0, 1 << 30, 1_000_000_000),
        Hangs(ClickHouseRanks(clickhouse, DATABASE)),
    )
    yield ClickHouseInserter(clickhouse, DATABASE), asking
    clickhouse.close()


@pytest.fixture
def world(engines: tuple[ClickHouseInserter, Asking]) -> World:
    return World(*engines)


def test_every_template_is_tried_here() -> None:
    tried = {name.removeprefix("test_").split("__")[0] for name in globals() if "__fires" in name}
    assert tried == set(TEMPLATES)


def test_nan__fires_for_the_rank_that_logged_it_and_names_the_step(world: World) -> None:
    bad, good, other = world.run("bad", ranks=2), world.run("good"), world.run("other")
    world.log(bad, "train/loss", lambda step: math.nan if step >= 250 else 1.0, rank=1)
    world.log(bad, "train/loss", lambda step: 1.0)
    world.log(good, "train/loss", lambda step: 1.0)
    world.log(other, "accuracy", lambda step: math.nan)
    (found,) = world.find("nan").found
    assert (found.group.run_id, found.group.rank, found.value) == ("bad", 1, 250)
    assert found.message == "train/loss was nan at step 250"
    assert world.found("nan", metric="accuracy") == ["other rank 0"]


def test_nan__is_quiet_about_what_was_corrected(world: World) -> None:
    ref = world.run("mended")
    world.log(ref, "loss", lambda step: 1.0)
    ver = (BIRTH_S + 5) << 32
    world.add_point(
        ref, "loss", 299, math.nan, rewrite=1, at_us=round((world.now_s - BIRTH_S) * 1e6)
    )
    world.add_point(
        ref, "loss", 299, 1.0, ver=ver, rewrite=1, at_us=round((world.now_s - BIRTH_S) * 1e6)
    )
    assert world.found("nan") == []


def test_plateau__fires_when_nothing_became_better_for_long(world: World) -> None:
    stuck, going = world.run("stuck"), world.run("going")
    world.log(stuck, "val/loss", lambda step: max(1.0 - step / 100, 0.5))
    world.log(going, "val/loss", lambda step: 1.0 / (step + 1))
    (found,) = world.find("plateau", patience=200).found
    assert (found.group.run_id, found.value) == ("stuck", 249)
    assert world.found("plateau", patience=200, goal="max") == ["going", "stuck"]


def test_divergence__fires_far_above_the_best(world: World) -> None:
    bad, good = world.run("bad"), world.run("good")
    world.log(bad, "loss", lambda step: 1.0 if step < 150 else 10.0)
    world.log(good, "loss", lambda step: 1.0 + (step % 7) / 10)
    quick = world.run("quick")  # falls fast within the window: far above its best on the average
    world.log(quick, "loss", lambda step: 100.0 * 0.9**step)
    assert world.found("divergence") == ["bad"]
    assert world.found("divergence", factor=20.0) == []


def test_overfitting__fires_when_validation_rises_and_training_falls(world: World) -> None:
    for run_id, rises in (("bad", True), ("good", False)):
        ref = world.run(run_id)
        world.log(ref, "train/loss", lambda step: 1.0 / (step + 1), every_s=20)
        world.log(
            ref, "val/loss",
            lambda step, rises=rises: 0.5 + (step / 300 if rises and step > 100 else -step / 1000),
            every_s=20,
        )  # fmt: skip
    assert world.found("overfitting") == ["bad"]


def test_straggler__fires_for_the_slow_rank(world: World) -> None:
    ref = world.run("r", ranks=8)
    for rank in range(8):
        world.log(ref, "step_time_s", lambda step, rank=rank: 2.0 if rank == 5 else 1.0, rank=rank)
    (found,) = world.find("straggler").found
    assert (found.group.rank, found.value) == (5, 2.0)
    assert found.message == "2 a step, usual are 1"


def test_hang__fires_for_a_run_whose_processes_live_and_make_no_step(world: World) -> None:
    hung, going = world.run("hung", ranks=2), world.run("going", ranks=2)
    for rank in range(2):
        world.log(hung, "loss", lambda step: 1.0, rank=rank, until_s=1_800)
        world.log(going, "loss", lambda step: 1.0, rank=rank)
    (found,) = world.find("hang").found
    assert found.group.run_id == "hung"
    assert found.value >= 1_799


def test_idle_gpu__fires_for_cards_that_do_nothing(world: World) -> None:
    ref = world.run("r")
    world.measure(ref, "gpu.utilization", "gpu0", 0.5)
    world.measure(ref, "gpu.utilization", "gpu1", 90.0)
    world.measure(ref, "gpu.utilization", "gpu2", 1.0)
    (found,) = world.find("idle_gpu").found
    assert (str(found.group), found.message) == ("r n0", "2 idle: gpu0, gpu2")


def test_disk_full__fires_for_the_disk_with_little_room(world: World) -> None:
    full, roomy = world.run("full"), world.run("roomy")
    world.measure(full, "disk.free_bytes", "/data", 1.5e9)
    world.measure(full, "disk.free_bytes", "/", 5e11)
    world.measure(roomy, "disk.free_bytes", "/data", 5e11)
    (found,) = world.find("disk_full").found
    assert (str(found.group), found.message) == ("full n0", "1.5 GB left on /data")


def test_crashed_run__fires_for_silent_and_failed_runs_and_not_for_others(world: World) -> None:
    world.run("silent", seen_ago_s=3_600)
    world.run("failed", state="failed", exit_code=1)
    world.run("fine", state="finished")
    world.run("going")
    assert sorted(world.found("crashed_run")) == ["failed", "silent"]
    assert world.found("crashed_run", states=["failed"]) == ["failed"]


# ── SQL of one's own, wrong and hostile ──────────────────────────────────────


def asked(world: World, sql: str, **said: object) -> Findings:
    return world.ask(definition_of({"name": "r", "sql": sql, **said}))


def test_a_rule_sees_its_own_project_and_no_other(
    engines: tuple[ClickHouseInserter, Asking],
) -> None:
    mine, theirs = World(*engines), World(*engines)
    mine.run("mine")
    theirs.run("theirs")
    for world in (mine, theirs):
        world._inserter.insert(world.take_block(), uuid4().hex)
    found = asked(mine, "SELECT run_id FROM runs WHERE 1 OR project != ''")
    assert [each.group.run_id for each in found.found] == ["mine"]


def test_window_now_and_parameters_of_ones_own_are_bound(world: World) -> None:
    ref = world.run("r")
    world.log(ref, "loss", lambda step: 1.0)
    sql = """
        SELECT run_id, count() AS value, {word:String} AS message FROM metrics
        WHERE metric = 'loss' AND time >= {now:DateTime64(6, 'UTC')} - toIntervalSecond({window:UInt32})
        GROUP BY run_id"""
    (found,) = asked(world, sql, window="9s", **{"with": {"word": "größer"}}).found
    assert (found.value, found.message) == (10, "größer")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT run_id FROM system.tables",
        "SELECT run_id FROM weir_raw.runs",
        "SELECT file('/etc/passwd') AS message",
        "SELECT * FROM url('http://127.0.0.1', 'CSV', 'run_id String')",
        "SELECT run_id FROM runs; DROP TABLE runs",
        "INSERT INTO runs SELECT * FROM runs",
        "SELECT run_id FROM runs SETTINGS max_execution_time = 0",
        "SELECT sleep(3) AS value",
        "not sql at all",
        "",
    ],
)
def test_hostile_sql_is_refused(world: World, sql: str) -> None:
    with pytest.raises(InvalidQuery):
        asked(world, sql or "--")


def test_columns_that_no_group_has_are_refused_with_those_that_are_good(world: World) -> None:
    with pytest.raises(InvalidQuery, match="only run_id, rank, node, value, message"):
        asked(world, "SELECT name FROM runs")
    with pytest.raises(InvalidQuery):
        asked(world, "SELECT nothing AS value FROM runs")


def test_a_rule_that_takes_too_long_meets_a_limit_with_a_name(
    engines: tuple[ClickHouseInserter, Asking],
) -> None:
    inserter, asking = engines
    world = World(inserter, Asking(asking.sql, limits_of(0.2, 1 << 30, 1_000_000_000)))
    ref = world.run("r")
    world.log(ref, "loss", lambda step: 1.0, steps=3_000)
    slow = """
        SELECT count() AS value FROM metrics AS a CROSS JOIN metrics AS b CROSS JOIN metrics AS c
        WHERE sin(a.value + b.value + c.value) > 2"""
    with pytest.raises(LimitReached):
        asked(world, slow)


def test_more_groups_than_a_rule_may_find_are_cut_and_that_is_said(world: World) -> None:
    world.run("r")
    sql = "SELECT toString(number) AS run_id FROM numbers(25000)"
    try:
        found = asked(world, sql)
    except Refused:
        pytest.skip("the gate has no numbers()")
    assert found.is_cut
    assert len(found.found) <= 10_000
