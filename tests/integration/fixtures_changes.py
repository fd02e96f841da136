"""A store on the real engine, filled as the writer fills it, and its changes at a clock that tests set."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest

from tests.integration.fixtures_engine import EngineProcess
from tests.unit.server import frames
from weir._ledger import Claim
from weir_proto.v1 import ingest_pb2
from weir_server.writer.rows import build_block
from weir_server.writer.unpack import unpack
from weir_store.changes.base import Change, Correction, Steps
from weir_store.changes.sweep import Changes
from weir_store.clickhouse import ClickHouse, connect
from weir_store.editor import Editor
from weir_store.errors import StoreUnavailable, UnknownRun
from weir_store.inserter import ClickHouseInserter
from weir_store.ledger import verdict_of, worst
from weir_store.migrate import migrate
from weir_store.reader import ClickHouseReader
from weir_store.records import Run, RunRef, SeriesQuery, Verdict

DAY_US = 86_400_000_000
_MIGRATED: set[tuple[str, str]] = set()


class House:
    """A store, its readers, and its changes."""

    def __init__(self, clickhouse: ClickHouse, database: str, **more: Any) -> None:
        self.clickhouse, self.database, self.raw = clickhouse, database, f"{database}_raw"
        self.inserter = ClickHouseInserter(clickhouse, database)
        self.reader = ClickHouseReader(clickhouse, database)
        self.editor = Editor(self.inserter)
        self.project = f"p-{uuid4().hex[:8]}"
        self.now_unix_us = frames.ACCEPTED_UNIX_US + DAY_US
        self.changes = self.make(**more)
        self._claims: dict[tuple[str, bytes], tuple[Claim, int]] = {}

    def make(self, **more: Any) -> Changes:
        return Changes(
            self.clickhouse,
            self.database,
            self.inserter,
            self.reader,
            now_unix_us=self.tick,
            **more,
        )

    def tick(self) -> int:
        self.now_unix_us += 1
        return self.now_unix_us

    # ── what processes log ─────────────────────────────────────────────────

    def log(
        self,
        run_id: str,
        body: ingest_pb2.Body,
        *,
        rank: int = 0,
        birth_s: int = frames.BIRTH_S,
        project: str = "",
    ) -> RunRef:
        """Store a frame with its claim, as the writer does."""
        who = frames.producer(rank, birth_s=birth_s)
        claim, seq = self._claims.get((run_id, who), (Claim(), 0))
        claim, seq = claim + Claim.of(body), seq + 1
        self._claims[run_id, who] = claim, seq
        said = ingest_pb2.Body()
        said.CopyFrom(body)
        said.tallies.extend(claim.messages())
        place = {"project": project or self.project, "run_id": run_id, "rank": rank}
        entry = frames.entry(said, seq, who=who, **place)
        self.inserter.insert(build_block([unpack(entry)]), uuid4().hex)
        return RunRef(project or self.project, run_id)

    # ── what people ask ────────────────────────────────────────────────────

    def run(self, ref: RunRef) -> Run:
        return self.reader.get_run(ref)

    def do(self, change: Change) -> Change:
        return self.changes.carry_out(self.changes.begin(change))

    def correct(self, ref: RunRef, metric: str, step: int, value: float, rank: int = 0) -> Change:
        corrections = [Correction(step, value, rank)]
        ask = self.changes.points.ask_correct
        return self.do(ask(self.run(ref), metric, corrections, by="ann", at_unix_us=self.tick()))

    def delete_points(
        self, ref: RunRef, metric: str, steps: Steps = (), ranks: Sequence[int] = ()
    ) -> Change:
        ask = self.changes.points.ask_delete
        return self.do(ask(self.run(ref), metric, steps, ranks, by="ann", at_unix_us=self.tick()))

    def delete(self, ref: RunRef, reason: str = "") -> Change:
        ask = self.changes.removal.ask_run
        return self.do(ask(ref, by="ann", at_unix_us=self.tick(), reason=reason))

    def break_after(self, statements: int, patched: pytest.MonkeyPatch) -> None:
        """Let the store go away for good after so many statements that change something."""
        left = [statements]

        def guarded(method: Callable[..., None]) -> Callable[..., None]:
            def call(*args: Any, **named: Any) -> None:
                left[0] -= 1
                if left[0] < 0:
                    raise StoreUnavailable("gone")
                method(*args, **named)

            return call

        for name in ("command", "insert_arrow"):
            patched.setattr(self.clickhouse, name, guarded(getattr(self.clickhouse, name)))

    # ── what there is ──────────────────────────────────────────────────────

    def points(self, ref: RunRef, metric: str, **more: Any) -> list[tuple[int, int, float]]:
        """Return rank, step, value of what the run shows."""
        table = self.reader.read_series(SeriesQuery((ref,), (metric,), **more))
        return columns_of(table, "rank", "step", "value")

    def verdict(self, ref: RunRef) -> Verdict:
        return worst(map(verdict_of, self.reader.read_ledger(ref).lines))

    def exists(self, ref: RunRef) -> bool:
        try:
            self.run(ref)
        except UnknownRun:
            return False
        return True

    def rows(self, table: str, ref: RunRef) -> int:
        sql = f"SELECT count() FROM {self.raw}.{table} WHERE project = {{p:String}} AND run_id = {{r:String}}"
        found = self.clickhouse.query_rows(sql, {"p": ref.project, "r": ref.run_id})
        return int(found[0][0])

    def bytes_on_disk(self, table: str) -> int:
        sql = f"""SELECT sum(bytes_on_disk) FROM system.parts
WHERE active AND database = '{self.raw}' AND table = '{table}'"""
        return int(self.clickhouse.query_rows(sql)[0][0])

    def kinds(self, ref: RunRef) -> list[str]:
        return [event.kind for event in self.reader.list_events(ref).events]


def columns_of(table: pa.Table, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


def house_on(
    engine: EngineProcess, database: str, *, kind: type[House] = House, **more: Any
) -> Iterator[House]:
    """Yield a store of a test's own project; the tables are made once."""
    clickhouse = connect(engine.url)
    if (engine.url, database) not in _MIGRATED:
        migrate(clickhouse, database)
        _MIGRATED.add((engine.url, database))
    yield kind(clickhouse, database, **more)
    clickhouse.close()


open_house = contextlib.contextmanager(house_on)
