"""One suite for both doors to many runs at once: what ClickHouse answers is what the plain loops answer."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.contract.small_stores import METRICS, NOW_UNIX_US, random_blocks
from weir_store import clickhouse
from weir_store.base import Block
from weir_store.compared.base import MOST_RUNS, RESULTS, CompareReader
from weir_store.compared.clickhouse import ClickHouseCompare
from weir_store.compared.memory import MemoryCompare
from weir_store.errors import InvalidQuery
from weir_store.inserter import ClickHouseInserter
from weir_store.memory import MemoryStore
from weir_store.memory_reader import MemoryReader
from weir_store.records import RunRef, SeriesQuery

DATABASE = "compared_contract"
few = settings(max_examples=6, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))


@pytest.fixture(scope="module")
def seeded(
    connection: clickhouse.ClickHouse,
) -> Callable[[int], tuple[str, CompareReader, CompareReader, MemoryStore]]:
    """Return what fills a new project: its name, the stored door, the model's, the model's store."""

    def make(seed: int) -> tuple[str, CompareReader, CompareReader, MemoryStore]:
        project = f"p-{uuid.uuid4().hex}"
        blocks: list[Block] = random_blocks(project, seed)
        inserter, store = ClickHouseInserter(connection, DATABASE), MemoryStore()
        for block in blocks:
            inserter.insert(block, uuid.uuid4().hex)
            store.insert(block, "")
        stored = ClickHouseCompare(connection, DATABASE, now_unix_us=lambda: NOW_UNIX_US)
        return project, stored, MemoryCompare(store, now_unix_us=lambda: NOW_UNIX_US), store

    return make


Seeded = Callable[[int], tuple[str, CompareReader, CompareReader, MemoryStore]]


@few
@given(seed=st.integers(0, 1 << 32))
def test_the_same_runs_and_results_come_from_both(seeded: Seeded, seed: int) -> None:
    project, stored, model, _ = seeded(seed)
    refs = [RunRef(project, f"run{n}") for n in (3, 0, 4, 1, 2, 0)]
    assert stored.get_runs(refs) == model.get_runs(refs)
    columns = ("config.lr", "summary.loss")
    assert stored.get_runs(refs, columns) == model.get_runs(refs, columns)
    for metrics in ((), METRICS[:2]):
        for mean in (False, True):
            found = stored.read_results(refs, metrics, mean=mean)
            expected = model.read_results(refs, metrics, mean=mean)
            assert found.schema == expected.schema == RESULTS
            assert_close(found, expected)


@few
@given(seed=st.integers(0, 1 << 32))
def test_results_are_those_of_numpy_over_every_point(seeded: Seeded, seed: int) -> None:
    project, stored, _, store = seeded(seed)
    refs = tuple(RunRef(project, f"run{n}") for n in range(5))
    points = MemoryReader(store).read_series(SeriesQuery(refs, METRICS)).to_pylist()
    rows = stored.read_results(refs, mean=True).to_pylist()
    series = {(p["run_id"], p["metric"]) for p in points}
    assert {(row["run_id"], row["metric"]) for row in rows} == series
    for row in rows:
        of_metric = [
            p for p in points if (p["run_id"], p["metric"]) == (row["run_id"], row["metric"])
        ]
        lowest = min(p["rank"] for p in of_metric)
        values = np.array([p["value"] for p in of_metric if p["rank"] == lowest])
        finite = values[np.isfinite(values)]
        assert row["rank"] == lowest
        assert same(row["last"], values[-1])
        assert same(row["min"], finite.min() if len(finite) else math.nan)
        assert same(row["max"], finite.max() if len(finite) else math.nan)
        assert same(row["mean"], finite.mean() if len(finite) else math.nan)
        assert bool(row["nonfinite"]) == (len(finite) < len(values))


@pytest.mark.parametrize("which", [0, 1])
def test_runs_that_are_not_there_are_left_out(seeded: Seeded, which: int) -> None:
    project, *doors, _ = seeded(7)
    door = doors[which]
    there = [RunRef(project, f"run{n}") for n in range(5)]
    gone = RunRef(project, "never-was")
    assert door.get_runs([gone, *there]) == door.get_runs(there) != []
    assert door.get_runs([gone]) == door.get_runs([]) == []
    assert door.read_results([gone]).num_rows == door.read_results([]).num_rows == 0


@pytest.mark.parametrize("which", [0, 1])
def test_too_many_runs_are_refused_with_the_limit(seeded: Seeded, which: int) -> None:
    project, *doors, _ = seeded(8)
    many = [RunRef(project, f"r{n}") for n in range(MOST_RUNS + 1)]
    for ask in (doors[which].get_runs, doors[which].read_results):
        with pytest.raises(InvalidQuery, match="1,001 runs"):
            ask(many)
    assert doors[which].get_runs(many[:MOST_RUNS]) == []


def assert_close(found: pa.Table, expected: pa.Table) -> None:
    assert found.num_rows == expected.num_rows
    for one, other in zip(found.to_pylist(), expected.to_pylist(), strict=True):
        for name in RESULTS.names:
            left, right = one[name], other[name]
            assert same(left, right) if isinstance(right, float) else left == right, (name, one)


def same(a: float, b: float) -> bool:
    return bool(math.isnan(a) and math.isnan(b)) or a == b or math.isclose(a, b, rel_tol=1e-9)
