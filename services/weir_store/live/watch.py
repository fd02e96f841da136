"""Looking again and again at a set of runs, for everybody who looks on: what is new is read once.

    look    parts of the tables        cheap; when none is new, nothing else is asked
            watermarks in new parts    whose frames were stored since
            rows in new parts          of those frames
            events in new parts, states now and then

A part may hold rows of frames that are not committed yet. Such a part counts as new again the
next time, for the runs it holds rows of.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from weir_store import tables
from weir_store.console.cursor import Life, Marks
from weir_store.live.base import (
    DELETED,
    Kind,
    Scope,
    Standing,
    Start,
    Told,
    Wants,
    marks_by_run,
    moved,
    runs_of,
    within,
)
from weir_store.live.reader import NO_PARTS, TABLE_OF, LiveReader, Parts
from weir_store.records import RunRef

STATES_EVERY_S: Final = 2.0
STATES_AT_MOST_EVERY_S: Final = 0.25
_MOST_TOLD: Final = 1_000_000
_LATE_US: Final = 60_000_000  # an event that people made may be stored so much after its time


@dataclass
class _Seen:
    """What of the tables has been looked at."""

    commits: Parts = NO_PARTS
    events: Parts = NO_PARTS
    lives: tuple[Parts, Parts] = (NO_PARTS, NO_PARTS)
    rows: dict[tuple[Kind, RunRef], Parts] = field(default_factory=dict)


class Watch:
    """One thread at a time. Every method may raise as `base.Reader`'s do, and nothing is lost then."""

    def __init__(
        self, reader: LiveReader, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._reader = reader
        self._monotonic_s = monotonic_s
        self._scope = Scope()
        self._wants = Wants(frozenset(), frozenset(), frozenset())
        self._marks: dict[Life, int] = {}
        self._told: set[UUID] = set()
        self._standing: dict[RunRef, Standing] = {}
        self._states_at_s = 0.0
        self._seen = _Seen()

    def follow(self, scope: Scope, wants: Wants) -> None:
        """Look at these runs from now on, and no more at others; those looked at before go on."""
        new = Scope(scope.runs - self._scope.runs, scope.projects - self._scope.projects)
        marks = within(self._marks, scope)
        standing = {run: at for run, at in self._standing.items() if scope.has(run)}
        if new != Scope():
            self._told.update(self._reader.list_event_ids(new))
            for life, seq in self._reader.read_marks(new).items():
                marks.setdefault(life, seq)
            for run, at in self._reader.read_states(new).items():
                standing.setdefault(run, at)
        if len(self._told) > _MOST_TOLD:  # what is forgotten may be told twice
            self._told = set(self._reader.list_event_ids(scope))
        if new != Scope() or wants | self._wants != self._wants:
            self._seen = _Seen()  # parts may hold what nobody wanted before
        self._scope, self._wants, self._marks, self._standing = scope, wants, marks, standing

    def marks(self, scope: Scope) -> dict[Life, int]:
        """Return how far the lives of these runs were told."""
        return within(self._marks, scope)

    def standing(self, scope: Scope) -> list[Standing]:
        """Return where these runs stand."""
        return [at for run, at in sorted(self._standing.items()) if scope.has(run)]

    def look(self, tell: Callable[[Told], None]) -> dict[Life, int]:
        """Tell what was stored since the last look; return how far that is, of those that moved.

        When it raises, what was told will be told again.
        """
        parts = self._reader.list_parts()
        fresh = self._moved(parts)
        new_runs = {run for run in runs_of(fresh) if run not in self._standing}
        self._look_at_states(parts, tell, eager=bool(new_runs))
        live = set(self._reader.list_live(runs_of(fresh)))
        shown = {life: seq for life, seq in fresh.items() if RunRef(*life[:2]) in live}
        seen = self._look_at_rows(parts, shown, tell)
        self._look_at_events(parts, tell)
        self._seen.rows.update(seen)
        self._seen.commits = parts[tables.INGEST_COMMITS]
        self._marks.update(fresh)
        return fresh

    def catch_up(self, start: Start, upto: Marks, wants: Wants) -> Iterator[Told]:
        """Yield all that lies between, in no order; safe beside `look`, from another thread."""
        after, before = marks_by_run(moved(start.marks, upto)), marks_by_run(start.marks)
        runs = self._reader.list_live(list(after))
        for kind in TABLE_OF:
            if kind in wants.kinds:
                high = {run: after[run] for run in runs}
                yield from self._reader.stream(kind, before, high, wants)
        if Kind.EVENTS in wants.kinds:
            # Of lives that have no mark yet, every frame is new.
            since = {
                run: dict.fromkeys(after.get(run, {}), 0) | before.get(run, {})
                for run in self._reader.list_live(runs_of(upto))
            }
            yield from self._reader.read_events_after(
                since, max(0, start.events_unix_us - _LATE_US), list(since)
            )

    # ── one look ───────────────────────────────────────────────────────────

    def _moved(self, parts: Mapping[str, Parts]) -> dict[Life, int]:
        if parts[tables.INGEST_COMMITS] <= self._seen.commits:
            return {}
        return moved(self._marks, self._reader.read_marks(self._scope, self._seen.commits))

    def _look_at_rows(
        self, parts: Mapping[str, Parts], fresh: Marks, tell: Callable[[Told], None]
    ) -> dict[tuple[Kind, RunRef], Parts]:
        """Tell rows of frames that were committed; return what has been seen with that."""
        runs = runs_of(fresh)
        after = marks_by_run({**within(self._marks, Scope(frozenset(runs))), **fresh})
        before = marks_by_run(self._marks)
        seen: dict[tuple[Kind, RunRef], Parts] = {}
        for kind, table in TABLE_OF.items():
            if kind not in self._wants.kinds:
                continue
            for old, some in self._by_seen(kind, runs).items():
                found = self._reader.look(kind, some, before, after, old, self._wants)
                for rows in found.rows:
                    tell(rows)
                seen.update({(kind, run): parts[table] - found.unfinished for run in some})
        return seen

    def _by_seen(self, kind: Kind, runs: Sequence[RunRef]) -> dict[Parts, list[RunRef]]:
        groups: dict[Parts, list[RunRef]] = defaultdict(list)
        for run in runs:
            groups[self._seen.rows.get((kind, run), NO_PARTS)].append(run)
        return groups

    def _look_at_events(self, parts: Mapping[str, Parts], tell: Callable[[Told], None]) -> None:
        now = parts[tables.EVENTS]
        if Kind.EVENTS not in self._wants.kinds or now <= self._seen.events:
            return
        found = self._reader.read_events(self._scope, self._seen.events, self._told)
        live = set(self._reader.list_live(sorted({each.run for each in found})))
        for each in found:
            if each.run in live:
                tell(each)
        self._told.update(each.event.event_id for each in found)
        self._seen.events = now

    def _look_at_states(
        self, parts: Mapping[str, Parts], tell: Callable[[Told], None], *, eager: bool
    ) -> None:
        now_s = self._monotonic_s()
        lives = (parts[tables.SESSIONS], parts[tables.RUNS])
        due = now_s - self._states_at_s >= STATES_EVERY_S
        changed = lives != self._seen.lives and now_s - self._states_at_s >= STATES_AT_MOST_EVERY_S
        if not (due or changed or eager):
            return
        found = self._reader.read_states(self._scope)
        for run, at in sorted(found.items()):
            if at != self._standing.get(run):
                tell(at)
        gone = [run for run in self._standing if run not in found]
        for run in gone:
            tell(Standing(run, DELETED))
        self._standing, self._states_at_s, self._seen.lives = found, now_s, lives
