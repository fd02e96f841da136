"""Changes of what is stored, in a Weir as people run it, from a shell and from Python."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import weir
from tests.e2e.fixtures_up import EmbeddedWeir

TRAIN = """
import weir
with weir.init(project="edited", id="first") as run:
    for step in range(50):
        run.log({"loss": 1 / (1 + step), "tmp": step}, step=step)
"""


def typed(weir: EmbeddedWeir, *words: str, spool: Path) -> str:
    """Type a command of `weir` and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "weir.cli", *words],
        env=weir.environment(spool),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_a_run_is_corrected_verified_and_deleted_and_the_receipt_stays(
    embedded_weir: EmbeddedWeir, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    training = [sys.executable, "-c", TRAIN]
    subprocess.run(training, env=embedded_weir.environment(spool), check=True, timeout=120)
    typed(embedded_weir, "verify", "edited/first", "--complete", "--wait", "60", spool=spool)
    with weir.Api(embedded_weir.gateway) as api:
        run = api.run("edited/first")
        run.correct("loss", 49, 0.5)
        run.delete_metric("tmp")
        assert run.reload().summary == {"loss": 0.5}

    assert "whole: 100 points sent = 50 stored + 50 deleted" in typed(
        embedded_weir, "verify", "edited/first", spool=spool
    )
    told = json.loads(
        typed(embedded_weir, "delete", "edited/first", "--yes", "--json", spool=spool)
    )
    waits = bool(told["result"]["objects"]["waiting"])  # files of the run, younger than the grace
    assert (told["state"], told["by"]) == ("waiting" if waits else "done", "anonymous")
    assert told["result"]["rows_freed"] > 50
    assert told["result"]["bytes_freed"] > 0
    assert "delete_run" in typed(embedded_weir, "receipt", told["id"], spool=spool)
    store = embedded_weir.store()
    rows = store.query_rows("SELECT count() FROM weir_raw.points WHERE project = 'edited'")
    store.close()
    assert rows == [(0,)]
