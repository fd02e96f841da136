"""The sequence protocol, against a model of a server that forgets, refuses and restarts."""

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weir.agent._conversation import (
    CONFIRM_AFTER_S,
    LONGEST_REWIND_PAUSE_S,
    REFUSED_FOR_GOOD_RETRY_S,
    Conversation,
    Phase,
)


def opened(last_spooled: int = 100, *, accepted: int = 0, frames: int = 4, size: int = 1000):
    conversation = Conversation()
    conversation.spool_holds(1, last_spooled)
    conversation.greet(0.0)
    conversation.welcomed(
        accepted_seq=accepted, committed_seq=0, window_frames=frames, window_bytes=size
    )
    return conversation


def send(conversation: Conversation, now_s: float = 0.0, body_bytes: int = 100) -> int:
    seq = conversation.next_seq
    conversation.sent(seq, body_bytes, now_s)
    return seq


def test_a_conversation_begins_with_a_greeting_and_sends_nothing_before_the_welcome():
    conversation = Conversation()
    conversation.spool_holds(3, 9)
    assert conversation.wants_greeting(0.0)
    assert not conversation.may_send(0.0)
    greeting = conversation.greet(0.0)
    assert (greeting.first_available, greeting.last_spooled) == (3, 9)
    assert not conversation.wants_greeting(0.0)
    assert not conversation.may_send(0.0)


def test_sending_begins_behind_what_is_accepted():
    assert opened(accepted=41).next_seq == 42


def test_the_window_bounds_frames_in_flight():
    conversation = opened(frames=2)
    send(conversation)
    assert conversation.may_send(0.0)
    send(conversation)
    assert not conversation.may_send(0.0)
    conversation.acked(accepted_seq=1, committed_seq=0, now_s=0.0)
    assert conversation.may_send(0.0)


def test_the_window_bounds_bytes_in_flight_but_never_stops_a_lone_frame():
    conversation = opened(size=150)
    assert conversation.fits(1_000_000)
    send(conversation, body_bytes=100)
    assert conversation.fits(50)
    assert not conversation.fits(51)


def test_a_frame_out_of_order_is_a_fault_of_ours():
    conversation = opened()
    with pytest.raises(ValueError, match="out of order"):
        conversation.sent(2, 1, 0.0)


def test_a_rewind_sends_again_from_where_the_server_asks():
    conversation = opened()
    for _ in range(3):
        send(conversation)
    conversation.acked(accepted_seq=1, committed_seq=1, expect_seq=2, now_s=10.0)
    assert conversation.next_seq == 2
    assert conversation.in_flight == 0
    assert not conversation.may_send(10.0)
    assert conversation.may_send(10.0 + LONGEST_REWIND_PAUSE_S)


def test_answers_to_what_was_in_flight_at_a_rewind_do_not_rewind_again():
    conversation = opened(frames=8)
    for _ in range(6):
        send(conversation)
    for _ in range(4):
        conversation.acked(accepted_seq=1, committed_seq=0, expect_seq=2, now_s=0.0)
    hold_s = conversation.hold_s(0.0)
    assert hold_s < 0.1


def test_rewinds_without_progress_wait_longer_and_longer():
    conversation = opened(frames=8)
    now_s, holds = 0.0, []
    for _ in range(10):
        send(conversation, now_s)
        send(conversation, now_s)
        conversation.acked(accepted_seq=0, committed_seq=0, expect_seq=1, now_s=now_s)
        holds.append(conversation.hold_s(now_s))
        now_s += holds[-1]
    assert holds[:4] == pytest.approx([0.05, 0.1, 0.2, 0.4])
    assert holds[-1] == pytest.approx(LONGEST_REWIND_PAUSE_S)


def test_a_full_stream_is_given_time_and_then_the_same_frames():
    conversation = opened()
    send(conversation)
    send(conversation)
    conversation.acked(accepted_seq=1, committed_seq=0, retry_after_s=2.0, now_s=5.0)
    assert conversation.next_seq == 2
    assert not conversation.may_send(6.9)
    assert conversation.may_send(7.0)


def test_committed_moves_only_up_within_a_stream():
    conversation = opened()
    for _ in range(4):
        send(conversation)
    conversation.acked(accepted_seq=4, committed_seq=3, now_s=0.0)
    conversation.acked(accepted_seq=4, committed_seq=1, now_s=0.0)
    assert conversation.committed_seq == 3


