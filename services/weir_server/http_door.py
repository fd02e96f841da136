"""An HTTP door in a process's own event loop: bind, start, stop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from weir_server.errors import StartupError


def bind_door(host: str, port: int, setting: str) -> socket.socket:
    """Return a socket that holds the port; 0 picks a free one.

    Raises:
        StartupError: The port is taken; names the setting that said so.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, or asyncio leaves Nagle on: 40 ms for every small answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise StartupError(
            f"cannot listen on {host}:{port}: {error.strerror}",
            hint=f"choose another {setting}, or 0",
        ) from error
    return listener


class _Server(uvicorn.Server):
    """Leaves the process's signals to the process, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpDoor:
    """`start`, then `stop`, once each; belongs to one event loop.

    Attributes:
        port: Where it listens.
    """

    def __init__(
        self,
        app: ASGIApp,
        listener: socket.socket,
        tls_cert: Path | None = None,
        tls_key: Path | None = None,
        *,
        most_connections: int | None = None,
    ) -> None:
        """Prepare.

        Args:
            app: What answers.
            listener: Made by `bind_door`; closed by `stop`.
            tls_cert: PEM certificate chain; None = plain text.
            tls_key: PEM private key.
            most_connections: More are answered with 503; None = no limit.
        """
        self.port = int(listener.getsockname()[1])
        self._listener = listener
        config = uvicorn.Config(
            app,
            log_level="error",
            access_log=False,
            lifespan="off",
            ssl_certfile=tls_cert,
            ssl_keyfile=tls_key,
            timeout_graceful_shutdown=5,
            limit_concurrency=most_connections,
        )
        self._server = _Server(config)
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open it; returns when it answers."""
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._listener]))
        listening = asyncio.create_task(self._server.listening.wait())
        await asyncio.wait((listening, self._serving), return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        if self._serving.done():
            self._serving.result()

    async def stop(self) -> None:
        """Let what is under way end, for at most five seconds, and close."""
        self._server.should_exit = True
        if self._serving is not None:
            await asyncio.gather(self._serving, return_exceptions=True)
        self._listener.close()
