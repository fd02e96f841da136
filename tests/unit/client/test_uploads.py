"""The parts of the uploader: digests, the journal, bandwidth, and files that are watched."""

import errno
import hashlib
import os
import sys
import threading
from types import SimpleNamespace

import pytest

from weir._artifacts.waiting import is_watched
from weir._clock import ManualClock
from weir._spool import Outbox, SpoolDir
from weir.agent._uploads.journal import Begun, Journal
from weir.agent._uploads.lane import Lane
from weir.agent._uploads.orders import BadOrder, kind_of, sources_of, title_of
from weir.agent._uploads.source import Source, SourceLost, fingerprint
from weir.agent._uploads.stopping import Stopped, Stopping
from weir.agent._uploads.throttle import Throttle
from weir.agent._uploads.watching import Watch

MIB = 1 << 20


def source_of(path, **more):
    found = path.stat()
    return Source(path.name, path, found.st_size, found.st_mtime_ns, **more)


@pytest.mark.parametrize("size", [0, 1, MIB, 5 * MIB, 5 * MIB + 1, 40 * MIB + 3])
def test_a_file_is_read_once_for_its_sha_256_and_the_md5_of_every_part(tmp_path, size):
    content = os.urandom(size)
    (tmp_path / "f").write_bytes(content)
    found = fingerprint(source_of(tmp_path / "f"), 5 * MIB, Stopping())
    parts = [content[n : n + 5 * MIB] for n in range(0, max(1, size), 5 * MIB)]
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert list(found.md5s) == [hashlib.md5(part).hexdigest() for part in parts]


def test_a_file_that_is_not_what_was_ordered_is_lost(tmp_path):
    file = tmp_path / "f"
    file.write_bytes(b"before")
    source = source_of(file)
    file.write_bytes(b"longer now")
    with pytest.raises(SourceLost, match="had 6 bytes and has 10"):
        fingerprint(source, MIB, Stopping())
    file.write_bytes(b"after!")
    with pytest.raises(SourceLost, match="written to"):
        fingerprint(source, MIB, Stopping())
    file.unlink()
    with pytest.raises(SourceLost, match="gone"):
        fingerprint(source, MIB, Stopping())


def test_a_file_that_changes_while_it_is_read_is_lost(tmp_path):
    file = tmp_path / "f"
    file.write_bytes(bytes(3 * MIB))
    reading = source_of(file).read(0, 3 * MIB)
    next(reading)
    with file.open("r+b") as writing:
        writing.write(b"x")
    os.utime(file, ns=(0, 1))
    with pytest.raises(SourceLost):
        list(reading)


def test_bytes_that_are_not_those_of_the_order_are_refused(tmp_path):
    (tmp_path / "f").write_bytes(b"abc")
    with pytest.raises(SourceLost, match="other bytes"):
        fingerprint(source_of(tmp_path / "f", sha256="0" * 64), MIB, Stopping())


def test_a_journal_knows_what_the_one_before_it_found_out(tmp_path):
    file = tmp_path / "f"
    file.write_bytes(bytes(2 * MIB))
    source = source_of(file)
    found = fingerprint(source, MIB, Stopping())
    journal = Journal(tmp_path / "state" / "1.jsonl")
    journal.note_hashed(source, found)
    journal.note_begun(found.sha256, Begun("u1", MIB))
    journal.note_stored(["a", "b"])
    again = Journal(tmp_path / "state" / "1.jsonl")
    assert again.fingerprint(source, MIB) == found
    assert again.fingerprint(source, 2 * MIB) is None  # other parts have other digests
    assert again.begun(found.sha256) == Begun("u1", MIB)
    assert again.is_stored("a")
    again.forget_stored()
    again.note_ended(found.sha256)
    last = Journal(tmp_path / "state" / "1.jsonl")
    assert not last.is_stored("a")
    assert last.begun(found.sha256) is None
    last.forget(found.sha256)
    assert Journal(tmp_path / "state" / "1.jsonl").fingerprint(source, MIB) is None


def test_a_journal_says_nothing_of_a_file_that_has_changed(tmp_path):
    (tmp_path / "f").write_bytes(bytes(MIB))
    before = source_of(tmp_path / "f")
    journal = Journal(tmp_path / "1.jsonl")
    journal.note_hashed(before, fingerprint(before, MIB, Stopping()))
    assert journal.fingerprint(Source("f", before.path, MIB, before.mtime_ns + 1), MIB) is None


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_journal_cut_anywhere_is_read_up_to_there_and_goes_on(tmp_path, cut):
    path = tmp_path / "1.jsonl"
    Journal(path).note_stored(["a"])
    Journal(path).note_begun("b", Begun("u", MIB))
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    Journal(path).note_stored(["c"])
    found = Journal(path)
    assert found.is_stored("c")
    assert found.begun("b") is None
    assert found.is_stored("a") == (whole[:-cut].count(b"\n") >= 1)


