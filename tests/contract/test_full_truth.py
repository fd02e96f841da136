"""Readers give the same points with names as dictionaries, and texts page by page: both readers, one suite."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa
import pytest

from tests.contract.small_stores import StoreBuilder
from weir_store import clickhouse
from weir_store.base import Reader
from weir_store.inserter import ClickHouseInserter
from weir_store.memory import MemoryStore
from weir_store.memory_reader import MemoryReader
from weir_store.reader import ClickHouseReader
from weir_store.records import Reduce, RunRef, SeriesQuery

DATABASE = "full_truth"


@pytest.fixture(params=["memory", "clickhouse"])
def told(
    request: pytest.FixtureRequest, connection: clickhouse.ClickHouse
) -> Callable[[StoreBuilder], Reader]:
    def tell(builder: StoreBuilder) -> Reader:
        block = builder.take_block()
        if request.param == "memory":
            store = MemoryStore()
            store.insert(block, "")
            return MemoryReader(store)
        ClickHouseInserter(connection, DATABASE).insert(block, uuid.uuid4().hex)
        return ClickHouseReader(connection, DATABASE)

    return tell


@pytest.fixture
def ref() -> RunRef:
    return RunRef(uuid.uuid4().hex, "r")


@pytest.mark.parametrize(
    "shape", [{}, {"max_points": 4}, {"max_points": 4, "reduce": Reduce.RANKS}]
)
def test_names_as_dictionaries_are_the_same_names(
    told: Callable[[StoreBuilder], Reader], ref: RunRef, shape: dict[str, object]
) -> None:
    builder = StoreBuilder()
    builder.add_run(ref)
    for step in range(20):
        for metric in ("loss", "lr"):
            builder.add_point(ref, metric, step, float(step), rank=step % 2)
    reader = told(builder)
    query = SeriesQuery((ref,), ("loss", "lr"), **shape)  # type: ignore[arg-type]
    plain, encoded = reader.read_series(query), reader.read_series(replace(query, encoded=True))
    assert {encoded.schema.field(name).type for name in ("project", "run_id", "metric")} == {
        pa.dictionary(pa.int32(), pa.string())
    }
    assert plain.num_rows
    assert encoded.cast(plain.schema).equals(plain)
    streamed = list(reader.stream_series(replace(query, encoded=True)))
    assert pa.Table.from_batches(streamed).cast(plain.schema).equals(plain)


def test_texts_go_on_behind_the_place_one_names(
    told: Callable[[StoreBuilder], Reader], ref: RunRef
) -> None:
    builder = StoreBuilder()
    builder.add_run(ref)
    for rank in (0, 1):
        for step in (-2, 0, 5):
            builder.add_point(ref, "sample", step, f"{rank} {step}", rank=rank)
    reader = told(builder)
    after, seen = None, []
    while page := reader.read_text(ref, "sample", limit=2, after=after).to_pylist():
        seen += [row["value"] for row in page]
        after = page[-1]["rank"], page[-1]["step"]
    assert seen == ["0 -2", "0 0", "0 5", "1 -2", "1 0", "1 5"]
    assert reader.read_media(ref, "sample", after=(0, 0)).num_rows == 0
