"""One suite for both readers of system telemetry."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import uuid4

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.contract.node_blocks import BORN_S, START_US, NodeLog, run_block
from weir_store import clickhouse
from weir_store.base import Block, Inserter
from weir_store.errors import InvalidQuery
from weir_store.inserter import ClickHouseInserter
from weir_store.memory import MemoryStore
from weir_store.records import RunRef
from weir_store.system import limits
from weir_store.system.base import SystemQuery, SystemReader
from weir_store.system.memory import MemorySystem
from weir_store.system.reader import ClickHouseSystem
from weir_store.system.usage import totals

DATABASE = "system_contract"
S = 1_000_000


class Store(NamedTuple):
    inserter: Inserter
    system: SystemReader

    def put(self, *blocks: Block) -> None:
        for block in blocks:
            self.inserter.insert(block, uuid4().hex)

    def read(self, ref: RunRef, **asked: Any) -> list[dict[str, Any]]:
        return self.system.read_system(SystemQuery(ref, **asked)).to_pylist()

    def usage(self, ref: RunRef) -> list[dict[str, Any]]:
        return self.system.read_usage(ref).to_pylist()


def stored(connection: clickhouse.ClickHouse) -> Store:
    return Store(ClickHouseInserter(connection, DATABASE), ClickHouseSystem(connection, DATABASE))


def in_memory() -> Store:
    store = MemoryStore()
    return Store(store, MemorySystem(store))


@pytest.fixture(params=["memory", "clickhouse"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        return in_memory()
    return stored(request.getfixturevalue("connection"))


@pytest.fixture
def ref(store: Store) -> RunRef:
    made = RunRef(f"p-{uuid4().hex}", "run")
    store.put(run_block(made))
    return made


def series(
    metric: str, *values: float, every_s: float = 5, first_s: float = 0, **of: Any
) -> list[dict[str, Any]]:
    """Return measurements of one series, evenly spaced."""
    return [
        {"metric": metric, "at_us": round((first_s + n * every_s) * S), "value": value, **of}
        for n, value in enumerate(values)
    ]


def rounded(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows whose NaNs are equal and whose sums may be added in another order."""
    return [
        {name: float(f"{v:.9g}") if isinstance(v, float) and not math.isnan(v) else str(v)
         for name, v in row.items()}
        for row in rows
    ]  # fmt: skip


# ── what comes back ─────────────────────────────────────────────────────────


def test_every_measurement_comes_back_by_series_and_time(store: Store, ref: RunRef) -> None:
    store.put(
        NodeLog(ref).system(
            *series("gpu.power_w", 300.5, math.nan, node="n2", device="gpu1"),
            *series("cpu.percent", 7.0),
        )
    )
    store.put(NodeLog(ref, rank=8).system(*series("cpu.percent", 9.0, node="m")))
    rows = store.read(ref)
    assert [(r["metric"], r["node"], r["device"]) for r in rows] == [
        ("cpu.percent", "m", ""),
        ("cpu.percent", "n", ""),
        ("gpu.power_w", "n2", "gpu1"),
        ("gpu.power_w", "n2", "gpu1"),
    ]
    assert [r["time_unix_us"] - START_US for r in rows] == [0, 0, 0, 5 * S]
    assert [str(r["value"]) for r in rows] == ["9.0", "7.0", "300.5", "nan"]


def test_names_and_times_choose(store: Store, ref: RunRef) -> None:
    points = [
        point
        for metric in ("a", "b")
        for node in ("n1", "n2")
        for device in ("", "gpu0")
        for point in series(metric, 1.0, 2.0, node=node, device=device)
    ]
    store.put(NodeLog(ref).system(*points))
    assert len(store.read(ref)) == 16
    assert len(store.read(ref, metrics=("a",))) == 8
    assert len(store.read(ref, metrics=("a", "no"), nodes=("n2",), devices=("",))) == 2
    later = store.read(ref, from_unix_us=START_US + 1, devices=("gpu0",))
    assert [row["value"] for row in later] == [2.0] * 4
    assert len(store.read(ref, to_unix_us=START_US + 5 * S)) == 8


def test_a_moment_told_twice_is_read_once_and_newest(store: Store, ref: RunRef) -> None:
    first, second = NodeLog(ref), NodeLog(ref, born_s=BORN_S + 9)
    frame = first.system(*series("cpu.percent", 1.0, 2.0))
    store.put(second.system(*series("cpu.percent", 5.0)), frame, frame)
    assert [row["value"] for row in store.read(ref)] == [5.0, 2.0]
    assert [row["samples"] for row in store.system.list_system(ref).to_pylist()] == [2]


def test_deleted_runs_and_other_runs_have_none(store: Store, ref: RunRef) -> None:
    other = RunRef(ref.project, "other")
    store.put(run_block(other), NodeLog(other).system(*series("gpu.power_w", 1.0, device="gpu0")))
    assert store.read(ref) == []
    assert store.read(other)
    store.put(run_block(other, deleted=True))
    assert store.read(other) == store.read(other, max_points=5) == store.usage(other) == []
    assert store.system.list_system(other).num_rows == 0


