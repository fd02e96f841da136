"""What is known of series before any point is read: ranges of step, time and value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from weir_store import thinning
from weir_store.buckets import INT64
from weir_store.clickhouse import ClickHouse
from weir_store.lineage import Lineage, Piece
from weir_store.lives import Life, ends_at_a_guess, lives_by_rank, unsafe_steps
from weir_store.parameters import Parameters
from weir_store.plan import SeriesKey, Span, StepRange
from weir_store.points_source import EVERY_STEP, PointsSource
from weir_store.reader_live import of_runs
from weir_store.records import RunRef
from weir_store.sight import Sight, bent_sql

MAX_PIECES = 100  # SELECTs put together in one statement, roughly


class SpanReader:
    """Looks at the small tables so that the large ones are asked little."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._clickhouse = clickhouse
        self.database = database

    def read(
        self,
        sight: Sight,
        metrics: Sequence[str],
        ranks: Sequence[int] | None,
        *,
        times: bool = False,
    ) -> list[Span]:
        """Return the spans of all series that have points, by key.

        Args:
            sight: Whose series.
            metrics: Which of them.
            ranks: Which ranks; None = all.
            times: Whether the times must be those of points that are shown.
        """
        found = {span.key: span for span in self._plain(sight.plain, metrics, ranks)}
        guessed: list[Span] = []
        for span, lives in self._bent(sight.bent, metrics, ranks):
            found[span.key] = span
            if ends_at_a_guess(lives) or (times and any(life.is_cut_off for life in lives)):
                guessed.append(span)
        for pack in few_pieces([_placed(span, sight) for span in guessed]):
            found.update((span.key, span) for span in self._measured(pack, ranks, times))
        return [_placed(found[key], sight) for key in sorted(found)]

    def _plain(
        self, runs: Sequence[RunRef], metrics: Sequence[str], ranks: Sequence[int] | None
    ) -> Iterator[Span]:
        if not runs:
            return
        parameters = Parameters()
        where = of_runs(runs, parameters) + _of(metrics, ranks, parameters)
        source = f"{self.database}.series WHERE {where}"
        life = f"(rank, session, 0, min_step, max_step, {INT64[1]}, rewrite)"
        doubtful = "max(series.rewrite) OR uniqExact(rank, session) > ranks"
        for *key, ranks_of, low, high, rows, born, seen in self._rows(
            source, life, doubtful, parameters
        ):
            unsafe = unsafe_steps(lives_by_rank(rows))
            yield Span(_key(key), low, high, ranks_of, unsafe, born, seen)

    def _bent(
        self,
        bent: Mapping[RunRef, Lineage],
        metrics: Sequence[str],
        ranks: Sequence[int] | None,
    ) -> Iterator[tuple[Span, list[Life]]]:
        """Yield spans with all their lives: some may be cut off."""
        if not bent:
            return
        parameters = Parameters()
        select, more = (
            f"SELECT * FROM {self.database}.series WHERE ",
            _of(metrics, ranks, parameters),
        )
        seen_rows = bent_sql(select, bent, more, parameters)
        source = f"({seen_rows}) AS series WHERE min_step <= top"
        life = "(rank, session, depth, min_step, max_step, top, rewrite)"
        for *names, ranks_of, low, _, rows, born, seen in self._rows(
            source, life, "true", parameters
        ):
            key, by_rank = _key(names), lives_by_rank(rows)
            lives = [life for of_rank in by_rank for life in of_rank]
            high = max(life.reach for life in lives)
            depths = frozenset(depth for _, _, depth, *_ in rows)
            unsafe, lineage = unsafe_steps(by_rank), bent[RunRef(*key[:2])]
            yield Span(key, low, high, ranks_of, unsafe, born, seen, lineage, depths), lives

    def _rows(
        self, source: str, life: str, doubtful: str, parameters: Parameters
    ) -> list[tuple[Any, ...]]:
        """Ask for each series: name, how many ranks, ends of steps, lives if doubtful, ends of times."""
        sql = f"""
SELECT {thinning.SERIES}, uniqExact(rank) AS ranks, min(min_step), max(max_step),
  if({doubtful}, groupArray({life}), []),
  toUnixTimestamp64Micro(min(min_ts)), toUnixTimestamp64Micro(max(max_ts))
FROM {source} GROUP BY {thinning.SERIES}"""
        return self._clickhouse.query_rows(sql, parameters.values)

    def _measured(
        self, spans: Sequence[Span], ranks: Sequence[int] | None, times: bool
    ) -> list[Span]:
        """Ask the points where series end that a rewind or a fork cut off."""
        parameters = Parameters()
        keys = [span.key for span in spans]
        steps = EVERY_STEP if times else self.tail(spans, ranks)
        points = PointsSource(self.database, spans, ranks).points({steps: keys}, parameters)
        sql = f"""
SELECT {thinning.SERIES}, max(step),
  toUnixTimestamp64Micro(min(ts)), toUnixTimestamp64Micro(max(ts))
FROM {points} GROUP BY {thinning.SERIES}"""
        known = {span.key: span for span in spans}
        found = []
        for *names, last, born, seen in self._clickhouse.query_rows(sql, parameters.values):
            span = replace(known[_key(names)], last_step=last)
            found.append(replace(span, first_unix_us=born, last_unix_us=seen) if times else span)
        return found

    def tail(self, spans: Sequence[Span], ranks: Sequence[int] | None) -> StepRange:
        """Return steps among which the last one shown is, for every rank of these series."""
        parameters = Parameters()
        rows = PointsSource(self.database, spans, ranks).begun([s.key for s in spans], parameters)
        sql = f"""
SELECT min(begun) FROM (
  SELECT max(min_step) AS begun FROM {rows} GROUP BY {thinning.SERIES}, rank)"""
        first = self._clickhouse.query_rows(sql, parameters.values)[0][0]
        return first, EVERY_STEP[1]

    def births(self, sight: Sight) -> Mapping[RunRef, int]:
        """Return when each run, or the oldest it was forked from, logged its first point, Unix µs.

        Points that are hidden now count: nothing moves when a run is rewound. Runs without points are absent.
        """
        from_whom = {run: [run] for run in sight.plain} | sight.sources()
        if not from_whom:
            return {}
        parameters = Parameters()
        everybody = sorted({each for run in from_whom.values() for each in run})
        sql = f"""
SELECT project, run_id, toUnixTimestamp64Micro(min(min_ts)) FROM {self.database}.series
WHERE {of_runs(everybody, parameters)} GROUP BY project, run_id"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        born = {RunRef(project, run): first for project, run, first in rows}
        known = {
            run: [born[each] for each in whom if each in born] for run, whom in from_whom.items()
        }
        return {run: min(moments) for run, moments in known.items() if moments}

    def values(
        self, spans: Sequence[Span], ranks: Sequence[int] | None
    ) -> tuple[float, float] | None:
        """Return the range of the finite values of these series; `None` when there is none."""
        ends: list[float] = []
        for pack in few_pieces(spans):
            parameters = Parameters()
            points = PointsSource(self.database, pack, ranks)
            sql = f"""
