"""The digests of docs/formats/ledger.md, written out point by point, against the quick ones."""

import hashlib
import struct
from array import array
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.client.any_frame import TEXTS, many_rows, node_bodies, packed
from weir._columns import Layout, Row, Text
from weir._config import DELETED
from weir._ledger import Claim, Ledger, Tally
from weir._reading import read_points
from weir_proto.v1 import ingest_pb2 as pb

WRAP = 1 << 64


def sha(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def thing_digest(word: int, metric: str, step: int, time_unix_us: int) -> int:
    """One point or text, as the page has it."""
    x = step % WRAP
    y = (x ^ (x >> 33)) * 0xFF51AFD7ED558CCD % WRAP
    factor = 2 * (y ^ (y >> 33)) + (sha(metric) | 1)
    return (word + 0x9E3779B97F4A7C15 * time_unix_us) * factor % WRAP


def rot32(bits: int) -> int:
    return (bits << 32 | bits >> 32) % WRAP


def naive(body: pb.Body) -> tuple[Tally, Tally]:
    """Points and texts, one at a time. The bits are read as the wire has them, not as floats."""
    points, texts = Tally(), Tally()
    bits = [
        word
        for block in body.points
        for word in struct.unpack(f"<{len(block.value) // 8}Q", block.value)
    ]
    for index, point in enumerate(read_points(body, run_id="r", rank=0)):
        at = (point.metric, point.step, point.time_unix_us)
        if isinstance(point.value, str):
            texts += Tally(1, thing_digest(sha(point.value), *at))
        else:
            points += Tally(1, thing_digest(rot32(bits[index]), *at))
    return points, texts


@given(many_rows(), TEXTS)
@settings(deadline=None, max_examples=150)
def test_the_quick_digest_of_a_frame_is_the_one_the_page_defines(
    rows: list[Row], texts: list[Text]
) -> None:
    body = packed(rows, texts=texts)
    claim = Claim.of(body)
    assert (claim.points, claim.texts) == naive(body)


def naive_node(body: pb.Body) -> tuple[Tally, Tally]:
    """What nodes measured and processes printed, one at a time."""
    system, lines = Tally(), Tally()
    for block in body.system:
        count = len(block.value) // 8
        for metric, device, time, bits in zip(
            struct.unpack(f"<{count}I", block.metric),
            struct.unpack(f"<{count}I", block.device),
            struct.unpack(f"<{count}q", block.time_unix_us),
            struct.unpack(f"<{count}Q", block.value),
            strict=True,
        ):
            name = body.names[metric] + "\0" + body.names[device]
            system += Tally(1, thing_digest(rot32(bits), name, 0, time))
    streams = {1: "stdout", 2: "stderr", 3: "logging"}
    for printed in body.lines:
        count = len(printed.line)
        for number, time, stream, line in zip(
            struct.unpack(f"<{count}Q", printed.number),
            struct.unpack(f"<{count}q", printed.time_unix_us),
            printed.stream,
            printed.line,
            strict=True,
        ):
            lines += Tally(1, thing_digest(sha(line), streams[stream], number, time))
    return system, lines


@given(node_bodies())
@settings(deadline=None, max_examples=100)
def test_what_nodes_measure_and_processes_print_has_the_digest_the_page_defines(
    body: pb.Body,
) -> None:
    claim = Claim.of(body)
    assert (claim.system, claim.lines) == naive_node(body)


@given(st.integers(1, 60), st.integers(1, 60), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_grids_of_every_shape_have_the_digest_the_page_defines(
    width: int, rows: int, random: object
) -> None:
    layout = Layout(tuple(f"m{i}" for i in range(width)))
    grid: list[Row] = [
        (layout, step, 10**15 + step, array("d", random.randbytes(8 * width)))  # type: ignore[attr-defined]
        for step in range(rows)
    ]
    body = packed(grid)
    assert Claim.of(body).points == naive(body)[0]


def test_a_grid_of_the_largest_frame_has_the_digest_the_page_defines() -> None:
    for width in (1, 20, 8_000):
        layout = Layout(tuple(f"m{i}" for i in range(width)))
        rows: list[Row] = [
            (layout, step, step, array("d", [step - 0.1] * width))
            for step in range(64_000 // width)
        ]
        body = packed(rows)
        assert Claim.of(body).points == naive(body)[0]


@given(many_rows(), st.data())
@settings(deadline=None, max_examples=60)
def test_one_changed_bit_of_a_value_always_changes_the_digest(
    rows: list[Row], data: st.DataObject
) -> None:
    body = packed(rows)
    if not body.points:
        return
    block = data.draw(st.sampled_from(list(body.points)))
    changed = pb.Body.FromString(body.SerializeToString())
    raw = bytearray(block.value)
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= 1 << data.draw(st.integers(0, 7))
    changed.points[list(body.points).index(block)].value = bytes(raw)
    assert Claim.of(changed).points.digest != Claim.of(body).points.digest
    assert Claim.of(changed).points.count == Claim.of(body).points.count


def test_attrs_are_told_apart_by_namespace_path_type_and_value() -> None:
    def digest(**fields: object) -> int:
        attr = pb.Attr(namespace=pb.Attr.CONFIG, path="lr", **fields)  # type: ignore[arg-type]
        return Claim.of(pb.Body(attrs=[attr])).attrs.digest

    bits = struct.unpack("<Q", struct.pack("<d", 0.5))[0]
    assert digest(float=0.5) == sha(f"config\0lr\0float\0{bits}")
    assert digest(int=-3) == sha("config\0lr\0int\0-3")
    assert digest(bool=True) == sha("config\0lr\0bool\0001")
    assert digest(str="ü") == sha("config\0lr\0str\0ü")
    assert digest(json="[1]") == sha("config\0lr\0json\0[1]")
    assert digest(null=True) == sha("config\0lr\0null\0")
    assert digest(deleted=True) == sha("config\0lr\0deleted\0")
    for number, name in (
        (pb.Attr.TAG, "tag"),
        (pb.Attr.SUMMARY, "summary"),
        (pb.Attr.META, "meta"),
        (pb.Attr.FILE, "file"),
    ):
        attr = pb.Attr(namespace=number, path="a.b", bool=False)
        assert Claim.of(pb.Body(attrs=[attr])).attrs == Tally(1, sha(f"{name}\0a.b\0bool\0000"))


def test_events_are_digested_with_their_id_and_step() -> None:
    event = pb.Event(
        event_id=bytes(range(16)), kind="alert", severity="warn", title="t", body="b", has_step=True,
        step=-7,
    )  # fmt: skip
    start = f"{UUID(bytes=bytes(range(16)))}\0alert\0warn\0t\0b\0"
    assert Claim.of(pb.Body(events=[event])).events == Tally(1, sha(start + "-7"))
    event.has_step = False
    assert Claim.of(pb.Body(events=[event])).events == Tally(1, sha(start + "-1"))


def test_every_frame_states_all_that_was_sent_through_it() -> None:
    ledger, layout = Ledger(), Layout(("a", "b"))
    total = Claim()
    for step in range(3):
        body = packed([(layout, step, 5, array("d", [1, 2]))], ledger)
        ledger.settle()
        total += Claim.of(body)
        assert Claim.stated_in(body) == total
    heartbeat = packed([], ledger)
    assert Claim.stated_in(heartbeat) == total
    assert total.points.count == 6


def test_a_frame_the_disk_refused_is_counted_once_when_it_is_packed_again() -> None:
    ledger, layout = Ledger(), Layout(("a",))
    refused = packed([(layout, 0, 5, array("d", [1]))], ledger)
    again = packed([(layout, 0, 5, array("d", [1]))], ledger)
    ledger.settle()
    assert Claim.stated_in(again) == Claim.stated_in(refused) == Claim.of(again)


def test_of_several_values_for_one_path_a_frame_holds_and_counts_the_last() -> None:
    from weir._body import attr

    attrs = [attr(pb.Attr.CONFIG, "lr", value) for value in (0.1, DELETED, 0.2)]
    attrs.append(attr(pb.Attr.SUMMARY, "lr", 9))
    body = packed([], Ledger(), attrs=attrs)
    assert [(each.namespace, each.path, each.float) for each in body.attrs] == [
        (pb.Attr.CONFIG, "lr", 0.2),
        (pb.Attr.SUMMARY, "lr", 0.0),
    ]
    stated = Claim.stated_in(body)
    assert stated is not None
    assert stated.attrs.count == 2


def test_claims_of_clients_that_know_fewer_kinds_or_more_are_read() -> None:
    tallies = [pb.Tally(kind=1, count=2, digest=3), pb.Tally(kind=99, count=9, digest=9)]  # type: ignore[arg-type]
    assert Claim.stated_in(pb.Body(tallies=tallies)) == Claim(points=Tally(2, 3))


def test_a_frame_without_tallies_claims_nothing() -> None:
    assert Claim.stated_in(packed([])) is None
