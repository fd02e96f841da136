"""What is in a body, as the ledger counts it: for entries that lose something on their way.

A frame that comes through whole needs none of this: its producer's own claim travels in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from weir_proto.v1 import ingest_pb2
from weir_store import digest
from weir_store.records import Kind, Tally

Tallies: TypeAlias = Mapping[Kind, Tally]
"""By kind; a kind of which there is nothing may be absent."""

_KINDS: Final = {
    ingest_pb2.Tally.POINT: Kind.POINTS,
    ingest_pb2.Tally.TEXT: Kind.TEXTS,
    ingest_pb2.Tally.ATTR: Kind.ATTRS,
    ingest_pb2.Tally.EVENT: Kind.EVENTS,
    ingest_pb2.Tally.SYSTEM: Kind.SYSTEM,
    ingest_pb2.Tally.LINE: Kind.LINES,
}
_WIRE_KINDS: Final = {kind: number for number, kind in _KINDS.items()}
NAMESPACES: Final = {
    ingest_pb2.Attr.CONFIG: "config",
    ingest_pb2.Attr.TAG: "tag",
    ingest_pb2.Attr.SUMMARY: "summary",
    ingest_pb2.Attr.META: "meta",
    ingest_pb2.Attr.FILE: "file",
}
STREAMS: Final[Mapping[int, str]] = {
    ingest_pb2.LineBlock.STDOUT: "stdout",
    ingest_pb2.LineBlock.STDERR: "stderr",
    ingest_pb2.LineBlock.LOGGING: "logging",
}
_STREAM_WORDS: Final = digest.metric_words(
    STREAMS.get(number, "") for number in range(max(STREAMS) + 1)
)
_EVENT_ID_BYTES: Final = 16


class _Unclear(Exception):
    """A part of a body is such that its digest cannot be said."""


class _Names:
    """The symbol table of a body, and B of each name."""

    def __init__(self, table: Sequence[str]) -> None:
        self.table = table
        self.words = digest.metric_words(table)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a body holds.

    Attributes:
        tallies: Of everything that can be made out.
        exact: Nothing else was in it.
    """

    tallies: Tallies
    exact: bool


def contents_of(body: ingest_pb2.Body) -> Contents:
    """Count a body that was read from the wire, whatever is in it, and add up the digests."""
    names = _Names(list(body.names))
    found: dict[Kind, Tally] = defaultdict(Tally)
    exact = True
    for kind, part in _parts(body):
        try:
            tally, is_whole = _COUNTERS[kind](part, names)
        except _Unclear:
            exact = False
        else:
            found[kind] += tally
            exact &= is_whole
    return Contents(dict(found), exact)


def claims_of(body: ingest_pb2.Body) -> Tallies:
    """Return what a body's producer says it has sent so far; empty when it keeps no ledger."""
    return read_tallies(body.tallies)


def read_tallies(messages: Iterable[ingest_pb2.Tally]) -> Tallies:
    """Return tallies as sent; of two of a kind the last counts, unknown kinds do not."""
    return {
        _KINDS[message.kind]: Tally(message.count, message.digest)
        for message in messages
        if message.kind in _KINDS
    }


def tally_messages(tallies: Tallies) -> list[ingest_pb2.Tally]:
    """Return tallies as they are sent, without those of nothing."""
    return [
        ingest_pb2.Tally(kind=_WIRE_KINDS[kind], count=tally.count, digest=tally.digest)
        for kind, tally in tallies.items()
        if tally.count
    ]


def taken_out(before: Contents, after: Contents) -> Tallies:
    """Return what a body held before and holds no longer."""
    rest = after.tallies
    return {kind: tally - rest.get(kind, Tally()) for kind, tally in before.tallies.items()}


def _parts(body: ingest_pb2.Body) -> Iterator[tuple[Kind, Any]]:
    for block in body.points:
        yield Kind.POINTS, block
    for texts in body.texts:
        yield Kind.TEXTS, texts
    for attr in body.attrs:
        yield Kind.ATTRS, attr
    for event in body.events:
        yield Kind.EVENTS, event
    for system in body.system:
        yield Kind.SYSTEM, system
    for lines in body.lines:
        yield Kind.LINES, lines


