"""Free ports, and who has a port that is taken."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import psutil

from weir_server.errors import StartupError


@dataclass(frozen=True, slots=True)
class Wanted:
    """A port that a setting asks for; 0 = any free one."""

    setting: str
    host: str
    port: int


def choose_ports(wanted: Sequence[Wanted]) -> dict[str, int]:
    """Return a port for every setting, each free a moment ago and all different.

    Raises:
        StartupError: Ports are taken; names every one, its setting and who has it.
    """
    chosen, faults = {}, []
    with ExitStack() as held:  # held until all are chosen, so that none is chosen twice
        for want in wanted:
            try:
                listener = held.enter_context(_bind(want.host, want.port))
                chosen[want.setting] = listener.getsockname()[1]
            except OSError as error:
                faults.append(_fault(want, error))
    if faults:
        raise StartupError("; ".join(faults), hint="set another one, or 0 to pick a free one")
    return chosen


def holder_of(port: int) -> str:
    """Return who listens on a TCP port: `name, pid N`, or "" when it cannot be told."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and port in connection.laddr[1:]:
                return f"{psutil.Process(connection.pid).name()}, pid {connection.pid}"
    except (psutil.Error, OSError, ValueError):
        pass
    return ""


def _bind(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def _fault(want: Wanted, error: OSError) -> str:
    if error.errno != errno.EADDRINUSE:
        return f"{want.setting}: cannot bind {want.host}:{want.port}: {error.strerror or error}"
    holder = holder_of(want.port) or "another process"
    return f"{want.setting} {want.port} is taken by {holder}"
