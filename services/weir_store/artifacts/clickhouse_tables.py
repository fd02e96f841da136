"""What all questions about artifacts need: a connection, and where the tables are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from weir_store import tables
from weir_store.clickhouse import ClickHouse
from weir_store.parameters import Parameters

PIECE_ROWS: Final = 10_000

# A reference under way: a project's versions that count, at {now}.
LIVE: Final = "state = 'live' AND (expires_us = 0 OR expires_us > {now})"


class Questions:
    """Asks one store."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._clickhouse = clickhouse
        self._database = tables.raw_database(database)

    def _table(self, name: str) -> str:
        return f"{self._database}.{name}"

    def _rows(self, sql: str, parameters: Parameters) -> list[tuple[Any, ...]]:
        return self._clickhouse.query_rows(sql, parameters.values)

    def _pieces(self, sql: str, parameters: Parameters) -> Iterator[list[dict[str, Any]]]:
        """Yield rows in pieces that memory can hold."""
        for batch in self._clickhouse.stream_arrow(sql, parameters.values):
            for first in range(0, batch.num_rows, PIECE_ROWS):
                yield batch.slice(first, PIECE_ROWS).to_pylist()

    def _versions(self) -> str:
        """The versions with times as numbers, each row once."""
        return f"""(SELECT *, toUnixTimestamp64Micro(created_at) AS created_us,
  toUnixTimestamp64Micro(expires_at) AS expires_us FROM {self._table(tables.ARTIFACT_VERSIONS)} FINAL)"""


def live(parameters: Parameters, now_unix_us: int) -> str:
    """Return the condition that a row of `_versions` counts."""
    return LIVE.format(now=parameters.whole(now_unix_us))
