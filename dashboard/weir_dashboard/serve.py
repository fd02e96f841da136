"""Serving the dashboard: one process, one port, until a signal."""

from __future__ import annotations

import socket
from typing import Final

import uvicorn

from weir_dashboard.app import build
from weir_dashboard.config import DashboardConfig
from weir_dashboard.guard import Check, open_to_all
from weir_store import clickhouse
from weir_store.base import Reader
from weir_store.reader import ClickHouseReader

_BACKLOG: Final = 512


def serve(config: DashboardConfig, check: Check = open_to_all) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit code.

    The store may still be down: pages say so and recover. Prints
    `dashboard ready on http://HOST:PORT` once it answers.

    Raises:
        OSError: The address cannot be bound.
    """
    connection = clickhouse.connect(
        config.clickhouse_url,
        user=config.user,
        password=config.password,
        query_timeout_s=config.query_timeout_s,
    )
    try:
        return serve_reader(ClickHouseReader(connection, config.database), config, check)
    finally:
        connection.close()


def serve_reader(reader: Reader, config: DashboardConfig, check: Check = open_to_all) -> int:
    """Serve over any reader: what `serve` does once it has one."""
    listening = _listen(config.host, config.port)
    host, port = listening.getsockname()[:2]
    settings = uvicorn.Config(
        build(reader, config.gateway, check), log_level="warning", lifespan="on"
    )
    _Announcing(settings, f"dashboard ready on http://{host}:{port}").run([listening])
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """Bind with the protocol spelled out: asyncio sets TCP_NODELAY only then, worth 40 ms a rerun."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    listening.listen(_BACKLOG)
    return listening


class _Announcing(uvicorn.Server):
    """A server that says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: str) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(self._ready, flush=True)  # noqa: T201 - the caller waits for this line
