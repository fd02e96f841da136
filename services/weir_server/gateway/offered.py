"""The services of issue-sized subjects that a gateway of this release offers, each made in one line."""

from __future__ import annotations

from weir_server.clock import Clock
from weir_server.gateway.auth import Auth
from weir_server.gateway.changes_offered import changes_offered
from weir_server.gateway.cold_offered import cold_offered
from weir_server.gateway.export import export_service
from weir_server.gateway.live import live_service
from weir_server.gateway.ranks import ranks_service
from weir_server.gateway.rules import rules_service
from weir_server.gateway.service import Service
from weir_server.gateway.sql_offered import sql_offered
from weir_server.settings import (
    ClickHouseSettings,
    GatewaySettings,
    ObjectsSettings,
    StreamSettings,
)
from weir_store.base import Inserter, Reader
from weir_store.clickhouse import ClickHouse
from weir_store.objects.base import ObjectStore
from weir_store.ranks.clickhouse import ClickHouseRanks


def offered(
    settings: GatewaySettings,
    store: ClickHouseSettings,
    *,
    clickhouse: ClickHouse,
    inserter: Inserter,
    reader: Reader,
    auth: Auth,
    clock: Clock,
    stream: StreamSettings,
    objects: ObjectsSettings,
    opened: ObjectStore,
) -> list[Service]:
    """Return the services besides ingest, questions, runs and artifacts."""
    return [
        changes_offered(
            store,
            stream,
            objects,
            opened,
            clickhouse=clickhouse,
            inserter=inserter,
            reader=reader,
            auth=auth,
            clock=clock,
        ),
        cold_offered(
            store,
            objects,
            opened,
            clickhouse=clickhouse,
            inserter=inserter,
            reader=reader,
            auth=auth,
            clock=clock,
        ),
        sql_offered(settings, store, auth),
        live_service(clickhouse, store.database, auth, clock),
        rules_service(clickhouse, store.database, inserter, settings, auth, clock),
        export_service(clickhouse, store.database, inserter, auth),
        ranks_service(ClickHouseRanks(clickhouse, store.database), auth, clock),
    ]
