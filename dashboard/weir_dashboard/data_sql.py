"""Asking SQL for people: within the dashboard's rights and a page's limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from weir_dashboard.asking import Asking
from weir_store.errors import StoreUnavailable
from weir_store.sql.base import Answer, Limits, Question, SqlReader
from weir_store.views.catalog import View

PAGE_LIMITS: Final = Limits(
    seconds=30.0, result_rows=1_000_000, result_bytes=256 << 20, threads=2, cut=True
)
"""Of a statement whose answer is looked at: one that is longer ends early, and the page says so."""

DOWNLOAD_LIMITS: Final = Limits(
    seconds=300.0, result_rows=20_000_000, result_bytes=8 << 30, threads=2
)
"""Of a statement whose answer is downloaded: one that is longer is refused, never a part of it."""


class SqlAsked:
    """What pages and routes may ask in SQL. Safe from any thread; nothing is kept here."""

    def __init__(self, given: SqlReader | None) -> None:
        self._given = given

    @property
    def offered(self) -> bool:
        """Whether this dashboard was started with SQL."""
        return self._given is not None

    def views(self) -> tuple[View, ...]:
        """List the views that SQL sees."""
        return self._reader.list_views()

    def start(self, text: str, values: Mapping[str, str], asker: str) -> Asking:
        """Ask for a page; returns at once."""
        return Asking(
            Question(text, parameters=dict(values), asker=asker, limits=PAGE_LIMITS)
        ).start(self._reader)

    def whole(self, text: str, values: Mapping[str, str], asker: str) -> Answer:
        """Ask for every row. Raises what `SqlReader.ask` raises."""
        limits = DOWNLOAD_LIMITS
        return self._reader.ask(Question(text, parameters=dict(values), asker=asker, limits=limits))

    @property
    def _reader(self) -> SqlReader:
        if self._given is None:
            raise StoreUnavailable("this dashboard was started without SQL")
        return self._given
