import os
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from weir._spool import (
    FLAG_FINAL,
    MAX_BODY_BYTES,
    Control,
    Frame,
    Gap,
    Meta,
    SegmentWriter,
    SpoolDir,
    SpoolReader,
    Watermark,
    Welcome,
    cut_torn_tail,
    frame_crc,
    list_spools,
    seq_range,
)
from weir.errors import ConfigError, SpoolError


def make_spool(root: Path, *, project: str = "p", run_id: str = "r", token: str = "") -> SpoolDir:
    meta = Meta(
        mode="offline",
        server="h:1",
        producer=os.urandom(16).hex(),
        project=project,
        run_id=run_id,
        rank=3,
    )
    return SpoolDir.create(root, meta, token=token)


@pytest.fixture
def spool(tmp_path: Path) -> SpoolDir:
    return make_spool(tmp_path)


def write(spool: SpoolDir, bodies: list[bytes], *, segment_bytes: int = 1 << 20) -> None:
    writer = SegmentWriter(spool, segment_bytes=segment_bytes)
    for seq, body in enumerate(bodies, start=1):
        writer.append(seq, 0, body)
    writer.close()


def read(spool: SpoolDir, *, alive: bool = False, next_seq: int = 1) -> list[Frame | Gap]:
    reader = SpoolReader(spool, next_seq=next_seq)
    found = list(reader.read(writer_alive=alive))
    reader.close()
    return found


def seqs(found: list[Frame | Gap]) -> list[int | tuple[int, int]]:
    return [f.seq if isinstance(f, Frame) else (f.first_seq, f.last_seq) for f in found]


def test_a_segment_lies_on_disk_exactly_as_the_format_page_says(spool: SpoolDir) -> None:
    writer = SegmentWriter(spool)
    writer.append(1, FLAG_FINAL, b"body")
    checked = struct.pack("<QH", 1, 1) + b"body"
    crc32 = zlib.crc32(checked)
    assert frame_crc(1, 1, b"body") == crc32
    assert spool.segment_path(1).read_bytes() == (
        b"WEIRSEG1" + struct.pack("<Q", 1) + struct.pack("<IIQH", 4, crc32, 1, 1) + b"body"
    )


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bodies=st.lists(st.binary(max_size=200), min_size=1, max_size=30),
    segment_bytes=st.integers(1, 500),
    start=st.integers(1, 30),
)
def test_what_is_written_is_read_whatever_the_segments(
    tmp_path: Path, bodies: list[bytes], segment_bytes: int, start: int
) -> None:
    spool = make_spool(tmp_path)
    write(spool, bodies, segment_bytes=segment_bytes)
    found = read(spool, next_seq=start)
    assert [(f.seq, f.body) for f in found if isinstance(f, Frame)] == list(
        enumerate(bodies, start=1)
    )[start - 1 :]
    assert seq_range(spool) == (1, len(bodies))


def test_a_torn_tail_of_any_length_costs_only_the_last_frame(tmp_path: Path) -> None:
    template = make_spool(tmp_path)
    write(template, [b"one", b"two", b"the third"])
    whole = template.segment_path(1).read_bytes()
    last = len(whole) - (18 + len(b"the third"))
    for cut in range(last, len(whole)):
        spool = make_spool(tmp_path)
        spool.segment_path(1).write_bytes(whole[:cut])
        assert seqs(read(spool, alive=True)) == [1, 2]
        assert seqs(read(spool, alive=False)) == [1, 2]
        assert cut_torn_tail(spool) == cut - last
        SegmentWriter(spool).append(3, FLAG_FINAL, b"the agent's")
        assert seqs(read(spool)) == [1, 2, 3]


def test_a_header_cut_short_is_an_empty_segment(spool: SpoolDir) -> None:
    write(spool, [b"x"])
    whole = spool.segment_path(1).read_bytes()
    for cut in range(16):
        spool.segment_path(1).write_bytes(whole[:cut])
        assert read(spool, alive=True) == []
        assert cut_torn_tail(spool) == cut
        assert spool.list_segments() == []


def test_a_frame_not_yet_whole_is_read_once_it_is(spool: SpoolDir) -> None:
    write(spool, [b"one", b"two"])
    whole = spool.segment_path(1).read_bytes()
    reader = SpoolReader(spool)
    got = []
    for cut in range(len(whole) + 1):
        spool.segment_path(1).write_bytes(whole[:cut])
        got += [(cut, f.seq) for f in reader.read(writer_alive=True) if isinstance(f, Frame)]
    assert got == [(16 + 18 + 3, 1), (len(whole), 2)]


def test_damage_in_the_middle_is_a_gap_and_the_rest_is_read(spool: SpoolDir) -> None:
    write(spool, [bytes([i]) * 40 for i in range(9)], segment_bytes=150)
    damaged = spool.segment_path(2)
    content = bytearray(damaged.read_bytes())
    content[16 + 30] ^= 0xFF
    damaged.write_bytes(content)
    assert seqs(read(spool)) == [1, 2, 3, (4, 4), 5, 6, 7, 8, 9]


@pytest.mark.parametrize("at", range(0, 150, 7))
def test_any_flipped_byte_loses_frames_only_with_a_gap_that_names_them(
    spool: SpoolDir, at: int
) -> None:
    write(spool, [bytes([i]) * 40 for i in range(9)], segment_bytes=150)
    damaged = spool.segment_path(2)
    content = bytearray(damaged.read_bytes())
    content[at] ^= 0x55
    damaged.write_bytes(content)
    covered: list[int] = []
    for found in read(spool):
        covered += (
            [found.seq] if isinstance(found, Frame) else range(found.first_seq, found.last_seq + 1)
        )
    assert covered == list(range(1, 10))


