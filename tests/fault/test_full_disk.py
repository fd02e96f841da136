"""Disks that are full, fail or turn read-only: training goes on, and what is lost is counted to the point."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.fixtures_up import wait_until
from tests.fault.fixtures_client import Ended, Trainer, remount, tiny_disk, trainer
from tests.integration.fixtures_model_gateway import ModelGateway, gateway
from weir._reading import read_points
from weir._spool import Frame, SpoolReader, list_spools
from weir_proto.v1 import ingest_pb2 as pb

__all__ = ["gateway", "trainer"]  # fixtures

SMALL = "{'queue_max_bytes': 400_000, 'flush_interval_s': 0.01, 'spool_free_share': 1.0}"
# `fill()` takes every free byte but so many KiB; `numbers` tells log() calls apart.
START = f"""
import itertools, os, pathlib, sys, weir
filler = pathlib.Path(os.environ['DISK']) / 'filler'
def fill(left_kib=0):
    with filler.open('ab', buffering=0) as file:
        try:
            while True: file.write(bytes(4096))
        except OSError: pass
        file.truncate(max(0, file.tell() - left_kib * 1024))
numbers = itertools.count()
def log(calls):
    for _ in range(calls): run.log({{'n': float(next(numbers)), 'again': 1.0}})
def report():
    s = run.stats
    assert s.logged == s.spooled + s.dropped, s
    print(s.logged, s.dropped)
if 'LATE' not in os.environ: run = weir.init('p', id='r', settings={SMALL})
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of half a MiB, and nothing on it."""
    with tiny_disk(tmp_path / "disk", 512) as folder:
        yield folder


@pytest.fixture
def trainer_on_disk(trainer: Trainer, disk: Path) -> Trainer:
    trainer.environ |= {"WEIR_DIR": str(disk / "spool"), "DISK": str(disk), "WEIR_AGENT": "0"}
    return trainer


def counted(done: Ended) -> tuple[int, int]:
    """Return the points logged and dropped as the script reported them, and that it ended well."""
    assert done.returncode == 0, done.stderr
    logged, dropped = map(int, done.stdout.split())
    return logged, dropped


def test_a_disk_that_fills_and_is_freed_loses_exactly_what_is_told(
    trainer_on_disk: Trainer,
) -> None:
    done = trainer_on_disk.run(
        START
        + """
log(1_000)
assert run.flush(timeout=20)
fill()
log(1_000)
assert not run.flush(timeout=0.2)
log(19_000)
filler.unlink()
assert run.flush(timeout=20)
log(1_000)
assert run.flush(timeout=20)
run.finish()
report()
"""
    )
    logged, dropped = counted(done)
    values = trainer_on_disk.values("n")
    assert logged == 44_000
    assert dropped > 30_000
    assert values == sorted(values)
    assert values[:1_000] == [float(n) for n in range(1_000)]
    assert values[-1_000:] == [float(n) for n in range(21_000, 22_000)]
    assert len(values) + len(trainer_on_disk.values("again")) == logged - dropped
    lost = trainer_on_disk.lost()
    assert sum(lost.values()) == dropped
    assert "disk_full" in lost
    assert done.stderr.count("weir:") == 2
    assert f"points reach the disk again; {dropped} were lost meanwhile" in done.stderr


def test_a_frame_that_the_disk_takes_in_part_is_cut_off_and_written_again_without_a_hole(
    trainer_on_disk: Trainer,
) -> None:
    done = trainer_on_disk.run(
        START
        + """
short = []
def write(descriptor, content, real=os.write):
    written = real(descriptor, content)
    short.extend([written] if written < len(content) else [])
    return written
import weir._spool.writer as writer
writer.os = type('os', (), {**vars(os), 'write': staticmethod(write)})
log(100)
run.flush()
for left_kib in (4, 8, 12):
    fill(left_kib)
    run.log({'text': os.urandom(8_000).hex()})
    while not run.flush(timeout=0.2): filler.unlink()
assert short, 'no write was cut short'
run.finish()
report()
"""
    )
    assert counted(done) == (203, 0)
    assert [len(str(text)) for text in trainer_on_disk.values("text")] == [16_000] * 3
    assert trainer_on_disk.lost() == {}
    (spool,) = list_spools(trainer_on_disk.root)
    frames = [f for f in SpoolReader(spool).read(writer_alive=False) if isinstance(f, Frame)]
    headers_bytes = 16 * len(spool.list_segments())
    assert spool.size_bytes() == headers_bytes + sum(frame.disk_bytes for frame in frames)


def test_our_own_points_fill_the_disk_and_the_server_frees_it(
    trainer_on_disk: Trainer, gateway: ModelGateway
) -> None:
    """Nobody removes anything by hand: what is committed makes room for what comes."""
    server = gateway.address
    gateway.stop()
    training = trainer_on_disk.start(
        START
        + """
while run.flush(timeout=0.5): run.log({'n': float(next(numbers)), 'text': os.urandom(4_000).hex()})
print('full', flush=True)
sys.stdin.readline()
assert run.flush(timeout=60)
while not run.flush('committed', timeout=1): pass
log(100)
run.finish()
report()
""",
        WEIR_MODE="online",
        WEIR_AGENT="1",
        WEIR_SERVER=server,
    )
    assert training.stdout is not None
    assert training.stdout.readline() == "full\n"
    gateway.start()
    out, err = training.communicate("go on\n", timeout=100)
    assert training.returncode == 0, err
    assert out.split()[1] == "0", "points were dropped"
    wait_until(lambda: gateway.ledger.only().final_seq, "the run is stored")
    bodies = [pb.Body.FromString(frame) for frame in gateway.ledger.only().frames.values()]
    stored = [point for body in bodies for point in read_points(body, run_id="r", rank=0)]
    assert len(stored) == int(out.split()[0])
    assert [p.value for p in stored if p.metric == "n"] == [
        float(n) for n in range(len([p for p in stored if p.metric == "n"]))
    ]


LATE = (
    START
    + f"""
