"""Questions to the views read what they need and no more: counted in rows, not in time."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.contract.small_stores import BIRTH_S, StoreBuilder
from tests.integration.fixtures_engine import EngineProcess
from weir_store.clickhouse import ClickHouse, connect
from weir_store.inserter import ClickHouseInserter
from weir_store.migrate import migrate
from weir_store.records import RunRef
from weir_store.sql.limits import BARRIER

DATABASE = f"views_speed_{uuid4().hex[:8]}"
RUNS, METRICS, STEPS = 20, 4, 10_000
PIECE = 8_192  # rows that are read together
METRICS_VIEW = f"{DATABASE}.metrics"
OF_RIGHTS = f"(SELECT * FROM {DATABASE}.metrics WHERE project IN ('big', 'other')) AS metrics"


@pytest.fixture(scope="module")
def server(engine: EngineProcess) -> Iterator[EngineProcess]:
    """800 000 points of 20 runs: r0 and r1 were resumed over their own steps, r2 is a fork of r3."""
    clickhouse = connect(engine.url)
    migrate(clickhouse, DATABASE)
    _fill(clickhouse)
    yield engine
    for database in (DATABASE, f"{DATABASE}_raw"):
        clickhouse.command(f"DROP DATABASE {database}")
    clickhouse.close()


def _fill(clickhouse: ClickHouse) -> None:
    series = f"toString(intDiv(number, {METRICS * STEPS})), 'm' || toString(intDiv(number, {STEPS}) % {METRICS})"
    point = f"number % {STEPS}, 0, number, now64(6), bitShiftLeft(toUInt64({BIRTH_S}), 32), 0, toDate('2026-01-01')"
    clickhouse.command(f"""
INSERT INTO {DATABASE}_raw.points
SELECT 'big', 'r' || {series}, {point} FROM numbers({RUNS * METRICS * STEPS})""")
    builder = StoreBuilder()
    for number in range(RUNS):
        ref = RunRef("big", f"r{number}")
        builder.add_run(ref)
        if number < 2:
            for step in range(100, 200):
                builder.add_point(ref, "m0", step, -1.0, ver=(BIRTH_S + 9) << 32)
    builder.add_branch(RunRef("big", "r2"), "r3", 5_000, birth_s=BIRTH_S + 9)
    inserter = ClickHouseInserter(clickhouse, DATABASE)
    inserter.insert(builder.take_block(), uuid4().hex)
    clickhouse.command(f"OPTIMIZE TABLE {DATABASE}_raw.points FINAL")
    clickhouse.command(f"""
INSERT INTO {DATABASE}_raw.console
SELECT 'big', 'talks', 0, toDateTime64(1e9 + number / 1e3, 6, 'UTC'), generateUUIDv4(0), number, 'stdout', 0, 'n',
  if(number = 7000, 'a needle', 'step ' || toString(number)), 0, 1, toDate('2026-01-01') FROM numbers(200000)""")
    clickhouse.command(f"OPTIMIZE TABLE {DATABASE}_raw.console FINAL")


def rows_read(server: EngineProcess, sql: str) -> int:
    """Count under the settings that the gate gives to people with rights on some projects."""
    with server.client() as client:
        return int(client.query(sql, settings=dict(BARRIER)).summary["read_rows"])


@pytest.mark.parametrize("source", [METRICS_VIEW, OF_RIGHTS], ids=["the view", "as rights allow"])
@pytest.mark.parametrize("run", ["r9", "r0", "r2"], ids=["plain", "corrected", "forked"])
def test_one_series_is_read_without_its_neighbours(
    server: EngineProcess, source: str, run: str
) -> None:
    where = f"project = 'big' AND run_id = '{run}' AND metric = 'm0'"
    with server.client() as client:
        found = client.query(f"SELECT count(), max(step) FROM {source} WHERE {where}").result_rows
    assert found == [(STEPS, STEPS - 1)]

    read = rows_read(server, f"SELECT sum(value) FROM {source} WHERE {where}")

    # The fork reads what it could inherit: the same metric of the runs that anybody is forked from.
    assert read <= (4 if run != "r2" else 8) * PIECE + 1_000


@pytest.mark.parametrize("source", [METRICS_VIEW, OF_RIGHTS], ids=["the view", "as rights allow"])
def test_a_range_of_steps_is_read_without_the_rest_of_the_series(
    server: EngineProcess, source: str
) -> None:
    where = "run_id = 'r9' AND metric = 'm1' AND step BETWEEN 8500 AND 8600"
    assert rows_read(server, f"SELECT * FROM {source} WHERE {where}") <= 2 * PIECE + 1_000


@pytest.mark.parametrize("source", [METRICS_VIEW, OF_RIGHTS], ids=["the view", "as rights allow"])
def test_conditions_from_outside_reach_the_primary_key(server: EngineProcess, source: str) -> None:
    where = "run_id = 'r9' AND metric = 'm1' AND step > 9000"
    with server.client() as client:
        plan = client.query(f"EXPLAIN indexes = 1 SELECT * FROM {source} WHERE {where}").result_rows
    lines = [line.strip(" │├─└") for (line,) in plan]
    keys = [line for line in lines if line.startswith("Condition: and(")]
    assert all(name in keys[0] for name in ("run_id in", "metric in", "step in")), keys[0]
    first_granules = [line for line in lines if line.startswith("Granules: ")][2]
    chosen, of = first_granules.removeprefix("Granules: ").split("/")
    assert int(chosen) <= 2 < int(of)


def test_other_projects_are_not_read(server: EngineProcess) -> None:
    sql = f"SELECT count() FROM {DATABASE}.metrics WHERE project = 'other'"
    assert rows_read(server, sql) <= 1_000


def test_a_word_in_the_logs_is_found_by_the_index(server: EngineProcess) -> None:
    sql = f"SELECT line FROM {DATABASE}.logs WHERE run_id = 'talks' AND hasToken(plain, 'needle')"
    with server.client() as client:
        assert client.query(sql).result_rows == [("a needle",)]
    assert rows_read(server, sql) <= 2 * PIECE


def test_what_runs_came_to_is_read_without_their_points(server: EngineProcess) -> None:
    sql = f"SELECT run_id, last FROM {DATABASE}.series WHERE run_id = 'r9'"
    assert rows_read(server, sql) <= 1_000
