"""Live before backlog: who speaks next, decided without a clock."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from weir.agent._turns import (
    BACKLOG_TURN_BYTES,
    BEHIND_BYTES,
    LIVE_TURN_BYTES,
    SHARE_BESIDE_LIVE,
    Standing,
    Turn,
    Turns,
)
from weir.agent._unstored import Unstored

WINDOW_BYTES = 8 << 20
BACKLOG = 100 << 20


def live(name: str, **more) -> Standing:
    return replace(Standing(name.encode(), ready=True, running=True), **more)


def backlog(name: str, **more) -> Standing:
    return replace(Standing(name.encode(), ready=True, lag_bytes=BACKLOG), **more)


def names(turns: list[Turn]) -> list[str]:
    return [turn.producer.decode() for turn in turns]


def plan(turns: Turns, *standings: Standing) -> list[Turn]:
    return turns.plan(standings, window_bytes=WINDOW_BYTES)


def test_what_is_live_goes_first_and_one_backlog_follows():
    turns = plan(Turns(), backlog("b1"), live("a1"), backlog("b2"), live("a2"))
    assert names(turns)[:2] == ["a1", "a2"]
    assert names(turns)[2] in ("b1", "b2")
    assert len(turns) == 3
    assert [turn.limit_bytes for turn in turns] == [LIVE_TURN_BYTES] * 2 + [BACKLOG_TURN_BYTES]


def test_who_has_nothing_to_say_gets_no_turn():
    assert plan(Turns(), live("a", ready=False), backlog("b", ready=False)) == []


def test_backlogs_take_turns():
    turns = Turns()
    standings = [backlog(f"b{n}") for n in range(3)]
    served = [names(plan(turns, *standings)) for _ in range(9)]
    assert sorted(name for (name,) in served) == ["b0"] * 3 + ["b1"] * 3 + ["b2"] * 3


def test_a_backlog_whose_process_still_runs_gets_every_other_turn():
    turns = Turns()
    standings = [backlog("mine", running=True), *(backlog(f"old{n}") for n in range(4))]
    served = [name for _ in range(40) for name in names(plan(turns, *standings))]
    assert 20 <= served.count("mine") <= 24
    assert all(served.count(f"old{n}") >= 4 for n in range(4))


def test_a_backlog_stops_when_its_share_of_the_window_waits_for_the_store():
    share = int(WINDOW_BYTES * SHARE_BESIDE_LIVE)
    waiting = backlog("b1", unstored_bytes=share)
    assert names(plan(Turns(), live("a"), waiting, backlog("b2"))) == ["a"]
    assert len(plan(Turns(), waiting, backlog("b2"))) == 1  # nobody live: the whole window
    full = backlog("b1", unstored_bytes=WINDOW_BYTES)
    assert plan(Turns(), full, backlog("b2")) == []


def test_a_turn_is_no_larger_than_what_is_left_of_the_share():
    (turn,) = plan(Turns(), backlog("b", unstored_bytes=WINDOW_BYTES - 1_000))
    assert turn.limit_bytes == 1_000


def test_a_greeting_needs_no_room():
    full = backlog("b", unstored_bytes=WINDOW_BYTES)
    assert names(plan(Turns(), full, backlog("new", greets=True))) == ["new"]


def test_what_live_producers_wait_for_does_not_hold_a_backlog_back():
    turns = plan(Turns(), live("a", unstored_bytes=WINDOW_BYTES), backlog("b"))
    assert names(turns) == ["a", "b"]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=8), st.integers(1, 4))
def test_every_backlog_is_sent_and_none_ever_has_more_than_the_share_under_way(megabytes, lag):
    """A store that keeps what was sent `lag` cycles ago, and one producer that is always live."""
    turns, left = Turns(), {f"b{n}": size << 20 for n, size in enumerate(megabytes)}
    sent: list[dict[str, int]] = []  # by cycle, not yet stored
    share = int(WINDOW_BYTES * SHARE_BESIDE_LIVE)
    for _ in range(10_000):
        unstored = {name: sum(cycle.get(name, 0) for cycle in sent) for name in left}
        behind = [name for name, size in left.items() if size > BEHIND_BYTES]
        assert sum(unstored[name] for name in behind) <= share
        standings = [
            backlog(name, lag_bytes=size, unstored_bytes=unstored[name], ready=size > 0)
            for name, size in left.items()
        ]
        planned = plan(turns, *standings, live("now"))
        assert "now" in names(planned)
        spoken = {turn.producer.decode(): turn.limit_bytes for turn in planned}
        sent.append({name: min(spoken.get(name, 0), left[name]) for name in left})
        left = {name: size - sent[-1][name] for name, size in left.items()}
        sent = sent[-lag:]
        if not any(left.values()):
            return
    raise AssertionError(f"never sent: {left}")


@given(
    st.lists(st.integers(1, 200_000), min_size=1, max_size=60),
    st.lists(st.tuples(st.booleans(), st.integers(0, 70)), max_size=20),
)
def test_bytes_not_stored_are_counted_to_within_a_piece(sizes, answers):
    counted = Unstored()
    for seq, size in enumerate(sizes, 1):
        counted.sent(seq, size)
    first, last = 1, len(sizes)
    assert counted.bytes == sum(sizes)
    for stored, seq in answers:
        if stored:
            counted.stored(seq)
            first = max(first, seq + 1)
        else:
            counted.sent_again_from(seq)
            last = min(last, seq - 1)
    true = sum(sizes[first - 1 : max(last, first - 1)])
    assert abs(counted.bytes - true) <= 2 * (64 << 10) + 200_000 * 2
    counted.stored(len(sizes))
    assert counted.bytes == 0


def test_a_million_tiny_frames_are_remembered_in_a_few_pieces():
    counted = Unstored()
    for seq in range(1, 100_001):
        counted.sent(seq, 100)
    assert counted.bytes == 10_000_000
    assert len(counted._pieces) < 200
    counted.stored(100_000)
    assert counted.bytes == 0
