"""What a verification comes to, in words. Pure."""

from collections.abc import Callable
from typing import Final

from weir._api_ledger import ADDS_UP, KINDS, LedgerLine, Verification
from weir._printing import grouped

_AGENTS_WORDS: Final = {"system": "system points", "lines": "console lines"}
_MOST_LINES: Final = 16  # of a table; beyond, only what does not add up


def lines_to_show(lines: tuple[LedgerLine, ...]) -> tuple[LedgerLine, ...]:
    """Return all lines when they are few, else those that do not add up. Pure."""
    if len(lines) <= _MOST_LINES:
        return lines
    return tuple(line for line in lines if line.verdict not in ADDS_UP)


def closing_line(told: Verification) -> str:
    """Return the one sentence that says it all. Pure."""
    return f"{told.verdict}: {_CLOSINGS.get(told.verdict, _found_wrong)(told)}"


def _whole(told: Verification) -> str:
    total = Totals(told.lines, "points")
    aside = "".join(
        f" + {grouped(count)} {word}"
        for count, word in (
            (total.rejected, "rejected"),
            (total.dead, "dead-lettered"),
            (total.removed, "deleted or thinned out"),
        )
        if count
    )
    edits = f"; {many(total.added, 'correction')} beside them" if total.added else ""
    return (
        f"{grouped(total.sent)} points sent = {grouped(total.stored - total.added)} stored{aside}, "
        f"no gaps, no duplicates, content equal{edits}{_of_agents(told)}"
    )


def _of_agents(told: Verification) -> str:
    """What agents sent beside the points, where there is any."""
    counts = ((Totals(told.lines, kind).stored, word) for kind, word in _AGENTS_WORDS.items())
    parts = [f"{grouped(count)} {word}" for count, word in counts if count]
    return f"; {' and '.join(parts)} likewise" if parts else ""


def _pending(told: Verification) -> str:
    total = Totals(told.lines, "points")
    here = f", {grouped(total.pending)} more in this machine's spool" if total.pending else ""
    return (
        f"{grouped(total.stored)} points stored so far{here}, "
        f"{many(told.pending_frames, 'frame')} on their way; what is stored adds up"
    )


def _unclaimed(told: Verification) -> str:
    total = Totals(told.lines, "points")
    return (
        f"{grouped(total.stored)} points stored; their client keeps no ledger, so nothing is proved"
    )


def _lost(told: Verification) -> str:
    total = Totals(told.lines, "points")
    return (
        f"{grouped(total.stored)} points stored, {grouped(total.lost)} lost in "
        f"{many(len(told.gaps), 'gap')} that are declared, {grouped(total.dropped)} dropped before "
        "they were sent; the rest adds up"
    )


def _found_wrong(told: Verification) -> str:
    """What the lines with the worst verdict come to, kind by kind."""
    bad = [line for line in told.lines if line.verdict == told.verdict]
    parts = []
    for kind in KINDS:
        lines = tuple(line for line in bad if line.kind == kind)
        if lines:
            total = Totals(lines, kind)
            expected = total.sent - total.rejected - total.dead - total.removed + total.added
            parts.append(
                f"{grouped(expected)} {_AGENTS_WORDS.get(kind, kind)} ought to be stored, {grouped(total.stored)} are"
            )
    ranks = sorted({line.rank for line in bad})
    where = f"rank {ranks[0]}" if len(ranks) == 1 else f"{len(ranks)} ranks"
    what = {"changed": "as many, but not what was sent"}.get(told.verdict, "and nobody said why")
    return f"{'; '.join(parts)} ({where}): {what}"


_CLOSINGS: Final[dict[str, Callable[[Verification], str]]] = {
    "whole": _whole,
    "pending": _pending,
    "unclaimed": _unclaimed,
    "lost": _lost,
}


class Totals:
    """The counts of one kind, over lines."""

    def __init__(self, lines: tuple[LedgerLine, ...], kind: str) -> None:
        own = [line for line in lines if line.kind == kind]
        self.any = bool(own)
        self.sent = sum(line.sent or 0 for line in own)
        self.stored = sum(line.stored for line in own)
        self.pending = sum(line.pending or 0 for line in own)
        self.rejected = sum(line.rejected for line in own)
        self.dead = sum(line.dead for line in own)
        self.lost = sum(line.lost for line in own)
        self.dropped = sum(line.dropped for line in own)
        self.refused = sum(line.refused for line in own)
        self.removed = sum(line.removed for line in own)
        self.added = sum(line.added for line in own)


def many(count: int, thing: str) -> str:
    """Return a count of things, `1 rank` or `2 ranks`."""
    plural = {"process": "processes"}.get(thing, f"{thing}s")
    return f"{grouped(count)} {thing if count == 1 else plural}"
