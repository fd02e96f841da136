"""The files as ClickHouse sees them: tables over the object store, and the views that say which files count.

cold_runs ──▶ which files ──┐
object store ──▶ cold_files_… ─▶ cold_points  cold_system_points  cold_console
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from weir_store import tables
from weir_store.changes.base import Refusal
from weir_store.clickhouse import ClickHouse
from weir_store.cold.base import COLD_TABLES, FOLDER, NAMED, UNNAMED, ColdPlace, cold_of
from weir_store.errors import StoreUnavailable
from weir_store.parameters import Parameters

_PATTERNS: Final = {"named": NAMED, "unnamed": UNNAMED}
# A table keeps what holds when it is made. By default a bucket that is away is asked 500 times, for minutes, and
# no time limit of a question ends that.
_FEW_RETRIES: Final = {"s3_retry_attempts": 3}
_COUNTED: Final = "SELECT concat(toString(roll_id), '.parquet') FROM {}.{} FINAL"


class Shelf:
    """Makes them. Holds no state but the connection."""

    def __init__(
        self, clickhouse: ClickHouse, database: str, place: ColdPlace, cluster: str = ""
    ) -> None:
        """Prepare.

        Args:
            clickhouse: May make tables.
            database: As in the settings.
            place: How ClickHouse reaches the objects.
            cluster: Cluster name for ON CLUSTER; empty = one server.
        """
        self._clickhouse = clickhouse
        self._raw = tables.raw_database(database)
        self._place = place
        self._on_cluster = f" ON CLUSTER '{cluster}'" if cluster else ""

    def renew(self) -> None:
        """Show the files that are there now; where no run is cold, none. Safe to repeat.

        So nobody who has no cold runs depends on the object store being there.
        """
        sql = f"SELECT count() FROM {self._raw}.{tables.COLD_RUNS} FINAL"
        if self._clickhouse.query_rows(sql)[0][0]:
            self.lay_out()
            self.show()
            return
        for table in COLD_TABLES:
            self._clickhouse.command(f"{self._replacing(table)} {self._nothing(table)}")

    def lay_out(self) -> None:
        """Make the tables anew; they hold what lies in the object store, whether it counts or not.

        A table over a directory lists it once, when it is made; one over a bucket at every question.
        """
        for table in COLD_TABLES:
            columns = self._columns(table)
            for kind, pattern in _PATTERNS.items():
                engine = self._place.engine(f"{FOLDER}/{table}/{pattern}")
                name = f"{self._raw}.{_files(table, kind)}"
                sql = f"CREATE OR REPLACE TABLE {name}{self._on_cluster} ({columns}) ENGINE = {engine}"
                self._clickhouse.command(sql, settings=_FEW_RETRIES)

    def show(self) -> None:
        """Make the views anew: what counts of the files is in every answer from now on."""
        counted = _COUNTED.format(self._raw, tables.COLD_RUNS)
        for table in COLD_TABLES:
            parts = (
                f"SELECT * FROM {self._raw}.{_files(table, kind)} WHERE _file IN ({counted})"
                for kind in _PATTERNS
            )
            self._clickhouse.command(f"{self._replacing(table)} {' UNION ALL '.join(parts)}")

    def one_file(self, table: str, name: str, parameters: Parameters) -> str:
        """Return a SELECT of the rows of one file, whether it counts already or not."""
        parts = (
            f"SELECT * FROM {self._raw}.{_files(table, kind)} WHERE _file = {parameters.text(name)}"
            for kind in _PATTERNS
        )
        return " UNION ALL ".join(parts)

    @contextmanager
    def in_reach(self) -> Iterator[None]:
        """Tell a store that is away from one that cannot get at the files: the latter is for people to mend.

        Raises:
            Refusal: ClickHouse answers, but not about the files.
        """
        try:
            yield
        except StoreUnavailable as error:
            self._clickhouse.query_rows("SELECT 1")
            raise Refusal(
                f"ClickHouse cannot get at the object store: {error}",
                hint="it reads a directory of its own machine, or a bucket: see docs/cold.md",
            ) from error

    def _replacing(self, table: str) -> str:
        return f"CREATE OR REPLACE VIEW {self._raw}.{cold_of(table)}{self._on_cluster} AS"

    def _nothing(self, table: str) -> str:
        return f"SELECT * FROM {self._raw}.{table} WHERE false"

    def _columns(self, table: str) -> str:
        parameters = Parameters()
        sql = f"""
SELECT name, type FROM system.columns
WHERE database = {parameters.text(self._raw)} AND table = {parameters.text(table)} ORDER BY position"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        return ", ".join(f"`{name}` {kind}" for name, kind in rows)


def _files(table: str, kind: str) -> str:
    return f"cold_files_{table}_{kind}"
