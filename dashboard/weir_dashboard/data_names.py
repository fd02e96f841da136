"""Asking which names the runs of a project use, by search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from weir_dashboard.last_good import Answer, LastGood
from weir_store.base import Reader
from weir_store.names.base import METRIC, SPACES, Name, NamePage, NameReader

_FRESH_S: Final = 10.0


class NamesAsked:
    """What pages may ask about names. Safe from any thread."""

    def __init__(self, kept: LastGood, names: NameReader | None, reader: Reader) -> None:
        self._kept = kept
        self._names = names
        self._reader = reader

    def find(
        self, project: str, search: str = "", spaces: Sequence[str] = SPACES, limit: int = 100
    ) -> Answer[NamePage]:
        """Return names that hold every word of the search, the most used first; see `NameReader`.

        Without a door to names these are metrics alone, by name.
        """
        key = ("names", project, search, tuple(spaces), limit)
        return self._kept.ask(key, _FRESH_S, lambda: self._find(project, search, spaces, limit))

    def _find(self, project: str, search: str, spaces: Sequence[str], limit: int) -> NamePage:
        if self._names is not None:
            return self._names.list_names(project, search=search, spaces=spaces, limit=limit)
        if METRIC not in spaces:
            return NamePage((), 0)
        page = self._reader.list_metrics([], project=project, search=search, limit=limit)
        numeric = [each for each in page.metrics if not each.is_text]
        names = tuple(Name(METRIC, each.name, each.runs) for each in numeric)
        return NamePage(names, page.total - (len(page.metrics) - len(names)))
