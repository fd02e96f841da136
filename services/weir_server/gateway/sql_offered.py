"""What a gateway offers to those who ask SQL: the service over gRPC, and the door for other tools."""

from __future__ import annotations

from typing import Final

from weir_server.gateway.auth import Auth
from weir_server.gateway.service import Service
from weir_server.gateway.sql import NAME, SqlService, add_sql
from weir_server.log import get_logger
from weir_server.settings import ClickHouseSettings, GatewaySettings
from weir_server.sql_door.serve import open_sql_door
from weir_server.store import connect_store
from weir_store.sql.reader import ClickHouseSql

_MORE_PATIENCE: Final = 1.1  # the connection waits longer than the statement may take


def sql_offered(settings: GatewaySettings, store: ClickHouseSettings, auth: Auth) -> Service:
    """Return the service, with connections of its own: its statements may take longer than others.

    Raises:
        StartupError: The port of the door is taken.
    """
    patience_s = max(store.query_timeout_s, settings.sql_seconds * _MORE_PATIENCE)
    clickhouse = connect_store(store.model_copy(update={"query_timeout_s": patience_s}))
    reader = ClickHouseSql(
        clickhouse,
        store.database,
        at_once=settings.sql_at_once,
        each=settings.sql_each,
        idle_s=settings.sql_answer_s,
    )
    door = open_sql_door(settings, clickhouse, store.database, reader, auth)

    async def start() -> None:
        if door is not None:
            await door.start()
            get_logger().info("sql door open", port=door.port)

    async def stop() -> None:
        if door is not None:
            await door.stop()
        clickhouse.close()

    return Service(
        NAME, add_sql, SqlService(settings, reader, auth, reader.stop), start=start, stop=stop
    )
