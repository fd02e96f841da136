"""Reading points: full, thinned, or put together over ranks, of many series at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from weir_store import answers, thinning
from weir_store.axes import Axis
from weir_store.axis_choice import choose_axis
from weir_store.clickhouse import ClickHouse
from weir_store.errors import InvalidQuery
from weir_store.parameters import Parameters
from weir_store.plan import Span
from weir_store.reader_lineage import LineageReader
from weir_store.reader_spans import SpanReader, few_pieces
from weir_store.records import Reduce, SeriesQuery, XAxis

MAX_RUNS = 1_000
MAX_METRICS = 1_000
MAX_BUCKETS = 1_000_000
PACK_ROWS = 4_000_000  # rows one statement may answer, roughly
PACK_SERIES = 5_000

# A single series of hundreds of millions of rows is sorted on disk, not in memory.
_SETTINGS: dict[str, int | str] = {"max_bytes_before_external_sort": 1 << 30}
# What is packed here would be unpacked a moment later; connections that leave the machine are packed as a whole.
_ENCODED: dict[str, int | str] = {
    "output_format_arrow_low_cardinality_as_dictionary": 1,
    "output_format_arrow_compression_method": "none",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and what is bound to it."""

    sql: str
    parameters: Parameters


class SeriesReader:
    """Answers `read_series` and `stream_series`."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._clickhouse = clickhouse
        self._database = database
        self._spans = SpanReader(clickhouse, database)
        self._lineages = LineageReader(clickhouse, database)

    def read_series(self, query: SeriesQuery) -> pa.Table:
        """Read everything into one table; see `Reader.read_series`."""
        schema = answers.series_schema(query)
        tables = [
            self._clickhouse.query_arrow(each.sql, each.parameters.values, _settings(query))
            for each in self._statements(query)
        ]
        return pa.concat_tables(
            [answers.conform(table, schema) for table in tables] or [schema.empty_table()]
        )

    def stream_series(self, query: SeriesQuery) -> Iterator[pa.RecordBatch]:
        """Read the same rows batch by batch; see `Reader.stream_series`."""
        schema, settings = answers.series_schema(query), _settings(query)
        for each in self._statements(query):
            for batch in self._clickhouse.stream_arrow(each.sql, each.parameters.values, settings):
                yield from answers.conform(pa.Table.from_batches([batch]), schema).to_batches()

    def _statements(self, query: SeriesQuery) -> Iterator[Statement]:
        """Yield the statements whose answers, one after the other, are the answer."""
        check(query)
        sight = self._lineages.live(query.runs)
        times = query.x in (XAxis.TIME, XAxis.RELATIVE)
        spans = self._spans.read(sight, query.metrics, query.ranks, times=times)
        axis = choose_axis(query, sight, spans, self._spans)
        for pack in packs(spans, query):
            yield self._statement(query, axis, pack)

    def _statement(self, query: SeriesQuery, axis: Axis, pack: Sequence[Span]) -> Statement:
        parameters = Parameters()
        if query.max_points is None and query.reduce is Reduce.NONE:
            return Statement(_full(axis, pack, parameters), parameters)
        put_together = thinning.per_rank if query.reduce is Reduce.NONE else thinning.over_ranks
        return Statement(put_together(axis.buckets(pack, parameters)), parameters)


def _settings(query: SeriesQuery) -> dict[str, int | str]:
    return {**_SETTINGS, **(_ENCODED if query.encoded else {})}


def _full(axis: Axis, pack: Sequence[Span], parameters: Parameters) -> str:
    # One rank lies in step order already: the server streams it without sorting.
    in_order = axis.x == "step" and all(span.ranks == 1 for span in pack)
    order = "step" if in_order else "rank, x, step"
    return f"""SELECT {thinning.SERIES}, rank, toFloat64({axis.x}) AS x, step,
  toUnixTimestamp64Micro(ts) AS time_unix_us, value
FROM {axis.source([span.key for span in pack], parameters)}
ORDER BY {thinning.SERIES}, {order}"""


def packs(spans: Iterable[Span], query: SeriesQuery) -> Iterator[list[Span]]:
    """Cut the series into packs, in order, so that neither answer nor statement grows without bound."""
    for few in few_pieces(spans):
        yield from _packs(few, query)


def _packs(spans: Iterable[Span], query: SeriesQuery) -> Iterator[list[Span]]:
    pack: list[Span] = []
    rows = 0
    for span in spans:
        size = answer_rows(span, query)
        if pack and (rows + size > PACK_ROWS or len(pack) >= PACK_SERIES):
            yield pack
            pack, rows = [], 0
        pack.append(span)
        rows += size
    if pack:
        yield pack


def answer_rows(span: Span, query: SeriesQuery) -> int:
    """Estimate the rows of the answer that come from one series."""
    steps = span.last_step - span.first_step + 1
    each = steps if query.max_points is None else min(steps, query.max_points)
    return each * (span.ranks if query.reduce is Reduce.NONE else 1)


def check(query: SeriesQuery) -> None:
    """Raise `InvalidQuery` for a question that breaks a limit."""
    if not 1 <= len(query.runs) <= MAX_RUNS:
        raise InvalidQuery(f"{len(query.runs)} runs asked for", hint=f"1 … {MAX_RUNS}")
    if not 1 <= len(query.metrics) <= MAX_METRICS:
        raise InvalidQuery(f"{len(query.metrics)} metrics asked for", hint=f"1 … {MAX_METRICS}")
    if query.max_points is not None and not 1 <= query.max_points <= MAX_BUCKETS:
        raise InvalidQuery(f"max_points is {query.max_points}", hint=f"1 … {MAX_BUCKETS}, or none")
    if (query.x is XAxis.METRIC) is not bool(query.x_metric):
        raise InvalidQuery("x_metric goes with x = metric", hint="give both or neither")
    if query.log_x and query.x is XAxis.TIME:
        raise InvalidQuery(
            "log_x with x = time", hint="a date has no logarithm; ask for x = relative"
        )
    if any(bound is not None and math.isnan(bound) for bound in (query.x_min, query.x_max)):
        raise InvalidQuery("x_min or x_max is NaN", hint="leave it out to read from end to end")
