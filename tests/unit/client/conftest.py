"""Every client test starts with no run open, no settings file, and records only what it logs."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.conftest import record_only_what_is_logged
from weir._exit import open_runs


@pytest.fixture(autouse=True)
def clean_surroundings(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith("WEIR_"):
            monkeypatch.delenv(name)
    record_only_what_is_logged(monkeypatch)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    before = open_runs()
    yield
    for run in open_runs():
        if run not in before:
            run.finish(timeout=0)


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Poll until something holds; fail after 20 s."""

    def poll(holds: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + 20
        while not holds():
            assert time.monotonic() < deadline_s, "it never came true"
            time.sleep(0.01)

    return poll


Script = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run_script(tmp_path: Path) -> Script:
    """Run Python text in a fresh interpreter, spooling offline to `tmp_path / "spool"`."""

    def run(source: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        script = tmp_path / "script.py"
        script.write_text(source)
        return subprocess.run(
            [sys.executable, str(script)],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=tmp_path,
            env={
                **os.environ,
                "WEIR_DIR": str(tmp_path / "spool"),
                "WEIR_MODE": "offline",
                "PYTHONPATH": os.pathsep.join(sys.path),
                **environ,
            },
        )

    return run
