"""Asking for groups of runs; another part of data.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from weir_dashboard import groups
from weir_dashboard.groups import RunGroup
from weir_dashboard.last_good import Answer, LastGood
from weir_store.base import Reader
from weir_store.compared.base import MOST_RUNS, CompareReader
from weir_store.errors import InvalidQuery, UnknownRun
from weir_store.groups.base import MAX_RUNS, BandQuery, GroupReader, KeyPage
from weir_store.records import Run, RunPage, RunQuery, RunRef

_FRESH_S: Final = (
    15.0  # ten thousand runs take seconds to list; the points of known ones are never kept
)
_COLORS_S: Final = 60.0
_TOKEN_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Whose:
    """Which runs are put into groups: chosen ones, or all of a project that match a filter."""

    project: str = ""
    where: str = ""
    runs: tuple[RunRef, ...] = ()

    @property
    def projects(self) -> tuple[str, ...]:
        """The projects they are of."""
        if self.runs:
            return tuple(sorted({run.project for run in self.runs}))
        return (self.project,) if self.project else ()


class GroupsAsked:
    """What pages and routes may ask of groups. Safe from any thread."""

    def __init__(
        self,
        kept: LastGood,
        reader: Reader,
        given: GroupReader | None,
        compared: CompareReader | None = None,
    ) -> None:
        self._compared = compared
        self._kept = kept
        self._reader = reader
        self._given = given

    @property
    def offered(self) -> bool:
        """Whether this dashboard was started with what reads groups."""
        return self._given is not None

    def list_groups(self, whose: Whose, key: str) -> list[RunGroup]:
        """Return the groups, each with all of its runs.

        Raises:
            InvalidQuery: Runs cannot be grouped by this, or they are too many.
        """
        if not groups.is_key(key):
            raise InvalidQuery(
                f"no such key {key!r}", hint=f"config.PATH, {', '.join(groups.LABELS)}"
            )
        return groups.grouped(self._runs(whose, key), key)

    def places(self, whose: Whose, key: str) -> Mapping[str, int]:
        """Number the values of the projects in the order in which they came up, whatever is filtered."""
        found: dict[str, int] = {}
        for project in whose.projects:
            query = RunQuery(project, limit=MAX_RUNS, columns=groups.columns_of(key))
            page = self._page(query, _COLORS_S).value
            for value in groups.first_seen(reversed(page.runs), key):
                found.setdefault(value, len(found))
        return found

    def keys(self, whose: Whose, search: str, limit: int) -> Answer[KeyPage]:
        """List the config paths that runs of these projects have."""
        given, projects = self._reading(), whose.projects
        key = ("group keys", projects, search, limit)
        return self._kept.ask(
            key, _FRESH_S, lambda: given.list_keys(projects, search=search, limit=limit)
        )

    def bands(self, query: BandQuery) -> pa.Table:
        """Read one line per group and metric; never kept."""
        return self._reading().read_bands(query)

    def token(self, runs: Sequence[RunRef], metrics: Sequence[str]) -> str:
        """Name the state of what these runs show: another token means other bands.

        Raises:
            StoreUnavailable: The store is silent, whatever it said before.
        """
        given, key = self._reading(), ("group token", tuple(runs), tuple(metrics))
        answer = self._kept.ask(key, _TOKEN_S, lambda: given.read_state(runs, metrics))
        if answer.stale is not None:
            raise answer.stale
        return answer.value

    def _reading(self) -> GroupReader:
        if self._given is None:
            raise InvalidQuery("this dashboard reads no groups")
        return self._given

    def _runs(self, whose: Whose, key: str) -> list[Run]:
        columns = groups.columns_of(key)
        if whose.runs:
            return self._chosen(tuple(dict.fromkeys(whose.runs)), columns)
        query = RunQuery(whose.project, whose.where, limit=MAX_RUNS, columns=columns)
        answer = self._page(query, _FRESH_S)
        if answer.stale is not None:
            raise answer.stale
        page = answer.value
        if page.total > len(page.runs):
            raise InvalidQuery(
                f"{page.total:,} runs are too many to put together",
                hint=f"filter to at most {MAX_RUNS:,}",
            )
        return list(page.runs)

    def _chosen(self, refs: tuple[RunRef, ...], columns: tuple[str, ...]) -> list[Run]:
        """Return chosen runs, all at once where this dashboard can; one that was deleted is in no group."""
        given = self._compared
        if given is None or len(refs) > MOST_RUNS:
            asked = (self._run(ref) for ref in refs)
            return [run for run in asked if run is not None]
        key = ("groups", refs, columns)
        return self._kept.ask(key, _FRESH_S, lambda: given.get_runs(refs, columns)).value

    def _page(self, query: RunQuery, fresh_s: float) -> Answer[RunPage]:
        return self._kept.ask(("groups", query), fresh_s, lambda: self._reader.list_runs(query))

    def _run(self, ref: RunRef) -> Run | None:
        try:
            return self._kept.ask(ref, _FRESH_S, lambda: self._reader.get_run(ref)).value
        except UnknownRun:
            return None
