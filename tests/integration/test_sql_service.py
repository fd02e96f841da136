"""The Sql service and `weir.Api().sql()`, over real gRPC; the reader behind them is told what to answer."""

import math
import threading
from datetime import UTC, date, datetime

import grpc
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import weir
from tests.integration.fixtures_sql import SqlGateway, numbers, sql_gateway, sql_settings
from weir.errors import Overloaded, Rejected, Unauthenticated, Unavailable, UsageError
from weir_proto.v1 import sql_pb2, sql_pb2_grpc
from weir_server.gateway.tokens import revoke_token
from weir_store.errors import StoreUnavailable
from weir_store.sql.base import LimitReached, Refused, Rights

__all__ = ["sql_gateway", "sql_settings"]


@pytest.fixture
def api(sql_gateway: SqlGateway):
    with weir.Api(sql_gateway.address, sql_gateway.tokens["reader"], timeout_s=20) as one:
        yield one


def test_an_answer_comes_as_what_was_asked_for(api) -> None:
    assert api.sql("SELECT n FROM runs").to_arrow()["n"].to_pylist() == [1, 2, 3]
    frame = api.sql("SELECT n FROM runs").to_pandas()
    assert isinstance(frame, pd.DataFrame)
    assert list(frame["n"]) == [1, 2, 3]
    polars = api.sql("SELECT n FROM runs").to_polars()
    assert isinstance(polars, pl.DataFrame)
    assert polars["n"].to_list() == [1, 2, 3]
    assert list(api.sql("SELECT n FROM runs").rows()) == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert [len(batch) for batch in api.sql("SELECT n FROM runs").batches()] == [2, 1]


def test_an_answer_without_rows_still_has_its_columns(api, sql_gateway: SqlGateway) -> None:
    sql_gateway.reader.batches = numbers([])
    result = api.sql("SELECT n FROM runs")
    assert result.to_arrow().schema == pa.schema({"n": pa.int64()})
    assert not result.cut
    assert api.sql("SELECT n FROM runs").to_pandas().columns.tolist() == ["n"]


def test_a_statement_is_asked_with_the_rights_and_the_name_of_its_token(
    api, sql_gateway: SqlGateway
) -> None:
    api.sql("SELECT 1").to_arrow()
    with weir.Api(sql_gateway.address, sql_gateway.tokens["admin"]) as admin:
        admin.sql("SELECT 2").to_arrow()
    first, second = sql_gateway.reader.asked
    assert (first.text, first.rights, first.asker) == ("SELECT 1", Rights(("vision",)), "r")
    assert (second.rights, second.asker) == (Rights(None), "a")


def test_parameters_arrive_as_they_were_given(api, sql_gateway: SqlGateway) -> None:
    given = {
        "i": 2**62,
        "f": 0.1,
        "s": "it's \\ \n ü",
        "b": True,
        "none": None,
        "list": ["a", 1.5],
        "numpy": np.int32(7),
        "day": date(2026, 1, 2),
        "utc": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        "second": datetime(2026, 1, 2, 3, 4, 5),  # noqa: DTZ001 - as notebooks have them
    }
    api.sql("SELECT 1", given).to_arrow()
    arrived = dict(sql_gateway.reader.asked[0].parameters)
    assert arrived == {
        **given,
        "numpy": 7,
        "day": "2026-01-02",
        "utc": "2026-01-02 03:04:05.000006",
        "second": "2026-01-02 03:04:05",
    }
    api.sql("SELECT 1", {"x": math.inf}).to_arrow()
    assert sql_gateway.reader.asked[1].parameters == {"x": "inf"}
    with pytest.raises(UsageError, match="parameter 'x' cannot be sent"):
        api.sql("SELECT 1", {"x": object()})


def test_a_limit_cuts_and_says_so(api, sql_gateway: SqlGateway) -> None:
    sql_gateway.reader.cut = True
    result = api.sql("SELECT 1", limit=3, seconds=2.5)
    with pytest.raises(UsageError, match="read to its end"):
        _ = result.cut
    result.to_arrow()
    assert result.cut
    assert result.seconds >= 0
    limits = sql_gateway.reader.asked[0].limits
    assert (limits.result_rows, limits.cut, limits.seconds) == (3, True, 2.5)
    api.sql("SELECT 1").to_arrow()
    assert not sql_gateway.reader.asked[1].limits.cut
    for wrong in ({"limit": 0}, {"seconds": 0}, {"seconds": math.nan}):
        with pytest.raises(UsageError):
            api.sql("SELECT 1", **wrong)


@pytest.mark.parametrize("sql_settings", [{"sql_result_rows": 10, "sql_seconds": 1.0}])
def test_wishes_lower_the_servers_limits_and_never_raise_them(api, sql_gateway: SqlGateway) -> None:
    api.sql("SELECT 1", limit=11, seconds=60).to_arrow()
    limits = sql_gateway.reader.asked[0].limits
    assert (limits.result_rows, limits.cut, limits.seconds) == (10, False, 1.0)


