"""Is a body sane, and what of it can be kept? Pure: no I/O, and no clock of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError, Message

from weir_proto.v1 import ingest_pb2
from weir_server.errors import InvalidFrame
from weir_server.gateway.facts import (
    check_attr,
    check_branch,
    check_event,
    good_loss,
    good_session,
)
from weir_server.gateway.findings import Findings
from weir_server.gateway.limits import (
    BODY_SCHEMA,
    MAX_BLOCKS,
    MAX_FACTS,
    MAX_TALLIES,
    Code,
    Limits,
)
from weir_server.gateway.names import Admit, Names, check_names
from weir_server.gateway.node_findings import (
    check_lines,
    check_system,
    count_of,
    metrics_used,
)
from weir_server.gateway.points import PointRules, check_block, check_texts, points_in


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a body.

    Attributes:
        body: As it was read.
        rest: What is left when something was taken out; None = take it as it came.
        points: Points that are kept: numbers, texts, what nodes measured, and lines.
        findings: What was not.
    """

    body: ingest_pb2.Body
    rest: ingest_pb2.Body | None
    points: int
    findings: Findings


class TooMuch(InvalidFrame):
    """There is more in a body than a frame may hold: nothing of it is taken, but it was read."""

    def __init__(self, code: Code, field: str, message: str, body: ingest_pb2.Body) -> None:
        super().__init__(code, field, message)
        self.body = body


class SchemaTooNew(Exception):
    """The body is of a later release: it must wait for a newer server, not be rejected."""

    def __init__(self, schema: int) -> None:
        super().__init__(f"body schema {schema} is newer than {BODY_SCHEMA}")
        self.schema = schema


def validate(raw: bytes, limits: Limits, *, now_unix_us: int, admit: Admit) -> Verdict:
    """Judge an unpacked body.

    Args:
        raw: A serialised `Body`; any bytes.
        limits: What is too much.
        now_unix_us: Server clock.
        admit: Counts the run's metrics.

    Raises:
        InvalidFrame: Nothing can be kept: FRAME_UNREADABLE.
        TooMuch: Nothing is kept: FRAME_TOO_MANY_POINTS or FRAME_TOO_MANY_PARTS.
        SchemaTooNew: It was made by a later release.
    """
    body = _parse(raw)
    points = sum(map(points_in, body.points)) + sum(len(block.value) for block in body.texts)
    points += count_of(body)
    _check_counts(body, points, limits)
    findings = Findings()
    # A list, because every look into a repeated field makes its strings anew.
    names = check_names(list(body.names), limits, admit, metrics=metrics_used(body))
    rest = _keep(body, names, limits, now_unix_us, findings)
    return Verdict(body=body, rest=rest, points=points - findings.points, findings=findings)


def _parse(raw: bytes) -> ingest_pb2.Body:
    try:
        body = ingest_pb2.Body.FromString(raw)
    except DecodeError as error:
        raise InvalidFrame(
            Code.FRAME_UNREADABLE, "body", "the body is no message of ours"
        ) from error
    if body.schema > BODY_SCHEMA:
        raise SchemaTooNew(body.schema)
    if body.schema < BODY_SCHEMA:
        raise InvalidFrame(
            Code.FRAME_UNREADABLE, "schema", f"there is no body schema {body.schema}"
        )
    return body


def _check_counts(body: ingest_pb2.Body, points: int, limits: Limits) -> None:
    if points > limits.max_frame_points:
        raise TooMuch(
            Code.FRAME_TOO_MANY_POINTS,
            "points",
            f"{points} points in one frame are over {limits.max_frame_points}",
            body,
        )
    parts = {
        "names": (len(body.names), limits.max_frame_points),
        "blocks": (
            len(body.points) + len(body.texts) + len(body.system) + len(body.lines),
            MAX_BLOCKS,
        ),
        "attributes, events and losses": (
            len(body.attrs) + len(body.events) + len(body.losses),
            MAX_FACTS,
        ),
        "tallies": (len(body.tallies), MAX_TALLIES),
    }
    for what, (count, limit) in parts.items():
        if count > limit:
            message = f"{count} {what} in one frame are over {limit}"
            raise TooMuch(Code.FRAME_TOO_MANY_PARTS, what, message, body)


def _keep(
    body: ingest_pb2.Body, names: Names, limits: Limits, now_unix_us: int, findings: Findings
) -> ingest_pb2.Body | None:
    """Return what can be kept, or None when that is everything."""
    rules = PointRules(names, limits, now_unix_us)
    points = [check_block(block, rules, findings) for block in body.points]
    texts = [check_texts(block, rules, findings) for block in body.texts]
    system = [check_system(block, rules, findings) for block in body.system]
    lines = [check_lines(block, rules, findings) for block in body.lines]
    attrs = [attr for attr in body.attrs if check_attr(attr, limits, findings)]
    events = [e for e in body.events if check_event(e, limits, now_unix_us, findings)]
    losses = [good_loss(loss, limits, findings) for loss in body.losses]
    session = (
        good_session(body.session, limits, now_unix_us, findings)
        if body.HasField("session")
        else None
    )
    branch = body.branch if body.HasField("branch") else None
    if branch is not None and not check_branch(branch, findings):
        branch = None
    if not findings:
        return None
    kept: Mapping[str, Iterable[Any]] = {
        "names": _without_faults(names, body),
        "points": (block for block in points if block is not None),
        "texts": (block for block in texts if block is not None),
        "system": (block for block in system if block is not None),
        "lines": (block for block in lines if block is not None),
        "attrs": attrs,
        "events": events,
        "losses": losses,
    }
    return _rebuilt(body, kept, {"session": session, "branch": branch})


def _rebuilt(
    body: ingest_pb2.Body,
    repeated: Mapping[str, Iterable[Any]],
    single: Mapping[str, Message | None],
) -> ingest_pb2.Body:
    """Return the body with other fields; what only a later release knows stays in it."""
    rest = ingest_pb2.Body()
    rest.CopyFrom(body)
    for field, values in repeated.items():
        rest.ClearField(field)
        getattr(rest, field).extend(values)
    for field, message in single.items():
        rest.ClearField(field)
        if message is not None:
            getattr(rest, field).CopyFrom(message)
    return rest


def _without_faults(names: Names, body: ingest_pb2.Body) -> Sequence[str]:
    """Return the table with bad names blank: nothing refers to them any more.

    A name that is one metric too many may still be what a node measures.
    """
    kept = {Code.TOO_MANY_METRICS} if body.system else ()
    blank = {index for index, fault in names.faults.items() if fault.code not in kept}
    return ["" if i in blank else name for i, name in enumerate(names.table)]
