"""How long things are kept: what a policy means for each metric, and carrying it out run by run.

Thinning keeps, of every series and bucket of steps, the points that a chart shows: first, last, lowest,
highest, and one of each that is no number (M4). Old points are those older than the policy says by their
own time, so a run that goes on keeps its newest. Runs under a legal hold, and points that a living fork
of a held run shows, are left alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Final

from weir_store import digest, tables
from weir_store.changes.base import (
    Change,
    ChangeKind,
    ChangeState,
    Hold,
    LineChange,
    Policy,
    What,
)
from weir_store.changes.book import ChangeBook
from weir_store.changes.measure import measure
from weir_store.changes.rollups import Rollups
from weir_store.changes.sql import Remover, of_run, up_to
from weir_store.clickhouse import ClickHouse
from weir_store.errors import InvalidQuery
from weir_store.parameters import Parameters
from weir_store.records import Kind, RunRef, Tally

MIN_THIN_POINTS: Final = 10
MAX_THIN_POINTS: Final = 1_000_000
_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that retention would do to one run.

    Attributes:
        ref: Whose.
        what: Metrics, console or system.
        metrics: Names; empty = not about metrics.
        before_unix_us: What is older goes, or is thinned.
        thin_points: 0 = it goes; else to so many buckets per series.
        rows: That would go, as they lie now.
        shifts: How many bits wide the buckets of each metric are; one that has few points is absent.
    """

    ref: RunRef
    what: What
    metrics: tuple[str, ...]
    before_unix_us: int
    thin_points: int = 0
    rows: int = 0
    shifts: Mapping[str, int] = field(default_factory=dict)


def check(policy: Policy) -> None:
    """Raise `InvalidQuery` for a policy that says nothing, or nothing sensible."""
    if not policy.project or not policy.pattern:
        raise InvalidQuery("a policy is of a project, and of names")
    if policy.what is not What.METRICS and (policy.pattern != "*" or policy.thin_after_s):
        raise InvalidQuery(f"{policy.what} is kept or deleted as a whole", hint="only --keep")
    if not (policy.keep_s or policy.thin_after_s):
        raise InvalidQuery("the policy says nothing", hint="give --keep or --thin-after")
    if bool(policy.thin_after_s) is not bool(policy.thin_points):
        raise InvalidQuery("thinning needs an age and a number of points", hint="e.g. 7d:1000")
    if policy.thin_points and not MIN_THIN_POINTS <= policy.thin_points <= MAX_THIN_POINTS:
        raise InvalidQuery(
            f"{policy.thin_points} points", hint=f"{MIN_THIN_POINTS} … {MAX_THIN_POINTS}"
        )
    if policy.keep_s and policy.thin_after_s >= policy.keep_s:
        raise InvalidQuery("points would be deleted before they are thinned")


def policy_for(metric: str, policies: Iterable[Policy]) -> Policy | None:
    """Return the policy that counts for a metric: of those that fit, the longest pattern's."""
    fitting = [
        each for each in policies if each.what is What.METRICS and fnmatchcase(metric, each.pattern)
    ]
    return max(fitting, key=lambda each: (len(each.pattern), each.pattern), default=None)


def width_of(first_step: int, last_step: int, points: int) -> int:
    """Return how many bits wide buckets are, so that there are about `points` of them at most."""
    shift = 0
    while (last_step >> shift) - (first_step >> shift) + 1 > points:
        shift += 1
    return shift


