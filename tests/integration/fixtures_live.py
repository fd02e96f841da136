"""Runs that go on while one looks: frames as the writer stores them, one after the other."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from weir_store import columns, tables
from weir_store.base import Inserter
from weir_store.records import RunRef


def producer_born(born_s: float) -> bytes:
    """Return a UUIDv7 born then."""
    return int(born_s * 1_000).to_bytes(6, "big") + b"\x70\x00\x80" + uuid.uuid4().bytes[:7]


@dataclass
class Job:
    """One process of a run, writing straight into the tables what a writer would."""

    inserter: Inserter
    run: RunRef
    rank: int = 0
    world_size: int = 1
    born_s: float = field(default_factory=lambda: time.time() - 5)
    seq: int = 0

    def __post_init__(self) -> None:
        self.producer = producer_born(self.born_s)

    @property
    def ver(self) -> int:
        return int(self.born_s) << 32 | self.seq

    def begin(self) -> None:
        """Say that the run and the process are there."""
        born_us = int(self.born_s * 1e6)
        self._insert(
            tables.RUNS,
            [{**self._whose, "created_at": born_us, "ver": 1 << 62, "is_deleted": 0}],
        )
        self.is_now("running")
        self.commit()

    def is_now(self, state: str, reason: str = "") -> None:
        """Say how the process is."""
        now_us = time.time_ns() // 1_000
        row = {
            **self._whose, "producer": self.producer, "rank": self.rank, "local_rank": self.rank,
            "world_size": self.world_size, "node": "n", "pid": 1, "launcher": "", "role": "",
            "attempt": 0, "state": state, "exit_code": 0, "reason": reason,
            "started_at": int(self.born_s * 1e6), "updated_at": now_us, "ver": self.ver + now_us,
        }  # fmt: skip
        self._insert(tables.SESSIONS, [row])

    def points(self, values: list[float], metric: str = "loss", first_step: int = 0) -> None:
        """Store the points of a frame; they are not committed yet."""
        self.seq += 1
        self._insert(tables.POINTS, [
            {**self._row(metric, first_step + n), "value": value, "rewrite": 0}
            for n, value in enumerate(values)
        ])  # fmt: skip

    def text(self, value: str, metric: str = "sample", step: int = 0) -> None:
        """Store a text."""
        self.seq += 1
        row = {**self._row(metric, step), "value": value, "kind": "text"}
        self._insert(tables.TEXT_POINTS, [row])

    def event(self, title: str, *, source: str = "client") -> bytes:
        """Store an event; return its id."""
        event_id = uuid.uuid4().bytes
        row = {
            **self._whose, "event_id": event_id, "ts": time.time_ns() // 1_000, "kind": "alert",
            "severity": "warn", "title": title, "body": "", "step": -1, "rank": self.rank,
            "attrs": {}, "ver": self.ver, "source": source,
        }  # fmt: skip
        self._insert(tables.EVENTS, [row])
        return event_id

    def commit(self) -> None:
        """Raise the watermark to the last frame."""
        row = {
            **self._whose, "producer": self.producer, "seq": self.seq,
            "at": time.time_ns() // 1_000_000,
        }  # fmt: skip
        self._insert(tables.INGEST_COMMITS, [row])

    def log(self, values: list[float], **more: Any) -> None:
        """Store points and commit them."""
        self.points(values, **more)
        self.commit()

    @property
    def _whose(self) -> dict[str, str]:
        return {"project": self.run.project, "run_id": self.run.run_id}

    def _row(self, metric: str, step: int) -> dict[str, Any]:
        return {
            **self._whose, "metric": metric, "step": step, "rank": self.rank,
            "ts": time.time_ns() // 1_000, "ver": self.ver,
            "run_date": int(self.born_s) // 86_400,
        }  # fmt: skip

    def _insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        shape = columns.BY_TABLE[table]
        plain = pa.schema(
            [
                (f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type)
                for f in shape
            ]
        )
        told = pa.Table.from_pylist(rows, schema=plain).cast(shape)
        self.inserter.insert({table: told}, uuid.uuid4().hex)
