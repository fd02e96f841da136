"""One ASGI app on one port, until a signal."""

from __future__ import annotations

import socket
from typing import Final

import uvicorn
from starlette.types import ASGIApp

_BACKLOG: Final = 512
_GOODBYE_S: Final = 3  # open tabs hold a websocket; they reconnect by themselves


def run(app: ASGIApp, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM; prints `dashboard ready on http://HOST:PORT` once it answers.

    Raises:
        OSError: The address cannot be bound.
    """
    listening = _listen(host, port)
    bound_host, bound_port = listening.getsockname()[:2]
    settings = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=_GOODBYE_S,
        proxy_headers=False,  # who really calls decides what is believed (access/visits.py)
    )
    _Announcing(settings, f"dashboard ready on http://{bound_host}:{bound_port}").run([listening])


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
