"""Rows of the ledger and sums of what is stored, put together as lines. Pure; both readers use it.

accounts, lives ─▶ scope_of ─▶ what to count ─▶ (the reader counts) ─▶ assemble ─▶ Ledger
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple
from uuid import UUID

from weir_store.records import Gap, Kind, Ledger, LedgerLine, LedgerProducer, Tally

_KINDS: Final = tuple(Kind)
_NOTHING: Final = Tally()


class LineKey(NamedTuple):
    """What the rows of a line share: the rank, and the second in which their producers were born."""

    rank: int
    birth_s: int


@dataclass(frozen=True, slots=True)
class Account:
    """A row of the table `ledger`, or several of one producer, kind and account summed up."""

    producer: UUID
    rank: int
    kind: Kind
    account: str
    part: int
    tally: Tally
    ver: int


@dataclass(frozen=True, slots=True)
class Life:
    """A producer of the run, and how far it is stored."""

    producer: UUID
    rank: int
    committed_seq: int


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rows a ledger is about.

    Attributes:
        newest: Of claimed lines, the highest row version that counts; others count in full.
        dead: (line, row version) of frames set aside: what of them had been stored does not count.
    """

    newest: Mapping[LineKey, int]
    dead: frozenset[tuple[LineKey, int]]


Stored = Mapping[tuple[LineKey, Kind], Tally]
Changed = Mapping[tuple[LineKey, Kind], tuple[Tally, Tally]]
"""What people and policies took out of a line and put beside it (docs/changes.md)."""


def birth_s(producer: UUID) -> int:
    """Return the upper half of the version of a producer's rows (ADR 4)."""
    return (producer.int >> 80) // 1_000 & 0xFFFF_FFFF


def scope_of(accounts: Iterable[Account], lives: Iterable[Life]) -> Scope:
    """Return which rows to count for a ledger that will be made of these accounts."""
    lines = _producers_by_line(accounts, lives)
    newest = {
        line: line.birth_s << 32 | max(each.claimed_seq for each in members)
        for line, members in lines.items()
        if _is_claimed(members)
    }
    dead = {
        (line := LineKey(each.rank, birth_s(each.producer)), line.birth_s << 32 | each.part)
        for each in accounts
        if each.account == "dead"
    }
    return Scope(newest, frozenset(dead))


def assemble(
    accounts: Sequence[Account],
    lives: Sequence[Life],
    stored: Stored,
    rows_at_rest: int,
    changed: Changed | None = None,
) -> Ledger:
    """Return the ledger of a run.

    Args:
        accounts: Its rows of `ledger`.
        lives: Its producers.
        stored: What lies in the store of each line and kind, within `scope_of(accounts, lives)`.
        rows_at_rest: Points and texts, replays not merged yet included.
        changed: What was edited, deleted or thinned out since.
    """
    members = _producers_by_line(accounts, lives)
    claimed = {each.producer: each.claimed_seq for group in members.values() for each in group}
    gaps = tuple(_gaps(accounts))
    book = _Book(accounts, claimed, gaps, changed or {})
    keys = sorted({*members, *(line for line, _ in stored)})
    lines = [
        book.line(key, tuple(each.producer for each in members.get(key, ())), kind, stored)
        for key in keys
        for kind in _KINDS
    ]
    return Ledger(
        lines=tuple(line for line in lines if _says_something(line)),
        gaps=gaps,
        producers=tuple(each for key in sorted(members) for each in members[key]),
        rows_at_rest=rows_at_rest,
    )


def _says_something(line: LedgerLine) -> bool:
    counted = line.stored.count or line.rejected.count or line.dead.count or line.removed.count
    told = line.gap_frames or line.dropped or line.refused
    if line.kind is Kind.POINTS:
        return bool(line.sent is not None or counted or told)
    return bool((line.sent and line.sent.count) or counted)


