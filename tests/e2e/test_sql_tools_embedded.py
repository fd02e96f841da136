"""SQL on a whole Weir: what a script logs is asked over the door, over gRPC, and from a shell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import clickhouse_connect
import pytest

import weir
from tests.e2e.fixtures_up import EmbeddedWeir, wait_until

POINTS = 1_000
COUNT = "SELECT count() FROM metrics WHERE project = 'sql-e2e'"


@pytest.fixture(scope="module")
def logged(embedded_weir: EmbeddedWeir, tmp_path_factory: pytest.TempPathFactory) -> EmbeddedWeir:
    script = (
        "import weir\n"
        "run = weir.init('sql-e2e', id='sql-one')\n"
        f"for step in range({POINTS}): run.log({{'loss': 1 / (step + 1)}})\n"
        "run.finish()\n"
    )
    spool = tmp_path_factory.mktemp("spool")
    environment = {**embedded_weir.environment(spool), "WEIR_SYSTEM": "false"}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True, timeout=120)
    return embedded_weir


def test_a_tool_reads_through_the_door_what_was_logged(logged: EmbeddedWeir) -> None:
    door = logged.state["sql"]
    assert f"sql         {door}" in logged.said
    where = urlsplit(door)
    with clickhouse_connect.get_client(host=where.hostname, port=where.port) as client:
        wait_until(lambda: client.command(COUNT) == POINTS, "every point is there")
        frame = client.query_df(
            "SELECT step, value FROM metrics WHERE run_id = 'sql-one' ORDER BY step"
        )
        assert frame["value"].tolist() == [1 / (step + 1) for step in range(POINTS)]
        with pytest.raises(clickhouse_connect.driver.exceptions.DatabaseError, match="file"):
            client.query("SELECT * FROM file('/etc/passwd', 'LineAsString')")


def test_a_script_and_a_shell_ask_the_gateway(logged: EmbeddedWeir, tmp_path: Path) -> None:
    with weir.Api(logged.gateway) as api:
        wait_until(lambda: next(api.sql(COUNT).rows())["count()"] == POINTS, "all are there")
        assert {"runs", "metrics", "system"} <= {view.name for view in api.views()}
        for view in api.views():
            api.sql(view.example).to_arrow()
        cut = api.sql("SELECT step FROM metrics", limit=10)
        assert (cut.to_arrow().num_rows, cut.cut) == (10, True)
        total = sum(batch.num_rows for batch in api.sql("SELECT * FROM metrics").batches())
        assert total >= POINTS
    command = [sys.executable, "-m", "weir.cli", "sql", "--server", logged.gateway]
    environment = {**os.environ, "WEIR_DIR": str(tmp_path)}

    def typed(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *words],
            input=stdin,
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )

    said = typed(
        "SELECT max(step) AS last FROM metrics WHERE run_id = {r:String}",
        *("--param", "r=sql-one", "--format", "json"),
    )
    assert json.loads(said.stdout) == [{"last": POINTS - 1}]
    several = typed(
        "SELECT count() AS n FROM metrics WHERE has({runs:Array(String)}, run_id)",
        *("--param", 'runs=["sql-one", "it\'s"]', "--format", "csv"),
    )
    assert several.stdout.split() == ["n", str(POINTS)]
    assert typed("--schema", "metrics").stdout.startswith("metrics: ")
    refused = typed(stdin="DROP TABLE runs")
    assert (refused.returncode, "DROP" in refused.stderr) == (1, True)
    parquet = tmp_path / "points.parquet"
    typed("SELECT * FROM metrics WHERE run_id = 'sql-one'", "-o", str(parquet))
    polars = pytest.importorskip("polars")
    assert polars.read_parquet(parquet).height == POINTS