class Retention:
    """Tells what policies ask for, and does it. Safe to repeat."""

    def __init__(
        self,
        clickhouse: ClickHouse,
        database: str,
        book: ChangeBook,
        remover: Remover,
    ) -> None:
        """Prepare; `database` is as in the settings."""
        self._clickhouse = clickhouse
        self._database = tables.raw_database(database)
        self._book = book
        self._remover = remover
        self._rollups = Rollups(clickhouse, self._database, remover)

    # ── what would be done ─────────────────────────────────────────────────

    def plan(self, now_unix_us: int, project: str = "") -> Iterator[Step]:
        """Yield what the policies ask for now, run by run; what has nothing to do is left out."""
        policies: dict[str, list[Policy]] = {}
        for policy in self._book.list_policies(project):
            policies.setdefault(policy.project, []).append(policy)
        for name, of_project in sorted(policies.items()):
            held = self._book.list_holds(name)
            yield from self._plan(name, of_project, held, now_unix_us)

    def _plan(
        self, project: str, policies: Sequence[Policy], holds: Sequence[Hold], now_unix_us: int
    ) -> Iterator[Step]:
        if any(not hold.run_id for hold in holds):
            return
        held = {hold.run_id for hold in holds}
        held |= self._shown_by(project, held)
        yield from self._plan_metrics(project, policies, held, now_unix_us)
        for policy in policies:
            if policy.what is not What.METRICS and policy.keep_s:
                yield from self._plan_table(policy, held, now_unix_us)

    def _plan_metrics(
        self, project: str, policies: Sequence[Policy], held: set[str], now_unix_us: int
    ) -> Iterator[Step]:
        # Per run and policy one step: the metrics that it is about and that have old points.
        wanted: dict[tuple[str, int, int], list[str]] = {}
        for run_id, metric, oldest_us in self._series(project):
            policy = policy_for(metric, policies)
            if policy is None or run_id in held:
                continue
            keep = now_unix_us - policy.keep_s * _US
            thin = now_unix_us - policy.thin_after_s * _US
            if policy.keep_s and oldest_us < keep:
                wanted.setdefault((run_id, keep, 0), []).append(metric)
            if policy.thin_after_s and oldest_us < thin:
                wanted.setdefault((run_id, thin, policy.thin_points), []).append(metric)
        for (run_id, before, points), metrics in sorted(wanted.items(), key=_deletions_first):
            step = Step(RunRef(project, run_id), What.METRICS, tuple(metrics), before, points)
            step = replace(step, shifts=self._shifts(step) if points else {})
            rows = self._count(step)
            if rows:
                yield replace(step, rows=rows)

    def _plan_table(self, policy: Policy, held: set[str], now_unix_us: int) -> Iterator[Step]:
        before = now_unix_us - policy.keep_s * _US
        table = _TABLES[policy.what]
        parameters = Parameters()
        sql = f"""
SELECT run_id, count() FROM {self._database}.{table}
WHERE project = {parameters.text(policy.project)} AND {_older(before, parameters)}
GROUP BY run_id ORDER BY run_id"""
        for run_id, rows in self._clickhouse.query_rows(sql, parameters.values):
            if run_id not in held:
                yield Step(RunRef(policy.project, run_id), policy.what, (), before, rows=int(rows))

    def _series(self, project: str) -> list[tuple[str, str, int]]:
        """Return run, metric and time of its oldest point, Unix µs; of texts and files as well."""
        parameters = Parameters()
        of = f"project = {parameters.text(project)}"
        sql = f"""
SELECT run_id, metric, min(us) FROM (
  SELECT run_id, metric, toUnixTimestamp64Micro(min(min_ts)) AS us FROM {self._database}.series
  WHERE {of} GROUP BY run_id, metric
  UNION ALL SELECT run_id, metric, toUnixTimestamp64Micro(min(ts))
  FROM {self._database}.{tables.TEXT_POINTS} WHERE {of} GROUP BY run_id, metric)
GROUP BY run_id, metric ORDER BY run_id, metric"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        return [(run_id, metric, int(us)) for run_id, metric, us in rows]

    def _shown_by(self, project: str, held: set[str]) -> set[str]:
        """Return the ancestors of held runs: what these show lies with them."""
        if not held:
            return set()
        parameters = Parameters()
        sql = f"""
