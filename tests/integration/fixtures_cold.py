"""Stores whose runs can be rolled: to a local directory, and to a real S3."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.integration.fixtures_changes import House, house_on
from tests.integration.fixtures_engine import EngineProcess
from weir_store.changes.base import Change
from weir_store.cold.base import COLD_TABLES, ColdPlace
from weir_store.cold.cold import ColdRuns
from weir_store.cold.place import DirectoryPlace
from weir_store.console.base import LinesQuery
from weir_store.console.cursor import Life
from weir_store.console.reader import ClickHouseConsole
from weir_store.export.reader import ExportReader
from weir_store.live.base import Kind, Scope, Wants
from weir_store.live.reader import LiveReader
from weir_store.objects.base import ObjectStore
from weir_store.objects.local import LocalObjects
from weir_store.objects.signing import Signer
from weir_store.records import RunRef, SeriesQuery
from weir_store.system.base import SystemQuery
from weir_store.system.reader import ClickHouseSystem
from weir_store.views.catalog import VIEWS

POINT_VIEWS = ("metrics", "system", "logs", "series")


def local_objects(folder: Path) -> tuple[LocalObjects, ColdPlace]:
    """Return a directory of objects, and the way there for ClickHouse."""
    signer = Signer("http://nowhere", b"s" * 32)
    return LocalObjects(folder, signer, unix_s=time.time), DirectoryPlace(folder)


class ColdHouse(House):
    """A store whose runs can be rolled, and all that can be asked of them."""

    objects: ObjectStore

    @property
    def cold(self) -> ColdRuns:
        assert self.changes.cold is not None
        return self.changes.cold

    def roll(self, ref: RunRef) -> Change:
        return self.do(self.cold.rolling.ask(ref, by="ann", at_unix_us=self.tick()))

    def thaw(self, ref: RunRef) -> Change:
        return self.do(self.cold.thawing.ask(ref, by="ann", at_unix_us=self.tick()))

    def is_cold(self, ref: RunRef) -> bool:
        return self.cold.book.get(ref) is not None

    def hot_rows(self, ref: RunRef) -> dict[str, int]:
        return {table: self.rows(table, ref) for table in COLD_TABLES}

    def keys(self, ref: RunRef) -> list[str]:
        of = f"/project={ref.project}/run_id={ref.run_id}/"
        return [each.key for each in self.objects.list_objects("weir.cold/") if of in each.key]

    # ── every way to ask ───────────────────────────────────────────────────

    def answers(self, *refs: RunRef) -> dict[str, Any]:
        """Return what every reader, every view, the export and the ledger say of runs."""
        said: dict[str, Any] = {"views": self.views(refs)}
        for ref in refs:
            metrics = tuple(
                m.name for m in self.reader.list_metrics([ref]).metrics if not m.is_text
            )
            said[f"{ref.run_id} full"] = bits(self.reader.read_series(SeriesQuery((ref,), metrics)))
            thinned = SeriesQuery((ref,), metrics, max_points=7)
            said[f"{ref.run_id} thinned"] = bits(self.reader.read_series(thinned))
            said[f"{ref.run_id} latest"] = bits(self.reader.read_latest([ref]))
            said[f"{ref.run_id} ledger"] = self.reader.read_ledger(ref)
            system = ClickHouseSystem(self.clickhouse, self.database)
            said[f"{ref.run_id} system"] = bits(system.read_system(SystemQuery(ref)))
            said[f"{ref.run_id} listed"] = bits(system.list_system(ref))
            console = ClickHouseConsole(self.clickhouse, self.database)
            said[f"{ref.run_id} lines"] = bits(console.read_lines(LinesQuery((ref,))))
            found = console.read_lines(LinesQuery((ref,), search="grüße"))
            said[f"{ref.run_id} found"] = bits(found)
            said[f"{ref.run_id} count"] = console.count_lines(LinesQuery((ref,)))
            said[f"{ref.run_id} live"] = self.streamed(ref)
            said[f"{ref.run_id} export"] = self.exported(ref)
        return said

    def streamed(self, ref: RunRef) -> list[str]:
        """Return what a subscriber is told of who asks from the very beginning."""
        live = LiveReader(self.clickhouse, self.database, self.tick)
        after: dict[RunRef, dict[Life, int]] = {ref: {}}
        for life, seq in live.read_marks(Scope(frozenset({ref}))).items():
            after[ref][life] = seq
        rows = live.stream(Kind.POINTS, {}, after, Wants())
        return sorted(row for each in rows for row in bits(each.table))

    def shown(self, *refs: RunRef) -> dict[str, Any]:
        """Return what the series and the views of some runs say: less than `answers`, and sooner."""
        said: dict[str, Any] = {"views": self.views(refs)}
        metrics = ("loss", "acc")
        for more in ({}, {"max_points": 7}):
            query = SeriesQuery(tuple(refs), metrics, **more)
            said[f"series {more}"] = bits(self.reader.read_series(query))
        said["latest"] = bits(self.reader.read_latest(list(refs)))
        return said

    def views(self, refs: Sequence[RunRef]) -> dict[str, list[str]]:
        runs = ", ".join(f"'{ref.run_id}'" for ref in refs)
        found = {}
        for view in VIEWS:
            if view.name in POINT_VIEWS:
                sql = f"""SELECT * FROM {self.database}.{view.name}
WHERE project = '{self.project}' AND run_id IN ({runs})"""
                found[view.name] = sorted(map(repr, self.clickhouse.query_rows(sql)))
        return found

    def exported(self, ref: RunRef) -> dict[str, list[str]]:
        reader = ExportReader(self.clickhouse, self.database)
        found = {}
        for table in COLD_TABLES:
            shape, batches = reader.stream_rows(table, ref.project, [ref.run_id])
            found[table] = bits(pa.Table.from_batches(batches, shape))
        return found


def bits(table: pa.Table) -> list[str]:
    """Return rows as text, in their order; every NaN and both zeros are told apart by repr."""
    return [repr(row) for row in table.to_pylist()]


@contextmanager
def cold_house(
    engine: EngineProcess, database: str, objects: ObjectStore, place: ColdPlace, **more: Any
) -> Iterator[ColdHouse]:
    """Lend a store of a project of its own."""
    for house in house_on(engine, database, kind=ColdHouse, objects=objects, place=place, **more):
        assert isinstance(house, ColdHouse)
        house.objects = objects
        yield house
