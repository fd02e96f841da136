"""The only place that asks the Reader, and the only place that remembers what it said.

Pages rerun often and several people look at the same thing: answers are shared
for a second or two. When the store is silent, the last good answer is returned
and says so. Points are never kept here: the browser keeps what it draws.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Final

import pyarrow as pa

from weir_dashboard import run_table
from weir_dashboard.access import doors, now
from weir_dashboard.access.viewer import ANYBODY
from weir_dashboard.data_compare import CompareAsked
from weir_dashboard.data_documents import DocumentsAsked
from weir_dashboard.data_edits import EditsAsked
from weir_dashboard.data_files import FilesAsked
from weir_dashboard.data_groups import GroupsAsked
from weir_dashboard.data_health import HealthAsked
from weir_dashboard.data_home import HomeAsked
from weir_dashboard.data_media import MediaAsked
from weir_dashboard.data_names import NamesAsked
from weir_dashboard.data_nodes import NodesAsked
from weir_dashboard.data_ranks import RanksAsked
from weir_dashboard.data_rules import RulesAsked
from weir_dashboard.data_sql import SqlAsked
from weir_dashboard.last_good import Answer, LastGood
from weir_dashboard.selection import PER_PAGE
from weir_dashboard.sources import Sources
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

_FRESH_S: Final = 2.0
_TOKEN_S: Final = 0.5
_COUNTED_AT_ONCE: Final = 10_000
_READ_AT_ONCE: Final = 1_000
_EVENTS: Final = 1_000
_COLUMNS_FRESH_S: Final = 60.0
# A ledger reads every point of its run, so its answer is good for longer.
_LEDGER_FRESH_S: Final = 30.0
_LEDGER_OF_ENDED_RUN_FRESH_S: Final = 900.0


class Asked:
    """What the pages and routes may ask of one store. Safe from any thread.

    Attributes:
        me: Who asks; what they may not see is not there.
        gateway: `host:port` where training jobs send to.
        share: Share links; None = this dashboard has none.
        nodes: The same for system telemetry and console lines.
        media: The same for media.
        files: The same for artifacts, models and the bytes of files.
        sql: The same for what people write.
        ranks: The same for ranks, held against each other.
        rules: The same for rules and alerts.
        compare: The same for many runs at once.
        groups: The same for runs put together.
        names: The same for names of config paths and metrics.
        edits: Changes runs.
        documents: The same for saved views and reports.
        health: The same for this Weir itself.
        home: The same for what runs now.
    """

    def __init__(self, sources: Sources, gateway: str) -> None:
        self.me = ANYBODY
        self.gateway = gateway
        self.share = sources.share
        self._reader = sources.reader
        self._kept = LastGood()
        self.nodes = NodesAsked(self._kept, sources.system, sources.console)
        self.media = MediaAsked(self._kept, sources.reader)
        self.files = FilesAsked(self._kept, sources.artifacts, sources.objects, sources.kept_bytes)
        self.sql = SqlAsked(sources.sql)
        self.ranks = RanksAsked(sources.reader, sources.ranks)
        self.rules = RulesAsked(sources.rules)
        self.compare = CompareAsked(sources.reader, sources.compared)
        self.groups = GroupsAsked(self._kept, sources.reader, sources.groups, sources.compared)
        self.names = NamesAsked(self._kept, sources.names, sources.reader)
        self.edits = EditsAsked(self._kept, sources.edits, sources.reader, sources.compared)
        self.documents = DocumentsAsked(sources.documents)
        self.health = HealthAsked(sources.health, sources.parts)
        self.home = HomeAsked(self._kept, sources.reader)
        self._ordinals: dict[str, dict[RunRef, int]] = {}
        self._counting = threading.Lock()  # guards _ordinals

    def projects(self) -> Answer[list[Project]]:
        """List the projects, last active first."""
        return self._kept.ask("projects", _FRESH_S, self._reader.list_projects)

    def runs(self, query: RunQuery) -> Answer[RunPage]:
        """List one page of runs."""
        return self._kept.ask(query, _FRESH_S, lambda: self._reader.list_runs(query))

    def matching(self, query: RunQuery) -> list[RunRef]:
        """Name every run that matches, in order, up to 10,000 of them; whatever page was asked for."""
        everything = replace(query, limit=_COUNTED_AT_ONCE, offset=0, columns=())
        return [run.ref for run in self._reader.list_runs(everything).runs]

    def all_runs(self, query: RunQuery) -> list[Run]:
        """Read every run that matches, page by page; never kept. Whatever page was asked for."""
        found: dict[
            RunRef, Run
        ] = {}  # a run that comes meanwhile moves the pages: each is here once
        offset, total = 0, 1
        while offset < total:
            page = self._reader.list_runs(replace(query, limit=_READ_AT_ONCE, offset=offset))
            found.update((run.ref, run) for run in page.runs)
            offset, total = offset + _READ_AT_ONCE, page.total
        return list(found.values())

    def first_columns(self, project: str) -> Sequence[str]:
        """Return columns for somebody who chose none: they stay the same for a minute, whatever is filtered."""
        query = RunQuery(project, limit=PER_PAGE)
        key = ("first columns", project)
        return self._kept.ask(
            key,
            _COLUMNS_FRESH_S,
            lambda: run_table.first_columns(self._reader.list_runs(query).runs),
        ).value

    def run(self, ref: RunRef) -> Answer[Run]:
        """Return one run. Raises `UnknownRun`."""
        return self._kept.ask(ref, _FRESH_S, lambda: self._reader.get_run(ref))

    def sessions(self, ref: RunRef) -> Answer[list[Session]]:
        """List the run's process lives."""
        return self._kept.ask(("sessions", ref), _FRESH_S, lambda: self._reader.list_sessions(ref))

    def events(self, ref: RunRef) -> Answer[EventPage]:
        """List the newest events of a run."""
        return self._kept.ask(
            ("events", ref), _FRESH_S, lambda: self._reader.list_events(ref, limit=_EVENTS)
        )

    def ledger(self, run: Run) -> Answer[Ledger]:
        """Count what the store holds of a run beside what was sent; kept until the run is heard of again."""
        fresh_s = _LEDGER_FRESH_S if run.state is RunState.RUNNING else _LEDGER_OF_ENDED_RUN_FRESH_S
        key = ("ledger", run.ref, run.state, run.finished_unix_us)
        return self._kept.ask(key, fresh_s, lambda: self._reader.read_ledger(run.ref))

    def metrics(
        self, refs: Sequence[RunRef], search: str = "", limit: int = 1_000
    ) -> Answer[MetricPage]:
        """List the numeric metrics these runs have; no runs have none."""
        key = ("metrics", tuple(refs), search, limit)
        return self._kept.ask(key, _FRESH_S, lambda: self._list_metrics(refs, search, limit))

    def series(self, query: SeriesQuery) -> pa.Table:
        """Read points; never kept."""
        return self._reader.read_series(query)

    def token(self, refs: Sequence[RunRef], metrics: Sequence[str]) -> str:
        """Name the state of these series: another token means another answer.

        Raises:
            StoreUnavailable: The store is silent, whatever it said before.
        """
        key = ("token", tuple(refs), tuple(metrics))
        answer = self._kept.ask(key, _TOKEN_S, lambda: self._read_token(refs, metrics))
        if answer.stale is not None:  # an old token would tell the browser that nothing has come
            raise answer.stale
        return answer.value

    def ordinals(self, refs: Sequence[RunRef]) -> Mapping[RunRef, int]:
        """Return each run's place by creation in its project; the store is asked for new runs only."""
        with self._counting:
            for project in {ref.project for ref in refs}:
                known = self._ordinals.setdefault(project, {})
                if any(ref not in known for ref in refs if ref.project == project):
                    self._count(project, known)
            places = {ref: self._ordinals[ref.project].get(ref) for ref in refs}
            return {ref: place for ref, place in places.items() if place is not None}

    def _list_metrics(self, refs: Sequence[RunRef], search: str, limit: int) -> MetricPage:
        if not refs:
            return MetricPage((), 0)
        page = self._reader.list_metrics(refs, search=search, limit=limit)
        numeric = tuple(metric for metric in page.metrics if not metric.is_text)
        return MetricPage(numeric, page.total - (len(page.metrics) - len(numeric)))

    def _read_token(self, refs: Sequence[RunRef], metrics: Sequence[str]) -> str:
        latest = self._reader.read_latest(refs, metrics)
        digest = blake2b(digest_size=12)
        for name in ("run_id", "metric", "rank", "step", "time_unix_us", "last", "min", "max"):
            for chunk in latest.column(name).cast(pa.string()).chunks:
                digest.update("\0".join(str(text) for text in chunk.to_pylist()).encode())
        return digest.hexdigest()

    def _count(self, project: str, known: dict[RunRef, int]) -> None:
        """Number the runs created since the last count."""
        while page := self._created(project, after=len(known)):
            before = len(known)
            for ref in page:
                known.setdefault(ref, len(known))
            if len(page) < _COUNTED_AT_ONCE or len(known) == before:
                return

    def _created(self, project: str, after: int) -> list[RunRef]:
        query = RunQuery(
            project, order_by="created", limit=_COUNTED_AT_ONCE, offset=after, columns=()
        )
        return [run.ref for run in self._reader.list_runs(query).runs]


_asked: doors.PerViewer[Asked] | None = None


def use(sources: Sources, gateway: str) -> Asked:
    """Set what pages and routes ask; called once, before the first page.

    Args:
        sources: The stores' doors.
        gateway: `host:port` where training jobs send to, shown in the quick start.

    Returns:
        What everybody asks where nobody is kept from anything.
    """
    global _asked
    _asked = doors.PerViewer(sources, lambda opened: Asked(opened, gateway))
    return _asked.of(ANYBODY)


def ask() -> Asked:
    """Return the store as whoever asks just now may see it.

    Raises:
        RuntimeError: Nobody called `use`; start the dashboard with `python -m weir_dashboard`.
    """
    if _asked is None:
        raise RuntimeError("no store was given — start with: python -m weir_dashboard")
    return _asked.of(now.viewer())
