"""What a run's ledger says, as a badge and in words. Pure."""

from __future__ import annotations

from html import escape
from types import MappingProxyType
from typing import Final

from weir_dashboard import words
from weir_store.ledger import verdict_of, worst
from weir_store.records import Kind, Ledger, Verdict

# Drawn, because few fonts have a shield: the outline, and what is in it.
_OUTLINE: Final = "M8 1 L14 3 V8 C14 11.5 11.5 14 8 15.3 C4.5 14 2 11.5 2 8 V3 Z"
_TICK: Final = "M5 8 L7.2 10.3 L11 5.8"
_CROSS: Final = "M8 4.5 V9 M8 11.2 V11.6"
_INSIDE: Final = MappingProxyType(
    {Verdict.WHOLE: _TICK, Verdict.PENDING: _TICK, Verdict.UNCLAIMED: ""}
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
    title = escape(f"{words.count(points, 'point')}: {meaning(found)}")
    return f'<span class="weir-shield {found}" title="{title}">{_drawn(found)} {found}</span>'


def _drawn(of: Verdict) -> str:
    path = f"{_OUTLINE} {_INSIDE.get(of, _CROSS)}"
    return f'<svg viewBox="0 0 16 16" aria-hidden="true"><path d="{path}"/></svg>'


def stored(ledger: Ledger, kind: Kind) -> int:
    """Return how many things of a kind the store holds."""
    return sum(line.stored.count for line in ledger.lines if line.kind is kind)
