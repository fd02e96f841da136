"""How many rows and bytes runs have in each table: exact rows, and their share of the parts they lie in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from weir_store import tables
from weir_store.clickhouse import ClickHouse
from weir_store.parameters import Parameters

# Whose rows belong to a run and go with it. `runs` keeps its tombstone and `branches` what forks of the run are
# read by; `changes` and `holds` are about it; versions of artifacts and models belong to the project.
OF_RUNS: Final = (
    tables.POINTS,
    "series",
    "points_64",
    tables.POINT_LIVES,
    tables.TEXT_POINTS,
    tables.REMOVED_POINTS,
    tables.REMOVED_TEXTS,
    tables.SYSTEM_POINTS,
    tables.CONSOLE,
    tables.RUN_ATTRS,
    tables.RUN_ATTR_HISTORY,
    tables.SESSIONS,
    tables.EVENTS,
    tables.DEAD_LETTERS,
    tables.LEDGER,
    tables.LEDGER_CHANGES,
    tables.LINEAGE,
    tables.INGEST_COMMITS,  # last: what comes late is seen by it
)
NEEDED_BY_FORKS: Final = frozenset(
    {
        tables.POINTS,
        "series",
        "points_64",
        tables.POINT_LIVES,
        tables.TEXT_POINTS,
        tables.RUN_ATTRS,
        tables.RUN_ATTR_HISTORY,
    }
)
"""Of these a deleted run keeps its rows while a run that was forked from it lives."""

OF_PROJECTS: Final = (
    tables.ARTIFACT_FILES,
    tables.ARTIFACT_VERSIONS,
    tables.ARTIFACT_TAGS,
    tables.ALIASES,
    tables.MODELS,
    tables.MODEL_CHANGES,
    tables.WEBHOOKS,
    tables.BLOB_TOUCHES,
    tables.RETENTION,
    tables.COLD_RULES,
    tables.DOCUMENTS,
)
"""Whose rows go with a project. `blobs` are taken away with their bytes, by garbage collection."""

AUDIT_KINDS: Final = (
    "edited",
    "deleted_points",
    "deleted",
    "moved",
    "merged",
    "held",
    "hold_lifted",
    "retention",
    "thinned",
)
"""Events that outlive their run."""


@dataclass(frozen=True, slots=True)
class Share:
    """What runs have in a table.

    Attributes:
        rows: As they lie, replays not merged yet included.
        bytes: On disk: of every part its size, times the share of its rows.
        table_bytes: Of the whole table, active parts.
    """

    rows: int
    bytes: int
    table_bytes: int

    @property
    def told(self) -> dict[str, int]:
        """As a receipt has it."""
        return asdict(self)


def rows_of(project: str, runs: Sequence[str], parameters: Parameters) -> str:
    """Return the condition that picks the rows of runs."""
    of = f"project = {parameters.text(project)}"
    return f"{of} AND run_id IN {parameters.texts(list(runs))}"


def going(table: str, where: str, parameters: Parameters) -> str:
    """Return the condition that picks those that are deleted: events of the audit stay, and who made what."""
    if table == tables.EVENTS:
        return (
            f"{where} AND NOT (source = 'server' AND kind IN {parameters.texts(list(AUDIT_KINDS))})"
        )
    if table == tables.LINEAGE:
        return f"{where} AND is_output = 0"
    return where


def measure(
    clickhouse: ClickHouse, database: str, table: str, where: str, parameters: Parameters
) -> Share:
    """Measure rows of a table; `database` is the one with the tables."""
    values: dict[str, Any] = parameters.values
    sql = f"""
SELECT sum(held.rows), toUInt64(sum(held.rows / greatest(parts.rows, 1) * parts.bytes_on_disk))
FROM (SELECT _part, count() AS rows FROM {database}.{table} WHERE {where} GROUP BY _part) AS held
INNER JOIN (SELECT name, rows, bytes_on_disk FROM system.parts
  WHERE database = '{database}' AND table = '{table}' AND active) AS parts ON parts.name = held._part"""
    ((rows, size),) = clickhouse.query_rows(sql, values)
    return Share(int(rows), int(size), table_bytes(clickhouse, database, table))


def table_bytes(clickhouse: ClickHouse, database: str, table: str) -> int:
    """Return what a table's active parts take on disk."""
    sql = f"""
SELECT sum(bytes_on_disk) FROM system.parts
WHERE database = '{database}' AND table = '{table}' AND active"""
    return int(clickhouse.query_rows(sql)[0][0])
