"""Asking ClickHouse for reductions over ranks, nodes, roles, attempts, runs and seeds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from weir_store import answers
from weir_store.attributes import METRIC_RULE
from weir_store.buckets import shifts, whole_range
from weir_store.clickhouse import ClickHouse
from weir_store.errors import InvalidQuery
from weir_store.parameters import Parameters
from weir_store.plan import Span, StepRange
from weir_store.points_source import PointsSource
from weir_store.ranks import checks, lines, shapes
from weir_store.ranks.base import BY_SEAT, Interval, Over, ReduceQuery, Reduction
from weir_store.ranks.declared import Declared, read_declared
from weir_store.ranks.reduce_sql import Recipe, reduced_sql
from weir_store.ranks.seats import seated_sql, seats_sql
from weir_store.reader_details import DetailsReader
from weir_store.reader_lineage import LineageReader
from weir_store.reader_live import of_runs
from weir_store.reader_spans import MAX_PIECES, SpanReader, by_metric
from weir_store.records import RunRef
from weir_store.sight import Sight

_BETWEEN = "\x1f"  # names hold no control characters
_SETTINGS = {"max_bytes_before_external_group_by": 1 << 30}


class ReduceReader:
    """Answers `read_reduced`."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._clickhouse = clickhouse
        self._database = database
        self._lineages = LineageReader(clickhouse, database)
        self._spans = SpanReader(clickhouse, database)
        self._details = DetailsReader(clickhouse, database)

    def read_reduced(self, query: ReduceQuery) -> pa.Table:
        """Put values together; see `RankReader.read_reduced`."""
        checks.check_reduce(query)
        sight = self._lineages.live(query.runs)
        spans = self._spans.read(sight, query.metrics, query.ranks)
        _check_pieces(spans)
        question = _Question(
            query, sight, spans, lines.run_lines(query, self._labels(query, sight))
        )
        tables: list[pa.Table] = []
        for recipe, few in question.recipes(self._declared(sight)).items():
            tables.append(self._read(question, recipe, few))
            checks.check_rows(sum(table.num_rows for table in tables))
        schema = shapes.reduced(query.quantiles)
        found = pa.concat_tables(tables or [schema.empty_table()])
        return found.sort_by(
            [(name, "ascending") for name in ("metric", "project", "line", "step")]
        )

    def _read(self, question: _Question, recipe: Recipe, spans: Sequence[Span]) -> pa.Table:
        parameters = Parameters()
        points = question.points(self._database, spans, parameters)
        table = self._clickhouse.query_arrow(
            f"{reduced_sql(points, recipe)} LIMIT {checks.MAX_ROWS + 1}",
            parameters.values,
            _SETTINGS,
        )
        return question.told(table)

    def _labels(self, query: ReduceQuery, sight: Sight) -> dict[RunRef, lines.Labels]:
        """Return what tells the runs that exist apart."""
        runs = sorted([*sight.plain, *sight.bent])
        told_apart = set(lines.keys_of(query)) - {"run", *BY_SEAT}
        if not runs or not (told_apart or query.over is Over.SEEDS):
            return dict.fromkeys(runs, lines.Labels())
        paths = (
            None
            if query.over is Over.SEEDS
            else {"config": _config(query), "summary": [], "meta": []}
        )
        held = self._details.attributes(runs, sight, paths)
        return {
            run: lines.Labels(told.text("group"), told.text("job_type"), told.config)
            if (told := held.get(run))
            else lines.Labels()
            for run in runs
        }

    def _declared(self, sight: Sight) -> Declared:
        """Return how the runs' ranks become one value; forked runs say it themselves."""
        runs = sorted([*sight.plain, *sight.bent])
        if not runs:
            return Declared()
        parameters = Parameters()
        sql = f"""
SELECT path, str, max(ver) FROM {self._database}.run_attrs FINAL
WHERE {of_runs(runs, parameters)} AND ns = 'meta' AND startsWith(path, '{METRIC_RULE}')
  AND position(str, '"reduce"') > 0
GROUP BY path, str"""
        return read_declared(self._clickhouse.query_rows(sql, parameters.values))