def test_a_welcome_of_a_restored_server_is_taken_even_when_it_is_lower():
    conversation = opened()
    for _ in range(4):
        send(conversation)
    conversation.acked(accepted_seq=4, committed_seq=4, now_s=0.0)
    conversation.start_stream()
    conversation.greet(0.0)
    conversation.welcomed(accepted_seq=2, committed_seq=1, window_frames=4, window_bytes=1000)
    assert (conversation.committed_seq, conversation.next_seq) == (1, 3)


def test_committed_never_passes_what_was_spooled():
    conversation = opened(last_spooled=7)
    conversation.acked(accepted_seq=900, committed_seq=900, now_s=0.0)
    assert conversation.committed_seq == 7


def test_another_sender_of_the_same_spool_moves_us_ahead():
    conversation = opened()
    send(conversation)
    conversation.acked(accepted_seq=40, committed_seq=0, now_s=0.0)
    assert (conversation.next_seq, conversation.in_flight) == (41, 0)


def test_unreadable_frames_are_told_only_when_everything_before_them_is_committed():
    conversation = opened()
    send(conversation)
    send(conversation)
    conversation.gap_found(3, 5)
    assert not conversation.may_send(0.0)
    assert not conversation.wants_greeting(0.0)
    conversation.acked(accepted_seq=2, committed_seq=1, now_s=0.0)
    assert not conversation.wants_greeting(0.0)
    conversation.acked(accepted_seq=2, committed_seq=2, now_s=0.0)
    assert conversation.wants_greeting(0.0)
    assert conversation.greet(0.0).first_available == 6


def test_frames_that_stay_accepted_and_uncommitted_are_asked_about():
    conversation = opened(last_spooled=1)
    send(conversation, now_s=5.0)
    conversation.acked(accepted_seq=1, committed_seq=0, now_s=10.0)
    assert not conversation.wants_greeting(10.0 + CONFIRM_AFTER_S)
    assert conversation.wants_greeting(11.0 + CONFIRM_AFTER_S)
    conversation.greet(11.0 + CONFIRM_AFTER_S)
    conversation.welcomed(accepted_seq=0, committed_seq=0, window_frames=4, window_bytes=1000)
    assert conversation.next_seq == 1


def test_a_reconnect_before_a_gap_was_told_does_not_give_up_the_frames_before_it():
    conversation = opened()
    send(conversation)
    conversation.gap_found(2, 5)
    conversation.start_stream()
    assert conversation.greet(0.0).first_available == 1


def test_a_rewind_behind_the_spool_is_answered_with_a_greeting():
    conversation = opened(accepted=60)
    conversation.spool_holds(50, 100)
    send(conversation)
    conversation.acked(accepted_seq=9, committed_seq=0, expect_seq=10, now_s=0.0)
    assert conversation.wants_greeting(LONGEST_REWIND_PAUSE_S)
    assert conversation.greet(LONGEST_REWIND_PAUSE_S).first_available == 50


@pytest.mark.parametrize("retry", [True, False])
def test_a_refused_producer_is_asked_about_again_later(retry):
    conversation = Conversation()
    conversation.greet(0.0)
    conversation.refused(retry=retry, now_s=0.0)
    assert conversation.phase is Phase.REFUSED
    assert not conversation.wants_greeting(0.9)
    assert conversation.wants_greeting(1.0) == retry
    assert conversation.wants_greeting(REFUSED_FOR_GOOD_RETRY_S)


def test_a_server_that_owes_an_answer_is_noticed():
    conversation = opened()
    assert not conversation.stalled(1e9, after_s=60)
    send(conversation, now_s=100.0)
    assert not conversation.stalled(150.0, after_s=60)
    assert conversation.stalled(161.0, after_s=60)
    conversation.acked(accepted_seq=1, committed_seq=0, now_s=161.0)
    assert not conversation.stalled(1e9, after_s=60)


# ── the law: whatever happens, the server gets every frame, once and in order ──


