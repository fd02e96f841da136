"""The dashboard process over a real engine: three runs of a sweep and one of 512 ranks, rules may be changed."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contract.many_ranks import Job, blocks_of
from tests.contract.small_stores import StoreBuilder
from tests.e2e.fixtures_dashboard import Served, listen
from tests.integration.fixtures_engine import running_engine
from weir_store import clickhouse
from weir_store.inserter import ClickHouseInserter
from weir_store.migrate import migrate
from weir_store.records import RunRef

DATABASE = "pages"
SWEEP = [RunRef("sweep", f"r{number}") for number in range(3)]
STEPS = 4_000
WIDE = Job(RunRef("pretrain", "wide"), ranks=512, steps=100, slow=7, nan=3, diverging=9)


@dataclass
class Stored(Served):
    """A running dashboard over a real store."""

    url: str = ""


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    with running_engine(tmp_path_factory.mktemp("pages") / "clickhouse") as engine:
        _fill(engine.url)
        yield from _serve(engine.url)


@pytest.fixture(params=["light", "dark"])
def look(request) -> str:
    return str(request.param)


@pytest.fixture
def desk(browser, stored: Stored):
    """A page of a wide window, which may write to the clipboard; complaints fail the test."""
    context = browser.new_context(viewport={"width": 1500, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    listen(page, stored)
    yield page
    context.close()
    complaints, stored.complaints = stored.complaints, []
    assert not complaints, complaints


def shoot(page, name: str) -> None:
    """Leave a picture for people, where WEIR_PICTURES says."""
    import os

    folder = os.environ.get("WEIR_PICTURES")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def _fill(url: str) -> None:
    builder = StoreBuilder()
    for number, ref in enumerate(SWEEP):
        builder.add_run(ref)
        builder.add_attr(ref, "config", "lr", 10.0 ** -(number + 2))
        for step in range(STEPS):
            bad = number == 1 and step == STEPS - 1
            builder.add_point(
                ref, "train/loss", step, math.nan if bad else 2 / (1 + step / 100) + number / 10
            )
    with closing(clickhouse.connect(url)) as connection:
        migrate(connection, DATABASE)
        inserter = ClickHouseInserter(connection, DATABASE)
        inserter.insert(builder.take_block(), "sweep")
        for number, block in enumerate(blocks_of(WIDE)):
            inserter.insert(block, f"wide-{number}")


def _serve(url: str) -> Iterator[Stored]:
    command = [sys.executable, "-P", "-m", "weir_dashboard", "--port", "0", "--edit-rules"]
    command += ["--clickhouse-url", url, "--database", DATABASE]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        ready = process.stdout.readline()
        assert "dashboard ready on " in ready
        yield Stored(ready.split()[-1], process, url=url)
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()
