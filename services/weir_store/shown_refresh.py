"""Keeping `shown` true: written again whenever branches are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pyarrow as pa

from weir_store import tables
from weir_store.clickhouse import ClickHouse, Settings
from weir_store.parameters import Parameters
from weir_store.reader_lineage import LineageReader
from weir_store.records import RunRef
from weir_store.shown import concerned, shown_table

_MOST: Final = 1_000  # runs in one insert: their pieces may be long lists


def refresh(
    clickhouse: ClickHouse,
    database: str,
    branches: pa.Table,
    *,
    settings: Settings | None = None,
) -> None:
    """Write again what the runs of these branches show, and all runs forked from them.

    Call it after the branches are stored and before anybody is told that they are: who repeats
    the insert then repeats this, too. Any number of writers may do it at once.

    Args:
        clickhouse: May read and write the tables.
        database: Where the tables are.
        branches: Rows of `branches`.
        settings: Of the insert.
    """
    names = (branches[name].to_pylist() for name in ("project", "run_id"))
    told = {RunRef(*pair) for pair in zip(*names, strict=True)}
    _write(clickhouse, database, sorted({run.project for run in told}), settings, told)


def rebuild(clickhouse: ClickHouse, database: str) -> None:
    """Write down what every bent run of the store shows; safe to repeat, and while writers write."""
    sql = f"SELECT DISTINCT project FROM {database}.{tables.BRANCHES}"
    for (project,) in clickhouse.query_rows(sql):
        _write(clickhouse, database, [project], None, None)


def _write(
    clickhouse: ClickHouse,
    database: str,
    projects: Sequence[str],
    settings: Settings | None,
    told: set[RunRef] | None,
) -> None:
    parameters = Parameters()
    scope = f"project IN {parameters.texts(projects)}"
    # Counted first: what arrives in between makes the lineages newer than the count says, never older.
    seen = _count(clickhouse, database, scope, parameters)
    bent = LineageReader(clickhouse, database).bent(scope, parameters).bent
    wanted = bent if told is None else concerned(bent, told)
    runs = sorted(wanted)
    for first in range(0, len(runs), _MOST):
        some = {run: wanted[run] for run in runs[first : first + _MOST]}
        table = f"{database}.{tables.SHOWN}"
        clickhouse.insert_arrow(table, shown_table(some, seen), settings)


def _count(
    clickhouse: ClickHouse, database: str, scope: str, parameters: Parameters
) -> Mapping[str, int]:
    sql = f"""
SELECT project, count() FROM {database}.{tables.BRANCHES} FINAL WHERE {scope} GROUP BY project"""
    return dict(clickhouse.query_rows(sql, parameters.values))
