"""Holding what lies in files against what lies in tables: rows and digests of every process life.

The digest is the ledger's (docs/formats/ledger.md), so a run that passes is verified afterwards as it
was before; beside it stands one over all columns, which the ledger's leaves some of out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from weir_store import columns, digest, tables
from weir_store.changes.sql import LONG_TEXT, line_of
from weir_store.clickhouse import ClickHouse
from weir_store.parameters import Parameters

RANKS: Final = {
    tables.POINTS: "rank",
    tables.SYSTEM_POINTS: "rank",
    tables.CONSOLE: "agent_rank",
}
"""Column of the producer's rank, by table."""

_DIGESTS: Final = {
    tables.POINTS: digest.POINT_SQL,
    tables.SYSTEM_POINTS: digest.SYSTEM_SQL,
    tables.CONSOLE: digest.LINE_SQL,
}

Lines: TypeAlias = Mapping[int, tuple[int, int, int, int]]
"""Of each process life, as `line_of` numbers them: rows, the ledger's digest, one over all columns, newest version."""


def lines_of(clickhouse: ClickHouse, table: str, source: str, parameters: Parameters) -> Lines:
    """Count rows.

    Args:
        clickhouse: Where to ask.
        table: Whose columns they have.
        source: What stands after FROM; replays are gone already.
        parameters: What it is bound to.
    """
    names = ", ".join(columns.BY_TABLE[table].names)
    sql = f"""
SELECT {line_of(RANKS[table])} AS line_number, count(), sum({_DIGESTS[table]}), sum(sipHash64({names})), max(ver)
FROM {source} GROUP BY line_number"""
    rows = clickhouse.query_rows(sql, parameters.values, LONG_TEXT)
    return {line: (count, total, whole, newest) for line, count, total, whole, newest in rows}


def newest_of(lines: Lines) -> list[tuple[int, int]]:
    """Return the newest version of each process life, as `up_to` takes it."""
    return [(line, newest) for line, (*_, newest) in lines.items()]


def rows_of(lines: Lines) -> int:
    """Return how many rows there are."""
    return sum(count for count, *_ in lines.values())
