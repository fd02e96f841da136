"""Resuming, rewinding and forking across real processes, and read back from a real store."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import weir
from tests.e2e.fixtures_up import EmbeddedWeir, wait_until
from weir._verify_command import _ask

PROJECT = "branches"

TRAIN_UNTIL_KILLED = """
import sys, time, weir
run = weir.init("branches", id=sys.argv[1], config={"lr": 0.1})
for step in range(50):
    run.log({"loss": float(step)})
assert run.flush("committed", timeout=60)
run.log({"loss": 50.0})
run.flush()
print("ready", flush=True)
time.sleep(600)
"""

RESUME = """
import sys, weir
run = weir.init("branches", id=sys.argv[1], resume="allow")
for _ in range(10):
    run.log({"loss": -1.0})
run.finish(timeout=60)
"""


@pytest.fixture
def environment(
    embedded_weir: EmbeddedWeir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """Of a process that logs to the embedded Weir; this one's too."""
    monkeypatch.setenv("WEIR_SERVER", embedded_weir.gateway)
    monkeypatch.setenv("WEIR_DIR", str(tmp_path / "spool"))
    monkeypatch.setenv("WEIR_AGENT_IDLE_S", "2")
    return {**embedded_weir.environment(tmp_path / "spool"), "WEIR_AGENT_IDLE_S": "2"}


def script(tmp_path: Path, source: str) -> str:
    path = tmp_path / f"train{abs(hash(source))}.py"
    path.write_text(source)
    return str(path)


def loss_of(run_id: str) -> dict[int, float]:
    """What a reader sees of the run's loss, by step."""
    with weir.Api() as api:
        table = api.run(f"{PROJECT}/{run_id}").history("loss", as_="arrow")
    steps, values = table["step"].to_pylist(), table["value"].to_pylist()
    assert len(set(steps)) == len(steps), "a step is shown twice"
    return dict(zip(steps, values, strict=True))


def verdict_of(run_id: str, tmp_path: Path) -> str:
    """The run's verdict once nothing is on its way."""

    def settled() -> str:
        with weir.Api() as api:
            told = _ask(api, f"{PROJECT}/{run_id}", tmp_path / "spool")
        return "" if told.waits else told.verdict

    return str(wait_until(settled, f"{run_id} is settled"))


def log_steps(run: weir.Run, count: int, value: float) -> None:
    for _ in range(count):
        run.log({"loss": value})
    run.finish(timeout=60)


def test_a_run_killed_in_one_process_goes_on_in_another_and_keeps_its_points(
    environment: dict[str, str], tmp_path: Path
) -> None:
    first = subprocess.Popen(
        [sys.executable, script(tmp_path, TRAIN_UNTIL_KILLED), "killed"],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert first.stdout is not None
    assert first.stdout.readline() == "ready\n"
    first.send_signal(signal.SIGKILL)
    first.wait()
    done = subprocess.run(
        [sys.executable, script(tmp_path, RESUME), "killed"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert verdict_of("killed", tmp_path) == "whole"
    stored = loss_of("killed")
    assert {step: stored[step] for step in range(50)} == {step: float(step) for step in range(50)}
    # The last point of the first life was on disk only: it came before the second life asked, or
    # the second life wrote the same step again and is shown.
    assert sorted(stored) in (list(range(60)), list(range(61)))
    assert list(stored.values()).count(-1.0) == 10


def test_a_rewound_run_shows_the_points_up_to_the_step_and_what_came_after(
    environment: dict[str, str], tmp_path: Path
) -> None:
    log_steps(weir.init(PROJECT, id="rewound"), 100, 1.0)
    log_steps(weir.init(resume_from="rewound?_step=49", project=PROJECT), 10, 2.0)
    assert loss_of("rewound") == {step: 1.0 if step < 50 else 2.0 for step in range(60)}
    with weir.Api() as api:
        assert api.run(f"{PROJECT}/rewound").rewinds == (49,)
    log_steps(weir.init(resume_from="rewound?_step=9", project=PROJECT), 1, 3.0)
    assert loss_of("rewound") == {step: 1.0 if step < 10 else 3.0 for step in range(11)}
    assert verdict_of("rewound", tmp_path) == "whole", "what is not shown any more is still stored"


def test_a_fork_shows_its_parents_points_and_config_and_its_own(
    environment: dict[str, str], tmp_path: Path
) -> None:
    log_steps(weir.init(PROJECT, id="parent", config={"lr": 0.1, "depth": 3}), 100, 1.0)
    log_steps(
        weir.init(PROJECT, id="child", fork_from="parent?_step=49", config={"lr": 0.2}), 10, 2.0
    )
    log_steps(weir.init(PROJECT, id="grandchild", fork_run_id="child", fork_step=51), 1, 3.0)
    assert loss_of("child") == {step: 1.0 if step < 50 else 2.0 for step in range(60)}
    assert loss_of("grandchild") == {
        **dict.fromkeys(range(50), 1.0), 50: 2.0, 51: 2.0, 52: 3.0
    }  # fmt: skip
    assert loss_of("parent") == dict.fromkeys(range(100), 1.0)
    with weir.Api() as api:
        child = api.run(f"{PROJECT}/child")
        assert (child.parent, child.fork_step) == (f"{PROJECT}/parent", 49)
        assert child.config == {"lr": 0.2, "depth": 3}
        assert child.verify().verdict == "whole"