def _points(block: ingest_pb2.PointBlock, names: _Names) -> tuple[Tally, bool]:
    metric, step, time_us = _coordinates(block)
    value = digest.value_words(_column(block.value, "<f8"))
    if not block.width:
        return _sum(metric, step, time_us, value, names)
    if len(metric) != block.width or len(value) != len(step) * block.width:
        raise _Unclear
    rows = (len(step), block.width)
    return _sum(
        np.broadcast_to(metric, rows).ravel(),
        np.repeat(step, block.width),
        np.repeat(time_us, block.width),
        value,
        names,
    )


def _texts(block: ingest_pb2.TextBlock, names: _Names) -> tuple[Tally, bool]:
    return _sum(*_coordinates(block), digest.text_words(block.value), names)


def _system(block: ingest_pb2.SystemBlock, names: _Names) -> tuple[Tally, bool]:
    metric, device = _column(block.metric, "<u4"), _column(block.device, "<u4")
    time_us = _column(block.time_unix_us, "<i8")
    words = digest.value_words(_column(block.value, "<f8"))
    if not len(metric) == len(device) == len(time_us) == len(words):
        raise _Unclear
    named = (metric < len(names.table)) & (device < len(names.table))
    pairs, place = np.unique(
        metric[named].astype(np.uint64) << np.uint64(32) | device[named], return_inverse=True
    )
    own = digest.metric_words(
        digest.system_name(names.table[pair >> 32], names.table[pair & 0xFFFF_FFFF])
        for pair in pairs.tolist()
    )
    total = digest.digest_points(own[place], np.zeros(1, np.int64), time_us[named], words[named])
    return Tally(int(named.sum()), total), bool(named.all())


def _lines(block: ingest_pb2.LineBlock, _names: _Names) -> tuple[Tally, bool]:
    number, time_us = _column(block.number, "<i8"), _column(block.time_unix_us, "<i8")
    stream, lines = np.frombuffer(block.stream, np.uint8), list(block.line)
    if not len(number) == len(time_us) == len(stream) == len(lines):
        raise _Unclear
    named = (stream > 0) & (stream < len(_STREAM_WORDS))
    own, words = _STREAM_WORDS[stream[named]], digest.text_words(lines)
    total = digest.digest_points(own, number[named], time_us[named], words[named])
    return Tally(int(named.sum()), total), bool(named.all())


def _coordinates(
    block: ingest_pb2.PointBlock | ingest_pb2.TextBlock,
) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.int64]]:
    metric = _column(block.metric, "<u4")
    step, time_us = _column(block.step, "<i8"), _column(block.time_unix_us, "<i8")
    if len(step) != len(time_us):
        raise _Unclear
    return metric, step, time_us


def _column(raw: bytes, dtype: str) -> NDArray[Any]:
    try:
        return np.frombuffer(raw, dtype)
    except ValueError as error:
        raise _Unclear from error


def _sum(
    metric: NDArray[np.uint32],
    step: NDArray[np.int64],
    time_us: NDArray[np.int64],
    words: digest.Words,
    names: _Names,
) -> tuple[Tally, bool]:
    """Return the tally of the points whose metric has a name, and whether all have."""
    if not len(metric) == len(step) == len(words):
        raise _Unclear
    named = metric < len(names.table)
    own = names.words[metric[named]]
    total = digest.digest_points(own, step[named], time_us[named], words[named])
    return Tally(int(named.sum()), total), bool(named.all())


def _attr(attr: ingest_pb2.Attr, _names: _Names) -> tuple[Tally, bool]:
    kind = attr.WhichOneof("value")
    if kind is None or attr.namespace not in NAMESPACES:
        raise _Unclear
    values = {
        "float": digest.float_text(attr.float),
        "int": str(attr.int),
        "bool": str(int(attr.bool)),
        "str": attr.str,
        "json": attr.json,
    }
    number = digest.digest_attr(NAMESPACES[attr.namespace], attr.path, kind, values.get(kind, ""))
    return Tally(1, number), True


def _event(event: ingest_pb2.Event, _names: _Names) -> tuple[Tally, bool]:
    if len(event.event_id) != _EVENT_ID_BYTES:
        raise _Unclear
    number = digest.digest_event(
        UUID(bytes=event.event_id),
        event.kind,
        event.severity,
        event.title,
        event.body,
        event.step if event.has_step else -1,
    )
    return Tally(1, number), True


_COUNTERS: Final[Mapping[Kind, Callable[[Any, _Names], tuple[Tally, bool]]]] = {
    Kind.POINTS: _points,
    Kind.TEXTS: _texts,
    Kind.ATTRS: _attr,
    Kind.EVENTS: _event,
    Kind.SYSTEM: _system,
    Kind.LINES: _lines,
}