class _Resting(Stopping):
    """A clock that goes on while somebody waits."""

    def __init__(self, clock):
        super().__init__()
        self.clock = clock

    def rest(self, seconds):
        if seconds > 0:
            self.clock.advance(seconds)


def test_bandwidth_is_kept_to_over_any_time():
    clock = ManualClock()
    throttle = Throttle(10_000_000, clock, _Resting(clock))
    for _ in range(100):
        throttle.take(MIB)
    assert 100 * MIB / clock.monotonic_s() == pytest.approx(10_000_000, rel=0.05)
    clock.advance(3600)  # a rest does not save up more than a quarter of a second
    before_s = clock.monotonic_s()
    for _ in range(20):
        throttle.take(MIB)
    assert clock.monotonic_s() - before_s > 20 * MIB / 10_000_000 - 0.4


def test_no_limit_is_no_wait_but_a_stop_is_seen():
    stopping = Stopping()
    throttle = Throttle(0, ManualClock(), stopping)
    throttle.take(1 << 40)
    stopping.ask()
    with pytest.raises(Stopped):
        throttle.take(1)


def test_a_stop_ends_every_wait():
    stopping = Stopping()
    ended = threading.Event()

    def wait():
        with pytest.raises(Stopped):
            stopping.rest(3600)
        ended.set()

    thread = threading.Thread(target=wait)
    thread.start()
    stopping.ask()
    thread.join(20)
    assert ended.is_set()


@pytest.fixture
def outbox(tmp_path):
    (tmp_path / "spool").mkdir()
    return Outbox(SpoolDir(tmp_path / "spool"))


@pytest.mark.parametrize(
    "files",
    [[{}], [{"path": "a"}], [{"path": "a", "source": "../x", "size": 1}], [7],
     [{"path": "a", "source": "held/a", "size": "many"}]],
)  # fmt: skip
def test_an_order_that_cannot_be_followed_is_told_from_one_that_can(outbox, files):
    with pytest.raises(BadOrder):
        sources_of({"order": "files", "files": files}, outbox)


def test_orders_have_kinds_and_titles():
    with pytest.raises(BadOrder):
        kind_of({"order": "burn"})
    assert title_of({"order": "artifact", "name": "m", "files": [{}, {}]}) == "artifact m (2 files)"
    assert title_of({"order": "files", "files": [{"path": "a.txt"}]}) == "run files (a.txt)"


def test_a_watched_file_is_ordered_when_it_has_changed_and_come_to_rest(tmp_path, outbox):
    folder = tmp_path / "logs"
    folder.mkdir()
    watch = Watch(outbox, {"glob": f"{folder}/*.log", "base": str(folder), "policy": "live"})
    (folder / "a.log").write_text("1")
    watch.look(last=False)
    assert outbox.pending() == []  # perhaps it is being written
    watch.look(last=False)
    assert outbox.pending() == [1]
    watch.look(last=False)
    assert outbox.pending() == [1]
    (folder / "a.log").write_text("22")
    (folder / "b.log").write_text("333")
    watch.look(last=True)
    assert sorted(f["path"] for f in outbox.read(2)["files"]) == ["a.log", "b.log"]


def test_files_for_the_end_are_ordered_only_then(tmp_path, outbox):
    (tmp_path / "a.log").write_text("1")
    watch = Watch(outbox, {"glob": f"{tmp_path}/*.log", "base": str(tmp_path), "policy": "end"})
    watch.look(last=False)
    watch.look(last=False)
    assert outbox.pending() == []
    watch.look(last=True)
    assert [f["path"] for f in outbox.read(1)["files"]] == ["a.log"]


def test_a_run_that_cannot_be_told_of_a_failure_now_is_told_later(outbox):
    """A full disk takes no event; the order must not be forgotten for it, nor the lane end."""
    told = []

    class Log:
        def write(self, findings):
            told.append(findings.events)
            if len(told) < 3:
                raise OSError(errno.ENOSPC, "No space left on device")

    number = outbox.put({"order": "artifact", "name": "a", "files": [7]})
    clock = ManualClock()
    progress = SimpleNamespace(stuck=lambda why: None, moved_s=0.0)
    desk = SimpleNamespace(outbox=outbox, log=Log(), progress=progress, run_id="r")
    lane = Lane(desk, clock=clock, stopping=_Resting(clock))
    lane.take(number)
    lane.join(20)
    assert lane.idle
    assert len(told) == 3
    assert outbox.result(number)["ok"] is False


@pytest.mark.parametrize("stderr", [None, object(), SimpleNamespace(write=print)])
def test_a_stderr_that_is_no_terminal_or_no_file_at_all_is_not_watched(monkeypatch, stderr):
    monkeypatch.setattr(sys, "stderr", stderr)
    assert not is_watched()
