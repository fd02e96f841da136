"""The agent's small parts: back-off, statuses, messages, log, lock, liveness, take-over, sync."""

import errno
import logging
import os
import random
import subprocess
import sys
import zlib
from pathlib import Path

import grpc
import psutil
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from weir._spool import (
    FLAG_FINAL,
    Frame,
    Gap,
    Meta,
    SegmentWriter,
    SpoolDir,
    SpoolReader,
    Watermark,
    frame_crc,
)
from weir.agent._backoff import Backoff, jittered
from weir.agent._conversation import Greeting
from weir.agent._extent import read_extent
from weir.agent._fsync import SegmentSync
from weir.agent._liveness import Life, trainer_life
from weir.agent._lock import AgentLock, agent_pid
from weir.agent._log import AgentLog
from weir.agent._messages import FramePacker, hello
from weir.agent._producer import Producer
from weir.agent._status import REFUSING, WAITING, error_for
from weir.agent._takeover import take_over
from weir.agent._transport import Address
from weir.errors import Forbidden, Overloaded, Rejected, Unauthenticated, Unavailable
from weir_proto.v1 import ingest_pb2 as pb


def make_meta(**changes) -> Meta:
    me = psutil.Process()
    told = {
        "mode": "online",
        "server": "127.0.0.1:1",
        "producer": os.urandom(16).hex(),
        "project": "p",
        "run_id": "r",
        "rank": 3,
        "node": "here",
        "pid": me.pid,
        "process_started_s": me.create_time(),
    }
    return Meta(**(told | changes))


@pytest.fixture
def spool(tmp_path: Path) -> SpoolDir:
    return SpoolDir.create(tmp_path, make_meta())


def write(spool: SpoolDir, *seqs: int, final: int = 0) -> None:
    writer = SegmentWriter(spool)
    for seq in seqs:
        writer.append(seq, FLAG_FINAL if seq == final else 0, f"frame {seq}".encode())
    writer.close()


def read(spool: SpoolDir) -> list[Frame | Gap]:
    reader = SpoolReader(spool)
    found = list(reader.read(writer_alive=False))
    reader.close()
    return found


@pytest.fixture
def gone_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait(30)
    return process.pid


# ── back-off ─────────────────────────────────────────────────────────────────


@given(failures=st.integers(1, 60), seed=st.integers())
def test_a_wait_is_below_a_ceiling_that_doubles_up_to_ten_seconds(failures, seed):
    backoff = Backoff(rng=random.Random(seed))
    waits_s = [backoff.failed() for _ in range(failures)]
    for n, wait_s in enumerate(waits_s):
        assert 0.0 <= wait_s <= min(10.0, 0.2 * 2**n)


def test_after_a_success_the_first_wait_is_short_again():
    backoff = Backoff(rng=random.Random(1))
    for _ in range(20):
        backoff.failed()
    backoff.succeeded()
    assert backoff.failed() <= 0.2


@given(seed=st.integers())
def test_a_jittered_period_stays_within_its_share(seed):
    assert 480.0 <= jittered(600.0, 0.2, random.Random(seed)) <= 720.0


# ── statuses ─────────────────────────────────────────────────────────────────

ANSWERS = {
    "OK": Unavailable,
    "CANCELLED": Unavailable,
    "UNKNOWN": Unavailable,
    "INVALID_ARGUMENT": Rejected,
    "DEADLINE_EXCEEDED": Unavailable,
    "NOT_FOUND": Rejected,
    "ALREADY_EXISTS": Rejected,
    "PERMISSION_DENIED": Forbidden,
    "UNAUTHENTICATED": Unauthenticated,
    "RESOURCE_EXHAUSTED": Overloaded,
    "FAILED_PRECONDITION": Rejected,
    "ABORTED": Unavailable,
    "OUT_OF_RANGE": Rejected,
    "UNIMPLEMENTED": Rejected,
    "INTERNAL": Unavailable,
    "UNAVAILABLE": Unavailable,
    "DATA_LOSS": Rejected,
}


