"""`run.alert()`: an event like others, silent for as long as it is told to be, clear when used wrongly."""

from __future__ import annotations

import logging
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import weir
from weir._alert import Alerts
from weir.errors import RunFinished, UsageError
from weir.testing import capture


def alerts(captured: Any) -> list[dict[str, Any]]:
    return [event for event in captured.events() if event["kind"] == "alert"]


@pytest.mark.parametrize(
    ("level", "severity"),
    [
        ("INFO", "info"),
        ("warn", "warn"),
        (weir.AlertLevel.ERROR, "error"),
        (None, "info"),
    ],
)
def test_an_alert_is_an_event_with_its_level_as_severity(level: Any, severity: str) -> None:
    with capture() as captured:
        run = weir.init(project="p")
        run.alert("loss größer", "since step 3\nof 10", level)
        (told,) = alerts(captured)
    assert (told["title"], told["body"]) == ("loss größer", "since step 3\nof 10")
    assert told["severity"] == severity


def test_it_is_silent_for_as_long_as_it_was_told_by_title() -> None:
    with capture() as captured:
        run = weir.init(project="p")
        for _ in range(3):
            run.alert("again", wait_duration=timedelta(hours=1))
            run.alert("other")
        titles = [told["title"] for told in alerts(captured)]
    assert titles == ["again", "other", "other", "other"]


def test_when_the_wait_is_over_it_speaks_again() -> None:
    now_s = [0.0]
    made = Alerts(lambda: now_s[0])

    def told() -> bool:
        return made.make("a", "", "info", 10.0, 1) is not None

    assert told()
    now_s[0] = 9.9
    assert not told()
    now_s[0] = 10.0
    assert told()
    assert not told()


def test_ten_thousand_titles_take_bounded_memory() -> None:
    made = Alerts(lambda: 0.0)
    for number in range(10_000):
        assert made.make(f"title {number}", "", "info", 60.0, 1)
    assert len(made._silent_until_s) <= 1_000
    assert made.make("title 9999", "", "info", 60.0, 1) is None


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ({"title": ""}, "empty"),
        ({"title": "  \n"}, "empty"),
        ({"title": None}, "takes texts"),
        ({"title": 3}, "takes texts"),
        ({"title": "x", "text": ValueError("x")}, "takes texts, not str and ValueError"),
        ({"title": "x", "level": "LOUD"}, "INFO, WARN, ERROR"),
        ({"title": "x", "level": 3}, "no such level 3"),
        ({"title": "x", "wait_duration": -1}, "0 or more"),
        ({"title": "x", "wait_duration": float("nan")}, "0 or more"),
        ({"title": "x", "wait_duration": "60"}, "seconds or a timedelta"),
    ],
)
def test_a_wrong_call_says_what_to_change_and_records_nothing(
    call: dict[str, Any], told: str
) -> None:
    with capture() as captured:
        run = weir.init(project="p")
        with pytest.raises(UsageError, match=told):
            run.alert(**call)
        assert alerts(captured) == []


def test_texts_too_long_or_not_utf_8_are_cut_and_mended_not_refused() -> None:
    with capture() as captured:
        run = weir.init(project="p")
        run.alert("t" * 10_000 + "\nsecond line", "ü" * 100_000)
        run.alert("bad \ud800 surrogate", "\ud800")
        first, second = alerts(captured)
    assert len(first["title"]) <= 1_000
    assert len(first["body"].encode()) <= 65_536
    assert "surrogate" in second["title"]


def test_it_never_raises_because_of_the_disk(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    run = weir.init(project="p", mode="offline", dir=str(tmp_path / "spool"))
    shutil.rmtree(run.dir, ignore_errors=True)
    for number in range(5_000):
        run.alert(f"alert {number}")
    run.finish(timeout=0)


def test_disabled_it_does_nothing_and_finished_it_says_so() -> None:
    run = weir.init(project="p", mode="disabled")
    run.alert("x")
    run.finish()
    with capture():
        run = weir.init(project="p")
        run.finish()
        with pytest.raises(RunFinished):
            run.alert("x")
    with pytest.raises(UsageError, match=r"weir\.init"):
        weir.alert("x")


def test_the_module_speaks_to_the_run_opened_last() -> None:
    with capture() as captured:
        weir.init(project="p")
        weir.alert("hello", level="ERROR")
        assert alerts(captured)[0]["severity"] == "error"
