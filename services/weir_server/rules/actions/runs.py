"""Changing the run that fired: a tag, a note, a request to stop. Each may be repeated without harm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from weir_server.clock import Clock
from weir_server.errors import ServerError
from weir_server.rules.actions.base import Act, Acts, NeverTaken, NotTaken
from weir_server.stream.base import StopRequest
from weir_store.base import Reader
from weir_store.editor import Editor
from weir_store.edits import Edits
from weir_store.errors import StoreError, UnknownRun
from weir_store.records import Run, RunRef, RunState
from weir_store.rules.records import ActionKind, Delivery

_MOST_NOTES_BYTES: Final = 65_536
_MOST_REASON_BYTES: Final = 500
_STOPPABLE: Final = frozenset({RunState.RUNNING, RunState.CRASHED})  # the silent may come back

AskToStop = Callable[[RunRef, StopRequest], None]
"""Leaves a request to stop. Raises `ServerError` when nobody can."""


@dataclass(frozen=True, slots=True)
class Runs:
    """Changes runs; safe from any thread."""

    reader: Reader
    editor: Editor
    ask_to_stop: AskToStop
    clock: Clock

    def acts(self) -> Acts:
        """Return what it can do."""
        return {
            ActionKind.TAG: _translated(self.tag),
            ActionKind.NOTE: _translated(self.note),
            ActionKind.STOP: _translated(self.stop),
        }

    def tag(self, delivery: Delivery) -> str:
        """Add a tag."""
        self._edit(delivery, self._run(delivery), Edits(add_tags=(delivery.action.target,)))
        return ""

    def note(self, delivery: Delivery) -> str:
        """Add a line to the run's notes, which names the rule and the moment."""
        run = self._run(delivery)
        moment = datetime.fromtimestamp(delivery.payload["at_unix_us"] // 1_000_000, UTC)
        line = f"[{moment:%Y-%m-%d %H:%M:%S} UTC, rule {delivery.rule}] {delivery.action.target}"
        if line in run.notes:
            return "it was there"
        notes = f"{run.notes}\n{line}" if run.notes else line
        if len(notes.encode()) > _MOST_NOTES_BYTES:
            raise NeverTaken("the notes of the run are full")
        self._edit(delivery, run, Edits(notes=notes))
        return ""

    def stop(self, delivery: Delivery) -> str:
        """Ask the run to stop, as StopRun does; the reason names the rule."""
        run = self._run(delivery)
        if run.state not in _STOPPABLE:
            return f"the run is {run.state}"
        by = f"rule {delivery.rule}"
        why = delivery.action.target or delivery.payload["text"] or delivery.payload["title"]
        reason = f"{by}: {why}".encode()[:_MOST_REASON_BYTES].decode(errors="ignore")
        stop = StopRequest(reason, by, self.clock.unix_us())
        self.ask_to_stop(run.ref, stop)
        self.editor.note_stop(run.ref, by=by, reason=reason, at_unix_us=stop.asked_unix_us)
        return ""

    def _run(self, delivery: Delivery) -> Run:
        return self.reader.get_run(RunRef(delivery.project, delivery.run_id))

    def _edit(self, delivery: Delivery, run: Run, edits: Edits) -> None:
        by = f"rule {delivery.rule}"
        self.editor.edit_run(run, edits, by=by, at_unix_us=self.clock.unix_us())


def _translated(act: Act) -> Act:
    """Sort what goes wrong by whether another try may help."""

    def translated(delivery: Delivery) -> str:
        try:
            return act(delivery)
        except UnknownRun as error:
            raise NeverTaken(str(error)) from error
        except (StoreError, ServerError) as error:
            raise NotTaken(str(error)) from error

    return translated
