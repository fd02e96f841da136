"""One run before any of its points is read: what it logs, and who sat where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from weir_store.clickhouse import ClickHouse
from weir_store.errors import UnknownRun
from weir_store.parameters import Parameters
from weir_store.plan import Span, StepRange
from weir_store.points_source import PointsSource
from weir_store.ranks.seats import (
    Seat,
    looked_up_sql,
    numbered_sql,
    seated_sql,
    seats_sql,
    simple_seats,
    sources,
)
from weir_store.reader_lineage import LineageReader
from weir_store.reader_live import of_runs
from weir_store.reader_spans import SpanReader
from weir_store.records import RunRef
from weir_store.sight import Sight


@dataclass(frozen=True, slots=True)
class Logged:
    """A metric of a run, its ancestors' included.

    Attributes:
        ranks: That have it.
        steps: From its first step to its last.
        is_finite: Whether all its values are.
    """

    metric: str
    ranks: int
    steps: int
    is_finite: bool


@dataclass(frozen=True, slots=True)
class OneRun:
    """What is known of a run; `seats` are empty for one that has no process lives."""

    ref: RunRef
    sight: Sight
    logged: tuple[Logged, ...]
    seats: tuple[Seat, ...]

    @property
    def names(self) -> list[str]:
        """The metrics that it logs."""
        return [each.metric for each in self.logged]


class OneRunReader:
    """Looks at the small tables."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._clickhouse = clickhouse
        self._database = database
        self._lineages = LineageReader(clickhouse, database)
        self._spans = SpanReader(clickhouse, database)

    def read(self, ref: RunRef) -> OneRun:
        """Return what is known of a run. Raises `UnknownRun`."""
        sight = self._lineages.live([ref])
        if not (sight.plain or sight.bent):
            raise UnknownRun.of(ref.project, ref.run_id)
        parameters = Parameters()
        whose = [RunRef(project, source) for project, _, source in sources(sight)]
        sql = f"""
SELECT metric, uniqExact(rank), max(max_step) - min(min_step) + 1,
  max(has_nan + has_pos_inf + has_neg_inf) = 0
FROM {self._database}.series WHERE {of_runs(whose, parameters)} GROUP BY metric ORDER BY metric"""
        logged = self._clickhouse.query_rows(sql, parameters.values)
        parameters = Parameters()
        sql = f"SELECT rank, session, role, node, attempt FROM ({seats_sql(self._database, sight, parameters)})"
        seats = self._clickhouse.query_rows(sql, parameters.values)
        return OneRun(
            ref,
            sight,
            tuple(Logged(metric, ranks, steps, bool(ok)) for metric, ranks, steps, ok in logged),
            tuple(Seat(*row) for row in seats),
        )

    def spans(self, run: OneRun, metrics: Sequence[str]) -> list[Span]:
        """Return the series of some metrics."""
        return self._spans.read(run.sight, metrics, None)

    def points(
        self,
        run: OneRun,
        spans: Sequence[Span],
        steps: StepRange,
        roles: Sequence[str] | None,
        parameters: Parameters,
    ) -> str:
        """Return a SELECT of metric, rank, step, ts, value, session, role, node_no (seats.py)."""
        points = PointsSource(self._database, spans).points(
            {steps: [span.key for span in spans]}, parameters
        )
        if simple_seats(run.seats):
            columns = "metric, rank, step, ts, value"
            seated = looked_up_sql(points, columns, run.seats, parameters)
            only = "" if roles is None else f" WHERE role IN {parameters.texts(roles)}"
            return f"SELECT * FROM ({seated}){only}"
        seats = seats_sql(self._database, run.sight, parameters)
        columns = "project, run_id, metric, rank, step, ts, value"
        seated = seated_sql(points, columns, seats, roles, parameters)
        return numbered_sql(seated, run.seats, parameters)
