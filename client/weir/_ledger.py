"""The client's half of the ledger: what a producer has put into its frames so far, stated in each."""

from dataclasses import dataclass, fields
from typing import Self

from weir._digest import (
    attr_digest,
    event_digest,
    lines_digest,
    name_factor,
    points_digest,
    system_digest,
    texts_digest,
)
from weir_proto.v1 import ingest_pb2 as pb

_WRAP = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Tally:
    """How many things, and the sum of their digests mod 2^64."""

    count: int = 0
    digest: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.count + other.count, (self.digest + other.digest) & _WRAP)


@dataclass(frozen=True, slots=True)
class Claim:
    """What was sent, by kind."""

    points: Tally = Tally()
    texts: Tally = Tally()
    attrs: Tally = Tally()
    events: Tally = Tally()
    system: Tally = Tally()
    lines: Tally = Tally()

    def __add__(self, other: Self) -> "Claim":
        mine_and_theirs = (
            (getattr(self, kind.name), getattr(other, kind.name)) for kind in fields(self)
        )
        return Claim(*(mine + theirs for mine, theirs in mine_and_theirs))

    @classmethod
    def of(cls, body: pb.Body) -> Self:
        """Count and add up what one frame holds. Pure."""
        names = list(body.names)
        factors = [name_factor(name) for name in names] if body.points or body.texts else []
        points = sum(len(block.value) // 8 for block in body.points)
        texts = sum(len(block.value) for block in body.texts)
        system = sum(len(block.value) // 8 for block in body.system)
        lines = sum(len(block.line) for block in body.lines)
        return cls(
            Tally(points, sum(points_digest(block, factors) for block in body.points) & _WRAP),
            Tally(texts, sum(texts_digest(block, factors) for block in body.texts) & _WRAP),
            Tally(len(body.attrs), sum(map(attr_digest, body.attrs)) & _WRAP),
            Tally(len(body.events), sum(map(event_digest, body.events)) & _WRAP),
            Tally(system, sum(system_digest(block, names) for block in body.system) & _WRAP),
            Tally(lines, sum(map(lines_digest, body.lines)) & _WRAP),
        )

    @classmethod
    def stated_in(cls, body: pb.Body) -> Self | None:
        """Return the claim that a frame carries; None when its client keeps no ledger."""
        if not body.tallies:
            return None
        known = [each for each in body.tallies if each.kind in _KINDS]
        return cls(**{_KINDS[each.kind]: Tally(each.count, each.digest) for each in known})

    def messages(self) -> list[pb.Tally]:
        """Return the claim as a frame carries it: every kind, nothing sent included."""
        return [
            pb.Tally(kind=kind, count=tally.count, digest=tally.digest)
            for kind, name in _KINDS.items()
            for tally in (getattr(self, name),)
        ]


_KINDS = {
    pb.Tally.POINT: "points",
    pb.Tally.TEXT: "texts",
    pb.Tally.ATTR: "attrs",
    pb.Tally.EVENT: "events",
    pb.Tally.SYSTEM: "system",
    pb.Tally.LINE: "lines",
}


class Ledger:
    """The running claim of one producer. Used by the spool thread alone.

    A frame counts once it is on disk: one that the disk refused may be written again, or packed
    anew with other content, or dropped.

    Attributes:
        claim: What the frames on disk hold.
    """

    def __init__(self) -> None:
        self.claim = Claim()
        self._stated = self.claim

    def state_in(self, body: pb.Body) -> None:
        """Put into a frame the claim through this frame."""
        self._stated = self.claim + Claim.of(body)
        body.tallies.extend(self._stated.messages())

    def settle(self) -> None:
        """The frame stated in last is on disk."""
        self.claim = self._stated
