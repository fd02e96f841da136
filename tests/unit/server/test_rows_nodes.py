"""What nodes measure and processes print, from frames to the rows of a block."""

import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.client.any_frame import node_bodies
from tests.unit.server import frames
from weir_proto.v1 import ingest_pb2 as pb
from weir_server.writer.rows import build_block
from weir_server.writer.unpack import Undecodable, unpack
from weir_store import tables

TIMES = st.integers(-(2**50), 2**50)


def ints(code: str, raw: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(raw) // struct.calcsize(code)}{code}", raw))


def rows(block: Any, table: str, *names: str) -> list[tuple[Any, ...]]:
    if table not in block:
        return []
    columns = []
    for name in names:
        column = block[table][name]
        if name == "ts":
            column = column.cast("int64")
        values = column.to_pylist()
        columns.append([struct.pack("<d", v) for v in values] if name == "value" else values)
    return list(zip(*columns, strict=True))


@settings(deadline=None, max_examples=100)
@given(st.lists(node_bodies(times=TIMES), min_size=1, max_size=4))
def test_every_measurement_becomes_one_row_with_its_node_and_device(parts: list[pb.Body]) -> None:
    sources = [frames.entry(body, seq, rank=seq % 2) for seq, body in enumerate(parts, 1)]

    block = build_block([unpack(source) for source in sources])

    expected = [
        (body.names[m], "n1", body.names[d], t, struct.pack("<Q", v), seq % 2, frames.BIRTH_S << 32 | seq)
        for seq, body in enumerate(parts, 1)
        for system in body.system
        for m, d, t, v in zip(
            ints("I", system.metric),
            ints("I", system.device),
            ints("q", system.time_unix_us),
            ints("Q", system.value),
            strict=True,
        )
    ]  # fmt: skip
    names = ("metric", "node", "device", "ts", "value", "rank", "ver")
    assert rows(block, tables.SYSTEM_POINTS, *names) == expected


@settings(deadline=None, max_examples=100)
@given(st.lists(node_bodies(times=TIMES), min_size=1, max_size=4))
def test_every_line_becomes_one_row_of_the_process_that_printed_it(parts: list[pb.Body]) -> None:
    for number, body in enumerate(parts):
        for lines in body.lines:
            lines.rank = 5 + number
    sources = [frames.entry(body, seq, rank=seq % 2) for seq, body in enumerate(parts, 1)]

    block = build_block([unpack(source) for source in sources])

    expected = [
        (4 + seq, t, lines.process, n, ("", "stdout", "stderr", "logging")[stream], level, "n1", line, seq % 2)
        for seq, body in enumerate(parts, 1)
        for lines in body.lines
        for n, t, stream, level, line in zip(
            ints("Q", lines.number), ints("q", lines.time_unix_us), lines.stream, lines.level, lines.line,
            strict=True,
        )
    ]  # fmt: skip
    names = ("rank", "ts", "process", "number", "stream", "level", "node", "line", "agent_rank")
    assert rows(block, tables.CONSOLE, *names) == expected


def body_with(**blocks: Any) -> pb.Body:
    return pb.Body(schema=1, names=["a"], **blocks)


def one_line(**changed: Any) -> pb.LineBlock:
    columns = {
        "process": bytes(16), "number": bytes(8), "time_unix_us": bytes(8), "stream": b"\1",
        "level": b"\0", "line": ["x"],
    }  # fmt: skip
    return pb.LineBlock(**{**columns, **changed})


@pytest.mark.parametrize(
    ("blocks", "reason"),
    [
        ({"lines": [one_line(process=b"short")]}, "process"),
        ({"lines": [one_line(stream=b"\4")]}, "stream"),
        ({"lines": [one_line(stream=b"\0")]}, "stream"),
        ({"lines": [one_line(number=bytes(16))]}, "column of lines"),
        ({"lines": [one_line(level=b"")]}, "column of lines"),
        ({"system": [pb.SystemBlock(metric=bytes(4), device=bytes(4), value=bytes(8))]}, "column"),
        (
            {
                "system": [
                    pb.SystemBlock(
                        metric=bytes(4), device=b"\1\0\0\0", time_unix_us=bytes(8), value=bytes(8)
                    )
                ]
            },
            "index",
        ),
        (
            {
                "texts": [
                    pb.TextBlock(
                        kind=7,  # type: ignore[arg-type]
                        metric=bytes(4),
                        step=bytes(8),
                        time_unix_us=bytes(8),
                        value=["x"],
                    )
                ]
            },
            "kind",
        ),
    ],
)
def test_what_the_gateway_should_have_refused_is_undecodable(
    blocks: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Undecodable, match=reason):
        unpack(frames.entry(body_with(**blocks)))
