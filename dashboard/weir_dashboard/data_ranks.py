"""Asking about the ranks of a run; another part of data.py, with a memory of its own."""

from __future__ import annotations

import time
from typing import Final

import pyarrow as pa

from weir_dashboard.last_good import Answer, LastGood
from weir_store.base import Reader
from weir_store.errors import StoreUnavailable
from weir_store.ranks.base import (
    DivergenceQuery,
    Finding,
    RankReader,
    ReduceQuery,
    StragglerBoard,
    StragglerQuery,
)
from weir_store.records import RunRef, SeriesQuery

_FRESH_S: Final = 5.0
_COSTLY_FRESH_S: Final = 20.0  # answers that read every step of every rank
_KEPT: Final = 32  # answers are large: a page of 512 ranks takes megabytes
_CELLS: Final = 60_000
_FEWEST_BUCKETS: Final = 32
_MOST_BUCKETS: Final = 256


class RanksAsked:
    """What pages may ask about ranks. Safe from any thread."""

    def __init__(self, reader: Reader, given: RankReader | None) -> None:
        self._reader = reader
        self._given = given
        self._kept = LastGood(_KEPT)

    @property
    def offered(self) -> bool:
        """Whether this dashboard was started with what compares ranks."""
        return self._given is not None

    def ranks(self, ref: RunRef) -> Answer[pa.Table]:
        """List the ranks: `shapes.RANKS`."""
        return self._kept.ask(("ranks", ref), _FRESH_S, lambda: self._ranks.list_ranks(ref))

    def cells(self, ref: RunRef, metric: str, ranks: int) -> Answer[pa.Table]:
        """Read a metric rank by rank, thinned to about 60,000 buckets in all."""
        buckets = max(_FEWEST_BUCKETS, min(_MOST_BUCKETS, _CELLS // max(ranks, 1)))
        query = SeriesQuery((ref,), (metric,), max_points=buckets)
        return self._kept.ask(query, _FRESH_S, lambda: self._reader.read_series(query))

    def reduced(self, query: ReduceQuery) -> Answer[pa.Table]:
        """Put a metric's ranks together: see `RankReader.read_reduced`."""
        return self._kept.ask(query, _FRESH_S, lambda: self._ranks.read_reduced(query))

    def board(self, query: StragglerQuery) -> Answer[StragglerBoard]:
        """Find whom the others wait for."""
        return self._kept.ask(query, _COSTLY_FRESH_S, lambda: self._ranks.read_stragglers(query))

    def divergence(self, ref: RunRef) -> Answer[pa.Table]:
        """Find who left the others, and the first NaN."""
        query = DivergenceQuery(ref)
        return self._kept.ask(query, _COSTLY_FRESH_S, lambda: self._ranks.read_divergence(query))

    def hangs(self, project: str) -> Answer[list[Finding]]:
        """Find runs of a project that live and make no step."""
        return self._kept.ask(("hangs", project), _FRESH_S, lambda: self._find_hangs(project))

    def all_hangs(self) -> Answer[list[Finding]]:
        """Find runs of all projects that live and make no step."""
        return self._kept.ask("all hangs", _COSTLY_FRESH_S, self._find_all_hangs)

    def nodes(self, project: str) -> Answer[pa.Table]:
        """Compare nodes over the project's runs."""
        return self._kept.ask(
            ("nodes", project), _COSTLY_FRESH_S, lambda: self._ranks.rank_nodes(project)
        )

    def _find_all_hangs(self) -> list[Finding]:
        return self._ranks.find_hangs(int(time.time() * 1e6))

    def _find_hangs(self, project: str) -> list[Finding]:
        return self._ranks.find_hangs(int(time.time() * 1e6), projects=[project])

    @property
    def _ranks(self) -> RankReader:
        if self._given is None:
            raise StoreUnavailable("this dashboard was started without what compares ranks")
        return self._given
