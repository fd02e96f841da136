"""Looking on at a real Weir, and the controller of examples/."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import weir
from tests.e2e.fixtures_up import EmbeddedWeir
from weir._api_live import EventUpdate, PointUpdate, StateUpdate


@pytest.fixture(autouse=True)
def logs_here(embedded_weir: EmbeddedWeir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIR_SERVER", embedded_weir.gateway)
    monkeypatch.setenv("WEIR_DIR", str(tmp_path / "spool"))
    monkeypatch.setenv("WEIR_AGENT_IDLE_S", "2")


def test_a_run_is_followed_from_its_birth_to_its_end_and_every_point_comes() -> None:
    with weir.Api() as api, api.subscribe("followed", since="start", idle_s=60) as updates:
        run = weir.init("followed", id="r")
        assert next(updates) == StateUpdate("followed/r", "running", 0, 1)
        for step in range(200):
            run.log({"loss": float(step)})
            time.sleep(0.005)
        run.alert("hot", "the loss rises")
        run.finish()
        points, states, alerts = {}, [], []
        for update in updates:
            match update:
                case PointUpdate(metric="loss"):
                    points[update.step] = update.value
                case StateUpdate():
                    states.append(update.state)
                case EventUpdate():
                    alerts.append(update.event.title)
            if len(points) == 200 and states[-1:] == ["finished"] and alerts:
                break
    assert points == {step: float(step) for step in range(200)}
    assert states == ["finished"]
    assert "hot" in alerts


def test_the_controller_of_the_examples_stops_the_worse_runs(
    embedded_weir: EmbeddedWeir, tmp_path: Path
) -> None:
    said = embedded_weir.run_example("05_early_stopping.py", spool=tmp_path / "jobs")
    stopped = [line for line in said.splitlines() if line.startswith("stopped ")]
    assert len(stopped) == 3
    assert "lr1.5 at step 40" in said
    assert "left: early-stopping/" in said
    with weir.Api() as api:
        (best,) = (run for run in api.runs("early-stopping") if f"left: {run.path}" in said)
        for line in stopped:
            run = api.run(line.split()[1])
            assert any(event.kind == "stop_requested" for event in run.events())
            assert len(run.history("loss")) < 400
        assert len(best.history("loss")) == 400
