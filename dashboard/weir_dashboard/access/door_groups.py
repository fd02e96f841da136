"""Groups of runs, as a viewer may see them: the others are in none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from weir_dashboard.access.viewer import Viewer
from weir_store.groups.base import BandQuery, Group, GroupReader, KeyPage
from weir_store.records import RunRef


class GroupsDoor:
    """A `GroupReader` that knows only of the viewer's runs."""

    def __init__(self, inner: GroupReader, viewer: Viewer) -> None:
        self._inner = inner
        self._viewer = viewer

    def list_keys(self, projects: Sequence[str], *, search: str = "", limit: int = 100) -> KeyPage:
        """Return the config paths of projects that are theirs as a whole."""
        seen = [project for project in projects if self._viewer.may_see_all(project)]
        return self._inner.list_keys(seen, search=search, limit=limit)

    def read_bands(self, query: BandQuery) -> pa.Table:
        """Read one line per group and metric, over the viewer's runs."""
        groups = tuple(Group(group.name, self._seen(group.runs)) for group in query.groups)
        return self._inner.read_bands(replace(query, groups=groups))

    def read_state(self, runs: Sequence[RunRef], metrics: Sequence[str]) -> str:
        """Name the state of what the viewer's runs show."""
        return self._inner.read_state(self._seen(runs), metrics)

    def _seen(self, refs: Sequence[RunRef]) -> tuple[RunRef, ...]:
        return tuple(ref for ref in refs if self._viewer.may_see_run(ref))
