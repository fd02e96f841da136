"""Asking ClickHouse whom the others wait for."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa

from weir_store import answers
from weir_store.buckets import step_shift, whole_range
from weir_store.clickhouse import ClickHouse
from weir_store.parameters import Parameters
from weir_store.plan import Span
from weir_store.ranks import checks, shapes
from weir_store.ranks.base import StragglerBoard, StragglerQuery
from weir_store.ranks.board import PARTS, Share, node_table, rank_table
from weir_store.ranks.names import find_metric, seconds_in
from weir_store.ranks.one_run import Logged, OneRun, OneRunReader
from weir_store.ranks.seats import node_name_sql
from weir_store.ranks.straggler_sql import distances_sql, shares_sql, steps_sql, timeline_sql


class StragglerReader:
    """Answers `read_stragglers`."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._clickhouse = clickhouse
        self._runs = OneRunReader(clickhouse, database)

    def read_stragglers(self, query: StragglerQuery) -> StragglerBoard:
        """Return whom the others wait for; see `RankReader.read_stragglers`."""
        checks.check_stragglers(query)
        run = self._runs.read(query.ref)
        times = TimesOfSteps.find(query, run.logged)
        spans = self._runs.spans(run, times.metrics) if times.metric else []
        if not any(span.key[2] == times.metric for span in spans):
            return _board(query, times, [], shapes.STRAGGLER_STEPS.empty_table(), 0.0)
        # Neither of the two keeps every core busy to its end.
        with ThreadPoolExecutor(1, thread_name_prefix="weir-timeline") as beside:
            waiting = beside.submit(self._timeline, query, run, times, spans)
            shares = self._shares(query, run, times, spans)
            timeline = waiting.result()
        usual_s = timeline["usual_s"][0].as_py() if timeline.num_rows else 0.0
        return _board(query, times, shares, timeline, usual_s)

    def _shares(
        self, query: StragglerQuery, run: OneRun, times: TimesOfSteps, spans: Sequence[Span]
    ) -> list[Share]:
        parameters = Parameters()
        points = self._points(query, run, times, spans, parameters)
        steps = times.steps_sql(points, parameters, shown="ranks, nodes, times,")
        named = node_name_sql("node_no", run.seats, parameters)
        sql = shares_sql(steps, query.half_life_steps, named)
        rows = self._clickhouse.query_rows(sql, parameters.values)
        return [Share(*row) for row in rows]

    def _timeline(
        self, query: StragglerQuery, run: OneRun, times: TimesOfSteps, spans: Sequence[Span]
    ) -> pa.Table:
        spans = [span for span in spans if span.key[2] == times.metric]
        first, end = whole_range(query.x_min, query.x_max)
        low = max(min(span.first_step for span in spans), first)
        high = min(max(span.last_step for span in spans), end - 1)
        shift = step_shift(low, max(low, high), query.max_points)
        parameters = Parameters()
        points = self._points(query, run, times, spans, parameters)
        steps = times.alone().steps_sql(points, parameters)
        return self._clickhouse.query_arrow(timeline_sql(steps, shift), parameters.values)

    def _points(
        self,
        query: StragglerQuery,
        run: OneRun,
        times: TimesOfSteps,
        spans: Sequence[Span],
        parameters: Parameters,
    ) -> str:
        steps = whole_range(query.x_min, query.x_max)
        points = self._runs.points(run, spans, steps, query.roles, parameters)
        return times.in_seconds(points, parameters)


class TimesOfSteps:
    """Where a run says how long its steps took, and what that was made of."""

    def __init__(self, metric: str, from_times: bool, parts: dict[str, str]) -> None:
        self.metric = metric
        self.from_times = from_times
        self.parts = parts

    @classmethod
    def find(cls, query: StragglerQuery, logged: Sequence[Logged]) -> TimesOfSteps:
        """Find them by name; else the metric whose points' times tell most."""
        names = [each.metric for each in logged]
        metric = query.metric or find_metric(names, query.names.step_time)
        if not metric:
            return cls(most_logged(logged), True, {})
        wanted = zip(PARTS, (query.names.data, query.names.compute, query.names.comm), strict=True)
        found = {part: find_metric(names, called) for part, called in wanted}
        return cls(metric, False, {part: name for part, name in found.items() if name})

    @property
    def metrics(self) -> list[str]:
        """All of them."""
        return sorted({self.metric, *self.parts.values()})

    def alone(self) -> TimesOfSteps:
        """Return it without what the times are made of."""
        return TimesOfSteps(self.metric, self.from_times, {})

    def in_seconds(self, points: str, parameters: Parameters) -> str:
        """Return the points with values in seconds."""
        if self.from_times:
            return distances_sql(points)
        scaled = [name for name in self.metrics if seconds_in(name) != 1]
        if not scaled:
            return points
        scale = f"if(metric IN {parameters.texts(scaled)}, 1e-3, 1)"
        return f"SELECT metric, rank, step, role, node_no, held.value * {scale} AS value FROM ({points}) AS held"

    def steps_sql(self, points: str, parameters: Parameters, shown: str = "") -> str:
        """Return one row per role and step."""

        def called(name: str) -> str:
            return f"metric = {parameters.text(name)}"

        time = called(self.metric) if self.parts else "true"
        parts = {part: called(name) for part, name in self.parts.items()}
        return steps_sql(points, time, parts, shown)


def most_logged(logged: Sequence[Logged]) -> str:
    """Return the metric that most ranks log, of those the one over most steps; "" = only one rank logs."""
    several = [each for each in logged if each.ranks > 1]
    best = max(several, key=lambda each: (each.ranks, each.steps, each.metric), default=None)
    return best.metric if best else ""


def _board(
    query: StragglerQuery,
    times: TimesOfSteps,
    shares: list[Share],
    timeline: pa.Table,
    usual_s: float,
) -> StragglerBoard:
    steps = sum(timeline["steps"].to_pylist())
    return StragglerBoard(
        query.ref,
        times.metric,
        times.from_times,
        steps,
        usual_s,
        sum(timeline["lost_s"].to_pylist()),
        query.half_life_steps,
        rank_table(shares),
        node_table(shares, steps),
        answers.conform(timeline, shapes.STRAGGLER_STEPS),
    )
