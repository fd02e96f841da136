"""A real engine process for tests: started on a free port, stopped by its pid."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
import pytest

_START_S = 60
_STOP_S = 30


@dataclass
class EngineProcess:
    """A running engine, or any other ClickHouse: where it is and who may come in."""

    host: str
    port: int
    user: str = "default"
    password: str = ""
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process is not None, "an external ClickHouse has no pid here"
        return self.process.pid

    def client(self, **options: Any) -> Any:
        """Return a clickhouse-connect client without a session, so threads may share it."""
        options.setdefault("autogenerate_session_id", False)
        return clickhouse_connect.get_client(
            host=self.host,
            port=self.port,
            username=self.user,
            password=self.password,
            **options,
        )

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; return the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(_STOP_S)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return code


def start_engine(
    path: Path, *options: str, user: str = "default", password: str = ""
) -> EngineProcess:
    """Start an engine on `path` and wait until it is ready."""
    command = [sys.executable, "-m", "weir_server.engine", "--path", str(path), "--port", "0"]
    command += ["--user", user, "--password", password, *options]
    log = path.parent / f"{path.name}.stderr"
    with log.open("a") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)
    # A process that neither speaks nor ends must not hang the suite.
    watchdog = threading.Timer(_START_S, process.kill)
    watchdog.start()
    assert process.stdout is not None
    line = process.stdout.readline()
    watchdog.cancel()
    if not line.startswith("engine ready on "):
        process.kill()
        process.wait(_STOP_S)
        raise AssertionError(f"the engine did not start: {line!r} {log.read_text()[-2000:]}")
    where = urlsplit(line.split()[-1])
    assert where.hostname is not None
    assert where.port is not None
    return EngineProcess(where.hostname, where.port, user, password, process)


@contextlib.contextmanager
def running_engine(
    path: Path, *options: str, user: str = "default", password: str = ""
) -> Iterator[EngineProcess]:
    """Run an engine for the length of a `with` block."""
    engine = start_engine(path, *options, user=user, password=password)
    try:
        yield engine
    finally:
        engine.stop()


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """One engine for the whole run; make your own database in it."""
    with running_engine(tmp_path_factory.mktemp("engine") / "clickhouse") as running:
        yield running


def external_clickhouse() -> EngineProcess | None:
    """Return the ClickHouse named by WEIR_TEST_CLICKHOUSE_URL (http://user:password@host:port)."""
    url = os.environ.get("WEIR_TEST_CLICKHOUSE_URL")
    if not url:
        return None
    where = urlsplit(url)
    return EngineProcess(
        where.hostname or "127.0.0.1",
        where.port or 8123,
        where.username or "default",
        where.password or "",
    )
