"""The dashboard process over a real engine: started as `weir serve dashboard` starts it."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from tests.contract.small_stores import StoreBuilder
from tests.integration.fixtures_engine import EngineProcess, engine
from weir_store import clickhouse
from weir_store.inserter import ClickHouseInserter
from weir_store.migrate import migrate
from weir_store.records import RunRef

__all__ = ["engine"]
DATABASE = "dash"
REF = RunRef("gpt", "r1")
STEPS = 3_000


def log_steps(url: str, steps: range, token: str) -> None:
    builder = StoreBuilder()
    builder.add_run(REF)
    for step in steps:
        builder.add_point(
            REF, "train/loss", step, float("nan") if step == 1_500 else 1 / (step + 1)
        )
    with closing(clickhouse.connect(url)) as connection:
        ClickHouseInserter(connection, DATABASE).insert(builder.take_block(), token)


@pytest.fixture(scope="module")
def address(engine: EngineProcess) -> Iterator[str]:
    with closing(clickhouse.connect(engine.url)) as connection:
        migrate(connection, DATABASE)
    log_steps(engine.url, range(STEPS), "first")
    command = [sys.executable, "-P", "-m", "weir_dashboard", "--port", "0"]
    command += ["--clickhouse-url", engine.url, "--database", DATABASE]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


def ask(
    address: str, path: str, *parameters: tuple[str, str], etag: str = ""
) -> tuple[int, bytes, str]:
    request = Request(f"{address}{path}?{urlencode(parameters)}", headers={"If-None-Match": etag})
    try:
        with urlopen(request, timeout=30) as answer:
            return answer.status, answer.read(), answer.headers.get("ETag", "")
    except HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read(), ""


def series(address: str, *more: tuple[str, str], etag: str = "") -> tuple[int, bytes, str]:
    loss = (("run", "gpt/r1"), ("metric", "train/loss"), ("x", "step"), ("ranks", "each"))
    return ask(address, "/api/series", *loss, *more, etag=etag)


def header(body: bytes) -> dict:
    (size,) = struct.unpack_from("<I", body)
    return json.loads(body[4 : 4 + size])


def test_buckets_are_as_wide_as_the_chart_says(address):
    _, body, _ = series(address, ("buckets", "256"))
    assert header(body)["widths"]["train/loss"] == {"every": False, "width": 16.0}


def test_a_zoomed_window_holds_every_point(address):
    _, body, _ = series(address, ("buckets", "256"), ("lo", "1000"), ("hi", "1200"))
    assert header(body)["widths"]["train/loss"]["every"] is True
    assert header(body)["series"][0]["points"] == 200


def test_polling_costs_304_until_points_come(engine, address):
    _, _, etag = series(address, ("buckets", "256"))
    assert series(address, ("buckets", "256"), etag=etag)[0] == 304
    log_steps(engine.url, range(STEPS, STEPS + 100), "second")
    deadline = time.monotonic() + 20  # the state is shared for half a second
    while series(address, ("buckets", "256"), etag=etag)[0] == 304:
        assert time.monotonic() < deadline


def test_a_wrong_question_is_a_400_with_words(address):
    status, body, _ = ask(address, "/api/series", ("run", "gpt/r1"), ("x", "step"))
    assert status == 400
    assert json.loads(body)["error"]


def test_the_pages_are_there(address):
    status, body, _ = ask(address, "/")
    assert status == 200
    assert b"<script" in body
