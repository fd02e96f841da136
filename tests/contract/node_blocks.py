"""Blocks of console lines and telemetry, as the writer makes them of an agent's log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import pyarrow as pa

from weir_store import columns, tables
from weir_store.base import Block
from weir_store.records import RunRef

START_US = 1_790_000_000_000_000
BORN_S = START_US // 1_000_000
_RUN_DATE = 20_718


def moment(unix_us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=unix_us)


def table(name: str, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=columns.BY_TABLE[name])


def process(name: object) -> UUID:
    return uuid5(NAMESPACE_OID, str(name))


def run_block(ref: RunRef, *, deleted: bool = False) -> Block:
    """Return a run's birth, or its tombstone."""
    row = {
        "project": ref.project,
        "run_id": ref.run_id,
        "created_at": moment(START_US),
        "ver": 2 if deleted else 1,
        "is_deleted": int(deleted),
    }
    return {tables.RUNS: table(tables.RUNS, [row])}


class NodeLog:
    """One life of an agent in a run; every call makes the block of its next frame.

    Args:
        ref: The run.
        rank: Of the agent's producer.
        born_s: Second it was born in.
    """

    def __init__(self, ref: RunRef, *, rank: int = 0, born_s: int = BORN_S) -> None:
        self.ref, self.rank, self.born_s = ref, rank, born_s
        self.producer = UUID(int=(born_s * 1_000) << 80 | 7 << 76 | 2 << 62 | rank)
        self._seq = 0

    def lines(self, *lines: Mapping[str, Any]) -> Block:
        """Return a frame of lines; each says at least `number` and `line`."""
        self._seq += 1
        rows = [self._line(**line) for line in lines]
        return {tables.CONSOLE: table(tables.CONSOLE, rows), **self.committed()}

    def system(self, *points: Mapping[str, Any]) -> Block:
        """Return a frame of measurements; each says at least `metric`, `at_us` and `value`."""
        self._seq += 1
        rows = [self._point(**point) for point in points]
        return {tables.SYSTEM_POINTS: table(tables.SYSTEM_POINTS, rows), **self.committed()}

    def committed(self) -> Block:
        """Return the session and how far it is stored."""
        of = {
            "project": self.ref.project,
            "run_id": self.ref.run_id,
            "producer": self.producer.bytes,
        }
        session = {
            **of, "rank": self.rank, "local_rank": 0, "world_size": 1, "node": "n", "pid": 1,
            "launcher": "", "role": "agent", "attempt": 0, "state": "running", "exit_code": 0,
            "reason": "", "started_at": moment(self.born_s * 1_000_000),
            "updated_at": moment(self.born_s * 1_000_000), "ver": self._ver,
        }  # fmt: skip
        commit = {**of, "seq": self._seq, "at": moment(self.born_s * 1_000_000)}
        return {
            tables.SESSIONS: table(tables.SESSIONS, [session]),
            tables.INGEST_COMMITS: table(tables.INGEST_COMMITS, [commit]),
        }

    @property
    def _ver(self) -> int:
        return self.born_s << 32 | self._seq

    def _line(
        self,
        *,
        number: int,
        line: str,
        rank: int = 0,
        at_us: int | None = None,
        stream: str = "stdout",
        level: int = 0,
        node: str = "n",
        of: object = None,
    ) -> dict[str, Any]:
        return {
            "project": self.ref.project,
            "run_id": self.ref.run_id,
            "rank": rank,
            "ts": moment(START_US + (number * 1_000 if at_us is None else at_us)),
            "process": process((rank, of)).bytes,
            "number": number,
            "stream": stream,
            "level": level,
            "node": node,
            "line": line,
            "agent_rank": self.rank,
            "ver": self._ver,
            "run_date": _RUN_DATE,
        }

    def _point(
        self, *, metric: str, at_us: int, value: float, node: str = "n", device: str = ""
    ) -> dict[str, Any]:
        return {
            "project": self.ref.project,
            "run_id": self.ref.run_id,
            "metric": metric,
            "node": node,
            "device": device,
            "ts": moment(START_US + at_us),
            "value": value,
            "rank": self.rank,
            "ver": self._ver,
            "run_date": _RUN_DATE,
        }
