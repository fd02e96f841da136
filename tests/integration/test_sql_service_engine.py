"""The Sql service over a real engine: the same rights and limits as at the door, and statements that end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import weir
from tests.integration.fixtures_gateway import RunningGateway, eventually
from tests.integration.fixtures_sql_door import DATABASE, STEPS, sql_store, sql_tokens
from weir.errors import Rejected
from weir_server.gateway.service import Service
from weir_server.gateway.sql import NAME, SqlService, add_sql
from weir_server.settings import GatewaySettings
from weir_server.stream.memory import MemoryAppender, MemoryStream
from weir_store.clickhouse import ClickHouse
from weir_store.sql.reader import ClickHouseSql

__all__ = ["sql_store", "sql_tokens"]


@pytest.fixture(scope="module")
def gateway(sql_store: ClickHouse, sql_tokens) -> Iterator[RunningGateway]:
    reader = ClickHouseSql(sql_store, DATABASE)
    settings = GatewaySettings(tokens_file=sql_tokens[0], sql_rows_read=10**15)
    running = RunningGateway(
        lambda: MemoryAppender(MemoryStream(shards=1, max_bytes=1 << 20)),
        services=lambda auth: [
            Service(NAME, add_sql, SqlService(settings, reader, auth, reader.stop))
        ],
        tokens_file=sql_tokens[0],
    )
    yield running
    running.stop()


def test_everybody_sees_the_projects_of_the_token(gateway: RunningGateway, sql_tokens) -> None:
    for who, count in (("reader", 2 * STEPS), ("other", 0), ("admin", 3 * STEPS)):
        with weir.Api(gateway.address, sql_tokens[1][who]) as api:
            assert api.sql("SELECT count() AS n FROM metrics").to_pandas()["n"].tolist() == [count]


def test_parameters_of_every_kind_reach_clickhouse(gateway: RunningGateway, sql_tokens) -> None:
    with weir.Api(gateway.address, sql_tokens[1]["reader"]) as api:
        asked = "SELECT {t:String} AS t, {n:Int64} AS n, {a:Array(String)} AS a, {z:Nullable(String)} AS z"
        given = {"t": "it's \\ \t\n ü", "n": -(2**62), "a": ["x'", "\\"], "z": None}
        assert list(api.sql(asked, given).rows()) == [given]
        with pytest.raises(Rejected, match="without a value"):
            api.sql(asked).to_arrow()


def test_a_statement_that_nobody_waits_for_is_ended_before_its_first_row(
    gateway: RunningGateway, sql_store: ClickHouse, sql_tokens
) -> None:
    slow = "SELECT repeat('x', count()) FROM numbers(1000000000000) WHERE rand() = rand64()"
    running = (
        "SELECT count() FROM system.processes WHERE query LIKE '%1000000000000%'"
        " AND query NOT LIKE '%system.processes%'"
    )
    with weir.Api(gateway.address, sql_tokens[1]["reader"]) as api:
        result = api.sql(slow)
        eventually(lambda: sql_store.query_rows(running) == [(1,)])
        result.close()
        eventually(lambda: sql_store.query_rows(running) == [(0,)])