@pytest.mark.parametrize("status", list(grpc.StatusCode))
def test_every_grpc_status_has_been_decided_on(status):
    assert type(error_for(status.name, "")) is ANSWERS[status.name]
    decided = WAITING | REFUSING | {"UNAUTHENTICATED", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED"}
    assert status.name in decided


def test_a_status_nobody_knows_is_waited_for():
    assert isinstance(error_for("BRAND_NEW", "x"), Unavailable)


@pytest.mark.parametrize(
    ("server", "target", "tls"),
    [
        ("h:1", "h:1", False),
        ("grpc://h:1/", "h:1", False),
        ("grpcs://h:443", "h:443", True),
    ],
)
def test_a_server_is_named_with_or_without_tls(server, target, tls):
    address = Address(server)
    assert (address.target, address.tls) == (target, tls)


# ── messages ─────────────────────────────────────────────────────────────────


@given(body=st.binary(max_size=2000), flags=st.sampled_from([0, 1]))
def test_a_packed_frame_unpacks_to_the_same_body_and_carries_the_crc_on_disk(body, flags):
    frame = Frame(7, flags, body, frame_crc(7, flags, body))
    packed = FramePacker().pack(b"p" * 16, frame)
    unpacked = packed.body
    if packed.codec == pb.CODEC_ZSTD:
        unpacked = zstandard.ZstdDecompressor().decompress(packed.body)
    assert unpacked == body
    assert len(packed.body) <= len(body)
    assert (packed.seq, packed.flags, packed.raw_bytes) == (7, flags, len(body))
    assert packed.crc32 == frame.crc32


def test_what_compression_would_not_shrink_is_sent_as_it_is():
    body = os.urandom(500)
    packed = FramePacker().pack(b"p" * 16, Frame(1, 0, body, zlib.crc32(body)))
    assert packed.codec == pb.CODEC_RAW
    small = FramePacker().pack(b"p" * 16, Frame(1, 0, bytes(500), 0))
    assert small.codec == pb.CODEC_ZSTD


def test_a_hello_carries_the_origin_as_meta_tells_it():
    meta = make_meta(role="evaluator", attempt=2, launcher="slurm")
    message = hello(meta, Greeting(4, 9))
    assert (message.first_available, message.last_spooled, message.protocol) == (4, 9, 1)
    assert message.origin.producer.hex() == meta.producer
    assert (message.origin.rank, message.origin.role, message.origin.attempt) == (3, "evaluator", 2)


# ── log ──────────────────────────────────────────────────────────────────────


def test_one_kind_of_trouble_is_said_once_a_minute_and_then_how_often_it_was_held_back(caplog):
    logger, now_s = logging.getLogger("test.agent"), [0.0]
    log = AgentLog(logger, monotonic_s=lambda: now_s[0])
    with caplog.at_level(logging.INFO, logger="test.agent"):
        for _ in range(3):
            log.warning("stream broke", server="a b", wait_s=1.5)
        log.warning("disk full")
        now_s[0] = 61.0
        log.warning("stream broke", server="h")
    assert caplog.messages == [
        "warning stream broke server='a b' wait_s=1.500",
        "warning disk full",
        "warning stream broke server=h held_back=2",
    ]


# ── lock ─────────────────────────────────────────────────────────────────────


def test_a_full_disk_does_not_keep_an_agent_from_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only an agent can make room: it forgets what is committed."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("weir.agent._lock.os.pwrite", full)
    lock = AgentLock.take(tmp_path, "n", version="1")
    assert lock is not None
    assert AgentLock.take(tmp_path, "n", version="1") is None
    lock.release()


def test_one_agent_holds_the_lock_and_a_second_does_not_get_it(tmp_path):
    lock = AgentLock.take(tmp_path, "n", version="1")
    assert lock is not None
    assert AgentLock.take(tmp_path, "n", version="1") is None
    assert agent_pid(tmp_path, "n") == os.getpid()
    lock.release()
    again = AgentLock.take(tmp_path, "n", version="1")
    assert again is not None
    again.release()


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b'{"pid": "x"}', b"\xff"])
def test_a_lock_file_that_says_nothing_means_no_agent(tmp_path, content):
    (tmp_path / "agent-n.lock").write_bytes(content)
    assert agent_pid(tmp_path, "n") is None
    assert agent_pid(tmp_path, "elsewhere") is None


