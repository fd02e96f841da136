"""The store's words on the wire: records out, questions in. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from weir_proto.v1 import query_pb2, runs_pb2
from weir_store.errors import InvalidQuery
from weir_store.records import (
    Event,
    Json,
    Metric,
    Project,
    Reduce,
    Run,
    RunRef,
    Scalar,
    SeriesQuery,
    Session,
    XAxis,
)

_INT64: Final = range(-(1 << 63), 1 << 63)
_AXES: Final = {
    query_pb2.X_STEP: XAxis.STEP,
    query_pb2.X_TIME: XAxis.TIME,
    query_pb2.X_RELATIVE: XAxis.RELATIVE,
    query_pb2.X_METRIC: XAxis.METRIC,
}
_REDUCTIONS: Final = {
    query_pb2.REDUCE_NONE: Reduce.NONE,
    query_pb2.REDUCE_RANKS: Reduce.RANKS,
}


def refs_of(messages: Iterable[runs_pb2.RunRef]) -> tuple[RunRef, ...]:
    """Return the runs a request names."""
    return tuple(RunRef(message.project, message.run_id) for message in messages)


def series_query_of(request: query_pb2.ReadSeriesRequest) -> SeriesQuery:
    """Return the question a request asks.

    Raises:
        InvalidQuery: An axis or a reduction that this server does not know.
    """
    if request.x not in _AXES or request.reduce not in _REDUCTIONS:
        raise InvalidQuery("this server does not know the axis or the reduction asked for")
    return SeriesQuery(
        runs=refs_of(request.runs),
        metrics=tuple(request.metrics),
        max_points=request.max_points or None,
        x=_AXES[request.x],
        x_metric=request.x_metric,
        ranks=tuple(request.ranks) or None,
        reduce=_REDUCTIONS[request.reduce],
        x_min=request.x_min if request.HasField("x_min") else None,
        x_max=request.x_max if request.HasField("x_max") else None,
        encoded=request.encoded,
    )


def project_message(project: Project) -> runs_pb2.Project:
    """Return a project as sent."""
    return runs_pb2.Project(
        name=project.name,
        runs=project.runs,
        running=project.running,
        last_activity_unix_us=project.last_activity_unix_us,
    )


def run_message(run: Run) -> runs_pb2.Run:
    """Return a run as sent."""
    return runs_pb2.Run(
        project=run.project,
        run_id=run.run_id,
        name=run.name,
        group=run.group,
        job_type=run.job_type,
        user=run.user,
        notes=run.notes,
        state=run.state,
        tags=run.tags,
        created_unix_us=run.created_unix_us,
        finished_unix_us=run.finished_unix_us,
        last_seen_unix_us=run.last_seen_unix_us,
        world_size=run.world_size,
        ranks=run.ranks,
        config=_values(run.config),
        summary=_values(run.summary),
        meta=_values(run.meta),
        parent_run_id=run.parent_run_id,
        fork_step=run.fork_step,
        rewinds=run.rewinds,
        files=run.files,
    )


def session_message(session: Session) -> runs_pb2.Session:
    """Return a process life as sent."""
    return runs_pb2.Session(
        producer=session.producer.bytes,
        rank=session.rank,
        local_rank=session.local_rank,
        world_size=session.world_size,
        node=session.node,
        pid=session.pid,
        launcher=session.launcher,
        role=session.role,
        attempt=session.attempt,
        state=session.state,
        exit_code=session.exit_code,
        reason=session.reason,
        started_unix_us=session.started_unix_us,
        last_seen_unix_us=session.last_seen_unix_us,
        committed_seq=session.committed_seq,
    )


def event_message(event: Event) -> runs_pb2.RunEvent:
    """Return something that happened, as sent."""
    return runs_pb2.RunEvent(
        event_id=event.event_id.bytes,
        time_unix_us=event.time_unix_us,
        kind=event.kind,
        severity=event.severity,
        title=event.title,
        body=event.body,
        step=event.step,
        rank=event.rank,
        attrs=dict(event.attrs),
    )


def metric_message(metric: Metric) -> query_pb2.Metric:
    """Return a metric as sent."""
    return query_pb2.Metric(
        name=metric.name,
        runs=metric.runs,
        min_step=metric.min_step,
        max_step=metric.max_step,
        has_nonfinite=metric.has_nonfinite,
        is_text=metric.is_text,
        is_media=metric.is_media,
    )


def _values(values: Mapping[str, Scalar | Json]) -> dict[str, runs_pb2.Value]:
    return {path: value_message(value) for path, value in values.items()}


def value_message(value: Scalar | Json) -> runs_pb2.Value:
    """Return a typed value as sent."""
    match value:
        case None:
            return runs_pb2.Value(null=True)
        case Json(text=text):
            return runs_pb2.Value(json=text)
        case bool():
            return runs_pb2.Value(bool=value)
        case int():
            return runs_pb2.Value(int=value) if value in _INT64 else runs_pb2.Value(json=str(value))
        case float():
            return runs_pb2.Value(float=value)
        case str():
            return runs_pb2.Value(str=value)
