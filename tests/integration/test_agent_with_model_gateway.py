"""A real agent process and real spools against a gateway whose stream and store are in memory."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.integration.fixtures_model_gateway import ModelGateway, gateway
from tests.integration.fixtures_spools import (
    NODE,
    Trainer,
    start_agent,
    wait_until,
    weir,
    weir_json,
)
from weir._spool import agent_log_path
from weir.agent._lock import agent_pid
from weir_proto.v1 import ingest_pb2 as pb

__all__ = ["gateway", "start_agent"]  # fixtures


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def short_lived():
    """A process that will be killed in the middle of its training."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait(10)


def log_of(root: Path) -> str:
    path = agent_log_path(root, NODE)
    return path.read_text() if path.exists() else ""


def stored(gateway: ModelGateway, trainer: Trainer) -> dict[int, bytes]:
    account = gateway.ledger.accounts.get(trainer.id)
    return account.frames if account else {}


def test_everything_spooled_is_committed_in_order_and_then_forgotten(gateway, root, start_agent):
    trainers = [
        Trainer(root, gateway.address, rank=rank, segment_bytes=20_000) for rank in range(4)
    ]
    start_agent(root)
    for _ in range(10):
        for trainer in trainers:
            trainer.write(30)
    for trainer in trainers:
        trainer.write(1, final=True)
    wait_until(lambda: all(trainer.forgotten for trainer in trainers))
    for trainer in trainers:
        assert stored(gateway, trainer) == trainer.bodies
        assert not gateway.ledger.accounts[trainer.id].lost
    assert not (root / "p").exists()


def test_segments_are_forgotten_while_the_trainer_goes_on(gateway, root, start_agent):
    trainer = Trainer(root, gateway.address, segment_bytes=5_000)
    start_agent(root)
    trainer.write(200)
    wait_until(lambda: len(trainer.spool.list_segments()) == 1)
    assert trainer.spool.read_watermark().committed_seq == 200
    assert trainer.spool.read_welcome().server_version == "model"


def test_nothing_is_forgotten_before_it_is_committed(gateway, root, start_agent):
    gateway.ledger.commits = False
    trainer = Trainer(root, gateway.address, segment_bytes=5_000)
    trainer.write(100, final=True)
    start_agent(root)
    wait_until(lambda: trainer.spool.read_watermark().accepted_seq == 100)
    assert trainer.spool.read_watermark().committed_seq == 0
    assert weir_json("status", str(root))["spools"][0]["frames"] == 100
    gateway.ledger.commits = True
    wait_until(lambda: trainer.forgotten)


def test_an_agent_killed_in_the_middle_is_replaced_without_loss_or_doubles(
    gateway, root, start_agent
):
    trainer = Trainer(root, gateway.address, segment_bytes=50_000)
    for _ in range(4):
        agent = start_agent(root)
        before = gateway.ledger.frames_seen
        trainer.write(400)
        wait_until(lambda before=before: gateway.ledger.frames_seen > before + 20)
        agent.kill()
    trainer.write(1, final=True)
    start_agent(root)
    wait_until(lambda: trainer.forgotten)
    assert stored(gateway, trainer) == trainer.bodies
    assert not gateway.ledger.only().lost


def test_a_trainer_that_vanishes_is_closed_as_crashed(gateway, root, start_agent, short_lived):
    trainer = Trainer(root, gateway.address, process=psutil.Process(short_lived.pid))
    trainer.write(5)
    with trainer.spool.list_segments()[-1].open("ab") as segment:
        segment.write(b"half a fra")
    start_agent(root)
    wait_until(lambda: len(stored(gateway, trainer)) == 5)
    short_lived.send_signal(signal.SIGKILL)
    short_lived.wait(10)
    wait_until(lambda: trainer.forgotten)
    account = gateway.ledger.only()
    assert account.final_seq == 6
    words = pb.Body.FromString(account.frames[6])
    assert words.session.state == pb.SessionUpdate.CRASHED
    assert words.session.reason == f"process {short_lived.pid} vanished without finish()"
    assert [loss.reason for loss in words.losses] == ["torn_tail"]


