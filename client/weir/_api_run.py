"""One run as the server tells it: everything known of it, its points, and the few edits."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, get_args, overload

from weir._api_ledger import Verification
from weir._api_nodes import NodeViews
from weir._api_ranks import RankViews
from weir._api_run_changes import RunChanges
from weir._api_tables import TableKind, check_tables, read_texts, shown_as
from weir._api_views import (
    EventList,
    MetricView,
    SessionView,
    event_view,
    metric_view,
    moment,
    plain_values,
    session_view,
)
from weir.errors import UsageError
from weir_proto.v1 import runs_pb2

if TYPE_CHECKING:
    from weir._api import Api

Axis = Literal["step", "time", "relative"]
Severity = Literal["debug", "info", "warn", "error", "critical"]
_MAX_EVENTS = 10_000


class RunView(NodeViews, RankViews, RunChanges):
    """A run, as it was when it was asked for; `reload()` asks again."""

    def __init__(self, api: "Api", message: runs_pb2.Run) -> None:
        self._api = api
        self._message = message

    def __repr__(self) -> str:
        return f"<RunView {self.path} {self.state}>"

    @property
    def project(self) -> str:
        """The project it belongs to."""
        return self._message.project

    @property
    def id(self) -> str:
        """Its id, unique within the project."""
        return self._message.run_id

    @property
    def path(self) -> str:
        """What `Api.run` takes: `project/id`."""
        return f"{self.project}/{self.id}"

    @property
    def name(self) -> str:
        """Display name, empty when it has none."""
        return self._message.name

    @property
    def group(self) -> str:
        """Group, empty when it has none."""
        return self._message.group

    @property
    def job_type(self) -> str:
        """What kind of work it does, empty when nobody said."""
        return self._message.job_type

    @property
    def user(self) -> str:
        """Who started it."""
        return self._message.user

    @property
    def notes(self) -> str:
        """Notes on it."""
        return self._message.notes

    @property
    def state(self) -> str:
        """One of running, finished, failed, crashed, interrupted."""
        return self._message.state

    @property
    def tags(self) -> tuple[str, ...]:
        """Its tags, sorted."""
        return tuple(self._message.tags)

    @property
    def created(self) -> datetime | None:
        """When it began, UTC."""
        return moment(self._message.created_unix_us)

    @property
    def finished(self) -> datetime | None:
        """When it ended, UTC; None while it runs."""
        return moment(self._message.finished_unix_us)

    @property
    def last_seen(self) -> datetime | None:
        """Last sign of life of any of its processes, UTC."""
        return moment(self._message.last_seen_unix_us)

    @property
    def duration_s(self) -> float | None:
        """Seconds from its begin to its end, or so far; None before anything is known of it."""
        if self.created is None:
            return None
        end = self.finished or (self.last_seen if self.state != "running" else datetime.now(UTC))
        return max(0.0, (end - self.created).total_seconds()) if end else None

    @property
    def world_size(self) -> int:
        """Processes it said it has; 0 when nobody said."""
        return self._message.world_size

    @property
    def ranks(self) -> int:
        """Ranks that were seen."""
        return self._message.ranks

    @property
    def parent(self) -> str:
        """The run it was forked from, as `Api.run` takes it; empty when it is no fork."""
        parent = self._message.parent_run_id
        return f"{self.project}/{parent}" if parent else ""

    @property
    def fork_step(self) -> int | None:
        """The last step it has from its parent; None when it is no fork."""
        return self._message.fork_step if self._message.parent_run_id else None

    @property
    def rewinds(self) -> tuple[int, ...]:
        """The steps it was rewound to, oldest first."""
        return tuple(self._message.rewinds)

    @property
    def config(self) -> dict[str, Any]:
        """Config by path, e.g. `optimizer.lr`."""
        return plain_values(self._message.config)

    @property
    def summary(self) -> dict[str, Any]:
        """What was set in code, and for every metric what it came to."""
        return plain_values(self._message.summary)

    @property
    def meta(self) -> dict[str, Any]:
        """Environment, git state, metric rules and the like."""
        return plain_values(self._message.meta)

    @property
    def files(self) -> dict[str, Any]:
        """Its files by path: `sha256`, `size` and `mime` of each. Known of a run that was asked for alone."""
        return {path: json.loads(self._message.files[path]) for path in sorted(self._message.files)}

    def reload(self) -> "RunView":
        """Ask the server again; returns itself."""
        self._message = self._api._transport.get_run(self._ref()).run
        return self

    def sessions(self) -> list[SessionView]:
        """Return its process lives, by rank, then start."""
        return [session_view(each) for each in self._api._transport.get_run(self._ref()).sessions]

    def metrics(self, search: str = "") -> list[MetricView]:
        """Return its metrics by name: all that hold every word of `search`, or match it as a glob."""
        return [metric_view(each) for each in self._api._list_metrics([self._ref()], search)]

    def history(
        self,
        metrics: str | Sequence[str] | None = None,
        *,
        max_points: int | None = None,
        x: Axis | str = "step",
        ranks: Sequence[int] | None = None,
        reduce: Literal["ranks"] | None = None,
        x_min: float | None = None,
        x_max: float | None = None,
        as_: TableKind = "pandas",
    ) -> Any:
        """Return points; see `Api.read_series`. Without `metrics`, of every metric that is no text.

        Texts are read with `text`.
        """
        if metrics is None:
            metrics = [each.name for each in self.metrics() if not each.is_text]
        return self._api.read_series(
            [self],
            metrics,
            max_points=max_points,
            x=x,
            ranks=ranks,
            reduce=reduce,
            x_min=x_min,
            x_max=x_max,
            as_=as_,
        )

    def text(self, metric: str, *, limit: int | None = None, as_: TableKind = "pandas") -> Any:
        """Return the texts of a metric: one row each with `rank`, `step`, `time_unix_us`, `value`.

        Args:
            metric: Exact name.
            limit: At most so many rows, from the first on; None = all. The table says when there are
                more (docs/api.md).
            as_: What to return.
        """
        check_tables(as_)
        table = read_texts(self._api._transport.read_text, self._ref(), metric, limit)
        if not table.num_rows and any(m.name == metric and not m.is_text for m in self.metrics()):
            raise UsageError(f"{metric} holds numbers", hint=f"run.history({metric!r})")
        return shown_as(table, as_)

    def events(
        self,
        kinds: str | Iterable[str] | None = None,
        min_severity: Severity | None = None,
        limit: int | None = None,
    ) -> EventList:
        """Return what happened to it, newest first: alerts, refusals, losses, dead letters.

        Args:
            kinds: Only these, e.g. `alert`; None = all.
            min_severity: `debug`, `info`, `warn`, `error` or `critical`; None = all.
            limit: The newest so many, at most 10 000, which None asks for. The list says how many
                there are in all (`total`), and whether some are not in it (`cut`).
        """
        if min_severity is not None and min_severity not in get_args(Severity):
            hint = ", ".join(get_args(Severity))
            raise UsageError(f"no such severity {min_severity!r}", hint=hint)
        if limit is None:
            limit = _MAX_EVENTS
        if not 1 <= limit <= _MAX_EVENTS:
            raise UsageError(f"limit is {limit}", hint=f"1 to {_MAX_EVENTS}")
        request = runs_pb2.ListEventsRequest(
            project=self.project,
            run_id=self.id,
            kinds=[kinds] if isinstance(kinds, str) else list(kinds or ()),
            min_severity=min_severity or "",
            limit=limit,
        )
        page = self._api._transport.list_events(request)
        return EventList(map(event_view, page.events), total=page.total)

    def verify(self) -> Verification:
        """Ask whether all that its processes sent lies in the store, once and unchanged.

        Knows what the server knows; `weir verify` also looks into this machine's spools.
        """
        return self._api.verify(self.path)

    def update(
        self,
        *,
        name: str | None = None,
        notes: str | None = None,
        group: str | None = None,
        job_type: str | None = None,
        add_tags: Iterable[str] = (),
        remove_tags: Iterable[str] = (),
    ) -> "RunView":
        """Change what people call it; what is left out stays as it is. Returns itself, reloaded.

        What changed stays as an event `edited`: who, when, which field, before and after.
        """
        request = runs_pb2.UpdateRunRequest(
            project=self.project,
            run_id=self.id,
            name=name,
            notes=notes,
            group=group,
            job_type=job_type,
            add_tags=list(add_tags),
            remove_tags=list(remove_tags),
        )
        self._message = self._api._transport.update_run(request)
        return self

    def stop(self, reason: str = "") -> None:
        """Ask its processes to stop: they see `run.should_stop`."""
        request = runs_pb2.StopRunRequest(project=self.project, run_id=self.id, reason=reason)
        self._api._transport.stop_run(request)

    def _ref(self) -> runs_pb2.RunRef:
        return runs_pb2.RunRef(project=self.project, run_id=self.id)


class RunList(Sequence[RunView]):
    """Runs that match, fetched page by page as they are looked at.

    Pages are asked for one after the other: runs that begin meanwhile may
    move others across the border of a page.
    """

    PAGE = 200

    def __init__(
        self, api: "Api", request: runs_pb2.ListRunsRequest, limit: int | None = None
    ) -> None:
        self._api = api
        self._request = request
        self._limit = limit
        self._seen: list[RunView] = []
        self._total: int | None = None

    @property
    def total(self) -> int:
        """How many runs match, also beyond the limit."""
        if self._total is None:
            self._fetch()
        return self._total or 0

    def __len__(self) -> int:
        return self.total if self._limit is None else min(self.total, self._limit)

    def __iter__(self) -> Iterator[RunView]:
        index = 0
        while self._reach(index):
            yield self._seen[index]
            index += 1

    @overload
    def __getitem__(self, index: int) -> RunView: ...
    @overload
    def __getitem__(self, index: slice) -> list[RunView]: ...
    def __getitem__(self, index: int | slice) -> RunView | list[RunView]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        place = index if index >= 0 else len(self) + index
        if place < 0 or not self._reach(place):
            raise IndexError(f"no run number {index}, there are {len(self)}")
        return self._seen[place]

    def __repr__(self) -> str:
        return f"<{len(self)} runs>"

    def _reach(self, index: int) -> bool:
        """Fetch until there is a run number `index`; False when there is none."""
        length = len(self)  # may fetch the first page
        while len(self._seen) <= index < length:
            if not self._fetch():
                break
        return index < min(len(self._seen), length)

    def _fetch(self) -> bool:
        """Ask for the next page; False when it is empty."""
        wanted = self.PAGE if self._limit is None else self._limit - len(self._seen)
        self._request.offset = len(self._seen)
        self._request.limit = max(1, min(self.PAGE, wanted))
        page = self._api._transport.list_runs(self._request)
        self._total = page.total
        self._seen += [RunView(self._api, each) for each in page.runs]
        return bool(page.runs)
