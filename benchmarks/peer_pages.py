"""MLflow's and TensorBoard's pages over the numbers of many_runs: opened, and a run hidden or shown."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import many_runs
from benchmarks.browser import opened_ms, painted_ms, typical, visitor
from benchmarks.harness import PEERS_PYTHON, Figure, run_script

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_TIMES: Final = 3
_STARTS_S: Final = 120.0
# Both first charts of a row hold lines.
_MLFLOW_DRAWN: Final = "document.querySelectorAll('.js-plotly-plot:has(.trace)').length >= 2"
_MLFLOW_EYE: Final = "document.querySelector('.is-visibility-toggle-checkbox')"
_MLFLOW_TRACES: Final = (
    "document.querySelector('.js-plotly-plot').querySelectorAll('.trace').length"
)
_TENSORBOARD_EYE: Final = "document.querySelectorAll('runs-data-table input[type=checkbox]')[2]"
_TENSORBOARD_ROWS: Final = (
    "document.querySelectorAll('scalar-card tb-data-table-content-row').length"
)
_TENSORBOARD_DRAWN: Final = (
    f"{_TENSORBOARD_ROWS} > 0 && !document.querySelector('scalar-card mat-spinner')"
)


def peer_figures(browser: Browser) -> list[Figure]:
    """Measure both; nothing where `.venv-peers` is not made (`make bench` makes it)."""
    if not PEERS_PYTHON.exists():
        return []
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as name:
        return [*_mlflow(browser, Path(name)), *_tensorboard(browser, Path(name))]


def _mlflow(browser: Browser, folder: Path) -> list[Figure]:
    base = folder / "mlflow.db"
    numbers = (many_runs.RUNS, many_runs.METRICS, many_runs.CURVES, many_runs.STEPS, many_runs.WITH_CURVES)  # fmt: skip
    experiment = run_script(PEERS_PYTHON, "peers/mlflow_fill.py", base, *numbers)["experiment"]
    flags = ("--backend-store-uri", f"sqlite:///{base}", "--workers", "1", "--host", "127.0.0.1")
    with _serving(folder, "mlflow", "server", *flags) as address:
        page = visitor(browser)
        charts = f"{address}/#/experiments/{experiment}/runs?compareRunsMode=CHART"
        first = opened_ms(page, charts, lambda page: page.wait_for_function(_MLFLOW_DRAWN))
        again = _again(page, charts, _MLFLOW_DRAWN)
        hide = f"window.before = {_MLFLOW_TRACES}; {_MLFLOW_EYE}.click()"
        toggled = typical(
            lambda: painted_ms(page, hide, f"{_MLFLOW_TRACES} !== window.before"), _TIMES
        )
        page.context.close()
    return [
        Figure("MLflow: first charts, nothing kept (10 of the same runs)", first, "ms"),
        Figure("MLflow: first charts, visited before", again, "ms"),
        Figure("MLflow: a run hidden or shown", toggled, "ms"),
    ]


def _tensorboard(browser: Browser, folder: Path) -> list[Figure]:
    events = folder / "events"
    first_run = many_runs.RUNS - many_runs.WITH_CURVES
    numbers = (first_run, many_runs.WITH_CURVES, many_runs.CURVES, many_runs.STEPS)
    run_script(PEERS_PYTHON, "peers/tensorboard_fill.py", events, *numbers)
    with _serving(folder, "tensorboard", "--logdir", str(events)) as address:
        page = visitor(browser)
        charts = f"{address}/?darkMode=false#timeseries"
        first = opened_ms(page, charts, lambda page: page.wait_for_function(_TENSORBOARD_DRAWN))
        again = _again(page, charts, _TENSORBOARD_DRAWN)
        hide = f"window.before = {_TENSORBOARD_ROWS}; {_TENSORBOARD_EYE}.click()"
        toggled = typical(
            lambda: painted_ms(page, hide, f"{_TENSORBOARD_ROWS} !== window.before"), _TIMES
        )
        page.context.close()
    return [
        Figure("TensorBoard: first charts, nothing kept (50 runs alone)", first, "ms"),
        Figure("TensorBoard: first charts, visited before", again, "ms"),
        Figure("TensorBoard: a run hidden or shown", toggled, "ms"),
    ]


def _again(page: Page, address: str, drawn: str) -> float:
    def open_again() -> float:
        page.goto("about:blank")
        return opened_ms(page, address, lambda page: page.wait_for_function(drawn))

    return typical(open_again, _TIMES)


@contextmanager
def _serving(folder: Path, program: str, *flags: str) -> Iterator[str]:
    """Start a peer's server on a free port, wait until it answers, stop it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(PEERS_PYTHON.with_name(program)), *flags, "--port", str(port)]
    with (folder / f"{program}.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        _wait(f"http://127.0.0.1:{port}", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _STARTS_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit(f"{server.args} did not come up")
