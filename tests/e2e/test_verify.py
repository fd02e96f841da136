"""`weir verify` and `run.verify()`: what was logged here against what lies in a real store."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import weir
from tests.e2e.fixtures_up import EmbeddedWeir
from tests.fault.fixtures_client import POINTS_ONLY
from weir._verify_command import verify
from weir_store.clickhouse import ClickHouse

STEPS = 300
PROJECT = "ledgers"


@pytest.fixture
def log_here(
    embedded_weir: EmbeddedWeir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., weir.Run]:
    """Begin a run in this process that logs to the embedded Weir."""
    monkeypatch.setenv("WEIR_SERVER", embedded_weir.gateway)
    monkeypatch.setenv("WEIR_DIR", str(tmp_path / "spool"))
    monkeypatch.setenv("WEIR_AGENT_IDLE_S", "2")
    for name, value in POINTS_ONLY.items():
        monkeypatch.setenv(name, value)

    def begin(run_id: str, **arguments: object) -> weir.Run:
        return weir.init(PROJECT, id=run_id, **arguments)  # type: ignore[arg-type]

    return begin


def verified(run_id: str, *flags: str) -> Result:
    """Type `weir verify` and wait until nothing is on its way."""
    return CliRunner(env={"COLUMNS": "160"}).invoke(
        verify, [f"{PROJECT}/{run_id}", "--wait", "60", *flags]
    )


def log_everything(run: weir.Run) -> None:
    """Points of several shapes, corrections, texts, attributes and events."""
    for step in range(STEPS):
        run.log({"loss": 1 / (step + 1), "lr": 0.1, "rare": math.nan if step % 7 else -0.0})
        if step % 50 == 0:
            run.log({"sample": f"ü{step}", "val/acc": step / STEPS}, step=step)
            run.config["phase"] = step
            assert run.flush()
            run.log({"loss": -1.0}, step=step)
    run.log({"bad": object()})
    run.summary.update({"best": 0.5, "flags": [1, 2], "none": None, "done": True, "word": "é"})
    del run.config["phase"]
    run.finish()


@contextmanager
def store_of(embedded: EmbeddedWeir) -> Iterator[ClickHouse]:
    store = embedded.store()
    try:
        yield store
    finally:
        store.close()


def test_a_run_that_is_stored_as_it_was_sent_is_whole(
    log_here: Callable[..., weir.Run],
) -> None:
    log_everything(log_here("whole", config={"lr": 0.1}, tags=["a", "ü"]))
    result = verified("whole", "--complete")
    assert result.exit_code == 0, result.output
    sent = 3 * STEPS + 2 * len(range(0, STEPS, 50))
    assert f"whole: {sent} points sent = {sent} stored" in result.output.splitlines()[-1]
    told = json.loads(verified("whole", "--json").stdout)
    kinds = {line["kind"]: line for line in told["lines"]}
    assert set(kinds) == {"points", "texts", "attrs", "events"}
    assert {line["verdict"] for line in kinds.values()} == {"whole"}
    assert (kinds["texts"]["stored"], kinds["points"]["refused"]) == (6, 1)
    with weir.Api() as api:
        assert api.run(f"{PROJECT}/whole").verify().verdict == "whole"


def test_what_the_gateway_refused_is_told_and_adds_up(log_here: Callable[..., weir.Run]) -> None:
    run = log_here("rejected")
    for step in range(20):
        run.log({"loss": 0.5, "lr": 0.1}, timestamp=9e9 if step % 4 == 0 else None)
    run.finish()
    result = verified("rejected", "--complete")
    assert result.exit_code == 0, result.output
    assert "whole: 40 points sent = 30 stored + 10 rejected" in result.output


TAMPERING = {
    "value": ("ALTER TABLE {raw}.points UPDATE value = value + 1 WHERE {row}", "changed"),
    "time": ("ALTER TABLE {raw}.points UPDATE ts = ts + 1 WHERE {row}", "changed"),
    "text": ("ALTER TABLE {raw}.text_points UPDATE value = 'x' WHERE {text}", "changed"),
    "row-gone": ("ALTER TABLE {raw}.points DELETE WHERE {row}", "missing"),
    "row-more": (
        "INSERT INTO {raw}.points SELECT * REPLACE (step + 1000000 AS step) FROM"
        " (SELECT * FROM {raw}.points WHERE {row})",
        "doubled",
    ),
    "event-gone": ("ALTER TABLE {raw}.events DELETE WHERE {run} AND kind = 'rejected'", "missing"),
    "attr-gone": (
        "ALTER TABLE {raw}.run_attr_history DELETE WHERE {run} AND path = 'lr'",
        "missing",
    ),
}


@pytest.mark.parametrize("what", TAMPERING)
def test_what_is_changed_behind_weirs_back_is_noticed(
    embedded_weir: EmbeddedWeir, log_here: Callable[..., weir.Run], what: str
) -> None:
    log_everything(log_here(what, config={"lr": 0.1}))
    assert verified(what).exit_code == 0
    run = f"project = '{PROJECT}' AND run_id = '{what}'"
    row = f"{run} AND metric = 'loss' AND step = 11"
    text = f"{run} AND metric = 'sample' AND step = 50"
    statement, verdict = TAMPERING[what]
    with store_of(embedded_weir) as store:
        found = "SELECT database FROM system.tables WHERE name = 'points' AND engine LIKE '%Tree'"
        ((raw,),) = store.query_rows(found)
        text_of = statement.format(raw=raw, run=run, row=row, text=text)
        store.command(text_of, settings={"mutations_sync": 1})
    result = verified(what)
    assert result.exit_code == 1, result.output
    assert result.output.splitlines()[-1].startswith(f"{verdict}: ")


def test_a_running_run_is_pending_or_whole_and_never_anything_else(
    log_here: Callable[..., weir.Run],
) -> None:
    run = log_here("running", settings={"flush_interval_s": 0.01})
    path = f"{PROJECT}/running"
    seen = set()
    for step in range(2_000):
        run.log({"loss": step, "lr": 0.1, "note": str(step)})
        if step % 100 == 0:
            result = CliRunner().invoke(verify, [path, "--json"])
            told = json.loads(result.stdout)
            seen.add(told["verdict"])
            assert result.exit_code == 0, result.output
            assert told["verdict"] in ("pending", "whole"), told
    assert CliRunner().invoke(verify, [path, "--complete"]).exit_code == 1
    assert "pending" in seen
    run.finish()
    result = verified("running", "--complete")
    assert result.exit_code == 0, result.output
    assert "4 000 points sent = 4 000 stored" in result.output


def test_a_run_that_only_lies_in_the_spool_is_pending_with_the_exact_count(
    log_here: Callable[..., weir.Run],
) -> None:
    run = log_here("offline", mode="offline")
    for step in range(10):
        run.log({"loss": step})
    run.finish()
    result = CliRunner().invoke(verify, [f"{PROJECT}/offline"])
    assert result.exit_code == 0, result.output
    assert "10 more in this machine's spool" in result.output
    assert CliRunner().invoke(verify, [f"{PROJECT}/offline", "--complete"]).exit_code == 1


def test_what_cannot_be_told_exits_with_2(log_here: Callable[..., weir.Run]) -> None:
    unknown = CliRunner().invoke(verify, [f"{PROJECT}/nothing"])
    assert unknown.exit_code == 2
    assert "cannot be verified" in unknown.output
    nobody = CliRunner().invoke(verify, ["nothing", "--server", "127.0.0.1:1"])
    assert nobody.exit_code == 2
