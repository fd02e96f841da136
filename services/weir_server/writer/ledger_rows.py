"""What frames and dead letters say about themselves, as rows of the table `ledger`.

docs/formats/ledger.md lists the accounts. Like every row of a block these are a pure function of
its entries; they lie in the same block as the rows they speak of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from weir_proto.v1 import ingest_pb2, stream_pb2
from weir_server.stream.base import StreamEntry
from weir_server.tally import Tallies, claims_of, contents_of, read_tallies
from weir_server.writer.dead_letter import DeadLetter
from weir_server.writer.facts import BAD_VALUE, Row
from weir_server.writer.unpack import Frame
from weir_store.records import Kind, Tally

_MOST: Final = (1 << 64) - 1
_Line: TypeAlias = tuple[Kind, str, int, Tally]
"""Kind, account, part, how much."""


@dataclass(frozen=True, slots=True)
class _Dead:
    """A dead letter of which everything could be read."""

    source: StreamEntry
    entry: stream_pb2.Entry
    body: ingest_pb2.Body


_Told: TypeAlias = Frame | _Dead


def ledger_rows(frames: Sequence[Frame], dead: Sequence[DeadLetter]) -> list[Row]:
    """Return the newest claim of each producer, and what was rejected, died or is lost.

    Args:
        frames: Of a producer in the order of their seqs.
        dead: Likewise.
    """
    readable = [
        _Dead(letter.source, letter.entry, letter.body)
        for letter in dead
        if letter.entry is not None and letter.body is not None
    ]
    told: list[_Told] = [*frames, *readable]
    return [
        *_rows(_newest_claims(told), _claim),
        *_rows(filter(_has_findings, told), _findings),
        *(
            _row(letter.source, letter.entry.origin, line)
            for letter in dead
            if letter.entry is not None  # whose outside is unreadable belongs to no run
            for line in _death(letter)
        ),
    ]


def _rows(told: Iterable[_Told], lines: Callable[[_Told], Iterator[_Line]]) -> Iterator[Row]:
    for each in told:
        for line in lines(each):
            yield _row(each.source, each.entry.origin, line)


def _newest_claims(told: Sequence[_Told]) -> list[_Told]:
    newest: dict[bytes, _Told] = {}
    for each in reversed(told):  # so that most are passed by without a look inside
        known = newest.get(each.source.producer)
        is_older = known is not None and known.source.seq >= each.source.seq
        if not is_older and each.body.tallies:
            newest[each.source.producer] = each
    return list(newest.values())


def _has_findings(told: _Told) -> bool:
    entry = told.entry
    return bool(told.body.losses or entry.rejected or entry.unreadable)


def _claim(told: _Told) -> Iterator[_Line]:
    claims = claims_of(told.body)
    yield Kind.POINTS, "sent", 0, claims.get(Kind.POINTS, Tally())  # always: it marks the claim
    for kind, tally in claims.items():
        if tally.count and kind is not Kind.POINTS:
            yield kind, "sent", 0, tally


def _findings(told: _Told) -> Iterator[_Line]:
    """Yield what the gateway took out of a frame, and what its client says it has lost."""
    entry, seq = told.entry, told.source.seq
    yield from _of_kinds("rejected", seq, read_tallies(entry.rejected))
    if entry.unreadable:
        yield Kind.POINTS, "gap", seq, Tally(1)
    never_sent = {"dropped": 0, "refused": 0}
    for loss in told.body.losses:
        if 0 < loss.first_seq <= loss.last_seq:
            yield Kind.POINTS, "gap", loss.first_seq, Tally(loss.last_seq - loss.first_seq + 1)
        else:
            never_sent["refused" if loss.reason == BAD_VALUE else "dropped"] += loss.points
    for account, points in never_sent.items():
        if points:
            yield Kind.POINTS, account, seq, Tally(min(points, _MOST))


def _death(letter: DeadLetter) -> Iterator[_Line]:
    """Yield what a dead letter holds; where that can not be said, that a frame is gone."""
    if letter.body is not None:
        contents = contents_of(letter.body)
        yield from _of_kinds("dead", letter.source.seq, contents.tallies)
        if contents.exact:
            return
    yield Kind.POINTS, "gap", letter.source.seq, Tally(1)


def _of_kinds(account: str, seq: int, tallies: Tallies) -> Iterator[_Line]:
    for kind, tally in tallies.items():
        if tally.count:
            yield kind, account, seq, tally


def _row(source: StreamEntry, origin: ingest_pb2.Origin, line: _Line) -> Row:
    kind, account, part, tally = line
    return {
        "project": origin.project,
        "run_id": origin.run_id,
        "producer": source.producer,
        "rank": origin.rank,
        "kind": kind.value,
        "account": account,
        "part": part,
        "count": tally.count,
        "digest": tally.digest,
        "ver": source.seq,
        "is_deleted": 0,
    }
