"""Instants, spans and values read well."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.dashboard.synthetic import many_runs
from weir_dashboard import theme, words
from weir_store.records import Json, RunState


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (93_784, "1 d 2 h"),
        (-5, "0 s"),
    ],
)
def test_a_span_has_at_most_two_units(seconds, text):
    assert words.span(seconds) == text


def test_never_is_not_1970():
    assert words.ago(0, 1e9) == "never"
    assert words.instant(0) == ""
    assert words.ago(int(990e6), 1000) == "10 s ago"


def test_a_running_run_that_says_nothing_is_called_silent():
    run = replace(many_runs("p", 1)[0], state=RunState.RUNNING, last_seen_unix_us=int(1e6))
    assert words.state(run, 1 + 240) == "◌ silent 4 min"
    assert words.state(run, 1 + 30) == "● running"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.123456, "0.1235"), (1e-5, "1e-5"), (float("nan"), "NaN"), (float("-inf"), "−∞"), (True, "true"),
     (None, ""), (7, "7"), ("x", "x"), (Json("[1]"), "[1]"), (123456.0, "123456")],
)  # fmt: skip
def test_values_are_short(value, text):
    assert words.value(value) == text


def test_a_heading_escapes_what_users_wrote():
    assert "<script>" not in theme.head("<script>", {"<b>": "<i>"})


def test_one_is_not_many() -> None:
    assert [words.count(number, "run") for number in (0, 1, 2_000)] == [
        "0 runs",
        "1 run",
        "2,000 runs",
    ]