# ── liveness ─────────────────────────────────────────────────────────────────


def test_this_process_is_a_live_trainer(spool):
    assert trainer_life(spool, spool.read_meta(), node="here") is Life.LIVE


def test_a_process_that_is_gone_is_dead(spool, gone_pid):
    assert trainer_life(spool, make_meta(pid=gone_pid), node="here") is Life.DEAD


def test_a_zombie_is_dead(spool):
    process = subprocess.Popen([sys.executable, "-c", ""])
    started_s = psutil.Process(process.pid).create_time()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    meta = make_meta(pid=process.pid, process_started_s=started_s)
    assert trainer_life(spool, meta, node="here") is Life.DEAD
    process.wait(10)


def test_a_recycled_pid_is_dead_once_its_spool_is_silent(spool):
    write(spool, 1)
    meta = make_meta(process_started_s=psutil.Process().create_time() - 5000)
    assert trainer_life(spool, meta, node="here") is Life.LIVE
    for path in (spool.path / "meta.json", *spool.list_segments()):
        os.utime(path, (1, 1))
    assert trainer_life(spool, meta, node="here") is Life.DEAD


def test_of_another_node_nothing_is_known_until_it_is_silent_for_long(spool):
    assert trainer_life(spool, make_meta(node="there"), node="here") is Life.UNKNOWN
    os.utime(spool.path / "meta.json", (1, 1))
    assert trainer_life(spool, make_meta(node="there"), node="here") is Life.DEAD


# ── extent and take-over ─────────────────────────────────────────────────────


def test_an_extent_says_what_is_there_and_whether_it_is_complete(spool):
    assert read_extent(spool).last_seq == 0
    write(spool, 1, 2)
    write(spool, 3)
    assert (read_extent(spool).first_seq, read_extent(spool).last_seq) == (1, 3)
    assert not read_extent(spool).final
    write(spool, 4, final=4)
    assert read_extent(spool).final
    write(spool, 4, final=4)
    assert read_extent(spool).final


def test_a_dead_trainers_log_is_closed_once_however_often_it_is_tried(spool):
    write(spool, 1, 2)
    meta = make_meta(pid=4242)
    assert take_over(spool, meta, now_unix_us=5)
    assert not take_over(spool, meta, now_unix_us=6)
    frames = read(spool)
    assert [frame.seq for frame in frames] == [1, 2, 3]
    assert frames[-1].final
    body = pb.Body.FromString(frames[-1].body)
    assert body.session.state == pb.SessionUpdate.CRASHED
    assert body.session.reason == "process 4242 vanished without finish()"


def test_a_log_with_its_last_word_is_left_alone(spool):
    write(spool, 1, 2, final=2)
    assert not take_over(spool, make_meta(), now_unix_us=5)
    assert [frame.seq for frame in read(spool)] == [1, 2]


def test_a_trainer_that_died_before_its_first_frame_is_closed_too(spool):
    assert take_over(spool, make_meta(), now_unix_us=5)
    assert [frame.seq for frame in read(spool)] == [1]


