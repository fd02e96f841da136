"""Runs that log files, a real agent that uploads them, and a model gateway over a real object store."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import weir
from tests.integration.fixtures_model_artifacts import ArtifactGateway, Shelf
from tests.integration.fixtures_spools import NODE, Agent, wait_until
from weir.agent._lock import agent_pid
from weir_proto.v1 import ingest_pb2 as pb
from weir_store.objects.base import ObjectStore

MIB = 1 << 20


def open_run(root: Path, server: str, **settings: object) -> weir.Run:
    """A run of this process, spooling to `root`, with nothing recorded but what is logged."""
    quiet = dict.fromkeys(
        ("record_git", "record_diff", "record_command", "record_packages", "record_machine"), False
    )
    quiet |= {"record_variables": False, "record_seeds": False, "system": False}
    return weir.init(
        "p",
        dir=root,
        settings={
            "server": server,
            "console": "off",
            "logging_level": "off",
            **quiet,
            **settings,
        },
        reinit="create_new",
    )


def serve(start_agent: Callable[..., Agent], root: Path, **how: float) -> Agent:
    """Start an agent and wait until it is the one: a run would start another."""
    agent = start_agent(root, **how)
    wait_until(lambda: agent_pid(root.resolve(), NODE) == agent.process.pid)
    return agent


def write_random(path: Path, size_bytes: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        while size_bytes > 0:
            file.write(os.urandom(min(size_bytes, MIB)))
            size_bytes -= MIB
    return path


def bodies(gateway: ArtifactGateway) -> list[pb.Body]:
    """Every frame that came, of every producer."""
    return [
        pb.Body.FromString(body)
        for account in gateway.ledger.accounts.values()
        for body in account.frames.values()
    ]


def events(gateway: ArtifactGateway, kind: str) -> list[pb.Event]:
    return [event for body in bodies(gateway) for event in body.events if event.kind == kind]


def run_files(gateway: ArtifactGateway) -> dict[str, dict]:
    return {
        attr.path: json.loads(attr.json)
        for body in bodies(gateway)
        for attr in body.attrs
        if attr.namespace == pb.Attr.FILE
    }


@pytest.fixture
def open_gateway() -> Iterator[Callable[..., ArtifactGateway]]:
    opened: list[ArtifactGateway] = []

    def start(objects: ObjectStore, **knobs: object) -> ArtifactGateway:
        gateway = ArtifactGateway(Shelf(objects, **knobs))  # type: ignore[arg-type]
        gateway.start()
        opened.append(gateway)
        return gateway

    yield start
    for gateway in opened:
        gateway.close()