def test_a_listing_says_the_extent_and_the_last_of_every_series(store: Store, ref: RunRef) -> None:
    store.put(
        NodeLog(ref).system(
            *series("gpu.power_w", 100.0, math.inf, 300.0, math.nan, device="gpu0"),
            *series("gpu.fan_percent", math.nan, device="gpu0"),
        )
    )
    fan, power = store.system.list_system(ref).to_pylist()
    assert power == {
        "metric": "gpu.power_w",
        "node": "n",
        "device": "gpu0",
        "samples": 4,
        "first_unix_us": START_US,
        "last_unix_us": START_US + 15 * S,
        "last": 300.0,
        "min": 100.0,
        "max": 300.0,
        "mean": 200.0,
    }
    assert (fan["samples"], str(fan["last"]), str(fan["mean"])) == (1, "nan", "nan")


# ── thinning ────────────────────────────────────────────────────────────────


def test_thinning_keeps_first_last_lowest_highest_and_mean(store: Store, ref: RunRef) -> None:
    values = [float(n * 7 % 13) for n in range(1_000)]
    store.put(NodeLog(ref).system(*series("cpu.percent", *values)))
    rows = store.read(ref, max_points=40)
    assert 10 < len(rows) <= 40
    assert rows[0]["first"] == values[0]
    assert rows[-1]["last"] == values[-1]
    assert rows[-1]["time_unix_us"] == START_US + 999 * 5 * S
    assert {row["min"] for row in rows[1:-1]} == {0.0}
    assert {row["max"] for row in rows[1:-1]} == {12.0}
    assert all(0 < row["mean"] < 12 for row in rows)


def test_buckets_stay_put_when_one_zooms(store: Store, ref: RunRef) -> None:
    store.put(NodeLog(ref).system(*series("cpu.percent", *map(float, range(1_000)))))
    wide = {row["time_unix_us"]: row for row in store.read(ref, max_points=50)}
    ends = sorted(wide)
    near = store.read(ref, max_points=25, from_unix_us=ends[9] + 1, to_unix_us=ends[30] + 1)
    assert len(near) == 21
    assert [wide[row["time_unix_us"]] for row in near] == near


# ── usage ───────────────────────────────────────────────────────────────────


def test_hours_energy_and_idle_share_are_added_up_by_device(store: Store, ref: RunRef) -> None:
    store.put(
        NodeLog(ref).system(
            *series("gpu.utilization", 0.0, 0.0, 100.0, 100.0, 50.0, every_s=10, device="gpu0"),
            *series(
                "gpu.power_w", 9e9, 9e9, every_s=10, device="gpu0"
            ),  # the counter goes before it
            *series("gpu.energy_j", 1_000.0, 4_600.0, 8_200.0, every_s=20, device="gpu0"),
            *series("gpu.power_w", 100.0, 300.0, 300.0, every_s=10, device="gpu1"),
            *series("gpu.memory_used_bytes", 1.0, 1.0, every_s=10, device="gpu2"),
            *series("gpu.memory_used_bytes", 1.0, 1.0, every_s=10, device="gpu0/mig1"),
            *series("gpu.utilization", 1.0, 1.0, every_s=10),
            *series("cpu.percent", 1.0, 1.0, every_s=10, device="cpu0"),
        )
    )
    first, second, third = store.usage(ref)
    assert rounded([first]) == rounded(
        [
            {
                "node": "n",
                "device": "gpu0",
                "hours": 40 / 3_600,
                "energy_wh": 2.0,
                "idle_share": 0.25,
                "mean_utilization": 62.5,
            }
        ]
    )
    assert second["device"] == "gpu1"
    assert second["energy_wh"] == pytest.approx((200 * 10 + 300 * 10) / 3_600)
    assert math.isnan(second["idle_share"])
    assert math.isnan(second["mean_utilization"])
    assert third["device"] == "gpu2"
    assert third["hours"] == pytest.approx(10 / 3_600)
    assert math.isnan(third["energy_wh"])


def test_what_happens_in_a_gap_of_over_a_minute_is_nobodys(store: Store, ref: RunRef) -> None:
    store.put(
        NodeLog(ref).system(
            *series("gpu.energy_j", 0.0, 3_600.0, every_s=60, device="gpu0"),
            *series("gpu.energy_j", 9e9, 9e9 + 7_200, every_s=60, first_s=7_000, device="gpu0"),
        )
    )
    (row,) = store.usage(ref)
    assert row["hours"] == pytest.approx(120 / 3_600)
    assert row["energy_wh"] == pytest.approx(3.0)


