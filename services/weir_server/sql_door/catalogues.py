"""The catalogue that statements are answered from: the views of this release, and which ClickHouse it is."""

from __future__ import annotations

import threading

from weir_server.sql_door.catalogue import Catalogue
from weir_store.clickhouse import ClickHouse
from weir_store.sql import functions
from weir_store.sql.base import Limits
from weir_store.views.catalog import View

_WHO = "SELECT version(), timezone(), revision()"


class Catalogues:
    """Knows the catalogue; asks ClickHouse once who it is. Safe from any thread."""

    def __init__(
        self, clickhouse: ClickHouse, database: str, views: tuple[View, ...], limits: Limits
    ) -> None:
        self._clickhouse = clickhouse
        self._database = database
        self._views = views
        self._limits = limits
        self._lock = threading.Lock()  # guards _known
        self._known: Catalogue | None = None

    def get(self) -> Catalogue:
        """Return the catalogue. Raises `StoreUnavailable` until ClickHouse has answered once."""
        with self._lock:
            if self._known is None:
                self._known = self._ask()
            return self._known

    def _ask(self) -> Catalogue:
        ((version, timezone, revision),) = self._clickhouse.query_rows(_WHO)
        return Catalogue(
            database=self._database,
            views=self._views,
            functions={name: functions.is_aggregate(name) for name in functions.NAMES},
            limits=self._limits,
            version=str(version),
            timezone=str(timezone),
            revision=int(revision),
        )
