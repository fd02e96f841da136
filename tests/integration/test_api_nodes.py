"""Telemetry, lines and edits through gRPC, `weir.Api()` and the commands, against a real gateway."""

from __future__ import annotations

import json
import math
import threading
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import grpc
import pandas as pd
import polars as pl
import pytest
from click.testing import CliRunner

import weir
from tests.contract.node_blocks import START_US, NodeLog
from tests.integration.fixtures_asking import ADAM, SECRET, SGD, Asked, asked
from weir import _logs_command
from weir._edit_command import edit
from weir._logs_command import age, logs
from weir._terminal_text import safe_text
from weir.errors import Forbidden, Rejected, UsageError
from weir_proto.v1 import query_pb2, query_pb2_grpc, runs_pb2
from weir_store.records import RunRef

__all__ = ["asked"]
S = 1_000_000


def line(number: int, text: str, **more: object) -> dict[str, object]:
    return {"number": number, "line": text, **more}


def put(asked: Asked, *blocks: object) -> None:
    for block in blocks:
        asked.gateway.store.insert(block, "")


@pytest.fixture
def log(asked: Asked) -> NodeLog:
    """The log of an agent of ADAM that has told of 60 s of a GPU and of a few lines."""
    made = NodeLog(ADAM)
    gpu = [
        {"metric": "gpu.utilization", "device": "gpu0", "at_us": n * 5 * S, "value": float(n)}
        for n in range(13)
    ]
    put(
        asked,
        made.system(*gpu, {"metric": "cpu.percent", "at_us": 0, "value": 7.0}),
        made.lines(
            line(1, "\x1b[32mepoch 1\x1b[0m loss=0.5"),
            line(2, "epoch 2", rank=1),
            line(3, "no space left", stream="stderr"),
            line(4, "careful", stream="logging", level=30),
        ),
    )
    put(asked, NodeLog(SECRET).lines(line(1, "epoch of a secret")))
    return made


@pytest.fixture
def api(asked: Asked, log: NodeLog):
    with weir.Api(asked.address, asked.tokens["reader"]) as one:
        yield one


@pytest.fixture
def run(api):
    return api.run("vision/adam1")


# ── telemetry ───────────────────────────────────────────────────────────────


def test_telemetry_comes_back_full_or_thinned(run) -> None:
    every = run.system()
    assert isinstance(every, pd.DataFrame)
    assert list(every.columns) == ["metric", "node", "device", "time_unix_us", "value"]
    assert len(every) == 14
    chosen = run.system("gpu.utilization", nodes="n", devices=["gpu0"], as_="polars")
    assert isinstance(chosen, pl.DataFrame)
    assert chosen["value"].to_list() == [float(n) for n in range(13)]
    thinned = run.system("gpu.utilization", max_points=3, as_="arrow")
    assert thinned.num_rows <= 3
    assert (thinned["first"][0].as_py(), thinned["last"][-1].as_py()) == (0.0, 12.0)
    begun = datetime.fromtimestamp(START_US / S, UTC)
    between = {"since": begun + timedelta(seconds=5), "until": begun + timedelta(seconds=15)}
    assert list(run.system("gpu.utilization", **between)["value"]) == [1.0, 2.0]


def test_what_was_measured_is_listed(run) -> None:
    listed = run.list_system()
    assert list(listed["metric"]) == ["cpu.percent", "gpu.utilization"]
    assert list(listed["samples"]) == [1, 13]
    assert list(listed["last"]) == [7.0, 12.0]


def test_usage_says_hours_energy_and_idle_share(run) -> None:
    (row,) = run.usage().to_dict("records")
    assert (row["node"], row["device"]) == ("n", "gpu0")
    assert row["hours"] == pytest.approx(60 / 3_600)
    assert row["idle_share"] == pytest.approx(4 / 12)
    assert math.isnan(row["energy_wh"])


# ── lines ───────────────────────────────────────────────────────────────────


