"""What an evaluation changes: the states of groups, by the clock that is handed in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from weir_store.rules.definition import definition_of
from weir_store.rules.judge import KEPT_S, Judgement, judge
from weir_store.rules.records import Definition, Findings, Found, Group, GroupState, State

A, B = Group("a"), Group("b", 3)


def rule(**said: object) -> Definition:
    return definition_of({"name": "r", "sql": "SELECT 1", "cool_down": 0, **said})


class Life:
    """A rule evaluated again and again."""

    def __init__(self, **said: object) -> None:
        self.definition = rule(**said)
        self.states: dict[Group, GroupState] = {}
        self.told: list[tuple[float, Group]] = []
        self._ids = 0

    def at(self, second: float, *groups: Group, is_cut: bool = False) -> Judgement:
        findings = Findings(tuple(Found(group, second) for group in groups), is_cut)
        now_us = 1_000_000_000 + round(second * 1e6)
        found = judge(self.definition, self.states, findings, now_us, self._id)
        for each in found.changed:
            self.states[each.group] = each
        for each in found.fired:  # as the process does once the alert is stored
            self.states[each.group] = replace(each, told=True, told_unix_us=now_us)
            self.told.append((second, each.group))
        for group in found.forgotten:
            del self.states[group]
        return found

    def state(self, group: Group) -> State | None:
        return self.states[group].state if group in self.states else None

    def _id(self) -> UUID:
        self._ids += 1
        return UUID(int=self._ids)


def test_without_for_a_group_fires_at_once_and_only_once() -> None:
    life = Life()
    for second in range(5):
        life.at(second, A)
    assert life.told == [(0, A)]
    assert life.state(A) is State.FIRING
    assert life.states[A].value == 0  # of when it began


def test_a_group_must_be_found_for_so_long_without_a_break() -> None:
    life = Life(**{"for": 10})
    life.at(0, A)
    assert life.state(A) is State.PENDING
    life.at(5)
    assert life.state(A) is None
    life.at(6, A)
    life.at(15, A)
    assert life.told == []
    life.at(16, A)
    assert life.told == [(16, A)]


def test_groups_live_lives_of_their_own() -> None:
    life = Life()
    life.at(0, A)
    life.at(1, A, B)
    found = life.at(2, B)
    assert [each.group for each in found.resolved] == [A]
    assert (life.state(A), life.state(B)) == (State.RESOLVED, State.FIRING)
    assert life.told == [(0, A), (1, B)]


def test_a_group_that_comes_back_within_its_cool_down_is_told_of_when_that_has_passed() -> None:
    life = Life(cool_down=100)
    life.at(0, A)
    life.at(10)
    life.at(20, A)
    assert life.state(A) is State.FIRING
    life.at(99, A)
    assert life.told == [(0, A)]
    life.at(100, A)
    life.at(300, A)
    assert life.told == [(0, A), (100, A)]


def test_what_was_silent_resolves_silently() -> None:
    life = Life(cool_down=100)
    life.at(0, A)
    assert life.at(10).resolved
    life.at(20, A)
    assert not life.at(30).resolved


def test_groups_that_a_cut_answer_does_not_name_stay_as_they_are() -> None:
    life = Life(**{"for": 10})
    life.at(0, A, B)
    life.at(10, A)
    assert (life.state(A), life.state(B)) == (State.FIRING, None)
    life.at(11, B, is_cut=True)
    assert life.state(A) is State.FIRING


def test_what_was_resolved_long_ago_is_forgotten() -> None:
    life = Life()
    life.at(0, A)
    life.at(1)
    assert life.at(KEPT_S).forgotten == ()
    assert life.at(KEPT_S + 1).forgotten == (A,)


def test_nothing_changes_while_nothing_changes() -> None:
    life = Life(**{"for": 5})
    for second in (0, 5):
        life.at(second, A)
    found = life.at(6, A)
    assert found == Judgement((), (), ())


@given(
    st.lists(st.tuples(st.sets(st.sampled_from([A, B])), st.booleans()), max_size=40),
    st.sampled_from([0, 2, 7]),
    st.sampled_from([0, 3, 20]),
)
def test_never_two_alerts_of_a_group_within_its_cool_down(
    history: Iterable[tuple[set[Group], bool]], for_s: int, cool_down_s: int
) -> None:
    life = Life(**{"for": for_s, "cool_down": cool_down_s})
    for second, (groups, is_cut) in enumerate(history):
        life.at(second, *groups, is_cut=is_cut)
    for group in (A, B):
        moments = [second for second, told in life.told if told == group]
        assert all(b - a >= cool_down_s for a, b in pairwise(moments))


@given(st.lists(st.booleans(), max_size=40), st.sampled_from([0, 1, 4]))
def test_without_cool_down_every_stretch_that_lasts_is_told_of_once(
    found: list[bool], for_s: int
) -> None:
    life = Life(**{"for": for_s})
    stretches, length = 0, 0
    for second, is_found in enumerate(found):
        life.at(second, *([A] if is_found else []))
        length = length + 1 if is_found else 0
        stretches += length == for_s + 1
    assert len(life.told) == stretches
