"""`weir.Api()` and the commands on it, against a real gateway."""

import json
import sys
from datetime import UTC, datetime

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import weir
from tests.integration.fixtures_asking import STEPS, Asked, asked, typed_as
from weir.errors import Forbidden, Rejected, Unauthenticated, Unavailable, UsageError

__all__ = ["asked"]


@pytest.fixture
def api(asked: Asked):
    with weir.Api(asked.address, asked.tokens["reader"]) as one:
        yield one


def test_projects_are_what_the_token_may_see(api) -> None:
    assert [(project.name, project.runs) for project in api.projects()] == [("vision", 2)]


def test_runs_are_a_list_that_fetches_as_it_is_looked_at(api, monkeypatch) -> None:
    runs = api.runs("vision", order_by="created")
    monkeypatch.setattr(type(runs), "PAGE", 1)
    assert len(runs) == runs.total == 2
    assert [run.id for run in runs] == ["adam1", "sgd2"]
    assert runs[-1].id == "sgd2"
    assert [run.id for run in runs[:1]] == ["adam1"]
    with pytest.raises(IndexError):
        runs[2]
    assert [run.id for run in api.runs("vision", limit=1)] == ["sgd2"]
    assert not api.runs("vision", limit=0)


def test_a_filter_goes_to_the_server_and_its_complaint_comes_back(api) -> None:
    assert [run.id for run in api.runs("vision", where="config.lr > 0.01")] == ["sgd2"]
    with pytest.raises(Rejected, match="unknown field 'lr' at character 1") as refused:
        list(api.runs("vision", where="lr > 0.01"))
    assert refused.value.code == "INVALID_ARGUMENT"


def test_a_run_tells_everything_known_of_it(api) -> None:
    run = api.run("vision/adam1")
    assert (run.project, run.id, run.name, run.state) == ("vision", "adam1", "run-0", "finished")
    assert run.config == {
        "amp": True, "betas": [0.9, 0.99], "lr": 0.003, "seed": 7, "warmup": None
    }  # fmt: skip
    assert run.summary["train/loss"] == 1 / STEPS
    assert run.tags == ("baseline",)
    assert run.created == datetime.fromtimestamp(1_700_000_000, UTC)
    assert run.finished == datetime.fromtimestamp(1_700_000_600, UTC)
    assert [session.node for session in run.sessions()] == ["n1"]
    assert [metric.name for metric in run.metrics("loss")] == ["train/loss"]
    assert "vision/adam1" in repr(run)


def test_history_without_a_limit_is_every_point(api) -> None:
    frame = api.run("vision/adam1").history()
    assert isinstance(frame, pd.DataFrame)
    assert len(frame) == 2 * STEPS + 2
    assert set(frame["metric"]) == {"train/loss", "val/acc"}


def test_history_comes_as_what_was_asked_for(api) -> None:
    run = api.run("vision/adam1")
    arrow = run.history("train/loss", max_points=50, ranks=[0], as_="arrow")
    assert isinstance(arrow, pa.Table)
    polars = run.history("train/loss", max_points=50, ranks=[0], as_="polars")
    assert isinstance(polars, pl.DataFrame)
    assert arrow.num_rows == len(polars) <= 50
    means = run.history("train/loss", max_points=50, reduce="ranks", x_min=0, x_max=100)
    assert list(means.columns)[-4:] == ["mean", "max", "ranks", "nonfinite"]
    against = run.history("train/loss", x="metric:val/acc", as_="arrow")
    assert against["x"].to_pylist() == [0.5]


def test_several_runs_are_read_at_once(api) -> None:
    frame = api.read_series(["vision/adam1", "vision/sgd2"], "val/acc")
    assert set(frame["run_id"]) == {"adam1", "sgd2"}
    latest = api.latest(api.runs("vision"), ["val/acc"], as_="arrow")
    assert latest.num_rows == 2
    compared = api.compare(["vision/adam1", "vision/sgd2"], only_different=True)
    assert "lr" in set(compared["path"])


def test_a_run_is_renamed_tagged_and_asked_to_stop(asked: Asked) -> None:
    with weir.Api(asked.address, asked.tokens["writer"]) as api:
        run = api.run("vision/adam1").update(name="best", add_tags=["keep"])
        assert (run.name, run.tags) == ("best", ("baseline", "keep"))
        assert run.reload().name == "best"
        run.stop("diverged")
    stops = asked.gateway.run(asked.appender.read_stops([("vision", "adam1")]))
    assert stops["vision", "adam1"].reason == "diverged"


def test_errors_say_what_to_do(api, asked: Asked) -> None:
    with pytest.raises(Forbidden, match="writer"):
        api.run("vision/adam1").update(name="mine")
    with pytest.raises(Rejected) as refused:
        api.run("vision/nothing")
    assert refused.value.code == "NOT_FOUND"
    with weir.Api(asked.address, "wrong") as stranger, pytest.raises(Unauthenticated):
        stranger.projects()
    with weir.Api("127.0.0.1:1", timeout_s=1) as nobody, pytest.raises(Unavailable):
        nobody.projects()


@pytest.mark.parametrize(
    "ask",
    [
        lambda api: api.run("adam1"),
        lambda api: api.read_series("vision/adam1", "x", x="epoch"),
        lambda api: api.read_series("vision/adam1", "x", as_="csv"),
        lambda api: api.read_series("vision/adam1", "x", max_points=0),
        lambda api: api.read_series("vision/adam1", "x", reduce="mean"),
        lambda api: api.runs(limit=-1),
    ],
)
def test_a_wrong_call_is_told_before_anything_is_sent(api, ask) -> None:
    with pytest.raises(UsageError):
        ask(api)


def test_without_pyarrow_the_error_names_the_command_to_run(api, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.ipc", None)
    with pytest.raises(UsageError, match=r'pip install "weir\[api\]"'):
        api.latest("vision/adam1")


# ── commands ────────────────────────────────────────────────────────────────


@pytest.fixture
def type_in(asked: Asked, monkeypatch):
    return typed_as("reader", asked, monkeypatch)


def test_commands_print_tables_for_people(type_in) -> None:
    assert "vision" in type_in("projects")
    shown = type_in("runs", "vision", "--where", "config.lr < 1", "--column", "config.lr")
    assert "vision/adam1" in shown
    assert "0.003" in shown
    assert "1 of 2 runs" in type_in("runs", "vision", "--limit", "1")
    shown = type_in("show", "vision/adam1")
    assert "[0.9, 0.99]" in shown
    assert "trainer" in shown  # which of the processes is the agent is said
    assert "0 … 4999" in type_in("metrics", "vision/adam1", "--search", "loss")


def test_commands_print_json_for_programs(type_in) -> None:
    assert json.loads(type_in("projects", "--json"))[0]["name"] == "vision"
    runs = json.loads(type_in("runs", "--json"))
    assert {run["id"] for run in runs} == {"adam1", "sgd2"}
    run = json.loads(type_in("show", "vision/adam1", "--json"))
    assert run["config"]["lr"] == 0.003
    assert run["sessions"][0]["node"] == "n1"
    metrics = json.loads(type_in("metrics", "vision/adam1", "--json"))
    assert [metric["name"] for metric in metrics] == ["sample", "train/loss", "val/acc"]
