"""Runs, metrics and points, as far as a viewer may see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import pyarrow as pa

from weir_dashboard.access.viewer import Viewer
from weir_store.base import Reader
from weir_store.errors import UnknownRun
from weir_store.records import (
    EventPage,
    Ledger,
    MetricPage,
    Project,
    Run,
    RunPage,
    RunQuery,
    RunRef,
    RunState,
    SeriesQuery,
    Session,
)


def check(viewer: Viewer, refs: Iterable[RunRef]) -> None:
    """Raise `UnknownRun`, as the store does for runs that do not exist, unless all are theirs to see."""
    for ref in refs:
        if not viewer.may_see_run(ref):
            raise UnknownRun.of(ref.project, ref.run_id)


class ReaderDoor:
    """A `Reader` for one viewer: what is not theirs to see is not there."""

    def __init__(self, reader: Reader, viewer: Viewer) -> None:
        self._reader = reader
        self._viewer = viewer

    def list_projects(self) -> list[Project]:
        """Return the projects they may see; of one with chosen runs only what these say."""
        seen = [each for each in self._reader.list_projects() if self._viewer.may_see(each.name)]
        if self._viewer.runs is None:
            return seen
        return [self._of_chosen(each) for each in seen]

    def list_runs(self, query: RunQuery) -> RunPage:
        """Return one page of the runs they may see."""
        return self._reader.list_runs(
            replace(
                query,
                projects_allowed=_both(query.projects_allowed, self._viewer.allowed),
                runs_allowed=None
                if self._viewer.runs is None
                else tuple(sorted_refs(self._viewer)),
            )
        )

    def get_run(self, ref: RunRef) -> Run:
        """Return one run."""
        check(self._viewer, [ref])
        return self._reader.get_run(ref)

    def list_sessions(self, ref: RunRef) -> list[Session]:
        """Return the run's process lives."""
        check(self._viewer, [ref])
        return self._reader.list_sessions(ref)

    def list_events(
        self,
        ref: RunRef,
        *,
        kinds: Sequence[str] = (),
        min_severity: str = "debug",
        limit: int = 1_000,
    ) -> EventPage:
        """Return what happened to a run."""
        check(self._viewer, [ref])
        return self._reader.list_events(ref, kinds=kinds, min_severity=min_severity, limit=limit)

    def read_ledger(self, ref: RunRef) -> Ledger:
        """Count a run's rows beside what was sent."""
        check(self._viewer, [ref])
        return self._reader.read_ledger(ref)

    def list_metrics(
        self,
        runs: Sequence[RunRef],
        *,
        project: str = "",
        search: str = "",
        limit: int = 1_000,
        after: str = "",
    ) -> MetricPage:
        """Return metrics by name; a project's as a whole only to those who may see it as a whole."""
        check(self._viewer, runs)
        if not runs and not self._viewer.may_see_all(project):
            return MetricPage((), 0)
        return self._reader.list_metrics(
            runs, project=project, search=search, limit=limit, after=after
        )

    def read_series(self, query: SeriesQuery) -> pa.Table:
        """Read points."""
        check(self._viewer, query.runs)
        return self._reader.read_series(query)

    def stream_series(self, query: SeriesQuery) -> Iterator[pa.RecordBatch]:
        """Read points in bounded memory."""
        check(self._viewer, query.runs)
        return self._reader.stream_series(query)

    def read_text(
        self,
        ref: RunRef,
        metric: str,
        *,
        limit: int = 10_000,
        after: tuple[int, int] | None = None,
    ) -> pa.Table:
        """Read a text series."""
        check(self._viewer, [ref])
        return self._reader.read_text(ref, metric, limit=limit, after=after)

    def read_media(
        self,
        ref: RunRef,
        metric: str,
        *,
        limit: int = 10_000,
        after: tuple[int, int] | None = None,
    ) -> pa.Table:
        """Read the files logged under a name."""
        check(self._viewer, [ref])
        return self._reader.read_media(ref, metric, limit=limit, after=after)

    def read_latest(self, runs: Sequence[RunRef], metrics: Sequence[str] = ()) -> pa.Table:
        """Read the newest point of every series."""
        check(self._viewer, runs)
        return self._reader.read_latest(runs, metrics)

    def compare_runs(self, runs: Sequence[RunRef], *, only_different: bool = False) -> pa.Table:
        """Put runs side by side."""
        check(self._viewer, runs)
        return self._reader.compare_runs(runs, only_different=only_different)

    def _of_chosen(self, project: Project) -> Project:
        page = self.list_runs(RunQuery(project.name, limit=10_000, columns=()))
        running = [run for run in page.runs if run.state is RunState.RUNNING]
        latest = max((run.last_seen_unix_us for run in page.runs), default=0)
        return replace(project, runs=page.total, running=len(running), last_activity_unix_us=latest)


def sorted_refs(viewer: Viewer) -> list[RunRef]:
    """Return the chosen runs in one order."""
    return sorted(viewer.runs or (), key=lambda ref: (ref.project, ref.run_id))


def _both(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Return the projects that both allow; None allows every project."""
    if one is None or other is None:
        return other if one is None else one
    return tuple(name for name in one if name in other)
