"""A gateway over a store in memory that holds a few runs, and tokens for it."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from tests.contract.small_stores import StoreBuilder
from tests.integration.fixtures_gateway import RunningGateway
from weir._api_commands import COMMANDS
from weir_server.gateway.tokens import Role, create_token
from weir_server.stream.memory import MemoryAppender, MemoryStream
from weir_store.memory import MemoryStore
from weir_store.records import RunRef

STEPS = 5_000
ADAM = RunRef("vision", "adam1")
SGD = RunRef("vision", "sgd2")
SECRET = RunRef("private", "x")


class Asked(NamedTuple):
    """Where to ask, and what lies behind."""

    gateway: RunningGateway
    appender: MemoryAppender
    tokens: dict[str, str]

    @property
    def address(self) -> str:
        return self.gateway.address


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    tokens_file = tmp_path / "tokens.toml"
    tokens = {
        "reader": create_token(tokens_file, name="r", role=Role.READER, projects=["vision"]),
        "writer": create_token(tokens_file, name="w", role=Role.WRITER, projects=["vision"]),
        "admin": create_token(tokens_file, name="a", role=Role.ADMIN, projects=["*"]),
    }
    store = MemoryStore()
    store.insert(_block(), "")
    appender = MemoryAppender(MemoryStream(shards=1, max_bytes=1 << 20))
    gateway = RunningGateway(lambda: appender, store=store, tokens_file=tokens_file)
    yield Asked(gateway, appender, tokens)
    gateway.stop()


def typed_as(who: str, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return what types a command as somebody whose token is in `asked`, and reads what it prints."""
    monkeypatch.setenv("WEIR_TOKEN", asked.tokens[who])
    commands = {command.name: command for command in COMMANDS}

    def run(*words: str) -> str:
        result = CliRunner(env={"COLUMNS": "160"}).invoke(
            commands[words[0]], [*words[1:], "--server", asked.address]
        )
        assert result.exit_code == 0, result.output
        return result.output

    return run


def _block():
    builder = StoreBuilder()
    for number, (ref, lr) in enumerate(((ADAM, 0.003), (SGD, 0.1), (SECRET, 1.0))):
        builder.add_run(ref, created_s=1_700_000_000 + number)
        builder.add_session(
            ref, uuid.uuid4(), rank=0, world_size=2, node="n1", updated_s=1_700_000_600
        )
        builder.add_attr(ref, "config", "lr", lr)
        builder.add_attr(ref, "config", "betas", b"[0.9, 0.99]")
        builder.add_attr(ref, "config", "amp", True)
        builder.add_attr(ref, "config", "seed", 7)
        builder.add_attr(ref, "config", "warmup", None)
        builder.add_attr(ref, "meta", "name", f"run-{number}")
        builder.add_attr(ref, "tag", "baseline", True)
        builder.add_point(ref, "val/acc", 10, 0.5 + number)
        builder.add_point(ref, "val/acc", 11, math.nan)
        builder.add_point(ref, "sample", 1, "hello")
    for step in range(STEPS):
        for rank in range(2):
            builder.add_point(ADAM, "train/loss", step, 1 / (step + 1) + rank, rank=rank)
    return builder.take_block()