class _Book:
    """The accounts of a run, to be asked line by line."""

    def __init__(
        self,
        accounts: Iterable[Account],
        claimed: Mapping[UUID, int],
        gaps: Iterable[Gap],
        changed: Changed,
    ) -> None:
        self._claimed = claimed
        self._changed = changed
        self._sums: dict[tuple[UUID, Kind, str], Tally] = {}
        for each in accounts:
            # What was rejected or died after the claim is in no `sent` yet.
            if each.account not in ("rejected", "dead") or each.part <= claimed[each.producer]:
                place = (each.producer, each.kind, each.account)
                self._sums[place] = self._sums.get(place, _NOTHING) + each.tally
        self._gaps: dict[UUID, list[Gap]] = {}
        for gap in gaps:
            self._gaps.setdefault(gap.producer, []).append(gap)

    def line(
        self, key: LineKey, producers: tuple[UUID, ...], kind: Kind, stored: Stored
    ) -> LedgerLine:
        claimed = bool(producers) and all(self._claimed[each] for each in producers)
        is_points = kind is Kind.POINTS
        removed, added = self._changed.get((key, kind), (_NOTHING, _NOTHING))
        return LedgerLine(
            rank=key.rank,
            producers=producers,
            kind=kind,
            sent=self._sum(producers, kind, "sent") if claimed else None,
            stored=stored.get((key, kind), _NOTHING),
            rejected=self._sum(producers, kind, "rejected"),
            dead=self._sum(producers, kind, "dead"),
            gap_frames=sum(map(self._gap_frames, producers)),
            open_gap_frames=sum(map(self._open_gap_frames, producers)),
            dropped=self._sum(producers, kind, "dropped").count if is_points else 0,
            refused=self._sum(producers, kind, "refused").count if is_points else 0,
            removed=removed,
            added=added,
        )

    def _sum(self, producers: Iterable[UUID], kind: Kind, account: str) -> Tally:
        total = _NOTHING
        for producer in producers:
            total += self._sums.get((producer, kind, account), _NOTHING)
        return total

    def _gap_frames(self, producer: UUID) -> int:
        return sum(gap.last_seq - gap.first_seq + 1 for gap in self._gaps.get(producer, ()))

    def _open_gap_frames(self, producer: UUID) -> int:
        claim = self._claimed[producer]
        return sum(
            gap.last_seq - max(gap.first_seq, claim + 1) + 1
            for gap in self._gaps.get(producer, ())
            if gap.last_seq > claim
        )


def _producers_by_line(
    accounts: Iterable[Account], lives: Iterable[Life]
) -> dict[LineKey, list[LedgerProducer]]:
    """Return the producers of each line, oldest first."""
    ranks: dict[UUID, int] = {}
    claims: dict[UUID, int] = {}
    for account in accounts:
        ranks[account.producer] = account.rank
        if account.account == "sent":
            claims[account.producer] = max(account.ver, claims.get(account.producer, 0))
    committed = {life.producer: life.committed_seq for life in lives}
    ranks = {**{life.producer: life.rank for life in lives}, **ranks}
    lines: dict[LineKey, list[LedgerProducer]] = {}
    for producer, rank in sorted(ranks.items()):
        told = LedgerProducer(producer, rank, claims.get(producer, 0), committed.get(producer, 0))
        lines.setdefault(LineKey(rank, birth_s(producer)), []).append(told)
    return lines


def _is_claimed(members: Iterable[LedgerProducer]) -> bool:
    return all(each.claimed_seq for each in members)


def _gaps(accounts: Iterable[Account]) -> Iterator[Gap]:
    """Yield what was declared lost, by producer and seq, each frame once however often it was told."""
    told = sorted(
        (each.producer, each.part, each.part + each.tally.count - 1)
        for each in accounts
        if each.account == "gap" and each.tally.count
    )
    for producer, ranges in groupby(told, key=lambda each: each[0]):
        first, last = 0, -1
        for _, begin, end in ranges:
            if begin > last + 1:
                if last >= first:
                    yield Gap(producer, first, last)
                first = begin
            last = max(last, end)
        yield Gap(producer, first, last)
