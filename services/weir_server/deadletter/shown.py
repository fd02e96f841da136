"""A dead letter as people and programs read it. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from weir_server.writer.unpack import Frame, Points
from weir_store.records import DeadLetter

_POINTS_SHOWN: Final = 10
_METRICS_SHOWN: Final = 20
_LONGEST_REASON: Final = 100


def id_of(letter: DeadLetter) -> str:
    """Return what the commands call a letter: its producer in hex, and its seq."""
    return f"{letter.producer.hex}:{letter.seq}"


def as_json(letter: DeadLetter) -> dict[str, Any]:
    """Return a letter as JSON carries it."""
    return {
        "id": id_of(letter),
        "project": letter.project,
        "run_id": letter.run_id,
        "producer": letter.producer.hex,
        "seq": letter.seq,
        "state": letter.state,
        "by": letter.by,
        "at_unix_us": letter.at_unix_us,
        "entry_bytes": letter.entry_bytes,
        "reason": letter.reason,
    }


def line(letter: DeadLetter) -> str:
    """Return a letter in one line."""
    where = f"{letter.project}/{letter.run_id}" if letter.project else "(unreadable)"
    reason = " ".join(letter.reason.split())
    if len(reason) > _LONGEST_REASON:
        reason = f"{reason[: _LONGEST_REASON - 1]}…"
    return f"{id_of(letter)}  {letter.state:<7}  {_moment(letter.at_unix_us)}  {where}  {reason}"


def lines(letter: DeadLetter, frame: Frame | None, problem: str) -> Iterator[str]:
    """Yield everything about a letter.

    Args:
        letter: As it lies in the store.
        frame: What is in it, None when it cannot be read.
        problem: Why it cannot.
    """
    decided = f" by {letter.by}" if letter.by else ""
    yield f"letter    {id_of(letter)}"
    yield f"state     {letter.state}{decided}, {_moment(letter.at_unix_us)}"
    yield f"reason    {letter.reason}"
    yield f"entry     {letter.entry_bytes} bytes"
    if frame is None:
        yield f"contents  {problem}"
        return
    yield from _origin(frame)
    yield from _contents(frame)


def _origin(frame: Frame) -> Iterator[str]:
    origin = frame.origin
    yield f"run       {origin.project}/{origin.run_id}"
    yield (
        f"process   rank {origin.rank} of {origin.world_size}, pid {origin.pid} on {origin.node},"
        f" began {_moment(origin.started_unix_us)}"
    )
    yield (
        f"frame     seq {frame.source.seq}, accepted {_moment(frame.entry.accepted_unix_us)},"
        f" {len(frame.entry.frame.body)} bytes packed, {frame.entry.frame.raw_bytes} unpacked"
    )


def _contents(frame: Frame) -> Iterator[str]:
    body = frame.body
    counts = {
        "points": sum(block.count for block in frame.points),
        "texts": sum(len(block.value) for block in frame.texts),
        "attributes": len(body.attrs),
        "events": len(body.events),
        "system points": sum(len(block.value) for block in frame.system),
        "lines": sum(len(block.line) for block in frame.lines),
    }
    told = (f"{count} {what}" for what, count in counts.items() if count or what == "points")
    yield f"contents  {', '.join(told)}"
    if body.names:
        more = len(body.names) - _METRICS_SHOWN
        shown = ", ".join(map(_quoted, body.names[:_METRICS_SHOWN]))
        yield f"metrics   {shown}{f' and {more} more' if more > 0 else ''}"
    for step, name, value in islice(_points(frame), _POINTS_SHOWN):
        yield f"          step {step}  {_quoted(name)} = {value!r}"


def _points(frame: Frame) -> Iterator[tuple[int, str, float]]:
    for block in frame.points:
        for index in range(min(block.count, _POINTS_SHOWN)):
            yield _point(block, index, list(frame.body.names))


def _point(block: Points, index: int, names: list[str]) -> tuple[int, str, float]:
    row, column = divmod(index, block.width) if block.width else (index, index)
    return int(block.step[row]), names[block.metric[column]], float(block.value[index])


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)  # control characters stay visible


def _moment(unix_us: int) -> str:
    try:
        return datetime.fromtimestamp(unix_us / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"{unix_us} µs"
