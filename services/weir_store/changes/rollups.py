"""Making summaries and roll-ups again from the points that are left.

The same SELECTs as the views of schema/0001_points.sql: a test holds them together. What is logged
meanwhile does no harm, because every aggregate may be told a point twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from weir_store.changes.base import Steps
from weir_store.changes.sql import COPYING, Remover, of_run
from weir_store.clickhouse import ClickHouse
from weir_store.parameters import Parameters
from weir_store.plan import ROLLUP_SHIFT
from weir_store.records import RunRef

_SESSION: Final = "toUInt32(bitShiftRight(ver, 32))"
_STEP_VER: Final = "bitOr(bitShiftLeft(toInt128(step), 64), toInt128(ver))"

_SERIES: Final = f"""
SELECT project, run_id, metric, rank, {_SESSION} AS session,
  argMaxState(value, {_STEP_VER}) AS last, argMaxState(ts, {_STEP_VER}) AS last_ts,
  argMinState(value, {_STEP_VER}) AS first,
  argMinStateIf(step, value, isFinite(value)) AS min_at,
  argMaxStateIf(step, value, isFinite(value)) AS max_at,
  min(if(isFinite(value), value, inf)) AS min_v, max(if(isFinite(value), value, -inf)) AS max_v,
  max(isNaN(value)) AS has_nan, max(value = inf) AS has_pos_inf, max(value = -inf) AS has_neg_inf,
  min(step) AS min_step, max(step) AS max_step, min(ts) AS min_ts, max(ts) AS max_ts,
  max(points.rewrite) AS rewrite
FROM {{database}}.points AS points WHERE {{where}}
GROUP BY project, run_id, metric, rank, session"""

_ROLLUP: Final = f"""
SELECT project, run_id, metric, bitShiftRight(step, {ROLLUP_SHIFT}) AS bucket, rank, {_SESSION} AS session,
  argMinState(value, step) AS first, argMaxState(value, step) AS last,
  min(if(isFinite(value), value, inf)) AS min_v, max(if(isFinite(value), value, -inf)) AS max_v,
  groupBitOr(toUInt8(isNaN(value) + 2 * (value = inf) + 4 * (value = -inf))) AS nonfinite,
  min(step) AS min_step, max(step) AS max_step, any(points.run_date) AS run_date
FROM {{database}}.points AS points WHERE {{where}}
GROUP BY project, run_id, metric, bucket, rank, session"""


class Rollups:
    """Makes `series` and `points_64` say what the points say."""

    def __init__(self, clickhouse: ClickHouse, database: str, remover: Remover) -> None:
        """Prepare; `database` is the one with the tables."""
        self._clickhouse = clickhouse
        self._database = database
        self._remover = remover

    def rebuild(
        self, ref: RunRef, metrics: Sequence[str], steps: Steps = (), ranks: Sequence[int] = ()
    ) -> None:
        """Make them again for these metrics of a run.

        For a moment a reader finds less than there is: no series, or buckets that are empty.

        Args:
            ref: Whose.
            metrics: Which.
            steps: Where points were taken out; empty = anywhere.
            ranks: Of which ranks; empty = any.
        """
        self._again("series", _SERIES, ref, metrics, ranks)
        low = min((first for first, _ in steps), default=None)
        high = max((last for _, last in steps), default=None)
        if low is None or high is None:
            self._again("points_64", _ROLLUP, ref, metrics, ranks)
            return
        first, last = low >> ROLLUP_SHIFT, high >> ROLLUP_SHIFT
        self._again("points_64", _ROLLUP, ref, metrics, ranks, (first, last))

    def _again(
        self,
        table: str,
        select: str,
        ref: RunRef,
        metrics: Sequence[str],
        ranks: Sequence[int],
        buckets: tuple[int, int] | None = None,
    ) -> None:
        parameters = Parameters()
        where = f"{of_run(ref, parameters)} AND metric IN {parameters.texts(list(metrics))}"
        if ranks:
            where += f" AND rank IN {parameters.wholes(list(ranks))}"
        old, left = where, where
        if buckets is not None:
            ends = f"BETWEEN {parameters.whole(buckets[0])} AND {parameters.whole(buckets[1])}"
            old += f" AND bucket {ends}"
            left += f" AND bitShiftRight(step, {ROLLUP_SHIFT}) {ends}"
        self._remover.hide(table, old, parameters)
        sql = select.format(database=self._database, where=left)
        into = f"INSERT INTO {self._database}.{table} ({_columns(table)}) {sql}"
        self._clickhouse.command(into, parameters.values, COPYING)


def _columns(table: str) -> str:
    # By name: an INSERT … SELECT goes by place.
    shared = "project, run_id, metric"
    if table == "series":
        return (
            f"{shared}, rank, session, last, last_ts, first, min_at, max_at, min_v, max_v, has_nan, "
            "has_pos_inf, has_neg_inf, min_step, max_step, min_ts, max_ts, rewrite"
        )
    return (
        f"{shared}, bucket, rank, session, first, last, min_v, max_v, nonfinite, min_step, "
        "max_step, run_date"
    )