def test_lines_come_by_time_with_everything_known_of_them(run) -> None:
    every = run.logs()
    assert isinstance(every, pd.DataFrame)
    assert list(every["number"]) == [1, 2, 3, 4]
    assert every["line"][0] == "\x1b[32mepoch 1\x1b[0m loss=0.5"
    assert "cursor" not in every
    assert list(run.logs(tail=2)["line"]) == ["no space left", "careful"]
    assert list(run.logs("epoch loss=0.5")["rank"]) == [0]
    assert list(run.logs(ranks=1)["line"]) == ["epoch 2"]
    assert list(run.logs(streams="stderr")["line"]) == ["no space left"]
    assert list(run.logs(level="warning")["line"]) == ["careful"]
    assert list(run.logs(level="error")["line"]) == []
    begun = datetime.fromtimestamp(START_US / S, UTC)
    assert list(run.logs(since=begun + timedelta(milliseconds=4))["line"]) == ["careful"]


def test_every_line_is_read_however_many_pages_they_take(api, run, monkeypatch) -> None:
    from weir import _api_nodes

    monkeypatch.setattr(_api_nodes, "MOST_LINES", 3)
    assert list(run.logs()["number"]) == [1, 2, 3, 4]


def test_runs_are_searched_together_or_a_project_as_a_whole(api, asked: Asked) -> None:
    put(asked, NodeLog(SGD).lines(line(9, "epoch 1 of sgd")))
    whole = api.search_logs("vision", "epoch 1")
    assert list(zip(whole["run_id"], whole["number"], strict=True)) == [("adam1", 1), ("sgd2", 9)]
    some = api.search_logs(["vision/adam1"], "epoch", limit=1, as_="arrow")
    assert some["line"].to_pylist() == ["epoch 2"]
    with pytest.raises(Forbidden):
        api.search_logs(["private/x"], "epoch")


@pytest.mark.parametrize(
    "ask",
    [
        lambda run: run.logs(tail=0),
        lambda run: run.logs(level="loud"),
        lambda run: run.logs(level=300),
        lambda run: run.system(max_points=0),
        lambda run: run.media("sample", limit=0),
        lambda run: run.system(as_="csv"),
        lambda run: age("10"),
    ],
)
def test_wrong_calls_are_told_before_anything_is_sent(run, ask) -> None:
    with pytest.raises(UsageError):
        ask(run)


def test_wrong_questions_come_back_as_rejected(run) -> None:
    with pytest.raises(Rejected, match="words to look for"):
        run.logs(" ".join(f"w{n}" for n in range(65)))
    with pytest.raises(Rejected, match="stdin"):
        run.logs(streams="stdin")


def test_media_of_a_name_are_read(asked: Asked, run) -> None:
    assert run.media("sample", as_="arrow").num_rows == 0  # texts are none
    assert run.media("sample", as_="arrow").column_names[-1] == "value"


@pytest.mark.parametrize(
    "method", ["ReadMedia", "ReadSystem", "ListSystem", "ReadUsage", "ReadLines"]
)
def test_nobody_reads_nodes_of_a_project_that_is_not_theirs(
    asked: Asked, log: NodeLog, method: str
) -> None:
    ref = runs_pb2.RunRef(project=SECRET.project, run_id=SECRET.run_id)
    request = {
        "ReadMedia": query_pb2.ReadTextRequest(run=ref, metric="x"),
        "ReadSystem": query_pb2.ReadSystemRequest(run=ref),
        "ReadLines": query_pb2.ReadLinesRequest(
            runs=[runs_pb2.RunRef(project="vision", run_id="adam1"), ref]
        ),
    }.get(method, ref)
    with grpc.insecure_channel(asked.address) as channel:
        ask = getattr(query_pb2_grpc.QueryStub(channel), method)
        for token, status in (("reader", "PERMISSION_DENIED"), ("none", "UNAUTHENTICATED")):
            metadata = (("authorization", f"Bearer {asked.tokens.get(token, token)}"),)
            with pytest.raises(grpc.RpcError) as refused:
                list(ask(request, metadata=metadata, timeout=20))
            assert refused.value.code().name == status


# ── weir logs ───────────────────────────────────────────────────────────────


@pytest.fixture
def type_in(asked: Asked, log: NodeLog, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WEIR_TOKEN", asked.tokens["writer"])

    def invoke(command, *words: str, **more: object):
        return CliRunner().invoke(command, [*words, "--server", asked.address], **more)

    return invoke


def test_weir_logs_prints_the_tail_without_colours_where_no_terminal_is(type_in) -> None:
    result = type_in(logs, "vision/adam1", "-n", "4")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "[0] epoch 1 loss=0.5",
        "[1] epoch 2",
        "[0] no space left",
        "[0] WARNING careful",
    ]
    assert type_in(logs, "vision/adam1", "-n", "1").output == "[0] WARNING careful\n"
    assert type_in(logs, "vision/adam1", "-n", "0").output == ""