SELECT DISTINCT run_id, parent_run_id FROM {self._database}.{tables.BRANCHES} FINAL
WHERE project = {parameters.text(project)} AND parent_run_id != run_id"""
        parents: dict[str, set[str]] = {}
        for child, parent in self._clickhouse.query_rows(sql, parameters.values):
            parents.setdefault(child, set()).add(parent)
        found: set[str] = set()
        waiting = list(held)
        while waiting:
            new = parents.get(waiting.pop(), set()) - found
            found |= new
            waiting += new
        return found

    def _count(self, step: Step) -> int:
        found = 0
        for table in (tables.POINTS, tables.TEXT_POINTS):
            parameters = Parameters()
            where = self._going(table, step, parameters)
            if where:
                sql = f"SELECT count() FROM {self._database}.{table} WHERE {where}"
                found += int(self._clickhouse.query_rows(sql, parameters.values)[0][0])
        return found

    # ── doing it ───────────────────────────────────────────────────────────

    def begin(self, step: Step, at_unix_us: int) -> Change:
        """Return the change that one step is; nothing is stored yet."""
        request = {
            "what": str(step.what),
            "metrics": list(step.metrics),
            "before_unix_us": step.before_unix_us,
            "thin_points": step.thin_points,
            "shifts": dict(step.shifts),
        }
        kind, ref = ChangeKind.RETENTION, step.ref
        return Change(
            uuid.uuid4(), ref.project, ref.run_id, kind, "retention", at_unix_us, request=request
        )

    def carry_out(self, change: Change, now_unix_us: int) -> dict[str, Any]:
        """Carry out a step; return what its receipt has to say.

        Raises:
            Held: There is a legal hold meanwhile.
        """
        self._book.refuse_held(change.project, change.run_id)
        asked = change.request
        what = What(asked["what"])
        step = Step(
            change.ref,
            what,
            tuple(asked["metrics"]),
            asked["before_unix_us"],
            asked["thin_points"],
            shifts=asked["shifts"],
        )
        told: dict[str, Any] = dict(change.receipt)
        if "rows" not in told:  # counted once, before anything goes: what is counted again is less
            counted = {table: self._lines(table, step) for table in _tables_of(what)}
            lines = [line for found in counted.values() for line, _ in found]
            self._book.note_lines(change, lines)
            told = self._before(step) | {"rows": sum(line.removed.count for line in lines)}
            told["newest"] = {table: _newest(found) for table, found in counted.items()}
            self._book.put(replace(change, state=ChangeState.BEGUN, receipt=told), now_unix_us)
        verb = "thinned" if step.thin_points else "deleted"
        title = f"retention {verb} {told['rows']} rows of {what}"
        self._book.tell(change, "thinned", title, rows=str(told["rows"]), what=str(what))
        for table, newest in told["newest"].items():
            if newest:
                parameters = Parameters()
                where = self._going(table, step, parameters, newest)
                self._remover.hide(table, where, parameters)
        if what is What.METRICS:
            self._rollups.rebuild(step.ref, step.metrics)
        return {name: value for name, value in told.items() if name != "newest"}

    def free(self, done: Iterable[Change]) -> None:
        """Give back the space of what these steps took out: once for all, because parts are written anew."""
        parts = {What(change.request["what"]) for change in done}
        for table in sorted({table for what in parts for table in _tables_of(what)}):
            self._remover.free(table)

    def _before(self, step: Step) -> dict[str, Any]:
        size = 0
        for table in _tables_of(step.what):
            parameters = Parameters()
            where = self._going(table, step, parameters)
            if where:
                size += measure(self._clickhouse, self._database, table, where, parameters).bytes
        return {"bytes": size}

    def _lines(self, table: str, step: Step) -> list[tuple[LineChange, int]]:
        """Count what goes by process life, a replay once; return the highest version beside it."""
        kind, one, rank = _COUNTED[table]
        parameters = Parameters()
        where = self._going(table, step, parameters)
        if not where:
            return []
        sql = f"""
