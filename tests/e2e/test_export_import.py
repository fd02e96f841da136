"""A real run, out as Parquet and back: everything is there, and `weir verify` says so."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner

import weir
from tests.e2e.fixtures_up import EmbeddedWeir, running_weir, wait_until
from weir._export_command import export_command, import_command
from weir._verify_command import verify


@pytest.fixture(autouse=True)
def logs_here(embedded_weir: EmbeddedWeir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIR_SERVER", embedded_weir.gateway)
    monkeypatch.setenv("WEIR_DIR", str(tmp_path / "spool"))
    monkeypatch.setenv("WEIR_AGENT_IDLE_S", "2")
    monkeypatch.setenv("WEIR_ARTIFACT_CACHE_GB", "0")


def a_run_with_everything(project: str, tmp_path: Path) -> None:
    run = weir.init(project, id="whole", config={"lr": 0.1}, tags=["ü"])
    (tmp_path / "weights.bin").write_bytes(bytes(range(256)) * 4_000)
    for step in range(300):
        run.log({"loss": 1 / (step + 1), "rare": math.nan if step % 7 else -math.inf})
    run.log({"loss": -1.0}, step=3)
    run.log({"sample": "grüße", "picture": weir.Image([[0.0, 1.0], [0.5, 0.25]])})
    run.log_artifact(tmp_path / "weights.bin", "weights", "model", aliases=["best"]).wait(60)
    run.save(tmp_path / "weights.bin")
    run.alert("hot")
    run.finish(timeout=60)
    whole = CliRunner(env={"COLUMNS": "160"}).invoke(
        verify, [f"{project}/whole", "--wait", "60", "--complete"]
    )
    assert whole.exit_code == 0, whole.output


def typed(command: object, *words: str) -> str:
    result = CliRunner().invoke(command, list(words))  # type: ignore[arg-type]
    assert result.exit_code == 0, f"{result.output} {result.exception!r}"
    return result.output


def ledger(path: str) -> dict[str, object]:
    told = CliRunner().invoke(verify, [path, "--json"])
    found = json.loads(told.stdout)
    return {key: found[key] for key in ("verdict", "lines")}


def test_a_run_comes_back_whole_into_a_fresh_weir_with_all_its_bytes(
    embedded_weir: EmbeddedWeir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_run_with_everything("exported", tmp_path)
    out = str(tmp_path / "out")
    typed(export_command, "exported", "-o", out, "--artifacts")
    with weir.Api() as api:
        before, told = api.run("exported/whole"), ledger("exported/whole")
        picture = before.media("picture")[0].read()
        history = before.history("loss", as_="arrow")
    with running_weir(tmp_path / "fresh", "--no-dashboard") as fresh:
        monkeypatch.setenv("WEIR_SERVER", fresh.gateway)
        for _ in range(2):
            typed(import_command, out)
        with weir.Api() as api:
            after = api.run("exported/whole")
            for what in ("config", "summary", "meta", "tags", "state", "created"):
                assert repr(getattr(after, what)) == repr(getattr(before, what)), what  # NaN too
            assert after.files == before.files
            assert after.history("loss", as_="arrow").equals(history)
            assert after.media("picture")[0].read() == picture
            folder = Path(api.artifact("exported/weights:best").download(tmp_path / "got"))
            assert (folder / "weights.bin").read_bytes() == (tmp_path / "weights.bin").read_bytes()
        assert ledger("exported/whole") == told
        assert told["verdict"] == "whole"
        # A number that was brought along is not given again.
        run = weir.init("exported", id="more")
        (tmp_path / "other.bin").write_bytes(b"other")
        assert run.log_artifact(tmp_path / "other.bin", "weights", "model").wait(60).version == 1
        run.finish(timeout=60)
        wait_until(lambda: not list((tmp_path / "spool").glob("*/*/*/meta.json")), "spool is empty")
