"""Tools of others on the SQL door: they connect, look around, and read what was logged."""

from __future__ import annotations

import pandas as pd
import pytest
import sqlalchemy
from clickhouse_connect.driver.exceptions import DatabaseError
from sqlalchemy import MetaData, Table, func, inspect, select, text

from tests.integration.fixtures_sql_door import (
    DATABASE,
    STEPS,
    OpenDoor,
    sql_door,
    sql_store,
    sql_tokens,
)
from weir_store.views.catalog import VIEWS

__all__ = ["sql_door", "sql_store", "sql_tokens"]

LOSSES = "SELECT run_id, step, value FROM metrics WHERE metric = 'loss' ORDER BY run_id, step"


# ── clickhouse-connect ───────────────────────────────────────────────────────


@pytest.mark.parametrize("compress", [False, "gzip", "lz4", "zstd"])
def test_clickhouse_connect_reads_rows_frames_and_arrow(
    sql_door: OpenDoor, compress: bool | str
) -> None:
    with sql_door.client(compress=compress) as client:
        answer = client.query(LOSSES)
        assert answer.column_names == ("run_id", "step", "value")
        assert len(answer.result_rows) == 2 * STEPS
        assert answer.result_rows[1] == ("adam1", 1, 0.5)
        frame = client.query_df(LOSSES)
        assert frame.shape == (2 * STEPS, 3)
        table = client.query_arrow(LOSSES, use_strings=True)
        assert table["value"].to_pylist() == frame["value"].tolist()
        assert client.command("SELECT count() FROM runs") == 2


def test_clickhouse_connect_streams(sql_door: OpenDoor) -> None:
    with sql_door.client() as client:
        with client.query_row_block_stream(LOSSES) as blocks:
            assert sum(len(block) for block in blocks) == 2 * STEPS
        with client.query_df_stream(LOSSES) as frames:
            assert sum(len(frame) for frame in frames) == 2 * STEPS
        with client.query_arrow_stream(LOSSES, use_strings=True) as batches:
            assert sum(batch.num_rows for batch in batches) == 2 * STEPS
        raw = client.raw_query(LOSSES, fmt="CSVWithNames").decode()
        assert raw.splitlines()[:2] == ['"run_id","step","value"', '"adam1",0,1']


def test_clickhouse_connect_binds_parameters_on_the_server(sql_door: OpenDoor) -> None:
    with sql_door.client() as client:
        answer = client.query(
            "SELECT {t:String}, {n:Int64}, {a:Array(String)}, {z:Nullable(String)}",
            {"t": "it's \\ \t\n ü", "n": -5, "a": ["x'", "\\"], "z": None},
        )
        assert answer.result_rows == [("it's \\ \t\n ü", -5, ["x'", "\\"], None)]


def test_clickhouse_connect_learns_which_clickhouse_it_is(
    sql_door: OpenDoor,
) -> None:
    with sql_door.client() as client:
        assert client.server_version.split(".")[0].isdigit()
        assert client.server_tz is not None
        assert client.ping()
        assert client.command("SELECT currentDatabase()") == DATABASE
        assert client.command("SELECT currentUser()") == "r", (
            "the name of the token, not what was said"
        )


def test_what_the_gate_refuses_is_an_error_with_its_words(sql_door: OpenDoor) -> None:
    with sql_door.client() as client:
        for statement, words in (
            ("SELECT * FROM system.query_log", "query_log"),
            (f"SELECT * FROM {DATABASE}_raw.points", "points"),
            ("SELECT nothing FROM runs", "nothing"),
            ("SELECT file('/etc/passwd')", "file"),
            ("DROP TABLE runs", "DROP"),
        ):
            with pytest.raises(DatabaseError, match=words):
                client.query(statement)


# ── SQLAlchemy, as Superset uses it ──────────────────────────────────────────


@pytest.fixture
def sqla(sql_door: OpenDoor):
    token = sql_door.tokens["reader"]
    made = sqlalchemy.create_engine(
        f"clickhousedb://superset:{token}@127.0.0.1:{sql_door.port}/{DATABASE}"
    )
    yield made
    made.dispose()


def test_sqlalchemy_finds_every_view_and_column(sqla) -> None:
    found = inspect(sqla)
    assert found.get_schema_names() == [DATABASE]
    assert sorted(found.get_table_names(DATABASE)) == sorted(view.name for view in VIEWS)
    assert sorted(found.get_view_names(DATABASE)) == sorted(view.name for view in VIEWS)
    assert found.has_table("runs", schema=DATABASE)
    assert not found.has_table("points", schema=DATABASE)
    for view in VIEWS:
        columns = found.get_columns(view.name, schema=DATABASE)
        assert [column["name"] for column in columns] == [column.name for column in view.columns]
        assert [column["comment"] for column in columns] == [c.words for c in view.columns]
        assert all(str(column["type"]) not in ("NULL", "") for column in columns), view.name
    assert found.get_table_comment("runs", schema=DATABASE)["text"] == VIEWS[0].about
    assert found.get_pk_constraint("runs", schema=DATABASE)["constrained_columns"] == []
    with pytest.raises(sqlalchemy.exc.NoSuchTableError):
        found.get_columns("points", schema=DATABASE)


def test_sqlalchemy_asks_reflected_tables(sqla) -> None:
    metrics = Table("metrics", MetaData(), autoload_with=sqla, schema=DATABASE)
    with sqla.connect() as connection:
        asked = (
            select(metrics.c.run_id, func.min(metrics.c.value).label("least"))
            .where(metrics.c.metric == "loss")
            .group_by(metrics.c.run_id)
            .order_by(metrics.c.run_id)
        )
        assert connection.execute(asked).all() == [("adam1", 1 / STEPS), ("sgd2", 1 + 1 / STEPS)]
        # Superset wraps what people write, and asks for the columns of nothing.
        wrapped = f"SELECT * FROM ({LOSSES}) AS virtual_table LIMIT 3"
        assert len(connection.execute(text(wrapped)).all()) == 3
        empty = connection.execute(text(f"SELECT * FROM ({LOSSES}) AS q WHERE 1 = 0"))
        assert list(empty.keys()) == ["run_id", "step", "value"]


def test_pandas_reads_sql(sqla) -> None:
    frame = pd.read_sql(LOSSES, sqla)
    assert frame.shape == (2 * STEPS, 3)
    assert frame["value"].min() == 1 / STEPS
    pieces = pd.read_sql(text(LOSSES), sqla.connect(), chunksize=300)
    assert sum(map(len, pieces)) == 2 * STEPS
    assert pd.read_sql("SELECT 1 AS one", sqla)["one"].tolist() == [1]


def test_every_view_answers_its_example_to_a_tool(sql_door: OpenDoor) -> None:
    with sql_door.client() as client:
        for view in VIEWS:
            client.query(view.example)
            table = client.query_arrow(f"SELECT * FROM {view.name} LIMIT 5")
            assert table.column_names == [column.name for column in view.columns]