def test_a_lost_segment_is_a_gap(spool: SpoolDir) -> None:
    write(spool, [bytes([i]) * 40 for i in range(9)], segment_bytes=150)
    spool.segment_path(2).unlink()
    assert seqs(read(spool)) == [1, 2, 3, (4, 6), 7, 8, 9]


def test_damage_under_a_living_writer_waits_for_the_next_segment(spool: SpoolDir) -> None:
    write(spool, [b"a" * 40, b"b" * 40, b"c" * 40])
    content = bytearray(spool.segment_path(1).read_bytes())
    content[16 + 58 + 20] ^= 0xFF
    spool.segment_path(1).write_bytes(content)
    assert seqs(read(spool, alive=True)) == [1]
    SegmentWriter(spool).append(4, 0, b"d")
    assert seqs(read(spool, alive=True)) == [1, (2, 2), 3, 4]


def test_a_reader_follows_a_writer_through_its_segments(spool: SpoolDir) -> None:
    writer = SegmentWriter(spool, segment_bytes=300)
    reader = SpoolReader(spool)
    for seq in range(1, 40):
        writer.append(seq, 0, os.urandom(60))
        assert seqs(list(reader.read(writer_alive=True))) == [seq]
    reader.seek(17)
    assert seqs(list(reader.read(writer_alive=True))) == list(range(17, 40))


def test_a_reader_stopped_early_goes_on_where_it_was(spool: SpoolDir) -> None:
    write(spool, [b"x"] * 10, segment_bytes=60)
    reader = SpoolReader(spool)
    got = []
    for _ in range(10):
        for frame in reader.read(writer_alive=True):
            got.append(frame)
            break
    assert seqs(got) == list(range(1, 11))


def test_committed_segments_go_and_the_rest_can_still_be_read(spool: SpoolDir) -> None:
    write(spool, [bytes([i]) * 40 for i in range(9)], segment_bytes=150)
    spool.write_watermark(Watermark(9, 5))
    assert spool.unlink_committed(5) > 0
    assert seq_range(spool) == (4, 9)
    assert seqs(read(spool, next_seq=6)) == [6, 7, 8, 9]
    spool.unlink_committed(9)
    assert seq_range(spool) == (7, 9)


def test_an_empty_spool_begins_after_its_watermark(spool: SpoolDir) -> None:
    assert seq_range(spool) == (1, 0)
    spool.write_watermark(Watermark(9, 7))
    assert seq_range(spool) == (8, 7)


@pytest.mark.parametrize("cut", range(28))
def test_a_damaged_watermark_reads_as_nothing_accepted(spool: SpoolDir, cut: int) -> None:
    whole = Watermark(5, 4).to_bytes()
    assert Watermark.from_bytes(whole) == Watermark(5, 4)
    assert Watermark.from_bytes(whole[:cut]) == Watermark()
    flipped = bytearray(whole)
    flipped[cut] ^= 1
    assert Watermark.from_bytes(bytes(flipped)) == Watermark()


def test_the_notes_beside_the_segments_come_back_as_they_were(spool: SpoolDir) -> None:
    assert (spool.read_welcome(), spool.read_control()) == (None, Control())
    welcome = Welcome(run_existed=True, last_step=7, server_version="1", at_unix_us=9, url="u")
    spool.write_welcome(welcome)
    assert spool.read_welcome() == welcome
    refusal = Welcome(refused_code="FORBIDDEN", refused_message="no")
    spool.write_welcome(refusal)
    assert spool.read_welcome() == refusal
    spool.write_control(Control(stop=True, reason="enough", by="ann"))
    assert spool.read_control() == Control(stop=True, reason="enough", by="ann")


def test_a_meta_of_a_newer_format_is_refused_with_a_hint() -> None:
    meta = Meta(mode="offline", server="", producer="0", project="p", run_id="r", rank=0, format=2)
    with pytest.raises(ConfigError, match="pip install"):
        Meta.from_json(meta.to_json())


def test_a_meta_with_unknown_keys_is_read(spool: SpoolDir) -> None:
    meta = spool.read_meta()
    text = meta.to_json().replace(b"{", b'{"invented": 1,', 1)
    assert Meta.from_json(text) == meta


def test_the_token_is_kept_apart_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    spool = make_spool(tmp_path, token="secret")
    assert spool.read_token() == "secret"
    assert (spool.path / "credentials").stat().st_mode & 0o777 == 0o600
    assert b"secret" not in (spool.path / "meta.json").read_bytes()


@pytest.mark.parametrize("name", ["a/b", "..", "ü", "a b", "x~y", "%41"])
def test_odd_names_make_one_folder_each(tmp_path: Path, name: str) -> None:
    spool = make_spool(tmp_path, project=name, run_id=name)
    assert spool.path.parents[2] == tmp_path
    assert list(list_spools(tmp_path)) == [spool]
    assert spool.read_meta().run_id == name
    spool.remove()
    assert list(tmp_path.iterdir()) == []


def test_producers_are_listed_from_the_root_a_project_a_run_or_one_of_them(tmp_path: Path) -> None:
    first, second = make_spool(tmp_path), make_spool(tmp_path)
    both = {first.path, second.path}
    for top in (tmp_path, tmp_path / "p", tmp_path / "p" / "r"):
        assert {spool.path for spool in list_spools(top)} == both
    assert list(list_spools(first.path)) == [first]


def test_a_body_too_large_for_the_server_is_refused(spool: SpoolDir) -> None:
    with pytest.raises(SpoolError, match="over"):
        SegmentWriter(spool).append(1, 0, bytes(MAX_BODY_BYTES + 1))


def test_the_largest_body_is_read_back(spool: SpoolDir) -> None:
    write(spool, [b"small", bytes(MAX_BODY_BYTES), b"small"])
    assert seqs(read(spool)) == [1, 2, 3]