def test_a_second_agent_for_the_same_root_ends_at_once(gateway, root, start_agent):
    trainer = Trainer(root, gateway.address)
    first = start_agent(root)
    trainer.write(3)
    wait_until(lambda: len(stored(gateway, trainer)) == 3)
    assert start_agent(root).process.wait(20) == 0
    assert first.process.poll() is None
    assert weir_json("status", str(root))["agent_pid"] == first.process.pid


def test_a_server_that_goes_away_and_comes_back_gets_everything(gateway, root, start_agent):
    trainer = Trainer(root, gateway.address)
    start_agent(root)
    trainer.write(50)
    wait_until(lambda: len(stored(gateway, trainer)) == 50)
    gateway.stop()
    trainer.write(50)
    wait_until(lambda: "no connection to the server" in log_of(root))
    gateway.start()
    trainer.write(50, final=True)
    wait_until(lambda: trainer.forgotten, within_s=60)
    assert stored(gateway, trainer) == trainer.bodies
    assert log_of(root).count("no connection to the server") == 1


def test_a_stream_that_breaks_all_the_time_still_brings_everything(gateway, root, start_agent):
    gateway.ledger.break_every = 40
    trainer = Trainer(root, gateway.address)
    trainer.write(200, final=True)
    start_agent(root)
    wait_until(lambda: trainer.forgotten, within_s=60)
    assert stored(gateway, trainer) == trainer.bodies


def test_a_full_stream_is_waited_for(gateway, root, start_agent):
    gateway.ledger.full_for = 20
    trainer = Trainer(root, gateway.address)
    trainer.write(100, final=True)
    start_agent(root)
    wait_until(lambda: trainer.forgotten)
    assert stored(gateway, trainer) == trainer.bodies


def test_a_server_restored_from_a_backup_is_sent_what_the_spool_still_has(
    gateway, root, start_agent
):
    trainer = Trainer(root, gateway.address, segment_bytes=4_000)
    start_agent(root)
    trainer.write(50)
    wait_until(lambda: len(trainer.spool.list_segments()) == 1)
    gateway.stop()
    gateway.ledger.roll_back(10)
    gateway.start()
    trainer.write(1, final=True)
    wait_until(lambda: trainer.forgotten, within_s=60)
    account = gateway.ledger.only()
    ((first_lost, last_lost),) = account.lost
    assert first_lost == 11
    assert sorted(account.frames) == [*range(1, 11), *range(last_lost + 1, 52)]


def test_frames_that_cannot_be_read_are_told_as_lost_and_stop_nothing(gateway, root, start_agent):
    trainer = Trainer(root, gateway.address, segment_bytes=3_000)
    trainer.write(60, final=True)
    damaged = trainer.spool.list_segments()[1]
    content = bytearray(damaged.read_bytes())
    content[400] ^= 0xFF
    damaged.write_bytes(content)
    start_agent(root)
    wait_until(lambda: trainer.forgotten)
    account = gateway.ledger.only()
    ((first_lost, last_lost),) = account.lost
    kept = {seq: body for seq, body in trainer.bodies.items() if not first_lost <= seq <= last_lost}
    assert account.frames == kept
    assert "frames in the spool cannot be read" in log_of(root)


def test_a_bad_token_is_said_once_and_the_spool_is_kept(gateway, root, start_agent):
    gateway.ledger.token = "right"
    trainer = Trainer(root, gateway.address, token="wrong")
    trainer.write(5, final=True)
    start_agent(root)
    wait_until(lambda: trainer.spool.read_welcome() is not None)
    assert trainer.spool.read_welcome().refused_code == "UNAUTHENTICATED"
    assert "wrong" not in log_of(root)
    assert gateway.ledger.accounts == {}
    done = weir("sync", str(root), "--token", "right")
    assert done.returncode == 0, done.stdout + done.stderr
    assert stored(gateway, trainer) == trainer.bodies


