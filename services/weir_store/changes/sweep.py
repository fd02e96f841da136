"""The one door to changes: ask for one and it is carried out; what was cut off is gone on with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final, Protocol

from weir_store import tables
from weir_store.base import Inserter, Reader
from weir_store.changes.base import WAITS_UNTIL, Change, ChangeKind, ChangeState, Held
from weir_store.changes.book import ChangeBook
from weir_store.changes.merging import Merging
from weir_store.changes.moving import Moving
from weir_store.changes.points import PointChanges
from weir_store.changes.removal import Removal
from weir_store.changes.retention import Retention
from weir_store.changes.sql import Remover
from weir_store.changes.versions import VersionReader
from weir_store.clickhouse import ClickHouse
from weir_store.editor import Editor
from weir_store.objects.base import ObjectStore

LATE_US: Final = 30 * 86_400 * 1_000_000
"""So long after a run was deleted it is looked for what came late."""


class Leftovers(Protocol):
    """What a deleted run leaves outside the tables: bytes in the object store, keys in the stream."""

    def clear(self, change: Change) -> dict[str, Any]:
        """Free them; return what the receipt has to say, with `WAITS_UNTIL` when more is freed later."""
        ...


class Changes:
    """All changes of a store. Methods block; safe from any thread.

    Every method may raise `StoreUnavailable`; what was begun then is gone on with by `resume`.
    """

    def __init__(
        self,
        clickhouse: ClickHouse,
        database: str,
        inserter: Inserter,
        reader: Reader,
        *,
        now_unix_us: Callable[[], int],
        objects: ObjectStore | None = None,
        leftovers: Leftovers | None = None,
        on_freed: Callable[[str], None] = lambda _table: None,
    ) -> None:
        """Prepare.

        Args:
            clickhouse: May alter the tables.
            database: As in the settings.
            inserter: Writes.
            reader: Answers what points are shown.
            now_unix_us: Whose time it is.
            objects: Where bytes lie; without it runs with files are not moved.
            leftovers: Frees what lies outside the tables.
            on_freed: Called with a table's name when rows of it are gone.
        """
        raw = tables.raw_database(database)
        self._now = now_unix_us
        self._leftovers = leftovers
        self.book = ChangeBook(clickhouse, database, inserter)
        remover, editor = Remover(clickhouse, raw), Editor(inserter)
        self.points = PointChanges(clickhouse, database, inserter, reader, self.book, remover)
        self.removal = Removal(clickhouse, database, editor, self.book, remover, on_freed=on_freed)
        self.moving = Moving(clickhouse, database, editor, self.book, remover, objects)
        self.merging = Merging(clickhouse, database, inserter, editor, self.book)
        self.retention = Retention(clickhouse, database, self.book, remover)
        self.versions = VersionReader(clickhouse, database)

    def begin(self, change: Change) -> Change:
        """Write down that a change was asked for; from here on it will be carried out."""
        return self.book.put(change, self._now())

    def carry_out(self, change: Change) -> Change:
        """Carry out a change that was begun; return it as it stands then: done, or waiting."""
        match change.kind:
            case ChangeKind.CORRECT:
                receipt = self.points.correct(change)
            case ChangeKind.DELETE_POINTS:
                receipt = self.points.delete(change)
            case ChangeKind.MOVE:
                waits = change.state is ChangeState.WAITING  # it is moved, and blobs are left
                receipt = {} if waits else self.moving.move(change, self._now())
                return self._clear(replace(change, receipt={**change.receipt, **receipt}))
            case ChangeKind.MERGE:
                receipt = self.merging.merge(change)
            case ChangeKind.RETENTION:
                receipt = self.retention.carry_out(change, self._now())
            case ChangeKind.DELETE_RUN | ChangeKind.DELETE_PROJECT:
                return self._delete(change)
        return self.book.end(change, self._now(), **receipt)

    def hide(self, change: Change) -> None:
        """Hide what is about to be deleted; `carry_out` then frees it."""
        self.removal.hide(change)

    def resume(self, *, quiet_us: int = 0) -> int:
        """Go on with what was cut off, and with what waited for long enough; return how many were done.

        What a hold blocks is left as it is.

        Args:
            quiet_us: Leave alone what was written down less than so long ago: somebody may be at it.
        """
        done = 0
        for state in (ChangeState.BEGUN, ChangeState.WAITING):
            for change in self.book.list_changes(states=(state,), limit=10_000):
                if abs(self._now() - change.version) < quiet_us:  # clocks of gateways differ
                    continue
                if state is ChangeState.WAITING and not self._is_due(change):
                    continue
                try:
                    done += self.carry_out(change).state is ChangeState.DONE
                except Held:
                    continue
        return done

    def _is_due(self, change: Change) -> bool:
        until = change.receipt.get(WAITS_UNTIL, 0)
        kept = set(change.receipt.get("kept_for_forks", ()))
        freed_now = kept - self.removal.needed(change.project) if kept else kept
        return bool(freed_now) or (until > 0 and until <= self._now())

    def free_late(self) -> int:
        """Free what was written to deleted runs after they were deleted; return how many rows."""
        now = self._now()
        return self.removal.free_late(now, since_unix_us=now - LATE_US)

    def apply_policies(
        self, project: str = "", *, go_on: Callable[[], bool] = lambda: True
    ) -> list[Change]:
        """Do what the policies of retention ask for now; return what was done.

        Args:
            project: Of which; empty = of all.
            go_on: Asked before each step; False ends it.
        """
        done = []
        for step in list(self.retention.plan(self._now(), project)):
            if not go_on():
                break
            try:
                change = self.begin(self.retention.begin(step, self._now()))
                done.append(self.carry_out(change))
            except Held:
                continue
        self.retention.free(done)
        return done

    def _delete(self, change: Change) -> Change:
        self.removal.hide(change)
        change = self.removal.free(change, self._now())
        return self._clear(replace(change, receipt={**change.receipt, **freed(change)}))

    def _clear(self, change: Change) -> Change:
        """Free what lies outside the tables, and end a change that has nothing to wait for."""
        left = self._leftovers.clear(change) if self._leftovers else {}
        change = replace(change, receipt={**change.receipt, **left})
        waits = change.receipt.get(WAITS_UNTIL, 0) > self._now()
        if waits or change.receipt.get("kept_for_forks"):
            return self.book.put(replace(change, state=ChangeState.WAITING), self._now())
        return self.book.end(change, self._now())


def freed(change: Change) -> dict[str, int]:
    """Return rows and bytes that a deletion has freed in the tables, from its receipt."""
    before: dict[str, dict[str, int]] = change.receipt.get("before", {})
    after: dict[str, dict[str, int]] = change.receipt.get("after", {})
    return {
        f"{what}_freed": _sum(before.values(), what) - _sum(after.values(), what)
        for what in ("rows", "bytes")
    }


def _sum(shares: Iterable[dict[str, int]], what: str) -> int:
    return sum(share[what] for share in shares)
