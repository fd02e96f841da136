"""A reader of SQL that answers what a test told it, and a gateway that offers it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pytest

from tests.integration.fixtures_gateway import RunningGateway
from weir_server.gateway.service import Service
from weir_server.gateway.sql import NAME, SqlService, add_sql
from weir_server.gateway.tokens import Role, create_token
from weir_server.stream.memory import MemoryAppender, MemoryStream
from weir_store.sql.base import Answer, Question
from weir_store.views.catalog import Column, View

VIEWS = (
    View(
        "runs",
        "One row per run.",
        (
            Column("project", "String", "Its project."),
            Column("run_id", "String", "Its name for machines."),
            Column("duration_s", "Float64", "How long it ran.", "s"),
        ),
        "SELECT name FROM runs",
    ),
    View(
        "metrics", "One row per point.", (Column("project", "String", "Its project."),), "SELECT 1"
    ),
)


@dataclass
class ToldSql:
    """Answers with `batches`; remembers what was asked, and whether answers were let go.

    Attributes:
        fails: Raised by `ask`.
        fails_later: Raised behind the batches.
        gate: Waited for before every batch.
    """

    batches: list[pa.RecordBatch] = field(default_factory=list)
    fails: Exception | None = None
    fails_later: Exception | None = None
    cut: bool = False
    asked: list[Question] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)
    before_batch: Callable[[int], None] = lambda _number: None

    def ask(self, question: Question) -> Answer:
        self.asked.append(question)
        if self.fails:
            raise self.fails
        answer = Answer(self.batches[0].schema, self._told())
        self._answer = answer
        return answer

    def _told(self) -> Iterator[pa.RecordBatch]:
        try:
            for number, batch in enumerate(self.batches):
                self.before_batch(number)
                yield batch
            if self.fails_later:
                raise self.fails_later
            self._answer.cut = self.cut
        finally:
            self.closed.set()

    def list_views(self) -> tuple[View, ...]:
        return VIEWS


def numbers(*parts: list[int]) -> list[pa.RecordBatch]:
    """Return one batch per part, with the column `n`."""
    return [pa.record_batch({"n": pa.array(part, pa.int64())}) for part in parts]


@dataclass
class SqlGateway:
    """A gateway that offers `reader`, and tokens for it."""

    gateway: RunningGateway
    reader: ToldSql
    tokens: dict[str, str]
    tokens_file: Path

    @property
    def address(self) -> str:
        return self.gateway.address


@pytest.fixture
def sql_settings() -> dict[str, object]:
    """Settings of the gateway that a test wants otherwise; override it."""
    return {}


@pytest.fixture
def sql_gateway(tmp_path: Path, sql_settings: dict[str, object]) -> Iterator[SqlGateway]:
    tokens_file = tmp_path / "tokens.toml"
    tokens = {
        "reader": create_token(tokens_file, name="r", role=Role.READER, projects=["vision"]),
        "admin": create_token(tokens_file, name="a", role=Role.ADMIN, projects=["*"]),
    }
    told = ToldSql(batches=numbers([1, 2], [3]))
    gateway: RunningGateway

    def services(auth):  # the settings are the gateway's own
        from weir_server.settings import GatewaySettings

        settings = GatewaySettings(port=0, tokens_file=tokens_file, **sql_settings)
        return [Service(NAME, add_sql, SqlService(settings, told, auth))]

    gateway = RunningGateway(
        lambda: MemoryAppender(MemoryStream(shards=1, max_bytes=1 << 20)),
        services=services,
        tokens_file=tokens_file,
        **sql_settings,
    )
    yield SqlGateway(gateway, told, tokens, tokens_file)
    gateway.stop()