class ModelServer:
    """Accepts frames as the gateway does; its answers wait in a queue and may be lost."""

    def __init__(self, window_frames: int) -> None:
        self.window_frames = window_frames
        self.last = 0
        self.committed = 0
        self.accepted: list[int] = []
        self.lost: list[int] = []
        self.answers: deque[tuple] = deque()

    def hello(self, first_available: int) -> None:
        if first_available > self.last + 1:
            self.lost.extend(range(self.last + 1, first_available))
            self.last = first_available - 1
        self.answers.append(("welcome", self.last, self.committed))

    def frame(self, seq: int, *, full: bool) -> None:
        if full:
            self.answers.append(("ack", self.last, self.committed, 0, 0.2))
        elif seq == self.last + 1:
            self.last = seq
            self.accepted.append(seq)
            self.answers.append(("ack", self.last, self.committed, 0, 0.0))
        elif seq <= self.last:
            self.answers.append(("ack", self.last, self.committed, 0, 0.0))
        else:
            self.answers.append(("ack", self.last, self.committed, self.last + 1, 0.0))

    def commit(self) -> None:
        """ClickHouse has what Redis has, and the client is told."""
        if self.last > self.committed:
            self.committed = self.last
            self.answers.append(("ack", self.last, self.committed, 0, 0.0))

    def forget_tail(self, frames: int) -> None:
        """Redis lost what was not committed; it will ask for it again."""
        self.last = max(self.committed, self.last - frames)
        self.accepted = [seq for seq in self.accepted if seq <= self.last]


class World:
    """A spool of `size` frames, some unreadable, and a connection that may break."""

    def __init__(self, size: int, unreadable: set[int], window_frames: int) -> None:
        self.size = size
        self.unreadable = unreadable
        self.server = ModelServer(window_frames)
        self.client = Conversation()
        self.client.spool_holds(1, 0)
        self.now_s = 0.0
        self.spooled = 0

    def client_step(self, *, full: bool = False) -> None:
        client = self.client
        if client.wants_greeting(self.now_s):
            client.spool_holds(1, self.spooled)
            self.server.hello(client.greet(self.now_s).first_available)
        elif client.may_send(self.now_s) and client.fits(10) and client.next_seq <= self.spooled:
            seq = client.next_seq
            if seq in self.unreadable:
                last = seq
                while last + 1 in self.unreadable:
                    last += 1
                client.gap_found(seq, last)
                return
            client.sent(seq, 10, self.now_s)
            assert client.in_flight <= self.server.window_frames
            self.server.frame(seq, full=full)

    def answer_step(self) -> None:
        if not self.server.answers:
            return
        kind, last, committed, *rest = self.server.answers.popleft()
        if kind == "welcome":
            self.client.welcomed(
                accepted_seq=last,
                committed_seq=committed,
                window_frames=self.server.window_frames,
                window_bytes=1000,
            )
        else:
            expect_seq, retry_after_s = rest
            self.client.acked(
                accepted_seq=last,
                committed_seq=committed,
                expect_seq=expect_seq,
                retry_after_s=retry_after_s,
                now_s=self.now_s,
            )

    def act(self, action: str) -> None:
        if action == "spool":
            self.spooled = min(self.size, self.spooled + 3)
        elif action == "send":
            self.client_step()
        elif action == "full":
            self.client_step(full=True)
        elif action == "answer":
            self.answer_step()
        elif action == "wait":
            self.now_s += 1.0
        elif action == "commit":
            self.server.commit()
        elif action == "break":
            self.server.answers.clear()
            self.client.start_stream()
        elif action == "forget":
            self.server.forget_tail(3)
        assert self.client.committed_seq <= max(self.spooled, 0)
        assert self.client.committed_seq <= self.server.committed


ACTIONS = st.sampled_from(
    [
        "spool",
        "spool",
        "send",
        "send",
        "send",
        "full",
        "answer",
        "answer",
        "wait",
        "commit",
        "break",
        "forget",
    ]
)


@given(
    actions=st.lists(ACTIONS, max_size=150),
    unreadable=st.sets(st.integers(1, 19), max_size=4),
    window_frames=st.integers(1, 5),
)
@settings(max_examples=300, deadline=None)
def test_every_readable_frame_is_accepted_in_order_whatever_happens(
    actions, unreadable, window_frames
):
    world = World(20, unreadable, window_frames)
    for action in actions:
        world.act(action)
    world.spooled = world.size
    for _ in range(600):  # from now on nothing goes wrong
        world.client_step()
        world.answer_step()
        world.now_s += 1.0
        world.server.commit()
        if world.server.last == world.size and not world.server.answers:
            break
    assert world.server.last == world.size
    assert world.server.accepted == [seq for seq in range(1, 21) if seq not in unreadable]
    assert set(world.server.lost) == unreadable
