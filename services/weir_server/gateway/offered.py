"""The services of issue-sized subjects that a gateway of this release offers, each made in one line."""

from __future__ import annotations

from weir_server.clock import Clock
from weir_server.gateway.auth import Auth
from weir_server.gateway.service import Service
from weir_server.settings import ClickHouseSettings, GatewaySettings
from weir_store.base import Inserter, Reader
from weir_store.clickhouse import ClickHouse


def offered(
    settings: GatewaySettings,
    store: ClickHouseSettings,
    *,
    clickhouse: ClickHouse,
    inserter: Inserter,
    reader: Reader,
    auth: Auth,
    clock: Clock,
) -> list[Service]:
    """Return the services besides ingest, questions, runs and artifacts."""
    del settings, store, clickhouse, inserter, reader, auth, clock
    return []
