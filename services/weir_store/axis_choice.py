"""From a question to its axis: looks up what that kind of axis has to know."""

from __future__ import annotations

from collections.abc import Sequence

from weir_store.axes import Axis
from weir_store.axis_metric import MetricAxis
from weir_store.axis_step import StepAxis
from weir_store.axis_step_log import LogStepAxis
from weir_store.axis_time import TimeAxis
from weir_store.plan import Span
from weir_store.points_source import PointsSource
from weir_store.reader_spans import SpanReader
from weir_store.records import SeriesQuery, XAxis
from weir_store.sight import Sight


def choose_axis(
    query: SeriesQuery, sight: Sight, spans: Sequence[Span], reader: SpanReader
) -> Axis:
    """Return the axis of a question whose series are `spans`."""
    points = PointsSource(reader.database, spans, query.ranks)
    match query.x:
        case XAxis.STEP:
            steps = LogStepAxis if query.log_x else StepAxis
            return steps(query, points, spans)
        case XAxis.TIME | XAxis.RELATIVE:
            births = reader.births(sight) if query.x is XAxis.RELATIVE else {}
            return TimeAxis(query, points, spans, births)
        case XAxis.METRIC:
            across = reader.read(sight, [query.x_metric], query.ranks)
            points = PointsSource(reader.database, [*spans, *across], query.ranks)
            reach = reader.values(across, query.ranks)
            return MetricAxis(query, points, across, reach)
