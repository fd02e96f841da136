"""What a follower has seen: the text that goes out with an answer and comes back with the next question.

Lines are stored frame by frame in the order of each agent's log, but logs of
different nodes, and of one agent's lives, arrive whenever they arrive. So there
is no single mark: for every life of an agent that wrote lines of a run, a
cursor holds the last frame of it that was taken in.

    seen    lives whose lines were all taken in, up to a frame of each
    batch   what a page by time was cut from: lines in `batch` that are not in
            `seen`, of which those up to `at` were given out
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import UUID

from weir_store.errors import InvalidQuery

_FORMAT: Final = 1
_MOST_BYTES: Final = 16 << 20
MOST_LIVES: Final = 20_000
"""Lives a cursor tells of; an answer about more agents cannot be followed and has none."""


class Life(NamedTuple):
    """One life of an agent in a run, as its rows are versioned: rank and second of its birth."""

    project: str
    run_id: str
    rank: int
    born_s: int


Marks: TypeAlias = Mapping[Life, int]
"""The last frame (`seq`) of each life; a life that is not there has none."""


class Position(NamedTuple):
    """Where a line stands in an answer."""

    time_unix_us: int
    project: str
    run_id: str
    rank: int
    process: str  # hex
    number: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """See above; `at` is None when there is no `batch`."""

    seen: Marks = field(default_factory=dict)
    batch: Marks = field(default_factory=dict)
    at: Position | None = None


def born_s(producer: UUID) -> int:
    """Return the second a producer was born in: a UUIDv7 begins with Unix ms."""
    return (producer.int >> 80) // 1_000


def life_of(project: str, run_id: str, agent_rank: int, ver: int) -> Life:
    """Return the life whose row has this version."""
    return Life(project, run_id, agent_rank, ver >> 32)


def seq_of(ver: int) -> int:
    """Return the frame that a row with this version was in."""
    return ver & 0xFFFF_FFFF


def joined(*several: Marks) -> Marks:
    """Return the farther mark of each life."""
    far: dict[Life, int] = {}
    for marks in several:
        for life, seq in marks.items():
            far[life] = max(seq, far.get(life, 0))
    return far


def encode(cursor: Cursor) -> str:
    """Return the cursor as text; "" when it tells of too many lives."""
    if len(cursor.seen) + len(cursor.batch) > MOST_LIVES:
        return ""
    told = [_FORMAT, _nested(cursor.seen), _nested(cursor.batch), cursor.at]
    packed = zlib.compress(json.dumps(told, separators=(",", ":")).encode(), 6)
    return base64.urlsafe_b64encode(packed).decode()


def decode(text: str) -> Cursor:
    """Return what `encode` was given. Raises `InvalidQuery` for any other text."""
    try:
        unpacking = zlib.decompressobj()
        packed = base64.b64decode(text.encode(), altchars=b"-_", validate=True)
        told = unpacking.decompress(packed, _MOST_BYTES)
        number, seen, batch, at = json.loads(told)
        if number != _FORMAT or not unpacking.eof:
            raise ValueError("another format")
        return Cursor(dict(_flat(seen)), dict(_flat(batch)), _position(at))
    except (ValueError, TypeError, KeyError, binascii.Error, zlib.error, RecursionError) as error:
        raise InvalidQuery(
            "the cursor is none of this server's", hint="begin again without one"
        ) from error


def _nested(marks: Marks) -> list[Any]:
    """Return lives by run, so that a run is named once."""
    runs: dict[tuple[str, str], list[list[int]]] = {}
    for life, seq in sorted(marks.items()):
        runs.setdefault(life[:2], []).append([life.rank, life.born_s, seq])
    return [[project, run_id, lives] for (project, run_id), lives in runs.items()]


def _flat(runs: Any) -> Iterable[tuple[Life, int]]:
    for project, run_id, lives in runs:
        for rank, born_s, seq in lives:
            whole = _whole(rank), _whole(born_s)
            yield Life(_text(project), _text(run_id), *whole), _whole(seq)


def _position(told: Any) -> Position | None:
    if told is None:
        return None
    time_unix_us, project, run_id, rank, process, number = told
    if not isinstance(time_unix_us, int) or abs(time_unix_us) >= 1 << 62:
        raise ValueError("a time out of range")
    names = _text(project), _text(run_id)
    return Position(time_unix_us, *names, _whole(rank), _text(process), _whole(number))


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 62:
        raise ValueError("a number out of range")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("no text")
    return value
