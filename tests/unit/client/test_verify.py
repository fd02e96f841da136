"""What `weir verify` makes of the server's answer and this machine's spools."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from weir._api_ledger import (
    BEST_FIRST,
    LedgerLine,
    LedgerProducer,
    SpooledClaim,
    Verification,
    with_spools,
    worst,
)
from weir._ledger import Claim, Tally
from weir._spooled_claim import read_spooled_claims
from weir._verdict_words import closing_line, lines_to_show
from weir._verify_command import exit_code, verify

WHOLE = LedgerLine(
    rank=0, producers=("aa",), kind="points", sent=100, stored=100, pending=None, rejected=0,
    dead=0, lost=0, dropped=0, refused=0, verdict="whole",
)  # fmt: skip
PRODUCER = LedgerProducer("aa", 0, claimed_seq=5, committed_seq=5, accepted_seq=5)


def told(*lines: LedgerLine) -> Verification:
    return Verification(worst([line.verdict for line in lines]), lines, (), (PRODUCER,), 100)


def spool(points: int, *, producer: str = "aa", last_seq: int = 9) -> SpooledClaim:
    return SpooledClaim(producer, 0, last_seq, Claim(points=Tally(points, 1)))


def test_without_a_spool_here_the_servers_word_stands() -> None:
    assert with_spools(told(WHOLE), []) == told(WHOLE)


def test_what_is_spooled_beyond_the_stored_claim_is_pending() -> None:
    found = with_spools(told(WHOLE), [spool(130)])
    assert (found.verdict, found.lines[0].pending, found.lines[0].verdict) == (
        "pending",
        30,
        "pending",
    )
    assert found.pending_frames == 4
    assert found.waits


def test_a_spool_that_is_all_stored_leaves_the_run_whole() -> None:
    found = with_spools(told(WHOLE), [spool(100, last_seq=5)])
    assert (found.verdict, found.lines[0].pending, found.pending_frames) == ("whole", 0, 0)
    assert not found.waits


@pytest.mark.parametrize("verdict", ["lost", "changed", "missing", "doubled"])
def test_nothing_pending_excuses_what_is_wrong(verdict: str) -> None:
    found = with_spools(told(replace(WHOLE, verdict=verdict)), [spool(130)])
    assert (found.verdict, found.lines[0].verdict) == (verdict, verdict)


def test_a_line_of_several_producers_is_pending_only_when_all_of_them_are_here() -> None:
    line = replace(WHOLE, producers=("aa", "bb"))
    assert with_spools(told(line), [spool(130)]).lines == (line,)
    found = with_spools(told(line), [spool(60), spool(70, producer="bb")])
    assert found.lines[0].pending == 30


def test_a_claim_that_is_on_disk_only_is_pending_not_unclaimed() -> None:
    line = replace(WHOLE, sent=None, stored=0, verdict="unclaimed")
    found = with_spools(told(line), [spool(100)])
    assert (found.verdict, found.lines[0].pending) == ("pending", 100)


def test_a_producer_the_server_never_heard_of_is_pending() -> None:
    found = with_spools(Verification("unclaimed"), [spool(7)])
    assert (found.verdict, found.pending_frames) == ("pending", 9)
    assert [(line.kind, line.pending) for line in found.lines] == [("points", 7)]
    beside = with_spools(told(WHOLE), [spool(7, producer="bb")])
    assert beside.verdict == "pending"
    assert beside.lines[0] == WHOLE


def test_a_run_is_as_good_as_its_worst_line() -> None:
    for better, worse in itertools.pairwise(BEST_FIRST):
        assert worst([worse, better]) == worst([better, worse]) == worse
    assert worst(["doubled", "something new"]) == "something new"


@pytest.mark.parametrize(
    ("verdict", "code", "complete"),
    [
        ("whole", 0, 0),
        ("pending", 0, 1),
        ("unclaimed", 0, 1),
        ("lost", 1, 1),
        ("changed", 1, 1),
        ("missing", 1, 1),
        ("doubled", 1, 1),
        ("something new", 1, 1),
    ],
)
def test_the_exit_code_says_whether_it_adds_up(verdict: str, code: int, complete: int) -> None:
    assert exit_code(verdict, complete=False) == code
    assert exit_code(verdict, complete=True) == complete


def test_settings_that_cannot_be_used_mean_that_nobody_can_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WEIR_ON_FULL", "nonsense")
    done = CliRunner().invoke(verify, ["p/r"])
    assert (done.exit_code, "on_full" in done.output) == (2, True)


def test_spools_that_another_user_keeps_to_himself_are_not_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def is_file(path: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_file", is_file)
    assert list(read_spooled_claims(tmp_path, "p", "r")) == []


def test_of_many_lines_only_those_that_do_not_add_up_are_listed() -> None:
    many = tuple(replace(WHOLE, rank=rank) for rank in range(64))
    assert lines_to_show(many[:16]) == many[:16]
    bad = replace(WHOLE, rank=99, verdict="missing")
    assert lines_to_show((*many, bad)) == (bad,)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            replace(WHOLE, sent=1_200_000, stored=1_200_000),
            "whole: 1 200 000 points sent = 1 200 000 stored, no gaps, no duplicates, content equal",
        ),
        (
            replace(WHOLE, stored=70, rejected=20, dead=10),
            "100 points sent = 70 stored + 20 rejected + 10 dead-lettered",
        ),
        (replace(WHOLE, pending=5, verdict="pending"), "5 more in this machine's spool"),
        (replace(WHOLE, sent=None, verdict="unclaimed"), "keeps no ledger"),
        (replace(WHOLE, stored=90, lost=10, verdict="lost"), "10 lost in 0 gaps"),
        (replace(WHOLE, dropped=4, verdict="lost"), "4 dropped before they were sent"),
        (
            replace(WHOLE, kind="texts", verdict="changed"),
            "changed: 100 texts ought to be stored, 100 are (rank 0): as many, but not what was sent",
        ),
        (
            replace(WHOLE, stored=99, verdict="missing"),
            "missing: 100 points ought to be stored, 99 are (rank 0): and nobody said why",
        ),
        (
            replace(WHOLE, kind="system", stored=99, verdict="missing"),
            "missing: 100 system points ought to be stored, 99 are (rank 0)",
        ),
        (replace(WHOLE, stored=101, verdict="doubled"), "100 points ought to be stored, 101 are"),
    ],
)
def test_the_closing_line_says_what_it_comes_to(line: LedgerLine, words: str) -> None:
    assert words in closing_line(told(line))


def test_the_closing_line_tells_of_what_agents_sent_when_there_is_any() -> None:
    system, lines = replace(WHOLE, kind="system", stored=1_200), replace(WHOLE, kind="lines")
    said = closing_line(told(WHOLE, system, lines))
    assert said.endswith("content equal; 1 200 system points and 100 console lines likewise")
    assert closing_line(told(WHOLE, lines)).endswith("; 100 console lines likewise")


def test_lines_of_a_kind_that_only_a_later_server_knows_are_shown_as_they_are() -> None:
    line = replace(WHOLE, kind="something new")
    assert with_spools(told(line), [spool(100)]).lines[0].pending == 0
