"""finish() with no server, a mute one, one that never stores: bounded, and what it prints completes the run."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.fault.fixtures_client import Trainer
from tests.integration.fixtures_model_gateway import ModelGateway, gateway
from tests.integration.fixtures_spools import NODE
from weir._reading import read_points
from weir.agent._lock import agent_pid
from weir_proto.v1 import ingest_pb2 as pb

__all__ = ["gateway"]  # fixtures

SCRIPT = """
import weir
run = weir.init('p', id='a run')
for n in range(1_000): run.log({'n': float(n)})
run.finish(timeout=1)
print(run.stats.spooled)
"""
AT_EXIT = SCRIPT.replace("run.finish(timeout=1)\n", "run.flush()\n")


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[Trainer]:
    """A trainer in a folder whose name a shell has to be told carefully."""
    folder = tmp_path / "it's my $HOME"
    folder.mkdir()
    trainer = Trainer(folder, {"WEIR_MODE": "online", "WEIR_EXIT_TIMEOUT_S": "1"})
    yield trainer
    end_agent(trainer)


def end_agent(trainer: Trainer) -> None:
    """End the agent that the script left behind: without it, only the command can help."""
    pid = agent_pid(trainer.root, NODE)
    if pid is not None:
        agent = psutil.Process(pid)
        agent.kill()
        agent.wait(20)


@contextmanager
def black_hole(port: int) -> Iterator[None]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", port)):
        yield


def run_printed_command(said: str) -> subprocess.CompletedProcess[str]:
    """Run the `weir sync` line as a person pastes it into a shell."""
    found = re.search(r"weir sync .*$", said, re.M)
    assert found, said
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["sh", "-c", found[0]],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PATH": path},
        check=False,
    )


def check_that_the_command_completes(trainer: Trainer, gateway: ModelGateway, said: str) -> None:
    synced = run_printed_command(said)
    assert synced.returncode == 0, synced.stdout + synced.stderr
    account = gateway.ledger.only()
    bodies = [pb.Body.FromString(frame) for _, frame in sorted(account.frames.items())]
    values = [p.value for body in bodies for p in read_points(body, run_id="", rank=0)]
    assert values == [float(n) for n in range(1_000)]
    assert bodies[-1].session.state == pb.SessionUpdate.FINISHED
    assert account.final_seq == account.committed
    assert not list(trainer.root.glob("p/*"))


@pytest.mark.parametrize("script", [SCRIPT, AT_EXIT], ids=["finish", "exit"])
def test_with_a_dead_server_the_printed_command_completes_the_run_later(
    trainer: Trainer, gateway: ModelGateway, script: str
) -> None:
    gateway.stop()
    done = trainer.run(script, WEIR_SERVER=gateway.address, within_s=40)
    assert (done.returncode, done.stdout) == (0, "1000\n"), done.stderr
    end_agent(trainer)
    gateway.start()
    check_that_the_command_completes(trainer, gateway, done.stderr)


def test_with_a_server_that_never_answers_the_printed_command_completes_the_run_later(
    trainer: Trainer, gateway: ModelGateway
) -> None:
    gateway.stop()
    with black_hole(gateway.port):
        done = trainer.run(SCRIPT, WEIR_SERVER=gateway.address, within_s=40)
        end_agent(trainer)
    assert (done.returncode, done.stdout) == (0, "1000\n"), done.stderr
    gateway.start()
    check_that_the_command_completes(trainer, gateway, done.stderr)


def test_with_a_server_that_never_stores_the_printed_command_completes_the_run_later(
    trainer: Trainer, gateway: ModelGateway
) -> None:
    gateway.ledger.commits = False
    done = trainer.run(SCRIPT, WEIR_SERVER=gateway.address, within_s=40)
    assert (done.returncode, done.stdout) == (0, "1000\n"), done.stderr
    end_agent(trainer)
    gateway.ledger.commits = True
    check_that_the_command_completes(trainer, gateway, done.stderr)


def test_the_command_that_is_printed_is_one_word_of_folder() -> None:
    from weir._agent_start import sync_command

    for folder in ("/plain", "/with space", "/it's", "/$(date)", "/a;b", "/ü"):
        assert shlex.split(sync_command(folder)) == ["weir", "sync", folder]
