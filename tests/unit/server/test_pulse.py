"""When `weir up` gives a silent part up."""

from weir_server.up.pulse import Pulse


def ask_until_given_up(pulse: Pulse, answers: list[bool]) -> float | None:
    """Return when the part was given up; None = never."""
    now_s = 0.0
    for answered in answers:
        while not pulse.due(now_s):
            now_s += 0.1
        if pulse.hangs(answered, now_s):
            return now_s
    return None


def test_a_part_that_answers_nothing_for_its_patience_is_given_up():
    assert 24 <= ask_until_given_up(Pulse(30.0), [True, True] + [False] * 10) <= 36


def test_one_answer_is_enough_to_be_spared():
    assert ask_until_given_up(Pulse(30.0), ([False] * 5 + [True]) * 20) is None


def test_a_pause_of_the_supervisor_is_not_taken_for_the_parts():
    pulse = Pulse(30.0)
    assert not pulse.hangs(True, 0.0)
    assert not pulse.hangs(False, 10_000.0)


def test_a_part_started_again_is_judged_anew():
    pulse = Pulse(30.0)
    assert [pulse.hangs(False, 0.0) for _ in range(6)] == [False] * 5 + [True]
    pulse.begin()
    assert not pulse.hangs(False, 100.0)
