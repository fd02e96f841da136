"""The dashboard over a real engine with 130 runs that may be changed, and the gateway's part of changing them."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.contract.small_stores import StoreBuilder
from tests.e2e.fixtures_dashboard import Served, listen
from tests.integration.fixtures_engine import running_engine
from weir_store import clickhouse
from weir_store.changes.base import Change
from weir_store.changes.sweep import Changes
from weir_store.clickhouse import ClickHouse
from weir_store.inserter import ClickHouseInserter
from weir_store.migrate import migrate
from weir_store.reader import ClickHouseReader
from weir_store.records import RunRef

DATABASE = "tables"
PROJECT = "many"
RUNS = 130
HOSTILE = "<img src=x onerror=alert(1)> 🦊 " + "x" * 300


@dataclass
class Table(Served):
    """A running dashboard, and what asks its store."""

    clickhouse: Any = None
    told_to_stop: list[Change] = field(default_factory=list)

    @property
    def reader(self) -> ClickHouseReader:
        return ClickHouseReader(self.clickhouse, DATABASE)

    def take_up(self) -> None:
        """Do what a gateway does every two seconds."""
        Changes(
            self.clickhouse,
            DATABASE,
            ClickHouseInserter(self.clickhouse, DATABASE),
            self.reader,
            now_unix_us=lambda: time.time_ns() // 1_000,
            stop=self.told_to_stop.append,
        ).take_up()


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    with (
        running_engine(tmp_path_factory.mktemp("tables") / "clickhouse") as engine,
        closing(clickhouse.connect(engine.url)) as connection,
    ):
        migrate(connection, DATABASE)
        fill(connection)
        yield from serve(engine.url, connection)


def fill(connection: ClickHouse) -> None:
    builder = StoreBuilder()
    now_s = time.time()
    for number in range(RUNS):
        ref = RunRef(PROJECT, f"r{number:03}")
        builder.add_run(ref, created_s=now_s - 86_400 + number)
        builder.add_attr(ref, "meta", "name", HOSTILE if number == 7 else f"run {number}")
        builder.add_attr(ref, "config", "lr", 10.0 ** -(number % 5 + 1))
        builder.add_attr(ref, "config", "optimizer.name", ("adam", "sgd")[number % 2])
        builder.add_attr(ref, "config", f"rare/{number}", number)
        if number % 10 == 0:
            builder.add_attr(ref, "tag", "base", True)
        for step in range(5):
            bad = number == 3 and step == 4
            builder.add_point(
                ref, "val/loss", step, math.nan if bad else abs(number - 60) / 10 + (step - 2) ** 2
            )
            builder.add_point(ref, "train/acc", step, number / RUNS)
    ClickHouseInserter(connection, DATABASE).insert(builder.take_block(), "many")


def serve(url: str, connection: ClickHouse) -> Iterator[Table]:
    command = [sys.executable, "-P", "-m", "weir_dashboard", "--port", "0", "--edit-runs"]
    command += ["--clickhouse-url", url, "--database", DATABASE]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        ready = process.stdout.readline()
        assert "dashboard ready on " in ready
        yield Table(ready.split()[-1], process, clickhouse=connection)
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


@pytest.fixture
def desk(browser, table: Table):
    """A page of a wide window; complaints fail the test."""
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(30_000)
    listen(page, table)
    yield page
    context.close()
    complaints, table.complaints = table.complaints, []
    assert not complaints, complaints
