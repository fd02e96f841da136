"""Inputs of a run, with everything real: git, the collector's process, the agent's process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.unit.client.repositories import Repository
from weir._reading import read_attr
from weir._spool import Outbox, list_spools
from weir.testing import read_root
from weir_proto.v1 import ingest_pb2 as pb

_SECRETS = ("hunter22-secret", "sk-proj-abcdefghijklmnopqrstuvwx", "tok-5555-secret", "url-pass-77")
_TRAIN = """
import random, sys, weir
random.seed(42)
run = weir.init("p", id="r", mode="offline", config="conf.yaml")
run.use_data("data", name="train")
run.use_data("s3://bucket/val", name="val", etag="v7")
run.log_code()
run.log({"loss": 1.0})
print("logged", flush=True)
sys.stdin.read()
run.finish()
"""


@pytest.fixture
def job(tmp_path: Path) -> Repository:
    """A working copy with uncommitted work, data and a remote with a password in it."""
    repository = Repository(tmp_path / "code")
    repository.write("train.py", _TRAIN)
    repository.write("conf.yaml", "lr: 0.1\nmodel: {depth: 2}\n")
    repository.write("data/a.csv", "1,2\n")
    repository.commit("lib.py", "x = 1\n")
    repository.git("remote", "add", "origin", f"https://me:{_SECRETS[3]}@example.org/code.git")
    repository.write("lib.py", f"x = 2\nAPI = '{_SECRETS[1]}'\n")
    repository.write("notes.txt", "untracked")
    return repository


def start(job: Repository, root: Path, **environ: str) -> "subprocess.Popen[str]":
    plain = {name: value for name, value in os.environ.items() if not name.startswith("WEIR_")}
    return subprocess.Popen(
        [sys.executable, "train.py", "--password", _SECRETS[0], "--lr", "0.1"],
        cwd=job.path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={
            **plain,
            "WEIR_DIR": str(root),
            "WEIR_CONSOLE": "off",
            "WEIR_SYSTEM": "0",
            "WEIR_AGENT_IDLE_S": "1",
            "MY_SERVICE_TOKEN": _SECRETS[2],
            "SLURM_JOB_ID": "77",
            "SLURM_JOB_NAME": f"job-{_SECRETS[2]}",
            **environ,
        },
    )


def until(holds: Callable[[], Any], within_s: float = 90) -> Any:
    deadline_s = time.monotonic() + within_s
    while not (found := holds()):
        assert time.monotonic() < deadline_s, "it never came true"
        time.sleep(0.1)
    return found


def facts(root: Path) -> dict[str, Any]:
    return {
        attr.path: read_attr(attr)
        for _, body in read_root(root)
        for attr in body.attrs
        if attr.namespace == pb.Attr.META
    }


def run_to_the_end(job: Repository, root: Path, **environ: str) -> dict[str, Any]:
    process = start(job, root, **environ)
    assert process.communicate("", timeout=120)[0] == "logged\n"
    until(lambda: not any(any(s.inputs_path.glob("[!.]*")) for s in list_spools(root)))
    return facts(root)


def orders(root: Path) -> dict[str, Any]:
    """The run files that were ordered, by path, and the artifacts, by name."""
    found: dict[str, Any] = {}
    for spool in list_spools(root):
        outbox = Outbox(spool)
        for order in map(outbox.read, outbox.pending()):
            if order["order"] == "artifact":
                found[f"artifact:{order['name']}"] = [each["path"] for each in order["files"]]
                continue
            for file in order["files"]:
                found[file["path"]] = outbox.source_path(file["source"]).read_bytes()
    return found


def test_all_that_a_run_was_started_with_is_in_it(job: Repository, tmp_path: Path) -> None:
    root = tmp_path / "spool"
    meta = run_to_the_end(job, root)
    assert meta["git/commit"] == job.git("rev-parse", "HEAD")
    assert meta["git/remote"] == "https://example.org/code.git"
    assert meta["git/dirty"] is True
    assert meta["git/changed"] == ["lib.py"]
    assert meta["git/untracked"] == 1
    assert meta["command/argv"][1:] == ["train.py", "--password", "***", "--lr", "0.1"]
    assert meta["command/directory"] == str(job.path)
    assert meta["command/script"] == str(job.path / "train.py")
    assert meta["environment/packages"]["grpcio"]
    assert meta["machine/cpu_count"] == os.cpu_count()
    assert meta["machine/scheduler"] == "slurm"
    assert meta["variables/SLURM_JOB_ID"] == "77"
    assert meta["seed/python/seed"] == 42
    assert meta["data/train/kind"] == "directory"
    assert meta["data/train/fingerprint"].startswith("sha256:")
    assert meta["data/val/fingerprint"] == "etag:v7"
    assert meta["code/artifact"] == "code-train"
    assert not [path for path in meta if path.startswith("inputs/problem")]
    files = orders(root)
    assert b"+x = 2" in files["code/diff.patch"]
    assert files["code/untracked.txt"] == b"notes.txt\n"
    assert b"grpcio==" in files["environment/requirements.txt"]
    assert files["data/train/manifest.jsonl"].startswith(b'["a.csv",')
    assert sorted(files["artifact:code-train"]) == ["conf.yaml", "lib.py", "notes.txt", "train.py"]


def test_no_secret_is_anywhere_on_the_disk(job: Repository, tmp_path: Path) -> None:
    root = tmp_path / "spool"
    run_to_the_end(job, root)
    for path in root.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for secret in _SECRETS:
                assert secret.encode() not in content, (secret, path)


def test_a_trainer_that_is_killed_has_its_inputs_recorded(job: Repository, tmp_path: Path) -> None:
    root = tmp_path / "spool"
    process = start(job, root)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    until(lambda: "git/commit" in facts(root) and "environment/packages" in facts(root))


def test_a_collector_that_is_killed_does_not_keep_the_run_open(
    job: Repository, tmp_path: Path
) -> None:
    root = tmp_path / "spool"
    git = tmp_path / "bin" / "git"
    git.parent.mkdir()
    git.write_text("#!/bin/sh\nexec sleep 600\n")  # a repository on a disk that hangs
    git.chmod(0o755)
    process = start(job, root, PATH=f"{git.parent}:{os.environ['PATH']}")

    def collectors() -> list[psutil.Process]:
        children = psutil.Process(process.pid).children()
        return [each for each in children if "weir._inputs" in " ".join(each.cmdline())]

    for collector in until(collectors):
        for child in collector.children(recursive=True):
            child.kill()
        collector.kill()
    process.communicate("", timeout=60)
    until(lambda: not any(any(s.inputs_path.glob("[!.]*")) for s in list_spools(root)))


def test_nothing_is_collected_when_it_is_switched_off(job: Repository, tmp_path: Path) -> None:
    parts = ("GIT", "DIFF", "COMMAND", "PACKAGES", "MACHINE", "VARIABLES", "SEEDS")
    meta = run_to_the_end(job, tmp_path / "spool", **{f"WEIR_RECORD_{part}": "0" for part in parts})
    kept = {path for path in meta if "/" in path and not path.startswith(("data/", "code/"))}
    assert kept == set()
