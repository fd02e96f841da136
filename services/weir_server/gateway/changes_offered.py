"""The Changes service of a gateway, with what it needs from everywhere."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Final

from weir_server import fault
from weir_server.clock import Clock
from weir_server.errors import ServerError
from weir_server.gateway.auth import Auth
from weir_server.gateway.changes import changes_service
from weir_server.gateway.service import Service
from weir_server.objects.garbage import Collector
from weir_server.objects.place import cold_place
from weir_server.rules.stopping import Stopping
from weir_server.settings import ClickHouseSettings, ObjectsSettings, StreamSettings
from weir_server.stream import keys
from weir_server.stream.base import StopRequest
from weir_server.stream.redis import RedisLease, RedisRuns
from weir_server.sweeper.leftovers import Leftovers
from weir_server.sweeper.sweeper import PERIOD_S
from weir_store.artifacts.clickhouse import ClickHouseArtifacts
from weir_store.artifacts.editor import ArtifactEditor
from weir_store.base import Inserter, Reader
from weir_store.changes.base import Change
from weir_store.changes.book import ChangeBook
from weir_store.changes.sweep import Changes
from weir_store.clickhouse import ClickHouse
from weir_store.errors import StoreUnavailable
from weir_store.objects.base import ObjectStore

_SETTLE_S: Final = 60.0  # replicas of a cluster are behind by less


def changes_offered(
    store: ClickHouseSettings,
    stream: StreamSettings,
    objects: ObjectsSettings,
    opened: ObjectStore,
    *,
    clickhouse: ClickHouse,
    inserter: Inserter,
    reader: Reader,
    auth: Auth,
    clock: Clock,
) -> Service:
    """Return the service; one gateway of all sweeps."""
    collector = Collector(
        ClickHouseArtifacts(clickhouse, store.database),
        ArtifactEditor(inserter),
        opened,
        grace_s=objects.grace_s,
        settle_s=_SETTLE_S if store.cluster else 0.0,
        clock=clock,
    )
    changes = Changes(
        clickhouse,
        store.database,
        inserter,
        reader,
        now_unix_us=clock.unix_us,
        objects=opened,
        leftovers=Leftovers(
            collector,
            RedisRuns(stream),
            grace_s=objects.grace_s,
            refuse_held=ChangeBook(clickhouse, store.database, inserter).refuse_held,
            now_unix_us=clock.unix_us,
        ),
        stop=stopping(stream),
        place=cold_place(objects),
        cluster=store.cluster,
        settle_s=objects.cold_settle_s,
        hit=fault.hit,
    )
    lease = RedisLease(stream, keys.sweeper_lease(), owner=uuid.uuid4().hex, lease_s=2 * PERIOD_S)
    return changes_service(changes, reader, auth, clock, lease=lease)


def stopping(stream: StreamSettings) -> Callable[[Change], None]:
    """Return what leaves a request to stop in the stream."""
    ask = Stopping(stream)

    def stop(change: Change) -> None:
        try:
            ask(change.ref, StopRequest(change.reason, change.by, change.at_unix_us))
        except ServerError as error:
            raise StoreUnavailable(str(error)) from error

    return stop
