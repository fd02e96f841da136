"""Asking for many runs at once, to compare them; another part of data.py, with a memory of its own."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from weir_dashboard.compare_columns import Results, results_of
from weir_dashboard.last_good import Answer, LastGood
from weir_store.base import Reader
from weir_store.compared.base import MOST_RUNS, CompareReader
from weir_store.errors import UnknownRun
from weir_store.records import Run, RunPage, RunQuery, RunRef

T = TypeVar("T")

FILES_UP_TO: Final = 20
"""Files belong to the comparison of so many runs; a run may have thousands of them."""

_FRESH_S: Final = 2.0
_MANY_FRESH_S: Final = 15.0  # a thousand runs with a hundred results each take a second to read
_DERIVED_FRESH_S: Final = 900.0  # what is worked out of values stays true of these values
_KEPT: Final = 24  # answers are large


class CompareAsked:
    """What pages may ask of many runs. Safe from any thread."""

    def __init__(self, reader: Reader, given: CompareReader | None) -> None:
        self._reader = reader
        self._given = given
        self._kept = LastGood(_KEPT)

    @property
    def has_means(self) -> bool:
        """Whether this dashboard was started with what reads the mean of a metric."""
        return self._given is not None

    def chosen(self, refs: Sequence[RunRef], *, whole: bool) -> Answer[list[Run]]:
        """Return those of at most `MOST_RUNS` runs that exist, in order.

        Args:
            refs: Which.
            whole: With config and results, and of up to `FILES_UP_TO` runs their files, too.
        """
        asked = tuple(dict.fromkeys(refs))[:MOST_RUNS]
        few = len(asked) <= FILES_UP_TO
        key = ("chosen", asked, whole or few)
        fresh_s = _FRESH_S if few else _MANY_FRESH_S
        if few or self._given is None:
            return self._kept.ask(key, fresh_s, lambda: self._one_by_one(asked))
        given, columns = self._given, None if whole else ()
        return self._kept.ask(key, fresh_s, lambda: given.get_runs(asked, columns))

    def matching(self, project: str, where: str, *, whole: bool) -> Answer[RunPage]:
        """Return the newest `MOST_RUNS` runs that match, without files; arguments as of `chosen`.

        Args:
            project: "" = of all projects.
            where: A filter.
            whole: With config and results.
        """
        query = RunQuery(project, where, limit=MOST_RUNS, columns=None if whole else ())
        return self._kept.ask(query, _MANY_FRESH_S, lambda: self._reader.list_runs(query))

    def results(
        self, refs: Sequence[RunRef], metrics: Sequence[str], *, mean: bool
    ) -> Answer[Results]:
        """Return what these metrics came to; `mean` reads every point of them."""
        asked, names = tuple(refs), tuple(sorted(set(metrics)))
        key = ("results", asked, names, mean)
        return self._kept.ask(key, _MANY_FRESH_S, lambda: self._results(asked, names, mean))

    def derived(self, key: Hashable, work_out: Callable[[], T]) -> T:
        """Return what is worked out of values, once for the same `key`, which tells them all."""
        return self._kept.ask(("derived", key), _DERIVED_FRESH_S, work_out).value

    def _results(self, refs: tuple[RunRef, ...], metrics: tuple[str, ...], mean: bool) -> Results:
        if not (refs and metrics):
            return {}
        if self._given is not None:
            return results_of(self._given.read_results(refs, metrics, mean=mean))
        rows = self._reader.read_latest(refs, metrics).to_pylist()
        found: dict[tuple[RunRef, str], dict[str, float | None]] = {}
        for row in rows:  # by rank: the first is of the lowest
            came_to = {"last": row["last"], "min": row["min"], "max": row["max"], "mean": None}
            found.setdefault((RunRef(row["project"], row["run_id"]), row["metric"]), came_to)
        return found

    def _one_by_one(self, refs: Sequence[RunRef]) -> list[Run]:
        found = []
        for ref in refs:
            try:
                run = self._reader.get_run(ref)
            except UnknownRun:
                continue
            found.append(run if len(refs) <= FILES_UP_TO else replace(run, files={}))
        return found
