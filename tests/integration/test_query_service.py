"""Asking a gateway over gRPC: what comes back, and what is refused by which status."""

import math
from collections.abc import Iterable

import grpc
import pyarrow as pa
import pytest

from tests.integration.fixtures_asking import ADAM, SECRET, SGD, STEPS, Asked, asked
from weir_proto.v1 import query_pb2, query_pb2_grpc, runs_pb2, runs_pb2_grpc

__all__ = ["asked"]


class Client:
    def __init__(self, asked: Asked, token: str) -> None:
        self.channel = grpc.insecure_channel(asked.address)
        self.metadata = (("authorization", f"Bearer {asked.tokens.get(token, token)}"),)
        self.runs = runs_pb2_grpc.RunsStub(self.channel)
        self.query = query_pb2_grpc.QueryStub(self.channel)

    def ask(self, service: str, method: str, request, timeout: float = 20):
        stub = getattr(getattr(self, service), method)
        return stub(request, metadata=self.metadata, timeout=timeout)

    def table(self, method: str, request) -> pa.Table:
        return _table(self.ask("query", method, request))


def _table(chunks: Iterable[query_pb2.ArrowChunk]) -> pa.Table:
    return pa.ipc.open_stream(b"".join(chunk.data for chunk in chunks)).read_all()


def _ref(ref) -> runs_pb2.RunRef:
    return runs_pb2.RunRef(project=ref.project, run_id=ref.run_id)


@pytest.fixture
def client(asked: Asked):
    made: list[Client] = []

    def make(token: str) -> Client:
        made.append(Client(asked, token))
        return made[-1]

    yield make
    for one in made:
        one.channel.close()


def _loss(**more) -> query_pb2.ReadSeriesRequest:
    return query_pb2.ReadSeriesRequest(runs=[_ref(ADAM)], metrics=["train/loss"], **more)


def test_every_point_comes_back_as_logged(client) -> None:
    table = client("reader").table("ReadSeries", _loss())
    assert table.num_rows == 2 * STEPS
    assert table["step"].to_pylist() == [*range(STEPS), *range(STEPS)]
    assert table["value"].to_pylist()[:2] == [1.0, 0.5]


def test_answers_are_cut_into_chunks_of_a_mebibyte(client) -> None:
    many = query_pb2.ReadSeriesRequest(runs=[_ref(ADAM)] * 1, metrics=["train/loss", "val/acc"])
    chunks = list(client("reader").ask("query", "ReadSeries", many))
    assert all(0 < len(chunk.data) <= 1 << 20 for chunk in chunks)
    assert _table(chunks).num_rows == 2 * STEPS + 2


def test_thinned_and_reduced_series_are_asked_for_in_the_request(client) -> None:
    thinned = client("reader").table("ReadSeries", _loss(max_points=100, ranks=[1]))
    assert 50 < thinned.num_rows <= 100
    assert set(thinned["rank"].to_pylist()) == {1}
    request = _loss(max_points=10, reduce=query_pb2.REDUCE_RANKS, x_min=0, x_max=64)
    reduced = client("reader").table("ReadSeries", request)
    assert reduced["ranks"].to_pylist() == [2] * 8
    assert reduced["x"].to_pylist()[-1] == 63.0
    relative = client("reader").table("ReadSeries", _loss(x=query_pb2.X_RELATIVE))
    assert min(relative["x"].to_pylist()) == 0.0


def test_runs_that_do_not_exist_are_absent_not_wrong(client) -> None:
    nothing = runs_pb2.RunRef(project="vision", run_id="nothing")
    request = query_pb2.ReadSeriesRequest(runs=[nothing], metrics=["x"])
    assert client("reader").table("ReadSeries", request).num_rows == 0


def test_metrics_are_listed_with_what_is_known_of_them(client) -> None:
    request = query_pb2.ListMetricsRequest(runs=[_ref(ADAM)])
    answer = client("reader").ask("query", "ListMetrics", request)
    assert [m.name for m in answer.metrics] == ["sample", "train/loss", "val/acc"]
    assert answer.metrics[0].is_text
    assert answer.metrics[2].has_nonfinite
    assert answer.metrics[1].max_step == STEPS - 1
    assert answer.total == 3


