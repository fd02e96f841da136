"""Whatever a gateway takes out of a frame: what was sent is what was kept and what was rejected."""

import zlib
from array import array

import numpy as np
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.client.any_frame import EVENTS, NAMES, STEPS, node_bodies, packed
from weir._columns import Layout, Row
from weir._ledger import Claim
from weir_proto.v1 import ingest_pb2 as pb
from weir_proto.v1 import stream_pb2
from weir_server.gateway.cardinality import MetricCounter
from weir_server.gateway.judge import Judge, Judged
from weir_server.gateway.limits import MAX_TALLIES, Limits
from weir_server.gateway.producer import Producer
from weir_server.gateway.unpack import crc32_of
from weir_server.settings import GatewaySettings
from weir_server.tally import contents_of, read_tallies
from weir_store.records import Kind, Tally

NOW = 1_800_000_000_000_000
SETTINGS = GatewaySettings(max_frame_points=100, max_metric_name_bytes=16, max_text_bytes=40)
_NAMES = st.one_of(NAMES, st.sampled_from(["", "a\0b", "much too long for a metric's name", "ok"]))
_STEPS = st.one_of(STEPS, st.integers(-(1 << 62), 1 << 62))
_TIMES = st.sampled_from([NOW, NOW + 1, 0, NOW + 10**15])
_ATTRS = st.builds(
    pb.Attr, namespace=st.sampled_from([1, 2, 3, 4, 5]), path=_NAMES, str=st.text("é", max_size=30)
)


@st.composite
def rows(draw: st.DrawFn) -> list[Row]:
    made: list[Row] = []
    for names in draw(st.lists(st.lists(_NAMES, min_size=1, max_size=4, unique=True), max_size=3)):
        layout = Layout(tuple(names))
        steps = draw(st.lists(_STEPS, min_size=1, max_size=4))
        values = array("d", [0.5] * layout.width)
        made += [(layout, step, draw(_TIMES), values) for step in steps]
    return made


_WORDS = st.one_of(st.text("é", max_size=30), st.sampled_from(['{"type":"image"}', "[]", "{"]))
_TEXTS = st.lists(st.tuples(_NAMES, _STEPS, _TIMES, _WORDS, st.booleans()), max_size=3)


def judge(body: pb.Body) -> tuple[Judged, stream_pb2.Entry, pb.Body]:
    raw = body.SerializeToString()
    frame = pb.Frame(seq=1, crc32=crc32_of(1, 0, raw), raw_bytes=len(raw), body=raw)
    producer = Producer(
        origin=pb.Origin(producer=b"p" * 16, project="p", run_id="r"),
        shard=0,
        birth_unix_us=NOW,
        accepted=0,
        committed=0,
        damaged_seq=1,
    )
    judged = Judge(Limits.of(SETTINGS), MetricCounter(5)).judge(producer, frame, NOW)
    entry = stream_pb2.Entry.FromString(judged.payload)
    return judged, entry, _body_of(entry.frame)


def _body_of(frame: pb.Frame) -> pb.Body:
    raw = frame.body
    if frame.codec == pb.CODEC_ZSTD:
        raw = zstandard.ZstdDecompressor().decompress(raw, max_output_size=frame.raw_bytes)
    return pb.Body.FromString(raw)


@given(rows(), _TEXTS, st.lists(_ATTRS, max_size=3), EVENTS)
@settings(deadline=None, max_examples=300)
def test_sent_is_kept_and_rejected_for_any_frame(
    rows: list[Row], texts: list, attrs: list[pb.Attr], events: list[pb.Event]
) -> None:
    adds_up_after_judgement(packed(rows, texts=texts, attrs=attrs, events=events))


@given(
    node_bodies(times=_TIMES, names_of=_NAMES, process=st.sampled_from([b"p" * 16, b"short"])),
    rows(),
)
@settings(deadline=None, max_examples=300)
def test_sent_is_kept_and_rejected_for_any_frame_of_a_node(node: pb.Body, rows: list[Row]) -> None:
    body = packed(rows)
    for block in node.system:
        for column in ("metric", "device"):
            indices = np.frombuffer(getattr(block, column), "<u4") + len(body.names)
            setattr(block, column, indices.astype("<u4").tobytes())
    body.MergeFrom(pb.Body(names=node.names, system=node.system, lines=node.lines))
    adds_up_after_judgement(body)


def adds_up_after_judgement(body: pb.Body) -> None:
    claim = Claim.of(body)
    body.tallies.extend(claim.messages())

    _, entry, kept = judge(body)

    rejected, found = read_tallies(entry.rejected), contents_of(kept).tallies
    assert not entry.unreadable
    for kind in Kind:
        stated = getattr(claim, kind)
        both = rejected.get(kind, Tally()) + found.get(kind, Tally())
        assert both == Tally(stated.count, stated.digest)
    assert Claim.stated_in(kept) == claim  # the claim goes on, whatever else does


def test_a_frame_that_comes_through_is_passed_on_untouched() -> None:
    body = packed([(Layout(("a",)), 1, NOW, array("d", [1]))])
    body.tallies.extend(Claim.of(body).messages())
    _, entry, kept = judge(body)
    assert kept == body
    assert not entry.rejected
    assert not entry.unreadable


def test_of_a_frame_with_too_many_points_the_claim_and_what_it_held_are_kept() -> None:
    body = packed([(Layout(("a",)), step, NOW, array("d", [1])) for step in range(101)])
    body.tallies.extend(Claim.of(body).messages())

    judged, entry, kept = judge(body)

    assert [reject.code for reject in judged.rejects] == ["FRAME_TOO_MANY_POINTS"]
    assert read_tallies(entry.rejected)[Kind.POINTS].count == 101
    assert not entry.unreadable
    assert Claim.stated_in(kept) == Claim.of(body)
    assert not kept.points


def test_a_frame_nobody_can_read_is_said_to_be_so() -> None:
    frame = pb.Frame(seq=1, crc32=zlib.crc32(b""), raw_bytes=4, body=b"\xff\xff\xff\xff")
    producer = Producer(pb.Origin(producer=b"p" * 16), 0, NOW, 0, 0, damaged_seq=1)
    judged = Judge(Limits.of(SETTINGS), MetricCounter(5)).judge(producer, frame, NOW)
    assert stream_pb2.Entry.FromString(judged.payload).unreadable


def test_blocks_whose_columns_differ_in_length_make_a_frame_unreadable_in_part() -> None:
    body = pb.Body(schema=1, names=["a"])
    body.points.add(width=1, metric=bytes(4), step=bytes(8), time_unix_us=bytes(16), value=bytes(8))
    judged, entry, _ = judge(body)
    assert [reject.code for reject in judged.rejects] == ["COLUMNS_MISMATCH"]
    assert entry.unreadable
    assert not entry.rejected


def test_more_tallies_than_there_are_kinds_are_refused() -> None:
    body = pb.Body(schema=1, tallies=[pb.Tally(kind=1)] * (MAX_TALLIES + 1))
    judged, _, kept = judge(body)
    assert [reject.code for reject in judged.rejects] == ["FRAME_TOO_MANY_PARTS"]
    assert len(kept.tallies) == MAX_TALLIES


def test_where_a_run_was_taken_up_survives_a_frame_with_too_much_in_it() -> None:
    body = pb.Body(schema=1, branch=pb.Branch(parent_run_id="older", step=7))
    body.points.add(value=bytes(8 * 101))
    judged, _, rest = judge(body)
    assert [reject.code for reject in judged.rejects] == ["FRAME_TOO_MANY_POINTS"]
    assert rest.branch == body.branch
