"""Asking SQL: the one door for the Sql service, the HTTP door, rules and the dashboard.

A statement is admitted by the gate first (gate.py), and runs within limits that its asker cannot
lift. What comes back is Arrow, batch by batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa

from weir_store.errors import InvalidQuery
from weir_store.views.catalog import View


@dataclass(frozen=True, slots=True)
class Rights:
    """What a statement may see.

    Attributes:
        projects: Names of projects; None = every project.
    """

    projects: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What one statement may take; each has a refusal that names it.

    Attributes:
        seconds: Of the server's time.
        memory_bytes: At its peak.
        rows_read: From the tables.
        result_rows: In the answer; more is refused, or cut where `cut` says so.
        result_bytes: In the answer, not compressed.
        threads: Of the server.
        cut: Whether an answer that is too long ends early (and says so) instead of being refused.
    """

    seconds: float = 30.0
    memory_bytes: int = 2 << 30
    rows_read: int = 5_000_000_000
    result_rows: int = 1_000_000
    result_bytes: int = 1 << 30
    threads: int = 4
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A statement, what it is bound to, and whose it is.

    Attributes:
        text: One SELECT over the views, ClickHouse's dialect; `{name:Type}` for parameters.
        rights: What it may see.
        parameters: Values of `{name:Type}`.
        asker: For the log and for fair shares, e.g. the token's name.
        mark: Stands on the statement in ClickHouse, so that it can be found and stopped; "" = none.
    """

    text: str
    rights: Rights = Rights()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    asker: str = ""
    limits: Limits = Limits()
    mark: str = ""


@dataclass(slots=True, weakref_slot=True)
class Answer:
    """What came back. Iterate over `batches` once, to the end or until `close`.

    Attributes:
        schema: Of every batch.
        batches: Rows; memory holds one batch at a time.
        cut: Whether the answer was longer; known when the batches have ended.
    """

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    cut: bool = False


class Refused(InvalidQuery):
    """The gate does not admit the statement: it names the construct, and what to write instead."""


class LimitReached(InvalidQuery):
    """The statement took more than it may: it names the limit and the setting that moves it."""


class SqlReader(Protocol):
    """Asks on behalf of people. Safe from any thread."""

    def ask(self, question: Question) -> Answer:
        """Run one statement.

        Raises:
            Refused: The gate does not admit it.
            LimitReached: It takes too much, or too many are running; also raised by `batches`.
            InvalidQuery: ClickHouse does not understand it.
            StoreUnavailable: No definite answer.
        """
        ...

    def list_views(self) -> tuple[View, ...]:
        """Return the views that SQL may see, in the order people read them."""
        ...
