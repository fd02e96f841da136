"""Correcting and deleting points.

A correction is one more version of a point (ADR 10). A deletion moves every version of the points
into `removed_points` and takes them out of `points`, so that no reader and no view has to know of it
(ADR 15). Every step may be done twice: what a crash cut off is simply done again.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from weir_store import columns, digest, tables
from weir_store.base import Inserter, Reader
from weir_store.changes.base import (
    MAX_CORRECTIONS,
    MAX_RANGES,
    Change,
    ChangeKind,
    Correction,
    LineChange,
    Refusal,
    Steps,
)
from weir_store.changes.book import ChangeBook
from weir_store.changes.rollups import Rollups
from weir_store.changes.sql import COPYING, Remover, of_points, of_run, up_to
from weir_store.clickhouse import ClickHouse
from weir_store.editor import version_of_edit
from weir_store.errors import InvalidQuery
from weir_store.ledger_lines import birth_s
from weir_store.parameters import Parameters
from weir_store.records import Kind, Run, RunRef, SeriesQuery, Tally

_US_PER_DAY: Final = 86_400_000_000
_POINT: Final = "project, run_id, metric, step, rank, value, ts, ver"
_SHOWN: Final = 20  # corrections that an event lists


class PointChanges:
    """Asks for changes of points (`ask_…`), and carries them out."""

    def __init__(
        self,
        clickhouse: ClickHouse,
        database: str,
        inserter: Inserter,
        reader: Reader,
        book: ChangeBook,
        remover: Remover,
    ) -> None:
        """Prepare; `database` is as in the settings."""
        self._clickhouse = clickhouse
        self._database = tables.raw_database(database)
        self._inserter = inserter
        self._reader = reader
        self._book = book
        self._remover = remover
        self._rollups = Rollups(clickhouse, self._database, remover)

    # ── corrections ────────────────────────────────────────────────────────

    def ask_correct(
        self,
        run: Run,
        metric: str,
        corrections: Sequence[Correction],
        *,
        by: str,
        at_unix_us: int,
        reason: str = "",
    ) -> Change:
        """Return the change that gives points new values; nothing is stored yet.

        Raises:
            InvalidQuery: There are none, or too many, or one of them twice.
            Refusal: There is no such point: a correction changes points that are there.
        """
        wanted = {(each.rank, each.step): each.value for each in corrections}
        if not 1 <= len(corrections) <= MAX_CORRECTIONS or len(wanted) < len(corrections):
            raise InvalidQuery(
                f"{len(corrections)} corrections", hint=f"1 … {MAX_CORRECTIONS}, each point once"
            )
        before = self._read_before(run.ref, metric, wanted)
        for rank, step in wanted:
            if (rank, step) not in before:
                raise Refusal(
                    f"{metric} has no point at step {step}, rank {rank}",
                    hint="correct() changes points that are there; log new ones with log()",
                )
        points = [
            [step, rank, value.hex(), before[rank, step][0].hex(), before[rank, step][1]]
            for (rank, step), value in sorted(wanted.items())
        ]
        request = {
            "metric": metric,
            "points": points,
            "session": self._free_session(run, at_unix_us),
            "run_date": run.created_unix_us // _US_PER_DAY,
        }
        return Change(
            uuid.uuid4(), *_names(run), ChangeKind.CORRECT, by, at_unix_us, reason, request=request
        )

    def correct(self, change: Change) -> dict[str, Any]:
        """Carry out a correction; return what its receipt has to say."""
        asked = change.request
        metric, points = asked["metric"], asked["points"]
        shown = ", ".join(
            f"step {step} rank {rank}: {_number(before)} → {_number(value)}"
            for step, rank, value, before, _ in points[:_SHOWN]
        )
        more = f" and {len(points) - _SHOWN} more" if len(points) > _SHOWN else ""
        attrs = {"field": metric, "points": str(len(points)), "changed": shown + more}
        if len(points) == 1:
            ((_, _, value, before, _),) = points
            attrs |= {"before": _number(before), "after": _number(value)}
        title = f"{change.by} corrected {metric} at {len(points)} points"
        self._book.tell(change, "edited", title, **attrs)
        table = _correction_rows(change)
        self._inserter.insert({tables.POINTS: table}, change.change_id.hex)
        self._book.note_lines(change, _added(change))
        return {"points": len(points), "metric": metric}

    def _read_before(
        self, ref: RunRef, metric: str, wanted: Iterable[tuple[int, int]]
    ) -> dict[tuple[int, int], tuple[float, int]]:
        """Return value and time of those points that the run shows, by rank and step."""
        wanted = set(wanted)
        steps = [step for _, step in wanted]
        query = SeriesQuery(
            runs=(ref,),
            metrics=(metric,),
            ranks=tuple(sorted({rank for rank, _ in wanted})),
            x_min=float(min(steps)),
            x_max=float(max(steps) + 1),
        )
        found: dict[tuple[int, int], tuple[float, int]] = {}
        for batch in self._reader.stream_series(query):
            named = (batch.column(name).to_pylist() for name in _BEFORE)
            for rank, step, value, at in zip(*named, strict=True):
                if (rank, step) in wanted:
                    found[rank, step] = (value, at)
        return found

    def _free_session(self, run: Run, at_unix_us: int) -> int:
        """Return the second an edit counts as: its own, but later than every process's birth.

        So that it beats what they logged, also where a node's clock is ahead, and so that no line of
        the ledger is both a process's and an edit's.
        """
        parameters = Parameters()
        of = of_run(run.ref, parameters)
        edits = f"SELECT rank, session FROM {self._database}.{tables.LEDGER_CHANGES} WHERE {of} AND added > 0"
        sql = f"""
