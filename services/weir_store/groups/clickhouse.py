"""Asking ClickHouse about groups: the curves of runs are made and put together there."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import pyarrow as pa

from weir_store import tables
from weir_store.axis_choice import choose_axis
from weir_store.clickhouse import ClickHouse
from weir_store.groups.band_sql import bands_sql
from weir_store.groups.base import BandQuery, Key, KeyPage, check, check_limit
from weir_store.groups.merging import merged
from weir_store.parameters import Parameters
from weir_store.reader_lineage import LineageReader
from weir_store.reader_live import of_runs
from weir_store.reader_series import packs
from weir_store.reader_spans import SpanReader
from weir_store.records import RunRef, XAxis

_ALIKE = "if(type IN ('int', 'float'), 'number', toString(type))"
_VALUE = f"({_ALIKE}, if(type IN ('str', 'json'), str, toString(num)))"


class ClickHouseGroups:
    """Implements `base.GroupReader`; holds no state but the connection."""

    def __init__(self, clickhouse: ClickHouse, database: str = "weir") -> None:
        self._clickhouse = clickhouse
        self._database = tables.raw_database(database)
        self._lineages = LineageReader(clickhouse, self._database)
        self._spans = SpanReader(clickhouse, self._database)

    def list_keys(self, projects: Sequence[str], *, search: str = "", limit: int = 100) -> KeyPage:
        """Return config paths; see `GroupReader.list_keys`."""
        check_limit(limit)
        if not projects:
            return KeyPage((), 0)
        parameters = Parameters()
        where = f"project IN {parameters.texts(sorted(set(projects)))}"
        words = "".join(
            f" AND positionCaseInsensitiveUTF8(path, {parameters.text(word)}) > 0"
            for word in search.split()
        )
        sql = f"""
SELECT path, uniqExact(project, run_id), uniqExact{_VALUE} AS values, count() OVER () AS total
FROM {self._database}.run_attrs FINAL
WHERE {where} AND ns = 'config'{words}
  AND (project, run_id) IN (SELECT project, run_id FROM {self._database}.runs FINAL WHERE {where})
GROUP BY path ORDER BY values < 2, path LIMIT {limit}"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        keys = tuple(Key(path, runs, values) for path, runs, values, _ in rows)
        return KeyPage(keys, rows[0][-1] if rows else 0)

    def read_bands(self, query: BandQuery) -> pa.Table:
        """Read one line per group and metric; see `GroupReader.read_bands`."""
        check(query)
        curves, groups = query.curves(), query.read
        sight = self._lineages.live(curves.runs)
        times = query.x in (XAxis.TIME, XAxis.RELATIVE)
        spans = self._spans.read(sight, query.metrics, None, times=times)
        axis = choose_axis(curves, sight, spans, self._spans)
        members = {run for group in groups for run in group.runs}
        wanted = list(packs([s for s in spans if RunRef(*s.key[:2]) in members], curves))
        parts = []
        for pack in wanted:
            parameters = Parameters()
            sql = bands_sql(
                axis.buckets(pack, parameters),
                groups,
                parameters,
                joined=query.joined,
                whole=len(wanted) == 1,
            )
            parts.append(self._clickhouse.query_arrow(sql, parameters.values))
        return merged(parts, groups)

    def read_state(self, runs: Sequence[RunRef], metrics: Sequence[str]) -> str:
        """Name the state of these series; see `GroupReader.read_state`."""
        sight = self._lineages.live(runs)
        whose = {*sight.plain, *(each for held in sight.sources().values() for each in held)}
        rows = self._stored(sorted(whose), metrics) if whose and metrics else []
        return blake2b(f"{sight}{rows}".encode(), digest_size=12).hexdigest()

    def _stored(self, runs: Sequence[RunRef], metrics: Sequence[str]) -> list[tuple[object, ...]]:
        parameters = Parameters()
        sql = f"""
SELECT count(), groupBitXor(state) FROM (
  SELECT cityHash64(project, run_id, metric, rank, session, min(min_step), max(max_step),
    min(min_ts), max(max_ts), min(min_v), max(max_v), argMaxMerge(last),
    max(has_nan), max(has_pos_inf), max(has_neg_inf), max(series.rewrite)) AS state
  FROM {self._database}.series
  WHERE {of_runs(runs, parameters)} AND metric IN {parameters.texts(metrics)}
  GROUP BY project, run_id, metric, rank, session)"""
        return self._clickhouse.query_rows(sql, parameters.values)