def test_latest_values_and_comparisons_come_as_tables(client) -> None:
    both = [_ref(ADAM), _ref(SGD)]
    latest = client("reader").table(
        "ReadLatest", query_pb2.ReadLatestRequest(runs=both, metrics=["val/acc"])
    )
    assert latest["max"].to_pylist() == [0.5, 1.5]
    assert all(math.isnan(value) for value in latest["last"].to_pylist())
    different = client("reader").table(
        "CompareRuns", query_pb2.CompareRunsRequest(runs=both, only_different=True)
    )
    assert "lr" in different["path"].to_pylist()
    assert "seed" not in different["path"].to_pylist()


def test_texts_come_as_a_table(client) -> None:
    request = query_pb2.ReadTextRequest(run=_ref(ADAM), metric="sample")
    table = client("reader").table("ReadText", request)
    assert table["value"].to_pylist() == ["hello"]
    assert table["step"].to_pylist() == [1]
    request = query_pb2.ReadTextRequest(run=_ref(ADAM), metric="nothing")
    assert client("reader").table("ReadText", request).num_rows == 0


def test_runs_are_found_by_a_filter_and_filled_with_the_columns_asked_for(client) -> None:
    request = runs_pb2.ListRunsRequest(
        project="vision", where="config.lr < 0.01", columns=["config.lr"]
    )
    answer = client("reader").ask("runs", "ListRuns", request)
    assert [run.run_id for run in answer.runs] == [ADAM.run_id]
    assert answer.total == 1
    assert dict(answer.runs[0].config) == {"lr": runs_pb2.Value(float=0.003)}
    assert not answer.runs[0].summary


def test_typed_values_keep_their_types(client) -> None:
    request = runs_pb2.GetRunRequest(project=ADAM.project, run_id=ADAM.run_id)
    answer = client("reader").ask("runs", "GetRun", request)
    kinds = {path: value.WhichOneof("kind") for path, value in answer.run.config.items()}
    assert kinds == {
        "lr": "float", "betas": "json", "amp": "bool", "seed": "int", "warmup": "null"
    }  # fmt: skip
    assert math.isnan(answer.run.summary["val/acc"].float)
    assert [session.node for session in answer.sessions] == ["n1"]
    assert answer.run.state == "finished"


# ── who may what ────────────────────────────────────────────────────────────


def test_a_token_sees_its_projects_and_no_others(client) -> None:
    def projects(token: str) -> set[str]:
        answer = client(token).ask("runs", "ListProjects", runs_pb2.ListProjectsRequest())
        return {project.name for project in answer.projects}

    assert projects("reader") == {"vision"}
    assert projects("admin") == {"vision", "private"}
    everywhere = client("reader").ask("runs", "ListRuns", runs_pb2.ListRunsRequest())
    assert {run.project for run in everywhere.runs} == {"vision"}


REFUSED = grpc.StatusCode.PERMISSION_DENIED
OF_OTHERS = [
    ("runs", "ListRuns", runs_pb2.ListRunsRequest(project="private")),
    ("runs", "GetRun", runs_pb2.GetRunRequest(project="private", run_id="x")),
    ("runs", "ListEvents", runs_pb2.ListEventsRequest(project="private", run_id="x")),
    ("runs", "GetLedger", runs_pb2.GetLedgerRequest(project="private", run_id="x")),
    ("query", "ReadText", query_pb2.ReadTextRequest(run=_ref(SECRET), metric="sample")),
    ("query", "ListMetrics", query_pb2.ListMetricsRequest(project="private")),
    ("query", "ListMetrics", query_pb2.ListMetricsRequest(runs=[_ref(ADAM), _ref(SECRET)])),
    ("query", "ReadLatest", query_pb2.ReadLatestRequest(runs=[_ref(SECRET)])),
    ("query", "CompareRuns", query_pb2.CompareRunsRequest(runs=[_ref(SECRET)])),
    ("query", "ReadSeries", query_pb2.ReadSeriesRequest(runs=[_ref(SECRET)], metrics=["val/acc"])),
    ("runs", "UpdateRun", runs_pb2.UpdateRunRequest(project="vision", run_id="adam1")),
    ("runs", "StopRun", runs_pb2.StopRunRequest(project="vision", run_id="adam1")),
]


