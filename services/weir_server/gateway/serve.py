"""The gateway process: open the door, and close it politely."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from typing import Final

from weir_server.clock import SystemClock
from weir_server.errors import StartupError
from weir_server.gateway.artifacts import ArtifactsService
from weir_server.gateway.auth import Auth
from weir_server.gateway.offered import offered
from weir_server.gateway.server import Gateway
from weir_server.log import get_logger
from weir_server.objects.open import Opened, open_objects
from weir_server.settings import (
    ClickHouseSettings,
    GatewaySettings,
    ObjectsSettings,
    StreamSettings,
)
from weir_server.store import connect_store
from weir_server.stream.redis import RedisAppender, RedisNumbers, prepare_stream
from weir_server.telemetry_door import open_door
from weir_store.artifacts.clickhouse import ClickHouseArtifacts
from weir_store.artifacts.editor import ArtifactEditor
from weir_store.changes.book import ChangeBook
from weir_store.clickhouse import ClickHouse
from weir_store.console.reader import ClickHouseConsole
from weir_store.editor import Editor
from weir_store.errors import SchemaMismatch, StoreError, WrongCredentials
from weir_store.inserter import ClickHouseInserter
from weir_store.migrate import check
from weir_store.reader import ClickHouseReader
from weir_store.system.reader import ClickHouseSystem

_BEAT_S: Final = 1.0
_BEAT_MISSED_S: Final = 10.0


def serve(
    gateway: GatewaySettings,
    stream: StreamSettings,
    store: ClickHouseSettings,
    objects: ObjectsSettings,
) -> int:
    """Serve gRPC until SIGTERM or SIGINT; block until everybody was seen out.

    Prints `gateway ready on HOST:PORT` on stdout when the door is open.

    Returns:
        Exit code 0.

    Raises:
        StartupError: A port is taken, Redis is away or unfit, the store does not know the
            password or has not the tables of this release, tokens or TLS files are wrong, the
            object store does not let us in.
    """
    auth = Auth(gateway.tokens_file)
    prepare_stream(stream)
    clickhouse = connect_store(store)
    try:
        _meet_store(clickhouse, store.database)
        opened = open_objects(objects, gateway)
        return asyncio.run(_serve(gateway, stream, store, objects, opened, clickhouse, auth))
    finally:
        clickhouse.close()


def _meet_store(clickhouse: ClickHouse, database: str) -> None:
    """Ask once: what only a person can put right is told at the start; a store that is away is not."""
    try:
        check(clickhouse, database)
    except (WrongCredentials, SchemaMismatch) as error:
        raise StartupError(str(error)) from error
    except StoreError as error:
        get_logger().warning("the store does not answer yet", problem=str(error))


async def _serve(
    settings: GatewaySettings,
    stream: StreamSettings,
    store: ClickHouseSettings,
    objects: ObjectsSettings,
    opened: Opened,
    clickhouse: ClickHouse,
    auth: Auth,
) -> int:
    inserter = ClickHouseInserter(clickhouse, store.database, cluster=store.cluster)
    reader, clock = ClickHouseReader(clickhouse, store.database), SystemClock()
    gateway = Gateway(
        settings,
        stream.shards,
        appender=RedisAppender(stream),
        inserter=inserter,
        reader=reader,
        system=ClickHouseSystem(clickhouse, store.database),
        console=ClickHouseConsole(clickhouse, store.database),
        editor=Editor(inserter),
        auth=auth,
        artifacts=ArtifactsService(
            ClickHouseArtifacts(clickhouse, store.database),
            ArtifactEditor(inserter),
            opened.objects,
            RedisNumbers(stream),
            objects,
            auth,
            clock,
            is_cluster=bool(store.cluster),
            webhooks_anywhere=settings.webhooks_anywhere,
            refuse_held=ChangeBook(clickhouse, store.database, inserter).refuse_held,
        ),
        door=opened.door,
        services=offered(
            settings,
            store,
            clickhouse=clickhouse,
            inserter=inserter,
            reader=reader,
            auth=auth,
            clock=clock,
            stream=stream,
            objects=objects,
            opened=opened.objects,
        ),
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    beat = _Beat()
    beating = asyncio.create_task(beat.keep())
    door = open_door("gateway", settings.host, settings.metrics_port, beat.heard)
    try:
        port = await gateway.start()
        get_logger().info("gateway ready", port=port, metrics_port=door.port)
        sys.stdout.write(f"gateway ready on {settings.host}:{port}\n")
        sys.stdout.flush()
        await stop.wait()
        get_logger().info("draining", longest_s=settings.drain_s)
    finally:
        await gateway.stop()
        beating.cancel()
        door.close()
    return 0


class _Beat:
    """Whether the event loop still turns, as other threads see it."""

    def __init__(self) -> None:
        self._last_s = time.monotonic()

    async def keep(self) -> None:
        """Beat until cancelled."""
        while True:
            self._last_s = time.monotonic()
            await asyncio.sleep(_BEAT_S)

    def heard(self) -> bool:
        """Return whether it beat lately."""
        return time.monotonic() - self._last_s < _BEAT_MISSED_S