def test_a_counter_that_was_reset_takes_nothing_back(store: Store, ref: RunRef) -> None:
    store.put(
        NodeLog(ref).system(
            *series("accelerator.energy_j", 3_600.0, 7_200.0, 10.0, 3_610.0, device="tpu0")
        )
    )
    assert store.usage(ref)[0]["energy_wh"] == pytest.approx(2.0)


def test_one_measurement_alone_took_no_time(store: Store, ref: RunRef) -> None:
    store.put(NodeLog(ref).system(*series("gpu.utilization", 90.0, device="gpu0")))
    (row,) = store.usage(ref)
    assert row["hours"] == 0.0
    assert math.isnan(row["idle_share"])
    assert math.isnan(row["energy_wh"])


def test_totals_weigh_shares_by_hours(store: Store, ref: RunRef) -> None:
    store.put(
        NodeLog(ref).system(
            *series("gpu.utilization", 0.0, 0.0, 0.0, 0.0, every_s=10, device="gpu0"),
            *series("gpu.utilization", 80.0, 80.0, every_s=10, node="m", device="gpu0"),
            *series("gpu.power_w", 360.0, 360.0, every_s=10, node="m", device="gpu0"),
        )
    )
    total = totals(store.system.read_usage(ref))
    assert (total.nodes, total.devices) == (2, 2)
    assert total.hours == pytest.approx(40 / 3_600)
    assert total.energy_wh == pytest.approx(1.0)
    assert total.idle_share == pytest.approx(0.75)
    assert total.mean_utilization == pytest.approx(20.0)
    nothing = totals(store.system.read_usage(RunRef(ref.project, "none")))
    assert (nothing.devices, nothing.hours, str(nothing.energy_wh)) == (0, 0.0, "nan")


# ── limits ──────────────────────────────────────────────────────────────────


def test_wrong_questions_are_refused(store: Store, ref: RunRef) -> None:
    for wrong in ({"max_points": 0}, {"max_points": 100_001}, {"nodes": ("n",) * 10_001}):
        with pytest.raises(InvalidQuery):
            store.read(ref, **wrong)


def test_an_answer_too_large_says_how_to_ask(
    store: Store, ref: RunRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(NodeLog(ref).system(*series("cpu.percent", 1.0, 2.0, 3.0)))
    monkeypatch.setattr(limits, "MOST_ROWS", 2)
    with pytest.raises(InvalidQuery, match="max_points"):
        store.read(ref)
    assert len(store.read(ref, max_points=2)) <= 2


# ── the same answers to the same questions ─────────────────────────────────

few = settings(max_examples=6, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
NAMES = ("gpu.utilization", "gpu.energy_j", "gpu.power_w", "accelerator.utilization", "cpu.percent")
VALUES = (math.nan, math.inf, 0.0, 4.99, 5.0, 70.0, 1e6, -3.0)


def random_points(draw: random.Random) -> list[dict[str, Any]]:
    points = []
    for _ in range(draw.randint(1, 80)):
        names = {"metric": draw.choice(NAMES), "node": draw.choice("nm")}
        moment = {"at_us": draw.choice((1, 7, 30, 61)) * draw.randint(0, 40) * S // 2}
        device = {"device": draw.choice(("gpu0", "gpu1", "", "gpu0/mig0"))}
        points.append({**names, **moment, **device, "value": draw.choice(VALUES)})
    # Within one frame a moment of a series is told once.
    return list({(p["metric"], p["node"], p["device"], p["at_us"]): p for p in points}.values())


@pytest.fixture(scope="module")
def pair(connection: clickhouse.ClickHouse) -> Callable[[], tuple[Store, Store]]:
    return lambda: (stored(connection), in_memory())


@few
@given(seed=st.integers(0, 1 << 32))
def test_any_telemetry_is_answered_alike(
    pair: Callable[[], tuple[Store, Store]], seed: int
) -> None:
    draw, both = random.Random(seed), pair()
    ref = RunRef(f"p-{uuid4().hex}", "run")
    logs = [NodeLog(ref, born_s=BORN_S + life) for life in range(2)]
    blocks = [run_block(ref), *(draw.choice(logs).system(*random_points(draw)) for _ in range(4))]
    for store in both:
        store.put(*blocks)
    queries = [
        SystemQuery(
            ref,
            metrics=draw.choice(((), NAMES[:2])),
            devices=draw.choice(((), ("gpu0", ""))),
            max_points=draw.choice((None, 1, 2, 7, 100)),
            from_unix_us=draw.choice((None, START_US + 33 * S)),
            to_unix_us=draw.choice((None, START_US + 600 * S)),
        )
        for _ in range(6)
    ]
    ask: list[Callable[[Store], pa.Table]] = [
        *(lambda store, query=query: store.system.read_system(query) for query in queries),
        lambda store: store.system.list_system(ref),
        lambda store: store.system.read_usage(ref),
    ]
    for question in ask:
        real, model = (question(store) for store in both)
        assert real.schema == model.schema
        assert rounded(real.to_pylist()) == rounded(model.to_pylist())
