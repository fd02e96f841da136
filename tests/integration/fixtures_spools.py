"""Spools to drain, processes that pretend to train, agents, and waiting without sleeping blindly."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from weir._spool import FLAG_FINAL, Meta, SegmentWriter, SpoolDir
from weir_proto.v1 import ingest_pb2 as pb

NODE = socket.gethostname()


def wait_until(true: Callable[[], object], *, within_s: float = 30.0, what: str = "") -> None:
    """Poll until `true()`; fails when it does not come about in time."""
    deadline_s = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline_s, f"did not come about: {what or true}"
        time.sleep(0.02)


def body_of(seq: int, size_bytes: int = 200) -> bytes:
    """A frame's body that is recognisable by its seq."""
    return pb.Body(schema=1, names=[f"frame {seq}", "x" * size_bytes]).SerializeToString()


class Trainer:
    """Writes one producer's spool, in the name of a process."""

    def __init__(
        self,
        root: Path,
        server: str,
        *,
        process: psutil.Process | None = None,
        mode: str = "online",
        token: str = "",
        run_id: str = "run",
        rank: int = 0,
        node: str = NODE,
        segment_bytes: int = 16 << 20,
    ) -> None:
        process = process or psutil.Process()
        meta = Meta(
            mode=mode,
            server=server,
            producer=os.urandom(16).hex(),
            project="p",
            run_id=run_id,
            rank=rank,
            node=node,
            pid=process.pid,
            process_started_s=process.create_time(),
        )
        self.spool = SpoolDir.create(root, meta, token=token)
        self.bodies: dict[int, bytes] = {}
        self._writer = SegmentWriter(self.spool, segment_bytes=segment_bytes)

    @property
    def id(self) -> bytes:
        return self.spool.producer

    def write(self, frames: int, *, final: bool = False, size_bytes: int = 200) -> None:
        for n in range(frames):
            seq = len(self.bodies) + 1
            self.bodies[seq] = body_of(seq, size_bytes)
            flags = FLAG_FINAL if final and n == frames - 1 else 0
            self._writer.append(seq, flags, self.bodies[seq])

    @property
    def forgotten(self) -> bool:
        return not self.spool.path.exists()


class Agent:
    """A real agent process."""

    def __init__(self, root: Path, *, idle_s: float = 30.0) -> None:
        environ = os.environ | {"WEIR_AGENT_IDLE_S": str(idle_s)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "weir.agent", "--root", str(root)], env=environ
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(20)

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)


def weir(*arguments: str, within_s: float = 60.0) -> subprocess.CompletedProcess[str]:
    """Run the `weir` command."""
    return subprocess.run(
        [sys.executable, "-c", "from weir.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
    )


def weir_json(*arguments: str) -> dict:
    done = weir(*arguments, "--json")
    return json.loads(done.stdout)


@pytest.fixture
def start_agent(tmp_path: Path) -> Iterator[Callable[..., Agent]]:
    started: list[Agent] = []

    def start(root: Path = tmp_path / "spool", *, idle_s: float = 30.0) -> Agent:
        root.mkdir(exist_ok=True)
        started.append(Agent(root, idle_s=idle_s))
        return started[-1]

    yield start
    for agent in started:
        if agent.process.poll() is None:
            agent.kill()
