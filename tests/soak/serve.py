"""The Weir under attack: `weir up` on fixed ports, so that it can be killed and started again as it was."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path

from tests.e2e.fixtures_up import EmbeddedWeir, alive, start_weir
from tests.fault.fixtures_doors import Door
from tests.soak.load import trainer_path
from weir._process import host_name
from weir.agent._lock import agent_pid
from weir_server.up.data_dir import DataDir
from weir_server.up.probes import http_answers, port_answers, redis_answers
from weir_server.up.redis_server import socket_path

_PORTS = (
    *("gateway.port", "engine.port", "gateway.metrics-port", "writer.metrics-port"),
    "rules.metrics-port",
    "objects.door-port",
    "gateway.sql-port",
)
_ASK_WITHIN_S = 2.0


class Served:
    """One Weir and the spool roots that log to it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        os.environ["PYTHONPATH"] = (
            trainer_path()
        )  # what we start runs this tree, not an installed one
        ports = zip(_PORTS, map(str, free_ports(len(_PORTS))), strict=True)
        self._flags = [
            "--no-dashboard",
            *(word for name, port in ports for word in (f"--{name}", port)),
        ]
        self.weir: EmbeddedWeir = start_weir(folder / "data", *self._flags)
        host, _, port = self.weir.gateway.rpartition(":")
        self.network = Door((host, int(port)))  # what agents take for the gateway

    # ── processes ──────────────────────────────────────────────────────────

    def pid(self, name: str) -> int | None:
        """Return the pid of a part, of `up`, or of `agent-<root>`; None when it is not there."""
        if name == "up":
            return self.weir.process.pid
        if name.startswith("agent-"):
            return agent_pid(self.root(name.removeprefix("agent-")), host_name())
        part = self.weir.parts().get(name)
        return part.pid if part and alive(part) else None

    def well(self, name: str) -> bool:
        """Return whether a part does its work."""
        doors, metrics = self.weir.state["clickhouse"], self.weir.state["metrics"]
        if name == "redis":
            return redis_answers(socket_path(DataDir(self.weir.data_dir).redis))
        if name == "engine":
            return http_answers(f"{doors['url']}/ping")
        if name == "writer":
            return http_answers(metrics["writer"])
        if name == "gateway":
            host, _, port = self.weir.gateway.rpartition(":")
            return port_answers(host, int(port))
        return self.pid(name) is not None

    def kill_all(self) -> None:
        """kill -9 `weir up`; its parts end with it. Then start it again."""
        self.weir.process.kill()
        self.weir.process.wait()
        self.weir = start_weir(self._folder / "data", *self._flags)

    def stop(self) -> None:
        """End it all, the agents too."""
        for root in ("a", "b"):
            if pid := self.pid(f"agent-{root}"):
                os.kill(pid, signal.SIGTERM)
        self.weir.stop(signal.SIGTERM)
        self.network.close()

    # ── trainers ───────────────────────────────────────────────────────────

    def root(self, name: str) -> Path:
        """Return a spool root."""
        return self._folder / f"spool-{name}"

    def spools(self, name: str) -> list[Path]:
        """Return the producers' folders of a spool root."""
        return [meta.parent for meta in self.root(name).glob("*/*/*/meta.json")]

    def environment(self, root: str) -> dict[str, str]:
        """Return the environment of a trainer: short limits, because nobody here waits in person."""
        return {
            **self.weir.environment(self.root(root)),
            "WEIR_SERVER": self.network.address,
            "WEIR_AGENT_IDLE_S": "5",
            "WEIR_FINISH_TIMEOUT_S": "5",
            "WEIR_EXIT_TIMEOUT_S": "3",
            "WEIR_RESUME_TIMEOUT_S": "3",
        }

    def sync(self, root: str, within_s: float) -> None:
        """Send what nobody sends any more, as its user would: `weir sync`."""
        subprocess.run(
            [*weir_command(), "sync", str(self.root(root)), "--timeout", str(within_s)],
            env=self.environment(root),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=within_s + 600,
            check=False,
        )

    # ── the store ──────────────────────────────────────────────────────────

    def ask(self, sql: str) -> list[list[str]]:
        """Ask the engine over plain HTTP with a short limit; rows of texts.

        Raises:
            OSError: No answer.
        """
        doors = self.weir.state["clickhouse"]
        request = urllib.request.Request(
            f"{doors['url']}/?{urllib.parse.urlencode({'query': f'{sql} FORMAT TSV'})}",
            headers={"X-ClickHouse-User": doors["user"], "X-ClickHouse-Key": doors["password"]},
        )
        with urllib.request.urlopen(request, timeout=_ASK_WITHIN_S) as answer:
            return [line.split("\t") for line in answer.read().decode().splitlines()]


def weir_command() -> list[str]:
    """Return the command line of `weir`."""
    return [sys.executable, "-P", "-c", "from weir.cli import main; main()"]


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [door.getsockname()[1] for door in held]
    for door in held:
        door.close()
    return ports
