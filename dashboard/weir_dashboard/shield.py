"""What a run's ledger says, as a badge and in words. Pure."""

from __future__ import annotations

from html import escape
from types import MappingProxyType
from typing import Final

from weir_dashboard import words
from weir_store.ledger import verdict_of, worst
from weir_store.records import Kind, Ledger, Verdict

_MARKS: Final = MappingProxyType(
    {Verdict.WHOLE: "⛨", Verdict.PENDING: "⛨", Verdict.UNCLAIMED: "⛉", Verdict.LOST: "⚠"}
)
_MEANINGS: Final = MappingProxyType(
    {
        Verdict.WHOLE: "everything that was sent is stored, once and unchanged",
        Verdict.PENDING: "so far everything is stored, once and unchanged; more is on its way",
        Verdict.UNCLAIMED: "the client kept no ledger, so nothing can be proved",
        Verdict.LOST: "what is stored is right, and some is known to be lost: see the events",
        Verdict.CHANGED: "as many as were sent are stored, but not the same values",
        Verdict.MISSING: "fewer than were sent are stored, and nobody said why",
        Verdict.DOUBLED: "more is stored than was sent",
    }
)


def verdict(ledger: Ledger) -> Verdict:
    """Return the worst of the ledger's lines."""
    return worst(verdict_of(line) for line in ledger.lines)


def meaning(of: Verdict) -> str:
    """Return one sentence for people."""
    return _MEANINGS[of]


def badge(ledger: Ledger) -> str:
    """Return the shield as HTML: a mark, the word and how much was proved."""
    found = verdict(ledger)
    points = stored(ledger, Kind.POINTS) + stored(ledger, Kind.TEXTS)
    text = f"{_MARKS.get(found, '⚠')} {found}"
    title = f"{words.count(points, 'point')}: {meaning(found)}"
    return f'<span class="weir-shield {found}" title="{escape(title)}">{escape(text)}</span>'


def stored(ledger: Ledger, kind: Kind) -> int:
    """Return how many things of a kind the store holds."""
    return sum(line.stored.count for line in ledger.lines if line.kind is kind)
