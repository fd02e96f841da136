"""What a ledger comes to: a line into a verdict, verdicts into the run's. Pure.

The arithmetic is that of docs/formats/ledger.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from weir_store.records import LedgerLine, Tally, Verdict

_BEST_FIRST: Final = tuple(Verdict)


def expected(line: LedgerLine) -> Tally:
    """Return what the store has to hold when nothing was lost on the way; nothing when unclaimed."""
    if not line.is_claimed:
        return Tally()
    return (line.sent or Tally()) - line.rejected - line.dead - line.removed + line.added


def lost(line: LedgerLine) -> int:
    """Return how many things the line's declared gaps must have held, >= 0."""
    return max(expected(line).count - line.stored.count, 0) if line.gap_frames else 0


def adds_up(line: LedgerLine) -> bool:
    """Whether the store holds exactly what was sent, less what was rejected, is dead or was deleted."""
    return line.is_claimed and expected(line) == line.stored


def verdict_of(line: LedgerLine) -> Verdict:
    """Return what one line comes to; whether more is on its way is not the store's to say."""
    if not line.is_claimed:
        return Verdict.LOST if line.gap_frames or line.dropped else Verdict.UNCLAIMED
    lacking = expected(line).count - line.stored.count
    if lacking < 0:
        return Verdict.DOUBLED
    if lacking > 0:
        return Verdict.LOST if line.gap_frames else Verdict.MISSING
    if not adds_up(line):
        return Verdict.CHANGED
    return Verdict.LOST if line.open_gap_frames or line.dropped else Verdict.WHOLE


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst; of a run without any line, that nothing was claimed."""
    return max(verdicts, key=_BEST_FIRST.index, default=Verdict.UNCLAIMED)
