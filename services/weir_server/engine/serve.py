"""The engine process: from settings to an open port, and cleanly back."""

from __future__ import annotations

import ipaddress
import signal
import socket
import sys
from pathlib import Path

import psutil
import uvicorn

from weir_server.engine.app import make_app
from weir_server.engine.chdb import Engine
from weir_server.engine.lock import hold
from weir_server.engine.queries import Access, Queries
from weir_server.errors import StartupError
from weir_server.settings import EngineSettings

_MEMORY_SHARE = 0.6
_WHOLE_INSERT_SHARE = 0.25
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
_DRAIN_S = 5
# Longer than any client keeps an idle connection, so that it is never we who close it first.
_KEEP_ALIVE_S = 3_600
_MAX_URL_BYTES = 1 << 20


def serve(settings: EngineSettings) -> int:
    """Serve the data directory over HTTP until SIGTERM or SIGINT.

    Prints `engine ready on http://HOST:PORT` on stdout once queries are answered.

    Returns:
        The exit code: 0 after a clean end, 1 when it could not start (one line on stderr).
    """
    try:
        _check(settings)
        with hold(settings.path), _listen(settings.host, settings.port) as listener:
            _serve_on(listener, settings)
    except StartupError as fault:
        print(f"weir engine: {fault}", file=sys.stderr)  # noqa: T201 - it is for the terminal
        return 1
    return 0


def _serve_on(listener: socket.socket, settings: EngineSettings) -> None:
    memory_bytes = settings.memory_bytes or int(_MEMORY_SHARE * machine_memory_bytes())
    engine = Engine(
        settings.path,
        max_threads=settings.max_threads,
        memory_bytes=memory_bytes,
        query_timeout_s=settings.query_timeout_s,
    )
    queries = Queries(
        engine,
        Access(settings.user, settings.password.get_secret_value()),
        max_whole_insert_bytes=int(_WHOLE_INSERT_SHARE * memory_bytes),
    )
    host, port = listener.getsockname()[:2]
    server = uvicorn.Server(
        uvicorn.Config(
            make_app(queries),
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_DRAIN_S,
            h11_max_incomplete_event_size=_MAX_URL_BYTES,
        )
    )
    # uvicorn raises the signal that ended it once more; by then it has had its effect.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))
    shown = f"[{host}]" if ":" in host else host
    print(f"engine ready on http://{shown}:{port}", flush=True)  # noqa: T201 - the ready line
    try:
        server.run(sockets=[listener])
    finally:
        queries.close()
        engine.close()


def machine_memory_bytes() -> int:
    """Return the memory this process may have: the machine's, or its control group's."""
    total: int = psutil.virtual_memory().total
    try:
        limit = _CGROUP_LIMIT.read_text().strip()
    except OSError:
        return total
    return min(total, int(limit)) if limit.isdecimal() else total


def _check(settings: EngineSettings) -> None:
    if not settings.password.get_secret_value() and not _is_loopback(settings.host):
        raise StartupError(
            f"engine.host {settings.host} is not a loopback address and there is no password",
            hint="set engine.password, or engine.host to 127.0.0.1",
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listen(host: str, port: int) -> socket.socket:
    """Open the port; connections wait in it until the engine is open."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as fault:
        raise StartupError(
            f"cannot listen on {host}:{port}: {fault.strerror}",
            hint="another process may have the port; set engine.port (0 picks a free one)",
        ) from fault
    listener.listen(128)
    return listener