@pytest.mark.parametrize(("service", "method", "request_"), OF_OTHERS)
def test_what_a_reader_may_not_is_refused(client, service, method, request_) -> None:
    assert _status(client("reader"), service, method, request_) is REFUSED


@pytest.mark.parametrize(("service", "method", "request_"), OF_OTHERS)
def test_nothing_is_answered_without_a_token(client, service, method, request_) -> None:
    status = _status(client("wrong"), service, method, request_)
    assert status is grpc.StatusCode.UNAUTHENTICATED


WRONG = [
    ("runs", "ListRuns", runs_pb2.ListRunsRequest(project="vision", where="lr < 1")),
    ("runs", "ListRuns", runs_pb2.ListRunsRequest(project="vision", limit=10_001)),
    ("runs", "ListEvents", runs_pb2.ListEventsRequest(project="vision", run_id="adam1", limit=10_001)),
    ("runs", "ListEvents", runs_pb2.ListEventsRequest(project="vision", run_id="adam1", min_severity="x")),
    ("query", "ReadText", query_pb2.ReadTextRequest(run=_ref(ADAM), metric="sample", limit=1 << 30)),
    ("query", "ListMetrics", query_pb2.ListMetricsRequest(project="vision", limit=1 << 20)),
    ("query", "ReadSeries", _loss(x=query_pb2.X_METRIC)),
    ("query", "ReadSeries", query_pb2.ReadSeriesRequest(runs=[_ref(ADAM)])),
    ("query", "ReadSeries", _loss(x=9)),
    ("runs", "UpdateRun", runs_pb2.UpdateRunRequest(project="vision", run_id="adam1", add_tags=[""])),
    ("runs", "UpdateRun", runs_pb2.UpdateRunRequest(project="vision", run_id="adam1", name="x" * 513)),
]  # fmt: skip


@pytest.mark.parametrize(("service", "method", "request_"), WRONG)
def test_a_wrong_question_is_an_invalid_argument(client, service, method, request_) -> None:
    status = _status(client("admin"), service, method, request_)
    assert status is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("method", ["GetRun", "UpdateRun", "StopRun"])
def test_a_run_that_does_not_exist_is_not_found(client, method) -> None:
    request = getattr(runs_pb2, f"{method}Request")(project="vision", run_id="nothing")
    assert _status(client("writer"), "runs", method, request) is grpc.StatusCode.NOT_FOUND


def _status(client: Client, service: str, method: str, request) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as refused:
        _drain(client.ask(service, method, request))
    assert refused.value.details()
    return refused.value.code()


def _drain(answer) -> None:
    """Read a stream to its end; a single answer is read already."""
    if isinstance(answer, grpc.Call):
        list(answer)


# ── edits ───────────────────────────────────────────────────────────────────


def test_an_edit_is_seen_by_the_next_question(client) -> None:
    edit = runs_pb2.UpdateRunRequest(
        project="vision", run_id="adam1", name="best", add_tags=["keep"], remove_tags=["baseline"]
    )
    run = client("writer").ask("runs", "UpdateRun", edit).run
    assert (run.name, list(run.tags)) == ("best", ["keep"])


def test_a_stop_is_left_for_the_processes_of_the_run(client, asked: Asked) -> None:
    request = runs_pb2.StopRunRequest(project="vision", run_id="adam1", reason="diverged")
    client("writer").ask("runs", "StopRun", request)
    stops = asked.gateway.run(asked.appender.read_stops([("vision", "adam1")]))
    assert stops["vision", "adam1"].reason == "diverged"
    assert stops["vision", "adam1"].by == "w"


def test_a_client_that_goes_away_leaves_the_gateway_well(client) -> None:
    one = client("reader")
    for _ in range(3):
        call = one.ask("query", "ReadSeries", _loss())
        next(iter(call))
        call.cancel()
    assert one.table("ReadSeries", _loss(max_points=4)).num_rows > 0
