"""The SQL door of a gateway: where it listens, and with what it asks."""

from __future__ import annotations

import socket
from typing import Final

from weir_server.gateway.auth import Auth
from weir_server.gateway.sql_limits import limits_of
from weir_server.http_door import HttpDoor, bind_door
from weir_server.log import get_logger
from weir_server.settings import GatewaySettings
from weir_server.sql_address import door_host
from weir_server.sql_door.catalogues import Catalogues
from weir_server.sql_door.door import Door
from weir_store.clickhouse import ClickHouse
from weir_store.sql.raw import ClickHouseRaw
from weir_store.sql.reader import ClickHouseSql

_MOST_CONNECTIONS: Final = 512


def open_sql_door(
    settings: GatewaySettings, clickhouse: ClickHouse, database: str, sql: ClickHouseSql, auth: Auth
) -> HttpDoor | None:
    """Return the door, holding its port, to be started; None where there is to be none.

    Raises:
        StartupError: The port is taken.
    """
    if not settings.sql_port:
        return None
    host = door_host(settings)
    if host != settings.host:
        get_logger().warning(
            "the SQL door listens on this machine only",
            hint="make tokens with `weir token create` and set gateway.tokens_file",
        )
    listener = bind_door(host, settings.sql_port, "gateway.sql_port")
    return make_sql_door(settings, clickhouse, database, sql, auth, listener)


def make_sql_door(
    settings: GatewaySettings,
    clickhouse: ClickHouse,
    database: str,
    sql: ClickHouseSql,
    auth: Auth,
    listener: socket.socket,
) -> HttpDoor:
    """Return the door on a socket."""
    catalogues = Catalogues(clickhouse, database, sql.list_views(), limits_of(settings))
    door = Door(settings, ClickHouseRaw(clickhouse, sql), catalogues, auth)
    return HttpDoor(
        door.app(),
        listener,
        settings.tls_cert,
        settings.tls_key,
        most_connections=_MOST_CONNECTIONS,
    )
