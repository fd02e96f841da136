"""Answers are shared for a moment, and kept when the store falls silent."""

from __future__ import annotations

import pytest

from weir_dashboard.last_good import LastGood
from weir_store.errors import InvalidQuery, StoreUnavailable


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def silent() -> str:
    raise StoreUnavailable("connection refused")


def test_a_fresh_answer_is_not_asked_for_again():
    clock, asked = Clock(), []
    kept = LastGood(clock=clock)
    for _ in range(3):
        kept.ask("q", 2, lambda: asked.append(1) or "a")
    assert len(asked) == 1
    clock.now += 2
    kept.ask("q", 2, lambda: asked.append(1) or "b")
    assert len(asked) == 2


def test_a_silent_store_leaves_the_last_good_answer_marked_stale():
    clock = Clock()
    kept = LastGood(clock=clock)
    kept.ask("q", 2, lambda: "good")
    clock.now += 60
    answer = kept.ask("q", 2, silent)
    assert (answer.value, answer.read_unix_s) == ("good", 1000.0)
    assert isinstance(answer.stale, StoreUnavailable)
    assert kept.ask("q", 2, lambda: "back").stale is None


def test_a_store_that_never_answered_is_an_error():
    with pytest.raises(StoreUnavailable):
        LastGood().ask("q", 2, silent)


def test_a_wrong_question_is_never_hidden_by_an_old_answer():
    kept = LastGood()
    kept.ask("q", 0, lambda: "good")

    def wrong() -> str:
        raise InvalidQuery("no such column")

    with pytest.raises(InvalidQuery):
        kept.ask("q", 0, wrong)


def test_old_answers_make_room():
    kept, asked = LastGood(max_entries=2), []
    for key in "abca":
        kept.ask(key, 1e9, lambda: asked.append(1))
    assert len(asked) == 4
