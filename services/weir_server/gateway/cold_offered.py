"""The Cold service of a gateway, with what it needs from everywhere."""

from __future__ import annotations

from weir_server import fault
from weir_server.clock import Clock
from weir_server.gateway.auth import Auth
from weir_server.gateway.cold import cold_service
from weir_server.gateway.service import Service
from weir_server.objects.place import cold_place
from weir_server.settings import ClickHouseSettings, ObjectsSettings
from weir_store import tables
from weir_store.base import Inserter, Reader
from weir_store.changes.book import ChangeBook
from weir_store.changes.sql import Remover
from weir_store.clickhouse import ClickHouse
from weir_store.cold.cold import ColdRuns
from weir_store.objects.base import ObjectStore


def cold_offered(
    store: ClickHouseSettings,
    objects: ObjectsSettings,
    opened: ObjectStore,
    *,
    clickhouse: ClickHouse,
    inserter: Inserter,
    reader: Reader,
    auth: Auth,
    clock: Clock,
) -> Service:
    """Return the service; the sweeper of the Changes service carries out what is asked of it."""
    book = ChangeBook(clickhouse, store.database, inserter)
    cold = ColdRuns(
        clickhouse,
        store.database,
        inserter,
        reader,
        book,
        Remover(clickhouse, tables.raw_database(store.database)),
        opened,
        cold_place(objects),
        now_unix_us=clock.unix_us,
        cluster=store.cluster,
        settle_s=objects.cold_settle_s,
        hit=fault.hit,
    )
    return cold_service(cold, book, auth, clock)
