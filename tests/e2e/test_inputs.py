"""From a working copy with uncommitted work to `weir reproduce` and `weir diff`, through a whole Weir."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import weir
from tests.e2e.fixtures_up import EmbeddedWeir, wait_until
from tests.unit.client.repositories import Repository

_TRAIN = """
import os, sys, weir
weir.seed_everything(7)
run = weir.init("inputs", id=sys.argv[1], config={"lr": float(sys.argv[2])})
run.use_data("data.csv")
run.log({"loss": float(sys.argv[2])})
run.finish()
"""


@pytest.fixture
def job(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "code")
    repository.write("data.csv", "1,2\n")
    repository.commit("train.py", _TRAIN)
    repository.git("remote", "add", "origin", str(repository.path))
    return repository


def train(job: Repository, server: EmbeddedWeir, spool: Path, run_id: str, lr: str) -> None:
    environ = {**server.environment(spool), "WEIR_CONSOLE": "off"}
    command = [sys.executable, "train.py", run_id, lr, "--token", "tok-123456"]
    subprocess.run(command, cwd=job.path, env=environ, check=True, timeout=120)


def cli(server: EmbeddedWeir, *words: str, code: int = 0) -> str:
    command = [sys.executable, "-P", "-m", "weir.cli", *words, "--server", server.gateway]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def recorded(server: EmbeddedWeir, run_id: str, *files: str) -> Any:
    """The run, once its inputs and these files of it have arrived."""

    def view() -> Any:
        with weir.Api(server.gateway) as api:
            found = api.run(f"inputs/{run_id}")
            there = {"git/commit", "environment/packages", "data/data.csv/fingerprint"} <= set(
                found.meta
            )
            return found if there and set(files) <= set(found.files) else None

    return wait_until(view, f"the inputs of {run_id}")


def test_a_run_is_brought_back_and_two_are_told_apart(
    embedded_weir: EmbeddedWeir, job: Repository, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    train(job, embedded_weir, spool, "one", "0.5")
    job.write("train.py", _TRAIN + "# uncommitted\n")
    train(job, embedded_weir, spool, "two", "0.25")
    one = recorded(embedded_weir, "one", "environment/requirements.txt")
    two = recorded(embedded_weir, "two", "environment/requirements.txt", "code/diff.patch")
    assert one.meta["git/commit"] == two.meta["git/commit"] == job.git("rev-parse", "HEAD")
    assert two.meta["seed/given"] == 7
    assert "tok-123456" not in json.dumps(one.meta, default=str)

    folder = tmp_path / "again"
    cli(embedded_weir, "reproduce", "inputs/two", "--into", str(folder))
    environ = {**os.environ, "GIT_CONFIG_COUNT": "0"}
    subprocess.run(["sh", "code.sh"], cwd=folder, env=environ, check=True, timeout=60)
    assert (folder / "code" / "train.py").read_text() == _TRAIN + "# uncommitted\n"
    assert json.loads((folder / "config.json").read_text()) == {"lr": 0.25}
    assert "grpcio==" in (folder / "requirements.txt").read_text()

    words = ("diff", "inputs/one", "inputs/two", "--json", "--exit-code")
    told = json.loads(cli(embedded_weir, *words, code=1))
    found = {(each["group"], each["path"]): each for each in told["differences"]}
    assert found["config", "lr"]["a"] == 0.5
    assert found["metrics", "loss"]["change"] == -0.5
    assert any(line.startswith("++# uncommitted") for line in told["patch"])
    assert not [path for group, path in found if group in {"packages", "data", "machine"}]
