"""Making a run cold, and freeing what it had in the tables.

    asked ─▶ written ─▶ compared ─▶ noted: cold from here on ─▶ waiting ─▶ freed ─▶ done
             files      rows and     both hold the rows, and     for questions
                        digests      each is shown once          under way

Every step may be done twice. What comes late stays in the tables and is shown beside the files.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from weir_store import tables
from weir_store.base import Reader
from weir_store.changes.base import WAITS_UNTIL, Change, ChangeKind, ChangeState, Refusal
from weir_store.changes.book import ChangeBook
from weir_store.changes.measure import measure
from weir_store.changes.sql import Remover, of_run, up_to
from weir_store.clickhouse import ClickHouse
from weir_store.cold.base import COLD_TABLES, ColdFile, ColdRun, key_of, keys_of
from weir_store.cold.book import ColdBook
from weir_store.cold.compare import RANKS, Lines, lines_of, newest_of, rows_of
from weir_store.cold.parquet import sha256_of, write_parquet
from weir_store.cold.pulse import Pulse
from weir_store.cold.shelf import Shelf
from weir_store.cold.turns import refuse_others
from weir_store.errors import StoreError, StoreUnavailable
from weir_store.export.reader import ExportReader
from weir_store.objects.base import ObjectStore
from weir_store.parameters import Parameters
from weir_store.records import RunRef, RunState

LINES: Final = (
    "lines"  # in a receipt: newest version of each process life that was rolled, by table
)
ROLL_ID: Final = "roll_id"  # in a receipt: which attempt counts
ATTEMPTS: Final = "attempts"  # in a receipt: all of them
FREEING: Final = "freeing"  # in a receipt: rows are being taken out


class Rolling:
    """Asks for rolls (`ask`), and carries them out. Holds no state: safe from any thread."""

    def __init__(
        self,
        clickhouse: ClickHouse,
        database: str,
        reader: Reader,
        book: ChangeBook,
        cold: ColdBook,
        shelf: Shelf,
        remover: Remover,
        objects: ObjectStore,
        *,
        now_unix_us: Callable[[], int],
        settle_s: float,
        hit: Callable[[str], None],
    ) -> None:
        """Prepare; see `cold.ColdRuns`."""
        self._clickhouse = clickhouse
        self._raw = tables.raw_database(database)
        self._reader = reader
        self._book = book
        self._cold = cold
        self._shelf = shelf
        self._remover = remover
        self._objects = objects
        self._now = now_unix_us
        self._rows = ExportReader(clickhouse, database)
        self._settle_us = int(settle_s * 1e6)
        self._hit = hit

    def ask(self, ref: RunRef, *, by: str, at_unix_us: int, reason: str = "") -> Change:
        """Return the change that rolls a run; nothing is stored yet.

        Raises:
            UnknownRun: There is none.
            Held: There is a legal hold: rows that are held stay where they are.
            Refusal: It has not ended, is cold already, or policies of retention may thin it.
        """
        where, state = f"{ref.project}/{ref.run_id}", self._reader.get_run(ref).state
        if state is RunState.RUNNING:
            raise Refusal(f"run {where} is running", hint="only runs that have ended are rolled")
        self._book.refuse_held(ref.project, ref.run_id)
        if self._cold.get(ref) is not None:
            raise Refusal(f"run {where} is cold already", hint="see weir cold status")
        if self._book.list_policies(ref.project):
            raise Refusal(
                f"project {ref.project!r} has policies of retention",
                hint="they act on tables, not on files: weir retention list",
            )
        kind = ChangeKind.ROLL
        return Change(uuid.uuid4(), ref.project, ref.run_id, kind, by, at_unix_us, reason)

    def carry_out(self, change: Change) -> Change:
        """Do what is left to be done of a roll; return it as it stands then: done, or waiting.

        Raises:
            Held: Somebody put a hold on it meanwhile.
        """
        if ROLL_ID not in change.receipt:
            latest = self._book.get(change.change_id)
            taken = latest.receipt.get(ATTEMPTS) != change.receipt.get(ATTEMPTS)
            if taken or latest.state is not ChangeState.BEGUN:
                return latest  # another gateway has taken it up
            change = self._roll(change)
        elif not self._is_cold(change):
            return self._end(change, given_up="it was thawed or deleted")
        if change.state is ChangeState.DONE:
            return change
        if change.receipt[WAITS_UNTIL] > self._now():
            return self._book.put(replace(change, state=ChangeState.WAITING), self._now())
        return self._free(change)

    # ── files ──────────────────────────────────────────────────────────────

    def _roll(self, change: Change) -> Change:
        """Write the files and note them; a roll that cannot be made is given up, and says why."""
        # Files of an attempt that was cut off are never taken for those of another.
        attempt = uuid.uuid4()
        attempts = [*change.receipt.get(ATTEMPTS, ()), str(attempt)]
        with Pulse(self._book, change, self._now) as pulse:
            pulse.note(**{ATTEMPTS: attempts})
            try:
                refuse_others(self._book, change)
                if self._reader.get_run(change.ref).state is RunState.RUNNING:
                    raise Refusal("it was taken up again")
                self._book.refuse_held(change.project, change.run_id)
                self._write_and_note(pulse, attempt)
            except StoreUnavailable:
                raise
            except StoreError as error:
                problem = str(error)
            else:
                return pulse.change
        return self._end(pulse.change, given_up=problem)

    def _write_and_note(self, pulse: Pulse, attempt: UUID) -> None:
        change = pulse.change
        written = (self._write(change, attempt, table) for table in COLD_TABLES)
        files = [file for file in written if file is not None]
        self._hit("cold.after_write")
        with self._shelf.in_reach():
            self._shelf.lay_out()
            lines = {table: self._compared(change, attempt, table, files) for table in COLD_TABLES}
        self._hit("cold.after_compare")
        cold = ColdRun(change.ref, attempt, tuple(files), change.by, change.at_unix_us)
        before = {table: self._measured(change, table) for table in COLD_TABLES}
        # After the comparison: what another has made cold meanwhile may be leaving the tables.
        if self._cold.get(change.ref) is not None:
            raise Refusal("it is cold already")
        pulse.note(
            **{
                "rows": cold.rows,
                "size_bytes": cold.size_bytes,
                "files": {file.table: file.size_bytes for file in files},
                "before": before,
                LINES: {table: newest_of(each) for table, each in lines.items()},
                WAITS_UNTIL: self._now() + self._settle_us,
                ROLL_ID: str(attempt),
            }
        )
        self._book.tell(change, "rolled", f"rolled to files by {change.by}")
        self._shelf.show()
        self._hit("cold.before_note")
        self._cold.put(cold, self._now())
        self._hit("cold.after_note")

    def _write(self, change: Change, attempt: UUID, table: str) -> ColdFile | None:
        """Write one table's rows to the object store; None when there are none."""
        schema, batches = self._rows.stream_rows(table, change.project, [change.run_id])
        key = key_of(table, change.ref, attempt)
        with tempfile.TemporaryDirectory(prefix="weir-cold-") as folder:
            path = Path(folder, "rows.parquet")
            rows = write_parquet(schema, batches, path)
            if not rows:
                return None
            size = path.stat().st_size
            with path.open("rb") as content:
                self._objects.write(key, content, size)
            return ColdFile(table, key, rows, size, sha256_of(path))

    def _compared(
        self, change: Change, attempt: UUID, table: str, files: Sequence[ColdFile]
    ) -> Lines:
        """Compare what ClickHouse finds in a file with its table. Raises `Refusal` when they differ."""
        parameters = Parameters()
        source = f"{self._raw}.{table} FINAL WHERE {of_run(change.ref, parameters)}"
        hot = lines_of(self._clickhouse, table, source, parameters)
        held: Lines = {}
        if any(file.table == table for file in files):
            parameters = Parameters()
            rows = self._shelf.one_file(table, f"{attempt}.parquet", parameters)
            source = f"({rows}) WHERE {of_run(change.ref, parameters)}"
            held = lines_of(self._clickhouse, table, source, parameters)
        if hot != held:
            raise Refusal(
                f"the file of {table} holds {rows_of(held)} rows and the table {rows_of(hot)}, or other ones",
                hint="rows may just have come: roll it again",
            )
        return hot

    def _end(self, change: Change, **receipt: Any) -> Change:
        """Remove what no longer counts of all attempts, and end the change."""
        cold = self._cold.get(change.ref)
        counted = str(cold.roll_id) if cold is not None else ""
        scraps = [each for each in change.receipt.get(ATTEMPTS, ()) if each != counted]
        keys = [key for each in scraps for key in keys_of(change.ref, UUID(each))]
        self._objects.delete(keys)
        with suppress(
            StoreUnavailable
        ):  # files out of reach: the next roll or start shows them anew
            self._shelf.renew()
        inner = (LINES, ATTEMPTS)
        kept = {name: each for name, each in change.receipt.items() if name not in inner}
        return self._book.end(replace(change, receipt=kept), self._now(), **receipt)

    # ── rows ───────────────────────────────────────────────────────────────

    def _free(self, change: Change) -> Change:
        """Take the rows out of the tables, those that the files hold and no other."""
        self._book.refuse_held(change.project, change.run_id)
        self._shelf.renew()  # who brought the last cold run back meanwhile may have closed it
        with Pulse(self._book, change, self._now) as pulse:
            pulse.note(**{FREEING: True})
            may = not self._is_thawing(change) and self._is_cold(change)
            told = self._taken_out(change) if may else {"given_up": "it was thawed"}
        return self._end(pulse.change, **{FREEING: False}, **told)

    def _taken_out(self, change: Change) -> dict[str, Any]:
        begun = []
        for table, newest in change.receipt[LINES].items():
            if newest:
                parameters = Parameters()
                where = of_run(change.ref, parameters) + up_to(newest, RANKS[table])
                self._remover.start(table, where, parameters)
                begun.append(table)
        self._hit("cold.mid_free")
        for table in begun:
            self._remover.wait(table)
        self._hit("cold.after_free")
        after = {table: self._measured(change, table) for table in COLD_TABLES}
        return {"after": after, "bytes_freed": _freed(change, after)}

    def _is_cold(self, change: Change) -> bool:
        """Tell whether the run lies in the files of this very roll."""
        cold = self._cold.get(change.ref)
        return cold is not None and str(cold.roll_id) == change.receipt[ROLL_ID]

    def _is_thawing(self, change: Change) -> bool:
        thaws = self._book.list_changes(
            change.project,
            run_id=change.run_id,
            kinds=(ChangeKind.THAW,),
            states=(ChangeState.BEGUN,),
        )
        return any(each.receipt.get("filling") for each in thaws)

    def _measured(self, change: Change, table: str) -> dict[str, Any]:
        parameters = Parameters()
        where = of_run(change.ref, parameters)
        return measure(self._clickhouse, self._raw, table, where, parameters).told


def _freed(change: Change, after: dict[str, Any]) -> int:
    before = change.receipt["before"]
    return sum(before[table]["bytes"] - after[table]["bytes"] for table in before)
