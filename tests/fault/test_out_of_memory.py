"""Memory that runs out: what was spooled is stored, the state says crashed, and no point is lost uncounted."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import weir
from tests.e2e.fixtures_up import wait_until
from tests.fault.fixtures_client import Trainer, trainer
from tests.integration.fixtures_model_gateway import ModelGateway, gateway
from weir._body import pack_body
from weir._reading import read_points
from weir.testing import capture
from weir_proto.v1 import ingest_pb2 as pb

__all__ = ["gateway", "trainer"]  # fixtures

CGROUP = Path("/sys/fs/cgroup/memory")
GREEDY = """
import os, pathlib, sys, weir
run = weir.init('p', id='r', settings={'flush_interval_s': 0.02})
for n in range(500): run.log({'n': float(n)}, step=n)
assert run.flush('committed', timeout=30)  # the agent is there, and not in our cgroup
pathlib.Path(os.environ['CGROUP'], 'cgroup.procs').write_text(str(os.getpid()))
hoard = []
while True:
    hoard.append(bytearray(os.urandom(1 << 20)))
    run.log({'hoarded': float(len(hoard))}, step=len(hoard))
"""


@pytest.fixture
def small_memory() -> Iterator[Path]:
    """A cgroup that the kernel's out-of-memory killer watches over: 64 MiB."""
    group = CGROUP / "weir-test"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(64 << 20))
    except OSError as error:
        with suppress(OSError):
            group.rmdir()
        pytest.skip(f"no cgroup to run out of memory in: {error}")
    yield group
    wait_until(lambda: not (group / "cgroup.procs").read_text(), "the cgroup is empty")
    group.rmdir()


def test_a_process_that_the_kernel_kills_leaves_all_it_spooled_and_shows_as_crashed(
    trainer: Trainer, gateway: ModelGateway, small_memory: Path
) -> None:
    done = trainer.run(
        GREEDY, CGROUP=str(small_memory), WEIR_MODE="online", WEIR_SERVER=gateway.address
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    (account,) = gateway.ledger.accounts.values()
    wait_until(lambda: account.final_seq, "its log is closed")
    bodies = [pb.Body.FromString(frame) for _, frame in sorted(account.frames.items())]
    points = [point for body in bodies for point in read_points(body, run_id="r", rank=0)]
    assert [p.value for p in points if p.metric == "n"] == [float(n) for n in range(500)]
    hoarded = [p.value for p in points if p.metric == "hoarded"]
    assert hoarded == [n + 1.0 for n in range(len(hoarded))]
    assert bodies[-1].session.state == pb.SessionUpdate.CRASHED
    assert not account.lost


def test_a_process_that_survives_a_memory_error_goes_on_recording(trainer: Trainer) -> None:
    done = trainer.run(
        """
import resource, weir
run = weir.init('p', id='r', settings={'flush_interval_s': 0.01})
run.log({'n': 0.0}); run.flush()
in_use = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (in_use + (64 << 20), resource.RLIM_INFINITY))
errors = 0
for n in range(1, 200):
    hoard = []
    try:
        while n % 20 == 0: hoard.append(bytearray(4 << 20)); run.log({'hoarding': 1.0})
    except MemoryError: errors += 1
    hoard.clear()
    run.log({'n': float(n)})
assert errors == 9, errors
run.finish()
s = run.stats
assert s.logged == s.spooled + s.dropped, s
print(s.dropped)
"""
    )
    assert done.returncode == 0, done.stderr
    dropped = int(done.stdout)
    assert sum(trainer.lost().values()) == dropped
    if not dropped:
        assert trainer.values("n") == [float(n) for n in range(200)]


def test_points_that_no_frame_could_be_made_of_are_counted_and_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The spool thread meets the MemoryError: it may lose the points in its hands, not the count."""
    failures = iter([MemoryError()] * 2)

    def pack(batch, *arguments, **options):
        if batch.rows and (error := next(failures, None)):
            raise error
        return pack_body(batch, *arguments, **options)

    with capture(flush_interval_s=30.0) as captured:
        run = weir.init()
        run.flush()
        monkeypatch.setattr("weir._spooler.pack_body", pack)
        for turn in range(4):
            run.log({"a": float(turn), "text": "x"})
            run.flush(timeout=0.3 if turn < 2 else 20)
        run.finish()
        assert captured.values("a") == [2.0, 3.0]
        assert captured.losses() == {"queue_full": 4}
    assert run.stats == weir.Stats(logged=8, spooled=4, dropped=4, rejected=0)
    assert "MemoryError" in caplog.text
