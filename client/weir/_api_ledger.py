"""What `weir verify` and `run.verify()` answer: does all that was sent lie in the store? Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from weir._ledger import Claim, Tally
from weir_proto.v1 import runs_pb2

KINDS: Final = ("points", "texts", "attrs", "events", "system", "lines")
BEST_FIRST: Final = ("whole", "pending", "unclaimed", "lost", "changed", "missing", "doubled")
ADDS_UP: Final = frozenset({"whole", "pending", "unclaimed"})
_CAN_BECOME_WHOLE: Final = frozenset({"whole", "unclaimed"})


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One kind of thing from one process life of a rank (docs/formats/ledger.md).

    Attributes:
        rank: Index of the process in the run.
        producers: Process lives that share the line, 32 hex digits each; usually one.
        kind: points, texts, attrs, events, system or lines.
        sent: What the client says it sent, as far as that is stored; None when it keeps no ledger.
        stored: What the store holds of it.
        pending: Spooled on this machine and in no stored claim yet; None when nobody here knows.
        rejected: Refused by the gateway, with a reason.
        dead: Set aside as dead letters.
        lost: What frames that are declared lost must have held.
        dropped: Never sent: the client's queue or disk was full.
        refused: Never sent: `log()` took it for no number, text or name.
        verdict: whole, pending, unclaimed, lost, changed, missing or doubled.
        removed: Deleted or thinned out since (docs/changes.md).
        added: Corrections; a line of nothing else has no producers.
    """

    rank: int
    producers: tuple[str, ...]
    kind: str
    sent: int | None
    stored: int
    pending: int | None
    rejected: int
    dead: int
    lost: int
    dropped: int
    refused: int
    verdict: str
    removed: int = 0
    added: int = 0


@dataclass(frozen=True, slots=True)
class LedgerGap:
    """Frames of a producer that are declared lost, both ends inclusive."""

    producer: str
    first_seq: int
    last_seq: int


@dataclass(frozen=True, slots=True)
class LedgerProducer:
    """How far a process life has come.

    Attributes:
        producer: 32 hex digits.
        rank: Index of the process in the run.
        claimed_seq: Frame of its newest stored claim; 0 = none.
        committed_seq: Newest frame in the store.
        accepted_seq: Newest frame the server has.
        spooled_seq: Newest frame on this machine's disk; None when its spool is not here.
    """

    producer: str
    rank: int
    claimed_seq: int
    committed_seq: int
    accepted_seq: int
    spooled_seq: int | None = None

    @property
    def pending_frames(self) -> int:
        """Frames on their way, as far as is known."""
        return max(0, max(self.accepted_seq, self.spooled_seq or 0) - self.committed_seq)


@dataclass(frozen=True, slots=True)
class Verification:
    """What a run's producers say they sent, beside what lies in the store.

    Attributes:
        verdict: The worst of all lines': whole, pending, unclaimed, lost, changed, missing, doubled.
        lines: By rank, then start, then kind.
        gaps: Frames that are declared lost.
        producers: Process lives, and how far each has come.
        rows_at_rest: Points and texts in the store, replays not merged yet included.
    """

    verdict: str
    lines: tuple[LedgerLine, ...] = ()
    gaps: tuple[LedgerGap, ...] = ()
    producers: tuple[LedgerProducer, ...] = ()
    rows_at_rest: int = 0

    @property
    def adds_up(self) -> bool:
        """Whether nothing is known to be lost, changed, missing or doubled."""
        return self.verdict in ADDS_UP

    @property
    def waits(self) -> bool:
        """Whether something is on its way."""
        return self.verdict == "pending" or any(line.verdict == "pending" for line in self.lines)

    @property
    def pending_frames(self) -> int:
        """Frames on their way, as far as is known."""
        return sum(each.pending_frames for each in self.producers)


@dataclass(frozen=True, slots=True)
class SpooledClaim:
    """What a producer has put into the frames that lie on this machine's disk, the newest word.

    Attributes:
        last_seq: Newest frame on disk, or that was there.
        claim: None when no frame that is left states one.
    """

    producer: str
    rank: int
    last_seq: int
    claim: Claim | None


def verification_of(message: runs_pb2.GetLedgerResponse) -> Verification:
    """Return a ledger of the wire as people see it."""
    return Verification(
        message.verdict,
        tuple(map(_line, message.lines)),
        tuple(LedgerGap(g.producer.hex(), g.first_seq, g.last_seq) for g in message.gaps),
        tuple(
            LedgerProducer(p.producer.hex(), p.rank, p.claimed_seq, p.committed_seq, p.accepted_seq)
            for p in message.producers
        ),
        message.rows_at_rest,
    )


def _line(line: runs_pb2.LedgerLine) -> LedgerLine:
    return LedgerLine(
        rank=line.rank,
        producers=tuple(producer.hex() for producer in line.producers),
        kind=line.kind,
        sent=line.sent if line.claimed else None,
        stored=line.stored,
        pending=None,
        rejected=line.rejected,
        dead=line.dead,
        lost=line.lost,
        dropped=line.dropped,
        refused=line.refused,
        verdict=line.verdict,
        removed=line.removed,
        added=line.added,
    )


def with_spools(told: Verification, spools: Iterable[SpooledClaim]) -> Verification:
    """Add what spools on this machine hold beyond the stored claims.

    The spools have to be read after the server was asked: they only grow.
    """
    here = {spool.producer: spool for spool in spools}
    known = {producer for line in told.lines for producer in line.producers}
    lines = [_with_pending(line, here) for line in told.lines]
    lines += [
        line for each in here.values() if each.producer not in known for line in _unseen(each)
    ]
    producers = [
        replace(each, spooled_seq=here[each.producer].last_seq) if each.producer in here else each
        for each in told.producers
    ]
    seen = {each.producer for each in told.producers}
    producers += [
        LedgerProducer(each.producer, each.rank, 0, 0, 0, each.last_seq)
        for each in here.values()
        if each.producer not in seen
    ]
    verdict = worst([told.verdict, *(line.verdict for line in lines)])
    if told.verdict == "unclaimed" and lines:
        verdict = worst(line.verdict for line in lines)
    return replace(told, verdict=verdict, lines=tuple(lines), producers=tuple(producers))


def worst(verdicts: Iterable[str]) -> str:
    """Return the worst of several verdicts; one this client does not know is worst of all."""
    return max(
        verdicts,
        key=lambda verdict: BEST_FIRST.index(verdict) if verdict in BEST_FIRST else len(BEST_FIRST),
    )


def _with_pending(line: LedgerLine, here: dict[str, SpooledClaim]) -> LedgerLine:
    """The line with what is spooled and in no stored claim; exact, so only when all of it is here."""
    claims = [here[each].claim if each in here else None for each in line.producers]
    if not claims or None in claims:
        return line
    spooled = sum(getattr(claim, line.kind, Tally()).count for claim in claims)
    pending = max(0, spooled - (line.sent or 0))
    waits = (pending or line.sent is None) and line.verdict in _CAN_BECOME_WHOLE
    return replace(line, pending=pending, verdict="pending" if waits else line.verdict)


def _unseen(spool: SpooledClaim) -> Iterable[LedgerLine]:
    """Lines of a producer of which nothing is stored yet."""
    for kind in KINDS:
        count = getattr(spool.claim, kind).count if spool.claim else 0
        if count or kind == "points":
            line = LedgerLine(
                spool.rank, (spool.producer,), kind, None, 0, count, 0, 0, 0, 0, 0, "pending"
            )
            yield line
