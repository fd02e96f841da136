"""The SQL that reads points which can be seen, each once and in its newest version.

Steps that no rank logged twice are read with FINAL alone: it takes replays
away. Where a correction may lie beside what it corrects (`Span.unsafe`), the
newest version of each point is taken: by sorting as the table is sorted and
keeping the first, which is two to four times as fast as argMax here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from weir_store import thinning
from weir_store.buckets import INT64
from weir_store.lineage import Piece
from weir_store.parameters import Parameters
from weir_store.plan import MAX_SPLIT, ROLLUP_SHIFT, SeriesKey, Span, StepRange
from weir_store.records import RunRef
from weir_store.sight import SESSION, piece_sql, shown_sql

Wanted: TypeAlias = Mapping[StepRange, Sequence[SeriesKey]]
"""Which steps of which series."""

EVERY_STEP: StepRange = INT64
_COLUMNS = f"{thinning.SERIES}, rank, step, value, ts, ver"
_POINT = f"{thinning.SERIES}, step, rank"


def newest_sql(columns: str, source: str, point: str, *, depth: bool = False) -> str:
    """Return a SELECT of the newest version of each point.

    Args:
        columns: What to select.
        source: What stands after FROM; replays are gone already.
        point: The columns that name a point, in the order of the table.
        depth: The source has pieces of a lineage: the lowest depth goes before the newest version.
    """
    order = f"{point}, depth, ver DESC" if depth else f"{point}, ver DESC"
    return f"SELECT * FROM (SELECT {columns} FROM {source} ORDER BY {order} LIMIT 1 BY {point})"


@dataclass(frozen=True, slots=True)
class _Table:
    """A table, and what of its rows is compared: with the steps wanted, and with what can be seen."""

    name: str
    columns: str
    step: str
    seen: str
    session: str


_POINTS = _Table("points FINAL", _COLUMNS, "step", "step", SESSION)
_ALL_POINTS = replace(_POINTS, name="all_points")
_ROLLUP = _Table("points_64", "*", f"bitShiftLeft(bucket, {ROLLUP_SHIFT})", "max_step", "session")
_BEGUN = replace(_ROLLUP, seen="min_step")


@dataclass(frozen=True, slots=True)
class _Share:
    """A piece that some runs have in common: what they want of it is the same."""

    project: str
    depth: int  # 0 where it does not matter
    piece: Piece
    wanted: tuple[tuple[StepRange, tuple[str, ...]], ...]  # steps, metrics


class PointsSource:
    """Makes the FROM clauses of one question from what is known of its series."""

    def __init__(
        self, database: str, spans: Iterable[Span], ranks: Sequence[int] | None = None
    ) -> None:
        self._database = database
        self._spans = {span.key: span for span in spans}
        self._ranks = ranks
        # Where a run is cold, the view that also has what lies in files. Replays are gone from it, too.
        is_cold = any(span.cold for span in self._spans.values())
        self._points = _ALL_POINTS if is_cold else _POINTS

    def points(self, wanted: Wanted, parameters: Parameters) -> str:
        """Return the points: project, run_id, metric, rank, step, value, ts, ver."""
        once, twice = self._by_safety(wanted)
        own, shares = self._by_source(once)
        if not (shares or twice):
            where = self._where(own, "step", parameters) if own else "false"
            return f"{self._database}.{self._points.name} WHERE {where}"
        selects = self._selects(once, self._points, parameters)
        selects += self._newest(twice, parameters)
        return f"({' UNION ALL '.join(f'SELECT {_COLUMNS} FROM ({each})' for each in selects)})"

    def rollup(self, wanted: Wanted, parameters: Parameters) -> str:
        """Return rows of `points_64`; nothing of the steps wanted may be blocked."""
        return self._rollup(wanted, _ROLLUP, parameters)

    def begun(self, keys: Sequence[SeriesKey], parameters: Parameters) -> str:
        """Return the rows of `points_64` of which the first step, at least, can be seen."""
        return self._rollup({EVERY_STEP: keys}, _BEGUN, parameters)

    def _rollup(self, wanted: Wanted, table: _Table, parameters: Parameters) -> str:
        own, shares = self._by_source(wanted)
        if not shares:
            return f"{self._database}.{table.name} WHERE {self._where(own, table.step, parameters)}"
        return f"({' UNION ALL '.join(self._selects(wanted, table, parameters))})"

    def _newest(self, wanted: Wanted, parameters: Parameters) -> Iterator[str]:
        """Yield what has to be sorted: bent runs apart, because plain ones lie in order already."""
        for is_bent in (False, True):
            some = {
                steps: [key for key in keys if (self._spans[key].lineage is not None) is is_bent]
                for steps, keys in wanted.items()
            }
            selects = self._selects(some, self._points, parameters, ranked=is_bent)
            if selects:
                source = f"({' UNION ALL '.join(selects)})"
                yield newest_sql(_COLUMNS, source, _POINT, depth=is_bent)

    def _selects(
        self, wanted: Wanted, table: _Table, parameters: Parameters, *, ranked: bool = False
    ) -> list[str]:
        """Return SELECTs of the table's columns and `depth` that together give what is wanted.

        Only when `ranked`, depth is the number of the piece: the same piece at
        another depth is a SELECT of its own then.
        """
        own, shares = self._by_source(wanted, ranked=ranked)
        select = f"SELECT {table.columns}, toUInt32(0) AS depth FROM {self._database}.{table.name}"
        selects = []
        if own:
            selects.append(f"{select} WHERE {self._where(own, table.step, parameters)}")
        for share, run_ids in shares.items():
            selects.append(self._share(share, run_ids, table, parameters))
        return selects

    def _share(
        self, share: _Share, run_ids: Sequence[str], table: _Table, parameters: Parameters
    ) -> str:
        parts = [
            f"(metric IN {parameters.texts(metrics)}{_within(steps, table.step, parameters)})"
            for steps, metrics in share.wanted
        ]
        more = f" AND ({' OR '.join(parts)}){thinning.of_ranks(self._ranks, parameters)}"
        more += shown_sql(share.piece, parameters, step=table.seen, session=table.session)
        select = f"SELECT {table.columns} FROM {self._database}.{table.name} WHERE "
        runs = [RunRef(share.project, run_id) for run_id in run_ids]
        return piece_sql(runs, share.depth, share.piece, select, more, parameters)

    def _by_safety(self, wanted: Wanted) -> tuple[Wanted, Wanted]:
        """Cut what is wanted into steps that were logged once, and those that may have been twice."""
        once: dict[StepRange, list[SeriesKey]] = defaultdict(list)
        twice: dict[StepRange, list[SeriesKey]] = defaultdict(list)
        careful = 0
        for steps, keys in wanted.items():
            for key in keys:
                unsafe = self._spans[key].unsafe
                careful += bool(unsafe)
                if unsafe and careful > MAX_SPLIT:
                    twice[steps].append(key)
                    continue
                at, end = steps
                for low, high in unsafe:
                    low, high = max(low, at), min(high, end)
                    if low < high:
                        _add(once, (at, low), key)
                        _add(twice, (low, high), key)
                        at = high
                _add(once, (at, end), key)
        return once, twice

    def _by_source(
        self, wanted: Wanted, *, ranked: bool = False
    ) -> tuple[Wanted, Mapping[_Share, Sequence[str]]]:
        """Set apart what runs show of rows that are not, or not all, shown as they lie."""
        own: dict[StepRange, list[SeriesKey]] = defaultdict(list)
        bent: dict[tuple[RunRef, int], dict[StepRange, list[str]]] = {}
        for steps, keys in wanted.items():
            for key in keys:
                span, run = self._spans[key], RunRef(*key[:2])
                pieces = span.lineage.pieces if span.lineage else (Piece(run.run_id),)
                for depth, piece in enumerate(pieces):
                    if depth == 0 and piece.shows_all:
                        own[steps].append(key)
                    elif depth in span.depths:
                        metrics = bent.setdefault((run, depth), {}).setdefault(steps, [])
                        metrics.append(key[2])
        shares: dict[_Share, list[str]] = defaultdict(list)
        for (run, depth), ranges in bent.items():
            lineage = self._spans[run.project, run.run_id, next(iter(ranges.values()))[0]].lineage
            assert lineage is not None
            told = tuple((steps, tuple(metrics)) for steps, metrics in ranges.items())
            share = _Share(run.project, depth * ranked, lineage.pieces[depth], told)
            shares[share].append(run.run_id)
        return own, shares

    def _where(self, wanted: Wanted, step: str, parameters: Parameters) -> str:
        parts = [
            f"({thinning.of_series(keys, parameters)}{_within(steps, step, parameters)})"
            for steps, keys in wanted.items()
        ]
        return f"({' OR '.join(parts)}){thinning.of_ranks(self._ranks, parameters)}"


def _within(steps: StepRange, step: str, parameters: Parameters) -> str:
    """Return the condition on steps, to be appended; a bound that excludes nothing is left out."""
    first, end = steps
    low = f" AND {step} >= {parameters.whole(first)}" if first > INT64[0] else ""
    return low + (f" AND {step} < {parameters.whole(end)}" if end < INT64[1] else "")


def _add(ranges: dict[StepRange, list[SeriesKey]], steps: StepRange, key: SeriesKey) -> None:
    if steps[0] < steps[1]:
        ranges[steps].append(key)
