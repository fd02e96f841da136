"""Asking ClickHouse how far live ranks are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from weir_store.clickhouse import ClickHouse
from weir_store.parameters import Parameters
from weir_store.ranks import hangs
from weir_store.ranks.base import Finding, Patience
from weir_store.ranks.hangs import Progress
from weir_store.reader_live import of_runs
from weir_store.records import RunRef
from weir_store.run_state import lives_sql

_LIVE: Final = "role != 'agent' AND NOT endsWith(role, '/fork')"


class HangReader:
    """Answers `find_hangs`: from the small tables, and from the points of runs that seem to hang."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._clickhouse = clickhouse
        self._database = database

    def find_hangs(
        self,
        now_unix_us: int,
        *,
        projects: Sequence[str] | None,
        patience: Patience,
        alive_since: int,
    ) -> list[Finding]:
        """Return the hangs; see `RankReader.find_hangs`. Who was seen before `alive_since` is silent."""
        progress = self._progress(projects, alive_since)
        doubtful = hangs.may_hang(progress, now_unix_us, patience)
        looked_at = [each for each in progress if each.ref in doubtful]
        return hangs.find(self._with_pace(looked_at), now_unix_us, patience)

    def _progress(self, projects: Sequence[str] | None, alive_since: int) -> list[Progress]:
        parameters = Parameters()
        where = "true" if projects is None else f"project IN {parameters.texts(projects)}"
        since = parameters.whole(alive_since)
        heard = f"""{where} AND (project, run_id) IN (
      SELECT project, run_id FROM {self._database}.ingest_commits
      WHERE {where} AND toUnixTimestamp64Milli(at) * 1000 >= {since})"""
        lives = lives_sql(self._database, heard, since)
        # Of a rank that was restarted only the newest life counts; of a life that logs nothing, nothing.
        sql = f"""
WITH live AS (
  SELECT project, run_id, role, rank, argMax(node, ver) AS node, argMax(bitShiftRight(ver, 32), ver) AS session
  FROM ({lives}) WHERE outcome = 'running' AND {_LIVE}
    AND (project, run_id) IN (SELECT project, run_id FROM {self._database}.runs FINAL WHERE {where})
  GROUP BY project, run_id, role, rank)
SELECT project, run_id, role, rank, any(live.node), max(max_step), toUnixTimestamp64Micro(max(max_ts))
FROM {self._database}.series AS series
INNER JOIN live ON series.project = live.project AND series.run_id = live.run_id
  AND series.rank = live.rank AND series.session = live.session
WHERE {where} AND run_id IN (SELECT run_id FROM live)
GROUP BY project, run_id, role, rank"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        return [
            Progress(RunRef(project, run_id), role, rank, node, step, last_us, math.nan)
            for project, run_id, role, rank, node, step, last_us in rows
        ]

    def _with_pace(self, progress: Sequence[Progress]) -> list[Progress]:
        """Fill in how often ranks log: their points of the metric with the longest reach."""
        if not progress:
            return []
        parameters = Parameters()
        of = of_runs(sorted({each.ref for each in progress}), parameters)
        sql = f"""
SELECT project, run_id, rank,
  (toUnixTimestamp64Micro(max(ts)) - toUnixTimestamp64Micro(min(ts))) / nullIf(uniqExact(step) - 1, 0) / 1e6
FROM {self._database}.points WHERE {of} AND (project, run_id, metric) IN (
  SELECT project, run_id, argMax(metric, (ranks, steps, metric)) FROM (
    SELECT project, run_id, metric, uniqExact(rank) AS ranks, max(max_step) - min(min_step) AS steps
    FROM {self._database}.series WHERE {of} GROUP BY project, run_id, metric)
  GROUP BY project, run_id)
GROUP BY project, run_id, rank"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        pace = {(RunRef(p, r), rank): usual for p, r, rank, usual in rows if usual is not None}
        return [
            replace(each, usual_s=float(pace.get((each.ref, each.rank), math.nan)))
            for each in progress
        ]
