"""The SQL door over a real engine that holds a few runs of two projects, and tokens for it."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import clickhouse_connect
import pyarrow as pa
import pytest

from tests.contract.node_blocks import START_US, NodeLog, moment
from tests.contract.small_stores import BIRTH_S, StoreBuilder
from tests.integration.fixtures_engine import EngineProcess
from weir_server.gateway.auth import Auth
from weir_server.gateway.tokens import Role, create_token
from weir_server.http_door import bind_door
from weir_server.settings import GatewaySettings
from weir_server.sql_door.serve import make_sql_door
from weir_store import columns, tables
from weir_store.base import Block
from weir_store.clickhouse import ClickHouse, connect
from weir_store.inserter import ClickHouseInserter
from weir_store.migrate import migrate
from weir_store.records import RunRef
from weir_store.sql.reader import ClickHouseSql

DATABASE = "door_views"
BORN_S = 1_790_000_000  # of the runs; what panels of dashboards are asked around
STEPS = 500
OURS = (RunRef("vision", "adam1"), RunRef("vision", "sgd2"))
SECRET = RunRef("private", "c4n4ry")


@dataclass(frozen=True)
class OpenDoor:
    """A door that runs: where, over what, and who may come in."""

    port: int
    clickhouse: ClickHouse
    tokens: dict[str, str]
    tokens_file: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, who: str = "reader", **options: Any) -> Any:
        """Return a clickhouse-connect client as its users make it; any user name will do."""
        options = {"username": "anyone", "password": self.tokens[who], **options}
        return clickhouse_connect.get_client(host="127.0.0.1", port=self.port, **options)


@pytest.fixture(scope="module")
def sql_store(engine: EngineProcess) -> Iterator[ClickHouse]:
    """The engine with the tables and views of this release, and a few runs."""
    clickhouse = connect(engine.url)
    migrate(clickhouse, DATABASE)
    inserter = ClickHouseInserter(clickhouse, DATABASE)
    inserter.insert(_runs(), "")
    for block in _node_logs():
        inserter.insert(block, "")
    yield clickhouse
    clickhouse.command(f"DROP DATABASE IF EXISTS {DATABASE}")
    clickhouse.command(f"DROP DATABASE IF EXISTS {DATABASE}_raw")
    clickhouse.close()


@pytest.fixture(scope="module")
def sql_tokens(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    path = tmp_path_factory.mktemp("tokens") / "tokens.toml"
    return path, {
        "reader": create_token(path, name="r", role=Role.READER, projects=["vision"]),
        "other": create_token(path, name="o", role=Role.READER, projects=["elsewhere"]),
        "admin": create_token(path, name="a", role=Role.ADMIN, projects=["*"]),
    }


@pytest.fixture(scope="module")
def sql_door(sql_store: ClickHouse, sql_tokens: tuple[Path, dict[str, str]]) -> Iterator[OpenDoor]:
    with running_door(sql_store, sql_tokens) as door:
        yield door


@contextmanager
def running_door(
    clickhouse: ClickHouse, given: tuple[Path, dict[str, str]], **settings: Any
) -> Iterator[OpenDoor]:
    """Run a door in a thread with a loop of its own."""
    tokens_file, tokens = given
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def in_loop(make: Callable[[], Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(make(), loop).result(20)

    gateway = GatewaySettings(port=0, tokens_file=tokens_file, **settings)
    sql = ClickHouseSql(clickhouse, DATABASE)
    listener = bind_door("127.0.0.1", 0, "gateway.sql_port")

    async def start() -> Any:
        door = make_sql_door(gateway, clickhouse, DATABASE, sql, Auth(tokens_file), listener)
        await door.start()
        return door

    door = in_loop(start)
    yield OpenDoor(door.port, clickhouse, tokens, tokens_file)
    in_loop(door.stop)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(20)
    loop.close()


def _runs() -> Any:
    builder = StoreBuilder()
    for number, ref in enumerate((*OURS, SECRET)):
        born_s = BORN_S + 100 * number
        builder.add_run(ref, created_s=born_s)
        builder.add_attr(ref, "config", "lr", 0.1 / (number + 1))
        builder.add_attr(ref, "meta", "name", f"{ref.run_id} the {number}.")
        builder.add_attr(ref, "tag", "baseline", True)
        for step in range(STEPS):
            at_us = (BORN_S - BIRTH_S + step) * 1_000_000
            builder.add_point(ref, "loss", step, 1 / (step + 1) + number, at_us=at_us)
    return builder.take_block()


def _node_logs() -> Iterator[Block]:
    """What one of the runs printed, and took of two GPUs for a minute; an event, too."""
    log = NodeLog(OURS[0])
    yield log.lines(*({"number": n, "line": f"step {n}"} for n in range(20)))
    yield log.system(
        *(
            {"metric": metric, "device": f"gpu{gpu}", "at_us": second * 1_000_000, "value": value}
            for second in range(0, 60, 5)
            for gpu in range(2)
            for metric, value in (("gpu.utilization", 90.0 - gpu), ("gpu.power_w", 300.0))
        )
    )
    event = {
        "project": OURS[0].project,
        "run_id": OURS[0].run_id,
        "event_id": uuid.uuid4().bytes,
        "ts": moment(START_US),
        "kind": "alert",
        "severity": "error",
        "title": "the loss is NaN",
        "body": "since step 7",
        "step": 7,
        "rank": 0,
        "attrs": {},
        "ver": 1,
        "source": "rule",
    }
    yield {tables.EVENTS: pa.Table.from_pylist([event], schema=columns.EVENTS)}