SELECT max(session) FROM {self._database}.series WHERE {of} AND (rank, session) NOT IN ({edits})"""
        births = [birth_s(each.producer) for each in self._reader.list_sessions(run.ref)]
        births.append(int(self._clickhouse.query_rows(sql, parameters.values)[0][0]))
        return max(at_unix_us // 1_000_000, max(births) + 1)

    # ── deletions ──────────────────────────────────────────────────────────

    def ask_delete(
        self,
        run: Run,
        metric: str,
        steps: Steps = (),
        ranks: Sequence[int] = (),
        *,
        by: str,
        at_unix_us: int,
        reason: str = "",
    ) -> Change:
        """Return the change that deletes points; nothing is stored yet.

        Raises:
            InvalidQuery: Too many ranges, or one that is none.
            Held: There is a legal hold.
            Refusal: The run holds no such point.
        """
        if len(steps) > MAX_RANGES or any(first > last for first, last in steps):
            raise InvalidQuery("steps are no ranges", hint=f"first ≤ last, at most {MAX_RANGES}")
        self._book.refuse_held(run.project, run.run_id)
        if not self._count(run.ref, metric, steps, ranks):
            where = f"{run.project}/{run.run_id}"
            hint = (
                f"inherited points are deleted where they lie: {run.project}/{run.parent_run_id}"
                if run.parent_run_id
                else "weir.Api().run(…).metrics() lists what there is"
            )
            raise Refusal(f"{where} holds no such points of {metric!r}", hint=hint)
        ranges = [list(each) for each in steps]
        request = {"metric": metric, "steps": ranges, "ranks": list(ranks)}
        kind = ChangeKind.DELETE_POINTS
        return Change(uuid.uuid4(), *_names(run), kind, by, at_unix_us, reason, request=request)

    def delete(self, change: Change) -> dict[str, Any]:
        """Carry out a deletion; return what its receipt has to say.

        Raises:
            Held: Somebody put a hold on it meanwhile.
        """
        metric = change.request["metric"]
        steps = [(first, last) for first, last in change.request["steps"]]
        ranks = change.request["ranks"]
        self._book.refuse_held(change.project, change.run_id)
        self._keep(change, metric, steps, ranks)
        kept = {
            tables.POINTS: self._removed(change, Kind.POINTS),
            tables.TEXT_POINTS: self._removed(change, Kind.TEXTS),
        }
        self._book.note_lines(change, [line for lines in kept.values() for line, _ in lines])
        told = self._tell_of_removed(change, metric)
        for table, lines in kept.items():
            if lines:  # only what was copied goes, not what came since
                parameters = Parameters()
                where = of_points(change.ref, metric, steps, ranks, parameters)
                newest = [(line.rank << 32 | line.session, version) for line, version in lines]
                self._remover.hide(table, where + up_to(newest), parameters)
        self._rollups.rebuild(change.ref, [metric], steps, ranks)
        return told

    def _count(self, ref: RunRef, metric: str, steps: Steps, ranks: Sequence[int]) -> int:
        found = 0
        for table in (tables.POINTS, tables.TEXT_POINTS):
            parameters = Parameters()
            where = of_points(ref, metric, steps, ranks, parameters)
            sql = f"SELECT count() FROM {self._database}.{table} WHERE {where}"
            found += int(self._clickhouse.query_rows(sql, parameters.values)[0][0])
        return found

    def _keep(self, change: Change, metric: str, steps: Steps, ranks: Sequence[int]) -> None:
        """Copy what is to be deleted; done again after a crash, it adds what was not copied yet."""
        for source, target, more in (
            (tables.POINTS, tables.REMOVED_POINTS, ""),
            (tables.TEXT_POINTS, tables.REMOVED_TEXTS, ", kind"),
        ):
            parameters = Parameters()
            change_id = f"toUUID({parameters.text(str(change.change_id))})"
            removed_at = f"fromUnixTimestamp64Micro({parameters.whole(change.at_unix_us)}, 'UTC')"
            where = of_points(change.ref, metric, steps, ranks, parameters)
            sql = f"""
