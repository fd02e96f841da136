"""Which of the runs asked for exist: deleted ones do not."""

from __future__ import annotations

from collections.abc import Sequence

from weir_store.clickhouse import ClickHouse
from weir_store.parameters import Parameters
from weir_store.records import RunRef


def of_runs(runs: Sequence[RunRef], parameters: Parameters) -> str:
    """Return the condition that picks these runs, in a shape the primary key can use."""
    projects = sorted({run.project for run in runs})
    ids = sorted({run.run_id for run in runs})
    condition = f"project IN {parameters.texts(projects)} AND run_id IN {parameters.texts(ids)}"
    if len(projects) > 1:
        pairs = [(run.project, run.run_id) for run in runs]
        condition += f" AND (project, run_id) IN {parameters.tuples(pairs, 2)}"
    return condition


def live_runs(clickhouse: ClickHouse, database: str, runs: Sequence[RunRef]) -> list[RunRef]:
    """Return those runs that exist, sorted, each once."""
    if not runs:
        return []
    parameters = Parameters()
    sql = f"SELECT project, run_id FROM {database}.runs FINAL WHERE {of_runs(runs, parameters)}"
    return sorted(RunRef(*row) for row in clickhouse.query_rows(sql, parameters.values))
