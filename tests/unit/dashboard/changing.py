"""Runs in memory that can be changed: edits are stored, other changes noted as a gateway would find them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

from tests.contract.small_stores import NOW_UNIX_US, StoreBuilder
from weir_dashboard.sources import Sources
from weir_store.changes.base import REFUSED, Change, ChangeKind, ChangeState
from weir_store.changes.requests import Requests, Weight
from weir_store.editor import Editor
from weir_store.edits import Edits, check
from weir_store.errors import StoreUnavailable
from weir_store.memory import MemoryStore
from weir_store.memory_reader import MemoryReader
from weir_store.names.memory import MemoryNames
from weir_store.records import Run, RunRef

PROJECT = "lab"


class Noted(Requests):
    """`Requests` over a `MemoryStore`."""

    def __init__(self, store: MemoryStore) -> None:
        self._editor = Editor(store)
        self.asked: list[Change] = []
        self.down = False

    def edit(self, wanted: Sequence[tuple[Run, Edits]], *, by: str, at_unix_us: int) -> None:
        if self.down:
            raise StoreUnavailable("gone")
        for _, edits in wanted:
            check(edits)
        self._editor.edit_runs(wanted, by=by, at_unix_us=at_unix_us)

    def stop(self, ref: RunRef, *, by: str, at_unix_us: int, reason: str = "") -> Change:
        return self._note(ChangeKind.STOP, ref, by, at_unix_us, reason)

    def delete(self, ref: RunRef, *, by: str, at_unix_us: int, reason: str = "") -> Change:
        self._editor.delete_run(ref, by=by, at_unix_us=at_unix_us)
        return self._note(ChangeKind.DELETE_RUN, ref, by, at_unix_us, reason)

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
        ref = RunRef(project, runs[0])
        return self._note(ChangeKind.MOVE, ref, by, at_unix_us, reason, target=target)

    def get(self, change: Change) -> Change:
        return next(each for each in self.asked if each.change_id == change.change_id)

    def weigh(self, project: str, runs: Sequence[str]) -> Weight:
        return Weight(1_234 * len(runs), 5_000_000)

    def end(self, refused: str = "") -> None:
        """Do what a gateway does, or refuse it."""
        receipt = {REFUSED: refused} if refused else {}
        self.asked = [replace(each, state=ChangeState.DONE, receipt=receipt) for each in self.asked]

    def _note(
        self, kind: ChangeKind, ref: RunRef, by: str, at: int, reason: str, **request: str
    ) -> Change:
        state = ChangeState.ASKED
        change = Change(
            uuid4(), ref.project, ref.run_id, kind, by, at, reason, state, request=request
        )
        self.asked.append(change)
        return change


def laboratory(runs: int = 3) -> tuple[Sources, Noted, MemoryReader]:
    """Return the sources of a store with so many runs of PROJECT: `val/loss` falls with the number of the run."""
    store, builder = MemoryStore(), StoreBuilder()
    for number in range(runs):
        ref = RunRef(PROJECT, f"r{number:03}")
        builder.add_run(ref, created_s=1_799_990_000 + number)
        builder.add_attr(ref, "meta", "name", f"run {number}")
        builder.add_attr(ref, "config", "lr", 0.1 / (number + 1))
        for step in range(3):
            builder.add_point(ref, "val/loss", step, 10.0 - number + step)
    if runs:
        builder.add_run(RunRef("other", "r"))
        store.insert(builder.take_block(), "runs")
    noted, reader = Noted(store), MemoryReader(store, now_unix_us=lambda: NOW_UNIX_US)
    return Sources(reader, names=MemoryNames(store), edits=noted), noted, reader
