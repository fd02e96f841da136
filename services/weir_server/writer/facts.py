"""Everything of a frame that is no point — attributes, sessions, events, watermarks — into rows.

Row by row in plain Python: there are few of them. Each row is a pure function of
its entry, so a replay makes the same rows again.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeAlias

from weir_proto.v1 import ingest_pb2
from weir_server.tally import NAMESPACES
from weir_server.writer.dead_letter import DeadLetter
from weir_server.writer.unpack import Frame, row_version

Row: TypeAlias = dict[str, Any]

_STATES: Final = {
    ingest_pb2.SessionUpdate.RUNNING: "running",
    ingest_pb2.SessionUpdate.FINISHED: "finished",
    ingest_pb2.SessionUpdate.FAILED: "failed",
    ingest_pb2.SessionUpdate.INTERRUPTED: "interrupted",
    ingest_pb2.SessionUpdate.CRASHED: "crashed",
}
BAD_VALUE: Final = "bad_value"
"""Reason of a `Loss` in which nothing was lost: `log()` took the values for no points and said so."""

_SEVERITIES: Final = frozenset({"debug", "info", "warn", "error", "critical"})
# The earliest birth told of a run wins; a tombstone (weir_store/editor.py) is above them all.
_RUN_VER_BASE: Final = 1 << 62


def run_rows(frames: Iterable[Frame]) -> list[Row]:
    """Return one row per run: that it exists, and since when."""
    births = {
        (frame.origin.project, frame.origin.run_id): frame.entry.run_created_unix_us
        for frame in frames
    }
    return [
        {
            "project": project,
            "run_id": run_id,
            "created_at": created_unix_us,
            "ver": max(_RUN_VER_BASE - created_unix_us, 0),
            "is_deleted": 0,
        }
        for (project, run_id), created_unix_us in births.items()
    ]


def attr_rows(frames: Iterable[Frame]) -> Iterator[Row]:
    """Return the typed key/value rows of config, tags, summary and meta."""
    for frame in frames:
        for attr in frame.body.attrs:
            yield {
                "project": frame.origin.project,
                "run_id": frame.origin.run_id,
                "ns": NAMESPACES[attr.namespace],
                "path": attr.path,
                **_typed(attr),
                "rank": frame.origin.rank,
                "ver": frame.ver,
                "is_deleted": int(attr.WhichOneof("value") == "deleted"),
            }


def branch_rows(frames: Iterable[Frame]) -> list[Row]:
    """Return where producers took their runs up: each says so once, in its first frame.

    The version is that of a row of its first frame but without the seq: what
    was logged by processes born before is what a rewind hides (ADR 11).
    """
    rows: dict[bytes, Row] = {}
    for frame in frames:
        origin, branch = frame.origin, frame.body.branch
        if frame.body.HasField("branch") and frame.source.producer not in rows:
            rows[frame.source.producer] = {
                "project": origin.project,
                "run_id": origin.run_id,
                "producer": frame.source.producer,
                "rank": origin.rank,
                "world_size": origin.world_size,
                "parent_run_id": branch.parent_run_id,
                "step": branch.step,
                "launch": branch.launch,
                "ver": row_version(frame.source.producer, 0),
            }
    return list(rows.values())


def session_rows(frames: Iterable[Frame]) -> list[Row]:
    """Return the newest word of each producer about itself."""
    newest = {frame.source.producer: frame for frame in frames if frame.body.HasField("session")}
    return [_session(frame) for frame in newest.values()]


def event_rows(frames: Iterable[Frame], dead: Iterable[DeadLetter]) -> Iterator[Row]:
    """Return what happened: told by the client, refused by the gateway, lost, or dead."""
    for frame in frames:
        for index, event in enumerate(frame.body.events):
            yield _told(frame, index, event)
        for index, reject in enumerate(frame.entry.rejects):
            yield _rejected(frame, index, reject)
        for index, loss in enumerate(frame.body.losses):
            yield _lost(frame, index, loss)
    for letter in dead:
        if letter.project:  # an entry whose outside is unreadable belongs to no run
            yield _died(letter)


def commit_rows(frames: Sequence[Frame], dead: Sequence[DeadLetter]) -> list[Row]:
    """Return the watermark of each producer: its highest seq in the block."""
    rows: dict[bytes, Row] = {}
    marks = [
        *(
            (
                f.origin.project,
                f.origin.run_id,
                f.source.producer,
                f.source.seq,
                f.entry.accepted_unix_us,
            )
            for f in frames
        ),
        *((d.project, d.run_id, d.source.producer, d.source.seq, d.accepted_unix_us) for d in dead),
    ]
    for project, run_id, producer, seq, accepted_unix_us in marks:
        if producer not in rows or seq > rows[producer]["seq"]:
            rows[producer] = {
                "project": project,
                "run_id": run_id,
                "producer": producer,
                "seq": seq,
                "at": accepted_unix_us // 1_000,
            }
    return list(rows.values())


def dead_letter_rows(dead: Iterable[DeadLetter]) -> list[Row]:
    """Return the entries that can never be stored, whole."""
    return [
        {
            "project": letter.project,
            "run_id": letter.run_id,
            "producer": letter.source.producer,
            "seq": letter.source.seq,
            "reason": letter.reason,
            "entry": letter.source.payload,
            "at": letter.accepted_unix_us // 1_000,
            "state": "kept",
            "by": "",
        }
        for letter in dead
    ]


def _typed(attr: ingest_pb2.Attr) -> Row:
    match attr.WhichOneof("value"):
        case "float":
            return {"type": "float", "num": attr.float, "int": 0, "str": ""}
        case "int":
            return {"type": "int", "num": float(attr.int), "int": attr.int, "str": ""}
        case "bool":
            return {"type": "bool", "num": float(attr.bool), "int": int(attr.bool), "str": ""}
        case "str":
            return {"type": "str", "num": math.nan, "int": 0, "str": attr.str}
        case "json":
            return {"type": "json", "num": math.nan, "int": 0, "str": attr.json}
        case _:  # null, deleted, or nothing said
            return {"type": "null", "num": math.nan, "int": 0, "str": ""}


def _session(frame: Frame) -> Row:
    origin, session = frame.origin, frame.body.session
    return {
        "project": origin.project,
        "run_id": origin.run_id,
        "producer": frame.source.producer,
        "rank": origin.rank,
        "local_rank": origin.local_rank,
        "world_size": origin.world_size,
        "node": origin.node,
        "pid": origin.pid,
        "launcher": origin.launcher,
        "role": origin.role or "trainer",
        "attempt": origin.attempt,
        "state": _STATES.get(session.state, "running"),
        "exit_code": session.exit_code,
        "reason": session.reason,
        "started_at": _clamp_us(origin.started_unix_us),
        "updated_at": _clamp_us(session.time_unix_us),
        "ver": frame.ver,
    }


def _told(frame: Frame, index: int, event: ingest_pb2.Event) -> Row:
    whole = len(event.event_id) == 16
    return {
        **_event_base(frame),
        "event_id": event.event_id
        if whole
        else _event_id(frame.source.producer, frame.source.seq, "event", index),
        "ts": _clamp_us(event.time_unix_us),
        "kind": event.kind,
        "severity": event.severity if event.severity in _SEVERITIES else "info",
        "title": event.title,
        "body": event.body,
        "step": event.step if event.has_step else -1,
        "attrs": dict(event.attrs),
        "source": "client",
    }


def _rejected(frame: Frame, index: int, reject: ingest_pb2.Reject) -> Row:
    return {
        **_event_base(frame),
        "event_id": _event_id(frame.source.producer, frame.source.seq, "rejected", index),
        "kind": "rejected",
        "severity": "warn",
        "title": f"{reject.code}: {reject.field}" if reject.field else reject.code,
        "body": reject.message,
        "attrs": {
            "code": reject.code,
            "field": reject.field,
            "count": str(reject.count),
            "seq": str(frame.source.seq),
        },
    }


def _lost(frame: Frame, index: int, loss: ingest_pb2.Loss) -> Row:
    refused = loss.reason == BAD_VALUE
    return {
        **_event_base(frame),
        "event_id": _event_id(frame.source.producer, frame.source.seq, "loss", index),
        "kind": "refused" if refused else "loss",
        "severity": "warn" if refused else "error",
        "title": f"{loss.points} values refused by log()"
        if refused
        else f"points lost: {loss.reason}",
        "body": loss.message,
        "attrs": {
            "reason": loss.reason,
            "first_seq": str(loss.first_seq),
            "last_seq": str(loss.last_seq),
            "points": str(loss.points),
        },
    }


def _died(letter: DeadLetter) -> Row:
    source = letter.source
    return {
        "project": letter.project,
        "run_id": letter.run_id,
        "event_id": _event_id(source.producer, source.seq, "dead_letter", 0),
        "ts": _clamp_us(letter.accepted_unix_us),
        "kind": "dead_letter",
        "severity": "error",
        "title": f"frame {source.seq} of rank {letter.rank} can not be stored",
        "body": letter.reason,
        "step": -1,
        "rank": letter.rank,
        "attrs": {"seq": str(source.seq), "producer": source.producer.hex()},
        "ver": row_version(source.producer, source.seq),
        "source": "server",
    }


def _event_base(frame: Frame) -> Row:
    return {
        "project": frame.origin.project,
        "run_id": frame.origin.run_id,
        "ts": _clamp_us(frame.entry.accepted_unix_us),
        "step": -1,
        "rank": frame.origin.rank,
        "ver": frame.ver,
        "source": "server",
    }


def _event_id(producer: bytes, seq: int, what: str, index: int) -> bytes:
    """Return the same 16 bytes for the same event, however often its frame is replayed."""
    key = b"\x00".join((producer, str(seq).encode(), what.encode(), str(index).encode()))
    return hashlib.blake2b(key, digest_size=16).digest()


def _clamp_us(unix_us: int) -> int:
    """Return a wire time (unsigned) as one that a timestamp column can hold."""
    return min(unix_us, (1 << 63) - 1)
