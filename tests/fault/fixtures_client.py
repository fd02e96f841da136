"""Training scripts in fresh interpreters, disks of a few KiB, and what spools hold afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from weir._reading import read_points
from weir._settings import RECORDS
from weir._spool import Meta
from weir.agent._node_log import AGENT_ROLE
from weir.testing import read_root
from weir_proto.v1 import ingest_pb2 as pb

ROOT = Path(__file__).parents[2]
Ended = subprocess.CompletedProcess[str]


POINTS_ONLY = {
    "WEIR_CONSOLE": "off",
    "WEIR_SYSTEM": "0",
    **{f"WEIR_{name.upper()}": "0" for name in RECORDS},
}
"""These tests count points; what else a run records has its own."""


INTERRUPTED = """
def interrupted(line, work):
    left = line
    def trace(frame, event, arg):
        nonlocal left
        left -= event == 'line'
        if left == 0:
            left = -1
            sys.settrace(None)
            signal.raise_signal(signal.SIGUSR1)
        return trace
    sys.settrace(trace)
    try: work()
    finally: sys.settrace(None)
    return left < 0
"""
"""Source of `interrupted(line, work)`: does `work`, SIGUSR1 raised in it after so many lines; whether it came."""


@dataclass
class Trainer:
    """Runs training scripts that spool below one root, offline unless told otherwise."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """The spool root."""
        return Path(self.environ.get("WEIR_DIR", self.folder / "spool"))

    def start(self, source: str, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """Start a script; its standard streams are pipes."""
        script = self.folder / "train.py"
        script.write_text(source)
        return subprocess.Popen(
            [sys.executable, "-u", str(script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self._environment() | environ,
        )

    def run(self, source: str, *arguments: str, within_s: float = 60, **environ: str) -> Ended:
        """Run a script to its end."""
        process = self.start(source, *arguments, **environ)
        try:
            out, err = process.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return Ended(process.args, process.returncode, out, err)

    def _environment(self) -> dict[str, str]:
        clean = {name: text for name, text in os.environ.items() if not name.startswith("WEIR_")}
        return clean | {
            "WEIR_DIR": str(self.folder / "spool"),
            "WEIR_MODE": "offline",
            "WEIR_AGENT_IDLE_S": "2",
            **POINTS_ONLY,
            "HOME": str(self.folder),
            **self.environ,
        }

    # ── what the spools hold ───────────────────────────────────────────────

    def bodies(self) -> list[tuple[Meta, pb.Body]]:
        """Return every frame of every process that trained, oldest first; not what their agent says."""
        return [(meta, body) for meta, body in read_root(self.root) if meta.role != AGENT_ROLE]

    def values(self, metric: str) -> list[float | str]:
        """Return the values of one metric, in the order they were spooled."""
        return [
            point.value
            for meta, body in self.bodies()
            for point in read_points(body, run_id=meta.run_id, rank=meta.rank)
            if point.metric == metric
        ]

    def lost(self) -> dict[str, int]:
        """Return the points told as lost, by reason."""
        lost: Counter[str] = Counter()
        for _, body in self.bodies():
            for loss in body.losses:
                lost[loss.reason] += loss.points
        return dict(lost)

    def endings(self) -> list[tuple[str, int, str]]:
        """Return (state, exit code, reason) of every session that ended."""
        return [
            (
                pb.SessionUpdate.State.Name(body.session.state),
                body.session.exit_code,
                body.session.reason,
            )
            for _, body in self.bodies()
            if body.HasField("session") and body.session.state != pb.SessionUpdate.RUNNING
        ]

    def events(self, kind: str) -> list[str]:
        """Return the titles of events of a kind."""
        return [e.title for _, body in self.bodies() for e in body.events if e.kind == kind]

    def roles(self) -> list[str]:
        """Return the roles of all producers there are, sorted."""
        return sorted(meta.role for meta in dict.fromkeys(meta for meta, _ in self.bodies()))


@pytest.fixture
def trainer(tmp_path: Path) -> Trainer:
    """A place to train in."""
    return Trainer(tmp_path)


@contextmanager
def tiny_disk(folder: Path, size_kib: int, *options: str) -> Iterator[Path]:
    """A file system of its own, of so many KiB."""
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", ",".join((f"size={size_kib}k", *options)), "tmpfs"]
    if os.geteuid() != 0 or subprocess.run([*mount, folder], capture_output=True).returncode:
        pytest.skip("only root may mount a tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def remount(folder: Path, *options: str) -> None:
    """Change how a file system is mounted."""
    subprocess.run(["mount", "-o", ",".join(("remount", *options)), folder], check=True)
