"""Strategies for whatever a client may put into a frame."""

import struct
from array import array

from hypothesis import strategies as st

from weir._body import attr, pack_body
from weir._columns import Layout, Row, StepMemory
from weir._config import DELETED
from weir._ledger import Ledger
from weir._queue import Batch
from weir_proto.v1 import ingest_pb2 as pb

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
PROCESSES = st.binary(min_size=16, max_size=16)
STEPS = st.integers(-(1 << 53), 1 << 53)
TIMES = st.integers(-(1 << 62), 1 << 62)
BITS = st.one_of(
    st.integers(0, (1 << 64) - 1),  # NaN payloads and all
    st.floats().map(lambda value: struct.unpack("<Q", struct.pack("<d", value))[0]),
    st.just(1 << 63),  # −0.0
)


def packed(rows: list[Row], ledger: Ledger | None = None, **more: object) -> pb.Body:
    batch = Batch(rows=rows, **more)  # type: ignore[arg-type]
    return pb.Body.FromString(pack_body(batch, StepMemory(), ledger=ledger))


@st.composite
def many_rows(draw: st.DrawFn) -> list[Row]:
    """Grids, lone rows and repeated steps of a few layouts that may share names."""
    layouts = draw(
        st.lists(
            st.lists(NAMES, min_size=1, max_size=12, unique=True).map(lambda n: Layout(tuple(n))),
            min_size=1,
            max_size=4,
        )
    )
    rows: list[Row] = []
    for _ in range(draw(st.integers(0, 20))):
        layout = draw(st.sampled_from(layouts))
        words = draw(st.lists(BITS, min_size=layout.width, max_size=layout.width))
        values = array("d", struct.pack(f"={layout.width}Q", *words))
        rows.append((layout, draw(st.one_of(st.integers(-5, 5), STEPS)), draw(TIMES), values))
    return rows


TEXTS = st.lists(
    st.tuples(
        NAMES, STEPS, TIMES, st.text(st.characters(codec="utf-8"), max_size=30), st.booleans()
    ),
    max_size=5,
)

_VALUES = st.one_of(
    st.floats(),
    st.integers(-(1 << 63) + 1, (1 << 63) - 1),
    st.booleans(),
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.lists(st.integers(), max_size=3),
    st.none(),
    st.just(DELETED),
)
ATTRS = st.lists(st.builds(attr, st.sampled_from([1, 2, 3, 4, 5]), NAMES, _VALUES), max_size=6)
EVENTS = st.lists(
    st.builds(
        pb.Event,
        event_id=st.binary(min_size=16, max_size=16),
        time_unix_us=st.integers(0, 1 << 60),
        kind=NAMES,
        severity=st.sampled_from(["debug", "info", "warn", "error", "critical"]),
        title=st.text(st.characters(codec="utf-8"), max_size=20),
        body=st.text(st.characters(codec="utf-8"), max_size=20),
        has_step=st.booleans(),
        step=STEPS,
    ),
    max_size=4,
)


def node_body(
    names: list[str],
    system: list[tuple[int, int, int, int]],
    lines: list[tuple[int, int, int, int, str]],
    *,
    process: bytes = bytes(16),
    rank: int = 0,
) -> pb.Body:
    """Return what an agent writes: (metric, device, time, bits) and (number, time, stream, level, line)."""
    body = pb.Body(schema=1, names=names)
    if system:
        metric, device, time, bits = zip(*system, strict=True)
        body.system.add(
            metric=struct.pack(f"<{len(metric)}I", *metric),
            device=struct.pack(f"<{len(metric)}I", *device),
            time_unix_us=struct.pack(f"<{len(metric)}q", *time),
            value=struct.pack(f"<{len(metric)}Q", *bits),
        )
    if lines:
        number, time, stream, level, text = zip(*lines, strict=True)
        body.lines.add(
            process=process,
            rank=rank,
            number=struct.pack(f"<{len(number)}Q", *number),
            time_unix_us=struct.pack(f"<{len(number)}q", *time),
            stream=bytes(stream),
            level=bytes(level),
            line=text,
        )
    return body


@st.composite
def node_bodies(
    draw: st.DrawFn,
    *,
    times: st.SearchStrategy[int] = TIMES,
    names_of: st.SearchStrategy[str] = NAMES,
    process: st.SearchStrategy[bytes] = PROCESSES,
) -> pb.Body:
    """What an agent may write of a node: its own names, and "" among the devices."""
    names = ["", *draw(st.lists(names_of, min_size=1, max_size=6, unique=True))]
    metric, device = st.integers(1, len(names) - 1), st.integers(0, len(names) - 1)
    system = draw(
        st.lists(
            st.tuples(metric, device, times, BITS), max_size=12, unique_by=lambda each: each[:3]
        )
    )
    line = st.text(st.characters(codec="utf-8"), max_size=30)
    rows = st.tuples(
        st.integers(0, (1 << 64) - 1), times, st.integers(1, 3), st.integers(0, 255), line
    )
    lines = draw(st.lists(rows, max_size=12, unique_by=lambda each: each[0]))
    return node_body(names, system, lines, process=draw(process))
