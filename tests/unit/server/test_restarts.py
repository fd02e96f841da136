"""How long a dead part waits."""

from __future__ import annotations

from weir_server.up.restarts import FIRST_S, LONGEST_S, SETTLED_S, Restarts


def test_the_first_restart_comes_at_once_and_each_next_one_twice_as_late() -> None:
    restarts = Restarts()
    waits = [restarts.ended(lived_s=1.0) for _ in range(4)]
    assert waits == [FIRST_S, 2 * FIRST_S, 4 * FIRST_S, 8 * FIRST_S]


def test_no_wait_is_longer_than_the_longest_and_there_is_always_another_restart() -> None:
    restarts = Restarts()
    assert {restarts.ended(lived_s=0.0) for _ in range(1000)} >= {LONGEST_S}
    assert restarts.ended(lived_s=0.0) == LONGEST_S


def test_a_part_that_has_lived_for_ten_seconds_starts_anew() -> None:
    restarts = Restarts()
    for _ in range(5):
        restarts.ended(lived_s=1.0)
    assert restarts.ended(lived_s=SETTLED_S) == FIRST_S


def test_restarts_are_counted() -> None:
    restarts = Restarts()
    for _ in range(3):
        restarts.ended(lived_s=100.0)
    assert restarts.count == 3
