"""Real rules processes around one Redis and one store: killed at every point, frozen, cut off from both."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.contract.fixtures_redis import RedisServer
from tests.contract.small_stores import StoreBuilder
from tests.integration.fixtures_engine import EngineProcess
from tests.integration.fixtures_rules import Listener, listening
from weir_server.stream import keys
from weir_store.clickhouse import connect
from weir_store.inserter import ClickHouseInserter
from weir_store.migrate import migrate
from weir_store.records import RunRef
from weir_store.rules.clickhouse import ClickHouseRules
from weir_store.rules.definition import definition_of
from weir_store.rules.editor import RuleEditor
from weir_store.rules.records import DeliveryState, Rule

KILLED = 137
SOON_S = 60.0
SQL = "SELECT run_id FROM runs WHERE state = 'running'"

listener = pytest.fixture(listening)


class World:
    """One Redis, one database, and rules processes that come and go."""

    def __init__(self, redis: RedisServer, engine: EngineProcess, folder: Path) -> None:
        self.redis, self.url, self.folder = redis, engine.url, folder
        self.database = f"k{uuid4().hex[:8]}"
        self.clickhouse = connect(engine.url)
        migrate(self.clickhouse, self.database)
        self.inserter = ClickHouseInserter(self.clickhouse, self.database)
        self.reader = ClickHouseRules(self.clickhouse, self.database)
        self.processes: list[subprocess.Popen[str]] = []

    def put(self, *actions: dict[str, Any], sql: str = SQL) -> Rule:
        said = {"name": "r", "sql": sql, "every": 5, "actions": list(actions)}
        rule = Rule("p", uuid4(), definition_of(said), 1, "ann", time.time_ns() // 1_000)
        RuleEditor(self.inserter).put_rule(rule)
        return rule

    def begin_run(self, run_id: str) -> None:
        builder, ref, now_s = StoreBuilder(), RunRef("p", run_id), time.time()
        builder.add_run(ref, created_s=now_s)
        builder.add_session(
            ref, uuid4(), state="running", started_s=now_s, updated_s=now_s, seen_s=now_s
        )
        self.inserter.insert(builder.take_block(), uuid4().hex)

    def start(self, fault: str = "") -> subprocess.Popen[str]:
        settings = {
            "WEIR_STREAM__URL": self.redis.url,
            "WEIR_CLICKHOUSE__URL": self.url,
            "WEIR_CLICKHOUSE__DATABASE": self.database,
            "WEIR_GATEWAY__WEBHOOKS_ANYWHERE": "true",
            "WEIR_RULES__METRICS_PORT": "0",
            "WEIR_RULES__LEASE_S": "2",
            "WEIR_RULES__POLL_S": "0.1",
            "WEIR_FAULT": fault,
        }
        with (self.folder / "rules.log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "weir_server", "serve", "rules"],
                env={**os.environ, **settings}, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def wait(self, condition: Callable[[], Any]) -> None:
        end_s = time.monotonic() + SOON_S
        while not condition():
            assert time.monotonic() < end_s, (self.folder / "rules.log").read_text()[-4_000:]
            time.sleep(0.05)

    def evaluated(self, times: int) -> bool:
        return any(each.evaluations >= times for each in self.reader.list_health())

    def alerts(self) -> list[str]:
        return sorted(each.run_id for each in self.reader.list_alerts("p"))

    def delivered(self) -> int:
        return len(self.reader.list_deliveries("p", states=[DeliveryState.DELIVERED]))

    def holder(self) -> bytes | None:
        with self.redis.client() as client:
            return client.get(keys.rules_lease())

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait(SOON_S)
            process.stdout.close()
        for database in (self.database, f"{self.database}_raw"):
            self.clickhouse.command(f"DROP DATABASE IF EXISTS {database}")
        self.clickhouse.close()


@pytest.fixture
def world(redis_server: RedisServer, engine: EngineProcess, tmp_path: Path) -> Iterator[World]:
    made = World(redis_server, engine, tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(
    "point", ["rules.after_note:1", "rules.after_alert:1", "rules.after_delivery:1"]
)
def test_killed_at_any_point_its_successor_tells_of_every_group_exactly_once(
    world: World, listener: Listener, point: str
) -> None:
    world.begin_run("a")
    world.begin_run("b")
    world.put({"webhook": listener.url}, {"tag": "seen"})
    assert world.start(point).wait(SOON_S) == KILLED
    world.start()
    world.wait(lambda: world.delivered() == 4 and world.evaluated(1))
    assert world.alerts() == ["a", "b"]
    ids = [headers["X-Weir-Delivery"] for headers, _ in listener.got]
    assert len(set(ids)) == 2
    # Only what was taken and not noted is sent once more, and says by its id that it was before.
    assert len(ids) == 2 or point.startswith("rules.after_delivery")
    assert {said["run_id"] for said in listener.said()} == {"a", "b"}


def test_one_that_is_frozen_past_its_lease_tells_nobody_when_it_wakes(
    world: World, listener: Listener
) -> None:
    world.begin_run("a")
    world.put({"webhook": listener.url})
    first = world.start("rules.after_note:1:stop")
    world.wait(lambda: world.reader.list_rules() and world.holder())
    before = world.holder()
    world.wait(lambda: any(s.is_owed for s in states(world)))
    second = world.start()
    world.wait(lambda: world.holder() not in (None, before))
    world.wait(lambda: world.delivered() == 1)
    first.send_signal(signal.SIGCONT)
    world.begin_run("b")
    world.wait(lambda: world.delivered() == 2)
    assert world.alerts() == ["a", "b"]
    assert sorted(said["run_id"] for said in listener.said()) == ["a", "b"]
    for process in (first, second):
        process.send_signal(signal.SIGTERM)
        assert process.wait(SOON_S) == 0


def states(world: World) -> list[Any]:
    (rule,) = world.reader.list_rules()
    return world.reader.list_states("p", rule.rule_id)


def test_while_redis_is_away_nothing_is_told_and_afterwards_everything_once(
    world: World, listener: Listener
) -> None:
    world.put({"webhook": listener.url})
    process = world.start()
    world.wait(lambda: world.evaluated(1))
    world.redis.kill()
    time.sleep(2)  # past its lease: whoever holds it now, it is not known to be us
    world.begin_run("a")
    time.sleep(1)
    assert process.poll() is None
    told_while_away = len(listener.got)
    world.redis.start()
    world.wait(lambda: world.delivered() == 1)
    assert told_while_away == 0
    assert world.alerts() == ["a"]
    assert len(listener.got) == 1
    process.send_signal(signal.SIGTERM)
    assert process.wait(SOON_S) == 0


def test_a_run_is_stopped_as_by_a_person_and_the_reason_names_the_rule(world: World) -> None:
    world.begin_run("a")
    world.put({"stop": True}, sql=f"SELECT run_id, 'too hot' AS message FROM ({SQL})")
    world.start()
    world.wait(lambda: world.delivered() == 1)
    with world.redis.client() as client:
        note = client.hgetall(keys.stop("p", "a"))
    assert note[b"reason"] == b"rule r: too hot"
    assert note[b"by"] == b"rule r"
