"""A process that rolls or thaws a run dies at every point: nothing is missing, doubled or left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.told_frames import everything, of_a_node
from tests.integration.cold_worker import changes
from tests.integration.fixtures_cold import ColdHouse, cold_house, local_objects
from tests.integration.fixtures_engine import EngineProcess
from tests.unit.server import frames
from weir_store.changes.base import Change, ChangeState
from weir_store.cold.base import COLD_TABLES
from weir_store.records import RunRef

DATABASE = "cold_killed"
KILLED = 137
ROLL = (
    *("cold.after_write", "cold.after_compare", "cold.before_note", "cold.after_note"),
    *("cold.mid_free", "cold.after_free"),
)
THAW = ("cold.mid_fill", "cold.before_hot", "cold.after_hot", "cold.after_remove")
NOTHING = dict.fromkeys(COLD_TABLES, 0)


@pytest.fixture
def house(engine: EngineProcess, tmp_path: Path) -> Iterator[ColdHouse]:
    with cold_house(engine, DATABASE, *local_objects(tmp_path)) as house:
        house.changes = changes(engine.url, DATABASE, tmp_path)
        yield house


@pytest.fixture
def run(house: ColdHouse) -> RunRef:
    house.log("r", everything(0))
    house.log("r", of_a_node(5), rank=3, birth_s=frames.BIRTH_S + 1)
    return house.log("r", frames.grid(10, rows=100))


def killed(engine: EngineProcess, folder: Path, change: Change, point: str) -> int:
    """Let another process carry out a change until it dies there; return its exit status."""
    words = (engine.url, DATABASE, str(folder), str(change.change_id))
    return subprocess.run(
        [sys.executable, "-m", "tests.integration.cold_worker", *words],
        env={**os.environ, "WEIR_FAULT": point},
        cwd=Path(__file__).parents[2],
        check=False,
    ).returncode


def asked(house: ColdHouse, change: Change) -> Change:
    return house.changes.begin(change)


def shown(house: ColdHouse, run: RunRef) -> tuple[object, ...]:
    return house.points(run, "loss"), house.reader.read_ledger(run), house.views([run])


@pytest.mark.parametrize("point", ROLL)
def test_a_roll_that_is_killed_shows_every_row_once_and_is_gone_on_with(
    engine: EngineProcess, house: ColdHouse, run: RunRef, tmp_path: Path, point: str
) -> None:
    before = shown(house, run)
    change = asked(house, house.cold.rolling.ask(run, by="ann", at_unix_us=time.time_ns() // 1_000))
    assert killed(engine, tmp_path, change, point) == KILLED
    assert shown(house, run) == before
    assert house.changes.resume() >= 1
    assert house.changes.book.get(change.change_id).state is ChangeState.DONE
    assert shown(house, run) == before
    rolled = house.is_cold(run)
    # Once what was written is noted it may have been changed since: then it is not written anew.
    assert rolled is (point != "cold.before_note")
    assert (house.hot_rows(run) == NOTHING) is rolled
    assert len(house.keys(run)) == (3 if rolled else 0)


@pytest.mark.parametrize("point", THAW)
def test_a_thaw_that_is_killed_shows_every_row_once_and_is_gone_on_with(
    engine: EngineProcess, house: ColdHouse, run: RunRef, tmp_path: Path, point: str
) -> None:
    before, rows = shown(house, run), house.hot_rows(run)
    house.roll(run)
    change = asked(house, house.cold.thawing.ask(run, by="ann", at_unix_us=time.time_ns() // 1_000))
    assert killed(engine, tmp_path, change, point) == KILLED
    assert shown(house, run) == before
    assert house.changes.resume() >= 1
    assert house.changes.book.get(change.change_id).state is ChangeState.DONE
    assert shown(house, run) == before
    assert not house.is_cold(run)
    assert house.hot_rows(run) == rows
    assert house.keys(run) == []
