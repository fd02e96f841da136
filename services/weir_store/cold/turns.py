"""Who may do what to a run at the same time: each says what it is about to do, then looks whether another has.

Whoever finds another gives way, so that of two at most one goes on, in whichever gateways they are.
"""

from __future__ import annotations

from weir_store.changes.base import Change, ChangeKind, ChangeState, Refusal
from weir_store.changes.book import ChangeBook
from weir_store.records import RunRef


def refuse_others(book: ChangeBook, change: Change) -> None:
    """Raise `Refusal` when another change of the run, or of its project, was begun and is not done."""
    for other in book.list_changes(change.project, states=(ChangeState.BEGUN,), limit=10_000):
        is_near = other.run_id in ("", change.run_id) or change.run_id in other.request.get(
            "runs", ()
        )
        if other.change_id != change.change_id and is_near:
            raise Refusal(
                f"run {change.run_id!r} is just being changed: {other.kind} by {other.by}",
                hint=f"see weir receipt {other.change_id.hex}; it is tried again",
            )


def refuse_rolling(book: ChangeBook, ref: RunRef) -> None:
    """Raise `Refusal` while a run is being written to files: what is changed now might be missed.

    Args:
        book: Where changes are written down.
        ref: The run; without a `run_id`, any of the project's.
    """
    rolls = book.list_changes(
        ref.project, run_id=ref.run_id, kinds=(ChangeKind.ROLL,), states=(ChangeState.BEGUN,)
    )
    for roll in rolls:
        raise Refusal(
            f"run {roll.run_id!r} is just being rolled to files",
            hint=f"again in a moment; see weir receipt {roll.change_id.hex}",
        )
