"""`weir up` as people use it: real processes, real training, read back."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.e2e.fixtures_up import (
    EmbeddedWeir,
    alive,
    running_weir,
    start_weir,
    up_command,
    wait_until,
)
from tests.e2e.recorded import read_recorded, read_stored
from weir_server.up.probes import http_answers
from weir_store.records import RunQuery, RunRef, RunState

RANKS = 4


def test_three_lines_make_a_finished_run_with_every_point(
    embedded_weir: EmbeddedWeir, tmp_path: Path
) -> None:
    embedded_weir.run_example("01_hello.py", spool=tmp_path / "spool")
    with embedded_weir.reader() as reader:
        (run,) = reader.list_runs(RunQuery("hello")).runs
        assert run.state is RunState.FINISHED
        assert run.config == {"speed": 0.1}
        stored = read_stored(reader, run.ref)
    assert stored == {("loss", 0): [(step, 1 / (1 + 0.1 * step)) for step in range(100)]}


def test_every_point_of_every_rank_is_read_back_exactly_once(
    embedded_weir: EmbeddedWeir, tmp_path: Path
) -> None:
    said = embedded_weir.run_example(
        "02_digits_ddp.py", "--run-id", "ddp", "--ranks", str(RANKS), "--seconds", "4",
        "--record", str(tmp_path), spool=tmp_path / "spool",
    )  # fmt: skip
    recorded = read_recorded(tmp_path, RANKS)
    with embedded_weir.reader() as reader:
        run = reader.get_run(RunRef("digits", "ddp"))
        assert read_stored(reader, run.ref) == recorded
    assert run.state is RunState.FINISHED
    assert run.ranks == run.world_size == RANKS
    assert run.config["lr"] == 0.08
    assert run.summary["steps"] == len(recorded["train/loss", 0])
    assert f"accuracy {run.summary['best_val_accuracy']:.4f}" in said


def test_a_second_up_on_the_same_directory_is_refused_and_says_who_holds_it(
    embedded_weir: EmbeddedWeir,
) -> None:
    second = subprocess.run(
        up_command(embedded_weir.data_dir), capture_output=True, text=True, timeout=60, check=False
    )
    assert second.returncode == 1
    assert f"pid {embedded_weir.process.pid}" in second.stderr
    assert "Traceback" not in second.stderr


def test_the_engine_asks_for_a_password_that_only_this_user_can_read(
    embedded_weir: EmbeddedWeir,
) -> None:
    assert not http_answers(f"{embedded_weir.state['clickhouse']['url']}/?query=SELECT+1")
    for name in ("engine.password", "weir-up.json"):
        mode = (embedded_weir.data_dir / name).stat().st_mode
        assert stat.S_IMODE(mode) == 0o600, name
    assert stat.S_IMODE(embedded_weir.data_dir.stat().st_mode) == 0o700


def test_doctor_finds_a_running_weir_well(embedded_weir: EmbeddedWeir) -> None:
    command = [sys.executable, "-m", "weir_server", "doctor", "--json"]
    done = subprocess.run(
        [*command, "--data-dir", str(embedded_weir.data_dir)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    findings = {finding["subject"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    for subject in ("redis", "clickhouse", "schema", "gateway", "weir up", "objects", "door"):
        assert findings[subject]["verdict"] == "ok", findings[subject]


def test_a_restart_on_the_same_directory_keeps_everything(tmp_path: Path) -> None:
    for life in range(2):
        with running_weir(tmp_path / "data", "--no-dashboard") as weir:
            weir.run_example("01_hello.py", spool=tmp_path / "spool")
            with weir.reader() as reader:
                runs = reader.list_runs(RunQuery("hello")).runs
                assert len(runs) == life + 1
                for run in runs:
                    assert len(read_stored(reader, run.ref)["loss", 0]) == 100


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_ends_every_child_and_exits_0(tmp_path: Path, number: int) -> None:
    weir = start_weir(tmp_path / "data", "--no-dashboard")
    parts = weir.parts()
    children = psutil.Process(weir.process.pid).children(recursive=True)
    assert set(parts) == {"redis", "engine", "writer", "gateway", "rules"}
    assert all(alive(part) for part in parts.values())
    assert weir.stop(number) == 0
    assert not [name for name, part in parts.items() if alive(part)]
    assert not [child for child in children if child.is_running()]
    assert not (tmp_path / "data" / "weir-up.json").exists()
    assert "stopped" in weir.said


def test_children_die_with_a_killed_up_and_the_next_one_starts(tmp_path: Path) -> None:
    weir = start_weir(tmp_path / "data", "--no-dashboard")
    parts = weir.parts()
    weir.process.kill()
    weir.process.wait()
    with running_weir(tmp_path / "data", "--no-dashboard"):
        assert not [name for name, part in parts.items() if alive(part)]


def test_the_dashboard_comes_up_too_and_the_banner_says_where(tmp_path: Path) -> None:
    with running_weir(tmp_path / "data") as weir:
        assert http_answers(weir.dashboard)
        assert weir.dashboard in weir.said
        assert weir.gateway in weir.said
        wait_until(lambda: http_answers(f"{weir.dashboard}/_stcore/health"), "it is healthy")


def test_the_demo_trains_and_stops_everything_when_done(tmp_path: Path) -> None:
    demo = Path(__file__).parents[2] / "examples" / "demo.py"
    done = subprocess.run(
        [
            sys.executable, str(demo), "--exit-when-done", "--no-browser", "--seconds", "3",
            "--ranks", "2", "--data-dir", str(tmp_path / "demo"),
        ],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "/run?project=digits&id=demo-" in done.stdout
    assert not (tmp_path / "demo" / "weir-up.json").exists()
