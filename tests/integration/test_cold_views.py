"""Whatever runs were rolled: views and readers of a store that is half cold say what they said of the hot one."""

from __future__ import annotations

import random
import uuid
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.contract.branched_stores import Launch, blocks_of, histories
from tests.contract.small_stores import StoreBuilder
from tests.integration.fixtures_cold import ColdHouse, cold_house, local_objects
from tests.integration.fixtures_engine import EngineProcess
from weir_store.base import Block
from weir_store.records import RunQuery, RunRef, SeriesQuery

DATABASE = "cold_views"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("objects")


def said(house: ColdHouse) -> list[object]:
    """Return what is said of a whole project, at once."""
    runs = house.reader.list_runs(RunQuery(house.project, limit=100)).runs
    refs = tuple(sorted(run.ref for run in runs))
    names = house.reader.list_metrics([], project=house.project).metrics
    metrics = tuple(sorted(each.name for each in names if not each.is_text))
    found: list[object] = [house.views(refs)]
    for more in ({}, {"max_points": 5}):
        if refs and metrics:
            query = SeriesQuery(refs, metrics, **more)
            found.append(list(map(repr, house.reader.read_series(query).to_pylist())))
    found.append(list(map(repr, house.reader.read_latest(list(refs)).to_pylist())) if refs else [])
    return found


def ended(runs: list[RunRef]) -> Block:
    builder = StoreBuilder()
    for ref in runs:
        builder.add_session(ref, uuid.uuid4(), state="finished")
    return builder.take_block()


@settings(
    max_examples=4,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(history=histories(), seed=st.integers(0, 1 << 16), data=st.data())
def test_a_half_cold_store_says_what_the_hot_one_said(
    engine: EngineProcess,
    folder: Path,
    history: list[Launch],
    seed: int,
    data: st.DataObject,
) -> None:
    with cold_house(engine, DATABASE, *local_objects(folder)) as house:
        for block in blocks_of(house.project, history, random.Random(seed)):
            house.inserter.insert(block, uuid.uuid4().hex)
        runs = [run.ref for run in house.reader.list_runs(RunQuery(house.project)).runs]
        house.inserter.insert(ended(runs), uuid.uuid4().hex)
        before = said(house)
        for ref in data.draw(st.lists(st.sampled_from(runs), unique=True)):
            house.roll(ref)
            assert house.is_cold(ref)
        assert said(house) == before
