"""One project for the dashboard and its peers: 10 000 runs of 100 metrics, the newest 50 with curves.

Every run has a last value of each metric and four parameters; the newest also have 2 000 steps of the
first twenty metrics. The numbers are the same in every tracker: they are functions of run, metric and step.
"""

from __future__ import annotations

import os
from typing import Final

from clickhouse_connect.driver.client import Client

PROJECT: Final = "many"
RUNS: Final = int(os.environ.get("WEIR_BENCH_RUNS", "10000"))
METRICS: Final = 100
WITH_CURVES: Final = 50
CURVES: Final = 20
STEPS: Final = 2_000

_RUN = "concat('run-', leftPad(toString({run}), 5, '0'))"
_METRIC = "concat('train/metric_', leftPad(toString({metric}), 3, '0'))"
_VALUE = "2 * exp(-{step} / 400) + (cityHash64({run}, {metric}, {step}) % 1000) / 5000"
_BORN = "toDateTime64('2026-11-01 00:00:00', 6, 'UTC') + toIntervalMinute({run})"

_RUNS_SQL = f"""
INSERT INTO weir_raw.runs (project, run_id, created_at, ver)
SELECT '{PROJECT}', {_RUN.format(run="number")}, {_BORN.format(run="number")}, 1 FROM numbers({RUNS})"""

_PARAMETERS_SQL = f"""
INSERT INTO weir_raw.run_attrs (project, run_id, ns, path, type, num, int, str, rank, ver)
SELECT '{PROJECT}', {_RUN.format(run=f"number % {RUNS}")}, 'config',
  ['lr', 'seed', 'depth', 'width'][intDiv(number, {RUNS}) + 1] AS path, 'float',
  if(path = 'seed', number % 5, (cityHash64(number) % 1000) / 10000), 0, '', 0,
  bitShiftLeft(toUInt64(1762000000), 32)
FROM numbers(4 * {RUNS})"""


def _points_sql(source: str) -> str:
    return f"""
INSERT INTO weir_raw.points
SELECT '{PROJECT}', {_RUN.format(run="run")}, {_METRIC.format(metric="metric")}, step, 0,
  {_VALUE.format(run="run", metric="metric", step="step")},
  {_BORN.format(run="run")} + toIntervalSecond(step), bitShiftLeft(toUInt64(1762000000), 32), 0, '2026-11-01'
FROM ({source})"""


def fill(client: Client) -> None:
    """Insert everything through the tables' own views."""
    settings = {"async_insert": 0}
    client.command(_RUNS_SQL)
    client.command(_PARAMETERS_SQL)
    client.command(
        _points_sql(
            f"SELECT intDiv(number, {METRICS}) AS run, number % {METRICS} AS metric, {STEPS - 1} AS step"
            f" FROM numbers({RUNS * METRICS})"
        ),
        settings=settings,
    )
    client.command(
        _points_sql(
            f"SELECT {RUNS - WITH_CURVES} + intDiv(number, {CURVES * (STEPS - 1)}) AS run,"
            f" intDiv(number, {STEPS - 1}) % {CURVES} AS metric, number % {STEPS - 1} AS step"
            f" FROM numbers({WITH_CURVES * CURVES * (STEPS - 1)})"
        ),
        settings=settings,
    )
