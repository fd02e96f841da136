"""Four processes × 50 metrics until queryable, beside a bare Arrow insert into the same table and MLflow's server."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from benchmarks import rows
from benchmarks.harness import PEERS_PYTHON, ROOT, Figure, Weir, run_script, running_weir

WRITERS, METRICS, STEPS = 4, 50, 20_000
BLOCK_STEPS = 5_000
MLFLOW_POINTS = 5_000


def measure() -> list[Figure]:
    """Measure bare, Weir, bare again; the mean of the two bare runs is what Weir is held against."""
    with running_weir() as weir:
        client = connect(weir)
        _bare_insert(client, "warm-up")
        before = _bare_insert(client, "bare-1")
        ours = _through_weir(weir, client)
        after = _bare_insert(client, "bare-2")
    bare = (before + after) / 2
    mlflow = run_script(PEERS_PYTHON, "peers/mlflow_ingest.py", WRITERS, METRICS, MLFLOW_POINTS)[
        "points_per_s"
    ]
    return [
        Figure("bare Arrow insert into the engine", bare, "rows/s"),
        Figure("Weir, 4 processes × 50 metrics, until queryable", ours, "points/s"),
        Figure("share of the bare insert", ours / bare, "", ">= 0.35"),
        Figure("MLflow server on SQLite, 4 clients, batches of 1 000", mlflow, "points/s"),
        Figure("faster than MLflow", ours / mlflow, "×", ">= 30"),
    ]


def connect(weir: Weir) -> Client:
    """Return a plain ClickHouse client on the engine."""
    host, port = weir.clickhouse.removeprefix("http://").split(":")
    return clickhouse_connect.get_client(
        host=host,
        port=int(port),
        username=weir.user,
        password=weir.password,
        compress=False,
        autogenerate_session_id=False,
    )


def _bare_insert(client: Client, run_id: str) -> float:
    """Insert as many rows as Weir will bring, with the settings that are fastest and still safe."""
    blocks = [
        rows.losses(run_id, metrics=METRICS, steps=BLOCK_STEPS, first_step=first)
        for first in range(0, STEPS, BLOCK_STEPS)
    ]
    start = time.perf_counter()
    for index, block in enumerate(blocks):
        token = f"{run_id}-{index}"
        settings = {
            "async_insert": 0,
            "optimize_on_insert": 0,
            "insert_deduplication_token": token,
        }
        client.insert_arrow("weir_raw.points", block, settings=settings)
    return sum(block.num_rows for block in blocks) / (time.perf_counter() - start)


def _through_weir(weir: Weir, client: Client) -> float:
    total, run_id = WRITERS * METRICS * STEPS, "flood"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as spool:
        start_at = time.time() + 4
        writers = [
            subprocess.Popen(
                [
                    sys.executable,
                    str(ROOT / "benchmarks/weir_flood.py"),
                    run_id,
                    str(rank),
                    str(METRICS),
                    str(STEPS),
                    str(start_at),
                ],
                env={
                    **os.environ,
                    "PYTHONPATH": str(ROOT),
                    "WEIR_SERVER": weir.gateway,
                    "WEIR_DIR": spool,
                },
                stdout=subprocess.DEVNULL,
            )
            for rank in range(WRITERS)
        ]
        deadline = time.time() + 300
        while (stored := _stored(client, run_id)) < total and time.time() < deadline:
            time.sleep(0.1)
        seconds = time.time() - start_at
        for writer in writers:
            writer.wait()
    exact = client.query(
        "SELECT count() FROM weir_raw.points FINAL WHERE project = 'bench' AND run_id = {r:String}",
        {"r": run_id},
    )
    if (found := exact.result_rows[0][0]) != total:
        raise SystemExit(f"logged {total} points, found {found} (last look: {stored})")
    return total / seconds


def _stored(client: Client, run_id: str) -> int:
    answer = client.query(
        "SELECT count() FROM weir_raw.points WHERE project = 'bench' AND run_id = {r:String}",
        {"r": run_id},
    )
    return int(answer.result_rows[0][0])