def test_a_refused_producer_does_not_stop_the_agent_from_ending(gateway, root, start_agent):
    gateway.ledger.refusal = pb.Refusal(code="UNKNOWN_PROJECT", message="no project p")
    trainer = Trainer(root, gateway.address)
    trainer.write(5, final=True)
    agent = start_agent(root, idle_s=0.5)
    assert agent.process.wait(30) == 0
    assert not trainer.forgotten
    assert trainer.spool.read_welcome().refused_code == "UNKNOWN_PROJECT"


def test_an_idle_agent_ends_itself(gateway, root, start_agent):
    trainer = Trainer(root, gateway.address)
    trainer.write(5, final=True)
    agent = start_agent(root, idle_s=0.5)
    assert agent.process.wait(30) == 0
    assert trainer.forgotten


def test_an_agent_with_a_live_trainer_does_not_end(gateway, root, start_agent):
    trainer = Trainer(root, gateway.address)
    trainer.write(5)
    agent = start_agent(root, idle_s=0.2)
    for total in range(10, 60, 5):
        trainer.write(5)
        wait_until(lambda total=total: len(stored(gateway, trainer)) == total)
    assert agent.process.poll() is None


def test_sigterm_drains_and_ctrl_c_and_hang_up_are_ignored(gateway, root, start_agent):
    trainer = Trainer(root, gateway.address)
    agent = start_agent(root)
    trainer.write(5)
    wait_until(lambda: len(stored(gateway, trainer)) == 5)
    agent.process.send_signal(signal.SIGINT)
    agent.process.send_signal(signal.SIGHUP)
    trainer.write(100)
    assert agent.terminate() == 0
    assert stored(gateway, trainer) == trainer.bodies
    assert trainer.spool.read_watermark().committed_seq == 105


def test_a_stop_request_reaches_the_run(gateway, root, start_agent):
    gateway.ledger.stop = True
    trainer = Trainer(root, gateway.address)
    start_agent(root)
    wait_until(lambda: trainer.spool.read_control().stop)
    assert trainer.spool.read_control().by == "somebody"


def test_spools_of_other_nodes_and_offline_spools_are_left_alone(gateway, root, start_agent):
    elsewhere = Trainer(root, gateway.address, node="elsewhere")
    offline = Trainer(root, gateway.address, mode="offline")
    mine = Trainer(root, gateway.address)
    for trainer in (elsewhere, offline, mine):
        trainer.write(3, final=True)
    agent = start_agent(root, idle_s=0.5)
    assert agent.process.wait(30) == 0
    assert mine.forgotten
    assert set(gateway.ledger.accounts) == {mine.id}


def test_rubbish_in_the_root_stops_nothing(gateway, root, start_agent):
    trainer = Trainer(root, gateway.address)
    for name, content in (
        ("a", b"not json"),
        ("b", b"{}"),
        ("c", b"[1]"),
        ("d", b'{"format": 99}'),
    ):
        folder = root / "q" / "r" / name
        folder.mkdir(parents=True)
        (folder / "meta.json").write_bytes(content)
    (trainer.spool.path / "watermark").write_bytes(os.urandom(28))
    (trainer.spool.path / "00000009.seg").write_bytes(b"")
    (trainer.spool.path / "x.seg").write_bytes(os.urandom(100))
    trainer.write(20)
    start_agent(root)
    wait_until(lambda: stored(gateway, trainer) == trainer.bodies)


def test_an_offline_run_is_sent_by_hand(gateway, root):
    trainer = Trainer(root, gateway.address, mode="offline", segment_bytes=10_000)
    trainer.write(300, final=True)
    done = weir("sync", str(root))
    assert done.returncode == 0, done.stdout + done.stderr
    assert stored(gateway, trainer) == trainer.bodies
    assert trainer.forgotten
    assert weir("sync", str(root)).returncode == 0


