"""Asking for changes of runs by who cannot carry them out: a gateway takes them up within seconds."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from weir_store import tables
from weir_store.base import Inserter
from weir_store.changes.base import Change, ChangeKind, ChangeState
from weir_store.changes.book import ChangeBook
from weir_store.changes.measure import OF_RUNS, going, measure, rows_of
from weir_store.changes.moving import Moving
from weir_store.changes.removal import Removal
from weir_store.changes.sql import Remover
from weir_store.clickhouse import ClickHouse
from weir_store.editor import Editor
from weir_store.edits import Edits, check
from weir_store.parameters import Parameters
from weir_store.records import Run, RunRef

MAX_REASON_BYTES: Final = 4_096


@dataclass(frozen=True, slots=True)
class Weight:
    """Rows in the tables, and their share of the bytes on disk; artifacts and files are not in it."""

    rows: int
    bytes: int


class Requests:
    """Edits runs, and writes down other changes as `asked`. Safe from any thread.

    Every method may raise `StoreUnavailable`, and what `Removal.ask_run` and `Moving.ask` raise; then nothing
    is written.
    """

    def __init__(self, clickhouse: ClickHouse, database: str, inserter: Inserter) -> None:
        self._clickhouse = clickhouse
        self._database = tables.raw_database(database)
        self._book = ChangeBook(clickhouse, database, inserter)
        remover, editor = Remover(clickhouse, self._database), Editor(inserter)
        self._editor = editor
        self._removal = Removal(clickhouse, database, editor, self._book, remover)
        self._moving = Moving(clickhouse, database, editor, self._book, remover)

    def edit(self, wanted: Sequence[tuple[Run, Edits]], *, by: str, at_unix_us: int) -> None:
        """Change labels and tags of runs as they stand now; this is done when it returns.

        Raises:
            InvalidQuery: One of the edits is too long, or has a tag that is none; nothing is changed.
        """
        for _, edits in wanted:
            check(edits)
        self._editor.edit_runs(wanted, by=by, at_unix_us=at_unix_us)

    def stop(self, ref: RunRef, *, by: str, at_unix_us: int, reason: str = "") -> Change:
        """Ask a run's processes to stop."""
        change_id, kind = uuid.uuid4(), ChangeKind.STOP
        return self._put(
            Change(change_id, ref.project, ref.run_id, kind, by, at_unix_us, reason), at_unix_us
        )

    def delete(self, ref: RunRef, *, by: str, at_unix_us: int, reason: str = "") -> Change:
        """Hide a run now; what it has is freed soon."""
        change = self._removal.ask_run(ref, by=by, at_unix_us=at_unix_us, reason=reason)
        change = self._put(change, at_unix_us)
        self._removal.hide(change)
        return change

    def move(
        self,
        project: str,
        runs: Sequence[str],
        target: str,
        *,
        by: str,
        at_unix_us: int,
        reason: str = "",
    ) -> Change:
        """Move runs that have ended, at least one; whoever asks makes sure that none is live."""
        change = self._moving.ask(
            project, runs, target, by=by, at_unix_us=at_unix_us, reason=reason
        )
        return self._put(change, at_unix_us)

    def get(self, change: Change) -> Change:
        """Return a change as it stands now."""
        return self._book.get(change.change_id)

    def weigh(self, project: str, runs: Sequence[str]) -> Weight:
        """Return what deleting these runs would free in the tables."""
        rows = size = 0
        for table in OF_RUNS:
            parameters = Parameters()
            where = going(table, rows_of(project, runs, parameters), parameters)
            share = measure(self._clickhouse, self._database, table, where, parameters)
            rows, size = rows + share.rows, size + share.bytes
        return Weight(rows, size)

    def _put(self, change: Change, now_unix_us: int) -> Change:
        return self._book.put(replace(change, state=ChangeState.ASKED), now_unix_us)
