"""Names in ClickHouse: attributes' paths, and metrics of the `series` table."""

from __future__ import annotations

from collections.abc import Sequence

from weir_store import tables
from weir_store.clickhouse import ClickHouse
from weir_store.names.base import METRIC, SPACES, Name, NamePage, check
from weir_store.parameters import Parameters
from weir_store.reader_metrics import search_sql


class ClickHouseNames:
    """Implements `base.NameReader`. Holds no state: safe from any thread."""

    def __init__(self, clickhouse: ClickHouse, database: str = "weir") -> None:
        self._clickhouse = clickhouse
        self._database = tables.raw_database(database)

    def list_names(
        self, project: str, *, search: str = "", spaces: Sequence[str] = SPACES, limit: int = 100
    ) -> NamePage:
        """Return names that runs of a project use; see `base.NameReader`."""
        check(project, spaces, limit)
        parameters = Parameters()
        scope = f"project = {parameters.text(project)}"
        live = f"run_id IN (SELECT run_id FROM {self._database}.runs FINAL WHERE {scope})"
        where = f"{scope} AND {live}"
        parts = []
        attributes = [space for space in spaces if space != METRIC]
        if attributes:
            parts.append(f"""
SELECT toString(ns) AS space, path AS name, uniqExact(run_id) AS runs
FROM {self._database}.run_attrs FINAL
WHERE {where} AND ns IN {parameters.texts(attributes)}{search_sql(search, parameters, "path")} GROUP BY space, name""")
        if METRIC in spaces:
            parts.append(f"""
SELECT '{METRIC}' AS space, toString(metric) AS name, uniqExact(run_id) AS runs
FROM {self._database}.series WHERE {where}{search_sql(search, parameters)} GROUP BY name""")
        sql = f"""
SELECT space, name, runs, count() OVER () AS total FROM ({" UNION ALL ".join(parts)})
ORDER BY runs DESC, space, name LIMIT {limit}"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        return NamePage(tuple(Name(*row[:3]) for row in rows), rows[0][-1] if rows else 0)
