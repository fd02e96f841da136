"""Events and texts through `weir.Api()` and the commands on it, against a real gateway."""

import json

import pandas as pd
import pytest

import weir
from tests.integration.fixtures_asking import Asked, asked, typed_as
from weir.errors import Rejected, UsageError

__all__ = ["asked"]


@pytest.fixture
def api(asked: Asked):
    with weir.Api(asked.address, asked.tokens["reader"]) as one:
        yield one


@pytest.fixture
def type_in(asked: Asked, monkeypatch):
    return typed_as("writer", asked, monkeypatch)


def test_texts_are_read_as_a_table(api) -> None:
    frame = api.run("vision/adam1").text("sample")
    assert isinstance(frame, pd.DataFrame)
    assert list(frame["value"]) == ["hello"]
    assert list(frame["step"]) == [1]
    assert set(frame.columns) >= {"rank", "step", "time_unix_us", "value"}
    assert api.run("vision/adam1").text("nothing", as_="arrow").num_rows == 0


def test_asking_texts_for_numbers_says_where_they_are(api) -> None:
    run = api.run("vision/adam1")
    for metrics in ("sample", ["train/loss", "sample"], ["sample", "nothing"]):
        with pytest.raises(UsageError, match=r"sample holds texts — run\.text\('sample'\)"):
            run.history(metrics)
    with pytest.raises(UsageError, match=r"holds numbers — run\.history\('train/loss'\)"):
        run.text("train/loss")
    assert run.history("nothing", as_="arrow").num_rows == 0
    assert "sample" not in set(run.history()["metric"])


def test_the_events_of_a_run_are_listed_newest_first(api, asked: Asked) -> None:
    with weir.Api(asked.address, asked.tokens["writer"]) as writer:
        writer.run("vision/adam1").stop("diverged")
    (event,) = api.run("vision/adam1").events()
    assert "diverged" in event.title + event.body + str(event.attrs)
    assert event.time is not None
    assert api.run("vision/adam1").events(event.kind) == [event]
    assert api.run("vision/adam1").events(["other"]) == []
    assert api.run("vision/adam1").events(min_severity="critical") == []


@pytest.mark.parametrize(
    "ask",
    [
        lambda run: run.events(min_severity="loud"),
        lambda run: run.events(limit=0),
        lambda run: run.events(limit=10_001),
        lambda run: run.text("sample", limit=0),
        lambda run: run.text("sample", as_="csv"),
    ],
)
def test_a_wrong_question_is_told_before_anything_is_sent(api, ask) -> None:
    with pytest.raises(UsageError):
        ask(api.run("vision/adam1"))


def test_a_run_is_stopped_and_its_events_shown_from_a_shell(type_in, asked: Asked) -> None:
    assert "adam1" in type_in("stop", "vision/adam1", "--reason", "diverged")
    stops = asked.gateway.run(asked.appender.read_stops([("vision", "adam1")]))
    assert stops["vision", "adam1"].reason == "diverged"
    assert "diverged" in type_in("show", "vision/adam1")
    told = json.loads(type_in("show", "vision/adam1", "--json"))
    assert len(told["events"]) == 1
    assert (told["parent"], told["rewinds"]) == ("", [])


def test_a_run_whose_client_kept_no_ledger_is_unclaimed(api) -> None:
    told = api.run("vision/adam1").verify()
    assert told.verdict == "unclaimed"
    assert told.adds_up
    with pytest.raises(Rejected) as refused:
        api.verify("vision/nothing")
    assert refused.value.code == "NOT_FOUND"
