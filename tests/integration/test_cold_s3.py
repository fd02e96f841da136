"""Cold runs in a bucket: the engine reads a real S3 server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.fixtures_objects import PASSWORD, USER, MinioServer, minio
from tests.contract.told_frames import everything, of_a_node
from tests.integration.fixtures_cold import ColdHouse, cold_house
from tests.integration.fixtures_engine import EngineProcess
from tests.integration.test_changes_points import fork
from tests.unit.server import frames
from weir_store.changes.base import ChangeState
from weir_store.cold.base import COLD_TABLES
from weir_store.cold.place import BucketPlace
from weir_store.records import RunRef, Verdict

DATABASE = "cold_s3"

__all__ = ["minio"]


@pytest.fixture
def house(engine: EngineProcess, minio: MinioServer) -> Iterator[ColdHouse]:
    place = BucketPlace(minio.endpoint, "weir", USER, PASSWORD)
    with cold_house(engine, DATABASE, minio.objects(), place) as house:
        yield house


@pytest.fixture
def run(house: ColdHouse) -> RunRef:
    house.log("r", everything(0))
    house.log("r", of_a_node(5), rank=3, birth_s=frames.BIRTH_S + 1)
    return house.log("r", frames.grid(10, rows=500))


def test_a_run_in_a_bucket_is_answered_as_before_forked_deleted_and_brought_back(
    house: ColdHouse, run: RunRef
) -> None:
    child = fork(house, run, "child", 100)
    before, rows = house.shown(run, child), house.hot_rows(run)
    assert house.roll(run).state is ChangeState.DONE
    assert len(house.keys(run)) == 3
    assert house.hot_rows(run) == dict.fromkeys(COLD_TABLES, 0)
    assert house.shown(run, child) == before
    assert house.verdict(run) is Verdict.WHOLE
    house.thaw(run)
    assert house.hot_rows(run) == rows
    assert house.keys(run) == []
    assert house.points(child, "loss")
    house.roll(run)
    house.delete(child)
    house.delete(run)
    assert house.keys(run) == []


def test_nobody_is_shown_the_key_of_the_bucket(house: ColdHouse, run: RunRef) -> None:
    house.roll(run)
    sql = f"SELECT create_table_query FROM system.tables WHERE database = '{house.raw}'"
    shown = [text for (text,) in house.clickhouse.query_rows(sql)]
    assert any("[HIDDEN]" in text for text in shown)
    assert not any(PASSWORD in text for text in shown)
    assert PASSWORD not in repr(BucketPlace("e", "b", USER, PASSWORD))


def test_while_the_bucket_is_away_hot_runs_are_read_and_nothing_is_lost(
    house: ColdHouse, run: RunRef, minio: MinioServer
) -> None:
    other = house.log("other", frames.grid(0, rows=20))
    house.roll(run)
    before = house.points(run, "loss")
    minio.kill()
    try:
        assert len(house.points(other, "loss")) == 20
        assert house.run(run).run_id == "r"
    finally:
        minio.start()
    assert house.points(run, "loss") == before
