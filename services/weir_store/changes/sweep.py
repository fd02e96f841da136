"""The one door to changes: ask for one and it is carried out; what was cut off is gone on with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final, Protocol

from weir_store import tables
from weir_store.base import Inserter, Reader
from weir_store.changes.base import (
    REFUSED,
    WAITS_UNTIL,
    Change,
    ChangeKind,
    ChangeState,
    Refusal,
)
from weir_store.changes.book import ChangeBook
from weir_store.changes.merging import Merging
from weir_store.changes.moving import Moving
from weir_store.changes.points import PointChanges
from weir_store.changes.removal import Removal
from weir_store.changes.retention import Retention
from weir_store.changes.sql import Remover
from weir_store.changes.versions import VersionReader
from weir_store.clickhouse import ClickHouse
from weir_store.cold.base import ColdPlace
from weir_store.cold.cold import MAX_AT_ONCE_ROWS, ColdRuns
from weir_store.cold.turns import refuse_rolling
from weir_store.editor import Editor
from weir_store.errors import InvalidQuery, StoreUnavailable, UnknownRun
from weir_store.objects.base import ObjectStore
from weir_store.records import RunRef

LATE_US: Final = 30 * 86_400 * 1_000_000
"""So long after a run was deleted it is looked for what came late."""


class Leftovers(Protocol):
    """What a deleted run leaves outside the tables: bytes in the object store, keys in the stream."""

    def clear(self, change: Change) -> dict[str, Any]:
        """Free them; return what the receipt has to say, with `WAITS_UNTIL` when more is freed later."""
        ...


def nobody_stops(change: Change) -> None:
    """Refuse to ask a run to stop: there is no stream here."""
    raise Refusal(f"nobody here can ask run {change.run_id!r} to stop")


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
        stop: Callable[[Change], None] = nobody_stops,
        place: ColdPlace | None = None,
        cluster: str = "",
        settle_s: float = 0.0,
        hit: Callable[[str], None] = lambda _point: None,
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
            stop: Asks a run's processes to stop; may be called twice for one change.
            place: How ClickHouse reaches `objects`; without it no run is rolled.
            cluster: See `ColdRuns`.
            settle_s: See `ColdRuns`.
            hit: See `ColdRuns`.
        """
        self._stop = stop
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
        self.cold: ColdRuns | None = None
        if objects is not None and place is not None:
            self.cold = ColdRuns(
                clickhouse,
                database,
                inserter,
                reader,
                self.book,
                remover,
                objects,
                place,
                now_unix_us=now_unix_us,
                cluster=cluster,
                settle_s=settle_s,
                hit=hit,
            )

    def begin(self, change: Change) -> Change:
        """Write down that a change was asked for; from here on it will be carried out."""
        return self.book.put(change, self._now())

    def carry_out(self, change: Change) -> Change:
        """Carry out a change that was begun; return it as it stands then: done, or waiting."""
        self._warm_for(change)
        match change.kind:
            case ChangeKind.ROLL:
                return self._cold().roll(change)
            case ChangeKind.THAW:
                return self._cold().thaw(change)
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
            case ChangeKind.STOP:
                receipt = self._ask_to_stop(change)
            case ChangeKind.DELETE_RUN | ChangeKind.DELETE_PROJECT:
                return self._delete(change)
        return self.book.end(change, self._now(), **receipt)

    def take_up(self) -> list[Change]:
        """Carry out what was asked for by who could not; return these changes as they stand then.

        Two gateways may take up the same, which does no harm. What is refused ends with the reason in its
        receipt; where the store or the stream is silent, `resume` goes on later.
        """
        asked = self.book.list_changes(states=(ChangeState.ASKED,), limit=10_000)
        return [self._taken_up(change) for change in reversed(asked)]

    def _taken_up(self, change: Change) -> Change:
        change = self.begin(replace(change, state=ChangeState.BEGUN))
        try:
            return self.carry_out(change)
        except (Refusal, InvalidQuery, UnknownRun) as error:
            return self.book.end(change, self._now(), **{REFUSED: str(error)})

    def _ask_to_stop(self, change: Change) -> dict[str, Any]:
        self._stop(change)
        self.book.tell(change, "stop_requested", f"{change.by} asked the run to stop")
        return {}

    def warm(self, ref: RunRef, *, by: str) -> None:
        """Bring a cold run of moderate size back, because somebody is about to change it.

        Raises:
            Refusal: It is large, just being rolled, or cannot be brought back.
        """
        if self.cold is not None:
            self.cold.warm([ref], by=by, max_rows=MAX_AT_ONCE_ROWS)

    def roll_by_rules(self, *, go_on: Callable[[], bool] = lambda: True) -> list[Change]:
        """Roll what rules ask for now; return what was done."""
        done: list[Change] = []
        for change in self.cold.due() if self.cold is not None else ():
            if not go_on():
                break
            done.append(self.carry_out(self.begin(change)))
        return done

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
                except Refusal:
                    continue
                except StoreUnavailable:  # of files, perhaps: then all else can go on
                    if change.kind not in (ChangeKind.ROLL, ChangeKind.THAW):
                        raise
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
        if self.cold is not None:
            policies = self.book.list_policies(project)
            self.cold.warm_for_policies(sorted({each.project for each in policies}), go_on)
        for step in list(self.retention.plan(self._now(), project)):
            if not go_on():
                break
            try:
                change = self.begin(self.retention.begin(step, self._now()))
                done.append(self.carry_out(change))
            except Refusal:
                continue
        self.retention.free(done)
        return done

    def _delete(self, change: Change) -> Change:
        self.removal.hide(change)
        change = self.removal.free(change, self._now())
        if self.cold is not None:
            change = self.cold.drop(change)
        return self._clear(replace(change, receipt={**change.receipt, **freed(change)}))

    def _cold(self) -> ColdRuns:
        if self.cold is None:
            raise Refusal("runs cannot be rolled here", hint="this server has no object store")
        return self.cold

    def _warm_for(self, change: Change) -> None:
        """Bring back what is about to be changed where it lies; what is being rolled is left alone."""
        if self.cold is None or change.kind in (ChangeKind.ROLL, ChangeKind.THAW, ChangeKind.STOP):
            return
        whole = (ChangeKind.DELETE_PROJECT, ChangeKind.RETENTION)
        runs = [] if change.kind in whole else change.request.get("runs") or [change.run_id]
        refs = [RunRef(change.project, run_id) for run_id in runs if run_id]
        if change.kind in (ChangeKind.DELETE_RUN, *whole):
            for ref in refs or [RunRef(change.project, change.run_id)]:
                refuse_rolling(self.book, ref)
        elif change.kind is not ChangeKind.MERGE and change.state is ChangeState.BEGUN:
            self.cold.warm(refs, by=change.by)

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
