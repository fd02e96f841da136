"""Bringing a cold run back into the tables.

    asked ─▶ filled ─▶ compared ─▶ noted: hot from here on ─▶ waiting ─▶ files removed ─▶ done
             again                 both hold the rows         for questions under way

Every step may be done twice. What came late lies in the tables already, and stays.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final
from uuid import UUID

from weir_store import tables
from weir_store.base import Inserter
from weir_store.changes.base import WAITS_UNTIL, Change, ChangeKind, ChangeState, Refusal
from weir_store.changes.book import ChangeBook
from weir_store.changes.sql import of_run, up_to
from weir_store.clickhouse import ClickHouse
from weir_store.cold.base import ColdFile, ColdRun, keys_of
from weir_store.cold.book import ColdBook
from weir_store.cold.compare import RANKS, lines_of, newest_of
from weir_store.cold.parquet import read_parquet, sha256_of
from weir_store.cold.pulse import Pulse
from weir_store.cold.rolling import FREEING
from weir_store.cold.shelf import Shelf
from weir_store.errors import UnknownObject
from weir_store.export.base import exported_shape
from weir_store.export.writer import stored_rows
from weir_store.objects.base import ObjectStore
from weir_store.parameters import Parameters
from weir_store.records import RunRef

FILLING: Final = "filling"  # in a receipt: rows are being put into the tables


class Thawing:
    """Asks for thaws (`ask`), and carries them out. Holds no state: safe from any thread."""

    def __init__(
        self,
        clickhouse: ClickHouse,
        database: str,
        inserter: Inserter,
        book: ChangeBook,
        cold: ColdBook,
        shelf: Shelf,
        objects: ObjectStore,
        *,
        now_unix_us: Callable[[], int],
        settle_s: float,
        hit: Callable[[str], None],
    ) -> None:
        """Prepare; see `cold.ColdRuns`."""
        self._clickhouse = clickhouse
        self._raw = tables.raw_database(database)
        self._inserter = inserter
        self._book = book
        self._cold = cold
        self._shelf = shelf
        self._objects = objects
        self._now = now_unix_us
        self._settle_us = int(settle_s * 1e6)
        self._hit = hit

    def ask(self, ref: RunRef, *, by: str, at_unix_us: int, reason: str = "") -> Change:
        """Return the change that thaws a run, the one under way if there is one; nothing is stored yet.

        Raises:
            Refusal: It is not cold.
        """
        cold = self._cold.get(ref)
        if cold is None:
            raise Refusal(f"run {ref.project}/{ref.run_id} is not cold")
        for begun in self._begun(ref, ChangeKind.THAW, ChangeState.BEGUN):
            if begun.request["roll_id"] == str(cold.roll_id):
                return begun
        request = {"roll_id": str(cold.roll_id)}
        kind = ChangeKind.THAW
        return Change(
            uuid.uuid4(), ref.project, ref.run_id, kind, by, at_unix_us, reason, request=request
        )

    def carry_out(self, change: Change) -> Change:
        """Do what is left to be done of a thaw; return it as it stands then: done, or waiting.

        Raises:
            Refusal: Its rows are just being freed, or a file is not what it was; it is tried again.
        """
        if change.state is ChangeState.BEGUN:
            latest = self._book.get(change.change_id)
            taken = latest.receipt.get(FILLING) and not change.receipt.get(FILLING)
            if taken or latest.state is not ChangeState.BEGUN:
                return latest  # another gateway has taken it up
            cold = self._cold_by(change)
            if cold is not None:
                with Pulse(self._book, change, self._now) as pulse:
                    self._fill(pulse, cold)
                change = pulse.change
        if change.receipt.get(WAITS_UNTIL, 0) > self._now():
            return self._book.put(replace(change, state=ChangeState.WAITING), self._now())
        self._objects.delete(keys_of(change.ref, UUID(change.request["roll_id"])))
        self._hit("cold.after_remove")
        self._shelf.renew()
        return self._book.end(change, self._now(), **{FILLING: False})

    def _cold_by(self, change: Change) -> ColdRun | None:
        """Return the run while it lies in the files that were asked for."""
        cold = self._cold.get(change.ref)
        is_asked = cold is not None and str(cold.roll_id) == change.request["roll_id"]
        return cold if is_asked else None

    def _fill(self, pulse: Pulse, cold: ColdRun) -> None:
        change = pulse.change
        self._take_turn(pulse)
        for file in cold.files:
            self._put_back(change, file)
            self._hit("cold.mid_fill")
        with self._shelf.in_reach():
            for file in cold.files:
                self._compare(cold, file)
        pulse.note(
            **{
                "rows": cold.rows,
                "size_bytes": cold.size_bytes,
                WAITS_UNTIL: self._now() + self._settle_us,
            }
        )
        self._book.tell(change, "thawed", f"brought back from files by {change.by}")
        self._hit("cold.before_hot")
        self._cold.put(cold, self._now(), thawed=True)
        self._hit("cold.after_hot")

    def _take_turn(self, pulse: Pulse) -> None:
        """Say that the tables are about to be filled, unless they are about to be emptied."""
        change = pulse.note(**{FILLING: True})
        rolls = self._begun(change.ref, ChangeKind.ROLL, ChangeState.BEGUN, ChangeState.WAITING)
        if any(roll.receipt.get(FREEING) for roll in rolls):
            pulse.note(**{FILLING: False})
            raise Refusal(
                f"run {change.run_id!r} is just leaving the tables", hint="again in a minute"
            )

    def _put_back(self, change: Change, file: ColdFile) -> None:
        """Insert a file's rows; the same rows again are the same rows."""
        shape = exported_shape(file.table)
        with tempfile.TemporaryDirectory(prefix="weir-cold-") as folder:
            path = Path(folder, "rows.parquet")
            self._fetch(file, path)
            for number, rows in enumerate(read_parquet(path, shape)):
                if self._cold_by(change) is None:
                    raise Refusal("another has brought it back")
                # The thaw is in the token: rows that were freed and come again are no repetition.
                token = f"thaw-{change.change_id}-{file.sha256}-{number}-{rows.num_rows}"
                self._inserter.insert({file.table: stored_rows(file.table, rows)}, token)

    def _fetch(self, file: ColdFile, path: Path) -> None:
        try:
            with path.open("wb") as content:
                for chunk in self._objects.read(file.key):
                    content.write(chunk)
        except UnknownObject as error:
            raise Refusal(f"file {file.key} is gone", hint="restore it") from error
        if sha256_of(path) != file.sha256:
            raise Refusal(f"file {file.key} is not what was written", hint="restore it")

    def _compare(self, cold: ColdRun, file: ColdFile) -> None:
        """Compare a table with a file. Raises `Refusal` when it lacks anything."""
        parameters = Parameters()
        name, of = f"{cold.roll_id}.parquet", of_run(cold.ref, parameters)
        source = f"({self._shelf.one_file(file.table, name, parameters)}) WHERE {of}"
        held = lines_of(self._clickhouse, file.table, source, parameters)
        parameters = Parameters()
        where = of_run(cold.ref, parameters) + up_to(newest_of(held), RANKS[file.table])
        source = f"{self._raw}.{file.table} FINAL WHERE {where}"
        if lines_of(self._clickhouse, file.table, source, parameters) != held:
            raise Refusal(f"{file.table} does not hold what file {file.key} does")

    def _begun(self, ref: RunRef, kind: ChangeKind, *states: ChangeState) -> list[Change]:
        return self._book.list_changes(ref.project, run_id=ref.run_id, kinds=(kind,), states=states)
