"""A SqlReader that answers what it is told to: for pages, not for the gate."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from weir_store.errors import StoreError, StoreUnavailable
from weir_store.sql.base import Answer, Question
from weir_store.views.catalog import Column, View

VIEWS = (
    View(
        "runs",
        "One row is one run.",
        (
            Column("project", "String", "The project."),
            Column("run_id", "String", "The run's id."),
            Column("took_s", "Float64", "How long it took.", "s"),
        ),
        "SELECT run_id, took_s FROM runs LIMIT 10",
    ),
    View(
        "metrics",
        "One row is one point.",
        (
            Column("project", "String", "The project."),
            Column("metric", "String", "Its name."),
            Column("step", "Int64", "The step."),
            Column("value", "Float64", "The value."),
        ),
        "SELECT step, value FROM metrics WHERE metric = 'train/loss' LIMIT 100",
    ),
)


def curves(runs: int = 3, steps: int = 200) -> pa.Table:
    return pa.table(
        {
            "run_id": [f"r{run:04}" for run in range(runs) for _ in range(steps)],
            "step": [step for _ in range(runs) for step in range(steps)],
            "value": [
                2.0 / (1 + step / (10 + run)) for run in range(runs) for step in range(steps)
            ],
        }
    )


@dataclass
class Answering:
    """Answers every statement with `table`; `error` instead where given; `gate` holds answers back while unset."""

    table: pa.Table = field(default_factory=curves)
    error: StoreError | None = None
    down: bool = False
    cut: bool = False
    batch_rows: int = 1_000
    asked: list[Question] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def list_views(self) -> tuple[View, ...]:
        return VIEWS

    def ask(self, question: Question) -> Answer:
        self.asked.append(question)
        if self.down:
            raise StoreUnavailable("connection refused")
        if self.error is not None:
            raise self.error
        answer = Answer(self.table.schema, iter(()))
        answer.batches = self._batches(answer)
        return answer

    def _batches(self, answer: Answer) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self.table.to_batches(max_chunksize=self.batch_rows):
                self.gate.wait(20)
                yield batch
            answer.cut = self.cut
        finally:
            self.closed.set()
