"""Changing runs where this dashboard may: one by one or many at once, with a word on each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from weir_dashboard.access.questions import RunWrites
from weir_dashboard.last_good import LastGood
from weir_store.base import Reader
from weir_store.changes.base import REFUSED, Change, ChangeKind, ChangeState
from weir_store.changes.requests import Weight
from weir_store.compared.base import CompareReader
from weir_store.edits import Edits, changes
from weir_store.errors import InvalidQuery, StoreError, StoreUnavailable, UnknownRun
from weir_store.records import Run, RunRef, RunState

MOST_AT_ONCE: Final = 1_000
_MAX_PROJECT_BYTES: Final = 128


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one run.

    Attributes:
        ref: Which run.
        said: In words.
        is_done: False = refused, nothing was changed.
        change: What a gateway carries out soon; None = nothing is left to do.
    """

    ref: RunRef
    said: str
    is_done: bool = True
    change: Change | None = None


class EditsAsked:
    """What pages may change. Safe from any thread. Every method may raise `StoreUnavailable`."""

    def __init__(
        self,
        kept: LastGood,
        requests: RunWrites | None,
        reader: Reader,
        compared: CompareReader | None = None,
        unix_us: Callable[[], int] | None = None,
    ) -> None:
        self._kept = kept
        self._requests = requests
        self._reader = reader
        self._compared = compared
        self._unix_us = unix_us or (lambda: int(time.time() * 1e6))

    @property
    def offered(self) -> bool:
        """Whether this dashboard may change runs at all."""
        return self._requests is not None

    def edit(self, wanted: Sequence[tuple[RunRef, Edits]], by: str) -> list[Outcome]:
        """Change names, notes and tags; say of each run which of them became something else.

        Raises:
            InvalidQuery: An edit is too long, or a tag is none; then nothing is changed.
        """
        check_number(len(wanted))
        runs, outcomes = self._runs([ref for ref, _ in wanted])
        pairs = [(runs[ref], edits) for ref, edits in wanted if ref in runs]
        self._door.edit(pairs, by=by, at_unix_us=self._unix_us())
        self._kept.renew()
        return outcomes + [Outcome(run.ref, _changed(run, edits)) for run, edits in pairs]

    def stop(self, refs: Sequence[RunRef], reason: str, by: str) -> list[Outcome]:
        """Ask the processes of running runs to stop."""

        def ask(run: Run) -> Change:
            if run.state is not RunState.RUNNING:
                raise InvalidQuery(f"it has {run.state} already")
            return self._door.stop(run.ref, by=by, at_unix_us=self._unix_us(), reason=reason)

        return self._each(refs, ask, "asked to stop")

    def delete(self, refs: Sequence[RunRef], reason: str, by: str) -> list[Outcome]:
        """Hide runs now; what they have is freed soon."""

        def ask(run: Run) -> Change:
            return self._door.delete(run.ref, by=by, at_unix_us=self._unix_us(), reason=reason)

        return self._each(refs, ask, "deleted; what it has is freed soon")

    def move(self, refs: Sequence[RunRef], target: str, reason: str, by: str) -> list[Outcome]:
        """Move runs that have ended to another project, one by one."""
        check_project(target)

        def ask(run: Run) -> Change:
            if run.state is RunState.RUNNING:
                raise InvalidQuery("it is running", hint="stop it first")
            now = self._unix_us()
            return self._door.move(
                run.project, [run.run_id], target, by=by, at_unix_us=now, reason=reason
            )

        return self._each(refs, ask, f"moves to {target}")

    def weigh(self, refs: Sequence[RunRef]) -> Weight:
        """Return what deleting these runs would free in the tables."""
        rows = size = 0
        for project in sorted({ref.project for ref in refs}):
            runs = [ref.run_id for ref in refs if ref.project == project]
            weight = self._door.weigh(project, runs)
            rows, size = rows + weight.rows, size + weight.bytes
        return Weight(rows, size)

    def stands(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        """Yield the outcomes as they stand now: what a gateway has carried out or refused since."""
        for outcome in outcomes:
            if outcome.change is None:
                yield outcome
                continue
            change = self._door.get(outcome.change)
            yield Outcome(outcome.ref, *_standing(change, outcome))

    def _each(
        self, refs: Sequence[RunRef], ask: Callable[[Run], Change], said: str
    ) -> list[Outcome]:
        check_number(len(refs))
        runs, outcomes = self._runs(refs)
        for run in runs.values():
            try:
                outcomes.append(Outcome(run.ref, said, change=ask(run)))
            except StoreUnavailable as silent:
                outcomes.append(Outcome(run.ref, f"the store does not answer: {silent}", False))
            except StoreError as refused:
                outcomes.append(Outcome(run.ref, str(refused), False))
        self._kept.renew()
        return outcomes

    def _runs(self, refs: Sequence[RunRef]) -> tuple[dict[RunRef, Run], list[Outcome]]:
        """Return the runs as they stand now, and a word on those that are not there."""
        asked = list(dict.fromkeys(refs))
        found = self._compared.get_runs(asked, ()) if self._compared else self._one_by_one(asked)
        runs = {run.ref: run for run in found}
        gone = [Outcome(ref, "there is no such run", False) for ref in asked if ref not in runs]
        return runs, gone

    def _one_by_one(self, refs: Sequence[RunRef]) -> Iterator[Run]:
        for ref in refs:
            with suppress(UnknownRun):
                yield self._reader.get_run(ref)

    @property
    def _door(self) -> RunWrites:
        if self._requests is None:
            raise InvalidQuery("this dashboard may not change runs", hint="dashboard.edit_runs")
        return self._requests


def check_number(runs: int) -> None:
    """Raise `InvalidQuery` when these are too many at once."""
    if runs > MOST_AT_ONCE:
        raise InvalidQuery(f"{runs:,} runs at once", hint=f"at most {MOST_AT_ONCE:,}")


def check_project(project: str) -> None:
    """Raise `InvalidQuery` for what can be no project's name."""
    size = len(project.encode())
    if not project.strip() or size > _MAX_PROJECT_BYTES or not project.isprintable():
        raise InvalidQuery(
            f"{project[:40]!r} is no name of a project",
            hint=f"1 … {_MAX_PROJECT_BYTES} bytes, no control characters",
        )


def _changed(run: Run, edits: Edits) -> str:
    fields = [change.field for change in changes(run, edits)]
    return f"changed {', '.join(fields)}" if fields else "is so already"


def _standing(change: Change, asked: Outcome) -> tuple[str, bool, Change | None]:
    refused = change.receipt.get(REFUSED)
    if refused:
        return str(refused), False, None
    if change.state in (ChangeState.ASKED, ChangeState.BEGUN):
        return asked.said, True, change
    done = {
        ChangeKind.STOP: "was told to stop",
        ChangeKind.DELETE_RUN: "deleted and freed",
        ChangeKind.MOVE: f"moved to {change.request.get('target', '')}",
    }
    return done.get(change.kind, asked.said), True, None
