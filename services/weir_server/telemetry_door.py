"""The HTTP port of a process: `/metrics` for Prometheus, `/alive` for whoever watches over it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import make_wsgi_app

from weir_server.errors import StartupError

_Start = Callable[[str, list[tuple[str, str]]], Any]


def open_door(role: str, host: str, port: int, alive: Callable[[], bool]) -> TelemetryDoor:
    """Return a door that answers already.

    Args:
        role: Whose, as settings are grouped: `gateway`, `writer`, `rules`.
        host: See `TelemetryDoor`.
        port: See `TelemetryDoor`.
        alive: See `TelemetryDoor`.

    Raises:
        StartupError: The port is taken.
    """
    try:
        door = TelemetryDoor(host, port, alive)
    except OSError as error:
        raise StartupError(
            f"cannot listen on {host}:{port}: {error.strerror}",
            hint=f"choose another {role}.metrics_port, or 0",
        ) from error
    door.start()
    return door


class TelemetryDoor:
    """Serves in threads of its own, also while the process itself is busy. `start`, then `close`.

    Args:
        host: Address to bind.
        port: 0 picks a free one; `start` tells which.
        alive: Whether the process does its work; called from any thread, answers at once.
    """

    def __init__(self, host: str, port: int, alive: Callable[[], bool]) -> None:
        self._alive = alive
        self._metrics = make_wsgi_app()
        kind = _Server6 if ":" in host else _Server
        self._server = make_server(host, port, self._answer, kind, _Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_port

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start: _Start) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != "/alive":
            answer: Iterable[bytes] = self._metrics(environ, start)
            return answer
        alive = self._alive()
        start("200 OK" if alive else "503 Service Unavailable", [("Content-Type", "text/plain")])
        return [b"alive\n" if alive else b"hangs\n"]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing of each request."""
