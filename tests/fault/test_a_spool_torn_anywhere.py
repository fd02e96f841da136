"""Spools cut, flipped, zeroed, shuffled and filled with rubbish: what can be read is read, the rest is told."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.fixtures_model_gateway import ModelGateway, gateway
from tests.integration.fixtures_spools import NODE, weir_json
from weir._spool import Frame, Gap, Meta, SegmentWriter, SpoolDir, SpoolReader
from weir._spool.frame import pack_frame
from weir.agent._extent import read_extent
from weir.agent._takeover import take_over
from weir_proto.v1 import ingest_pb2 as pb

__all__ = ["gateway"]  # fixtures

FRAMES, PER_SEGMENT = 12, 3
_NO_PROCESS = 2**22 + 1  # above the largest pid there can be
Found = list[int | tuple[int, int]]


def body_of(seq: int) -> bytes:
    return pb.Body(schema=1, names=[f"frame {seq}", chr(96 + seq) * 1_600]).SerializeToString()


RECORDS = {seq: pack_frame(seq, 0, body_of(seq)) for seq in range(1, FRAMES + 1)}


def make_spool(root: Path, server: str = "h:1") -> SpoolDir:
    """Four segments of three frames, left behind by a process that is gone."""
    meta = Meta(
        mode="online",
        server=server,
        producer=os.urandom(16).hex(),
        project="p",
        run_id="r",
        rank=0,
        node=NODE,
        pid=_NO_PROCESS,
    )
    spool = SpoolDir.create(root, meta)
    writer = SegmentWriter(spool, segment_bytes=2 * len(RECORDS[1]) + 200)
    for seq in RECORDS:
        writer.append(seq, 0, body_of(seq))
    writer.close()
    assert len(spool.list_segments()) == FRAMES // PER_SEGMENT
    return spool


def read(spool: SpoolDir, *, alive: bool = False, next_seq: int = 1) -> list[Frame | Gap]:
    reader = SpoolReader(spool, next_seq=next_seq)
    found = list(reader.read(writer_alive=alive))
    reader.close()
    return found


def told(found: list[Frame | Gap]) -> Found:
    return [f.seq if isinstance(f, Frame) else (f.first_seq, f.last_seq) for f in found]


def readable(spool: SpoolDir) -> list[int]:
    """Which frames are whole and in order, found without our parser: by looking for their bytes."""
    seqs: list[int] = []
    for segment in spool.list_segments():
        content = segment.read_bytes()
        places = sorted((content.find(record, 16), seq) for seq, record in RECORDS.items())
        seqs += [seq for at, seq in places if at >= 0 and seq > (seqs[-1] if seqs else 0)]
        seqs = [seq for n, seq in enumerate(seqs) if all(seq > before for before in seqs[:n])]
    return seqs


def with_gaps(seqs: list[int], last_seq: int) -> Found:
    """The frames in order, and between them what is missing."""
    expected: Found = []
    for before, seq in zip([0, *seqs], seqs, strict=False):
        expected += [(before + 1, seq - 1)] if seq > before + 1 else []
        expected += [seq]
    return [item for item in expected if isinstance(item, tuple) or item <= last_seq]


def check_laws(spool: SpoolDir) -> None:
    """What holds for every spool, whatever happened to it."""
    seqs = readable(spool)
    found = read(spool)
    assert told(found) == with_gaps(seqs, FRAMES)
    assert all(f.body == body_of(f.seq) for f in found if isinstance(f, Frame))
    while_alive = told(read(spool, alive=True))
    assert while_alive == told(found)[: len(while_alive)]
    for start in range(1, FRAMES + 2):
        later = [f.seq for f in read(spool, next_seq=start) if isinstance(f, Frame)]
        assert later == [seq for seq in seqs if seq >= start]
    assert take_over(spool, spool.read_meta(), now_unix_us=1)
    closed = read(spool)
    assert isinstance(closed[-1], Frame)
    assert closed[-1].final
    assert [f.seq for f in closed[:-1] if isinstance(f, Frame)] == seqs
    assert read_extent(spool, live=False).final
    assert not take_over(spool, spool.read_meta(), now_unix_us=2)


def test_a_spool_cut_at_any_byte_of_its_last_frames_is_closed_behind_the_last_whole_one(
    tmp_path: Path,
) -> None:
    template = make_spool(tmp_path)
    last = template.list_segments()[-1]
    whole = last.read_bytes()
    ends = [16 + sum(len(RECORDS[seq]) for seq in range(10, 10 + n)) for n in range(4)]
    # Every byte of the header, of the last frame and of both its neighbours' headers.
    for cut in (*range(60), *range(60, ends[2] - 30, 11), *range(ends[2] - 30, len(whole))):
        last.write_bytes(whole[:cut])
        kept = 9 + sum(1 for end in ends[1:] if end <= cut)
        assert take_over(template, template.read_meta(), now_unix_us=1)
        found = read(template)
        assert told(found) == list(range(1, kept + 2)), cut
        words = pb.Body.FromString(found[-1].body) if isinstance(found[-1], Frame) else pb.Body()
        assert [loss.reason for loss in words.losses] == (
            [] if cut in (0, *ends) else ["torn_tail"]
        )
        for segment in template.list_segments()[3:]:
            segment.unlink()


# ── every kind of damage, through the reader and through the wire ───────────


def flip(number: int, at: int, mask: int = 0x10) -> Callable[[SpoolDir], None]:
    def damage(spool: SpoolDir) -> None:
        path = spool.segment_path(number)
        content = bytearray(path.read_bytes())
        content[at] ^= mask
        path.write_bytes(content)

    return damage


def patch(number: int, at: int, content: bytes) -> Callable[[SpoolDir], None]:
    def damage(spool: SpoolDir) -> None:
        with spool.segment_path(number).open("r+b") as file:
            file.seek(at)
            file.write(content)

    return damage


def truncate(number: int, size: int) -> Callable[[SpoolDir], None]:
    return lambda spool: os.truncate(spool.segment_path(number), size)


def unlink(*numbers: int) -> Callable[[SpoolDir], None]:
    return lambda spool: [spool.segment_path(number).unlink() for number in numbers] and None


def copy(number: int, to: int) -> Callable[[SpoolDir], None]:
    return lambda spool: shutil.copy(spool.segment_path(number), spool.segment_path(to)) and None


def write(number: int, content: bytes) -> Callable[[SpoolDir], None]:
    return lambda spool: spool.segment_path(number).write_bytes(content) and None


SECOND_FRAME = 16 + len(RECORDS[1])
DAMAGE: dict[str, Callable[[SpoolDir], None]] = {
    "a bit of a body": flip(2, SECOND_FRAME + 100),
    "a bit of a seq": flip(2, SECOND_FRAME + 8),
    "a length that is too large": flip(2, SECOND_FRAME + 3, 0xFF),
    "a length that is smaller": flip(2, SECOND_FRAME, 0x01),
    "the flags": flip(2, SECOND_FRAME + 16, 0x01),
    "a page of zeros": patch(2, 0, bytes(4096)),
    "a page of noise": patch(3, 512, os.urandom(4096)),
    "the first header": flip(1, 10),
    "a header in the middle": patch(3, 0, b"WRONGMAG"),
    "the last header": patch(4, 0, b"WRONGMAG"),
    "the first frame": flip(1, 30),
    "a frame within the last segment": flip(4, SECOND_FRAME + 40),
    "the last frame": flip(4, SECOND_FRAME + len(RECORDS[11]) + 40),
    "a segment cut short": truncate(2, SECOND_FRAME + 700),
    "a segment cut to its header": truncate(3, 16),
    "an empty segment": truncate(2, 0),
    "an empty last segment": write(5, b""),
    "a missing first segment": unlink(1),
    "missing segments in the middle": unlink(2, 3),
    "a missing last segment": unlink(4),
    "a copy behind the last": copy(2, 5),
    "a copy in the middle": copy(1, 3),
    "rubbish behind the last": write(5, os.urandom(9_000)),
    "zeros behind the last": write(5, bytes(70_000)),
    "nothing but rubbish": lambda spool: (
        [path.write_bytes(os.urandom(5_000)) for path in spool.list_segments()] and None
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_every_readable_frame_is_read_in_order_and_what_is_missing_is_told_once(
    tmp_path: Path, kind: str
) -> None:
    spool = make_spool(tmp_path)
    DAMAGE[kind](spool)
    check_laws(spool)


def test_the_server_gets_every_readable_frame_of_damaged_spools_and_hears_of_the_gaps(
    tmp_path: Path, gateway: ModelGateway
) -> None:
    spools = {}
    for kind, damage in DAMAGE.items():
        spool = spools[kind] = make_spool(tmp_path, gateway.address)
        damage(spool)
    expected = {kind: readable(spool) for kind, spool in spools.items()}
    synced = weir_json("sync", "--keep", str(tmp_path))["spools"]
    assert {one["outcome"] for one in synced} == {"committed"}
    for kind, spool in spools.items():
        account = gateway.ledger.accounts[spool.producer]
        stored = {seq: body for seq, body in account.frames.items() if seq != account.final_seq}
        assert stored == {seq: body_of(seq) for seq in expected[kind]}, kind
        assert account.final_seq == max(account.frames), kind
        missing = set(range(1, account.final_seq)) - set(stored)
        lost = [seq for first, last in account.lost for seq in range(first, last + 1)]
        assert sorted(lost) == sorted(missing), kind


# ── anything may happen ────────────────────────────────────────────────────

PLACES = st.integers(0, 3 * len(RECORDS[1]))
MUTATIONS = st.one_of(
    st.builds(flip, st.integers(1, 4), PLACES.map(lambda at: min(at, 4_800)), st.integers(1, 255)),
    st.builds(patch, st.integers(1, 5), PLACES, st.binary(max_size=64)),
    st.builds(patch, st.integers(1, 4), PLACES, st.integers(1, 5_000).map(bytes)),
    st.builds(truncate, st.integers(1, 4), PLACES),
    st.builds(unlink, st.integers(1, 4)),
    st.builds(write, st.integers(1, 7), st.binary(max_size=300)),
)


def mutate(spool: SpoolDir, mutations: list[Callable[[SpoolDir], None]]) -> Iterator[None]:
    for mutation in mutations:
        try:
            mutation(spool)
        except (FileNotFoundError, IndexError):
            continue  # an earlier one removed what this one means
        yield


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(mutations=st.lists(MUTATIONS, min_size=1, max_size=4))
def test_whatever_happens_to_a_spool_its_readable_frames_are_read_and_its_log_is_closed(
    tmp_path: Path, mutations: list[Callable[[SpoolDir], None]]
) -> None:
    spool = make_spool(tmp_path)
    list(mutate(spool, mutations))
    check_laws(spool)
    shutil.rmtree(spool.path)
