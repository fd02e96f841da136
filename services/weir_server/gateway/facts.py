"""Attributes, events, the session and losses of a frame. Pure."""

from __future__ import annotations

from typing import Final

from weir_proto.v1 import ingest_pb2
from weir_server.gateway.findings import Findings, has_control, is_json, is_longer
from weir_server.gateway.limits import (
    MAX_CLOCK_ERROR_US,
    MAX_ID_BYTES,
    MAX_LABEL_BYTES,
    MAX_STEP,
    Code,
    Limits,
)

_SEVERITIES: Final = frozenset({"debug", "info", "warn", "error", "critical"})
_EVENT_ID_BYTES: Final = 16
_MAX_EVENT_ATTRS: Final = 256


def check_attr(attr: ingest_pb2.Attr, limits: Limits, findings: Findings) -> bool:
    """Return whether an attribute can be stored."""
    problem = _attr_problem(attr, limits)
    if problem is not None:
        findings.add(problem[0], attr.path, problem[1])
    return problem is None


def check_event(
    event: ingest_pb2.Event, limits: Limits, now_unix_us: int, findings: Findings
) -> bool:
    """Return whether an event can be stored."""
    problem = _event_problem(event, limits, now_unix_us)
    if problem is not None:
        findings.add(problem[0], event.kind, problem[1])
    return problem is None


def good_session(
    session: ingest_pb2.SessionUpdate, limits: Limits, now_unix_us: int, findings: Findings
) -> ingest_pb2.SessionUpdate | None:
    """Return the session as it can be stored; the end of a run is worth mending."""
    if session.state not in range(
        ingest_pb2.SessionUpdate.RUNNING, ingest_pb2.SessionUpdate.CRASHED + 1
    ):
        findings.add(Code.SESSION_INVALID, "state", f"state {session.state} is not known")
        return None
    mended = ingest_pb2.SessionUpdate()
    mended.CopyFrom(session)
    if _is_far(session.time_unix_us, now_unix_us):
        mended.time_unix_us = now_unix_us
        findings.add(
            Code.TIME_OUT_OF_RANGE, "session", "over ten years from the server's, which is taken"
        )
    if is_longer(session.reason, limits.max_text_bytes):
        mended.reason = _cut(session.reason, limits.max_text_bytes)
        findings.add(Code.TEXT_TOO_LONG, "session reason", "the rest was cut off")
    return session if mended == session else mended


def check_branch(branch: ingest_pb2.Branch, findings: Findings) -> bool:
    """Return whether the place where a run is taken up can be stored."""
    problem = _branch_problem(branch)
    if problem:
        findings.add(Code.BRANCH_INVALID, branch.parent_run_id, problem)
    return not problem


def good_loss(loss: ingest_pb2.Loss, limits: Limits, findings: Findings) -> ingest_pb2.Loss:
    """Return the loss as it can be stored; a loss is never dropped."""
    if not is_longer(loss.reason, MAX_LABEL_BYTES) and not is_longer(
        loss.message, limits.max_text_bytes
    ):
        return loss
    findings.add(Code.TEXT_TOO_LONG, "loss", "the rest was cut off")
    mended = ingest_pb2.Loss()
    mended.CopyFrom(loss)
    mended.reason = _cut(loss.reason, MAX_LABEL_BYTES)
    mended.message = _cut(loss.message, limits.max_text_bytes)
    return mended


def _branch_problem(branch: ingest_pb2.Branch) -> str:
    parent = branch.parent_run_id
    if not parent or has_control(parent) or is_longer(parent, MAX_ID_BYTES):
        return f"the run id is empty, over {MAX_ID_BYTES} bytes, or holds control characters"
    if not -MAX_STEP <= branch.step <= MAX_STEP:
        return "the step lies beyond ±2^53"
    if is_longer(branch.launch, MAX_LABEL_BYTES):
        return f"the launch takes over {MAX_LABEL_BYTES} bytes"
    return ""


def _attr_problem(attr: ingest_pb2.Attr, limits: Limits) -> tuple[Code, str] | None:
    kind = attr.WhichOneof("value")
    if attr.namespace not in range(ingest_pb2.Attr.CONFIG, ingest_pb2.Attr.FILE + 1):
        return Code.ATTR_INVALID, f"namespace {attr.namespace} is not known"
    if kind is None:
        return Code.ATTR_INVALID, "it has no value"
    if attr.namespace == ingest_pb2.Attr.FILE and kind not in ("json", "deleted"):
        return Code.ATTR_INVALID, "a file is told as JSON"
    if not attr.path or has_control(attr.path):
        return Code.ATTR_INVALID, "the path is empty or holds control characters"
    if is_longer(attr.path, limits.max_metric_name_bytes):
        return Code.ATTR_TOO_LONG, f"the path takes over {limits.max_metric_name_bytes} bytes"
    if kind in ("str", "json") and is_longer(getattr(attr, kind), limits.max_text_bytes):
        return (
            Code.ATTR_TOO_LONG,
            f"the value takes over {limits.max_text_bytes} bytes, log an artifact",
        )
    if kind == "json" and not is_json(attr.json):
        return Code.ATTR_INVALID, "the value is no JSON"
    return None


def _event_problem(
    event: ingest_pb2.Event, limits: Limits, now_unix_us: int
) -> tuple[Code, str] | None:
    if len(event.event_id) != _EVENT_ID_BYTES:
        return Code.EVENT_INVALID, f"an event id has {_EVENT_ID_BYTES} bytes"
    if not event.kind or has_control(event.kind) or is_longer(event.kind, MAX_LABEL_BYTES):
        return Code.EVENT_INVALID, "the kind is empty, too long or holds control characters"
    if event.severity not in _SEVERITIES:
        return Code.EVENT_INVALID, "severity is not debug, info, warn, error or critical"
    if _is_far(event.time_unix_us, now_unix_us):
        return Code.TIME_OUT_OF_RANGE, "the time is over ten years from the server's"
    if not -MAX_STEP <= event.step <= MAX_STEP:
        return Code.STEP_OUT_OF_RANGE, "the step lies beyond ±2^53"
    if len(event.attrs) > _MAX_EVENT_ATTRS:
        return Code.EVENT_TOO_LONG, f"it has over {_MAX_EVENT_ATTRS} attributes"
    texts = (event.title, event.body, *event.attrs.keys(), *event.attrs.values())
    if any(is_longer(text, limits.max_text_bytes) for text in texts):
        return Code.EVENT_TOO_LONG, f"a text takes over {limits.max_text_bytes} bytes"
    return None


def _is_far(time_unix_us: int, now_unix_us: int) -> bool:
    return abs(time_unix_us - now_unix_us) > MAX_CLOCK_ERROR_US


def _cut(text: str, limit_bytes: int) -> str:
    return text.encode()[:limit_bytes].decode(errors="ignore")