@pytest.mark.parametrize("kept_bytes", range(0, 60, 7))
def test_a_log_torn_at_any_byte_is_closed_behind_its_last_whole_frame(spool, kept_bytes):
    write(spool, 1)
    write(spool, 2, 3)
    torn = spool.list_segments()[-1]
    os.truncate(torn, min(kept_bytes, torn.stat().st_size - 1))
    assert take_over(spool, make_meta(), now_unix_us=5)
    found = read(spool)
    assert all(isinstance(one, Frame) for one in found)
    assert [one.seq for one in found] == list(range(1, len(found) + 1))
    assert found[-1].final
    assert not take_over(spool, make_meta(), now_unix_us=6)


def test_after_a_power_loss_the_last_word_takes_a_number_that_the_server_has_not_seen(spool):
    write(spool, 1, 2)
    spool.write_watermark(Watermark(accepted_seq=5, committed_seq=0))
    take_over(spool, make_meta(), now_unix_us=5)
    assert read(spool)[-1].seq == 6


# ── producer and its disk ────────────────────────────────────────────────────


def open_producer(spool: SpoolDir, *, keep: bool = False) -> Producer:
    return Producer(spool, spool.read_meta(), live=False, packer=FramePacker(), keep=keep)


def welcome(producer: Producer, accepted: int, committed: int) -> None:
    producer.greet()
    message = pb.Welcome(
        accepted_seq=accepted, committed_seq=committed, window_frames=4, window_bytes=1 << 20
    )
    producer.welcome(message, unix_us=1)


def test_a_fresh_producer_does_not_take_back_the_watermark_on_disk(spool):
    write(spool, 1, 2, 3)
    spool.write_watermark(Watermark(2, 1))
    producer = open_producer(spool)
    assert not producer.unsettled
    producer.settle()
    assert spool.read_watermark() == Watermark(2, 1)


def test_frames_come_in_order_within_the_window_and_go_on_after_an_ack(spool):
    write(spool, 1, 2, 3)
    write(spool, 4, 5, 6, final=6)
    producer = open_producer(spool)
    welcome(producer, 0, 0)
    assert [frame.seq for frame in producer.frames()] == [1, 2, 3, 4]
    assert list(producer.frames()) == []
    producer.ack(pb.Ack(accepted_seq=4))
    assert [frame.seq for frame in producer.frames()] == [5, 6]


def test_an_answer_between_two_frames_ends_the_turn(spool):
    write(spool, 1, 2, 3, 4)
    producer = open_producer(spool)
    welcome(producer, 0, 0)
    frames = producer.frames()
    assert next(frames).seq == 1
    assert next(frames).seq == 2
    producer.ack(pb.Ack(accepted_seq=0, expect_seq=1))
    assert list(frames) == []


def test_a_settled_producer_has_its_watermark_on_disk_before_segments_go(spool):
    write(spool, 1, 2)
    write(spool, 3)
    producer = open_producer(spool)
    welcome(producer, 3, 2)
    producer.settle()
    assert spool.read_watermark() == Watermark(3, 2)
    assert len(spool.list_segments()) == 1


def test_a_producer_whose_last_word_is_committed_leaves_nothing(spool, tmp_path):
    write(spool, 1, 2, final=2)
    producer = open_producer(spool)
    welcome(producer, 2, 2)
    assert producer.finished
    producer.settle()
    assert list(tmp_path.iterdir()) == []


def test_keeping_a_spool_keeps_every_segment(spool):
    write(spool, 1)
    write(spool, 2, final=2)
    producer = open_producer(spool, keep=True)
    welcome(producer, 2, 2)
    producer.settle()
    assert spool.read_watermark() == Watermark(2, 2)
    assert len(spool.list_segments()) == 2


# ── fsync ────────────────────────────────────────────────────────────────────


def test_only_segments_that_grew_are_synced(spool, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    sync = SegmentSync(spool)
    write(spool, 1)
    sync.sync()
    sync.sync()
    assert len(synced) == 1
    write(spool, 2)
    write(spool, 3)
    sync.sync()
    sync.sync()
    assert len(synced) == 3
