"""The outbox: orders that are there whole or not at all, and bytes that outlive their names."""

import errno
import fcntl
import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from weir._spool import Outbox, SpoolDir


@pytest.fixture
def spool(tmp_path: Path) -> SpoolDir:
    path = tmp_path / "p" / "r" / "0123"
    path.mkdir(parents=True)
    return SpoolDir(path)


def test_orders_are_numbered_densely_and_read_back(spool):
    outbox = Outbox(spool)
    numbers = [outbox.put({"order": "blobs", "files": [n]}) for n in range(3)]
    assert numbers == outbox.pending() == [1, 2, 3]
    assert outbox.read(2) == {"format": 1, "order": "blobs", "files": [1]}


def test_many_writers_of_one_outbox_never_share_a_number(spool):
    outboxes = [Outbox(spool) for _ in range(4)]
    with ThreadPoolExecutor(8) as threads:
        numbers = list(threads.map(lambda n: outboxes[n % 4].put({"order": n}), range(80)))
    assert sorted(numbers) == outboxes[0].pending() == list(range(1, 81))


def test_a_number_that_left_a_result_is_not_given_again(spool):
    agent, later = Outbox(spool), Outbox(spool)
    number = Outbox(spool).put({"order": "artifact"})
    agent.settle(number, [], {"ok": True})
    assert later.put({"order": "artifact"}) == 2
    assert later.result(1) == {"ok": True}
    assert later.result(2) is None


def test_an_order_keeps_the_spool_until_it_is_settled_and_its_result_does_not(spool):
    outbox = Outbox(spool)
    assert not spool.left_behind()
    sha256, size, name = outbox.write_blob(b"picture")
    number = outbox.put({"order": "blobs", "files": [{"sha256": sha256, "path": name}]})
    assert (sha256, size) == (hashlib.sha256(b"picture").hexdigest(), 7)
    outbox.journal_path(number).parent.mkdir()
    outbox.journal_path(number).write_text("{}\n")
    assert spool.left_behind()
    outbox.settle(number, [name], {"ok": True})
    assert not spool.left_behind()
    assert not outbox.journal_path(number).exists()
    assert outbox.result(number) == {"ok": True}


def test_held_bytes_survive_the_removal_and_the_replacement_of_their_file(spool, tmp_path):
    outbox = Outbox(spool)
    gone, replaced = tmp_path / "gone", tmp_path / "replaced"
    gone.write_bytes(b"one")
    replaced.write_bytes(b"two")
    first, second = outbox.hold(gone), outbox.hold(replaced)
    gone.unlink()
    (tmp_path / "new").write_bytes(b"other")
    os.replace(tmp_path / "new", replaced)
    assert outbox.source_path(first).read_bytes() == b"one"
    assert outbox.source_path(second).read_bytes() == b"two"


def test_a_copy_also_survives_writing_into_the_file(spool, tmp_path):
    outbox = Outbox(spool)
    file = tmp_path / "file"
    file.write_bytes(b"before")
    held = outbox.hold(file, copy=True)
    file.write_bytes(b"after!")
    kept = outbox.source_path(held)
    assert kept.read_bytes() == b"before"


def test_blocks_are_shared_where_the_file_system_can_and_times_are_kept(
    spool, tmp_path, monkeypatch
):
    def clone(writing, request, reading):
        assert request == 0x40049409
        os.write(writing, os.pread(reading, 1 << 20, 0))

    monkeypatch.setattr(fcntl, "ioctl", clone)
    file = tmp_path / "file"
    file.write_bytes(b"before")
    os.utime(file, ns=(1_000_000_007, 2_000_000_009))
    outbox = Outbox(spool)
    kept = outbox.source_path(outbox.hold(file))
    assert kept.stat().st_ino != file.stat().st_ino
    assert kept.stat().st_mtime_ns == 2_000_000_009


def test_a_file_on_another_file_system_is_referred_to_by_its_path(spool, tmp_path, monkeypatch):
    asked = []

    def link(*_args, **_kwargs):
        asked.append(1)
        raise OSError(errno.EXDEV, "another device")

    def clone(*_args):
        raise OSError(errno.EXDEV, "another device")

    monkeypatch.setattr(os, "link", link)
    monkeypatch.setattr(fcntl, "ioctl", clone)
    file = tmp_path / "file"
    file.write_bytes(b"far away")
    outbox = Outbox(spool)
    assert [outbox.hold(file), outbox.hold(file)] == [str(file)] * 2
    assert outbox.source_path(str(file)).read_bytes() == b"far away"
    assert len(asked) == 1  # a device that cannot is asked once
    outbox.drop(str(file))
    assert file.exists()


@pytest.mark.parametrize(
    "source", ["../meta.json", "held/../../meta.json", "held/..", "held/", ".done/x", "x", ""]
)
def test_a_source_that_leads_out_of_the_outbox_is_refused_and_never_removed(spool, source):
    (spool.path / "meta.json").write_text("{}")
    outbox = Outbox(spool)
    with pytest.raises(ValueError, match="not in the outbox"):
        outbox.source_path(source)
    outbox.drop(source)
    assert (spool.path / "meta.json").exists()


def test_a_half_written_order_is_no_order(spool, monkeypatch):
    outbox = Outbox(spool)

    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="no space"):
        outbox.put({"order": "blobs"})
    assert outbox.pending() == []
    assert not spool.left_behind()


def test_a_newer_format_is_not_guessed_at(spool):
    outbox = Outbox(spool)
    outbox.put({"order": "blobs"})
    (outbox.path / "00000001.json").write_text(json.dumps({"format": 2}))
    with pytest.raises(ValueError, match="format 1"):
        outbox.read(1)


def test_bytes_of_a_process_that_died_before_its_order_do_not_keep_the_spool(spool, tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    outbox = Outbox(spool)
    outbox.hold(tmp_path / "file")
    outbox.write_blob([b"a", b"b"])
    assert spool.left_behind()
    assert not outbox.sweep(older_than_s=60)
    assert spool.left_behind()
    assert outbox.sweep(older_than_s=0)
    assert not spool.left_behind()
    assert (tmp_path / "file").exists()
