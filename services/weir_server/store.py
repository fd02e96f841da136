"""The store as the settings describe it: the one place where the password leaves its wrapping."""

from __future__ import annotations

from weir_server.settings import ClickHouseSettings
from weir_store.clickhouse import ClickHouse, connect


def connect_store(settings: ClickHouseSettings) -> ClickHouse:
    """Return a connection; nothing is sent yet. Whoever asks for it closes it."""
    return connect(
        settings.url,
        user=settings.user,
        password=settings.password.get_secret_value(),
        query_timeout_s=settings.query_timeout_s,
        insert_timeout_s=settings.insert_timeout_s,
    )