SELECT {rank} AS of_rank, bitShiftRight(ver, 32) AS session, count(), sum({one}), max(ver)
FROM {self._database}.{table} FINAL WHERE {where} GROUP BY of_rank, session"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        return [
            (LineChange(kind, of_rank, session, Tally(count, total)), newest)
            for of_rank, session, count, total, newest in rows
        ]

    def _going(
        self,
        table: str,
        step: Step,
        parameters: Parameters,
        newest: Sequence[Sequence[int]] | None = None,
    ) -> str:
        """Return the condition that picks what goes; empty where nothing of the table does.

        With `newest`, only what was there when it was counted.
        """
        where = f"{of_run(step.ref, parameters)} AND {_older(step.before_unix_us, parameters)}"
        where += "" if newest is None else up_to(newest, _COUNTED[table][2])
        if step.what is not What.METRICS:
            return where
        of_metrics = f"metric IN {parameters.texts(list(step.metrics))}"
        where += f" AND {of_metrics}"
        if not step.thin_points:
            return where
        if table == tables.TEXT_POINTS:
            return ""  # texts and files are no charts: they are kept until they are deleted
        names, widths = list(step.shifts), list(step.shifts.values())
        if not names:
            return ""
        shift = f"transform(toString(metric), {parameters.texts(names)}, {parameters.wholes(widths)}, toInt64(0))"
        kept = self._kept(where, shift)
        return f"{where} AND (metric, step, rank, ver) NOT IN ({kept})"

    def _shifts(self, step: Step) -> dict[str, int]:
        """Return how wide the buckets of each metric are; the same however often it is asked."""
        parameters = Parameters()
        sql = f"""
SELECT metric, min(min_step), max(max_step) FROM {self._database}.series
WHERE {of_run(step.ref, parameters)} AND metric IN {parameters.texts(list(step.metrics))}
GROUP BY metric"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        shifts = {m: width_of(low, high, step.thin_points) for m, low, high in rows}
        return {metric: shift for metric, shift in shifts.items() if shift}

    def _kept(self, where: str, shift: str) -> str:
        """Return a subquery of the points that stay, by metric, step, rank and version.

        Of every process life apart, so that it is right whatever a rewind hides; and of the newest
        versions together, so that a correction does not hide what had to stay. Ties go to the lower step:
        what stays is the same when some of the others are gone already.
        """
        source = f"SELECT metric, step, rank, value, ver FROM {self._database}.points FINAL WHERE {where}"
        bucket = f"bitShiftRight(step, {shift})"
        newest = f"SELECT * FROM ({source}) ORDER BY metric, step, rank, ver DESC LIMIT 1 BY metric, step, rank"
        apart = _representatives(source, bucket, "metric, rank, bitShiftRight(ver, 32)")
        together = _representatives(newest, bucket, "metric, rank")
        return f"{apart} UNION ALL {together}"


def _representatives(source: str, bucket: str, series: str) -> str:
    at = "(step, ver)"
    finite = "isFinite(value)"
    picks = ", ".join(
        (
            f"min({at})",
            f"max({at})",
            f"argMinIf({at}, (value, step, ver), {finite})",
            f"argMinIf({at}, (-value, step, ver), {finite})",
            f"minIf({at}, isNaN(value))",
            f"minIf({at}, value = inf)",
            f"minIf({at}, value = -inf)",
        )
    )
    return f"""
SELECT metric, pick.1 AS step, rank, pick.2 AS ver FROM (
  SELECT metric, rank, arrayJoin([{picks}]) AS pick FROM ({source}) GROUP BY {series}, {bucket})"""


def _older(before_unix_us: int, parameters: Parameters) -> str:
    return f"ts < fromUnixTimestamp64Micro({parameters.whole(before_unix_us)}, 'UTC')"


def _tables_of(what: What) -> tuple[str, ...]:
    if what is What.METRICS:
        return (tables.POINTS, tables.TEXT_POINTS)
    return (_TABLES[what],)


def _deletions_first(item: tuple[tuple[str, int, int], list[str]]) -> tuple[str, int]:
    (run_id, _, points), _ = item
    return run_id, points


def _newest(found: Iterable[tuple[LineChange, int]]) -> list[list[int]]:
    return [[line.rank << 32 | line.session, version] for line, version in found]


_TABLES: Final = {What.CONSOLE: tables.CONSOLE, What.SYSTEM: tables.SYSTEM_POINTS}
_COUNTED: Final[dict[str, tuple[Kind, str, str]]] = {
    tables.POINTS: (Kind.POINTS, digest.POINT_SQL, "rank"),
    tables.TEXT_POINTS: (Kind.TEXTS, digest.TEXT_SQL, "rank"),
    tables.SYSTEM_POINTS: (Kind.SYSTEM, digest.SYSTEM_SQL, "rank"),
    tables.CONSOLE: (Kind.LINES, digest.LINE_SQL, "agent_rank"),
}