@pytest.mark.parametrize("late", [False, True])
def test_what_is_wrong_is_said_in_the_servers_words(
    api, sql_gateway: SqlGateway, late: bool
) -> None:
    reader = sql_gateway.reader
    for error, kind, words in (
        (Refused("no table 'x'", hint="see docs/sql.md"), Rejected, "no table 'x' — see docs"),
        (LimitReached("1 s is over"), Rejected, "1 s is over"),
        (StoreUnavailable("ClickHouse is away"), Unavailable, "ClickHouse is away"),
    ):
        reader.fails, reader.fails_later = (None, error) if late else (error, None)
        with pytest.raises(kind, match=words):
            api.sql("SELECT 1").to_arrow()


@pytest.mark.parametrize("sql_settings", [{"sql_text_bytes": 1 << 10}])
def test_a_statement_that_is_too_long_is_refused_unread(api, sql_gateway: SqlGateway) -> None:
    with pytest.raises(Rejected, match=r"gateway\.sql_text_bytes"):
        api.sql("SELECT 1", {"x": "y" * 2_000}).to_arrow()
    assert not sql_gateway.reader.asked


def test_only_who_has_a_token_asks(sql_gateway: SqlGateway) -> None:
    for token in ("", "weir_wrong"):
        with weir.Api(sql_gateway.address, token) as api, pytest.raises(Unauthenticated):
            api.sql("SELECT 1").to_arrow()
        with weir.Api(sql_gateway.address, token) as api, pytest.raises(Unauthenticated):
            api.views()
    assert not sql_gateway.reader.asked


def test_a_revoked_token_gets_no_further_piece(api, sql_gateway: SqlGateway, monkeypatch) -> None:
    monkeypatch.setattr("weir_store.tokens.RELOAD_S", 0.0)
    big = np.random.default_rng(0).integers(0, 1 << 62, 300_000).tolist()
    sql_gateway.reader.batches = numbers(big) * 3

    def revoke(number: int) -> None:
        if number == 2:
            revoke_token(sql_gateway.tokens_file, "r")

    sql_gateway.reader.before_batch = revoke
    with pytest.raises(Unauthenticated):
        api.sql("SELECT 1").to_arrow()
    assert sql_gateway.reader.closed.wait(10)


def test_closing_a_result_ends_its_statement(api, sql_gateway: SqlGateway) -> None:
    sql_gateway.reader.batches = numbers([1] * 1_000_000) * 200
    with api.sql("SELECT 1") as result:
        next(iter(result.batches()))
    assert sql_gateway.reader.closed.wait(10)


@pytest.mark.parametrize("sql_settings", [{"sql_answer_s": 0.5}])
def test_a_reader_that_stops_reading_holds_its_statement_for_a_while_only(
    api, sql_gateway: SqlGateway
) -> None:
    noise = np.random.default_rng(0).integers(0, 1 << 62, 1_000_000).tolist()
    sql_gateway.reader.batches = numbers(noise) * 30
    result = api.sql("SELECT 1")
    batches = result.batches()
    next(batches)
    assert sql_gateway.reader.closed.wait(10), "it still holds the statement"
    with pytest.raises(Overloaded, match=r"gateway\.sql_answer_s"):
        list(batches)


def test_an_answer_that_breaks_off_is_never_taken_for_a_whole_one(
    sql_gateway: SqlGateway, monkeypatch
) -> None:
    """The last word is missing: an Arrow stream alone does not tell."""
    monkeypatch.setattr(sql_pb2, "AskEnd", lambda **_: None)
    with (
        weir.Api(sql_gateway.address, sql_gateway.tokens["reader"]) as api,
        pytest.raises(Unavailable, match="broke off"),
    ):
        api.sql("SELECT 1").to_arrow()


def test_one_slow_statement_does_not_hold_up_another(api, sql_gateway: SqlGateway) -> None:
    go_on = threading.Event()
    sql_gateway.reader.before_batch = lambda number: None if number else go_on.wait(10)
    slow = api.sql("SELECT 1")
    sql_gateway.reader.before_batch = lambda _: None
    assert api.sql("SELECT 2").to_arrow().num_rows == 3
    go_on.set()
    assert slow.to_arrow().num_rows == 3


def test_views_tell_their_columns(api) -> None:
    runs, metrics = api.views()
    assert (runs.name, runs.about, runs.example) == (
        "runs", "One row per run.", "SELECT name FROM runs"
    )  # fmt: skip
    duration = runs.columns[2]
    assert (duration.name, duration.type, duration.unit, duration.about) == (
        "duration_s", "Float64", "s", "How long it ran."
    )  # fmt: skip
    assert metrics.name == "metrics"


def test_health_knows_the_service(sql_gateway: SqlGateway) -> None:
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with grpc.insecure_channel(sql_gateway.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        answer = health.Check(health_pb2.HealthCheckRequest(service="weir.v1.Sql"), timeout=10)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        stub = sql_pb2_grpc.SqlStub(channel)
        with pytest.raises(grpc.RpcError) as turned_away:
            list(stub.Ask(sql_pb2.AskRequest(text="SELECT 1"), timeout=10))
        assert turned_away.value.code() is grpc.StatusCode.UNAUTHENTICATED
