"""A whole embedded Weir for tests and benchmarks: `weir up` on free ports, stopped by its pid."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from weir_server.up.data_dir import DataDir
from weir_server.up.state import PartState, read_parts
from weir_store.clickhouse import ClickHouse, connect
from weir_store.reader import ClickHouseReader

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
READY_WITHIN_S = 120.0
FREE_PORTS = (
    "--gateway.port", "0", "--engine.port", "0", "--dashboard.port", "0",
    "--gateway.metrics-port", "0", "--writer.metrics-port", "0", "--rules.metrics-port", "0",
    "--objects.door-port", "0", "--gateway.sql-port", "0",
)  # fmt: skip


def wait_until(condition: Callable[[], Any], what: str, *, within_s: float = 60.0) -> Any:
    """Return the condition's first true answer; fail when there is none in time."""
    deadline_s = time.monotonic() + within_s
    while time.monotonic() < deadline_s:
        if answer := condition():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {within_s:g} s")


def free_port() -> int:
    """Return a port that nobody has just now."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return int(holder.getsockname()[1])


def up_command(data_dir: Path, *flags: str) -> list[str]:
    """Return the command line of a `weir up` on free ports."""
    command = [sys.executable, "-P", "-m", "weir_server", "up", "--data-dir", str(data_dir)]
    return [*command, *FREE_PORTS, *flags]


@dataclass
class EmbeddedWeir:
    """A running `weir up`."""

    data_dir: Path
    process: subprocess.Popen[bytes]
    output: Path
    state: dict[str, Any]

    @property
    def gateway(self) -> str:
        """`host:port`."""
        return str(self.state["gateway"])

    @property
    def dashboard(self) -> str:
        """URL, or "" when it was left out."""
        return str(self.state["dashboard"])

    @property
    def said(self) -> str:
        """What `weir up` has printed."""
        return self.output.read_text()

    def parts(self) -> dict[str, PartState]:
        """Return the children as noted now."""
        return read_parts(DataDir(self.data_dir))

    def store(self) -> ClickHouse:
        """Return a connection to the engine; the caller closes it."""
        doors = self.state["clickhouse"]
        return connect(doors["url"], user=doors["user"], password=doors["password"])

    @contextmanager
    def reader(self) -> Iterator[ClickHouseReader]:
        """Lend a reader."""
        store = self.store()
        try:
            yield ClickHouseReader(store)
        finally:
            store.close()

    def environment(self, spool: Path) -> dict[str, str]:
        """Return the environment of a training job that logs here."""
        return {**os.environ, "WEIR_SERVER": self.gateway, "WEIR_DIR": str(spool)}

    def run_example(self, name: str, *arguments: str, spool: Path) -> str:
        """Run a program of examples/ to its end and return what it printed."""
        done = subprocess.run(
            [sys.executable, str(EXAMPLES / name), *arguments],
            env=self.environment(spool),
            cwd=spool.parent,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal and wait for the end; return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(90)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


def start_weir(data_dir: Path, *flags: str) -> EmbeddedWeir:
    """Start `weir up` and wait until it is ready."""
    output = data_dir.parent / f"{data_dir.name}.out"
    with output.open("ab") as out:
        process = subprocess.Popen(
            up_command(data_dir, *flags), stdout=out, stderr=out, cwd=data_dir.parent
        )

    def ready_state() -> dict[str, Any] | None:
        assert process.poll() is None, f"weir up ended early:\n{output.read_text()}"
        try:
            state: dict[str, Any] = json.loads((data_dir / "weir-up.json").read_text())
        except (OSError, ValueError):
            return None
        return state if state["ready"] and state["pid"] == process.pid else None

    try:
        state = wait_until(ready_state, "weir up is ready", within_s=READY_WITHIN_S)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return EmbeddedWeir(data_dir, process, output, state)


@contextmanager
def running_weir(data_dir: Path, *flags: str) -> Iterator[EmbeddedWeir]:
    """Run a Weir for the length of a `with` block."""
    weir = start_weir(data_dir, *flags)
    try:
        yield weir
    finally:
        weir.stop(signal.SIGTERM)


@pytest.fixture(scope="session")
def embedded_weir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedWeir]:
    """One Weir without a dashboard for the whole run; use your own project in it."""
    sql_port = ("--gateway.sql-port", str(free_port()))
    folder = tmp_path_factory.mktemp("weir")
    with running_weir(folder / "data", "--no-dashboard", *sql_port) as weir:
        yield weir


def alive(part: PartState) -> bool:
    """Return whether that very process still lives."""
    try:
        process = psutil.Process(part.pid)
        return (
            process.status() != psutil.STATUS_ZOMBIE
            and abs(process.create_time() - part.started_unix_s) < 1
        )
    except psutil.Error:
        return False
