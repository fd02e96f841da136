"""What the views say of nodes: measurements, usage and lines are those of the readers."""

from __future__ import annotations

import math
import random
from typing import Any
from uuid import uuid4

import pytest

from tests.contract.node_blocks import BORN_S, NodeLog, run_block
from tests.contract.small_stores import StoreBuilder
from tests.contract.test_system import random_points, series
from weir_store import clickhouse
from weir_store.console.base import LinesQuery
from weir_store.console.reader import ClickHouseConsole
from weir_store.inserter import ClickHouseInserter
from weir_store.records import RunRef
from weir_store.system.base import SystemQuery
from weir_store.system.reader import ClickHouseSystem

DATABASE = "views_nodes_contract"


class Node:
    """A run, and what one can ask of its nodes."""

    def __init__(self, connection: clickhouse.ClickHouse) -> None:
        self.ref = RunRef(f"p-{uuid4().hex}", "run")
        self.system = ClickHouseSystem(connection, DATABASE)
        self.console = ClickHouseConsole(connection, DATABASE)
        self._connection = connection
        self.put(run_block(self.ref))

    def put(self, *blocks: Any) -> None:
        for block in blocks:
            ClickHouseInserter(self._connection, DATABASE).insert(block, uuid4().hex)

    def ask(self, columns: str, view: str, more: str = "") -> list[tuple[Any, ...]]:
        where = f"project = '{self.ref.project}' AND run_id = 'run'"
        return self._connection.query_rows(
            f"SELECT {columns} FROM {DATABASE}.{view} WHERE {where} {more}"
        )


@pytest.fixture
def node(connection: clickhouse.ClickHouse) -> Node:
    return Node(connection)


@pytest.mark.parametrize("seed", range(5))
def test_system_and_gpu_usage_say_what_the_readers_say(node: Node, seed: int) -> None:
    draw = random.Random(seed)
    logs = [NodeLog(node.ref, born_s=BORN_S + life) for life in range(2)]
    node.put(*(draw.choice(logs).system(*random_points(draw)) for _ in range(5)))

    measured = node.ask("metric, node, device, toUnixTimestamp64Micro(time), value", "system")
    used = node.ask("node, device, hours, energy_wh, idle_share, mean_utilization", "gpu_usage")

    told = node.system.read_system(SystemQuery(node.ref)).to_pylist()
    assert sorted(map(repr, measured)) == sorted(repr(tuple(row.values())) for row in told)
    usage = {
        (row["node"], row["device"]): row for row in node.system.read_usage(node.ref).to_pylist()
    }
    assert {row[:2] for row in used} == set(usage)
    for name, device, *figures in used:
        expected = list(usage[name, device].values())[2:]
        assert figures == pytest.approx(expected, nan_ok=True)


def test_efficiency_puts_tokens_beside_energy_and_idle_hours(node: Node) -> None:
    facts = StoreBuilder()
    for path, value in (("user", "ann"), ("group", "sweep"), ("git/commit", "abc")):
        facts.add_attr(node.ref, "meta", path, value)
    for step, tokens in enumerate((1_000.0, 72_000.0)):
        facts.add_point(node.ref, "train/tokens", step, tokens)
        facts.add_point(node.ref, "train/tokens", step, 7.0, rank=1)
        facts.add_point(node.ref, "total_tokens", step, 9e9)
    measured = NodeLog(node.ref).system(
        *series("gpu.utilization", 0.0, 0.0, 80.0, every_s=10, device="gpu0"),
        *series("gpu.energy_j", 0.0, 3_600.0, every_s=20, device="gpu0"),
        *series("gpu.utilization", 80.0, 80.0, every_s=20, device="gpu1"),
        *series("gpu.power_w", 180.0, 180.0, every_s=20, device="gpu1"),
        *series("gpu.memory_used_bytes", 1.0, 1.0, every_s=20, device="gpu2"),
    )
    node.put(facts.take_block(), measured)

    (row,) = node.ask(
        "user, `group`, commit, nodes, gpus, gpu_hours, energy_wh, idle_gpu_hours, idle_share,"
        " mean_utilization, tokens, tokens_per_joule, tokens_per_gpu_hour",
        "efficiency",
    )

    assert row[:5] == ("ann", "sweep", "abc", 1, 3)
    hours, energy_wh, idle, share, mean, tokens, per_joule, per_hour = row[5:]
    assert hours == pytest.approx(60 / 3_600)
    assert energy_wh == pytest.approx(2.0)
    assert (idle, share) == pytest.approx((10 / 3_600, 0.25))
    assert mean == pytest.approx(60.0)
    assert tokens == 72_000
    assert per_joule == pytest.approx(10.0)
    assert per_hour == pytest.approx(72_000 * 60)


def test_a_run_without_accelerators_has_no_efficiency(node: Node) -> None:
    node.put(NodeLog(node.ref).system(*series("cpu.percent", 1.0, 2.0, device="cpu0")))
    assert node.ask("*", "efficiency") == node.ask("*", "gpu_usage") == []
    assert len(node.ask("*", "system")) == 2


def test_efficiency_without_tokens_or_energy_says_so(node: Node) -> None:
    node.put(NodeLog(node.ref).system(*series("gpu.utilization", 9.0, 9.0, device="gpu0")))
    ((energy, tokens, per_joule),) = node.ask("energy_wh, tokens, tokens_per_joule", "efficiency")
    assert math.isnan(energy)
    assert (tokens, per_joule) == (None, None)


def test_logs_are_the_lines_of_the_console_each_once(node: Node) -> None:
    said = [
        {"number": 1, "line": "\x1b[31mError\x1b[0m: größe"},
        {"number": 2, "line": "all well", "rank": 1, "stream": "stderr"},
        {"number": 3, "line": "step 7", "stream": "logging", "level": 20},
    ]
    for life in range(2):  # an agent that died, and the next one
        node.put(NodeLog(node.ref, born_s=BORN_S + life).lines(*said))

    rows = node.ask("rank, stream, level, node, number, line", "logs", "ORDER BY time")

    told = node.console.read_lines(LinesQuery((node.ref,))).to_pylist()
    names = ("rank", "stream", "level", "node", "number", "line")
    assert rows == [tuple(line[name] for name in names) for line in told]
    assert node.ask("number", "logs", "AND hasToken(plain, 'error')") == [(1,)]
    assert node.ask("number", "logs", "AND plain LIKE '%error: gr%'") == [(1,)]


def test_nothing_of_a_deleted_run_is_left(node: Node) -> None:
    log = NodeLog(node.ref)
    node.put(
        log.system(*series("gpu.utilization", 9.0, 9.0, device="gpu0")),
        log.lines({"number": 1, "line": "one"}),
        run_block(node.ref, deleted=True),
    )
    for view in ("system", "gpu_usage", "efficiency", "logs", "sessions"):
        assert node.ask("*", view) == [], view
