"""From a NaN in training to a stopped run: the whole Weir, its rules process, a webhook, the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.fixtures_up import EmbeddedWeir, running_weir, wait_until
from tests.integration.fixtures_rules import Listener, listening

listener = pytest.fixture(listening)

TRAIN = """
import sys, time
import weir
run = weir.init(project="vision", id="bad")
run.alert("training begins", "by hand", "INFO", wait_duration=60)
run.alert("training begins")
until = time.monotonic() + 60
step = 0
while not run.should_stop and time.monotonic() < until:
    run.log({"train/loss": float("nan") if step >= 5 else 1.0 / (step + 1)})
    step += 1
    time.sleep(0.05)
print("should_stop", run.should_stop)
run.finish()
"""
RULES = """
project: vision
rules:
  - name: nan-loss
    template: nan
    every: 5s
    title: loss is NaN
    actions:
      - {webhook: "$HOOK", secret: s}
      - {tag: nan}
      - {stop: true}
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedWeir]:
    folder = tmp_path_factory.mktemp("rules") / "data"
    with running_weir(
        folder, "--no-dashboard", "--gateway.webhooks-anywhere", "true", "--rules.poll-s", "0.2"
    ) as weir:
        yield weir


def test_a_run_that_logs_nan_is_told_of_tagged_and_stopped(
    served: EmbeddedWeir, listener: Listener, tmp_path: Path
) -> None:
    environment = {**served.environment(tmp_path / "spool"), "HOOK": listener.url}

    def weir(*words: str) -> str:
        command = [sys.executable, "-c", "from weir.cli import main; main()", *words]
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    (tmp_path / "rules.yaml").write_text(RULES)
    assert "+ vision/nan-loss made" in weir("rules", "apply", "rules.yaml")
    trained = subprocess.run(
        [sys.executable, "-c", TRAIN], env=environment, cwd=tmp_path, capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "should_stop True" in trained.stdout, trained.stdout + trained.stderr

    (said,) = listener.said()
    assert (said["title"], said["run_id"], said["state"]) == ("loss is NaN", "bad", "firing")
    assert said["text"] == "train/loss was nan at step 5"
    (rule,) = json.loads(weir("rules", "list", "vision", "--json"))
    assert (rule["state"], rule["firing"], rule["error"]) == ("firing", 1, "")

    def delivered() -> bool:
        found = json.loads(weir("rules", "deliveries", "vision", "--json"))
        return [each["state"] for each in found] == ["delivered"] * 3

    wait_until(delivered, "everything is delivered")
    told = [
        (each["source"], each["event"]["title"])
        for each in json.loads(weir("rules", "alerts", "vision", "--json"))
    ]
    assert told == [("server", "loss is NaN"), ("client", "training begins")]
    shown = json.loads(weir("show", "vision/bad", "--json"))
    assert "nan" in shown["tags"]
    (stop,) = [each for each in shown["events"] if each["kind"] == "stop_requested"]
    assert stop["title"] == "rule nan-loss asked the run to stop"
    assert stop["body"] == "rule nan-loss: train/loss was nan at step 5"


def test_a_killed_rules_process_is_started_again_and_goes_on(
    served: EmbeddedWeir, tmp_path: Path
) -> None:
    before = served.parts()["rules"]
    os.kill(before.pid, 9)
    wait_until(lambda: served.parts()["rules"].pid != before.pid, "the rules process is back")
