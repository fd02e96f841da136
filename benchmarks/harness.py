"""What every benchmark shares: figures with their targets, and a Weir of one's own to measure."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number; `must` says what it has to be ("<= 5"), empty when it only informs."""

    what: str
    value: float
    unit: str
    must: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the figure is as it must be; None when nothing is asked."""
        if not self.must:
            return None
        sign, bound = self.must.split()
        return self.value <= float(bound) if sign == "<=" else self.value >= float(bound)

    def as_json(self) -> dict[str, object]:
        """Return the figure as JSON carries it."""
        return {**asdict(self), "holds": self.holds}


@dataclass(frozen=True, slots=True)
class Weir:
    """A running `weir up`: where its doors are and which processes it is made of."""

    gateway: str
    clickhouse: str
    user: str
    password: str
    data_dir: Path
    process: subprocess.Popen[bytes]
    dashboard: str = ""

    def parts(self) -> dict[str, psutil.Process]:
        """Return the child processes by part: redis, engine, writer, gateway, dashboard."""
        state = json.loads((self.data_dir / "weir-up.json").read_text())
        return {name: psutil.Process(part["pid"]) for name, part in state["parts"].items()}

    def disk_bytes(self, folder: str) -> int:
        """Return what a folder of the data directory takes."""
        return sum(
            path.stat().st_size for path in (self.data_dir / folder).rglob("*") if path.is_file()
        )


@contextmanager
def running_weir(*flags: str, dashboard: bool = False) -> Iterator[Weir]:
    """Start a Weir on free ports with a data directory of its own; stop it afterwards."""
    face = ("--dashboard.port", "0") if dashboard else ("--no-dashboard",)
    with tempfile.TemporaryDirectory(prefix="weir-bench-", ignore_cleanup_errors=True) as folder:
        data_dir = Path(folder) / "data"
        command = [
            sys.executable, "-m", "weir_server", "up", "--data-dir", str(data_dir), *face,
            "--gateway.port", "0", "--engine.port", "0", "--objects.door-port", "0",
            "--gateway.sql-port", "0", "--gateway.metrics-port", "0",
            "--writer.metrics-port", "0", "--rules.metrics-port", "0", *flags,
        ]  # fmt: skip
        log = Path(folder) / "up.log"
        with log.open("wb") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out, cwd=folder)
        try:
            state = _wait_ready(data_dir / "weir-up.json", process, log)
            yield Weir(
                gateway=state["gateway"],
                clickhouse=state["clickhouse"]["url"],
                user=state["clickhouse"]["user"],
                password=state["clickhouse"]["password"],
                data_dir=data_dir,
                process=process,
                dashboard=state.get("dashboard") or "",
            )
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_ready(state_file: Path, process: subprocess.Popen[bytes], log: Path) -> dict[str, object]:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"weir up ended early:\n{log.read_text()}")
        if state_file.exists():
            state: dict[str, object] = json.loads(state_file.read_text())
            if state.get("ready"):
                return state
        time.sleep(0.1)
    raise SystemExit(f"weir up was not ready in 120 s:\n{log.read_text()}")


def agent_of(root: str) -> psutil.Process | None:
    """Return the agent that serves a spool root, if there is one."""
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "weir.agent" in words and root in words:
            return process
    return None


def run_script(
    python: Path | str, script: str, *arguments: object, **environment: str
) -> dict[str, float]:
    """Run a script of this folder in another process and return what it reported (pace.report)."""
    done = subprocess.run(
        [str(python), str(ROOT / "benchmarks" / script), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        stdout=subprocess.PIPE,
        check=True,
    )
    result: dict[str, float] = json.loads(done.stdout.decode().strip().rsplit("\n", 1)[-1])
    return result


def percentile(values: list[float], share: float) -> float:
    """Return the value below which `share` of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
