"""`weir sql` against a gateway on real gRPC; the reader behind it is told what to answer."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

import weir
from tests.integration.fixtures_gateway import eventually
from tests.integration.fixtures_sql import SqlGateway, numbers, sql_gateway, sql_settings
from weir._sql_command import Wish, sql
from weir._sql_command_prompt import Talk, completions, history_file, is_whole, talk
from weir.errors import UsageError
from weir_store.errors import StoreUnavailable
from weir_store.sql.base import Refused

__all__ = ["sql_gateway", "sql_settings"]

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
ROWS = pa.record_batch(
    {
        "name": pa.array(["a,b", None, "\x1b[2Jé"]),
        "loss": pa.array([0.1, math.nan, -math.inf]),
        "count": pa.array([2**53 + 1, 0, None], pa.int64()),
        "at": pa.array([MOMENT] * 3, pa.timestamp("us", "UTC")),
        "tags": pa.array([["x"], [], None], pa.list_(pa.string())),
    }
)
Typed = Callable[..., Result]


@pytest.fixture
def typed(sql_gateway: SqlGateway, monkeypatch: pytest.MonkeyPatch) -> Typed:
    monkeypatch.setenv("WEIR_TOKEN", sql_gateway.tokens["reader"])

    def run(*words: str, stdin: str | None = None) -> Result:
        runner = CliRunner(env={"COLUMNS": "200"})
        return runner.invoke(sql, [*words, "--server", sql_gateway.address], input=stdin)

    return run


def test_a_table_shows_every_value_as_it_is(typed: Typed, sql_gateway: SqlGateway) -> None:
    sql_gateway.reader.batches = [ROWS]
    done = typed("SELECT *")
    assert done.exit_code == 0
    head, first, second, third = done.stdout.splitlines()
    assert head.split() == ["name", "loss", "count", "at", "tags"]
    assert first.split() == [
        "a,b", "0.1", str(2**53 + 1), "2026-01-02", "03:04:05.000006+00:00", '["x"]'
    ]  # fmt: skip
    assert second.split()[:3] == ["NULL", "nan", "0"]
    assert third.split()[:3] == ["é", "-inf", "NULL"], "an escape sequence reached the terminal"


def test_a_table_is_short_unless_one_asks_for_more(typed: Typed, sql_gateway: SqlGateway) -> None:
    sql_gateway.reader.cut = True
    done = typed("SELECT n")
    assert "the first 3 rows; --limit shows more" in done.stderr
    assert "first" not in done.stdout
    typed("SELECT n", "--limit", "5000")
    typed("SELECT n", "--format", "csv")
    limits = [asked.limits for asked in sql_gateway.reader.asked]
    assert [(each.result_rows, each.cut) for each in limits] == [
        (1_000, True), (5_000, True), (1_000_000, False)
    ]  # fmt: skip


def test_csv_json_and_lines_hold_every_value(typed: Typed, sql_gateway: SqlGateway) -> None:
    sql_gateway.reader.batches = [ROWS, ROWS]
    rows = list(csv.DictReader(io.StringIO(typed("SELECT *", "--format", "csv").stdout)))
    assert len(rows) == 6
    assert rows[0] == {
        "name": "a,b",
        "loss": "0.1",
        "count": str(2**53 + 1),
        "at": "2026-01-02 03:04:05.000006+00:00",
        "tags": '["x"]',
    }
    assert (rows[1]["name"], rows[1]["loss"], rows[1]["tags"]) == ("", "nan", "[]")
    listed = json.loads(typed("SELECT *", "--format", "json").stdout)
    lines = typed("SELECT *", "--format", "jsonl").stdout.splitlines()
    assert listed == [json.loads(line) for line in lines]
    assert listed[2] == {
        "name": "\x1b[2Jé",
        "loss": "-inf",
        "count": None,
        "at": "2026-01-02T03:04:05.000006+00:00",
        "tags": None,
    }
    sql_gateway.reader.batches = numbers([])
    assert json.loads(typed("SELECT *", "--format", "json").stdout) == []
    assert typed("SELECT *", "--format", "jsonl").stdout == ""
    assert typed("SELECT *", "--format", "csv").stdout.splitlines() == ["n"]


def test_files_open_in_pandas_and_polars(
    typed: Typed, sql_gateway: SqlGateway, tmp_path: Path
) -> None:
    sql_gateway.reader.batches = [ROWS, ROWS]
    for name in ("t.parquet", "t.arrow"):
        done = typed("SELECT *", "-o", str(tmp_path / name))
        assert done.exit_code == 0, done.output
    parquet = pl.read_parquet(tmp_path / "t.parquet")
    assert parquet.equals(pl.read_ipc(tmp_path / "t.arrow"), null_equal=True)
    assert parquet["at"][0] == MOMENT
    assert pd.read_parquet(tmp_path / "t.parquet").shape == (6, 5)
    assert [each.name for each in tmp_path.iterdir() if "part" in each.name] == []


def test_an_answer_that_breaks_off_leaves_the_file_as_it_was(
    typed: Typed, sql_gateway: SqlGateway, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("before")
    sql_gateway.reader.fails_later = StoreUnavailable("ClickHouse is away")
    done = typed("SELECT *", "-o", str(path))
    assert (done.exit_code, path.read_text()) == (3, "before")
    assert "ClickHouse is away" in done.stderr
    assert not path.with_name("t.csv.part").exists()


def test_exit_codes_tell_refused_wrong_and_unanswered(
    typed: Typed, sql_gateway: SqlGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql_gateway.reader.fails = Refused("FORMAT is not admitted", hint="use --format")
    done = typed("SELECT 1 FORMAT CSV")
    assert (done.exit_code, done.stderr) == (1, "weir: FORMAT is not admitted — use --format\n")
    assert typed("SELECT 1", "--param", "x").exit_code == 2
    assert typed("SELECT 1", "--format", "xml").exit_code == 2
    assert typed("SELECT 1", "-o", "/nowhere/t.csv").exit_code == 2
    assert typed("--schema", "nothing").exit_code == 2
    sql_gateway.reader.fails = StoreUnavailable("ClickHouse is away")
    assert typed("SELECT 1").exit_code == 3
    monkeypatch.setenv("WEIR_TOKEN", "weir_wrong")
    assert typed("SELECT 1").exit_code == 1


def test_a_statement_comes_from_the_line_a_file_or_stdin(
    typed: Typed, sql_gateway: SqlGateway, tmp_path: Path
) -> None:
    (tmp_path / "q.sql").write_text("SELECT 2")
    typed("SELECT 1")
    typed("-f", str(tmp_path / "q.sql"))
    typed("-", stdin="SELECT 3\n")
    typed(stdin="SELECT 4\n")
    asked = [question.text.strip() for question in sql_gateway.reader.asked]
    assert asked == ["SELECT 1", "SELECT 2", "SELECT 3", "SELECT 4"]


def test_parameters_are_given_by_name(typed: Typed, sql_gateway: SqlGateway) -> None:
    params = ("--param", "a=5", "--param", "b=x=y", "--param", 'c=["p", 1]', "--param", "d=[")
    assert typed("SELECT {a:Int32}", *params).exit_code == 0
    expected = {"a": "5", "b": "x=y", "c": ["p", 1], "d": "["}
    assert sql_gateway.reader.asked[0].parameters == expected


def test_the_schema_tells_views_columns_units_and_an_example(typed: Typed) -> None:
    views = typed("--schema").stdout
    assert [line.split()[0] for line in views.splitlines()] == ["view", "runs", "metrics"]
    runs = typed("--schema", "RUNS").stdout
    assert "duration_s  Float64  s" in runs
    assert "How long it ran." in runs
    assert "e.g. SELECT name FROM runs" in runs


def test_without_pyarrow_it_says_what_to_install(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    done = typed("SELECT 1")
    assert done.exit_code == 2
    assert 'pip install "weir[api]"' in done.stderr


def command(sql_gateway: SqlGateway, *words: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "WEIR_TOKEN": sql_gateway.tokens["reader"]}
    line = [sys.executable, "-c", "from weir.cli import main; main()", "sql", *words]
    return subprocess.Popen(
        [*line, "--server", sql_gateway.address],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def test_ctrl_c_ends_the_statement_on_the_server(sql_gateway: SqlGateway) -> None:
    sql_gateway.reader.batches = numbers([1] * 10_000) * 100_000
    process = command(sql_gateway, "SELECT n", "--format", "csv")
    assert process.stdout is not None
    assert process.stdout.readline() == "n\n"
    assert process.stdout.readline() == "1\n"
    sql_gateway.reader.closed.clear()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert sql_gateway.reader.closed.wait(10)


def test_watching_asks_again_and_waits_for_a_server_that_is_away(
    sql_gateway: SqlGateway,
) -> None:
    reader = sql_gateway.reader
    process = command(sql_gateway, "SELECT n", "--watch", "0.1", "--format", "jsonl")
    eventually(lambda: len(reader.asked) >= 2)
    reader.fails = StoreUnavailable("ClickHouse is away")
    before = len(reader.asked)
    eventually(lambda: len(reader.asked) >= before + 2)
    reader.fails = None
    before = len(reader.asked)
    eventually(lambda: len(reader.asked) >= before + 2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "ClickHouse is away" in err
    assert out.splitlines()[:3] == ['{"n": 1}', '{"n": 2}', '{"n": 3}']


# ── the prompt ───────────────────────────────────────────────────────────────


@pytest.fixture
def api(sql_gateway: SqlGateway):
    with weir.Api(sql_gateway.address, sql_gateway.tokens["reader"]) as one:
        yield one


def test_entries_end_with_a_semicolon_or_are_commands() -> None:
    assert not is_whole("SELECT 1\nFROM runs")
    assert is_whole("SELECT 1\nFROM runs; ")
    assert is_whole("\\d runs")
    assert is_whole(" ")


def test_a_conversation_goes_on_over_errors_until_it_is_left(
    api, sql_gateway: SqlGateway, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    one = Talk(api, Wish())
    assert one.take("SELECT n;")
    assert capsys.readouterr().out.split() == ["n", "1", "2", "3"]
    sql_gateway.reader.fails = Refused("no table 'x'")
    assert one.take("SELECT * FROM x;")
    assert "weir: no table 'x'" in capsys.readouterr().err
    sql_gateway.reader.fails = None
    for wrong in ("\\format xml", "\\format parquet", "\\limit 0", "\\nothing", "\\d nothing"):
        assert one.take(wrong)
        assert capsys.readouterr().err.startswith("weir: ")
    assert one.take("\\d")
    assert "One row per run." in capsys.readouterr().out
    assert one.take("\\d runs;")
    assert "duration_s" in capsys.readouterr().out
    assert one.take("\\limit 2")
    assert one.take("\\format jsonl")
    assert one.take(f"\\o {tmp_path / 't.jsonl'}")
    assert one.take("SELECT n;")
    assert (tmp_path / "t.jsonl").read_text().splitlines() == ['{"n": 1}', '{"n": 2}', '{"n": 3}']
    assert sql_gateway.reader.asked[-1].limits.result_rows == 2
    assert one.take("")
    assert one.take(";")
    assert one.take("\\?")
    assert not one.take("\\q")


def test_completion_knows_views_their_columns_and_aliases(api) -> None:
    views = api.views()

    def offered(before: str, behind: str = "") -> list[str]:
        return [word for word, _ in completions(views, ["minMap", "sum"], before, before + behind)]

    assert offered("SELECT * FROM r") == ["runs", "run_id"]
    assert offered("sel") == ["SELECT"]
    assert offered("SELECT r.d", " FROM runs AS r") == ["duration_s"]
    assert offered("SELECT runs.", " FROM runs") == []
    assert offered("SELECT runs.p", " FROM runs") == ["project"]
    assert offered("SELECT d", " FROM metrics") == ["DISTINCT", "DESC"]
    assert offered("SELECT su") == ["sum("]
    assert offered("SELECT ") == []
    assert {"quantile", "toStartOfInterval"} <= set(api.functions())


def test_the_prompt_remembers_entries_and_takes_statements_over_several_lines(
    api, sql_gateway: SqlGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prompt_toolkit.application import create_app_session
    from prompt_toolkit.input import create_pipe_input
    from prompt_toolkit.output import DummyOutput

    monkeypatch.setattr("click.get_app_dir", lambda _: str(tmp_path / "weir"))
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text("SELECT n\rFROM runs;\r")  # Enter is \r
        keys.send_text("SELECT nothing\x03")  # Ctrl-C forgets it
        keys.send_text("SELECT 2;\r")
        keys.send_text("\\q\r")
        talk(api, Wish())
    asked = [question.text for question in sql_gateway.reader.asked]
    assert asked == ["SELECT n\nFROM runs;", "SELECT 2;"]
    path = history_file()
    assert path is not None
    assert "+FROM runs;" in path.read_text()
    assert "nothing" not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_without_prompt_toolkit_the_prompt_says_what_to_install(
    api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "prompt_toolkit", None)
    with pytest.raises(UsageError, match=r'pip install "weir\[sql\]"'):
        talk(api, Wish())
