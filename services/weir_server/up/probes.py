"""Is it ready? One short question each; False for every kind of no."""

from __future__ import annotations

import http.client
import ipaddress
import socket
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

_TIMEOUT_S = 1.0


def redis_answers(path: Path) -> bool:
    """Ask a Redis for PONG; while it still reads its file it says LOADING instead."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_TIMEOUT_S)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def http_answers(url: str) -> bool:
    """Ask for a page; any 2xx is a yes."""
    try:
        with urlopen(url, timeout=_TIMEOUT_S) as answer:
            return bool(200 <= answer.status < 300)
    except (URLError, OSError, http.client.HTTPException, ValueError):
        return False


def port_answers(host: str, port: int) -> bool:
    """Try to connect."""
    try:
        socket.create_connection((host, port), timeout=_TIMEOUT_S).close()
    except OSError:
        return False
    return True


def reachable_host(host: str) -> str:
    """Return how this machine reaches a server that binds `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)


def address(host: str, port: int) -> str:
    """Return `host:port`, with brackets around an IPv6 host."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches a server that binds `host`."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
