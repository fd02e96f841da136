"""Ranks through a real gateway: what the api says, who may ask, what the command prints."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import grpc
import pytest
from click.testing import CliRunner

import weir
from tests.contract.many_ranks import BEGAN_S, Job, blocks_of
from tests.integration.fixtures_gateway import RunningGateway
from weir._ranks_command import ranks as ranks_command
from weir.errors import Rejected, UsageError
from weir_proto.v1 import ranks_pb2, ranks_pb2_grpc, runs_pb2
from weir_server.clock import ManualClock
from weir_server.gateway.ranks import ranks_service
from weir_server.gateway.tokens import Role, create_token
from weir_server.stream.memory import MemoryAppender, MemoryStream
from weir_store.memory import MemoryStore
from weir_store.ranks.memory import MemoryRanks
from weir_store.records import RunRef

JOB = Job(RunRef("big", "job"), ranks=16, steps=60, slow=11, hung=3, diverging=5, nan=9)
NOW_UNIX_US = (BEGAN_S + 400) * 1_000_000
METRICS = ("step_time_s", "data_time_s", "loss", "grad_norm")


class Asked(NamedTuple):
    address: str
    tokens: dict[str, str]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    tokens_file = tmp_path_factory.mktemp("ranks") / "tokens.toml"
    tokens = {
        who: create_token(tokens_file, name=who, role=Role.READER, projects=[project])
        for who, project in (("mine", "big"), ("others", "small"))
    }
    store = MemoryStore()
    for block in blocks_of(JOB, METRICS):
        store.insert(block, "")
    reader = MemoryRanks(store, now_unix_us=lambda: NOW_UNIX_US)
    gateway = RunningGateway(
        lambda: MemoryAppender(MemoryStream(shards=1, max_bytes=1 << 20)),
        store=store,
        tokens_file=tokens_file,
        services=lambda auth: [ranks_service(reader, auth, ManualClock(NOW_UNIX_US))],
    )
    yield Asked(gateway.address, tokens)
    gateway.stop()


@pytest.fixture
def api(asked: Asked) -> Iterator[weir.Api]:
    with weir.Api(asked.address, asked.tokens["mine"]) as opened:
        yield opened


def test_a_run_puts_its_ranks_together(api: weir.Api) -> None:
    table = api.run("big/job").reduce("loss", max_points=4, quantiles=[0.5], as_="arrow")
    last = table.to_pylist()[-1]
    assert (last["line"], last["count"], last["max_rank"], last["step"]) == ("job", 15, 5, 48)
    assert last["q50"] < last["mean"] < last["max"]


def test_lines_words_and_ranks_are_chosen(api: weir.Api) -> None:
    view = api.run("big/job")
    by_node = view.reduce("loss", by="node", reduce="max", x_max=10, as_="pandas")
    assert set(by_node["line"]) == {"node000", "node001"}
    assert (by_node["value"] == by_node["max"]).all()
    assert by_node["step"].max() == 9
    some = view.reduce("loss", ranks=[1, 2], roles="trainer", x_min=5, x_max=6, as_="arrow")
    assert some["count"].to_pylist() == [2]
    together = api.reduce(["big/job"], "loss", over="runs", x_max=1, as_="arrow").to_pylist()
    assert [(row["line"], row["count"]) for row in together] == [("", 1)]


def test_the_board_comes_whole(api: weir.Api) -> None:
    board = api.run("big/job").stragglers(half_life_steps=10, as_="arrow")
    assert (board.metric, board.from_times, board.steps, board.half_life_steps) == (
        "step_time_s", False, 49, 10.0,
    )  # fmt: skip
    worst = board.ranks.to_pylist()[0]
    assert (worst["rank"], worst["node"], worst["blame"]) == (11, "node001", "data")
    assert board.nodes.to_pylist()[0]["node"] == "node001"
    assert board.timeline.num_rows == 49
    assert next(iter(api.rank_nodes("big")["node"])) == "node001"
    named = api.run("big/job").stragglers(names={"step_time": ["data_time_s"]}, as_="arrow")
    assert named.metric == "data_time_s"


def test_divergence_ranks_and_hangs_come_whole(api: weir.Api) -> None:
    view = api.run("big/job")
    found = view.divergence(window_steps=5, as_="arrow").to_pylist()
    assert {(row["kind"], row["rank"]) for row in found} == {("diverged", 5), ("nan", 9)}
    assert all(math.isnan(row["z"]) for row in found if row["kind"] == "nan")
    roll = view.list_ranks(as_="arrow").to_pylist()
    assert [row["behind"] for row in roll] == [1 if rank == 3 else 0 for rank in range(16)]
    (hang,) = view.hangs(floor_s=60)
    assert (hang.run, hang.suspects, hang.step, hang.last_steps[3]) == ("big/job", (3,), 48, 47)
    assert hang.since is not None
    assert api.hangs(["big"], floor_s=60) == [hang] == api.hangs(floor_s=60)
    assert api.hangs(floor_s=3_600) == []


def test_nobody_asks_about_the_projects_of_others(asked: Asked) -> None:
    channel = grpc.insecure_channel(asked.address)
    stub = ranks_pb2_grpc.RanksStub(channel)
    ref = runs_pb2.RunRef(project="big", run_id="job")
    questions: list[Callable[..., object]] = [
        lambda **m: list(stub.Reduce(ranks_pb2.ReduceRequest(runs=[ref], metrics=["loss"]), **m)),
        lambda **m: list(stub.ListRanks(ref, **m)),
        lambda **m: stub.ReadStragglers(ranks_pb2.ReadStragglersRequest(run=ref), **m),
        lambda **m: list(stub.RankNodes(ranks_pb2.RankNodesRequest(project="big"), **m)),
        lambda **m: list(stub.ReadDivergence(ranks_pb2.ReadDivergenceRequest(run=ref), **m)),
        lambda **m: stub.FindHangs(ranks_pb2.FindHangsRequest(projects=["big"]), **m),
    ]
    for who, status in (("others", "PERMISSION_DENIED"), ("", "UNAUTHENTICATED")):
        token = asked.tokens.get(who, "nonsense")
        for ask in questions:
            with pytest.raises(grpc.RpcError) as caught:
                ask(metadata=(("authorization", f"Bearer {token}"),))
            assert caught.value.code().name == status
    with weir.Api(asked.address, asked.tokens["others"]) as api:
        assert api.hangs(floor_s=60) == []  # of what it may read
    channel.close()


def test_wrong_questions_are_answered_with_what_is_right(api: weir.Api, asked: Asked) -> None:
    view = api.run("big/job")
    for wrong in ({"over": "x"}, {"reduce": "x"}, {"interval": "x"}, {"max_points": 0}):
        with pytest.raises(UsageError):
            view.reduce("loss", **wrong)
    with pytest.raises(UsageError, match="step_time"):
        view.stragglers(names={"colour": ["x"]})
    with pytest.raises(Rejected, match="job_type"):
        view.reduce("loss", by="colour")
    with pytest.raises(Rejected, match="no run"):
        list(api._transport.list_ranks(runs_pb2.RunRef(project="big", run_id="x")))
    with grpc.insecure_channel(asked.address) as channel:
        request = ranks_pb2.ReduceRequest(runs=[], metrics=["loss"], over="colours")
        metadata = (("authorization", f"Bearer {asked.tokens['mine']}"),)
        with pytest.raises(grpc.RpcError, match="seeds"):
            list(ranks_pb2_grpc.RanksStub(channel).Reduce(request, metadata=metadata))


def test_the_command_says_what_is_wrong_with_whom(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEIR_TOKEN", asked.tokens["mine"])

    def typed(*words: str) -> str:
        result = CliRunner(env={"COLUMNS": "160"}).invoke(
            ranks_command, [*words, "--server", asked.address]
        )
        assert result.exit_code == 0, result.output
        return result.output

    shown = typed("big/job")
    assert "16 ranks on 2 nodes (trainer)" in shown
    assert "hang: all 16 ranks" in shown
    assert "rank 3 on node000 (step 47)" in shown
    assert any(line.split()[:3] == ["11", "trainer", "node001"] for line in shown.splitlines())
    assert any(line.split()[:3] == ["nan", "grad_norm", "9"] for line in shown.splitlines())
    assert "node001" in typed("big", "--nodes").splitlines()[1]
    told = json.loads(typed("big/job", "--json"))
    assert told["stragglers"]["ranks"][0]["rank"] == 11
    assert len(told["ranks"]) == 16