def test_sync_can_keep_the_spool_and_be_repeated(gateway, root):
    trainer = Trainer(root, gateway.address, mode="offline")
    trainer.write(30, final=True)
    first = weir_json("sync", str(root), "--keep")
    again = weir_json("sync", str(root), "--keep")
    assert first["spools"][0]["frames_sent"] == 30
    assert again["spools"][0]["frames_sent"] == 0
    assert again["spools"][0]["outcome"] == "committed"
    assert not trainer.forgotten


@pytest.mark.parametrize("break_every", [0, 15])
def test_sync_goes_request_by_request_where_streams_break(gateway, root, break_every):
    gateway.ledger.break_every = break_every
    trainer = Trainer(root, gateway.address, mode="offline")
    trainer.write(100, final=True)
    forced = [] if break_every else ["--unary"]
    done = weir("sync", str(root), *forced)
    assert done.returncode == 0, done.stdout + done.stderr
    assert stored(gateway, trainer) == trainer.bodies


def test_sync_interrupted_and_repeated_brings_everything_once(gateway, root):
    gateway.ledger.window_frames = 1
    trainer = Trainer(root, gateway.address, mode="offline", segment_bytes=10_000)
    trainer.write(3_000, final=True)
    process = subprocess.Popen(
        [sys.executable, "-c", "from weir.cli import main; main()", "sync", str(root)],
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: len(stored(gateway, trainer)) > 50)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "run the same command again" in said
    assert len(stored(gateway, trainer)) < 3_000
    gateway.ledger.window_frames = 32
    assert weir("sync", str(root)).returncode == 0
    assert stored(gateway, trainer) == trainer.bodies


def test_sync_beside_an_agent_harms_nothing(gateway, root, start_agent):
    gateway.ledger.window_frames = 2
    trainer = Trainer(root, gateway.address, segment_bytes=10_000)
    trainer.write(1_000, final=True)
    start_agent(root)
    done = weir("sync", str(root))
    assert done.returncode == 0, done.stdout + done.stderr
    wait_until(lambda: trainer.forgotten)
    assert stored(gateway, trainer) == trainer.bodies
    assert not gateway.ledger.only().lost


def test_sync_leaves_running_processes_alone_unless_told(gateway, root):
    trainer = Trainer(root, gateway.address)
    trainer.write(10)
    skipped = weir_json("sync", str(root))["spools"][0]
    assert (skipped["outcome"], skipped["frames_sent"]) == ("skipped", 0)
    sent = weir_json("sync", str(root), "--include-live")["spools"][0]
    assert (sent["outcome"], sent["committed"]) == ("committed", 10)
    assert gateway.ledger.only().final_seq == 0


def test_sync_says_what_is_left_and_fails(gateway, root):
    trainer = Trainer(root, "127.0.0.1:1", mode="offline")
    trainer.write(10, final=True)
    done = weir("sync", str(root), "--timeout", "2")
    assert done.returncode == 1
    assert "some frames are left" in done.stdout
    assert not trainer.forgotten


def test_a_run_of_the_sdk_is_drained_by_the_agent_that_it_starts(gateway, root):
    program = (
        "import weir\n"
        f"run = weir.init('p', id='sdk', dir={str(root)!r}, node='a node of its own')\n"
        "for step in range(100):\n"
        "    run.log({'loss': 1 / (1 + step)}, step=step)\n"
        "run.finish()\n"
    )
    environ = os.environ | {"WEIR_AGENT_IDLE_S": "0.5", "WEIR_SERVER": gateway.address}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environ,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    account = gateway.ledger.only()
    bodies = [pb.Body.FromString(body) for body in account.frames.values()]
    steps = b"".join(block.step for body in bodies for block in body.points)
    assert len(steps) == 100 * 8
    assert account.final_seq == account.last == account.committed
    wait_until(lambda: not (root / "p").exists())
    wait_until(lambda: agent_pid(root, "a node of its own") is None)