class _Question:
    """One question and what is known before any point is read."""

    def __init__(
        self, query: ReduceQuery, sight: Sight, spans: Sequence[Span], by_run: Mapping[RunRef, str]
    ) -> None:
        self._query = query
        self._sight = sight
        self._spans = spans
        self._runs = list(by_run)  # a run's number is its place here
        self._lines = sorted({(run.project, line) for run, line in by_run.items()})
        numbers = {line: number for number, line in enumerate(self._lines)}
        self._line_no = [numbers[run.project, line] for run, line in by_run.items()]
        self._seat_keys = tuple(key for key in lines.keys_of(query) if key in BY_SEAT)
        self._steps: StepRange = whole_range(query.x_min, query.x_max)

    def recipes(self, declared: Declared) -> dict[Recipe, list[Span]]:
        """Put series that are treated the same together."""
        groups = by_metric(self._spans)
        reach = {
            metric: (min(each.first_step for each in group), max(each.last_step for each in group))
            for metric, group in groups.items()
        }
        widths = shifts(reach, self._steps, self._query.max_points)
        recipes: dict[Recipe, list[Span]] = defaultdict(list)
        for metric, group in groups.items():
            recipe = self._recipe(declared.of(metric), widths[metric])
            self._check_interval(recipe, group)
            recipes[recipe] += group
        return recipes

    def _recipe(self, declared: Reduction, shift: int) -> Recipe:
        query = self._query
        of_runs_together = query.over in (Over.RUNS, Over.SEEDS)
        value = query.reduce or (Reduction.MEAN if of_runs_together else declared)
        within = value if query.over is Over.RANKS else declared
        return Recipe(
            query.over, within, value, query.interval, query.quantiles, shift, self._seat_keys
        )

    def _check_interval(self, recipe: Recipe, spans: Sequence[Span]) -> None:
        if recipe.interval is not Interval.BOOTSTRAP:
            return
        first, end = self._steps
        low = max(min(span.first_step for span in spans), first)
        high = min(max(span.last_step for span in spans), end - 1)
        buckets = max(0, (high >> recipe.shift) - (low >> recipe.shift) + 1)
        units = (
            len(spans) if recipe.over in (Over.RUNS, Over.SEEDS) else sum(s.ranks for s in spans)
        )
        checks.check_resampled(buckets * units)

    def points(self, database: str, spans: Sequence[Span], parameters: Parameters) -> str:
        """Return a SELECT of what `reduced_sql` wants."""
        query = self._query
        source = PointsSource(database, spans, query.ranks)
        keys = [span.key for span in spans]
        points = source.points({self._steps: keys}, parameters)
        columns, seat = "project, run_id, metric, rank, step, value", ""
        if lines.needs_seats(query):
            seats = seats_sql(database, self._sight, parameters)
            points = f"({seated_sql(points, columns, seats, query.roles, parameters)})"
            seat = ", role, node, attempt"
        run_no, line_no = self._numbers(parameters)
        return f"SELECT metric, {run_no} AS run_no, {line_no} AS line_no, rank, step, value{seat} FROM {points}"

    def _numbers(self, parameters: Parameters) -> tuple[str, str]:
        """Return the SQL of a row's run and line as numbers."""
        if len(self._runs) == 1:
            return "toUInt32(0)", "toUInt32(0)"
        name = "run_id"
        names = [run.run_id for run in self._runs]
        if len({run.project for run in self._runs}) > 1:
            name = f"concat(project, {parameters.text(_BETWEEN)}, run_id)"
            names = [f"{run.project}{_BETWEEN}{run.run_id}" for run in self._runs]
        told = parameters.texts(names)
        places = parameters.wholes(range(len(names)))
        numbers = parameters.wholes(self._line_no)
        return tuple(  # type: ignore[return-value]
            f"toUInt32(transform(toString({name}), {told}, {each}, toInt64(0)))"
            for each in (places, numbers)
        )

    def told(self, table: pa.Table) -> pa.Table:
        """Put names in the place of numbers."""
        schema = shapes.reduced(self._query.quantiles)
        line_no = table["line_no"]
        projects = pa.array([project for project, _ in self._lines], pa.string())
        names = pa.array([line for _, line in self._lines], pa.string())
        columns = {
            "project": projects.take(line_no.combine_chunks()),
            "line": _joined([names.take(line_no.combine_chunks()), *self._seat_names(table)]),
        }
        run_ids = pa.array([run.run_id for run in self._runs], pa.string())
        for end in ("min", "max"):
            cause = pc.cast(table[f"{end}_cause"].combine_chunks(), pa.uint64())
            named = run_ids.take(pc.shift_right(cause, 32))
            known = pc.is_finite(table[end].combine_chunks())
            columns[f"{end}_run_id"] = pc.if_else(known, named, "")
            columns[f"{end}_rank"] = pc.bit_wise_and(cause, 0xFFFF_FFFF)
        for name, column in columns.items():
            table = table.append_column(name, column)
        return answers.conform(table, schema)

    def _seat_names(self, table: pa.Table) -> list[pa.Array]:
        names = []
        for key in self._seat_keys:
            column = pc.cast(table[key].combine_chunks(), pa.string())
            names.append(
                pc.binary_join_element_wise(key, column, " ") if key == "attempt" else column
            )
        return names


def _joined(parts: Sequence[pa.Array]) -> pa.Array:
    """Join the parts of lines; what is empty is left out."""
    joined = parts[0]
    for part in parts[1:]:
        both = pc.binary_join_element_wise(joined, part, lines.BETWEEN)
        joined = pc.if_else(
            pc.equal(joined, ""), part, pc.if_else(pc.equal(part, ""), joined, both)
        )
    return joined


def _config(query: ReduceQuery) -> list[str]:
    keys = lines.keys_of(query)
    return [key.removeprefix(checks.CONFIG) for key in keys if key.startswith(checks.CONFIG)]


def _check_pieces(spans: Sequence[Span]) -> None:
    """Refuse what would be a statement of too many SELECTs: runs that were rewound or forked."""
    pieces = {
        (span.key[0], piece) for span in spans if span.lineage for piece in span.lineage.pieces
    }
    if len(pieces) > 2 * MAX_PIECES:
        raise InvalidQuery(
            f"rewound and forked runs of {len(pieces)} pieces in one question",
            hint=f"at most {2 * MAX_PIECES}: ask for fewer such runs at once",
        )