INSERT INTO {self._database}.{target} ({_POINT}{more}, change_id, removed_at)
SELECT {_POINT}{more}, {change_id}, {removed_at} FROM {self._database}.{source} WHERE {where}"""
            self._clickhouse.command(sql, parameters.values, COPYING)

    def _removed(self, change: Change, kind: Kind) -> list[tuple[LineChange, int]]:
        """Count what was copied, by process life, a replay once; return its highest version beside it."""
        is_number = kind is Kind.POINTS
        table = tables.REMOVED_POINTS if is_number else tables.REMOVED_TEXTS
        one = digest.POINT_SQL if is_number else digest.TEXT_SQL
        parameters = Parameters()
        sql = f"""
SELECT rank, bitShiftRight(ver, 32) AS session, count(), sum({one}), max(ver)
FROM {self._database}.{table} FINAL
WHERE project = {parameters.text(change.project)} AND run_id = {parameters.text(change.run_id)}
  AND metric = {parameters.text(change.request["metric"])}
  AND toString(change_id) = {parameters.text(str(change.change_id))}
GROUP BY rank, session"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        return [
            (LineChange(kind, rank, life, Tally(count, total)), newest)
            for rank, life, count, total, newest in rows
        ]

    def _tell_of_removed(self, change: Change, metric: str) -> dict[str, Any]:
        """Leave the event; return points (each once, however many versions) and where they were."""
        parameters = Parameters()
        of = f"""project = {parameters.text(change.project)}
  AND run_id = {parameters.text(change.run_id)} AND metric = {parameters.text(metric)}
  AND toString(change_id) = {parameters.text(str(change.change_id))}"""
        sql = f"""
SELECT uniqExact(step, rank), count(), min(step), max(step), uniqExact(rank) FROM (
  SELECT step, rank, ver FROM {self._database}.{tables.REMOVED_POINTS} FINAL WHERE {of}
  UNION ALL SELECT step, rank, ver FROM {self._database}.{tables.REMOVED_TEXTS} FINAL WHERE {of})"""
        ((points, versions, low, high, ranks),) = self._clickhouse.query_rows(
            sql, parameters.values
        )
        told = {
            "metric": metric,
            "points": int(points),
            "versions": int(versions),
            "first_step": int(low),
            "last_step": int(high),
            "ranks": int(ranks),
        }
        title = f"{change.by} deleted {points} points of {metric}"
        attrs = {name: str(value) for name, value in told.items() if name != "metric"}
        self._book.tell(change, "deleted_points", title, field=metric, **attrs)
        return told


_BEFORE: Final = ("rank", "step", "value", "time_unix_us")


def _correction_rows(change: Change) -> pa.Table:
    asked = change.request
    ver = asked["session"] << 32 | version_of_edit(change.at_unix_us) & 0xFFFF_FFFF
    rows = [
        {
            "project": change.project,
            "run_id": change.run_id,
            "metric": asked["metric"],
            "step": step,
            "rank": rank,
            "value": float.fromhex(value),
            "ts": time_unix_us,
            "ver": ver,
            "rewrite": 1,  # of the same second there may be another correction
            "run_date": asked["run_date"],
        }
        for step, rank, value, _, time_unix_us in asked["points"]
    ]
    return pa.Table.from_pylist(rows, schema=columns.POINTS)


def _added(change: Change) -> list[LineChange]:
    sums: dict[int, Tally] = {}
    names = digest.metric_words([change.request["metric"]])
    for step, rank, value, _, time_unix_us in change.request["points"]:
        words = digest.value_words(np.array([float.fromhex(value)]))
        number = digest.digest_points(names, np.array([step]), np.array([time_unix_us]), words)
        sums[rank] = sums.get(rank, Tally()) + Tally(1, number)
    session = change.request["session"]
    return [LineChange(Kind.POINTS, rank, session, added=tally) for rank, tally in sums.items()]


def _names(run: Run) -> tuple[str, str]:
    return run.project, run.run_id


def _number(text: str) -> str:
    return repr(float.fromhex(text))