def test_weir_logs_keeps_colours_on_a_terminal(type_in, monkeypatch) -> None:
    monkeypatch.setattr(_logs_command, "_is_terminal", lambda: True)
    told = type_in(logs, "vision/adam1", "--rank", "0", "--stream", "stdout", color=True).output
    assert told == "\x1b[32mepoch 1\x1b[0m loss=0.5\x1b[0m\n"


def test_weir_logs_filters(type_in) -> None:
    def told(*words: str) -> list[str]:
        return type_in(logs, "vision/adam1", *words).output.splitlines()

    assert told("--rank", "1") == ["epoch 2"]
    assert told("--grep", "EPOCH loss=0.5") == ["[0] epoch 1 loss=0.5"]
    assert told("--stream", "stderr", "--stream", "logging")[0] == "[0] no space left"
    assert told("--level", "info") == ["[0] WARNING careful"]
    assert told("--since", "1s") == []
    assert len(told("--since", "99999d")) == 4


def test_weir_logs_as_json_is_an_object_per_line(type_in) -> None:
    output = type_in(logs, "vision/adam1", "--json").output
    first = json.loads(output.splitlines()[0])
    assert first["line"] == "\x1b[32mepoch 1\x1b[0m loss=0.5"
    assert first["time"].startswith("2026-")
    assert (first["rank"], first["stream"], first["number"]) == (0, "stdout", 1)
    assert "cursor" not in first


def test_weir_logs_knows_runs_of_the_project_that_is_set(type_in, monkeypatch) -> None:
    monkeypatch.setenv("WEIR_PROJECT", "vision")
    assert type_in(logs, "adam1", "-n", "1").output == "[0] WARNING careful\n"


def test_a_follower_prints_new_lines_and_ends_with_the_run_and_its_log(
    asked: Asked, log: NodeLog, type_in, monkeypatch
) -> None:
    monkeypatch.setattr(_logs_command, "_POLL_S", 0.02)
    monkeypatch.setattr(_logs_command, "_LOOK_S", 0.05)
    state = ["running"]
    monkeypatch.setattr("weir._api_run.RunView.state", property(lambda _: state[0]))
    follows, agent_ends = threading.Event(), threading.Event()
    agent = SimpleNamespace(role="agent", state="running")
    monkeypatch.setattr(
        "weir._api_run.RunView.sessions", lambda _: [] if agent_ends.is_set() else [agent]
    )
    whole = _logs_command._Log.follow

    def follow(self):
        follows.set()
        return whole(self)

    monkeypatch.setattr(_logs_command._Log, "follow", follow)

    def go_on() -> None:
        follows.wait(60)
        put(asked, log.lines(line(5, "dated before all", at_us=-9)))
        late = NodeLog(ADAM, rank=3, born_s=log.born_s - 100)
        time.sleep(0.2)
        put(asked, late.lines(line(1, "from a late node", rank=3)))
        state[0] = "finished"
        time.sleep(0.3)
        put(asked, log.lines(line(6, "last words")))  # the agent is still at it
        agent_ends.set()

    speaker = threading.Thread(target=go_on)
    speaker.start()
    result = type_in(logs, "vision/adam1", "-n", "1", "-f")
    speaker.join()
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "[0] WARNING careful",
        "[0] dated before all",
        "[3] from a late node",
        "[0] last words",
    ]


def test_a_follower_of_a_run_that_has_printed_nothing_misses_nothing(
    asked: Asked, log: NodeLog, type_in, monkeypatch
) -> None:
    put(asked, NodeLog(RunRef("vision", "sgd2")).committed())
    asks = iter([None, [line(n, f"line {n}") for n in range(30)]])
    whole = _logs_command._Log._ask

    def ask(self, limit, *, newest):
        if spoken := next(asks, None):
            put(asked, NodeLog(SGD).lines(*spoken))
        return whole(self, limit, newest=newest)

    monkeypatch.setattr(_logs_command._Log, "_ask", ask)
    monkeypatch.setattr(_logs_command, "_PAGE", 7)
    monkeypatch.setattr(_logs_command, "_LAST_WORDS_S", 0.0)
    monkeypatch.setattr(_logs_command, "_LOOK_S", 0.05)
    output = type_in(logs, "vision/sgd2", "-n", "5", "-f").output
    assert output.split("\n")[:-1] == [f"[0] line {n}" for n in range(30)]


