"""Verdicts are decided by counts and digests alone."""

from typing import Any
from uuid import UUID

import pytest

from weir_store.ledger import adds_up, expected, lost, verdict_of, worst
from weir_store.ledger_lines import Account, Life, LineKey, assemble, birth_s, scope_of
from weir_store.records import Gap, Kind, LedgerLine, Tally, Verdict

ONE = UUID("018bcfe5-6800-7000-8000-000000000001")
TWO = UUID("018bcfe5-6801-7000-8000-000000000002")  # a millisecond later, the same second


def line(sent: Tally | None, stored: Tally, **more: Any) -> LedgerLine:
    return LedgerLine(0, (ONE,), Kind.POINTS, sent, stored, **more)


@pytest.mark.parametrize(
    ("verdict", "found"),
    [
        ("whole", line(Tally(5, 50), Tally(5, 50))),
        ("whole", line(Tally(), Tally())),
        ("whole", line(Tally(5, 50), Tally(3, 30), rejected=Tally(2, 20))),
        ("whole", line(Tally(5, 50), Tally(1, 10), rejected=Tally(2, 20), dead=Tally(2, 20))),
        ("whole", line(Tally(5, 2), Tally(3, 4), rejected=Tally(2, (1 << 64) - 2))),
        ("whole", line(Tally(5, 50), Tally(5, 50), refused=9)),
        ("whole", line(Tally(5, 50), Tally(5, 50), gap_frames=2)),  # they held none of this kind
        ("lost", line(Tally(5, 50), Tally(3, 30), gap_frames=2)),
        ("lost", line(Tally(5, 50), Tally(5, 50), gap_frames=2, open_gap_frames=1)),
        ("lost", line(Tally(5, 50), Tally(5, 50), dropped=1)),
        ("lost", line(None, Tally(), gap_frames=1, open_gap_frames=1)),
        ("changed", line(Tally(5, 50), Tally(5, 51))),
        ("changed", line(Tally(5, 50), Tally(3, 30), rejected=Tally(2, 21))),
        ("missing", line(Tally(5, 50), Tally(4, 50))),
        ("missing", line(Tally(5, 50), Tally(4, 40), dropped=1)),
        ("doubled", line(Tally(5, 50), Tally(6, 60))),
        ("doubled", line(Tally(5, 50), Tally(5, 50), dead=Tally(1, 10))),
        ("doubled", line(Tally(5, 50), Tally(6, 60), gap_frames=1)),
        ("unclaimed", line(None, Tally(5, 50))),
    ],
)
def test_the_verdict_follows_from_the_line(verdict: str, found: LedgerLine) -> None:
    assert verdict_of(found) == verdict
    assert not (verdict == "whole" and not adds_up(found))


def test_only_declared_gaps_are_counted_as_lost() -> None:
    assert lost(line(Tally(5, 0), Tally(2, 0), rejected=Tally(1, 0), gap_frames=1)) == 2
    assert lost(line(Tally(5, 0), Tally(2, 0))) == 0
    assert expected(line(None, Tally(2, 0))) == Tally()


def test_a_run_has_the_worst_of_its_lines_and_is_unclaimed_without_any() -> None:
    assert worst([Verdict.WHOLE, Verdict.MISSING, Verdict.LOST]) is Verdict.MISSING
    assert worst([Verdict.PENDING, Verdict.WHOLE]) is Verdict.PENDING
    assert worst([]) is Verdict.UNCLAIMED


def account(
    name: str, part: int, count: int = 1, *, who: UUID = ONE, kind: Kind = Kind.POINTS, ver: int = 0
) -> Account:
    return Account(who, 0, kind, name, part, Tally(count, count * 10), ver or part)


LINE = LineKey(0, birth_s(ONE))


def test_gaps_told_twice_are_counted_once() -> None:
    accounts = [
        account("sent", 0, 9, ver=20),
        account("gap", 3, 2),
        account("gap", 4, 3),
        account("gap", 10, 1),
        account("gap", 11, 1),
    ]
    ledger = assemble(accounts, [], {}, 0)
    assert ledger.gaps == (Gap(ONE, 3, 6), Gap(ONE, 10, 11))
    assert ledger.lines[0].gap_frames == 6


def test_frames_of_a_gap_beyond_the_claim_are_open() -> None:
    ledger = assemble([account("sent", 0, 9, ver=4), account("gap", 3, 5)], [], {}, 0)
    assert (ledger.lines[0].gap_frames, ledger.lines[0].open_gap_frames) == (5, 3)


def test_what_was_rejected_or_died_after_the_claim_is_not_counted_yet() -> None:
    accounts = [
        account("sent", 0, 9, ver=4),
        *(account(name, part) for name in ("rejected", "dead") for part in (4, 5)),
    ]
    (found,) = assemble(accounts, [], {}, 0).lines
    assert (found.rejected, found.dead) == (Tally(1, 10), Tally(1, 10))


def test_a_line_shared_by_a_producer_without_a_claim_is_unclaimed() -> None:
    accounts = [account("sent", 0, 9, ver=4)]
    lives = [Life(ONE, 0, 4), Life(TWO, 0, 1)]
    stored = {(LINE, Kind.POINTS): Tally(9, 90)}
    assert scope_of(accounts, lives).newest == {}
    (found,) = assemble(accounts, lives, stored, 9).lines
    assert found.sent is None
    assert found.producers == (ONE, TWO)


def test_producers_of_a_shared_line_count_up_to_the_highest_claim() -> None:
    accounts = [account("sent", 0, 9, ver=4), account("sent", 0, 5, who=TWO, ver=7)]
    assert scope_of(accounts, []).newest == {LINE: LINE.birth_s << 32 | 7}
    (found,) = assemble(accounts, [], {(LINE, Kind.POINTS): Tally(14, 140)}, 14).lines
    assert found.sent == Tally(14, 140)


def test_rows_that_no_known_producer_wrote_show_as_unclaimed() -> None:
    (found,) = assemble([], [], {(LineKey(3, 7), Kind.EVENTS): Tally(2, 1)}, 0).lines
    assert (found.rank, found.producers, found.sent, found.stored) == (3, (), None, Tally(2, 1))


def test_a_producer_that_has_said_nothing_yet_has_no_line() -> None:
    ledger = assemble([], [Life(ONE, 0, 1)], {}, 0)
    assert ledger.lines == ()
    assert [each.producer for each in ledger.producers] == [ONE]
