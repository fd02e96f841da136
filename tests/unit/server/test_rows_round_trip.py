import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.server import frames
from weir_proto.v1 import ingest_pb2
from weir_server.writer.rows import build_block
from weir_server.writer.unpack import unpack
from weir_store import columns, tables

INT64 = st.integers(-(2**63), 2**63 - 1)
TIMES = st.integers(-(2**50), 2**50)
NAMES = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=5, unique=True)
FLOATS = st.floats(allow_nan=True, allow_infinity=True)


def columns_of(draw: Any, count: int, elements: st.SearchStrategy[Any]) -> list[Any]:
    return draw(st.lists(elements, min_size=count, max_size=count))


@st.composite
def bodies(draw: Any) -> ingest_pb2.Body:
    body = ingest_pb2.Body(schema=1, names=draw(NAMES))
    index = st.integers(0, len(body.names) - 1)
    for _ in range(draw(st.integers(0, 3))):
        rows, width = draw(st.integers(0, 4)), draw(st.integers(0, 3))
        body.points.add(
            width=width,
            metric=np.array(columns_of(draw, width or rows, index), "<u4").tobytes(),
            step=np.array(columns_of(draw, rows, INT64), "<i8").tobytes(),
            time_unix_us=np.array(columns_of(draw, rows, TIMES), "<i8").tobytes(),
            value=np.array(
                columns_of(draw, rows * width if width else rows, FLOATS), "<f8"
            ).tobytes(),
            rewrites=draw(st.booleans()),
        )
    for _ in range(draw(st.integers(0, 2))):
        count = draw(st.integers(0, 3))
        body.texts.add(
            metric=np.array(columns_of(draw, count, index), "<u4").tobytes(),
            step=np.array(columns_of(draw, count, INT64), "<i8").tobytes(),
            time_unix_us=np.array(columns_of(draw, count, TIMES), "<i8").tobytes(),
            value=columns_of(draw, count, st.text(max_size=5)),
            kind=draw(st.sampled_from([0, 1])),
        )
    return body


def naive_points(body: ingest_pb2.Body) -> Iterator[tuple[Any, ...]]:
    """Return (metric, step, time, value, rewrite) the slow way, straight from ingest.proto's comment."""
    for block in body.points:
        metric = np.frombuffer(block.metric, "<u4").tolist()
        step = np.frombuffer(block.step, "<i8").tolist()
        time = np.frombuffer(block.time_unix_us, "<i8").tolist()
        value = np.frombuffer(block.value, "<f8").tolist()
        for r in range(len(step)):
            if block.width == 0:
                yield body.names[metric[r]], step[r], time[r], value[r], int(block.rewrites)
            for c in range(block.width):
                v = value[r * block.width + c]
                yield body.names[metric[c]], step[r], time[r], v, int(block.rewrites)


def comparable(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple("nan" if isinstance(v, float) and math.isnan(v) else v for v in row)


@settings(deadline=None, max_examples=150)
@given(st.lists(bodies(), min_size=1, max_size=4), st.booleans())
def test_every_point_of_a_block_becomes_one_row_with_its_frame_coordinates(
    parts: list[ingest_pb2.Body], packed: bool
) -> None:
    sources = [
        frames.entry(body, seq, rank=seq % 3, run_id=f"r{seq % 2}", packed=packed)
        for seq, body in enumerate(parts, 1)
    ]

    block = build_block([unpack(source) for source in sources])

    expected = [
        comparable(
            (f"r{seq % 2}", metric, step, seq % 3, value, time, frames.BIRTH_S << 32 | seq, rewrite)
        )
        for seq, body in enumerate(parts, 1)
        for metric, step, time, value, rewrite in naive_points(body)
    ]
    names = ("run_id", "metric", "step", "rank", "value", "ts", "ver", "rewrite")
    assert _rows(block.get(tables.POINTS), names) == expected


@settings(deadline=None, max_examples=50)
@given(bodies())
def test_every_text_becomes_one_row(body: ingest_pb2.Body) -> None:
    block = build_block([unpack(frames.entry(body))])

    expected = [
        (body.names[m], s, t, v, ("text", "media")[texts.kind])
        for texts in body.texts
        for m, s, t, v in zip(
            np.frombuffer(texts.metric, "<u4").tolist(),
            np.frombuffer(texts.step, "<i8").tolist(),
            np.frombuffer(texts.time_unix_us, "<i8").tolist(),
            texts.value,
            strict=True,
        )
    ]
    names = ("metric", "step", "ts", "value", "kind")
    assert _rows(block.get(tables.TEXT_POINTS), names) == expected


def test_each_table_of_a_block_has_exactly_the_columns_of_the_store() -> None:
    body = frames.grid(0)
    body.texts.add(metric=bytes(4), step=bytes(8), time_unix_us=bytes(8), value=["x"])
    body.attrs.add(namespace=ingest_pb2.Attr.CONFIG, path="lr", float=0.1)
    body.session.state = ingest_pb2.SessionUpdate.RUNNING
    body.losses.add(reason="disk_full", points=3)
    body.branch.parent_run_id = "older"
    body.tallies.add(kind=ingest_pb2.Tally.POINT, count=2)

    body.system.add(metric=bytes(4), device=bytes(4), time_unix_us=bytes(8), value=bytes(8))
    body.lines.add(
        process=bytes(16),
        number=bytes(8),
        time_unix_us=bytes(8),
        stream=b"\1",
        level=b"\0",
        line=["x"],
    )

    block = build_block([unpack(frames.entry(body))])

    assert set(block) == set(tables.OF_FRAMES) - {tables.DEAD_LETTERS}
    assert all(rows.schema == columns.BY_TABLE[table] for table, rows in block.items())


def test_the_same_frames_always_become_the_same_rows() -> None:
    sources = [frames.entry(frames.grid(step, 3), seq) for seq, step in ((1, 0), (2, 3))]

    first, second = (build_block([unpack(source) for source in sources]) for _ in range(2))

    assert {table: rows.to_pylist() for table, rows in first.items()} == {
        table: rows.to_pylist() for table, rows in second.items()
    }


def _rows(table: Any, names: tuple[str, ...]) -> list[tuple[Any, ...]]:
    if table is None:
        return []
    plain = {
        name: (table[name].cast("int64") if name == "ts" else table[name]).to_pylist()
        for name in names
    }
    return [comparable(row) for row in zip(*plain.values(), strict=True)]
