"""Ranks, as far as a viewer may see their runs."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from weir_dashboard.access.door_reader import check
from weir_dashboard.access.viewer import Viewer
from weir_store.ranks import shapes
from weir_store.ranks.base import (
    USUAL_NAMES,
    USUAL_PATIENCE,
    DivergenceQuery,
    Finding,
    Names,
    Patience,
    RankReader,
    ReduceQuery,
    StragglerBoard,
    StragglerQuery,
)
from weir_store.records import RunRef


class RanksDoor:
    """A `RankReader` for one viewer."""

    def __init__(self, ranks: RankReader, viewer: Viewer) -> None:
        self._ranks = ranks
        self._viewer = viewer

    def read_reduced(self, query: ReduceQuery) -> pa.Table:
        """Put values together."""
        check(self._viewer, query.runs)
        return self._ranks.read_reduced(query)

    def list_ranks(self, ref: RunRef) -> pa.Table:
        """Return one row per role and rank."""
        check(self._viewer, [ref])
        return self._ranks.list_ranks(ref)

    def read_stragglers(self, query: StragglerQuery) -> StragglerBoard:
        """Return whom the others wait for."""
        check(self._viewer, [query.ref])
        return self._ranks.read_stragglers(query)

    def rank_nodes(
        self, project: str, *, limit: int = 1_000, names: Names = USUAL_NAMES
    ) -> pa.Table:
        """Compare nodes over the runs of a project; no rows for those who may not see it as a whole."""
        if not self._viewer.may_see_all(project):
            return shapes.NODES.empty_table()
        return self._ranks.rank_nodes(project, limit=limit, names=names)

    def read_divergence(self, query: DivergenceQuery) -> pa.Table:
        """Return which ranks left the others."""
        check(self._viewer, [query.ref])
        return self._ranks.read_divergence(query)

    def find_hangs(
        self,
        now_unix_us: int,
        *,
        projects: Sequence[str] | None = None,
        patience: Patience = USUAL_PATIENCE,
    ) -> list[Finding]:
        """Return the runs they may see whose ranks live but make no step."""
        wanted = self._viewer.allowed if projects is None else projects
        if wanted is not None:
            wanted = [project for project in wanted if self._viewer.may_see(project)]
            if not wanted:
                return []
        found = self._ranks.find_hangs(now_unix_us, projects=wanted, patience=patience)
        return [each for each in found if self._viewer.may_see_run(each.ref)]
