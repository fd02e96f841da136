"""Changes, holds and policies on the wire: records out, questions in. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from weir_proto.v1 import changes_pb2 as pb
from weir_store.changes.base import Change, Correction, Hold, Policy, What
from weir_store.changes.retention import Step
from weir_store.errors import InvalidQuery


def receipt_message(change: Change) -> pb.Receipt:
    """Return a receipt as sent."""
    return pb.Receipt(
        change_id=change.change_id.hex,
        project=change.project,
        run_id=change.run_id,
        kind=change.kind,
        state=change.state,
        by=change.by,
        reason=change.reason,
        asked_unix_us=change.at_unix_us,
        ended_unix_us=change.ended_unix_us,
        request=json.dumps(_readable(change.request)),
        result=json.dumps(_readable({**change.receipt, "newest": None})),
    )


def hold_message(hold: Hold) -> pb.Hold:
    """Return a hold as sent."""
    return pb.Hold(
        project=hold.project,
        run_id=hold.run_id,
        reason=hold.reason,
        by=hold.by,
        at_unix_us=hold.at_unix_us,
    )


def policy_message(policy: Policy) -> pb.Policy:
    """Return a policy as sent."""
    return pb.Policy(
        project=policy.project,
        what=policy.what,
        pattern=policy.pattern,
        keep_s=policy.keep_s,
        thin_after_s=policy.thin_after_s,
        thin_points=policy.thin_points,
        by=policy.by,
        at_unix_us=policy.at_unix_us,
    )


def step_message(step: Step) -> pb.RetentionStep:
    """Return what retention would do, as sent."""
    return pb.RetentionStep(
        run_id=step.ref.run_id,
        what=step.what,
        metrics=step.metrics,
        before_unix_us=max(0, step.before_unix_us),
        thin_points=step.thin_points,
        rows=step.rows,
    )


def policy_of(message: pb.Policy, *, by: str, at_unix_us: int) -> Policy:
    """Return a policy that somebody wants. Raises `InvalidQuery` when it is about nothing known."""
    if message.what not in list(What):
        raise InvalidQuery(f"no retention of {message.what!r}", hint=", ".join(What))
    return Policy(
        message.project,
        What(message.what),
        message.pattern or "*",
        message.keep_s,
        message.thin_after_s,
        message.thin_points,
        by,
        at_unix_us,
    )


def steps_of(ranges: Iterable[pb.StepRange]) -> list[tuple[int, int]]:
    """Return ranges of steps."""
    return [(each.first, each.last) for each in ranges]


def corrections_of(points: Sequence[pb.PointCorrection]) -> list[Correction]:
    """Return the new values of points."""
    return [Correction(each.step, each.value, each.rank) for each in points]


def _readable(told: Any) -> dict[str, Any]:
    """Leave out what only the machine needs; write the values of corrections as people do."""
    shown = {name: value for name, value in told.items() if value is not None}
    if "points" in shown and "session" in shown:
        shown["points"] = [
            {
                "step": step,
                "rank": rank,
                "before": repr(float.fromhex(before)),
                "after": repr(float.fromhex(value)),
            }
            for step, rank, value, before, _ in shown["points"]
        ]
        del shown["session"], shown["run_date"]
    shown.pop("shifts", None)
    return shown