def test_a_server_that_goes_away_is_waited_for(asked: Asked, type_in, monkeypatch) -> None:
    from weir.errors import Unavailable

    monkeypatch.setattr(_logs_command, "_AWAY_S", 0.01)
    monkeypatch.setattr(_logs_command, "_LAST_WORDS_S", 0.0)
    whole, asks = _logs_command._Log._ask, []

    def ask(self, limit, *, newest):
        asks.append(newest)
        if 1 < len(asks) < 5:
            raise Unavailable("gone")
        return whole(self, limit, newest=newest)

    monkeypatch.setattr(_logs_command._Log, "_ask", ask)
    monkeypatch.setattr(_logs_command, "_LOOK_S", 0.01)
    result = type_in(logs, "vision/adam1", "-n", "1", "-f")
    assert result.exit_code == 0
    assert result.output.count("gone") == 1


def test_ctrl_c_ends_a_follower_without_a_trace(type_in, monkeypatch) -> None:
    def interrupted(self):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(_logs_command._Log, "follow", interrupted)
    result = type_in(logs, "vision/adam1", "-n", "1", "-f")
    assert (result.exit_code, result.output) == (130, "[0] WARNING careful\n")


@pytest.mark.parametrize(
    ("text", "coloured", "plain"),
    [
        ("plain \t größe", "plain \t größe", "plain \t größe"),
        ("\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m\x1b[0m", "red"),
        ("\x1b[31mnever ended", "\x1b[31mnever ended\x1b[0m", "never ended"),
        ("up\x1b[2Aand\x1b[2Kaway\r", "upandaway", "upandaway"),
        ("\x1b]52;c;ZXZpbA==\x07clip\x1b]0;title\x1b\\board", "clipboard", "clipboard"),
        ("\x1bc\x07\x00bell\x9b31m\x1b", "bell31m", "bell31m"),
    ],
)
def test_only_colours_of_a_recorded_line_reach_the_terminal(
    text: str, coloured: str, plain: str
) -> None:
    assert safe_text(text, colours=True) == coloured
    assert safe_text(text, colours=False) == plain


# ── weir edit, weir show ────────────────────────────────────────────────────


def test_an_edit_by_command_and_by_api_is_audited(asked: Asked, type_in) -> None:
    words = ("--name", "best", "--group", "g", "--job-type", "eval", "--add-tag", "keep")
    assert type_in(edit, "vision/adam1", *words).output == (
        "vision/adam1: name, group, job_type, tags changed\n"
    )
    noted = type_in(edit, "vision/adam1", "--notes", "-", "--json", input="# why\n")
    assert json.loads(noted.output)["notes"] == "# why\n"
    assert type_in(edit, "vision/adam1", "--name", "best").output.endswith("nothing changed\n")
    with weir.Api(asked.address, asked.tokens["admin"]) as api:
        run = api.run("vision/adam1").update(group="h", job_type="eval")
        assert (run.name, run.group, run.job_type) == ("best", "h", "eval")
        told = [(e.attrs["by"], e.attrs["field"], e.attrs["before"], e.attrs["after"])
                for e in run.events("edited")]  # fmt: skip
    assert told[0] == ("a", "group", "g", "h")
    assert sorted(told[1:]) == [
        ("w", "group", "", "g"),
        ("w", "job_type", "", "eval"),
        ("w", "name", "run-0", "best"),
        ("w", "notes", "", "# why\n"),
        ("w", "tags", '["baseline"]', '["baseline", "keep"]'),
    ]


def test_edits_that_say_nothing_or_too_much_are_refused(asked: Asked, type_in) -> None:
    assert isinstance(type_in(edit, "vision/adam1").exception, UsageError)
    with weir.Api(asked.address, asked.tokens["writer"]) as api:
        run = api.run("vision/adam1")
        for label, most in (("name", 512), ("group", 512), ("job_type", 512), ("notes", 65_536)):
            with pytest.raises(Rejected, match=label):
                run.update(**{label: "x" * (most + 1)})
        assert run.events("edited") == []
