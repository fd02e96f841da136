"""A run made with no server anywhere is complete after `weir sync`, however often that is cut short."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.e2e.fixtures_up import wait_until
from tests.fault.fixtures_house import KILLED, House, Service
from weir import Api

STEPS = 400
WITHIN_S = 120.0
POINTS = (
    *("agent.after_hello:1", "agent.after_frame:3", "agent.before_watermark:1"),
    *("spool.mid_replace:2", "agent.after_watermark:1", "spool.mid_remove:1"),
)
TRAINER = textwrap.dedent(
    f"""
    import pathlib, sys, weir
    run_id, rank, gate = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
    run = weir.init("offline", id=run_id, mode="offline", rank=rank, world_size=2,
                    name="far away", config={{"lr": 0.1, "net": {{"depth": 3}}}}, tags=["field"])
    for step in range({STEPS}):
        run.log({{"loss": 1 / (step + 1), "where": float(rank), "note": f"step {{step}}"}}, step=step)
        if step % 20 == 0:
            run.flush(level="spooled")
    print("half", flush=True)
    if gate.name != "none":
        sys.stdin.readline()
    run.log({{"loss": -1.0, "where": float(rank), "note": "last"}}, step={STEPS})
    run.summary["best"] = 0.5
    run.finish()
    """
)


@pytest.fixture(scope="module", autouse=True)
def services(house: House) -> list[Service]:
    return [house.start_gateway(), house.start_writer()]


def train(run_id: str, rank: int, root: Path, *, gate: str = "none") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", TRAINER, run_id, str(rank), gate],
        env={**os.environ, "WEIR_DIR": str(root), "WEIR_SERVER": "127.0.0.1:9"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def start_sync(root: Path, server: str, *flags: str, fault: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from weir.cli import main; main()", "sync", str(root)]
    return subprocess.Popen(
        [*command, "--server", server, *flags],
        env={**os.environ, "WEIR_FAULT": fault},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def sync(root: Path, server: str, *flags: str, fault: str = "") -> tuple[int, str]:
    """Run `weir sync` to its end."""
    process = start_sync(root, server, *flags, fault=fault)
    said, _ = process.communicate(timeout=WITHIN_S)
    return process.returncode, said


def assert_complete(house: House, run_id: str, ranks: int) -> None:
    for rank in range(ranks):
        expected = {
            "loss": [*((step, 1 / (step + 1)) for step in range(STEPS)), (STEPS, -1.0)],
            "where": [(step, float(rank)) for step in range(STEPS + 1)],
        }
        for metric, points in expected.items():
            rows = house.rows(
                f"SELECT step, value FROM raw.points FINAL WHERE run_id = '{run_id}'"
                f" AND rank = {rank} AND metric = '{metric}' ORDER BY ALL"
            )
            assert rows == points
    run = Api(house.address).run(f"offline/{run_id}")
    assert (run.state, run.name, list(run.tags)) == ("finished", "far away", ["field"])
    assert dict(run.config) == {"lr": 0.1, "net.depth": 3}
    assert run.summary["best"] == 0.5
    notes = house.rows(f"SELECT count() FROM raw.text_points FINAL WHERE run_id = '{run_id}'")
    assert notes == [((STEPS + 1) * ranks,)]


def test_a_sync_killed_at_any_point_can_be_repeated_and_ends_complete(
    house: House, root: Path
) -> None:
    for rank in range(2):
        assert train("cut", rank, root).wait(WITHIN_S) == 0
    killed = 0
    for point in POINTS:
        code, said = sync(root, house.address, fault=point)
        assert code in (0, KILLED), said
        killed += code == KILLED
    code, said = sync(root, house.address)
    assert code == 0, said
    assert killed >= len(POINTS) // 2  # what is done is not done again, nor can it die there
    assert_complete(house, "cut", 2)


def test_ctrl_c_ends_a_sync_soon_and_says_how_to_go_on(house: House, root: Path) -> None:
    assert train("bored", 0, root).wait(WITHIN_S) == 0
    process = start_sync(root, "127.0.0.1:9", "--timeout", "300")
    with pytest.raises(subprocess.TimeoutExpired):  # nobody is there, so it keeps trying
        process.wait(4)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "interrupted; run the same command again" in said
    assert "Traceback" not in said
    assert sync(root, house.address)[0] == 0
    assert_complete(house, "bored", 1)


def test_part_of_a_run_that_goes_on_can_be_sent_and_the_rest_later(
    house: House, root: Path
) -> None:
    trainer = train("half", 0, root, gate="wait")
    assert trainer.stdout.readline() == "half\n"
    wait_until(lambda: list(root.glob("*/*/*/*.seg")), "it is spooled")
    code, said = sync(root, house.address)
    assert code == 0  # a run that goes on is left alone
    assert "still runs" in said
    counted = "SELECT count() FROM raw.points FINAL WHERE run_id = 'half' AND metric = 'loss'"
    assert house.rows(counted) == [(0,)]
    for _ in range(2):
        code, said = sync(root, house.address, "--include-live")
        assert code == 0, said
        assert house.rows(counted) == [(STEPS,)]
    assert Api(house.address).run("offline/half").state == "running"
    trainer.stdin.write("\n")
    trainer.stdin.close()
    assert trainer.wait(WITHIN_S) == 0
    assert sync(root, house.address)[0] == 0
    assert_complete(house, "half", 1)
    assert not list(root.glob("*/*/*/*.seg"))
