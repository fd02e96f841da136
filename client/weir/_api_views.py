"""What the server tells of projects, metrics and process lives, as plain values."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from weir_proto.v1 import query_pb2, runs_pb2


@dataclass(frozen=True, slots=True)
class ProjectView:
    """A project; `last_activity` is None when it never had any."""

    name: str
    runs: int
    running: int
    last_activity: datetime | None


@dataclass(frozen=True, slots=True)
class MetricView:
    """A metric of a run.

    Attributes:
        name: As logged.
        min_step: First step that has it.
        max_step: Last step that has it.
        has_nonfinite: A NaN or ±Inf was logged.
        is_text: Its values are text: read them with `run.text`, not `run.history`.
    """

    name: str
    min_step: int
    max_step: int
    has_nonfinite: bool
    is_text: bool


@dataclass(frozen=True, slots=True)
class SessionView:
    """One process life of a run; `state` is running, finished, failed, crashed or interrupted."""

    rank: int
    node: str
    pid: int
    role: str
    attempt: int
    state: str
    exit_code: int
    reason: str
    started: datetime | None
    last_seen: datetime | None
    committed_seq: int


@dataclass(frozen=True, slots=True)
class EventView:
    """Something that happened to a run.

    Attributes:
        event_id: 32 hex digits.
        time: When, UTC.
        kind: alert, rejected, loss and so on.
        severity: debug, info, warn, error or critical.
        title: One line.
        body: The rest, often empty.
        step: Progress at that time; None when nobody said.
        rank: The process that told it.
        attrs: Further facts.
    """

    event_id: str
    time: datetime | None
    kind: str
    severity: str
    title: str
    body: str
    step: int | None
    rank: int
    attrs: dict[str, str]


def project_view(message: runs_pb2.Project) -> ProjectView:
    """Return a project as people see it."""
    last = moment(message.last_activity_unix_us)
    return ProjectView(message.name, message.runs, message.running, last)


def metric_view(message: query_pb2.Metric) -> MetricView:
    """Return a metric as people see it."""
    return MetricView(
        message.name, message.min_step, message.max_step, message.has_nonfinite, message.is_text
    )


def session_view(message: runs_pb2.Session) -> SessionView:
    """Return a process life as people see it."""
    return SessionView(
        message.rank,
        message.node,
        message.pid,
        message.role,
        message.attempt,
        message.state,
        message.exit_code,
        message.reason,
        moment(message.started_unix_us),
        moment(message.last_seen_unix_us),
        message.committed_seq,
    )


class EventList(list[EventView]):
    """Events, newest first.

    Attributes:
        total: How many match, also those that are not here.
    """

    def __init__(self, events: Iterable[EventView], *, total: int) -> None:
        super().__init__(events)
        self.total = total

    @property
    def cut(self) -> bool:
        """Whether some that match are not here."""
        return self.total > len(self)


def event_view(message: runs_pb2.RunEvent) -> EventView:
    """Return an event as people see it."""
    return EventView(
        message.event_id.hex(),
        moment(message.time_unix_us),
        message.kind,
        message.severity,
        message.title,
        message.body,
        message.step if message.HasField("step") else None,
        message.rank,
        dict(message.attrs),
    )


def plain_values(values: Mapping[str, runs_pb2.Value]) -> dict[str, Any]:
    """Return config, summary or metadata as Python values by path, sorted; JSON is parsed."""
    return {path: _plain(values[path]) for path in sorted(values)}


def _plain(value: runs_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "json":
        try:
            return json.loads(value.json)
        except ValueError:
            return value.json
    return None if kind in (None, "null") else getattr(value, kind)


def moment(unix_us: int) -> datetime | None:
    """Return a time of the wire, None for 0."""
    return datetime.fromtimestamp(unix_us / 1e6, UTC) if unix_us else None
