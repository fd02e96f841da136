"""The one data directory of `weir up`: what lies where, and who holds it.

weir-data/
├─ weir-up.json       addresses, pids, password of what runs (0600)
├─ weir-up.lock       held while a `weir up` lives; holds its pid
├─ engine.password    made on the first start (0600)
├─ redis/  clickhouse/  objects/  dashboard/  logs/
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from weir_server.errors import StartupError

LEAST_FREE_BYTES: Final = 256 << 20
_SETTING: Final = "point up.data_dir (--data-dir) at a directory this user may write to"


@dataclass(frozen=True, slots=True)
class DataDir:
    """Where everything of one Weir lies; `path` is absolute."""

    path: Path

    @property
    def redis(self) -> Path:
        """Redis' append-only file."""
        return self.path / "redis"

    @property
    def clickhouse(self) -> Path:
        """The engine's tables."""
        return self.path / "clickhouse"

    @property
    def objects(self) -> Path:
        """The bytes of artifacts and media; holds the secret that signs their addresses (0600)."""
        return self.path / "objects"

    @property
    def access(self) -> Path:
        """Who is signed in at the dashboard, and its share links, as digests."""
        return self.path / "dashboard"

    @property
    def logs(self) -> Path:
        """What the parts say."""
        return self.path / "logs"

    @property
    def state_file(self) -> Path:
        """Addresses and pids, for people and programs."""
        return self.path / "weir-up.json"

    def log_file(self, part: str) -> Path:
        """Return the log of one part."""
        return self.logs / f"{part}.log"

    def read_or_make_password(self) -> str:
        """Return the engine's password: the one made at the first start."""
        path = self.path / "engine.password"
        try:
            return path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            password = secrets.token_urlsafe(24)
            write_private(path, password + "\n")
            return password


@contextmanager
def hold(path: Path) -> Iterator[DataDir]:
    """Make the directory, check it and hold it; the system lets go however this process ends.

    Raises:
        StartupError: Another `weir up` holds it (its pid is named), it cannot be written, or its
            disk is full.
    """
    data_dir = DataDir(path.absolute())
    try:
        data_dir.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(data_dir.path / "weir-up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _unusable(data_dir, error) from error
    try:
        _lock(descriptor, data_dir)
        _prepare(descriptor, data_dir)
        yield data_dir
    finally:
        os.close(descriptor)


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step, readable by this user alone."""
    draft = path.with_name(f"{path.name}.tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def _lock(descriptor: int, data_dir: DataDir) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
        raise StartupError(
            f"{data_dir.path} is held by another weir up, pid {holder}",
            hint=f"use that one (see {data_dir.state_file}), stop it with `kill {holder}`, "
            "or choose another --data-dir",
        ) from error


def _prepare(descriptor: int, data_dir: DataDir) -> None:
    free_bytes = shutil.disk_usage(data_dir.path).free
    if free_bytes < LEAST_FREE_BYTES:
        raise StartupError(
            f"only {free_bytes >> 20} MiB are free on the disk of {data_dir.path}",
            hint=f"free at least {LEAST_FREE_BYTES >> 20} MiB, or choose another --data-dir",
        )
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        for folder in (data_dir.redis, data_dir.clickhouse, data_dir.objects, data_dir.logs):
            folder.mkdir(exist_ok=True, mode=0o700)
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(13, "Permission denied", str(folder))
    except OSError as error:
        raise _unusable(data_dir, error) from error


def _unusable(data_dir: DataDir, error: OSError) -> StartupError:
    return StartupError(
        f"cannot write to the data directory {data_dir.path}: {error.strerror}", hint=_SETTING
    )