import tempfile
fill()
run = weir.init('p', id='r', settings={SMALL})
log(100)
"""
)


def test_a_disk_full_from_the_first_second_costs_one_warning(trainer_on_disk: Trainer) -> None:
    done = trainer_on_disk.run(
        LATE + "run.finish()\nreport()", LATE="1", TMPDIR=str(trainer_on_disk.folder)
    )
    assert counted(done) == (200, 0)
    assert done.stderr.count("weir:") == 1
    found = re.search(r"spooling to (\S+)", done.stderr)
    assert found
    trainer_on_disk.environ["WEIR_DIR"] = found[1]
    assert len(trainer_on_disk.values("n")) == 100


def test_where_nothing_can_be_written_at_all_training_starts_and_points_wait_for_room(
    trainer_on_disk: Trainer,
) -> None:
    script = LATE.replace("fill()\n", "fill()\ntempfile.tempdir = os.environ['DISK']\n")
    done = trainer_on_disk.run(
        script + "filler.unlink()\nwhile not run.flush(timeout=1): pass\nrun.finish()\nreport()",
        LATE="1",
    )
    assert counted(done) == (200, 0)
    assert "nor to a temporary folder" in done.stderr
    assert len(trainer_on_disk.values("n")) == 100


def test_a_full_disk_until_the_end_is_told_to_the_user_and_finish_returns(
    trainer_on_disk: Trainer,
) -> None:
    done = trainer_on_disk.run(
        START + "log(1_000)\nrun.flush()\nfill()\nlog(20_000)\nrun.finish(timeout=1)\nreport()"
    )
    logged, dropped = counted(done)
    assert 30_000 < dropped <= 40_000
    assert "could not be written to disk whole" in done.stderr
    assert f"dropped={dropped}" in done.stderr
    assert len(trainer_on_disk.values("n")) * 2 == logged - dropped


def test_a_read_only_directory_costs_one_warning_and_nothing_else(
    trainer_on_disk: Trainer, disk: Path
) -> None:
    remount(disk, "ro")
    done = trainer_on_disk.run(
        START + "log(100)\nrun.finish()\nreport()", TMPDIR=str(trainer_on_disk.folder)
    )
    assert counted(done) == (200, 0)
    assert done.stderr.count("weir:") == 1
    found = re.search(r"Read-only file system; spooling to (\S+)", done.stderr)
    assert found
    trainer_on_disk.environ["WEIR_DIR"] = found[1]
    assert len(trainer_on_disk.values("n")) == 100


def test_a_disk_that_turns_read_only_and_back_loses_exactly_what_is_told(
    trainer_on_disk: Trainer, disk: Path
) -> None:
    training = trainer_on_disk.start(
        START
        + """
log(100)
run.flush()
run._spooler._writer.close()  # an open file keeps a disk from being made read-only
print('ready', flush=True); sys.stdin.readline()
log(1_000)
assert not run.flush(timeout=0.2)
log(19_000)
print('lost', flush=True); sys.stdin.readline()
assert run.flush(timeout=20)
log(100)
run.finish()
report()
"""
    )
    assert training.stdin
    assert training.stdout
    assert training.stdout.readline() == "ready\n"
    remount(disk, "ro")
    training.stdin.write("\n")
    training.stdin.flush()
    assert training.stdout.readline() == "lost\n"
    remount(disk, "rw")
    out, err = training.communicate("\n", timeout=60)
    logged, dropped = counted(subprocess.CompletedProcess([], training.returncode, out, err))
    lost = trainer_on_disk.lost()
    assert sum(lost.values()) == dropped
    assert "disk_error" in lost
    assert dropped > 30_000
    assert len(trainer_on_disk.values("n")) * 2 == logged - dropped
    assert "Read-only file system" in err


@pytest.mark.parametrize("cut_works", [True, False], ids=["cut off", "left as it is"])
def test_a_disk_that_fails_now_and_then_costs_no_point(trainer: Trainer, cut_works: bool) -> None:
    """Every second write leaves half a frame and says EIO; sometimes not even that can be cut off."""
    done = trainer.run(
        START
        + f"""
import errno
turns = itertools.count()
def write(descriptor, content, real=os.write):
    if next(turns) % 2 == 0: return real(descriptor, content)
    real(descriptor, content[:len(content) // 2])
    raise OSError(errno.EIO, 'Input/output error')
def refuse(*_): raise OSError(errno.EIO, 'Input/output error')
import weir._spool.writer as writer
changed = {{'write': staticmethod(write)}} | ({{}} if {cut_works} else {{'ftruncate': refuse}})
writer.os = type('os', (), {{**vars(os), **changed}})
for _ in range(50):
    log(10)
    while not run.flush(timeout=5): pass
while next(turns) % 2: pass
run.finish()
report()
""",
        DISK=str(trainer.folder),
    )
    assert counted(done) == (1_000, 0)
    assert trainer.values("n") == [float(n) for n in range(500)]
    assert trainer.lost() == {}
    assert "Input/output error" in done.stderr