SELECT minIf(value, isFinite(value)), maxIf(value, isFinite(value)), countIf(isFinite(value))
FROM {points.points({EVERY_STEP: [span.key for span in pack]}, parameters)}"""
            low, high, found = self._clickhouse.query_rows(sql, parameters.values)[0]
            ends += [low, high] if found else []
        return (min(ends), max(ends)) if ends else None


def few_pieces(spans: Iterable[Span]) -> Iterator[list[Span]]:
    """Cut series into packs, in order, so that no statement has too many SELECTs."""
    pack: list[Span] = []
    pieces: set[tuple[str, Piece]] = set()  # the same piece of several runs is one SELECT
    for span in spans:
        if len(pieces) >= MAX_PIECES:
            yield pack
            pack, pieces = [], set()
        if span.lineage and not (pack and pack[-1].key[:2] == span.key[:2]):
            pieces.update((span.key[0], piece) for piece in span.lineage.pieces)
        pack.append(span)
    if pack:
        yield pack


def by_metric(spans: Iterable[Span]) -> dict[str, list[Span]]:
    """Group spans by the name of their metric."""
    groups: dict[str, list[Span]] = {}
    for span in spans:
        groups.setdefault(span.key[2], []).append(span)
    return groups


def _key(names: Sequence[Any]) -> SeriesKey:
    project, run_id, metric = names
    return project, run_id, metric


def _of(metrics: Sequence[str], ranks: Sequence[int] | None, parameters: Parameters) -> str:
    return f" AND metric IN {parameters.texts(metrics)}{thinning.of_ranks(ranks, parameters)}"


def _placed(span: Span, sight: Sight) -> Span:
    """Return a span that says whether its run's points may lie in files."""
    return replace(span, cold=True) if sight.cold and sight.is_cold(RunRef(*span.key[:2])) else span
