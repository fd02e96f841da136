"""What the materialised views keep: the same whatever is repeated, and what a slow count would say."""

import math
import struct
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple
from uuid import uuid4

import numpy as np
import pytest

from tests.integration.fixtures_engine import EngineProcess
from tests.unit.server import frames
from weir_server.writer.rows import build_block
from weir_server.writer.unpack import unpack
from weir_store.base import Block
from weir_store.clickhouse import ClickHouse, connect
from weir_store.inserter import ClickHouseInserter
from weir_store.migrate import migrate

VALUES = [2.0, math.nan, -3.5, math.inf, 7.25, -math.inf, 0.0]


class Store(NamedTuple):
    clickhouse: ClickHouse
    inserter: ClickHouseInserter
    database: str

    def rows(self, sql: str) -> list[tuple]:
        return self.clickhouse.query_rows(sql.replace("raw.", f"{self.database}_raw."))


@pytest.fixture
def store(engine: EngineProcess) -> Iterator[Store]:
    clickhouse, database = connect(engine.url), f"v{uuid4().hex[:8]}"
    migrate(clickhouse, database)
    yield Store(clickhouse, ClickHouseInserter(clickhouse, database), database)
    clickhouse.command(f"DROP DATABASE {database}_raw")
    clickhouse.close()


def value_at(step: int) -> float:
    return VALUES[step % len(VALUES)] + (
        step // 64 if math.isfinite(VALUES[step % len(VALUES)]) else 0
    )


def block(first_step: int, count: int, seq: int) -> Block:
    body = frames.grid(first_step, count, ["loss"])
    steps = range(first_step, first_step + count)
    body.points[0].value = struct.pack(f"<{count}d", *(value_at(step) for step in steps))
    return build_block([unpack(frames.entry(body, seq))])


def insert_all(store: Store, tokens: str) -> None:
    for seq, first_step in enumerate((-130, -30, 70, 170), 1):
        store.inserter.insert(block(first_step, 100, seq), f"{tokens}{seq}")


BUCKETS = """SELECT bucket, argMinMerge(first), argMaxMerge(last), min(min_v), max(max_v),
  groupBitOr(nonfinite), min(min_step), max(max_step)
FROM raw.points_64 GROUP BY bucket ORDER BY bucket"""
SERIES = """SELECT argMaxMerge(last), argMinMerge(first), min(min_v), max(max_v), argMinMerge(series.min_at),
  argMaxMerge(series.max_at), max(has_nan), max(has_pos_inf), max(has_neg_inf), min(min_step), max(max_step),
  toUnixTimestamp64Micro(argMaxMerge(last_ts)) FROM raw.series"""


def expected_buckets() -> list[tuple]:
    steps = defaultdict(list)
    for step in range(-130, 270):
        steps[step >> 6].append(step)
    return [
        (
            bucket,
            value_at(found[0]),
            value_at(found[-1]),
            *finite_range(found),
            flags(found),
            found[0],
            found[-1],
        )
        for bucket, found in sorted(steps.items())
    ]


def finite_range(steps: list[int]) -> tuple[float, float]:
    finite = [value_at(step) for step in steps if math.isfinite(value_at(step))]
    return min(finite), max(finite)


def flags(steps: list[int]) -> int:
    values = np.array([value_at(step) for step in steps])
    return int(
        np.isnan(values).any() + 2 * (values == np.inf).any() + 4 * (values == -np.inf).any()
    )


@pytest.mark.parametrize(
    "repeats", [("a",), ("a", "a"), ("a", "b", "c")], ids=["once", "retried", "replayed"]
)
def test_the_roll_up_says_what_a_slow_count_says(store: Store, repeats: tuple[str, ...]) -> None:
    for tokens in repeats:
        insert_all(store, tokens)

    assert [str(row) for row in store.rows(BUCKETS)] == [str(row) for row in expected_buckets()]


@pytest.mark.parametrize(
    "repeats", [("a",), ("a", "a"), ("a", "b", "c")], ids=["once", "retried", "replayed"]
)
def test_the_series_says_what_a_slow_count_says(store: Store, repeats: tuple[str, ...]) -> None:
    for tokens in repeats:
        insert_all(store, tokens)

    steps = range(-130, 270)
    low, high = finite_range(list(steps))
    (row,) = store.rows(SERIES)
    assert row[:4] == (value_at(269), value_at(-130), low, high)
    assert (value_at(row[4]), value_at(row[5])) == (low, high)
    assert row[6:11] == (1, 1, 1, -130, 269)
    assert row[11] == frames.ACCEPTED_UNIX_US + 269


def test_a_retried_insert_adds_no_row_to_any_table(store: Store) -> None:
    insert_all(store, "a")
    before = _counts(store)

    insert_all(store, "a")

    assert _counts(store) == before


def _counts(store: Store) -> list[tuple]:
    return store.rows(
        "SELECT (SELECT count() FROM raw.points), (SELECT count() FROM raw.series), (SELECT count() FROM raw.points_64)"
    )
